"""Documents, what is shown of them, and how sessions begin and end."""

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from conftest import ROOT, capabilities, check, session

TYPO = 'bottle "demo" {\n    egres { allow "api.example.com"; }\n}\n'
RIGHT = TYPO.replace("egres", "egress")
TEAM = 'profile "team" {\n    egress { allow "api.example.com"; }\n}\n'
MAIN = 'include "team.kdl"\n\nbottle "api" {\n    extends "team"\n}\n'
OTHER = 'include "team.kdl"\n\nbottle "web" {\n    extends "team"\n}\n'
EDITORS = ["everything", "nothing", "neovim@v0.6.1", "neovim@v0.9.1", "neovim@v0.11.0", "emacs@v29.1", "visual_studio_code"]


@pytest.mark.parametrize("name", EDITORS)
async def test_a_mistake_is_shown_and_goes_away(editor, name):
    async with editor(name) as it:
        assert it.client.error is None
        assert it.server.server_info.name == "bottlec"
        it.open("demo.kdl", TYPO)
        [found] = await it.until("demo.kdl", ["unknown-node"])
        assert found.range == lsp.Range(lsp.Position(1, 4), lsp.Position(1, 9))
        assert found.severity == lsp.DiagnosticSeverity.Error
        assert found.source == "bottlec"
        assert found.message.startswith("unknown node `egres` in `bottle`\n")
        it.edit("demo.kdl", "egres ", "egress ")
        await it.until("demo.kdl", [])


@pytest.mark.parametrize("name", ["everything", "neovim@v0.11.0"])
async def test_what_is_closed_has_nothing_to_show(editor, name):
    async with editor(name) as it:
        it.open("demo.kdl", TYPO)
        await it.until("demo.kdl", ["unknown-node"])
        it.close("demo.kdl")
        it.pulls = False
        await it.until("demo.kdl", [])


async def test_versions_are_those_of_the_text_that_was_looked_at(editor):
    async with editor() as it:
        it.open("demo.kdl", TYPO)
        await it.until("demo.kdl", ["unknown-node"])
        it.edit("demo.kdl", "egres ", "egress ")
        await it.until("demo.kdl", [])
        seen = [(it.version, [found.code for found in it.diagnostics]) for it in it.client.published]
        assert seen == [(1, ["unknown-node"]), (2, [])]


async def test_keystrokes_come_to_what_was_typed(editor):
    """A document that is typed letter by letter, with mistakes on the way, is what `check` says of the whole."""
    text = (ROOT / "examples/api-dev.kdl").read_text()[:1500]
    async with editor() as it:
        it.open("typed.kdl", "")
        for letter in text:
            end = len(it.texts["typed.kdl"])
            it.edit_at("typed.kdl", end, end, letter)
        assert it.texts["typed.kdl"] == text
        (it.folder / "typed.kdl").write_text(text)
        wanted = [rule for rule, _, _ in check(it.folder, "typed.kdl")]
        assert wanted
        await it.until("typed.kdl", wanted)


@pytest.mark.parametrize("offered", [["utf-8"], ["utf-16"], ["utf-32", "utf-16"], ["utf-8", "utf-32"], None])
async def test_columns_are_counted_as_agreed(editor, offered):
    text = 'bottle "d" {\n    env { A "grüß dich 🙂" ; B from-evn="X"; }\n}\n'
    async with editor(position_encodings=offered) as it:
        assert it.encoding in (offered or ["utf-16"])
        it.open("columns.kdl", text)
        [found] = await it.until("columns.kdl", ["unknown-property"])
        assert it.slice("columns.kdl", found.range) == "from-evn"
        # The change lies behind a character of four bytes, two units.
        it.edit("columns.kdl", "evn", "env")
        await it.until("columns.kdl", [])
        it.edit("columns.kdl", "🙂", "🙂🙂")
        it.edit("columns.kdl", "from-env", "ü")
        [found] = await it.until("columns.kdl", ["unknown-property"])
        assert it.slice("columns.kdl", found.range) == "ü"


@pytest.mark.parametrize("name", ["everything", "neovim@v0.11.0"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_what_is_shown_is_what_check_says(editor, name, end):
    """Each broken case of one file, in one session: the same rules at the same places."""
    cases = sorted((ROOT / "tests/cases/err").glob("*/*.kdl"))[::9]
    assert len(cases) > 10
    async with editor(name) as it:
        for number, case in enumerate(cases):
            text = case.read_text(encoding="utf-8", errors="strict")
            if "include" in text or "\r" in text or "\ufeff" in text:
                continue
            file = f"{number}-{case.stem}.kdl"
            (it.folder / file).write_bytes(text.replace("\n", end).encode())
            text = text.replace("\n", end)
            wanted = check(it.folder, file)
            it.open(file, text)
            found = await it.until(file, [rule for rule, _, _ in wanted])

            def place(at):
                return (at["line"] - 1, at["utf16_column" if it.encoding == "utf-16" else "byte_column"] - 1)

            assert sorted((rule, place(a), place(b)) for rule, a, b in wanted) == sorted(
                (at.code, (at.range.start.line, at.range.start.character), (at.range.end.line, at.range.end.character))
                for at in found
            ), case
            it.close(file)


async def test_an_included_file_changes_what_is_shown_of_others(editor):
    async with editor() as it:
        for name, text in [("team.kdl", TEAM), ("main.kdl", MAIN), ("other.kdl", OTHER)]:
            (it.folder / name).write_text(text)
        it.open("main.kdl")
        it.open("other.kdl")
        await it.until("main.kdl", [])
        it.open("team.kdl")
        # As it is typed, not when it is saved.
        it.edit("team.kdl", '"team"', '"crew"')
        [found] = await it.until("main.kdl", ["unknown-profile"])
        assert it.slice("main.kdl", found.range) == '"team"'
        await it.until("other.kdl", ["unknown-profile"])
        it.edit("team.kdl", '"crew"', '"team"')
        await it.until("main.kdl", [])
        await it.until("other.kdl", [])
        # A mistake in what is included is shown there, once.
        it.edit("team.kdl", "egress", "egres")
        await it.until("team.kdl", ["unknown-node"])
        await it.until("main.kdl", [])
        it.close("main.kdl")
        await it.until("team.kdl", ["unknown-node"])
        it.edit("team.kdl", "egres ", "egress ")
        await it.until("team.kdl", [])


async def test_a_file_that_is_closed_unsaved_is_the_one_on_the_disk(editor):
    async with editor() as it:
        (it.folder / "team.kdl").write_text(TEAM)
        (it.folder / "main.kdl").write_text(MAIN)
        it.open("main.kdl")
        it.open("team.kdl")
        it.edit("team.kdl", '"team"', '"crew"')
        await it.until("main.kdl", ["unknown-profile"])
        it.close("team.kdl")
        await it.until("main.kdl", [])
        it.open("team.kdl")
        it.edit("team.kdl", '"team"', '"crew"')
        it.save("team.kdl")
        it.close("team.kdl")
        await it.until("main.kdl", ["unknown-profile"])


async def test_specs_that_are_not_open_are_looked_at_for_what_they_include(editor):
    async with editor() as it:
        (it.folder / "team.kdl").write_text(TEAM)
        (it.folder / "main.kdl").write_text(MAIN)
        it.open("team.kdl")
        it.edit("team.kdl", '"team"', '"crew"')
        await it.until("main.kdl", ["unknown-profile"])
        it.edit("team.kdl", '"crew"', '"team"')
        await it.until("main.kdl", [])


async def test_a_change_on_the_disk_is_heard_of(editor):
    async with editor() as it:
        (it.folder / "main.kdl").write_text(MAIN)
        it.open("main.kdl")
        await it.until("main.kdl", [rule for rule, _, _ in check(it.folder, "main.kdl")])
        [registration] = it.client.registered
        assert registration.method == "workspace/didChangeWatchedFiles"
        (it.folder / "team.kdl").write_text(TEAM)
        change = lsp.FileEvent(it.uri("team.kdl"), lsp.FileChangeType.Created)
        it.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([change]))
        await it.until("main.kdl", [])
        (it.folder / "team.kdl").unlink()
        change = lsp.FileEvent(it.uri("team.kdl"), lsp.FileChangeType.Deleted)
        it.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([change]))
        await it.until("main.kdl", [rule for rule, _, _ in check(it.folder, "main.kdl")])


async def test_include_leads_out_of_no_folder(editor):
    folder = editor.folder / "inner"
    folder.mkdir()
    (editor.folder / "team.kdl").write_text(TEAM)
    async with session(folder, capabilities("everything")) as it:
        it.open("main.kdl", MAIN.replace("team.kdl", "../team.kdl"))
        (folder / "main.kdl").write_text(it.texts["main.kdl"])
        wanted = [rule for rule, _, _ in check(folder, "main.kdl")]
        assert wanted
        await it.until("main.kdl", wanted)


@pytest.mark.parametrize("folders", [True, False])
async def test_other_peoples_kdl_is_left_alone(editor, folders):
    async with editor(folders=folders) as it:
        it.open("layout.kdl", 'layout {\n    pane command="htop"\n}\n', language="kdl")
        it.open("spec.kdl", TYPO, language="kdl")
        await it.until("spec.kdl", ["unknown-node"])
        await it.until("layout.kdl", [])
        it.open("surely.kdl", 'layout {\n    pane command="htop"\n}\n', language="bottlec")
        await it.until("surely.kdl", ["unknown-node"])


async def test_a_document_that_was_never_saved(editor):
    async with editor() as it:
        it.uri = lambda name: f"untitled:{name}"
        it.open("Untitled-1", TYPO)
        await it.until("Untitled-1", ["unknown-node"])
        it.edit("Untitled-1", "egres ", "egress ")
        await it.until("Untitled-1", [])


async def test_asking_again_for_the_same_says_so(editor):
    async with editor("neovim@v0.11.0") as it:
        assert it.pulls
        options = it.server.capabilities.diagnostic_provider
        assert options.inter_file_dependencies
        it.open("demo.kdl", TYPO)
        first = await it.pull("demo.kdl")
        assert (first.kind, [found.code for found in first.items]) == ("full", ["unknown-node"])
        again = await it.pull("demo.kdl", first.result_id)
        assert (again.kind, again.result_id) == ("unchanged", first.result_id)
        it.edit("demo.kdl", "egres ", "egress ")
        last = await it.pull("demo.kdl", first.result_id)
        assert (last.kind, list(last.items)) == ("full", [])


async def test_who_pulls_is_told_when_another_file_changed_it(editor):
    announced = capabilities("everything")
    announced.text_document.diagnostic = lsp.DiagnosticClientCapabilities(related_document_support=True)
    announced.workspace.diagnostics = lsp.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    async with session(editor.folder, announced) as it:
        assert it.pulls
        (it.folder / "team.kdl").write_text(TEAM)
        (it.folder / "main.kdl").write_text(MAIN)
        it.open("main.kdl")
        it.open("team.kdl")
        await it.until("main.kdl", [])
        it.edit("team.kdl", '"team"', '"crew"')
        await it.until("main.kdl", ["unknown-profile"])


async def test_a_folder_that_is_added_is_looked_at(editor):
    folder, second = editor.folder / "a", editor.folder / "b"
    folder.mkdir()
    second.mkdir()
    (second / "team.kdl").write_text(TEAM)
    (second / "main.kdl").write_text(MAIN)
    async with session(folder, capabilities("everything")) as it:
        it.folder = second
        it.open("team.kdl")
        it.edit("team.kdl", '"team"', '"crew"')
        event = lsp.WorkspaceFoldersChangeEvent(added=[lsp.WorkspaceFolder(second.as_uri(), "b")], removed=[])
        it.client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))
        await it.until("main.kdl", ["unknown-profile"])


async def test_two_editors_do_not_know_of_each_other(editor):
    async with editor() as one, editor() as two:
        one.open("demo.kdl", TYPO)
        two.open("demo.kdl", RIGHT)
        await one.until("demo.kdl", ["unknown-node"])
        await two.until("demo.kdl", [])
        two.edit("demo.kdl", "egress", "egres")
        one.edit("demo.kdl", "egres ", "egress ")
        await one.until("demo.kdl", [])
        await two.until("demo.kdl", ["unknown-node"])


async def test_requests_that_make_no_sense_are_refused_and_no_more(editor):
    async with editor() as it:
        at = lsp.HoverParams(it.id("never-opened.kdl"), lsp.Position(0, 0))
        with pytest.raises(JsonRpcException):
            await it.client.text_document_hover_async(at)
        with pytest.raises(JsonRpcException):
            await it.client.protocol.send_request_async("bottlec/no-such-request", {})
        with pytest.raises(JsonRpcException):
            await it.client.initialize_async(lsp.InitializeParams(capabilities=lsp.ClientCapabilities()))
        with pytest.raises(JsonRpcException):
            await it.client.workspace_execute_command_async(lsp.ExecuteCommandParams("rm", ["-rf"]))
        it.client.text_document_did_close(lsp.DidCloseTextDocumentParams(it.id("never-opened.kdl")))
        # It goes on as if nothing had been.
        it.open("demo.kdl", TYPO)
        await it.until("demo.kdl", ["unknown-node"])
        # Places that are not there are answered, not feared.
        for line, character in [(0, 10_000), (10_000, 0), (2**31 - 1, 2**31 - 1)]:
            where = lsp.Position(line, character)
            await it.client.text_document_hover_async(lsp.HoverParams(it.id("demo.kdl"), where))
            await it.client.text_document_completion_async(lsp.CompletionParams(it.id("demo.kdl"), where))
