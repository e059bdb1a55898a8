//! Errors of stages on disk; each message says what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::lower::plan_json;
use crate::text::{quote, quote_path};

/// One way in which a stage on disk is not what it should be. Paths are relative to the stage; `.` is the stage itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// There is no stage at all.
    NoStage,
    /// A file or directory is not there.
    Missing(PathBuf),
    /// A file or directory that does not belong there.
    Added(PathBuf),
    /// A file holds other bytes, or cannot be read.
    Changed(PathBuf),
    /// A directory, link or special file where a file should be, or the reverse.
    KindChanged(PathBuf),
    /// Other permissions.
    ModeChanged {
        /// Whose.
        path: PathBuf,
        /// The bits it should have.
        expected: u32,
        /// The bits it has.
        found: u32,
    },
    /// The plan is of a bottle with another name than the stage's directory has.
    OtherBottle {
        /// The name in the plan.
        slug: String,
    },
    /// What keeps the agent to its bundle says what no compile writes, or not what every compile writes.
    Confinement {
        /// The file.
        path: &'static str,
        /// A phrase that goes on after its name.
        what: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStage => f.write_str("there is no stage"),
            Self::Missing(path) => write!(f, "{} is missing", quote_path(path)),
            Self::Added(path) => write!(f, "{} was added", quote_path(path)),
            Self::Changed(path) => write!(f, "{} was changed", quote_path(path)),
            Self::KindChanged(path) => {
                write!(f, "{} is no longer what it was: another kind of file", quote_path(path))
            }
            Self::ModeChanged { path, expected, found } => {
                write!(f, "{} has mode {found:04o} instead of {expected:04o}", quote_path(path))
            }
            Self::OtherBottle { slug } => write!(f, "`plan.json` is of the bottle {}", quote(slug)),
            Self::Confinement { path, what } => write!(f, "`{path}` {what}"),
        }
    }
}

/// A stage that somebody edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedStage {
    /// Its directory.
    pub path: PathBuf,
    /// What was done to it, in order.
    pub differences: Vec<Difference>,
}

/// Why a stage could not be read or written. Each message is one line (a list follows [`StageError::Edited`]'s) that
/// says what to do; after any of them but [`StageError::NotUndone`] the old stages are as they were.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The operating system refused. Its reason is part of the message, so it is not a `source` as well.
    #[error("cannot {action} {}: {}{}", quote_path(path), reason_text(reason), advice(reason))]
    Io {
        /// What was tried: a verb.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Something that is written through or into is a symbolic link.
    #[error(
        "{} is a symbolic link, which could lead out of the project: remove it, or name the directory it points at",
        quote_path(path)
    )]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// The output directory is something else.
    #[error("{} is not a directory: choose another output directory, or remove it", quote_path(path))]
    NotADirectory {
        /// What is there.
        path: PathBuf,
    },
    /// Something that no compile wrote is in a stage's place.
    #[error(
        "{} is not a stage that bottlec wrote, so it is not replaced: move it away or remove it yourself",
        quote_path(path)
    )]
    Foreign {
        /// What is there.
        path: PathBuf,
    },
    /// A stage was written by a bottlec whose stages are of another format.
    #[error(
        "{} is a stage of format {format}, and this bottlec writes format {known}: replace it with `--force`",
        quote_path(path), known = plan_json::FORMAT
    )]
    OtherFormat {
        /// The stage's directory.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// A name that bottlec keeps for itself is taken by something else.
    #[error(
        "{} is not what bottlec keeps under that name: move it away or remove it yourself",
        quote_path(path)
    )]
    Reserved {
        /// What is there.
        path: PathBuf,
    },
    /// Stages were edited by hand.
    #[error("{}", edited_text(stages))]
    Edited {
        /// Every one of them.
        stages: Vec<EditedStage>,
    },
    /// There is more than any stage has.
    #[error(
        "{} holds {what}, more than any stage: look what it is, then move it away or remove it yourself",
        quote_path(path)
    )]
    TooLarge {
        /// The stage's directory.
        path: PathBuf,
        /// Of what.
        what: &'static str,
    },
    /// Another process writes into the same output directory.
    #[error(
        "another bottlec has been writing into {} for {seconds} s: wait until it ends, or end it",
        quote_path(path)
    )]
    Busy {
        /// The output directory.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The file system does not keep permissions.
    #[error(
        "{} should have mode {expected:04o} and got {found:04o}: its file system keeps no permissions, \
         choose an output directory on another one",
        quote_path(path)
    )]
    ModeNotKept {
        /// Whose.
        path: PathBuf,
        /// The bits it should have.
        expected: u32,
        /// The bits it got.
        found: u32,
    },
    /// Swapping failed, and then so did undoing it: the one case where an old stage is not in its place.
    #[error(
        "{cause}; old stages that could not be put back are kept in {}: move them back yourself",
        quote_path(kept)
    )]
    NotUndone {
        /// What failed first.
        cause: Box<StageError>,
        /// Where they are.
        kept: PathBuf,
    },
    /// What the compiler gave is no stage: a mistake of ours.
    #[error("internal error: stage {}: {reason}", quote(slug))]
    Invalid {
        /// The stage.
        slug: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl StageError {
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>, reason: impl Into<io::Error>) -> Self {
        Self::Io { action, path: path.into(), reason: reason.into() }
    }

    pub(super) fn invalid(slug: &str, reason: impl Into<String>) -> Self {
        Self::Invalid { slug: slug.to_owned(), reason: reason.into() }
    }
}

/// The system's words without its number, in lower case.
fn reason_text(reason: &io::Error) -> String {
    let text = reason.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

fn advice(reason: &io::Error) -> &'static str {
    match reason.kind() {
        io::ErrorKind::PermissionDenied => ": make it accessible to you, or choose another output directory",
        io::ErrorKind::ReadOnlyFilesystem => {
            ": choose an output directory on a file system that can be written"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": free some space, nothing was replaced"
        }
        io::ErrorKind::CrossesDevices => {
            ": it lies on another file system or image layer, move it away or remove it yourself"
        }
        _ => "",
    }
}

fn edited_text(stages: &[EditedStage]) -> String {
    use std::fmt::Write as _;

    let mut text = String::new();
    for stage in stages {
        let _ = writeln!(text, "{} was edited since it was written:", quote_path(&stage.path));
        for difference in &stage.differences {
            let _ = writeln!(text, "  {difference}");
        }
    }
    text.push_str("keep what you need somewhere else, then build again with `--force`");
    text
}
