//! The language server, spoken to as an editor speaks to it, without pipes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use bottlec::lsp::{Document, Encoding, LANGUAGE};
use lsp_server::{ErrorCode, Message};
use lsp_types::request as ask;
use lsp_types::{
    Diagnostic, DiagnosticSeverity, DiagnosticTag, FileChangeType, NumberOrString, Position,
    PositionEncodingKind, Range, TextDocumentContentChangeEvent, Uri,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::binary::Call;
use crate::support::editor::{Editor, FOLDER, all_capabilities};
use crate::support::{root, specs};

const BAD: &str = "bottle \"x\" {\n    egres { allow \"api.example.com\"; }\n}\n";
const GOOD: &str = "bottle \"x\" {\n    egress { allow \"api.example.com\"; }\n}\n";

fn rules(diagnostics: &[Diagnostic]) -> Vec<&str> {
    let rule = |it: &'_ Diagnostic| match &it.code {
        Some(NumberOrString::String(rule)) => bottlec::rule::find(rule).map(|rule| rule.id),
        _ => None,
    };
    diagnostics.iter().map(|it| rule(it).expect("the id of a rule")).collect()
}

#[test]
fn a_mistake_is_shown_and_goes_away() {
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", BAD);
    let found = editor.diagnostics("x.kdl");
    assert_eq!(rules(&found), ["unknown-node"]);
    assert_eq!(found[0].range, Range::new(Position::new(1, 4), Position::new(1, 9)));
    assert_eq!(found[0].severity, Some(DiagnosticSeverity::ERROR));
    assert_eq!(found[0].source.as_deref(), Some("bottlec"));
    assert!(found[0].message.starts_with("unknown node `egres` in `bottle`\ndid you mean `egress`?\nhelp: "));
    assert_eq!(editor.shown["x.kdl"].version, Some(1));
    editor.replace("x.kdl", GOOD);
    assert_eq!(editor.diagnostics("x.kdl"), []);
    assert_eq!(editor.shown["x.kdl"].version, Some(2));
    // What is closed is nobody's business.
    editor.replace("x.kdl", BAD);
    assert_eq!(editor.diagnostics("x.kdl").len(), 1);
    editor.close("x.kdl");
    assert_eq!(editor.diagnostics("x.kdl"), []);
}

#[test]
fn the_editor_shows_what_check_says() {
    let cases = root().join("tests/cases");
    let paths: Vec<_> = specs(&cases).into_iter().chain(specs(&root().join("examples"))).collect();
    let files: Vec<(String, String)> = paths
        .iter()
        .filter_map(|path| {
            let name = path.strip_prefix(root()).expect("a file of the project").to_str()?.to_owned();
            Some((name, fs::read_to_string(path).ok()?))
        })
        .collect();
    assert!(files.len() > 100, "{}", files.len());
    let on_disk: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let mut said = 0;
    for (name, text) in &files {
        let run = Call::new(&root(), ["check", "--format", "json", name]).run();
        let report: Value = serde_json::from_str(&run.out).expect("a report");
        let number = |it: &Value| it.as_u64().expect("a number");
        let place = |it: &Value| (number(&it["line"]) - 1, number(&it["utf16_column"]) - 1);
        let word = |it: &Value| it.as_str().expect("a word").to_owned();
        let diagnostics = report["diagnostics"].as_array().expect("diagnostics");
        let check: BTreeSet<_> = diagnostics
            .iter()
            .map(|it| {
                let at = &it["place"];
                (
                    word(&at["file"]),
                    word(&it["rule"]),
                    word(&it["level"]),
                    place(&at["start"]),
                    place(&at["end"]),
                )
            })
            .collect();
        let mut editor = Editor::new(&on_disk);
        editor.open(name, text);
        editor.settle_one();
        let level = |it: &Diagnostic| match it.severity {
            Some(DiagnosticSeverity::ERROR) => "error",
            Some(DiagnosticSeverity::WARNING) => "warning",
            _ => "advice",
        };
        let place = |at: Position| (u64::from(at.line), u64::from(at.character));
        let mut shown = BTreeSet::new();
        for (file, published) in &editor.shown {
            for (it, rule) in published.diagnostics.iter().zip(rules(&published.diagnostics)) {
                let (start, end) = (place(it.range.start), place(it.range.end));
                shown.insert((file.clone(), rule.to_owned(), level(it).to_owned(), start, end));
            }
        }
        assert_eq!(shown, check, "{name}");
        said += shown.len();
    }
    assert!(said > 300, "{said}");
}

const TEAM: &str = "profile \"team\" { egress { allow \"api.example.com\"; }; }\n";
const FLEET: &str = "include \"team.kdl\"\nbottle \"fleet\" { extends \"team\"; }\n";

#[test]
fn what_is_included_counts_as_it_is_shown_saved_or_not() {
    let mut editor = Editor::new(&[("team.kdl", TEAM), ("fleet.kdl", FLEET), ("other.kdl", FLEET)]);
    editor.open("fleet.kdl", FLEET);
    assert_eq!(editor.diagnostics("fleet.kdl"), []);
    editor.open("team.kdl", TEAM);
    editor.settle();
    let renamed = TEAM.replace("\"team\"", "\"crew\"");
    editor.replace("team.kdl", &renamed);
    assert_eq!(rules(&editor.diagnostics("fleet.kdl")), ["unknown-profile"]);
    // A spec on the disk that nobody opened includes it, too.
    assert_eq!(rules(&editor.diagnostics("other.kdl")), ["unknown-profile"]);
    assert_eq!(editor.shown["other.kdl"].version, None);
    // Closed without saving: the disk's text counts again.
    editor.close("team.kdl");
    assert_eq!(editor.diagnostics("fleet.kdl"), []);
    assert_eq!(editor.diagnostics("other.kdl"), []);
}

#[test]
fn a_mistake_in_what_is_included_is_shown_where_it_is() {
    let team = TEAM.replace("allow", "alow");
    let mut editor = Editor::new(&[("sub/team.kdl", &team)]);
    editor.open("fleet.kdl", &FLEET.replace("team.kdl", "sub/team.kdl"));
    assert_eq!(rules(&editor.diagnostics("sub/team.kdl")), ["unknown-node"]);
    assert_eq!(editor.diagnostics("fleet.kdl"), []);
    // Said by both, shown once.
    editor.open("sub/team.kdl", &team);
    assert_eq!(rules(&editor.diagnostics("sub/team.kdl")), ["unknown-node"]);
    editor.close("fleet.kdl");
    assert_eq!(rules(&editor.diagnostics("sub/team.kdl")), ["unknown-node"]);
    editor.close("sub/team.kdl");
    assert_eq!(editor.diagnostics("sub/team.kdl"), []);
}

#[test]
fn a_file_that_appears_on_the_disk_is_noticed() {
    let mut editor = Editor::new(&[]);
    let watched = editor.heard.iter().any(|message| {
        matches!(message, Message::Request(request) if request.method == "client/registerCapability")
    });
    assert!(watched, "{:?}", editor.heard);
    editor.open("fleet.kdl", FLEET);
    assert_eq!(rules(&editor.diagnostics("fleet.kdl")), ["include-unreadable"]);
    editor.disk.0.lock().expect("nobody else").insert("team.kdl".into(), TEAM.into());
    let change = json!({"uri": Editor::uri("team.kdl"), "type": FileChangeType::CREATED});
    editor.notify("workspace/didChangeWatchedFiles", json!({"changes": [change]}));
    assert_eq!(editor.diagnostics("fleet.kdl"), []);
}

#[test]
fn an_include_leads_nowhere_outside_of_the_workspace() {
    let mut editor = Editor::new(&[("../secret.kdl", TEAM)]);
    editor.open("fleet.kdl", &FLEET.replace("team.kdl", "../secret.kdl"));
    assert_eq!(rules(&editor.diagnostics("fleet.kdl")), ["include-escape"]);
}

#[test]
fn the_kdl_of_other_programs_is_left_alone() {
    let mut editor = Editor::new(&[]);
    let open = |editor: &mut Editor, name: &str, language: &str, text: &str| {
        let document = json!({"uri": Editor::uri(name), "languageId": language, "version": 1, "text": text});
        editor.notify("textDocument/didOpen", json!({"textDocument": document}));
        editor.settle();
        editor.shown.get(name).map_or(0, |shown| shown.diagnostics.len())
    };
    let other = "layout { pane; }\n";
    assert_eq!(open(&mut editor, "a.kdl", "kdl", other), 0);
    assert_eq!(open(&mut editor, "b.kdl", "bottlec", other), 1);
    assert_eq!(open(&mut editor, "c.kdl", "kdl", BAD), 1);
    // It becomes a spec while somebody types.
    editor.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": Editor::uri("a.kdl"), "version": 2}, "contentChanges": [{"text": BAD}]}),
    );
    assert_eq!(editor.diagnostics("a.kdl").len(), 1);
}

#[test]
fn a_document_that_was_never_saved_is_checked() {
    let mut editor = Editor::new(&[("team.kdl", TEAM)]);
    let document = json!({"uri": "untitled:Untitled-1", "languageId": "bottlec", "version": 1, "text": BAD});
    editor.notify("textDocument/didOpen", json!({"textDocument": document}));
    assert_eq!(editor.diagnostics("?").len(), 1);
}

#[test]
fn a_client_may_ask_for_diagnostics_itself() {
    let mut capabilities = all_capabilities();
    capabilities["textDocument"]["diagnostic"] = json!({"relatedDocumentSupport": true});
    let team = TEAM.replace("allow", "alow");
    let mut editor = Editor::with(&[("team.kdl", &team)], &capabilities);
    assert_eq!(editor.capabilities["diagnosticProvider"]["interFileDependencies"], true);
    editor.open("x.kdl", BAD);
    editor.settle();
    assert!(editor.shown.is_empty(), "nothing is pushed, too: {:?}", editor.shown);
    let pull = |editor: &mut Editor, name: &str, before: Option<&str>| {
        let params = json!({"textDocument": Editor::id(name), "previousResultId": before});
        editor.send("textDocument/diagnostic", params).expect("a report")
    };
    let report = pull(&mut editor, "x.kdl", None);
    assert_eq!(report["kind"], "full");
    assert_eq!(report["items"][0]["code"], "unknown-node");
    let id = report["resultId"].as_str().expect("an id").to_owned();
    assert_eq!(pull(&mut editor, "x.kdl", Some(&id))["kind"], "unchanged");
    editor.replace("x.kdl", GOOD);
    let report = pull(&mut editor, "x.kdl", Some(&id));
    assert_eq!((&report["kind"], &report["items"]), (&json!("full"), &json!([])));
    // What an included file has wrong comes with the spec.
    editor.open("fleet.kdl", FLEET);
    let report = pull(&mut editor, "fleet.kdl", None);
    let related = &report["relatedDocuments"][Editor::uri("team.kdl").as_str()];
    assert_eq!(related["items"][0]["code"], "unknown-node");
}

#[test]
fn other_places_and_tags_are_told() {
    let mut editor = Editor::new(&[]);
    let twice = "profile \"p\" { }\nprofile \"p\" { }\nbottle \"x\" { extends \"p\"; }\n";
    editor.open("x.kdl", twice);
    let found = editor.diagnostics("x.kdl");
    let related = found[0].related_information.as_ref().expect("another place");
    assert_eq!(related[0].message, "first defined here");
    assert_eq!(related[0].location.range.start, Position::new(0, 8));
    let retired = "bottle \"x\" { gvproxy; }\n";
    editor.open("y.kdl", retired);
    let found = editor.diagnostics("y.kdl");
    assert_eq!(rules(&found), ["retired-node"]);
    assert_eq!(found[0].tags, Some(vec![DiagnosticTag::DEPRECATED]));
    let unused = "bottle \"x\" { accept \"dns-open\" reason=\"why not\"; }\n";
    editor.open("z.kdl", unused);
    let found = editor.diagnostics("z.kdl");
    assert_eq!(rules(&found), ["accept-unused"]);
    assert_eq!(found[0].tags, Some(vec![DiagnosticTag::UNNECESSARY]));
}

#[test]
fn the_conversation_has_its_order() {
    let mut editor = Editor::new(&[]);
    let code = |it: Result<Value, lsp_server::ResponseError>| it.expect_err("a refusal").code;
    assert_eq!(
        code(editor.send("initialize", json!({"capabilities": {}}))),
        ErrorCode::InvalidRequest as i32
    );
    assert_eq!(code(editor.send("bottle/uncork", json!({}))), ErrorCode::MethodNotFound as i32);
    assert_eq!(code(editor.send("textDocument/hover", json!({"x": 1}))), ErrorCode::InvalidParams as i32);
    let nowhere =
        json!({"textDocument": {"uri": "file:///nowhere.kdl"}, "position": {"line": 0, "character": 0}});
    assert_eq!(code(editor.send("textDocument/hover", nowhere)), ErrorCode::InvalidParams as i32);
    editor.notify("textDocument/didOpen", json!([1, 2]));
    editor.notify("$/setTrace", json!({"value": "off"}));
    assert_eq!(editor.send("shutdown", Value::Null).expect("an answer"), Value::Null);
    assert_eq!(code(editor.send("shutdown", Value::Null)), ErrorCode::InvalidRequest as i32);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.server.exit(), Some(bottlec::lsp::Exit::Orderly));
    let mut editor = Editor::new(&[]);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.server.exit(), Some(bottlec::lsp::Exit::Abrupt));
}

#[test]
fn columns_are_counted_as_the_client_counts() {
    let text = "/* é日🍾 */ bottle \"x\" { egres; }\n";
    let expected = [("utf-8", 29), ("utf-16", 24), ("utf-32", 23)];
    for (encoding, column) in expected {
        let mut capabilities = all_capabilities();
        capabilities["general"]["positionEncodings"] = json!([encoding, "utf-16"]);
        let mut editor = Editor::with(&[], &capabilities);
        let agreed = editor.capabilities["positionEncoding"].as_str().expect("an encoding").to_owned();
        assert_eq!(agreed, encoding);
        editor.open("x.kdl", text);
        let found = editor.diagnostics("x.kdl");
        assert_eq!(found[0].range.start, Position::new(0, column), "{encoding}");
    }
    // Nothing agreed on is UTF-16.
    let editor = Editor::with(&[], &json!({}));
    assert_eq!(editor.capabilities["positionEncoding"], PositionEncodingKind::UTF16.as_str());
}

/// A document above the limit is spoken of as that, and is read again as soon as it is below.
#[test]
fn a_document_that_is_too_large_may_become_smaller() {
    let mut editor = Editor::new(&[]);
    let large = format!("{GOOD}{}", "// filler\n".repeat(1_800_000));
    editor.open("x.kdl", &large);
    assert_eq!(rules(&editor.diagnostics("x.kdl")), ["source-too-large"]);
    let range = Range::new(Position::new(3, 0), Position::new(1_700_000, 0));
    let cut = TextDocumentContentChangeEvent { range: Some(range), range_length: None, text: String::new() };
    editor.change("x.kdl", vec![cut]);
    assert_eq!(editor.diagnostics("x.kdl"), []);
}

/// The same edits by position and by whole texts, in a model that knows nothing of bytes.
#[derive(Clone, Debug)]
struct Model(Vec<char>);

impl Model {
    /// The position of a character, by the protocol's words: lines end with LF, CR LF or CR.
    fn position(&self, at: usize, encoding: Encoding) -> Position {
        let mut position = Position::new(0, 0);
        for (index, c) in self.0[..at].iter().enumerate() {
            let ends = *c == '\n' || (*c == '\r' && self.0.get(index + 1) != Some(&'\n'));
            if ends {
                position = Position::new(position.line + 1, 0);
            } else if *c != '\r' {
                position.character += match encoding {
                    Encoding::Utf8 => u32::try_from(c.len_utf8()).expect("at most 4"),
                    Encoding::Utf16 => u32::try_from(c.len_utf16()).expect("at most 2"),
                    Encoding::Utf32 => 1,
                };
            }
        }
        position
    }

    /// Whether a position can say that place: between CR and LF there is none.
    fn can_say(&self, at: usize) -> bool {
        !(at > 0 && self.0[at - 1] == '\r' && self.0.get(at) == Some(&'\n'))
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "bottle \"a\" {\n",
        "}\n",
        "egress { allow \"x.example.com\"; }\r\n",
        "é",
        "日本",
        "🍾",
        "\r",
        "\n",
        "\r\n",
        "env { A \"b\"; }",
        "\t",
        "\u{feff}",
        "\u{2028}",
        "// c",
        "/*",
        "*/",
        "\"",
        "{",
        "a",
        "",
    ]);
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Thousands of edits, each by position, leave the text that the editor has: in every encoding.
    #[test]
    fn incremental_edits_do_not_drift(
        edits in proptest::collection::vec((any::<u16>(), any::<u8>(), pieces()), 200),
        encoding in proptest::sample::select(vec![Encoding::Utf8, Encoding::Utf16, Encoding::Utf32]),
    ) {
        let mut model = Model("bottle \"x\" {\n}\n".chars().collect());
        let uri = Editor::uri("x.kdl");
        let mut document = Document::new(uri, "bottlec", 0, model.0.iter().collect());
        for (version, (at, len, text)) in (1..).zip(edits) {
            let mut start = usize::from(at) % (model.0.len() + 1);
            let mut end = (start + usize::from(len) % 24).min(model.0.len());
            start -= usize::from(!model.can_say(start));
            end -= usize::from(!model.can_say(end));
            let range = Range::new(model.position(start, encoding), model.position(end.max(start), encoding));
            model.0.splice(start..end.max(start), text.chars());
            let change = TextDocumentContentChangeEvent { range: Some(range), range_length: None, text };
            document.change(version, vec![change], encoding);
            prop_assert_eq!(document.text(), model.0.iter().collect::<String>());
        }
    }

    /// An editor that sends edits and one that sends whole texts see the same.
    #[test]
    fn edits_and_whole_texts_come_to_the_same(
        edits in proptest::collection::vec((any::<u16>(), any::<u8>(), pieces()), 30),
    ) {
        let mut model = Model(GOOD.chars().collect());
        let (mut one, mut other) = (Editor::new(&[]), Editor::new(&[]));
        one.open("x.kdl", GOOD);
        other.open("x.kdl", GOOD);
        for (at, len, text) in edits {
            let mut start = usize::from(at) % (model.0.len() + 1);
            let mut end = (start + usize::from(len) % 12).min(model.0.len());
            start -= usize::from(!model.can_say(start));
            end -= usize::from(!model.can_say(end));
            let encoding = Encoding::Utf16;
            let range = Range::new(model.position(start, encoding), model.position(end.max(start), encoding));
            model.0.splice(start..end.max(start), text.chars());
            let change = TextDocumentContentChangeEvent { range: Some(range), range_length: None, text };
            one.change("x.kdl", vec![change]);
            other.replace("x.kdl", &model.0.iter().collect::<String>());
            prop_assert_eq!(one.diagnostics("x.kdl"), other.diagnostics("x.kdl"));
        }
    }

    /// A client may send any position, and gets no panic for it.
    #[test]
    fn no_position_is_out_of_bounds(line in any::<u32>(), character in any::<u32>(), far in any::<bool>()) {
        let mut editor = Editor::new(&[]);
        editor.open("x.kdl", "bottle \"é🍾\" {\r\n}\r");
        let start = if far { Position::new(line, character) } else { Position::new(line % 4, character % 16) };
        let range = Range::new(start, Position::new(0, 3));
        let change = TextDocumentContentChangeEvent { range: Some(range), range_length: None, text: "x".into() };
        editor.change("x.kdl", vec![change]);
        editor.settle();
        let _ = editor.ask::<ask::DocumentSymbolRequest>(
            serde_json::from_value(json!({"textDocument": Editor::id("x.kdl")})).expect("parameters"),
        );
    }
}

#[test]
fn compiled_files_are_shown_with_the_lines_that_make_them() {
    let mut editor = Editor::new(&[("team.kdl", TEAM)]);
    editor.open("fleet.kdl", &format!("{FLEET}bottle \"two\" {{\n    network octet=42\n}}\n"));
    let execute = |editor: &mut Editor, arguments: Value| {
        editor
            .send("workspace/executeCommand", json!({"command": "bottlec.artifacts", "arguments": arguments}))
    };
    let uri = Editor::uri("fleet.kdl");
    let shown = execute(&mut editor, json!([uri, {"line": 3, "character": 6}])).expect("the files");
    assert_eq!(shown["bottle"], "two");
    let names: Vec<&str> =
        shown["files"].as_array().expect("files").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["smolfile.toml", "agent.env", "plan.json"]);
    let smolfile = &shown["files"][0];
    let text = smolfile["text"].as_str().expect("text");
    let line = text.lines().position(|line| line.starts_with("allow_cidrs")).expect("the list");
    assert!(text.contains("192.168.42.2/32"), "{text}");
    assert_eq!(smolfile["lines"][line][0]["location"]["range"]["start"], json!({"line": 3, "character": 18}));
    // Across files, and any file of the stage.
    let shown = execute(&mut editor, json!([uri, {"line": 1, "character": 0}, "pipelock/pipelock.yaml"]))
        .expect("a file");
    let yaml = &shown["files"][0];
    let text = yaml["text"].as_str().expect("text");
    let line = text.lines().position(|line| line.contains("api.example.com")).expect("the host");
    assert_eq!(yaml["lines"][line][0]["location"]["uri"], json!(Editor::uri("team.kdl")));
    // As it would be written now: with what is typed, and not beside an error.
    let refused = |it: Result<Value, lsp_server::ResponseError>| it.expect_err("a refusal").message;
    let nowhere = refused(execute(&mut editor, json!([uri, {"line": 9, "character": 0}])));
    assert_eq!(nowhere, "there is no bottle at the cursor");
    editor.replace("fleet.kdl", BAD);
    let broken = refused(execute(&mut editor, json!([uri, {"line": 0, "character": 0}])));
    assert_eq!(broken, "the spec has errors, beside which nothing is compiled");
    for arguments in [json!([]), json!([uri]), json!([1, 2]), json!([uri, {"line": -1, "character": 0}])] {
        refused(execute(&mut editor, arguments));
    }
    let params = json!({"command": "bottlec.explain", "arguments": ["dns-open"]});
    let page = editor.send("workspace/executeCommand", params).expect("a page");
    assert!(page["text"].as_str().expect("text").starts_with("# dns-open\n"), "{page}");
    let params = json!({"command": "rm", "arguments": ["-rf"]});
    assert_eq!(refused(editor.send("workspace/executeCommand", params)), "there is no command `rm`");
}

/// Where a document lies that has this URI.
fn path_of(uri: &str) -> Option<PathBuf> {
    Document::new(Uri::from_str(uri).expect("a URI"), LANGUAGE, 1, String::new()).path
}

#[test]
fn paths_come_back_from_their_uris() {
    for name in ["a/b.kdl", "with blank/ü/100%.kdl", "#?&=+@:[]", "日本/\u{1f37e}.kdl"] {
        let text = "profile \"p\" {}\n";
        let mut editor = Editor::new(&[(name, text)]);
        editor.open("x.kdl", &format!("include \"{name}\"\nbottle \"x\" {{ extends \"p\"; }}\n"));
        let params = json!({"textDocument": {"uri": Editor::uri("x.kdl")}});
        let links = editor.send("textDocument/documentLink", params).expect("an answer");
        let uri = links[0]["target"].as_str().unwrap_or_else(|| panic!("{name}: {links}"));
        assert!(uri.is_ascii(), "{uri}");
        assert_eq!(path_of(uri), Some(Path::new(FOLDER).join(name)), "{uri}");
        // What is open is asked for by that URI, and is the file that is meant.
        let params = json!({"textDocument": {"uri": uri}});
        let symbols = editor.send("textDocument/documentSymbol", params).expect("an answer");
        assert_eq!(symbols[0]["name"], "p", "{uri}: {symbols}");
    }
    assert_eq!(path_of("file:///"), Some(PathBuf::from("/")));
}

#[test]
fn what_editors_write_is_read() {
    assert_eq!(path_of("file:///a/b%20c.kdl"), Some(PathBuf::from("/a/b c.kdl")));
    assert_eq!(path_of("file://localhost/a/./b/../c.kdl#L3"), Some(PathBuf::from("/a/c.kdl")));
    assert_eq!(path_of("file:///a%2Fb.kdl"), Some(PathBuf::from("/a/b.kdl")));
    assert_eq!(path_of("file:///a%ff.kdl"), None);
    assert_eq!(path_of("file://server/share/a.kdl"), None);
    assert_eq!(path_of("untitled:Untitled-1"), None);
    // What lies nowhere is called by the end of its URI.
    let mut editor = Editor::new(&[]);
    let text = "bottle \"one\" {}\nbottle \"two\" {}\n";
    let uri = "untitled:Untitled-1";
    let document = json!({"uri": uri, "languageId": LANGUAGE, "version": 1, "text": text});
    editor.notify("textDocument/didOpen", json!({"textDocument": document}));
    let params =
        json!({"textDocument": {"uri": uri}, "position": {"line": 0, "character": 9}, "newName": "two"});
    let taken = editor.send("textDocument/rename", params).expect_err("a collision").message;
    assert_eq!(taken, "there is a bottle `two` already, in `Untitled-1` on line 2");
}
