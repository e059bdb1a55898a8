//! The spec that is made: nodes of the `kdl` crate's model, comments before them, and a count of both.
//!
//! The writer is that of the crate. Nothing that was read becomes syntax: values are values of the model, and a comment is
//! one line without anything that could end it.

use kdl::{KdlDocument, KdlDocumentFormat, KdlEntry, KdlEntryFormat, KdlNode, KdlNodeFormat, KdlValue};

use crate::schema::ValueType;
use crate::text::{one_line, quote};
use crate::world::secret;

/// What begins the comment on a loss; tests count these.
pub(super) const LOST: &str = "not carried over: ";

/// The most characters of a comment.
const LONGEST: usize = 400;

/// Nodes that stand in one block, and comments between them.
#[derive(Debug, Default)]
pub(super) struct Block {
    nodes: Vec<KdlNode>,
    /// Comments on what follows, or on nothing.
    waiting: Vec<String>,
    pub(super) count: Count,
}

/// How much was carried over, and how much was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Nodes that hold no others.
    pub settings: usize,
    /// What is a comment only.
    pub lost: usize,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.settings += other.settings;
        self.lost += other.lost;
    }
}

impl Block {
    /// Says something of what follows.
    pub(super) fn note(&mut self, text: &str) {
        self.waiting.push(comment(text));
    }

    /// Leaves a line free before what follows.
    pub(super) fn gap(&mut self) {
        self.waiting.push(String::from("\n"));
    }

    /// Says that something is not carried over, and why.
    pub(super) fn lose(&mut self, what: &str, why: &str) {
        self.count.lost += 1;
        self.note(&format!("{LOST}{what}: {why}"));
    }

    /// Adds a node.
    pub(super) fn push(&mut self, node: Node) {
        let Node { mut node, block } = node;
        match block {
            None => self.count.settings += 1,
            Some(block) => {
                self.count.add(block.count);
                node.set_children(block.document());
            }
        }
        node.set_format(KdlNodeFormat {
            leading: self.waiting.drain(..).collect(),
            before_children: String::from(" "),
            terminator: String::from("\n"),
            ..KdlNodeFormat::default()
        });
        self.nodes.push(node);
    }

    /// Adds a node with a block, unless nothing is in it.
    pub(super) fn push_block(&mut self, node: Node, block: Self) {
        if !block.is_empty() {
            self.push(node.holding(block));
        }
    }

    /// Adds what is in another block behind what is in this one.
    pub(super) fn append(&mut self, other: Self) {
        let Self { nodes, waiting, count } = other;
        for mut node in nodes {
            if let Some(format) = node.format_mut()
                && !self.waiting.is_empty()
            {
                let before: String = self.waiting.drain(..).collect();
                format.leading.insert_str(0, &before);
            }
            self.nodes.push(node);
        }
        self.waiting.extend(waiting);
        self.count.add(count);
    }

    /// Whether there is neither a node nor a comment.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.waiting.is_empty()
    }

    /// The block as a document of the crate's.
    pub(super) fn document(self) -> KdlDocument {
        let mut document = KdlDocument::new();
        document.set_format(KdlDocumentFormat {
            leading: String::from("\n"),
            trailing: self.waiting.into_iter().collect(),
        });
        *document.nodes_mut() = self.nodes;
        document
    }
}

/// A node that is being made.
#[derive(Debug)]
pub(super) struct Node {
    node: KdlNode,
    block: Option<Block>,
}

impl Node {
    pub(super) fn new(name: &str) -> Self {
        Self { node: KdlNode::new(name), block: None }
    }

    /// Adds a text.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.node.push(entry(KdlEntry::new(text)));
        self
    }

    /// Adds texts.
    pub(super) fn texts<'t>(self, texts: impl IntoIterator<Item = &'t str>) -> Self {
        texts.into_iter().fold(self, Self::text)
    }

    /// Adds a number.
    pub(super) fn number(mut self, number: u32) -> Self {
        self.node.push(entry(KdlEntry::new(i128::from(number))));
        self
    }

    /// Adds a property that is a text.
    pub(super) fn property(mut self, key: &str, text: &str) -> Self {
        self.node.push(entry(KdlEntry::new_prop(key, text)));
        self
    }

    /// Adds a property that is a number.
    pub(super) fn number_property(mut self, key: &str, number: u32) -> Self {
        self.node.push(entry(KdlEntry::new_prop(key, i128::from(number))));
        self
    }

    /// Gives it a block.
    pub(super) fn holding(mut self, block: Block) -> Self {
        self.block = Some(block);
        self
    }

    /// Whether it has a value.
    pub(super) fn has_values(&self) -> bool {
        !self.node.entries().is_empty()
    }
}

/// Has every string of a value in quotes, as specs have them. The crate's writer leaves them off around a plain word, which
/// holds nothing that quotes would have to escape.
fn entry(mut entry: KdlEntry) -> KdlEntry {
    let KdlValue::String(_) = entry.value() else { return entry };
    let written = entry.value().to_string();
    if !written.starts_with('"') {
        entry.set_format(KdlEntryFormat {
            leading: String::from(" "),
            value_repr: format!("\"{written}\""),
            ..KdlEntryFormat::default()
        });
    }
    entry
}

/// A comment of one line, in which no credential stands.
fn comment(text: &str) -> String {
    let mut shown = text.to_owned();
    let mut before = text.len();
    for range in secret::all(text).into_iter().rev() {
        // Those of several kinds may overlap.
        if range.end <= before {
            shown.replace_range(range.clone(), "…");
            before = range.start;
        } else if range.start < before {
            shown.replace_range(range.start..before, "");
            before = range.start;
        }
    }
    let mut line: String = one_line(&shown).chars().take(LONGEST).collect();
    if shown.chars().count() > LONGEST {
        line.push('…');
    }
    format!("// {}\n", line.trim())
}

/// Holds a text against what the language takes there.
///
/// # Errors
/// What is wrong with it.
pub(super) fn fits(kind: ValueType, text: &str) -> Result<(), String> {
    if !secret::known(text).is_empty() || !secret::passwords(text).is_empty() {
        return Err(String::from("it holds a credential, which no spec does"));
    }
    kind.check_argument(text).map_err(|error| error.message)
}

/// A key of the input, and where it stands.
pub(super) fn named(key: &str) -> String {
    quote(key)
}
