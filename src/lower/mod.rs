//! Lowering: one file an artifact.

use std::collections::BTreeMap;

/// Who may read a file of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 0644: says nothing about secrets.
    Shared,
    /// 0600: names secrets (never holds one).
    Private,
}

impl Mode {
    /// The permission bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Shared => 0o644,
            Self::Private => 0o600,
        }
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
