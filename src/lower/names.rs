//! Names on the host: of the machine, and of the bundle's network, containers, volumes and images.

use std::collections::BTreeMap;

use crate::model::VolumeSource;
use crate::plan::Plan;
use crate::world::builtin;

/// The machine's name: the slug, which every smolvm takes.
#[must_use]
pub fn machine(plan: &Plan) -> String {
    plan.slug.clone()
}

/// The name of the bundle's network on the host.
#[must_use]
pub fn network(plan: &Plan) -> String {
    format!("bottle-{}", plan.slug)
}

/// The name of a sidecar's container on the host.
#[must_use]
pub fn container(plan: &Plan, sidecar: &str) -> String {
    // Neither part holds `--`, so no two bottles and sidecars make one name.
    format!("bottle-{}--{sidecar}", plan.slug)
}

/// The name of the Compose project.
#[must_use]
pub fn project(plan: &Plan) -> String {
    network(plan)
}

/// The volumes of the bundle: what `compose.yaml` calls each, and its name on the host. Names of the spec's hold no
/// dot, so the built-in sidecars' own are others.
#[must_use]
pub fn volumes(plan: &Plan) -> BTreeMap<String, String> {
    let containers = plan.sidecars.iter().filter_map(|sidecar| sidecar.container.as_ref());
    let named =
        containers.flat_map(|container| &container.volumes).filter_map(|volume| match &volume.source {
            VolumeSource::Named(name) => Some(name.clone()),
            VolumeSource::Host(_) => None,
        });
    let mirrors = (!plan.repos.is_empty()).then(|| MIRRORS.to_owned());
    named.chain(mirrors).map(|volume| (volume.clone(), container(plan, &volume))).collect()
}

/// What `compose.yaml` calls the volume that git-gate keeps its mirrors in.
pub const MIRRORS: &str = "git-gate.mirrors";

/// The image that is made for git-gate when the spec names none.
#[must_use]
pub fn gate_image(plan: &Plan) -> String {
    format!("localhost/{}", container(plan, builtin::GIT_GATE))
}
