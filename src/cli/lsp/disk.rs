//! The files of a workspace, for the language server.

use std::fs;
use std::path::{Path, PathBuf};

use bottlec::lsp::{DirectoryEntry, Disk};
use bottlec::source::Source;

use crate::cli::workspace::{Workspace, marked_above, slashed};
use crate::cli::{load, walk};

/// How many specs of a workspace are looked at, and how many entries of a directory are offered.
const MAX_SPECS: usize = 4096;
const MAX_ENTRIES: usize = 4096;

/// The real ones.
pub(super) struct Folders;

impl Disk for Folders {
    fn workspace(&self, file: &Path) -> PathBuf {
        let directory = file.parent().unwrap_or(file);
        marked_above(directory).unwrap_or(directory).to_owned()
    }

    fn read(&self, workspace: &Path, name: &str) -> Result<Source, String> {
        load::read_file(&Workspace::at(workspace), &workspace.join(name)).map(|(source, _)| source)
    }

    fn specs(&self, workspace: &Path) -> Vec<String> {
        let found = walk::walker(workspace, true).build();
        let files = found.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
        let names = files.filter_map(|entry| {
            let path = entry.path();
            slashed(path.strip_prefix(workspace).ok()?).filter(|_| walk::is_kdl(path))
        });
        let mut names: Vec<String> = names.take(MAX_SPECS).collect();
        names.sort();
        names
    }

    fn list(&self, directory: &Path) -> Vec<DirectoryEntry> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let entries = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_directory = fs::metadata(entry.path()).is_ok_and(|meta| meta.is_dir());
            Some(DirectoryEntry { name, is_directory })
        });
        let mut entries: Vec<DirectoryEntry> = entries.take(MAX_ENTRIES).collect();
        entries.sort();
        entries
    }

    fn home(&self) -> Option<PathBuf> {
        std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
    }
}
