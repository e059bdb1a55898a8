//! The server's access to files, which its owner provides: the server opens none itself.

use std::path::{Path, PathBuf};

use crate::source::Source;

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirectoryEntry {
    /// Its name.
    pub name: String,
    /// Whether it is a directory, perhaps over a link.
    pub is_directory: bool,
}

/// The files of a workspace. Names are paths relative to the workspace, with `/` between their parts.
pub trait Disk: Send + Sync {
    /// The workspace of a file: the directory that the names of its spec's files are relative to.
    fn workspace(&self, file: &Path) -> PathBuf;

    /// Reads the file `name`.
    ///
    /// # Errors
    /// Why it cannot be read, or must not be, for a diagnostic.
    fn read(&self, workspace: &Path, name: &str) -> Result<Source, String>;

    /// The names of the KDL files of a workspace, in order: those that a check of the directory would find. Bounded.
    fn specs(&self, workspace: &Path) -> Vec<String>;

    /// What is in a directory, in order; nothing when it cannot be read. Bounded.
    fn list(&self, directory: &Path) -> Vec<DirectoryEntry>;

    /// The home directory of who edits.
    fn home(&self) -> Option<PathBuf>;
}
