//! The shape of a document in an editor: folds, selections, colours, layout, and what can be done at a place.

mod actions;
mod layout;
mod structure;
mod tokens;

use std::sync::OnceLock;

use lsp_types::{Position, Range, TextEdit};

use crate::support::{root, specs};

/// Every spec of the project's cases and examples, by its name.
#[allow(clippy::disallowed_methods, reason = "cases are files")]
pub(crate) fn cases() -> &'static [(String, String)] {
    static CASES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    CASES.get_or_init(|| {
        let mut found = Vec::new();
        for directory in ["tests/cases", "tests/layout", "examples"] {
            for path in specs(&root().join(directory)) {
                let name = path.strip_prefix(root()).expect("a file of the project");
                let name = name.to_str().expect("a plain name").to_owned();
                // What is no UTF-8 no editor could send.
                if let Ok(text) = String::from_utf8(std::fs::read(&path).expect("readable")) {
                    found.push((name, text));
                }
            }
        }
        assert!(found.len() > 100);
        found
    })
}

/// The cases, and what they are while somebody types them; with other line ends and characters, too.
pub(crate) fn texts() -> Vec<String> {
    let mut texts = vec![String::new(), String::from("\u{feff}"), String::from("\n"), String::from("\r")];
    for (number, (_, text)) in cases().iter().enumerate() {
        texts.push(text.replace('\n', "\r\n"));
        texts.push(text.replace('\n', "\r"));
        texts.push(format!("\u{feff}{}", text.replace("example", "b\u{f6}tt\u{1f37e}")));
        // Prime, and shifted from case to case, so that the cuts fall everywhere over the cases.
        let cuts = (number % 211..text.len()).step_by(211).filter(|at| text.is_char_boundary(*at));
        texts.extend(cuts.map(|at| text[..at].to_owned()));
        texts.push(text.clone());
    }
    texts
}

/// Where the lines of a text begin, as the protocol has them.
pub(crate) fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = (0..bytes.len()).filter(|at| match bytes[*at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0).chain(ends.map(|at| at + 1)).collect()
}

/// The byte of a position in UTF-16, which must be one of the text.
pub(crate) fn byte(text: &str, position: Position) -> usize {
    let starts = line_starts(text);
    let line = position.line as usize;
    let start = starts[line];
    let end = starts.get(line + 1).copied().unwrap_or(text.len());
    let content = text[start..end].trim_end_matches(['\r', '\n']);
    let mut units = 0;
    for (at, c) in content.char_indices() {
        if units == position.character as usize {
            return start + at;
        }
        units += c.len_utf16();
    }
    assert_eq!(units, position.character as usize, "{position:?} is no place on its line");
    start + content.len()
}

/// The positions of all characters of a text, and of the ends of its lines.
pub(crate) fn positions(text: &str) -> Vec<Position> {
    let mut found = Vec::new();
    let starts = line_starts(text);
    for (line, start) in starts.iter().enumerate() {
        let end = starts.get(line + 1).copied().unwrap_or(text.len());
        let content = text[*start..end].trim_end_matches(['\r', '\n']);
        let mut units = 0;
        let line = u32::try_from(line).expect("short");
        for c in content.chars() {
            found.push(Position::new(line, units));
            units += u32::try_from(c.len_utf16()).expect("short");
        }
        found.push(Position::new(line, units));
    }
    found
}

pub(crate) fn slice(text: &str, range: Range) -> &str {
    &text[byte(text, range.start)..byte(text, range.end)]
}

/// A text after edits, which must not overlap.
pub(crate) fn apply(text: &str, edits: &[TextEdit]) -> String {
    let mut edits: Vec<(usize, usize, &str)> = edits
        .iter()
        .map(|edit| (byte(text, edit.range.start), byte(text, edit.range.end), edit.new_text.as_str()))
        .collect();
    edits.sort_by_key(|(start, end, _)| (*start, *end));
    let mut out = String::new();
    let mut at = 0;
    for (start, end, new) in edits {
        assert!(at <= start && start <= end, "edits overlap");
        out.push_str(&text[at..start]);
        out.push_str(new);
        at = end;
    }
    out + &text[at..]
}
