//! The checks, one topic a file, and the two tables that they are called from.

use crate::diagnostic::Diagnostics;
use crate::model::{Bottle, Layer, Names};
use crate::source::Sources;

pub mod accept;
pub mod boot;
pub(crate) mod cascade;
pub mod container;
mod edit;
pub mod egress;
pub mod egress_scan;
pub mod engine;
pub mod env;
pub mod env_ignored;
pub mod expect;
pub mod expose;
pub mod fleet;
pub mod levels;
pub mod lint;
pub mod loss;
pub mod names;
pub mod personal;
pub mod port_taken;
pub mod queue;
pub mod repo;
pub mod secret_literal;
pub mod unused;

/// The context of a check.
#[derive(Debug)]
pub struct Context<'a, T> {
    /// The layer or the bottle that is checked.
    pub subject: &'a T,
    /// The sources of the compile.
    pub sources: &'a Sources,
    /// Whether what a target holds wider than the spec says it is an error.
    pub strict: bool,
}

/// A check of a layer or of a bottle.
type Check<T> = fn(&Context<'_, T>, &mut Diagnostics);

/// The checks that need one layer only: a profile's or a bottle's own block.
static LAYER: &[Check<Layer>] = &[
    |it, found| loss::check(it.subject, it.strict, found),
    |it, found| names::check(it.subject, found),
    |it, found| env::check(it.subject, found),
    |it, found| boot::check(it.subject, found),
    |it, found| container::check(it.subject, it.sources, found),
    |it, found| personal::check(it.subject, found),
    |it, found| secret_literal::check(it.subject, found),
    |it, found| it.subject.sidecars.iter().for_each(|sidecar| expose::check_sidecar(sidecar, found)),
];

/// The checks that need a whole bottle, with its profiles laid under it.
static BOTTLE: &[Check<Bottle<Names>>] = &[
    |it, found| port_taken::check(it.subject, found),
    |it, found| repo::check(it.subject, found),
    |it, found| expose::check(it.subject, found),
    |it, found| engine::check(it.subject, found),
    |it, found| env::check_bottle(it.subject, found),
    |it, found| env_ignored::check(it.subject, it.sources, found),
    |it, found| egress::check(&it.subject.settings.egress, it.sources, found),
    |it, found| egress_scan::check(&it.subject.settings.egress, found),
    |it, found| expect::check(it.subject, found),
];

/// Runs the checks of a layer.
pub fn layer(context: &Context<'_, Layer>, diagnostics: &mut Diagnostics) {
    LAYER.iter().for_each(|check| check(context, diagnostics));
}

/// Runs the checks of a bottle.
pub fn bottle(context: &Context<'_, Bottle<Names>>, diagnostics: &mut Diagnostics) {
    BOTTLE.iter().for_each(|check| check(context, diagnostics));
}
