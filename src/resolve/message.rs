//! The rules of names and what they refer to; `resolve`, `scope` and `include` check them.

use crate::diagnostic::Diagnostic;
use crate::model::{Name, Spanned};
use crate::resolve::graph::Need;
use crate::rule::{Rule, rule};
use crate::text::quote;

rule!(DEPENDENCY_CYCLE, "dependency-cycle", Error, "0.1.0", "sidecars need each other in a circle");
rule!(DUPLICATE_NAME, "duplicate-name", Error, "0.1.0", "two things that must be told apart have one name");
rule!(INCLUDE_CYCLE, "include-cycle", Error, "0.1.0", "files include each other in a circle");
rule!(INCLUDE_ESCAPE, "include-escape", Error, "0.1.0", "an include leaves the workspace");
rule!(INCLUDE_UNREADABLE, "include-unreadable", Error, "0.1.0", "a file that is included cannot be read");
rule!(PROFILE_CYCLE, "profile-cycle", Error, "0.1.0", "profiles extend each other in a circle");
rule!(UNKNOWN_PROFILE, "unknown-profile", Error, "0.1.0", "a profile that is extended is not defined");
rule!(
    UNKNOWN_SIDECAR,
    "unknown-sidecar",
    Error,
    "0.1.0",
    "a sidecar that is needed is not part of the bottle"
);

/// "`name` is defined twice", for anything that must be unique.
pub(crate) fn duplicate(what: &str, again: &Spanned<Name>, first: &Spanned<Name>) -> Diagnostic {
    Diagnostic::new(
        &DUPLICATE_NAME,
        again.span,
        format!("{what} {} is defined more than once", quote(&again.value)),
    )
    .label("defined again here")
    .related(first.span, "first defined here")
    .help("rename one of them, or take it out")
}

/// How many steps of a circle are written out; a longer one is not clearer for its length.
const SHOWN_STEPS: usize = 12;

/// "`a` needs `b` needs `a`", each step at its place in the source, beginning with the first.
pub(crate) fn circle<'n>(
    rule: &'static Rule,
    cycle: &[Need],
    what: &str,
    verb: &str,
    name: impl Fn(usize) -> &'n str,
) -> Diagnostic {
    let says = |need: &Need| match need {
        Need { from, to, .. } if from == to => format!("{} {verb} itself", quote(name(*from))),
        Need { from, to, .. } => format!("{} {verb} {}", quote(name(*from)), quote(name(*to))),
    };
    let first = &cycle[0];
    if cycle.len() == 1 {
        return Diagnostic::new(rule, first.span, says(first)).label("itself");
    }
    let mut chain: Vec<String> = cycle.iter().take(SHOWN_STEPS).map(|need| quote(name(need.from))).collect();
    if cycle.len() > SHOWN_STEPS {
        chain.push(format!("{} more", cycle.len() - SHOWN_STEPS));
    }
    chain.push(quote(name(first.from)));
    let message = format!("{what} in a circle: {}", chain.join(" → "));
    let mut diagnostic = Diagnostic::new(rule, first.span, message).label(says(first));
    for need in &cycle[1..cycle.len().min(SHOWN_STEPS)] {
        diagnostic = diagnostic.related(need.span, says(need));
    }
    diagnostic
}
