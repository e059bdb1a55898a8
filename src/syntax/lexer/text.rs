//! Ends of strings, also of those whose closing quote is missing.

use std::ops::Range;

use super::{Lexer, at32};
use crate::diagnostic::Applicability;
use crate::rule::catalogue;
use crate::syntax::chars::{self, CLASS, Class, Kind, STOPS_RAW, STOPS_STRING};
use crate::syntax::problems::DiagnosticExt as _;
use crate::syntax::token::{BAD_LAYOUT, DIRTY, RUNS_OVER, SHORT_HASHES, TokenKind, UNCLOSED};
use crate::text::quote;

/// How often a search for the end of a raw string may reach the end of the text in vain.
const MAX_FAILED_SEARCHES: u32 = 16;

/// How much of a line is looked at to count its quotes.
const MAX_LINE_SEEN: usize = 4096;

/// How the scan of a string ended.
enum Stop {
    /// At a quote.
    Quote(usize),
    /// At a line end.
    Newline(usize),
    /// At the end of the text.
    End,
}

impl Lexer<'_> {
    /// Scans from `at` to the next quote, line end or end of the text. `escapes` makes a backslash guard what follows
    /// it, line ends included.
    fn scan(&mut self, mut at: usize, escapes: bool, flags: &mut u8) -> Stop {
        let stops = if escapes { &STOPS_STRING } else { &STOPS_RAW };
        loop {
            while at < self.bytes.len() && !stops[self.bytes[at] as usize] {
                at += 1;
            }
            match self.bytes.get(at) {
                None => return Stop::End,
                Some(b'"') => return Stop::Quote(at),
                Some(b'\\') => {
                    *flags |= DIRTY;
                    at = self.after_backslash(at + 1);
                }
                Some(_) => {
                    let Some(c) = self.char_at(at) else { return Stop::End };
                    match chars::kind(c) {
                        Kind::Newline => return Stop::Newline(at),
                        Kind::Disallowed => {
                            *flags |= DIRTY;
                            at = self.disallowed(at);
                        }
                        _ => at += c.len_utf8(),
                    }
                }
            }
        }
    }

    /// Where the escape ends whose backslash lies before `at`: behind one character, or behind all white space.
    fn after_backslash(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        let blank = rest.trim_start_matches(|c| chars::is_space(c) || chars::is_newline(c));
        if blank.len() < rest.len() {
            return self.bytes.len() - blank.len();
        }
        // A disallowed character must be seen and reported by the scan itself.
        match rest.chars().next() {
            Some(c) if chars::kind(c) != Kind::Disallowed => at + c.len_utf8(),
            _ => at,
        }
    }

    /// `"`.
    pub(super) fn quoted(&mut self) -> (TokenKind, u8) {
        let start = self.at;
        if self.bytes[start..].starts_with(b"\"\"\"") {
            return self.multi_line(start);
        }
        let mut flags = 0;
        match self.scan(start + 1, true, &mut flags) {
            Stop::Quote(end) => {
                self.at = end + 1;
                (TokenKind::Quoted, flags)
            }
            Stop::Newline(end) => {
                if let Some(close) = self.runs_over_to(end) {
                    flags |= self.check_range(end..close) | RUNS_OVER | DIRTY;
                    self.at = close + 1;
                    self.out.runs_over.push(at32(start)..at32(self.at));
                    return (TokenKind::Quoted, flags);
                }
                self.unclosed(start, start + 1, end, "\"");
                (TokenKind::Quoted, flags | UNCLOSED)
            }
            Stop::End => {
                self.unclosed(start, start + 1, self.bytes.len(), "\"");
                (TokenKind::Quoted, flags | UNCLOSED)
            }
        }
    }

    /// The quote that ends a string which ran into the line end at `newline`, when it was meant to run over lines:
    /// the next line with quotes has an odd number of them, and the first looks like an end.
    fn runs_over_to(&self, newline: usize) -> Option<usize> {
        let first = newline + memchr::memchr(b'"', self.bytes.get(newline..)?)?;
        if self.byte(first - 1) == b'\\' || !self.ends_word(first + 1) {
            return None;
        }
        if self.seen_v1 {
            // KDL 1's strings may run over lines.
            return Some(first);
        }
        let rest = &self.bytes[first..self.bytes.len().min(first + MAX_LINE_SEEN)];
        let mut count = 0;
        for found in memchr::memchr3_iter(b'"', b'\n', b'\r', rest) {
            if rest[found] != b'"' {
                break;
            }
            count += usize::from(self.byte(first + found - 1) != b'\\');
        }
        (count % 2 == 1).then_some(first)
    }

    /// Whether what stands at `at` may follow a value.
    fn ends_word(&self, at: usize) -> bool {
        match self.char_at(at) {
            None | Some('{' | '}' | ')' | ';' | '=' | '/') => true,
            Some(c) => chars::is_space(c) || chars::is_newline(c),
        }
    }

    /// Reports a string without its end and takes it to end where its author most likely meant it to: before a
    /// brace, a `;` or a comment at the end of its line.
    fn unclosed(&mut self, start: usize, body: usize, line_end: usize, closing: &str) {
        let end = self.meant_end(body, line_end);
        self.at = end;
        self.quiet_line(line_end);
        let range = at32(start)..at32(end);
        self.problems.report(&catalogue::UNCLOSED_STRING, range.clone(), |d| {
            d.message(format!("a string has no closing {}", quote(closing)))
                .label(format!("expected {} before the end of the line", quote(closing)))
                .help("a string over several lines begins with `\"\"\"` and a line end")
                .swap(
                    format!("insert {}", quote(closing)),
                    Applicability::Unsafe,
                    range.end..range.end,
                    closing,
                )
        });
    }

    fn meant_end(&self, body: usize, line_end: usize) -> usize {
        let mut rest = &self.text[body..line_end];
        if let Some(comment) = [" //", "\t//", " /*", "\t/*"].iter().filter_map(|mark| rest.find(mark)).min()
        {
            rest = &rest[..comment];
        }
        let mut depth = self.line_depth;
        loop {
            rest = rest.trim_end_matches(chars::is_space);
            let Some(shorter) = rest.strip_suffix(['{', '}', ';']) else { break };
            let apart = shorter.is_empty() || shorter.ends_with(chars::is_space);
            let closes = rest.ends_with('}') && depth > 0;
            if !apart && !closes {
                break;
            }
            depth -= u32::from(closes);
            rest = shorter;
        }
        body + rest.len()
    }

    fn quiet_line(&mut self, line_end: usize) {
        self.out.quiet.push(at32(self.line_start)..at32(line_end));
    }

    /// `"""`.
    fn multi_line(&mut self, start: usize) -> (TokenKind, u8) {
        let mut flags = 0;
        let body = start + 3;
        let on_own_line = self.newline_at(body).is_some();
        let mut at = body;
        let mut first_line_end = None;
        if !(self.no_multi_line_end && on_own_line) {
            loop {
                match self.scan(at, true, &mut flags) {
                    Stop::Quote(quote) if self.bytes[quote..].starts_with(b"\"\"\"") => {
                        if first_line_end.is_some() && self.opens_another(start, quote) {
                            self.multi_line_searches_failed += 1;
                            break;
                        }
                        self.at = quote + 3;
                        if !on_own_line {
                            flags |= BAD_LAYOUT;
                            self.quiet_line(quote);
                        }
                        if first_line_end.is_some() {
                            self.line_start = start.max(self.line_start);
                        }
                        return (TokenKind::MultiLine, flags);
                    }
                    Stop::Quote(quote) => at = quote + 1,
                    Stop::Newline(newline) => {
                        if self.no_multi_line_end {
                            break;
                        }
                        first_line_end = first_line_end.or(Some(newline));
                        at = newline + self.newline_at(newline).unwrap_or(1);
                    }
                    Stop::End => {
                        self.no_multi_line_end = true;
                        break;
                    }
                }
            }
        }
        self.unclosed_lines(start, body, "\"\"\"");
        (TokenKind::MultiLine, flags | UNCLOSED | if on_own_line { 0 } else { BAD_LAYOUT })
    }

    /// Whether the `"""` at `quote` begins another string rather than ending the one from `start`: it ends its line,
    /// follows a blank or a `=`, and its line is not indented deeper than that of `start`.
    fn opens_another(&self, start: usize, quote: usize) -> bool {
        if self.multi_line_searches_failed >= MAX_FAILED_SEARCHES || self.newline_at(quote + 3).is_none() {
            return false;
        }
        let line = &self.text[..quote];
        let line = &line[line.rfind(chars::is_newline).unwrap_or(0)..];
        let line = line.trim_start_matches(chars::is_newline);
        let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
        !line.trim_matches(|c| chars::is_space(c) || c == '\\').is_empty()
            && line.ends_with([' ', '\t', '=', ')'])
            && indent(line) <= indent(&self.text[self.line_start..start])
    }

    /// Reports a string over lines without its end, and takes it to end before the first line that is not indented
    /// deeper than the one on which it began.
    fn unclosed_lines(&mut self, start: usize, body: usize, closing: &str) {
        let line_start = self.line_start;
        let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
        let own = indent(&self.text[line_start..start]);
        let mut end = self.end_of_line(body, false);
        let first_line = end;
        let mut deeper = None;
        while let Some(newline) = self.newline_at(end) {
            let from = end + newline;
            let to = self.end_of_line(from, false);
            let line = &self.text[from..to];
            let content = line.trim_matches([' ', '\t']);
            if !content.is_empty() {
                let is_deeper = *deeper.get_or_insert(indent(line) > own);
                if (is_deeper && indent(line) <= own) || content == "}" {
                    break;
                }
            }
            end = to;
        }
        if body == first_line {
            self.at = end;
        } else {
            // Text stands behind the quotes: it is a slip on one line.
            self.at = self.meant_end(body, first_line);
            self.quiet_line(first_line);
        }
        let opening = at32(start)..at32(body);
        let end = at32(self.at);
        let inserted = format!("\n{}{closing}", &self.text[line_start..line_start + own]);
        self.problems.report(&catalogue::UNCLOSED_STRING, opening, |d| {
            d.message(format!("a string has no closing {}", quote(closing)))
                .label("this string never ends")
                .help(format!("close it with {} on a line of its own", quote(closing)))
                .swap(format!("insert {}", quote(closing)), Applicability::Unsafe, end..end, inserted)
        });
    }

    /// Whether `hashes` `#` stand at `at`.
    fn hashes_at(&self, at: usize, hashes: usize) -> bool {
        self.bytes.get(at..at + hashes).is_some_and(|run| run.iter().all(|byte| *byte == b'#'))
    }

    /// `#"` with `hashes` `#`.
    pub(super) fn raw(&mut self, hashes: usize) -> (TokenKind, u8) {
        let start = self.at;
        let body = start + hashes + 1;
        let triple = self.bytes[body..].starts_with(b"\"\"");
        if triple && self.newline_at(body + 2).is_some() {
            return self.raw_multi_line(start, hashes);
        }
        let mut flags = 0;
        let mut at = body;
        let mut shorter = None;
        let line_end = loop {
            match self.scan(at, false, &mut flags) {
                Stop::Quote(quote) if self.hashes_at(quote + 1, hashes) => {
                    self.at = quote + 1 + hashes;
                    if triple && quote > body {
                        flags |= BAD_LAYOUT;
                        self.quiet_line(quote);
                    }
                    return (TokenKind::Raw, flags);
                }
                Stop::Quote(quote) => {
                    let run = self.bytes[quote + 1..].iter().take_while(|byte| **byte == b'#').count();
                    if self.ends_word(quote + 1 + run) {
                        shorter = Some(quote + 1 + run);
                    }
                    at = quote + 1;
                }
                Stop::Newline(newline) => break newline,
                Stop::End => break self.bytes.len(),
            }
        };
        let closing = format!("\"{}", "#".repeat(hashes.min(8)));
        if let Some(end) = shorter {
            self.at = end;
            self.quiet_line(line_end);
            let range = at32(start)..at32(end);
            let from = at32(self.text[..end].trim_end_matches('#').len());
            self.problems.report(&catalogue::UNCLOSED_STRING, range, |d| {
                d.message(format!("a raw string has no closing {}", quote(&closing)))
                    .label(format!("began with {hashes} `#`, so it must end with as many"))
                    .swap(
                        format!("write {}", quote(&closing)),
                        Applicability::Unsafe,
                        from..at32(end),
                        "#".repeat(hashes),
                    )
            });
            return (TokenKind::Raw, flags | SHORT_HASHES | UNCLOSED);
        }
        // A string that was meant to run over lines ends at the next quote that is none's beginning.
        let close = memchr::memchr(b'"', self.bytes.get(line_end..).unwrap_or_default())
            .map(|found| line_end + found)
            .filter(|close| self.hashes_at(close + 1, hashes) && self.byte(close - 1) != b'#');
        if let Some(close) = close {
            self.check_range(line_end..close);
            self.at = close + 1 + hashes;
            let range = at32(start)..at32(self.at);
            let replacement = over_lines(&self.text[body..close], hashes);
            self.problems.report(&catalogue::INVALID_MULTI_LINE_STRING, range.clone(), |d| {
                let opening = format!("{}\"\"\"", "#".repeat(hashes.min(8)));
                d.message(format!("a string over several lines must begin with {}", quote(&opening)))
                    .label("a string between single quotes ends on its line")
                    .help(format!("put {} and the closing quotes on lines of their own", quote(&opening)))
                    .swap(format!("write {}", quote(&opening)), Applicability::Safe, range, replacement)
            });
            return (TokenKind::Raw, flags | DIRTY);
        }
        self.unclosed(start, body, line_end, &closing);
        (TokenKind::Raw, flags | UNCLOSED)
    }

    fn raw_multi_line(&mut self, start: usize, hashes: usize) -> (TokenKind, u8) {
        let body = start + hashes + 3;
        let mut flags = 0;
        let mut at = body;
        let mut shorter = None;
        if self.raw_searches_failed < MAX_FAILED_SEARCHES {
            loop {
                match self.scan(at, false, &mut flags) {
                    Stop::Quote(quote) if self.bytes[quote..].starts_with(b"\"\"\"") => {
                        if self.hashes_at(quote + 3, hashes) {
                            self.at = quote + 3 + hashes;
                            self.line_start = start.max(self.line_start);
                            return (TokenKind::RawMultiLine, flags);
                        }
                        if shorter.is_none() && self.byte(quote - 1) != b'#' {
                            let run =
                                self.bytes[quote + 3..].iter().take_while(|byte| **byte == b'#').count();
                            shorter = Some(quote + 3 + run);
                        }
                        at = quote + 1;
                    }
                    Stop::Quote(quote) => at = quote + 1,
                    Stop::Newline(newline) => at = newline + 1,
                    Stop::End => break,
                }
            }
            self.raw_searches_failed += 1;
        }
        let closing = format!("\"\"\"{}", "#".repeat(hashes.min(8)));
        if let Some(end) = shorter {
            self.at = end;
            let from = at32(self.text[..end].trim_end_matches('#').len());
            self.problems.report(&catalogue::UNCLOSED_STRING, at32(start)..at32(body), |d| {
                d.message(format!("a raw string has no closing {}", quote(&closing)))
                    .label(format!("began with {hashes} `#`, so it must end with as many"))
                    .also(from - 3..at32(end), "this does not end it")
                    .swap(
                        format!("write {}", quote(&closing)),
                        Applicability::Unsafe,
                        from..at32(end),
                        "#".repeat(hashes),
                    )
            });
            return (TokenKind::RawMultiLine, flags | UNCLOSED | SHORT_HASHES);
        }
        self.unclosed_lines(start, body, &closing);
        (TokenKind::RawMultiLine, flags | UNCLOSED)
    }

    /// Whether the quotes of a KDL 1 raw string stand here.
    pub(super) fn raw_v1_follows(&self) -> bool {
        let hashes = self.bytes[self.at..].iter().take_while(|byte| **byte == b'#').count();
        self.byte(self.at + hashes) == b'"'
    }

    /// KDL 1's raw string, whose `r` lies before the current byte. It may run over lines.
    pub(super) fn raw_v1(&mut self) -> (TokenKind, u8) {
        let start = self.at - 1;
        let hashes = self.bytes[self.at..].iter().take_while(|byte| **byte == b'#').count();
        let body = self.at + hashes + 1;
        let mut flags = 0;
        let mut at = body;
        if self.raw_searches_failed < MAX_FAILED_SEARCHES {
            while let Some(found) = memchr::memchr(b'"', &self.bytes[at..]) {
                let close = at + found;
                if self.hashes_at(close + 1, hashes) {
                    flags |= self.check_range(body..close);
                    self.at = close + 1 + hashes;
                    return (TokenKind::RawV1, flags);
                }
                at = close + 1;
            }
            self.raw_searches_failed += 1;
        }
        let line_end = self.end_of_line(body, true);
        self.unclosed(start, body, line_end, &format!("\"{}", "#".repeat(hashes.min(8))));
        (TokenKind::RawV1, flags | UNCLOSED)
    }
}

/// The body of a string that ran over lines between single quotes, as KDL 2 writes it.
pub(in crate::syntax) fn over_lines(body: &str, hashes: usize) -> String {
    let hashes = "#".repeat(hashes);
    format!("{hashes}\"\"\"\n{body}\n\"\"\"{hashes}")
}

/// The part of a string token that is its text, without quotes; `token` is the token's text.
pub(in crate::syntax) fn body(token: &str, kind: TokenKind, flags: u8) -> Range<usize> {
    if kind == TokenKind::ForeignQuoted {
        let mut inner = token.chars();
        let start = inner.next().map_or(0, char::len_utf8);
        inner.next_back();
        return start..start + inner.as_str().len();
    }
    let bytes = token.as_bytes();
    let lead = usize::from(kind == TokenKind::RawV1);
    let hashes = bytes[lead..].iter().take_while(|byte| **byte == b'#').count();
    let mut quotes = if matches!(kind, TokenKind::MultiLine | TokenKind::RawMultiLine) { 3 } else { 1 };
    // `#"""x"""#` on one line: the quotes inside belong to the quotes outside.
    if kind == TokenKind::Raw && flags & BAD_LAYOUT != 0 {
        let inner = &token[lead + hashes..token.len() - hashes];
        if inner.len() >= 6 && inner.ends_with("\"\"\"") {
            quotes = 3;
        }
    }
    let start = lead + hashes + quotes;
    let end = if flags & SHORT_HASHES != 0 {
        token.trim_end_matches('#').len() - quotes
    } else if flags & UNCLOSED != 0 {
        token.len()
    } else {
        token.len() - hashes - quotes
    };
    start..end.max(start)
}

/// Whether `byte` begins a line end; used where a string's text is cut into lines.
pub(in crate::syntax) fn may_end_line(byte: u8) -> bool {
    matches!(CLASS[byte as usize], Class::Newline | Class::Long)
}
