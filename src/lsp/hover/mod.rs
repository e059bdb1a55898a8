//! Hovers: the reference's text about a node, and what it comes to in this spec.

mod engine;
mod env;
mod hosts;
mod names;

pub(super) use names::built_in_given;

use lsp_types::{Hover, HoverContents, Position};

use super::analysis::Asked;
use super::around::{self, Around};
use super::client::Client;
use super::cursor::{Cursor, Spot, argument_schema, entry_schema};
use super::prose::Prose;
use crate::compile::Analysis;
use crate::model::Bottle;
use crate::resolve::members::Needs;
use crate::schema::{Node as Schema, ValueType};
use crate::source::Span;
use crate::syntax::{Entry, Node, Value};
use crate::text::quote;
use crate::world::builtin;

/// The most names of one kind that a hover lists, and the most bottles that it speaks of.
const MAX_LISTED: usize = 12;
const MAX_BOTTLES: usize = 4;

/// Returns the hover at a position.
#[must_use]
pub(super) fn hover(asked: Asked<'_>, position: Position, client: &Client) -> Option<Hover> {
    let cursor = Cursor::new(asked.tree(), asked.offset(position));
    let (span, prose) = told(asked, &cursor)?;
    if prose.is_empty() {
        return None;
    }
    let contents = HoverContents::Markup(prose.markup(client.markdown_hover));
    Some(Hover { contents, range: Some(asked.range(span)) })
}

/// What is said of the place, and of which text it is said.
fn told(asked: Asked<'_>, cursor: &Cursor<'_>) -> Option<(Span, Prose)> {
    let node = cursor.node()?;
    let schema = cursor.node_schema()?;
    let out = cursor.parents.iter().any(|parent| parent.is_commented()) || node.is_commented();
    let place = Place { asked, parents: &cursor.parents, node };
    Some(match cursor.spot {
        Spot::Name(_) => {
            let facts = if out { Prose::new() } else { place.of_name(schema) };
            (node.name_span(), facts.and(Prose::of_node(schema)))
        }
        Spot::Key(_, entry) => {
            let (key, span) = entry.key()?;
            let property = schema.properties.iter().find(|property| property.name == key)?;
            (span, Prose::of_property(property))
        }
        Spot::Value(_, entry) if !entry.is_broken() => {
            let doc = match entry.key() {
                Some((key, _)) => {
                    Prose::of_property(schema.properties.iter().find(|property| property.name == key)?)
                }
                None => Prose::of_argument(argument_schema(schema, number_of(node, entry))?),
            };
            let facts =
                if out || entry.is_commented() { Prose::new() } else { place.of_value(schema, entry) };
            // A rule's page says all that there is to say.
            let is_page = !facts.is_empty() && is_rule(schema, node, entry);
            // A type before the value is no part of it.
            let before = cursor.offset < entry.value_span().start;
            let span = if before { entry.span() } else { entry.value_span() };
            (span, if is_page { facts } else { facts.and(doc) })
        }
        _ => return None,
    })
}

/// The number of an argument among its node's, from 0 on.
fn number_of(node: Node<'_>, entry: Entry<'_>) -> usize {
    let start = entry.span().start;
    node.entries().filter(|it| it.key().is_none() && it.span().start < start).count()
}

/// Whether an argument names a rule.
fn is_rule(schema: &'static Schema, node: Node<'_>, entry: Entry<'_>) -> bool {
    entry.key().is_none() && entry_schema(schema, node, entry).is_some_and(|(value, _)| value.is_rule())
}

/// The text of an entry.
fn text(entry: Entry<'_>) -> Option<&str> {
    match entry.value() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// A node, and where it stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    asked: Asked<'a>,
    parents: &'a [Node<'a>],
    node: Node<'a>,
}

impl<'a> Place<'a> {
    /// What this spec makes of a node.
    fn of_name(self, schema: &'static Schema) -> Prose {
        let argument = || self.node.entries().find(|entry| entry.key().is_none());
        let parent = self.parents.last().map(|parent| parent.name());
        match (parent, schema.name) {
            (None, "bottle") => self.bottle(self.node),
            (Some("bottle"), "network") => self.bottle(self.parents[0]),
            (_, "sidecar") => argument().and_then(text).map(|name| self.sidecar(name)).unwrap_or_default(),
            (Some("sidecar"), "port" | "mcp") => {
                let name =
                    self.parents.last().and_then(|parent| parent.entries().find(|it| it.key().is_none()));
                name.and_then(text).map(|name| self.sidecar(name)).unwrap_or_default()
            }
            (Some("bottle" | "profile"), name) if builtin::find(name).is_some() => self.sidecar(name),
            (Some("env"), _) => self.variable(),
            (None, "include") => argument().and_then(text).map(|path| self.include(path)).unwrap_or_default(),
            _ => Prose::new(),
        }
    }

    /// What this spec makes of a value.
    fn of_value(self, schema: &'static Schema, entry: Entry<'_>) -> Prose {
        let parent = self.parents.last().map(|parent| parent.name());
        let Some(text) = text(entry) else {
            return match (parent, schema.name) {
                (Some("bottle"), "network") => self.bottle(self.parents[0]),
                (Some("sidecar"), "port") => self.of_name(schema),
                _ => Prose::new(),
            };
        };
        let value = entry_schema(schema, self.node, entry).map(|(value, _)| value);
        match (value, schema.name) {
            (Some(ValueType::Name), "bottle") if parent.is_none() => self.bottle(self.node),
            (Some(ValueType::Name), "sidecar" | "needs") => self.sidecar(text),
            (Some(ValueType::ProfileName), "extends") => self.profile(text),
            (Some(ValueType::EnvName), "expose") => self.exposed(text),
            (Some(ValueType::EnvName), "placeholder") => {
                Prose::new().text("The token of the launch, which `up` makes.")
            }
            (Some(ValueType::EnvName | ValueType::AbsolutePath | ValueType::EnvValue), _)
                if parent == Some("env") =>
            {
                self.variable()
            }
            (Some(ValueType::Version), _) => self.version(text),
            (Some(ValueType::RelativePath), "include") => self.include(text),
            (
                Some(ValueType::HostEntry | ValueType::HostPattern | ValueType::Upstream | ValueType::Target),
                _,
            ) => self.host(text, entry),
            // Whichever type names rules, of which the language has more than one.
            (Some(value), _) if entry.key().is_none() && value.is_rule() => engine::rule(text),
            _ => Prose::new(),
        }
    }

    /// The bottles that the node counts for, of those that can be made out.
    fn concerned(self) -> Vec<&'a Bottle<Needs>> {
        let analysis: &Analysis = self.asked.analysis;
        let Some(around) = Around::new(
            self.asked,
            if self.parents.is_empty() { std::slice::from_ref(&self.node) } else { self.parents },
        ) else {
            return Vec::new();
        };
        if around.is_bottle {
            return analysis.bottle(around.name.span).into_iter().collect();
        }
        let on = around::bottles_on(analysis, around.name);
        analysis.bottles().iter().filter(|bottle| on.contains(&bottle.settings.slug.span)).collect()
    }

    /// `team.kdl:12`, in backticks.
    fn place(self, span: Span) -> String {
        place(self.asked, span)
    }
}

/// `team.kdl:12`, in backticks.
fn place(asked: Asked<'_>, span: Span) -> String {
    let source = asked.analysis.sources().get(span.source);
    quote(&format!("{}:{}", source.name(), source.line_of(span.start) + 1))
}

/// Some of several things, and how many more there are.
fn some<'a>(things: impl IntoIterator<Item = &'a str>) -> String {
    let mut things = things.into_iter();
    let mut shown: Vec<String> = things.by_ref().take(MAX_LISTED).map(quote).collect();
    match things.count() {
        0 => {}
        more => shown.push(format!("and {more} more")),
    }
    shown.join(", ")
}
