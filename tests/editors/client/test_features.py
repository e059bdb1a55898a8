"""What a person does in an editor: each through a real client, over pipes."""

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from conftest import ROOT, check, formatted

EDITORS = ["everything", "nothing", "neovim@v0.6.1", "neovim@v0.11.0", "emacs@v29.1", "visual_studio_code"]
TEAM = """\
profile "team" {
    engine "smolvm" version="1.33.0"
    egress {
        allow "api.example.com"
    }
}
"""
MAIN = """\
// Two bottles of a team.
include "team.kdl"

bottle "api" {
    extends "team"
    artifact "./agent.smolmachine"
    env {
        GREETING "grüß dich 🙂"
        TOKEN from-env="TOKEN"
    }
    sidecar "cache" image="docker.io/company/redis:7@sha256:34fb46c847bb9df96e5205a39d382f648a6e8dce1e014cd85b4ca6a88d88ed03" {
        port 6379
        needs "pipelock"
    }
    expect {
        allow "api.example.com"
    }
}

bottle "web" {
    extends "team"
    artifact "./agent.smolmachine"
    network octet=9
}
"""


@pytest.fixture
def two_files(editor):
    """A workspace of two specs, one of which includes the other."""
    (editor.folder / "team.kdl").write_text(TEAM)
    (editor.folder / "main.kdl").write_text(MAIN)
    assert check(editor.folder, "main.kdl") == []
    return editor


def at(it, name, needle, skip=1, occurrence=0):
    return it.id(name), it.place(name, needle, skip, occurrence)


def markdown(found):
    contents = found.contents
    return contents.value if isinstance(contents, lsp.MarkupContent) else str(contents)


async def complete(it, name, needle, skip=0, occurrence=0):
    document, position = at(it, name, needle, skip, occurrence)
    found = await it.client.text_document_completion_async(lsp.CompletionParams(document, position))
    return {item.label: item for item in (found.items if isinstance(found, lsp.CompletionList) else found)}


@pytest.mark.parametrize("name", EDITORS)
async def test_completion_knows_nodes_properties_values_and_names(two_files, name):
    async with two_files(name) as it:
        it.open("team.kdl")
        web = '    extends ""\n    artifact "./agent.smolmachine"\n    eg\n    engine "smolvm" ver\n}\n'
        it.open("main.kdl", MAIN[: MAIN.index('bottle "web"')] + 'bottle "web" {\n' + web)
        nodes = await complete(it, "main.kdl", "    eg\n", skip=6)
        assert "egress" in nodes
        # What may stand in a bottle once, and does already, and what belongs in other blocks, is not offered.
        assert "artifact" not in nodes and "passthrough" not in nodes
        edit = nodes["egress"].text_edit
        assert it.slice("main.kdl", edit.range) == "eg"
        snippets = name not in ("nothing",)
        assert snippets or nodes["egress"].insert_text_format in (None, lsp.InsertTextFormat.PlainText)
        names = await complete(it, "main.kdl", 'extends ""', skip=9)
        assert any("team" in label for label in names), list(names)
        properties = await complete(it, "main.kdl", '"smolvm" ver\n', skip=12)
        assert any(label.startswith("version") for label in properties), list(properties)


async def test_a_completion_that_is_taken_leaves_a_spec(two_files):
    async with two_files("nothing") as it:
        it.open("main.kdl", MAIN.replace("    network octet=9\n", "    supervis\n"))
        await it.until("main.kdl", ["unknown-node"])
        item = (await complete(it, "main.kdl", "    supervis\n", skip=12))["supervise"]
        it.replace("main.kdl", it.applied(it.texts["main.kdl"], [item.text_edit]))
        await it.until("main.kdl", [])


@pytest.mark.parametrize("name", EDITORS)
async def test_hover_says_what_a_node_is_for(two_files, name):
    async with two_files(name) as it:
        it.open("main.kdl")
        found = await it.client.text_document_hover_async(lsp.HoverParams(*at(it, "main.kdl", "    artifact", 6)))
        # The words are those of docs/language.md.
        assert "packed machine that the agent boots from" in markdown(found).replace("\n", " ")
        if found.range:
            assert it.slice("main.kdl", found.range) == "artifact"
        if name == "nothing" and isinstance(found.contents, lsp.MarkupContent):
            assert found.contents.kind == lsp.MarkupKind.PlainText
        blank = await it.client.text_document_hover_async(lsp.HoverParams(it.id("main.kdl"), lsp.Position(2, 0)))
        assert blank is None


async def test_hover_does_not_tell_a_secret(two_files):
    async with two_files() as it:
        it.open("main.kdl", MAIN.replace("grüß dich 🙂", "sk-literal-0123456789"))
        found = await it.client.text_document_hover_async(lsp.HoverParams(*at(it, "main.kdl", "GREETING", 3)))
        assert found is None or "sk-literal" not in markdown(found)


@pytest.mark.parametrize("name", EDITORS)
async def test_a_name_leads_to_what_it_names(two_files, name):
    async with two_files(name) as it:
        it.open("main.kdl")
        found = await it.client.text_document_definition_async(lsp.DefinitionParams(*at(it, "main.kdl", '"team"\n    artifact', 2)))
        [place] = found if isinstance(found, (list, tuple)) else [found]
        if isinstance(place, lsp.LocationLink):
            uri, span = place.target_uri, place.target_selection_range
            assert it.slice("main.kdl", place.origin_selection_range).strip('"') == "team"
        else:
            uri, span = place.uri, place.range
        assert uri == it.uri("team.kdl")
        it.texts["team.kdl"] = TEAM
        assert it.slice("team.kdl", span).strip('"') == "team"


async def test_what_names_it_is_found_from_either_side(two_files):
    async with two_files() as it:
        it.open("main.kdl")
        it.open("team.kdl")
        for document, position in [at(it, "team.kdl", '"team"', 2), at(it, "main.kdl", '"team"\n', 2)]:
            for declaration in (True, False):
                context = lsp.ReferenceContext(include_declaration=declaration)
                found = await it.client.text_document_references_async(lsp.ReferenceParams(context, document, position))
                places = sorted((place.uri == it.uri("main.kdl"), place.range.start.line) for place in found)
                assert places == [(False, 0)] * declaration + [(True, 4), (True, 20)]
        found = await it.client.text_document_document_highlight_async(
            lsp.DocumentHighlightParams(*at(it, "main.kdl", '"team"\n', 2))
        )
        assert sorted(it.range.start.line for it in found) == [4, 20]


@pytest.mark.parametrize("name", EDITORS)
@pytest.mark.parametrize("opened", [["main.kdl"], ["main.kdl", "team.kdl"]])
async def test_a_rename_is_one_in_every_file(two_files, name, opened):
    async with two_files(name) as it:
        for file in opened:
            it.open(file)
        document, position = at(it, "main.kdl", '"team"\n', 2)
        prepared = await it.client.text_document_prepare_rename_async(lsp.PrepareRenameParams(document, position))
        span = prepared.range if isinstance(prepared, lsp.PrepareRenamePlaceholder) else prepared
        assert it.slice("main.kdl", span).strip('"') == "team"
        change = await it.client.text_document_rename_async(lsp.RenameParams(document, position, "crew"))
        if "team.kdl" not in opened:
            # What an editor changes on the disk it opens first.
            it.open("team.kdl")
        assert it.apply(change) == ["main.kdl", "team.kdl"]
        assert it.texts["main.kdl"] == MAIN.replace('extends "team"', 'extends "crew"')
        assert it.texts["team.kdl"] == TEAM.replace('"team"', '"crew"')
        await it.until("main.kdl", [])
        await it.until("team.kdl", [])


async def test_what_has_no_name_of_ours_is_not_renamed(two_files):
    async with two_files() as it:
        it.open("main.kdl")
        document, position = at(it, "main.kdl", "artifact", 2)
        try:
            assert await it.client.text_document_prepare_rename_async(lsp.PrepareRenameParams(document, position)) is None
        except JsonRpcException:
            pass
        document, position = at(it, "main.kdl", '"team"\n', 2)
        for name in ["", "no name\n", "-"]:
            with pytest.raises(JsonRpcException):
                await it.client.text_document_rename_async(lsp.RenameParams(document, position, name))


@pytest.mark.parametrize("name", EDITORS)
async def test_symbols_are_what_a_spec_defines(two_files, name):
    async with two_files(name) as it:
        it.open("main.kdl")
        found = await it.client.text_document_document_symbol_async(lsp.DocumentSymbolParams(it.id("main.kdl")))
        names = {symbol.name for symbol in found}
        assert {"api", "web"} <= names or any("api" in name for name in names), names
        for symbol in found:
            if isinstance(symbol, lsp.DocumentSymbol):
                inner, outer = symbol.selection_range, symbol.range
                assert (outer.start.line, outer.start.character) <= (inner.start.line, inner.start.character)
                assert (inner.end.line, inner.end.character) <= (outer.end.line, outer.end.character)
        found = await it.client.workspace_symbol_async(lsp.WorkspaceSymbolParams("team"))
        assert [symbol.location.uri for symbol in found if symbol.name == "team"] == [it.uri("team.kdl")]


@pytest.mark.parametrize("name", EDITORS)
async def test_blocks_fold(two_files, name):
    async with two_files(name) as it:
        it.open("main.kdl")
        found = await it.client.text_document_folding_range_async(lsp.FoldingRangeParams(it.id("main.kdl")))
        starts = {fold.start_line for fold in found}
        lines = MAIN.split("\n")
        assert {index for index, line in enumerate(lines) if line.endswith("{")} <= starts
        assert all(fold.start_line < fold.end_line < len(lines) for fold in found)


async def test_a_selection_grows(two_files):
    async with two_files() as it:
        it.open("main.kdl")
        document, position = at(it, "main.kdl", "dich 🙂", 2)
        [found] = await it.client.text_document_selection_range_async(lsp.SelectionRangeParams(document, [position]))
        pieces = []
        while found is not None:
            pieces.append(it.slice("main.kdl", found.range))
            found = found.parent
        assert len(pieces) >= 4 and len(set(pieces)) == len(pieces), pieces
        assert all(inner in outer for inner, outer in zip(pieces, pieces[1:]))
        assert any(piece.startswith("GREETING") for piece in pieces)
        assert pieces[-1].strip() == MAIN.strip()


async def tokens(it, name):
    legend = it.server.capabilities.semantic_tokens_provider.legend
    found = await it.client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(it.id(name)))
    assert len(found.data) % 5 == 0
    line = column = 0
    words = []
    for delta, start, length, kind, _ in zip(*[iter(found.data)] * 5):
        line, column = line + delta, start if delta else column + start
        span = lsp.Range(lsp.Position(line, column), lsp.Position(line, column + length))
        words.append((it.slice(name, span), legend.token_types[kind]))
    return words


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_tokens_lie_on_words(two_files, encoding):
    async with two_files(position_encodings=[encoding]) as it:
        assert it.encoding == encoding
        it.open("main.kdl")
        words = await tokens(it, "main.kdl")
        kinds = dict(words)
        assert {"bottle", "extends", "artifact"} <= set(kinds), words
        assert kinds["bottle"] == kinds["artifact"]
        assert "// Two bottles of a team." in kinds and kinds["// Two bottles of a team."] == "comment"
        assert any("🙂" in word for word in kinds), words


async def test_links_lead_to_files(two_files):
    async with two_files() as it:
        it.open("main.kdl")
        found = await it.client.text_document_document_link_async(lsp.DocumentLinkParams(it.id("main.kdl")))
        assert it.uri("team.kdl") in [link.target for link in found]


async def test_hints_lie_in_the_range_that_was_asked_for(two_files):
    async with two_files() as it:
        it.open("main.kdl")
        span = lsp.Range(lsp.Position(3, 0), lsp.Position(19, 0))
        found = await it.client.text_document_inlay_hint_async(lsp.InlayHintParams(it.id("main.kdl"), span))
        # The subnet of a bottle that pins none follows from its name, which nobody can work out.
        assert any("192.168." in str(hint.label) for hint in found), found
        assert all(3 <= hint.position.line <= 19 for hint in found)


@pytest.mark.parametrize("name", EDITORS)
async def test_formatting_is_that_of_the_command_line(two_files, name):
    async with two_files(name) as it:
        crooked = MAIN.replace("    extends", "  extends").replace("{\n        port", "{ // 🙂\n      port").replace('"TOKEN"\n', '"TOKEN"   \n')
        (it.folder / "main.kdl").write_text(crooked)
        it.open("main.kdl")
        options = lsp.FormattingOptions(tab_size=4, insert_spaces=True)
        edits = await it.client.text_document_formatting_async(lsp.DocumentFormattingParams(it.id("main.kdl"), options))
        assert edits
        wanted = formatted(it.folder, "main.kdl")
        assert it.applied(crooked, edits) == wanted
        it.replace("main.kdl", wanted)
        edits = await it.client.text_document_formatting_async(lsp.DocumentFormattingParams(it.id("main.kdl"), options))
        assert not edits
        # Of a part, no other line is touched.
        it.replace("main.kdl", crooked)
        part = lsp.Range(lsp.Position(3, 0), lsp.Position(5, 0))
        edits = await it.client.text_document_range_formatting_async(
            lsp.DocumentRangeFormattingParams(it.id("main.kdl"), part, options)
        )
        after = it.applied(crooked, edits)
        assert after.split("\n")[4] == '    extends "team"' and after.split("\n")[5:] == crooked.split("\n")[5:]


async def test_a_broken_file_is_not_laid_out(two_files):
    async with two_files() as it:
        it.open("main.kdl", MAIN.replace('"web" {', '"web {').replace("    extends", " extends"))
        options = lsp.FormattingOptions(tab_size=4, insert_spaces=True)
        with pytest.raises(JsonRpcException, match="is not laid out: line"):
            await it.client.text_document_formatting_async(lsp.DocumentFormattingParams(it.id("main.kdl"), options))


@pytest.mark.parametrize("name", EDITORS)
async def test_a_fix_mends_what_it_says(two_files, name):
    async with two_files(name) as it:
        it.open("main.kdl", MAIN.replace("network", "netwrok"))
        [found] = await it.until("main.kdl", ["unknown-node"])
        actions = await it.actions("main.kdl", found)
        if name == "nothing":
            # A client that takes commands only: an edit is none.
            assert all(isinstance(action, lsp.Command) for action in actions)
            return
        [fix] = [action for action in actions if action.title.startswith("write `network`")]
        assert fix.kind == lsp.CodeActionKind.QuickFix
        assert it.apply(fix.edit) == ["main.kdl"]
        assert it.texts["main.kdl"] == MAIN
        await it.until("main.kdl", [])


async def test_one_action_mends_all_that_is_safe(two_files):
    async with two_files() as it:
        comma = MAIN.replace('    allow "api.example.com"', '    allow "api.example.com", "api.example.com:443"')
        it.open("main.kdl", comma.replace("network octet=9", 'network octet="9"'))
        found = await it.until("main.kdl", ["syntax-error", "wrong-type"])
        [action] = await it.actions("main.kdl", found[0], only=["source.fixAll"])
        assert action.kind.startswith("source.fixAll")
        it.apply(action.edit)
        assert it.texts["main.kdl"] == comma.replace(",", "")
        await it.until("main.kdl", [])


async def test_the_page_of_a_rule(two_files):
    async with two_files() as it:
        commands = it.server.capabilities.execute_command_provider.commands
        assert {"bottlec.artifacts", "bottlec.explain"} <= set(commands)
        found = await it.client.workspace_execute_command_async(lsp.ExecuteCommandParams("bottlec.explain", ["unknown-node"]))
        page = found["text"] if isinstance(found, dict) else found.text
        assert "unknown-node" in page and "## Why" in page
        for wrong in ([], ["no-such-rule"], [7], ["../../etc/passwd"]):
            with pytest.raises(JsonRpcException):
                await it.client.workspace_execute_command_async(lsp.ExecuteCommandParams("bottlec.explain", wrong))


async def test_what_a_bottle_is_compiled_to(two_files):
    async with two_files() as it:
        it.open("main.kdl")
        place = {"line": 4, "character": 6}

        async def artifacts(*more):
            arguments = [it.uri("main.kdl"), place, *more]
            return await it.client.workspace_execute_command_async(lsp.ExecuteCommandParams("bottlec.artifacts", arguments))

        found = plain(await artifacts())
        assert found["bottle"] == "api"
        files = {file["name"]: file for file in found["files"]}
        smolfile = files["smolfile.toml"]
        assert smolfile["language"] == "toml" and "allow_cidrs" in smolfile["text"]
        assert len(smolfile["lines"]) == len(smolfile["text"].splitlines())
        found = plain(await artifacts("agent.env"))
        assert [file["name"] for file in found["files"]] == ["agent.env"]
        assert "grüß dich" in found["files"][0]["text"]
        # It is of what is shown, not of what is saved.
        it.edit("main.kdl", "grüß dich", "hallo")
        found = plain(await artifacts("agent.env"))
        assert "hallo" in found["files"][0]["text"]
        for wrong in ("../main.kdl", "/etc/passwd", "no-such-file"):
            with pytest.raises(JsonRpcException):
                await artifacts(wrong)
        it.edit("main.kdl", "    artifact", "    artefact")
        with pytest.raises(JsonRpcException):
            await artifacts()


def plain(value):
    """What came over the wire, whichever objects the client made of it."""
    if isinstance(value, dict):
        return {key: plain(it) for key, it in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if hasattr(value, "__dict__") and not isinstance(value, (str, int)):
        return plain(vars(value))
    return [plain(it) for it in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("name", EDITORS)
async def test_a_session_over_the_examples_is_in_order(editor, name):
    """Every request at many places: pytest-lsp holds each answer against what the client announced."""
    async with editor(name) as it:
        for example in sorted((ROOT / "examples").glob("*.kdl"))[:3]:
            text = example.read_text()
            it.open(example.name, text)
            document = it.id(example.name)
            for index in range(0, len(text), 211):
                position = it.position_of(text, index)
                where = dict(text_document=document, position=position)
                hover = await it.client.text_document_hover_async(lsp.HoverParams(**where))
                if hover and hover.range:
                    assert it.slice(example.name, hover.range)
                found = await it.client.text_document_completion_async(lsp.CompletionParams(**where))
                for item in found.items if isinstance(found, lsp.CompletionList) else found or []:
                    if item.text_edit:
                        span = item.text_edit.range
                        # The protocol wants one line, around the cursor.
                        assert span.start.line == span.end.line == position.line
                        assert span.start.character <= position.character <= span.end.character
                await it.client.text_document_definition_async(lsp.DefinitionParams(**where))
                try:
                    await it.client.text_document_prepare_rename_async(lsp.PrepareRenameParams(**where))
                except JsonRpcException as refusal:
                    # What has a name that is not the spec's to choose: it says why.
                    assert refusal.message
                span = lsp.Range(position, position)
                context = lsp.CodeActionContext(diagnostics=[])
                await it.client.text_document_code_action_async(lsp.CodeActionParams(document, span, context))
            it.close(example.name)
