//! Every spec of the tests and examples, broken ones among them, and what an editor does to a text.

use std::fs;
use std::path::Path;

use lsp_types::{Position, Range, TextEdit};

/// The specs below a directory of the repository, in order.
pub(crate) fn below(directory: &str) -> Vec<String> {
    let mut texts = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut texts);
    assert!(!texts.is_empty(), "{directory} has specs");
    texts
}

fn collect(directory: &Path, texts: &mut Vec<String>) {
    let mut entries: Vec<_> =
        fs::read_dir(directory).expect("a directory").flatten().map(|it| it.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, texts);
        } else if path.extension().is_some_and(|end| end == "kdl") {
            texts.push(String::from_utf8_lossy(&fs::read(&path).expect("a file")).into_owned());
        }
    }
}

/// Every spec as it is, with other line ends, and cut off at some of its bytes.
pub(crate) fn whole_and_broken() -> Vec<String> {
    let mut all = Vec::new();
    for text in [below("examples"), below("tests/cases")].concat() {
        // Prime, so that the cuts fall everywhere over the files.
        let cuts = (0..text.len()).step_by(499).filter(|at| text.is_char_boundary(*at));
        all.extend(cuts.map(|at| text[..at].to_owned()));
        all.push(text.replace('\n', "\r\n"));
        all.push(format!("\u{feff}/* \u{1f37e} */ {text}"));
        all.push(text);
    }
    all
}

/// The position of a byte, in UTF-16.
pub(crate) fn position(text: &str, offset: usize) -> Position {
    let before = &text[..offset];
    let line = before.replace("\r\n", "\n").replace('\r', "\n").matches('\n').count();
    let start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let units = before[start..].encode_utf16().count();
    Position::new(u32::try_from(line).expect("short"), u32::try_from(units).expect("short"))
}

/// The byte of a position, in UTF-16; nothing when it is none of the text.
pub(crate) fn offset(text: &str, position: Position) -> Option<usize> {
    let mut starts = vec![0];
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
            starts.push(at + 1);
        }
    }
    let start = *starts.get(position.line as usize)?;
    let line = text[start..].split(['\n', '\r']).next().unwrap_or_default();
    let mut units = 0;
    for (at, c) in line.char_indices() {
        if units == position.character as usize {
            return Some(start + at);
        }
        units += c.len_utf16();
    }
    (units == position.character as usize).then_some(start + line.len())
}

/// The bytes of a range; nothing when it is none of the text.
pub(crate) fn bytes(text: &str, range: Range) -> Option<std::ops::Range<usize>> {
    let (start, end) = (offset(text, range.start)?, offset(text, range.end)?);
    (start <= end).then_some(start..end)
}

/// The text after an edit, and where what was written ends.
pub(crate) fn apply(text: &str, edit: &TextEdit, written: &str) -> (String, usize) {
    let range = bytes(text, edit.range).expect("a range of the text");
    let end = range.start + written.len();
    (format!("{}{written}{}", &text[..range.start], &text[range.end..]), end)
}

/// What a snippet leaves when its suggestions are taken, and the first of each choice.
pub(crate) fn expand(snippet: &str) -> String {
    let mut plain = String::new();
    let mut chars = snippet.chars().peekable();
    // Whether within the braces of a place.
    let mut inside = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next().expect("an escaped character")),
            '}' if inside => inside = false,
            '$' => {
                let braces = chars.next_if_eq(&'{').is_some();
                let mut digits = 0;
                while chars.next_if(char::is_ascii_digit).is_some() {
                    digits += 1;
                }
                assert!(digits > 0, "a place has a number: {snippet}");
                if !braces {
                    continue;
                }
                match chars.next() {
                    Some(':') => inside = true,
                    Some('|') => {
                        let choice: String = chars.by_ref().take_while(|c| *c != '|').collect();
                        plain.push_str(choice.split(',').next().unwrap_or_default());
                        assert_eq!(chars.next(), Some('}'), "{snippet}");
                    }
                    other => panic!("{other:?} in {snippet}"),
                }
            }
            c => plain.push(c),
        }
    }
    assert!(!inside, "{snippet}");
    plain
}
