//! Texts made to hurt.
#![allow(clippy::format_collect, reason = "texts to test with are short")]

use bottlec::syntax::MAX_DEPTH;

use super::{bounded, much};
use crate::support::syntax::{every_node, parse, parse_bytes};

fn rules(text: &str) -> Vec<&'static str> {
    let (tree, diagnostics) = bounded(text.get(..20).unwrap_or(text), || parse(text));
    let mut at = 0;
    for token in tree.tokens() {
        assert_eq!(token.range.start, at);
        at = token.range.end;
    }
    assert_eq!(at as usize, text.len());
    let _ = every_node(&tree).len();
    diagnostics.as_slice().iter().map(|d| d.rule.id).collect()
}

#[test]
fn deep_blocks() {
    let deep = "a {\n".repeat(100_000) + &"}\n".repeat(100_000);
    assert_eq!(rules(&deep), ["nesting-too-deep"]);
    let most = "a {\n".repeat(MAX_DEPTH) + &"}\n".repeat(MAX_DEPTH);
    assert!(rules(&most).is_empty());
    assert_eq!(rules(&"a {".repeat(100_000)), ["nesting-too-deep", "unclosed-brace"]);
}

#[test]
fn bare_braces() {
    let found = rules(&"{".repeat(100_000));
    assert_eq!(found, ["syntax-error", "nesting-too-deep", "unclosed-brace"]);
    assert_eq!(rules(&"}".repeat(100_000)), ["unmatched-brace"]);
}

#[test]
fn nested_slashdash() {
    assert!(rules(&("a /-{ ".repeat(1_000) + &"}".repeat(1_000))).is_empty());
    assert_eq!(rules(&("a /-{ ".repeat(10_000) + &"}".repeat(10_000))), ["nesting-too-deep"]);
}

#[test]
fn nested_comments() {
    assert_eq!(rules(&"/*".repeat(100_000)), ["nesting-too-deep"]);
    assert_eq!(rules(&("/*".repeat(2_000) + &"*/".repeat(2_000))), ["nesting-too-deep"]);
    assert!(rules(&("/*".repeat(1_000) + &"*/".repeat(1_000))).is_empty());
    assert_eq!(rules(&"/*\n".repeat(100_000)), ["nesting-too-deep"]);
}

#[test]
fn storms_stay_linear() {
    for piece in [
        "(",
        "((a) ",
        "\"\"\"",
        "\"\"\"\n",
        "\"\"\"a\n",
        "#\"",
        "##\"a\"# ",
        "r\"",
        "r#\"",
        "\"a\n",
        "\"a\u{85}",
        "\"a\r",
        "\"\\\n\"",
        "a/",
        "[",
        "a [",
        "=",
        "a=",
        "a= ",
        "/-",
        "/- ",
        "\\",
        "\\\n",
        "\\ ",
        ";",
        "#",
        "#t ",
        "true ",
        "a inf ",
        "1e",
        "/*/",
        "*/",
        "/* */ ",
        "\"\"\" ",
        "a \"\"\"\nb \"\"\"\n",
        "a {} ",
        "a {} b=1 ",
        "a {} /-{} ",
        "{}",
        "{\n",
        "}\n",
        "a {\n}\n}\n",
        "  a {\n",
        "\t}\n a {\n",
        "#\"\"\"\n",
        "##\"\"\"\n\"\"\"#\n",
        "\u{202e}",
        "\u{202e}a ",
        "\0",
        "\0a",
        "a \"\\x\"\n",
        "\u{feff}",
        "é",
        "\u{2028}",
        "\"\\\u{202e}",
        "(a)(b",
        "a\\b ",
        "\"x\" \"",
        "a \"x {\n",
        "a 'x ",
        "'",
        "'x' ",
        "'\n",
        "\u{201c}x`y ",
        "a b//c ",
        "a b/*c ",
        "a b/* c */",
        "a b/-c ",
        "b/c//d{",
        "a b//({",
        "{# }",
        "a # }\n",
        "a = ",
        "\"\"\"\"\"\"\n",
    ] {
        let text = piece.repeat(much(400_000) / piece.len());
        rules(&text);
    }
    let decreasing: String = (1..700_usize)
        .rev()
        .map(|n| format!("a {0}\"\"\"\n\"\"\"{1}\n", "#".repeat(n + 1), "#".repeat(n)))
        .collect();
    rules(&decreasing);
    let decreasing: String =
        (1..700_usize).rev().map(|n| format!("{0}\"a\"{1} ", "#".repeat(n + 1), "#".repeat(n))).collect();
    rules(&decreasing);
}

#[test]
fn ten_megabytes_of_one_byte() {
    for byte in 0..=u8::MAX {
        // Every byte at a modest size; the ones that cost most at the full one.
        let full = if cfg!(debug_assertions) { 512 << 10 } else { 10 << 20 };
        let len = if b"{}(\"/#;[=\\a1 \0\xff".contains(&byte) { full } else { much(64 << 10) };
        let (tree, diagnostics) = parse_bytes(&vec![byte; len]);
        assert_eq!(tree.tokens().map(|token| token.range.len()).sum::<usize>(), len);
        assert!(diagnostics.as_slice().len() <= 1_000);
    }
}

#[test]
fn not_text() {
    let found = |bytes: &[u8]| {
        let (_, diagnostics) = parse_bytes(bytes);
        diagnostics
            .as_slice()
            .iter()
            .map(|d| (d.rule.id, d.message.clone(), d.help.join(" ")))
            .collect::<Vec<_>>()
    };
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("bottle \"a\"\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let [(rule, message, help)] = &found(&utf16)[..] else { panic!("{:?}", found(&utf16)) };
    assert_eq!((*rule, message.as_str()), ("invalid-utf8", "the file is not UTF-8: byte 0xff at offset 0"));
    assert!(help.contains("UTF-16"), "{help}");
    let [(rule, message, help)] = &found(b"a \"caf\xe9\"\n\xff {{")[..] else { panic!() };
    assert_eq!((*rule, message.as_str()), ("invalid-utf8", "the file is not UTF-8: byte 0xe9 at offset 6"));
    assert!(!help.contains("UTF-16"), "{help}");
    let bare: Vec<u8> = "bottle \"a\"\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let [(rule, _, help)] = &found(&bare)[..] else { panic!("{:?}", found(&bare)) };
    assert_eq!(*rule, "disallowed-character");
    assert!(help.contains("UTF-16"), "{help}");
    let [(rule, message, _)] = &found(&vec![b' '; (16 << 20) + 1])[..] else { panic!() };
    assert_eq!(*rule, "source-too-large");
    assert!(message.contains("16777217 bytes") && message.contains("16 MiB"), "{message}");
}
