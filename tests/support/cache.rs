//! A place for specs, whose checks are remembered.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::binary::{Call, Dir, Run};

/// A bottle without anything to say about it.
pub(crate) const CLEAN: &str = "bottle \"api\" { egress { allow \"a.test\"; }; }\n";

/// A place for specs, and a home for the cache beside it.
pub(crate) struct Place {
    pub(crate) dir: Dir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = Dir::new();
        fs::create_dir(dir.at("work")).unwrap();
        fs::create_dir(dir.at("home")).unwrap();
        Self { dir }
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.dir.at("work").join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        self.dir.write(&format!("work/{path}"), text);
    }

    /// A file whose times are long past, as most are: only those that were just written are compared by content.
    pub(crate) fn write_old(&self, path: &str, text: &str) {
        self.write(path, text);
        set_time(&self.at(path), SystemTime::now() - Duration::from_hours(1));
    }

    pub(crate) fn call(&self, args: &[&str]) -> Call {
        Call::new(&self.dir.at("work"), args).env("HOME", self.dir.at("home"))
    }

    pub(crate) fn check(&self, args: &[&str]) -> Run {
        let words: Vec<&str> = ["check", "--format", "concise"].iter().chain(args).copied().collect();
        self.call(&words).run()
    }

    pub(crate) fn caches(&self) -> Vec<PathBuf> {
        caches(&self.dir.at("home/.cache/bottlec"))
    }

    pub(crate) fn cache(&self) -> PathBuf {
        let caches = self.caches();
        assert_eq!(caches.len(), 1, "{caches:?}");
        caches[0].clone()
    }

    /// Replaces the cache by one by which all is clean, with a digest that fits: what a run says then shows whether
    /// it was believed.
    pub(crate) fn forge(&self) {
        let cache = self.cache();
        let text = fs::read_to_string(&cache).unwrap();
        let (_, json) = text.split_once('\n').unwrap();
        let json = json.replace(",1]]}", ",7]]}");
        let text = format!("{}\n{json}", bottlec::digest::sha256_hex(json.as_bytes()));
        fs::write(cache, text).unwrap();
    }
}

pub(crate) fn caches(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

pub(crate) fn set_time(path: &Path, time: SystemTime) {
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// Says how many bottles it checked: 7 when it believed what [`Place::forge`] wrote.
#[track_caller]
pub(crate) fn counts(run: Run, bottles: usize) {
    let noun = if bottles == 1 { "bottle" } else { "bottles" };
    run.code(0).says(&format!("{bottles} {noun} checked, nothing found"));
}
