//! Strings and type annotations, and the diagnostics about those that stand where none may.

use std::ops::Range;

use super::{Parser, Role};
use crate::diagnostic::Applicability;
use crate::rule::catalogue;
use crate::syntax::lexer::foreign::QUOTES;
use crate::syntax::lexer::text::body;
use crate::syntax::problems::DiagnosticExt as _;
use crate::syntax::quoted_string;
use crate::syntax::token::{RUNS_ON, TokenKind, UNCLOSED};
use crate::syntax::tree::{NONE, Text, TextKind};
use crate::text::quote;

impl Parser<'_> {
    /// The string at the cursor, read and stepped over; `None` when none stands here.
    pub(super) fn word(&mut self, role: Role) -> Option<Text> {
        let at = self.at;
        let kind = self.kind(at);
        let end = self.glued(at);
        let runs_on = end > at && self.tokens[end - 1].flags & RUNS_ON != 0;
        if end > at + 1
            || runs_on
            || (kind == TokenKind::Stray && self.text.as_bytes()[self.start(at) as usize] == b'/')
        {
            let range = self.start(at)..self.start(end);
            self.at = end;
            self.must_be_quoted(range.clone(), runs_on);
            return Some(Text { start: range.start, end: range.end, kind: TextKind::Bare });
        }
        if !kind.is_string() {
            return None;
        }
        let text = self.text_of(at);
        self.at = at + 1;
        self.foreign_quotes(text);
        if kind == TokenKind::Reserved && role != Role::Value && role != Role::Entry {
            self.reserved(
                text.start..text.end,
                if role == Role::Type { "a type" } else { "the name of a node" },
            );
        }
        Some(text)
    }

    /// The string token at `at`.
    pub(super) fn text_of(&mut self, at: usize) -> Text {
        let token = self.tokens[at];
        let range = self.range(at);
        let kind = match token.kind {
            TokenKind::Word | TokenKind::Reserved if token.flags == 0 => TextKind::Bare,
            TokenKind::Quoted if token.flags == 0 => TextKind::Quoted,
            kind => {
                let stored = self.strings.read(range.clone(), kind, token.flags, self.problems);
                self.stored.push(stored);
                TextKind::Stored(crate::syntax::lexer::at32(self.stored.len() - 1))
            }
        };
        Text { start: range.start, end: range.end, kind }
    }

    /// One past the last token of the word that begins at `at`, when characters that KDL does not allow in a bare
    /// string join several tokens into one word, such as `docker.io/library/postgres`.
    fn glued(&self, at: usize) -> usize {
        let mut end = at;
        loop {
            let part = match self.kind(end) {
                TokenKind::Word | TokenKind::Number | TokenKind::Reserved => true,
                TokenKind::Keyword | TokenKind::UnknownKeyword => end > at,
                TokenKind::Stray => end > at || self.text.as_bytes()[self.start(end) as usize] == b'/',
                TokenKind::Backslash => end > at && self.continued_line(end).is_none(),
                _ => false,
            };
            if !part {
                return end;
            }
            end += 1;
        }
    }

    /// Says of a text between quotes that are none, or behind one, what quotes a string.
    fn foreign_quotes(&mut self, text: Text) {
        let range = text.start..text.end;
        let written = self.slice(range.clone()).to_owned();
        if !written.starts_with(|first| QUOTES.iter().any(|(quote, _)| *quote == first)) {
            return;
        }
        let closed = self.kind(self.at - 1) == TokenKind::ForeignQuoted;
        let inner = &written[body(&written, TokenKind::ForeignQuoted, 0)];
        self.report(&catalogue::SYNTAX_ERROR, range.clone(), |d| {
            if !closed {
                return d
                    .message(format!("{} begins with a quote that KDL does not have", quote(&written)))
                    .label("only `\"` begins and ends a string")
                    .help("put what is meant between two `\"`");
            }
            let quoted = quoted_string(inner);
            // What a backslash does between such quotes, each language has its own view of.
            let how = if inner.contains('\\') { Applicability::Unsafe } else { Applicability::Safe };
            d.message(format!("{} stands between quotes that KDL does not have", quote(&written)))
                .label("only `\"` begins and ends a string")
                .swap(format!("write {}", quote(&quoted)), how, range, quoted)
        });
    }

    fn must_be_quoted(&mut self, range: Range<u32>, runs_on: bool) {
        let text = self.slice(range.clone()).to_owned();
        let bad = text.chars().find(|c| matches!(c, '/' | '\\' | '[' | ']' | '#')).unwrap_or('/');
        // `'./a'`: the quotes are none of the text.
        let foreign = text.starts_with(|first| QUOTES.iter().any(|(quote, _)| *quote == first));
        let quoted = format!("\"{}\"", text.replace('\\', "\\\\"));
        self.report(&catalogue::SYNTAX_ERROR, range.clone(), |d| {
            let d = d.message(format!("{} must stand between quotes", quote(&text)));
            if foreign {
                return d
                    .label("only `\"` begins and ends a string")
                    .help("put what is meant between two `\"`");
            }
            if runs_on {
                let mark =
                    ["//", "/*", "/-"].into_iter().filter_map(|mark| Some((text.find(mark)?, mark))).min();
                let mark = mark.map_or("//", |(_, mark)| mark);
                // Behind a scheme it is no comment for sure.
                let sure = text.contains("://");
                let how = if sure { Applicability::Safe } else { Applicability::Unsafe };
                return d
                    .label(format!("a bare string ends before {}, which begins a comment", quote(mark)))
                    .help(format!("write {}; a comment stands behind a blank", quote(&quoted)))
                    .swap("put it between quotes", how, range, quoted);
            }
            d.label(format!("a bare string has no {}", quote(bad.encode_utf8(&mut [0; 4]))))
                .help(format!("write {}", quote(&quoted)))
                .swap("put it between quotes", Applicability::Safe, range, quoted)
        });
    }

    pub(super) fn reserved(&mut self, range: Range<u32>, what: &str) {
        let word = self.slice(range.clone()).to_owned();
        self.report(&catalogue::RESERVED_WORD, range.clone(), |d| {
            d.message(format!("the reserved word {} cannot be {what}", quote(&word)))
                .label("expected a string")
                .help(format!("write {}", quote(&format!("\"{word}\""))))
                .swap("put it between quotes", Applicability::Safe, range, format!("\"{word}\""))
        });
    }

    pub(super) fn must_be_string(&mut self, range: Range<u32>, text: &str, what: &str) {
        self.break_node();
        let quoted = format!("\"{text}\"");
        self.report(&catalogue::SYNTAX_ERROR, range.clone(), |d| {
            d.message(format!("{what} must be a string, not {}", quote(text)))
                .label("expected a string")
                .help(format!("write {}", quote(&quoted)))
                .swap("put it between quotes", Applicability::Unsafe, range, quoted)
        });
    }

    /// `( string )`, from the `(` at the cursor; an index into the texts.
    pub(super) fn type_annotation(&mut self) -> u32 {
        let open = self.at;
        let inner = self.skip_node_space(open + 1);
        self.at = inner;
        let ty = self.word(Role::Type);
        let close = if ty.is_some() { self.skip_node_space(self.at) } else { inner };
        if let (Some(ty), TokenKind::CloseParen) = (ty, self.kind(close)) {
            self.at = close + 1;
            self.texts.push(ty);
            return crate::syntax::lexer::at32(self.texts.len() - 1);
        }
        // The `)` may still stand on this line; where something was said about the line, that is not looked for.
        let mut end = close;
        if !self.quiet {
            while !matches!(
                self.kind(end),
                TokenKind::CloseParen
                    | TokenKind::Newline
                    | TokenKind::LineComment
                    | TokenKind::OpenBrace
                    | TokenKind::CloseBrace
                    | TokenKind::Semicolon
                    | TokenKind::Eof
            ) {
                end += 1;
            }
        }
        let closed = self.kind(end) == TokenKind::CloseParen;
        let range = self.start(open)..if closed { self.start(end + 1) } else { self.start(open) + 1 };
        let empty = closed && end == inner;
        self.report_once(&catalogue::SYNTAX_ERROR, range.clone(), |d| {
            if empty {
                d.message("a type has no name").label("expected a name between the parentheses").swap(
                    "remove the parentheses",
                    Applicability::Unsafe,
                    range,
                    "",
                )
            } else if closed {
                d.message("a type must be one string between parentheses")
                    .label("expected one string")
                    .help("parentheses stand around a type, such as `(u8)10`, and nothing else")
            } else {
                d.message("a `(` has no `)`")
                    .label("expected a type and `)` behind this")
                    .help("a string with parentheses stands between quotes")
            }
        });
        self.at = if closed {
            end + 1
        } else if ty.is_some() {
            self.at
        } else {
            open + 1
        };
        ty.map_or(NONE, |ty| {
            self.texts.push(ty);
            crate::syntax::lexer::at32(self.texts.len() - 1)
        })
    }

    /// A comment right behind the bare string that was read: it may be meant as a part of it.
    pub(super) fn comment_behind(&mut self) {
        if self.kind(self.at - 1) != TokenKind::Word
            || !matches!(self.kind(self.at), TokenKind::LineComment | TokenKind::BlockComment)
        {
            return;
        }
        let at = self.start(self.at);
        self.report(&catalogue::SYNTAX_ERROR, at..at + 2, |d| {
            d.message("a blank is missing before a comment")
                .label("the bare string ends here")
                .help("a string with `/` in it stands between quotes")
                .swap("insert a blank", Applicability::Safe, at..at, " ")
        });
    }

    /// A `=` between a node's name and its value, or its block, as other languages write it.
    pub(super) fn assignment(&mut self, node: u32) {
        let equals = self.range(self.at);
        let name_end = self.nodes[node as usize].name.end;
        self.at += 1;
        let next = self.skip_node_space(self.at);
        let name = quote(self.slice(self.nodes[node as usize].name.start..name_end));
        let block = self.kind(next) == TokenKind::OpenBrace;
        let behind = self.start(next);
        self.at = next;
        self.report(&catalogue::SYNTAX_ERROR, equals.clone(), |d| {
            let what = if block { "block" } else { "value" };
            let d = d.message(format!("a node's {what} takes no `=`"));
            d.label(format!("{name} is a node, and its {what} follows its name"))
                .help("only a property is written `key=value`, behind the node that has it")
                .swap("remove the `=`", Applicability::Safe, name_end..behind, " ")
        });
    }

    /// Says that the token at the cursor is nothing that can stand here.
    pub(super) fn unexpected(&mut self, what: &str) {
        let range = self.range(self.at);
        let text = self.slice(range.clone()).to_owned();
        match (self.kind(self.at), text.as_str()) {
            (TokenKind::Stray, "[" | "]") => self.list(),
            (TokenKind::Equals, _) => self.report_once(&catalogue::SYNTAX_ERROR, range, |d| {
                d.message("a `=` has no key before it")
                    .label(format!("expected {what}"))
                    .help("a property is written `key=value`; a key of odd characters stands between quotes")
            }),
            (TokenKind::CloseParen, _) => self.report_once(&catalogue::SYNTAX_ERROR, range.clone(), |d| {
                d.message("a `)` closes nothing").label(format!("expected {what}")).swap(
                    "remove it",
                    Applicability::Unsafe,
                    range,
                    "",
                )
            }),
            (TokenKind::Backslash, _) => self.report_once(&catalogue::SYNTAX_ERROR, range, |d| {
                d.message("a `\\` continues no line")
                    .label("expected the end of the line behind it")
                    .help("only blanks and a comment may follow a `\\`; a string with a backslash stands between quotes")
            }),
            _ => self.report_once(&catalogue::SYNTAX_ERROR, range, |d| {
                d.message(format!("{} cannot stand here", quote(&text))).label(format!("expected {what}"))
            }),
        }
    }

    /// `[`: nothing that KDL has.
    fn list(&mut self) {
        let open = self.at;
        let mut end = open + 1;
        if !self.quiet && self.slice(self.range(open)) == "[" {
            while !matches!(
                self.kind(end),
                TokenKind::Newline
                    | TokenKind::OpenBrace
                    | TokenKind::CloseBrace
                    | TokenKind::Semicolon
                    | TokenKind::Eof
            ) {
                end += 1;
                if self.slice(self.range(end - 1)) == "]" {
                    break;
                }
            }
            if self.slice(self.range(end - 1)) != "]" {
                end = open + 1;
            }
        }
        let range = self.start(open)..self.start(end);
        self.report_once(&catalogue::SYNTAX_ERROR, range, |d| {
            d.message("KDL has no lists in brackets")
                .label("expected values")
                .help("write the values one after another with blanks between, without brackets and commas")
        });
    }

    /// Whether what stands at `at` is a string whose end was missing.
    pub(super) fn is_unclosed(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.flags & UNCLOSED != 0)
    }
}
