//! The schema check: a tree against the table. Whatever the table forbids is reported here and nowhere else.
//!
//! One cause is one diagnostic: a node whose arguments or properties were spoken of is not told that it lacks others,
//! and a node that is likely a slip of another one is not missed under its right name.

use super::message;
use super::{Child, Children, Node as Schema, Occurs, ROOT, ValueType};
use crate::diagnostic::Diagnostics;
use crate::source::Span;
use crate::syntax::{Entry, Node, Nodes, Tree, Value};
use crate::text::did_you_mean;

/// Reports everything in `tree` that the table does not know, or knows otherwise.
pub fn check(tree: &Tree, diagnostics: &mut Diagnostics) {
    children(tree.nodes(), None, &ROOT, diagnostics);
}

/// Checks a block, or the whole file, which has no `parent`. The walk recurses along the table, which is four levels
/// deep, never along the input.
fn children(
    nodes: Nodes<'_>,
    parent: Option<Node<'_>>,
    schema: &'static Schema,
    diagnostics: &mut Diagnostics,
) {
    // A node whose name could not be read was spoken of when it was read.
    let named = nodes.filter(|node| !(node.is_broken() && node.name().is_empty()));
    match &schema.children {
        Children::None => {}
        Children::Named { name, node: schema } => {
            for node in named {
                if let Err(problem) = name.check(Value::String(node.name())) {
                    diagnostics.push_error_with(|| message::name(node, problem));
                }
                if let Some(export) = message::export(node) {
                    diagnostics.push(export);
                    continue;
                }
                node_against(node, schema, diagnostics);
            }
        }
        Children::Nodes(known) => known_children(named, parent, schema, known, diagnostics),
    }
}

fn known_children<'t>(
    nodes: impl Iterator<Item = Node<'t>>,
    parent: Option<Node<'_>>,
    schema: &'static Schema,
    known: &'static [Child],
    diagnostics: &mut Diagnostics,
) {
    let mut single: Vec<(&str, Span)> = Vec::new();
    for node in nodes {
        let Some(child) = known.iter().find(|child| child.node.name == node.name()) else {
            // Whoever mistypes a required node has not left it out.
            if known.iter().any(|child| child.occurs.is_required())
                && let Some(meant) = did_you_mean(node.name(), known.iter().map(|child| child.node.name))
            {
                single.push((meant, node.name_span()));
            }
            diagnostics.push_error_with(|| message::unknown_node(node, schema, parent));
            continue;
        };
        if child.occurs != Occurs::Many {
            if !child.occurs.repeats()
                && let Some((_, first)) = single.iter().find(|(name, _)| *name == child.node.name)
            {
                diagnostics.push_error_with(|| message::duplicate_node(node, *first, parent));
                continue;
            }
            single.push((child.node.name, node.name_span()));
        }
        node_against(node, child.node, diagnostics);
    }
    let Some(parent) = parent else { return };
    // What is written as a property was spoken of as one.
    let as_property =
        |name: &str| parent.entries().any(|entry| entry.key().is_some_and(|(key, _)| key == name));
    let given = |name: &str| single.iter().any(|(given, _)| *given == name) || as_property(name);
    let missing = |child: &&Child| !given(child.node.name) && child.occurs.is_required_in(given);
    for child in known.iter().filter(missing) {
        let instead = known.iter().find(|it| child.occurs == Occurs::RequiredUnless(it.node.name));
        diagnostics.push_error_with(|| message::missing_node(parent, child.node, instead.map(|it| it.node)));
    }
}

fn node_against(node: Node<'_>, schema: &'static Schema, diagnostics: &mut Diagnostics) {
    annotation(node.type_annotation(), diagnostics);
    let whole = entries(node, schema, diagnostics) & block(node, schema, diagnostics);
    if !whole || node.is_broken() {
        return;
    }
    let given = node.entries().filter(|entry| entry.key().is_none()).count();
    if let Some(missing) = schema.arguments.iter().skip(given).find(|argument| argument.required) {
        diagnostics.push_error_with(|| message::missing_argument(node, missing, schema));
    }
    // What is written as a node was spoken of as one.
    let has = |name: &str| {
        node.entries().any(|entry| entry.key().is_some_and(|(key, _)| key == name))
            || node.children().any(|child| child.name() == name)
    };
    for property in schema.properties.iter().filter(|property| property.required && !has(property.name)) {
        diagnostics.push_error_with(|| message::missing_property(node, property, schema));
    }
}

/// Whether the entries are of the right kind and number, whatever their values.
fn entries(node: Node<'_>, schema: &'static Schema, diagnostics: &mut Diagnostics) -> bool {
    let mut whole = true;
    let mut surplus = false;
    let mut open = schema.arguments.iter();
    let last = schema.arguments.last().filter(|argument| argument.repeats);
    let mut first: Vec<(&str, Span)> = Vec::new();
    for entry in node.entries() {
        annotation(entry.type_annotation(), diagnostics);
        let Some((key, key_span)) = entry.key() else {
            if let Some(argument) = open.next().or(last) {
                value(entry, argument.value, diagnostics);
            } else if !surplus {
                // The first of too many says it all.
                diagnostics.push_error_with(|| message::unexpected_argument(node, entry, schema));
                surplus = true;
            }
            continue;
        };
        let Some(property) = schema.properties.iter().find(|property| property.name == key) else {
            // Of a node that has none, the first says it all.
            if whole || !schema.properties.is_empty() {
                diagnostics.push_error_with(|| message::unknown_property(node, key, key_span, schema));
            }
            whole = false;
            continue;
        };
        if let Some((_, first)) = first.iter().find(|(name, _)| *name == key) {
            diagnostics.push_error_with(|| message::duplicate_property(entry, key, *first));
            continue;
        }
        first.push((property.name, entry.span()));
        value(entry, property.value, diagnostics);
    }
    whole && !surplus
}

/// Whether a block is where one may be.
fn block(node: Node<'_>, schema: &'static Schema, diagnostics: &mut Diagnostics) -> bool {
    if let (Children::None, Some(block)) = (&schema.children, node.block_span()) {
        diagnostics.push_error_with(|| message::unexpected_block(node, block, schema));
        return false;
    }
    children(node.children(), Some(node), schema, diagnostics);
    true
}

fn annotation(annotation: Option<(&str, Span)>, diagnostics: &mut Diagnostics) {
    if let Some((text, span)) = annotation {
        diagnostics.push_error_with(|| message::annotation(text, span));
    }
}

fn value(entry: Entry<'_>, expected: ValueType, diagnostics: &mut Diagnostics) {
    // What could not be read has no type.
    if entry.is_broken() {
        return;
    }
    if let Err(problem) = expected.check_entry(entry) {
        diagnostics.push_error_with(|| message::value(entry, problem));
    }
}
