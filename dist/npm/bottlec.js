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

let child;
// A terminal signals both of them; who signals this one alone means the program. They are heard before it is started:
// there is no moment at which it runs and a signal ends this one alone.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => child.kill(signal));
}
child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
child.on("error", (error) => {
    console.error(`bottlec cannot run ${program}: ${error.message}`);
    process.exit(1);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + os.constants.signals[signal]));
