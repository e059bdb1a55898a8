//! From the paths that were named to the specs that are checked together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bottlec::diagnostic::Diagnostics;
use bottlec::source::{Source, Sources};
use bottlec::{spec, syntax};
use ignore::WalkBuilder;

use super::error::Error;
use super::load;

/// What is compiled together: for one host.
#[derive(Debug)]
pub(crate) enum Unit {
    /// The specs that were named.
    Named(Vec<PathBuf>),
    /// A spec that was found in a directory: others beside it are for other hosts, or are included by it.
    Found(PathBuf),
}

/// The units that these paths stand for: named files together, and each spec in a directory by itself. What git ignores is
/// left out, and so is what is hidden. In the order of their paths.
pub(crate) fn units(paths: &[PathBuf]) -> Result<Vec<Unit>, Error> {
    let mut named = Vec::new();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut walk: Vec<PathBuf> = Vec::new();
            for entry in WalkBuilder::new(path).require_git(false).build() {
                let entry =
                    entry.map_err(|error| Error::Read { path: path.clone(), reason: error.to_string() })?;
                let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
                if is_file && entry.path().extension().is_some_and(|end| end == "kdl") {
                    walk.push(entry.into_path());
                }
            }
            walk.sort();
            found.extend(walk.into_iter().map(Unit::Found));
        } else {
            named.push(path.clone());
        }
    }
    let named = (!named.is_empty()).then_some(Unit::Named(named));
    Ok(named.into_iter().chain(found).collect())
}

impl Unit {
    /// Reads it; nothing when it was found and is no spec.
    pub(crate) fn load(&self, stdin: Option<&Path>) -> Result<Option<Sources>, Error> {
        match self {
            Self::Named(named) => load::load_as(named, stdin).map(Some),
            Self::Found(path) => {
                let Some(mut sources) = found(path)? else { return Ok(None) };
                load::reload_includes(&mut sources)?;
                Ok(Some(sources))
            }
        }
    }

    /// Reads it without what it includes; nothing when it was found and is no spec.
    pub(crate) fn alone(&self, stdin: Option<&Path>) -> Result<Option<Sources>, Error> {
        match self {
            Self::Named(named) => load::alone(named, stdin).map(Some),
            Self::Found(path) => found(path),
        }
    }
}

fn found(path: &PathBuf) -> Result<Option<Sources>, Error> {
    let sources = load::alone(std::slice::from_ref(path), None)?;
    let is_one = sources.roots().first().is_some_and(|id| is_spec(sources.get(*id)));
    Ok(is_one.then_some(sources))
}

/// Whether a file that was found is a spec: other programs' configurations are KDL, too.
fn is_spec(source: &Source) -> bool {
    let id = Sources::new().add(Source::new(source.name(), ""));
    spec::is_spec(source, &syntax::parse(id, source, &mut Diagnostics::new()))
}

/// The files that changed since a revision, by their names as sources.
#[derive(Debug)]
pub(crate) struct Changed(pub(crate) BTreeSet<String>);

impl Changed {
    /// Whether a source is one of them.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}
