//! A file of a stage, in memory.

use std::ops::Deref;
use std::sync::OnceLock;

use crate::digest::sha256_hex;

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

    /// The bits in octal, as `plan.json` has them.
    #[must_use]
    pub fn octal(self) -> &'static str {
        match self {
            Self::Shared => "0644",
            Self::Private => "0600",
            Self::Executable => "0755",
        }
    }

    /// The mode with these bits in octal.
    #[must_use]
    pub fn of_octal(text: &str) -> Option<Self> {
        [Self::Shared, Self::Private, Self::Executable].into_iter().find(|mode| mode.octal() == text)
    }

    /// The mode of a file that names secrets, or does not.
    pub(crate) fn of_secrets(named: bool) -> Self {
        if named { Self::Private } else { Self::Shared }
    }
}

/// One file of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// What it holds.
    pub bytes: Bytes,
    /// Who may read it.
    pub mode: Mode,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub enum Bytes {
    /// The same in every stage that has the file: neither copied nor digested for each.
    Constant(&'static Constant),
    /// Made for one stage.
    Made(Vec<u8>),
}

/// A text that is the same in every stage that has it.
#[derive(Debug)]
pub struct Constant {
    text: &'static str,
    sha256: OnceLock<String>,
}

impl Constant {
    /// The text.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self { text, sha256: OnceLock::new() }
    }
}

impl Bytes {
    /// The SHA-256, 64 lower-case hex digits. That of a constant is computed once.
    #[must_use]
    pub fn sha256(&self) -> String {
        match self {
            Self::Constant(Constant { text, sha256 }) => {
                sha256.get_or_init(|| sha256_hex(text.as_bytes())).clone()
            }
            Self::Made(bytes) => sha256_hex(bytes),
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Constant(constant) => constant.text.as_bytes(),
            Self::Made(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Made(bytes)
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Self::Made(text.into_bytes())
    }
}

impl From<&'static Constant> for Bytes {
    fn from(constant: &'static Constant) -> Self {
        Self::Constant(constant)
    }
}
