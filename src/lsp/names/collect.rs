//! Collection of the names in a tree.

use super::{Kind, Occurrence, Role};
use crate::source::Span;
use crate::syntax::{Node, Tree, Value};
use crate::world::builtin;

/// Adds the names of a tree, in the order of their places, and its bottles and profiles by their names.
pub(super) fn collect<'t>(tree: &'t Tree, found: &mut Vec<Occurrence<'t>>, layers: &mut Vec<Option<usize>>) {
    let before = found.len();
    for node in tree.nodes() {
        let kind = match node.name() {
            "bottle" => Kind::Bottle,
            "profile" => Kind::Profile,
            _ => continue,
        };
        let mut names = In { layer: layers.len(), found };
        let name = names.define(kind, node);
        layers.push(name);
        for child in node.children() {
            names.section(child);
        }
    }
    debug_assert!(found[before..].is_sorted_by_key(|it| it.span.start), "they are searched by their places");
}

/// The text arguments of a node, and where they stand.
fn texts(node: Node<'_>) -> impl Iterator<Item = (&str, Span)> {
    let arguments = node.entries().filter(|entry| entry.key().is_none());
    arguments.filter_map(|entry| match entry.value() {
        Value::String(text) => Some((text, entry.value_span())),
        _ => None,
    })
}

/// What is found in one bottle or profile.
struct In<'f, 't> {
    layer: usize,
    found: &'f mut Vec<Occurrence<'t>>,
}

impl<'t> In<'_, 't> {
    fn push(&mut self, kind: Kind, role: Role, (text, span): (&'t str, Span)) -> usize {
        self.found.push(Occurrence { kind, role, text, span, layer: self.layer });
        self.found.len() - 1
    }

    /// A node whose first argument is its name.
    fn define(&mut self, kind: Kind, node: Node<'t>) -> Option<usize> {
        let name = texts(node).next()?;
        Some(self.push(kind, Role::Definition(node.span()), name))
    }

    fn section(&mut self, node: Node<'t>) {
        match node.name() {
            "extends" => {
                for name in texts(node) {
                    self.push(Kind::Profile, Role::Reference, name);
                }
            }
            "env" => {
                for variable in node.children() {
                    let name = (variable.name(), variable.name_span());
                    self.push(Kind::Variable, Role::Definition(variable.span()), name);
                }
            }
            "egress" => {
                for dlp in node.children().filter(|child| child.name() == "dlp") {
                    for pattern in dlp.children().filter(|child| child.name() == "pattern") {
                        self.define(Kind::Pattern, pattern);
                    }
                }
            }
            "git" => {
                for repo in node.children().filter(|child| child.name() == "repo") {
                    self.define(Kind::Repository, repo);
                }
            }
            "credential" => {
                self.define(Kind::Credential, node);
                for child in node.children().filter(|it| matches!(it.name(), "expose" | "placeholder")) {
                    self.define(Kind::Variable, child);
                }
            }
            "sidecar" => {
                self.define(Kind::Sidecar, node);
                for child in node.children() {
                    match child.name() {
                        "needs" => self.needs(child),
                        "expose" => {
                            self.define(Kind::Variable, child);
                        }
                        _ => {}
                    }
                }
            }
            "accept" => {
                if let Some(rule) = texts(node).next() {
                    self.push(Kind::Rule, Role::Reference, rule);
                }
            }
            name if builtin::find(name).is_some() => {
                let name = (name, node.name_span());
                self.push(Kind::Builtin, Role::Definition(node.span()), name);
                for child in node.children().filter(|child| child.name() == "needs") {
                    self.needs(child);
                }
            }
            _ => {}
        }
    }

    fn needs(&mut self, node: Node<'t>) {
        for name in texts(node) {
            let kind = if builtin::find(name.0).is_some() { Kind::Builtin } else { Kind::Sidecar };
            self.push(kind, Role::Reference, name);
        }
    }
}
