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
        Value::Float(value) if value.is_nan() => write!(out, "#nan"),
        Value::Float(value) if value.is_infinite() => {
            write!(out, "#{}inf", if value < 0.0 { "-" } else { "" })
        }
        Value::Float(value) if entry.raw_value().contains(['e', 'E']) => {
            exponent(out, value, entry.raw_value());
            Ok(())
        }
        Value::Float(value) => write!(out, "{value:?}"),
        Value::Bool(value) => write!(out, "#{value}"),
        Value::Null => write!(out, "#null"),
    };
}

/// The suite keeps the exponent as it is written, in upper case and with a sign.
fn exponent(out: &mut String, _: f64, raw: &str) {
    let raw = raw.replace('_', "").to_uppercase();
    let (mantissa, exponent) = raw.split_once('E').expect("a number with an exponent");
    let sign = if exponent.starts_with(['+', '-']) { "" } else { "+" };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let _ = write!(out, "{mantissa}{point}E{sign}{exponent}");
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
