//! Semantic tokens.

use std::fmt::Write as _;

use lsp_types::request as ask;
use lsp_types::{
    PartialResultParams, Position, Range, SemanticToken, SemanticTokensParams, SemanticTokensRangeParams,
    SemanticTokensRangeResult, SemanticTokensResult, WorkDoneProgressParams,
};
use serde_json::json;

use super::{line_starts, texts};
use crate::support::assert_snapshot;
use crate::support::editor::{Editor, all_capabilities};

/// A token as it lies in the text: line, column, length, kind and modifiers.
type Placed = (u32, u32, u32, u32, u32);

fn placed(data: &[SemanticToken]) -> Vec<Placed> {
    let (mut line, mut column) = (0, 0);
    data.iter()
        .map(|token| {
            column = if token.delta_line == 0 { column + token.delta_start } else { token.delta_start };
            line += token.delta_line;
            (line, column, token.length, token.token_type, token.token_modifiers_bitset)
        })
        .collect()
}

fn full(editor: &mut Editor) -> Vec<Placed> {
    let params = SemanticTokensParams {
        work_done_progress_params: WorkDoneProgressParams::default(),
        partial_result_params: PartialResultParams::default(),
        text_document: Editor::id("x.kdl"),
    };
    match editor.ask::<ask::SemanticTokensFullRequest>(params) {
        Some(SemanticTokensResult::Tokens(tokens)) => placed(&tokens.data),
        other => panic!("{other:?}"),
    }
}

fn within(editor: &mut Editor, range: Range) -> Vec<Placed> {
    let params = SemanticTokensRangeParams {
        work_done_progress_params: WorkDoneProgressParams::default(),
        partial_result_params: PartialResultParams::default(),
        text_document: Editor::id("x.kdl"),
        range,
    };
    match editor.ask::<ask::SemanticTokensRangeRequest>(params) {
        Some(SemanticTokensRangeResult::Tokens(tokens)) => placed(&tokens.data),
        other => panic!("{other:?}"),
    }
}

/// A line of a text in UTF-16.
fn units(text: &str, line: u32) -> Vec<u16> {
    let starts = line_starts(text);
    let line = line as usize;
    let end = starts.get(line + 1).copied().unwrap_or(text.len());
    text[starts[line]..end].trim_end_matches(['\r', '\n']).encode_utf16().collect()
}

/// The words of a text, each with what it is.
fn described(editor: &mut Editor, text: &str) -> String {
    let legend = editor.capabilities["semanticTokensProvider"]["legend"].clone();
    let mut shown = String::new();
    for (line, column, length, kind, modifiers) in full(editor) {
        let word = &units(text, line)[column as usize..(column + length) as usize];
        write!(shown, "{:>2} {} ", line + 1, legend["tokenTypes"][kind as usize].as_str().expect("a kind"))
            .expect("memory");
        for bit in 0..32 {
            if modifiers & (1 << bit) != 0 {
                write!(shown, "{} ", legend["tokenModifiers"][bit].as_str().expect("a modifier"))
                    .expect("memory");
            }
        }
        writeln!(shown, "| {}", String::from_utf16(word).expect("no half characters")).expect("memory");
    }
    shown
}

#[test]
fn words_are_what_they_mean() {
    let text = r##"/- kdl-version 2
include "a.kdl"   // all of it
profile "p" { env { TERM (text)"xterm" ; } }
bottle "x" {
    extends "p"
    engine "smolvm" version="1.33.0"
    gvproxy "x" /* gone
       since */
    env {
        KEY from-env="HOST_KEY"
        /-OLD "gone"
    }
    egress {
        allow "😀.example.com" /-"no" "b.example.com" odd=1
        rate-limit 600
        dlp { pattern "t" regex=#"a\d"# severity="high" }
        log "all" nothing=#true
    }
    pipelock { needs "db" }
    sidecar "db" image="i" {
        needs "supervise"
        expose "DB_URL" path="/x"
    }
    accept "dns-open" reason="""
        two
        lines
        """
    unknown "value" key=12 {
        allow "x"
    }
    /-network \
        octet=4 {
      a
    }
}
"##;
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", text);
    assert_snapshot("lsp/tokens", &described(&mut editor, text));
}

#[test]
fn tokens_are_ordered_and_on_their_lines_and_a_range_is_a_part_of_them() {
    let mut editor = Editor::new(&[]);
    for text in texts() {
        editor.open("x.kdl", &text);
        let all = full(&mut editor);
        let lines = u32::try_from(line_starts(&text).len()).expect("short");
        let mut last = (0, 0);
        for (line, column, length, ..) in &all {
            assert!((*line, *column) >= last && *length > 0, "{all:?} in {text:?}");
            let line_units = units(&text, *line);
            let end = (column + length) as usize;
            assert!(end <= line_units.len(), "{all:?} in {text:?}");
            String::from_utf16(&line_units[*column as usize..end]).expect("no half characters");
            last = (*line, column + length);
        }
        for (from, to) in [(0, lines / 2), (lines / 3, lines / 2), (lines / 2, lines)] {
            let range = Range::new(Position::new(from, 0), Position::new(to, 0));
            let part: Vec<Placed> = all
                .iter()
                .filter(|(line, column, length, ..)| {
                    ((*line, *column) <= (to, 0)) && ((*line, column + length) >= (from, 0))
                })
                .copied()
                .collect();
            let found = within(&mut editor, range);
            assert_eq!(found, part, "{range:?} of {text:?}");
        }
    }
}

#[test]
fn lengths_are_in_what_the_client_counts_in() {
    for (encoding, expected) in [("utf-8", (6, 6)), ("utf-16", (6, 4)), ("utf-32", (6, 3))] {
        let mut capabilities = all_capabilities();
        capabilities["general"] = json!({"positionEncodings": [encoding]});
        let mut editor = Editor::with(&[], &capabilities);
        editor.open("x.kdl", "allow \"🍾\"\n");
        let tokens = full(&mut editor);
        assert_eq!(tokens.iter().map(|it| (it.1, it.2)).collect::<Vec<_>>(), [expected], "{encoding}");
    }
}

#[test]
fn hostile_texts_are_coloured_in_linear_time() {
    let mut editor = Editor::new(&[]);
    for text in [
        "/-".repeat(200_000),
        "a /-{".repeat(50_000),
        "a {".repeat(1_000) + &"}".repeat(1_000),
        "bottle \"x\" {b \"c\" d=1;}\n".repeat(20_000),
        "\"".repeat(200_000),
        "/*\n".repeat(100_000),
        format!("a {}", "\"x\" ".repeat(100_000)),
        format!("a \"\"\"\n{}\"\"\"", "\n".repeat(300_000)),
    ] {
        editor.open("x.kdl", &text);
        let _ = full(&mut editor);
    }
}
