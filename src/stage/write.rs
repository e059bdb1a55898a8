//! Inspecting, comparing and writing stages.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Write as _};
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

/// Whether the file that lists the stages is the one that a compile gives. Writes nothing.
///
/// # Errors
/// When it cannot be read, or is no file.
pub fn is_listed(out: &Path, index: &Index) -> Result<bool, StageError> {
    let Some(out) = Dir::open(out)? else { return Ok(false) };
    let _lock = Lock::shared(&out)?;
    is_other(&out, index).map(|other| !other)
}

/// A file beside the stages that lists them.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its first line, by which it is known to be ours.
    pub heading: &'static str,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The most that is read of one.
const MAX_INDEX: u64 = 1024 * 1024;

/// Writes all of `stages` into `out`, which is created when there is none, or on any failure none of them. Each is taken,
/// looked at and written in turn, so that no more than one is held.
///
/// A stage that was edited by hand is replaced with `force` only, what is no stage of ours never.
///
/// # Errors
/// See [`StageError`]. The old stages are as they were, and nothing new is left but the lock in, perhaps, a new `out`.
pub fn write(
    out: &Path,
    stages: impl IntoIterator<Item = impl Borrow<Stage>>,
    force: bool,
) -> Result<Vec<(String, Written)>, StageError> {
    write_with(out, stages, None, force, Exchange::IfKnown, &mut |_| {})
}

/// The same, with the file that lists them, when there is one.
///
/// # Errors
/// As of [`write()`]; and when there is something of that name that is not ours.
pub fn write_listed(
    out: &Path,
    stages: impl IntoIterator<Item = impl Borrow<Stage>>,
    index: Option<&Index>,
    force: bool,
) -> Result<Vec<(String, Written)>, StageError> {
    write_with(out, stages, index, force, Exchange::IfKnown, &mut |_| {})
}

/// The same, told how a new stage takes the old one's place. `placed` is told the slug of each that has, when all of them may
/// still be put back; nobody else reads or writes in `out` meanwhile.
///
/// # Errors
/// As of [`write_listed`].
pub fn write_with(
    out: &Path,
    stages: impl IntoIterator<Item = impl Borrow<Stage>>,
    index: Option<&Index>,
    force: bool,
    exchange: Exchange,
    placed: &mut dyn FnMut(&str),
) -> Result<Vec<(String, Written)>, StageError> {
    let mut stages = stages.into_iter().map(|stage| check(stage.borrow()).map(|expected| (stage, expected)));
    // Nothing is made for what cannot be written.
    let first = stages.next().transpose()?;
    let out = Dir::open_or_create(out)?;
    let _lock = Lock::exclusive(&out)?;
    recover(&out)?;
    let mut work: Option<Work<'_>> = None;
    let mut jobs: Vec<Job> = Vec::new();
    let mut edited = Vec::new();
    let mut slugs = BTreeSet::new();
    for checked in first.map(Ok).into_iter().chain(stages) {
        let (stage, expected) = checked?;
        let stage = stage.borrow();
        if !slugs.insert(stage.slug.clone()) {
            return Err(StageError::invalid(&stage.slug, "is there twice"));
        }
        match look(&out, &stage.slug, expected, force)? {
            Looked::Edited(stage) => edited.push(stage),
            Looked::Job(job) => {
                if job.written != Written::Unchanged && edited.is_empty() {
                    write_new(at_work(&mut work, &out, exchange)?, stage, &job.expected)?;
                }
                jobs.push(job);
            }
        }
    }
    if !edited.is_empty() {
        return Err(StageError::Edited { stages: edited });
    }
    let index = match index {
        Some(index) if is_other(&out, index)? => Some(index),
        _ => None,
    };
    if let Some(index) = index {
        write_index(at_work(&mut work, &out, exchange)?, index)?;
    }
    if let Some(work) = work {
        replace(&out, work, &jobs, index, force, placed)?;
    }
    Ok(jobs.into_iter().map(|job| (job.slug, job.written)).collect())
}

/// The working directory, which is made when it is first asked for.
fn at_work<'w, 'o>(
    work: &'w mut Option<Work<'o>>,
    out: &'o Dir,
    exchange: Exchange,
) -> Result<&'w Work<'o>, StageError> {
    let made = match work.take() {
        Some(made) => made,
        None => Work::new(out, exchange)?,
    };
    Ok(work.insert(made))
}

/// What is to be done with a stage.
struct Job {
    slug: String,
    expected: Snapshot,
    /// What is in its place.
    found: Option<Snapshot>,
    written: Written,
}

enum Looked {
    Job(Job),
    Edited(EditedStage),
}

/// Looks at a stage's place before anything is put there.
fn look(out: &Dir, slug: &str, expected: Snapshot, force: bool) -> Result<Looked, StageError> {
    let path = || out.path().join(slug);
    let found = find(out, slug)?;
    let state = judge(found.as_ref());
    let found = match found {
        Some(Found::Directory(found, _)) => Some(found),
        Some(Found::NoDirectory) | None => None,
    };
    let written = match state {
        State::Absent => Written::Created,
        _ if found.as_ref() == Some(&expected) => Written::Unchanged,
        State::Foreign => return Err(StageError::Foreign { path: path() }),
        State::OtherFormat(format) if !force => {
            return Err(StageError::OtherFormat { path: path(), format });
        }
        State::Edited(differences) if !force => {
            return Ok(Looked::Edited(EditedStage { path: path(), differences }));
        }
        State::Intact | State::Edited(_) | State::OtherFormat(_) => Written::Replaced,
    };
    Ok(Looked::Job(Job { slug: slug.to_owned(), expected, found, written }))
}

/// Whether the file that lists the stages is to be written. One that is not ours stays.
fn is_other(out: &Dir, index: &Index) -> Result<bool, StageError> {
    let path = || out.path().join(index.name);
    let io = |reason: Errno| StageError::io("inspect", path(), reason);
    match out.stat(index.name).map_err(io)? {
        None => return Ok(true),
        Some((fs::FileType::RegularFile, _)) => {}
        Some(_) => return Err(StageError::Reserved { path: path() }),
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(fs::openat(out, index.name, flags, Mode::empty()).map_err(io)?);
    let mut bytes = Vec::new();
    let read = file.take(MAX_INDEX + 1).read_to_end(&mut bytes);
    read.map_err(|reason| StageError::io("read", path(), reason))?;
    if bytes == index.bytes {
        return Ok(false);
    }
    if !bytes.starts_with(index.heading.as_bytes()) {
        return Err(StageError::Reserved { path: path() });
    }
    Ok(true)
}

fn write_index(work: &Work<'_>, index: &Index) -> Result<(), StageError> {
    let dir = work.new_files();
    let io = |reason: std::io::Error| StageError::io("write", dir.path().join(index.name), reason);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = fs::openat(dir, index.name, flags, Mode::RUSR | Mode::WUSR);
    let mut file = File::from(file.map_err(|reason| io(reason.into()))?);
    file.write_all(&index.bytes).map_err(io)?;
    set_mode(&file, crate::lower::Mode::Shared.bits(), &dir.path().join(index.name))?;
    file.sync_all().map_err(io)
}

/// Swaps in all that is new, and back out if anything goes wrong.
fn replace(
    out: &Dir,
    work: Work<'_>,
    jobs: &[Job],
    index: Option<&Index>,
    force: bool,
    placed: &mut dyn FnMut(&str),
) -> Result<(), StageError> {
    let jobs: Vec<_> = jobs.iter().filter(|job| job.written != Written::Unchanged).collect();
    let mut done: Vec<(&str, Swapped)> = Vec::with_capacity(jobs.len());
    let mut olds = Vec::with_capacity(jobs.len());
    for job in jobs {
        let slug = job.slug.as_str();
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
        placed(slug);
    }
    // What it lists is there.
    if let Some(index) = index
        && let Err(reason) = fs::renameat(work.new_files(), index.name, out, index.name)
    {
        let error = StageError::io("replace", out.path().join(index.name), reason);
        return Err(undo(work, &done, error));
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
    job: &Job,
    swapped: &Swapped,
    force: bool,
) -> Result<Option<Snapshot>, StageError> {
    let path = || out.path().join(&job.slug);
    let old = work.old(&job.slug, swapped).map_err(|reason| StageError::io("inspect", path(), reason))?;
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
