//! `expect`: tests of the policy.

use super::{Spanned, arguments, children};
use crate::syntax::Node;
use crate::world::host::{Target, Verdict};

/// One expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What must come out.
    pub verdict: Verdict,
    /// Of what.
    pub target: Spanned<Target>,
}

impl Expectation {
    /// Decodes the expectations of an `expect` node. Invalid targets were already reported by the schema check.
    pub(super) fn decode(node: Node<'_>) -> impl Iterator<Item = Self> {
        [("allow", Verdict::Allowed), ("refuse", Verdict::Refused)].into_iter().flat_map(
            move |(name, verdict)| {
                children(node, name).flat_map(arguments).filter_map(move |text| {
                    let target = Spanned { value: text.value.parse().ok()?, span: text.span };
                    Some(Self { verdict, target })
                })
            },
        )
    }
}
