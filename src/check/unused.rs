//! Unused definitions: profiles and sidecars that nothing refers to.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, File, MemberKind, Service};
use crate::resolve::include::IncludeClosure;
use crate::resolve::members::Needs;
use crate::rule::catalogue::{UNUSED_PROFILE, UNUSED_SIDECAR};
use crate::source::{SourceId, Span};
use crate::text::quote;

/// Profiles that nothing extends. Only of a file that was asked for and has bottles of its own: one of profiles alone is
/// there to be included, by files that need not be part of this compile.
#[must_use]
pub fn profiles(
    files: &BTreeMap<SourceId, File>,
    closures: &BTreeMap<SourceId, IncludeClosure>,
    roots: &[SourceId],
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    // By the file that the name is taken up in: what that reaches is meant.
    let mut extended: BTreeMap<&str, BTreeSet<SourceId>> = BTreeMap::new();
    for (id, file) in files {
        let of_bottles = file.bottles.iter().flat_map(|bottle| &bottle.extends);
        let names = of_bottles.chain(file.profiles.iter().flat_map(|profile| &profile.extends));
        for name in names {
            extended.entry(&name.value).or_default().insert(*id);
        }
    }
    for root in roots {
        let Some(file) = files.get(root).filter(|file| !file.bottles.is_empty()) else { continue };
        // Somebody includes it for what it has.
        if closures.iter().any(|(id, closure)| id != root && closure.files.contains(root)) {
            continue;
        }
        for profile in &file.profiles {
            let by = extended.get(profile.name.value.as_str());
            if !by.is_some_and(|by| by.contains(root)) {
                diagnostics.push(
                    Diagnostic::new(
                        &UNUSED_PROFILE,
                        profile.name.span,
                        format!("no bottle extends profile {}", quote(&profile.name.value)),
                    )
                    .label("makes nothing by itself")
                    .help("take it out, extend it, or move it to a file that others include"),
                );
            }
        }
    }
    diagnostics
}

/// Sidecars that nothing can talk to, nothing waits for, and that are given nothing to work on, in any bottle that has
/// them. One that has a volume or a secret, or waits for another one, works by itself.
#[must_use]
pub fn sidecars(bottles: &[Bottle<Needs>]) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut idle: BTreeMap<Span, &str> = BTreeMap::new();
    let mut used: BTreeSet<Span> = BTreeSet::new();
    for bottle in bottles {
        let needs = bottle.members.iter().flat_map(|member| &member.needs.members);
        let needed: BTreeSet<usize> = needs.map(|need| need.value.0).collect();
        for (at, member) in bottle.members.iter().enumerate() {
            let MemberKind::Custom(service) = &member.kind else { continue };
            if needed.contains(&at) || !member.needs.members.is_empty() || has_work(service) {
                used.insert(member.name.span);
            } else {
                idle.insert(member.name.span, &member.name.value);
            }
        }
    }
    for (span, name) in idle.into_iter().filter(|(span, _)| !used.contains(span)) {
        diagnostics.push(
            Diagnostic::new(&UNUSED_SIDECAR, span, format!("nothing can talk to sidecar {}", quote(name)))
                .label("listens nowhere, needed by none, and given nothing to work on")
                .help("give it a `port` and an `expose`, or take it out"),
        );
    }
    diagnostics
}

/// Whether a sidecar listens, or is given something.
fn has_work(service: &Service) -> bool {
    let Service {
        image: _,
        command,
        run_as: _,
        port,
        health: _,
        env,
        secrets,
        volumes,
        tmpfs: _,
        capabilities: _,
        no_relay: _,
        mcp,
        exposes,
    } = service;
    port.is_some()
        || mcp.is_some()
        || !exposes.is_empty()
        || !(command.is_empty() && env.is_empty() && secrets.is_empty() && volumes.is_empty())
}
