//! Where a bottle's settings stand: its profiles and itself, as nodes, in the order in which they are laid.

use std::collections::BTreeMap;

use super::Origin;
use crate::diagnostic::{Diagnostics, quote};
use crate::include;
use crate::plan;
use crate::scope::Scope;
use crate::source::{SourceId, Sources, Span};
use crate::spec::File;
use crate::syntax::{Entry, Node, Tree, Value};

/// The layers of one bottle, the bottle itself the last.
#[derive(Debug)]
pub(super) struct Layers<'t> {
    layers: Vec<Node<'t>>,
    sources: &'t Sources,
}

impl<'t> Layers<'t> {
    pub(super) fn new(
        slug: &str,
        trees: &'t [Tree],
        files: &BTreeMap<SourceId, File>,
        sources: &'t Sources,
    ) -> Self {
        let unsaid = &mut Diagnostics::new();
        let reach = include::reach(files, sources, unsaid);
        let mut layers = Vec::new();
        for (id, file) in files {
            let Some(decl) = file.bottles.iter().find(|bottle| bottle.slug.value == slug) else { continue };
            let scope = Scope::new(*id, files, &reach[id], sources, unsaid);
            let profiles = scope.order(&decl.extends).into_iter().map(|profile| profile.name.span);
            let places = profiles.chain([decl.slug.span]);
            layers = places.filter_map(|place| declared_at(trees, place)).collect();
        }
        Self { layers, sources }
    }

    /// A place with what it is, and whose.
    fn origin(&self, span: Span, what: &str) -> Origin {
        let holds = |layer: &&Node<'_>| {
            let of = layer.span();
            of.source == span.source && of.start <= span.start && span.end <= of.end
        };
        let whose = self.layers.iter().find(holds).map(|layer| {
            let name = argument(*layer).map(|(name, _)| quote(name)).unwrap_or_default();
            format!("{} {name}", layer.name())
        });
        let what = match whose {
            Some(whose) => format!("{what} of {whose}"),
            None => what.to_owned(),
        };
        Origin { place: Some(span), what }
    }

    fn of_node(&self, node: Node<'_>) -> Origin {
        self.origin(node.head_span(), &quote(node.name()))
    }

    /// The bottle's name.
    pub(super) fn slug(&self) -> Option<Origin> {
        let (_, place) = argument(*self.layers.last()?)?;
        Some(Origin { place: Some(place), what: String::from("the bottle's name") })
    }

    /// What decides the bottle's addresses.
    pub(super) fn address(&self) -> Option<Origin> {
        self.last("network").map(|node| self.of_node(node)).or_else(|| {
            let slug = self.slug()?;
            Some(Origin { what: String::from("the bottle's name, which its addresses come from"), ..slug })
        })
    }

    /// The last node of that name.
    fn last(&self, name: &str) -> Option<Node<'t>> {
        self.layers.iter().rev().find_map(|layer| layer.children().find(|node| node.name() == name))
    }

    /// The setting of that name which is in force.
    pub(super) fn setting(&self, name: &str) -> Option<Origin> {
        self.last(name).map(|node| self.of_node(node))
    }

    /// The setting of one of those names which is in force: they stand for each other.
    pub(super) fn one_of(&self, names: &[&str]) -> Option<Origin> {
        let of = |layer: &Node<'t>| layer.children().find(|node| names.contains(&node.name()));
        self.layers.iter().rev().find_map(of).map(|node| self.of_node(node))
    }

    /// A node below one of that name, of the last layer that has it.
    pub(super) fn below(&self, parent: &str, name: &str) -> Option<Origin> {
        self.children(parent).find(|node| node.name() == name).map(|node| self.of_node(node))
    }

    /// All nodes below those of that name, those of the last layer first.
    fn children(&self, parent: &str) -> impl Iterator<Item = Node<'t>> {
        let parents = self.layers.iter().rev().flat_map(|layer| layer.children());
        parents.filter(move |node| node.name() == parent).flat_map(Node::children)
    }

    /// A property of the last node of that name that has it.
    pub(super) fn property(&self, name: &str, key: &str) -> Option<Origin> {
        let nodes = self.layers.iter().rev().flat_map(|layer| layer.children());
        let entry = nodes.filter(|node| node.name() == name).find_map(|node| property(node, key))?;
        Some(self.origin(entry.span(), &format!("`{key}` of `{name}`")))
    }

    /// A variable of the agent, as the user sets it.
    pub(super) fn variable(&self, name: &str) -> Option<Origin> {
        self.children("env").find(|node| node.name() == name).map(|node| self.of_node(node))
    }

    /// The `expose` that gives the agent a variable, of the sidecars that are in force.
    pub(super) fn exposed(&self, variable: &str) -> Option<(String, Origin)> {
        let sidecars = self.layers.iter().rev().flat_map(|layer| layer.children());
        sidecars.filter(|node| node.name() == "sidecar").find_map(|sidecar| {
            let named = |node: &Node<'_>| {
                node.name() == "expose" && argument(*node).is_some_and(|(name, _)| name == variable)
            };
            let expose = sidecar.children().find(named)?;
            let (name, _) = argument(sidecar)?;
            Some((name.to_owned(), self.of_node(expose)))
        })
    }

    /// The sidecar of that name: of several, the last.
    fn member(&self, name: &str) -> Option<Node<'t>> {
        let nodes = self.layers.iter().rev().flat_map(|layer| layer.children());
        let mut sidecars = nodes.filter(|node| node.name() == "sidecar");
        sidecars.find(|node| argument(*node).is_some_and(|(it, _)| it == name))
    }

    /// A sidecar of the user's.
    pub(super) fn sidecar(&self, name: &str) -> Option<Origin> {
        self.member(name).map(|node| self.of_node(node))
    }

    /// What a sidecar of the user's says by the node number `at` of that name.
    pub(super) fn item_of_sidecar(&self, sidecar: &str, name: &str, at: usize) -> Option<Origin> {
        let nodes = self.member(sidecar)?.children().filter(|node| node.name() == name);
        nodes.skip(at).map(|node| self.of_node(node)).next()
    }

    /// What a sidecar of the user's says by a node of that name, and with that argument if it is one of several.
    pub(super) fn of_sidecar(&self, sidecar: &str, name: &str, text: Option<&str>) -> Option<Origin> {
        let mut nodes = self.member(sidecar)?.children().filter(|node| node.name() == name);
        let says = |node: &Node<'_>, text: &str| {
            node.entries().any(|entry| entry.key().is_none() && entry.value() == Value::String(text))
        };
        let is_it = |node: &Node<'_>| text.is_none_or(|text| says(node, text));
        nodes.find(is_it).map(|node| self.of_node(node))
    }

    /// A variable of a sidecar of the user's.
    pub(super) fn variable_of_sidecar(&self, sidecar: &str, variable: &str) -> Option<Origin> {
        let env = self.member(sidecar)?.children().find(|node| node.name() == "env")?;
        env.children().find(|node| node.name() == variable).map(|node| self.of_node(node))
    }

    /// A repository, and what it says by a node of that name.
    pub(super) fn repo(&self, repo: &str, name: Option<&str>) -> Option<Origin> {
        let is_it =
            |node: &Node<'_>| node.name() == "repo" && argument(*node).is_some_and(|(it, _)| it == repo);
        let repo = self.children("git").find(is_it)?;
        let part = name.and_then(|name| repo.children().find(|node| node.name() == name));
        Some(self.of_node(part.unwrap_or(repo)))
    }

    /// What the plan says of where a value comes from, with the value itself if it stands there.
    pub(super) fn planned(&self, origin: &plan::Origin, value: Option<&str>) -> Option<Origin> {
        let plan::Origin::Spec { source, line } = origin else { return None };
        let id = self.sources.by_name(source)?;
        let line = (*line as usize).checked_sub(1)?;
        let source = self.sources.get(id);
        let text = source.line_text(line);
        let quoted = value.map(|value| format!("\"{value}\""));
        let (from, len) = match quoted.and_then(|quoted| Some((text.find(&quoted)?, quoted.len()))) {
            Some(found) => found,
            None => (text.len() - text.trim_start().len(), text.trim().len()),
        };
        let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        let start = source.line_starts().get(line)? + at(from);
        let span = Span::new(id, start..start + at(len));
        let what = self.innermost(span).map_or_else(|| String::from("the line"), |node| quote(node.name()));
        Some(self.origin(span, &what))
    }

    /// The innermost node that a place lies in.
    fn innermost(&self, span: Span) -> Option<Node<'t>> {
        let holds = |node: &Node<'t>| {
            let of = node.span();
            of.source == span.source && of.start <= span.start && span.start < of.end
        };
        let mut inner = *self.layers.iter().find(|layer| holds(layer))?;
        while let Some(next) = inner.children().find(holds) {
            inner = next;
        }
        Some(inner)
    }
}

/// The node that declares what is named at a place.
fn declared_at(trees: &[Tree], place: Span) -> Option<Node<'_>> {
    let tree = trees.get(place.source.index())?;
    tree.nodes().find(|node| argument(*node).is_some_and(|(_, at)| at == place))
}

/// The first argument that is a text.
fn argument(node: Node<'_>) -> Option<(&str, Span)> {
    node.entries().filter(|entry| entry.key().is_none()).find_map(|entry| match entry.value() {
        Value::String(text) => Some((text, entry.value_span())),
        _ => None,
    })
}

fn property<'t>(node: Node<'t>, key: &str) -> Option<Entry<'t>> {
    node.entries().find(|entry| entry.key().is_some_and(|(name, _)| name == key))
}
