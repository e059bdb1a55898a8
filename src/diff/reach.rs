//! Reach, compared exactly.
//!
//! The verdict on a name depends on which entries cover it, so names fall into few classes: of each domain that an entry
//! of either side has, the domain itself and a name below it that no entry has. The verdict on an address that a name
//! resolves to depends on the ranges that hold it, which change only where a range of either side begins or ends. One of
//! each class is asked for on both sides, which answers for all.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use super::{Change, Changes, Direction, Topic, Witness, some};
use crate::lower::plan_json::PlanJson;
use crate::plan::{PlannedEgress, PlannedHost, Traced};
use crate::reach::proxy::{AddressScope, Decision};
use crate::reach::{Because, DNS_PORT, Policy};
use crate::text::quote;
use crate::world::engine::Gap;
use crate::world::host::{HostPattern, Target, Verdict};
use crate::world::pipelock::guard;

type Entry<'a> = &'a Traced<PlannedHost>;

/// The policy of a plan that was read.
#[must_use]
pub fn policy<'a>(plan: &'a PlanJson<'static>) -> Policy<'a, Entry<'a>> {
    let boot = Option::as_ref(&plan.boot).map(|boot| boot.kind);
    let cluster = plan.cluster.as_ref();
    Policy::new(
        bundle(plan),
        if cluster.is_some() { Vec::new() } else { Gap::of(*plan.engine.version, boot) },
        plan.sidecars.iter().filter_map(|sidecar| Some(((**sidecar.port)?, sidecar.name.as_str()))),
        *plan.egress.pipelock_version,
        plan.egress.lists(),
    )
    .with_ports(cluster.map(|cluster| cluster.ports.iter().map(|port| port.value)))
}

/// One that no compile writes is taken for an address of nobody.
fn bundle(plan: &PlanJson<'static>) -> Ipv4Addr {
    plan.bundle_ip.parse().unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// Reports hosts that the agent can reach and could not before, and the other way round.
pub(super) fn compare(old: &PlanJson<'static>, new: &PlanJson<'static>, changes: &mut Changes<'_>) {
    let before = Side::new(old);
    let after = Side::new(new);
    let classes = Classes::of(&before, &after);
    let total = |side: &Side<'_>| side.policy.gaps().iter().copied().find(|gap| gap.is_total());
    match (total(&before), total(&after)) {
        (Some(_), Some(_)) => return,
        (None, Some(gap)) => {
            let text = format!("the agent can dial anything: {}", gap.but());
            changes.push(Direction::Wider, Topic::Reach, text).witness = Some(classes.nowhere(None));
            return;
        }
        (Some(gap), None) => {
            let text = format!("the agent can no longer dial anything: it could, since {}", gap.but());
            changes.push(Direction::Narrower, Topic::Reach, text).witness = Some(classes.nowhere(None));
            return;
        }
        (None, None) => {}
    }
    let open = |side: &Side<'_>| side.policy.gaps().contains(&Gap::DnsOpen);
    match (open(&before), open(&after)) {
        (false, true) => {
            let text = String::from("the agent can ask for any name, and send to port 53 of any address");
            changes.push(Direction::Wider, Topic::Reach, text).witness =
                Some(classes.nowhere(Some(DNS_PORT)));
        }
        (true, false) => {
            let text =
                String::from("names are kept in: nothing goes to port 53 of any address but the bundle's");
            changes.push(Direction::Narrower, Topic::Reach, text).witness =
                Some(classes.nowhere(Some(DNS_PORT)));
        }
        _ => {}
    }
    let said = changes.found.len();
    changes.found.extend(gained(Direction::Wider, &before, &after, &classes, changes.bottle));
    changes.found.extend(gained(Direction::Narrower, &after, &before, &classes, changes.bottle));
    if changes.found.len() == said && lists(&before) != lists(&after) {
        changes
            .neutral(Topic::Reach, String::from("the lists of `egress` are other ones, and mean the same"));
    }
}

/// The entries of each list.
fn lists<'a>(side: &Side<'a>) -> [BTreeSet<&'a str>; 3] {
    let PlannedEgress { allow, deny, private, .. } = side.egress;
    [allow, deny, private].map(|list| list.iter().map(|entry| entry.host.as_str()).collect())
}

struct Side<'a> {
    policy: Policy<'a, Entry<'a>>,
    egress: &'a PlannedEgress,
    bundle: IpAddr,
}

impl<'a> Side<'a> {
    fn new(plan: &'a PlanJson<'static>) -> Self {
        Self { policy: policy(plan), egress: &plan.egress, bundle: bundle(plan).into() }
    }

    fn entries(&self) -> impl Iterator<Item = &'a HostPattern> {
        let PlannedEgress { allow, deny, private, .. } = self.egress;
        allow.iter().chain(deny).chain(private).map(|entry| &entry.host)
    }
}

/// One of each class of names and addresses.
struct Classes {
    /// The domains of all entries of both sides.
    domains: BTreeSet<String>,
    /// A label that no entry has.
    fresh: String,
    /// The addresses that entries of both sides name.
    named: BTreeSet<IpAddr>,
    /// The first address of each stretch in which no range begins or ends.
    stretches: BTreeSet<IpAddr>,
}

impl Classes {
    fn of(before: &Side<'_>, after: &Side<'_>) -> Self {
        let mut classes = Self {
            domains: BTreeSet::new(),
            fresh: String::from("x"),
            named: BTreeSet::new(),
            stretches: BTreeSet::new(),
        };
        for pattern in before.entries().chain(after.entries()) {
            if let Some(address) = pattern.address() {
                classes.named.insert(address);
            } else if pattern.network().is_none() {
                classes.domains.insert(pattern.domain().to_owned());
            }
        }
        // The targets that are one of the two bundles are the bundle, wherever it is.
        classes.named.retain(|address| ![before.bundle, after.bundle].contains(address));
        // One `x` more than the longest label of nothing but `x`.
        let labels = classes.domains.iter().flat_map(|domain| domain.split('.'));
        let longest = labels.filter(|label| label.bytes().all(|b| b == b'x')).map(str::len).max();
        classes.fresh = "x".repeat(longest.unwrap_or(0).saturating_add(1));
        let private = before.egress.private.iter().chain(&after.egress.private);
        let ranges = private.filter_map(|entry| entry.host.network()).chain(guard::borders());
        for range in ranges {
            classes.stretches.insert(range.network());
            classes.stretches.extend(next(range.broadcast()));
        }
        classes.stretches.retain(|address| ![before.bundle, after.bundle].contains(address));
        classes
    }

    /// A name that no list has.
    fn nowhere(&self, port: Option<u16>) -> Witness {
        Witness { target: Target::name(format!("{}.invalid", self.fresh), port), at: None }
    }

    fn below(&self, domain: &str) -> String {
        format!("{}.{domain}", self.fresh)
    }
}

/// The address behind another one.
fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_add(1).map(|bits| Ipv4Addr::from(bits).into()),
        IpAddr::V6(address) => {
            u128::from(address).checked_add(1).map(|bits| std::net::Ipv6Addr::from(bits).into())
        }
    }
}

/// What `more` lets the agent reach and `less` does not. It is said in the `direction` that leads to `more`, or away
/// from it.
fn gained(
    direction: Direction,
    less: &Side<'_>,
    more: &Side<'_>,
    classes: &Classes,
    bottle: &str,
) -> Vec<Change> {
    let mut gains = Gains::default();
    // A name that both sides allow, and that only a range of `private` lets resolve to a private address.
    let mut common = None;
    for domain in &classes.domains {
        let at_it = Gains::name(domain, less, more, &mut common);
        let below = Gains::name(&classes.below(domain), less, more, &mut common);
        gains.keep(domain, at_it, below);
    }
    for address in &classes.named {
        let target = Target::address(*address, None);
        let (without, with) = (less.policy.judge(&target, None), more.policy.judge(&target, None));
        // What is reached by names that resolve to it is told with the ranges.
        if with.verdict() == Verdict::Allowed && without.verdict() != Verdict::Allowed {
            let gain = Gain::new(without, with, Witness { target, at: None });
            gains.add(gain, quote(&address.to_string()));
        }
    }
    if let Some(name) = common {
        gains.addresses(&name, less, more, classes);
    }
    gains.found.into_values().map(|found| found.change(direction, bottle)).collect()
}

/// The entry that lets a name in, and what that may resolve to.
fn listed(decision: Decision<Entry<'_>>) -> Option<(Entry<'_>, AddressScope<Entry<'_>>)> {
    match decision {
        Decision::Listed(entry, scope) => Some((entry, scope)),
        Decision::Inner(entry) | Decision::Unsure(entry) => Some((entry, AddressScope::Public)),
        _ => None,
    }
}

/// One class that is gained.
struct Gain<'a> {
    /// The entry that keeps it out on the one side.
    without: Option<Entry<'a>>,
    /// The entry that lets it in on the other.
    with: Option<Entry<'a>>,
    /// Whether the name was there, and is let resolve to any address.
    trusted: bool,
    witness: Witness,
}

impl<'a> Gain<'a> {
    fn new(without: Because<'_, Entry<'a>>, with: Because<'_, Entry<'a>>, witness: Witness) -> Self {
        let without = match without {
            Because::Proxy(Decision::Denied(entry, _)) => Some(entry),
            _ => None,
        };
        let with = match with {
            Because::Proxy(Decision::Opened(entry, _)) => Some(entry),
            Because::Proxy(decision) => listed(decision).map(|(entry, _)| entry),
            _ => None,
        };
        Self { without, with, trusted: false, witness }
    }
}

/// What several classes have in common: the entry that lets them in.
struct Found<'a> {
    gain: Gain<'a>,
    patterns: Vec<String>,
}

#[derive(Default)]
struct Gains<'a> {
    found: BTreeMap<(String, bool), Found<'a>>,
}

impl<'a> Gains<'a> {
    /// Asks both sides for a name.
    fn name(name: &str, less: &Side<'a>, more: &Side<'a>, common: &mut Option<String>) -> Option<Gain<'a>> {
        let target = Target::name(name.to_owned(), None);
        let (without, with) = (less.policy.judge(&target, None), more.policy.judge(&target, None));
        if without.verdict() == Verdict::Refused && with.verdict() != Verdict::Refused {
            return Some(Gain::new(without, with, Witness { target, at: None }));
        }
        let (Because::Proxy(without), Because::Proxy(with)) = (without, with) else { return None };
        match (listed(without)?, listed(with)?) {
            ((_, AddressScope::Any(_)), _) => None,
            (_, (_, AddressScope::Any(trusting))) => {
                let at = Some(CLOSED_TO_ALL);
                let witness = Witness { target, at };
                Some(Gain { without: None, with: Some(trusting), trusted: true, witness })
            }
            _ => {
                common.get_or_insert_with(|| name.to_owned());
                None
            }
        }
    }

    /// Keeps what is gained of a domain and of what is below it, as one pattern where it is one.
    fn keep(&mut self, domain: &str, at_it: Option<Gain<'a>>, below: Option<Gain<'a>>) {
        match (at_it, below) {
            (Some(gain), Some(other)) if gain.trusted == other.trusted && same(gain.with, other.with) => {
                self.add(gain, quote(&format!("*.{domain}")));
            }
            (at_it, below) => {
                if let Some(gain) = at_it {
                    self.add(gain, quote(domain));
                }
                if let Some(gain) = below {
                    self.add(gain, format!("names below {}", quote(domain)));
                }
            }
        }
    }

    fn add(&mut self, gain: Gain<'a>, pattern: String) {
        let key = (gain.with.map(|entry| entry.host.to_string()).unwrap_or_default(), gain.trusted);
        let found = self.found.entry(key).or_insert(Found { gain, patterns: Vec::new() });
        found.patterns.push(pattern);
    }

    /// What a name that both sides allow may resolve to.
    fn addresses(&mut self, name: &str, less: &Side<'a>, more: &Side<'a>, classes: &Classes) {
        let target = Target::name(name.to_owned(), None);
        for address in &classes.stretches {
            let at = Some(*address);
            let (without, with) = (less.policy.judge(&target, at), more.policy.judge(&target, at));
            if let (Because::Proxy(Decision::Guarded(..)), Because::Proxy(Decision::Opened(_, range))) =
                (without, with)
            {
                let witness = Witness { target: target.clone(), at };
                let gain = Gain { without: None, with: Some(range), trusted: false, witness };
                let key = (format!("private {}", range.host), false);
                self.found.entry(key).or_insert(Found {
                    gain,
                    patterns: vec![format!(
                        "private addresses in {}, by an allowed name that resolves to one",
                        quote(&range.host)
                    )],
                });
            }
        }
    }
}

/// An address that no range opens, and that a trusted name may resolve to all the same: clouds hand out credentials there.
const CLOSED_TO_ALL: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

fn same(a: Option<Entry<'_>>, b: Option<Entry<'_>>) -> bool {
    a.map(|entry| &entry.host) == b.map(|entry| &entry.host)
}

impl Found<'_> {
    fn change(self, direction: Direction, bottle: &str) -> Change {
        let Self { gain: Gain { without, with, trusted, witness }, mut patterns } = self;
        // What lies below a whole pattern goes without saying.
        if let Some(whole) = with.map(|entry| quote(&entry.host)).filter(|whole| patterns.contains(whole)) {
            patterns = vec![whole];
        }
        let names = some(&patterns);
        let text = match (direction, trusted) {
            (Direction::Wider, false) => format!("the agent can reach {names}"),
            (Direction::Wider, true) => {
                format!("the agent can reach {names} at any address, private ones among them")
            }
            (_, false) => format!("the agent can no longer reach {names}"),
            (_, true) => format!("the agent can no longer reach {names} at private addresses"),
        };
        let (without, with) = (origin(without), origin(with));
        let (old, new) = if direction == Direction::Wider { (without, with) } else { (with, without) };
        Change {
            bottle: bottle.to_owned(),
            direction,
            topic: Topic::Reach,
            text,
            old,
            new,
            witness: Some(witness),
        }
    }
}

fn origin(entry: Option<Entry<'_>>) -> Option<String> {
    entry.map(|entry| entry.origin.clone())
}
