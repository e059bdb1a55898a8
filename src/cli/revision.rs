//! Specs of a git revision: `REV:path`, as git itself writes it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bottlec::source::{MAX_SOURCE_BYTES, Source, Sources};
use bottlec::text::quote;
use bottlec::{Analysis, Options};

use super::error::Error;
use super::load::named;
use super::walk::Changed;
use super::workspace::{MARKER, Workspace, here, relative, slashed};

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
    let top = top().map_err(failed)?;
    // git takes `./x` from here, and `x` from the repository's top.
    let from = if path.starts_with("./") || path.starts_with("../") { here()? } else { top.clone() };
    let whole = relative(&top, &from.join(path));
    let whole = slashed(&whole).ok_or_else(|| failed(String::from("its path is not UTF-8")))?;
    if whole.starts_with("../") {
        return Err(failed(String::from("its path leads out of the repository")));
    }
    let workspace = Workspace::at(&top.join(marked(revision, &whole)));
    let read = |place: &str| -> Result<Source, String> {
        let path = relative(&top, &workspace.root().join(place));
        let path = slashed(&path).ok_or("its path is not UTF-8")?;
        let bytes = git(&["cat-file", "blob", &format!("{revision}:{path}")])?;
        Ok(named(Source::from_bytes(place, bytes), &here().map_err(Error::why)?, &workspace))
    };
    let place = slashed(&relative(workspace.root(), &top.join(&whole))).unwrap_or(whole);
    let mut sources = Sources::new();
    sources.add(read(&place).map_err(failed)?);
    let mut analysis = Analysis::new(sources, options(&workspace)?);
    analysis.follow(read);
    Ok(analysis)
}

/// The repository's top.
fn top() -> Result<PathBuf, String> {
    let top = git(&["rev-parse", "--show-toplevel"])?;
    Ok(PathBuf::from(OsStr::from_bytes(top.trim_ascii_end())))
}

/// The directory of a revision that is the workspace of a file there: the nearest with a marker of ours in it, else the
/// repository's top.
fn marked<'a>(revision: &str, file: &'a str) -> &'a str {
    let above = Path::new(file).ancestors().skip(1).filter_map(Path::to_str);
    let mut marked = above.filter(|directory| {
        let marker = Path::new(directory).join(MARKER);
        git(&["cat-file", "-e", &format!("{revision}:{}", marker.display())]).is_ok()
    });
    marked.next().unwrap_or("")
}

/// The files that are not as they are in a revision, and those that git does not know and does not ignore.
pub(crate) fn changed(revision: &str) -> Result<Changed, Error> {
    let failed = |reason: String| Error::Read { path: PathBuf::from(revision), reason };
    if revision.is_empty() || revision.starts_with('-') {
        return Err(failed(String::from("expected a revision, such as `main`")));
    }
    // Both are told from the repository's top, and what is new everywhere in it: an include may lead anywhere.
    let known = git(&["diff", "--no-ext-diff", "--no-textconv", "--name-only", "-z", revision, "--"]);
    let unknown = git(&["ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", ":/"]);
    let (top, here) = (top().map_err(failed)?, here()?);
    let mut names = BTreeSet::new();
    for listed in [known.map_err(failed)?, unknown.map_err(failed)?] {
        let files = listed.split(|byte| *byte == 0).map(|name| top.join(OsStr::from_bytes(name)));
        names.extend(files.filter_map(|file| slashed(&relative(&here, &file))));
    }
    Ok(Changed(names))
}

/// What git prints, and no more than a source may have and one byte to see that there is more. It reads what is there:
/// it fetches nothing, asks for nothing, and runs nothing of the repository's.
fn git(args: &[&str]) -> Result<Vec<u8>, String> {
    let unavailable = |error: std::io::Error| format!("git cannot be run: {}", super::error::reason(&error));
    let mut child = Command::new("git")
        .args(args)
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(unavailable)?;
    let mut bytes = Vec::new();
    let read = match child.stdout.take() {
        Some(out) => out.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes).map(|_| ()),
        None => Ok(()),
    };
    if bytes.len() > MAX_SOURCE_BYTES {
        // The rest is of no interest, and git would wait for a reader.
        let _ = child.kill();
    }
    let mut complaint = String::new();
    if let Some(err) = child.stderr.take() {
        let _ = err.take(4096).read_to_string(&mut complaint);
    }
    let status = child.wait().map_err(unavailable)?;
    read.map_err(unavailable)?;
    if !status.success() && bytes.len() <= MAX_SOURCE_BYTES {
        let line = complaint.lines().next().unwrap_or("it does not say why");
        return Err(format!("git says {}", quote(line.trim_start_matches("fatal: "))));
    }
    Ok(bytes)
}
