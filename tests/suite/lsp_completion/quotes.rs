//! How the string at the cursor is quoted: what of it is replaced, and by what.

use super::{at_mark, edit};
use crate::support::editor::Editor;

#[test]
fn strings_are_told_by_their_quotes() {
    // The text with the cursor in it, the columns of it that are replaced, and what is written there beside the host.
    for (text, expected) in [
        ("<|>", Some((0..0, "\"", "\""))),
        ("api<|>", Some((0..3, "\"", "\""))),
        ("\"<|>", Some((1..1, "", "\""))),
        ("\"<|>\"", Some((1..1, "", ""))),
        ("\"a<|>", Some((1..2, "", "\""))),
        ("\"a<|>\\\"", Some((1..2, "", "\""))),
        ("\"a<|>\\\\\"", Some((1..4, "", ""))),
        ("#\"a<|>\"#", Some((2..3, "", ""))),
        ("##\"a<|>\"#", Some((3..4, "", "\"##"))),
        ("#\"<|>", Some((2..2, "", "\"#"))),
        ("\"\"\"<|>", None),
        ("#\"\"\"a<|>", None),
        ("r\"a<|>\"", None),
    ] {
        let spec = format!("bottle \"x\" {{\n    egress {{\n        allow {text}\n    }}\n}}\n");
        let items = at_mark(&mut Editor::new(&[]), &spec);
        let found = items.iter().find(|item| item.label == "api.anthropic.com").map(|item| {
            let edit = edit(item);
            assert_eq!((edit.range.start.line, edit.range.end.line), (2, 2), "{text}");
            (edit.range.start.character - 14..edit.range.end.character - 14, edit.new_text.clone())
        });
        let expected =
            expected.map(|(range, open, close)| (range, format!("{open}api.anthropic.com{close}")));
        assert_eq!(found, expected, "{text}");
    }
}
