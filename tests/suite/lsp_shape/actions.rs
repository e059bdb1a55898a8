//! Code actions.

use std::collections::BTreeMap;

use bottlec::compile::Analysis;
use bottlec::fix;
use bottlec::format::format;
use bottlec::rule::Level;
use bottlec::source::{Source, Sources};
use bottlec::{Options, rule};
use lsp_types::request as ask;
use lsp_types::{
    CodeAction, CodeActionContext, CodeActionKind, CodeActionOrCommand, CodeActionParams,
    CodeActionTriggerKind, DocumentChangeOperation, DocumentChanges, ExecuteCommandParams, OneOf,
    PartialResultParams, Position, Range, TextEdit, WorkDoneProgressParams, WorkspaceEdit,
};
use serde_json::{Value, json};

use super::{apply, byte, cases, line_starts, positions, slice, texts};
use crate::support::editor::{Editor, FOLDER, all_capabilities};

fn everything(text: &str) -> Range {
    Range::new(Position::new(0, 0), *positions(text).last().expect("a position"))
}

fn asked(
    editor: &mut Editor,
    name: &str,
    range: Range,
    only: Option<Vec<CodeActionKind>>,
) -> Vec<CodeActionOrCommand> {
    asked_by(CodeActionTriggerKind::INVOKED, editor, name, range, only)
}

fn asked_by(
    trigger: CodeActionTriggerKind,
    editor: &mut Editor,
    name: &str,
    range: Range,
    only: Option<Vec<CodeActionKind>>,
) -> Vec<CodeActionOrCommand> {
    // As editors do: those that touch the place.
    let mut diagnostics = editor.diagnostics(name);
    diagnostics.retain(|it| it.range.start <= range.end && range.start <= it.range.end);
    let params = CodeActionParams {
        text_document: Editor::id(name),
        range,
        context: CodeActionContext { diagnostics, only, trigger_kind: Some(trigger) },
        work_done_progress_params: WorkDoneProgressParams::default(),
        partial_result_params: PartialResultParams::default(),
    };
    editor.ask::<ask::CodeActionRequest>(params).expect("actions")
}

fn actions(editor: &mut Editor, name: &str, range: Range) -> Vec<CodeAction> {
    as_actions(asked(editor, name, range, None))
}

fn as_actions(found: Vec<CodeActionOrCommand>) -> Vec<CodeAction> {
    found
        .into_iter()
        .map(|action| match action {
            CodeActionOrCommand::CodeAction(action) => action,
            CodeActionOrCommand::Command(command) => panic!("{command:?} for a client that takes actions"),
        })
        .collect()
}

/// The edits of an action by the name of the file, with the version that they are for.
fn edits(edit: &WorkspaceEdit) -> BTreeMap<String, (Option<i32>, Vec<TextEdit>)> {
    let name = |uri: &lsp_types::Uri| {
        uri.as_str().strip_prefix(&format!("file://{FOLDER}/")).expect("a file of the workspace").to_owned()
    };
    let mut found = BTreeMap::new();
    if let Some(changes) = &edit.changes {
        let changes: BTreeMap<_, _> = changes.iter().map(|(uri, edits)| (name(uri), edits.clone())).collect();
        found.extend(changes.into_iter().map(|(name, edits)| (name, (None, edits))));
    }
    let changes = match &edit.document_changes {
        None => Vec::new(),
        Some(DocumentChanges::Edits(edits)) => edits.clone(),
        Some(DocumentChanges::Operations(operations)) => operations
            .iter()
            .map(|it| match it {
                DocumentChangeOperation::Edit(edit) => edit.clone(),
                DocumentChangeOperation::Op(_) => panic!("no file is made or moved"),
            })
            .collect(),
    };
    for change in changes {
        let edits = change.edits.into_iter().map(|edit| match edit {
            OneOf::Left(edit) => edit,
            OneOf::Right(annotated) => annotated.text_edit,
        });
        found.insert(name(&change.text_document.uri), (change.text_document.version, edits.collect()));
    }
    found
}

/// The texts of a workspace after an action.
fn after(files: &[(&str, &str)], action: &CodeAction) -> BTreeMap<String, String> {
    let mut texts = owned(files);
    for (name, (_, edits)) in edits(action.edit.as_ref().expect("an edit")) {
        let text = texts.get_mut(&name).expect("a known file");
        *text = apply(text, &edits);
    }
    texts
}

/// Each case, first of the files of a workspace of its own: itself and what it includes. All in one would be read anew for
/// each of them.
fn workspaces() -> impl Iterator<Item = Vec<(&'static str, &'static str)>> {
    let all: BTreeMap<&str, &str> =
        cases().iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    cases().iter().map(move |(name, text)| {
        let mut read = alone(name, text);
        read.follow(|name| {
            let text = all.get(name).ok_or_else(|| String::from("there is no such file"))?;
            Ok(Source::new(name, *text))
        });
        let included = read.sources().files().filter_map(|(_, source)| all.get_key_value(source.name()));
        let included = included.map(|(name, text)| (*name, *text)).filter(|it| it.0 != name);
        std::iter::once((name.as_str(), text.as_str())).chain(included).collect()
    })
}

fn owned(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// A spec of a workspace with what it includes, as the command line would read it.
fn analysis(files: &BTreeMap<String, String>, name: &str) -> Analysis {
    let mut analysis = alone(name, &files[name]);
    reload(files, &mut analysis);
    analysis
}

fn alone(name: &str, text: &str) -> Analysis {
    let mut sources = Sources::new();
    sources.add(Source::new(name, text));
    Analysis::new(sources, Options::default())
}

fn reload(files: &BTreeMap<String, String>, analysis: &mut Analysis) {
    analysis.follow(|name| {
        let text = files.get(name).ok_or_else(|| String::from("there is no such file"))?;
        Ok(Source::new(name, text.as_str()))
    });
}

fn is_readable(text: &str) -> bool {
    let analysis = alone("x.kdl", text);
    !analysis.syntax(analysis.sources().roots()[0]).has_errors()
}

fn laid_out(text: &str) -> String {
    let analysis = alone("x.kdl", text);
    format(analysis.tree(analysis.sources().roots()[0])).expect("the same document")
}

#[test]
fn a_fix_is_the_same_through_the_protocol() {
    let mut compared = 0;
    for files in workspaces() {
        let (all, (name, text)) = (owned(&files), files[0]);
        let mut editor = Editor::new(&files);
        editor.open(name, text);
        let offered = actions(&mut editor, name, everything(text));
        let analysis = analysis(&all, name);
        let known = analysis.sources();
        let root = known.roots()[0];
        let mut expected = Vec::new();
        for diagnostic in analysis.diagnostics().as_slice().iter().filter(|it| it.primary.span.source == root)
        {
            let Some(fix) = &diagnostic.fix else { continue };
            if fix.edits.is_empty() {
                continue;
            }
            let mut texts = all.clone();
            for edit in fix.edits.iter().rev() {
                let name = known.get(edit.span.source).name();
                texts.get_mut(name).expect("a file").replace_range(edit.span.range(), &edit.replacement);
            }
            let safe = fix.applicability == bottlec::diagnostic::Applicability::Safe;
            expected.push((fix.title.clone(), diagnostic.rule.id, safe, texts));
        }
        for (title, rule, safe, texts) in expected {
            let action = offered.iter().find(|it| it.title == title && after(&files, it) == texts);
            let action = action.unwrap_or_else(|| panic!("{name}: nobody offers `{title}`"));
            assert_eq!(action.is_preferred, safe.then_some(true), "{name}: {title}");
            assert_eq!(action.kind, Some(CodeActionKind::QUICKFIX));
            let about = action.diagnostics.as_ref().expect("what it is about");
            let codes: Vec<_> = about.iter().filter_map(|it| it.code.clone()).collect();
            assert!(codes.contains(&lsp_types::NumberOrString::String(rule.to_owned())), "{name}: {codes:?}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

#[test]
fn all_safe_fixes_make_what_check_makes() {
    let mut compared = 0;
    for files in workspaces() {
        let (all, (name, text)) = (owned(&files), files[0]);
        let mut editor = Editor::new(&files);
        editor.open(name, text);
        let kinds = Some(vec![CodeActionKind::SOURCE_FIX_ALL]);
        let offered = asked(&mut editor, name, everything(text), kinds);
        let known = analysis(&all, name);
        let root = known.sources().roots()[0];
        let mended = fix::all(&known, false, |next| {
            reload(&all, next);
            Ok::<(), ()>(())
        });
        let (mended, _) = mended.expect("no reason to fail");
        let expected = mended.as_ref().unwrap_or(&known).sources().get(root).text().to_string();
        match offered.as_slice() {
            [] => assert_eq!(expected, text, "{name}"),
            [CodeActionOrCommand::CodeAction(action)] => {
                assert_eq!(action.kind, Some(CodeActionKind::new("source.fixAll.bottlec")));
                assert_eq!(after(&files, action)[name], expected, "{name}");
                compared += 1;
            }
            more => panic!("{name}: {more:?}"),
        }
    }
    assert!(compared >= 2, "{compared}");
}

#[test]
fn all_safe_fixes_are_made_round_by_round() {
    for text in [
        "bottle \"a\"\n{\n    supervise;;\n    network octet=0x2a;;\n}\n",
        "bottle \"a\" { env { A true; B null;; } }\r\nbottle \"b\"\r\n{\r\n}\r\n",
    ] {
        let mut editor = Editor::new(&[]);
        editor.open("x.kdl", text);
        let offered = actions(&mut editor, "x.kdl", everything(text));
        let action = offered.iter().find(|it| it.title.starts_with("fix all")).expect("it is offered");
        let known = alone("x.kdl", text);
        let mended = fix::all(&known, false, |_| Ok::<(), ()>(()));
        let (mended, applied) = mended.expect("no reason to fail");
        let mended = mended.expect("something was fixed");
        let mended = mended.sources();
        assert!(applied > 1, "{text:?}");
        let fixed = after(&[("x.kdl", text)], action).remove("x.kdl").expect("the file");
        assert_eq!(fixed, **mended.get(mended.roots()[0]).text(), "{text:?}");
        // Nothing is left for a second time.
        editor.replace("x.kdl", &fixed);
        let offered = actions(&mut editor, "x.kdl", everything(&fixed));
        assert!(offered.iter().all(|it| !it.title.starts_with("fix all")), "{fixed:?}");
        // A moving cursor does not pay for it.
        editor.replace("x.kdl", text);
        let params = json!({
            "textDocument": {"uri": Editor::uri("x.kdl")}, "range": everything(text),
            "context": {"diagnostics": [], "triggerKind": 2},
        });
        let offered = editor.send("textDocument/codeAction", params).expect("actions");
        assert!(!offered.to_string().contains("source.fixAll"));
    }
}

#[test]
fn no_action_breaks_a_text_or_overlaps_itself() {
    let mut editor = Editor::new(&[]);
    let mut offered = 0;
    for text in texts().into_iter().step_by(5) {
        editor.open("x.kdl", &text);
        let readable = is_readable(&text);
        let places = positions(&text);
        let mut ranges = vec![everything(&text)];
        ranges.extend(places.iter().step_by(places.len() / 12 + 1).map(|at| Range::new(*at, *at)));
        for range in ranges {
            for action in actions(&mut editor, "x.kdl", range) {
                let Some(edit) = &action.edit else { continue };
                let Some((version, edits)) = edits(edit).remove("x.kdl") else { continue };
                assert_eq!(version, Some(1));
                let changed = apply(&text, &edits);
                assert!(!readable || is_readable(&changed), "{}: {text:?} became {changed:?}", action.title);
                offered += 1;
            }
        }
    }
    assert!(offered > 150, "{offered}");
}

/// Every action of its own at every place of every case, once: what it is called, and what becomes of the file.
fn every_action(
    mut take: impl FnMut(&BTreeMap<String, String>, &str, &CodeAction, &BTreeMap<String, String>),
) {
    for files in workspaces() {
        let (all, (name, text)) = (owned(&files), files[0]);
        let mut editor = Editor::new(&files);
        editor.open(name, text);
        let mut seen = Vec::new();
        for (line, content) in (0..).zip(text.split('\n')) {
            // Where words begin: the rest of one is the same place.
            let begins = |at: &usize| content[..*at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            let words =
                content.char_indices().filter(|(_, c)| !c.is_whitespace()).map(|(at, _)| at).filter(begins);
            for at in words.take(16) {
                let units = content[..at].encode_utf16().count();
                let at = Position::new(line, u32::try_from(units).expect("short"));
                let range = Range::new(at, at);
                // As a cursor moves: what fixes everything is another test's affair, and is a compile at each place.
                let found = asked_by(CodeActionTriggerKind::AUTOMATIC, &mut editor, name, range, None);
                for action in as_actions(found) {
                    if action.edit.is_some() && !seen.contains(&action) {
                        take(&all, name, &action, &after(&files, &action));
                        seen.push(action);
                    }
                }
            }
        }
    }
}

/// The errors of a compile by rule.
fn errors(analysis: &Analysis) -> BTreeMap<&'static str, usize> {
    let mut found = BTreeMap::new();
    for diagnostic in analysis.diagnostics().as_slice() {
        if diagnostic.level == Level::Error {
            *found.entry(diagnostic.rule.id).or_default() += 1;
        }
    }
    found
}

#[test]
fn what_is_offered_does_what_it_says() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    every_action(|all, name, action, texts| {
        let said = ["accept `", "pin octet", "pin the engine", "add `deny", "take `"];
        if !said.iter().any(|begins| action.title.starts_with(begins)) {
            return;
        }
        let (text, before) = (&all[name], &errors(&analysis(all, name)));
        let now = errors(&analysis(texts, name));
        let of = |errors: &BTreeMap<&'static str, usize>, rule: &str| errors.get(rule).copied().unwrap_or(0);
        let title = action.title.as_str();
        if let Some(rest) = title.strip_prefix("accept `") {
            let rule = rest.split('`').next().expect("a rule");
            assert!(of(&now, rule) < of(before, rule), "{name}: {title} in\n{}", texts[name]);
            // The reason is still to be given.
            assert!(of(&now, "invalid-value") > of(before, "invalid-value"), "{name}: {title}");
            let given = texts[name].replace("reason=\"\"", "reason=\"it is a test\"");
            let mut given_texts = texts.clone();
            given_texts.insert(name.to_owned(), given);
            let given = errors(&analysis(&given_texts, name));
            assert!(of(&given, "invalid-value") <= of(before, "invalid-value"), "{name}: {title}");
            assert!(of(&given, rule) < of(before, rule), "{name}: {title}");
            *counts.entry("accept").or_default() += 1;
        } else if title.starts_with("pin octet") {
            let (was, is) = (of(before, "subnet-collision"), of(&now, "subnet-collision"));
            let about = action.diagnostics.as_ref().is_some_and(|it| !it.is_empty());
            assert!(if about { is < was } else { is <= was }, "{name}: {title}");
            assert!(texts[name].contains("octet="), "{name}: {title}");
            *counts.entry(if about { "collision" } else { "octet" }).or_default() += 1;
        } else if title.starts_with("pin the engine") {
            assert!(texts[name].contains("version=\"1."), "{name}: {title}");
            *counts.entry("engine").or_default() += 1;
        } else if title.starts_with("add `deny") {
            *counts.entry("deny").or_default() += 1;
        } else {
            *counts.entry("from-env").or_default() += 1;
        }
        // What is new is no mistake, but for the reason, and but for what other rules think of a secret or an engine.
        let newly: Vec<_> = now.iter().filter(|(rule, count)| **count > of(before, rule)).collect();
        let allowed = ["invalid-value", "engine-too-old"];
        assert!(newly.iter().all(|(rule, _)| allowed.contains(*rule)), "{name}: {title} makes {newly:?}");
        // What was laid out stays laid out, unless a line became too long for its blocks.
        let long = texts[name].lines().any(|line| line.chars().count() > 100);
        if is_readable(text) && laid_out(text) == *text && !long {
            assert_eq!(laid_out(&texts[name]), texts[name], "{name}: {title}");
        }
    });
    for (what, least) in
        [("accept", 10), ("collision", 3), ("octet", 50), ("engine", 20), ("deny", 2), ("from-env", 10)]
    {
        let count = counts.get(what).copied().unwrap_or(0);
        assert!(count >= least, "{what}: {count}");
    }
}

/// What becomes of a text at `<|>` by the action whose title begins so; nothing when it is not offered.
fn acted(text: &str, title: &str) -> Option<String> {
    acted_in(&[], text, title)
}

fn acted_in(files: &[(&str, &str)], text: &str, title: &str) -> Option<String> {
    let mut editor = Editor::new(files);
    let at = editor.open_at(text);
    let text = text.replace("<|>", "");
    let offered = actions(&mut editor, "x.kdl", Range::new(at, at));
    let action = offered.iter().find(|it| it.title.starts_with(title))?;
    Some(after(&[("x.kdl", &text)], action).remove("x.kdl").expect("the file"))
}

#[test]
fn an_octet_is_pinned_that_no_bottle_of_the_folder_takes() {
    let pin = |text: &str| acted(text, "pin octet").expect("it is offered");
    for (text, expected) in [
        ("bottle \"<|>a\"", "bottle \"a\" {\n    network octet=252\n}"),
        ("bottle \"<|>a\" {}", "bottle \"a\" { network octet=252 }"),
        ("bottle \"<|>a\" {\n}\n", "bottle \"a\" {\n    network octet=252\n}\n"),
        (
            "bottle \"<|>a\" {\r\n\tsupervise // ask\r\n\r\n}\r\n",
            "bottle \"a\" {\r\n\tsupervise // ask\r\n\tnetwork octet=252\r\n\r\n}\r\n",
        ),
        ("bottle \"<|>a\" { supervise }", "bottle \"a\" { supervise; network octet=252 }"),
        ("bottle \"<|>a\" { supervise; }", "bottle \"a\" { supervise; network octet=252 }"),
        ("bottle \"<|>a\" { /* why */ }", "bottle \"a\" { /* why */ network octet=252 }"),
        ("bottle \"<|>a\" { // why\n}", "bottle \"a\" { // why\n    network octet=252\n}"),
        (
            "bottle \"<|>a\" {\n  supervise \\\n}",
            "bottle \"a\" {\n  supervise \\\n  ;\n  network octet=252\n}",
        ),
        ("bottle \"<|>a\" { /-supervise }", "bottle \"a\" { /-supervise; network octet=252 }"),
        ("bottle \"<|>a\"; bottle \"b\"", "bottle \"a\" { network octet=252 }; bottle \"b\""),
        ("bottle \"<|>a\" /-{ x } // why", "bottle \"a\" /-{ x } {\n    network octet=252\n} // why"),
        ("bottle \"a\" { network<|> }", "bottle \"a\" { network octet=252 }"),
    ] {
        // Which octet it is, its name decides.
        let octet = bottlec::world::network::Addresses::of_slug("a").octet.to_string();
        assert_eq!(pin(text), expected.replace("252", &octet), "{text:?}");
    }
    assert_eq!(acted("bottle \"<|>a\" { network octet=9 }", "pin octet"), None);
    assert_eq!(acted("bottle \"a\" {\n    env {<|> }\n}", "pin octet"), None);
    assert_eq!(acted("/-bottle \"<|>a\"", "pin octet"), None);
    assert_eq!(acted("profile \"<|>a\"", "pin octet"), None);
    // A block without an end is no place for anything.
    assert_eq!(acted("bottle \"<|>a\" {\n    env { A \"b\" }\n", "pin octet"), None);
    let other = [("other.kdl", "bottle \"b\" { network octet=9 }\nbottle \"c\" { network octet=10 }")];
    assert_eq!(
        acted_in(&other, "bottle \"<|>a\" { network octet=9 }", "pin octet 11").as_deref(),
        Some("bottle \"a\" { network octet=11 }")
    );
}

#[test]
fn an_engine_is_pinned_where_none_is() {
    let newest = bottlec::world::engine::Ledger::smolvm().newest.to_string();
    let pin = |text: &str| acted(text, "pin the engine").map(|text| text.replace(&newest, "NEW"));
    let node = "engine \"smolvm\" version=\"NEW\"";
    for (text, expected) in [
        (
            "bottle \"<|>a\" {\n    // why\n    supervise\n}",
            format!("bottle \"a\" {{\n    {node}\n    // why\n    supervise\n}}"),
        ),
        (
            "profile \"p\"\nbottle \"<|>a\" {\n    extends \"p\" // it\n    supervise\n}",
            format!("profile \"p\"\nbottle \"a\" {{\n    extends \"p\" // it\n    {node}\n    supervise\n}}"),
        ),
        ("bottle \"<|>a\" { supervise }", format!("bottle \"a\" {{ {node}; supervise }}")),
        (
            "profile \"p\"\nbottle \"<|>a\" { extends \"p\"; supervise }",
            format!("profile \"p\"\nbottle \"a\" {{ extends \"p\"; {node}; supervise }}"),
        ),
        ("bottle \"<|>a\" { /-supervise }", format!("bottle \"a\" {{ {node}; /-supervise }}")),
        ("profile \"a\" {\n    engine \"smol<|>vm\"\n}", format!("profile \"a\" {{\n    {node}\n}}")),
    ] {
        assert_eq!(pin(text), Some(expected), "{text:?}");
    }
    assert_eq!(pin("profile \"p\" { engine \"smolvm\" }\nbottle \"<|>a\" { extends \"p\" }"), None);
    assert_eq!(pin("bottle \"<|>a\" { extends \"gone\" }"), None);
    assert_eq!(pin("bottle \"a\" { engine \"other<|>\" }"), None);
}

#[test]
fn a_wildcard_is_narrowed() {
    let deny = |text: &str| acted(text, "add `deny \"gist.github.com\"`");
    assert_eq!(
        deny("bottle \"a\" {\n    egress {\n        allow \"x.example.com\" \"*.git<|>hub.com\" // all\n    }\n}").as_deref(),
        Some("bottle \"a\" {\n    egress {\n        deny \"gist.github.com\"\n        allow \"x.example.com\" \"*.github.com\" // all\n    }\n}")
    );
    assert_eq!(
        deny("profile \"a\" { egress { allow \"*.git<|>hub.com\"; log \"all\" } }").as_deref(),
        Some("profile \"a\" { egress { allow \"*.github.com\"; deny \"gist.github.com\"; log \"all\" } }")
    );
    for text in [
        "bottle \"a\" { egress { allow \"*.git<|>hub.com\"; deny \"gist.github.com\" } }",
        "profile \"p\" { egress { deny \"*.github.com\" } }\nbottle \"a\" { extends \"p\"; egress { allow \"*.git<|>hub.com\" } }",
        "bottle \"a\" { egress { deny \"*.git<|>hub.com\" } }",
        "bottle \"a\" { egress { allow \"*.exam<|>ple.com\" } }",
        "bottle \"a\" { egress { allow \"*.c<|>om\" } }",
        "bottle \"a\" { egress { allow \"gist.git<|>hub.com\" } }",
        "bottle \"a\" { egress { /-allow \"*.git<|>hub.com\" } }",
    ] {
        assert_eq!(deny(text), None, "{text:?}");
    }
}

#[test]
fn a_literal_becomes_a_reference() {
    for (text, expected) in [
        (
            "bottle \"a\" { env { TO<|>KEN \"hunter2\" } }",
            "bottle \"a\" { env { TOKEN from-env=\"TOKEN\" } }",
        ),
        (
            "bottle \"a\" { sidecar \"s\" image=\"i\" { env { K \"hun<|>ter2\" // why\n } } }",
            "bottle \"a\" { sidecar \"s\" image=\"i\" { env { K from-env=\"K\" // why\n } } }",
        ),
        (
            "bottle \"a\" { env { K \"\"\"\n  hun<|>ter2\n  \"\"\"\n } }",
            "bottle \"a\" { env { K from-env=\"K\"\n } }",
        ),
    ] {
        assert_eq!(acted(text, "take `").as_deref(), Some(expected), "{text:?}");
    }
    for text in [
        "bottle \"a\" { env { K from-<|>env=\"K\" } }",
        "bottle \"a\" { env { K<|> } }",
        "bottle \"a\" { env { K<|> \"a\" \"b\" } }",
        "bottle \"a\" { env { \"not a na<|>me\" \"a\" } }",
        "bottle \"a\" { egress { allow \"a<|>\" } }",
    ] {
        assert_eq!(acted(text, "take `"), None, "{text:?}");
    }
    // No title says what a secret is.
    let mut editor = Editor::new(&[]);
    let at = editor.open_at("bottle \"a\" { env { TO<|>KEN \"hunter2\" } }");
    let offered = actions(&mut editor, "x.kdl", Range::new(at, at));
    assert!(!serde_json::to_string(&offered).expect("JSON").contains("hunter2"));
}

#[test]
fn an_error_is_accepted_where_it_stands() {
    let text = "profile \"p\" {\n    engine \"smolvm\" version=\"1.2<|>.4\"\n}\nbottle \"a\" { extends \"p\"; supervise; artifact \"./a.smolmachine\" }\n";
    assert_eq!(
        acted(text, "accept `dns-open` in this profile").as_deref(),
        Some(
            "profile \"p\" {\n    engine \"smolvm\" version=\"1.2.4\"\n    accept \"dns-open\" reason=\"\"\n}\nbottle \"a\" { extends \"p\"; supervise; artifact \"./a.smolmachine\" }\n"
        )
    );
    let accepted = text.replace("}\nbottle", "    accept \"dns-open\" reason=\"why\"\n}\nbottle");
    assert_eq!(acted(&accepted, "accept `dns-open`"), None);
}

#[test]
fn fixes_reach_into_other_files_with_their_versions() {
    let files = [("p.kdl", "profile \"team\" {}\n")];
    let text = "include \"p.kdl\"\nbottle \"a\" { extends \"taem\"; egress {} }\n";
    let mut editor = Editor::new(&files);
    editor.open("x.kdl", text);
    editor.replace("x.kdl", text);
    let offered = actions(&mut editor, "x.kdl", everything(text));
    let versions: Vec<_> = offered
        .iter()
        .filter_map(|it| it.edit.as_ref())
        .flat_map(|it| edits(it).into_iter().map(|(name, (version, _))| (name, version)))
        .collect();
    assert!(!versions.is_empty());
    assert!(versions.iter().all(|it| *it == ("x.kdl".to_owned(), Some(2))), "{versions:?}");
    // Who does not know of versions gets none.
    let mut capabilities = all_capabilities();
    capabilities["workspace"]["workspaceEdit"] = json!({});
    let mut editor = Editor::with(&files, &capabilities);
    editor.open("x.kdl", text);
    let offered = actions(&mut editor, "x.kdl", everything(text));
    assert!(offered.iter().any(|it| it.edit.is_some()));
    for edit in offered.iter().filter_map(|it| it.edit.as_ref()) {
        assert!(edit.document_changes.is_none() && edit.changes.is_some());
    }
}

#[test]
fn kinds_that_are_not_asked_for_are_left_out() {
    let text = "bottle \"a\" { egres { allow \"x.example.com\" } }";
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", text);
    let at = Range::new(Position::new(0, 8), Position::new(0, 15));
    let kinds = |only: &[&'static str], editor: &mut Editor| -> Vec<String> {
        let only = only.iter().map(|kind| CodeActionKind::new(kind)).collect();
        let mut kinds: Vec<String> = asked(editor, "x.kdl", at, Some(only))
            .iter()
            .map(|it| match it {
                CodeActionOrCommand::CodeAction(action) => {
                    action.kind.clone().expect("a kind").as_str().to_owned()
                }
                CodeActionOrCommand::Command(_) => String::from("command"),
            })
            .collect();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(&["quickfix"], &mut editor), ["quickfix"]);
    assert_eq!(kinds(&["refactor"], &mut editor), ["refactor.rewrite"]);
    assert_eq!(kinds(&["refactor.rewrite"], &mut editor), ["refactor.rewrite"]);
    assert_eq!(kinds(&["refactor.extract"], &mut editor), [""; 0]);
    assert_eq!(kinds(&["source.organizeImports"], &mut editor), [""; 0]);
    assert_eq!(kinds(&["re"], &mut editor), [""; 0]);
    assert!(kinds(&[""], &mut editor).contains(&String::from("quickfix")));
}

#[test]
fn nothing_is_offered_for_what_is_no_spec() {
    let mut editor = Editor::new(&[]);
    let params = json!({"textDocument": {
        "uri": Editor::uri("zellij.kdl"), "languageId": "kdl", "version": 1, "text": "keybinds { unbind; }\n",
    }});
    editor.notify("textDocument/didOpen", params);
    assert_eq!(actions(&mut editor, "zellij.kdl", Range::new(Position::new(0, 0), Position::new(1, 0))), []);
}

#[test]
fn a_rule_is_explained() {
    let mut editor = Editor::new(&[]);
    let text = "bottle \"a\" { egres }";
    editor.open("x.kdl", text);
    let offered = actions(&mut editor, "x.kdl", everything(text));
    let explain = offered.iter().find(|it| it.title == "explain `unknown-node`").expect("it is offered");
    let command = explain.command.clone().expect("a command");
    assert!(explain.edit.is_none() && explain.diagnostics.is_some());
    let announced = editor.capabilities["executeCommandProvider"]["commands"].clone();
    assert!(announced.as_array().expect("commands").contains(&json!(command.command)));
    let execute = |arguments: Vec<Value>, editor: &mut Editor| {
        let params = ExecuteCommandParams {
            command: command.command.clone(),
            arguments,
            work_done_progress_params: WorkDoneProgressParams::default(),
        };
        editor.send("workspace/executeCommand", serde_json::to_value(params).expect("parameters"))
    };
    let page = execute(command.arguments.clone().expect("a rule"), &mut editor).expect("a page");
    let rule = rule::find("unknown-node").expect("a rule");
    assert_eq!(page["text"], json!(rule.page));
    assert!(execute(vec![json!("no-such-rule")], &mut editor).is_err());
    assert!(execute(vec![], &mut editor).is_err());
    assert!(execute(vec![json!(1)], &mut editor).is_err());
}

#[test]
fn a_client_that_knows_commands_only_gets_commands_only() {
    let mut capabilities = all_capabilities();
    capabilities["textDocument"]["codeAction"] = json!({});
    let mut editor = Editor::with(&[], &capabilities);
    let text = "bottle \"a\" { egres }";
    editor.open("x.kdl", text);
    let offered = asked(&mut editor, "x.kdl", everything(text), None);
    assert!(matches!(offered.as_slice(), [CodeActionOrCommand::Command(_)]), "{offered:?}");
}

#[test]
fn a_place_is_where_it_says() {
    // The helpers of these tests count as the protocol does.
    let text = "a\r\n\u{1f37e}b\rc";
    assert_eq!(line_starts(text), [0, 3, 9]);
    assert_eq!(byte(text, Position::new(1, 2)), 7);
    assert_eq!(slice(text, Range::new(Position::new(1, 2), Position::new(2, 1))), "b\rc");
}
