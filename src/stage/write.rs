//! Inspecting, comparing and writing stages.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use super::dir::{Dir, set_mode};
use super::error::{Difference, EditedStage, StageError};
use super::lock::Lock;
use super::snapshot::{DIRECTORY_MODE, Described, Kept, Snapshot, check_path};
use super::swap::{Exchange, Swapped, Work, recover};
use super::{MAX_ENTRIES, MAX_FILE_BYTES, MAX_STAGE_BYTES};
use crate::lower::{Stage, plan_json, sums};

/// The state of a stage's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// A stage as it was written.
    Intact,
    /// A stage that somebody edited, and how.
    Edited(Vec<Difference>),
    /// A stage of another format, which another version of bottlec wrote.
    OtherFormat(u32),
    /// Something that no compile wrote: no directory, or one that has neither a plan nor digests of ours.
    Foreign,
}

/// The outcome of writing a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// There was none.
    Created,
    /// There was another.
    Replaced,
    /// It was there already, byte for byte and mode for mode: not touched.
    Unchanged,
}

/// Judges what is in the place of the stage `slug` by the digests and the plan that lie there. Writes nothing.
///
/// # Errors
/// When it cannot be read, is reached through a link, or is larger than any stage.
pub fn inspect(out: &Path, slug: &str) -> Result<State, StageError> {
    check_slug(slug)?;
    let Some(out) = Dir::open(out)? else { return Ok(State::Absent) };
    let _lock = Lock::shared(&out)?;
    Ok(judge(find(&out, slug)?.as_ref()))
}

/// Lists how a stage on disk differs from the compiled one. Writes nothing.
///
/// # Errors
/// When it cannot be read, is reached through a link, or is no directory.
pub fn compare(out: &Path, stage: &Stage) -> Result<Vec<Difference>, StageError> {
    let expected = check(stage)?;
    let Some(out) = Dir::open(out)? else { return Ok(vec![Difference::NoStage]) };
    let _lock = Lock::shared(&out)?;
    match find(&out, &stage.slug)? {
        None => Ok(vec![Difference::NoStage]),
        Some(Found::NoDirectory) => Err(StageError::Foreign { path: out.path().join(&stage.slug) }),
        Some(Found::Directory(found, _)) => Ok(expected.differences(&found)),
    }
}

/// Writes all of `stages` into `out`, which is created when there is none, or on any failure none of them.
///
/// A stage that was edited by hand is replaced with `force` only, what is no stage of ours never.
///
/// # Errors
/// See [`StageError`]. The old stages are as they were, and nothing new is left but the lock in, perhaps, a new `out`.
pub fn write(out: &Path, stages: &[Stage], force: bool) -> Result<Vec<(String, Written)>, StageError> {
    write_with(out, stages, force, Exchange::IfKnown)
}

fn write_with(
    out: &Path,
    stages: &[Stage],
    force: bool,
    exchange: Exchange,
) -> Result<Vec<(String, Written)>, StageError> {
    let mut slugs = BTreeSet::new();
    let mut expected = Vec::with_capacity(stages.len());
    for stage in stages {
        expected.push(check(stage)?);
        if !slugs.insert(&stage.slug) {
            return Err(StageError::invalid(&stage.slug, "is there twice"));
        }
    }
    let out = Dir::open_or_create(out)?;
    let _lock = Lock::exclusive(&out)?;
    recover(&out)?;
    let jobs = inspect_all(&out, stages, &expected, force)?;
    if jobs.iter().any(|job| job.written != Written::Unchanged) {
        replace(&out, &jobs, force, exchange)?;
    }
    Ok(jobs.iter().map(|job| (job.stage.slug.clone(), job.written)).collect())
}

/// What is to be done with a stage.
struct Job<'a> {
    stage: &'a Stage,
    expected: &'a Snapshot,
    /// What is in its place.
    found: Option<Snapshot>,
    written: Written,
}

/// Looks at every stage's place before anything is written; an error tells of all that were edited.
fn inspect_all<'a>(
    out: &Dir,
    stages: &'a [Stage],
    expected: &'a [Snapshot],
    force: bool,
) -> Result<Vec<Job<'a>>, StageError> {
    let mut jobs = Vec::with_capacity(stages.len());
    let mut edited = Vec::new();
    for (stage, expected) in stages.iter().zip(expected) {
        let path = || out.path().join(&stage.slug);
        let found = find(out, &stage.slug)?;
        let state = judge(found.as_ref());
        let found = match found {
            Some(Found::Directory(found, _)) => Some(found),
            Some(Found::NoDirectory) | None => None,
        };
        let written = match state {
            State::Absent => Written::Created,
            _ if found.as_ref() == Some(expected) => Written::Unchanged,
            State::Foreign => return Err(StageError::Foreign { path: path() }),
            State::OtherFormat(format) if !force => {
                return Err(StageError::OtherFormat { path: path(), format });
            }
            State::Edited(differences) if !force => {
                edited.push(EditedStage { path: path(), differences });
                continue;
            }
            State::Intact | State::Edited(_) | State::OtherFormat(_) => Written::Replaced,
        };
        jobs.push(Job { stage, expected, found, written });
    }
    if edited.is_empty() { Ok(jobs) } else { Err(StageError::Edited { stages: edited }) }
}

/// Writes all that is new, then swaps it in, and back out if anything goes wrong.
fn replace(out: &Dir, jobs: &[Job<'_>], force: bool, exchange: Exchange) -> Result<(), StageError> {
    let work = Work::new(out, exchange)?;
    let jobs: Vec<_> = jobs.iter().filter(|job| job.written != Written::Unchanged).collect();
    for job in &jobs {
        write_new(&work, job.stage, job.expected)?;
    }
    let mut done: Vec<(&str, Swapped)> = Vec::with_capacity(jobs.len());
    let mut olds = Vec::with_capacity(jobs.len());
    for job in jobs {
        let slug = job.stage.slug.as_str();
        let result = match work.swap_in(slug, job.found.is_some()) {
            Ok(swapped) => {
                let old = recheck(out, &work, job, &swapped, force);
                done.push((slug, swapped));
                old.map(|old| olds.push((job, old)))
            }
            Err(reason) => Err(StageError::io("replace", out.path().join(slug), reason)),
        };
        if let Err(error) = result {
            return Err(undo(work, &done, error));
        }
    }
    for ((job, old), (slug, swapped)) in olds.iter().zip(&done) {
        if let (Some(old), Swapped::Exchanged) = (old, swapped) {
            let same = job.expected.same_directories(old);
            work.take_back(slug, same);
        }
    }
    out.sync();
    Ok(())
}

/// Puts everything back, the last first, because of `cause`.
fn undo(mut work: Work<'_>, done: &[(&str, Swapped)], cause: StageError) -> StageError {
    // All of them are tried, whatever becomes of one.
    let failed = done.iter().rev().filter(|(slug, swapped)| work.swap_back(slug, swapped).is_err()).count();
    if failed == 0 { cause } else { StageError::NotUndone { cause: Box::new(cause), kept: work.keep() } }
}

/// Reads what was swapped out, if there was anything, and sees whether it is what was inspected, unless that is one with
/// `force`: somebody may have edited it in between.
fn recheck(
    out: &Dir,
    work: &Work<'_>,
    job: &Job<'_>,
    swapped: &Swapped,
    force: bool,
) -> Result<Option<Snapshot>, StageError> {
    let path = || out.path().join(&job.stage.slug);
    let old =
        work.old(&job.stage.slug, swapped).map_err(|reason| StageError::io("inspect", path(), reason))?;
    let (Some(old), Some(before)) = (old, &job.found) else { return Ok(None) };
    let (after, _) = match Snapshot::read(&old) {
        Ok(read) => read,
        // It is replaced whatever it is.
        Err(_) if force => return Ok(None),
        Err(error) => return Err(error),
    };
    match before.differences(&after) {
        differences if force || differences.is_empty() => Ok(Some(after)),
        differences => Err(StageError::Edited { stages: vec![EditedStage { path: path(), differences }] }),
    }
}

fn write_new(work: &Work<'_>, stage: &Stage, expected: &Snapshot) -> Result<(), StageError> {
    let dir = work.stage(&stage.slug)?;
    let io = |action, path: &Path, reason| StageError::io(action, dir.path().join(path), reason);
    for path in expected.directories() {
        fs::mkdirat(&dir, path, Mode::RWXU).map_err(|reason| io("create", path, reason))?;
    }
    for (path, artifact) in &stage.files {
        let path = Path::new(path);
        // For its owner alone from the first byte; the working directory is, too.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(&dir, path, flags, Mode::RUSR | Mode::WUSR);
        let mut file = File::from(file.map_err(|reason| io("create", path, reason))?);
        let written = file.write_all(&artifact.bytes);
        written.map_err(|reason| StageError::io("write", dir.path().join(path), reason))?;
        set_mode(&file, artifact.mode.bits(), &dir.path().join(path))?;
        // Delayed allocation tells of a full disk only here.
        file.sync_all().map_err(|reason| StageError::io("write", dir.path().join(path), reason))?;
    }
    for path in expected.directories().rev() {
        dir.sub(path).map_err(|reason| io("open", path, reason))?.finish(DIRECTORY_MODE)?;
    }
    dir.finish(DIRECTORY_MODE)
}

/// What is in a stage's place.
pub(super) enum Found {
    NoDirectory,
    /// What is in it, and what it is judged by.
    Directory(Snapshot, Kept),
}

pub(super) fn find(out: &Dir, slug: &str) -> Result<Option<Found>, StageError> {
    let path = || out.path().join(slug);
    match out.sub(slug) {
        Ok(dir) => {
            let (snapshot, kept) = Snapshot::read(&dir)?;
            Ok(Some(Found::Directory(snapshot, kept)))
        }
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK | Errno::NXIO) => {
            match out.stat(slug).map_err(|reason| StageError::io("inspect", path(), reason))? {
                Some((fs::FileType::Symlink, _)) => Err(StageError::Symlink { path: path() }),
                _ => Ok(Some(Found::NoDirectory)),
            }
        }
        Err(reason) => Err(StageError::io("open", path(), reason)),
    }
}

pub(super) fn judge(found: Option<&Found>) -> State {
    let (found, kept) = match found {
        None => return State::Absent,
        Some(Found::Directory(found, kept)) => (found, kept),
        Some(Found::NoDirectory) => return State::Foreign,
    };
    match Snapshot::described(kept, found) {
        Described::Foreign => State::Foreign,
        Described::OtherFormat(format) => State::OtherFormat(format),
        Described::Stage(described) => {
            let differences = described.differences(found);
            if differences.is_empty() { State::Intact } else { State::Edited(differences) }
        }
    }
}

/// A slug names one directory, no hidden one: ours are.
pub(super) fn check_slug(slug: &str) -> Result<(), StageError> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if slug.is_empty() || slug.starts_with('.') || slug.len() > 255 || !slug.bytes().all(is_plain) {
        return Err(StageError::invalid(slug, "is no name for a directory"));
    }
    Ok(())
}

/// Whether a stage can be written, and will be known again: its digests and its plan describe its files.
fn check(stage: &Stage) -> Result<Snapshot, StageError> {
    let invalid = |reason: String| StageError::invalid(&stage.slug, reason);
    check_slug(&stage.slug)?;
    let mut total = 0;
    for (path, artifact) in &stage.files {
        check_path(path).map_err(|reason| invalid(format!("the path {path:?} {reason}")))?;
        if PathBuf::from(path)
            .ancestors()
            .skip(1)
            .any(|p| p.to_str().is_some_and(|p| stage.files.contains_key(p)))
        {
            return Err(invalid(format!("the path {path:?} has a file above it")));
        }
        let size = artifact.bytes.len() as u64;
        total += size;
        if size > MAX_FILE_BYTES || total > MAX_STAGE_BYTES {
            return Err(invalid(format!("the file {path:?} is too large")));
        }
    }
    let expected = Snapshot::of(stage);
    if stage.files.len() + expected.directories().count() > MAX_ENTRIES {
        return Err(invalid(String::from("has too many files")));
    }
    let bytes = |path: &str| stage.files.get(path).map(|file| file.bytes.to_vec());
    let kept = Kept { sums: bytes(sums::PATH), plan: bytes(plan_json::PATH), ..Kept::default() };
    match Snapshot::described(&kept, &expected) {
        Described::Stage(described) if described == expected && kept.sums.is_some() => Ok(expected),
        _ => Err(invalid(String::from("its digests or its plan do not describe its files"))),
    }
}

#[cfg(test)]
mod tests;
