//! Cuts a text into tokens. One pass, linear, whatever the bytes; strings are only delimited here and decoded by the
//! parser where they are used.

mod comment;
pub(super) mod foreign;
pub(super) mod text;

use std::ops::Range;

use super::chars::{self, CLASS, Class, IS_WORD, Kind};
use super::problems::{DiagnosticExt as _, Problems};
use super::token::{DIRTY, RUNS_ON, Token, TokenKind};
use crate::diagnostic::Applicability;
use crate::rule::catalogue;

/// The result of the lexer.
pub(super) struct Lexed {
    /// Every token, and one [`TokenKind::Eof`] at the end.
    pub(super) tokens: Vec<Token>,
    /// `"…"` strings that run over lines: KDL 1 has them.
    pub(super) runs_over: Vec<Range<u32>>,
    /// Lines on which a broken string was reported: what else seems wrong there follows from it.
    pub(super) quiet: Vec<Range<u32>>,
    /// Whether each brace has its partner.
    pub(super) balanced: bool,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Where the line of the current token begins.
    line_start: usize,
    /// Braces that this line opened and did not close yet.
    line_depth: u32,
    out: Lexed,
    problems: &'a mut Problems,
    /// A spelling that only KDL 1 has was seen.
    seen_v1: bool,
    nuls: usize,
    first_nul: usize,
    /// Set when a search for `"""` reached the end of the text: none is left.
    no_multi_line_end: bool,
    /// Set when a search for `*/` reached the end of the text.
    no_comment_end: bool,
    /// How many searches for the end of a raw string reached the end of the text. After a few of them there is no
    /// further search, so that their sum stays linear.
    raw_searches_failed: u32,
    /// The same for `"""`.
    multi_line_searches_failed: u32,
    /// Where the line ends on which a search for each closing quote of other languages found none.
    no_foreign_end: [usize; foreign::QUOTES.len()],
}

/// The index of a byte as it is stored: no source is longer than 16 MiB.
pub(super) fn at32(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

pub(super) fn lex(text: &str, problems: &mut Problems) -> Lexed {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line_start: 0,
        line_depth: 0,
        out: Lexed {
            // A spec has about five bytes a token.
            tokens: Vec::with_capacity(text.len() / 4 + 16),
            runs_over: Vec::new(),
            quiet: Vec::new(),
            balanced: true,
        },
        problems,
        nuls: 0,
        first_nul: 0,
        no_multi_line_end: false,
        no_comment_end: false,
        raw_searches_failed: 0,
        multi_line_searches_failed: 0,
        no_foreign_end: [0; foreign::QUOTES.len()],
        seen_v1: false,
    };
    lexer.run();
    lexer.report_nuls();
    lexer.out
}

impl Lexer<'_> {
    fn run(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.push(0, TokenKind::Bom, 0);
            self.at = '\u{feff}'.len_utf8();
        }
        let mut depth = 0_usize;
        while let Some(&byte) = self.bytes.get(self.at) {
            let start = self.at;
            let (kind, flags) = match CLASS[byte as usize] {
                Class::Space => {
                    self.at += 1;
                    while matches!(self.byte(self.at), b' ' | b'\t') {
                        self.at += 1;
                    }
                    if self.byte(self.at) >= 0x80 {
                        self.long_spaces();
                    }
                    (TokenKind::Space, 0)
                }
                Class::Newline => {
                    self.at += 1 + usize::from(byte == b'\r' && self.byte(self.at + 1) == b'\n');
                    self.start_line();
                    (TokenKind::Newline, 0)
                }
                Class::Word | Class::Digit | Class::Sign | Class::Dot | Class::Control => self.word(),
                Class::Long => self.long(),
                Class::Quote => self.quoted(),
                Class::Hash => self.hash(),
                Class::Slash => self.slash(),
                Class::OpenBrace => {
                    depth += 1;
                    self.line_depth += 1;
                    self.one(TokenKind::OpenBrace)
                }
                Class::CloseBrace => {
                    self.out.balanced &= depth > 0;
                    depth = depth.saturating_sub(1);
                    self.line_depth = self.line_depth.saturating_sub(1);
                    self.one(TokenKind::CloseBrace)
                }
                Class::OpenParen => self.one(TokenKind::OpenParen),
                Class::CloseParen => self.one(TokenKind::CloseParen),
                Class::Equals => self.one(TokenKind::Equals),
                Class::Semicolon => self.one(TokenKind::Semicolon),
                Class::Backslash => self.one(TokenKind::Backslash),
                Class::Bracket => self.one(TokenKind::Stray),
            };
            self.push(start, kind, flags);
        }
        self.out.balanced &= depth == 0;
        self.push(self.bytes.len(), TokenKind::Eof, 0);
    }

    fn push(&mut self, start: usize, kind: TokenKind, flags: u8) {
        self.out.tokens.push(Token { start: at32(start), kind, flags });
    }

    fn one(&mut self, kind: TokenKind) -> (TokenKind, u8) {
        self.at += 1;
        (kind, 0)
    }

    fn start_line(&mut self) {
        self.line_start = self.at;
        self.line_depth = 0;
    }

    /// The byte at `at`; 0 past the end.
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The character at `at`, which must be a boundary; `None` at the end.
    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn newline_at(&self, at: usize) -> Option<usize> {
        match CLASS[self.byte(at) as usize] {
            Class::Newline | Class::Long => chars::newline_len(self.text.get(at..)?),
            _ => None,
        }
    }

    fn long_spaces(&mut self) {
        while let Some(c) = self.char_at(self.at).filter(|c| chars::is_space(*c)) {
            self.at += c.len_utf8();
        }
    }

    /// A token that begins with a code point beyond ASCII.
    fn long(&mut self) -> (TokenKind, u8) {
        let Some(c) = self.char_at(self.at) else { return self.one(TokenKind::Stray) };
        match chars::kind(c) {
            Kind::Space => {
                self.long_spaces();
                (TokenKind::Space, 0)
            }
            Kind::Newline => {
                self.at += c.len_utf8();
                self.start_line();
                (TokenKind::Newline, 0)
            }
            Kind::Word | Kind::Disallowed | Kind::Other => self.word(),
        }
    }

    /// A bare string, a number, or what begins like one. Disallowed characters in it are reported and left out of
    /// its value; a run of nothing else is a token of its own.
    fn word(&mut self) -> (TokenKind, u8) {
        let start = self.at;
        if let Some(end) = self.foreign_quoted(start) {
            self.at = end;
            return (TokenKind::ForeignQuoted, self.check_range(start..end));
        }
        let mut flags = 0;
        let mut only_disallowed = true;
        loop {
            let from = self.at;
            while IS_WORD[self.byte(self.at) as usize] {
                self.at += 1;
            }
            only_disallowed &= from == self.at;
            let byte = self.byte(self.at);
            if byte < 0x80 && (CLASS[byte as usize] != Class::Control || self.at >= self.bytes.len()) {
                break;
            }
            let Some(c) = self.char_at(self.at) else { break };
            match chars::kind(c) {
                Kind::Word => {
                    self.at += c.len_utf8();
                    only_disallowed = false;
                }
                Kind::Disallowed => {
                    flags |= DIRTY;
                    self.at = self.disallowed(self.at);
                }
                Kind::Space | Kind::Newline | Kind::Other => break,
            }
        }
        if only_disallowed {
            return (TokenKind::Disallowed, 0);
        }
        let word = &self.bytes[start..self.at];
        if word == b"r" && self.raw_v1_follows() {
            self.seen_v1 = true;
            return self.raw_v1();
        }
        let kind = match word {
            [b'0'..=b'9', ..]
            | [b'.' | b'+' | b'-', b'0'..=b'9', ..]
            | [b'+' | b'-', b'.', b'0'..=b'9', ..] => TokenKind::Number,
            word if word.len() <= 5 && chars::is_reserved(word) => {
                self.seen_v1 |= matches!(word, b"true" | b"false" | b"null")
                    && self
                        .out
                        .tokens
                        .last()
                        .is_some_and(|token| matches!(token.kind, TokenKind::Space | TokenKind::Equals));
                TokenKind::Reserved
            }
            _ => TokenKind::Word,
        };
        if let Some(end) = self.runs_on(kind) {
            self.at = end;
            return (TokenKind::Word, flags | RUNS_ON);
        }
        (kind, flags)
    }

    /// `#`: a raw string or a keyword.
    fn hash(&mut self) -> (TokenKind, u8) {
        let start = self.at;
        let mut end = start;
        while self.byte(end) == b'#' {
            end += 1;
        }
        if self.byte(end) == b'"' {
            return self.raw(end - start);
        }
        self.at = end;
        loop {
            while IS_WORD[self.byte(self.at) as usize] || self.byte(self.at) == b'#' {
                self.at += 1;
            }
            if self.byte(self.at) < 0x80 {
                break;
            }
            let Some(c) = self.char_at(self.at).filter(|c| chars::kind(*c) == Kind::Word) else { break };
            self.at += c.len_utf8();
        }
        let known = match &self.bytes[start..self.at] {
            [b'#', word @ ..] => chars::is_reserved(word),
            _ => false,
        };
        if known {
            return (TokenKind::Keyword, 0);
        }
        if self.begins_shell_comment(start, end) {
            self.at = start;
            return self.shell_comment(end);
        }
        if let Some(end) = self.runs_on(TokenKind::UnknownKeyword) {
            self.at = end;
            return (TokenKind::Word, RUNS_ON);
        }
        (TokenKind::UnknownKeyword, 0)
    }

    fn slash(&mut self) -> (TokenKind, u8) {
        match self.byte(self.at + 1) {
            b'-' => {
                self.at += 2;
                (TokenKind::SlashDash, 0)
            }
            b'/' => self.line_comment(),
            b'*' => self.block_comment(),
            _ => self.one(TokenKind::Stray),
        }
    }

    /// Reports the run of disallowed characters at `at` and says where it ends.
    fn disallowed(&mut self, at: usize) -> usize {
        let mut end = at;
        let mut first = None;
        let mut kinds = 0;
        while let Some(c) = self.char_at(end).filter(|c| chars::kind(*c) == Kind::Disallowed) {
            if c == '\0' {
                if self.nuls == 0 {
                    self.first_nul = end;
                }
                self.nuls += 1;
            } else {
                kinds += usize::from(first.is_some_and(|f| f != c));
                first = first.or(Some((end, c)).map(|(_, c)| c));
            }
            end += c.len_utf8();
        }
        if let Some(c) = first {
            let named = chars::describe(c);
            let more = if kinds > 0 { " and others" } else { "" };
            self.problems.report(&catalogue::DISALLOWED_CHARACTER, at32(at)..at32(end), |d| {
                let d = d.message(format!("{named}{more} must not stand in a KDL document")).label("invisible here");
                let d = match c {
                    '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => d.help(
                        "it changes the direction in which text is shown, so that a reader sees other than what the \
                         compiler reads",
                    ),
                    '\u{feff}' => d.help("a byte order mark may only be the first character of the file"),
                    _ => d,
                };
                d.help(format!("in a quoted string write it as `\\u{{{:x}}}`, if it is meant", u32::from(c)))
                    .swap("remove it", Applicability::Unsafe, at32(at)..at32(end), "")
            });
        }
        end
    }

    /// NUL is reported once for the whole text: where one is, there often are thousands.
    fn report_nuls(&mut self) {
        if self.nuls == 0 {
            return;
        }
        let at = at32(self.first_nul);
        let (count, len) = (self.nuls, self.bytes.len());
        self.problems.report(&catalogue::DISALLOWED_CHARACTER, at..at + 1, |d| {
            let d = if count == 1 {
                d.message("U+0000 NUL must not stand in a KDL document")
            } else {
                d.message(format!("U+0000 NUL must not stand in a KDL document; there are {count} of it"))
            };
            let d = d.label("the first one");
            if count * 3 > len {
                d.help("every other byte is NUL: the file looks like UTF-16; save it as UTF-8")
            } else {
                d.help("a NUL is often the mark of a file that was cut short or is no text")
            }
        });
    }

    /// Whether characters of `range` are disallowed; reports those that are.
    fn check_range(&mut self, range: Range<usize>) -> u8 {
        let mut at = range.start;
        let mut flags = 0;
        while at < range.end {
            if !chars::STOPS_LINE[self.byte(at) as usize] {
                at += 1;
                continue;
            }
            let Some(c) = self.char_at(at) else {
                at += 1;
                continue;
            };
            if chars::kind(c) == Kind::Disallowed {
                at = self.disallowed(at);
                flags |= DIRTY;
            } else {
                at += c.len_utf8();
            }
        }
        flags
    }
}
