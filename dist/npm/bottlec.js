#!/usr/bin/env node
// Runs the program of this platform's package, as if it were called itself.
"use strict";

const { spawn } = require("node:child_process");
const os = require("node:os");

const platform = `${process.platform}-${process.arch}`;
const names = Object.keys(require("../package.json").optionalDependencies);
const name = names.find((it) => it.endsWith(`-${platform}`));
let program;
try {
    program = require.resolve(`${name}/bin/bottlec`);
} catch {
    const reason = name ? `the package ${name} is not installed: npm leaves it out with --omit=optional` : "there is no package for it";
    console.error(`bottlec cannot run on ${platform}: ${reason}`);
    process.exit(1);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A terminal signals both of them; who signals this one alone means the program.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => {
    console.error(`bottlec cannot run ${program}: ${error.message}`);
    process.exit(1);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + os.constants.signals[signal]));
