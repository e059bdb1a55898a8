//! What `check` remembers from run to run, in the user's own cache directory: the units in which nothing was found.
//!
//! Nothing in a repository is ever taken for a cache: who sends a change must not be able to say that it was checked.
//! Whatever is the matter with the cache, it is no error: all is checked, as without one.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, Metadata, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bottlec::Options;
use bottlec::digest::sha256_hex;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::check_cache::{CheckCache, CheckResult, Known};
use super::inputs::{Input, Stamp};
use super::load;
use super::walk::Unit;

/// The most bytes that a cache may have: those of 100,000 specs and more.
const MAX_BYTES: u64 = 32 << 20;
/// How many caches are kept: one for each workspace, set of options and build of the program.
const MAX_CACHES: usize = 16;

/// Where what one kind of run remembers is kept.
#[derive(Debug)]
pub(crate) struct CacheFile {
    directory: PathBuf,
    file: PathBuf,
}

/// What a cache holds.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    files: Vec<(String, Input)>,
    /// By the file's place in `files`: where an included one lies.
    real: Vec<(usize, PathBuf)>,
    /// The spec, the places of its files, and how many bottles it has; none when it is no spec.
    units: Vec<(PathBuf, Vec<usize>, Option<usize>)>,
}

impl CacheFile {
    /// The cache of runs with these options over these paths; none where there is no place for one.
    pub(crate) fn of(options: &Options, paths: &[PathBuf]) -> Option<Self> {
        let directory = place(|name| std::env::var_os(name).map(PathBuf::from))?;
        let workspace = load::workspace().ok()?;
        let checked = paths.iter().map(|path| workspace.join(path)).chain([workspace.clone()]);
        let real = load::real(&directory);
        let mut checked = checked.map(|path| load::real(&path));
        if checked.any(|path| real.starts_with(repository(&path))) {
            return None;
        }
        // Everything that decides a result besides the files. Another build of the program may have other rules.
        let program = std::env::current_exe().ok()?;
        let build = (env!("CARGO_PKG_VERSION"), &program, Stamp::of(&fs::metadata(&program).ok()?));
        let key = format!("{:?}", (build, options, load::real(&workspace), &workspace, paths));
        let file = directory.join(sha256_hex(key.as_bytes()));
        Some(Self { directory, file })
    }

    /// What is remembered; nothing when it is not what this user's `bottlec` has written.
    pub(crate) fn load(&self) -> CheckCache {
        self.read().and_then(|bytes| parse(&bytes)).unwrap_or_default()
    }

    /// Remembers what was found to be clean, instead of what was remembered so far.
    pub(crate) fn store(&self, cache: &CheckCache) {
        // Without it the next run takes longer, and that is all.
        let _ = self.write(&text(cache));
    }

    fn read(&self) -> Option<Vec<u8>> {
        let directory = fs::symlink_metadata(&self.directory).ok()?;
        if !directory.is_dir() || !is_private(&directory) {
            return None;
        }
        // No link is followed, and no reader waits for a writer.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        let file =
            OpenOptions::new().read(true).custom_flags(i32::try_from(flags).ok()?).open(&self.file).ok()?;
        let meta = file.metadata().ok()?;
        if !meta.is_file() || !is_private(&meta) || meta.len() > MAX_BYTES {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        if text.len() as u64 > MAX_BYTES {
            return Ok(());
        }
        if let Some(above) = self.directory.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(above)?;
        }
        match DirBuilder::new().mode(0o700).create(&self.directory) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let directory = fs::symlink_metadata(&self.directory)?;
        if !directory.is_dir() || !is_private(&directory) {
            return Ok(());
        }
        self.make_room();
        // It has the mode 0600 from its beginning, and appears as a whole.
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(text.as_bytes())?;
        file.persist(&self.file).map_err(|error| error.error)?;
        Ok(())
    }

    /// Removes the caches that were written longest ago, and what a run that was killed has left.
    fn make_room(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        let aged = |path: PathBuf| Some((fs::symlink_metadata(&path).ok()?.modified().ok()?, path));
        let mut others: Vec<(SystemTime, PathBuf)> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| *path != self.file)
            .filter_map(aged)
            .collect();
        others.sort();
        let room = others.len().saturating_sub(MAX_CACHES - 1);
        for (_, path) in others.into_iter().take(room) {
            let _ = fs::remove_file(path);
        }
    }
}

/// The directory of all caches, by the environment.
fn place(env: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // By the XDG Base Directory Specification a relative path counts for nothing.
    let absolute = |name: &str| env(name).filter(|path| path.is_absolute());
    let above = match absolute("XDG_CACHE_HOME") {
        Some(cache) => cache,
        // A home that is not there is not made.
        None => absolute("HOME").filter(|home| home.is_dir())?.join(".cache"),
    };
    Some(above.join("bottlec"))
}

/// The top of the repository that a path lies in; the path itself when it lies in none.
fn repository(path: &Path) -> &Path {
    path.ancestors().find(|directory| directory.join(".git").exists()).unwrap_or(path)
}

/// Whether it is this user's, and nobody else may read or write it.
fn is_private(meta: &Metadata) -> bool {
    meta.uid() == rustix::process::geteuid().as_raw() && meta.mode().trailing_zeros() >= 6
}

/// What is remembered as text: its digest, and JSON.
fn text(cache: &CheckCache) -> String {
    let mut stored = Stored { files: Vec::new(), real: Vec::new(), units: Vec::new() };
    let mut places = BTreeMap::new();
    for (unit, known) in &cache.units {
        let Unit::Found(path) = unit else { continue };
        let bottles = match &*known.result {
            CheckResult::NoSpec => None,
            CheckResult::Clean(bottles) => Some(*bottles),
            CheckResult::Findings { .. } => continue,
        };
        let mut of_unit = Vec::new();
        for name in known.names() {
            let next = stored.files.len();
            let place = *places.entry(name).or_insert(next);
            if let (true, Some(input)) = (place == next, cache.files.get(name)) {
                stored.files.push((name.clone(), input.clone()));
                stored.real.extend(cache.real.get(name).map(|real| (place, real.clone())));
            }
            of_unit.push(place);
        }
        stored.units.push((path.clone(), of_unit, bottles));
    }
    // A path that is not UTF-8 cannot be written: then nothing is remembered.
    let json = serde_json::to_string(&stored).unwrap_or_default();
    format!("{}\n{json}", sha256_hex(json.as_bytes()))
}

fn parse(bytes: &[u8]) -> Option<CheckCache> {
    let (digest, json) = bytes.split_at_checked(65)?;
    if *digest != *format!("{}\n", sha256_hex(json)).as_bytes() {
        return None;
    }
    let Stored { files, real, units } = serde_json::from_slice(json).ok()?;
    let mut cache = CheckCache::default();
    for (path, places, bottles) in units {
        let result = Arc::new(bottles.map_or(CheckResult::NoSpec, CheckResult::Clean));
        let mut known = Known { sources: Vec::new(), absent: Vec::new(), result };
        for at in places {
            let (name, input) = files.get(at)?;
            let names = if input.is_absent() { &mut known.absent } else { &mut known.sources };
            names.push(name.clone());
        }
        cache.units.insert(Unit::Found(path), known);
    }
    for (at, path) in real {
        cache.real.insert(files.get(at)?.0.clone(), path);
    }
    cache.files = files.into_iter().collect();
    Some(cache)
}
