//! Failures of the tool, as opposed to diagnostics about a spec.

use std::io;
use std::path::PathBuf;

use bottlec::format::NotTheSame;
use bottlec::import::ImportError;
use bottlec::report::Unread;
use bottlec::stage::StageError;
use bottlec::text::{quote, quote_path};

/// A failure of the tool, or of a call of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The arguments contradict each other.
    #[error("{0}")]
    Usage(String),
    /// A spec that was named cannot be read.
    #[error("cannot read {}: {reason}", quote_path(path))]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why it was not.
        reason: String,
    },
    /// A file cannot be imported.
    #[error("cannot import {}: {reason}", quote_path(path))]
    Import {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: ImportError,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {reason}", quote_path(path))]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why it was not.
        reason: String,
    },
    /// A file cannot be laid out.
    #[error("cannot lay out {}: {error}", quote(name))]
    Layout {
        /// The file, as a source is named.
        name: String,
        /// Why it was left alone.
        error: NotTheSame,
    },
    /// The stage cannot be read or written.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The host does not say what it was asked for.
    #[error("{0}")]
    Host(String),
    /// The editor ended the conversation in a way that it should not.
    #[error("{0}")]
    Client(String),
    /// Our own output cannot be written.
    #[error("cannot write the output: {}", reason(.0))]
    Output(#[from] io::Error),
}

impl Error {
    /// Why it failed, where the reader knows with what.
    pub(crate) fn why(self) -> String {
        match self {
            Self::Read { path: _, reason } => reason,
            error => error.to_string(),
        }
    }

    /// The file that could not be read, for a report.
    pub(crate) fn unread(&self) -> Option<Unread> {
        let Self::Read { path, reason } = self else { return None };
        Some(Unread { path: path.to_string_lossy().into_owned(), reason: reason.clone() })
    }
}

/// Why a file is not read that is not there.
pub(crate) const ABSENT: &str = "there is no such file";

/// Describes an error of the file system, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => String::from(ABSENT),
        io::ErrorKind::PermissionDenied => String::from("permission denied"),
        io::ErrorKind::IsADirectory => String::from("it is a directory"),
        io::ErrorKind::NotADirectory => String::from("a part of its path is no directory"),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}
