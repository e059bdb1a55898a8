//! One cause, one diagnostic: broken texts, what is said about each, and the nodes that survive.

use crate::support::syntax::{every_node, found, parse, shown};

/// A broken text, each expected (rule, covered text), and the names of the live nodes in the order of the text.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

include!("recovery_cases.rs");

#[test]
fn broken_texts() {
    let mut failed = String::new();
    for (text, expected, names) in CASES {
        let (tree, diagnostics) = parse(text);
        let found = found(text, &diagnostics);
        let live: Vec<&str> =
            every_node(&tree).iter().filter(|n| !n.is_commented()).map(|n| n.name()).collect();
        let same =
            found.iter().map(|(rule, text)| (rule.as_str(), text.as_str())).eq(expected.iter().copied());
        if !same || live != *names {
            failed.push_str(&format!(
                "{text:?}\n    found {found:?}\n    nodes {live:?}\n{}",
                shown(&diagnostics)
            ));
        }
    }
    assert!(failed.is_empty(), "{failed}");
}
