//! The workspace: what the specs of one compile belong to, wherever `bottlec` was started.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use bottlec::text::quote_path;
use bottlec::world::handed_over::STAGES;

use super::error::{Error, reason};

/// What git keeps a repository in, which makes the directory around it a workspace.
pub(crate) const GIT: &str = ".git";
/// What makes a directory a workspace where there is no git, or within a repository: an empty file or directory.
pub(crate) const MARKER: &str = ".bottlec";

/// The directory that a spec belongs to: the nearest above it with a marker in it, else its own. Includes do
/// not lead out of it, a stage calls its sources as they are called from there, and stages are made there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Workspace {
    /// Absolute, without links.
    root: PathBuf,
}

impl Workspace {
    /// The one that all of the specs belong to. Standard input is taken for the file `stdin`, else for one of the
    /// working directory.
    pub(crate) fn of(specs: &[PathBuf], stdin: Option<&Path>) -> Result<Self, Error> {
        let own = |spec: &Path| match (spec.as_os_str() == "-", stdin) {
            (true, None) => Ok(Self::above(&here()?)),
            (true, Some(name)) => Self::of_file(name),
            (false, _) => Self::of_file(spec),
        };
        let [first, others @ ..] = specs else { return Ok(Self::above(&here()?)) };
        let shared = own(first)?;
        for spec in others {
            if own(spec)? != shared {
                return Err(Error::Usage(format!(
                    "{} and {} belong to two workspaces: compile each by itself, or put an empty `{MARKER}` into the \
                     directory that is to be the workspace of both",
                    quote_path(first),
                    quote_path(spec),
                )));
            }
        }
        Ok(shared)
    }

    fn of_file(file: &Path) -> Result<Self, Error> {
        let full = here()?.join(file);
        let directory = full.parent().unwrap_or(Path::new("/"));
        // What goes up goes by what is on the disk, as opening it does: `link/../x.kdl` is a file beside the link's
        // target. Other links count as what they are called: one that leads out of the workspace is not followed.
        if directory.components().any(|part| part == Component::ParentDir) {
            return Ok(Self::above(&real(directory)));
        }
        Ok(Self::above(directory))
    }

    /// The one that an absolute directory lies in.
    pub(crate) fn above(directory: &Path) -> Self {
        Self { root: real(marked_above(directory).unwrap_or(directory)) }
    }

    /// One that is known to be one.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: real(root) }
    }

    /// Its directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where stages are made: in `out`, or the workspace's own directory of them, as seen from here.
    pub(crate) fn stages(&self, out: Option<&Path>) -> Result<PathBuf, Error> {
        match out {
            Some(out) => Ok(out.to_owned()),
            None => Ok(relative(&here()?, &self.root.join(STAGES))),
        }
    }

    /// The way from a stage's directory in `out` to the workspace, with `/` between its parts.
    pub(crate) fn way_from_stage(&self, out: &Path) -> Result<String, Error> {
        let from = real(&here()?.join(out)).join("slug");
        slashed(&relative(&from, &self.root)).ok_or_else(|| {
            let reason = String::from("the way from there to the specs is not UTF-8, and a plan holds it");
            Error::Write { path: out.to_owned(), reason }
        })
    }

    /// The way from the working directory to the workspace, with `/` between its parts.
    pub(crate) fn way_from_here(&self) -> Result<String, Error> {
        slashed(&relative(&here()?, &self.root)).ok_or_else(|| {
            let reason = String::from("the way to it is not UTF-8");
            Error::Read { path: self.root.clone(), reason }
        })
    }
}

/// The nearest directory with a marker, this one or one above it.
pub(crate) fn marked_above(directory: &Path) -> Option<&Path> {
    let marked =
        |at: &&Path| [GIT, MARKER].iter().any(|marker| fs::symlink_metadata(at.join(marker)).is_ok());
    directory.ancestors().find(marked)
}

/// The working directory.
pub(crate) fn here() -> Result<PathBuf, Error> {
    std::env::current_dir().map_err(|error| Error::Read { path: PathBuf::from("."), reason: reason(&error) })
}

/// The way from one absolute directory to another path, without looking at the disk.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to) = (normal(from), normal(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(common).map(|_| OsStr::new(".."));
    up.chain(to.iter().skip(common).copied()).collect()
}

/// The parts of an absolute path without `.` and `..`.
fn normal(path: &Path) -> Vec<&OsStr> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                parts.pop();
            }
            Component::Normal(part) => parts.push(part),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts
}

/// A relative path with `/` between its parts; none when it is not UTF-8.
pub(crate) fn slashed(path: &Path) -> Option<String> {
    let parts: Vec<&str> = path.iter().map(OsStr::to_str).collect::<Option<_>>()?;
    Some(if parts.is_empty() { String::from(".") } else { parts.join("/") })
}

/// The path with the links of its existing part followed: `..` in an argument goes by what is on the disk.
pub(crate) fn real(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (fs::canonicalize(ancestor), path.strip_prefix(ancestor)) {
            return real.join(rest);
        }
    }
    path.to_owned()
}
