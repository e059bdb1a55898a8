//! Everything that an agent can reach.

use std::collections::BTreeMap;

use super::answer::{RELAY, relays};
use super::{Entry, Known, Outcome, Overview, Row, gap_cause, past_policies, policy, sentence};
use crate::lower::pipelock;
use crate::plan::{
    Plan, PlannedCredential, PlannedHost, PlannedRepo, PlannedRequests, PlannedSidecar, PlannedSource, Traced,
};
use crate::reach::proxy::{AddressScope, Decision};
use crate::reach::{DNS_PORT, Policy};
use crate::report::{Promise, past_gate};
use crate::world::cluster;
use crate::world::engine::{BootKind, Capability, Gap, Ledger, SMOLVM, Version};
use crate::world::pipelock::{FACTS, Fact, RECORDED};

pub(super) fn of(plan: &Plan) -> Overview {
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
pub(in crate::report) fn browser(plan: &Plan) -> String {
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
pub(in crate::report) fn note(decision: &Decision<Entry<'_>>) -> String {
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
