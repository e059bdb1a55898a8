//! Specs and their includes, read from disk or standard input.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use bottlec::source::{MAX_SOURCE_BYTES, Source, Sources};
use bottlec::{Analysis, Options};

use super::error::{Error, reason};
use super::regular::{self, Identity, within};

/// The name of standard input among the sources.
const STDIN: &str = "<stdin>";

/// Reads the specs and what they include.
pub(crate) fn load(specs: &[PathBuf], options: &Options) -> Result<Analysis, Error> {
    let mut analysis = Analysis::new(alone(specs, None)?, options.clone());
    load_includes(&mut analysis)?;
    Ok(analysis)
}

/// Reads the specs, and nothing that they include. Standard input is taken for the file `stdin`, which need not be there.
pub(crate) fn alone(specs: &[PathBuf], stdin: Option<&Path>) -> Result<Sources, Error> {
    let workspace = workspace()?;
    let mut sources = Sources::new();
    let mut heard = false;
    let mut known = BTreeSet::new();
    for spec in specs {
        if spec.as_os_str() == "-" {
            if !heard {
                let name = stdin.map_or(Ok(STDIN.to_owned()), |stdin| name_of(&workspace, stdin))?;
                sources.add(read(io::stdin().lock(), name, 0).map_err(|e| unreadable(spec, &e))?);
                heard = true;
            }
            continue;
        }
        let name = name_of(&workspace, spec)?;
        if name == STDIN {
            let reason = String::from("that is what standard input is called: give it another name");
            return Err(Error::Read { path: spec.clone(), reason });
        }
        // Naming a file twice is no second file, also when it has two names.
        if sources.by_name(&name).is_none() {
            let refused = |why: String| {
                let advice = match why.as_str() {
                    regular::DIRECTORY => ": name the specs in it",
                    regular::NO_FILE => ": write `-` and give it as standard input",
                    _ => "",
                };
                Error::Read { path: spec.clone(), reason: format!("{why}{advice}") }
            };
            let real = admitted(&workspace, spec, &name).map_err(refused)?;
            let (source, identity) = read_regular(&real, name).map_err(refused)?;
            if known.insert(identity) {
                sources.add(source);
            }
        }
    }
    Ok(sources)
}

/// Reads what the specs include, and was not read so far.
pub(crate) fn load_includes(analysis: &mut Analysis) -> Result<(), Error> {
    let workspace = workspace()?;
    analysis.follow(|from, target| read_included(&workspace, from, target));
    Ok(())
}

/// Returns the path of a source that was read from disk: the file itself, when its name is a link to it.
pub(crate) fn path_of(source: &Source) -> Result<PathBuf, Error> {
    let path = workspace()?.join(source.name());
    fs::canonicalize(&path).map_err(|error| unreadable(&path, &error))
}

/// Whether a source was read from standard input, and from no file.
pub(crate) fn is_stdin(source: &Source) -> bool {
    source.name() == STDIN
}

/// The directory that names are relative to.
pub(crate) fn workspace() -> Result<PathBuf, Error> {
    std::env::current_dir().map_err(|error| Error::Read { path: PathBuf::from("."), reason: reason(&error) })
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Read { path: path.to_owned(), reason: reason(error) }
}

/// The file that a path leads to, which is read as the source `name`. A source from outside of the workspace must lie in
/// its own directory, as what it includes.
fn admitted(workspace: &Path, path: &Path, name: &str) -> Result<PathBuf, String> {
    let full = workspace.join(path);
    match full.parent().filter(|_| name.starts_with("../")) {
        Some(directory) => within(directory, "its directory", &full),
        None => within(workspace, "the workspace", &full),
    }
}

fn read_regular(path: &Path, name: String) -> Result<(Source, Identity), String> {
    let (file, identity, size) = regular::open(path)?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > MAX_SOURCE_BYTES {
        return Ok((Source::oversized(name, size), identity));
    }
    let source = read(file, name, size).map_err(|error| reason(&error))?;
    Ok((source, identity))
}

/// Reads no more than a source may have, and one byte to see that there is more. Some `size` bytes are expected.
fn read(from: impl io::Read, name: String, size: usize) -> io::Result<Source> {
    let mut bytes = Vec::with_capacity(size.min(MAX_SOURCE_BYTES) + 1);
    from.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Source::from_bytes(name, bytes))
}

/// The path as a source's name: relative to the workspace, with `/` between its parts, without `.` and inner `..`.
///
/// A path that goes up or comes from elsewhere goes by what is on the disk, as opening it does: `link/../x.kdl` is a
/// file beside the link's target, and `/home/me/specs/x.kdl` is in the workspace even when that is a link to it.
fn name_of(workspace: &Path, path: &Path) -> Result<String, Error> {
    let full = workspace.join(path);
    let mut way = relative(workspace, &full);
    let goes_up = |path: &Path| path.components().any(|part| part == Component::ParentDir);
    if goes_up(path) || goes_up(&way) {
        let directory = full.parent().and_then(|directory| fs::canonicalize(directory).ok());
        if let (Some(directory), Some(file)) = (directory, full.file_name()) {
            let real = fs::canonicalize(workspace).unwrap_or_else(|_| workspace.to_owned());
            way = relative(&real, &directory.join(file));
        }
    }
    slashed(&way).ok_or_else(|| {
        let reason = String::from("its path is not UTF-8, and a plan names what it was made from");
        Error::Read { path: path.to_owned(), reason }
    })
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

/// Reads a file that a spec includes. The spec may be a stranger's: a symbolic link that leads out of the workspace
/// would put lines of the user's own files into a report.
pub(super) fn read_included(workspace: &Path, from: &str, name: &str) -> Result<Source, String> {
    // A spec from outside of the workspace includes from its own directory, which is what `include::target` allows.
    let outside = from.starts_with("../");
    let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
    let root = if outside { workspace.join(directory) } else { workspace.to_owned() };
    let place = if outside { "the directory of the spec that includes it" } else { "the workspace" };
    let real = within(&root, place, &workspace.join(name))?;
    read_regular(&real, name.to_owned()).map(|(source, _)| source)
}

/// The way from a stage's directory in `out` to the workspace.
pub(crate) fn stage_to_workspace(out: &Path) -> Result<String, Error> {
    let workspace = workspace()?;
    let from = real(&workspace.join(out)).join("slug");
    let workspace = fs::canonicalize(&workspace).unwrap_or(workspace);
    slashed(&relative(&from, &workspace)).ok_or_else(|| {
        let reason = String::from("the way from there to the specs is not UTF-8, and a plan holds it");
        Error::Write { path: out.to_owned(), reason }
    })
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
