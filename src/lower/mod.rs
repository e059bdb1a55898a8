//! Lowering: a plan to the files of a stage, one module an artifact. Each has a struct that mirrors its target format
//! and leaves the writing to serde, so that no text of a spec can become syntax.

pub mod agent_env;
mod artifact;
pub mod commands;
pub mod compose;
pub mod git_gate;
pub mod names;
pub mod pipelock;
pub mod plan_json;
pub mod provision;
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
    let mut files = BTreeMap::new();
    let (of_agent, of_bundle): (Vec<_>, Vec<_>) =
        plan.secrets().partition(|secret| secret.receiver == builtin::AGENT);
    let private = Mode::of_secrets(!of_agent.is_empty());
    let mut add = |path: &str, bytes: Vec<u8>, mode| {
        files.insert(path.to_owned(), Artifact { bytes: bytes.into(), mode });
    };
    add(smolfile::PATH, smolfile::lower(plan), private);
    add(agent_env::PATH, agent_env::lower(plan), private);
    add(pipelock::PATH, pipelock::lower(plan), Mode::Shared);
    add(compose::PATH, compose::lower(plan), Mode::of_secrets(!of_bundle.is_empty()));
    git_gate::lower(plan, &mut files);
    supervise::lower(plan, &mut files);
    // Each of the last two speaks of all files before it.
    let private = Mode::of_secrets(!of_agent.is_empty() || !of_bundle.is_empty());
    let json = plan_json::lower(plan, &files, private);
    files.insert(plan_json::PATH.to_owned(), Artifact { bytes: json.into(), mode: private });
    let sums = sums::lower(&files);
    files.insert(sums::PATH.to_owned(), Artifact { bytes: sums.into(), mode: Mode::Shared });
    Stage { slug: plan.slug.clone(), files }
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
