//! The words of a tree, each with its kind.

use super::{DECLARATION, DEFAULT_LIBRARY, DEPRECATED, Kind, Word};
use crate::lsp::cursor::{argument_schema, child_schema};
use crate::lsp::slashdash;
use crate::schema::{self, Children, RETIRED, ROOT, ValueType};
use crate::source::Span;
use crate::syntax::{Entry, Node, TokenKind, Tree, Value};
use crate::world::builtin;

/// Every word that can be said something of, in order, none overlapping another.
#[must_use]
pub(super) fn words(tree: &Tree) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for slashdash::Commented { range, block: _ } in slashdash::commented(tree) {
        words.push(Word { start: range.start, end: range.end, kind: Kind::Comment, modifiers: 0 });
    }
    for token in tree.tokens() {
        let kind = match token.kind {
            TokenKind::LineComment | TokenKind::BlockComment => Kind::Comment,
            TokenKind::Equals | TokenKind::Backslash => Kind::Operator,
            _ => continue,
        };
        words.push(Word { start: token.range.start, end: token.range.end, kind, modifiers: 0 });
    }
    // What the language says of the blocks that are open.
    let mut open: Vec<Option<&'static schema::Node>> = Vec::new();
    for (depth, node) in tree.walk() {
        open.truncate(depth);
        let parent = open.last().copied().unwrap_or(Some(&ROOT));
        let known = parent.and_then(|parent| child_schema(parent, node.name()));
        open.push(known);
        if !node.is_commented() {
            of_node(node, depth, parent, known, &mut words);
        }
    }
    // Nearly in order already, and of two that begin at one place the larger one is meant.
    words.sort_by_key(|word| (word.start, std::cmp::Reverse(word.end)));
    let mut to = 0;
    words.retain(|word| {
        let keep = word.start >= to && word.start < word.end;
        if keep {
            to = word.end;
        }
        keep
    });
    words
}

fn push(words: &mut Vec<Word>, span: Span, kind: Kind, modifiers: u32) {
    words.push(Word { start: span.start, end: span.end, kind, modifiers });
}

/// A node's name and what stands behind it.
fn of_node(
    node: Node<'_>,
    depth: usize,
    parent: Option<&'static schema::Node>,
    known: Option<&'static schema::Node>,
    words: &mut Vec<Word>,
) {
    if let Some((_, span)) = node.type_annotation() {
        push(words, span, Kind::Class, 0);
    }
    let name = node.name_span();
    match (parent.map(|parent| &parent.children), known) {
        (Some(Children::Named { .. }), _) => push(words, name, Kind::Variable, DECLARATION),
        (_, Some(known)) => {
            let library = if builtin::find(node.name()).is_some() { DEFAULT_LIBRARY } else { 0 };
            let section = depth > 0 && !matches!(known.children, Children::None);
            push(words, name, if section { Kind::Section } else { Kind::Setting }, library);
        }
        _ if RETIRED.iter().any(|retired| retired.name == node.name()) => {
            push(words, name, Kind::Setting, DEPRECATED);
        }
        _ => {}
    }
    let mut arguments = 0;
    for entry in node.all_entries().filter(|entry| !entry.is_commented()) {
        if let Some((_, span)) = entry.type_annotation() {
            push(words, span, Kind::Class, 0);
        }
        let value = if let Some((key, span)) = entry.key() {
            let property = known.and_then(|known| known.properties.iter().find(|it| it.name == key));
            // A key that a known node does not have gets no colour of a known one.
            if known.is_none() || property.is_some() {
                push(words, span, Kind::Key, 0);
            }
            property.map(|property| property.value)
        } else {
            arguments += 1;
            known.and_then(|known| argument_schema(known, arguments - 1)).map(|argument| argument.value)
        };
        let (kind, modifiers) = of_value(entry, value, known);
        push(words, entry.value_span(), kind, modifiers);
    }
}

/// What a value is, by what is expected there and by what it is.
fn of_value(
    entry: Entry<'_>,
    expected: Option<ValueType>,
    known: Option<&'static schema::Node>,
) -> (Kind, u32) {
    let text = match entry.value() {
        Value::String(text) => text,
        Value::Integer(_) | Value::Number(_) => return (Kind::Number, 0),
        Value::Bool(_) | Value::Null => return (Kind::Choice, 0),
    };
    match (expected, known.map_or("", |known| known.name)) {
        (Some(ValueType::Name), "bottle") => (Kind::Bottle, DECLARATION),
        (Some(ValueType::ProfileName), "profile") => (Kind::Class, DECLARATION),
        (Some(ValueType::ProfileName), "extends") => (Kind::Class, 0),
        (Some(ValueType::Name), "sidecar" | "credential") => (Kind::Sidecar, DECLARATION),
        (Some(ValueType::Name), "needs") => {
            (Kind::Sidecar, if builtin::find(text).is_some() { DEFAULT_LIBRARY } else { 0 })
        }
        (Some(ValueType::EnvName), "expose" | "placeholder") => (Kind::Variable, DECLARATION),
        (Some(ValueType::EnvName), _) => (Kind::Variable, 0),
        (Some(ValueType::Regex), _) => (Kind::Regex, 0),
        (
            Some(
                ValueType::Choice { .. }
                | ValueType::Backend
                | ValueType::Engine
                | ValueType::Scanner
                | ValueType::AcceptableRule,
            ),
            _,
        ) => (Kind::Choice, 0),
        _ => (Kind::Text, 0),
    }
}
