//! Prints a tree as the conformance suite's expected documents are printed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bottlec::syntax::{Entry, Node, Nodes, Tree, Value};

pub(crate) fn print(tree: &Tree) -> String {
    let mut out = String::new();
    nodes(&mut out, tree.nodes(), 0);
    out
}

fn nodes(out: &mut String, nodes: Nodes<'_>, depth: usize) {
    for node in nodes {
        self::node(out, node, depth);
    }
}

fn node(out: &mut String, node: Node<'_>, depth: usize) {
    out.push_str(&"    ".repeat(depth));
    annotation(out, node.type_annotation().map(|(ty, _)| ty));
    string(out, node.name());
    let mut properties = BTreeMap::new();
    for entry in node.entries() {
        if let Some((key, _)) = entry.key() {
            properties.insert(key, entry);
        } else {
            out.push(' ');
            value(out, entry);
        }
    }
    for (key, entry) in properties {
        out.push(' ');
        string(out, key);
        out.push('=');
        value(out, entry);
    }
    if node.children().next().is_some() {
        out.push_str(" {\n");
        nodes(out, node.children(), depth + 1);
        out.push_str(&"    ".repeat(depth));
        out.push('}');
    }
    out.push('\n');
}

fn annotation(out: &mut String, ty: Option<&str>) {
    if let Some(ty) = ty {
        out.push('(');
        string(out, ty);
        out.push(')');
    }
}

fn value(out: &mut String, entry: Entry<'_>) {
    annotation(out, entry.type_annotation().map(|(ty, _)| ty));
    let _ = match entry.value() {
        Value::String(text) => {
            string(out, text);
            Ok(())
        }
        Value::Integer(value) => write!(out, "{value}"),
        Value::Number(number) if number.starts_with('#') => write!(out, "{number}"),
        Value::Number(number) => {
            decimal(out, number);
            Ok(())
        }
        Value::Bool(value) => write!(out, "#{value}"),
        Value::Null => write!(out, "#null"),
    };
}

/// A number as the suite prints it: as it is written, without `_` and `+`, the exponent in upper case and with a sign.
fn decimal(out: &mut String, written: &str) {
    let number = written.replace('_', "").to_uppercase();
    let number = number.strip_prefix('+').unwrap_or(&number);
    let _ = match number.split_once('E') {
        Some((mantissa, exponent)) => {
            let sign = if exponent.starts_with(['+', '-']) { "" } else { "+" };
            write!(out, "{mantissa}E{sign}{exponent}")
        }
        None => write!(out, "{number}"),
    };
}

fn string(out: &mut String, text: &str) {
    if is_bare(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn is_bare(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let dotless = unsigned.strip_prefix('.').unwrap_or(unsigned);
    !text.is_empty()
        && !unsigned.starts_with(|c: char| c.is_ascii_digit())
        && !dotless.starts_with(|c: char| c.is_ascii_digit())
        && !matches!(text, "true" | "false" | "null" | "inf" | "-inf" | "nan")
        && !text.contains(|c: char| {
            c.is_control()
                || c.is_whitespace()
                || matches!(c, '\\' | '/' | '(' | ')' | '{' | '}' | ';' | '[' | ']' | '"' | '#' | '=')
        })
}
