//! The pages of the syntax rules: each example does what the page says.

use bottlec::rule;

use crate::support::syntax::{parse, shown};

/// The fences of a page: their information string and their text.
fn fences(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push((info.to_owned(), text.join("\n") + "\n"));
        }
    }
    found
}

/// Rules whose failing example cannot stand in Markdown; `hostile` has one.
const NO_EXAMPLE: [&str; 3] = ["invalid-utf8", "nesting-too-deep", "source-too-large"];

const RULES: [&str; 14] = [
    "disallowed-character",
    "invalid-escape",
    "invalid-multi-line-string",
    "invalid-number",
    "invalid-utf8",
    "kdl-v1",
    "nesting-too-deep",
    "reserved-word",
    "source-too-large",
    "syntax-error",
    "unclosed-brace",
    "unclosed-comment",
    "unclosed-string",
    "unmatched-brace",
];

#[test]
fn examples() {
    for id in RULES {
        let rule = rule::find(id).unwrap();
        assert!(rule.page.starts_with(&format!("# {id}\n")), "{id}");
        for section in ["\n## Why\n", "\n## Example\n", "\n## Instead\n"] {
            assert!(rule.page.contains(section), "{id} lacks {section}");
        }
        let fences = fences(rule.page);
        let fails = fences.iter().filter(|(info, _)| info == "kdl fails").count();
        assert_eq!(fails == 0, NO_EXAMPLE.contains(&id), "{id}");
        for (info, text) in &fences {
            let (_, diagnostics) = parse(text);
            let found: Vec<&str> = diagnostics.as_slice().iter().map(|d| d.rule.id).collect();
            match info.as_str() {
                "kdl fails" => assert_eq!(found, [id], "{text}{}", shown(&diagnostics)),
                "kdl" => assert!(found.is_empty(), "{id}:\n{text}{}", shown(&diagnostics)),
                info => assert_eq!(info, "text", "{id}"),
            }
        }
    }
}
