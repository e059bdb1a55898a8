//! Nodes and properties, from the schema table.

use std::collections::BTreeSet;

use lsp_types::CompletionItemKind;

use super::item::Candidate;
use super::slot::{Slot, Style};
use super::snippet::{Example, Snippet};
use super::{Request, names};
use crate::lsp::prose::{Prose, sentence};
use crate::schema::{Child, Children, Node as Schema, Occurs, Property, ValueType};
use crate::syntax::{Entry, Node};
use crate::world::engine::{BootKind, Ledger};

/// The nodes that may stand in a block. Where there is a node already, which `has_more` than a name, its name alone is
/// written; where another one follows on the line, one ends with `;`.
pub(super) fn nodes(
    request: Request<'_>,
    block: &'static Schema,
    has_more: bool,
    is_followed: bool,
    slot: &Slot,
) -> Vec<Candidate> {
    // Within quotes there is no room for what belongs to a node.
    let only_name = has_more || slot.style != Style::Bare;
    let found = match &block.children {
        Children::Named { name: ValueType::EnvName, .. } => names::variables(request, only_name, slot),
        Children::None | Children::Named { .. } => Vec::new(),
        Children::Nodes(children) => known(request, children, only_name, slot),
    };
    if is_followed && !only_name { found.into_iter().map(|it| it.followed_by("; ")).collect() } else { found }
}

fn known(request: Request<'_>, children: &'static [Child], only_name: bool, slot: &Slot) -> Vec<Candidate> {
    let present: BTreeSet<&str> = request.siblings().map(Node::name).collect();
    // Of what is booted there is one at most.
    let boots = present.iter().any(|name| BootKind::find(name).is_some());
    let has = |name: &str| present.contains(name);
    // Of two that stand in each other's place, one is there, with what belongs to it.
    let other_is_there = |child: &Child| match child.occurs {
        Occurs::RequiredUnless(other) => has(other),
        Occurs::RequiredWith(first) | Occurs::SeveralWith(first) => children.iter().any(|it| {
            it.node.name == first && matches!(it.occurs, Occurs::RequiredUnless(other) if has(other))
        }),
        _ => children
            .iter()
            .any(|it| it.occurs == Occurs::RequiredUnless(child.node.name) && has(it.node.name)),
    };
    let offered = children
        .iter()
        .filter(|child| !other_is_there(child) && (child.occurs.repeats() || !has(child.node.name)));
    offered
        .map(|Child { occurs, node }| {
            let missing = !has(node.name) && occurs.is_required_in(has);
            let places = request.client.snippets;
            let text = if only_name {
                slot.write(node.name, false)
            } else {
                let mut snippet = Snippet::new(places);
                snippet.node(node);
                snippet.finish()
            };
            let text = if only_name && slot.style == Style::Bare { node.name.to_owned() } else { text };
            let kind = if matches!(node.children, Children::None) {
                CompletionItemKind::FIELD
            } else {
                CompletionItemKind::STRUCT
            };
            let often = Some(occurs.describe()).filter(|often| !often.is_empty());
            let often = often.map(|often| format!(" ({often})")).unwrap_or_default();
            let tier = match missing {
                true => 0,
                false if boots && BootKind::find(node.name).is_some() => 9,
                false => 1,
            };
            Candidate::kdl(node.name, text, places && !only_name, kind)
                .detail(format!("{}{often}", signature(node)))
                .doc(Prose::of_node(node))
                .tier(tier)
        })
        .collect()
}

/// A node's line as its schema has it: `engine name [version=]`.
fn signature(node: &Schema) -> String {
    let mut text = node.name.to_owned();
    for argument in node.arguments {
        let more = if argument.repeats { "…" } else { "" };
        let shown = if argument.required {
            format!(" ‹{}›{more}", argument.name)
        } else {
            format!(" [‹{}›]", argument.name)
        };
        text.push_str(&shown);
    }
    for property in node.properties {
        let shown = if property.required {
            format!(" {}=…", property.name)
        } else {
            format!(" [{}=…]", property.name)
        };
        text.push_str(&shown);
    }
    if !matches!(node.children, Children::None) {
        text.push_str(" { … }");
    }
    text
}

/// The properties that a node may still have. Where there is a value behind the key, the key alone is written.
pub(super) fn properties(
    request: Request<'_>,
    schema: &'static Schema,
    node: Node<'_>,
    only_key: bool,
    slot: &Slot,
) -> Vec<Candidate> {
    let here = slot.span;
    let others = node.entries().filter_map(Entry::key);
    let present: BTreeSet<&str> = others.filter(|(_, span)| !slot.is_in(*span)).map(|(key, _)| key).collect();
    // A variable has one source.
    let has_source = schema.properties.iter().any(|property| property.name == "from-env")
        && (!present.is_empty() || node.entries().any(|it| it.key().is_none() && it.span().end < here.start));
    if has_source {
        return Vec::new();
    }
    // What must stand first is offered first.
    let given = node.entries().any(|it| it.key().is_none() && it.span().end < here.start);
    let waits = !given && schema.arguments.first().is_some_and(|argument| argument.required);
    let example = Example::of(schema);
    let offered = schema.properties.iter().filter(|property| !present.contains(property.name));
    offered
        .map(|property: &'static Property| {
            let places = request.client.snippets;
            let text = if only_key && slot.style != Style::Bare {
                slot.write(property.name, false)
            } else if only_key {
                property.name.to_owned()
            } else {
                let mut snippet = Snippet::new(places);
                let suggestion = match property.value {
                    // The same name on both sides is what is nearly always meant.
                    ValueType::Version => Some(Ledger::smolvm().newest.to_string()),
                    ValueType::EnvName => {
                        Some(node.name().to_owned()).filter(|name| names::is_variable(name))
                    }
                    value if value.is_number() => {
                        example.property(property.name).or_else(|| number(property))
                    }
                    _ => None,
                };
                snippet.property(property, suggestion.as_deref());
                snippet.finish()
            };
            let required = if property.required { " (required)" } else { "" };
            Candidate::kdl(property.name, text, places && !only_key, CompletionItemKind::PROPERTY)
                .detail(format!("{}{required}", sentence(property.doc)))
                .doc(Prose::of_property(property))
                .tier(match (waits, property.required) {
                    (true, _) => 8,
                    (false, true) => 0,
                    (false, false) => 3,
                })
        })
        .collect()
}

/// The number that holds without a property.
fn number(property: &Property) -> Option<String> {
    let default = property.default?.trim_matches('`');
    default.parse::<u32>().ok().map(|number| number.to_string())
}
