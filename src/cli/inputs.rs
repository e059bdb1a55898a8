//! What the disk said of the files that a check has read, so that a later check can tell whether they are still as they
//! were without compiling them again.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bottlec::digest::sha256_hex;
use bottlec::source::{MAX_SOURCE_BYTES, Source};
use serde::{Deserialize, Serialize};

/// How long before a check a file must have changed last for its times to tell of every later change. A file system
/// counts time in ticks, of two seconds at worst: a file that is written twice in one tick has one time, and may have
/// one size.
const TICK: Duration = Duration::from_secs(2);

/// What changes when a file is written, replaced, or given another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Numbers", from = "Numbers")]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// When it was written, in nanoseconds since 1970.
    modified: i64,
    /// When anything of it changed, its times among that. Nobody can set it back.
    changed: i64,
}

impl Stamp {
    pub(crate) fn of(meta: &Metadata) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            bytes: meta.len(),
            modified: nanoseconds(meta.mtime(), meta.mtime_nsec()),
            changed: nanoseconds(meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Whether a change of the file after `time` shows in the stamp.
    fn is_settled(&self, time: SystemTime) -> bool {
        let since = time.checked_sub(TICK).and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let since = since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(i64::MIN);
        self.modified < since && self.changed < since
    }
}

/// A stamp as it is kept, in the order of its fields.
type Numbers = (u64, u64, u64, i64, i64);

impl From<Stamp> for Numbers {
    fn from(stamp: Stamp) -> Self {
        let Stamp { device, inode, bytes, modified, changed } = stamp;
        (device, inode, bytes, modified, changed)
    }
}

impl From<Numbers> for Stamp {
    fn from((device, inode, bytes, modified, changed): Numbers) -> Self {
        Self { device, inode, bytes, modified, changed }
    }
}

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Input {
    /// None when there was no such file.
    stamp: Option<Stamp>,
    /// The SHA-256 of what it held, when its stamp alone does not tell whether it changed since.
    digest: Option<String>,
}

impl Input {
    /// Whether there was no such file.
    pub(crate) fn is_absent(&self) -> bool {
        self.stamp.is_none()
    }

    /// The file as it is, when it is what it was; `now` is a time before the call.
    pub(crate) fn again(&self, path: &Path, now: SystemTime) -> Option<Self> {
        let stamp = match fs::metadata(path) {
            Ok(meta) => Some(Stamp::of(&meta)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(_) => return None,
        };
        if stamp != self.stamp {
            return None;
        }
        let (Some(stamp), Some(digest)) = (stamp, &self.digest) else { return Some(self.clone()) };
        let file = File::open(path).ok()?;
        if Stamp::of(&file.metadata().ok()?) != stamp {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes).ok()?;
        let digest = (sha256_hex(&bytes) == *digest).then_some(digest)?;
        let digest = (!stamp.is_settled(now)).then(|| digest.clone());
        Some(Self { stamp: Some(stamp), digest })
    }
}

/// The files that one unit was read from, by their names as sources.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    /// A time before anything was read; without one, nothing is remembered.
    now: Option<SystemTime>,
    /// Whether all that was read can be looked at again.
    whole: bool,
    /// The files.
    pub(crate) files: BTreeMap<String, Input>,
    /// Where those that are included lie, with links followed.
    pub(crate) real: BTreeMap<String, PathBuf>,
}

impl Inputs {
    /// For a reader that does not want to know.
    pub(crate) fn unwatched() -> Self {
        Self { now: None, whole: false, files: BTreeMap::new(), real: BTreeMap::new() }
    }

    /// For files that are read after `now`.
    pub(crate) fn since(now: SystemTime) -> Self {
        Self { now: Some(now), whole: true, ..Self::unwatched() }
    }

    /// A file was read; `meta` is from before.
    pub(crate) fn read(&mut self, source: &Source, meta: &Metadata) {
        let Some(now) = self.now else { return };
        if !meta.is_file() {
            return self.lose();
        }
        let stamp = Stamp::of(meta);
        let digest = (!stamp.is_settled(now)).then(|| sha256_hex(source.bytes()));
        self.files.insert(source.name().to_owned(), Input { stamp: Some(stamp), digest });
    }

    /// An included file could not be read.
    pub(crate) fn miss(&mut self, name: &str, error: ErrorKind) {
        if error == ErrorKind::NotFound && self.now.is_some() {
            self.files.insert(name.to_owned(), Input { stamp: None, digest: None });
        } else {
            self.lose();
        }
    }

    /// An included file was read from there.
    pub(crate) fn led_to(&mut self, name: &str, real: PathBuf) {
        if self.now.is_some() {
            self.real.insert(name.to_owned(), real);
        }
    }

    /// Something decides the result that cannot be looked at again, such as standard input.
    pub(crate) fn lose(&mut self) {
        self.whole = false;
    }

    /// Whether all that was read can be looked at again.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path, now: SystemTime) -> Input {
        let mut inputs = Inputs::since(now);
        let source = Source::from_bytes("x.kdl", fs::read(path).unwrap());
        inputs.read(&source, &fs::metadata(path).unwrap());
        assert!(inputs.is_whole());
        inputs.files.remove("x.kdl").unwrap()
    }

    fn stamp(path: &Path) -> Stamp {
        Stamp::of(&fs::metadata(path).unwrap())
    }

    #[test]
    fn a_young_file_is_known_by_its_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.kdl");
        fs::write(&path, "one").unwrap();
        let now = SystemTime::now();
        let mut input = read(&path, now);
        assert!(input.digest.is_some());
        assert_eq!(input.again(&path, now).as_ref(), Some(&input));
        // As if it was written again in the same tick of the clock.
        fs::write(&path, "two").unwrap();
        input.stamp = Some(stamp(&path));
        assert_eq!(input.again(&path, now), None);
        fs::write(&path, "one").unwrap();
        input.stamp = Some(stamp(&path));
        assert_eq!(input.again(&path, now).as_ref(), Some(&input));
        // When it has some age, its stamp is enough, also if somebody gives it the time that it had.
        let later = now + Duration::from_mins(1);
        let aged = input.again(&path, later).unwrap();
        assert_eq!(aged, Input { stamp: Some(stamp(&path)), digest: None });
        assert_eq!(aged.again(&path, later).as_ref(), Some(&aged));
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "two").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert_eq!(aged.again(&path, later), None);
        // So it counts as young, too, when only its time is old.
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(time - Duration::from_hours(1))
            .unwrap();
        assert!(read(&path, SystemTime::now()).digest.is_some());
        assert!(read(&path, SystemTime::now() + Duration::from_mins(1)).digest.is_none());
    }

    #[test]
    fn every_number_of_a_stamp_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.kdl");
        fs::write(&path, "one").unwrap();
        let later = SystemTime::now() + Duration::from_mins(1);
        let input = read(&path, later);
        let (device, inode, bytes, modified, changed) = Numbers::from(stamp(&path));
        for other in [
            (device + 1, inode, bytes, modified, changed),
            (device, inode + 1, bytes, modified, changed),
            (device, inode, bytes + 1, modified, changed),
            (device, inode, bytes, modified - 1, changed),
            (device, inode, bytes, modified, changed - 1),
        ] {
            let other = Input { stamp: Some(Stamp::from(other)), digest: None };
            assert_eq!(other.again(&path, later), None);
        }
        assert_eq!(input.again(&path, later), Some(input.clone()));
        fs::remove_file(&path).unwrap();
        assert_eq!(input.again(&path, later), None);
        let absent = Input { stamp: None, digest: None };
        assert_eq!(absent.again(&path, later), Some(absent.clone()));
        fs::write(&path, "one").unwrap();
        assert_eq!(absent.again(&path, later), None);
    }
}
