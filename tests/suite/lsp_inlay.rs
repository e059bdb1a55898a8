//! What follows from a line, as an editor shows it there.

use lsp_types::request as ask;
use lsp_types::{InlayHint, InlayHintLabel, InlayHintParams, Position, Range, WorkDoneProgressParams};

use crate::support::editor::Editor;
use crate::support::specs;

fn hints(editor: &mut Editor, name: &str, range: Range) -> Vec<InlayHint> {
    let params = InlayHintParams {
        work_done_progress_params: WorkDoneProgressParams::default(),
        text_document: Editor::id(name),
        range,
    };
    editor.ask::<ask::InlayHintRequest>(params).expect("a list")
}

fn label(hint: &InlayHint) -> String {
    match &hint.label {
        InlayHintLabel::String(label) => label.clone(),
        InlayHintLabel::LabelParts(parts) => parts.iter().map(|part| part.value.as_str()).collect(),
    }
}

const ALL: Range =
    Range { start: Position { line: 0, character: 0 }, end: Position { line: u32::MAX, character: 0 } };

/// The text with each hint where it is shown.
fn shown(editor: &mut Editor, text: &str) -> String {
    editor.open("x.kdl", text);
    let mut shown = text.to_owned();
    for hint in hints(editor, "x.kdl", ALL).iter().rev() {
        let at = specs::offset(text, hint.position).expect("a place of the text");
        shown.insert_str(at, &format!("‹{}›", label(hint)));
    }
    shown
}

#[test]
fn addresses_that_nothing_pins_are_shown() {
    let mut editor = Editor::new(&[]);
    assert_eq!(
        shown(
            &mut editor,
            "bottle \"old\" { }\nbottle \"new\" { network octet=42; }\n/-bottle \"out\" { }\n"
        ),
        "bottle \"old\"‹192.168.165.2› { }\nbottle \"new\" { network octet=42; }\n/-bottle \"out\" { }\n"
    );
    // Also while the bottle does not hold.
    assert_eq!(
        shown(&mut editor, "bottle \"old\" { extends \"gone\"; egress {"),
        "bottle \"old\"‹192.168.165.2› { extends \"gone\"; egress {"
    );
    assert_eq!(shown(&mut editor, "bottle \"\" { }\nbottle\nbottle {"), "bottle \"\" { }\nbottle\nbottle {");
}

#[test]
fn what_profiles_give_is_shown_with_the_line_that_says_it() {
    let team = "profile \"team\" {\n    engine \"smolvm\" version=\"1.32.2\"\n    egress { allow \"a.example.com\" \"b.example.com\"; rate-limit 700; }\n}\n";
    let mut editor = Editor::new(&[("lib/team.kdl", team)]);
    let text = "include \"lib/team.kdl\"\nbottle \"x\" {\n    extends \"team\"\n    egress { allow \"c.example.com\"; }\n    network octet=42\n}\n";
    assert_eq!(
        shown(&mut editor, text),
        text.replace(
            "extends \"team\"",
            "extends \"team\"‹smolvm 1.32.2, 700 requests a minute, 3 hosts in all›"
        )
    );
    let InlayHintLabel::LabelParts(parts) = &hints(&mut editor, "x.kdl", ALL)[0].label else {
        panic!("parts")
    };
    let places: Vec<_> = parts
        .iter()
        .filter_map(|part| part.location.as_ref())
        .map(|it| (it.uri.as_str(), it.range.start.line))
        .collect();
    let uri = "file:///workspace/lib/team.kdl";
    assert_eq!(places, [(uri, 1), (uri, 2), (uri, 2)]);
    // What a bottle says itself needs no hint.
    let own = "include \"lib/team.kdl\"\nbottle \"x\" {\n    extends \"team\"\n    engine \"smolvm\"\n    egress { rate-limit 5; }\n    network octet=42\n}\n";
    assert_eq!(shown(&mut editor, own), own.replace("extends \"team\"", "extends \"team\"‹2 hosts in all›"));
    assert_eq!(
        shown(
            &mut editor,
            "profile \"p\" { env { A \"1\"; }; }\nbottle \"x\" { extends \"p\"; network octet=42; }"
        ),
        "profile \"p\" { env { A \"1\"; }; }\nbottle \"x\" { extends \"p\"; network octet=42; }"
    );
}

#[test]
fn urls_are_shown_where_they_are_one() {
    let sidecar = "sidecar \"db\" image=\"i\" { port 5432 scheme=\"postgres\"; expose \"DATABASE_URL\" path=\"/app\"; }";
    let hinted = "sidecar \"db\" image=\"i\" { port 5432 scheme=\"postgres\"‹postgres://192.168.42.2:5432›; expose \"DATABASE_URL\" path=\"/app\"‹= postgres://192.168.42.2:5432/app›; }";
    let mut editor = Editor::new(&[]);
    assert_eq!(
        shown(&mut editor, &format!("bottle \"x\" {{ {sidecar}; network octet=42; }}")),
        format!("bottle \"x\" {{ {hinted}; network octet=42; }}")
    );
    // A profile of one bottle, and one of two.
    let one = |sidecar: &str| {
        format!("profile \"p\" {{ {sidecar}; }}\nbottle \"x\" {{ extends \"p\"; network octet=42; }}\n")
    };
    assert_eq!(shown(&mut editor, &one(sidecar)), one(hinted));
    let two = format!("{}bottle \"y\" {{ extends \"p\"; network octet=43; }}\n", one(sidecar));
    assert_eq!(shown(&mut editor, &two), two);
}

#[test]
fn only_what_is_asked_for_is_shown() {
    let text = "bottle \"a\" { }\nbottle \"b\" { }\nbottle \"c\" { }\n";
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", text);
    let lines = |from: u32, to: u32| {
        let found = hints(&mut editor, "x.kdl", Range::new(Position::new(from, 0), Position::new(to, 0)));
        found.iter().map(|hint| hint.position.line).collect::<Vec<_>>()
    };
    let mut lines = lines;
    assert_eq!(lines(0, 9), [0, 1, 2]);
    assert_eq!(lines(1, 2), [1]);
    assert_eq!(lines(3, 9), [0; 0]);
}

#[test]
fn no_text_is_a_trap() {
    let mut editor = Editor::new(&[("team.kdl", "")]);
    for text in specs::whole_and_broken() {
        editor.open("x.kdl", &text);
        let all = hints(&mut editor, "x.kdl", ALL);
        for hint in &all {
            assert!(specs::offset(&text, hint.position).is_some(), "{:?} of {text:?}", hint.position);
            assert!(!label(hint).contains(char::is_control));
        }
        // Any part of it is what the whole has there.
        let half = Range::new(Position::new(0, 0), Position::new(4, 0));
        let seen =
            |hints: Vec<InlayHint>| hints.iter().map(|it| (it.position, label(it))).collect::<Vec<_>>();
        let first: Vec<_> = seen(all).into_iter().filter(|(position, _)| *position <= half.end).collect();
        assert_eq!(seen(hints(&mut editor, "x.kdl", half)), first);
    }
}
