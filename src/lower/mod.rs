//! Lowering: a plan to the files of a stage, one module an artifact. Each has a struct that mirrors its target format
//! and leaves the writing to serde, so that no text of a spec can become syntax.

pub mod agent_env;
mod artifact;
pub mod commands;
pub mod compose;
mod draft;
pub mod git_gate;
pub mod names;
pub mod pipelock;
pub mod plan_json;
pub mod provision;
mod recorder;
pub mod shell;
pub mod smolfile;
pub mod sums;
pub mod supervise;
mod yaml;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::thread;

use crate::plan::Plan;
use crate::world::builtin;

pub use artifact::{Artifact, Bytes, Constant, Mode};
pub use draft::{Parts, Provenance};
pub use recorder::{Path, Places, Step};

use draft::{Draft, Markup};

/// Everything that one bottle compiles to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The bottle's name, which is the name of the stage's directory.
    pub slug: String,
    /// Path in the stage, with `/` between its parts, to the file.
    pub files: BTreeMap<String, Artifact>,
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
    let (of_agent, of_bundle): (Vec<_>, Vec<_>) =
        plan.secrets().partition(|secret| secret.receiver == builtin::AGENT);
    let [agent, bundle, any] =
        [!of_agent.is_empty(), !of_bundle.is_empty(), !of_agent.is_empty() || !of_bundle.is_empty()]
            .map(Mode::of_secrets);
    smolfile::lower(plan, agent, &mut draft);
    agent_env::lower(plan, agent, &mut draft);
    pipelock::lower(plan, &mut draft);
    compose::lower(plan, bundle, &mut draft);
    git_gate::lower(plan, &mut draft);
    supervise::lower(plan, &mut draft);
    // Each of the last two speaks of all files before it.
    plan_json::lower(plan, any, &mut draft);
    sums::lower(&mut draft);
    let (files, provenance) = draft.finish();
    (Stage { slug: plan.slug.value.clone(), files }, provenance)
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

impl Stage {
    /// Its digest: that of its `SHA256SUMS`.
    #[must_use]
    pub fn sha256(&self) -> String {
        self.files.get(sums::PATH).map(|file| file.bytes.sha256()).unwrap_or_default()
    }

    /// The bytes of its `plan.json`.
    #[must_use]
    pub fn plan(&self) -> &[u8] {
        self.files.get(plan_json::PATH).map_or(&[], |file| &file.bytes)
    }
}
