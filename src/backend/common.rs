//! What a bottle has whichever backend runs it: places in its machine, the images of its containers, its volumes.

use std::collections::BTreeMap;

use crate::model::VolumeSource;
use crate::plan::{Origins, Plan, PlannedSidecar, Traced};
use crate::world::builtin::{BROKER, GIT_GATE, SUPERVISE};
use crate::world::container::qualified;

/// A word of a command that nothing in the spec decides.
pub(super) fn ours(word: &str) -> Traced<String> {
    Traced::fixed(word.to_owned())
}

/// The system-wide configuration of git: whichever user the agent is, and whatever its own says on top.
pub const GITCONFIG: &str = "/etc/gitconfig";

/// The directory in the machine that repositories are cloned into.
pub const WORK: &str = "/work";

/// The directory of a repository in the machine.
pub(super) fn directory(repo: &str) -> String {
    format!("{WORK}/{repo}")
}

/// The directory that the agent starts in: its repository when there is one, what holds them when there are several.
pub(super) fn workdir(plan: &Plan) -> Option<Traced<String>> {
    match plan.git.repos.as_slice() {
        [] => None,
        [repo] => Some(repo.name.with(directory(&repo.name))),
        [first, ..] => Some(first.name.with(WORK.to_owned())),
    }
}

/// What holds the address: a program that only waits, from Kubernetes, where it does the same for a pod. The digest is
/// that of the index for all platforms, as public repositories pin it.
pub const PAUSE_IMAGE: &str =
    "registry.k8s.io/pause:3.10@sha256:ee6521f290b2168b6e0935a181d4cff9be1ac3f505666ef0e3c98fae8199917a";

/// The whole name of a sidecar's image.
#[must_use]
pub fn image(plan: &Plan, sidecar: &PlannedSidecar) -> Traced<String> {
    match &sidecar.container {
        Some(container) => container.image.with(qualified(&container.image)),
        None => builtin_image(plan, &sidecar.name),
    }
}

/// The image of a built-in sidecar.
pub(super) fn builtin_image(plan: &Plan, name: &str) -> Traced<String> {
    let given = match (name, &plan.supervise.value) {
        (GIT_GATE, _) => plan.git.image.given(),
        (SUPERVISE, Some(supervise)) => Some(supervise.image.with(&supervise.image.value)),
        (BROKER, _) => Some(plan.broker_image.with(&plan.broker_image.value)),
        _ => Some(plan.pipelock_image.with(&plan.pipelock_image.value)),
    };
    // Without an image in the spec the stage says how git-gate's is made.
    given.map_or_else(|| gate_image(plan), |image| image.map(|image| qualified(image)))
}

/// The image that is made for git-gate when the spec names none.
#[must_use]
pub fn gate_image(plan: &Plan) -> Traced<String> {
    let name = format!("localhost/{}", of_bottle(plan, GIT_GATE));
    Traced::default_setting(name).and(&plan.asked(GIT_GATE)).and(&plan.slug.origins)
}

/// Neither part holds `--`, so no two bottles and sidecars make one name.
pub(super) fn of_bottle(plan: &Plan, name: &str) -> String {
    format!("bottle-{}--{name}", plan.slug)
}

/// The volume that git-gate keeps its mirrors in. Names of the spec's hold no dot.
pub const MIRRORS: &str = "git-gate.mirrors";

/// The volumes that the spec's containers and git-gate keep, each with what asks for it.
pub(super) fn volumes(plan: &Plan) -> BTreeMap<&str, Origins> {
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
        ask(MIRRORS, &plan.asked(GIT_GATE));
    }
    asked
}
