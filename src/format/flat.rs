//! One-line layouts: how wide a node would be on one line, and what keeps it from that.

use crate::syntax::{TokenKind, TokenRef};

/// The columns that a line may have for its blocks to stand on it.
pub(super) const COLUMNS: usize = 100;

/// The columns that a text of several lines counts for: not its own, which its place decides.
const MULTI_LINE_COLUMNS: usize = 3;

/// Returns the blanks between two tokens of one line.
pub(super) fn gap(before: TokenKind, after: TokenKind) -> &'static str {
    use TokenKind::{
        BlockComment, CloseBrace, CloseParen, Equals, LineComment, OpenBrace, OpenParen, Semicolon, SlashDash,
    };
    match (before, after) {
        (OpenBrace, CloseBrace) | (_, Semicolon | CloseParen) | (OpenParen, _) => "",
        (BlockComment, _) | (_, BlockComment | LineComment) => " ",
        (CloseParen | Equals | SlashDash, _) | (_, Equals) => "",
        _ => " ",
    }
}

/// Sums over the tokens, so that any range of them is judged at once.
pub(super) struct Flat {
    /// For each token and the end: the columns that those before it take on one line.
    columns: Vec<u32>,
    /// For each token: the columns of the blank before it.
    gaps: Vec<u8>,
    /// For each token and the end: how many before it do not let the line go on.
    breaks: Vec<u32>,
    /// For each `{`, where its `}` is.
    closes: Vec<u32>,
}

/// Whether a token takes a place of its own on a line.
fn is_visible(kind: TokenKind) -> bool {
    !matches!(
        kind,
        TokenKind::Bom | TokenKind::Space | TokenKind::Newline | TokenKind::Backslash | TokenKind::Disallowed
    )
}

/// The next token that takes a place, behind the one at `at`.
pub(super) fn next(tokens: &[TokenRef], at: usize) -> Option<TokenKind> {
    tokens[at + 1..].iter().map(|token| token.kind).find(|kind| is_visible(*kind))
}

/// Whether the `/-` at `at` is a mark of the language's version.
pub(super) fn is_version(text: &str, tokens: &[TokenRef], at: usize) -> bool {
    let next = tokens[at + 1..].iter().find(|token| is_visible(token.kind));
    next.is_some_and(|next| &text[next.range.start as usize..next.range.end as usize] == "kdl-version")
}

/// Where the line ends that the `\` at `at` ends.
pub(super) fn end_of_line(tokens: &[TokenRef], at: usize) -> usize {
    let rest = tokens[at..].iter().position(|token| token.kind == TokenKind::Newline);
    rest.map_or(tokens.len(), |rest| at + rest)
}

/// Where the node goes on that is behind the `\` at `at`, and behind others that follow it, and with what; with nothing
/// when it ends there.
pub(super) fn continuation(tokens: &[TokenRef], at: usize) -> (usize, Option<TokenKind>) {
    let mut at = at;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            TokenKind::Backslash => at = end_of_line(tokens, at) + 1,
            TokenKind::Space | TokenKind::Disallowed => at += 1,
            TokenKind::Newline | TokenKind::LineComment | TokenKind::Semicolon | TokenKind::CloseBrace => {
                return (at, None);
            }
            kind => return (at, Some(kind)),
        }
    }
    (at, None)
}

impl Flat {
    pub(super) fn new(text: &str, tokens: &[TokenRef]) -> Self {
        let mut flat = Self {
            columns: Vec::with_capacity(tokens.len() + 1),
            gaps: Vec::with_capacity(tokens.len()),
            breaks: Vec::with_capacity(tokens.len() + 1),
            closes: vec![0; tokens.len()],
        };
        let (mut columns, mut breaks, mut last) = (0_u32, 0_u32, None);
        let mut open = Vec::new();
        let visible = tokens.iter().enumerate().filter(|(_, token)| is_visible(token.kind));
        let mut visible = visible.map(|(at, token)| (at, token.kind)).peekable();
        for (at, token) in tokens.iter().enumerate() {
            flat.columns.push(columns);
            flat.breaks.push(breaks);
            let written = &text[token.range.start as usize..token.range.end as usize];
            match token.kind {
                TokenKind::OpenBrace => open.push(at),
                TokenKind::CloseBrace => {
                    if let Some(open) = open.pop() {
                        flat.closes[open] = u32::try_from(at).unwrap_or(u32::MAX);
                    }
                }
                _ => {}
            }
            let several = matches!(token.kind, TokenKind::MultiLine | TokenKind::RawMultiLine)
                || token.kind == TokenKind::BlockComment && written.contains(is_line_end);
            let ends =
                matches!(token.kind, TokenKind::Newline | TokenKind::LineComment | TokenKind::Backslash);
            breaks += u32::from(several || ends);
            let next = visible.next_if(|(visible, _)| *visible == at).map(|_| visible.peek());
            let dropped = token.kind == TokenKind::Semicolon
                && next.flatten().is_some_and(|(_, next)| *next == TokenKind::CloseBrace);
            let mut blank = 0;
            if is_visible(token.kind) && !dropped {
                blank = last.map_or(0, |last| u8::try_from(gap(last, token.kind).len()).unwrap_or(0));
                let width = if several {
                    MULTI_LINE_COLUMNS
                } else {
                    textwrap::core::display_width(written.trim_end())
                };
                columns = columns.saturating_add(u32::from(blank) + u32::try_from(width).unwrap_or(u32::MAX));
                last = Some(token.kind);
            }
            flat.gaps.push(blank);
        }
        flat.columns.push(columns);
        flat.breaks.push(breaks);
        flat
    }

    /// Where the block ends that begins at `at`.
    pub(super) fn close_of(&self, at: usize) -> usize {
        self.closes[at] as usize
    }

    /// Whether the blocks of the node that begins at `at` can stand on its line: they did, and the line has room.
    pub(super) fn fits(&self, tokens: &[TokenRef], at: usize, indent: usize, most: usize) -> bool {
        let mut begin = at;
        let mut indent = indent;
        let mut end = at;
        while let Some(token) = tokens.get(end) {
            match token.kind {
                TokenKind::OpenBrace => {
                    let close = self.close_of(end);
                    let empty = next(tokens, end) == Some(TokenKind::CloseBrace);
                    if !empty && self.breaks[close] != self.breaks[end] {
                        return false;
                    }
                    end = close;
                }
                TokenKind::Newline
                | TokenKind::LineComment
                | TokenKind::Semicolon
                | TokenKind::CloseBrace => break,
                TokenKind::Backslash => {
                    end = end_of_line(tokens, end);
                    if begin == at {
                        indent += super::INDENT;
                    }
                    begin = end + 1;
                }
                TokenKind::SlashDash => {
                    let between = |token: &TokenRef| {
                        matches!(
                            token.kind,
                            TokenKind::Backslash | TokenKind::LineComment | TokenKind::BlockComment
                        ) || !is_visible(token.kind)
                    };
                    end += tokens[end + 1..].iter().take_while(|token| between(token)).count();
                }
                _ => {}
            }
            end += 1;
        }
        let (begin, end) = (begin.min(tokens.len()), end.min(tokens.len()));
        let gap = self.gaps.get(begin).map_or(0, |gap| usize::from(*gap));
        let columns = self.columns[end].saturating_sub(self.columns[begin]) as usize;
        indent + columns.saturating_sub(gap) <= most
    }
}

/// Whether a character ends a line of KDL.
pub(super) fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
