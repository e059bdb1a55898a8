//! Traces as text, and as JSON that `schemas/trace.schema.json` describes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::json::{self, Place};
use super::redact;
use crate::source::Sources;
use crate::syntax::Trees;
use crate::text::harmless;
use crate::trace;

/// The `version` of the JSON. It changes when a program that reads it could break: not when a key is added.
pub const VERSION: u32 = 1;

/// The lines of one file of a stage that were asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bottlec trace")]
pub struct Report<'a> {
    /// The version of this format.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The bottle.
    pub bottle: &'a str,
    /// The file, as a path from the stage's directory on.
    pub file: &'a str,
    /// Its lines, in order.
    pub lines: Vec<Line<'a>>,
}

/// One line.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Line<'a> {
    /// Its number, from 1.
    #[schemars(range(min = 1))]
    pub line: usize,
    /// Its text, without credentials of a known shape.
    pub text: Cow<'a, str>,
    /// What made it, the most telling first.
    pub origins: Vec<Origin<'a>>,
}

/// What made a line, or a part of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Origin<'a> {
    /// What it is, in a few words.
    pub what: &'a str,
    /// Its place in a spec; null of what every bottle has.
    pub place: Option<Place<'a>>,
}

impl<'a> Report<'a> {
    /// Collects the lines of a file with their numbers.
    #[must_use]
    pub fn new(
        bottle: &'a str,
        file: &'a str,
        lines: &[(usize, &'a trace::Line)],
        sources: &'a Sources,
    ) -> Self {
        let origin = |origin: &'a trace::LineOrigin| Origin {
            what: &origin.what,
            place: origin.place.map(|place| Place::new(place, sources)),
        };
        let line = |(number, line): &(usize, &'a trace::Line)| Line {
            line: *number,
            text: redact::file(&line.text),
            origins: line.origins.iter().map(origin).collect(),
        };
        Self { version: VERSION, bottle, file, lines: lines.iter().map(line).collect() }
    }
}

/// The schema of the JSON.
#[must_use]
pub fn schema() -> Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Report<'_>>()
}

/// As one JSON object.
#[must_use]
pub fn json(report: &Report<'_>) -> String {
    json::line(report)
}

/// How many bytes of a line are shown: a list of hosts may be one line of megabytes, and each of its entries made one.
const SHOWN: usize = 160;

/// As text: each line of the file, and under it the lines that made it.
#[must_use]
pub fn text(report: &Report<'_>, trees: &dyn Trees) -> String {
    let sources = trees.sources();
    // Each spec is looked through once; what is masked keeps its length, so that every place stays where it is.
    let mut specs: BTreeMap<&str, String> = BTreeMap::new();
    let mut text = String::new();
    for Line { line, text: content, origins } in &report.lines {
        let content = content.trim();
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{}:{line}  {}", report.file, harmless(&part(content, 0)));
        let mut shown = None;
        for Origin { what, place } in origins {
            let Some(Place { file, start, end: _ }) = place else {
                let _ = writeln!(text, "  {}", harmless(what));
                continue;
            };
            let column = start.character_column;
            let _ = writeln!(text, "  {}:{}:{column}  {}", harmless(file), start.line, harmless(what));
            let Some(id) = sources.by_name(file) else { continue };
            let source = sources.get(id);
            let spec = specs.entry(file).or_insert_with(|| redact::text(&trees.tree_of(id)).into_owned());
            let line = source.line_range(start.line as usize - 1);
            let before = start.offset as usize - line.start;
            let written = spec.get(line).unwrap_or("");
            let blank = written.len() - written.trim_start().len();
            let written = part(written.trim(), before.saturating_sub(blank));
            // Several things may stand on one line, and the whole of it be shown.
            if !written.is_empty() && shown.as_ref() != Some(&(start.line, written.clone())) {
                let _ = writeln!(text, "    {}", harmless(&written));
                shown = Some((start.line, written));
            }
        }
    }
    text
}

/// The part of a line around a byte, with marks where it is longer.
fn part(line: &str, at: usize) -> String {
    if line.len() <= SHOWN {
        return line.to_owned();
    }
    let start = if at < SHOWN / 2 { 0 } else { line.floor_char_boundary(at - SHOWN / 4) };
    let end = line.floor_char_boundary(start + SHOWN);
    let before = if start > 0 { "..." } else { "" };
    let after = if end < line.len() { "..." } else { "" };
    format!("{before}{}{after}", &line[start..end])
}
