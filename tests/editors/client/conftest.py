"""An editor as pytest-lsp plays it: over pipes, with the capabilities that real editors have announced."""

import asyncio
import json
import os
import subprocess
import warnings
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from lsprotocol.converters import get_converter
from pygls.protocol import default_converter
from pytest_lsp import ClientServerConfig, LanguageClient, LspSpecificationWarning, client_capabilities
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

ROOT = Path(__file__).resolve().parents[3]
BOTTLEC = os.environ["BOTTLEC"]
# Slow machines are slow in everything; what takes this long does not come.
PATIENCE = 20

# What pytest-lsp knows to be wrong in an answer, by what the client said that it can do, is an error here.
warnings.simplefilter("error", LspSpecificationWarning)


def everything():
    """An editor that can do all that makes a difference to the server."""
    return get_converter().structure(
        {
            "general": {"positionEncodings": ["utf-16"]},
            "workspace": {
                "workspaceEdit": {"documentChanges": True},
                "didChangeWatchedFiles": {"dynamicRegistration": True},
                "workspaceFolders": True,
                "diagnostics": {"refreshSupport": True},
                "symbol": {},
                "executeCommand": {},
            },
            "textDocument": {
                "publishDiagnostics": {
                    "relatedInformation": True,
                    "versionSupport": True,
                    "codeDescriptionSupport": True,
                    "tagSupport": {"valueSet": [1, 2]},
                },
                "completion": {
                    "completionItem": {"snippetSupport": True, "documentationFormat": ["markdown", "plaintext"]}
                },
                "hover": {"contentFormat": ["markdown", "plaintext"]},
                "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
                "codeAction": {
                    "codeActionLiteralSupport": {
                        "codeActionKind": {"valueSet": ["", "quickfix", "refactor", "source", "source.fixAll"]}
                    }
                },
                "definition": {"linkSupport": True},
                "documentLink": {},
                "rename": {"prepareSupport": True},
                "foldingRange": {},
                "selectionRange": {},
            },
            "window": {"showDocument": {"support": True}},
        },
        lsp.ClientCapabilities,
    )


def capabilities(name, **general):
    """Those of an editor by its name: pytest-lsp keeps what real ones sent."""
    if name == "everything":
        found = everything()
    elif name == "nothing":
        found = lsp.ClientCapabilities()
    else:
        found = client_capabilities(name)
    if general:
        found.general = lsp.GeneralClientCapabilities(**general)
    return found


class Editor:
    """One session: documents by their names in a folder."""

    def __init__(self, client, folder):
        self.client = client
        self.folder = folder
        self.texts = {}
        self.versions = {}
        self.encoding = "utf-16"
        self.server = None
        self.pulls = False

    def uri(self, name):
        return (self.folder / name).as_uri()

    def id(self, name):
        return lsp.TextDocumentIdentifier(uri=self.uri(name))

    # Positions

    def units(self, text):
        """How long a text is by what was agreed on."""
        sizes = {"utf-8": len(text.encode()), "utf-16": len(text.encode("utf-16-le")) // 2, "utf-32": len(text)}
        return sizes[self.encoding]

    def position_of(self, text, index):
        before = text[:index]
        line = before.rsplit("\n", 1)[-1]
        return lsp.Position(before.count("\n"), self.units(line))

    def index_of(self, text, position):
        lines = text.split("\n")
        assert position.line < len(lines), f"line {position.line} of {len(lines)}"
        line = lines[position.line]
        start = sum(len(it) + 1 for it in lines[: position.line])
        for index in range(len(line) + 1):
            if self.units(line[:index]) == position.character:
                return start + index
        raise AssertionError(f"column {position.character} is within no character of {line!r}")

    def place(self, name, needle, skip=0, occurrence=0):
        """The position of a piece of a document, some characters on."""
        text, index = self.texts[name], -1
        for _ in range(occurrence + 1):
            index = text.index(needle, index + 1)
        return self.position_of(text, index + skip)

    def slice(self, name, found):
        """What a range of a document holds."""
        text = self.texts[name]
        return text[self.index_of(text, found.start) : self.index_of(text, found.end)]

    # Documents

    def open(self, name, text=None, language="bottlec"):
        if text is None:
            text = (self.folder / name).read_text()
        self.texts[name] = text
        self.versions[name] = 1
        item = lsp.TextDocumentItem(uri=self.uri(name), language_id=language, version=1, text=text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def _changed(self, name, change):
        self.versions[name] += 1
        id = lsp.VersionedTextDocumentIdentifier(uri=self.uri(name), version=self.versions[name])
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(id, [change]))

    def replace(self, name, text):
        """Sends another text as a whole."""
        self.texts[name] = text
        self._changed(name, lsp.TextDocumentContentChangeWholeDocument(text))

    def edit(self, name, old, new):
        """Sends what a person types: a change of a part."""
        start = self.texts[name].index(old)
        self.edit_at(name, start, start + len(old), new)

    def edit_at(self, name, start, end, new):
        text = self.texts[name]
        span = lsp.Range(self.position_of(text, start), self.position_of(text, end))
        self.texts[name] = text[:start] + new + text[end:]
        self._changed(name, lsp.TextDocumentContentChangePartial(range=span, text=new))

    def save(self, name):
        (self.folder / name).write_text(self.texts[name])
        self.client.text_document_did_save(lsp.DidSaveTextDocumentParams(self.id(name)))

    def close(self, name):
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(self.id(name)))

    def applied(self, text, edits):
        """A text with edits, as the protocol has it: all are of the text before, and none overlaps another."""
        spans = sorted(
            (self.index_of(text, edit.range.start), self.index_of(text, edit.range.end), edit.new_text) for edit in edits
        )
        for (_, end, _), (start, _, _) in zip(spans, spans[1:]):
            assert end <= start, "edits overlap"
        for start, end, new in reversed(spans):
            text = text[:start] + new + text[end:]
        return text

    def apply(self, change):
        """Carries out a workspace edit. Returns the names of the documents that it changed."""
        by_document = dict(change.changes or {})
        for part in change.document_changes or []:
            name = next(name for name in self.texts if self.uri(name) == part.text_document.uri)
            # A version that is not ours means that the edit is for another text.
            assert part.text_document.version in (None, self.versions[name]), part.text_document
            by_document[part.text_document.uri] = part.edits
        changed = []
        for uri, edits in by_document.items():
            name = next(name for name in self.texts if self.uri(name) == uri)
            self.replace(name, self.applied(self.texts[name], edits))
            changed.append(name)
        return sorted(changed)

    # Diagnostics

    async def pull(self, name, previous=None):
        return await self.client.text_document_diagnostic_async(
            lsp.DocumentDiagnosticParams(self.id(name), identifier="bottlec", previous_result_id=previous)
        )

    async def rules(self, name):
        """The rules that are shown of a document now."""
        if self.pulls:
            return [it.code for it in (await self.pull(name)).items]
        return [it.code for it in self.client.diagnostics.get(self.uri(name), [])]

    async def until(self, name, wanted):
        """Waits until a document is shown with exactly these rules. Returns its diagnostics."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while sorted(now := await self.rules(name)) != sorted(wanted):
            if asyncio.get_running_loop().time() > deadline:
                pytest.fail(f"{name} is shown with {now}, not with {wanted}")
            await asyncio.sleep(0.01)
        if self.pulls:
            return (await self.pull(name)).items
        return self.client.diagnostics.get(self.uri(name), [])

    async def actions(self, name, found, only=None):
        """What can be done about a diagnostic."""
        context = lsp.CodeActionContext(diagnostics=[found], only=only)
        return await self.client.text_document_code_action_async(lsp.CodeActionParams(self.id(name), found.range, context))


def check(folder, name):
    """What `check` says of a file on the disk: rules with ranges, which the editor must show alike."""
    done = subprocess.run(
        [BOTTLEC, "check", "--format", "json", name], cwd=folder, capture_output=True, text=True, timeout=60
    )
    found = json.loads(done.stdout)["diagnostics"]
    return [(it["rule"], it["place"]["start"], it["place"]["end"]) for it in found]


def formatted(folder, name):
    """What `fmt` makes of a file on the disk."""
    file = folder / name
    before = file.read_text()
    subprocess.run([BOTTLEC, "fmt", name], cwd=folder, check=True, timeout=60, capture_output=True)
    after = file.read_text()
    file.write_text(before)
    return after


def make_client():
    """pytest-lsp's client, which besides remembers what it was sent, in order."""
    client = LanguageClient(converter_factory=default_converter)
    client.published = []
    client.registered = []

    def published(client: LanguageClient, params):
        client.published.append(params)
        client.diagnostics[params.uri] = params.diagnostics

    def registered(client: LanguageClient, params):
        client.registered.extend(params.registrations)

    features = {
        **DEFAULT_CLIENT_FEATURES,
        lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: published,
        lsp.CLIENT_REGISTER_CAPABILITY: registered,
    }
    register_lsp_features(client, features)
    return client


@asynccontextmanager
async def session(folder, announced, folders=True):
    client = await ClientServerConfig(server_command=[BOTTLEC, "lsp"], client_factory=make_client).start()
    editor = Editor(client, folder)
    try:
        editor.server = await client.initialize_session(
            lsp.InitializeParams(
                capabilities=announced,
                workspace_folders=[lsp.WorkspaceFolder(folder.as_uri(), "folder")] if folders else None,
                process_id=os.getpid(),
            )
        )
        editor.encoding = editor.server.capabilities.position_encoding or "utf-16"
        editor.pulls = editor.server.capabilities.diagnostic_provider is not None
        yield editor
        await asyncio.wait_for(client.shutdown_session(), PATIENCE)
        assert client.error is None, client.error
        assert client._server.returncode == 0
    finally:
        # After a failure nobody has told it to end.
        if client._server.returncode is None:
            client._server.kill()
        await client.stop()


@pytest.fixture
def editor(tmp_path):
    """Opens a session: `async with editor() as it`."""

    def open_session(name="everything", folders=True, **general):
        return session(tmp_path, capabilities(name, **general), folders)

    open_session.folder = tmp_path
    return open_session
