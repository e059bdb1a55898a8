//! Spellings of other languages that KDL reads as something else: quotes that are none, `#` comments, and bare URLs, whose
//! `//` begins a comment.

use super::{Lexer, at32};
use crate::diagnostic::Applicability;
use crate::rule::catalogue;
use crate::syntax::chars::{self, Kind};
use crate::syntax::problems::DiagnosticExt as _;
use crate::syntax::token::TokenKind;

/// Quotes that are none of KDL's, each with the ones that may close it.
pub(in crate::syntax) const QUOTES: [(char, &[char]); 10] = [
    ('\'', &['\'']),
    ('`', &['`', '\'']),
    ('\u{b4}', &['\u{b4}']),
    ('\u{2018}', &['\u{2019}', '\u{2018}']),
    ('\u{201a}', &['\u{2018}', '\u{2019}']),
    ('\u{201b}', &['\u{2019}', '\u{201b}']),
    ('\u{201c}', &['\u{201d}', '\u{201c}']),
    ('\u{201d}', &['\u{201d}']),
    ('\u{201e}', &['\u{201c}', '\u{201d}']),
    ('\u{ab}', &['\u{bb}']),
];

/// How much of a line is looked at to tell a comment from a pattern of file names.
const MAX_LINE_SEEN: usize = 256;

impl Lexer<'_> {
    /// Where the text ends that begins with a quote of another language at `start` and ends with one on the same line.
    pub(super) fn foreign_quoted(&mut self, start: usize) -> Option<usize> {
        if !matches!(self.byte(start), b'\'' | b'`' | 0xc2 | 0xe2) {
            return None;
        }
        let first = self.char_at(start)?;
        let index = QUOTES.iter().position(|(quote, _)| *quote == first)?;
        let body = start + first.len_utf8();
        if body < self.no_foreign_end[index] || self.follows_word() {
            return None;
        }
        for (at, c) in self.text[body..].char_indices() {
            let end = body + at + c.len_utf8();
            // An apostrophe stands within a word.
            if QUOTES[index].1.contains(&c) && self.ends_value(end) {
                return Some(end);
            }
            if chars::is_newline(c) {
                self.no_foreign_end[index] = end;
                return None;
            }
        }
        self.no_foreign_end[index] = self.bytes.len();
        None
    }

    /// Whether what stands at `at` is no part of the same word.
    fn ends_value(&self, at: usize) -> bool {
        self.char_at(at).is_none_or(|c| !matches!(chars::kind(c), Kind::Word) && c != '"' && c != '#')
            || self.byte(at) == b','
    }

    /// Whether the token before the current byte is a part of the same word.
    fn follows_word(&self) -> bool {
        self.out.tokens.last().is_some_and(|token| is_part(token.kind))
    }

    /// Where a bare string ends that goes on behind what would begin a comment at the current byte; `kind` is that of its
    /// part up to there. Where a blank follows the mark, it is a comment.
    pub(super) fn runs_on(&self, kind: TokenKind) -> Option<usize> {
        let mark = self.at;
        if self.byte(mark) != b'/' || !matches!(self.byte(mark + 1), b'/' | b'*' | b'-') {
            return None;
        }
        if !(kind == TokenKind::Word || self.follows_word()) || !self.is_value() {
            return None;
        }
        let end = mark + run(&self.text[mark..]);
        // `a// b` and `a/* b */`: what looks like a comment in all, is one.
        let comment = match self.byte(mark + 1) {
            b'*' => self.is_comment(mark + 2),
            _ => end == mark + 2,
        };
        (!comment).then_some(end)
    }

    /// Whether a `*/` follows on this line, behind a blank.
    fn is_comment(&self, from: usize) -> bool {
        let rest = &self.bytes[from..self.bytes.len().min(from + MAX_LINE_SEEN)];
        let mut blank = false;
        for at in memchr::memchr3_iter(b'*', b' ', b'\n', rest) {
            match rest[at] {
                b' ' => blank = true,
                b'*' if rest.get(at + 1) == Some(&b'/') => return blank,
                b'*' => {}
                _ => return false,
            }
        }
        false
    }

    /// Whether a word that ends at the current byte, of one or more tokens, is an argument or a property's value.
    fn is_value(&self) -> bool {
        let mut tokens = self.out.tokens.iter().rev().skip_while(|token| is_part(token.kind)).peekable();
        match tokens.peek().map(|token| token.kind) {
            Some(TokenKind::Equals) => return true,
            Some(TokenKind::Space | TokenKind::BlockComment) => {}
            _ => return false,
        }
        let mut line_ended = false;
        for token in tokens {
            match token.kind {
                TokenKind::Newline if !line_ended => line_ended = true,
                TokenKind::LineComment if line_ended => {}
                TokenKind::Space | TokenKind::BlockComment | TokenKind::Disallowed => {}
                TokenKind::Backslash => line_ended = false,
                TokenKind::Newline
                | TokenKind::LineComment
                | TokenKind::Bom
                | TokenKind::OpenBrace
                | TokenKind::CloseBrace
                | TokenKind::OpenParen
                | TokenKind::Semicolon
                | TokenKind::SlashDash => return false,
                _ => return !line_ended,
            }
        }
        false
    }

    /// Whether the `#` from `start` to `end`, which begins no string and no keyword, is meant to begin a comment: it begins
    /// a node, or a blank follows it.
    pub(super) fn begins_shell_comment(&self, start: usize, end: usize) -> bool {
        let begins_node = || {
            let last = self.out.tokens.iter().rev().find(|token| token.kind != TokenKind::Space);
            last.is_none_or(|token| {
                matches!(
                    token.kind,
                    TokenKind::Bom
                        | TokenKind::Newline
                        | TokenKind::OpenBrace
                        | TokenKind::Semicolon
                        | TokenKind::CloseBrace
                )
            })
        };
        let blank = self.char_at(end).is_none_or(|c| chars::is_space(c) || chars::is_newline(c));
        let apart = start == 0
            || self.text[..start].ends_with(|c| chars::is_space(c) || chars::is_newline(c) || c == ';');
        begins_node() || (blank && apart)
    }

    /// `# …` up to the end of the line; `words` is where its text begins. A `}` that ends a block of this line is none of it.
    pub(super) fn shell_comment(&mut self, words: usize) -> (TokenKind, u8) {
        let start = self.at;
        let line_end = self.end_of_line(words, true);
        let mut end = line_end;
        let mut depth = self.line_depth;
        while depth > 0
            && let Some(shorter) = self.text[words..end].trim_end_matches(chars::is_space).strip_suffix('}')
        {
            depth -= 1;
            end = words + shorter.len();
        }
        self.at = end;
        let text = self.text[words..end].trim_end_matches(chars::is_space);
        let (hashes, to) = (at32(start)..at32(words), at32(words + text.len()));
        self.problems.report(&catalogue::SYNTAX_ERROR, hashes.clone(), |d| {
            let d = d.message("a comment begins with `//`").label("KDL has no `#` comments");
            if end == line_end {
                let space = if text.starts_with(chars::is_space) || text.is_empty() { "" } else { " " };
                d.swap("write `//`", Applicability::Safe, hashes, format!("//{space}"))
            } else if text.contains("*/") || text.contains("/*") {
                d.help("a `//` comment goes on to the end of its line: put the `}` on the next one")
            } else {
                let comment = format!("/* {} */", text.trim_matches(chars::is_space));
                d.swap("write `/* … */`", Applicability::Safe, hashes.start..to, comment)
            }
        });
        (TokenKind::LineComment, 0)
    }
}

/// Whether a token of that kind is a part of a word that characters join which may not stand in a bare string.
fn is_part(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Word
            | TokenKind::Number
            | TokenKind::Reserved
            | TokenKind::Keyword
            | TokenKind::UnknownKeyword
            | TokenKind::Stray
    )
}

/// How much of `text` is one word, whatever KDL takes its characters for: up to a blank, a quote, a `;`, or a brace or
/// parenthesis without its partner.
fn run(text: &str) -> usize {
    let mut open = Vec::new();
    let end = text.char_indices().find(|(at, c)| {
        match c {
            '{' => open.push((*at, '}')),
            '(' => open.push((*at, ')')),
            '}' | ')' => return open.pop().is_none_or(|(_, close)| close != *c),
            '"' | ';' => return true,
            c => return !matches!(chars::kind(*c), Kind::Word | Kind::Other),
        }
        false
    });
    let end = end.map_or(text.len(), |(at, _)| at);
    open.first().map_or(end, |(first, _)| *first)
}
