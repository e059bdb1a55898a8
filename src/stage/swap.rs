//! The working directory in `<out>`, and the exchange of its stages for the old ones.

use std::path::PathBuf;

use rustix::fs::{self, FileType};
use rustix::io::Errno;

use super::dir::Dir;
use super::error::StageError;

/// The working directory: under the lock there is one writer, so one name does.
const WORK: &str = ".bottlec.tmp";
/// In it: new stages, and after an exchange the old ones.
const NEW: &str = "new";
/// In it: old stages that were moved aside because the file system knows no exchange.
const OLD: &str = "old";

/// What the working directory is called, with a number, when it holds an old stage that could not be put back.
const KEPT: &str = ".bottlec.kept";

/// How a new directory takes the old one's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// In one step where the file system knows that, else as by [`Exchange::Never`].
    IfKnown,
    /// In two: the old one is moved aside first.
    Never,
}

/// The working directory, removed with all that is in it when dropped.
#[derive(Debug)]
pub(super) struct Work<'a> {
    out: &'a Dir,
    new: Dir,
    exchange: Exchange,
    kept: bool,
}

/// What has to be done to undo a swap.
#[derive(Debug)]
pub(super) enum Swapped {
    Created,
    Exchanged,
    MovedAside,
}

impl<'a> Work<'a> {
    /// An empty one. The caller holds the lock and has called [`recover`].
    pub(super) fn new(out: &'a Dir, exchange: Exchange) -> Result<Self, StageError> {
        let made = out.make(WORK).and_then(|work| work.make(NEW));
        match made {
            Ok(new) => Ok(Self { out, new, exchange, kept: false }),
            Err(error) => {
                let _ = recover(out);
                Err(error)
            }
        }
    }

    /// Where new files that are in no stage lie.
    pub(super) fn new_files(&self) -> &Dir {
        &self.new
    }

    /// An empty directory for a new stage.
    pub(super) fn stage(&self, slug: &str) -> Result<Dir, StageError> {
        self.new.make(slug)
    }

    /// Puts the new stage `slug` in its place; the old one, if it `existed`, is then in [`Work::old`].
    pub(super) fn swap_in(&self, slug: &str, existed: bool) -> Result<Swapped, Errno> {
        if !existed {
            return rename_to_nothing(&self.new, self.out, slug, self.exchange).map(|()| Swapped::Created);
        }
        match exchange(&self.new, self.out, slug, self.exchange) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            result => return result.map(|()| Swapped::Exchanged),
        }
        let old = self.make_old()?;
        rename_to_nothing(self.out, &old, slug, self.exchange)?;
        match rename_to_nothing(&self.new, self.out, slug, self.exchange) {
            Ok(()) => Ok(Swapped::MovedAside),
            Err(reason) => {
                // Should this fail as well, the old stage stays in the working directory, and `recover` sees to it.
                let _ = rename_to_nothing(&old, self.out, slug, self.exchange);
                Err(reason)
            }
        }
    }

    /// Gives the new stage `slug` the old one's directories of these names, which are the same byte for byte: a running
    /// container is shown the old ones, and would find them empty once they are removed. What cannot be exchanged stays
    /// the new one's.
    pub(super) fn take_back<'p>(&self, slug: &str, directories: impl Iterator<Item = &'p std::path::Path>) {
        let (Ok(old), Ok(new)) = (self.new.sub(slug), self.out.sub(slug)) else { return };
        for directory in directories.filter_map(std::path::Path::to_str) {
            let _ = exchange(&old, &new, directory, self.exchange);
        }
    }

    /// Undoes a swap.
    pub(super) fn swap_back(&self, slug: &str, swapped: &Swapped) -> Result<(), Errno> {
        match swapped {
            Swapped::Created => rename_to_nothing(self.out, &self.new, slug, self.exchange),
            Swapped::Exchanged => exchange(&self.new, self.out, slug, self.exchange),
            Swapped::MovedAside => {
                let old = self.make_old()?;
                rename_to_nothing(self.out, &self.new, slug, self.exchange)?;
                rename_to_nothing(&old, self.out, slug, self.exchange)
            }
        }
    }

    /// Moves all that is here to where no run removes it, and says where: an old stage could not be put back.
    pub(super) fn keep(&mut self) -> PathBuf {
        self.kept = true;
        for n in 1..100 {
            let name = format!("{KEPT}-{n}");
            if matches!(self.out.stat(&name), Ok(None))
                && fs::renameat(self.out, WORK, self.out, &name).is_ok()
            {
                return self.out.path().join(name);
            }
        }
        self.out.path().join(WORK)
    }

    /// The stage that was replaced.
    pub(super) fn old(&self, slug: &str, swapped: &Swapped) -> Result<Option<Dir>, Errno> {
        match swapped {
            Swapped::Created => Ok(None),
            Swapped::Exchanged => self.new.sub(slug).map(Some),
            Swapped::MovedAside => self.make_old()?.sub(slug).map(Some),
        }
    }

    fn make_old(&self) -> Result<Dir, Errno> {
        let work = self.out.sub(WORK)?;
        match fs::mkdirat(&work, OLD, fs::Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => work.sub(OLD),
            Err(reason) => Err(reason),
        }
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        // What cannot be removed now is the next run's to report: this one's result stands.
        if !self.kept {
            let _ = recover(self.out);
        }
    }
}

/// Removes what a killed run left, after putting back an old stage that it had moved aside and not replaced. The
/// caller holds the lock, so nobody is at work there.
pub(super) fn recover(out: &Dir) -> Result<(), StageError> {
    let path = out.path().join(WORK);
    let io = |action| {
        let path = path.clone();
        move |reason: Errno| StageError::io(action, path, reason)
    };
    match out.stat(WORK).map_err(io("inspect"))? {
        None => return Ok(()),
        Some((FileType::Directory, _)) => {}
        Some(_) => return Err(StageError::Reserved { path }),
    }
    let work = out.sub(WORK).map_err(io("open"))?;
    for name in
        work.names(2).map_err(io("read"))?.ok_or_else(|| StageError::Reserved { path: path.clone() })?
    {
        let is_directory = matches!(work.stat(&name).map_err(io("inspect"))?, Some((FileType::Directory, _)));
        if !is_directory || (name != NEW && name != OLD) {
            return Err(StageError::Reserved { path });
        }
    }
    match work.sub(OLD) {
        Ok(old) => {
            for name in old.names(usize::MAX).map_err(io("read"))?.unwrap_or_default() {
                match rename_to_nothing(&old, out, &name, Exchange::IfKnown) {
                    // There is a stage in its place: this one was replaced.
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(reason) => return Err(io("put back a stage from")(reason)),
                }
            }
        }
        Err(Errno::NOENT) => {}
        Err(reason) => return Err(io("open")(reason)),
    }
    out.remove(WORK).map_err(io("remove"))
}

/// Makes `from`'s entry `name` and `to`'s change places in one step.
fn exchange(from: &Dir, to: &Dir, name: &str, how: Exchange) -> Result<(), Errno> {
    if how == Exchange::Never {
        return Err(Errno::NOSYS);
    }
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    return fs::renameat_with(from, name, to, name, fs::RenameFlags::EXCHANGE);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = (from, to, name);
        Err(Errno::NOSYS)
    }
}

/// Moves `from`'s entry `name` to `to`, which has none of that name.
fn rename_to_nothing(
    from: &Dir,
    to: &Dir,
    name: impl AsRef<std::path::Path>,
    how: Exchange,
) -> Result<(), Errno> {
    let name = name.as_ref();
    if how == Exchange::IfKnown {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        match fs::renameat_with(from, name, to, name, fs::RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            result => return result,
        }
    }
    // A plain rename replaces nothing but an empty directory, should one appear right here.
    match to.stat(name)? {
        None => fs::renameat(from, name, to, name),
        Some(_) => Err(Errno::EXIST),
    }
}
