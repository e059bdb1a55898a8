//! Names on the host: of the machine, and of the bundle's network, containers, volumes and images.

use std::collections::BTreeMap;

use crate::model::VolumeSource;
use crate::plan::{Origins, Plan, Traced};
use crate::world::builtin;

/// A word of a command that nothing in the spec decides.
pub(super) fn ours(word: &str) -> Traced<String> {
    Traced::fixed(word.to_owned())
}

/// The machine's name: the slug, which every smolvm takes.
#[must_use]
pub fn machine(plan: &Plan) -> Traced<String> {
    plan.slug.clone()
}

/// The name of the bundle's network on the host.
#[must_use]
pub fn network(plan: &Plan) -> Traced<String> {
    plan.slug.with(format!("bottle-{}", plan.slug))
}

/// The name of a sidecar's container on the host, or of the one that owns the address.
#[must_use]
pub fn container(plan: &Plan, sidecar: &str) -> Traced<String> {
    Traced::new(of_bottle(plan, sidecar), plan.asked(sidecar)).and(&plan.slug.origins)
}

/// Neither part holds `--`, so no two bottles and sidecars make one name.
fn of_bottle(plan: &Plan, name: &str) -> String {
    format!("bottle-{}--{name}", plan.slug)
}

/// The name of the Compose project.
#[must_use]
pub fn project(plan: &Plan) -> Traced<String> {
    network(plan)
}

/// The volumes of the bundle: what `compose.yaml` calls each, and its name on the host. Names of the spec's hold no
/// dot, so the built-in sidecars' own are others.
#[must_use]
pub fn volumes(plan: &Plan) -> BTreeMap<String, Traced<String>> {
    let mut asked: BTreeMap<&str, Origins> = BTreeMap::new();
    let mut ask = |name, origins: &Origins| {
        let all = asked.remove(name).map_or_else(|| origins.clone(), |before| before.and(origins));
        asked.insert(name, all);
    };
    let containers = plan.sidecars.iter().filter_map(|sidecar| sidecar.container.as_ref());
    for volume in containers.flat_map(|container| &container.volumes) {
        if let VolumeSource::Named(name) = &volume.source {
            ask(name, &volume.origins);
        }
    }
    if !plan.git.repos.is_empty() {
        ask(MIRRORS, &plan.asked(builtin::GIT_GATE));
    }
    let name = |(volume, origins): (&str, Origins)| {
        (volume.to_owned(), Traced::new(of_bottle(plan, volume), origins).and(&plan.slug.origins))
    };
    asked.into_iter().map(name).collect()
}

/// What `compose.yaml` calls the volume that git-gate keeps its mirrors in.
pub const MIRRORS: &str = "git-gate.mirrors";

/// The image that is made for git-gate when the spec names none.
#[must_use]
pub fn gate_image(plan: &Plan) -> Traced<String> {
    let name = format!("localhost/{}", of_bottle(plan, builtin::GIT_GATE));
    Traced::default_setting(name).and(&plan.asked(builtin::GIT_GATE)).and(&plan.slug.origins)
}
