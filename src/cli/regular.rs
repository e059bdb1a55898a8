//! Files that may be read: regular ones, to which no link leads from where a stranger may have put one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::reason;
use super::workspace::GIT;

/// Why a directory is not read.
pub(super) const DIRECTORY: &str = "it is a directory";
/// Why a pipe, a device or a socket is not read.
pub(super) const NO_FILE: &str = "it is no regular file";

/// A file on a disk, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// The file that a path leads to, if that is in `root`, which `place` names, and not in git's own directory. A shell's
/// pattern names a link in a stranger's repository as it names a file, and lines of what is read stand in reports.
pub(super) fn within(root: &Path, place: &str, path: &Path) -> Result<PathBuf, String> {
    let real = fs::canonicalize(path).map_err(|error| reason(&error))?;
    let root = fs::canonicalize(root).map_err(|error| reason(&error))?;
    let Ok(way) = real.strip_prefix(&root) else {
        return Err(format!("it is a symbolic link that leads out of {place}"));
    };
    if way.iter().any(|part| part == GIT) {
        return Err(String::from("it lies in git's own directory"));
    }
    Ok(real)
}

/// Opens a regular file, without waiting for anybody at the other end of what is none.
pub(super) fn open(path: &Path) -> Result<(File, Identity, u64), String> {
    let opened = || -> io::Result<_> {
        let meta = fs::metadata(path)?;
        if !meta.is_file() {
            return Ok((None, meta));
        }
        // It may have become another since.
        let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        let meta = file.metadata()?;
        Ok((Some(file), meta))
    };
    let (file, meta) = opened().map_err(|error| reason(&error))?;
    let identity = Identity { device: meta.dev(), inode: meta.ino() };
    let kind = meta.file_type();
    match file {
        Some(file) if kind.is_file() => Ok((file, identity, meta.len())),
        _ if kind.is_dir() => Err(String::from(DIRECTORY)),
        _ => Err(String::from(NO_FILE)),
    }
}

/// Reads a regular file of at most so many bytes.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let (file, _, length) = open(path)?;
    if length > most {
        return Err(format!("it is larger than {most} bytes"));
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(|error| reason(&error))?;
    Ok(bytes)
}
