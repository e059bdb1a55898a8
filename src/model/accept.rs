//! `accept`: errors that a spec lowers, with a reason.

use super::{Spanned, first_argument, text_property};
use crate::syntax::Node;

/// One rule that may be broken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    /// The rule's id.
    pub rule: Spanned<String>,
    /// Why.
    pub reason: Spanned<String>,
}

impl Accept {
    pub(super) fn decode(node: Node<'_>) -> Option<Self> {
        Some(Self { rule: first_argument(node)?, reason: text_property(node, "reason")? })
    }
}
