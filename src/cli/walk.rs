//! Directory walks: from the given paths to the specs that are checked together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bottlec::text::counted;
use bottlec::{Analysis, Options};
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::error::{Error, reason};
use super::git::Repository;
use super::load;
use super::workspace::{GIT, Workspace};

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
    /// What was left out.
    pub(crate) skipped: Skipped,
    /// The directories that could not be read.
    pub(crate) failed: Vec<Error>,
}

/// What a walk left out of what it came by.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// KDL files that git ignores, and does not track.
    files: usize,
    /// Directories that git ignores. What it tracks in them is not left out.
    directories: usize,
    /// Links that are named as KDL files are: what they lead to is found where it is.
    links: usize,
    /// Why git does not say what it tracks, which is why nothing that it ignores was left out.
    unasked: Option<String>,
}

/// The units that these paths stand for. What git ignores is left out, unless it is tracked.
pub(crate) fn units(paths: &[PathBuf]) -> Walked {
    let mut named = Vec::new();
    let mut walked = Walked::default();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut walked);
        } else {
            named.push(path.clone());
        }
    }
    if !named.is_empty() {
        walked.units.insert(0, Unit::Named(named));
    }
    walked
}

/// The paths that arguments mean: without any, the working directory, or standard input if that is given a name.
pub(crate) fn asked(paths: &[PathBuf], stdin: Option<&Path>) -> Result<Vec<PathBuf>, Error> {
    match (paths, stdin) {
        ([], None) => Ok(vec![PathBuf::from(".")]),
        ([], Some(_)) => Ok(vec![PathBuf::from("-")]),
        (paths, Some(_)) if paths.iter().all(|path| path.as_os_str() != "-") => {
            Err(Error::Usage(String::from(
                "`--stdin-filename` is the name of standard input: name no other file, or `-` as well",
            )))
        }
        (paths, _) => Ok(paths.to_vec()),
    }
}

/// Whether a file is named as KDL files are.
pub(crate) fn is_kdl(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("kdl"))
}

/// A walk by git's own rules: what is hidden is looked through, but for git's own directory. With `ignore`, what git
/// ignores is not.
pub(crate) fn walker(path: &Path, ignore: bool) -> WalkBuilder {
    let mut walker = WalkBuilder::new(path);
    walker.standard_filters(ignore).hidden(false).ignore(false).require_git(false);
    walker.filter_entry(|entry| entry.file_name() != GIT);
    walker
}

/// Adds the KDL files below a directory, and the directories themselves.
fn walk(path: &Path, walked: &mut Walked) {
    let tracked = tracked(path);
    let seen = Mutex::new((BTreeSet::new(), BTreeSet::new(), BTreeMap::new()));
    let see = |entry: Result<DirEntry, ignore::Error>| {
        let (files, directories, failed) = &mut *seen.lock().unwrap_or_else(PoisonError::into_inner);
        match entry {
            Ok(entry) => match entry.file_type() {
                Some(kind) if kind.is_dir() => drop(directories.insert(entry.into_path())),
                Some(kind) if kind.is_file() && is_kdl(entry.path()) => drop(files.insert(entry.into_path())),
                // The walk begins at a link that was named, and follows no other.
                _ if entry.depth() == 0 => drop(directories.insert(entry.into_path())),
                _ => {}
            },
            Err(error) => {
                let (at, why) = told(&error, path);
                failed.insert(at, why);
            }
        }
        WalkState::Continue
    };
    walker(path, tracked.is_ok()).build_parallel().run(|| Box::new(see));
    let (mut files, mut directories, failed) = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    walked.failed.extend(failed.into_iter().map(|(path, reason)| Error::Read { path, reason }));
    match tracked {
        Ok(tracked) => {
            walked.skipped.count(&files, &directories, &tracked);
            for file in tracked {
                directories.extend(file.parent().map(Path::to_owned));
                files.insert(file);
            }
        }
        Err(why) => walked.skipped.unasked = Some(why),
    }
    walked.units.extend(files.into_iter().map(Unit::Found));
    walked.directories.extend(directories);
}

/// What could not be walked through, and why.
fn told(error: &ignore::Error, root: &Path) -> (PathBuf, String) {
    match error {
        ignore::Error::WithDepth { err, depth: _ } => told(err, root),
        ignore::Error::WithPath { path, err } => told(err, path),
        ignore::Error::Io(error) => (root.to_owned(), reason(error)),
        error => (root.to_owned(), error.to_string()),
    }
}

/// The KDL files below a directory that git tracks, and that are there; none outside of a repository.
fn tracked(directory: &Path) -> Result<BTreeSet<PathBuf>, String> {
    let real = fs::canonicalize(directory).map_err(|error| error.to_string())?;
    let Some(repository) = Repository::around(&real)? else { return Ok(BTreeSet::new()) };
    let way = real.strip_prefix(repository.top()).unwrap_or(Path::new(""));
    let found = repository.tracked(|path| is_kdl(path) && path.starts_with(way))?;
    let found = found.iter().filter_map(|path| Some(directory.join(path.strip_prefix(way).ok()?)));
    Ok(found.filter(|path| path.symlink_metadata().is_ok_and(|meta| meta.is_file())).collect())
}

impl Skipped {
    /// Counts what lies in these directories and was not seen.
    fn count(
        &mut self,
        files: &BTreeSet<PathBuf>,
        directories: &BTreeSet<PathBuf>,
        tracked: &BTreeSet<PathBuf>,
    ) {
        for directory in directories {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let Ok(kind) = entry.file_type() else { continue };
                let path = entry.path();
                if kind.is_dir() {
                    self.directories += usize::from(entry.file_name() != GIT && !directories.contains(&path));
                } else if is_kdl(&path) && !files.contains(&path) && !tracked.contains(&path) {
                    self.links += usize::from(kind.is_symlink());
                    self.files += usize::from(kind.is_file());
                }
            }
        }
    }

    /// What is to be said of it: a line, or nothing.
    pub(crate) fn said(&self) -> String {
        let Self { files, directories, links, unasked } = self;
        if let Some(why) = unasked {
            return format!("what git ignores was looked through, too: {why}\n");
        }
        let ignored = [(*files, "KDL file", "KDL files"), (*directories, "directory", "directories")];
        let ignored =
            ignored.into_iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| counted(n, one, many));
        let ignored = ignored.collect::<Vec<_>>().join(" and ");
        let links = (*links > 0)
            .then(|| counted(*links, "link, which is not followed", "links, which are not followed"));
        let ignored = (!ignored.is_empty()).then(|| format!("{ignored} that git ignores"));
        let all: Vec<String> = ignored.into_iter().chain(links).collect();
        if all.is_empty() { String::new() } else { format!("skipped: {}\n", all.join(", ")) }
    }
}

impl Unit {
    /// Reads it, and says which workspace it belongs to; nothing when it was found and is no spec.
    pub(crate) fn load(
        &self,
        stdin: Option<&Path>,
        options: &Options,
    ) -> Result<Option<(Workspace, Analysis)>, Error> {
        let Some((workspace, mut analysis)) = self.alone(stdin, options)? else { return Ok(None) };
        load::includes(&workspace, &mut analysis)?;
        Ok(Some((workspace, analysis)))
    }

    /// The same without what it includes.
    pub(crate) fn alone(
        &self,
        stdin: Option<&Path>,
        options: &Options,
    ) -> Result<Option<(Workspace, Analysis)>, Error> {
        let (paths, found) = match self {
            Self::Named(named) => (named.as_slice(), false),
            Self::Found(path) => (std::slice::from_ref(path), true),
        };
        let workspace = Workspace::of(paths, stdin)?;
        let analysis = Analysis::new(load::alone(&workspace, paths, stdin)?, options.clone());
        let is_one = !found || analysis.is_spec();
        Ok(is_one.then_some((workspace, analysis)))
    }
}
