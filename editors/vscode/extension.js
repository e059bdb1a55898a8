// The client of `bottlec lsp` for Visual Studio Code. It starts the server, and shows the two things that the protocol
// has no words for: the page of a rule, and the files that a bottle compiles to.
"use strict";

const { execFile } = require("node:child_process");
const os = require("node:os");
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

// Of other KDL than ours the server looks at the nodes, and says nothing of what is no spec.
const LANGUAGES = ["bottlec", "kdl"];
const SELECTOR = LANGUAGES.flatMap((language) => ["file", "untitled"].map((scheme) => ({ scheme, language })));
const ARTIFACT = "bottlec-artifact";
const RULE = "bottlec-rule";
const WALKTHROUGH = "bottlec.bottlec#first";
/** What the protocol says of a request that makes sense and cannot be met. */
const REQUEST_FAILED = -32803;
/** For how long after a save a request to format belongs to it, in milliseconds. */
const SAVING = 2_000;
/** How long the program may take to say that it is there, in milliseconds. */
const PATIENCE = 10_000;
/** How long after the last edit the files of a bottle are shown anew, in milliseconds. */
const PAUSE = 300;

/** The running client, if there is one. */
let client;
/** The channel that the server's errors and the trace go to. */
let output;
/** When each document was last about to be saved. */
const saves = new WeakMap();
/** Starts and stops come one after the other. */
let turn = Promise.resolve();

/** The program that the settings name, or an error. */
function program(setting) {
    const name = setting.trim();
    if (name.startsWith("~/")) {
        return path.join(os.homedir(), name.slice(2));
    }
    // What a relative path leads to would depend on where the editor was started, and a workspace could lay a file there.
    if (name === "" || (path.basename(name) !== name && !path.isAbsolute(name))) {
        throw new Error(`the setting bottlec.path is neither a name nor an absolute path: "${name}"`);
    }
    return name;
}

/** Finds out whether a program is a `bottlec` with a language server. Returns what is wrong with it, or nothing. */
function examine(command) {
    return new Promise((resolve) => {
        execFile(command, ["lsp", "--help"], { timeout: PATIENCE }, (error) => {
            if (!error) {
                resolve(undefined);
            } else if (error.code === "ENOENT") {
                resolve(`there is no program "${command}"`);
            } else if (typeof error.code === "string") {
                resolve(`"${command}" cannot be run: ${error.code}`);
            } else if (error.killed) {
                resolve(`"${command}" does not answer`);
            } else {
                resolve(`"${command}" has no language server: it is no bottlec, or one that is too old`);
            }
        });
    });
}

/** Says what keeps the server from running, and offers to do something about it. */
async function complain(problem) {
    output.error(problem);
    const buttons = ["How to Install", "Open Settings", "Try Again", "Show Log"];
    const answer = await vscode.window.showErrorMessage(`bottlec: ${problem}.`, ...buttons);
    if (answer === "How to Install") {
        await showInstallation();
    } else if (answer === "Open Settings") {
        await vscode.commands.executeCommand("workbench.action.openSettings", "bottlec.path");
    } else if (answer === "Try Again") {
        await restart();
    } else if (answer === "Show Log") {
        output.show();
    }
}

/** Shows how the program is installed. */
function showInstallation() {
    return vscode.commands.executeCommand("workbench.action.openWalkthrough", { category: WALKTHROUGH, step: "install" }, false);
}

/** The client, which says why a document was not formatted: the library's own says that it was not. */
class Client extends LanguageClient {
    handleFailedRequest(type, token, error, otherwise, ...rest) {
        if (/^textDocument\/(range)?formatting$/i.test(type.method) && error.code === REQUEST_FAILED) {
            output.warn(error.message);
            const document = vscode.window.activeTextEditor?.document;
            // Who saves a file with an error knows of it: it is underlined.
            if (Date.now() - (saves.get(document) ?? 0) < SAVING) {
                vscode.window.setStatusBarMessage(`bottlec: ${error.message}`, 5_000);
            } else {
                void vscode.window.showWarningMessage(`bottlec: ${error.message}`);
            }
            return otherwise;
        }
        return super.handleFailedRequest(type, token, error, otherwise, ...rest);
    }
}

/** The program that the settings name, whatever it is. */
function configured() {
    return program(vscode.workspace.getConfiguration("bottlec").get("path", "bottlec"));
}

async function start() {
    let problem;
    try {
        const command = configured();
        problem = await examine(command);
        if (!problem) {
            client = new Client(
                "bottlec",
                "bottlec",
                { command, args: ["lsp"] },
                { documentSelector: SELECTOR, outputChannel: output },
            );
            await client.start();
        }
    } catch (error) {
        client = undefined;
        problem = error.message;
    }
    void vscode.commands.executeCommand("setContext", "bottlec.running", !problem);
    if (problem) {
        // Whoever waits for the start does not wait for the answer.
        void complain(problem);
    }
}

async function stop() {
    const running = client;
    client = undefined;
    try {
        await running?.stop();
    } catch (error) {
        // It was not running any more.
        output.warn(error.message);
    }
}

function restart() {
    turn = turn.then(stop).then(start);
    return turn;
}

/** Has the server carry out a command. */
async function ask(command, ...args) {
    await turn;
    if (!client) {
        throw new Error("the language server is not running");
    }
    return client.sendRequest("workspace/executeCommand", { command, arguments: args });
}

/** Does what a person asked for, and tells them why it did not work. */
function attempt(action) {
    return async (...args) => {
        try {
            return await action(...args);
        } catch (error) {
            void vscode.window.showErrorMessage(`bottlec: ${error.message}`);
            return undefined;
        }
    };
}

/** The place of a bottle in a text: it moves while somebody edits above it. */
function placeOf(bottle, document, otherwise) {
    const name = bottle.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const match = new RegExp(`^[ \\t]*bottle[ \\t]+(?:"${name}"|${name}(?![^\\s;{]))`, "m").exec(document?.getText() ?? "");
    return match ? document.positionAt(match.index + match[0].length) : otherwise;
}

/** The files of bottles, as read-only documents that follow their specs. */
class Artifacts {
    constructor() {
        this.changes = new vscode.EventEmitter();
        this.onDidChange = this.changes.event;
        this.timer = undefined;
    }

    /** What a file is called: `bottlec-artifact:/<bottle>/<file>?<where from>`. */
    static uri(spec, position, bottle, file) {
        const { line, character } = position;
        const query = JSON.stringify({ spec: spec.toString(), line, character, bottle, file });
        return vscode.Uri.from({ scheme: ARTIFACT, path: `/${bottle}/${file}`, query });
    }

    async provideTextDocumentContent(uri) {
        const { spec, line, character, bottle, file } = JSON.parse(uri.query);
        const document = vscode.workspace.textDocuments.find((it) => it.uri.toString() === spec);
        const position = placeOf(bottle, document, { line, character });
        try {
            const place = { line: position.line, character: position.character };
            const found = await ask("bottlec.artifacts", spec, place, file);
            return found.files.find((it) => it.name === file)?.text ?? "";
        } catch (error) {
            return `${error.message}\n`;
        }
    }

    /** A document changed: what is shown of specs is shown anew after a pause. */
    changed(document) {
        if (!LANGUAGES.includes(document.languageId)) {
            return;
        }
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
            for (const { uri } of vscode.workspace.textDocuments) {
                if (uri.scheme === ARTIFACT) {
                    this.changes.fire(uri);
                }
            }
        }, PAUSE);
    }

    dispose() {
        clearTimeout(this.timer);
        this.changes.dispose();
    }
}

async function showArtifacts() {
    const editor = vscode.window.activeTextEditor;
    if (!editor || !LANGUAGES.includes(editor.document.languageId)) {
        throw new Error("put the cursor into a bottle first");
    }
    const spec = editor.document.uri;
    const { line, character } = editor.selection.active;
    const found = await ask("bottlec.artifacts", spec.toString(), { line, character });
    const names = [...new Set([...found.files.map((it) => it.name), ...(found.all ?? [])])];
    const file = await vscode.window.showQuickPick(names, { placeHolder: `a file of the stage of ${found.bottle}` });
    if (!file) {
        return;
    }
    const document = await vscode.workspace.openTextDocument(Artifacts.uri(spec, { line, character }, found.bottle, file));
    const options = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true, preview: true };
    await vscode.window.showTextDocument(document, options);
    const language = found.files.find((it) => it.name === file)?.language;
    if (language && language !== document.languageId) {
        // An editor without that language shows plain text.
        await vscode.languages.setTextDocumentLanguage(document, language).then(undefined, () => {});
    }
}

/** Has `bottlec init` write a spec into the folder that is open, or one of several, and opens it. */
async function newSpec() {
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
    if (folders.length === 0) {
        throw new Error("open a folder first: the spec is written into it");
    }
    const folder = folders.length === 1 ? folders[0] : await vscode.window.showWorkspaceFolderPick();
    if (!folder) {
        return;
    }
    const command = configured();
    const missing = await examine(command);
    if (missing) {
        await complain(missing);
        return;
    }
    const spec = vscode.Uri.joinPath(folder.uri, "bottle.kdl");
    const options = { cwd: folder.uri.fsPath, timeout: PATIENCE, env: { ...process.env, NO_COLOR: "1" } };
    const problem = await new Promise((resolve) => {
        execFile(command, ["init"], options, (error, _, said) => resolve(error && (said.trim().replace(/^error: /, "") || error.message)));
    });
    if (problem) {
        throw new Error(problem);
    }
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(spec));
}

/** The rule of what is found at the cursor. */
function ruleAtCursor() {
    const editor = vscode.window.activeTextEditor;
    if (!editor) {
        return undefined;
    }
    const here = vscode.languages
        .getDiagnostics(editor.document.uri)
        .filter((it) => it.source === "bottlec" && it.range.contains(editor.selection.active));
    const code = here[0]?.code;
    return typeof code === "object" ? String(code.value) : code;
}

async function showRule(named) {
    const rule =
        (typeof named === "string" ? named : undefined) ??
        ruleAtCursor() ??
        (await vscode.window.showInputBox({ prompt: "The name of a rule, such as unknown-node" }));
    if (!rule) {
        return;
    }
    // A rule that is not there is told of here rather than on a page.
    await ask("bottlec.explain", rule);
    const uri = vscode.Uri.from({ scheme: RULE, path: `/${rule}.md` });
    await vscode.commands.executeCommand("markdown.showPreview", uri);
}

const rules = {
    async provideTextDocumentContent(uri) {
        const found = await ask("bottlec.explain", uri.path.replace(/^\//, "").replace(/\.md$/, ""));
        return typeof found === "string" ? found : found.text;
    },
};

async function activate(context) {
    output = vscode.window.createOutputChannel("bottlec", { log: true });
    const artifacts = new Artifacts();
    // The names `bottlec.artifacts` and `bottlec.explain` are the server's: the client library registers those itself.
    context.subscriptions.push(
        output,
        artifacts,
        vscode.workspace.registerTextDocumentContentProvider(ARTIFACT, artifacts),
        vscode.workspace.registerTextDocumentContentProvider(RULE, rules),
        vscode.workspace.onDidChangeTextDocument(({ document }) => artifacts.changed(document)),
        vscode.workspace.onWillSaveTextDocument(({ document }) => saves.set(document, Date.now())),
        vscode.workspace.onDidChangeConfiguration((change) => {
            if (change.affectsConfiguration("bottlec.path")) {
                void restart();
            }
        }),
        // A workspace that is trusted now may name a program.
        vscode.workspace.onDidGrantWorkspaceTrust(() => restart()),
        vscode.commands.registerCommand("bottlec.restart", restart),
        vscode.commands.registerCommand("bottlec.install", showInstallation),
        vscode.commands.registerCommand("bottlec.newSpec", attempt(newSpec)),
        vscode.commands.registerCommand("bottlec.showArtifacts", attempt(showArtifacts)),
        vscode.commands.registerCommand("bottlec.showRule", attempt(showRule)),
    );
    await restart();
}

function deactivate() {
    turn = turn.then(stop);
    return turn;
}

module.exports = { activate, deactivate };
