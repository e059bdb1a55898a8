//! The stage on disk: whole or not at all, whatever happens.
#![cfg(unix)]

mod exchange;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use bottlec::digest::sha256_hex;
use bottlec::lower::plan_json::PATH as PLAN;
use bottlec::lower::sums::{self, PATH as SUMS};
use bottlec::lower::{Mode, Stage};
use bottlec::stage::{Difference, StageError, State, Written, compare, inspect, write};
use rustix::fs::{CWD, openat};

use crate::support::stage::{chmod, helper, helping, is, names, passed, stage, stage_of, write_one};

fn force_one(out: &Path, stage: &Stage) -> Result<Written, StageError> {
    write(out, std::slice::from_ref(stage), true).map(|written| written[0].1)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

// Writing.

#[test]
fn a_fresh_stage_is_written_whole() {
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path().join("above/out");
    let stage = stage("api", "1");
    assert_eq!(inspect(&out, "api").unwrap(), State::Absent);
    assert_eq!(compare(&out, &stage).unwrap(), [Difference::NoStage]);
    assert!(!out.exists(), "looking writes nothing");

    assert_eq!(write_one(&out, &stage).unwrap(), Written::Created);
    assert!(is(&out, &stage));
    assert_eq!(names(&out), [".bottlec.lock", "api"]);
    for (path, artifact) in &stage.files {
        assert_eq!(fs::read(out.join("api").join(path)).unwrap(), *artifact.bytes);
        assert_eq!(mode(&out.join("api").join(path)), artifact.mode.bits());
    }
    for path in ["api", "api/sub", "api/sub/deep"] {
        assert_eq!(mode(&out.join(path)), 0o755);
    }
    assert_eq!(compare(&out, &self::stage("other", "1")).unwrap(), [Difference::NoStage]);
}

#[test]
fn an_unchanged_stage_is_not_touched_and_another_is_replaced() {
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path();
    write(out, &[stage("a", "1"), stage("b", "1")], false).unwrap();
    let before: Vec<_> = ["a", "a/plan.json", "a/sub/deep/hosts"]
        .map(|path| fs::metadata(out.join(path)).unwrap())
        .map(|m| (m.ino(), m.mtime_nsec(), m.ctime_nsec()))
        .into();
    let new = [stage("a", "1"), stage("b", "2"), stage("c", "1")];
    assert_eq!(compare(out, &new[1]).unwrap().len(), 3);
    let written = write(out, &new, false).unwrap();
    let words = [("a", Written::Unchanged), ("b", Written::Replaced), ("c", Written::Created)];
    assert_eq!(written, words.map(|(slug, written)| (slug.to_owned(), written)));
    let after: Vec<_> = ["a", "a/plan.json", "a/sub/deep/hosts"]
        .map(|path| fs::metadata(out.join(path)).unwrap())
        .map(|m| (m.ino(), m.mtime_nsec(), m.ctime_nsec()))
        .into();
    assert_eq!(before, after);
    assert!(new.iter().all(|stage| is(out, stage)));
    // A file that the new stage has no more is gone.
    let smaller = stage_of("b", &[("smolfile.toml", "2", Mode::Shared)]);
    assert_eq!(write_one(out, &smaller).unwrap(), Written::Replaced);
    assert_eq!(names(&out.join("b")), ["SHA256SUMS", "plan.json", "smolfile.toml"]);
    assert_eq!(write(out, &[], false).unwrap(), []);
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn every_edit_is_noticed_kept_and_overwritten_only_by_force() {
    type Edit = fn(&Path);
    let path = |p: &str| PathBuf::from(p);
    let edits: Vec<(Edit, Vec<Difference>)> = vec![
        (
            |s| fs::write(s.join("smolfile.toml"), "mine").unwrap(),
            vec![Difference::Changed(path("smolfile.toml"))],
        ),
        (|s| fs::write(s.join("mine"), "mine").unwrap(), vec![Difference::Added(path("mine"))]),
        (|s| fs::create_dir(s.join("sub/mine")).unwrap(), vec![Difference::Added(path("sub/mine"))]),
        (
            |s| fs::remove_file(s.join("sub/deep/hosts")).unwrap(),
            vec![Difference::Missing(path("sub/deep/hosts"))],
        ),
        (
            |s| fs::remove_dir_all(s.join("sub")).unwrap(),
            ["sub", "sub/deep", "sub/deep/hosts"].map(|p| Difference::Missing(path(p))).into(),
        ),
        (
            |s| chmod(&s.join("sub/deep/hosts"), 0o644),
            vec![Difference::ModeChanged { path: path("sub/deep/hosts"), expected: 0o600, found: 0o644 }],
        ),
        (
            |s| chmod(&s.join("plan.json"), 0o666),
            vec![Difference::ModeChanged { path: path("plan.json"), expected: 0o600, found: 0o666 }],
        ),
        (
            |s| chmod(s, 0o777),
            vec![Difference::ModeChanged { path: path("."), expected: 0o755, found: 0o777 }],
        ),
        (
            |s| {
                let plan = fs::read_to_string(s.join(PLAN)).unwrap();
                fs::write(s.join(PLAN), plan.replace("0600", "0644")).unwrap();
            },
            vec![
                Difference::Changed(path("plan.json")),
                Difference::ModeChanged { path: path("plan.json"), expected: 0o644, found: 0o600 },
                Difference::ModeChanged { path: path("sub/deep/hosts"), expected: 0o644, found: 0o600 },
            ],
        ),
        // What one of the two lists says is enough to know a stage by.
        (|s| fs::write(s.join(PLAN), "no plan").unwrap(), vec![Difference::Changed(path("plan.json"))]),
        (|s| fs::remove_file(s.join(PLAN)).unwrap(), vec![Difference::Missing(path("plan.json"))]),
        (|s| fs::remove_file(s.join(SUMS)).unwrap(), vec![Difference::Missing(path("SHA256SUMS"))]),
        (|s| fs::write(s.join(SUMS), "").unwrap(), vec![Difference::Changed(path("SHA256SUMS"))]),
        (
            |s| {
                let sums = fs::read_to_string(s.join(SUMS)).unwrap();
                fs::write(s.join(SUMS), &sums[sums.find('\n').unwrap() + 1..]).unwrap();
            },
            vec![Difference::Changed(path("SHA256SUMS"))],
        ),
        (
            |s| {
                let sums = fs::read_to_string(s.join(SUMS)).unwrap();
                fs::write(s.join(SUMS), sums.replace("  smolfile.toml", "  ../smolfile.toml")).unwrap();
            },
            vec![Difference::Changed(path("SHA256SUMS"))],
        ),
        (
            |s| {
                fs::remove_file(s.join("smolfile.toml")).unwrap();
                symlink("/etc/hostname", s.join("smolfile.toml")).unwrap();
            },
            vec![Difference::KindChanged(path("smolfile.toml"))],
        ),
        (|s| symlink("/", s.join("link")).unwrap(), vec![Difference::Added(path("link"))]),
        (
            |s| {
                fs::remove_file(s.join("smolfile.toml")).unwrap();
                fs::create_dir(s.join("smolfile.toml")).unwrap();
            },
            vec![Difference::KindChanged(path("smolfile.toml"))],
        ),
        (
            |s| {
                mkfifo(&s.join("fifo"));
                fs::remove_file(s.join("smolfile.toml")).unwrap();
                mkfifo(&s.join("smolfile.toml"));
            },
            vec![Difference::KindChanged(path("smolfile.toml")), Difference::Added(path("fifo"))],
        ),
        (
            |s| File::create(s.join("smolfile.toml")).unwrap().set_len(65 << 20).unwrap(),
            vec![Difference::Changed(path("smolfile.toml"))],
        ),
        (
            |s| {
                use std::os::unix::ffi::OsStrExt as _;
                fs::write(s.join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
                fs::write(s.join("b\u{1b}[31m"), "").unwrap();
            },
            {
                use std::os::unix::ffi::OsStrExt as _;
                let raw = PathBuf::from(std::ffi::OsStr::from_bytes(b"\xff"));
                vec![Difference::Added(path("b\u{1b}[31m")), Difference::Added(raw)]
            },
        ),
    ];
    for (n, (edit, expected)) in edits.into_iter().enumerate() {
        let tmp = tempfile::tempdir().unwrap();
        let out = tmp.path();
        let (old, new, other) = (stage("api", "1"), stage("api", "2"), stage("other", "1"));
        write_one(out, &old).unwrap();
        edit(&out.join("api"));
        assert_eq!(inspect(out, "api").unwrap(), State::Edited(expected.clone()), "{n}");
        let before = listing(&out.join("api"));
        let error = write(out, &[other, new.clone()], false).unwrap_err();
        let text = error.to_string();
        assert!(text.ends_with("with `--force`") && !text.contains('\u{1b}'), "{text}");
        for difference in &expected {
            assert!(text.contains(&difference.to_string()), "{text}");
        }
        let StageError::Edited { stages } = error else { panic!("{error}") };
        assert_eq!(stages.len(), 1);
        assert_eq!(stages[0].differences, expected);
        assert_eq!(listing(&out.join("api")), before, "{n}");
        assert_eq!(names(out), [".bottlec.lock", "api"]);
        assert_eq!(force_one(out, &new).unwrap(), Written::Replaced);
        assert!(is(out, &new));
        assert_eq!(names(out), [".bottlec.lock", "api"]);
    }
    assert!(Path::new("/etc").exists(), "a link in a removed stage is not followed");
}

/// Every path below `dir`, as it is.
fn listing(dir: &Path) -> Vec<(PathBuf, u64, u32, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        found.push((path.clone(), meta.ino(), meta.mode(), meta.size()));
        if meta.is_dir() {
            found.extend(listing(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn all_edited_stages_are_named_at_once() {
    let tmp = tempfile::tempdir().unwrap();
    let stages = [stage("a", "1"), stage("b", "1"), stage("c", "1")];
    write(tmp.path(), &stages, false).unwrap();
    fs::write(tmp.path().join("a/mine"), "").unwrap();
    fs::write(tmp.path().join("c/mine"), "").unwrap();
    let text = write(tmp.path(), &[stage("a", "2"), stage("b", "2"), stage("c", "2")], false)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("/a` was edited") && text.contains("/c` was edited") && !text.contains("/b`"),
        "{text}"
    );
    assert!(is(tmp.path(), &stages[1]));
}

#[test]
fn what_is_no_stage_is_refused_even_by_force() {
    let make: [fn(&Path); 6] = [
        |p| fs::create_dir(p).unwrap(),
        |p| {
            fs::create_dir(p).unwrap();
            fs::write(p.join("thesis.txt"), "years").unwrap();
        },
        |p| {
            fs::create_dir(p).unwrap();
            fs::write(p.join(PLAN), "{}").unwrap();
        },
        |p| {
            fs::create_dir(p).unwrap();
            fs::write(p.join(PLAN), "{\"format\": 2, \"files\": {}}").unwrap();
            fs::write(p.join(SUMS), format!("{}  thesis.txt\n", "0".repeat(64))).unwrap();
        },
        |p| fs::write(p, "a file").unwrap(),
        |p| mkfifo(p),
    ];
    for make in make {
        let tmp = tempfile::tempdir().unwrap();
        let out = tmp.path();
        make(&out.join("api"));
        assert_eq!(inspect(out, "api").unwrap(), State::Foreign);
        let error = force_one(out, &stage("api", "1")).unwrap_err();
        assert!(matches!(error, StageError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains("remove it yourself"));
        assert!(out.join("api").symlink_metadata().is_ok());
        assert_eq!(names(out), [".bottlec.lock", "api"]);
    }
}

// Links and other traps.

#[test]
fn a_link_in_the_place_of_out_or_of_a_stage_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let (target, link) = (tmp.path().join("target"), tmp.path().join("link"));
    fs::create_dir(&target).unwrap();
    symlink(&target, &link).unwrap();
    for out in [link.clone(), link.join(""), link.join("."), tmp.path().join("./link/./")] {
        for error in [
            force_one(&out, &stage("api", "1")).unwrap_err(),
            inspect(&out, "api").unwrap_err(),
            compare(&out, &stage("api", "1")).unwrap_err(),
        ] {
            assert!(matches!(error, StageError::Symlink { .. }), "{error}");
        }
    }
    symlink("/nowhere", tmp.path().join("dangling")).unwrap();
    let error = force_one(&tmp.path().join("dangling"), &stage("api", "1")).unwrap_err();
    assert!(matches!(error, StageError::Symlink { .. } | StageError::Io { .. }), "{error}");
    assert!(names(&target).is_empty());

    // Above the output directory a link is the user's own.
    write_one(&link.join("out"), &stage("api", "1")).unwrap();
    assert!(is(&target.join("out"), &stage("api", "1")));

    let out = tmp.path().join("out");
    fs::create_dir(&out).unwrap();
    symlink(target.join("out/api"), out.join("api")).unwrap();
    for error in [
        force_one(&out, &stage("api", "2")).unwrap_err(),
        inspect(&out, "api").unwrap_err(),
        compare(&out, &stage("api", "2")).unwrap_err(),
    ] {
        assert!(error.to_string().contains("/api` is a symbolic link"), "{error}");
    }
    assert!(is(&target.join("out"), &stage("api", "1")));
}

#[test]
fn a_link_or_fifo_in_the_place_of_the_lock_or_working_directory_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let victim = tmp.path().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("file"), "").unwrap();
    for (n, name) in [".bottlec.lock", ".bottlec.tmp"].into_iter().enumerate() {
        let make: [&dyn Fn(&Path); 4] = [
            &|p| symlink(&victim, p).unwrap(),
            &|p| symlink(victim.join("new"), p).unwrap(),
            &mkfifo,
            &|p| {
                fs::create_dir(p).unwrap();
                fs::write(p.join("new"), "a file of somebody's").unwrap();
            },
        ];
        for (m, make) in make.into_iter().enumerate() {
            let out = tmp.path().join(format!("out{n}{m}"));
            fs::create_dir(&out).unwrap();
            make(&out.join(name));
            let error = force_one(&out, &stage("api", "1")).unwrap_err();
            assert!(matches!(error, StageError::Symlink { .. } | StageError::Reserved { .. }), "{error}");
            assert!(!out.join("api").exists() && out.join(name).symlink_metadata().is_ok());
            assert_eq!(names(&victim), ["file"]);
        }
    }
}

#[test]
fn an_out_that_is_a_file_or_below_one_is_an_error() {
    let tmp = tempfile::tempdir().unwrap();
    let file = tmp.path().join("file");
    fs::write(&file, "mine").unwrap();
    for out in [file.clone(), file.join("out"), file.join("a/b")] {
        let error = force_one(&out, &stage("api", "1")).unwrap_err();
        assert!(matches!(error, StageError::NotADirectory { .. }), "{error}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn more_than_any_stage_holds_is_not_read() {
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path();
    write_one(out, &stage("many", "1")).unwrap();
    for n in 0..4_100 {
        File::create(out.join(format!("many/{n}"))).unwrap();
    }
    write_one(out, &stage("deep", "1")).unwrap();
    fs::create_dir_all(out.join("deep").join("d/".repeat(30))).unwrap();
    write_one(out, &stage("large", "1")).unwrap();
    for n in 0..5 {
        File::create(out.join(format!("large/{n}"))).unwrap().set_len(60 << 20).unwrap();
    }
    for slug in ["many", "deep", "large"] {
        let error = inspect(out, slug).unwrap_err();
        assert!(matches!(error, StageError::TooLarge { .. }), "{error}");
        let error = force_one(out, &stage(slug, "2")).unwrap_err();
        assert!(matches!(error, StageError::TooLarge { .. }), "{error}");
    }
}

// A run that is killed.

#[test]
fn what_a_killed_run_left_is_removed() {
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path();
    let keep = tmp.path().join(".keep.tmp");
    fs::create_dir(&keep).unwrap();
    for leftover in [".bottlec.tmp", ".bottlec.tmp/new", ".bottlec.tmp/new/api/sub"] {
        fs::create_dir_all(out.join(leftover)).unwrap();
        if leftover.ends_with("sub") {
            fs::write(out.join(leftover).join("half"), "ha").unwrap();
            symlink(&keep, out.join(leftover).join("link")).unwrap();
            chmod(&out.join(leftover), 0o500);
        }
        write_one(out, &stage("api", leftover)).unwrap();
        assert_eq!(names(out), [".bottlec.lock", ".keep.tmp", "api"]);
    }
}

// Several at once.

/// Reads a stage as any reader should: the directory opened once, and again when it was replaced meanwhile.
fn read_whole(out: &Path, slug: &str) -> BTreeMap<String, Vec<u8>> {
    loop {
        let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
        let dir =
            openat(CWD, out.join(slug), flags, rustix::fs::Mode::empty()).expect("a stage is always there");
        let read = |path: &str| -> std::io::Result<Vec<u8>> {
            let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
            let mut bytes = Vec::new();
            File::from(openat(&dir, path, flags, rustix::fs::Mode::empty())?).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let files = || -> std::io::Result<BTreeMap<String, Vec<u8>>> {
            let mut files = BTreeMap::new();
            let list = read(SUMS)?;
            for (path, digest) in sums::read(&list).expect("a list is always whole") {
                let bytes = read(path)?;
                assert_eq!(digest, sha256_hex(&bytes), "{path}");
                files.insert(path.to_owned(), bytes);
            }
            files.insert(SUMS.to_owned(), list);
            Ok(files)
        };
        match files() {
            Ok(files) => return files,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
                let (ours, now) = (rustix::fs::fstat(&dir).unwrap(), fs::metadata(out.join(slug)).unwrap());
                assert_ne!(ours.st_ino, now.ino(), "a file is missing in a stage that is in its place");
            }
        }
    }
}

fn concurrently(writers: usize, spawn: impl Fn(usize, &Path) -> Box<dyn FnOnce() + Send>) {
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path();
    write_one(out, &stage("api", "0")).unwrap();
    let candidates: Vec<Stage> = (0..=writers).map(|n| stage("api", &text(n))).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let files = read_whole(out, "api");
                    assert!(
                        candidates.iter().any(|stage| {
                            stage.files.len() == files.len()
                                && stage.files.iter().all(|(path, file)| files[path] == *file.bytes)
                        }),
                        "a mixture"
                    );
                    // Each state a writer can leave is one that the stage itself calls whole.
                    assert_eq!(inspect(out, "api").unwrap(), State::Intact);
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let joins: Vec<_> = (1..=writers).map(|n| thread::spawn(spawn(n, out))).collect();
        let results: Vec<_> = joins.into_iter().map(thread::JoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        for result in results {
            result.unwrap();
        }
    });
    assert!(reads.load(Ordering::Relaxed) > 0);
    assert_eq!(candidates[1..].iter().filter(|stage| is(out, stage)).count(), 1);
    assert_eq!(names(out), [".bottlec.lock", "api"]);
}

fn text(n: usize) -> String {
    if n == 0 { String::from("0") } else { format!("{n} ").repeat(20_000) }
}

const ROUNDS: usize = 6;

fn write_rounds(out: &Path, n: usize) {
    let stage = stage("api", &text(n));
    for _ in 0..ROUNDS {
        write_one(out, &stage).unwrap();
    }
}

#[test]
fn threads_that_write_at_once_take_turns() {
    for writers in [2, 8] {
        concurrently(writers, |n, out| {
            let out = out.to_owned();
            Box::new(move || write_rounds(&out, n))
        });
    }
}

/// What [`processes_that_write_at_once_take_turns`] does in the process that it starts.
fn write_the_rounds_asked_for() {
    write_rounds(Path::new(&std::env::var("OUT").unwrap()), std::env::var("N").unwrap().parse().unwrap());
}

#[test]
fn processes_that_write_at_once_take_turns() {
    if helping("stage::processes_that_write_at_once_take_turns") {
        return write_the_rounds_asked_for();
    }
    for writers in [2, 8] {
        concurrently(writers, |n, out| {
            let env = [("OUT", out.to_str().unwrap()), ("N", &n.to_string())];
            let mut command = helper("stage::processes_that_write_at_once_take_turns", &[], &env);
            Box::new(move || passed(&command.output().unwrap()))
        });
    }
}

#[test]
fn a_first_run_may_have_company() {
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path().join("a/b/out");
    thread::scope(|scope| {
        for n in 0..8 {
            let out = &out;
            scope.spawn(move || write_one(out, &stage("api", &n.to_string())).unwrap());
        }
    });
    assert_eq!((0..8).filter(|n| is(&out, &stage("api", &n.to_string()))).count(), 1);
}

// What the system does.

/// What [`modes_are_exact_under_any_umask`] does in the process that it starts.
fn write_under_a_umask() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    for text in ["1", "2"] {
        write_one(&out, &stage("api", text)).unwrap();
        assert!(is(&out, &stage("api", text)));
        assert_eq!(mode(&out.join("api/smolfile.toml")), 0o644);
        assert_eq!(mode(&out.join("api/sub/deep/hosts")), 0o600);
        assert_eq!(mode(&out.join("api/sub")), 0o755);
    }
}

#[test]
fn modes_are_exact_under_any_umask() {
    if helping("stage::modes_are_exact_under_any_umask") {
        return write_under_a_umask();
    }
    for umask in ["000", "022", "077"] {
        let tmp = tempfile::tempdir().unwrap();
        let out = tmp.path().join("out");
        let script = format!("umask {umask}; exec \"$@\"");
        let env = [("OUT", out.to_str().unwrap())];
        passed(
            &helper("stage::modes_are_exact_under_any_umask", &["sh", "-c", &script, "sh"], &env)
                .output()
                .unwrap(),
        );
    }
}

#[test]
fn a_private_file_is_never_readable_in_between() {
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path();
    let stop = AtomicBool::new(false);
    let seen = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                if let Ok(meta) = fs::symlink_metadata(out.join(".bottlec.tmp")) {
                    assert_eq!(meta.mode() & 0o7777, 0o700);
                }
                if let Ok(meta) = fs::symlink_metadata(out.join(".bottlec.tmp/new/api/sub/deep/hosts")) {
                    assert_eq!(meta.mode() & 0o7777, 0o600);
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        for n in 0..40 {
            write_one(out, &stage("api", &n.to_string().repeat(50_000))).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    eprintln!("seen {} times while it was written", seen.load(Ordering::Relaxed));
}
