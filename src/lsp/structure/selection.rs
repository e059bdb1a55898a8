//! Selection ranges, from the smallest outwards.

use std::collections::BTreeMap;
use std::ops::Range as Bytes;

use lsp_types::{Position, Range, SelectionRange};

use crate::lsp::analysis::Asked;
use crate::source::Span;
use crate::syntax::{Entry, Node, TokenKind, TokenRef, Tree};

/// How much is around a place at most: a list is written and read by recursion, and what is deeper nobody goes through.
const MOST: usize = 64;

/// For each position what is around it, from the smallest on, each in the next one: the word, the text that it is part
/// of, the string, the entry, the node's line, the node, the block that it stands in, and so on to the whole file.
#[must_use]
pub(in crate::lsp) fn selections(asked: Asked<'_>, positions: &[Position]) -> Vec<SelectionRange> {
    let mut outline = Outline::new(asked.tree());
    positions
        .iter()
        .map(|position| {
            let mut spans = outline.around(asked.offset(*position));
            // The whole file, and what is nearest.
            if spans.len() > MOST {
                spans.drain(1..=spans.len() - MOST);
            }
            let at = Range::new(*position, *position);
            let mut ranges: Vec<Range> = spans.into_iter().map(|span| asked.range(span)).collect();
            ranges.dedup();
            let list = ranges
                .into_iter()
                .fold(None, |parent, range| Some(SelectionRange { range, parent: parent.map(Box::new) }));
            list.unwrap_or(SelectionRange { range: at, parent: None })
        })
        .collect()
}

/// A tree with the ways up in it, so that many positions cost little more than one.
struct Outline<'t> {
    tree: &'t Tree,
    nodes: Vec<Node<'t>>,
    /// For each node, the one whose block it stands in.
    parents: Vec<Option<usize>>,
    /// The entries of nodes that were asked for.
    entries: BTreeMap<usize, Vec<Entry<'t>>>,
}

/// Spans, each in the one before it, around one place.
struct Around {
    offset: u32,
    spans: Vec<Span>,
}

impl Around {
    /// Goes into a span, when the place is in it and it is smaller.
    fn enter(&mut self, span: Span) {
        let Some(outer) = self.spans.last() else { return };
        let inside = outer.start <= span.start && span.end <= outer.end && *outer != span;
        if inside && span.start <= self.offset && self.offset <= span.end && span.start < span.end {
            self.spans.push(span);
        }
    }
}

impl<'t> Outline<'t> {
    fn new(tree: &'t Tree) -> Self {
        let mut nodes = Vec::new();
        let mut parents = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for (depth, node) in tree.walk() {
            open.truncate(depth);
            parents.push(open.last().copied());
            open.push(nodes.len());
            nodes.push(node);
        }
        Self { tree, nodes, parents, entries: BTreeMap::new() }
    }

    /// The nodes that hold a place, the outermost first.
    fn path(&self, offset: u32) -> Vec<usize> {
        // Where two touch, such as `a;b`, the later one is meant when the place is its start.
        let after = self.nodes.partition_point(|node| node.span().start <= offset);
        let mut at = after.checked_sub(1);
        let mut path = Vec::new();
        while let Some(node) = at {
            if offset <= self.nodes[node].span().end {
                path.push(node);
            }
            at = self.parents[node];
        }
        path.reverse();
        path
    }

    /// What is around a place, from the whole file on.
    fn around(&mut self, offset: u32) -> Vec<Span> {
        let text = self.tree.text();
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let source = self.tree.source();
        let mut around = Around { offset, spans: vec![Span::new(source, 0..end)] };
        for at in self.path(offset) {
            let node = self.nodes[at];
            around.enter(node.span());
            if let Some(block) =
                node.block_span().filter(|block| block.start <= offset && offset <= block.end)
            {
                around.enter(block);
                let closed = block.end > block.start + 1 && text[..block.end as usize].ends_with('}');
                let inner =
                    Span::new(source, block.start + 1..if closed { block.end - 1 } else { block.end });
                let content = self.without_blanks(inner);
                let outside = offset < content.start || content.end < offset;
                around.enter(if outside { inner } else { content });
                continue;
            }
            around.enter(node.head_span());
            around.enter(node.name_span());
            around.enter(node.type_annotation().map_or(node.name_span(), |(_, span)| span));
            let entries = self.entries.entry(at).or_insert_with(|| {
                let mut entries: Vec<Entry<'_>> = node.all_entries().collect();
                entries.sort_by_key(|entry| entry.span().start);
                entries
            });
            let after = entries.partition_point(|entry| entry.span().start <= offset);
            if let Some(entry) = after.checked_sub(1).and_then(|at| entries.get(at)) {
                around.enter(entry.span());
                if let Some((_, span)) = entry.key() {
                    around.enter(span);
                }
                if let Some((_, span)) = entry.type_annotation() {
                    around.enter(span);
                }
                around.enter(entry.value_span());
            }
        }
        self.within_token(&mut around);
        around.spans
    }

    /// What is around a place inside of the comment or the string that it is in.
    fn within_token(&self, around: &mut Around) {
        let (tree, offset, source) = (self.tree, around.offset, self.tree.source());
        let at = tree.token_at(offset);
        let before = offset.checked_sub(1).and_then(|before| tree.token_at(before));
        let Some(token) = [at, before].into_iter().flatten().find(|it| has_words(it.kind)) else { return };
        let written = &tree.text()[token.range.start as usize..token.range.end as usize];
        let inner = inner(&token, written);
        around.enter(Span::new(source, token.range));
        let content = Span::new(source, inner.clone());
        around.enter(content);
        around.enter(self.without_blanks(content));
        let text = &tree.text()[..inner.end as usize];
        for is_part in [
            |c: char| !matches!(c, '\n' | '\r'),
            |c: char| !c.is_whitespace(),
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '-'),
        ] {
            if (inner.start..=inner.end).contains(&offset) {
                let run = run(text, inner.start as usize, offset as usize, is_part);
                around.enter(self.without_blanks(Span::new(source, run)));
            }
        }
    }

    /// A span without the blanks at its ends.
    fn without_blanks(&self, span: Span) -> Span {
        let text = self.tree.text().get(span.range()).unwrap_or("");
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
        let start = span.start + length(text) - length(text.trim_start());
        Span::new(span.source, start..start + length(text.trim()))
    }
}

/// The run of characters around `offset` that go together, from `from` on and not past the end of `text`.
fn run(text: &str, from: usize, offset: usize, is_part: impl Fn(char) -> bool) -> Bytes<u32> {
    let before = &text[from..offset];
    let start = from + before.trim_end_matches(&is_part).len();
    let behind = &text[offset..];
    let end = offset + behind.len() - behind.trim_start_matches(&is_part).len();
    let at = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    at(start)..at(end)
}

/// Whether a token has words in it.
fn has_words(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::LineComment
            | TokenKind::BlockComment
            | TokenKind::Word
            | TokenKind::Quoted
            | TokenKind::MultiLine
            | TokenKind::Raw
            | TokenKind::RawMultiLine
            | TokenKind::RawV1
    )
}

/// What stands between the quotes of a string or the marks of a comment.
fn inner(token: &TokenRef, written: &str) -> Bytes<u32> {
    let hashes = |text: &str| text.bytes().take_while(|byte| *byte == b'#').count();
    let last_hashes = written.bytes().rev().take_while(|byte| *byte == b'#').count();
    let (open, close) = match token.kind {
        TokenKind::LineComment => (2, 0),
        TokenKind::BlockComment => (2, if written.ends_with("*/") { 2 } else { 0 }),
        TokenKind::Quoted => (1, usize::from(written.ends_with('"'))),
        TokenKind::MultiLine => (3, if written.ends_with("\"\"\"") { 3 } else { 0 }),
        TokenKind::Raw => (hashes(written) + 1, last_hashes + 1),
        TokenKind::RawV1 => (hashes(&written[1..]) + 2, last_hashes + 1),
        TokenKind::RawMultiLine => (hashes(written) + 3, last_hashes + 3),
        _ => (0, 0),
    };
    // One that is never closed may be shorter than its marks.
    let length = written.len();
    let fits =
        open + close <= length && written.is_char_boundary(open) && written.is_char_boundary(length - close);
    let (open, close) = if fits { (open, close) } else { (0, 0) };
    let at = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    token.range.start + at(open)..token.range.end - at(close)
}
