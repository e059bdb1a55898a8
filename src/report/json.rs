//! The `json` format: one object, described by `schemas/diagnostics.schema.json`.
//!
//! Lines and columns count from 1, offsets from 0. Ends are exclusive: one past the last byte or column.

use std::borrow::Cow;
use std::io::{self, Write};

use schemars::JsonSchema;
use serde::{Serialize, Serializer as _};
use serde_json::ser::Formatter;

use super::{Summary, Unread};
use crate::diagnostic::{self, Diagnostics};
use crate::rule;
use crate::source::{self, Sources, Span};
use crate::text::{break_marks, is_unsafe_to_show};

/// The `version` of the object. It changes when a program that reads the object could break: not when a key is added.
pub const VERSION: u32 = 1;

/// Everything that one run has to say about the specs it was given.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bottlec diagnostics")]
pub struct Report<'a> {
    /// The version of this format.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The findings: by file, place and rule.
    pub diagnostics: Vec<Diagnostic<'a>>,
    /// What a spec or the run allows, and what is therefore no finding.
    pub allowed: Vec<Allowed<'a>>,
    /// What was to be checked and could not be read: nothing is known of it.
    pub unread: &'a [Unread],
    /// How many there are.
    pub summary: Summary,
}

/// What would be a finding, were it not allowed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Allowed<'a> {
    /// The name of the rule that is broken.
    pub rule: &'a str,
    /// What is wrong, in one line.
    pub message: &'a str,
    /// The mistake itself.
    pub place: Place<'a>,
    /// What in a spec allows it; null when the run does.
    pub by: Option<Allowance<'a>>,
}

/// What allows a finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Allowance<'a> {
    /// The rule's name in the `lint`.
    pub place: Place<'a>,
    /// The reason that is given there.
    pub reason: &'a str,
}

/// One finding about a spec.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Diagnostic<'a> {
    /// The stable name of the rule that is broken, in kebab case; `bottlec explain` takes it.
    pub rule: &'a str,
    /// Where the rule's page can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How bad it is.
    pub level: Level,
    /// What is wrong, in one line.
    pub message: &'a str,
    /// The mistake itself.
    pub place: Place<'a>,
    /// What was expected there, where there is something to say.
    pub label: Option<&'a str>,
    /// The other places concerned.
    pub related: Vec<Related<'a>>,
    /// What to do: each one line.
    pub help: &'a [String],
    /// A change of the files that removes the finding, where there is one.
    pub fix: Option<Fix<'a>>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing is built.
    Error,
    /// Built, but somebody should look.
    Warning,
    /// Worth knowing.
    Advice,
}

/// Another place and what it has to do with the finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Related<'a> {
    /// The place.
    pub place: Place<'a>,
    /// What it has to do with it, such as "first defined here".
    pub message: &'a str,
}

/// A range of text in one file; empty when both ends are the same.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Place<'a> {
    /// The file: a path relative to the workspace with `/` between its parts, or `<stdin>`.
    pub file: &'a str,
    /// Where it begins.
    pub start: Point,
    /// Where it ends: the first point that is no part of it.
    pub end: Point,
}

/// A point between two characters. Lines end with LF, CR LF or CR.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Point {
    /// Bytes from the start of the file, from 0.
    pub offset: u32,
    /// The line, from 1.
    #[schemars(range(min = 1))]
    pub line: u32,
    /// The column in bytes of UTF-8, from 1.
    #[schemars(range(min = 1))]
    pub byte_column: u32,
    /// The column in characters (Unicode scalar values), from 1: what the other formats show.
    #[schemars(range(min = 1))]
    pub character_column: u32,
    /// The column in UTF-16 code units, from 1: what the Language Server Protocol counts, there from 0.
    #[schemars(range(min = 1))]
    pub utf16_column: u32,
}

/// A change of the files.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Fix<'a> {
    /// What it does, in the imperative.
    pub title: &'a str,
    /// Whether it may be applied unseen.
    pub applicability: Applicability,
    /// The replacements: ordered by place, none overlapping another; all or none are applied.
    pub edits: Vec<Edit<'a>>,
}

/// Whether a fix may be applied unseen.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Applicability {
    /// It says what the author certainly meant.
    Safe,
    /// It may change what the spec means: somebody must look.
    Unsafe,
}

/// One replacement of a fix.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Edit<'a> {
    /// What is replaced; empty to insert.
    pub place: Place<'a>,
    /// By what; empty to delete.
    pub replacement: &'a str,
}

impl<'a> Report<'a> {
    /// The object for `diagnostics`, in the order they are in.
    #[must_use]
    pub fn new(diagnostics: &'a Diagnostics, unread: &'a [Unread], sources: &'a Sources) -> Self {
        Self {
            version: VERSION,
            diagnostics: diagnostics.as_slice().iter().map(|item| Diagnostic::new(item, sources)).collect(),
            allowed: diagnostics.allowed().iter().map(|item| Allowed::new(item, sources)).collect(),
            unread,
            summary: Summary::of(diagnostics),
        }
    }
}

impl<'a> Allowed<'a> {
    fn new(allowed: &'a diagnostic::Allowed, sources: &'a Sources) -> Self {
        let diagnostic::Allowed { diagnostic, by } = allowed;
        Self {
            rule: diagnostic.rule.id,
            message: &diagnostic.message,
            place: Place::new(diagnostic.primary.span, sources),
            by: by.as_ref().map(|diagnostic::Allowance { place, reason }| Allowance {
                place: Place::new(*place, sources),
                reason,
            }),
        }
    }
}

impl<'a> Diagnostic<'a> {
    fn new(diagnostic: &'a diagnostic::Diagnostic, sources: &'a Sources) -> Self {
        // Taken apart whole, so that a new field cannot be forgotten here.
        let diagnostic::Diagnostic { rule, level, message, primary, related, help, fix, bottle: _ } =
            diagnostic;
        Self {
            rule: rule.id,
            url: rule.url(),
            level: Level::from(*level),
            message,
            place: Place::new(primary.span, sources),
            label: (!primary.message.is_empty()).then_some(primary.message.as_str()),
            related: related
                .iter()
                .map(|label| Related { place: Place::new(label.span, sources), message: &label.message })
                .collect(),
            help,
            fix: fix.as_ref().map(|fix| Fix::new(fix, sources)),
        }
    }
}

impl<'a> Fix<'a> {
    fn new(fix: &'a diagnostic::Fix, sources: &'a Sources) -> Self {
        let diagnostic::Fix { title, applicability, edits } = fix;
        Self {
            title,
            applicability: Applicability::from(*applicability),
            edits: edits
                .iter()
                .map(|edit| Edit { place: Place::new(edit.span, sources), replacement: &edit.replacement })
                .collect(),
        }
    }
}

impl<'a> Place<'a> {
    pub(super) fn new(span: Span, sources: &'a Sources) -> Self {
        let source = sources.get(span.source);
        Self { file: source.name(), start: Point::new(span.start, source), end: Point::new(span.end, source) }
    }
}

impl Point {
    fn new(offset: u32, source: &source::Source) -> Self {
        let source::Position { line, byte, character, utf16 } = source.position(offset);
        Self {
            offset,
            line: line + 1,
            byte_column: byte + 1,
            character_column: character + 1,
            utf16_column: utf16 + 1,
        }
    }
}

impl From<rule::Level> for Level {
    fn from(level: rule::Level) -> Self {
        match level {
            rule::Level::Error => Self::Error,
            rule::Level::Warning => Self::Warning,
            rule::Level::Advice => Self::Advice,
        }
    }
}

impl From<diagnostic::Applicability> for Applicability {
    fn from(applicability: diagnostic::Applicability) -> Self {
        match applicability {
            diagnostic::Applicability::Safe => Self::Safe,
            diagnostic::Applicability::Unsafe => Self::Unsafe,
        }
    }
}

/// The JSON Schema of [`Report`].
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Report<'_>>()
}

/// Writes one [`Report`] in one line.
pub(super) fn render(
    diagnostics: &Diagnostics,
    unread: &[Unread],
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    write(&Report::new(diagnostics, unread, sources), out)
}

/// Writes a value in one line, and a line end.
pub(super) fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Harmless))?;
    writeln!(out)
}

/// Writes a list in one line: each item is gone before the next is made.
pub(super) fn write_list(
    items: impl IntoIterator<Item = impl Serialize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    serde_json::Serializer::with_formatter(&mut *out, Harmless).collect_seq(items)?;
    writeln!(out)
}

/// A value as JSON in one line, and a line end.
pub(super) fn line(value: &impl Serialize) -> String {
    let mut json = Vec::new();
    // Memory can be written to, and what is written are texts, numbers, lists and maps with text keys.
    let _ = value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, Harmless));
    json.push(b'\n');
    String::from_utf8(json).unwrap_or_default()
}

/// JSON with an escape for what the runner of a CI service would take for a command: within strings, that is the same.
#[must_use]
pub fn without_commands(json: &str) -> Cow<'_, str> {
    break_marks(json, "\\u0023")
}

/// Compact JSON whose strings hold every character that could drive a terminal, or make a command of a log, as an escape.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let fragment = without_commands(fragment);
        let mut rest = &*fragment;
        while let Some(at) = rest.find(is_unsafe_to_show) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let mut after = rest[at..].chars();
            if let Some(c) = after.next() {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = after.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}
