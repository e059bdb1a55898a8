//! What an agent's machine may be given of its host: sizes, and the places of its own that a volume may stand at.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container::mebibytes;

/// The most processors that the engine takes: it counts them in a byte (run, 1.4.0 to 1.32.2).
pub const MAX_CPUS: u32 = 255;

/// Memory, in MiB, as the engine counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Mebibytes(pub u32);

impl Mebibytes {
    /// The least that the engine takes (run, 1.4.0 to 1.32.2).
    pub const LEAST: Self = Self(64);
    /// The most that a spec may ask for: 1 TiB.
    pub const MOST: Self = Self(1024 * 1024);
    /// What the engine gives a machine that asks for nothing.
    pub const DEFAULT: Self = Self(8192);
}

/// `512MiB`, or `2GiB` where it is whole.
impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1024) {
            write!(f, "{}GiB", self.0 / 1024)
        } else {
            write!(f, "{}MiB", self.0)
        }
    }
}

/// A disk's size, in GiB, as the engine counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Gibibytes(pub u32);

impl Gibibytes {
    /// The least that the engine takes (run, 1.4.0 to 1.32.2).
    pub const LEAST: Self = Self(1);
    /// The most that a spec may ask for: 16 TiB, which is all that the disk's file system can hold.
    pub const MOST: Self = Self(16 * 1024);
}

/// `40GiB`.
impl fmt::Display for Gibibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}GiB", self.0)
    }
}

/// A size in GiB, from a text such as `40GiB`.
#[must_use]
pub fn gibibytes(text: &str) -> Option<Gibibytes> {
    mebibytes(text).filter(|_| text.ends_with("GiB")).map(|size| Gibibytes(size / 1024))
}

/// The processors that the engine gives a machine that asks for nothing.
pub const DEFAULT_CPUS: u8 = 4;

/// Directories of the machine that nothing is shown at, nor below: without what it has there, it does not start, or is
/// another one than the stage says. What a launcher copies into it lies in `/etc`.
const KEPT: &[&str] =
    &["boot", "bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys"];
/// Those that hold more than one thing: a directory below them may be shown.
const SHARED: &[&str] = &["home", "root", "usr", "var"];
/// Those below `/usr` that are as those at the top.
const KEPT_OF_USR: &[&str] = &["bin", "lib", "lib32", "lib64", "libexec", "libx32", "sbin"];

/// Why nothing of the host is shown at an absolute path of the machine, as the end of a sentence; nothing where it may be.
#[must_use]
pub fn kept(path: &str) -> Option<&'static str> {
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
    match steps.as_slice() {
        [] => Some("is the whole of the machine"),
        ["usr", below, ..] if KEPT_OF_USR.contains(below) => Some("lies among programs of the machine's own"),
        ["var", "run", ..] => Some("lies in what the machine is run by"),
        [first, ..] if KEPT.contains(first) => Some("lies in what the machine is run and set up by"),
        [only] if SHARED.contains(only) => Some("holds more of the machine than one thing"),
        _ => None,
    }
}

/// Why no file of a program's is written to an absolute path of the machine, as the end of a sentence; nothing where one
/// may be. `/etc` is written to, in the directories of programs.
#[must_use]
pub fn unwritable(path: &str) -> Option<&'static str> {
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
    match steps.as_slice() {
        ["etc", "bottle", _, ..] => Some("lies in the directory of what is brought into every machine"),
        ["etc", _, _, ..] => None,
        ["etc", ..] | [_] => Some("is no file of one program's"),
        _ => kept(path),
    }
}
