//! Reviewdog's diagnostic format. Lines and columns count from 1, columns are bytes of UTF-8.

use std::io::{self, Write};

use serde::Serialize;

use super::Unread;
use super::place::{Place, whole};
use crate::diagnostic::{Diagnostic, Diagnostics, Edit};
use crate::rule::Level;
use crate::source::{Position, Sources, Span};

#[derive(Serialize)]
struct Report<'a> {
    source: Tool,
    severity: &'static str,
    diagnostics: Vec<Finding<'a>>,
}

#[derive(Clone, Copy, Serialize)]
struct Tool {
    name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    message: String,
    location: Location<'a>,
    severity: &'static str,
    code: Code<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Code<'a> {
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Suggestion<'a> {
    range: Range,
    text: &'a str,
}

#[derive(Serialize)]
struct Range {
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
}

impl From<Position> for Point {
    fn from(position: Position) -> Self {
        Self { line: position.line + 1, column: position.byte + 1 }
    }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warning => "WARNING",
        Level::Advice => "INFO",
    }
}

/// Writes one object.
pub(super) fn render(
    diagnostics: &Diagnostics,
    unread: &[Unread],
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    let worst = diagnostics.as_slice().iter().map(|diagnostic| diagnostic.level);
    let worst = worst.chain(unread.iter().map(|_| Level::Error)).min();
    let report = Report {
        source: Tool { name: "bottlec" },
        severity: severity(worst.unwrap_or(Level::Advice)),
        diagnostics: diagnostics
            .as_slice()
            .iter()
            .map(|diagnostic| finding(diagnostic, sources))
            .chain(unread.iter().map(not_read))
            .collect(),
    };
    out.write_all(super::json::line(&report).as_bytes())
}

fn finding<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Finding<'a> {
    let Diagnostic { rule, level, message: _, primary, related, help: _, fix, bottle: _ } = diagnostic;
    // A suggestion is one replacement in the file that the finding is in: a fix of several is none of that kind.
    let suggestion = match fix.as_ref().map(|fix| fix.edits.as_slice()) {
        Some([Edit { span, replacement }]) if span.source == primary.span.source => {
            Some(Suggestion { range: range(*span, sources), text: replacement })
        }
        _ => None,
    };
    Finding {
        message: whole(diagnostic),
        location: location(primary.span, sources),
        severity: severity(*level),
        code: Code { value: rule.id, url: rule.url() },
        suggestions: suggestion.into_iter().collect(),
        related_locations: related
            .iter()
            .map(|label| Related { message: &label.message, location: location(label.span, sources) })
            .collect(),
    }
}

fn not_read(unread: &Unread) -> Finding<'_> {
    Finding {
        message: unread.to_string(),
        location: Location { path: &unread.path, range: None },
        severity: severity(Level::Error),
        code: Code { value: Unread::NAME, url: None },
        suggestions: Vec::new(),
        related_locations: Vec::new(),
    }
}

fn location(span: Span, sources: &Sources) -> Location<'_> {
    Location { path: sources.get(span.source).name(), range: Some(range(span, sources)) }
}

fn range(span: Span, sources: &Sources) -> Range {
    let place = Place::of(span, sources);
    Range { start: place.start.into(), end: place.end.into() }
}
