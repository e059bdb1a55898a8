//! String values: escapes, indentation, and the diagnostics about both.

use std::ops::Range;

use super::chars::{self, Kind};
use super::kdl_v1::V1;
use super::lexer::at32;
use super::lexer::text::{body, may_end_line};
use super::problems::{DiagnosticExt as _, Problems};
use super::token::{BAD_LAYOUT, DIRTY, RUNS_OVER, TokenKind};
use super::tree::StringRef;
use crate::diagnostic::{Applicability, Edit};
use crate::rule::catalogue;
use crate::source::Span;
use crate::text::quote;

/// Reads string tokens; values that are no slice of the text go to `decoded`.
pub(super) struct Strings<'a> {
    pub(super) text: &'a str,
    pub(super) decoded: String,
    pub(super) v1: V1,
}

/// Where a piece of scratch text comes from.
struct Piece {
    scratch: usize,
    source: usize,
}

impl Strings<'_> {
    /// The value of the string token at `range`.
    pub(super) fn read(
        &mut self,
        range: Range<u32>,
        kind: TokenKind,
        flags: u8,
        problems: &mut Problems,
    ) -> StringRef {
        let start = range.start as usize;
        let token = &self.text[start..range.end as usize];
        if kind == TokenKind::Word {
            return self.collect(|out, text| push_allowed(out, &text[start..range.end as usize]));
        }
        let inner = body(token, kind, flags);
        let inner = start + inner.start..start + inner.end;
        if kind == TokenKind::RawV1 {
            self.v1.raw_string(range.clone(), &self.text[inner.clone()]);
        }
        match kind {
            TokenKind::MultiLine | TokenKind::RawMultiLine => {
                self.multi_line(start, inner, kind, flags, problems)
            }
            TokenKind::Raw if flags & BAD_LAYOUT != 0 => {
                let line = self.text[inner.clone()].to_owned();
                one_line_layout(problems, range, &line, false);
                StringRef::source(inner)
            }
            TokenKind::Quoted if flags & DIRTY != 0 => {
                let keep_v1 = flags & RUNS_OVER != 0;
                let mut escapes = Escapes::default();
                let value = self.collect(|out, text| {
                    unescape(&text[inner.clone()], out, &mut escapes, |at| inner.start + at);
                });
                self.report_escapes(escapes, keep_v1, problems);
                value
            }
            _ if flags & DIRTY != 0 => self.collect(|out, text| push_allowed(out, &text[inner])),
            _ => StringRef::source(inner),
        }
    }

    fn collect(&mut self, fill: impl FnOnce(&mut String, &str)) -> StringRef {
        let start = self.decoded.len();
        fill(&mut self.decoded, self.text);
        StringRef::decoded(start..self.decoded.len())
    }

    fn report_escapes(&mut self, escapes: Escapes, in_v1_string: bool, problems: &mut Problems) {
        for range in escapes.slashes {
            if in_v1_string {
                self.v1.seen = true;
            } else {
                self.v1.slash(range);
            }
        }
        let Some(first) = escapes.bad.first().cloned() else { return };
        let text = &self.text[first.start as usize..first.end as usize];
        problems.report(&catalogue::INVALID_ESCAPE, first.clone(), |d| {
            let d = if text.starts_with("\\u") {
                let why = unicode_problem(text);
                let d = d.message(format!("{} names no Unicode character: {why}", quote(text)));
                d.label("expected `\\u{…}` with one to six hex digits, at most 10ffff and no surrogate")
            } else {
                let d = d.message(format!("{} is no escape", quote(text)));
                d.label("expected one of `\\\\` `\\\"` `\\n` `\\r` `\\t` `\\b` `\\f` `\\s` `\\u{…}`")
            };
            let mut d = d.help("write `\\\\` for a backslash, or use a raw string: `#\"…\"#`");
            for other in escapes.bad.iter().skip(1).take(3) {
                d = d.also(other.clone(), "this one neither");
            }
            let source = d.primary.span.source;
            let edits = escapes
                .bad
                .iter()
                .map(|bad| Edit { span: Span::at(source, bad.start), replacement: String::from("\\") });
            let edits = edits.collect();
            d.fix("double the backslash", Applicability::Unsafe, edits)
        });
    }

    /// `"""…"""` or `#"""…"""#` whose text between the quotes is `inner`.
    fn multi_line(
        &mut self,
        token: usize,
        inner: Range<usize>,
        kind: TokenKind,
        flags: u8,
        problems: &mut Problems,
    ) -> StringRef {
        let raw = kind == TokenKind::RawMultiLine;
        let text = self.text;
        let Some(opening) = chars::newline_len(&text[inner.clone()]) else {
            return self.bad_opening(token, inner, flags, problems);
        };
        let from = (inner.start + opening).min(inner.end);
        let lines = &text[from..inner.end];
        // Blanks behind a backslash vanish before the lines are looked at.
        let mut scratch = String::new();
        let mut pieces = vec![Piece { scratch: 0, source: from }];
        let lines = if !raw && flags & DIRTY != 0 && lines.contains('\\') {
            drop_escaped_blanks(lines, from, &mut scratch, &mut pieces);
            scratch.as_str()
        } else {
            lines
        };
        let to_source = |at: usize| {
            let piece = pieces.partition_point(|piece| piece.scratch <= at).saturating_sub(1);
            pieces[piece].source + (at - pieces[piece].scratch)
        };
        let closing_from = last_line(lines);
        let unclosed = flags & super::token::UNCLOSED != 0;
        let mut prefix = &lines[closing_from..];
        let mut content = &lines[..closing_from];
        let mut wrong = Layout { token, prefix: String::new(), lines: Vec::new(), closing: None };
        if unclosed {
            prefix = common_prefix(lines);
            content = lines;
        } else if !prefix.chars().all(chars::is_space) {
            wrong.closing = Some(at32(inner.end));
            prefix = common_prefix(lines);
            content = lines;
        }
        let mut escapes = Escapes::default();
        let start = self.decoded.len();
        let mut at = 0;
        let out = &mut self.decoded;
        let mut first = true;
        while at < content.len() || (at == content.len() && (wrong.closing.is_some() || unclosed) && first) {
            let line_end = next_newline(content, at);
            let line = &content[at..line_end];
            if !first {
                out.push('\n');
            }
            first = false;
            if !line.chars().all(chars::is_space) {
                let (skip, rest) = if let Some(rest) = line.strip_prefix(prefix) {
                    (prefix.len(), rest)
                } else {
                    let rest = line.trim_start_matches(chars::is_space);
                    let end = at + line.trim_end_matches(chars::is_space).len();
                    wrong.lines.push((at32(to_source(at)), at32(to_source(at + line.len() - rest.len())), {
                        at32(to_source(end.max(at + 1) - 1) + 1)
                    }));
                    (line.len() - rest.len(), rest)
                };
                if raw {
                    push_allowed(out, rest);
                } else {
                    unescape(rest, out, &mut escapes, |n| to_source(at + skip + n));
                }
            }
            at = line_end + chars::newline_len(&content[line_end..]).unwrap_or(1);
        }
        let value = StringRef::decoded(start..self.decoded.len());
        prefix.clone_into(&mut wrong.prefix);
        if !unclosed {
            wrong.report(kind, pieces.len() == 1, problems);
        }
        self.report_escapes(escapes, false, problems);
        value
    }

    /// `"""` without a line end behind it.
    fn bad_opening(
        &mut self,
        token: usize,
        inner: Range<usize>,
        flags: u8,
        problems: &mut Problems,
    ) -> StringRef {
        let text = self.text;
        let mut escapes = Escapes::default();
        let value =
            self.collect(|out, _| unescape(&text[inner.clone()], out, &mut escapes, |at| inner.start + at));
        if flags & super::token::UNCLOSED == 0 {
            let range = at32(token)..at32(inner.end + 3);
            one_line_layout(problems, range, &text[inner.clone()], true);
            self.report_escapes(escapes, false, problems);
        }
        value
    }
}

/// Text stands on the line of the opening quotes.
fn one_line_layout(problems: &mut Problems, range: Range<u32>, inner: &str, escapes: bool) {
    problems.report(&catalogue::INVALID_MULTI_LINE_STRING, range.clone(), |d| {
        let d = d
            .message("a line end must follow the opening `\"\"\"`")
            .label("the text must begin on the next line")
            .help("a string on one line stands between single quotes: `\"…\"`");
        if inner.contains(chars::is_newline) {
            d.swap("put the text on lines of its own", Applicability::Unsafe, range, {
                super::lexer::text::over_lines(inner, 0)
            })
        } else {
            let inner = if escapes { inner.to_owned() } else { inner.replace('\\', "\\\\") };
            d.swap("use single quotes", Applicability::Safe, range, format!("\"{}\"", escape_quotes(&inner)))
        }
    });
}

fn escape_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if c == '"' && !escaped {
            out.push('\\');
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

/// What is wrong with the lines of a `"""` string.
struct Layout {
    token: usize,
    prefix: String,
    /// Start, end of the white space, and end of each line that does not begin with the prefix.
    lines: Vec<(u32, u32, u32)>,
    /// Where the closing quotes stand behind text.
    closing: Option<u32>,
}

impl Layout {
    fn report(self, kind: TokenKind, can_fix: bool, problems: &mut Problems) {
        let quotes = if kind == TokenKind::RawMultiLine { "\"\"\"#" } else { "\"\"\"" };
        if let Some(at) = self.closing {
            let indent = &self.prefix;
            problems.report(&catalogue::INVALID_MULTI_LINE_STRING, at..at + 3, |d| {
                d.message("the closing `\"\"\"` must stand on a line of its own")
                    .label("text stands before it")
                    .also(at32(self.token)..at32(self.token) + 1, "the string begins here")
                    .help(format!("only blanks may stand before the closing {}", quote(quotes)))
                    .swap("put it on its own line", Applicability::Safe, at..at, format!("\n{indent}"))
            });
            return;
        }
        let Some(&(start, blank, end)) = self.lines.first() else { return };
        let shown = blank.max(start + 1).min(end).max(start);
        let range = if blank > start { start..blank } else { start..end.max(shown) };
        problems.report(&catalogue::INVALID_MULTI_LINE_STRING, range, |d| {
            let mut d = d
                .message(format!(
                    "a line of a `\"\"\"` string does not begin with the blanks before its closing quotes, {}",
                    quote(&self.prefix)
                ))
                .label("expected the same blanks as before the closing quotes")
                .help("indent every line at least as far as the closing quotes, with the same tabs and spaces");
            for (start, _, end) in self.lines.iter().skip(1).take(3) {
                d = d.also(*start..*end, "this line neither");
            }
            if can_fix {
                let source = d.primary.span.source;
                let edits = self.lines.iter().map(|(start, blank, _)| Edit {
                    span: Span::new(source, *start..*blank),
                    replacement: self.prefix.clone(),
                });
                let edits = edits.collect();
                d = d.fix("indent the line like the closing quotes", Applicability::Unsafe, edits);
            }
            d
        });
    }
}

/// Where the last line of `text` begins.
fn last_line(text: &str) -> usize {
    let mut at = 0;
    loop {
        let end = next_newline(text, at);
        match chars::newline_len(&text[end..]) {
            Some(len) => at = end + len,
            None => return at,
        }
    }
}

/// Where the line of `text` that holds `at` ends.
fn next_newline(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at;
    while at < bytes.len() {
        if may_end_line(bytes[at]) && text.is_char_boundary(at) && chars::newline_len(&text[at..]).is_some() {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

/// The white space that the first line with text begins with.
fn common_prefix(lines: &str) -> &str {
    let mut at = 0;
    while at < lines.len() {
        let end = next_newline(lines, at);
        let line = &lines[at..end];
        let text = line.trim_start_matches(chars::is_space);
        if !text.is_empty() {
            return &line[..line.len() - text.len()];
        }
        at = end + chars::newline_len(&lines[end..]).unwrap_or(1);
    }
    ""
}

/// Copies `lines` without each backslash that blanks follow, and without those blanks.
fn drop_escaped_blanks(lines: &str, source: usize, out: &mut String, pieces: &mut Vec<Piece>) {
    let mut at = 0;
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'\\', &lines.as_bytes()[at..]) {
        let backslash = at + found;
        let rest = &lines[backslash + 1..];
        let blank = rest.trim_start_matches(|c| chars::is_space(c) || chars::is_newline(c));
        if blank.len() == rest.len() {
            at = backslash + 1 + rest.chars().next().map_or(0, char::len_utf8);
            continue;
        }
        out.push_str(&lines[from..backslash]);
        from = lines.len() - blank.len();
        pieces.push(Piece { scratch: out.len(), source: source + from });
        at = from;
    }
    out.push_str(&lines[from..]);
}

/// The escapes of one string that want a word.
#[derive(Default)]
struct Escapes {
    bad: Vec<Range<u32>>,
    /// `\/`, which KDL 1 has.
    slashes: Vec<Range<u32>>,
}

/// Appends the value of `text`, whose byte `n` lies at `place(n)` of the source.
fn unescape(text: &str, out: &mut String, escapes: &mut Escapes, place: impl Fn(usize) -> usize) {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &text.as_bytes()[at..]) {
        let backslash = at + found;
        push_allowed(out, &text[at..backslash]);
        let rest = &text[backslash + 1..];
        let plain = match rest.chars().next() {
            Some('\\') => Some('\\'),
            Some('"') => Some('"'),
            Some('/') => {
                escapes.slashes.push(at32(place(backslash))..at32(place(backslash + 1) + 1));
                Some('/')
            }
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('s') => Some(' '),
            _ => None,
        };
        if let Some(c) = plain {
            out.push(c);
            at = backslash + 2;
            continue;
        }
        let blank = rest.trim_start_matches(|c| chars::is_space(c) || chars::is_newline(c));
        if blank.len() < rest.len() {
            at = text.len() - blank.len();
            continue;
        }
        if let Some((c, len)) = unicode(rest) {
            out.push(c);
            at = backslash + 1 + len;
            continue;
        }
        let len = bad_escape_len(rest);
        escapes.bad.push(at32(place(backslash))..at32(place(backslash) + 1 + len));
        // What the author meant is most often the backslash itself.
        push_allowed(out, &text[backslash..backslash + 1 + len]);
        at = backslash + 1 + len;
    }
    push_allowed(out, &text[at..]);
}

/// `u{…}`: the character, and how long that is.
fn unicode(rest: &str) -> Option<(char, usize)> {
    let digits = rest.strip_prefix("u{")?;
    let len = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    if !(1..=6).contains(&len) || digits.as_bytes().get(len) != Some(&b'}') {
        return None;
    }
    let c = char::from_u32(u32::from_str_radix(&digits[..len], 16).ok()?)?;
    Some((c, len + 3))
}

/// What is wrong with `\u…`, which is no escape.
fn unicode_problem(escape: &str) -> String {
    let Some(digits) = escape.strip_prefix("\\u{") else { return String::from("it has no braces") };
    let Some(digits) = digits.strip_suffix('}') else { return String::from("it has no `}`") };
    let bad = digits.chars().find(|c| !c.is_ascii_hexdigit());
    match (digits.len(), bad) {
        (0, _) => String::from("it is empty"),
        (_, Some(bad)) => format!("{} is no hex digit", quote(bad.encode_utf8(&mut [0; 4]))),
        (7, _) => String::from("it is one digit too long"),
        (8.., _) => format!("it is {} digits too long", digits.len() - 6),
        _ if u32::from_str_radix(digits, 16).is_ok_and(|n| (0xd800..0xe000).contains(&n)) => {
            String::from("it is half of a surrogate pair")
        }
        _ => String::from("the last one is 10ffff"),
    }
}

/// How much behind a backslash belongs to an escape that is none.
fn bad_escape_len(rest: &str) -> usize {
    if let Some(digits) = rest.strip_prefix("u{") {
        let len = digits.bytes().take_while(u8::is_ascii_alphanumeric).count();
        return 2 + len + usize::from(digits.as_bytes().get(len) == Some(&b'}'));
    }
    rest.chars().next().map_or(0, char::len_utf8)
}

/// Appends `text` without its disallowed characters.
fn push_allowed(out: &mut String, text: &str) {
    if text.bytes().any(|byte| chars::STOPS_LINE[byte as usize]) {
        out.extend(text.chars().filter(|c| chars::kind(*c) != Kind::Disallowed));
    } else {
        out.push_str(text);
    }
}
