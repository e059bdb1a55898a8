// The extension under node, with the editor and the client library played by this file.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const Module = require("node:module");
const os = require("node:os");
const path = require("node:path");
const { afterEach, beforeEach, test } = require("node:test");

const place = fs.mkdtempSync(path.join(os.tmpdir(), "bottlec-vscode-"));
process.on("exit", () => fs.rmSync(place, { recursive: true, force: true }));

/** A program that stands for bottlec. */
function program(name, script) {
    const file = path.join(place, name);
    fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return file;
}

const GOOD = program("good", '[ "$*" = "lsp --help" ]');
const OLD = program("old", 'echo "unrecognized subcommand" >&2; exit 2');
const NO_PROGRAM = path.join(place, "nowhere");
const NOT_EXECUTABLE = path.join(place, "text");
fs.writeFileSync(NOT_EXECUTABLE, "no program", { mode: 0o644 });

let editor;

class Uri {
    constructor(parts) {
        Object.assign(this, { scheme: "file", path: "", query: "" }, parts);
    }
    static from(parts) {
        return new Uri(parts);
    }
    static joinPath(uri, name) {
        return new Uri({ ...uri, path: `${uri.path}/${name}` });
    }
    get fsPath() {
        return this.path;
    }
    toString() {
        return `${this.scheme}:${this.path}${this.query ? `?${encodeURIComponent(this.query)}` : ""}`;
    }
}

class EventEmitter {
    constructor() {
        this.heard = [];
        this.event = (listener) => this.heard.push(listener);
    }
    fire(value) {
        this.heard.forEach((listener) => listener(value));
    }
    dispose() {}
}

function document(uri, languageId, text) {
    return {
        uri,
        languageId,
        getText: () => text,
        positionAt: (index) => {
            const before = text.slice(0, index).split("\n");
            return { line: before.length - 1, character: before.at(-1).length };
        },
    };
}

/** A new editor, in which nothing has happened. */
function makeEditor(settings) {
    const it = {
        settings: { path: GOOD, ...settings },
        errors: [],
        warnings: [],
        status: [],
        contexts: {},
        executed: [],
        answers: [],
        clients: [],
        commands: {},
        providers: {},
        listeners: {},
        opened: [],
        languages: [],
        diagnostics: [],
        pick: (names) => names[0],
        answer: () => undefined,
    };
    const on = (name) => (listener) => {
        it.listeners[name] = listener;
        return { dispose() {} };
    };
    it.vscode = {
        Uri,
        EventEmitter,
        ViewColumn: { Beside: -2 },
        commands: {
            registerCommand: (name, action) => {
                assert.ok(!(name in it.commands), `${name} is registered twice`);
                it.commands[name] = action;
                return { dispose() {} };
            },
            executeCommand: async (...args) => {
                if (args[0] === "setContext") {
                    it.contexts[args[1]] = args[2];
                } else {
                    it.executed.push(args);
                }
            },
        },
        languages: {
            getDiagnostics: () => it.diagnostics,
            setTextDocumentLanguage: async (document, language) => void it.languages.push(language),
        },
        window: {
            createOutputChannel: () => ({ error() {}, warn() {}, show() {}, dispose() {} }),
            setStatusBarMessage: (message) => void it.status.push(message),
            showWarningMessage: async (message) => void it.warnings.push(message),
            showErrorMessage: async (message, ...buttons) => {
                it.errors.push(message);
                return buttons.length ? it.answers.shift() : undefined;
            },
            showInputBox: async () => it.typed,
            showQuickPick: async (names) => it.pick(names),
            showTextDocument: async (document, options) => void it.opened.push([document, options]),
        },
        workspace: {
            textDocuments: [],
            getConfiguration: () => ({ get: (name, otherwise) => it.settings[name] ?? otherwise }),
            registerTextDocumentContentProvider: (scheme, provider) => {
                it.providers[scheme] = provider;
                return { dispose() {} };
            },
            openTextDocument: async (uri) => {
                const text = await it.providers[uri.scheme].provideTextDocumentContent(uri);
                const opened = document(uri, "plaintext", text);
                it.vscode.workspace.textDocuments.push(opened);
                return opened;
            },
            onDidChangeTextDocument: on("text"),
            onWillSaveTextDocument: on("save"),
            onDidChangeConfiguration: on("configuration"),
            onDidGrantWorkspaceTrust: on("trust"),
        },
    };
    it.library = {
        LanguageClient: class {
            constructor(id, name, server, options) {
                Object.assign(this, { id, name, server, options, running: false });
                it.clients.push(this);
            }
            async start() {
                if (it.refuses) {
                    throw new Error(it.refuses);
                }
                this.running = true;
                // As the real one does, which takes the names that the server announces.
                ["bottlec.artifacts", "bottlec.explain"].forEach((name) => (this.taken ??= []).push(name));
            }
            async stop() {
                this.running = false;
            }
            handleFailedRequest(type, token, error) {
                throw error;
            }
            async sendRequest(method, { command, arguments: args }) {
                assert.strictEqual(method, "workspace/executeCommand");
                return it.answer(command, ...args);
            }
        },
    };
    return it;
}

const load = Module._load;
Module._load = (name, ...rest) => {
    if (name === "vscode") {
        return editor.vscode;
    }
    return name === "vscode-languageclient/node" ? editor.library : load(name, ...rest);
};

let extension;

async function activate(settings) {
    editor = makeEditor(settings);
    delete require.cache[require.resolve("../extension.js")];
    extension = require("../extension.js");
    await extension.activate({ subscriptions: [] });
    return editor;
}

beforeEach(() => {
    extension = undefined;
});

afterEach(async () => {
    await extension?.deactivate();
    assert.ok(editor.clients.every((client) => !client.running), "a client was left running");
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

test("the server is started as the setting says", async () => {
    const it = await activate();
    assert.deepStrictEqual(it.errors, []);
    assert.strictEqual(it.clients.length, 1);
    const [client] = it.clients;
    assert.deepStrictEqual(client.server, { command: GOOD, args: ["lsp"] });
    const selector = client.options.documentSelector.map(({ scheme, language }) => `${scheme}:${language}`);
    assert.deepStrictEqual(selector, ["file:bottlec", "untitled:bottlec", "file:kdl", "untitled:kdl"]);
});

test("no command has a name that the client library registers", async () => {
    const it = await activate();
    assert.deepStrictEqual(Object.keys(it.commands).filter((name) => it.clients[0].taken.includes(name)), []);
    const announced = require("../package.json").contributes.commands.map(({ command }) => command);
    assert.deepStrictEqual(Object.keys(it.commands).sort(), announced.sort());
});

for (const [what, setting, words] of [
    ["is not there", NO_PROGRAM, "there is no program"],
    ["is too old", OLD, "too old"],
    ["is no program", NOT_EXECUTABLE, "cannot be run"],
    ["is a relative path", "./bottlec", "neither a name nor an absolute path"],
    ["is a path in the workspace", "bin/bottlec", "neither a name nor an absolute path"],
    ["is empty", " ", "neither a name nor an absolute path"],
]) {
    test(`a program that ${what} is told of, with a way to mend it`, async () => {
        const it = await activate({ path: setting });
        await settled();
        assert.strictEqual(it.clients.length, 0);
        assert.strictEqual(it.errors.length, 1);
        assert.match(it.errors[0], new RegExp(words));
    });
}

test("the buttons do what they say", async () => {
    editor = makeEditor();
    const it = await activate({ path: NO_PROGRAM });
    await settled();
    it.answers.push("Open Settings");
    await it.commands["bottlec.restart"]();
    await settled();
    assert.deepStrictEqual(it.executed, [["workbench.action.openSettings", "bottlec.path"]]);
    it.answers.push("Try Again");
    const again = it.commands["bottlec.restart"]();
    await again;
    it.settings.path = GOOD;
    for (let tries = 0; tries < 100 && it.clients.length === 0; tries += 1) {
        await settled();
    }
    assert.strictEqual(it.clients.length, 1);
});

test("a server that does not start is told of", async () => {
    const it = await activate({ path: OLD });
    it.settings.path = GOOD;
    it.refuses = "it ended at once";
    await it.commands["bottlec.restart"]();
    await settled();
    assert.match(it.errors.at(-1), /it ended at once/);
    it.refuses = undefined;
    await it.commands["bottlec.restart"]();
    assert.ok(it.clients.at(-1).running);
});

test("a restart leaves one client, however often it is asked for", async () => {
    const it = await activate();
    await Promise.all([1, 2, 3].map(() => it.commands["bottlec.restart"]()));
    assert.deepStrictEqual(it.clients.map((client) => client.running), [false, false, false, true]);
});

test("another path or new trust starts the server anew, another setting does not", async () => {
    const it = await activate();
    it.listeners.configuration({ affectsConfiguration: (name) => name === "editor.tabSize" });
    await it.commands["bottlec.restart"]();
    assert.strictEqual(it.clients.length, 2);
    it.listeners.configuration({ affectsConfiguration: (name) => name === "bottlec.path" });
    await it.commands["bottlec.restart"]();
    assert.strictEqual(it.clients.length, 4);
    await it.listeners.trust();
    assert.strictEqual(it.clients.length, 5);
});

const SPEC = new Uri({ path: "/w/main.kdl" });
const TEXT = 'bottle "one" {\n}\n\nbottle "two" {\n}\n';
const answer = (command, spec, position, file) => {
    assert.strictEqual(command, "bottlec.artifacts");
    assert.strictEqual(spec, SPEC.toString());
    const files = [{ name: file ?? "smolfile.toml", language: "toml", text: `# line ${position.line}\n`, lines: [[]] }];
    return { bottle: "two", files, all: ["smolfile.toml", "plan.json"] };
};

test("what a bottle compiles to is shown, and follows the spec", async () => {
    const it = await activate();
    it.answer = answer;
    const spec = document(SPEC, "bottlec", TEXT);
    it.vscode.workspace.textDocuments.push(spec);
    it.vscode.window.activeTextEditor = { document: spec, selection: { active: { line: 3, character: 4 } } };
    let offered;
    it.pick = (names) => (offered = names)[0];
    await it.commands["bottlec.showArtifacts"]();
    assert.deepStrictEqual(it.errors, []);
    assert.deepStrictEqual(offered, ["smolfile.toml", "plan.json"]);
    const [[shown, options]] = it.opened;
    assert.strictEqual(shown.uri.scheme, "bottlec-artifact");
    assert.strictEqual(shown.uri.path, "/two/smolfile.toml");
    assert.strictEqual(shown.getText(), "# line 3\n");
    assert.deepStrictEqual(options, { viewColumn: -2, preserveFocus: true, preview: true });
    assert.deepStrictEqual(it.languages, ["toml"]);
    // The bottle moves down; what is no spec changes nothing.
    it.vscode.workspace.textDocuments[0] = document(SPEC, "bottlec", `// more\n${TEXT}`);
    const heard = [];
    it.providers["bottlec-artifact"].onDidChange((uri) => heard.push(uri));
    it.listeners.text({ document: document(SPEC, "markdown", "") });
    await new Promise((resolve) => setTimeout(resolve, 350));
    assert.deepStrictEqual(heard, []);
    for (let edit = 0; edit < 5; edit += 1) {
        it.listeners.text({ document: it.vscode.workspace.textDocuments[0] });
    }
    await new Promise((resolve) => setTimeout(resolve, 350));
    assert.deepStrictEqual(heard, [shown.uri]);
    const text = await it.providers["bottlec-artifact"].provideTextDocumentContent(shown.uri);
    assert.strictEqual(text, "# line 4\n");
    // While the spec is broken the view says so.
    it.answer = () => {
        throw new Error("the spec has errors");
    };
    assert.strictEqual(await it.providers["bottlec-artifact"].provideTextDocumentContent(shown.uri), "the spec has errors\n");
});

test("where there is no bottle, or no choice, nothing is opened", async () => {
    const it = await activate();
    await it.commands["bottlec.showArtifacts"]();
    assert.match(it.errors.pop(), /put the cursor into a bottle/);
    const other = document(SPEC, "markdown", "");
    it.vscode.window.activeTextEditor = { document: other, selection: { active: { line: 0, character: 0 } } };
    await it.commands["bottlec.showArtifacts"]();
    assert.match(it.errors.pop(), /put the cursor into a bottle/);
    it.vscode.window.activeTextEditor.document = document(SPEC, "kdl", TEXT);
    it.answer = () => {
        throw new Error("there is no bottle at the cursor");
    };
    await it.commands["bottlec.showArtifacts"]();
    assert.strictEqual(it.errors.pop(), "bottlec: there is no bottle at the cursor");
    it.answer = answer;
    it.pick = () => undefined;
    await it.commands["bottlec.showArtifacts"]();
    assert.deepStrictEqual([it.opened, it.errors], [[], []]);
});

test("a rule is explained: the one at the cursor, or one that is named", async () => {
    const it = await activate();
    it.answer = (command, rule) => {
        assert.strictEqual(command, "bottlec.explain");
        if (rule === "no-such-rule") {
            throw new Error("there is no such rule");
        }
        return { rule, text: `# ${rule}\n` };
    };
    const page = (rule) => it.providers["bottlec-rule"].provideTextDocumentContent(new Uri({ scheme: "bottlec-rule", path: `/${rule}.md` }));
    it.vscode.window.activeTextEditor = { document: document(SPEC, "kdl", TEXT), selection: { active: { line: 0, character: 0 } } };
    it.diagnostics = [
        { source: "other", code: "not-ours", range: { contains: () => true } },
        { source: "bottlec", code: "elsewhere", range: { contains: () => false } },
        { source: "bottlec", code: { value: "unknown-node", target: {} }, range: { contains: () => true } },
    ];
    await it.commands["bottlec.showRule"]();
    assert.strictEqual(it.executed[0][0], "markdown.showPreview");
    assert.strictEqual(it.executed[0][1].toString(), "bottlec-rule:/unknown-node.md");
    assert.strictEqual(await page("unknown-node"), "# unknown-node\n");
    it.diagnostics = [];
    it.typed = "no-such-rule";
    await it.commands["bottlec.showRule"]();
    assert.strictEqual(it.errors.pop(), "bottlec: there is no such rule");
    assert.strictEqual(it.executed.length, 1);
    await it.commands["bottlec.showRule"]("invalid-name");
    assert.strictEqual(it.executed[1][1].toString(), "bottlec-rule:/invalid-name.md");
    it.typed = undefined;
    await it.commands["bottlec.showRule"]();
    assert.strictEqual(it.executed.length, 2);
});

test("what cannot be formatted is told of with the reason, and quietly while it is saved", async () => {
    const it = await activate();
    const spec = document(SPEC, "bottlec", TEXT);
    it.vscode.window.activeTextEditor = { document: spec };
    const [client] = it.clients;
    const refused = Object.assign(new Error("`main.kdl` is not laid out: line 2 has an error"), { code: -32803 });
    const ask = (method, error = refused) => client.handleFailedRequest({ method }, undefined, error, null);
    assert.strictEqual(ask("textDocument/formatting"), null);
    assert.strictEqual(ask("textDocument/rangeFormatting"), null);
    assert.deepStrictEqual(it.warnings, Array(2).fill(`bottlec: ${refused.message}`));
    it.listeners.save({ document: spec });
    assert.strictEqual(ask("textDocument/formatting"), null);
    assert.deepStrictEqual([it.warnings.length, it.status], [2, [`bottlec: ${refused.message}`]]);
    assert.throws(() => ask("textDocument/rename"), refused);
    assert.throws(() => ask("textDocument/formatting", Object.assign(new Error("x"), { code: -32603 })));
});

test("a first spec is written by the program, into the folder that is open", async () => {
    const folder = fs.mkdtempSync(path.join(place, "folder-"));
    const init = program("init", '[ "$*" = "lsp --help" ] && exit; [ "$*" = init ] || exit 9; [ ! -e bottle.kdl ] || { echo "error: it is there already" >&2; exit 3; }; echo "// new" >bottle.kdl');
    const it = await activate({ path: init });
    await it.commands["bottlec.newSpec"]();
    assert.match(it.errors.pop(), /open a folder first/);
    it.vscode.workspace.workspaceFolders = [{ uri: new Uri({ path: folder }) }];
    it.providers.file = { provideTextDocumentContent: async (uri) => fs.readFileSync(uri.path, "utf8") };
    await it.commands["bottlec.newSpec"]();
    assert.deepStrictEqual(it.errors, []);
    assert.strictEqual(it.opened[0][0].getText(), "// new\n");
    await it.commands["bottlec.newSpec"]();
    assert.strictEqual(it.errors.pop(), "bottlec: it is there already");
    it.vscode.workspace.workspaceFolders = [1, 2].map((n) => ({ uri: new Uri({ path: `/${n}` }) }));
    it.vscode.window.showWorkspaceFolderPick = async () => undefined;
    await it.commands["bottlec.newSpec"]();
    assert.strictEqual(it.opened.length, 1);
});

test("whether the program is there is known to the walkthrough", async () => {
    const it = await activate({ path: NO_PROGRAM });
    assert.strictEqual(it.contexts["bottlec.running"], false);
    it.answers.push("How to Install");
    await it.commands["bottlec.restart"]();
    await settled();
    const [[command, { category }]] = it.executed;
    const { publisher, name, contributes } = require("../package.json");
    assert.deepStrictEqual([command, category], ["workbench.action.openWalkthrough", `${publisher}.${name}#${contributes.walkthroughs[0].id}`]);
    it.settings.path = GOOD;
    await it.commands["bottlec.restart"]();
    assert.strictEqual(it.contexts["bottlec.running"], true);
    for (const { media, description } of contributes.walkthroughs[0].steps) {
        assert.ok(fs.existsSync(path.join(__dirname, "..", media.markdown)), media.markdown);
        for (const [, own] of description.matchAll(/command:(bottlec\.\w+)/g)) {
            assert.ok(own in it.commands, own);
        }
    }
});

test("without a server the commands say so", async () => {
    const it = await activate({ path: NO_PROGRAM });
    await settled();
    await it.commands["bottlec.showRule"]("unknown-node");
    assert.match(it.errors.pop(), /the language server is not running/);
});

test("the client library is the one that is packed", () => {
    const manifest = require("../package.json");
    const packed = JSON.parse(fs.readFileSync(path.join(__dirname, "../node_modules/vscode-languageclient/package.json")));
    assert.strictEqual(packed.version, manifest.dependencies["vscode-languageclient"]);
    assert.strictEqual(packed.engines.vscode, manifest.engines.vscode);
    assert.ok(require.resolve("vscode-languageclient/node"));
});
