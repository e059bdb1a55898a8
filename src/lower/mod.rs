//! Lowering: a plan to the files that every backend has, one module an artifact. Each has a struct that mirrors its
//! target format and leaves the writing to serde, so that no text of a spec can become syntax.

pub mod agent_env;
mod artifact;
pub mod broker;
mod draft;
pub mod git_gate;
pub mod mcp;
pub mod pipelock;
pub mod plan_json;
mod recorder;
pub mod shell;
pub mod sums;
pub mod supervise;
pub mod trust;
mod yaml;

use std::collections::BTreeMap;

pub use artifact::{Artifact, Bytes, Constant, Mode};
pub(crate) use draft::{Draft, Markup};
pub use draft::{Parts, Provenance};
pub use recorder::{Path, Places, Step};

/// Everything that one bottle compiles to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The bottle's name, which is the name of the stage's directory.
    pub slug: String,
    /// Path in the stage, with `/` between its parts, to the file.
    pub files: BTreeMap<String, Artifact>,
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
