//! Where the `kdl` crate accepts a text, so do we, and both read the same.

use bottlec::syntax::{Entry, Node, Nodes, Value};
use kdl::{KdlDocument, KdlEntry, KdlNode, KdlValue};
use proptest::prelude::*;

use super::generate;
use crate::support::syntax::{for_all, parse, shown};

fn same_value(ours: Value<'_>, theirs: &KdlValue) -> bool {
    match (ours, theirs) {
        (Value::String(a), KdlValue::String(b)) => a == b,
        (Value::Integer(a), KdlValue::Integer(b)) => a == *b,
        (Value::Number(a), KdlValue::Float(b)) => {
            let a: f64 = a.trim_start_matches('#').replace('_', "").parse().unwrap();
            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
        }
        (Value::Bool(a), KdlValue::Bool(b)) => a == *b,
        (Value::Null, KdlValue::Null) => true,
        _ => false,
    }
}

fn same_entry(ours: Entry<'_>, theirs: &KdlEntry) -> bool {
    ours.key().map(|(key, _)| key) == theirs.name().map(kdl::KdlIdentifier::value)
        && ours.type_annotation().map(|(ty, _)| ty) == theirs.ty().map(kdl::KdlIdentifier::value)
        && same_value(ours.value(), theirs.value())
}

fn same_node(ours: Node<'_>, theirs: &KdlNode) -> bool {
    ours.name() == theirs.name().value()
        && ours.type_annotation().map(|(ty, _)| ty) == theirs.ty().map(kdl::KdlIdentifier::value)
        && ours.entries().count() == theirs.entries().len()
        && ours.entries().zip(theirs.entries()).all(|(a, b)| same_entry(a, b))
        && same_nodes(ours.children(), theirs.children().map_or(&[], |children| children.nodes()))
}

pub(crate) fn same_nodes(ours: Nodes<'_>, theirs: &[KdlNode]) -> bool {
    ours.clone().count() == theirs.len() && ours.zip(theirs).all(|(a, b)| same_node(a, b))
}

/// Why the `kdl` crate's word does not count for `text`: it deviates from the KDL 2 specification there.
pub(crate) fn deviates(text: &str) -> bool {
    DEVIATIONS.iter().any(|(_, applies)| applies(text))
}

fn is_newline(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a mark of a comment stands right behind what may be a bare string.
fn runs_on(text: &str) -> bool {
    ["//", "/*", "/-"].iter().flat_map(|mark| text.match_indices(mark)).any(|(at, _)| {
        text[..at].ends_with(|c: char| !c.is_whitespace() && !is_newline(c) && !"\"(){};=/\\".contains(c))
    })
}

type Deviation = (&'static str, fn(&str) -> bool);

const DEVIATIONS: &[Deviation] = &[
    ("accepts U+007F, which the suite refuses (unicode_delete_fail)", |text| text.contains('\u{7f}')),
    ("accepts disallowed code points in comments, though they may stand nowhere in a document", |text| {
        text.contains(['\u{202e}', '\u{feff}'])
    }),
    (
        "accepts a raw string on one line whose text begins with two quotes, which the grammar keeps for `\"\"\"`",
        |text| text.split("#\"\"\"").skip(1).any(|rest| !rest.starts_with(is_newline)),
    ),
    ("accepts the prefixes `0X`, `0O` and `0B`, which the grammar has in lower case only", |text| {
        text.contains(['X', 'O', 'B'])
    }),
    (
        "accepts a node right behind one that is commented out and ends with a block, without a line end",
        |text| {
            text.contains("/-")
                && text.split('}').skip(1).any(|rest| {
                    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() && !is_newline(c));
                    !rest.is_empty() && !rest.starts_with(|c| is_newline(c) || c == ';')
                })
        },
    ),
    ("reads a text that says `kdl-version 1` as KDL 2, and we say that it is KDL 1", |text| {
        text.contains("kdl-version 1")
    }),
    (
        "takes what follows a bare string without a blank for a comment, where a URL or a pattern is meant",
        |text| ["//", "/*", "/-"].iter().any(|mark| text.contains(mark)) && runs_on(text),
    ),
    ("takes the quotes of other languages for a part of a bare string", |text| {
        text.contains([
            '\'', '`', '\u{b4}', '\u{2018}', '\u{201a}', '\u{201b}', '\u{201c}', '\u{201d}', '\u{201e}',
            '\u{ab}',
        ])
    }),
    ("accepts a bare `-inf`, which the suite refuses", |text| text.contains("-inf")),
    (
        "accepts an entry right behind a keyword that is commented out, without a blank (`/-#true-a`)",
        |text| {
            text.contains("/-")
                && ["#true", "#false", "#null", "#inf", "#-inf", "#nan"].iter().any(|keyword| {
                    text.split(keyword).skip(1).any(|rest| {
                        !rest.is_empty()
                            && !rest.starts_with(|c: char| {
                                c.is_whitespace() || is_newline(c) || ";}\\/".contains(c)
                            })
                    })
                })
        },
    ),
];

fn agrees(text: &str) -> Result<(), TestCaseError> {
    let (tree, diagnostics) = parse(text);
    if deviates(text) {
        return Ok(());
    }
    if let Ok(theirs) = KdlDocument::parse_v2(text) {
        prop_assert!(diagnostics.is_empty(), "kdl accepts, we refuse {:?}\n{}", text, shown(&diagnostics));
        prop_assert!(
            same_nodes(tree.nodes(), theirs.nodes()),
            "{:?}\nours {:#?}\ntheirs {:#?}",
            text,
            crate::support::canonical::print(&tree),
            theirs
        );
    }
    Ok(())
}

#[test]
fn on_documents() {
    for_all(generate::document, |text| agrees(&text));
}

#[test]
fn on_mutated_documents() {
    for_all(generate::mutated, |text| agrees(&text));
}

#[test]
fn on_small_texts() {
    for_all(|| r##"[a"#{}()=;/\-*\\ \n.0x1_e+r,]{0,14}"##, |text| agrees(&text));
}
