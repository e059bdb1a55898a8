//! Reports of reachability, as text or as JSON.
//!
//! `schemas/reach.schema.json` describes the JSON.

mod answer;
mod overview;
mod text;

use std::net::IpAddr;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::check;
use crate::plan::{Plan, PlannedCredential, PlannedHost, PlannedRequests, PlannedSidecar, Traced};
use crate::reach::Policy;
use crate::reach::broker::{Broker, Held, Listed};
use crate::world::engine::Gap;
use crate::world::host::{Target, Verdict};

pub(super) use overview::{browser, note};
pub use text::render;

/// The `version` of the JSON. It changes when a program that reads it could break: not when a key is added.
pub const VERSION: u32 = 1;

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The agent can reach it.
    Allowed,
    /// It depends on what is not known here, which is told: what a name resolves to, or what is asked of it.
    Depends,
    /// It cannot.
    Refused,
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Allowed => Self::Allowed,
            Verdict::Depends => Self::Depends,
            Verdict::Refused => Self::Refused,
        }
    }
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Depends => "depends",
            Self::Refused => "refused",
        }
    }
}

/// A rule that has to do with an answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Cause {
    /// What it does: `allow`, `deny`, `private`, `engine`, `cluster`, `policy`, `bundle`, `guard`, `sidecar`, `credential`, or `nearest`, an `allow`
    /// that does not cover the target.
    pub kind: &'static str,
    /// What it says: an entry of a list, or a sentence.
    pub rule: String,
    /// Where it stands, as `file:line`; null when it is no line of the spec.
    pub origin: Option<String>,
}

/// The answer for one target and one bottle.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// The bottle.
    pub bottle: String,
    /// What was asked for.
    pub target: String,
    /// What the name was taken to resolve to; null is some public address.
    pub at: Option<String>,
    /// What comes out.
    pub verdict: Outcome,
    /// What decides, first; then what else has to do with it.
    pub because: Vec<Cause>,
    /// The way from the agent to the target, or to where it ends.
    pub path: Vec<String>,
    /// What else is worth knowing, each a sentence.
    pub notes: Vec<String>,
}

/// One line of the whole.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Row {
    /// What it is about.
    pub target: String,
    /// What comes out.
    pub verdict: Outcome,
    /// Where it is said, as `file:line`; null when it is no line of the spec.
    pub origin: Option<String>,
    /// What else is worth knowing, in a few words; may be empty.
    pub note: String,
}

/// How something is known.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Known {
    /// What is known.
    pub claim: String,
    /// How.
    pub evidence: String,
}

/// Everything that one bottle's agent can reach.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Overview {
    /// The bottle.
    pub bottle: String,
    /// The engine and the version of it that it is compiled for.
    pub engine: String,
    /// What is promised.
    pub promise: String,
    /// Where the engine breaks the promise, each with the rule that the spec accepts.
    pub gaps: Vec<Cause>,
    /// What the agent dials itself.
    pub dialled: Vec<Row>,
    /// What it reaches through pipelock.
    pub proxied: Vec<Row>,
    /// What it asks of APIs through the broker.
    pub brokered: Vec<Row>,
    /// What it reaches through git-gate.
    pub repositories: Vec<Row>,
    /// How that is known.
    pub known: Vec<Known>,
}

/// Everything that one run answers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bottlec reach")]
pub struct Report {
    /// The version of this format.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The answers for what was asked, by bottle.
    pub answers: Vec<Answer>,
    /// Without a target: everything, by bottle.
    pub overviews: Vec<Overview>,
}

/// The schema of the JSON.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(Report)
}

/// The report as one JSON object.
#[must_use]
pub fn json(report: &Report) -> String {
    super::json::line(report)
}

/// Answers for each target in each bottle; without a target, for everything. The order is that of the plans, and in each
/// that of the targets.
#[must_use]
pub fn report(plans: &[Plan], targets: &[Target], at: Option<IpAddr>) -> Report {
    let asked = |plan| targets.iter().map(move |target| answer::of(plan, target, at));
    let overviews = if targets.is_empty() { plans.iter().map(overview::of).collect() } else { Vec::new() };
    Report { version: VERSION, answers: plans.iter().flat_map(asked).collect(), overviews }
}

type Entry<'a> = &'a Traced<PlannedHost>;

/// The policy of a plan.
#[must_use]
pub fn policy(plan: &Plan) -> Policy<'_, &Traced<PlannedHost>> {
    let listeners =
        plan.sidecars.iter().filter_map(|sidecar| Some(((*sidecar.port)?, sidecar.name.as_str())));
    let version = *plan.egress.pipelock_version;
    let ports = plan.cluster.as_ref().map(|cluster| cluster.ports.iter().map(|port| port.value));
    Policy::new(plan.addresses.bundle(), plan.gaps(), listeners, version, plan.egress.lists())
        .with_ports(ports)
}

/// What a sidecar can dial that no program of its own keeps from it.
pub(super) fn past_policies(plan: &Plan) -> &'static str {
    if plan.cluster.is_some() { "every public address" } else { "what the host can reach" }
}

/// Whether the agent may make a sidecar dial: one that it cannot reach does nothing for it.
pub(super) fn is_relay(plan: &Plan, sidecar: &PlannedSidecar) -> bool {
    let is_given = |port: u16| {
        plan.cluster.as_ref().is_none_or(|cluster| cluster.ports.iter().any(|given| given.value == port))
    };
    sidecar.may_relay() && sidecar.port.map_or(plan.cluster.is_none(), is_given)
}

/// The broker of a plan, with the lines of its credentials as `file:line`.
#[must_use]
pub fn broker(credentials: &[Traced<PlannedCredential>]) -> Broker<'_, &str> {
    Broker::new(credentials.iter().map(|credential| {
        let PlannedCredential { name, upstream, allow, origin, .. } = &credential.value;
        let allow = allow.iter().map(|requests| {
            let PlannedRequests { methods, paths, websocket: _, origin } = &requests.value;
            Listed {
                methods: methods.iter().map(|method| method.as_str()).collect(),
                paths: paths.iter().map(|path| &path.value).collect(),
                at: origin.as_str(),
            }
        });
        Held { name: name.as_str(), upstream: &upstream.value, allow: allow.collect(), at: origin.as_str() }
    }))
}

fn cause(kind: &'static str, entry: Entry<'_>) -> Cause {
    Cause { kind, rule: entry.host.to_string(), origin: Some(entry.origin.clone()) }
}

fn sentence(kind: &'static str, rule: impl Into<String>) -> Cause {
    Cause { kind, rule: rule.into(), origin: None }
}

/// A gap, and the line that accepts it.
fn gap_cause(plan: &Plan, gap: Gap) -> Cause {
    let rule = check::engine::of(gap).id;
    let accepted = plan.accepted.iter().find(|accepted| accepted.rule == rule);
    Cause {
        kind: "engine",
        rule: format!("{} ({rule})", gap.but()),
        origin: accepted.map(|accepted| accepted.origin.clone()),
    }
}
