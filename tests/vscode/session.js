// What a person does with the extension, in an editor of its own for each story. judge.py starts it and counts.
"use strict";

const { execFileSync, spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { chromium } = require("playwright-core");

const { BOTTLEC, EXTENSION, PLACE, CHROMIUM, SCREENSHOTS, NODE_PATH } = process.env;
const SERVER = path.join(NODE_PATH, "code-server/out/node/entry.js");
/** How long the editor may take for one thing, in milliseconds. */
const PATIENCE = 30_000;

function check(what, holds, detail = "") {
    console.log(holds ? `ok: ${what}` : `FAILED: ${what}\n      ${String(detail).replaceAll("\n", "\n      ")}`);
}

/** Asks until there is an answer, or time is up: then the last one. */
async function until(question, patience = PATIENCE) {
    const end = Date.now() + patience;
    for (;;) {
        const answer = await question();
        if (answer || Date.now() > end) {
            return answer;
        }
        await new Promise((resolve) => setTimeout(resolve, 150));
    }
}

function freePort() {
    return new Promise((resolve) => {
        const server = net.createServer().listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/** The part of a colour's light that an eye sees, and how far two of them are apart, as WCAG 2 has it. */
function luminance([red, green, blue]) {
    const linear = [red, green, blue].map((it) => (it / 255 <= 0.04045 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}
function contrast(one, other) {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
}
const numbers = (color) => color.match(/[\d.]+/g).slice(0, 3).map(Number);

/** An editor with the extension in it, a folder, and a page. */
class Editor {
    static async open(browser, name, { files, settings = {}, trust = false }) {
        const it = new Editor();
        it.name = name;
        it.place = path.join(PLACE, name);
        it.folder = path.join(it.place, "a folder");
        for (const [file, text] of Object.entries(files)) {
            fs.mkdirSync(path.dirname(path.join(it.folder, file)), { recursive: true });
            fs.writeFileSync(path.join(it.folder, file), text);
        }
        fs.mkdirSync(path.join(it.folder, ".git"), { recursive: true });
        const user = path.join(it.place, "data/User");
        fs.mkdirSync(user, { recursive: true });
        const { "bottlec.path": program = BOTTLEC, ...others } = settings;
        const all = {
            "workbench.colorTheme": "Default Dark Modern",
            "workbench.startupEditor": "none",
            "workbench.tips.enabled": false,
            "security.workspace.trust.startupPrompt": "always",
            "security.workspace.trust.banner": "never",
            "editor.minimap.enabled": false,
            "editor.hover.delay": 100,
            "files.autoSave": "off",
            "git.enabled": false,
            "telemetry.telemetryLevel": "off",
            "chat.commandCenter.enabled": false,
            ...others,
        };
        fs.writeFileSync(path.join(user, "settings.json"), JSON.stringify(all));
        // What a machine runs is a setting of that machine.
        fs.mkdirSync(path.join(it.place, "data/Machine"));
        fs.writeFileSync(path.join(it.place, "data/Machine/settings.json"), JSON.stringify({ "bottlec.path": program }));
        const env = { ...process.env, HOME: it.place, XDG_CONFIG_HOME: it.place, XDG_DATA_HOME: it.place };
        const places = [`--user-data-dir=${it.place}/data`, `--extensions-dir=${it.place}/extensions`, `--config=${it.place}/config.yaml`];
        execFileSync("node", [SERVER, ...places, "--install-extension", EXTENSION], { env, stdio: "ignore" });
        const port = await freePort();
        const quiet = ["--auth=none", "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"];
        const trusting = trust ? [] : ["--disable-workspace-trust"];
        const log = fs.openSync(path.join(it.place, "log"), "w");
        it.server = spawn("node", [SERVER, ...places, ...quiet, ...trusting, `--bind-addr=127.0.0.1:${port}`], { env, stdio: ["ignore", log, log] });
        const address = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(it.folder)}`;
        await until(() => fetch(address).then((answer) => answer.ok, () => false));
        it.context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
        it.page = await it.context.newPage();
        it.page.setDefaultTimeout(PATIENCE);
        await it.page.goto(address);
        await it.page.locator(".monaco-workbench").waitFor();
        return it;
    }

    async close() {
        await this.context.close();
        this.server.kill();
    }

    async shot(what) {
        if (SCREENSHOTS) {
            fs.mkdirSync(SCREENSHOTS, { recursive: true });
            await this.page.screenshot({ path: path.join(SCREENSHOTS, `${this.name}-${what}.png`) });
        }
    }

    key(key) {
        return this.page.keyboard.press(key);
    }

    type(text) {
        return this.page.keyboard.type(text, { delay: 5 });
    }

    async command(name) {
        await this.key("F1");
        await this.page.locator(".quick-input-widget input").first().fill(`>${name}`);
        await this.page.locator(".quick-input-list .monaco-list-row", { hasText: name.split(": ").at(-1) }).first().waitFor();
        await this.key("Enter");
    }

    async show(file) {
        await this.key("Control+P");
        await this.page.locator(".quick-input-widget input").first().fill(file);
        await this.page.locator(".quick-input-list .monaco-list-row", { hasText: path.basename(file) }).first().waitFor();
        await this.key("Enter");
        await this.page.locator(`.editor-group-container.active .tab.active[aria-label*="${path.basename(file)}"]`).waitFor();
        await this.page.locator(".editor-group-container.active .view-line").first().waitFor();
        await this.page.locator(".editor-group-container.active .monaco-editor .view-lines").first().click();
    }

    async goTo(line, column) {
        await this.key("Control+G");
        await this.page.locator(".quick-input-widget input").first().fill(`:${line}:${column}`);
        await this.key("Enter");
    }

    /** What the active editor shows. */
    async shown() {
        const lines = await this.page.locator(".editor-group-container.active .view-line").allInnerTexts();
        return lines.join("\n").replaceAll("\u00a0", " ");
    }

    async texts(selector) {
        const found = await this.page.locator(selector).allInnerTexts();
        return found.map((text) => text.replaceAll("\u00a0", " "));
    }

    /** Whether some element has that text, sooner or later. */
    has(selector, text, patience) {
        return until(async () => (await this.texts(selector)).some((it) => (text instanceof RegExp ? text.test(it) : it.includes(text))), patience);
    }

    /** The colour of each word below an element. */
    colors(selector) {
        return this.page.locator(selector).evaluateAll((spans) =>
            spans.filter((it) => it.children.length === 0 && it.textContent.trim()).map((it) => [it.textContent, getComputedStyle(it).color]),
        );
    }

    /** How many colours there are, and how readable each is on what it stands on. */
    async palette(selector, behind) {
        const words = await this.colors(selector);
        const ground = await this.page.locator(behind).first().evaluate((it) => {
            for (let at = it; at; at = at.parentElement) {
                const color = getComputedStyle(at).backgroundColor;
                if (!/^rgba\(.*, 0\)$/.test(color)) {
                    return color;
                }
            }
            return "rgb(255, 255, 255)";
        });
        return { words, count: new Set(words.map(([, color]) => color)).size, ground: numbers(ground) };
    }

    async hover(text) {
        const word = this.page.locator(".editor-group-container.active .view-line span", { hasText: new RegExp(`^\\s*"?${text}"?$`) }).last();
        await this.page.mouse.move(5, 5);
        await word.hover();
        const hover = this.page.locator(".monaco-resizable-hover:visible, .monaco-hover:visible").filter({ hasText: /\S/ }).first();
        await hover.waitFor();
        return (await hover.innerText()).replaceAll("\u00a0", " ");
    }

    read(file) {
        return fs.readFileSync(path.join(this.folder, file), "utf8");
    }

    async save(file, expected) {
        await this.key("Control+S");
        return until(() => expected(this.read(file)) && this.read(file), 10_000);
    }
}

const SPEC = `include "team.kdl"

bottle "demo" {
    extends "team"
    engine "smolvm" version="1.33.0"
    image "docker.io/library/debian@sha256:7b140f374b289a7c2befc338f42ebe6441b7ea838a042bbd5acbfca6ec875818"
    egress {
        allow "docs.example.com"
        dlp { pattern "token" regex="tok_[0-9a-f]{32}"; }
    }
    lint { allow "scan-without-tls" reason="of HTTP alone"; }
}
`;
const TEAM = `profile "team" {
    env { EDITOR "vi"; }
}
`;

/** The usual day, with everything in its place. */
async function theUsualDay(browser) {
    const it = await Editor.open(browser, "usual", { files: { "bottle.kdl": SPEC, "team.kdl": TEAM, "other/layout.kdl": 'layout {\n    pane command="htop"\n}\n' } });
    const { page } = it;
    await it.show("bottle.kdl");
    const hints = await it.has(".editor-group-container.active .view-line", "192.168.", PATIENCE);
    check("VS Code: the server answers: the bottle's address stands behind its name", hints, await it.shown());
    check("VS Code: a sound spec has no squiggle", (await page.locator(".squiggly-error, .squiggly-warning").count()) === 0);
    const { words, count, ground } = await it.palette(".editor-group-container.active .view-line span span", ".monaco-editor-background");
    check("VS Code, dark: a spec has colours", count >= 5, JSON.stringify(words));
    // What the server knows of the words comes after what the grammar does: a regular expression is no other text then.
    await until(async () => {
        const color = Object.fromEntries(await it.colors(".editor-group-container.active .view-line span span"));
        const [regex, other] = ["tok_", "docs.example.com"].map((part) => Object.entries(color).find(([word]) => word.includes(part))?.[1]);
        return regex && other && regex !== other;
    });
    for (const theme of ["dark", "light"]) {
        if (theme === "light") {
            await it.command("Preferences: Toggle between Light/Dark Themes");
            await until(async () => (await it.palette(".editor-group-container.active .view-line span span", ".monaco-editor-background")).ground[0] > 200);
            await page.waitForTimeout(1000);
        }
        const palette = await it.palette(".editor-group-container.active .view-line span span", ".monaco-editor-background");
        const dim = palette.words
            .map(([word, color]) => [word, contrast(numbers(color), palette.ground)])
            .filter(([, far]) => far < 3)
            // What the editor itself says beside a text is meant to stand back.
            .filter(([word]) => !word.includes("192.168."));
        check(`VS Code, ${theme}: each word stands out from the ground`, dim.length === 0, JSON.stringify(dim));
        const regex = palette.words.filter(([word]) => word.includes("tok_"));
        const far = regex.map(([, color]) => contrast(numbers(color), palette.ground));
        check(`VS Code, ${theme}: a regular expression can be read`, far.length > 0 && far.every((value) => value >= 4.5), JSON.stringify([regex, far, palette.ground]));
        await it.shot(`spec-${theme}`);
    }

    const told = await it.hover("egress");
    check("VS Code: a hover explains a node", /may reach/.test(told) && told.length > 60, told);
    const code = await it.palette(".monaco-hover code span, .monaco-hover .monaco-tokenized-source span", ".monaco-hover");
    check("VS Code: the example in a hover has colours", code.count >= 2, JSON.stringify(code.words));
    await it.shot("hover-light");
    await page.mouse.move(5, 5);

    // Broken: one letter less.
    await it.show("bottle.kdl");
    await it.goTo(7, 5);
    await it.key("Delete");
    await it.type("E");
    const squiggle = await until(async () => (await page.locator(".squiggly-error").count()) > 0);
    check("VS Code: a mistake is underlined", squiggle);
    await it.command("Problems: Focus on Problems View");
    const problem = await it.has(".markers-panel .monaco-list-row", "unknown node `Egress`");
    check("VS Code: the problems have it, with its rule", problem && (await it.has(".markers-panel .monaco-list-row", "unknown-node")), (await it.texts(".markers-panel .monaco-list-row")).join("\n"));
    await it.shot("problems-light");
    await it.show("bottle.kdl");
    await it.goTo(7, 6);
    await it.key("Control+.");
    const fixes = page.locator(".action-widget .monaco-list-row");
    await fixes.first().waitFor();
    const offered = await it.texts(".action-widget .monaco-list-row");
    check("VS Code: a quick fix is offered", offered.some((text) => text.includes("egress")), offered.join("\n"));
    await it.shot("fix-light");
    await it.key("Enter");
    const fixed = await until(async () => /^ {4}egress \{/m.test(await it.shown()));
    check("VS Code: and it fixes", fixed && (await until(async () => (await page.locator(".squiggly-error").count()) === 0)), await it.shown());

    // Completion.
    await it.goTo(8, 100);
    await it.key("Enter");
    const list = ".suggest-widget.visible .monaco-list-row";
    await until(async () => {
        await it.key("Control+Space");
        return it.has(list, "allow", 3000);
    });
    check("VS Code: completion offers what a block takes", (await it.has(list, "allow")) && (await it.has(list, "deny")), (await it.texts(list)).join("\n"));
    await it.shot("completion-light");
    await it.type("den");
    await it.has(list, "deny");
    await it.key("Enter");
    await it.type("gist.example.com");
    const completed = await until(async () => (await it.shown()).includes('deny "gist.example.com"'), 5000);
    check("VS Code: what is taken has its quotes, and the cursor between them", completed, await it.shown());
    await it.key("Escape");

    // The snippet of a sidecar has nothing that is underlined before anybody types.
    await it.goTo(11, 100);
    await it.key("Enter");
    await it.type("sidec");
    await it.has(list, "sidecar");
    await it.key("Enter");
    const snippet = await until(async () => /sidecar "\S+" image="\S+"/.test(await it.shown()), 5000);
    check("VS Code: the snippet of a sidecar names one, and an image", snippet, await it.shown());
    await page.waitForTimeout(2000);
    check("VS Code: nothing of it is underlined in red", (await page.locator(".squiggly-error").count()) === 0, await it.shown());
    await it.shot("snippet-light");
    await it.key("Escape");
    await it.key("Escape");
    for (let step = 0; step < 30 && (await it.shown()).includes("sidec"); step += 1) {
        await it.key("Control+Z");
    }

    // Format.
    await it.goTo(4, 1);
    await it.type("        ");
    await it.command("Format Document");
    const formatted = await until(async () => /^ {4}extends "team"/m.test(await it.shown()), 10_000);
    check("VS Code: a spec is laid out", formatted, await it.shown());
    await it.goTo(7, 100);
    await it.type(" }");
    await it.command("Format Document");
    const refusal = await it.has(".notifications-toasts .notification-list-item-message", /is not laid out: line \d+ has an error/);
    check("VS Code: what cannot be laid out is told of, with the reason", refusal, (await it.texts(".notifications-toasts")).join("\n"));
    await page.waitForTimeout(700);
    await it.shot("not-formatted-light");
    await it.command("Notifications: Clear All Notifications");
    await it.show("bottle.kdl");
    await it.goTo(7, 100);
    await it.key("Backspace");
    await it.key("Backspace");
    const saved = await it.save("bottle.kdl", (text) => text.includes("gist.example.com"));
    check("VS Code: what was done is saved", saved && /egress \{\n/.test(saved), it.read("bottle.kdl"));

    // Rename over two files.
    await it.goTo(4, 16);
    await it.key("F2");
    await page.locator(".rename-box input").first().waitFor();
    await page.locator(".rename-box input").first().fill("shared");
    await it.key("Enter");
    await until(async () => (await it.shown()).includes('extends "shared"'));
    await it.command("File: Save All");
    const both = await until(() => it.read("bottle.kdl").includes('extends "shared"') && it.read("team.kdl").includes('profile "shared"'));
    check("VS Code: a name is renamed in both files", both, it.read("bottle.kdl") + it.read("team.kdl"));

    // The outline, the compiled files, the page of a rule.
    await it.show("bottle.kdl");
    await it.command("Explorer: Focus on Outline View");
    const outline = (await it.has(".outline-pane .monaco-list-row", "demo")) && (await it.has(".outline-pane .monaco-list-row", "egress"));
    check("VS Code: the outline has the bottle and its blocks", outline, (await it.texts(".outline-pane .monaco-list-row")).join("\n"));
    await it.show("bottle.kdl");
    await it.goTo(4, 5);
    await it.command("bottlec: Show What the Bottle Compiles to");
    await page.locator(".quick-input-list .monaco-list-row", { hasText: "agent.env" }).first().click();
    const beside = ".editor-group-container .view-line";
    check("VS Code: a compiled file opens beside the spec", (await it.has(beside, /^EDITOR=/)) && (await page.locator(".editor-group-container").count()) === 2, (await it.texts(beside)).join("\n"));
    await it.goTo(5, 1);
    await it.type('    env { PAGER "less"; }\n');
    check("VS Code: and follows the spec", await it.has(beside, /^PAGER=/), (await it.texts(beside)).join("\n"));
    await it.shot("compiled-light");
    await it.command("bottlec: Explain a Rule");
    await page.locator(".quick-input-widget input").first().fill("dns-open");
    await it.key("Enter");
    check("VS Code: the page of a rule opens", await it.has(".tab", /dns-open/), (await it.texts(".tab")).join("\n"));
    await it.close();
}

/** A folder that is not trusted, and would have another program run. */
async function anUntrustedFolder(browser) {
    const place = path.join(PLACE, "restricted");
    fs.mkdirSync(place, { recursive: true });
    const trap = path.join(place, "trap");
    fs.writeFileSync(trap, `#!/bin/sh\ntouch "${place}/sprung"\n`, { mode: 0o755 });
    const files = {
        "bottle.kdl": SPEC.replace("egress", "egres").replace('include "team.kdl"\n\n', "").replace('    extends "team"\n', ""),
        ".vscode/settings.json": JSON.stringify({ "bottlec.path": trap }),
    };
    const it = await Editor.open(browser, "restricted", { files, trust: true });
    await it.page.locator(".monaco-dialog-box").waitFor();
    await it.page.locator(".monaco-dialog-box .monaco-button", { hasText: "No, I don't trust" }).click();
    await it.show("bottle.kdl");
    check("VS Code, restricted: the spec is checked", await until(async () => (await it.page.locator(".squiggly-error").count()) > 0));
    check("VS Code, restricted: it is restricted", await it.has(".statusbar", "Restricted Mode"));
    check("VS Code, restricted: the program that the folder names was not run", !fs.existsSync(path.join(place, "sprung")));
    await it.shot("dark");
    await it.close();
}

/** Before anybody has installed the program. */
async function noProgram(browser) {
    const it = await Editor.open(browser, "missing", { files: { "bottle.kdl": SPEC, "team.kdl": TEAM }, settings: { "bottlec.path": "/nowhere/bottlec" } });
    const { page } = it;
    await it.show("team.kdl");
    const toast = await it.has(".notifications-toasts .notification-list-item-message", 'there is no program "/nowhere/bottlec"');
    check("VS Code, without the program: it is told of", toast, (await it.texts(".notifications-toasts")).join("\n"));
    for (const file of ["team.kdl", "bottle.kdl"]) {
        await it.show(file);
        const found = await until(async () => (await it.palette(".editor-group-container.active .view-line span span", ".monaco-editor-background")).count >= 3, 10_000);
        const { words } = await it.palette(".editor-group-container.active .view-line span span", ".monaco-editor-background");
        check(`VS Code, without the program: ${file} has colours`, found, JSON.stringify(words));
    }
    await it.shot("dark");
    await page.locator(".notifications-toasts .monaco-button", { hasText: "How to Install" }).first().click();
    const steps = ".getting-started-step, .gettingStartedContainer";
    check("VS Code, without the program: the walkthrough opens, and says how", await it.has(steps, "Install bottlec"), (await it.texts(steps)).join("\n"));
    await page.waitForTimeout(1500);
    await it.shot("walkthrough-dark");
    // Somebody installs it, and writes the first spec into an empty place.
    fs.rmSync(path.join(it.folder, "bottle.kdl"));
    await it.command("Preferences: Open Remote Settings (JSON)");
    await it.has(".tab", "settings.json");
    await page.waitForTimeout(500);
    await it.key("Control+A");
    await page.keyboard.insertText(JSON.stringify({ "bottlec.path": BOTTLEC }));
    // What the editor closed by itself stands behind it.
    await it.key("Control+Shift+End");
    await it.key("Delete");
    await it.key("Control+S");
    // The setting is taken up in a moment.
    await until(async () => {
        await it.command("bottlec: New Spec");
        return until(() => fs.existsSync(path.join(it.folder, "bottle.kdl")), 3000);
    });
    check("VS Code, with the program: a first spec is written and opened", await it.has(".editor-group-container.active .view-line", /A bottle: one AI coding agent/), await it.shown());
    check("VS Code, with the program: the server runs without a restart of the editor", await it.has(".view-line", "192.168."), await it.shown());
    await it.shot("first-spec-dark");
    await it.command("bottlec: New Spec");
    check("VS Code: a spec that is there is not overwritten", await it.has(".notifications-toasts .notification-list-item-message", "is there already"), (await it.texts(".notifications-toasts")).join("\n"));
    await it.close();
}

async function main() {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
    for (const story of [theUsualDay, anUntrustedFolder, noProgram]) {
        try {
            await story(browser);
        } catch (error) {
            const page = browser.contexts().at(-1)?.pages().at(-1);
            if (SCREENSHOTS && page) {
                await page.screenshot({ path: path.join(SCREENSHOTS, `${story.name}-failed.png`) }).catch(() => {});
            }
            check(`VS Code: ${story.name} goes through`, false, error.stack);
        }
    }
    await browser.close();
}

main().then(
    () => process.exit(0),
    (error) => {
        console.error(error);
        process.exit(1);
    },
);
