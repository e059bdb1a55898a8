//! The answer for one target.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Answer, Cause, Entry, broker, browser, cause, gap_cause, is_relay, policy, sentence};
use crate::backend;
use crate::lower::pipelock;
use crate::plan::{Plan, PlannedRepo, PlannedSidecar};
use crate::reach::broker::{Passage, Through};
use crate::reach::proxy::{AddressScope, Decision};
use crate::reach::{Because, DNS_PORT, Policy};
use crate::report::past_gate;
use crate::text::quote;
use crate::world::builtin;
use crate::world::engine::Gap;
use crate::world::host::{Target, TargetHost, Verdict};
use crate::world::pipelock::guard::{self, Guarded};
use crate::world::pipelock::name;
use crate::world::upstream::Upstream;

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

pub(super) fn of(plan: &Plan, target: &Target, at: Option<IpAddr>) -> Answer {
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
pub(super) struct Relay {
    /// Where the agent dials the sidecars.
    by: String,
    /// What they may do.
    pub(super) why: String,
}

pub(super) const RELAY: &str = "it depends on what the agent can make such a sidecar do: where that is nothing, the spec says so with \
                     `no-relay`";

fn reached(plan: &Plan) -> &'static str {
    if plan.cluster.is_some() { "every public address" } else { "what the host can" }
}

/// The sidecars that the agent may make dial, if there are any.
pub(super) fn relays(plan: &Plan) -> Option<Relay> {
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
