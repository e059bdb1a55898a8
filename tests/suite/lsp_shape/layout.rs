//! Formatting.

use std::sync::LazyLock;

use bottlec::diagnostic::Diagnostics;
use bottlec::format::changes::changes;
use bottlec::format::{format, same};
use bottlec::source::{Source, SourceId, Sources};
use bottlec::syntax::{self, Tree};
use lsp_types::request::{self as ask, Request as _};
use lsp_types::{
    DocumentFormattingParams, DocumentRangeFormattingParams, FormattingOptions, Position, Range, TextEdit,
    WorkDoneProgressParams,
};
use proptest::prelude::*;
use serde_json::json;

use super::{apply, cases, line_starts, slice, texts};
use crate::support::editor::Editor;

fn whole(editor: &mut Editor) -> Vec<TextEdit> {
    let params = DocumentFormattingParams {
        text_document: Editor::id("x.kdl"),
        options: FormattingOptions::default(),
        work_done_progress_params: WorkDoneProgressParams::default(),
    };
    editor.ask::<ask::Formatting>(params).expect("edits")
}

fn lines(editor: &mut Editor, from: u32, to: u32) -> Vec<TextEdit> {
    let params = DocumentRangeFormattingParams {
        text_document: Editor::id("x.kdl"),
        range: Range::new(Position::new(from, 0), Position::new(to, 0)),
        options: FormattingOptions::default(),
        work_done_progress_params: WorkDoneProgressParams::default(),
    };
    editor.ask::<ask::RangeFormatting>(params).expect("edits")
}

fn only(text: &str) -> (Sources, SourceId) {
    let mut sources = Sources::new();
    let id = sources.add(Source::new("x.kdl", text));
    (sources, id)
}

/// What `fmt` makes of a text.
fn laid_out(text: &str) -> Option<String> {
    let (tree, diagnostics) = parsed(text);
    (!diagnostics.has_errors()).then(|| format(&tree).expect("the same document"))
}

fn parsed(text: &str) -> (Tree, Diagnostics) {
    let (sources, id) = only(text);
    let mut diagnostics = Diagnostics::new();
    (syntax::parse(id, sources.get(id), &mut diagnostics), diagnostics)
}

fn tree(text: &str) -> Tree {
    let (tree, diagnostics) = parsed(text);
    assert!(!diagnostics.has_errors(), "{text:?}");
    tree
}

/// Texts that are laid out in many ways.
static MESSY: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut texts = texts();
    texts.retain(|text| laid_out(text).is_some());
    let more: Vec<String> = cases()
        .iter()
        .filter(|(_, text)| laid_out(text).is_some())
        .flat_map(|(_, text)| {
            let wide =
                text.replace("    ", "  \t ").replace('{', "{\n\n\n").replace(" \"", "   \"") + "   \n\n";
            let ends = text.replace("\n    ", " \n;\n".trim_matches('\n')).replace('}', "\n}");
            let continued = text.replace(" \"", " \\ // on\n \"").replace('\n', "\r\n");
            let closed = text.replace("\n}", ";\n\n\n}");
            [wide, ends, continued, closed]
        })
        .filter(|text| laid_out(text).is_some())
        .collect();
    texts.extend(more);
    for hard in [
        "a \\\n\n b",
        "a \\\n b",
        "a \\\n",
        "a \\ // why\n\n\nb",
        "/-\n\na\nb /-\n  c",
        "a {b;c;\n\n}",
        "a{}b{}",
        "a{};b{ }",
        "a \"\"\"\n  x\n    y\n  \"\"\" 1\r\nb",
        "a {\n b \"\"\"\r\n  x\r\n  \"\"\"\n}",
        "a;b;c   \n   ;d".trim_end_matches(";d"),
        "a /* x */   // y   \n\n\n\n// z   ",
        "\u{feff}  a",
        "a\u{85}b\u{2028}  c\u{b}d",
    ] {
        texts.push(hard.to_owned());
    }
    texts.retain(|text| laid_out(text).is_some());
    texts
});

#[test]
fn the_edits_make_what_fmt_makes_and_touch_nothing_but_blanks() {
    let mut editor = Editor::new(&[]);
    let mut changed = 0;
    for text in MESSY.iter() {
        editor.open("x.kdl", text);
        let edits = whole(&mut editor);
        let expected = laid_out(text).expect("a layout");
        assert_eq!(apply(text, &edits), expected, "{text:?}");
        assert_eq!(edits.is_empty(), *text == expected);
        changed += usize::from(!edits.is_empty());
        for edit in &edits {
            let old = slice(text, edit.range);
            let blank =
                |it: &str| it.chars().all(|c| c.is_whitespace() || matches!(c, ';' | '\\' | '\u{feff}'));
            assert!(blank(old) && blank(&edit.new_text), "{edit:?} of {text:?}");
        }
        // A range over everything is everything.
        let end = u32::try_from(line_starts(text).len()).expect("short");
        assert_eq!(lines(&mut editor, 0, end), edits, "{text:?}");
    }
    assert!(changed > 300, "{changed}");
}

#[test]
fn a_broken_text_is_left_alone() {
    let mut editor = Editor::new(&[]);
    let mut broken = 0;
    for text in texts().into_iter().filter(|text| laid_out(text).is_none()) {
        editor.open("x.kdl", &text);
        let params = json!({ "textDocument": Editor::id("x.kdl"), "options": FormattingOptions::default(),
            "range": Range::new(Position::new(0, 0), Position::new(3, 0)) });
        for method in [ask::Formatting::METHOD, ask::RangeFormatting::METHOD] {
            let error = editor.send(method, params.clone()).expect_err("no layout");
            assert!(error.message.starts_with("`x.kdl` is not laid out: line "), "{}", error.message);
            assert!(error.message.contains(" has an error, "), "{}", error.message);
        }
        broken += 1;
    }
    assert!(broken > 100, "{broken}");
}

#[test]
fn lines_are_laid_out_as_fmt_would_and_no_others() {
    let mut editor = Editor::new(&[]);
    for text in MESSY.iter().step_by(5) {
        editor.open("x.kdl", text);
        let all = whole(&mut editor);
        let before = tree(text);
        let count = u32::try_from(line_starts(text).len()).expect("short");
        for from in (0..count).step_by(3) {
            let to = from + 1 + from % 4;
            let edits = lines(&mut editor, from, to);
            for edit in &edits {
                assert!(all.contains(edit), "{edit:?} is none of fmt's in {text:?}");
            }
            assert!(same(&before, &tree(&apply(text, &edits))), "{from}..{to} of {text:?}");
            // A string is laid out as a whole.
            let strings = text.contains("\"\"\"");
            let inside = |edit: &TextEdit| edit.range.start.line >= from && edit.range.end.line <= to;
            assert!(strings || edits.iter().all(inside), "{from}..{to} of {text:?}: {edits:?}");
        }
    }
}

#[test]
fn one_line_is_indented_by_itself() {
    let mut editor = Editor::new(&[]);
    let text = "a {  \n  b   1 \n\n\n c   2\n}\n";
    editor.open("x.kdl", text);
    let edits = lines(&mut editor, 1, 2);
    assert_eq!(apply(text, &edits), "a {  \n    b 1\n\n\n c   2\n}\n");
    let edits = lines(&mut editor, 1, 5);
    assert_eq!(apply(text, &edits), "a {  \n    b 1\n\n    c 2\n}\n");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Any part of the changes leaves the document what it is.
    #[test]
    fn a_part_of_a_layout_changes_no_meaning(
        text in any::<prop::sample::Index>(),
        wanted in prop::collection::vec(any::<bool>(), 1..40),
    ) {
        let text = text.get(&MESSY);
        let all = changes(&tree(text)).expect("the same document");
        let mut out = String::new();
        let mut at = 0;
        let some = all.iter().enumerate().filter(|(n, _)| wanted[n % wanted.len()]);
        for (span, new) in some.flat_map(|(_, change)| &change.edits) {
            out.push_str(&text[at..span.range().start]);
            out.push_str(new);
            at = span.range().end;
        }
        out.push_str(&text[at..]);
        prop_assert!(same(&tree(text), &tree(&out)), "{:?}", out);
    }
}
