//! Directory walks: from the given paths to the specs that are checked together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bottlec::source::Sources;
use bottlec::{Analysis, Options};
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::error::Error;
use super::load;
use super::workspace::Workspace;

/// Specs that are compiled together, for one host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    /// The specs that were named.
    Named(Vec<PathBuf>),
    /// A spec that was found in a directory: others beside it are for other hosts, or are included by it.
    Found(PathBuf),
}

/// The result of a walk over the given paths.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Named files together, and each spec in a directory by itself, in the order of their paths.
    pub(crate) units: Vec<Unit>,
    /// The directories that were looked through.
    pub(crate) directories: Vec<PathBuf>,
}

/// The units that these paths stand for. What git ignores is left out, and so is what is hidden.
pub(crate) fn units(paths: &[PathBuf]) -> Result<Walked, Error> {
    let mut named = Vec::new();
    let mut found = Vec::new();
    let mut directories = Vec::new();
    for path in paths {
        if path.is_dir() {
            let (mut files, mut passed) = walk(path)?;
            files.sort();
            found.extend(files.into_iter().map(Unit::Found));
            directories.append(&mut passed);
        } else {
            named.push(path.clone());
        }
    }
    let named = (!named.is_empty()).then_some(Unit::Named(named));
    Ok(Walked { units: named.into_iter().chain(found).collect(), directories })
}

/// The KDL files below a directory, and the directories themselves, in no order.
fn walk(path: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Error> {
    let seen = Mutex::new((Vec::new(), Vec::new(), BTreeSet::new()));
    let see = |entry: Result<DirEntry, ignore::Error>| {
        let (files, directories, failed) = &mut *seen.lock().unwrap_or_else(PoisonError::into_inner);
        match entry {
            Ok(entry) => match entry.file_type() {
                Some(kind) if kind.is_dir() => directories.push(entry.into_path()),
                Some(kind) if kind.is_file() && entry.path().extension().is_some_and(|end| end == "kdl") => {
                    files.push(entry.into_path());
                }
                // The walk begins at a link that was named, and follows no other.
                _ if entry.depth() == 0 => directories.push(entry.into_path()),
                _ => {}
            },
            Err(error) => drop(failed.insert(error.to_string())),
        }
        WalkState::Continue
    };
    WalkBuilder::new(path).require_git(false).build_parallel().run(|| Box::new(see));
    let (files, directories, failed) = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    match failed.into_iter().next() {
        Some(reason) => Err(Error::Read { path: path.to_owned(), reason }),
        None => Ok((files, directories)),
    }
}

impl Unit {
    /// Reads it; nothing when it was found and is no spec.
    pub(crate) fn load(&self, stdin: Option<&Path>, options: &Options) -> Result<Option<Analysis>, Error> {
        let mut analysis = self.alone(stdin, options)?;
        if let Some(analysis) = &mut analysis {
            load::includes(&self.workspace(stdin)?, analysis)?;
        }
        Ok(analysis)
    }

    /// Reads it without what it includes; nothing when it was found and is no spec.
    pub(crate) fn alone(&self, stdin: Option<&Path>, options: &Options) -> Result<Option<Analysis>, Error> {
        let sources = load::alone(&self.workspace(stdin)?, self.paths(), stdin)?;
        let analysis = Analysis::new(sources, options.clone());
        let found = matches!(self, Self::Found(_));
        Ok(Some(analysis).filter(|analysis| !found || analysis.is_spec()))
    }

    /// The workspace of its specs.
    pub(crate) fn workspace(&self, stdin: Option<&Path>) -> Result<Workspace, Error> {
        Workspace::of(self.paths(), stdin)
    }

    fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Named(named) => named,
            Self::Found(path) => std::slice::from_ref(path),
        }
    }
}

/// The files that changed since a revision, by their names as sources.
#[derive(Debug)]
pub(crate) struct Changed(pub(crate) BTreeSet<String>);

impl Changed {
    /// Whether one of the sources changed.
    pub(crate) fn touches(&self, sources: &Sources) -> bool {
        sources.iter().any(|(_, source)| self.0.contains(source.name()))
    }
}
