//! SARIF 2.1.0, which code scanning reads: the part of the format that a linter needs.
//!
//! Columns are UTF-16 code units, as the format wants unless told otherwise, and count from 1.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::Unread;
use super::place::{Fingerprints, Place, uri, whole};
use crate::diagnostic::{Applicability, Diagnostic, Diagnostics, Edit};
use crate::rule::{Level, Rule};
use crate::source::{Sources, Span};
use crate::text::quote_path;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    column_kind: &'static str,
    results: Vec<Finding<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invocations: Vec<Invocation<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    id: &'a str,
    short_description: Message<'a>,
    full_description: Message<'a>,
    help: Help<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Help<'a> {
    text: &'a str,
    markdown: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    text: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'static str,
    message: Message<'a>,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(rename = "physicalLocation")]
    place: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix<'a> {
    description: Message<'a>,
    artifact_changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    artifact_location: Artifact,
    replacements: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'a> {
    deleted_region: Region,
    inserted_content: Message<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
struct Notification<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    locations: Option<[FileLocation; 1]>,
    level: &'static str,
    message: Message<'a>,
}

/// A file as a whole.
#[derive(Serialize)]
struct FileLocation {
    #[serde(rename = "physicalLocation")]
    place: File,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    artifact_location: Artifact,
}

/// Writes one log with one run.
pub(super) fn render(
    diagnostics: &Diagnostics,
    unread: &[Unread],
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut broken: Vec<&Rule> = diagnostics.as_slice().iter().map(|diagnostic| diagnostic.rule).collect();
    broken.sort_by_key(|rule| rule.id);
    broken.dedup_by_key(|rule| rule.id);
    let mut fingerprints = Fingerprints::new(sources);
    let results = diagnostics.as_slice().iter().map(|diagnostic| {
        let index = broken.binary_search_by_key(&diagnostic.rule.id, |rule| rule.id).unwrap_or_default();
        finding(diagnostic, index, fingerprints.of(diagnostic), sources)
    });
    let results = results.collect();
    // What is not shown, or was not read, must not look as if it were not there.
    let dropped = Some(diagnostics.dropped()).filter(|dropped| *dropped > 0).map(|dropped| Notification {
        locations: None,
        level: "warning",
        message: text(format!("{dropped} more results are not shown")),
    });
    let not_read = unread.iter().map(|unread| Notification {
        locations: Some([FileLocation {
            place: File { artifact_location: Artifact { uri: uri(&unread.path) } },
        }]),
        level: "error",
        message: text(format!("{} {unread}", quote_path(Path::new(&unread.path)))),
    });
    let notifications: Vec<Notification<'_>> = not_read.chain(dropped).collect();
    let invocations = if notifications.is_empty() {
        Vec::new()
    } else {
        vec![Invocation {
            execution_successful: unread.is_empty(),
            tool_execution_notifications: notifications,
        }]
    };
    let driver = Driver {
        name: "bottlec",
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules: broken.into_iter().map(descriptor).collect(),
    };
    let run = Run { tool: Tool { driver }, column_kind: "utf16CodeUnits", results, invocations };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    super::json::write(&log, out)
}

fn text<'a>(text: impl Into<std::borrow::Cow<'a, str>>) -> Message<'a> {
    Message { text: text.into() }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Advice => "note",
    }
}

fn descriptor(rule: &Rule) -> Descriptor<'_> {
    let Rule { id, level: default, group: _, since: _, summary, page: _, acceptable: _, tag: _ } = rule;
    let page = rule.text();
    // What the page says first: the paragraph below its heading.
    let first = page.split("\n\n").nth(1).unwrap_or(summary);
    Descriptor {
        id,
        short_description: text(*summary),
        full_description: text(first.replace('\n', " ")),
        help: Help { text: page, markdown: page },
        help_uri: rule.url(),
        default_configuration: Configuration { level: level(*default) },
    }
}

fn finding<'a>(
    diagnostic: &'a Diagnostic,
    rule_index: usize,
    fingerprint: String,
    sources: &Sources,
) -> Finding<'a> {
    let Diagnostic { rule, level: at, message: _, primary, related, help: _, fix, bottle: _ } = diagnostic;
    let related = related.iter().zip(1..).map(|(label, id)| Location {
        id: Some(id),
        place: physical(label.span, sources),
        message: Some(text(label.message.as_str())),
    });
    let fixes = fix.iter().map(|fix| {
        let note = match fix.applicability {
            Applicability::Safe => "",
            Applicability::Unsafe => " (may change what the spec means)",
        };
        Fix {
            description: text(format!("{}{note}", fix.title)),
            artifact_changes: changes(&fix.edits, sources),
        }
    });
    Finding {
        rule_id: rule.id,
        rule_index,
        level: level(*at),
        message: text(whole(diagnostic)),
        locations: [Location { id: None, place: physical(primary.span, sources), message: None }],
        related_locations: related.collect(),
        partial_fingerprints: BTreeMap::from([("bottlecLine/v1", fingerprint)]),
        fixes: fixes.collect(),
    }
}

fn physical(span: Span, sources: &Sources) -> Physical {
    let place = Place::of(span, sources);
    Physical { artifact_location: Artifact { uri: place.uri() }, region: region(&place) }
}

fn region(place: &Place<'_>) -> Region {
    Region {
        start_line: place.start.line + 1,
        start_column: place.start.utf16 + 1,
        end_line: place.end.line + 1,
        end_column: place.end.utf16 + 1,
    }
}

/// The edits, by file.
fn changes<'a>(edits: &'a [Edit], sources: &Sources) -> Vec<Change<'a>> {
    let mut files: BTreeMap<String, Vec<Replacement<'a>>> = BTreeMap::new();
    for Edit { span, replacement } in edits {
        let place = Place::of(*span, sources);
        files.entry(place.uri()).or_default().push(Replacement {
            deleted_region: region(&place),
            inserted_content: text(replacement.as_str()),
        });
    }
    files
        .into_iter()
        .map(|(uri, replacements)| Change { artifact_location: Artifact { uri }, replacements })
        .collect()
}
