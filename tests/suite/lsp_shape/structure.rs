//! Folding and selection.

use lsp_types::request as ask;
use lsp_types::{
    FoldingRange, FoldingRangeKind, FoldingRangeParams, Position, Range, SelectionRange, SelectionRangeParams,
};
use serde_json::json;

use super::{byte, line_starts, positions, slice, texts};
use crate::support::editor::{Editor, all_capabilities};

const SPEC: &str = r#"// What all share,
// and why.
include "a.kdl"
include "b.kdl"
// #region agents
bottle "x" {
    env {
        A "b"
    }
    egress { allow "a.example.com"; }
    /* three
       lines */
    egress {
        dlp {
            pattern "long" regex="""
                a
                b
                """ severity="high"
        }
    }
} /-{
    gone
}
// #endregion
"#;

fn folds(editor: &mut Editor) -> Vec<FoldingRange> {
    let params = FoldingRangeParams {
        text_document: Editor::id("x.kdl"),
        work_done_progress_params: lsp_types::WorkDoneProgressParams::default(),
        partial_result_params: lsp_types::PartialResultParams::default(),
    };
    editor.ask::<ask::FoldingRangeRequest>(params).expect("folds")
}

fn line_folder() -> Editor {
    let mut capabilities = all_capabilities();
    capabilities["textDocument"]["foldingRange"] = json!({"lineFoldingOnly": true});
    Editor::with(&[], &capabilities)
}

fn selections(editor: &mut Editor, positions: Vec<Position>) -> Vec<SelectionRange> {
    let params = SelectionRangeParams {
        text_document: Editor::id("x.kdl"),
        positions,
        work_done_progress_params: lsp_types::WorkDoneProgressParams::default(),
        partial_result_params: lsp_types::PartialResultParams::default(),
    };
    editor.ask::<ask::SelectionRangeRequest>(params).expect("selections")
}

/// What a fold leaves to be seen, for a client that hides characters.
fn collapsed(text: &str, fold: &FoldingRange) -> String {
    let start = Position::new(fold.start_line, fold.start_character.expect("a character"));
    let end = Position::new(fold.end_line, fold.end_character.expect("a character"));
    let (start, end) = (byte(text, start), byte(text, end));
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let rest = text[end..].lines().next().unwrap_or("");
    format!("{}…{rest}", text[line..start].trim_start())
}

#[test]
fn what_belongs_together_folds() {
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", SPEC);
    let shown: Vec<(String, Option<FoldingRangeKind>)> =
        folds(&mut editor).iter().map(|fold| (collapsed(SPEC, fold), fold.kind.clone())).collect();
    let expected = [
        ("// What all share,…", Some(FoldingRangeKind::Comment)),
        ("include…", Some(FoldingRangeKind::Imports)),
        ("// #region agents…", Some(FoldingRangeKind::Region)),
        ("bottle \"x\" {…} /-{", None),
        ("env {…}", None),
        ("/*…", Some(FoldingRangeKind::Comment)),
        ("egress {…}", None),
        ("dlp {…}", None),
        ("pattern \"long\" regex=\"\"\"… severity=\"high\"", None),
        ("} /-{…}", None),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(text, kind)| (text.to_owned(), kind)).collect();
    assert_eq!(shown, expected);
}

#[test]
fn whole_lines_fold_and_the_closing_one_stays() {
    let mut editor = line_folder();
    editor.open("x.kdl", SPEC);
    let lines: Vec<(u32, u32)> =
        folds(&mut editor).iter().map(|fold| (fold.start_line, fold.end_line)).collect();
    assert_eq!(
        lines,
        [(0, 1), (2, 3), (4, 23), (5, 19), (6, 7), (10, 11), (12, 18), (13, 17), (14, 16), (20, 21)]
    );
}

#[test]
fn a_selection_grows_by_what_belongs_together() {
    let mut editor = Editor::new(&[]);
    let text = "profile \"p\"\nbottle \"x\" {\n    egress {\n        allow \"api.exa<|>mple.com\" \"b\" // why\n    }\n}\n";
    let position = editor.open_at(text);
    let text = text.replace("<|>", "");
    let mut selection = Some(Box::new(selections(&mut editor, vec![position]).remove(0)));
    let mut shown = Vec::new();
    while let Some(it) = selection {
        shown.push(slice(&text, it.range).to_owned());
        selection = it.parent;
    }
    let egress = "egress {\n        allow \"api.example.com\" \"b\" // why\n    }";
    assert_eq!(
        shown,
        [
            "example",
            "api.example.com",
            "\"api.example.com\"",
            "allow \"api.example.com\" \"b\"",
            "allow \"api.example.com\" \"b\" // why",
            &egress["egress ".len()..],
            egress,
            &format!("{{\n    {egress}\n}}"),
            &format!("bottle \"x\" {{\n    {egress}\n}}"),
            &text,
        ]
    );
}

#[test]
fn places_of_every_kind_are_selected() {
    for (text, expected) in [
        ("a k<|>ey=\"v w\" {\n}", &["key", "key=\"v w\"", "a key=\"v w\"", "a key=\"v w\" {\n}"][..]),
        ("a key=\"v <|>w\"", &["w", "v w", "\"v w\"", "key=\"v w\"", "a key=\"v w\""]),
        ("a (ty<|>pe)12", &["type", "(type)12", "a (type)12"]),
        ("// one tw<|>o\nb", &["two", "one two", " one two", "// one two", "// one two\nb"]),
        ("a #\"r w<|>\"#", &["w", "r w", "#\"r w\"#", "a #\"r w\"#"]),
        ("a {\n  b\n<|>\n}", &["\n  b\n\n", "{\n  b\n\n}", "a {\n  b\n\n}"]),
        ("a \"never cl<|>osed", &["closed", "never closed", "\"never closed", "a \"never closed"]),
        ("a;<|>b", &["b", "a;b"]),
    ] {
        let mut editor = Editor::new(&[]);
        let position = editor.open_at(text);
        let text = text.replace("<|>", "");
        let mut selection = Some(Box::new(selections(&mut editor, vec![position]).remove(0)));
        let mut shown = Vec::new();
        while let Some(it) = selection {
            shown.push(slice(&text, it.range).to_owned());
            selection = it.parent;
        }
        assert_eq!(shown, expected, "{text:?}");
    }
}

/// A place that is greater than another one, as both count.
fn key(position: Position) -> (u32, u32) {
    (position.line, position.character)
}

#[test]
fn folds_are_in_bounds_whatever_the_text() {
    let (mut editor, mut by_line) = (Editor::new(&[]), line_folder());
    for text in texts().into_iter().step_by(3) {
        editor.open("x.kdl", &text);
        by_line.open("x.kdl", &text);
        for fold in folds(&mut editor) {
            let start = Position::new(fold.start_line, fold.start_character.expect("a character"));
            let end = Position::new(fold.end_line, fold.end_character.expect("a character"));
            assert!(byte(&text, start) < byte(&text, end) && start.line < end.line, "{fold:?} in {text:?}");
        }
        let lines = u32::try_from(line_starts(&text).len()).expect("short");
        for fold in folds(&mut by_line) {
            assert!(fold.start_line < fold.end_line && fold.end_line < lines, "{fold:?} in {text:?}");
            assert_eq!((fold.start_character, fold.end_character), (None, None));
        }
    }
}

#[test]
fn a_deep_text_is_selected_in_bounded_steps() {
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", &format!("{}b{}", "a {".repeat(1_000), "}".repeat(1_000)));
    let mut steps = 0;
    let mut next = selections(&mut editor, vec![Position::new(0, 3_000)]).pop().map(Box::new);
    while let Some(it) = next {
        steps += 1;
        next = it.parent;
    }
    assert_eq!(steps, 64);
}

#[test]
fn selections_grow_strictly_at_every_place() {
    let mut editor = Editor::new(&[]);
    for text in texts().into_iter().step_by(11) {
        editor.open("x.kdl", &text);
        let mut asked = positions(&text);
        let everything = Range::new(Position::new(0, 0), *asked.last().expect("a position"));
        let step = asked.len().div_ceil(200);
        asked = asked.into_iter().step_by(step.max(1)).collect();
        let found = selections(&mut editor, asked.clone());
        assert_eq!(found.len(), asked.len());
        for (position, first) in asked.into_iter().zip(found) {
            let mut inner = first;
            assert!(key(inner.range.start) <= key(position) && key(position) <= key(inner.range.end));
            while let Some(outer) = inner.parent.take() {
                let (a, b): (Range, Range) = (inner.range, outer.range);
                let grows = key(b.start) <= key(a.start) && key(a.end) <= key(b.end) && a != b;
                assert!(grows, "{a:?} in {b:?} of {text:?}");
                inner = *outer;
            }
            assert_eq!(inner.range, everything);
        }
    }
}
