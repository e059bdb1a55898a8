//! Specs of a git revision: `REV:path`, as git itself writes it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use bottlec::source::{Source, Sources};
use bottlec::{Analysis, Options};

use super::error::Error;
use super::git::{Repository, Tree};
use super::load;

/// A revision, seen from the workspace.
#[derive(Debug)]
pub(crate) struct Revision {
    tree: Tree,
    /// The way from the repository's top to the workspace, empty or with `/` at its end.
    prefix: String,
}

/// Reads a spec of a revision, and what it includes there.
pub(crate) fn load(operand: &str, options: &Options) -> Result<Analysis, Error> {
    let (revision, path) = operand.split_once(':').unwrap_or((operand, ""));
    let failed = |reason: String| Error::Read { path: PathBuf::from(operand), reason };
    if revision.is_empty() || revision.starts_with('-') || path.is_empty() {
        return Err(failed(String::from("expected a revision and a path, such as `main:spec.kdl`")));
    }
    let revision = Revision::named(revision).map_err(failed)?;
    // git takes `./x` from here, and `x` from the repository's top.
    let relative = path.starts_with("./") || path.starts_with("../");
    let whole = if relative { format!("{}{path}", revision.prefix) } else { path.to_owned() };
    let mut sources = Sources::new();
    sources.add(revision.read(&whole).map_err(failed)?);
    let mut analysis = Analysis::new(sources, options.clone());
    analysis.follow(|_, target| revision.read(&format!("{}{target}", revision.prefix)));
    Ok(analysis)
}

impl Revision {
    /// The revision of that name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        if name.is_empty() || name.starts_with('-') {
            return Err(String::from("expected a revision, such as `main`"));
        }
        let workspace = load::workspace().map_err(|error| error.to_string())?;
        let workspace = fs::canonicalize(&workspace).unwrap_or(workspace);
        let repository = Repository::around(&workspace)?.ok_or("there is no git repository here")?;
        let prefix = workspace.strip_prefix(repository.top()).ok().and_then(Path::to_str);
        let prefix = match prefix.ok_or("the way from the repository's top to this directory is not UTF-8")? {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        Ok(Self { tree: repository.tree(name)?, prefix })
    }

    /// Reads a file, by its path from the repository's top. Its name is the one that it has from the workspace.
    fn read(&self, path: &str) -> Result<Source, String> {
        let path = normal(path).ok_or("its path leads out of the repository")?;
        let name = load::relative(&Path::new("/").join(&self.prefix), &Path::new("/").join(&path));
        let name = load::slashed(&name).ok_or("its path is not UTF-8")?;
        self.tree.read(&path, &name)?.ok_or_else(|| String::from("there is no such file in that revision"))
    }

    /// Whether one of the sources is not as it is there, or is gone since. What cannot be told has changed.
    pub(crate) fn differs(&self, sources: &Sources) -> bool {
        let before = |name: &str| self.read(&format!("{}{name}", self.prefix));
        sources.iter().any(|(_, now)| {
            before(now.name()).map_or(true, |before| {
                now.too_large().is_some() || (before.bytes(), before.too_large()) != (now.bytes(), None)
            })
        }) || sources.absent().any(|(name, _)| before(name).is_ok())
    }
}

/// A path without `.` and `..`; none when it leads above the top.
fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(parts.join("/"))
}
