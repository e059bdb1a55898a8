//! The machine's own settings: what two of them must not share, and ports that bottles of one host both publish.

use std::collections::BTreeMap;

use super::queue;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, Layer, MemberKind, Name, Names, Published, Repo, Spanned};
use crate::rule::catalogue::{DUPLICATE_NAME, GPU_SHARED, HOST_PATH_EXPOSED, PUBLISH_TAKEN};
use crate::source::{Sources, Span};
use crate::text::quote;

/// Checks the settings of a layer: a later layer may say each of them again.
pub fn check(layer: &Layer, diagnostics: &mut Diagnostics) {
    let machine = &layer.machine;
    let mut places: BTreeMap<&str, Span> = BTreeMap::new();
    for target in machine.volumes.iter().map(|volume| &volume.target) {
        if let Some(first) = places.get(target.value.as_str()) {
            diagnostics.push_error_with(|| {
                let message = format!("two volumes of the machine are at {}", quote(&target.value));
                twice(target.span, message, *first).help("give one of them another place")
            });
        } else {
            places.insert(&target.value, target.span);
        }
    }
    let mut ports: BTreeMap<u16, Span> = BTreeMap::new();
    for Published { guest, host: _ } in &machine.published {
        if let Some(first) = ports.get(&guest.value) {
            diagnostics.push_error_with(|| {
                let message = format!("port {} of the machine is published twice", guest.value);
                twice(guest.span, message, *first).help("take one of them out")
            });
        } else {
            ports.insert(guest.value, guest.span);
        }
    }
}

fn twice(at: Span, message: String, first: Span) -> Diagnostic {
    Diagnostic::new(&DUPLICATE_NAME, at, message)
        .label("a second one here")
        .related(first, "the first one is here")
}

/// Checks what a whole bottle gives its machine.
pub fn check_bottle(bottle: &Bottle<Names>, sources: &Sources, diagnostics: &mut Diagnostics) {
    keys(bottle, sources, diagnostics);
    if let Some(gpu) = bottle.settings.machine.gpu.filter(|_| bottle.settings.cluster().is_none()) {
        let message = "the agent would drive the host's graphics processor, by the host's own driver";
        diagnostics.push(
            Diagnostic::new(&GPU_SHARED, gpu, message)
                .label("a driver of the host's is then the wall around the agent")
                .help("take it out, unless the agent's work needs it: most of what agents do does not"),
        );
    }
}

/// The agent is shown no directory in which a key lies that another program of the bottle has and it has not.
fn keys(bottle: &Bottle<Names>, sources: &Sources, diagnostics: &mut Diagnostics) {
    let settings = &bottle.settings;
    let of_sidecars = bottle.members.iter().filter_map(|member| match &member.kind {
        MemberKind::Custom(service) => Some(service),
        MemberKind::Builtin(_) => None,
    });
    let secrets = of_sidecars.flat_map(|service| &service.secrets).map(|secret| (&secret.from, "a sidecar"));
    let upstreams = settings.git.repos.iter().filter_map(Repo::upstream);
    let identities = upstreams.map(|upstream| (&upstream.identity, "git-gate"));
    let authority = settings.egress.tls.as_ref().and_then(|tls| tls.ca_key.as_ref());
    let authority = authority.map(|key| (key, "pipelock"));
    let place = |path: &Spanned<String>| queue::directory(&path.value, sources.get(path.span.source).place());
    let all: Vec<(String, Span, &str)> =
        secrets.chain(identities).chain(authority).map(|(key, of)| (place(key), key.span, of)).collect();
    for source in settings.machine.volumes.iter().map(|volume| &volume.source) {
        let seen = place(source);
        let Some((_, key, of)) = all.iter().find(|(key, ..)| key.starts_with(&seen)) else { continue };
        diagnostics.push_error_with(|| {
            let message = format!("{} is not for the agent: a key of {of} lies in it", quote(&source.value));
            Diagnostic::new(&HOST_PATH_EXPOSED, source.span, message)
                .label("the agent would read the key")
                .related(*key, "the key is here")
                .help("name a directory without it, or keep the key elsewhere, as in `~/.config/bottles/`")
        });
    }
}

/// A port of the host's that a bottle publishes one of its own on.
#[derive(Debug)]
pub struct Claim {
    slug: Spanned<Name>,
    port: Published,
}

impl Claim {
    /// Returns the claims of a bottle, by port of its machine.
    pub fn of<N>(bottle: &Bottle<N>) -> impl Iterator<Item = Self> {
        let settings = &bottle.settings;
        settings.machine.published.iter().map(|port| Self { slug: settings.slug.clone(), port: *port })
    }
}

/// Checks that no port of the host is published twice, by one bottle or by two.
pub fn taken(claims: &[Claim], diagnostics: &mut Diagnostics) {
    let mut owners: BTreeMap<u16, &Claim> = BTreeMap::new();
    for claim in claims {
        let host = claim.port.on_host();
        let Some(owner) = owners.get(&host.value) else {
            owners.insert(host.value, claim);
            continue;
        };
        let (one, two) = (quote(&owner.slug.value), quote(&claim.slug.value));
        let same = owner.slug.span == claim.slug.span;
        // Of two bottles with one name the second one is reported as such.
        if !same && owner.slug.value == claim.slug.value {
            continue;
        }
        diagnostics.push_error_with(|| {
            let first = owner.port.on_host().span;
            let message = if same {
                let (a, b) = (owner.port.guest.value, claim.port.guest.value);
                format!(
                    "ports {a} and {b} of bottle {two} are published on one port of the host, {}",
                    host.value
                )
            } else {
                format!("bottles {one} and {two} are both published on port {} of the host", host.value)
            };
            let way = format!("publish it on another one: `publish {} host=…`", claim.port.guest.value);
            // One line of a profile may be what both have: then the bottle is the place, and the line is shown beside it.
            if first == host.span {
                return Diagnostic::new(&PUBLISH_TAKEN, claim.slug.span, message)
                    .label("publishes what another bottle publishes")
                    .related(first, "both have it from here")
                    .help(format!("{way} in one of them"));
            }
            let whose = if same { String::from("taken here") } else { format!("{one} has it from here") };
            Diagnostic::new(&PUBLISH_TAKEN, host.span, message).label("taken").related(first, whose).help(way)
        });
    }
}
