//! Lowering: a plan to the files of a stage, one module an artifact. Each has a struct that mirrors its target format
//! and leaves the writing to serde, so that no text of a spec can become syntax.

pub mod agent_env;
pub mod commands;
pub mod compose;
pub mod git_gate;
pub mod names;
pub mod pipelock;
pub mod plan_json;
pub mod provision;
pub mod shell;
pub mod smolfile;
pub mod supervise;
mod yaml;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::thread;

use crate::plan::Plan;
use crate::world::builtin;

/// The permissions of a file of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 0644: says nothing about secrets.
    Shared,
    /// 0600: names secrets (never holds one).
    Private,
    /// 0755: a program that a sidecar runs.
    Executable,
}

impl Mode {
    /// The permission bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Shared => 0o644,
            Self::Private => 0o600,
            Self::Executable => 0o755,
        }
    }

    /// The mode of a file that names secrets, or does not.
    fn of_secrets(named: bool) -> Self {
        if named { Self::Private } else { Self::Shared }
    }
}

/// One file of a stage, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Who may read it.
    pub mode: Mode,
}

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
    files.insert(smolfile::PATH.to_owned(), Artifact { bytes: smolfile::lower(plan), mode: private });
    files.insert(agent_env::PATH.to_owned(), Artifact { bytes: agent_env::lower(plan), mode: private });
    files.insert(pipelock::PATH.to_owned(), Artifact { bytes: pipelock::lower(plan), mode: Mode::Shared });
    git_gate::lower(plan, &mut files);
    supervise::lower(plan, &mut files);
    let compose = Artifact { bytes: compose::lower(plan), mode: Mode::of_secrets(!of_bundle.is_empty()) };
    files.insert(compose::PATH.to_owned(), compose);
    // `plan.json` comes last: it holds the digest of every other file.
    let json = plan_json::lower(plan, &files);
    let private = Mode::of_secrets(!of_agent.is_empty() || !of_bundle.is_empty());
    files.insert(plan_json::PATH.to_owned(), Artifact { bytes: json, mode: private });
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
    /// The bytes of its `plan.json`.
    #[must_use]
    pub fn plan(&self) -> &[u8] {
        self.files.get(plan_json::PATH).map_or(&[], |file| &file.bytes)
    }
}
