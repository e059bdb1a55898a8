//! Descriptions of places in a spec, by the nodes that they stand in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::source::{SourceId, Sources, Span};
use crate::syntax::{Entry, Node, Tree, Trees, Value};
use crate::text::quote;

/// The trees of the sources that are asked for.
#[derive(Debug)]
pub(super) struct Specs<'a> {
    sources: &'a Sources,
    trees: BTreeMap<SourceId, Cow<'a, Tree>>,
}

impl<'a> Specs<'a> {
    /// Those of the sources at these places.
    pub(super) fn new<'n>(trees: &'a dyn Trees, places: impl Iterator<Item = &'n str>) -> Self {
        let sources = trees.sources();
        let ids = places.filter_map(|place| sources.at(place));
        Self { sources, trees: ids.map(|id| (id, trees.tree_of(id))).collect() }
    }

    /// The same, to look places up in.
    pub(super) fn index(&self) -> Index<'_> {
        let mut nodes: BTreeMap<SourceId, Vec<Placed<'_>>> = BTreeMap::new();
        for (id, tree) in &self.trees {
            let nodes = nodes.entry(*id).or_default();
            let mut open: Vec<(Option<usize>, Node<'_>)> = tree.nodes().map(|node| (None, node)).collect();
            open.reverse();
            while let Some((parent, node)) = open.pop() {
                let at = nodes.len();
                nodes.push(Placed { node, span: node.span(), parent });
                let below = open.len();
                open.extend(node.children().map(|child| (Some(at), child)));
                open[below..].reverse();
            }
        }
        Index { sources: self.sources, nodes }
    }
}

/// A node and what it stands in.
struct Placed<'t> {
    node: Node<'t>,
    span: Span,
    parent: Option<usize>,
}

/// Every node of some sources, in the order in which they begin.
pub(super) struct Index<'t> {
    sources: &'t Sources,
    nodes: BTreeMap<SourceId, Vec<Placed<'t>>>,
}

impl<'t> Index<'t> {
    /// The innermost node that holds a place, and those that it stands in, from it outwards.
    fn chain(&self, place: Span) -> Vec<Node<'t>> {
        let Some(nodes) = self.nodes.get(&place.source) else { return Vec::new() };
        let mut at = nodes.partition_point(|placed| placed.span.start <= place.start).checked_sub(1);
        // The last one that begins before the place may have ended before it, too.
        while let Some(outer) = at.filter(|at| nodes[*at].span.end < place.end) {
            at = nodes[outer].parent;
        }
        let mut chain = Vec::new();
        while let Some(Placed { node, parent, .. }) = at.map(|at| &nodes[at]) {
            chain.push(*node);
            at = *parent;
        }
        chain
    }

    /// Describes a place: `` `allow` of profile `team` ``.
    pub(super) fn words(&self, place: Span) -> String {
        let chain = self.chain(place);
        let Some(innermost) = chain.first() else { return quote(self.sources.text(place)) };
        let named = |node: &Node<'_>| match node.entries().next().map(|entry| (entry.key(), entry.value())) {
            Some((None, Value::String(name))) => Some(name.to_owned()),
            _ => None,
        };
        let mut parts = Vec::new();
        // A long list of arguments holds no property.
        let property = innermost.entries().take(MAX_ENTRIES).find(|entry| entry.value_span() == place);
        if let Some((key, _)) = property.and_then(Entry::key) {
            parts.push(quote(key));
        }
        for (at, node) in chain.iter().enumerate() {
            let outer = chain.get(at + 1).map(|outer| outer.name());
            let kind = node.name();
            let is_thing = matches!(kind, "profile" | "bottle" | "sidecar" | "repo" | "pattern");
            match (is_thing, named(node)) {
                (true, Some(name)) => parts.push(format!("{kind} {}", quote(&name))),
                _ if outer == Some("env") => parts.push(format!("variable {}", quote(kind))),
                // What a block is called says nothing that is not said by what stands in it.
                _ if at > 0 && matches!(kind, "env" | "egress" | "git" | "dlp") => {}
                _ => parts.push(quote(kind)),
            }
        }
        let words = parts.join(" of ");
        // The place is a name, as opposed to what is said below it.
        if chain.len() == 1 && parts.len() == 1 { format!("the name of {words}") } else { words }
    }
}

/// How many arguments and properties of a node are looked at for the one at a place.
const MAX_ENTRIES: usize = 64;
