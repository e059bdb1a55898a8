//! What the agent may reach: entries of the lists against each other and against what pipelock does with them.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::rule;
use crate::diagnostic::{Diagnostic, Diagnostics, Level, quote};
use crate::host::list::{List, holding};
use crate::host::{
    self, Guarded,
    known::{DROPS, SHARED_SUFFIXES},
};
use crate::spec::{Egress, Host};

rule!(ALLOW_DENIED, "allow-denied", Warning, "0.1.0", "a host is allowed that a `deny` refuses");
rule!(ALLOW_DROP, "allow-drop", Warning, "0.1.0", "an allow list holds a paste, tunnel or webhook host");
rule!(ALLOW_SHARED, "allow-shared", Warning, "0.1.0", "a wildcard covers hosts that anybody can get");
rule!(
    ALLOW_TOO_WIDE,
    "allow-too-wide",
    Error,
    "0.1.0",
    "a wildcard covers a whole top-level domain",
    acceptable
);
rule!(
    PRIVATE_NOT_ALLOWED,
    "private-not-allowed",
    Error,
    "0.1.0",
    "a host may be on a private network and is not allowed"
);
rule!(
    PRIVATE_NOT_TRUSTED,
    "private-not-trusted",
    Error,
    "0.1.0",
    "an allowed host is on a private network, which pipelock refuses"
);
rule!(RATE_LIMIT_LOW, "rate-limit-low", Warning, "0.1.0", "a rate limit that ordinary work uses up");

/// Requests a minute: pipelock's own default, which one installation of packages uses up.
const LOW_RATE: u32 = 60;

/// Checks the lists of a bottle.
pub fn check(egress: &Egress, diagnostics: &mut Diagnostics) {
    // What is wrong by itself was spoken of where it stands.
    let sound = |host: &&Host| host::check(&host.value).is_ok();
    let deny = list(&egress.deny);
    let private = Private::new(egress);
    for entry in egress.allow.iter().filter(sound) {
        if let Some(deny) = deny.covering(&entry.value) {
            diagnostics.push(denied(entry, deny));
        } else {
            reaches_inside(entry, &private, diagnostics);
        }
        too_wide(entry, diagnostics);
    }
    drops(egress, &deny, diagnostics);
    let passthrough = egress.tls.iter().flat_map(|tls| &tls.passthrough);
    for entry in passthrough.filter(sound) {
        too_wide(entry, diagnostics);
    }
    let allow = list(&egress.allow);
    // A name may resolve to any address.
    let names = egress.allow.iter().any(|allow| host::network(&allow.value).is_none());
    for entry in egress.private.iter().filter(|entry| host::check_upstream(&entry.value).is_ok()) {
        let allowed = match host::network(&entry.value) {
            Some(range) => names || private.reached.contains(&range),
            None => match entry.value.strip_prefix("*.") {
                Some(domain) => allow.covering(&entry.value).is_some() || allow.any_below(domain),
                None => allow.covering(&entry.value).is_some(),
            },
        };
        if !allowed {
            diagnostics.push_error_with(|| not_allowed(entry));
        }
    }
    if let Some(limit) = egress.rate_limit.filter(|limit| (1..=LOW_RATE).contains(&limit.value)) {
        diagnostics.push(
            Diagnostic::new(
                &RATE_LIMIT_LOW,
                limit.span,
                format!("a limit of {} a minute is used up by one installation of packages", limit.value),
            )
            .label("each HTTPS connection counts as a request")
            .help("the next one gets a 429, for up to a minute; 600 is a usual limit, and what holds without one"),
        );
    }
}

/// What an agent was talked into sending is left where anybody can pick it up. One diagnostic an entry.
fn drops(egress: &Egress, deny: &List<'_, &Host>, diagnostics: &mut Diagnostics) {
    let allow = list(&egress.allow);
    let mut seen = BTreeSet::new();
    for (host, what) in DROPS {
        let Some(entry) = allow.covering(host).filter(|_| deny.covering(host).is_none()) else { continue };
        // A wildcard over a whole shared domain is spoken of as that.
        let domain = entry.value.strip_prefix("*.");
        let whole = domain.is_some_and(|domain| !domain.contains('.') || SHARED_SUFFIXES.contains(&domain));
        if whole || !seen.insert(entry.span) {
            continue;
        }
        let message = if entry.value == *host {
            format!("{} is {what}: anybody can read what is left there", quote(host))
        } else {
            format!(
                "{} covers {}, {what}: anybody can read what is left there",
                quote(&entry.value),
                quote(host)
            )
        };
        let help = if entry.value == *host {
            String::from("take it out, unless leaving something there is what the agent is for")
        } else {
            format!("add `deny \"{host}\"`, or name the hosts that the agent needs")
        };
        diagnostics.push(
            Diagnostic::new(&ALLOW_DROP, entry.span, message)
                .label("what the agent knows can leave this way")
                .help(help),
        );
    }
}

fn denied(entry: &Host, deny: &Host) -> Diagnostic {
    let what =
        if entry.value == deny.value { "both allowed and denied" } else { "allowed, and all of it denied" };
    Diagnostic::new(
        &ALLOW_DENIED,
        entry.span,
        format!("{} is {what}: it cannot be reached", quote(&entry.value)),
    )
    .label("a `deny` beats every `allow`")
    .related(deny.span, format!("{} is denied here", quote(&deny.value)))
    .help("take one of them out")
}

/// A wildcard over names that belong to nobody in particular.
fn too_wide(entry: &Host, diagnostics: &mut Diagnostics) {
    let Some(domain) = entry.value.strip_prefix("*.") else { return };
    let top = !domain.contains('.');
    // `*.internal` is wide, and an inner network's own.
    if host::guarded(&entry.value) != Guarded::No || !(top || SHARED_SUFFIXES.contains(&domain)) {
        return;
    }
    let (rule, message) = if top {
        (
            &ALLOW_TOO_WIDE,
            format!("{} is every host below the top-level domain `{domain}`", quote(&entry.value)),
        )
    } else {
        (&ALLOW_SHARED, format!("anybody can get a host that {} covers", quote(&entry.value)))
    };
    diagnostics
        .push(Diagnostic::new(rule, entry.span, message).label("expected a domain of one owner").help(
        "name the hosts that the agent needs: whoever has one of the others can be sent what the agent knows",
    ));
}

/// Whether pipelock's guard on private addresses refuses an entry.
fn reaches_inside(entry: &Host, private: &Private<'_>, diagnostics: &mut Diagnostics) {
    let guarded = host::guarded(&entry.value);
    let network = host::network(&entry.value);
    let opened = match network {
        Some(address) => holding(&private.ranges, address).next().is_some(),
        // A name may well resolve into a range.
        None => !private.ranges.is_empty() || private.names.covering(&entry.value).is_some(),
    };
    let name = quote(&entry.value);
    let diagnostic = match guarded {
        Guarded::No => return,
        Guarded::Closed => Diagnostic::new(
            &PRIVATE_NOT_TRUSTED,
            entry.span,
            format!("{name} cannot be reached through pipelock"),
        )
        .label("the bundle itself, or no host at all")
        .help("a sidecar is reached on the bundle's address: give it a `port` and `expose` it"),
        Guarded::Private | Guarded::Likely if opened => return,
        Guarded::Private => {
            Diagnostic::new(&PRIVATE_NOT_TRUSTED, entry.span, format!("{name} is a private address"))
                .label("allowed, and refused by pipelock's guard on private addresses")
        }
        Guarded::Likely => {
            let message = format!("{name} is most likely on a private network");
            let mut diagnostic = Diagnostic::new(&PRIVATE_NOT_TRUSTED, entry.span, message)
                .label("refused by pipelock when it resolves to a private address");
            diagnostic.level = Level::Warning;
            diagnostic
        }
    };
    let too_wide = entry.value.strip_prefix("*.").is_some_and(|domain| !domain.contains('.'));
    diagnostics.push(match guarded {
        Guarded::Private | Guarded::Likely if !too_wide => {
            let says = format!("private \"{}\"", entry.value);
            diagnostic.help(format!("say that it is meant: `{says}`"))
        }
        Guarded::Private | Guarded::Likely => {
            diagnostic.help("name the hosts, with `allow` and with `private`")
        }
        Guarded::Closed | Guarded::No => diagnostic,
    });
}

/// `private` opens the guard; the allow list stays the allow list.
fn not_allowed(entry: &Host) -> Diagnostic {
    let message = format!("{} may be private and is not allowed: it cannot be reached", quote(&entry.value));
    let help = match host::network(&entry.value) {
        Some(range) if range.prefix_len() < range.max_prefix_len() => {
            String::from("allow the hosts, or the addresses, that are meant to be in the range")
        }
        _ => format!("allow it, too: `allow \"{}\"`", entry.value),
    };
    Diagnostic::new(&PRIVATE_NOT_ALLOWED, entry.span, message).label("no `allow` covers it").help(help)
}

/// What `private` opens.
struct Private<'a> {
    names: List<'a, &'a Host>,
    ranges: BTreeMap<IpNet, IpNet>,
    /// Those of the ranges that hold an allowed address.
    reached: BTreeSet<IpNet>,
}

impl<'a> Private<'a> {
    fn new(egress: &'a Egress) -> Self {
        let names = egress.private.iter().filter(|entry| host::network(&entry.value).is_none());
        // What is no range, or one with bits behind its prefix, was spoken of, and opens what it seems to.
        let ranges = egress.private.iter().filter_map(|entry| host::network(&entry.value));
        let ranges: BTreeMap<IpNet, IpNet> = ranges.map(|range| (range.trunc(), range.trunc())).collect();
        let addresses = egress.allow.iter().filter_map(|allow| host::network(&allow.value));
        let reached = addresses.flat_map(|address| holding(&ranges, address)).collect();
        Self { names: List::new(names.map(|entry| (entry.value.as_str(), entry))), ranges, reached }
    }
}

fn list(hosts: &[Host]) -> List<'_, &Host> {
    List::new(hosts.iter().map(|host| (host.value.as_str(), host)))
}
