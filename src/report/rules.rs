//! The rules, for programs. `schemas/rules.schema.json` describes the JSON.

use std::fmt::Write as _;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::json::Level;
use crate::rule::{self, Rule};

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
    pub page: String,
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
        let Rule { id, level, since, summary, page: _, acceptable, module: _ } = **rule;
        let (page, url) = (page(rule), rule.url());
        Entry { id, level: level.into(), since, summary, acceptable, page, url }
    };
    super::json::line(&Report { version: VERSION, rules: rule::ALL.iter().map(entry).collect() })
}

/// What `explain` prints of a rule, and what its page in docs/rules is.
#[must_use]
pub fn page(rule: &Rule) -> String {
    let accepted = if rule.acceptable { ", unless the spec accepts it" } else { "" };
    let (page, level) = (rule.page.trim_end(), rule.level.as_str());
    format!("{page}\n\nLevel: {level}{accepted}. Since bottlec {}.\n", rule.since)
}

/// What the rules are about, in the order of the index, each with the modules that declare them.
const TOPICS: &[(&str, &[&str])] = &[
    ("What the engine confines", &["engine"]),
    ("Hosts that the agent may reach", &["egress", "egress_scan", "loss", "expect"]),
    ("What boots, and what runs beside it", &["boot", "container", "port_taken", "queue"]),
    ("Environment, secrets and keys", &["env", "env_ignored", "secret_literal", "expose", "personal"]),
    ("Repositories", &["repo"]),
    ("Names, profiles and files", &["bottle", "names", "fleet", "unused"]),
    ("Levels and exceptions", &["accept", "lint"]),
    ("Nodes and values", &["schema"]),
    ("The text", &["syntax"]),
];

/// The rules by topic. Those of a module that no topic names come last, without one.
fn by_topic() -> impl Iterator<Item = (Option<&'static str>, Vec<&'static Rule>)> {
    let module = |rule: &Rule| rule.module.rsplit("::").next().unwrap_or_default();
    let known = |name: &str| TOPICS.iter().any(|(_, modules)| modules.contains(&name));
    let of = move |wanted: &dyn Fn(&str) -> bool| -> Vec<&'static Rule> {
        rule::ALL.iter().copied().filter(|rule| wanted(module(rule))).collect()
    };
    let others = of(&|name| !known(name));
    let topics =
        TOPICS.iter().map(move |(title, modules)| (Some(*title), of(&|name| modules.contains(&name))));
    topics.chain(std::iter::once((None, others))).filter(|(_, rules)| !rules.is_empty())
}

/// Every rule by what it is about, with a link to the page of each: docs/rules.md.
#[must_use]
pub fn index() -> String {
    let mut text = String::from(
        "# The rules\n\nWhat a spec can get wrong. `bottlec explain RULE` prints the same pages, `bottlec rules --format \
         json` has them for programs.\n",
    );
    // Writing to a `String` cannot fail.
    for (title, rules) in by_topic() {
        let title = title.unwrap_or("Others");
        let _ = write!(text, "\n## {title}\n\n| rule | level | what is wrong |\n| --- | --- | --- |\n");
        for Rule { id, level, since: _, summary, page: _, acceptable, module: _ } in rules {
            let accepted = if *acceptable { ", may be accepted" } else { "" };
            let level = level.as_str();
            let _ = writeln!(text, "| [{id}](rules/{id}.md) | {level}{accepted} | {summary} |");
        }
    }
    text
}
