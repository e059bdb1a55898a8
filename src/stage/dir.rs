//! A directory held open: everything below goes through its descriptor, and no link is followed.

use std::ffi::{OsStr, OsString};
use std::fs::DirBuilder;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::error::StageError;
use super::{MAX_DEPTH, MAX_ENTRIES};

/// An open directory and, for messages, how it was reached.
#[derive(Debug)]
pub(super) struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

const OPEN: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

impl Dir {
    /// Opens the output directory; none when there is nothing. It may not be a link itself: a stranger's branch
    /// may hold one that points anywhere. The directories above it are the user's own.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StageError> {
        let path = without_trailing(path);
        match fs::openat(CWD, &path, OPEN, Mode::empty()) {
            Ok(fd) => Ok(Some(Self { fd, path })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                // Only for the words: the open itself refused.
                match fs::statat(CWD, &path, AtFlags::SYMLINK_NOFOLLOW)
                    .map(|s| FileType::from_raw_mode(s.st_mode))
                {
                    Ok(FileType::Symlink) => Err(StageError::Symlink { path }),
                    _ => Err(StageError::NotADirectory { path }),
                }
            }
            Err(reason) => Err(StageError::io("open", path, reason)),
        }
    }

    /// Opens the output directory, and creates it and those above it when they are missing.
    pub(super) fn open_or_create(path: &Path) -> Result<Self, StageError> {
        if let Some(dir) = Self::open(path)? {
            return Ok(dir);
        }
        let path = without_trailing(path);
        let builder = |recursive| {
            let mut builder = DirBuilder::new();
            builder.mode(0o755).recursive(recursive);
            builder
        };
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            builder(true).create(parent).map_err(|reason| StageError::io("create", parent, reason))?;
        }
        match builder(false).create(&path) {
            // Another run may have been quicker.
            Err(reason) if reason.kind() != io::ErrorKind::AlreadyExists => {
                return Err(StageError::io("create", path, reason));
            }
            _ => {}
        }
        Self::open(&path)?.ok_or_else(|| StageError::io("open", path, Errno::NOENT))
    }

    /// Opens a directory in this one, if it is one and no link.
    pub(super) fn sub(&self, name: impl AsRef<Path>) -> Result<Self, Errno> {
        let name = name.as_ref();
        let fd = fs::openat(&self.fd, name, OPEN, Mode::empty())?;
        Ok(Self { fd, path: self.path.join(name) })
    }

    /// Creates a directory in this one for the owner alone, and opens it.
    pub(super) fn make(&self, name: &str) -> Result<Self, StageError> {
        let made = fs::mkdirat(&self.fd, name, Mode::RWXU).and_then(|()| self.sub(name));
        made.map_err(|reason| StageError::io("create", self.path.join(name), reason))
    }

    /// How it was reached.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What kind of thing `name` is and its permission bits; a link is a link.
    pub(super) fn stat(&self, name: impl AsRef<Path>) -> Result<Option<(FileType, u32)>, Errno> {
        match fs::statat(&self.fd, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some((FileType::from_raw_mode(stat.st_mode), permissions(stat.st_mode)))),
            Err(Errno::NOENT) => Ok(None),
            Err(reason) => Err(reason),
        }
    }

    /// The names in it, in order; none when there are more than `limit`.
    pub(super) fn names(&self, limit: usize) -> Result<Option<Vec<OsString>>, Errno> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if names.len() == limit {
                return Ok(None);
            }
            names.push(OsStr::from_bytes(name).to_owned());
        }
        names.sort();
        Ok(Some(names))
    }

    /// Sets the permission bits and makes what is in it last.
    pub(super) fn finish(&self, mode: u32) -> Result<(), StageError> {
        set_mode(&self.fd, mode, &self.path)?;
        match fs::fsync(&self.fd) {
            // Some file systems cannot sync a directory, and need not.
            Ok(()) | Err(Errno::INVAL | Errno::BADF) => Ok(()),
            Err(reason) => Err(StageError::io("write", &self.path, reason)),
        }
    }

    /// Makes renames in it last, as well as the file system can: they have been done, so nothing can be undone for
    /// a failure here.
    pub(super) fn sync(&self) {
        let _ = fs::fsync(&self.fd);
    }

    /// Removes `name` and all below, never what a link points at.
    pub(super) fn remove(&self, name: impl AsRef<Path>) -> Result<(), Errno> {
        self.remove_within(name.as_ref(), MAX_DEPTH + 4)
    }

    fn remove_within(&self, name: &Path, depth: usize) -> Result<(), Errno> {
        let flags = match self.stat(name)? {
            None => return Ok(()),
            Some((FileType::Directory, _)) => {
                let depth = depth.checked_sub(1).ok_or(Errno::NAMETOOLONG)?;
                let sub = self.sub(name)?;
                // A directory that its owner may not write to can be emptied once it may.
                let _ = fs::fchmod(&sub.fd, Mode::RWXU);
                for name in sub.names(MAX_ENTRIES * 2)?.ok_or(Errno::TOOBIG)? {
                    sub.remove_within(name.as_ref(), depth)?;
                }
                AtFlags::REMOVEDIR
            }
            Some(_) => AtFlags::empty(),
        };
        match fs::unlinkat(&self.fd, name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(reason) => Err(reason),
        }
    }
}

/// The permission bits of a raw mode, with set-user-id and its like.
#[allow(
    clippy::unnecessary_cast,
    clippy::useless_conversion,
    reason = "`RawMode` is 16 bits wide on some platforms"
)]
pub(super) fn permissions(raw: fs::RawMode) -> u32 {
    u32::from(raw) & 0o7777
}

/// Sets permission bits exactly, whatever the umask, and sees that they are kept.
pub(super) fn set_mode(fd: impl AsFd, mode: u32, path: &Path) -> Result<(), StageError> {
    let fd = fd.as_fd();
    #[allow(
        clippy::cast_possible_truncation,
        reason = "`RawMode` is 16 bits wide on some platforms; modes are 12"
    )]
    let bits = Mode::from_raw_mode(mode as fs::RawMode);
    let set = fs::fchmod(fd, bits).and_then(|()| fs::fstat(fd));
    let found = permissions(set.map_err(|reason| StageError::io("set the mode of", path, reason))?.st_mode);
    if found == mode {
        Ok(())
    } else {
        Err(StageError::ModeNotKept { path: path.to_owned(), expected: mode, found })
    }
}

/// `path` without a trailing `/` or `/.`, either of which would follow a link in spite of `O_NOFOLLOW`.
fn without_trailing(path: &Path) -> PathBuf {
    let path: PathBuf = path.components().collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}
