//! `check --fix` and `check --diff`, and atomic replacement of a file.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bottlec::text::{counted, quote_path};
use bottlec::{Analysis, fix};

use super::Outcome;
use super::args::FixArgs;
use super::error::{Error, reason};
use super::load;
use super::output::{Output, Stream};
use super::patch::unified;
use super::workspace::Workspace;

/// The fixes of a run.
#[derive(Debug)]
pub(super) struct Fixing {
    /// Whether they are written, or shown.
    write: bool,
    /// Whether unsafe fixes are applied, too.
    unchecked: bool,
    /// How many were applied.
    applied: usize,
    /// The files that changed: by name, what they were and what they are.
    changed: BTreeMap<String, (String, String)>,
}

impl Fixing {
    /// The fixes that the arguments ask for, if any.
    pub(super) fn of(asked: &FixArgs, paths: &[PathBuf]) -> Result<Option<Self>, Error> {
        if !asked.fix && !asked.diff {
            return Ok(None);
        }
        let write = !asked.diff;
        if write && paths.iter().any(|path| path.as_os_str() == "-") {
            let what = "`--fix` cannot write to standard input: see what it would do with `--diff`";
            return Err(Error::Usage(what.to_owned()));
        }
        Ok(Some(Self { write, unchecked: asked.unsafe_fixes, applied: 0, changed: BTreeMap::new() }))
    }

    /// Fixes the sources of one unit, and what they include.
    pub(super) fn fix(&mut self, workspace: &Workspace, analysis: Analysis) -> Result<Analysis, Error> {
        let (fixed, applied) =
            fix::all(&analysis, self.unchecked, |analysis| load::includes(workspace, analysis))?;
        let Some(fixed) = fixed else { return Ok(analysis) };
        self.applied += applied;
        // What a fix newly includes comes behind what was there before.
        for ((_, old), (_, source)) in analysis.sources().iter().zip(fixed.sources().iter()) {
            if old.text() == source.text() {
                continue;
            }
            if self.write && !load::is_stdin(source) {
                replace(&load::path_of(source)?, source.text())?;
            }
            let texts = (old.text().to_string(), source.text().to_string());
            self.changed.insert(source.name().to_owned(), texts);
        }
        Ok(fixed)
    }

    /// Says what was done, or shows what would be.
    pub(super) fn end(self, output: &Output, remarks: Stream) -> Result<Outcome, Error> {
        let Self { write, unchecked: _, applied, changed } = self;
        if write {
            if applied > 0 {
                let places = counted(changed.len(), "file", "files");
                let fixes = counted(applied, "fix", "fixes");
                output.say(remarks, &format!("applied {fixes} in {places}\n"))?;
            }
            return Ok(Outcome::Clean);
        }
        let mut text = String::new();
        for (name, (old, new)) in &changed {
            text += &unified(name, old, new);
        }
        output.print(&text)?;
        Ok(if changed.is_empty() { Outcome::Clean } else { Outcome::Findings })
    }
}

/// Replaces a file as a whole, with the permissions that it has: whoever reads it meanwhile finds the old or the new one.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::Write { path: path.to_owned(), reason: reason(&error) };
    let permissions = fs::metadata(path).map_err(failed)?.permissions();
    if permissions.readonly() {
        let reason =
            format!("it is read-only: make {} writable so that it can be rewritten", quote_path(path));
        return Err(Error::Write { path: path.to_owned(), reason });
    }
    let mut file =
        tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().set_permissions(permissions).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
