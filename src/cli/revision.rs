//! Specs of a git revision: `REV:path`, as git itself writes it.

use std::path::{Path, PathBuf};

use bottlec::source::{Source, Sources};
use bottlec::{Analysis, Options};

use super::error::Error;
use super::git::{Repository, Tree};
use super::load::named;
use super::workspace::{MARKER, Workspace, here, relative, slashed};

/// A revision of the repository that the working directory is in.
#[derive(Debug)]
pub(crate) struct Revision {
    tree: Tree,
    /// The repository's top.
    top: PathBuf,
}

/// Reads a spec of a revision, and what it includes there. The options are those of its workspace.
pub(crate) fn load(
    operand: &str,
    options: impl FnOnce(&Workspace) -> Result<Options, Error>,
) -> Result<Analysis, Error> {
    let (revision, path) = operand.split_once(':').unwrap_or((operand, ""));
    let failed = |reason: String| Error::Read { path: PathBuf::from(operand), reason };
    if revision.is_empty() || revision.starts_with('-') || path.is_empty() {
        return Err(failed(String::from("expected a revision and a path, such as `main:spec.kdl`")));
    }
    let revision = Revision::named(revision).map_err(failed)?;
    // git takes `./x` from here, and `x` from the repository's top.
    let here = here()?;
    let from = if path.starts_with("./") || path.starts_with("../") { &here } else { &revision.top };
    let file = from.join(path);
    let workspace = revision.workspace(&file).map_err(failed)?;
    let read = |place: &str| {
        let source = revision.read(&workspace.root().join(place), place)?;
        let source = source.ok_or_else(|| String::from("there is no such file in that revision"))?;
        Ok(named(source, &here, &workspace))
    };
    let place = slashed(&relative(workspace.root(), &file));
    let place = place.ok_or_else(|| failed(String::from("its path is not UTF-8")))?;
    let mut sources = Sources::new();
    sources.add(read(&place).map_err(failed)?);
    let mut analysis = Analysis::new(sources, options(&workspace)?);
    analysis.follow(read);
    Ok(analysis)
}

impl Revision {
    /// The revision of that name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        if name.is_empty() || name.starts_with('-') {
            return Err(String::from("expected a revision, such as `main`"));
        }
        let here = here().map_err(Error::why)?;
        let repository = Repository::around(&here)?.ok_or("there is no git repository here")?;
        Ok(Self { tree: repository.tree(name)?, top: repository.top().to_owned() })
    }

    /// Reads the file at an absolute path, which lies at that place of its workspace; nothing when it was not there.
    fn read(&self, path: &Path, place: &str) -> Result<Option<Source>, String> {
        let path = slashed(&relative(&self.top, path)).ok_or("its path is not UTF-8")?;
        if path == ".." || path.starts_with("../") {
            return Err(String::from("its path leads out of the repository"));
        }
        self.tree.read(&path, place)
    }

    /// The workspace that a file had then: the nearest directory above it with a marker of ours, else the whole
    /// repository.
    fn workspace(&self, file: &Path) -> Result<Workspace, String> {
        let way = relative(&self.top, file);
        for directory in way.ancestors().skip(1) {
            let directory = self.top.join(directory);
            if self.read(&directory.join(MARKER), MARKER)?.is_some() {
                return Ok(Workspace::at(&directory));
            }
        }
        Ok(Workspace::at(&self.top))
    }

    /// Whether one of the sources is not as it is there, or is gone since. What cannot be told has changed.
    pub(crate) fn differs(&self, workspace: &Workspace, sources: &Sources) -> bool {
        let before = |place: &str| self.read(&workspace.root().join(place), place);
        sources.files().any(|(_, now)| {
            let Ok(Some(before)) = before(now.place()) else { return true };
            now.too_large().is_some() || (before.bytes(), before.too_large()) != (now.bytes(), None)
        }) || sources.absent().any(|(place, _)| before(place).is_ok_and(|before| before.is_some()))
    }
}
