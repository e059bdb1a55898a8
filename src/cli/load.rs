//! Specs from disk: the ones that were named, and what they include.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use bottlec::diagnostic::Diagnostics;
use bottlec::source::{MAX_SOURCE_BYTES, Source, SourceId, Sources};
use bottlec::{include, spec, syntax};

use super::error::{Error, reason};

/// How many files the specs of one run may include in all, and how many bytes those may have: a small file must not
/// make the compiler read a whole disk.
const MAX_INCLUDES: usize = 256;
const MAX_INCLUDED_BYTES: usize = 4 * MAX_SOURCE_BYTES;

/// The name of standard input among the sources.
const STDIN: &str = "<stdin>";

/// Reads the specs and what they include.
pub(crate) fn load(specs: &[PathBuf]) -> Result<Sources, Error> {
    let workspace = workspace()?;
    let mut sources = Sources::new();
    for spec in specs {
        if spec.as_os_str() == "-" {
            if sources.by_name(STDIN).is_none() {
                sources.add(read(io::stdin().lock(), STDIN.to_owned()).map_err(|e| unreadable(spec, &e))?);
            }
            continue;
        }
        let name = name_of(&workspace, spec);
        // Naming a file twice is no second file.
        if sources.by_name(&name).is_none() {
            sources.add(read_named(spec, name)?);
        }
    }
    includes(&workspace, &mut sources);
    Ok(sources)
}

/// The directory that names are relative to.
pub(crate) fn workspace() -> Result<PathBuf, Error> {
    std::env::current_dir().map_err(|error| Error::Read { path: PathBuf::from("."), reason: reason(&error) })
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Read { path: path.to_owned(), reason: reason(error) }
}

fn read_named(path: &Path, name: String) -> Result<Source, Error> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let meta = file.metadata().map_err(|error| unreadable(path, &error))?;
    if meta.is_dir() {
        let reason = String::from("it is a directory: name the specs in it");
        return Err(Error::Read { path: path.to_owned(), reason });
    }
    let size = usize::try_from(meta.len()).unwrap_or(usize::MAX);
    if meta.is_file() && size > MAX_SOURCE_BYTES {
        return Ok(Source::oversized(name, size));
    }
    read(file, name).map_err(|error| unreadable(path, &error))
}

/// Reads no more than a source may have, and one byte to see that there is more.
fn read(from: impl io::Read, name: String) -> io::Result<Source> {
    let mut bytes = Vec::new();
    from.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Source::from_bytes(name, bytes))
}

/// The path as a source's name: relative to the workspace, with `/` between its parts, without `.` and inner `..`.
fn name_of(workspace: &Path, path: &Path) -> String {
    slashed(&relative(workspace, &workspace.join(path)))
}

/// The way from one absolute directory to another path, without looking at the disk.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to) = (normal(from), normal(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(common).map(|_| "..".to_owned());
    up.chain(to.into_iter().skip(common)).collect()
}

/// The parts of an absolute path without `.` and `..`.
fn normal(path: &Path) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                parts.pop();
            }
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts
}

/// A relative path with `/` between its parts.
pub(crate) fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    if parts.is_empty() { String::from(".") } else { parts.join("/") }
}

/// Adds what the sources include, and what those include.
fn includes(workspace: &Path, sources: &mut Sources) {
    let mut open: Vec<SourceId> = sources.iter().map(|(id, _)| id).collect();
    let (mut files, mut bytes) = (0, 0);
    while let Some(id) = open.pop() {
        for target in targets(sources.get(id), id) {
            if sources.by_name(&target).is_some() || sources.why_absent(&target).is_some() {
                continue;
            }
            if files == MAX_INCLUDES || bytes > MAX_INCLUDED_BYTES {
                sources.add_absent(
                    target,
                    format!("the specs include more than {MAX_INCLUDES} files or 64 MiB"),
                );
                continue;
            }
            match read_included(workspace, &target) {
                Ok(source) => {
                    files += 1;
                    bytes += source.bytes().len();
                    open.push(sources.add_included(source));
                }
                Err(why) => sources.add_absent(target, why),
            }
        }
    }
}

/// The names of the sources that a source includes. Few files include any, and those that do not are not parsed twice.
fn targets(source: &Source, id: SourceId) -> Vec<String> {
    if !source.text().contains("include") {
        return Vec::new();
    }
    let tree = syntax::parse(id, source, &mut Diagnostics::new());
    let includes = spec::File::decode(&tree).includes;
    includes.iter().filter_map(|path| include::target(source.name(), &path.value)).collect()
}

/// Reads a file that a spec includes. The spec may be a stranger's: a symbolic link that leads out of the workspace
/// would put lines of the user's own files into a report.
fn read_included(workspace: &Path, name: &str) -> Result<Source, String> {
    let path = workspace.join(name);
    let real = fs::canonicalize(&path).map_err(|error| reason(&error))?;
    // A spec from outside of the workspace includes from its own directory, which is what `include::target` allows.
    let root = if name.starts_with("../") { path.parent().unwrap_or(&path) } else { workspace };
    let root = fs::canonicalize(root).map_err(|error| reason(&error))?;
    if !real.starts_with(&root) {
        return Err(String::from("it is a symbolic link that leads out of the workspace"));
    }
    let meta = fs::metadata(&real).map_err(|error| reason(&error))?;
    if !meta.is_file() {
        return Err(String::from(if meta.is_dir() { "it is a directory" } else { "it is no regular file" }));
    }
    read_named(&real, name.to_owned()).map_err(|error| error.to_string())
}

/// The way from a stage's directory in `out` to the workspace.
pub(crate) fn stage_to_workspace(out: &Path) -> Result<String, Error> {
    let workspace = workspace()?;
    let out = real(&workspace.join(out));
    let workspace = fs::canonicalize(&workspace).unwrap_or(workspace);
    Ok(slashed(&relative(&out.join("slug"), &workspace)))
}

/// The path with the links of its existing part followed: `..` in an argument goes by what is on the disk.
fn real(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (fs::canonicalize(ancestor), path.strip_prefix(ancestor)) {
            return real.join(rest);
        }
    }
    path.to_owned()
}
