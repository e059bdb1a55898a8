//! Comments.

use super::{Lexer, at32};
use crate::diagnostic::Applicability;
use crate::rule::catalogue;
use crate::syntax::MAX_DEPTH;
use crate::syntax::chars::{self, Kind, STOPS_BLOCK, STOPS_LINE};
use crate::syntax::problems::DiagnosticExt as _;
use crate::syntax::token::TokenKind;

impl Lexer<'_> {
    pub(super) fn line_comment(&mut self) -> (TokenKind, u8) {
        self.at = self.end_of_line(self.at + 2, true);
        (TokenKind::LineComment, 0)
    }

    /// Where the line of `at` ends; disallowed characters up to there are reported when `report` is set.
    pub(super) fn end_of_line(&mut self, mut at: usize, report: bool) -> usize {
        loop {
            while at < self.bytes.len() && !STOPS_LINE[self.bytes[at] as usize] {
                at += 1;
            }
            let Some(c) = self.char_at(at) else { return self.bytes.len() };
            match chars::kind(c) {
                Kind::Newline => return at,
                Kind::Disallowed if report => at = self.disallowed(at),
                _ => at += c.len_utf8(),
            }
        }
    }

    /// `/* … */`, nested. One that never ends is taken to end where its author most likely meant it to.
    pub(super) fn block_comment(&mut self) -> (TokenKind, u8) {
        let start = self.at;
        if self.no_comment_end {
            // Reported at the first of them.
            self.at = self.end_of_line(start, false);
            return (TokenKind::BlockComment, 0);
        }
        let mut depth = 1_usize;
        let mut at = start + 2;
        let mut too_deep = None;
        let mut last_inner = None;
        let mut last_close = None;
        let mut close_on_line = None;
        let mut on_first_line = true;
        while at < self.bytes.len() {
            let byte = self.bytes[at];
            if !STOPS_BLOCK[byte as usize] {
                at += 1;
                continue;
            }
            match (byte, self.byte(at + 1)) {
                (b'*', b'/') => {
                    at += 2;
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                    last_close = Some(at);
                    if on_first_line {
                        close_on_line = Some(at);
                    }
                }
                (b'/', b'*') => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        too_deep = too_deep.or(Some(at));
                    }
                    last_inner = Some(at);
                    at += 2;
                }
                (b'*' | b'/', _) => at += 1,
                _ => {
                    let Some(c) = self.char_at(at) else { break };
                    match chars::kind(c) {
                        Kind::Disallowed => at = self.disallowed(at),
                        kind => {
                            on_first_line &= kind != Kind::Newline;
                            at += c.len_utf8();
                        }
                    }
                }
            }
        }
        if let Some(at) = too_deep {
            self.problems.report(&catalogue::NESTING_TOO_DEEP, at32(at)..at32(at + 2), |d| {
                d.message(format!("comments are nested more than {MAX_DEPTH} deep"))
                    .label("this one is too deep")
                    .help("block comments nest: remove the inner `/*`, or use `//` comments")
            });
        }
        if depth == 0 {
            self.at = at;
            if !on_first_line {
                self.line_start = start.max(self.line_start);
            }
            return (TokenKind::BlockComment, 0);
        }
        self.no_comment_end = close_on_line.is_none();
        self.at = match close_on_line.or(last_close) {
            Some(end) => end,
            None => self.end_of_comment_block(start),
        };
        if too_deep.is_none() {
            let end = at32(self.at);
            self.problems.report(&catalogue::UNCLOSED_COMMENT, at32(start)..at32(start + 2), |d| {
                let d = d.message("a `/*` comment has no `*/`").label("this comment never ends");
                if let Some(inner) = last_inner.filter(|inner| at32(*inner) < end) {
                    d.also(at32(inner)..at32(inner + 2), "comments nest: this one inside took a `*/`")
                        .help("each `/*` needs its own `*/`, also inside a comment")
                } else {
                    d.help("close it with `*/`").swap("insert ` */`", Applicability::Unsafe, end..end, " */")
                }
            });
        }
        (TokenKind::BlockComment, 0)
    }

    /// Where a comment without any `*/` behind it ends: with its line, or with the last line below that still looks
    /// like the comment's because it begins with `*`.
    fn end_of_comment_block(&mut self, start: usize) -> usize {
        let mut end = self.end_of_line(start, false);
        while let Some(newline) = self.newline_at(end) {
            let line = self.text[end + newline..].trim_start_matches([' ', '\t']);
            if !line.starts_with('*') {
                break;
            }
            end = self.end_of_line(self.bytes.len() - line.len(), false);
        }
        end
    }
}
