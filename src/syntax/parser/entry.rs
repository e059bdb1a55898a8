//! Arguments and properties.

use std::ops::Range;

use super::{Parser, Role, Stage};
use crate::diagnostic::Applicability;
use crate::rule::catalogue;
use crate::syntax::chars;
use crate::syntax::lexer::at32;
use crate::syntax::number::{self, Number, NumberError};
use crate::syntax::problems::DiagnosticExt as _;
use crate::syntax::token::TokenKind;
use crate::syntax::tree::{BROKEN, COMMENTED, EntryData, NONE, Text, TextKind, ValueData};
use crate::text::{did_you_mean, quote};

/// A value that was read.
struct Read {
    start: u32,
    end: u32,
    value: ValueData,
    broken: bool,
}

impl Parser<'_> {
    /// The argument or property at the cursor. Returns the last entry of `node`.
    pub(super) fn entry(&mut self, node: u32, last: u32, commented: bool) -> u32 {
        let start = self.start(self.at);
        let mut ty = NONE;
        let typed = self.kind(self.at) == TokenKind::OpenParen;
        if typed {
            let open = self.at;
            ty = self.type_annotation();
            let next = self.skip_node_space(self.at);
            if !self.begins_value(next) {
                if !self.quiet {
                    let range = self.start(open)..self.start(self.at);
                    self.report_once(&catalogue::SYNTAX_ERROR, range, |d| {
                        d.message("a type must be followed by a value")
                            .label("expected a value behind this type")
                    });
                }
                return last;
            }
            self.at = next;
        }
        let first = self.at;
        if self.quiet && self.kind(first) == TokenKind::Word && self.slice(self.range(first)) == "," {
            // A list as JSON writes it: what is wrong was said.
            self.at += 1;
            return last;
        }
        let Some(mut read) = self.value(Role::Entry) else {
            self.unexpected("an argument, a property, a block or the end of the line");
            self.at = self.at.max(first + 1);
            return last;
        };
        let mut key = NONE;
        let equals = self.skip_node_space(self.at);
        if self.kind(equals) == TokenKind::Equals {
            if typed {
                self.type_before_key(start, read.start, equals);
            }
            let text = self.as_key(first, &read);
            self.texts.push(text);
            key = at32(self.texts.len() - 1);
            self.at = equals + 1;
            let after = self.property_value(equals);
            if after.1 != NONE {
                ty = after.1;
            }
            read = after.0;
        } else if self.kind(first) == TokenKind::Reserved && self.at == first + 1 {
            read = self.reserved_value(first);
        }
        let entry = at32(self.entries.len());
        self.entries.push(EntryData {
            start,
            value_start: read.start,
            end: read.end,
            key,
            ty,
            next: NONE,
            value: read.value,
            flags: if commented { COMMENTED } else { 0 } | if read.broken { BROKEN } else { 0 },
        });
        match self.entries.get_mut(last as usize) {
            Some(previous) if last != NONE => previous.next = entry,
            _ => self.nodes[node as usize].first_entry = entry,
        }
        let data = &mut self.nodes[node as usize];
        data.end = data.end.max(read.end);
        self.last_end = self.last_end.max(read.end);
        if !commented {
            data.head_end = data.head_end.max(read.end);
            if read.broken {
                data.flags |= BROKEN;
            }
        }
        entry
    }

    /// Whether a value, or a block, follows the `=` at the cursor.
    pub(super) fn is_assignment(&self) -> bool {
        let next = self.skip_node_space(self.at + 1);
        let has_name = self.nodes.last().is_some_and(|node| node.name.start < node.name.end);
        has_name
            && (self.begins_value(next)
                || matches!(self.kind(next), TokenKind::OpenBrace | TokenKind::OpenParen)
                || self.slice(self.range(next)) == "[")
    }

    /// Whether a value without its type begins at `at`.
    fn begins_value(&self, at: usize) -> bool {
        let kind = self.kind(at);
        kind.is_string()
            || matches!(kind, TokenKind::Number | TokenKind::Keyword | TokenKind::UnknownKeyword)
            || (kind == TokenKind::Stray && self.text.as_bytes()[self.start(at) as usize] == b'/')
    }

    /// The value at the cursor, without a type.
    fn value(&mut self, role: Role) -> Option<Read> {
        let at = self.at;
        if let Some(mut text) = self.word(role) {
            if self.quiet
                && self.kind(at) == TokenKind::Word
                && self.slice(text.start..text.end).ends_with(',')
            {
                // A list as JSON writes it: what is wrong was said.
                text.end = (text.end - 1).max(text.start);
            }
            self.comment_behind();
            if role == Role::Value && self.kind(at) == TokenKind::Reserved && self.at == at + 1 {
                return Some(self.reserved_value(at));
            }
            return Some(Read {
                start: text.start,
                end: text.end,
                value: ValueData::Text(text.kind),
                broken: false,
            });
        }
        let range = self.range(at);
        let (value, broken) = match self.kind(at) {
            TokenKind::Number => self.number(range.clone()),
            TokenKind::Keyword => (keyword(&self.slice(range.clone())[1..]), false),
            TokenKind::UnknownKeyword => {
                self.unknown_keyword(range.clone());
                (ValueData::Null, true)
            }
            _ => return None,
        };
        self.at = at + 1;
        Some(Read { start: range.start, end: range.end, value, broken })
    }

    /// `true` and the like as a value.
    fn reserved_value(&mut self, at: usize) -> Read {
        let range = self.range(at);
        let word = self.slice(range.clone()).to_owned();
        if matches!(word.as_str(), "true" | "false" | "null") {
            self.strings.v1.keyword(range.clone());
        } else {
            self.report(&catalogue::RESERVED_WORD, range.clone(), |d| {
                d.message(format!("the reserved word {} stands bare", quote(&word)))
                    .label("expected a value")
                    .help(format!(
                        "write {} for the number, {} for text",
                        quote(&format!("#{word}")),
                        quote(&format!("\"{word}\""))
                    ))
                    .swap(
                        format!("write {}", quote(&format!("#{word}"))),
                        Applicability::Unsafe,
                        range.clone(),
                        format!("#{word}"),
                    )
            });
        }
        Read { start: range.start, end: range.end, value: keyword(&word), broken: false }
    }

    /// What stands before a `=`, as a key.
    fn as_key(&mut self, at: usize, read: &Read) -> Text {
        let range = read.start..read.end;
        if let ValueData::Text(kind) = read.value {
            if self.kind(at) == TokenKind::Reserved && range == self.range(at) {
                self.reserved(range.clone(), "a key");
            }
            return Text { start: range.start, end: range.end, kind };
        }
        if !read.broken {
            let text = self.slice(range.clone()).to_owned();
            self.must_be_string(range.clone(), &text, "a key");
        }
        Text { start: range.start, end: range.end, kind: TextKind::Bare }
    }

    /// What stands behind the `=` at `equals`: the value, and its type.
    fn property_value(&mut self, equals: usize) -> (Read, u32) {
        let mut ty = NONE;
        let mut at = self.skip_node_space(self.at);
        let mut expected = "expected a value behind this `=`";
        let mut place = self.range(equals);
        if self.kind(at) == TokenKind::OpenParen {
            self.at = at;
            ty = self.type_annotation();
            place = self.start(at)..self.start(self.at);
            expected = "expected a value behind this type";
            at = self.skip_node_space(self.at);
        }
        let here = self.at;
        self.at = at;
        if let Some(read) = self.value(Role::Value) {
            return (read, ty);
        }
        self.at = here;
        let end = place.end;
        let at_slashdash = self.kind(at) == TokenKind::SlashDash;
        self.report_once(&catalogue::SYNTAX_ERROR, place, |d| {
            let d = d.message("a property has no value").label(expected);
            if at_slashdash {
                d.help(
                    "`/-` before the key comments out the whole property; before the value it cannot stand",
                )
            } else {
                d.help("write `key=value`, or `key=#null` where no value is meant")
            }
        });
        (Read { start: end, end, value: ValueData::Null, broken: true }, ty)
    }

    fn type_before_key(&mut self, start: u32, key: u32, equals: usize) {
        let ty = start..self.start(self.at);
        let annotation = self.slice(start..key).trim_end().to_owned();
        let behind = self.start(equals + 1);
        self.break_node();
        self.report(&catalogue::SYNTAX_ERROR, start..key, |d| {
            let source = d.span.source;
            let edit = |range: Range<u32>, replacement: String| crate::diagnostic::Edit {
                span: crate::source::Span::new(source, range),
                replacement,
            };
            let edits = vec![edit(ty.start..key, String::new()), edit(behind..behind, annotation.clone())];
            d.message("a type stands before a key")
                .label("expected it before the value")
                .help(format!("write {}", quote(&format!("key={annotation}value"))))
                .fix("move the type to the value", Applicability::Safe, edits)
        });
    }

    fn unknown_keyword(&mut self, range: Range<u32>) {
        let text = self.slice(range.clone()).to_owned();
        let known = ["#true", "#false", "#null", "#inf", "#-inf", "#nan"];
        let near = did_you_mean(&text, known).filter(|_| text.len() > 2);
        self.report_once(&catalogue::SYNTAX_ERROR, range.clone(), |d| {
            let d = d
                .message(format!("{} is no value", quote(&text)))
                .label("expected one of `#true` `#false` `#null` `#inf` `#-inf` `#nan`");
            match near {
                Some(near) => d.help(format!("did you mean {}?", quote(near))).swap(
                    format!("write {}", quote(near)),
                    Applicability::Unsafe,
                    range,
                    near,
                ),
                None => d.help("comments begin with `//`; a string with `#` stands between quotes"),
            }
        });
    }

    fn number(&mut self, range: Range<u32>) -> (ValueData, bool) {
        let text = self.slice(range.clone());
        match number::parse(text) {
            Ok(number) => (number_data(number), false),
            Err(error) => {
                let text: String = text.chars().filter(|c| chars::kind(*c) == chars::Kind::Word).collect();
                let meant = text.trim_end_matches(',');
                if error == NumberError::Comma || (self.quiet && meant.len() < text.len()) {
                    let value = number::parse(meant).map(number_data);
                    self.bad_number(range, &text, error);
                    return match value {
                        Ok(value @ ValueData::Integer(_)) => (value, false),
                        // The text is the number, and a comma stands in it.
                        _ => (ValueData::Null, true),
                    };
                }
                self.bad_number(range, &text, error);
                (ValueData::Text(TextKind::Bare), true)
            }
        }
    }

    fn bad_number(&mut self, range: Range<u32>, text: &str, error: NumberError) {
        self.report(&catalogue::INVALID_NUMBER, range.clone(), |d| {
            let end = range.end;
            let number = quote(text);
            match error {
                NumberError::NoIntegerDigit => {
                    let fixed = text.replacen('.', "0.", 1);
                    d.message(format!("{number} has no digit before its point"))
                        .label("expected a digit before the `.`")
                        .help(format!("write {}", quote(&fixed)))
                        .swap("insert `0`", Applicability::Safe, range, fixed)
                }
                NumberError::NoFractionDigit => d
                    .message(format!("{number} has no digit behind its point"))
                    .label("expected a digit behind the `.`")
                    .help("write a `0` behind the `.`, or no `.`"),
                NumberError::NoExponentDigit => d
                    .message(format!("{number} has no digit in its exponent"))
                    .label("expected a digit behind the `e`")
                    .help("an exponent looks like `1e6` or `2.5e-3`; text stands between quotes"),
                NumberError::NoDigit(base) => d.message(format!("{number} has no digit")).label(format!(
                    "expected {} digits: {}",
                    base.name(),
                    base.digits()
                )),
                NumberError::NotADigit(bad, base) => {
                    let bad = quote(bad.encode_utf8(&mut [0; 4]));
                    d.message(format!("{bad} is no {} digit", base.name()))
                        .label(format!("expected the digits {}", base.digits()))
                        .help("text stands between quotes")
                }
                NumberError::UpperCasePrefix => {
                    let fixed = text.replace('X', "x").replace('O', "o");
                    let fixed = if fixed.contains('x') { fixed } else { fixed.replacen('B', "b", 1) };
                    d.message(format!("the prefix of {number} is in upper case"))
                        .label("expected `0x`, `0o` or `0b`")
                        .swap(format!("write {}", quote(&fixed)), Applicability::Safe, range, fixed)
                }
                NumberError::LeadingUnderscore => d
                    .message(format!("{number} has a `_` where a digit must stand first"))
                    .label("a `_` may only stand behind a digit"),
                NumberError::Comma => d
                    .message("a comma stands behind a number")
                    .label("KDL has no commas between values")
                    .help("write the values one after another with blanks between")
                    .swap("remove the comma", Applicability::Safe, end - 1..end, ""),
                NumberError::Text => {
                    let quoted = format!("\"{text}\"");
                    d.message(format!("{number} is no number"))
                        .label("begins like a number")
                        .help(format!(
                            "text that begins with a digit stands between quotes: {}",
                            quote(&quoted)
                        ))
                        .swap("put it between quotes", Applicability::Unsafe, range, quoted)
                }
            }
        });
    }

    /// Whether the token at the cursor begins a node rather than a late entry of the one whose block ended.
    pub(super) fn begins_node(&self) -> bool {
        matches!(self.kind(self.at), TokenKind::Word | TokenKind::OpenParen)
            && self.kind(self.skip_node_space(self.at + 1)) != TokenKind::Equals
    }

    pub(super) fn missing_line_end(&mut self) {
        let range = self.range(self.at);
        let at = range.start;
        self.report(&catalogue::SYNTAX_ERROR, range, |d| {
            d.message("a line end or `;` is missing between two nodes")
                .label("expected a line end behind the `}`")
                .help("each node begins on a line of its own or behind a `;`")
                .swap("insert `;`", Applicability::Safe, at..at, "; ")
        });
    }

    /// An entry behind a block.
    pub(super) fn late_entry(&mut self, at: usize, stage: Stage) {
        let range = self.range(at);
        self.report(&catalogue::SYNTAX_ERROR, range, |d| {
            let d = d.message("arguments and properties must stand before the block of their node");
            if stage == Stage::CommentedBlock {
                d.label("a block that is commented out stands before this")
            } else {
                d.label("expected the end of the line")
            }
            .help("move it before the `{`, or begin a new node on a new line")
        });
    }

    /// Two things stand together that a blank must part.
    pub(super) fn missing_blank(&mut self) {
        let range = self.range(self.at);
        let at = range.start;
        if matches!(self.kind(self.at), TokenKind::Equals | TokenKind::CloseParen | TokenKind::Backslash)
            || self.is_unclosed(self.at)
            || self.is_unclosed(self.at - 1)
        {
            return;
        }
        let text = self.slice(range.clone()).to_owned();
        self.break_node();
        if text.starts_with(',') {
            // A list as JSON writes it.
            self.report_once(&catalogue::SYNTAX_ERROR, at..at + 1, |d| {
                d.message("a comma stands behind a value")
                    .label("KDL has no commas between values")
                    .help("write the values one after another with blanks between")
                    .swap("remove the comma", Applicability::Safe, at..at + 1, "")
            });
            return;
        }
        self.report(&catalogue::SYNTAX_ERROR, range, |d| {
            d.message(format!("a blank is missing before {}", quote(&text)))
                .label("expected a blank before this")
                .swap("insert a blank", Applicability::Safe, at..at, " ")
        });
    }
}

fn number_data(number: Number) -> ValueData {
    match number {
        Number::Integer(value) => i64::try_from(value).map_or(ValueData::Number, ValueData::Integer),
        Number::Written => ValueData::Number,
    }
}

fn keyword(word: &str) -> ValueData {
    match word {
        "true" => ValueData::Bool(true),
        "false" => ValueData::Bool(false),
        "inf" | "-inf" | "nan" => ValueData::Number,
        _ => ValueData::Null,
    }
}
