//! Places, fixes, and what a KDL 1 file says.

use bottlec::syntax::Value;

use crate::support::syntax::{every_node, fixed, parse, shown};

#[test]
fn every_place() {
    let text = "  (t)\"na me\" (u8) 1 k = (\"x\")\"v\\n\" /-2 { c; } // end\n";
    let (tree, diagnostics) = parse(text);
    assert!(diagnostics.is_empty(), "{}", shown(&diagnostics));
    let at = |span: bottlec::source::Span| &text[span.range()];
    let node = tree.nodes().next().unwrap();
    assert_eq!((node.name(), at(node.name_span())), ("na me", "\"na me\""));
    assert_eq!(node.type_annotation().map(|(ty, span)| (ty, at(span))), Some(("t", "t")));
    assert_eq!(at(node.head_span()), "(t)\"na me\" (u8) 1 k = (\"x\")\"v\\n\"");
    assert_eq!(at(node.span()), text.trim().trim_end_matches(" // end"));
    assert_eq!(node.block_span().map(at), Some("{ c; }"));
    let entries: Vec<_> = node.entries().collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (at(entries[0].span()), at(entries[0].value_span()), entries[0].value()),
        ("(u8) 1", "1", Value::Integer(1))
    );
    assert_eq!((at(entries[1].span()), at(entries[1].value_span())), ("k = (\"x\")\"v\\n\"", "\"v\\n\""));
    assert_eq!(entries[1].key().map(|(key, span)| (key, at(span))), Some(("k", "k")));
    assert_eq!(entries[1].type_annotation().map(|(ty, span)| (ty, at(span))), Some(("x", "\"x\"")));
    assert_eq!((entries[1].value(), entries[1].raw_value()), (Value::String("v\n"), "\"v\\n\""));
    assert_eq!(
        node.all_entries()
            .filter(|entry| entry.is_commented())
            .map(|entry| at(entry.span()))
            .collect::<Vec<_>>(),
        ["2"]
    );
    assert_eq!(at(node.children().next().unwrap().span()), "c");
}

/// A fix that may be applied unseen leaves KDL behind, and the same meaning.
#[test]
fn safe_fixes() {
    for (text, expected) in [
        ("a docker.io/x:1\n", "a \"docker.io/x:1\"\n"),
        ("a http://x/y k=ssh://z { b file:///c; }\n", "a \"http://x/y\" k=ssh://z { b file:///c; }\n"),
        ("a { b file:///c}\n", "a { b \"file:///c\"}\n"),
        ("a 'x y' 1\n", "a \"x y\" 1\n"),
        ("a k=\u{201c}x \\ y\u{201d}\n", "a k=\"x \\\\ y\"\n"),
        ("a `x` { b }\n", "a \"x\" { b }\n"),
        ("a=1\n", "a 1\n"),
        ("a = { b }\n", "a { b }\n"),
        ("# x\na\n", "// x\na\n"),
        ("a { b # c }\nd\n", "a { b /* c */ }\nd\n"),
        ("a b// c\n", "a b // c\n"),
        ("a C:\\dir\n", "a \"C:\\\\dir\"\n"),
        ("a\"x\"\n", "a \"x\"\n"),
        ("a .5\n", "a 0.5\n"),
        ("a 0X1F 0B1\n", "a 0x1F 0B1\n"),
        ("a 1, 2\n", "a 1 2\n"),
        ("a \"x\", \"y\"\n", "a \"x\" \"y\"\n"),
        ("a (u8)k=1\n", "a k=(u8)1\n"),
        ("a \"\"\"x \"y\" \"\"\"\n", "a \"x \\\"y\\\" \"\n"),
        ("a \"x\n  y\"\n", "a \"\"\"\nx\n  y\n\"\"\"\n"),
        ("a #\"x\ny\"#\n", "a #\"\"\"\nx\ny\n\"\"\"#\n"),
        ("a \"\"\"\n  x\"\"\"\n", "a \"\"\"\n  x\n  \"\"\"\n"),
        ("a\n{\n  b\n}\n", "a {\n  b\n}\n"),
        ("a { b } c\n", "a { b } ; c\n"),
        ("true 1\n", "\"true\" 1\n"),
    ] {
        let (_, diagnostics) = parse(text);
        let first = &diagnostics.as_slice()[0];
        assert_eq!(fixed(text, first).as_deref(), Some(expected), "{}", shown(&diagnostics));
    }
}

/// No number is rounded, whatever 64 or 128 bits hold.
#[test]
fn numbers_are_what_is_written() {
    let text =
        "a 1e400 -1e-400 0.1000000000000000055 340282366920938463463374607431768211456 1_0.50 #inf 0x10\n";
    let (tree, diagnostics) = parse(text);
    assert!(diagnostics.is_empty(), "{}", shown(&diagnostics));
    let node = tree.nodes().next().unwrap();
    let values: Vec<Value<'_>> = node.entries().map(bottlec::syntax::Entry::value).collect();
    let written = ["1e400", "-1e-400", "0.1000000000000000055", "340282366920938463463374607431768211456"];
    let written = written.into_iter().chain(["1_0.50", "#inf"]).map(Value::Number);
    assert_eq!(values, written.chain([Value::Integer(16)]).collect::<Vec<_>>());
    assert_eq!(crate::support::syntax::laid(text).unwrap().as_deref(), Some(text));
    // What 64 bits make equal is not the same document.
    assert!(!bottlec::format::same(&parse("a 1e400\n").0, &parse("a 1e500\n").0));
}

#[test]
fn kdl_1_becomes_kdl_2() {
    let text = "a true k=null \"x\\/y\" {\n  b r\"c:\\d\" r#\"q\"q\"# \"l1\n  l2\\n\\/\" r\"m1\nm2\"\n  c \"w\n \nx\" r#\"\"\"#\n}\n";
    let (tree, diagnostics) = parse(text);
    let [diagnostic] = diagnostics.as_slice() else { panic!("{}", shown(&diagnostics)) };
    assert_eq!(diagnostic.rule.id, "kdl-v1");
    let new = fixed(text, diagnostic).unwrap();
    let (new_tree, left) = parse(&new);
    assert!(left.is_empty(), "{new}\n{}", shown(&left));
    assert_eq!(crate::support::canonical::print(&tree), crate::support::canonical::print(&new_tree), "{new}");
    let theirs = kdl::KdlDocument::parse_v1(text).unwrap();
    let b = &theirs.nodes()[0].children().unwrap().nodes()[0];
    let ours = every_node(&new_tree)[1];
    let values: Vec<Value<'_>> = ours.entries().map(bottlec::syntax::Entry::value).collect();
    let expected: Vec<Value<'_>> =
        b.entries().iter().map(|e| Value::String(e.value().as_string().unwrap())).collect();
    assert_eq!(values, expected);
}
