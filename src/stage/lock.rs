//! The lock that keeps a second writer out.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::dir::Dir;
use super::error::StageError;

/// The file that is locked. It stays: see the module's words on why.
const NAME: &str = ".bottlec.lock";

/// A build takes well under a second; a process that is stopped in the middle must not make all others hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// A directory of stages that no writer changes, until this is dropped.
#[derive(Debug)]
pub struct Hold {
    _lock: Lock,
}

/// Waits until no writer is at work in `out`, and keeps others out.
///
/// # Errors
/// When there is no such directory, it is reached through a link, or a writer does not end.
pub fn hold(out: &Path) -> Result<Hold, StageError> {
    let dir = Dir::open(out)?.ok_or_else(|| StageError::io("open", out, Errno::NOENT))?;
    Lock::shared(&dir).map(|lock| Hold { _lock: lock })
}

/// Held until dropped; the kernel drops it when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Waits until no other writer or reader is at work in `out`.
    pub(super) fn exclusive(out: &Dir) -> Result<Self, StageError> {
        Self::take(out, OFlags::RDWR | OFlags::CREATE, File::try_lock)
    }

    /// Waits until no writer is at work in `out`. Nothing is written for it: when there is no lock file, no writer
    /// has ever been there, and when it may not be read, neither may the stage be relied on to stand still.
    pub(super) fn shared(out: &Dir) -> Result<Self, StageError> {
        match Self::take(out, OFlags::RDONLY, File::try_lock_shared) {
            Err(StageError::Io { reason, .. })
                if matches!(
                    Errno::from_io_error(&reason),
                    Some(Errno::NOENT | Errno::ACCESS | Errno::NOTSUP | Errno::NOLCK)
                ) =>
            {
                Ok(Self { _file: None })
            }
            taken => taken,
        }
    }

    fn take(
        out: &Dir,
        access: OFlags,
        try_lock: fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, StageError> {
        let path = || out.path().join(NAME);
        let begun = Instant::now();
        // Not blocking, should it be a FIFO.
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        'open: loop {
            let file = match fs::openat(out, NAME, flags, Mode::RUSR | Mode::WUSR) {
                Ok(fd) => File::from(fd),
                Err(Errno::LOOP | Errno::MLINK) => return Err(StageError::Symlink { path: path() }),
                Err(Errno::ISDIR | Errno::NXIO) => return Err(StageError::Reserved { path: path() }),
                Err(reason) => return Err(StageError::io("open", path(), reason)),
            };
            let ours = fs::fstat(&file).map_err(|reason| StageError::io("inspect", path(), reason))?;
            if FileType::from_raw_mode(ours.st_mode) != FileType::RegularFile {
                return Err(StageError::Reserved { path: path() });
            }
            loop {
                match try_lock(&file) {
                    Ok(()) => {}
                    Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                        thread::sleep(Duration::from_millis(5));
                        continue;
                    }
                    Err(TryLockError::WouldBlock) => {
                        return Err(StageError::Busy {
                            path: out.path().to_owned(),
                            seconds: PATIENCE.as_secs(),
                        });
                    }
                    Err(TryLockError::Error(reason)) => return Err(StageError::io("lock", path(), reason)),
                }
                // Somebody may have removed the file meanwhile: a lock on a file without a name locks nobody out.
                return match fs::statat(out, NAME, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(now) if (now.st_dev, now.st_ino) == (ours.st_dev, ours.st_ino) => {
                        Ok(Self { _file: Some(file) })
                    }
                    _ if begun.elapsed() < PATIENCE => continue 'open,
                    _ => Err(StageError::Reserved { path: path() }),
                };
            }
        }
    }
}
