//! A stage's snapshot: every path with its mode and digest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::dir::{Dir, permissions};
use super::error::{Difference, StageError};
use super::{MAX_DEPTH, MAX_ENTRIES, MAX_FILE_BYTES, MAX_STAGE_BYTES};
use crate::backend;
use crate::digest::hex;
use crate::lower::{self, Stage, broker, plan_json, sums};

/// The mode of every directory of a stage.
pub(super) const DIRECTORY_MODE: u32 = 0o755;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A regular file; no digest when it cannot be read or is larger than any of ours.
    File {
        mode: u32,
        sha256: Option<String>,
    },
    Directory {
        mode: u32,
    },
    /// A link, FIFO, socket or device: never opened.
    Other,
}

/// Every path of a stage, `.` for its own directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<PathBuf, Entry>);

/// The bytes of the files that a stage is judged by, as they were when their digests were taken.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Those of its list of digests.
    pub(super) sums: Option<Vec<u8>>,
    /// Those of its plan.
    pub(super) plan: Option<Vec<u8>>,
    /// Those of what keeps the agent to its bundle, and the broker to its upstreams, by path.
    pub(super) confinement: BTreeMap<String, Option<Vec<u8>>>,
}

impl Kept {
    fn place(&mut self, path: &Path) -> Option<&mut Option<Vec<u8>>> {
        match path.to_str() {
            Some(sums::PATH) => Some(&mut self.sums),
            Some(plan_json::PATH) => Some(&mut self.plan),
            Some(path) if backend::confines(path) || path == broker::PATH => {
                Some(self.confinement.entry(path.to_owned()).or_default())
            }
            _ => None,
        }
    }
}

/// What a plan says about the files of its stage.
#[derive(Deserialize)]
struct Plan {
    format: u32,
    files: BTreeMap<String, PlannedFile>,
}

#[derive(Deserialize)]
struct PlannedFile {
    mode: String,
}

/// What a stage says of itself.
#[derive(Debug)]
pub(super) enum Described {
    /// It was written in this format, and should be this; where it says nothing any more, what is there.
    Stage(Snapshot),
    /// It was written in another format.
    OtherFormat(u32),
    /// It was not written by us.
    Foreign,
}

impl Snapshot {
    /// Reads the stage in `dir`, and keeps what it is judged by.
    pub(super) fn read(dir: &Dir) -> Result<(Self, Kept), StageError> {
        let mut reader =
            Reader { root: dir.path(), entries: BTreeMap::new(), bytes: 0, kept: Kept::default() };
        let stat = fs::fstat(dir).map_err(|reason| StageError::io("inspect", dir.path(), reason))?;
        reader.entries.insert(PathBuf::from("."), Entry::Directory { mode: permissions(stat.st_mode) });
        reader.directory(dir, Path::new(""), MAX_DEPTH)?;
        Ok((Self(reader.entries), reader.kept))
    }

    /// The stage that a compile gives.
    pub(super) fn of(stage: &Stage) -> Self {
        Self::with_directories(stage.files.iter().map(|(path, artifact)| {
            let (mode, sha256) = (artifact.mode.bits(), Some(artifact.bytes.sha256()));
            (PathBuf::from(path), Entry::File { mode, sha256 })
        }))
    }

    /// The stage that `found` should be, by its list of digests and its plan.
    ///
    /// One of the two is enough to know a stage by. What neither says of a file is taken as it was found, and the list
    /// for changed, unless it is the plan that was.
    pub(super) fn described(kept: &Kept, found: &Self) -> Described {
        let plan = kept.plan.as_deref().and_then(|plan| serde_json::from_slice::<Plan>(plan).ok());
        if let Some(Plan { format, .. }) = plan
            && format != plan_json::FORMAT
        {
            return Described::OtherFormat(format);
        }
        let modes = plan.map(|plan| plan.files).unwrap_or_default();
        let digests = kept.sums.as_deref().and_then(sums::read).unwrap_or_default();
        if !digests.contains_key(plan_json::PATH) && !modes.contains_key(plan_json::PATH) {
            return Described::Foreign;
        }
        let found = |path: &str| match found.0.get(Path::new(path)) {
            Some(Entry::File { mode, sha256 }) => (*mode, sha256.clone()),
            _ => (lower::Mode::Shared.bits(), None),
        };
        let mut files = BTreeMap::new();
        let mut is_told = true;
        for path in digests.keys().copied().chain(modes.keys().map(String::as_str)).chain([sums::PATH]) {
            if check_path(path).is_err() {
                return Described::Foreign;
            }
            let mode =
                modes.get(path).and_then(|file| lower::Mode::of_octal(&file.mode)).map(lower::Mode::bits);
            let digest = digests.get(path).map(|digest| (*digest).to_owned());
            is_told &= mode.is_some() && (digest.is_some() || path == sums::PATH);
            let found = found(path);
            let file = Entry::File { mode: mode.unwrap_or(found.0), sha256: digest.or(found.1) };
            files.insert(PathBuf::from(path), file);
        }
        let is_plan_changed = digests
            .get(plan_json::PATH)
            .is_some_and(|digest| found(plan_json::PATH).1.as_deref() != Some(digest));
        if !is_told && !is_plan_changed {
            // No file has this digest.
            let file = Entry::File { mode: found(sums::PATH).0, sha256: Some(String::new()) };
            files.insert(PathBuf::from(sums::PATH), file);
        }
        Described::Stage(Self::with_directories(files))
    }

    fn with_directories(files: impl IntoIterator<Item = (PathBuf, Entry)>) -> Self {
        let mut entries = BTreeMap::from([(PathBuf::from("."), Entry::Directory { mode: DIRECTORY_MODE })]);
        for (path, entry) in files {
            for parent in path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty()) {
                entries.entry(parent.to_owned()).or_insert(Entry::Directory { mode: DIRECTORY_MODE });
            }
            entries.insert(path, entry);
        }
        Self(entries)
    }

    /// The directories below the stage's own, those that hold others first.
    pub(super) fn directories(&self) -> impl DoubleEndedIterator<Item = &Path> {
        let is_directory = |entry: &Entry| matches!(entry, Entry::Directory { .. });
        self.0
            .iter()
            .filter(move |(path, entry)| is_directory(entry) && *path != Path::new("."))
            .map(|(path, _)| &**path)
    }

    /// The directories of the stage's own that are the same in `other`, with all that is in them.
    pub(super) fn same_directories<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Path> {
        fn inside<'a>(of: &'a Snapshot, directory: &Path) -> Vec<(&'a PathBuf, &'a Entry)> {
            of.0.iter().filter(|(path, _)| path.starts_with(directory)).collect()
        }
        let own = self.directories().filter(|path| path.components().count() == 1);
        own.filter(move |path| inside(self, path) == inside(other, path))
    }

    /// Lists how `found` differs from this, in order of paths.
    pub(super) fn differences(&self, found: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        for (path, expected) in &self.0 {
            let path = || path.clone();
            let Some(found) = found.0.get(&path()) else {
                differences.push(Difference::Missing(path()));
                continue;
            };
            let (expected, found) = match (expected, found) {
                (Entry::File { mode: a, sha256: x }, Entry::File { mode: b, sha256: y }) => {
                    if x != y {
                        differences.push(Difference::Changed(path()));
                    }
                    (*a, *b)
                }
                (Entry::Directory { mode: a }, Entry::Directory { mode: b }) => (*a, *b),
                _ => {
                    differences.push(Difference::KindChanged(path()));
                    continue;
                }
            };
            if expected != found {
                differences.push(Difference::ModeChanged { path: path(), expected, found });
            }
        }
        let added = found.0.keys().filter(|path| !self.0.contains_key(*path));
        differences.extend(added.cloned().map(Difference::Added));
        differences
    }
}

/// Whether `path` stays within a stage: relative, `/` between its parts, none of them empty, `.` or `..`.
pub(super) fn check_path(path: &str) -> Result<(), &'static str> {
    if path.contains('\0') {
        return Err("holds a NUL");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("is absolute or has an empty, `.` or `..` part");
    }
    if path.split('/').count() > MAX_DEPTH {
        return Err("lies too deep");
    }
    Ok(())
}

struct Reader<'a> {
    root: &'a Path,
    entries: BTreeMap<PathBuf, Entry>,
    bytes: u64,
    kept: Kept,
}

impl Reader<'_> {
    fn directory(&mut self, dir: &Dir, prefix: &Path, depth: usize) -> Result<(), StageError> {
        let too_many = || self.too_large("more than 4096 files");
        let names = dir.names(MAX_ENTRIES).map_err(|reason| StageError::io("read", dir.path(), reason))?;
        let names = names.ok_or_else(too_many)?;
        if self.entries.len() + names.len() > MAX_ENTRIES + 1 {
            return Err(too_many());
        }
        for name in names {
            let path = prefix.join(&name);
            let full = || dir.path().join(&name);
            let entry = match dir.stat(&name).map_err(|reason| StageError::io("inspect", full(), reason))? {
                None => continue,
                Some((FileType::Directory, mode)) => {
                    let Some(depth) = depth.checked_sub(1) else {
                        return Err(self.too_large("directories more than 16 deep"));
                    };
                    let sub = dir.sub(&name).map_err(|reason| StageError::io("open", full(), reason))?;
                    self.entries.insert(path.clone(), Entry::Directory { mode });
                    self.directory(&sub, &path, depth)?;
                    continue;
                }
                Some((FileType::RegularFile, mode)) => {
                    let sha256 = self.file(dir, &name, &path)?;
                    Entry::File { mode, sha256 }
                }
                Some(_) => Entry::Other,
            };
            self.entries.insert(path, entry);
        }
        Ok(())
    }

    /// The digest of a file, read without following a link and without waiting for anything.
    fn file(&mut self, dir: &Dir, name: &std::ffi::OsStr, path: &Path) -> Result<Option<String>, StageError> {
        let full = || dir.path().join(name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match fs::openat(dir, name, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            // Not ours as it is: we write nothing that its owner cannot read, and no links.
            Err(Errno::ACCESS | Errno::LOOP | Errno::NXIO | Errno::NOENT) => return Ok(None),
            Err(reason) => return Err(StageError::io("open", full(), reason)),
        };
        let stat = fs::fstat(&file).map_err(|reason| StageError::io("inspect", full(), reason))?;
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || size > MAX_FILE_BYTES {
            return Ok(None);
        }
        if self.bytes + size > MAX_STAGE_BYTES {
            return Err(self.too_large("more than 256 MiB"));
        }
        let mut reader = file.take(MAX_FILE_BYTES + 1);
        let mut digest = Sha256::new();
        let mut kept = self.kept.place(path).is_some().then(Vec::new);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(reason) if reason.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(reason) => return Err(StageError::io("read", full(), reason)),
            };
            self.bytes += n as u64;
            if self.bytes > MAX_STAGE_BYTES {
                return Err(self.too_large("more than 256 MiB"));
            }
            digest.update(&buffer[..n]);
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(&buffer[..n]);
            }
        }
        // It may have grown since its size was asked.
        if reader.limit() == 0 {
            return Ok(None);
        }
        if let Some(place) = self.kept.place(path) {
            *place = kept;
        }
        Ok(Some(hex(&digest.finalize())))
    }

    fn too_large(&self, what: &'static str) -> StageError {
        StageError::TooLarge { path: self.root.to_owned(), what }
    }
}
