//! What the tests of the front end share.
#![allow(clippy::format_collect, reason = "a failure message is built once")]

use bottlec::diagnostic::{Diagnostic, Diagnostics};
use bottlec::format::{format, same};
use bottlec::source::{Source, Sources};
use bottlec::syntax::{self, Node, Tree};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// Parses `text` alone.
pub(crate) fn parse(text: &str) -> (Tree, Diagnostics) {
    parse_bytes(text.as_bytes())
}

/// Parses `bytes` alone.
pub(crate) fn parse_bytes(bytes: &[u8]) -> (Tree, Diagnostics) {
    let mut sources = Sources::new();
    let id = sources.add(Source::from_bytes("test.kdl", bytes.to_vec()));
    let mut diagnostics = Diagnostics::new();
    let tree = syntax::parse(id, sources.get(id), &mut diagnostics);
    (tree, diagnostics)
}

/// Each diagnostic as its rule and the text that it covers.
pub(crate) fn found(text: &str, diagnostics: &Diagnostics) -> Vec<(String, String)> {
    diagnostics
        .as_slice()
        .iter()
        .map(|d| (d.rule.id.to_owned(), text[d.primary.span.range()].to_owned()))
        .collect()
}

/// Diagnostics for a failure message.
pub(crate) fn shown(diagnostics: &Diagnostics) -> String {
    diagnostics
        .as_slice()
        .iter()
        .map(|d| {
            format!("  {:?} {}: {} ({})\n", d.primary.span.range(), d.rule.id, d.message, d.primary.message)
        })
        .collect()
}

/// Every node in the order of the text, also those commented out.
pub(crate) fn every_node(tree: &Tree) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    let mut open = vec![tree.all_nodes()];
    while let Some(nodes) = open.last_mut() {
        match nodes.next() {
            Some(node) => {
                found.push(node);
                open.push(node.all_children());
            }
            None => {
                open.pop();
            }
        }
    }
    found
}

/// Applies a diagnostic's fix.
pub(crate) fn fixed(text: &str, diagnostic: &Diagnostic) -> Option<String> {
    let fix = diagnostic.fix.as_ref()?;
    let mut out = String::new();
    let mut at = 0;
    for edit in &fix.edits {
        let range = edit.span.range();
        assert!(range.start >= at, "edits must be ordered and apart: {fix:?}");
        out.push_str(&text[at..range.start]);
        out.push_str(&edit.replacement);
        at = range.end;
    }
    out.push_str(&text[at..]);
    Some(out)
}

/// Checks many texts: the same ones each time, so that a change is judged by what it changes, and others with
/// `BOTTLEC_EXPLORE=1`, to look for what nobody thought of. Strategies and the `kdl` crate recurse deeply in a debug build, so that they get a large stack.
pub(crate) fn for_all<S: Strategy<Value = String>>(
    texts: impl FnOnce() -> S + Send + 'static,
    check: impl Fn(String) -> Result<(), TestCaseError> + Send + 'static,
) {
    let default = ProptestConfig::default();
    let explore = std::env::var_os("BOTTLEC_EXPLORE").is_some_and(|value| value == "1");
    let rng_seed = if explore { RngSeed::Random } else { RngSeed::Fixed(0x000b_0771_ec00) };
    let config =
        ProptestConfig { cases: default.cases.max(1_000), failure_persistence: None, rng_seed, ..default };
    let run = move || TestRunner::new(config).run(&texts(), check).map_err(|error| error.to_string());
    let outcome = std::thread::Builder::new().stack_size(256 << 20).spawn(run).unwrap().join().unwrap();
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Lays a text out; nothing when it has a syntax error.
pub(crate) fn laid(text: &str) -> Result<Option<String>, TestCaseError> {
    let (tree, diagnostics) = parse(text);
    let laid = (!diagnostics.has_errors()).then(|| format(&tree)).transpose();
    laid.map_err(|error| TestCaseError::fail(format!("{error}: {text:?}")))
}

/// What holds for the layout of every text without a syntax error; what is left to look at.
pub(crate) fn check_layout(text: &str) -> Result<Option<String>, TestCaseError> {
    let Some(once) = laid(text)? else { return Ok(None) };
    let twice = laid(&once)?;
    prop_assert_eq!(twice.as_deref(), Some(once.as_str()), "laid out twice differs: {:?}", text);
    let ((before, _), (after, diagnostics)) = (parse(text), parse(&once));
    prop_assert!(diagnostics.is_empty() || !parse(text).1.is_empty(), "{:?}\n{:?}", text, once);
    prop_assert!(same(&before, &after), "{:?}\n{:?}", text, once);
    prop_assert!(!once.ends_with("\n\n") && !once.starts_with(['\n', ' ']), "{:?}\n{:?}", text, once);
    Ok(Some(once))
}
