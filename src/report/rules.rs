//! The rule catalogue as JSON, described by `schemas/rules.schema.json`.

use std::fmt::Write as _;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::json::Level;
use crate::rule::{ALL, Group, Rule};

/// The `version` of the JSON. It changes when a program that reads it could break: not when a key is added.
pub const VERSION: u32 = 1;

/// Every rule.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bottlec rules")]
pub struct Report {
    /// The version of this format.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The rules, by id.
    pub rules: Vec<Entry>,
}

/// One rule.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// Its stable name, in kebab case.
    pub id: &'static str,
    /// How bad breaking it is, unless the spec accepts it.
    pub level: Level,
    /// The version of bottlec that first had it.
    pub since: &'static str,
    /// What it wants, in one line.
    pub summary: &'static str,
    /// Whether a spec may accept that it is broken.
    pub acceptable: bool,
    /// Its page, in Markdown: what `explain` prints.
    pub page: &'static str,
    /// Where that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The schema of the JSON.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(Report)
}

/// Every rule, as one JSON object.
#[must_use]
pub fn json() -> String {
    let entry = |rule: &&'static Rule| {
        let Rule { id, level, group: _, since, summary, page, acceptable, tag: _ } = **rule;
        Entry { id, level: level.into(), since, summary, acceptable, page, url: rule.url() }
    };
    super::json::line(&Report { version: VERSION, rules: ALL.iter().map(entry).collect() })
}

/// Every rule by what it is about, with a link to the page of each: docs/rules.md.
#[must_use]
pub fn index() -> String {
    let mut text = String::from(
        "# The rules\n\nWhat a spec can get wrong. `bottlec explain RULE` prints the same pages, `bottlec rules --format \
         json` has them for programs.\n",
    );
    for group in Group::ALL {
        // Writing to a `String` cannot fail.
        let title = group.title();
        let _ = write!(text, "\n## {title}\n\n| rule | level | what is wrong |\n| --- | --- | --- |\n");
        for Rule { id, level, summary, acceptable, .. } in ALL.iter().filter(|rule| rule.group == group) {
            let accepted = if *acceptable { ", may be accepted" } else { "" };
            let level = level.as_str();
            let _ = writeln!(text, "| [{id}](rules/{id}.md) | {level}{accepted} | {summary} |");
        }
    }
    text
}
