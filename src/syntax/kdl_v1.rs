//! Detection of KDL 1: one diagnostic for all of its spellings, whose fix is the file in KDL 2.

use std::fmt::Write as _;
use std::ops::Range;

use super::chars;
use super::lexer::text::over_lines;
use super::problems::{DiagnosticExt as _, Problems};
use crate::diagnostic::{Applicability, Edit};
use crate::rule::catalogue;
use crate::source::Span;
use crate::text::quote;

/// A spelling of KDL 1 that KDL 2 does not have.
#[derive(Default)]
pub(super) struct V1 {
    spellings: Vec<(Range<u32>, Spelling)>,
    /// Something that only KDL 1 has was seen.
    pub(super) seen: bool,
}

enum Spelling {
    /// `true`, `false`, `null` as a value.
    Keyword,
    /// `r"…"`, as KDL 2 writes it.
    RawString(String),
    /// A `"…"` string over lines, as KDL 2 writes it.
    OverLines(String),
    /// `\/`.
    Slash,
    /// The `1` of `/- kdl-version 1`.
    Version,
}

impl V1 {
    fn add(&mut self, range: Range<u32>, spelling: Spelling) {
        self.seen = true;
        self.spellings.push((range, spelling));
    }

    pub(super) fn keyword(&mut self, range: Range<u32>) {
        self.add(range, Spelling::Keyword);
    }

    pub(super) fn slash(&mut self, range: Range<u32>) {
        self.add(range, Spelling::Slash);
    }

    pub(super) fn version(&mut self, range: Range<u32>) {
        self.add(range, Spelling::Version);
    }

    pub(super) fn raw_string(&mut self, range: Range<u32>, body: &str) {
        self.add(range, Spelling::RawString(raw_in_v2(body)));
    }

    /// Reports what was found, with the `"…"` strings over lines: in a KDL 1 file they are part of it, in a KDL 2 file
    /// each is a mistake of its own.
    pub(super) fn report(mut self, runs_over: &[Range<u32>], text: &str, problems: &mut Problems) {
        let shown = |range: &Range<u32>| &text[range.start as usize..range.end as usize];
        if !self.seen {
            for range in runs_over {
                let token = shown(range);
                let replacement = quoted_in_v2(&token[1..token.len() - 1]);
                problems.report(&catalogue::INVALID_MULTI_LINE_STRING, range.clone(), |d| {
                    d.message("a string over several lines must begin with `\"\"\"`")
                        .label("a string between single quotes ends on its line")
                        .help("put `\"\"\"` and a line end before the text, and `\"\"\"` on a line of its own behind it")
                        .swap("write `\"\"\"`", Applicability::Safe, range.clone(), replacement)
                });
            }
            return;
        }
        for range in runs_over {
            let token = shown(range);
            self.add(range.clone(), Spelling::OverLines(quoted_in_v2(&token[1..token.len() - 1])));
        }
        self.spellings.sort_by_key(|(range, _)| range.start);
        let Some((first, _)) = self.spellings.first() else { return };
        let count = self.spellings.len();
        problems.report(&catalogue::KDL_V1, first.clone(), |d| {
            let source = d.span.source;
            let describe = |(range, spelling): &(Range<u32>, Spelling)| match spelling {
                Spelling::Keyword => {
                    let word = shown(range);
                    format!("{} must be `#{word}` in KDL 2", quote(word))
                }
                Spelling::RawString(new) if new.contains('\n') || new.len() > 40 => {
                    String::from("a raw string is `#\"…\"#` in KDL 2")
                }
                Spelling::RawString(new) => {
                    format!("this raw string must be {} in KDL 2", quote(new))
                }
                Spelling::OverLines(_) => String::from("a string over lines needs `\"\"\"` in KDL 2"),
                Spelling::Slash => String::from("`/` needs no backslash in KDL 2"),
                Spelling::Version => String::from("the version must be 2"),
            };
            let message = match count {
                1 => String::from("the file has a spelling of KDL 1; a spec is written in KDL 2"),
                _ => format!("the file is written in KDL 1 in {count} places; a spec is written in KDL 2"),
            };
            let mut d = d.message(message).label(describe(&self.spellings[0]));
            for spelling in self.spellings.iter().skip(1).take(3) {
                d = d.also(spelling.0.clone(), describe(spelling));
            }
            d = d.help("KDL 2 writes `#true`, `#false`, `#null`, raw strings as `#\"…\"#`, strings over lines as `\"\"\"`");
            let edits = self.spellings.iter().map(|(range, spelling)| Edit {
                span: Span::new(source, range.clone()),
                replacement: match spelling {
                    Spelling::Keyword => format!("#{}", shown(range)),
                    Spelling::RawString(new) | Spelling::OverLines(new) => new.clone(),
                    Spelling::Slash => String::from("/"),
                    Spelling::Version => String::from("2"),
                },
            });
            let edits = edits.collect();
            let title = if count == 1 { "write it in KDL 2" } else { "write the file in KDL 2" };
            d.fix(title, Applicability::Safe, edits)
        });
    }
}

/// Whether a line of blanks only, which KDL 2 would empty, lies in `body`.
fn has_blank_line(body: &str) -> bool {
    body.split(chars::is_newline).any(|line| !line.is_empty() && line.chars().all(chars::is_space))
}

/// A raw string's text as KDL 2 writes it.
fn raw_in_v2(body: &str) -> String {
    let lines = body.contains(chars::is_newline);
    // As many `#` as it takes for no quote inside to end the string.
    let mut hashes = 1;
    for (at, _) in body.match_indices('"') {
        let run = body[at + 1..].bytes().take_while(|byte| *byte == b'#').count();
        hashes = hashes.max(run + 1);
    }
    if (lines && has_blank_line(body)) || (!lines && (body == "\"" || body.starts_with("\"\""))) {
        return format!("\"{}\"", escaped(body));
    }
    if lines {
        return over_lines(body, hashes);
    }
    let hashes = "#".repeat(hashes);
    format!("{hashes}\"{body}\"{hashes}")
}

/// The text between the quotes of a KDL 1 string over lines, as KDL 2 writes it.
fn quoted_in_v2(body: &str) -> String {
    let body = without_slash_escapes(body);
    if has_blank_line(&body) {
        let mut line = String::with_capacity(body.len() + 8);
        for c in body.chars() {
            push_line_safe(&mut line, c);
        }
        return format!("\"{line}\"");
    }
    over_lines(&body, 0)
}

fn without_slash_escapes(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('/') => out.push('/'),
            Some(next) => out.extend(['\\', next]),
            None => out.push('\\'),
        }
    }
    out
}

fn push_line_safe(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        c if chars::is_newline(c) => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

fn escaped(body: &str) -> String {
    let mut out = String::with_capacity(body.len() + 8);
    for c in body.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c => push_line_safe(&mut out, c),
        }
    }
    out
}
