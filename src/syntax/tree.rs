//! The tree: flat arenas in the order of the text, and borrowed handles into them.

use std::iter::successors;
use std::ops::Range;
use std::sync::Arc;

use super::number::{self, Number};
use super::token::{Token, TokenRef};
use crate::source::{SourceId, Span};

/// No index.
pub(super) const NONE: u32 = u32::MAX;
/// Set in the start of a [`StringRef`] into the decoded text.
const DECODED: u32 = 1 << 31;

/// A string's value: bytes of the source or of the decoded text.
#[derive(Clone, Copy, Debug)]
pub(super) struct StringRef {
    start: u32,
    len: u32,
}

impl StringRef {
    pub(super) fn source(range: Range<usize>) -> Self {
        let at32 = super::lexer::at32;
        Self { start: at32(range.start), len: at32(range.len()) }
    }

    pub(super) fn decoded(range: Range<usize>) -> Self {
        let source = Self::source(range);
        Self { start: source.start | DECODED, len: source.len }
    }
}

/// A name, key, type or string value: its span and where its text is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: TextKind,
}

/// Where the text of a [`Text`] is.
#[derive(Clone, Copy, Debug)]
pub(super) enum TextKind {
    /// The span itself.
    Bare,
    /// The span without a quote at each end.
    Quoted,
    /// An index into [`Tree::strings`].
    Stored(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ValueData {
    Text(TextKind),
    Integer(i64),
    /// Any other number: it is what its span says.
    Number,
    Bool(bool),
    Null,
}

#[derive(Clone, Debug)]
pub(super) struct EntryData {
    pub(super) start: u32,
    pub(super) value_start: u32,
    pub(super) end: u32,
    /// An index into [`Tree::texts`].
    pub(super) key: u32,
    /// An index into [`Tree::texts`].
    pub(super) ty: u32,
    pub(super) next: u32,
    pub(super) value: ValueData,
    pub(super) flags: u8,
}

#[derive(Clone, Debug)]
pub(super) struct NodeData {
    pub(super) name: Text,
    /// An index into [`Tree::texts`].
    pub(super) ty: u32,
    pub(super) start: u32,
    pub(super) head_end: u32,
    pub(super) end: u32,
    pub(super) block_start: u32,
    pub(super) block_end: u32,
    pub(super) first_entry: u32,
    /// One past the last node below this one: the next sibling, if there is one.
    pub(super) next: u32,
    pub(super) flags: u8,
}

/// Commented out with `/-`, itself or the block it stands in.
pub(super) const COMMENTED: u8 = 1;
/// A syntax error lies in its head, so that something of it may be missing.
pub(super) const BROKEN: u8 = 2;

/// A parsed text: every node, entry and token with its place. There is always one, however broken the text.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(super) source: SourceId,
    pub(super) text: Arc<str>,
    pub(super) tokens: Vec<Token>,
    pub(super) nodes: Vec<NodeData>,
    pub(super) entries: Vec<EntryData>,
    pub(super) texts: Vec<Text>,
    pub(super) strings: Vec<StringRef>,
    pub(super) decoded: String,
}

impl Tree {
    /// The number of nodes, arguments and properties, commented out or not.
    #[must_use]
    pub fn size(&self) -> usize {
        self.nodes.len() + self.entries.len()
    }

    /// The nodes at the top, without those that `/-` comments out.
    #[must_use]
    pub fn nodes(&self) -> Nodes<'_> {
        Nodes { all: self.all_nodes() }
    }

    /// The nodes at the top, also those that `/-` comments out.
    #[must_use]
    pub fn all_nodes(&self) -> AllNodes<'_> {
        AllNodes { tree: self, at: 0, end: super::lexer::at32(self.nodes.len()) }
    }

    /// Every node at every depth in the order of the text, each with its depth, from 0 at the top; also those that `/-`
    /// comments out.
    pub fn walk(&self) -> impl Iterator<Item = (usize, Node<'_>)> {
        // Where the nodes end that the next one may be below of.
        let mut open: Vec<u32> = Vec::new();
        (0..super::lexer::at32(self.nodes.len())).map(move |index| {
            let node = Node { tree: self, index };
            while open.pop_if(|end| *end <= index).is_some() {}
            let depth = open.len();
            open.push(node.data().next);
            (depth, node)
        })
    }

    /// The source that it was parsed from.
    #[must_use]
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// The text that was parsed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tokens in order. Each begins where the one before it ends; together they are the text.
    pub fn tokens(&self) -> impl Iterator<Item = TokenRef> + Clone {
        self.tokens_from(0)
    }

    /// The token that holds the byte at `offset`; none past the end.
    #[must_use]
    pub fn token_at(&self, offset: u32) -> Option<TokenRef> {
        let next = self.tokens.partition_point(|token| token.start <= offset);
        self.tokens_from(next.checked_sub(1)?).next()
    }

    /// Each token ends where the next one begins; the last one is the end of the text.
    fn tokens_from(&self, first: usize) -> impl Iterator<Item = TokenRef> + Clone {
        self.tokens[first..]
            .array_windows()
            .map(|[token, next]| TokenRef { kind: token.kind, range: token.start..next.start })
    }

    fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.source, start..end)
    }

    fn slice(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    fn resolve(&self, start: u32, end: u32, kind: TextKind) -> &str {
        match kind {
            TextKind::Bare => self.slice(start, end),
            TextKind::Quoted => self.slice(start + 1, end - 1),
            TextKind::Stored(index) => {
                let StringRef { start, len } = self.strings[index as usize];
                if start & DECODED == 0 {
                    return self.slice(start, start + len);
                }
                let start = (start & !DECODED) as usize;
                &self.decoded[start..start + len as usize]
            }
        }
    }

    fn text_at(&self, index: u32) -> Option<(&str, Span)> {
        let text = self.texts.get(index as usize)?;
        Some((self.resolve(text.start, text.end, text.kind), self.span(text.start, text.end)))
    }
}

/// One node.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    tree: &'t Tree,
    index: u32,
}

impl<'t> Node<'t> {
    fn data(self) -> &'t NodeData {
        &self.tree.nodes[self.index as usize]
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'t str {
        let name = self.data().name;
        self.tree.resolve(name.start, name.end, name.kind)
    }

    /// The span of its name, with its quotes.
    #[must_use]
    pub fn name_span(self) -> Span {
        let name = self.data().name;
        self.tree.span(name.start, name.end)
    }

    /// The type before its name, and where that stands, without the parentheses.
    #[must_use]
    pub fn type_annotation(self) -> Option<(&'t str, Span)> {
        self.tree.text_at(self.data().ty)
    }

    /// The span from its type or name through the end of its last block or entry.
    #[must_use]
    pub fn span(self) -> Span {
        let data = self.data();
        self.tree.span(data.start, data.end)
    }

    /// The span from its type or name through its last entry.
    #[must_use]
    pub fn head_span(self) -> Span {
        let data = self.data();
        self.tree.span(data.start, data.head_end)
    }

    /// Its arguments and properties in the order in which they stand, without those that `/-` comments out.
    pub fn entries(self) -> impl Iterator<Item = Entry<'t>> + Clone {
        self.all_entries().filter(|entry| !entry.is_commented())
    }

    /// Its arguments and properties, also those that `/-` comments out.
    pub fn all_entries(self) -> impl Iterator<Item = Entry<'t>> + Clone {
        let entry = move |index| (index != NONE).then_some(Entry { tree: self.tree, index });
        successors(entry(self.data().first_entry), move |last| entry(last.data().next))
    }

    /// The nodes in its block, without those that `/-` comments out.
    #[must_use]
    pub fn children(self) -> Nodes<'t> {
        Nodes { all: self.all_children() }
    }

    /// The nodes in its blocks, also those that `/-` comments out.
    #[must_use]
    pub fn all_children(self) -> AllNodes<'t> {
        AllNodes { tree: self.tree, at: self.index + 1, end: self.data().next }
    }

    /// Itself and every node below it, in the order in which they stand, without those that `/-` comments out.
    pub fn descendants(self) -> impl Iterator<Item = Node<'t>> {
        let Node { tree, index } = self;
        let end = self.data().next;
        let mut at = index;
        std::iter::from_fn(move || {
            while at < end {
                let node = Node { tree, index: at };
                if !node.is_commented() {
                    at += 1;
                    return Some(node);
                }
                at = node.data().next;
            }
            None
        })
    }

    /// The span of its block, with its braces.
    #[must_use]
    pub fn block_span(self) -> Option<Span> {
        let data = self.data();
        (data.block_start != NONE).then(|| self.tree.span(data.block_start, data.block_end))
    }

    /// Whether `/-` comments it out, itself or the block of its parent that it stands in.
    #[must_use]
    pub fn is_commented(self) -> bool {
        self.data().flags & COMMENTED != 0
    }

    /// Whether a syntax error lies in its head: an entry may be missing that its author wrote.
    #[must_use]
    pub fn is_broken(self) -> bool {
        self.data().flags & BROKEN != 0
    }
}

/// One argument or property.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'t> {
    tree: &'t Tree,
    index: u32,
}

impl<'t> Entry<'t> {
    fn data(self) -> &'t EntryData {
        &self.tree.entries[self.index as usize]
    }

    /// The span from its key or type through its value.
    #[must_use]
    pub fn span(self) -> Span {
        let data = self.data();
        self.tree.span(data.start, data.end)
    }

    /// Its key and where that stands; an argument has none.
    #[must_use]
    pub fn key(self) -> Option<(&'t str, Span)> {
        self.tree.text_at(self.data().key)
    }

    /// Its value.
    #[must_use]
    pub fn value(self) -> Value<'t> {
        let data = self.data();
        match data.value {
            ValueData::Text(kind) => Value::String(self.tree.resolve(data.value_start, data.end, kind)),
            ValueData::Integer(value) => Value::Integer(value.into()),
            ValueData::Number => match number::parse(self.raw_value()) {
                Ok(Number::Integer(value)) => Value::Integer(value),
                _ => Value::Number(self.raw_value()),
            },
            ValueData::Bool(value) => Value::Bool(value),
            ValueData::Null => Value::Null,
        }
    }

    /// The span of its value, without its type.
    #[must_use]
    pub fn value_span(self) -> Span {
        let data = self.data();
        self.tree.span(data.value_start, data.end)
    }

    /// Its value as it is written.
    #[must_use]
    pub fn raw_value(self) -> &'t str {
        let data = self.data();
        self.tree.slice(data.value_start, data.end)
    }

    /// The type before its value, and where that stands, without the parentheses.
    #[must_use]
    pub fn type_annotation(self) -> Option<(&'t str, Span)> {
        self.tree.text_at(self.data().ty)
    }

    /// Whether `/-` comments it out.
    #[must_use]
    pub fn is_commented(self) -> bool {
        self.data().flags & COMMENTED != 0
    }

    /// Whether its value is missing or unreadable, which was reported: its type says nothing.
    #[must_use]
    pub fn is_broken(self) -> bool {
        self.data().flags & BROKEN != 0
    }
}

/// The value of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'t> {
    /// Any kind of string.
    String(&'t str),
    /// A number without fraction and exponent that 128 bits hold.
    Integer(i128),
    /// Any other number, `#inf`, `#-inf` and `#nan`, as it is written: whatever would hold it might round it.
    Number(&'t str),
    /// `#true` or `#false`.
    Bool(bool),
    /// `#null`.
    Null,
}

/// Nodes, also those that `/-` comments out.
#[derive(Clone, Debug)]
pub struct AllNodes<'t> {
    tree: &'t Tree,
    at: u32,
    end: u32,
}

impl<'t> Iterator for AllNodes<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        if self.at >= self.end {
            return None;
        }
        let node = Node { tree: self.tree, index: self.at };
        self.at = node.data().next;
        Some(node)
    }
}

/// Nodes, without those that `/-` comments out.
#[derive(Clone, Debug)]
pub struct Nodes<'t> {
    all: AllNodes<'t>,
}

impl<'t> Iterator for Nodes<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        self.all.find(|node| !node.is_commented())
    }
}
