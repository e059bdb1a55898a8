//! Semantic diff: two sets of plans, compared by what the agent can reach and hold.
//!
//! Both sides are what `plan.json` says, whether it was read from a stage or compiled from a spec a moment ago.

mod bottle;
mod broker;
mod bundle;
mod cluster;
mod environment;
mod guards;
mod join;
mod machine;
mod reach;
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use crate::lower::plan_json::PlanJson;
use crate::text::quote;
use crate::world::host::Target;

pub use reach::policy;

/// The direction of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The agent can reach or hold more than before, or is watched less.
    Wider,
    /// Nobody can tell from a plan: another image, another command.
    Unclear,
    /// The agent can reach or hold less than before.
    Narrower,
    /// Neither.
    Neutral,
}

impl Direction {
    /// Every one, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Wider, Self::Unclear, Self::Narrower, Self::Neutral];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wider => "wider",
            Self::Unclear => "unclear",
            Self::Narrower => "narrower",
            Self::Neutral => "neutral",
        }
    }

    /// The direction of the same change backwards.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Wider => Self::Narrower,
            Self::Narrower => Self::Wider,
            other => other,
        }
    }
}

/// The topic of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A whole bottle.
    Bottle,
    /// What the agent can reach.
    Reach,
    /// What the spec answers for.
    Accepted,
    /// Which findings the spec does not want shown, and which it takes for errors.
    Lint,
    /// Tests of the policy.
    Expectation,
    /// Who is in the bundle, and what it runs.
    Sidecar,
    /// Who is given which secret.
    Secret,
    /// What of the host a sidecar or the machine has, and what the host has of the machine.
    Host,
    /// What git-gate carries.
    Repository,
    /// What is looked for in what goes through.
    Scan,
    /// How much may go through.
    Limit,
    /// The engine, the backend and what runs the containers.
    Engine,
    /// The bottle's addresses.
    Address,
    /// What the agent boots and its environment.
    Agent,
}

impl Topic {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bottle => "bottle",
            Self::Reach => "reach",
            Self::Accepted => "accepted",
            Self::Lint => "lint",
            Self::Expectation => "expectation",
            Self::Sidecar => "sidecar",
            Self::Secret => "secret",
            Self::Host => "host",
            Self::Repository => "repository",
            Self::Scan => "scan",
            Self::Limit => "limit",
            Self::Engine => "engine",
            Self::Address => "address",
            Self::Agent => "agent",
        }
    }
}

/// A target whose verdict a change turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The target.
    pub target: Target,
    /// What its name resolves to, when that matters.
    pub at: Option<IpAddr>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The bottle.
    pub bottle: String,
    /// Which way it goes.
    pub direction: Direction,
    /// What it is about.
    pub topic: Topic,
    /// What it means, in one line: lower case, names in backticks, no full stop.
    pub text: String,
    /// The line that decided before, as `file:line`.
    pub old: Option<String>,
    /// The line that decides now, as `file:line`.
    pub new: Option<String>,
    /// Of a change of reach, a target that it turns.
    pub witness: Option<Witness>,
}

/// Plans, by the names of their bottles.
pub type Plans = BTreeMap<String, PlanJson<'static>>;

/// Compares two sets of plans; the changes are ordered by bottle, direction, topic and text.
#[must_use]
pub fn diff(old: &Plans, new: &Plans) -> Vec<Change> {
    let mut changes = Vec::new();
    let slugs: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for slug in slugs {
        let mut found = Changes { bottle: slug, found: Vec::new() };
        match (old.get(slug), new.get(slug)) {
            (Some(old), Some(new)) => bottle::compare(old, new, &mut found),
            (None, Some(new)) => {
                found.wider(Topic::Bottle, format!("a new bottle: {}", bottle::summary(new)));
            }
            (Some(_), None) => found.narrower(Topic::Bottle, String::from("the bottle is gone")),
            (None, None) => {}
        }
        found.found.sort_by(|a, b| (a.direction, a.topic, &a.text).cmp(&(b.direction, b.topic, &b.text)));
        changes.append(&mut found.found);
    }
    changes
}

/// The changes of one bottle, being collected.
struct Changes<'a> {
    bottle: &'a str,
    found: Vec<Change>,
}

impl Changes<'_> {
    fn push(&mut self, direction: Direction, topic: Topic, text: String) -> &mut Change {
        let bottle = self.bottle.to_owned();
        self.found.push(Change { bottle, direction, topic, text, old: None, new: None, witness: None });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    fn wider(&mut self, topic: Topic, text: String) {
        self.push(Direction::Wider, topic, text);
    }

    fn narrower(&mut self, topic: Topic, text: String) {
        self.push(Direction::Narrower, topic, text);
    }

    fn unclear(&mut self, topic: Topic, text: String) {
        self.push(Direction::Unclear, topic, text);
    }

    fn neutral(&mut self, topic: Topic, text: String) {
        self.push(Direction::Neutral, topic, text);
    }

    /// A number of which more lets more through; none is no limit.
    fn limit(&mut self, topic: Topic, what: &str, old: Option<u32>, new: Option<u32>) {
        let shown =
            |limit: Option<u32>| limit.map_or_else(|| String::from("no limit"), |limit| limit.to_string());
        let most = |limit: Option<u32>| limit.map_or(u64::MAX, u64::from);
        let text = format!("{what}: {} instead of {}", shown(new), shown(old));
        match most(new).cmp(&most(old)) {
            std::cmp::Ordering::Greater => self.wider(topic, text),
            std::cmp::Ordering::Less => self.narrower(topic, text),
            std::cmp::Ordering::Equal => {}
        }
    }
}

/// "`a`, `b`, `c` and 4 more".
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        // Writing to a `String` cannot fail.
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

fn quoted<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    some(&names.into_iter().map(quote).collect::<Vec<_>>())
}
