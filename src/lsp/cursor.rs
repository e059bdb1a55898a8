//! The syntax at an offset, in broken specs too: the nodes around it, and the part of them that it is in.

use crate::schema::{self, Children};
use crate::source::Span;
use crate::syntax::{Entry, Node, TokenKind, TokenRef, Tree};

/// The part of a node that an offset is in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot<'t> {
    /// A node's name, or right behind it.
    Name(Node<'t>),
    /// The key of a property, or right behind it.
    Key(Node<'t>, Entry<'t>),
    /// The value of an argument or a property, or right behind it.
    Value(Node<'t>, Entry<'t>),
    /// A node's line, where another argument or property could stand.
    Head(Node<'t>),
    /// Where another node could begin.
    Block,
    /// A comment: nothing that is there means anything.
    Comment,
}

/// A place in a tree.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'t> {
    /// The place, in bytes.
    pub(super) offset: u32,
    /// The nodes whose blocks the place lies in, the outermost first.
    pub(super) parents: Vec<Node<'t>>,
    /// What it is in there.
    pub(super) spot: Spot<'t>,
    /// The token that holds the byte before it, with its index among the tree's tokens; none at the very start.
    pub(super) before: Option<TokenRef>,
}

impl<'t> Cursor<'t> {
    /// Finds the syntax at `offset`.
    #[must_use]
    pub(super) fn new(tree: &'t Tree, offset: u32) -> Self {
        let mut parents = Vec::new();
        let mut inner = None;
        let mut nodes = tree.all_nodes();
        let mut tail = Tail::new(tree, offset);
        // Where two touch, such as `a;b`, the later one is meant only when the place is its start.
        while let Some(node) = nodes.by_ref().take_while(|node| node.span().start <= offset).last() {
            if tail.holds(node) {
                parents.push(node);
                nodes = node.all_children();
            } else {
                inner = Some(node).filter(|node| offset <= node.span().end);
                break;
            }
        }
        let before = offset.checked_sub(1).and_then(|at| tree.token_at(at));
        let in_comment = before.as_ref().is_some_and(|token| match token.kind {
            TokenKind::LineComment => true,
            TokenKind::BlockComment => offset < token.range.end,
            _ => false,
        });
        let spot = if in_comment {
            Spot::Comment
        } else if let Some(spot) = inner.and_then(|node| within(node, offset)) {
            spot
        } else {
            head(tree, parents.last().copied(), offset).map_or(Spot::Block, Spot::Head)
        };
        Self { offset, parents, spot, before }
    }

    /// The node that the place is in, or in whose head it is.
    #[must_use]
    pub(super) fn node(&self) -> Option<Node<'t>> {
        match self.spot {
            Spot::Name(node) | Spot::Key(node, _) | Spot::Value(node, _) | Spot::Head(node) => Some(node),
            Spot::Block | Spot::Comment => None,
        }
    }

    /// What the language says of the block that the place is in: of the file itself at its top; nothing where the
    /// language knows no such block.
    #[must_use]
    pub(super) fn block_schema(&self) -> Option<&'static schema::Node> {
        schema_of(&self.parents)
    }

    /// The schema of [`Cursor::node`].
    #[must_use]
    pub(super) fn node_schema(&self) -> Option<&'static schema::Node> {
        child_schema(self.block_schema()?, self.node()?.name())
    }
}

/// What the language says of the innermost of nodes that each stand in the block of the one before it, the first at the
/// top of a file.
#[must_use]
pub(super) fn schema_of(path: &[Node<'_>]) -> Option<&'static schema::Node> {
    path.iter().try_fold(&schema::ROOT, |schema, node| child_schema(schema, node.name()))
}

/// The schema of a node of that name in a block.
#[must_use]
pub(super) fn child_schema(parent: &'static schema::Node, name: &str) -> Option<&'static schema::Node> {
    match parent.children {
        Children::None => None,
        Children::Named { node, .. } => Some(node),
        Children::Nodes(children) => children.iter().map(|child| child.node).find(|child| child.name == name),
    }
}

/// The schema of an argument or a property: the type of its value, and its meaning.
#[must_use]
pub(super) fn entry_schema(
    schema: &'static schema::Node,
    node: Node<'_>,
    entry: Entry<'_>,
) -> Option<(schema::ValueType, &'static str)> {
    if let Some((key, _)) = entry.key() {
        let property = schema.properties.iter().find(|property| property.name == key)?;
        return Some((property.value, property.doc));
    }
    let start = entry.span().start;
    let at = node.entries().filter(|it| it.key().is_none() && it.span().start < start).count();
    argument_schema(schema, at).map(|argument| (argument.value, argument.doc))
}

/// The schema of the argument number `at`, from 0 on.
#[must_use]
pub(super) fn argument_schema(schema: &'static schema::Node, at: usize) -> Option<&'static schema::Argument> {
    let last = schema.arguments.last().filter(|last| last.repeats);
    schema.arguments.get(at).or(last)
}

/// What decides whether a place still lies in a block that is not closed. It is asked of nodes in each other, from the
/// outermost on, and goes through the text once for all of them.
struct Tail<'t> {
    tree: &'t Tree,
    offset: u32,
    /// Where the last thing before the place ends that is neither blank nor comment.
    content: u32,
    /// The column of the place, when it is not on the line of that.
    column: Option<usize>,
    /// Up to where lines were looked for, and the blanks that the line there begins with.
    seen: usize,
    indentation: usize,
}

impl<'t> Tail<'t> {
    fn new(tree: &'t Tree, offset: u32) -> Self {
        let mut content = offset;
        while let Some(token) = content.checked_sub(1).and_then(|at| tree.token_at(at)) {
            if !token.kind.is_trivia() {
                content = token.range.end.min(offset);
                break;
            }
            content = token.range.start;
        }
        let between = &tree.text()[content as usize..offset as usize];
        let column = between.rfind(['\n', '\r']).map(|at| between.len() - at - 1);
        Self { tree, offset, content, column, seen: 0, indentation: blanks(tree.text()) }
    }

    /// Whether the place lies behind the `{` of a node's block and before its `}`. A broken text may lack that: the block
    /// then goes on as long as nothing but blanks follows, on lines that are indented deeper than the node's.
    fn holds(&mut self, node: Node<'_>) -> bool {
        let Some(block) = node.block_span().filter(|block| block.start < self.offset) else { return false };
        if self.offset < block.end {
            return true;
        }
        // The `}` at its end may be that of a node in it.
        let closed = block.end > block.start + 1
            && self.tree.text()[..block.end as usize].ends_with('}')
            && node.all_children().last().is_none_or(|last| last.span().end < block.end);
        if closed || self.content > block.end {
            return false;
        }
        let indentation = self.indentation(node.span().start as usize);
        self.column.is_none_or(|column| column > indentation)
    }

    /// How many blanks the line of a place begins with, which lies behind those that were asked of before.
    fn indentation(&mut self, at: usize) -> usize {
        let text = self.tree.text();
        if let Some(end) = text[self.seen..at].rfind(['\n', '\r']) {
            self.indentation = blanks(&text[self.seen + end + 1..]);
        }
        self.seen = at;
        self.indentation
    }
}

/// How many blanks a text begins with.
fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// What of a node a place is in.
fn within(node: Node<'_>, offset: u32) -> Option<Spot<'_>> {
    let touches = |span: Span| span.start <= offset && offset <= span.end;
    if touches(node.name_span()) {
        return Some(Spot::Name(node));
    }
    let entry = node.all_entries().filter(|entry| touches(entry.span())).last()?;
    match entry.key() {
        Some((_, key)) if touches(key) => Some(Spot::Key(node, entry)),
        _ => Some(Spot::Value(node, entry)),
    }
}

/// The node that still goes on at a place which is in none of its parts.
fn head<'t>(tree: &'t Tree, parent: Option<Node<'t>>, offset: u32) -> Option<Node<'t>> {
    let siblings = || parent.map_or_else(|| tree.all_nodes(), Node::all_children);
    let node = siblings().take_while(|node| node.span().start < offset).last()?;
    let from = node.head_span().end;
    if node.block_span().is_some_and(|block| block.start < offset) {
        return None;
    }
    let mut at = from;
    let mut continued = false;
    while at < offset {
        let token = tree.token_at(at)?;
        match token.kind {
            TokenKind::Backslash => continued = true,
            TokenKind::Newline if continued => continued = false,
            TokenKind::Newline | TokenKind::Semicolon | TokenKind::CloseBrace | TokenKind::OpenBrace => {
                return None;
            }
            // Blanks, comments, and what could not be read: it belongs to the node still.
            _ => {}
        }
        at = token.range.end;
    }
    Some(node)
}
