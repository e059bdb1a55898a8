//! Document and workspace symbols.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lsp_types::{DocumentSymbol, DocumentSymbolResponse, SymbolInformation, SymbolKind};

use super::analysis::{Asked, Located};
use super::client::Client;
use super::cursor::{argument_schema, child_schema};
use super::names::{Kind, Names, Occurrence, unquoted};
use super::position::Encoding;
use crate::schema::{self, Children, ValueType};
use crate::source::Span;
use crate::syntax::{Node, Value};
use crate::text::harmless;

/// How many symbols of a document are shown, and how many of a workspace: nobody reads more.
const MAX_OF_DOCUMENT: usize = 20_000;
const MAX_OF_WORKSPACE: usize = 512;
/// How many characters of a name and of what is said beside it are shown.
const MAX_SHOWN: usize = 80;

/// Lists the symbols of a document.
#[must_use]
pub(super) fn of_document(asked: Asked<'_>, client: &Client) -> DocumentSymbolResponse {
    let bottles = asked.analysis.file(asked.id).bottles.iter();
    let addresses = bottles.map(|decl| (decl.slug.span, decl.addresses().bundle().to_string()));
    let mut outline = Outline { asked, addresses: addresses.collect(), left: MAX_OF_DOCUMENT };
    let symbols = outline.symbols(&schema::ROOT, asked.tree().nodes());
    if client.nested_symbols {
        return DocumentSymbolResponse::Nested(symbols);
    }
    let mut flat = Vec::new();
    flatten(asked, symbols, None, &mut flat);
    DocumentSymbolResponse::Flat(flat)
}

/// The symbols one after the other, each with the name of what holds it.
fn flatten(
    asked: Asked<'_>,
    symbols: Vec<DocumentSymbol>,
    within: Option<&str>,
    flat: &mut Vec<SymbolInformation>,
) {
    let Some(uri) = asked.analysis.uri(asked.id) else { return };
    for symbol in symbols {
        let location = lsp_types::Location { uri: uri.clone(), range: symbol.range };
        flat.push(information(symbol.name.clone(), symbol.kind, location, within.map(str::to_owned)));
        // No deeper than the language is.
        flatten(asked, symbol.children.unwrap_or_default(), Some(&symbol.name), flat);
    }
}

/// The symbols of one document while they are gathered.
struct Outline<'a> {
    asked: Asked<'a>,
    /// What a bottle's bundle is reached at, by the place of the bottle's name.
    addresses: BTreeMap<Span, String>,
    /// How many more are wanted.
    left: usize,
}

impl<'a> Outline<'a> {
    /// Those of nodes that stand in a node of the language, as far as the language knows them.
    fn symbols(
        &mut self,
        parent: &'static schema::Node,
        nodes: impl Iterator<Item = Node<'a>>,
    ) -> Vec<DocumentSymbol> {
        let mut symbols = Vec::new();
        for node in nodes {
            let Some(schema) = child_schema(parent, node.name()) else { continue };
            let Some(left) = self.left.checked_sub(1) else { break };
            self.left = left;
            let is_variable = matches!(parent.children, Children::Named { .. });
            symbols.push(self.symbol(schema, node, is_variable));
        }
        symbols
    }

    fn symbol(&mut self, schema: &'static schema::Node, node: Node<'a>, is_variable: bool) -> DocumentSymbol {
        let argument = node.entries().find(|entry| entry.key().is_none());
        let name = argument.filter(|_| !is_variable && is_named(schema.name)).and_then(|entry| {
            match entry.value() {
                Value::String(text) => Some((text, entry.value_span())),
                _ => None,
            }
        });
        let (text, span) = name.unwrap_or((node.name(), node.name_span()));
        let detail = if is_variable {
            // Never what it holds.
            node.entries()
                .filter_map(|entry| Some(entry.key()?.0))
                .find(|key| key.starts_with("from-"))
                .map(shown)
        } else {
            self.detail(schema, node, span)
        };
        let name = if text.trim().is_empty() { schema.name.to_owned() } else { shown(text) };
        let children = self.symbols(schema, node.children());
        #[allow(deprecated, reason = "the field must be given, and says nothing")]
        DocumentSymbol {
            name,
            detail,
            kind: if is_variable { SymbolKind::VARIABLE } else { kind(schema.name) },
            tags: None,
            deprecated: None,
            range: self.asked.range(node.span()),
            selection_range: self.asked.range(unquoted(self.asked, text, span)),
            children: (!children.is_empty()).then_some(children),
        }
    }

    /// What is said beside a name.
    fn detail(&self, schema: &'static schema::Node, node: Node<'a>, name: Span) -> Option<String> {
        match schema.name {
            "bottle" => self.addresses.get(&name).cloned(),
            "include" => Some(String::from("include")),
            "expose" => Some(String::from("its URL")),
            "placeholder" => Some(String::from("the launch's token")),
            "profile" => {
                let extends = node.children().filter(|child| child.name() == "extends");
                let found = extends.flat_map(|extends| valid(child_schema(schema, "extends"), extends));
                joined(found).map(|names| format!("extends {names}"))
            }
            "credential" => {
                let upstream = node.children().find(|child| child.name() == "upstream")?;
                joined(valid(child_schema(schema, "upstream"), upstream))
            }
            "repo" => {
                let place = node.children().find(|child| matches!(child.name(), "url" | "path"))?;
                joined(valid(child_schema(schema, place.name()), place))
            }
            // What follows the name of what has one.
            named if is_named(named) => {
                let properties = schema.properties.iter().filter(|property| property.required);
                let property =
                    |name: &str| node.entries().find(|it| it.key().is_some_and(|key| key.0 == name));
                let found = properties.filter_map(|known| {
                    let value = property(known.name)?.value();
                    known.value.check(value).is_ok().then(|| plain(value))?
                });
                joined(valid(Some(schema), node).skip(1).chain(found.collect::<Vec<_>>()))
            }
            _ => {
                let properties = node.entries().filter(|entry| entry.key().is_some());
                let properties = properties.filter_map(|entry| {
                    let (key, _) = entry.key()?;
                    let known = schema.properties.iter().find(|known| known.name == key)?;
                    known.value.check(entry.value()).is_ok().then(|| plain(entry.value()))?
                });
                joined(valid(Some(schema), node).chain(properties))
            }
        }
    }
}

/// Whether a node's first argument is its name.
fn is_named(node: &str) -> bool {
    matches!(
        node,
        "bottle"
            | "profile"
            | "include"
            | "sidecar"
            | "repo"
            | "credential"
            | "pattern"
            | "expose"
            | "placeholder"
            | "secret"
            | "volume"
    )
}

fn kind(node: &str) -> SymbolKind {
    match node {
        "bottle" => SymbolKind::CLASS,
        "profile" => SymbolKind::INTERFACE,
        "include" => SymbolKind::FILE,
        "sidecar" | "pipelock" | "git-gate" | "broker" | "supervise" => SymbolKind::MODULE,
        "repo" => SymbolKind::PACKAGE,
        "expose" | "placeholder" => SymbolKind::VARIABLE,
        "pattern" => SymbolKind::CONSTANT,
        "secret" | "credential" => SymbolKind::KEY,
        "volume" => SymbolKind::FIELD,
        "env" | "egress" | "git" | "dlp" | "tls" | "expect" => SymbolKind::NAMESPACE,
        "allow" | "deny" | "private" | "refuse" | "passthrough" => SymbolKind::ARRAY,
        _ => SymbolKind::PROPERTY,
    }
}

/// A node's arguments that are what the language wants there, but for the words of a command: those may hold anything.
fn valid<'t>(
    schema: Option<&'static schema::Node>,
    node: Node<'t>,
) -> impl Iterator<Item = String> + use<'t> {
    let arguments = node.entries().filter(|entry| entry.key().is_none());
    arguments.enumerate().filter_map(move |(at, entry)| {
        let known = argument_schema(schema?, at)?.value;
        let tells = !matches!(known, ValueType::Argument | ValueType::EnvValue);
        (tells && known.check(entry.value()).is_ok()).then(|| plain(entry.value()))?
    })
}

fn plain(value: Value<'_>) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_owned()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Number(number) => Some(number.to_owned()),
        Value::Bool(_) | Value::Null => None,
    }
}

/// The first of these words that fit into what is shown.
fn joined(words: impl Iterator<Item = String>) -> Option<String> {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&word);
        if text.len() > 4 * MAX_SHOWN {
            break;
        }
    }
    (!text.is_empty()).then(|| shown(&text))
}

/// A text as it may be shown: on one line, and not too long.
fn shown(text: &str) -> String {
    let start = text.char_indices().nth(MAX_SHOWN).map_or(text, |(end, _)| &text[..end]);
    let mut shown = harmless(start).replace(['\n', '\r', '\t'], " ");
    if start.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// What the specs of a workspace define, as far as its name has the letters of `query` in their order.
#[must_use]
pub(super) fn of_workspace(
    folders: impl Iterator<Item = Arc<Located>>,
    query: &str,
    encoding: Encoding,
) -> Vec<SymbolInformation> {
    let query: Vec<char> =
        query.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let mut best: BTreeMap<_, SymbolInformation> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for analysis in folders {
        let names = Names::new(&analysis);
        let mut found: Vec<(Match, &Occurrence<'_>)> = Vec::new();
        for id in analysis.files().keys() {
            let definitions = names.of_file(*id).iter().filter(|it| it.is_definition());
            let matching = definitions.filter(|it| symbol_kind(it.kind).is_some());
            found.extend(matching.filter_map(|it| Some((Match::of(it.text, &query)?, it))));
        }
        found.sort_by_key(|(found, it)| (*found, it.kind, it.text, it.span));
        found.truncate(MAX_OF_WORKSPACE);
        for (found, it) in found {
            let asked = Asked { analysis: &analysis, id: it.span.source, encoding };
            let Some(location) = asked.location(unquoted(asked, it.text, it.span)) else { continue };
            let Some(kind) = symbol_kind(it.kind) else { continue };
            // A file may lie in two folders, one in the other.
            let place = (location.uri.as_str().to_owned(), it.span.start);
            if !seen.insert(place.clone()) {
                continue;
            }
            let layer = names.of_layer(it.layer);
            let container = layer.filter(|layer| layer.span != it.span).map(|layer| shown(layer.text));
            let symbol = information(shown(it.text), kind, location, container);
            best.insert((found, it.kind, it.text.to_owned(), place), symbol);
        }
    }
    best.into_values().take(MAX_OF_WORKSPACE).collect()
}

fn symbol_kind(name: Kind) -> Option<SymbolKind> {
    match name {
        Kind::Bottle => Some(kind("bottle")),
        Kind::Profile => Some(kind("profile")),
        Kind::Sidecar => Some(kind("sidecar")),
        Kind::Repository => Some(kind("repo")),
        Kind::Credential => Some(kind("credential")),
        Kind::Pattern => Some(kind("pattern")),
        Kind::Variable => Some(SymbolKind::VARIABLE),
        Kind::Builtin | Kind::Rule => None,
    }
}

fn information(
    name: String,
    kind: SymbolKind,
    location: lsp_types::Location,
    container_name: Option<String>,
) -> SymbolInformation {
    let name = if name.trim().is_empty() { String::from("?") } else { name };
    #[allow(deprecated, reason = "the field must be given, and says nothing")]
    SymbolInformation { name, kind, tags: None, deprecated: None, location, container_name }
}

/// How well a name matches a query, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    /// 0 when they are equal, 1 when the name begins with it, 2 when a part of the name does, 3 when it holds it, 4 when it
    /// holds its letters.
    rank: u8,
    /// How many letters of the name lie between them.
    gaps: usize,
    /// The length of the name.
    length: usize,
}

impl Match {
    /// `query` is in lower case.
    fn of(name: &str, query: &[char]) -> Option<Self> {
        let name: Vec<char> = name.chars().take(4 * MAX_SHOWN).flat_map(char::to_lowercase).collect();
        let length = name.len();
        if name.starts_with(query) {
            return Some(Self { rank: u8::from(length > query.len()), gaps: 0, length });
        }
        let mut starts = (1..length).filter(|at| name[*at..].starts_with(query)).peekable();
        if starts.peek().is_some() {
            let rank = if starts.any(|at| !name[at - 1].is_alphanumeric()) { 2 } else { 3 };
            return Some(Self { rank, gaps: 0, length });
        }
        let mut letters = query.iter().peekable();
        let mut gaps = 0;
        for c in &name {
            match letters.peek() {
                None => break,
                Some(letter) if *letter == c => {
                    letters.next();
                }
                Some(_) => gaps += 1,
            }
        }
        letters.next().is_none().then_some(Self { rank: 4, gaps, length })
    }
}
