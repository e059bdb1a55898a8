//! Diagnostics of the schema check.

use super::peers::{self, Way};
use super::{Argument, Node as Schema, Property, RETIRED, ROOT, ValueType};
use crate::diagnostic::{Applicability, Diagnostic, Edit};
use crate::rule::{Meant, ValueError, catalogue};
use crate::source::Span;
use crate::syntax::{Entry, Node, Value, quoted_string};
use crate::text::{did_you_mean, one_of, quote, quote_whole};

/// "in `egress`", "at the top of a file".
fn place(parent: Option<Node<'_>>) -> String {
    parent
        .map_or_else(|| String::from("at the top of a file"), |parent| format!("in {}", quote(parent.name())))
}

pub(super) fn unknown_node(node: Node<'_>, schema: &'static Schema, parent: Option<Node<'_>>) -> Diagnostic {
    let (name, span) = (node.name(), node.name_span());
    if let Some(retired) = RETIRED.iter().find(|retired| retired.name == name) {
        return Diagnostic::new(
            &catalogue::RETIRED_NODE,
            span,
            format!("{} belongs to the retired gvproxy design", quote(name)),
        )
        .label("has no meaning any more")
        .help(retired.instead);
    }
    let names = || schema.child_nodes().iter().map(|child| child.node.name);
    let expected = format!("expected one of {}", one_of(names()));
    let message = format!("unknown node {} {}", quote(name), place(parent));
    let diagnostic = Diagnostic::new(&catalogue::UNKNOWN_NODE, span, message);
    if let Some(parent) = parent
        && let Some(property) = schema.properties.iter().find(|property| property.name == name)
    {
        return as_property(diagnostic, node, parent, property);
    }
    if let Some(Way { same, help }) = peers::find(name, schema) {
        let diagnostic = diagnostic.label("another tool's word").help(help);
        return match same.filter(|same| peers::is_child(schema, same)) {
            Some(same) => diagnostic.replace(format!("write `{same}`"), Applicability::Unsafe, span, same),
            None => diagnostic,
        };
    }
    if let Some(meant) = did_you_mean(name, names()) {
        return diagnostic.label(format!("did you mean `{meant}`?")).help(expected).replace(
            format!("write `{meant}`"),
            Applicability::Unsafe,
            span,
            meant,
        );
    }
    // Most often the node is right and its place is wrong.
    match place_of(name) {
        Some(place) => diagnostic
            .label(format!("stands {place}"))
            .help(expected)
            .help("a brace may have been closed too early or too late"),
        None => diagnostic.label("not known here").help(expected),
    }
}

/// A property that is written as a node in the block.
fn as_property(
    diagnostic: Diagnostic,
    node: Node<'_>,
    parent: Node<'_>,
    property: &'static Property,
) -> Diagnostic {
    let name = property.name;
    let mut entries = node.entries();
    let only = entries.next().filter(|entry| entry.key().is_none() && entries.next().is_none());
    let value = only.map_or("…", Entry::raw_value);
    diagnostic.label(format!("`{name}` is a property of {} here", quote(parent.name()))).help(format!(
        "write {} behind {}",
        quote_whole(&format!("{name}={value}")),
        quote(parent.name())
    ))
}

/// The entry that is meant to be the variable, where a shell's word stands before it: `export NAME "value"` and the like.
fn after_export(node: Node<'_>) -> Option<Entry<'_>> {
    const WORDS: [&str; 4] = ["declare", "export", "set", "setenv"];
    let first = node.entries().next().filter(|_| WORDS.contains(&node.name()))?;
    let name = match (first.key(), first.value()) {
        (Some((key, _)), _) => Some(key).filter(|key| !matches!(*key, "from-env" | "from-file")),
        // A variable may be called so: it has one value then.
        (None, Value::String(text)) => Some(text).filter(|_| node.entries().nth(1).is_some()),
        _ => None,
    };
    name.filter(|name| ValueType::EnvName.check(Value::String(name)).is_ok()).map(|_| first)
}

/// Whether a variable is named behind a shell's word, which is an error: the word is no variable.
#[must_use]
pub fn is_export(node: Node<'_>) -> bool {
    after_export(node).is_some()
}

pub(super) fn export(node: Node<'_>) -> Option<Diagnostic> {
    let first = after_export(node)?;
    let (word, name) = (node.name_span(), first.key().map_or(first.span(), |(_, span)| span));
    let mut edits = vec![Edit { span: Span { end: name.start, ..word }, replacement: String::new() }];
    if first.key().is_some() {
        let equals = Span { start: name.end, end: first.value_span().start, ..name };
        edits.push(Edit { span: equals, replacement: String::from(" ") });
    }
    let shell = quote(node.name());
    let message = format!("{shell} is a shell's word, and no part of a variable");
    Some(
        Diagnostic::new(&catalogue::UNEXPECTED_ARGUMENT, Span { end: name.end, ..word }, message)
            .label("expected the variable's name first")
            .fix(format!("leave {shell} out"), Applicability::Safe, edits),
    )
}

/// Where a node of that name would be known.
fn place_of(name: &str) -> Option<String> {
    fn holds(schema: &'static Schema, name: &str, found: &mut Vec<&'static str>) {
        for child in schema.child_nodes() {
            if child.node.name == name && !found.contains(&schema.name) {
                found.push(schema.name);
            }
            holds(child.node, name, found);
        }
    }
    let mut found = Vec::new();
    holds(&ROOT, name, &mut found);
    match found.as_slice() {
        [] => None,
        ["file"] => Some("at the top of a file".into()),
        names => Some(format!("in {}", one_of(names.iter().copied()))),
    }
}

pub(super) fn duplicate_node(node: Node<'_>, first: Span, parent: Option<Node<'_>>) -> Diagnostic {
    let message = format!("{} is given more than once {}", quote(node.name()), place(parent));
    Diagnostic::new(&catalogue::DUPLICATE_NODE, node.name_span(), message)
        .label("given again here")
        .related(first, "first given here")
        .help("keep one of them, with what both say")
}

/// `instead` may be there in the place of what is missing.
pub(super) fn missing_node(parent: Node<'_>, missing: &Schema, instead: Option<&Schema>) -> Diagnostic {
    let or = |text: &dyn Fn(&Schema) -> String| {
        instead.map_or_else(|| text(missing), |other| format!("{} or {}", text(missing), text(other)))
    };
    let name = or(&|node| format!("`{}`", node.name));
    let example = or(&|node| format!("`{}`", node.example));
    let message = format!("{} needs {name}", quote(parent.name()));
    Diagnostic::new(&catalogue::MISSING_NODE, parent.name_span(), message)
        .label(format!("expected {name} in its block"))
        .help(format!("for example: {example}"))
}

pub(super) fn missing_argument(node: Node<'_>, missing: &Argument, schema: &Schema) -> Diagnostic {
    let article = if missing.name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    let message = format!("{} needs {article} {}", quote(node.name()), missing.name);
    Diagnostic::new(&catalogue::MISSING_ARGUMENT, node.name_span(), message)
        .label(format!("expected {} after it", missing.value.describe()))
        .help(format!("for example: `{}`", head(schema.example)))
}

pub(super) fn missing_property(node: Node<'_>, missing: &Property, schema: &Schema) -> Diagnostic {
    let message = format!("{} needs the property `{}`", quote(node.name()), missing.name);
    Diagnostic::new(&catalogue::MISSING_PROPERTY, node.head_span(), message)
        .label(format!("expected `{}=`: {}", missing.name, missing.value.describe()))
        .help(format!("for example: `{}`", head(schema.example)))
}

/// The first line of an example, without the brace that opens its block.
fn head(example: &str) -> &str {
    example.lines().next().unwrap_or("").trim_end_matches([' ', '{'])
}

pub(super) fn unexpected_argument(node: Node<'_>, entry: Entry<'_>, schema: &'static Schema) -> Diagnostic {
    let takes = match schema.arguments.len() {
        0 => String::from("no argument"),
        1 => String::from("one argument"),
        n => format!("{n} arguments"),
    };
    let message = format!("{} takes {takes}", quote(node.name()));
    let diagnostic =
        Diagnostic::new(&catalogue::UNEXPECTED_ARGUMENT, entry.span(), message).label("not expected");
    if let Some((property, edits)) = spelled_out(node, schema) {
        return diagnostic.help(format!("a property is written `{property}=…`")).fix(
            format!("write `=` behind `{property}`"),
            Applicability::Unsafe,
            edits,
        );
    }
    match schema.properties {
        [property] if property.value.check(entry.value()).is_ok() => {
            let at = Span::at(entry.span().source, entry.span().start);
            diagnostic.label(format!("did you mean `{}=`?", property.name)).fix(
                format!("write `{}=` before it", property.name),
                Applicability::Unsafe,
                vec![Edit { span: at, replacement: format!("{}=", property.name) }],
            )
        }
        _ => diagnostic.help("remove it"),
    }
}

/// `from-env "TOKEN"` for `from-env="TOKEN"`: the property, and the edit that makes it one.
fn spelled_out(node: Node<'_>, schema: &'static Schema) -> Option<(&'static str, Vec<Edit>)> {
    let arguments: Vec<Entry<'_>> = node.entries().filter(|entry| entry.key().is_none()).collect();
    arguments.windows(2).find_map(|pair| {
        let Value::String(text) = pair[0].value() else { return None };
        let property = schema.properties.iter().find(|property| property.name == text)?;
        let span = Span { end: pair[1].span().start, ..pair[0].span() };
        Some((property.name, vec![Edit { span, replacement: format!("{}=", property.name) }]))
    })
}

pub(super) fn unknown_property(node: Node<'_>, key: &str, span: Span, schema: &'static Schema) -> Diagnostic {
    let names = || schema.properties.iter().map(|property| property.name);
    let message = format!("unknown property {} of {}", quote(key), quote(node.name()));
    let diagnostic = Diagnostic::new(&catalogue::UNKNOWN_PROPERTY, span, message);
    if let Some(way) = peers::find(key, schema) {
        let label = if schema.properties.is_empty() { "has no properties" } else { "has no such property" };
        return diagnostic.label(format!("{} {label}", quote(node.name()))).help(way.help);
    }
    let has_none = schema.properties.is_empty();
    if schema.child_nodes().iter().any(|child| child.node.name == key) {
        let label = if has_none { "has no properties" } else { "has no such property" };
        return diagnostic
            .label(format!("{} {label}", quote(node.name())))
            .help(format!("write {} as a node in the block", quote(key)));
    }
    if has_none {
        // Without what the property says, the rest may say more than was meant: taking it out is no advice.
        return diagnostic
            .label(format!("{} has no properties", quote(node.name())))
            .help(format!("nothing here can hold it; for example: `{}`", head(schema.example)));
    }
    let several = schema.properties.len() > 1;
    let expected = format!("expected {}{}", if several { "one of " } else { "" }, one_of(names()));
    match did_you_mean(key, names()) {
        Some(meant) => diagnostic.label(format!("did you mean `{meant}`?")).help(expected).replace(
            format!("write `{meant}`"),
            Applicability::Unsafe,
            span,
            meant,
        ),
        None => diagnostic.label(expected),
    }
}

pub(super) fn duplicate_property(entry: Entry<'_>, key: &str, first: Span) -> Diagnostic {
    let message = format!("property {} is given twice", quote(key));
    Diagnostic::new(&catalogue::DUPLICATE_PROPERTY, entry.span(), message)
        .label("given again here")
        .related(first, "first given here")
        .help("keep one of them")
}

pub(super) fn unexpected_block(node: Node<'_>, block: Span, schema: &'static Schema) -> Diagnostic {
    let message = format!("{} takes no block", quote(node.name()));
    let diagnostic =
        Diagnostic::new(&catalogue::UNEXPECTED_BLOCK, block, message).label("expected no block here");
    let property = |child: Node<'_>| schema.properties.iter().find(|property| property.name == child.name());
    match node.children().find_map(property) {
        Some(property) => diagnostic.help(format!(
            "`{0}` is a property: write `{0}=…` behind {1}",
            property.name,
            quote(node.name())
        )),
        None => diagnostic.replace("remove the block", Applicability::Unsafe, block, ""),
    }
}

pub(super) fn annotation(text: &str, span: Span) -> Diagnostic {
    let message = format!("the type annotation {} has no meaning", quote(text));
    Diagnostic::new(&catalogue::UNEXPECTED_ANNOTATION, span, message)
        .label("expected none: the schema fixes each type")
        .help("remove it, with its parentheses")
}

/// A name that the author chose and that cannot be one.
pub(super) fn name(node: Node<'_>, problem: ValueError) -> Diagnostic {
    let meant = problem.meant.clone();
    let diagnostic = report(problem, node.name_span());
    match meant {
        Some(Meant::Text(meant) | Meant::Value(meant)) => diagnostic.replace(
            format!("rename it to {}", quote(&meant)),
            Applicability::Unsafe,
            node.name_span(),
            quoted_string(&meant),
        ),
        None => diagnostic,
    }
}

/// A value that its type does not allow.
pub(super) fn value(entry: Entry<'_>, problem: ValueError) -> Diagnostic {
    let meant = problem.meant.clone();
    let diagnostic = report(problem, entry.value_span());
    // The same value in the right type is what was meant for sure; a near miss is a guess.
    let (replacement, sure) = match meant {
        Some(Meant::Value(value)) if diagnostic.rule == &catalogue::WRONG_TYPE => {
            (value, Applicability::Safe)
        }
        Some(Meant::Value(value)) => (value, Applicability::Unsafe),
        Some(Meant::Text(text)) => (quoted_string(&text), Applicability::Unsafe),
        None => return diagnostic,
    };
    diagnostic.replace(format!("write {}", quote(&replacement)), sure, entry.value_span(), replacement)
}

fn report(problem: ValueError, span: Span) -> Diagnostic {
    let ValueError { rule, message, expected, help, meant: _ } = problem;
    Diagnostic::new(rule, span, message).label(expected).help_if(help)
}
