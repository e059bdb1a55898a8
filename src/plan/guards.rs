//! Guards: what a spec demands of itself, and what it answers for.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Context, Traced};
use crate::model::{Accept, Expectation, Lint, LintEntry, Spanned};
use crate::rule::Setting;
use crate::world::host::Verdict;

/// A rule that the spec answers for: one that it breaks, or whose level it sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Answered")]
pub struct Answered {
    /// The rule's id.
    pub rule: String,
    /// Why it may be broken, or has that level.
    pub reason: Traced<String>,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

/// A test of the policy, which held when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Expectation")]
pub struct PlannedExpectation {
    /// A host or an address, perhaps with a port.
    pub target: String,
    /// What is expected of it: `allowed` or `refused`.
    pub verdict: Verdict,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

/// By rule, then in the order of the layers.
pub(super) fn accepted(accepts: Vec<Accept>, context: &Context<'_>) -> Vec<Traced<Answered>> {
    let answered = accepts.into_iter().map(|Accept { rule, reason }| answered(rule, Some(reason), context));
    by_rule(answered)
}

/// By rule, then in the order of the files and of the layers.
pub(super) fn lint_allowed(lints: &[Lint], context: &Context<'_>) -> Vec<Traced<Answered>> {
    by_rule(set_to(Setting::Allow, context.lints.iter().copied().chain(lints), context))
}

/// What the bottle or a profile of it denies, each once: nothing there lifts that. Of what no block of it sets, what each
/// file denies. By rule, then in the order of the files.
pub(super) fn lint_denied(lints: &[Lint], context: &Context<'_>) -> Vec<Traced<Answered>> {
    let mut denied: Vec<Traced<Answered>> = by_rule(set_to(Setting::Deny, lints, context));
    denied.dedup_by(|a, b| a.rule == b.rule);
    let set: BTreeSet<&str> =
        lints.iter().flat_map(|lint| &lint.entries).map(|entry| entry.rule.value.as_str()).collect();
    let files = set_to(Setting::Deny, context.lints.iter().copied(), context);
    by_rule(denied.into_iter().chain(files.filter(|deny| !set.contains(deny.rule.as_str()))))
}

/// By target, then by verdict; each once.
pub(super) fn expectations(
    expectations: Vec<Expectation>,
    context: &Context<'_>,
) -> Vec<Traced<PlannedExpectation>> {
    let planned = |Expectation { verdict, target: Spanned { value: target, span } }| {
        context.cited(span, |origin| PlannedExpectation { target: target.to_string(), verdict, origin })
    };
    let mut planned: Vec<_> = expectations.into_iter().map(planned).collect();
    planned.sort_by(|a, b| (&a.target, a.verdict).cmp(&(&b.target, b.verdict)));
    planned.dedup_by(|a, b| (&a.target, a.verdict) == (&b.target, b.verdict));
    planned
}

fn set_to<'a>(
    setting: Setting,
    lints: impl IntoIterator<Item = &'a Lint>,
    context: &Context<'_>,
) -> impl Iterator<Item = Traced<Answered>> {
    let entries = lints.into_iter().flat_map(|lint| &lint.entries);
    entries.filter(move |entry| entry.setting == setting).map(
        |LintEntry { setting: _, rule, reason, node: _ }| answered(rule.clone(), reason.clone(), context),
    )
}

fn answered(
    rule: Spanned<String>,
    reason: Option<Spanned<String>>,
    context: &Context<'_>,
) -> Traced<Answered> {
    let reason = context.traced_or(reason, String::new());
    context.cited(rule.span, |origin| Answered { rule: rule.value, reason, origin })
}

fn by_rule(answered: impl Iterator<Item = Traced<Answered>>) -> Vec<Traced<Answered>> {
    let mut answered: Vec<_> = answered.collect();
    answered.sort_by(|a, b| a.rule.cmp(&b.rule));
    answered
}
