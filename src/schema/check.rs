//! Holds a tree against the table. Everything that the table knows is reported here and nowhere else.

use std::collections::BTreeMap;

use super::{Child, Children, Node as Schema, Occurs, Problem, Property, RETIRED, ROOT, ValueType};
use crate::diagnostic::{Applicability, Diagnostic, Diagnostics, Edit, did_you_mean, one_of, quote};
use crate::rules::schema as rules;
use crate::source::Span;
use crate::syntax::{Entry, Node, Nodes, Tree, Value};

/// Reports everything in `tree` that the table does not know, or knows otherwise.
pub fn check(tree: &Tree, diagnostics: &mut Diagnostics) {
    let top = Parent { what: String::from("at the top of a file"), schema: &ROOT, span: None };
    children(tree.nodes(), &top, diagnostics);
}

/// The node whose block is looked at. The walk recurses along the table, which is four levels deep, never along the
/// input.
struct Parent<'a> {
    /// "in `egress`".
    what: String,
    schema: &'a Schema,
    /// Its name; `None` for the file.
    span: Option<Span>,
}

fn children(nodes: Nodes<'_>, parent: &Parent<'_>, diagnostics: &mut Diagnostics) {
    match &parent.schema.children {
        Children::None => {}
        Children::Named { name, node: schema } => {
            for node in nodes {
                if let Err(problem) = name.check(Value::String(node.name())) {
                    let fix = problem.meant.clone();
                    let mut diagnostic = report(problem, node.name_span());
                    if let Some(meant) = fix {
                        diagnostic = diagnostic.replace(
                            format!("rename it to {}", quote(&meant)),
                            Applicability::Unsafe,
                            node.name_span(),
                            meant,
                        );
                    }
                    diagnostics.push(diagnostic);
                }
                node_against(node, schema, diagnostics);
            }
        }
        Children::Nodes(known) => {
            let mut first: BTreeMap<&str, Span> = BTreeMap::new();
            for node in nodes {
                let Some(child) = known.iter().find(|child| child.node.name == node.name()) else {
                    diagnostics.push(unknown_node(node, known, &parent.what));
                    continue;
                };
                if child.occurs != Occurs::Many {
                    if let Some(first) = first.get(node.name()) {
                        diagnostics.push(duplicate_node(node, *first, &parent.what));
                        continue;
                    }
                    first.insert(child.node.name, node.name_span());
                }
                node_against(node, child.node, diagnostics);
            }
            let missing =
                known.iter().filter(|c| c.occurs == Occurs::Required && !first.contains_key(c.node.name));
            if let Some(span) = parent.span {
                for child in missing {
                    diagnostics.push(
                        Diagnostic::new(
                            &rules::MISSING_NODE,
                            span,
                            format!("{} needs `{}`", quote(parent.schema.name), child.node.name),
                        )
                        .label(format!("expected `{}` in its block", child.node.name))
                        .help(format!("for example: `{}`", child.node.example)),
                    );
                }
            }
        }
    }
}

fn duplicate_node(node: Node<'_>, first: Span, what: &str) -> Diagnostic {
    Diagnostic::new(
        &rules::DUPLICATE_NODE,
        node.name_span(),
        format!("{} is given more than once {what}", quote(node.name())),
    )
    .label("given again here")
    .related(first, "first given here")
    .help("keep one of them")
}

fn unknown_node(node: Node<'_>, known: &'static [Child], what: &str) -> Diagnostic {
    let (name, span) = (node.name(), node.name_span());
    if let Some(retired) = RETIRED.iter().find(|retired| retired.name == name) {
        return Diagnostic::new(
            &rules::RETIRED_NODE,
            span,
            format!("{} belongs to the retired gvproxy design", quote(name)),
        )
        .label("has no meaning any more")
        .help(retired.instead);
    }
    let names = || known.iter().map(|child| child.node.name);
    let diagnostic =
        Diagnostic::new(&rules::UNKNOWN_NODE, span, format!("unknown node {} {what}", quote(name)));
    if let Some(meant) = did_you_mean(name, names()) {
        return diagnostic
            .label(format!("did you mean `{meant}`?"))
            .help(format!("expected one of {}", one_of(names())))
            .replace(format!("write `{meant}`"), Applicability::Unsafe, span, meant);
    }
    // Most often the node is right and its place is wrong.
    match place_of(name) {
        Some(place) => diagnostic.label(format!("expected one of {}", one_of(names()))).help(format!(
            "{} stands {place}: a brace may have been closed too early or too late",
            quote(name)
        )),
        None => diagnostic.label("not known here").help(format!("expected one of {}", one_of(names()))),
    }
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

fn node_against(node: Node<'_>, schema: &'static Schema, diagnostics: &mut Diagnostics) {
    annotation(node.type_annotation(), diagnostics);
    let mut position = 0;
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for entry in node.entries() {
        annotation(entry.type_annotation(), diagnostics);
        match entry.key() {
            None => {
                argument(node, entry, position, schema, diagnostics);
                position += 1;
            }
            Some((key, key_span)) => {
                let Some(property) = schema.properties.iter().find(|property| property.name == key) else {
                    diagnostics.push(unknown_property(node, entry, key, key_span, schema));
                    continue;
                };
                if let Some(first) = first.get(key) {
                    diagnostics.push(
                        Diagnostic::new(
                            &rules::DUPLICATE_PROPERTY,
                            entry.span(),
                            format!("property {} is given twice", quote(key)),
                        )
                        .label("given again here")
                        .related(*first, "first given here")
                        .help("keep one of them"),
                    );
                    continue;
                }
                first.insert(property.name, entry.span());
                value(entry, property.value, diagnostics);
            }
        }
    }
    if let Some(missing) = schema.arguments.iter().skip(position).find(|argument| argument.required) {
        diagnostics.push(
            Diagnostic::new(
                &rules::MISSING_ARGUMENT,
                node.name_span(),
                format!("{} needs {}", quote(node.name()), article(missing.name)),
            )
            .label(format!("expected {} after it", missing.value.describe()))
            .help(format!("for example: `{}`", first_line(schema.example))),
        );
    }
    for property in schema.properties.iter().filter(|p| p.required && !first.contains_key(p.name)) {
        diagnostics.push(missing_property(node, property, schema));
    }
    block(node, schema, diagnostics);
}

fn block(node: Node<'_>, schema: &'static Schema, diagnostics: &mut Diagnostics) {
    if let (Children::None, Some(block)) = (&schema.children, node.block_span()) {
        diagnostics.push(
            Diagnostic::new(
                &rules::UNEXPECTED_BLOCK,
                block,
                format!("{} takes no block", quote(node.name())),
            )
            .label("expected no block here")
            .help("remove it")
            .replace("remove the block", Applicability::Unsafe, block, ""),
        );
        return;
    }
    let parent = Parent { what: format!("in {}", quote(node.name())), schema, span: Some(node.name_span()) };
    children(node.children(), &parent, diagnostics);
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("").trim_end_matches([' ', '{'])
}

fn article(name: &str) -> String {
    let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {name}")
}

fn annotation(annotation: Option<(&str, Span)>, diagnostics: &mut Diagnostics) {
    if let Some((text, span)) = annotation {
        diagnostics.push(
            Diagnostic::new(
                &rules::UNEXPECTED_ANNOTATION,
                span,
                format!("the type annotation {} has no meaning", quote(text)),
            )
            .label("expected none: the schema fixes each type")
            .help("remove it"),
        );
    }
}

fn missing_property(node: Node<'_>, property: &Property, schema: &Schema) -> Diagnostic {
    Diagnostic::new(
        &rules::MISSING_PROPERTY,
        node.head_span(),
        format!("{} needs the property `{}`", quote(node.name()), property.name),
    )
    .label(format!("expected `{}=`: {}", property.name, property.value.describe()))
    .help(format!("for example: `{}`", first_line(schema.example)))
}

fn unknown_property(
    node: Node<'_>,
    entry: Entry<'_>,
    key: &str,
    key_span: Span,
    schema: &'static Schema,
) -> Diagnostic {
    let names = || schema.properties.iter().map(|property| property.name);
    let diagnostic = Diagnostic::new(
        &rules::UNKNOWN_PROPERTY,
        key_span,
        format!("unknown property {} of {}", quote(key), quote(node.name())),
    );
    if schema.properties.is_empty() {
        // `octet=42` is often a node that was meant, or the other way round.
        let child = schema.child_nodes().iter().any(|child| child.node.name == key);
        let diagnostic = diagnostic.label(format!("{} has no properties", quote(node.name())));
        return if child {
            diagnostic.help(format!("write {} as a node in the block", quote(key)))
        } else {
            diagnostic.help("remove it")
        };
    }
    let expected =
        format!("expected {}{}", if names().nth(1).is_some() { "one of " } else { "" }, one_of(names()));
    match did_you_mean(key, names()) {
        Some(meant) => diagnostic.label(format!("did you mean `{meant}`?")).help(expected).replace(
            format!("write `{meant}`"),
            Applicability::Unsafe,
            key_span,
            meant,
        ),
        None => {
            let _ = entry;
            diagnostic.label(expected)
        }
    }
}

fn argument(
    node: Node<'_>,
    entry: Entry<'_>,
    position: usize,
    schema: &'static Schema,
    diagnostics: &mut Diagnostics,
) {
    let last = schema.arguments.last().filter(|argument| argument.repeats);
    if let Some(argument) = schema.arguments.get(position).or(last) {
        value(entry, argument.value, diagnostics);
        return;
    }
    // One diagnostic a node: the first of too many says it all.
    if position > schema.arguments.len() {
        return;
    }
    let expected = match schema.arguments.len() {
        0 => format!("{} takes no argument", quote(node.name())),
        1 => format!("{} takes one argument", quote(node.name())),
        n => format!("{} takes {n} arguments", quote(node.name())),
    };
    let mut diagnostic =
        Diagnostic::new(&rules::UNEXPECTED_ARGUMENT, entry.span(), expected).label("not expected");
    let key = match entry.value() {
        Value::String(text) => schema.properties.iter().find(|property| property.name == text),
        _ => None,
    };
    if let Some(property) = key {
        diagnostic = diagnostic.help(format!("a property is written `{}=…`", property.name));
    } else if let [property] = schema.properties
        && schema.arguments.is_empty()
        && property.value.check(entry.value()).is_ok()
    {
        diagnostic = diagnostic.label(format!("did you mean `{}=`?", property.name)).fix(
            format!("write `{}=` before it", property.name),
            Applicability::Safe,
            vec![Edit {
                span: Span::at(entry.span().source, entry.span().start),
                replacement: format!("{}=", property.name),
            }],
        );
    } else {
        diagnostic = diagnostic.help("remove it");
    }
    diagnostics.push(diagnostic);
}

fn value(entry: Entry<'_>, expected: ValueType, diagnostics: &mut Diagnostics) {
    let Err(problem) = expected.check(entry.value()) else { return };
    let meant = problem.meant.clone();
    let mut diagnostic = report(problem, entry.value_span());
    if let Some(meant) = meant {
        let number = meant.starts_with('"') || expected.is_number();
        let replacement = if number { meant.clone() } else { crate::syntax::quoted_string(&meant) };
        // The same value in the right type is what was meant for sure; a near miss is a guess.
        let sure =
            if diagnostic.rule == &rules::WRONG_TYPE { Applicability::Safe } else { Applicability::Unsafe };
        diagnostic = diagnostic.replace(
            format!("write {}", quote(&replacement)),
            sure,
            entry.value_span(),
            replacement,
        );
    }
    diagnostics.push(diagnostic);
}

fn report(problem: Problem, span: Span) -> Diagnostic {
    let Problem { rule, message, expected, help, meant: _ } = problem;
    Diagnostic::new(rule, span, message).label(expected).help_if(help)
}
