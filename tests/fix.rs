//! Fixes, applied to every case that has one.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use bottlec::diagnostic::Diagnostics;
use bottlec::fix;
use bottlec::rules;
use bottlec::source::Sources;
use bottlec::{Options, compile};
use proptest::prelude::*;
use support::{compile_file, compile_text, root, specs};

/// Rules about the text, not about its meaning: what stands on a line that breaks one is not spoken of.
fn is_about_text(id: &str) -> bool {
    let rule = rules::find(id).expect("a rule");
    [
        &rules::syntax::DISALLOWED_CHARACTER,
        &rules::syntax::INVALID_ESCAPE,
        &rules::syntax::INVALID_MULTI_LINE_STRING,
        &rules::syntax::INVALID_NUMBER,
        &rules::syntax::INVALID_UTF8,
        &rules::syntax::KDL_V1,
        &rules::syntax::NESTING_TOO_DEEP,
        &rules::syntax::RESERVED_WORD,
        &rules::syntax::SOURCE_TOO_LARGE,
        &rules::syntax::SYNTAX_ERROR,
        &rules::syntax::UNCLOSED_BRACE,
        &rules::syntax::UNCLOSED_COMMENT,
        &rules::syntax::UNCLOSED_STRING,
        &rules::syntax::UNMATCHED_BRACE,
    ]
    .contains(&rule)
}

fn said(diagnostics: &Diagnostics) -> BTreeSet<(&'static str, String)> {
    diagnostics.as_slice().iter().map(|it| (it.rule.id, it.message.clone())).collect()
}

/// Fixes until nothing is left to fix. Where each mistake stands `alone`, no fix may make another.
fn fixed(mut sources: Sources, unchecked: bool, alone: bool, name: &str) -> (Sources, Diagnostics, usize) {
    let mut total = 0;
    for _ in 0..40 {
        let diagnostics = compile(&sources, &Options::default()).diagnostics;
        let round = fix::round(&sources, &diagnostics, unchecked);
        if round.applied == 0 {
            assert!(round.fixed.is_empty());
            return (sources, diagnostics, total);
        }
        total += round.applied;
        let texts: BTreeMap<_, _> = round.fixed.into_iter().map(|fixed| (fixed.source, fixed.text)).collect();
        let before = said(&diagnostics);
        sources = sources.with(&texts);
        let after = compile(&sources, &Options::default()).diagnostics;
        let textual = before.iter().any(|(id, _)| is_about_text(id));
        if alone && !textual {
            let new: Vec<_> = said(&after).difference(&before).cloned().collect();
            assert!(new.is_empty(), "{name}: a fix made {new:?}");
        }
    }
    panic!("{name}: fixes do not end");
}

#[test]
fn a_safe_fix_makes_no_new_diagnostic_and_fixing_twice_changes_nothing() {
    let mut total = 0;
    for path in specs(&root().join("tests/cases/err")) {
        let name = path.display().to_string();
        let (sources, _) = compile_file(&path);
        let texts: Vec<String> = sources.iter().map(|(_, source)| source.text().to_string()).collect();
        let (sources, _, applied) = fixed(sources, false, true, &name);
        total += applied;
        let after: Vec<String> = sources.iter().map(|(_, source)| source.text().to_string()).collect();
        assert!(applied > 0 || texts == after, "{name}");
        let (again, _, none) = fixed(sources, false, true, &name);
        assert_eq!(none, 0, "{name}");
        assert_eq!(again.iter().map(|(_, source)| source.text().to_string()).collect::<Vec<_>>(), after);
    }
    assert!(total >= 4, "{total}");
}

#[test]
fn unchecked_fixes_end_as_well() {
    for path in specs(&root().join("tests/cases/err")) {
        let (sources, compilation) = compile_file(&path);
        let before = compilation.diagnostics.as_slice().len();
        let (_, diagnostics, applied) = fixed(sources, true, false, &path.display().to_string());
        assert!(applied == 0 || diagnostics.as_slice().len() <= before.max(40), "{}", path.display());
    }
}

/// What somebody's finger may do to a spec.
const SLIPS: &[&str] = &[
    "", ",", ";", "\"", "'", "{", "}", "(", ")", "=", "#", "true", "null", "/*", "//", "/-", "\\", "\n",
    ".5", "1_", "0x", "\"\"\"", "é", "\u{feff}", "#true", "r\"x\"", "key = 1", "a,b", "{}{", "5432",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is broken: fixing ends, and is done when it is done. What one mistake hides, such as a brace in the wrong
    /// place, comes to light when that is fixed, so there may be more to say than before.
    #[test]
    fn slips_are_fixed_until_nothing_is_left_to_fix(
        example in prop::sample::select(vec!["api-dev", "database", "egress-only", "git-only", "supervised"]),
        slips in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, prop::sample::select(SLIPS)), 1..4),
    ) {
        #[allow(clippy::disallowed_methods, reason = "the examples are files")]
        let mut text = std::fs::read_to_string(root().join("examples").join(format!("{example}.kdl"))).expect("an example");
        for (at, gone, slip) in slips {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let n = at.index(places.len());
            let (start, end) = (places[n], places.get(n + gone).copied().unwrap_or(text.len()));
            text.replace_range(start..end, slip);
        }
        let (sources, _) = compile_text("x.kdl", &text);
        let (sources, _, _) = fixed(sources, false, false, &text);
        let (_, _, again) = fixed(sources, false, false, &text);
        prop_assert_eq!(again, 0);
    }
}
