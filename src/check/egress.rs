//! `egress` lists: entries checked against each other, and against what pipelock does with them.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::edit;
use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Egress, Host, Lint};
use crate::reach::proxy::{self, Gated};
use crate::rule::Level;
use crate::rule::catalogue::{
    ALLOW_DENIED, ALLOW_DROP, ALLOW_SHADOWED, ALLOW_SHARED, ALLOW_TOO_WIDE, HOST_LIKE_CREDENTIAL,
    HOST_LOOKS_RANDOM, PRIVATE_NOT_ALLOWED, PRIVATE_NOT_TRUSTED, PRIVATE_WITHOUT_ADDRESS, RATE_LIMIT_LOW,
};
use crate::source::{Sources, Span};
use crate::text::quote;
use crate::world::engine::Version;
use crate::world::host;
use crate::world::host::known::{DROPS, Drop, TUNNEL};
use crate::world::host::list::{List, holding, suffixes};
use crate::world::host::shared::is_shared;
use crate::world::pipelock::guard::{self, Guarded};
use crate::world::pipelock::name::{self, Label};

/// Requests a minute: pipelock's own default, which one installation of packages uses up.
const LOW_RATE: u32 = 60;

/// Checks the lists of a bottle that is made of these layers, its own the last.
pub fn check(
    egress: &Egress,
    version: Version,
    layers: &[Lint],
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    // What is wrong by itself was spoken of where it stands.
    let sound = |host: &&Host| host.value.is_sound();
    let deny = list(&egress.deny);
    let private = Private::new(egress);
    for entry in egress.allow.iter().filter(sound) {
        if deny.covering(&entry.value).is_none() {
            reaches_inside(entry, &private, diagnostics);
            gated(entry, version, diagnostics);
        }
        too_wide(entry, diagnostics);
    }
    denied_below(egress, layers, diagnostics);
    drops(egress, &deny, sources, diagnostics);
    let passthrough = egress.tls.iter().flat_map(|tls| &tls.passthrough);
    for entry in passthrough.filter(sound) {
        too_wide(entry, diagnostics);
    }
    let allow = list(&egress.allow);
    // A name may resolve to any address.
    let names = egress.allow.iter().any(|allow| allow.value.network().is_none());
    for entry in egress.private.iter().filter(|entry| host::check_upstream(&entry.value).is_ok()) {
        let allowed = match entry.value.network() {
            Some(range) => names || private.reached.contains(&range),
            None => match entry.value.below() {
                Some(domain) => allow.covering(&entry.value).is_some() || allow.any_below(domain),
                None => allow.covering(&entry.value).is_some(),
            },
        };
        if !allowed {
            diagnostics.push_error_with(|| not_allowed(entry));
        } else if entry.value.network().is_none() && !entry.placed {
            diagnostics.push_error_with(|| without_address(entry));
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

/// What a profile allows and one before it denies. Of one after it that is how a policy is made stricter, and what a
/// layer says against itself is spoken of there, as is what a bottle says against its profiles.
fn denied_below(egress: &Egress, layers: &[Lint], diagnostics: &mut Diagnostics) {
    let blocks: BTreeMap<Span, usize> =
        layers.iter().enumerate().map(|(at, lint)| (lint.place, at)).collect();
    let layer_of = |host: &Host| {
        let last = Span { start: host.span.start, end: u32::MAX, ..host.span };
        blocks.range(..=last).next_back().map(|(_, at)| *at)
    };
    let by_layer = |hosts: &'_ [Host]| {
        let mut by_layer = vec![Vec::new(); layers.len()];
        for (at, host) in hosts.iter().enumerate() {
            if let Some(layer) = layer_of(host) {
                by_layer[layer].push(at);
            }
        }
        by_layer
    };
    let (allowed, refused) = (by_layer(&egress.allow), by_layer(&egress.deny));
    let mut deny = List::new([]);
    for (layer, own) in allowed.iter().enumerate().take(layers.len().saturating_sub(1)) {
        let entries = own.iter().map(|at| &egress.allow[*at]).filter(|entry| entry.value.is_sound());
        let own_deny = || refused[layer].iter().map(|at| &egress.deny[*at]).map(|host| (&host.value, host));
        let here = List::new(own_deny());
        for entry in entries.filter(|entry| here.covering(&entry.value).is_none()) {
            if let Some(deny) = deny.covering(&entry.value) {
                diagnostics.push(denied(entry, deny));
            }
        }
        deny.extend(own_deny());
    }
}

/// What an agent was talked into sending is left where anybody can pick it up. One diagnostic an entry.
fn drops(egress: &Egress, deny: &List<'_, &Host>, sources: &Sources, diagnostics: &mut Diagnostics) {
    let allow = list(&egress.allow);
    let mut seen = BTreeSet::new();
    for drop in DROPS {
        let open = deny.covering_all(drop.host, drop.below).is_none();
        let Some(entry) = allow.covering_all(drop.host, false).filter(|_| open) else { continue };
        // A wildcard over a whole shared domain is spoken of as that.
        if entry.value.below().is_some_and(is_wide) || !seen.insert(entry.span) {
            continue;
        }
        diagnostics.push(dropped(entry, drop, sources));
    }
    let below = |domain: &str| DROPS.iter().find(|drop| drop.below && drop.host == domain);
    for entry in egress.allow.iter().filter(|entry| !seen.contains(&entry.span)) {
        let (domain, wide) = match entry.value.below() {
            Some(domain) => (domain, is_wide(domain)),
            None => (entry.value.as_str(), false),
        };
        let Some(drop) = suffixes(domain).find_map(below) else { continue };
        if !wide && deny.covering(&entry.value).is_none() {
            diagnostics.push(dropped(entry, drop, sources));
        }
    }
}

fn dropped(entry: &Host, drop: &Drop, sources: &Sources) -> Diagnostic {
    let Drop { host, below, what, source: _ } = drop;
    let name = quote(&entry.value);
    let within = |domain: &str| suffixes(host).skip(usize::from(*below)).any(|it| it == domain);
    let covers = entry.value.below().is_some_and(within);
    let says = match covers {
        false if entry.value.as_str() == *host => format!("{name} is {what}"),
        false => format!("{name} is {what}, below {}", quote(host)),
        true => format!("{name} covers {}, {what}", quote(host)),
    };
    let why = if *what == TUNNEL {
        "anybody can have its other end"
    } else {
        "anybody can read what is left there"
    };
    let diagnostic = Diagnostic::new(&ALLOW_DROP, entry.span, format!("{says}: {why}"))
        .label("what the agent knows can leave this way");
    if covers {
        let (title, edit) = edit::deny(&drop.pattern(), entry, sources);
        diagnostic.help("name the hosts that the agent needs, or deny this one").fix(
            title,
            Applicability::Unsafe,
            vec![edit],
        )
    } else {
        diagnostic.fix(
            "take it out, unless leaving something there is what the agent is for",
            Applicability::Unsafe,
            vec![edit::remove(entry, sources)],
        )
    }
}

/// Speaks of what a layer allows and denies, or a profile under it denies, of what it allows twice, and of what it allows
/// that the profiles under it allow already. What two profiles say is none of this: each may be laid under another bottle
/// without the other.
pub fn check_layer(own: &Egress, under: Option<&Egress>, sources: &Sources, diagnostics: &mut Diagnostics) {
    let Some(under) = under else { return };
    let all = list(&own.allow);
    let below = list(&under.allow);
    let mut deny = list(&own.deny);
    deny.extend(under.deny.iter().map(|host| (&host.value, host)));
    for entry in own.allow.iter().filter(|entry| entry.value.is_sound()) {
        if let Some(deny) = deny.covering(&entry.value) {
            diagnostics.push(denied(entry, deny));
        }
        let same = all.covering(&entry.value).filter(|it| it.value == entry.value && it.span != entry.span);
        let wider = same.or_else(|| all.wider(&entry.value)).or_else(|| below.covering(&entry.value));
        if let Some(wider) = wider {
            shadowed(entry, wider, &deny, sources, diagnostics);
        }
    }
}

fn shadowed(
    entry: &Host,
    wider: &Host,
    deny: &List<'_, &Host>,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    // What is denied, or covered by a wildcard that should go, was spoken of as that.
    if deny.covering(&entry.value).is_some() || wider.value.below().is_some_and(is_wide) {
        return;
    }
    let (name, wide) = (quote(&entry.value), quote(&wider.value));
    let message = if entry.value == wider.value {
        format!("{name} is allowed twice")
    } else {
        format!("{name} is allowed by {wide} already")
    };
    diagnostics.push(
        Diagnostic::new(&ALLOW_SHADOWED, entry.span, message)
            .label("allows nothing more")
            .related(wider.span, "allowed here")
            .help_if(
                (entry.value != wider.value)
                    .then(|| format!("if {wide} is wider than is meant, take that out instead")),
            )
            .fix(format!("take {name} out"), Applicability::Safe, vec![edit::remove(entry, sources)]),
    );
}

/// Whether the names below a domain have no one owner.
fn is_wide(domain: &str) -> bool {
    !domain.contains('.') || is_shared(domain)
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
    let Some(domain) = entry.value.below() else { return };
    let top = !domain.contains('.');
    // `*.internal` is wide, and an inner network's own.
    if entry.value.guarded() != Guarded::No || !is_wide(domain) {
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

/// What pipelock takes a host's name for: a credential, which nothing lifts, or a leak, which the stage lifts.
fn gated(entry: &Host, version: Version, diagnostics: &mut Diagnostics) {
    if entry.value.network().is_some() {
        return;
    }
    let (domain, name) = (entry.value.domain(), quote(&entry.value));
    if let Some(what) = name::credential(domain) {
        let message = format!("{name} is taken for {what}: pipelock refuses every request to it");
        diagnostics.push(
            Diagnostic::new(&HOST_LIKE_CREDENTIAL, entry.span, message)
                .label("allowed, and never reached")
                .help("nothing lifts this: use another name of the same host, if it has one"),
        );
        return;
    }
    let label = match proxy::gated(version, domain) {
        None => return,
        Some(Gated::Random(Label { text, bits })) => {
            format!("{}, with {bits:.1} bits a character, looks", quote(text))
        }
        Some(Gated::Encoded(text)) => format!("{} looks", quote(text)),
    };
    diagnostics.push(
        Diagnostic::new(
            &HOST_LOOKS_RANDOM,
            entry.span,
            format!("{label} to pipelock like a leak in a host's name"),
        )
        .label("let through all the same, since it is on the list")
        .help("the long parts of its paths are not looked at for leaks, either"),
    );
}

/// Whether pipelock's guard on private addresses refuses an entry.
fn reaches_inside(entry: &Host, private: &Private<'_>, diagnostics: &mut Diagnostics) {
    let guarded = entry.value.guarded();
    let network = entry.value.network();
    let opened = match network {
        Some(address) => holding(&private.ranges, address).next().is_some(),
        // A name may well resolve into a range.
        None => private.anywhere || private.names.covering(&entry.value).is_some(),
    };
    let name = quote(&entry.value);
    let diagnostic = match guarded {
        Guarded::No => return,
        Guarded::Closed if guard::metadata(entry.value.domain()).is_some() => Diagnostic::new(
            &PRIVATE_NOT_TRUSTED,
            entry.span,
            format!("{name} hands out credentials of the cloud that the host runs in"),
        )
        .label("refused in every bottle, whatever allows it")
        .help("take it out: what the agent needs of a cloud is a secret of its own, with what it may do"),
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
    let too_wide = entry.value.below().is_some_and(|domain| !domain.contains('.'));
    diagnostics.push(match guarded {
        Guarded::Private => diagnostic.help(format!("say that it is meant: `private \"{}\"`", entry.value)),
        Guarded::Likely if !too_wide => diagnostic.help(format!(
            "say where it is, with its own addresses or their range: `private \"{}\" \"10.1.2.3\"`",
            entry.value
        )),
        Guarded::Likely => diagnostic.help("name the hosts, and with `private` their addresses"),
        Guarded::Closed | Guarded::No => diagnostic,
    });
}

/// `private` opens the guard; the allow list stays the allow list.
fn not_allowed(entry: &Host) -> Diagnostic {
    let message = format!("{} may be private and is not allowed: it cannot be reached", quote(&entry.value));
    let help = match entry.value.network() {
        Some(range) if range.prefix_len() < range.max_prefix_len() => {
            String::from("allow the hosts, or the addresses, that are meant to be in the range")
        }
        _ => format!("allow it, too: `allow \"{}\"`", entry.value),
    };
    Diagnostic::new(&PRIVATE_NOT_ALLOWED, entry.span, message).label("no `allow` covers it").help(help)
}

/// A name may resolve to anything: what pipelock opens are addresses.
fn without_address(entry: &Host) -> Diagnostic {
    Diagnostic::new(
        &PRIVATE_WITHOUT_ADDRESS,
        entry.span,
        format!("{} may be private, and it is not said where", quote(&entry.value)),
    )
    .label("expected its addresses beside it")
    .help(format!(
        "name each address or the range that it may have: `private \"{}\" \"10.1.2.3\"`",
        entry.value
    ))
}

/// What `private` opens.
struct Private<'a> {
    /// Names that stand beside their addresses.
    names: List<'a, &'a Host>,
    /// Whether there is a range that is not said to be some host's.
    anywhere: bool,
    ranges: BTreeMap<IpNet, IpNet>,
    /// Those of the ranges that hold an allowed address.
    reached: BTreeSet<IpNet>,
}

impl<'a> Private<'a> {
    fn new(egress: &'a Egress) -> Self {
        let names = || egress.private.iter().filter(|entry| entry.value.network().is_none());
        let beside: BTreeSet<Span> = names().map(|entry| entry.node).collect();
        let mut places = egress.private.iter().filter(|entry| entry.value.network().is_some());
        let anywhere = places.any(|entry| !beside.contains(&entry.node));
        // What is no range, or one with bits behind its prefix, was spoken of, and opens what it seems to.
        let ranges = egress.private.iter().filter_map(|entry| entry.value.network());
        let ranges: BTreeMap<IpNet, IpNet> = ranges.map(|range| (range.trunc(), range.trunc())).collect();
        let addresses = egress.allow.iter().filter_map(|allow| allow.value.network());
        let reached = addresses.flat_map(|address| holding(&ranges, address)).collect();
        Self { names: List::new(names().map(|entry| (&entry.value, entry))), anywhere, ranges, reached }
    }
}

fn list(hosts: &[Host]) -> List<'_, &Host> {
    List::new(hosts.iter().map(|host| (&host.value, host)))
}
