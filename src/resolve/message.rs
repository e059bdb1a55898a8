//! Diagnostics that several steps of the resolution share.

use crate::diagnostic::Diagnostic;
use crate::model::{Name, Spanned};
use crate::resolve::graph::Need;
use crate::rule::Rule;
use crate::rule::catalogue::DUPLICATE_NAME;
use crate::text::quote;

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
