//! `lint`: the levels of rules.

use super::{Spanned, child, first_argument, text_property};
use crate::rule::Setting;
use crate::source::Span;
use crate::syntax::{Node, Tree};

/// A file, a profile or a bottle, with what its `lint` sets: nothing when it has none.
#[derive(Clone, Debug)]
pub struct Lint {
    /// The text that it is, which the levels count for.
    pub place: Span,
    /// The `lint` node.
    pub node: Option<Span>,
    /// Whether there is more in the node than its entries: what `/-` comments out.
    pub holds_more: bool,
    /// What it sets, in the order in which it stands.
    pub entries: Vec<LintEntry>,
}

/// The level of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintEntry {
    /// What becomes of a finding.
    pub setting: Setting,
    /// The rule's id.
    pub rule: Spanned<String>,
    /// Why.
    pub reason: Option<Spanned<String>>,
    /// The whole entry.
    pub node: Span,
}

impl Lint {
    /// The `lint` block of a profile or a bottle.
    pub(super) fn of(block: Node<'_>) -> Self {
        Self::decode(block.span(), child(block, "lint"))
    }

    /// The `lint` block of a file.
    pub(super) fn of_file(tree: &Tree) -> Self {
        let end = u32::try_from(tree.text().len()).unwrap_or(u32::MAX);
        Self::decode(Span::new(tree.source(), 0..end), tree.nodes().find(|node| node.name() == "lint"))
    }

    fn decode(place: Span, node: Option<Node<'_>>) -> Self {
        let entries = node.into_iter().flat_map(Node::children).filter_map(LintEntry::decode).collect();
        let holds_more = node.is_some_and(|node| node.all_children().any(Node::is_commented));
        Self { place, node: node.map(Node::span), holds_more, entries }
    }
}

impl LintEntry {
    fn decode(node: Node<'_>) -> Option<Self> {
        Some(Self {
            setting: Setting::find(node.name())?,
            rule: first_argument(node)?,
            reason: text_property(node, "reason"),
            node: node.span(),
        })
    }
}
