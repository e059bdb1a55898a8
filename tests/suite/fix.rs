//! Fixes, applied to every case that has one.

use std::collections::{BTreeMap, BTreeSet};

use bottlec::diagnostic::{Applicability, Diagnostic, Diagnostics};
use bottlec::fix;
use bottlec::rule::{self, Group};
use bottlec::source::{Sources, Span};
use bottlec::{Options, compile};
use proptest::prelude::*;

use crate::support::{compile_file, compile_text, root, specs};

/// Rules about the text, not about its meaning: what stands on a line that breaks one is not spoken of.
fn is_about_text(id: &str) -> bool {
    rule::find(id).expect("a rule").group == Group::Text
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

/// Rules that are spoken of only where there is no error: mending the last one brings them to light.
const BESIDE_NO_ERROR: &[&str] = &["accept-unused", "lint-unused", "unused-profile", "unused-sidecar"];

/// Rules whose fix brings a text into force that meant nothing before: a node by its right name, with its block, or a
/// value that is one. What is wrong in that comes to light.
const OPENING: &[&str] = &["unknown-node"];

#[test]
fn each_fix_by_itself_mends_what_it_is_for_and_makes_nothing_new() {
    let mut wrong = Vec::new();
    let mut done = 0;
    let mut paths = specs(&root().join("tests/cases"));
    paths.extend(specs(&root().join("examples")));
    for path in paths {
        let name = path.display().to_string();
        let (sources, compilation) = compile_file(&path);
        let before = said(&compilation.diagnostics);
        for diagnostic in compilation.diagnostics.as_slice() {
            let Some(fix) = &diagnostic.fix else { continue };
            let starts: Vec<u32> = fix.edits.iter().map(|edit| edit.span.start).collect();
            let apart = fix.edits.windows(2).all(|pair| {
                pair[0].span.source != pair[1].span.source || pair[0].span.end <= pair[1].span.start
            });
            assert!(apart && starts.is_sorted(), "{name}: {}", fix.title);
            let mut one = Diagnostics::new();
            one.push(diagnostic.clone());
            let round = fix::round(&sources, &one, true);
            assert_eq!(round.applied, 1, "{name}: {}", fix.title);
            let texts = round.fixed.into_iter().map(|fixed| (fixed.source, fixed.text)).collect();
            let after = compile(&sources.clone().with(&texts), &Options::default()).diagnostics;
            done += 1;
            let id = diagnostic.rule.id;
            let place = diagnostic.primary.span;
            let source = sources.get(place.source);
            let here = source.line_text(source.line_of(place.start)).to_owned();
            let fixed = sources.clone().with(&texts);
            // What is written anew: lines that were not there.
            let old: BTreeSet<&str> = sources.iter().flat_map(|(_, source)| source.text().lines()).collect();
            let is_new = |span: Span| {
                let source = fixed.get(span.source);
                !old.contains(source.line_text(source.line_of(span.start)))
            };
            let places = |it: &Diagnostic| {
                let related = it.related.iter().map(|label| label.span);
                [it.primary.span].into_iter().chain(related).collect::<Vec<_>>()
            };
            let safe = fix.applicability == Applicability::Safe;
            // Several on one line may be alike; then there is one less of them.
            let alike = |diagnostics: &Diagnostics, sources: &Sources| {
                let line = |it: &Diagnostic| {
                    let source = sources.get(it.primary.span.source);
                    source.line_text(source.line_of(it.primary.span.start)).to_owned()
                };
                let of = (id, &diagnostic.message, here.clone());
                diagnostics.as_slice().iter().filter(|it| (it.rule.id, &it.message, line(it)) == of).count()
            };
            if alike(&after, &fixed) >= alike(&compilation.diagnostics, &sources) {
                wrong.push(format!("{name}: {id} is there still after: {}", fix.title));
            }
            if is_about_text(id) || OPENING.contains(&id) {
                continue;
            }
            for new in after.as_slice() {
                let known = before.contains(&(new.rule.id, new.message.clone()));
                // A value that is guessed means something, about which there may be something to say.
                let guessed = !safe && places(new).into_iter().any(is_new);
                if !known && !guessed && !BESIDE_NO_ERROR.contains(&new.rule.id) {
                    wrong.push(format!("{name}: {id}, {}: {}: {}", fix.title, new.rule.id, new.message));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {done}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(done > 100, "{done}");
}

/// Every text of a case with other line ends and a byte order mark. What stands for a line in what a multi-line string says
/// is one line end, whichever it is.
fn dressed(sources: &Sources) -> Sources {
    let texts = sources.files().map(|(id, source)| {
        let text = source.text().replace("\r\n", "\n").replace('\n', "\r\n");
        (id, format!("\u{feff}{}", text.trim_start_matches('\u{feff}')))
    });
    sources.clone().with(&texts.collect())
}

#[test]
fn fixes_keep_line_ends_and_the_byte_order_mark() {
    let mut wrong = Vec::new();
    let mut done = 0;
    for path in specs(&root().join("tests/cases")) {
        let name = path.display().to_string();
        let sources = dressed(&compile_file(&path).0);
        let diagnostics = compile(&sources, &Options::default()).diagnostics;
        for diagnostic in diagnostics.as_slice().iter().filter(|it| it.fix.is_some()) {
            let mut one = Diagnostics::new();
            one.push(diagnostic.clone());
            for fixed in fix::round(&sources, &one, true).fixed {
                done += 1;
                let text = fixed.text.strip_prefix('\u{feff}');
                let alone = |text: &str| text.replace("\r\n", "").contains(['\n', '\r']);
                let before = sources.get(fixed.source).text().trim_start_matches('\u{feff}');
                if text.is_none_or(|text| alone(text) && !alone(before)) {
                    wrong.push(format!("{name}: {}: {:?}", diagnostic.rule.id, diagnostic.fix));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {done}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(done > 100, "{done}");
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
