//! Proposals, as text or as JSON.
//!
//! `schemas/propose.schema.json` describes the JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::Style;
use super::denials::{paragraph, ports, span};
use super::diff::Change;
use crate::propose::{Crowd, Evidence, Finding, Proposal, Proposals, Withheld};
use crate::text::{counted, one_line, quote};

/// The `version` of the JSON. It changes when a program that reads it could break: not when a key is added.
pub const VERSION: u32 = 1;

/// What to allow in one bottle, and what not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bottlec propose")]
pub struct Report<'a> {
    /// The version of this format.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The bottle.
    pub bottle: &'a str,
    /// The hosts that an `allow` would let through: those that a human approved, then the most asked for.
    pub proposals: Vec<Proposed<'a>>,
    /// Hosts that are not proposed.
    pub withheld: Vec<NotProposed<'a>>,
    /// Hosts that are too many to be proposed, by the domain that they are below.
    pub crowds: Vec<Many<'a>>,
    /// How many hosts are allowed by now.
    pub allowed: usize,
}

/// What speaks for a host.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Asked<'a> {
    /// How often it was refused.
    pub count: u64,
    /// When for the first time; null where no record tells.
    pub first: Option<&'a str>,
    /// When for the last.
    pub last: Option<&'a str>,
    /// At which ports. An `allow` is for all of them.
    pub ports: &'a BTreeSet<u16>,
    /// The agent's own questions after it that a human approved, by id.
    pub approved: &'a BTreeSet<String>,
}

/// One proposal.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Proposed<'a> {
    /// The host, as it would be written.
    pub host: &'a str,
    /// The same as people read it; null where that is nothing else.
    pub unicode: Option<&'a str>,
    /// What speaks for it.
    pub asked: Asked<'a>,
    /// The spec that would be edited.
    pub file: &'a str,
    /// The line of the new entry in it, from 1 on.
    pub line: usize,
    /// What the rules say of the edited spec, and not of the spec as it is.
    pub findings: Vec<Found<'a>>,
    /// What the edit changes.
    pub changes: Vec<Change<'a>>,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Found<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// How bad it is.
    pub level: &'static str,
    /// What it says.
    pub message: &'a str,
}

/// A host that is not proposed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotProposed<'a> {
    /// The host; what looks like a credential is masked.
    pub host: &'a str,
    /// What speaks for it.
    pub asked: Asked<'a>,
    /// Why it is not.
    pub why: &'a str,
}

/// Hosts that are too many.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Many<'a> {
    /// The domain that they are below.
    pub domain: &'a str,
    /// How many they are.
    pub hosts: usize,
    /// How often they were refused.
    pub count: u64,
}

impl<'a> From<&'a Evidence> for Asked<'a> {
    fn from(evidence: &'a Evidence) -> Self {
        let Evidence { count, first, last, ports, approved } = evidence;
        Self { count: *count, first: first.as_deref(), last: last.as_deref(), ports, approved }
    }
}

/// The schema of the JSON.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(Report<'_>)
}

/// The proposals as one JSON object.
#[must_use]
pub fn json(proposals: &Proposals) -> String {
    let Proposals { bottle, proposed, withheld, crowds, allowed } = proposals;
    let proposed = proposed.iter().map(|proposal| {
        let Proposal { host, unicode, evidence, place: (file, line), findings, changes } = proposal;
        Proposed {
            host,
            unicode: unicode.as_deref(),
            asked: evidence.into(),
            file,
            line: *line,
            findings: findings
                .iter()
                .map(|Finding { rule, level, message }| Found { rule, level: level.as_str(), message })
                .collect(),
            changes: changes.iter().map(Change::from).collect(),
        }
    });
    super::json::line(&Report {
        version: VERSION,
        bottle,
        proposals: proposed.collect(),
        withheld: withheld
            .iter()
            .map(|Withheld { host, evidence, why }| NotProposed { host, asked: evidence.into(), why })
            .collect(),
        crowds: crowds
            .iter()
            .map(|Crowd { domain, hosts, count }| Many { domain, hosts: *hosts, count: *count })
            .collect(),
        allowed: *allowed,
    })
}

/// "12 times at :443, 2026-11-28 10:00:12 to 11:12:30; approved as 0a1b2c3d".
fn asked(evidence: &Evidence) -> String {
    let Evidence { count, first, last, ports: at, approved } = evidence;
    let mut parts = Vec::new();
    if *count > 0 {
        let times = if *count == 1 { String::from("once") } else { format!("{count} times") };
        let when = span(first.as_deref(), last.as_deref());
        let when = if when.is_empty() { when } else { format!(", {when}") };
        let at = ports(at);
        let at = match at.strip_prefix(':') {
            Some(port) => format!(", port {port}"),
            None => at,
        };
        parts.push(format!("refused {times}{at}{when}"));
    }
    if !approved.is_empty() {
        let ids: Vec<&str> = approved.iter().map(String::as_str).collect();
        parts.push(format!("approved as {}", ids.join(", ")));
    }
    parts.join("; ")
}

const INDENT: &str = "      ";

/// For a terminal: what a reviewer has to know, and the command that takes it up. `command` is the one that asked, as a
/// shell reads it.
#[must_use]
pub fn render(proposals: &Proposals, command: &str, style: &Style) -> String {
    let Proposals { bottle, proposed, withheld, crowds, allowed } = proposals;
    let mut text = String::new();
    let head = style.strong().style(format_args!("bottle {}", one_line(bottle))).to_string();
    let said = match proposed.len() {
        0 => String::from("there is nothing to allow"),
        1 => String::from("1 host may be allowed, if you know whose it is"),
        n => format!("{n} hosts may be allowed, if you know whose they are"),
    };
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{head}: {said}");
    for Proposal { host, unicode, evidence, place: (file, line), findings, changes } in proposed {
        let unicode = unicode.as_deref().map(|read| format!(", which reads {}", quote(read)));
        let host = style.strong().style(host);
        let _ = writeln!(text, "\n  + {host}{}", unicode.unwrap_or_default());
        let mut say = |line: &str| paragraph(&mut text, style, INDENT, line);
        say(&asked(evidence));
        for Finding { rule, level, message } in findings {
            say(&format!("{} [{rule}]: {message}", level.as_str()));
        }
        for change in changes {
            say(&format!("{}: {}", change.direction.as_str(), change.text));
        }
        say(&format!("written to {file}, line {line}"));
    }
    if !withheld.is_empty() || !crowds.is_empty() {
        let _ = writeln!(text, "\n{}", style.strong().style("not proposed"));
        for Withheld { host, evidence, why } in withheld {
            let _ = writeln!(text, "  - {}", one_line(host));
            paragraph(&mut text, style, INDENT, &format!("{why}; {}", asked(evidence)));
        }
        for Crowd { domain, hosts, count } in crowds {
            let _ = writeln!(text, "  - {} below {}", counted(*hosts, "name", "names"), one_line(domain));
            let why = "too many to review, and a text can be sent in names; refused";
            paragraph(&mut text, style, INDENT, &format!("{why} {count} times"));
        }
    }
    if *allowed > 0 {
        let are = if *allowed == 1 { "is" } else { "are" };
        let _ = writeln!(
            text,
            "\n{} of what was refused {are} allowed by now",
            counted(*allowed, "host", "hosts")
        );
    }
    if let Some(first) = proposed.first() {
        let _ = writeln!(text, "\nto allow one, and nothing else:\n  {command} --apply {}", first.host);
    }
    text
}
