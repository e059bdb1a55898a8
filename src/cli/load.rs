//! Specs and their includes, read from disk or standard input.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bottlec::source::{MAX_SOURCE_BYTES, Source, Sources};
use bottlec::{Analysis, Options};

use super::args::SPEC;
use super::error::{ABSENT, Error, reason};
use super::regular::{self, Identity, within};
use super::workspace::{Workspace, here, real, relative, slashed};

/// The name of standard input among the sources.
const STDIN: &str = "<stdin>";

/// Reads specs of a workspace and what they include.
pub(crate) fn load(workspace: &Workspace, specs: &[PathBuf], options: &Options) -> Result<Analysis, Error> {
    let mut analysis = Analysis::new(alone(workspace, specs, None)?, options.clone());
    includes(workspace, &mut analysis)?;
    Ok(analysis)
}

/// Reads what the specs include, and was not read so far.
pub(crate) fn includes(workspace: &Workspace, analysis: &mut Analysis) -> Result<(), Error> {
    let here = here()?;
    analysis.follow(|place| {
        let (source, _) = read_file(workspace, &workspace.root().join(place))?;
        Ok(named(source, &here, workspace))
    });
    Ok(())
}

/// A source of the workspace, named as it is seen from `here`.
pub(crate) fn named(source: Source, here: &Path, workspace: &Workspace) -> Source {
    let seen = relative(here, &workspace.root().join(&**source.place()));
    match slashed(&seen) {
        Some(name) => source.shown_as(name),
        // What it is called in the workspace is no worse.
        None => source,
    }
}

/// Reads specs of a workspace, and nothing that they include. Standard input is taken for the file `stdin`, which need
/// not be there.
pub(crate) fn alone(
    workspace: &Workspace,
    specs: &[PathBuf],
    stdin: Option<&Path>,
) -> Result<Sources, Error> {
    let here = here()?;
    let mut sources = Sources::new();
    let mut heard = false;
    let mut known = BTreeSet::new();
    for spec in specs {
        if spec.as_os_str() == "-" {
            if !heard {
                let place =
                    stdin.map_or(STDIN.to_owned(), |stdin| place_of_stdin(workspace, &here.join(stdin)));
                let source = read(io::stdin().lock(), place, 0).map_err(|e| unreadable(spec, &e))?;
                sources.add(if stdin.is_some() { named(source, &here, workspace) } else { source });
                heard = true;
            }
            continue;
        }
        let refused = |why: String| {
            let advice = match why.as_str() {
                regular::DIRECTORY => ": name the specs in it",
                regular::NO_FILE => ": write `-` and give it as standard input",
                // The usual one, which nobody may have named.
                ABSENT if spec.as_os_str() == SPEC => ": `bottlec init` writes one",
                _ => "",
            };
            Error::Read { path: spec.clone(), reason: format!("{why}{advice}") }
        };
        // Before a link is followed: what a pipe is called leads nowhere.
        if let Ok(meta) = fs::metadata(spec)
            && !meta.is_file()
        {
            let why = if meta.is_dir() { regular::DIRECTORY } else { regular::NO_FILE };
            return Err(refused(why.to_owned()));
        }
        let (source, identity) = read_file(workspace, spec).map_err(refused)?;
        let source = named(source, &here, workspace);
        if source.name() == STDIN {
            let reason = String::from("that is what standard input is called: give it another name");
            return Err(Error::Read { path: spec.clone(), reason });
        }
        // Naming a file twice is no second file, also when it has two names.
        if known.insert(identity) {
            sources.add(source);
        }
    }
    Ok(sources)
}

/// Where a file would lie that need not be there.
fn place_of_stdin(workspace: &Workspace, file: &Path) -> String {
    let way = relative(workspace.root(), &real(file));
    slashed(&way).unwrap_or_else(|| STDIN.to_owned())
}

/// Returns the path of a source that was read from disk.
pub(crate) fn path_of(source: &Source) -> Result<PathBuf, Error> {
    let path = here()?.join(source.name());
    fs::canonicalize(&path).map_err(|error| unreadable(&path, &error))
}

/// Whether a source was read from standard input, and from no file.
pub(crate) fn is_stdin(source: &Source) -> bool {
    source.name() == STDIN
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Read { path: path.to_owned(), reason: reason(error) }
}

/// Reads a file of a workspace. A stranger may have named it, in an include or by a link where a shell's pattern finds
/// it: what lies elsewhere would put lines of the user's own files into a report.
pub(crate) fn read_file(workspace: &Workspace, path: &Path) -> Result<(Source, Identity), String> {
    let real = within(workspace.root(), "the workspace", path)?;
    let place = slashed(&relative(workspace.root(), &real));
    let place = place.ok_or("its path is not UTF-8, and a plan names what it was made from")?;
    let (file, identity, size) = regular::open(&real)?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > MAX_SOURCE_BYTES {
        return Ok((Source::oversized(place, size), identity));
    }
    let source = read(file, place, size).map_err(|error| reason(&error))?;
    Ok((source, identity))
}

/// Reads no more than a source may have, and one byte to see that there is more. Some `size` bytes are expected.
fn read(from: impl io::Read, place: String, size: usize) -> io::Result<Source> {
    let mut bytes = Vec::with_capacity(size.min(MAX_SOURCE_BYTES) + 1);
    from.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Source::from_bytes(place, bytes))
}
