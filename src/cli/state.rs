//! What was launched here, and by whom: one file a bottle, in the user's own directory of state, written before the machine
//! is made. What has none is somebody else's, and never touched.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, thread};

use bottlec::lower::plan_json::HostPlan;
use bottlec::text::{quote, quote_path};
use serde::{Deserialize, Serialize};

use super::error::{Error, reason};

/// The version of the file.
const FORMAT: u32 = 1;
/// The most that is read of one.
const MAX_BYTES: u64 = 16 << 20;
/// How long another launch of the same bottle may take; it may be fetching images.
const PATIENCE: Duration = Duration::from_mins(30);

/// What was launched of a bottle.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    format: u32,
    /// The spec, as an absolute path.
    pub(crate) spec: PathBuf,
    /// The stage's directory, as an absolute path.
    pub(crate) stage: PathBuf,
    /// The stage's digest when it was launched.
    pub(crate) sha256: String,
    /// The digest of what the machine was made from; nothing before it is made, and after it was removed.
    pub(crate) machine: Option<String>,
    /// The digest of what was copied into it.
    pub(crate) provisioned: Option<String>,
    /// The plan that was launched: what stops, removes and asks after it, whatever became of the spec.
    pub(crate) plan: HostPlan,
}

impl State {
    /// Creates one of a bottle of which nothing was made yet.
    pub(crate) fn new(spec: PathBuf, stage: PathBuf, sha256: String, plan: HostPlan) -> Self {
        Self { format: FORMAT, spec, stage, sha256, machine: None, provisioned: None, plan }
    }
}

/// The place of a bottle's state, to which nobody else has access while this is there.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    _lock: File,
}

impl Place {
    /// Takes the place of a bottle. Waits for another launch of it to end; `waiting` is called when there is one.
    pub(crate) fn take(slug: &str, waiting: impl FnOnce()) -> Result<Self, Error> {
        let directory = directory()?;
        own_directory(&directory)?;
        let path = directory.join(format!("{slug}.lock"));
        let open = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path);
        let lock = open.map_err(|error| unwritable(&path, &error))?;
        let begun = Instant::now();
        let mut waiting = Some(waiting);
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    if let Some(say) = waiting.take() {
                        say();
                    }
                    thread::sleep(Duration::from_millis(50));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Host(format!(
                        "another launch of {} does not end: see what holds {}",
                        quote(slug),
                        quote_path(&path)
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(unwritable(&path, &error)),
            }
        }
        Ok(Self { path: directory.join(format!("{slug}.json")), _lock: lock })
    }

    /// Reads the state; nothing when nothing was launched.
    pub(crate) fn read(&self) -> Result<Option<State>, Error> {
        read(&self.path)
    }

    /// Writes the state, whole or not at all.
    pub(crate) fn write(&self, state: &State) -> Result<(), Error> {
        let written = || -> io::Result<()> {
            let directory = self.path.parent().unwrap_or(Path::new("/"));
            // Made for its owner alone.
            let mut file = tempfile::NamedTempFile::new_in(directory)?;
            file.write_all(&serde_json::to_vec_pretty(state)?)?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        written().map_err(|error| Error::Write { path: self.path.clone(), reason: reason(&error) })
    }

    /// Removes the state: there is nothing left of the bottle.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::Write { path: self.path.clone(), reason: reason(&error) })
            }
            _ => Ok(()),
        }
    }
}

/// Whether a bottle of that name was launched here. Where nothing can be noted nothing was.
pub(crate) fn is_launched(slug: &str) -> bool {
    peek(slug).is_ok_and(|launched| launched.is_some())
}

/// Reads what was launched of a bottle, without keeping anybody out. Where nothing can be noted nothing was.
pub(crate) fn peek(slug: &str) -> Result<Option<State>, Error> {
    let Ok(directory) = directory() else { return Ok(None) };
    read(&directory.join(format!("{slug}.json")))
}

fn read(path: &Path) -> Result<Option<State>, Error> {
    let unreadable = |reason: String| Error::Read { path: path.to_owned(), reason };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(reason(&error))),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| unreadable(reason(&error)))?;
    match serde_json::from_slice::<State>(&bytes) {
        Ok(state) if state.format == FORMAT => Ok(Some(state)),
        _ => Err(unreadable(String::from(
            "it is not what this version writes there: end what is up with the version that launched it",
        ))),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::Write { path: path.to_owned(), reason: reason(error) }
}

/// Makes a directory that is the user's alone, and sees that one which is there is.
pub(crate) fn own_directory(directory: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| unwritable(directory, &error))?;
    let meta = fs::symlink_metadata(directory).map_err(|error| unwritable(directory, &error))?;
    if !meta.is_dir() || meta.uid() != rustix::process::geteuid().as_raw() || meta.mode() & 0o022 != 0 {
        let reason =
            String::from("it is not a directory of yours alone, so what stands there is not believed");
        return Err(Error::Read { path: directory.to_owned(), reason });
    }
    Ok(())
}

/// The directory for what goes when the user's session does: in memory as the XDG base directory specification has it, or
/// below the directory of state where there is none.
pub(crate) fn runtime_directory() -> Result<PathBuf, Error> {
    match absolute("XDG_RUNTIME_DIR") {
        Some(runtime) => Ok(runtime.join("bottlec")),
        None => Ok(directory()?.join("run")),
    }
}

/// A path in a variable of the environment; one that is relative counts for nothing (XDG base directory specification).
fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The user's directory of state, as the XDG base directory specification has it.
fn directory() -> Result<PathBuf, Error> {
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let base = base.ok_or_else(|| {
        Error::Host(String::from(
            "neither HOME nor XDG_STATE_HOME is set, so what is launched cannot be noted",
        ))
    })?;
    Ok(base.join("bottlec"))
}
