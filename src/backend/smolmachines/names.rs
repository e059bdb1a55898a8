//! Names on the host: of the machine, and of the bundle's network, containers, volumes and images.

use std::collections::BTreeMap;

use crate::backend::common::{self, of_bottle};
use crate::plan::{Origins, Plan, Traced};

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

/// The name of the Compose project.
#[must_use]
pub fn project(plan: &Plan) -> Traced<String> {
    network(plan)
}

/// The volumes of the bundle: what `compose.yaml` calls each, and its name on the host. Names of the spec's hold no
/// dot, so the built-in sidecars' own are others.
#[must_use]
pub fn volumes(plan: &Plan) -> BTreeMap<String, Traced<String>> {
    let name = |(volume, origins): (&str, Origins)| {
        (volume.to_owned(), Traced::new(of_bottle(plan, volume), origins).and(&plan.slug.origins))
    };
    common::volumes(plan).into_iter().map(name).collect()
}
