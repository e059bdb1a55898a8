//! The files of a workspace, for the language server.

use std::fs;
use std::path::{Path, PathBuf};

use bottlec::lsp::{DirectoryEntry, Disk};
use bottlec::source::Source;
use ignore::WalkBuilder;

use crate::cli::error::Error;
use crate::cli::load;
use crate::cli::workspace::{Workspace, marked_above, slashed};

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
        load::read_file(&Workspace::at(workspace), &workspace.join(name)).map_err(Error::why)
    }

    fn specs(&self, workspace: &Path) -> Vec<String> {
        let walk = WalkBuilder::new(workspace).require_git(false).build();
        let files = walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
        let names = files.filter_map(|entry| {
            let path = entry.path();
            let is_kdl = path.extension().is_some_and(|end| end == "kdl");
            slashed(path.strip_prefix(workspace).ok()?).filter(|_| is_kdl)
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
