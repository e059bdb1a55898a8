//! Backends: targets of lowering, one folder each, which holds all that knows the target.

pub mod common;
pub mod kubernetes;
pub mod smolmachines;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::num::NonZero;
use std::thread;

use crate::lower::plan_json::{self, Launch};
use crate::lower::{Artifact, Draft, Mode, Provenance, Stage, sums};
use crate::plan::Plan;

/// A target: the functions that make the stages of one backend.
#[derive(Debug)]
pub struct Target {
    /// The backend's name.
    pub name: &'static str,
    /// Programs that must be on the host's PATH.
    pub programs: &'static [&'static str],
    /// Adds the files of a stage that are not those of every backend: `plan.json` and the digests.
    lower: fn(&Plan, &mut Draft),
    /// How what they say is run.
    pub launch: fn(&Plan) -> Launch,
    /// What each of its containers says that it was made from, by the container's name, in the stage of these files.
    pub made_from: fn(&Plan, &BTreeMap<String, Artifact>) -> BTreeMap<String, String>,
    /// What keeps the agent to its bundle, in words.
    pub keeper: &'static str,
    /// What the agent may dial, as the backend's own list has it.
    pub allowed: fn(&Plan) -> String,
    /// The files of a stage that keep the agent to it.
    pub confinement: &'static [Confinement],
    /// The files that say what the agent's machine is, for whoever looks at them beside a spec.
    pub shown: &'static [&'static str],
}

/// The file of a stage that keeps the agent to its bundle.
#[derive(Debug)]
pub struct Confinement {
    /// Its path in the stage.
    pub path: &'static str,
    /// What one says, whoever wrote it, that no compile writes, or does not say that every compile writes: phrases that
    /// go on after the file's name. Empty when it keeps the agent to that address.
    pub judge: fn(&[u8], &Facts<'_>) -> Vec<String>,
}

/// What a stage says of itself that its other files must agree with.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The one address that the agent may dial.
    pub bundle: Ipv4Addr,
    /// Its `plan.json`.
    pub plan: &'a [u8],
}

static TARGETS: &[Target] = &[smolmachines::TARGET, kubernetes::TARGET];

/// Returns the target of the backend with that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Returns the target of a plan.
#[must_use]
pub fn of(plan: &Plan) -> &'static Target {
    // The language takes no other name.
    find(&plan.backend).unwrap_or(&TARGETS[0])
}

/// Returns whether a path of a stage is of a file that keeps an agent to its bundle.
#[must_use]
pub fn confines(path: &str) -> bool {
    TARGETS.iter().flat_map(|target| target.confinement).any(|file| file.path == path)
}

/// Lowers a plan to its stage.
#[must_use]
pub fn lower(plan: &Plan) -> Stage {
    draft(plan, false).0
}

/// Lowers a plan to its stage, and says where each part of each file comes from.
#[must_use]
pub fn lower_traced(plan: &Plan) -> (Stage, BTreeMap<String, Provenance>) {
    draft(plan, true)
}

fn draft(plan: &Plan, traces: bool) -> (Stage, BTreeMap<String, Provenance>) {
    let mut draft = Draft::new(traces);
    let target = of(plan);
    (target.lower)(plan, &mut draft);
    // Each of the last two speaks of all files before it.
    let private = Mode::of_secrets(plan.secrets().next().is_some());
    plan_json::lower(plan, (target.launch)(plan), private, &mut draft);
    sums::lower(&mut draft);
    let (files, provenance) = draft.finish();
    (Stage { slug: plan.slug.value.clone(), files }, provenance)
}

/// The file beside the stages of a run by which all of its bottles of clusters are one list, when there are any.
#[must_use]
pub fn index(plans: &[Plan]) -> Option<(&'static str, &'static str, Vec<u8>)> {
    let slugs = plans.iter().filter(|plan| plan.cluster.is_some()).map(|plan| plan.slug.clone());
    let slugs: Vec<_> = slugs.collect();
    (!slugs.is_empty()).then(|| kubernetes::index(slugs))
}

/// From how many plans on a second thread is worth starting.
const MANY: usize = 16;

/// Lowers all plans, each by itself: many of them on all processors. The stages are in the order of the plans.
#[must_use]
pub fn lower_all(plans: &[Plan]) -> Vec<Stage> {
    let threads =
        if plans.len() < MANY { 1 } else { thread::available_parallelism().map_or(1, NonZero::get) };
    if threads == 1 {
        return plans.iter().map(lower).collect();
    }
    let parts = plans.chunks(plans.len().div_ceil(threads));
    thread::scope(|scope| {
        let parts: Vec<_> =
            parts.map(|part| (part, scope.spawn(|| part.iter().map(lower).collect::<Vec<_>>()))).collect();
        // A thread that died would have died here as well: the part is lowered again, to say so.
        parts
            .into_iter()
            .flat_map(|(part, thread)| thread.join().unwrap_or_else(|_| part.iter().map(lower).collect()))
            .collect()
    })
}
