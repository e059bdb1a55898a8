//! Reports of reachability, as text or as JSON.
//!
//! `schemas/reach.schema.json` describes the JSON.

mod text;

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::backend;
use crate::check;
use crate::lower::pipelock;
use crate::plan::{
    Plan, PlannedCredential, PlannedHost, PlannedRepo, PlannedRequests, PlannedSidecar, PlannedSource, Traced,
};
use crate::reach::broker::{Broker, Held, Listed, Passage, Through};
use crate::reach::proxy::{AddressScope, Decision};
use crate::reach::{Because, DNS_PORT, Policy};
use crate::report::{Promise, past_gate};
use crate::text::quote;
use crate::world::builtin;
use crate::world::cluster;
use crate::world::engine::{BootKind, Capability, Gap, Ledger, SMOLVM, Version};
use crate::world::host::{Target, TargetHost, Verdict};
use crate::world::pipelock::guard::{self, Guarded};
use crate::world::pipelock::{FACTS, Fact, RECORDED, name};
use crate::world::upstream::Upstream;

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
    let asked = |plan| targets.iter().map(move |target| answer(plan, target, at));
    let overviews = if targets.is_empty() { plans.iter().map(overview).collect() } else { Vec::new() };
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

/// Where the plan has pipelock listen.
fn proxy(plan: &Plan) -> String {
    let port = builtin::find(builtin::PIPELOCK).map_or(0, |pipelock| pipelock.port);
    format!("{}:{port} ({})", plan.addresses.bundle(), builtin::PIPELOCK)
}

/// Where the plan has the broker listen.
fn broker_place(plan: &Plan) -> String {
    let port = builtin::find(builtin::BROKER).map_or(0, |broker| broker.port);
    format!("{}:{port} ({})", plan.addresses.bundle(), builtin::BROKER)
}

const UNSCANNED: &str = "no pipelock scans what goes through the broker, and another user of this host can go through it only \
                         with the launch's token";
const UNSCANNED_IN_CLUSTER: &str =
    "no pipelock scans what goes through the broker, which takes nothing without the launch's token";

/// What the broker does with a target by one credential: a sentence for each line that decides.
fn passage(target: &Target, passage: &Passage<'_, &str>) -> Vec<Cause> {
    let Passage { name, at, through } = passage;
    let name = quote(name);
    let path = target.request.as_ref().map_or("", |request| request.path.as_str());
    let cause = |rule: String, line: &str| Cause { kind: "credential", rule, origin: Some(line.to_owned()) };
    let by_line = |methods: &BTreeMap<&str, &str>, says: &str| {
        let mut lines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (method, line) in methods {
            lines.entry(line).or_default().push(method);
        }
        let says = |methods: &[&str]| {
            format!("credential {name} lets {says}{} through to {path}", methods.join(", "))
        };
        lines.iter().map(|(line, methods)| cause(says(methods), line)).collect()
    };
    match through {
        Through::Everything => vec![cause(format!("credential {name} lets every request through"), at)],
        Through::Methods(methods) => by_line(methods, ""),
        Through::Some(line) => vec![cause(format!("credential {name} lets some requests through"), line)],
        Through::OtherMethods(methods) => by_line(methods, "only "),
        Through::Nothing => vec![cause(format!("credential {name} lets nothing through to {path}"), at)],
    }
}

const NO_PORT: &str = "pipelock looks at no port: an allowed host can be reached on each";

/// What the agent may dial itself.
fn dials_bundle(plan: &Plan) -> String {
    let on = if plan.cluster.is_some() { "on the ports that it is given" } else { "on every port" };
    format!("{} is the one address that the agent may dial, {on}", plan.addresses.bundle())
}

fn answer(plan: &Plan, target: &Target, at: Option<IpAddr>) -> Answer {
    let policy = policy(plan);
    let because = policy.judge(target, at);
    let shown = target.to_string();
    let mut notes = Vec::new();
    let direct = vec![builtin::AGENT.to_owned(), shown.clone()];
    let proxied = vec![builtin::AGENT.to_owned(), proxy(plan), shown.clone()];
    let stopped = vec![builtin::AGENT.to_owned(), proxy(plan)];
    let (mut causes, mut path) = match because {
        Because::Unconfined(gap) => (vec![gap_cause(plan, gap)], direct),
        Because::OwnMachine => {
            if plan.cluster.is_none() {
                notes.push(String::from(
                    "the host's loopback is not reached either: the engine's gateway, which leads there, is not on the list",
                ));
            }
            (vec![sentence("engine", "loopback is the agent's own machine")], vec![builtin::AGENT.to_owned()])
        }
        Because::Bundle(listener) => {
            match (listener, target.port) {
                (Some(listener), _) => notes.push(format!("{listener} listens there")),
                (None, Some(_)) => notes.push(String::from("nothing in the plan listens there")),
                (None, None) => {}
            }
            (vec![sentence("bundle", dials_bundle(plan))], direct)
        }
        Because::Closed => {
            let rule = format!(
                "the policies leave the agent {}, and no other port",
                (backend::of(plan).allowed)(plan)
            );
            (vec![sentence("policy", rule)], vec![builtin::AGENT.to_owned()])
        }
        Because::Resolver => (
            vec![gap_cause(plan, Gap::DnsOpen)],
            vec![builtin::AGENT.to_owned(), String::from("the host's name server")],
        ),
        Because::Proxy(decision) => {
            let (causes, reached) = decided(plan, &policy, target, &decision, &mut notes);
            (causes, if reached { proxied } else { stopped })
        }
        Because::ByName(range) => {
            notes.push(String::from(
                "it depends on names: asked for by its address it is refused, and an allowed name that resolves to it \
                 reaches it",
            ));
            (vec![cause("private", range)], proxied)
        }
    };
    if matches!(because, Because::Proxy(_) | Because::ByName(_)) && because.verdict() != Verdict::Allowed {
        let target = backend::of(plan);
        notes.push(format!(
            "dialled by itself, {} refuses it: {} is the whole list",
            target.keeper,
            (target.allowed)(plan)
        ));
    }
    let mut verdict = because.verdict();
    if let Some(relay) = relays(plan).filter(|_| {
        let is_kept = matches!(because, Because::OwnMachine | Because::Closed);
        verdict == Verdict::Refused && !is_kept && !is_kept_by_policy(plan, target)
    }) {
        verdict = Verdict::Depends;
        path = vec![builtin::AGENT.to_owned(), relay.by, shown.clone()];
        causes.retain(|cause| cause.kind != "allow");
        causes.insert(0, sentence("sidecar", relay.why));
        notes.push(String::from(RELAY));
    }
    let Way { verdict, causes, path } =
        through_broker(plan, target, Way { verdict, causes, path }, &mut notes);
    if target.request.is_some()
        && matches!(because, Because::Proxy(_))
        && because.verdict() != Verdict::Refused
    {
        notes.push(String::from(
            "pipelock looks at no method and no path: an allowed host can be asked for anything",
        ));
    }
    notes.extend(repositories(plan, target).map(|repo| {
        format!("git-gate carries the repository {} there, and nothing else", quote(&repo.name))
    }));
    if let (Because::Proxy(decision), TargetHost::Name(host)) = (&because, &target.host)
        && decision.verdict() != Verdict::Refused
    {
        notes.extend(past_gate::notes(plan, host));
    }
    if !plan.machine.published.is_empty() && verdict == Verdict::Refused && because != Because::OwnMachine {
        notes.push(format!("though {}", browser(plan)));
    }
    if target.port == Some(DNS_PORT) && policy.gaps().is_empty() && plan.cluster.is_none() {
        notes.push(String::from("what is sent to port 53 of any address goes to the bundle instead"));
    }
    Answer {
        bottle: plan.slug.to_string(),
        target: shown,
        at: at.map(|at| at.to_string()),
        verdict: verdict.into(),
        because: causes,
        path,
        notes,
    }
}

/// An answer in the making.
struct Way {
    verdict: Verdict,
    causes: Vec<Cause>,
    path: Vec<String>,
}

/// Asks the broker, too.
fn through_broker(plan: &Plan, target: &Target, past: Way, notes: &mut Vec<String>) -> Way {
    let broker = broker(&plan.credentials);
    let mut passages = broker.judge(target);
    // The one that lets most through is first.
    passages.sort_by_key(|passage| std::cmp::Reverse(passage.through.verdict()));
    let Some(first) = passages.first() else { return past };
    let by_broker = first.through.verdict();
    let ways: Vec<Cause> = passages.iter().flat_map(|it| passage(target, it)).collect();
    let mut path = vec![builtin::AGENT.to_owned(), broker_place(plan)];
    if by_broker == Verdict::Refused || by_broker < past.verdict {
        if past.verdict == Verdict::Refused {
            notes.push(format!("past the broker: {}", past_broker(&past.causes)));
            return Way { causes: ways, path, ..past };
        }
        notes.extend(ways.into_iter().map(|cause| {
            let place = cause.origin.map(|origin| format!(", {origin}")).unwrap_or_default();
            format!("through the broker it is not reached: {}{place}", cause.rule)
        }));
        return past;
    }
    path.push(target.to_string());
    let mut causes = ways;
    if past.verdict == Verdict::Refused {
        notes.push(format!("past the broker it is refused: {}", past_broker(&past.causes)));
    } else {
        notes.push(String::from("past the broker it can be reached, too, with a key of the agent's own"));
        causes.extend(past.causes.into_iter().filter(|cause| cause.kind != "nearest"));
    }
    notes.push(String::from(if plan.cluster.is_some() { UNSCANNED_IN_CLUSTER } else { UNSCANNED }));
    if by_broker == Verdict::Depends {
        notes.push(String::from("it depends on what is asked of it: ask with a method and a URL"));
    }
    Way { verdict: by_broker, causes, path }
}

/// Why pipelock refuses a host that the broker reaches, in a few words.
fn past_broker(causes: &[Cause]) -> String {
    match causes.iter().find(|cause| cause.kind != "nearest") {
        Some(Cause { kind: kind @ ("allow" | "deny" | "private"), rule, origin }) => {
            let place = origin.as_ref().map(|origin| format!(", {origin}")).unwrap_or_default();
            format!("{kind} {rule}{place}")
        }
        Some(cause) => cause.rule.clone(),
        None => String::from("no `allow` covers its host"),
    }
}

/// Whether a target is an address that the policy of a cluster keeps the whole bundle from.
fn is_kept_by_policy(plan: &Plan, target: &Target) -> bool {
    let TargetHost::Address(address) = target.host else { return false };
    let is_open = plan.egress.private.iter().filter_map(|entry| entry.host.network());
    plan.cluster.is_some()
        && guard::of_network(address.into()) != Guarded::No
        && !is_open.into_iter().any(|range| range.contains(&address))
}

/// A way out that no list holds.
struct Relay {
    /// Where the agent dials the sidecars.
    by: String,
    /// What they may do.
    why: String,
}

const RELAY: &str = "it depends on what the agent can make such a sidecar do: where that is nothing, the spec says so with \
                     `no-relay`";

fn reached(plan: &Plan) -> &'static str {
    if plan.cluster.is_some() { "every public address" } else { "what the host can" }
}

/// The sidecars that the agent may make dial, if there are any.
fn relays(plan: &Plan) -> Option<Relay> {
    let relays: Vec<&PlannedSidecar> = plan
        .sidecars
        .iter()
        .map(|sidecar| &sidecar.value)
        .filter(|sidecar| is_relay(plan, sidecar))
        .collect();
    let bundle = plan.addresses.bundle();
    let names = |show: fn(&str) -> String| {
        relays.iter().map(|sidecar| show(&sidecar.name)).collect::<Vec<_>>().join(", ")
    };
    let (by, why) = match *relays.as_slice() {
        [] => return None,
        [relay] => {
            let port = Option::map(*relay.port, |port| format!(":{port}")).unwrap_or_default();
            let world = reached(plan);
            let why = format!("the sidecar {} reaches {world}, and no list holds it", quote(&relay.name));
            (format!("{bundle}{port} ({})", relay.name), why)
        }
        _ => {
            let world = reached(plan);
            let why = format!("the sidecars {} reach {world}, and no list holds them", names(quote));
            (format!("{bundle} ({})", names(str::to_owned)), why)
        }
    };
    Some(Relay { by, why })
}

/// The causes of what pipelock decides, what is worth knowing beside them, and whether the way leads on behind it.
fn decided(
    plan: &Plan,
    policy: &Policy<'_, Entry<'_>>,
    target: &Target,
    decision: &Decision<Entry<'_>>,
    notes: &mut Vec<String>,
) -> (Vec<Cause>, bool) {
    let causes = match *decision {
        Decision::Listed(allow, scope) => {
            let mut causes = vec![cause("allow", allow)];
            if let TargetHost::Name(_) = target.host {
                match scope {
                    AddressScope::Any(trusted) => {
                        causes.push(cause("private", trusted));
                        notes.push(String::from("it may resolve to any address, private ones among them"));
                    }
                    AddressScope::Ranges => notes.push(String::from(
                        "when it resolves to a private address, only in a range of `private`",
                    )),
                    AddressScope::Public => notes.push(String::from(
                        "pipelock looks the name up, and refuses it when it resolves to a private address",
                    )),
                }
            }
            causes
        }
        Decision::Opened(allow, range) => vec![cause("allow", allow), cause("private", range)],
        Decision::Inner(allow) => {
            notes.push(String::from(
                "it depends on what the name resolves to: at a public address pipelock lets it through, at a private \
                 one, which its name speaks for, it does not: ask with `--at`",
            ));
            vec![cause("allow", allow)]
        }
        Decision::Unsure(allow) => {
            notes.push(format!(
                "it depends on pipelock {}, which may take a label of the name for an encoded text",
                *plan.egress.pipelock_version
            ));
            vec![cause("allow", allow)]
        }
        Decision::Denied(deny, allow) => {
            let allow = allow.map(|allow| cause("allow", allow));
            [cause("deny", deny)].into_iter().chain(allow).collect()
        }
        Decision::Never(allow) => {
            let whose = guard::metadata(&target.spelling).map_or("no host", |it| it.whose);
            let rule = format!("a service that hands out credentials ({whose}) is refused in every bottle");
            [sentence("guard", rule)].into_iter().chain(allow.map(|allow| cause("allow", allow))).collect()
        }
        Decision::Guarded(allow, guarded) => {
            let rule = match guarded {
                Guarded::Closed => {
                    "pipelock refuses loopback, link-local and multicast addresses and services of metadata, and \
                     nothing opens that"
                }
                _ => "pipelock refuses a private address that no `private` opens",
            };
            vec![sentence("guard", rule), cause("allow", allow)]
        }
        Decision::Random(allow) => {
            let label = name::too_random(&target.spelling).map_or("a label", |label| label.text);
            let rule = format!("pipelock takes {} for a leak: it looks random", quote(label));
            vec![sentence("guard", rule), cause("allow", allow)]
        }
        Decision::Credential(allow, what) => {
            vec![sentence("guard", format!("pipelock takes the name for {what}")), cause("allow", allow)]
        }
        Decision::Unlisted => policy.nearest(target).map(|near| cause("nearest", near)).into_iter().collect(),
    };
    let reached = decision.verdict() != Verdict::Refused;
    if reached {
        notes.push(NO_PORT.to_owned());
        notes.extend(on_the_way(plan, target.port));
    } else if let (Decision::Unlisted, TargetHost::Address(address)) = (decision, &target.host) {
        let named = plan.egress.allow.iter().any(|allow| allow.host.network().is_none());
        if named && guard::of_network((*address).into()) == Guarded::No {
            notes.push(String::from("an allowed name that resolves to this public address reaches it"));
        }
    }
    (causes, reached)
}

/// The port to which clients ask the proxy in plain HTTP; to all others they take CONNECT.
const HTTP_PORT: u16 = 80;

/// What happens to traffic on a port that is let through. What is let through is the same in both ways (run).
fn on_the_way(plan: &Plan, port: Option<u16>) -> Option<String> {
    if port == Some(HTTP_PORT) {
        let most = *pipelock::max_response(plan);
        return Some(format!("an answer over plain HTTP is cut at {most} MiB, without a word"));
    }
    let (_, what) = name::SERVER_FIRST.iter().find(|(it, _)| Some(*it) == port)?;
    Some(format!(
        "a connection whose server speaks first, as {what}'s does, is answered and closed after 5 seconds"
    ))
}

/// The repositories whose upstream a target is.
fn repositories<'a>(plan: &'a Plan, target: &Target) -> impl Iterator<Item = &'a PlannedRepo> {
    plan.git.repos.iter().map(|repo| &repo.value).filter(move |repo| {
        repo.upstream().and_then(|it| Upstream::parse(&it.url)).is_some_and(|upstream| {
            let host = match &target.host {
                TargetHost::Name(name) => upstream.host.eq_ignore_ascii_case(name),
                TargetHost::Address(address) => upstream.host.parse() == Ok(*address),
            };
            host && target.port.is_none_or(|port| port == upstream.port)
        })
    })
}

fn overview(plan: &Plan) -> Overview {
    let policy = policy(plan);
    Overview {
        bottle: plan.slug.to_string(),
        engine: match &plan.cluster {
            Some(cluster) => format!("{}, RuntimeClass {}", plan.backend.value, *cluster.runtime_class),
            None => format!("{SMOLVM} {}", plan.engine.version),
        },
        promise: Promise::of(plan).promise,
        gaps: policy
            .gaps()
            .iter()
            .map(|gap| gap_cause(plan, *gap))
            .chain(plan.cluster_gaps().map(|gap| sentence("cluster", gap.but())))
            .collect(),
        dialled: dialled(plan),
        proxied: proxied(plan, &policy),
        brokered: brokered(plan),
        repositories: plan
            .git
            .repos
            .iter()
            .map(|repo| Row {
                target: repo.place().to_string(),
                verdict: Outcome::Allowed,
                origin: None,
                note: repository(plan, &policy, repo),
            })
            .collect(),
        known: known(plan),
    }
}

/// What the agent can do with a repository.
fn repository(plan: &Plan, policy: &Policy<'_, &Traced<PlannedHost>>, repo: &PlannedRepo) -> String {
    let PlannedRepo { name, writable, source } = repo;
    let scanner = plan.git.scanner.as_deref().unwrap_or_default();
    match (source, **writable) {
        (PlannedSource::Upstream(_), true) => {
            format!("repository {name}, scanned by {scanner} before it leaves{}", past(plan, policy, repo))
        }
        (PlannedSource::Upstream(_), false) => {
            format!("repository {name}, read-only{}", past(plan, policy, repo))
        }
        (PlannedSource::Local(_), true) => {
            format!(
                "repository {name} on this host; what is pushed is scanned by {scanner} and stays in the bundle"
            )
        }
        (PlannedSource::Local(_), false) => format!("repository {name} on this host, read-only"),
    }
}

/// What git-gate does not see of a repository's host.
fn past(plan: &Plan, policy: &Policy<'_, &Traced<PlannedHost>>, repo: &PlannedRepo) -> String {
    past_gate::ways(plan, policy, repo)
        .map(|ways| format!("; past it, unscanned: {ways}"))
        .unwrap_or_default()
}

/// What a published port opens: "what the agent serves on localhost:8080 runs in …".
pub(super) fn browser(plan: &Plan) -> String {
    let ports: Vec<String> =
        plan.machine.published.iter().map(|port| format!("localhost:{}", port.host)).collect();
    format!(
        "a page that the agent serves on {} runs in the browser of whoever opens it, and asks for what that browser can \
         reach",
        ports.join(", ")
    )
}

fn dialled(plan: &Plan) -> Vec<Row> {
    let bundle = plan.addresses.bundle();
    let gaps = plan.gaps();
    let row =
        |target: String, verdict, note: &str| Row { target, verdict, origin: None, note: note.to_owned() };
    let listeners: BTreeMap<u16, &PlannedSidecar> =
        plan.sidecars.iter().filter_map(|sidecar| Some(((*sidecar.port)?, &sidecar.value))).collect();
    let is_given = |port: u16| {
        plan.cluster.as_ref().is_none_or(|cluster| cluster.ports.iter().any(|given| given.value == port))
    };
    let mut rows: Vec<Row> = listeners
        .iter()
        .filter(|(port, _)| is_given(**port))
        .map(|(port, PlannedSidecar { name, container, .. })| {
            let note = match container {
                None => name.to_string(),
                Some(container) => match &container.no_relay {
                    Some(reason) => {
                        format!("{name}, which dials nothing for the agent, the spec says: {reason}")
                    }
                    None => format!("{name}: what it passes on is known to its image alone"),
                },
            };
            row(format!("{bundle}:{port}"), Outcome::Allowed, &note)
        })
        .collect();
    rows.push(match plan.cluster {
        Some(_) => row(
            format!("{bundle}, any other port"),
            Outcome::Refused,
            "the policies list ports, and the agent is given no other",
        ),
        None => row(
            format!("{bundle}, any other port"),
            Outcome::Allowed,
            "lists are by address; nothing in the plan listens there",
        ),
    });
    if let Some(gap) = gaps.iter().find(|gap| gap.is_total()) {
        rows.push(row(String::from("any other address"), Outcome::Allowed, gap.but()));
        return rows;
    }
    let list = match plan.cluster {
        Some(_) => "the policies name the bundle's Pod alone",
        None => "the engine's list is this one address",
    };
    rows.push(row(String::from("any other address"), Outcome::Refused, list));
    rows.extend(relays(plan).map(|relay| {
        row(past_policies(plan).to_owned(), Outcome::Depends, &format!("{}: {RELAY}", relay.why))
    }));
    if !plan.machine.published.is_empty() {
        rows.push(row(String::from("what a browser can reach"), Outcome::Depends, &browser(plan)));
    }
    if plan.cluster.is_some() {
        let note = "the policies open no name server, and the machine's own is the bundle";
        rows.push(row(String::from("port 53, any address"), Outcome::Refused, note));
        let note = "127.0.0.1 is the Pod's own";
        rows.push(row(String::from("its node's loopback"), Outcome::Refused, note));
        return rows;
    }
    rows.push(if gaps.contains(&Gap::DnsOpen) {
        row(String::from("port 53, any address"), Outcome::Allowed, Gap::DnsOpen.but())
    } else {
        let note = match listeners.get(&DNS_PORT) {
            Some(sidecar) => format!("goes to the bundle: {}", sidecar.name),
            None => String::from("goes to the bundle, where nothing listens"),
        };
        row(String::from("port 53, any address"), Outcome::Refused, &note)
    });
    rows.push(row(
        String::from("the host's loopback"),
        Outcome::Refused,
        "127.0.0.1 is the machine's own, and the engine's gateway is not on the list",
    ));
    rows
}

/// What becomes of an entry of `allow`, in a few words.
pub(super) fn note(decision: &Decision<Entry<'_>>) -> String {
    match decision {
        Decision::Denied(deny, _) => format!("denied by {}, {}", deny.host, deny.origin),
        Decision::Never(_) => String::from("hands out credentials: refused in every bottle"),
        Decision::Guarded(..) => String::from("a private address that nothing opens"),
        Decision::Opened(_, range) => format!("opened by private {}, {}", range.host, range.origin),
        Decision::Listed(_, AddressScope::Any(trusted)) => {
            format!("at any address: private {}, {}", trusted.host, trusted.origin)
        }
        Decision::Listed(_, AddressScope::Ranges) => {
            String::from("at public addresses and in the ranges of `private`")
        }
        Decision::Inner(_) => String::from("at public addresses: at a private one it is refused"),
        Decision::Unsure(_) => String::from("unless pipelock takes a label for an encoded text"),
        Decision::Random(_) => String::from("pipelock takes a label for a leak"),
        Decision::Credential(_, what) => format!("pipelock takes the name for {what}"),
        Decision::Listed(_, AddressScope::Public) | Decision::Unlisted => String::from("at public addresses"),
    }
}

fn proxied(plan: &Plan, policy: &Policy<'_, Entry<'_>>) -> Vec<Row> {
    let mut rows = Vec::new();
    for entry in &plan.egress.allow {
        let decision = policy.entry(&entry.host);
        rows.push(Row {
            target: entry.host.to_string(),
            verdict: decision.verdict().into(),
            origin: Some(entry.origin.clone()),
            note: note(&decision),
        });
    }
    rows.extend(plan.egress.private.iter().filter(|entry| entry.host.network().is_some()).map(|entry| Row {
        target: entry.host.to_string(),
        verdict: Outcome::Depends,
        origin: Some(entry.origin.clone()),
        note: String::from("by an allowed name that resolves to it"),
    }));
    rows.extend(plan.egress.deny.iter().map(|entry| Row {
        target: entry.host.to_string(),
        verdict: Outcome::Refused,
        origin: Some(entry.origin.clone()),
        note: String::from("a deny beats every allow"),
    }));
    rows.push(Row {
        target: String::from("any other host"),
        verdict: Outcome::Refused,
        origin: None,
        note: String::from("no allow covers it"),
    });
    rows
}

/// What the broker lets through, a line for each method and path.
fn brokered(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    for credential in &plan.credentials {
        let PlannedCredential { name, upstream, allow, origin, .. } = &credential.value;
        let row = |target, verdict, origin: Option<&String>, note| Row {
            target,
            verdict,
            origin: origin.cloned(),
            note,
        };
        let by = format!("credential {name}");
        if allow.is_empty() {
            rows.push(row(
                format!("{}/**", **upstream),
                Outcome::Allowed,
                Some(origin),
                format!("{by}, with every method"),
            ));
            continue;
        }
        for requests in allow {
            let PlannedRequests { methods, paths, websocket, origin } = &requests.value;
            let methods = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(",");
            let upgrade = if **websocket { ", also as a WebSocket" } else { "" };
            for path in paths {
                let target = format!("{methods} {}{}", **upstream, **path);
                rows.push(row(target, Outcome::Allowed, Some(origin), format!("{by}{upgrade}")));
            }
        }
        rows.push(row(format!("any other request to {}", **upstream), Outcome::Refused, None, by));
    }
    rows
}

/// What decides of a host in this version.
fn pipelock_facts(version: Version) -> impl Iterator<Item = &'static Fact> {
    FACTS.iter().filter(move |fact| fact.decides && fact.holds(version))
}

/// How the answers are known: of the engine, by its ledger; of pipelock, by what was read and run.
fn known(plan: &Plan) -> Vec<Known> {
    let ledger = Ledger::smolvm();
    let gaps = plan.gaps();
    let mut capabilities = vec![Capability::EnforcesCidrPolicy, Capability::DnsRedirect];
    capabilities.extend(gaps.iter().map(|gap| gap.capability()));
    if plan.boot.as_ref().is_some_and(|boot| boot.kind == BootKind::Artifact) {
        capabilities.push(Capability::FromKeepsPolicy);
    }
    if !plan.machine.published.is_empty() {
        capabilities.push(Capability::PublishLoopback);
    }
    if plan.cluster.is_some() {
        capabilities.clear();
    }
    capabilities.sort_unstable();
    capabilities.dedup();
    let mut known: Vec<Known> = capabilities
        .into_iter()
        .map(|capability| {
            let row = ledger.row(capability);
            Known {
                claim: format!("{SMOLVM} {}: {}", row.versions(), row.summary),
                evidence: row.evidence.clone(),
            }
        })
        .collect();
    known.extend(plan.cluster_gaps().map(|gap| {
        let cluster::Known { claim, evidence, help: _ } = gap.known();
        Known { claim: format!("{}: {claim}", plan.backend.value), evidence: evidence.to_owned() }
    }));
    let version = *plan.egress.pipelock_version;
    known.extend(pipelock_facts(version).map(|fact| Known {
        claim: format!("pipelock {}: {}", fact.versions(), fact.summary),
        evidence: format!("{}: {}", fact.how.as_str(), fact.evidence),
    }));
    if !plan.credentials.is_empty() {
        known.push(Known {
            claim: String::from(
                "Caddy 2.11: the broker lets a request through by its method and its path as it was sent, and sends it on to \
                 one host",
            ),
            evidence: String::from("run: 2.11.7 with what is emitted, before an upstream that writes down what it gets"),
        });
    }
    known.push(Known {
        claim: format!("pipelock {version}, {}", pipelock::known(plan)),
        evidence: format!(
            "verdicts of {RECORDED} are recorded; docs/pipelock.md has what is known of each version"
        ),
    });
    known
}
