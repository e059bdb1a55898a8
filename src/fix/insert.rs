//! Insertion of a node: laid out as its siblings are, on lines of their own or on one line with `;` between them.

use crate::diagnostic::Edit;
use crate::format;
use crate::source::Span;
use crate::syntax::{Node, TokenKind, TokenRef, Tree};

/// The columns of a level, where no sibling shows them.
const INDENT: &str = "    ";

/// Puts the node `written`, of one line, into the block of `node` behind all that is there; a node without a block gets
/// one. `None` when the block has no end, which was reported.
#[must_use]
pub fn last(tree: &Tree, node: Node<'_>, written: &str) -> Option<Edit> {
    let text = Text::new(tree);
    let Some(block) = node.block_span() else { return Some(text.new_block(node, written)) };
    let children: Vec<Node<'_>> = children(node, block).collect();
    if !text.is_closed(block, children.last()) {
        return None;
    }
    let close = block.end - 1;
    let ended = children.last().is_none_or(|last| text.is_ended(last.span().end, close));
    let indent = || children.iter().find_map(|child| text.indent_of(child.span().start));
    let begins_line = text.indent_of(close);
    if let Some(outer) = begins_line {
        let indent = indent().map_or_else(|| deeper(outer), str::to_owned);
        if !ended {
            // A `\` goes on to the line of the `}`.
            let lines = format!("{indent};{0}{indent}{written}{0}", text.line_end);
            return Some(text.edit(text.line_start(close)..text.line_start(close), lines));
        }
        let at = text.last_word_end(close, block.start + 1);
        return Some(text.edit(at..at, format!("{}{indent}{written}", text.line_end)));
    }
    let at = text.last_word_end(close, block.start + 1);
    let semicolon = if ended { "" } else { ";" };
    Some(text.edit(at..close, format!("{semicolon} {written} ")))
}

/// The same, before all that is in the block.
#[must_use]
pub fn first(tree: &Tree, node: Node<'_>, written: &str) -> Option<Edit> {
    let text = Text::new(tree);
    let Some(block) = node.block_span() else { return last(tree, node, written) };
    let children: Vec<Node<'_>> = children(node, block).collect();
    if children.is_empty() || !text.is_closed(block, children.last()) {
        return last(tree, node, written);
    }
    let at = block.start + 1;
    match text.rest_of_line(at) {
        Rest::Comment(at) => {
            let indent = children.iter().find_map(|child| text.indent_of(child.span().start));
            let outer = || text.indent(at);
            let indent = indent.map_or_else(|| deeper(outer()), str::to_owned);
            Some(text.edit(at..at, format!("{}{indent}{written}", text.line_end)))
        }
        Rest::More => Some(text.edit(at..at, format!(" {written};"))),
    }
}

/// The same, behind one of the nodes of the block, or of the file.
#[must_use]
pub fn after(tree: &Tree, sibling: Node<'_>, written: &str) -> Edit {
    let text = Text::new(tree);
    let end = sibling.span().end;
    let behind = match text.tokens_from(end).find(|token| token.kind != TokenKind::Space) {
        Some(token) if token.kind == TokenKind::Semicolon => token.range.end,
        _ => end,
    };
    if let (Some(indent), Rest::Comment(at)) =
        (text.indent_of(sibling.span().start), text.rest_of_line(behind))
    {
        return text.edit(at..at, format!("{}{indent}{written}", text.line_end));
    }
    text.edit(end..end, format!("; {written}"))
}

/// What is left of a line.
enum Rest {
    /// Nothing but comments, which end there.
    Comment(u32),
    /// Something else.
    More,
}

/// A text that is asked what stands where.
struct Text<'t> {
    tree: &'t Tree,
    line_end: &'static str,
}

impl<'t> Text<'t> {
    fn new(tree: &'t Tree) -> Self {
        Self { tree, line_end: format::line_end(tree) }
    }

    fn edit(&self, range: std::ops::Range<u32>, replacement: String) -> Edit {
        Edit { span: Span::new(self.tree.source(), range), replacement }
    }

    /// Whether a block ends with a `}` of its own.
    fn is_closed(&self, block: Span, last: Option<&Node<'_>>) -> bool {
        let brace = block.end > block.start + 1 && self.tree.text()[..block.end as usize].ends_with('}');
        brace && last.is_none_or(|last| last.span().end < block.end)
    }

    /// A block for a node that has none: on lines where the node has its own, or else on the line that it shares.
    fn new_block(&self, node: Node<'_>, written: &str) -> Edit {
        let at = node.span().end;
        let block = match (self.indent_of(node.span().start), self.rest_of_line(at)) {
            (Some(outer), Rest::Comment(_)) => {
                format!(" {{{0}{1}{written}{0}{outer}}}", self.line_end, deeper(outer))
            }
            _ => format!(" {{ {written} }}"),
        };
        self.edit(at..at, block)
    }

    fn tokens_from(&self, offset: u32) -> impl Iterator<Item = TokenRef> {
        let mut at = offset;
        std::iter::from_fn(move || {
            let token = self.tree.token_at(at)?;
            at = token.range.end;
            Some(token)
        })
    }

    /// The tokens before `offset`, the last one first.
    fn tokens_before(&self, offset: u32) -> impl Iterator<Item = TokenRef> {
        let mut at = offset;
        std::iter::from_fn(move || {
            let token = self.tree.token_at(at.checked_sub(1)?)?;
            at = token.range.start;
            Some(token)
        })
    }

    /// Where the last thing ends that stands between `from` and `to` and is not blank.
    fn last_word_end(&self, to: u32, from: u32) -> u32 {
        let word = self.tokens_before(to).find(|token| {
            !matches!(token.kind, TokenKind::Space | TokenKind::Newline | TokenKind::Disallowed)
        });
        word.map_or(from, |token| self.end_of(&token)).max(from)
    }

    /// Where a token ends, without the blanks that a comment has at its end.
    fn end_of(&self, token: &TokenRef) -> u32 {
        let written = &self.tree.text()[token.range.start as usize..token.range.end as usize];
        let blank = written.len() - written.trim_end().len();
        token.range.end - u32::try_from(blank).unwrap_or(0)
    }

    /// Whether the node that ends at `from` is ended before `to`, so that another one may begin there.
    fn is_ended(&self, from: u32, to: u32) -> bool {
        let mut continued = false;
        for token in self.tokens_from(from).take_while(|token| token.range.start < to) {
            match token.kind {
                TokenKind::Backslash => continued = true,
                TokenKind::Newline if continued => continued = false,
                TokenKind::Semicolon | TokenKind::Newline => return true,
                _ => {}
            }
        }
        false
    }

    /// What is left of the line from `offset` on.
    fn rest_of_line(&self, offset: u32) -> Rest {
        let mut end = offset;
        for token in self.tokens_from(offset) {
            match token.kind {
                TokenKind::Newline => break,
                TokenKind::Space => {}
                TokenKind::LineComment => end = self.end_of(&token),
                TokenKind::BlockComment if !self.has_line_end(&token) => end = token.range.end,
                _ => return Rest::More,
            }
        }
        Rest::Comment(end)
    }

    fn has_line_end(&self, token: &TokenRef) -> bool {
        self.tree.text()[token.range.start as usize..token.range.end as usize].contains(['\n', '\r'])
    }

    /// The blanks before `offset`, when nothing else stands before it on its line.
    fn indent_of(&self, offset: u32) -> Option<&'t str> {
        let start = self.line_start(offset);
        let before = &self.tree.text()[start as usize..offset as usize];
        before.chars().all(|c| matches!(c, ' ' | '\t')).then_some(before)
    }

    /// The blanks that the line of `offset` begins with.
    fn indent(&self, offset: u32) -> &'t str {
        let line = &self.tree.text()[self.line_start(offset) as usize..offset as usize];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    fn line_start(&self, offset: u32) -> u32 {
        let before = &self.tree.text().as_bytes()[..offset as usize];
        let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
        u32::try_from(start).unwrap_or(u32::MAX)
    }
}

/// The nodes in a block, also those that `/-` comments out; not those of another block of the node.
fn children(node: Node<'_>, block: Span) -> impl Iterator<Item = Node<'_>> {
    node.all_children()
        .filter(move |child| block.start <= child.span().start && child.span().end <= block.end)
}

/// The blanks of the next level.
fn deeper(indent: &str) -> String {
    let tabs = !indent.is_empty() && indent.bytes().all(|byte| byte == b'\t');
    format!("{indent}{}", if tabs { "\t" } else { INDENT })
}
