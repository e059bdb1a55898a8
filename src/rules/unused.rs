//! What is written, and in force nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::rule;
use crate::diagnostic::{Diagnostic, Diagnostics, one_of, quote};
use crate::include::Reach;
use crate::source::{SourceId, Sources};
use crate::spec::File;

rule!(UNUSED_PROFILE, "unused-profile", Warning, "0.1.0", "a profile that nothing extends");

/// How many bottles a message names.
const NAMED: usize = 6;

/// What there is to say of profiles that nothing extends, when there is no error: mending one may show who extends them. A
/// file without a bottle, or one that another one includes, may have its profiles for others.
#[must_use]
pub fn profiles(
    files: &BTreeMap<SourceId, File>,
    reach: &BTreeMap<SourceId, Reach>,
    sources: &Sources,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let others = reach.iter().flat_map(|(id, reach)| reach.files.iter().filter(move |file| *file != id));
    let included: BTreeSet<SourceId> = others.copied().collect();
    let by_bottles = files.values().flat_map(|file| &file.bottles).flat_map(|bottle| &bottle.extends);
    let by_profiles = files.values().flat_map(|file| &file.profiles).flat_map(|profile| &profile.extends);
    let extended: BTreeSet<&str> = by_bottles.chain(by_profiles).map(|name| name.value.as_str()).collect();
    let alone = sources.roots().iter().filter(|id| !included.contains(id)).filter_map(|id| files.get(id));
    for File { includes: _, profiles, bottles } in alone.filter(|file| !file.bottles.is_empty()) {
        for profile in profiles.iter().filter(|profile| !extended.contains(profile.name.value.as_str())) {
            let who = one_of(bottles.iter().take(NAMED).map(|bottle| bottle.slug.value.as_str()));
            let message = format!("nothing extends the profile {}", quote(&profile.name.value));
            found.push(
                Diagnostic::new(&UNUSED_PROFILE, profile.name.span, message)
                    .label("in force nowhere")
                    .help(format!("extend it in {who}, or take it out")),
            );
        }
    }
    found
}
