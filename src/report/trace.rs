//! Where the lines of a stage's file come from: for people, and as JSON that `schemas/trace.schema.json` describes.

use std::fmt::Write as _;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::json::{self, Place};
use super::redact;
use crate::diagnostic::harmless;
use crate::source::Sources;
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
    /// Its text.
    pub text: &'a str,
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
    /// Of the lines of a file with their numbers.
    #[must_use]
    pub fn new(
        bottle: &'a str,
        file: &'a str,
        lines: &[(usize, &'a trace::Line)],
        sources: &'a Sources,
    ) -> Self {
        let origin = |origin: &'a trace::Origin| Origin {
            what: &origin.what,
            place: origin.place.map(|place| Place::new(place, sources)),
        };
        let line = |(number, line): &(usize, &'a trace::Line)| Line {
            line: *number,
            text: &line.text,
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

/// As text: each line of the file, and under it the lines that made it.
#[must_use]
pub fn text(report: &Report<'_>, sources: &Sources) -> String {
    let mut text = String::new();
    for Line { line, text: content, origins } in &report.lines {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{}:{line}  {}", report.file, harmless(&redact::file(content.trim())));
        let mut shown = None;
        for Origin { what, place } in origins {
            let Some(Place { file, start, end: _ }) = place else {
                let _ = writeln!(text, "  {}", harmless(what));
                continue;
            };
            let id = sources.by_name(file);
            let written = id.map_or("", |id| sources.get(id).line_text(start.line as usize - 1).trim());
            let column = start.character_column;
            let _ = writeln!(text, "  {}:{}:{column}  {}", harmless(file), start.line, harmless(what));
            // Several things may stand on one line.
            if !written.is_empty() && shown.replace((file, start.line)) != Some((file, start.line)) {
                let _ = writeln!(text, "    {}", harmless(&redact::file(written)));
            }
        }
    }
    text
}
