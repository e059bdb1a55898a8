//! Specs of a git revision: `REV:path`, as git itself writes it.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use bottlec::source::{MAX_SOURCE_BYTES, Source, Sources};
use bottlec::text::quote;
use bottlec::{Analysis, Options};

use super::error::Error;
use super::load;
use super::walk::Changed;

/// Reads a spec of a revision, and what it includes there.
pub(crate) fn load(operand: &str, options: &Options) -> Result<Analysis, Error> {
    let (revision, path) = operand.split_once(':').unwrap_or((operand, ""));
    let failed = |reason: String| Error::Read { path: PathBuf::from(operand), reason };
    if revision.is_empty() || revision.starts_with('-') || path.is_empty() {
        return Err(failed(String::from("expected a revision and a path, such as `main:spec.kdl`")));
    }
    let prefix = String::from_utf8(git(&["rev-parse", "--show-prefix"]).map_err(failed)?).map_err(|_| {
        failed(String::from("the way from the repository's top to this directory is not UTF-8"))
    })?;
    let tree = Tree { revision, prefix: prefix.trim_end_matches('\n') };
    // git takes `./x` from here, and `x` from the repository's top.
    let relative = path.starts_with("./") || path.starts_with("../");
    let whole = if relative { format!("{}{path}", tree.prefix) } else { path.to_owned() };
    let whole = normal(&whole).ok_or_else(|| failed(String::from("its path leads out of the repository")))?;
    let mut sources = Sources::new();
    sources.add(tree.read(&whole).map_err(failed)?);
    let mut analysis = Analysis::new(sources, options.clone());
    analysis.follow(|_, target| {
        let whole = normal(&format!("{}{target}", tree.prefix));
        tree.read(&whole.ok_or("its path leads out of the repository")?)
    });
    Ok(analysis)
}

/// The files that are not as they are in a revision, and those that git does not know and does not ignore.
pub(crate) fn changed(revision: &str) -> Result<Changed, Error> {
    let failed = |reason: String| Error::Read { path: PathBuf::from(revision), reason };
    if revision.is_empty() || revision.starts_with('-') {
        return Err(failed(String::from("expected a revision, such as `main`")));
    }
    // Both are told from here, also when here is below the repository's top.
    let known =
        git(&["diff", "--no-ext-diff", "--no-textconv", "--name-only", "--relative", "-z", revision, "--"]);
    let unknown = git(&["ls-files", "-z", "--others", "--exclude-standard"]);
    let mut names = BTreeSet::new();
    for listed in [known.map_err(failed)?, unknown.map_err(failed)?] {
        names.extend(listed.split(|byte| *byte == 0).map(|name| String::from_utf8_lossy(name).into_owned()));
    }
    Ok(Changed(names))
}

/// The files of a revision.
struct Tree<'a> {
    revision: &'a str,
    /// The way from the repository's top to the working directory, empty or with `/` at its end.
    prefix: &'a str,
}

impl Tree<'_> {
    /// A file, by its path from the repository's top. Its name is the one that it has from the working directory.
    fn read(&self, path: &str) -> Result<Source, String> {
        let bytes = git(&["cat-file", "blob", &format!("{}:{path}", self.revision)])?;
        let name =
            load::relative(Path::new("/").join(self.prefix).as_path(), Path::new("/").join(path).as_path());
        let name = load::slashed(&name).ok_or("its path is not UTF-8")?;
        Ok(Source::from_bytes(name, bytes))
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
