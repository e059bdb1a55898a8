//! Semantic diffs as text, as Markdown for a comment, and as JSON.
//!
//! `schemas/diff.schema.json` describes the JSON.

use std::fmt::Write as _;

use owo_colors::Style as Paint;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::{Style, one_line, wrapping};
use crate::diff::{self, Direction};
use crate::text::quote;

/// The `version` of the JSON. It changes when a program that reads it could break: not when a key is added.
pub const VERSION: u32 = 1;

/// Everything that one comparison has to say.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bottlec diff")]
pub struct Report<'a> {
    /// The version of this format.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The changes: by bottle, direction and topic.
    pub changes: Vec<Change<'a>>,
    /// How many there are.
    pub summary: Summary,
}

/// One change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Change<'a> {
    /// The bottle.
    pub bottle: &'a str,
    /// Which way it goes: `wider`, `unclear`, `narrower` or `neutral`.
    #[schemars(extend("enum" = ["wider", "unclear", "narrower", "neutral"]))]
    pub direction: &'static str,
    /// What it is about, in a word.
    pub topic: &'static str,
    /// What it means, in one line.
    pub text: &'a str,
    /// The line that decided before, as `file:line`.
    pub old: Option<&'a str>,
    /// The line that decides now, as `file:line`.
    pub new: Option<&'a str>,
    /// Of a change of reach, a target that it turns: `bottlec reach` answers for it.
    pub target: Option<String>,
    /// What the target's name resolves to, when that matters.
    pub at: Option<String>,
}

/// How many changes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// The agent can reach or hold more, or is watched less.
    pub wider: usize,
    /// Nobody can tell from a plan.
    pub unclear: usize,
    /// The agent can reach or hold less.
    pub narrower: usize,
    /// Neither.
    pub neutral: usize,
}

impl Summary {
    /// The counts of `changes`.
    #[must_use]
    pub fn of(changes: &[diff::Change]) -> Self {
        let count = |direction| changes.iter().filter(|change| change.direction == direction).count();
        Self {
            wider: count(Direction::Wider),
            unclear: count(Direction::Unclear),
            narrower: count(Direction::Narrower),
            neutral: count(Direction::Neutral),
        }
    }

    fn text(self) -> String {
        let Self { wider, unclear, narrower, neutral } = self;
        let counts = [(wider, "wider"), (unclear, "unclear"), (narrower, "narrower"), (neutral, "neutral")];
        let counts =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        if counts.is_empty() { String::from("nothing changed") } else { counts }
    }
}

impl<'a> From<&'a diff::Change> for Change<'a> {
    fn from(change: &'a diff::Change) -> Self {
        let diff::Change { bottle, direction, topic, text, old, new, witness } = change;
        Self {
            bottle,
            direction: direction.as_str(),
            topic: topic.as_str(),
            text,
            old: old.as_deref(),
            new: new.as_deref(),
            target: witness.as_ref().map(|witness| witness.target.to_string()),
            at: witness.as_ref().and_then(|witness| witness.at).map(|at| at.to_string()),
        }
    }
}

/// The schema of the JSON.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(Report<'_>)
}

/// One JSON object.
#[must_use]
pub fn json(changes: &[diff::Change]) -> String {
    super::json::line(&Report {
        version: VERSION,
        changes: changes.iter().map(Change::from).collect(),
        summary: Summary::of(changes),
    })
}

/// For a terminal or a log: a line each, by bottle, then the counts.
#[must_use]
pub fn text(changes: &[diff::Change], style: &Style) -> String {
    let mut text = String::new();
    for bottle in changes.chunk_by(|a, b| a.bottle == b.bottle) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{}",
            style.strong().style(format_args!("bottle {}", one_line(&bottle[0].bottle)))
        );
        for change in bottle {
            let (sign, paint) = match change.direction {
                Direction::Wider => ("+", Paint::new().red().bold()),
                Direction::Unclear => ("?", Paint::new().yellow().bold()),
                Direction::Narrower => ("-", Paint::new().green()),
                Direction::Neutral => (" ", Paint::new()),
            };
            let word = format!("{sign} {:8}", change.direction.as_str());
            let head = "  ".to_owned() + &word + "  ";
            let options = wrapping(style.columns()).initial_indent(&head).subsequent_indent("              ");
            let line = format!("{}{}", change.text, place(change));
            for (n, line) in textwrap::wrap(&one_line(&line), options).into_iter().enumerate() {
                let line = line.trim_end();
                let _ = match line.strip_prefix(&head).filter(|_| n == 0) {
                    Some(rest) => writeln!(text, "  {}  {rest}", style.paint(paint).style(&word)),
                    None => writeln!(text, "{line}"),
                };
            }
        }
        text.push('\n');
    }
    let _ = writeln!(text, "{}", Summary::of(changes).text());
    text
}

/// ", spec.kdl:9" or ", spec.kdl:9 instead of spec.kdl:7".
fn place(change: &diff::Change) -> String {
    match (&change.old, &change.new) {
        (None, None) => String::new(),
        (Some(old), None) => format!(", before in {old}"),
        (None, Some(new)) => format!(", {new}"),
        (Some(old), Some(new)) if old == new => format!(", {new}"),
        (Some(old), Some(new)) => format!(", {new}, before {old}"),
    }
}

/// For a comment: Markdown in which everything that comes from a spec is in a code span, so that none of it is markup, a
/// link or a mention.
#[must_use]
pub fn markdown(changes: &[diff::Change]) -> String {
    let summary = Summary::of(changes);
    let mut text = format!("### What this changes: {}\n", summary.text());
    for bottle in changes.chunk_by(|a, b| a.bottle == b.bottle) {
        let _ = writeln!(text, "\n#### Bottle {}\n", quote(&bottle[0].bottle));
        for change in bottle {
            let word = match change.direction {
                Direction::Wider => "**wider**",
                Direction::Unclear => "**unclear**",
                direction => direction.as_str(),
            };
            let old = change.old.as_deref().filter(|_| change.new != change.old).map(quote);
            let new = change.new.as_deref().map(quote);
            let place = match (old, new) {
                (None, None) => String::new(),
                (Some(old), None) => format!(" (before in {old})"),
                (None, Some(new)) => format!(" ({new})"),
                (Some(old), Some(new)) => format!(" ({new}, before {old})"),
            };
            let _ = writeln!(text, "- {word}: {}{place}", one_line(&change.text));
        }
    }
    text
}
