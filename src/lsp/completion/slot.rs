//! The slot of a completion: the text that it replaces, and how that is quoted.

use crate::lsp::cursor::{Cursor, Spot};
use crate::source::Span;
use crate::syntax::{TokenKind, Tree, quoted_string};

/// The spelling of the text at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Not at all, or as a bare word.
    Bare,
    /// Between quotes, the second of which may be missing.
    Quoted {
        /// Whether it is there.
        closed: bool,
    },
    /// As a raw string, in so many `#`.
    Raw {
        /// How many.
        hashes: usize,
        /// Whether its end is there.
        closed: bool,
    },
}

/// A place for a completion.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// What is replaced: within the quotes, when there are any. Never more than one line.
    pub(super) span: Span,
    /// What of it stands before the cursor.
    pub(super) typed: String,
    /// How it is written.
    pub(super) style: Style,
}

impl Slot {
    /// An empty place.
    #[must_use]
    pub(super) fn empty(tree: &Tree, offset: u32) -> Self {
        Self { span: Span::at(tree.source(), offset), typed: String::new(), style: Style::Bare }
    }

    /// The place of a name, a key or a value that is there; nothing behind its closing quote, before its opening one, and
    /// in a string over several lines.
    #[must_use]
    pub(super) fn of(tree: &Tree, whole: Span, offset: u32) -> Option<Self> {
        let text = &tree.text()[whole.range()];
        let (style, open, close) = style(text)?;
        let is_closed = !matches!(style, Style::Quoted { closed: false } | Style::Raw { closed: false, .. });
        // Of a string without its end, nobody knows how much of the line is meant.
        let end = if is_closed { whole.end - close } else { offset };
        let span = Span::new(whole.source, whole.start + open..end);
        if !(span.start <= offset && offset <= span.end) {
            return None;
        }
        let typed = tree.text()[span.start as usize..offset as usize].to_owned();
        (!tree.text()[span.range()].contains(['\n', '\r'])).then_some(Self { span, typed, style })
    }

    /// Whether the place lies in a span.
    #[must_use]
    pub(super) fn is_in(&self, span: Span) -> bool {
        span.source == self.span.source && span.start <= self.span.start && self.span.end <= span.end
    }

    /// Spells a value for this place. `goes_on` says that more is to follow in the same string.
    #[must_use]
    pub(super) fn write(&self, text: &str, goes_on: bool) -> String {
        let quoted = quoted_string(text);
        let inner = &quoted[1..quoted.len() - 1];
        match self.style {
            Style::Bare => quoted,
            Style::Quoted { closed } if closed || goes_on => inner.to_owned(),
            Style::Quoted { .. } => format!("{inner}\""),
            Style::Raw { closed, .. } if closed || goes_on => text.to_owned(),
            Style::Raw { hashes, .. } => format!("{text}\"{}", "#".repeat(hashes)),
        }
    }

    /// Whether a value can be written here as it is meant: a raw string holds no escapes.
    #[must_use]
    pub(super) fn holds(&self, text: &str) -> bool {
        match self.style {
            Style::Raw { .. } => !text.contains('"') && quoted_string(text).len() == text.len() + 2,
            Style::Bare | Style::Quoted { .. } => true,
        }
    }
}

/// How a text is written, and how many bytes its opening and its closing quotes have.
fn style(text: &str) -> Option<(Style, u32, u32)> {
    let hashes = text.len() - text.trim_start_matches('#').len();
    let rest = &text[hashes..];
    // Strings of several lines, and KDL 1's raw ones.
    if rest.starts_with("\"\"\"") || text.starts_with("r\"") || text.starts_with("r#") {
        return None;
    }
    if !rest.starts_with('"') {
        return Some((Style::Bare, 0, 0));
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let inner = rest[1..].strip_suffix(&end);
    let marks = u32::try_from(hashes).ok()? + 1;
    if hashes > 0 {
        return Some((Style::Raw { hashes, closed: inner.is_some() }, marks, marks));
    }
    let escapes = inner.map_or(0, |inner| inner.len() - inner.trim_end_matches('\\').len());
    Some((Style::Quoted { closed: inner.is_some() && escapes % 2 == 0 }, 1, 1))
}

/// The syntax that is expected at a place.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// A node's name. Whether the node is there but for its name.
    Node {
        /// Whether something of the node stands behind it.
        has_more: bool,
        /// Whether another node follows on the line.
        is_followed: bool,
    },
    /// The key of a property that is there.
    Key,
    /// The value of a property.
    Property,
    /// A positional argument, by its number from 0 on, or a property, which begins with its key.
    Argument(usize),
}

/// Finds what is expected at the cursor, and the slot for it.
#[must_use]
pub(super) fn wanted(tree: &Tree, cursor: &Cursor<'_>) -> Option<(Wanted, Slot)> {
    let offset = cursor.offset;
    match cursor.spot {
        Spot::Comment => None,
        Spot::Name(node) => {
            // In parentheses stands a type, and the language has none.
            if cursor.before.as_ref().is_some_and(|token| token.kind == TokenKind::OpenParen) {
                return None;
            }
            let has_more = node.span().end > node.name_span().end;
            Some((Wanted::Node { has_more, is_followed: false }, Slot::of(tree, node.name_span(), offset)?))
        }
        Spot::Key(_, entry) => Some((Wanted::Key, Slot::of(tree, entry.key()?.1, offset)?)),
        Spot::Value(node, entry) => {
            let slot = Slot::of(tree, entry.value_span(), offset)?;
            if entry.key().is_some() {
                return Some((Wanted::Property, slot));
            }
            let start = entry.span().start;
            let number = node.entries().filter(|it| it.key().is_none() && it.span().start < start).count();
            Some((Wanted::Argument(number), slot))
        }
        Spot::Head(node) => {
            let before = cursor.before.as_ref()?;
            let apart = matches!(
                before.kind,
                TokenKind::Space | TokenKind::Newline | TokenKind::BlockComment | TokenKind::SlashDash
            );
            let number = node.entries().filter(|it| it.key().is_none() && it.span().end <= offset).count();
            apart.then(|| (Wanted::Argument(number), Slot::empty(tree, offset)))
        }
        Spot::Block => {
            let is_followed = begins_node(tree, offset)?;
            Some((Wanted::Node { has_more: false, is_followed }, Slot::empty(tree, offset)))
        }
    }
}

/// Whether another node stands on the line behind a place where a node may begin; nothing where none may.
fn begins_node(tree: &Tree, offset: u32) -> Option<bool> {
    let mut at = offset;
    while let Some(token) = at.checked_sub(1).and_then(|at| tree.token_at(at)) {
        match token.kind {
            TokenKind::Space | TokenKind::BlockComment => at = token.range.start,
            TokenKind::Newline
            | TokenKind::OpenBrace
            | TokenKind::Semicolon
            | TokenKind::Bom
            | TokenKind::SlashDash => {
                break;
            }
            // Behind a block or an entry a node must end first.
            _ => return None,
        }
    }
    let mut at = offset;
    while let Some(token) = tree.token_at(at) {
        match token.kind {
            TokenKind::Space | TokenKind::BlockComment => at = token.range.end,
            kind => {
                return Some(!matches!(
                    kind,
                    TokenKind::Newline
                        | TokenKind::Semicolon
                        | TokenKind::CloseBrace
                        | TokenKind::LineComment
                ));
            }
        }
    }
    Some(false)
}
