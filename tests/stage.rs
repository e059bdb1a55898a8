//! The stage on disk: whole or not at all, whatever happens.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests touch files")]
#![allow(clippy::unwrap_used, reason = "clippy knows `#[test]` functions only, not what they share")]

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bottlec::digest::{UNSEALED, seal, sha256_hex, verify_seal};
use bottlec::lower::{Artifact, Mode, Stage};
use bottlec::stage::{Difference, PLAN, StageError, State, Written, compare, inspect, write};
use rustix::fs::{CWD, openat};

/// A stage whose every file holds `text`.
fn stage(slug: &str, text: &str) -> Stage {
    stage_of(slug, &[("smolfile.toml", text, Mode::Shared), ("sub/deep/hosts", text, Mode::Private)])
}

fn stage_of(slug: &str, files: &[(&str, &str, Mode)]) -> Stage {
    let artifact = |text: &str, mode| Artifact { bytes: text.as_bytes().to_vec(), mode };
    let mut files: BTreeMap<String, Artifact> =
        files.iter().map(|(path, text, mode)| ((*path).to_owned(), artifact(text, *mode))).collect();
    let described: BTreeMap<_, _> = files
        .iter()
        .map(|(path, file)| {
            let mode = format!("{:04o}", file.mode.bits());
            (path, serde_json::json!({ "mode": mode, "sha256": sha256_hex(&file.bytes) }))
        })
        .collect();
    let plan = serde_json::to_string_pretty(&serde_json::json!({ "files": described, "format": 1 })).unwrap();
    let plan = format!("{},\n  \"plan_sha256\": \"{UNSEALED}\"\n}}\n", plan.strip_suffix("\n}").unwrap());
    files.insert(PLAN.to_owned(), Artifact { bytes: seal(plan.into_bytes()).unwrap(), mode: Mode::Private });
    Stage { slug: slug.to_owned(), files }
}

fn write_one(out: &Path, stage: &Stage) -> Result<Written, StageError> {
    write(out, std::slice::from_ref(stage), false).map(|written| written[0].1)
}

fn force_one(out: &Path, stage: &Stage) -> Result<Written, StageError> {
    write(out, std::slice::from_ref(stage), true).map(|written| written[0].1)
}

fn is(out: &Path, stage: &Stage) -> bool {
    compare(out, stage).unwrap().is_empty() && inspect(out, &stage.slug).unwrap() == State::Intact
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

#[allow(clippy::print_stderr, reason = "a test that is not run must be seen")]
fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
}

/// Runs a test of this file again in a process of its own, `wrapper` around it: there it does its inner part.
fn helper(name: &str, wrapper: &[&str], env: &[(&str, &str)]) -> Command {
    let exe = std::env::current_exe().unwrap();
    let mut words: Vec<String> = wrapper.iter().map(|&w| w.to_owned()).collect();
    words.push(exe.into_os_string().into_string().unwrap());
    words.extend(["--exact", name, "--nocapture", "--test-threads=1"].map(str::to_owned));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).envs(env.iter().copied()).env("STAGE_HELPER", name);
    command
}

/// Whether this process was started by [`helper`] for the test `name`, which then does its inner part.
fn helping(name: &str) -> bool {
    std::env::var("STAGE_HELPER").is_ok_and(|helper| helper == name)
}

fn passed(output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
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
        assert_eq!(fs::read(out.join("api").join(path)).unwrap(), artifact.bytes);
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
    assert_eq!(names(&out.join("b")), ["plan.json", "smolfile.toml"]);
    assert_eq!(write(out, &[], false).unwrap(), []);
}

#[test]
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
            vec![Difference::ModeChanged { path: path("plan.json"), expected: 0o644, found: 0o666 }],
        ),
        (
            |s| chmod(s, 0o777),
            vec![Difference::ModeChanged { path: path("."), expected: 0o755, found: 0o777 }],
        ),
        (
            |s| {
                let plan = fs::read_to_string(s.join(PLAN)).unwrap();
                fs::write(s.join(PLAN), plan.replace("\"format\": 1", "\"format\": 2")).unwrap();
            },
            vec![Difference::PlanAltered],
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
            let plan = format!("{{\"plan_sha256\":\"{UNSEALED}\"}}").into_bytes();
            fs::write(p.join(PLAN), seal(plan).unwrap()).unwrap();
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

/// What [`a_writer_killed_at_any_moment_leaves_whole_stages`] does in the process that it starts.
fn write_forever() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    let texts = ["a".repeat(300_000), "b".repeat(300_000)];
    for n in 0.. {
        let text = &texts[n % 2];
        write(&out, &[stage("x", text), stage("y", text)], false).unwrap();
    }
}

#[test]
fn a_writer_killed_at_any_moment_leaves_whole_stages() {
    if helping("a_writer_killed_at_any_moment_leaves_whole_stages") {
        return write_forever();
    }
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path();
    let texts = ["a".repeat(300_000), "b".repeat(300_000)];
    let mut leftovers = 0;
    for n in 0..25u64 {
        let mut child = helper(
            "a_writer_killed_at_any_moment_leaves_whole_stages",
            &[],
            &[("OUT", out.to_str().unwrap())],
        )
        .spawn()
        .unwrap();
        let begun = Instant::now();
        while !out.join("y").exists() && begun.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(1));
        }
        while !out.join(".bottlec.tmp").exists() && begun.elapsed() < Duration::from_secs(20) {}
        thread::sleep(Duration::from_micros(n * 150));
        child.kill().unwrap();
        child.wait().unwrap();
        leftovers += usize::from(out.join(".bottlec.tmp").exists());
        for slug in ["x", "y"] {
            assert!(texts.iter().any(|text| is(out, &stage(slug, text))), "{slug}: {:?}", inspect(out, slug));
        }
        write(out, &[stage("x", "1")], false).unwrap();
        assert_eq!(names(out), [".bottlec.lock", "x", "y"]);
        fs::remove_dir_all(out.join("x")).unwrap();
        fs::remove_dir_all(out.join("y")).unwrap();
    }
    assert!(leftovers > 0, "no run was killed in the middle");
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
            let plan = read(PLAN)?;
            verify_seal(&plan).expect("a plan is always whole");
            let value: serde_json::Value = serde_json::from_slice(&plan).unwrap();
            for (path, file) in value["files"].as_object().unwrap() {
                let bytes = read(path)?;
                assert_eq!(file["sha256"], sha256_hex(&bytes), "{path}");
                files.insert(path.clone(), bytes);
            }
            files.insert(PLAN.to_owned(), plan);
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
                                && stage.files.iter().all(|(path, file)| files[path] == file.bytes)
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
    if helping("processes_that_write_at_once_take_turns") {
        return write_the_rounds_asked_for();
    }
    for writers in [2, 8] {
        concurrently(writers, |n, out| {
            let env = [("OUT", out.to_str().unwrap()), ("N", &n.to_string())];
            let mut command = helper("processes_that_write_at_once_take_turns", &[], &env);
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
    if helping("modes_are_exact_under_any_umask") {
        return write_under_a_umask();
    }
    for umask in ["000", "022", "077"] {
        let tmp = tempfile::tempdir().unwrap();
        let out = tmp.path().join("out");
        let script = format!("umask {umask}; exec \"$@\"");
        let env = [("OUT", out.to_str().unwrap())];
        passed(
            &helper("modes_are_exact_under_any_umask", &["sh", "-c", &script, "sh"], &env).output().unwrap(),
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

/// Runs the inner part of a test in a mount namespace of its own, after `script`; says so when that cannot be.
fn in_a_mount_namespace(test: &str, script: &str, env: &[(&str, &str)]) {
    let mut probe = Command::new("unshare");
    let probe = probe.args(["-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return skip(test, "mounts in a namespace of one's own are not permitted here");
    }
    let script = format!("set -e; {script}; exec \"$@\"");
    passed(&helper(test, &["unshare", "-m", "sh", "-c", &script, "sh"], env).output().unwrap());
}

/// What [`a_full_disk_leaves_the_old_stages`] does in the process that it starts.
fn fill_a_disk() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    let old = [stage("a", "1"), stage("b", "1")];
    write(&out, &old, false).unwrap();
    for text in ["2".repeat(20_000), "2".repeat(50_000), "2".repeat(500_000)] {
        let new = [stage("0", "2"), stage("a", "2"), stage("b", &text)];
        let error = write(&out, &new, true).unwrap_err();
        assert!(error.to_string().contains("free some space"), "{error}");
        assert!(old.iter().all(|stage| is(&out, stage)));
        assert_eq!(names(&out), [".bottlec.lock", "a", "b"]);
    }
    // No room even for a directory.
    let mut filler = File::create(out.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    drop(filler);
    let error = write(&out, &[stage("a", "2")], false).unwrap_err();
    assert!(error.to_string().contains("free some space"), "{error}");
    assert_eq!(names(&out), [".bottlec.lock", "a", "b", "filler"]);
    fs::remove_file(out.join("filler")).unwrap();
    write(&out, &[stage("a", "2")], false).unwrap();
    assert!(is(&out, &stage("a", "2")));
}

#[test]
fn a_full_disk_leaves_the_old_stages() {
    if helping("a_full_disk_leaves_the_old_stages") {
        return fill_a_disk();
    }
    let tmp = tempfile::tempdir().unwrap();
    let out = tmp.path().to_str().unwrap();
    in_a_mount_namespace(
        "a_full_disk_leaves_the_old_stages",
        "mount -t tmpfs -o size=64k none \"$OUT\"",
        &[("OUT", out)],
    );
}

/// What [`a_read_only_file_system_is_an_error_that_says_so`] does in the process that it starts.
fn meet_a_read_only_file_system() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    for out in [out.clone(), out.join("absent/out")] {
        let text = write(&out, &[stage("a", "2")], true).unwrap_err().to_string();
        assert!(text.contains(": read-only file system: choose an output directory"), "{text}");
        assert!(
            text.contains(out.file_name().unwrap().to_str().unwrap()) || text.contains("absent"),
            "{text}"
        );
    }
    assert!(is(&out, &stage("a", "1")), "what is there can be looked at");
    assert_eq!(names(&out), [".bottlec.lock", "a"]);
}

#[test]
fn a_read_only_file_system_is_an_error_that_says_so() {
    if helping("a_read_only_file_system_is_an_error_that_says_so") {
        return meet_a_read_only_file_system();
    }
    let tmp = tempfile::tempdir().unwrap();
    write_one(tmp.path(), &stage("a", "1")).unwrap();
    in_a_mount_namespace(
        "a_read_only_file_system_is_an_error_that_says_so",
        "mount --bind \"$OUT\" \"$OUT\"; mount -o remount,bind,ro \"$OUT\"",
        &[("OUT", tmp.path().to_str().unwrap())],
    );
}

/// What [`a_directory_of_another_user_is_an_error_that_says_so`] does in the process that it starts.
fn be_not_permitted() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    for out in [out.clone(), out.join("absent/out")] {
        let text = write(&out, &[stage("a", "2")], true).unwrap_err().to_string();
        assert!(text.contains(": permission denied: make it accessible to you, or choose another"), "{text}");
    }
    // Private files cannot be read: differences, not a failure.
    assert!(matches!(inspect(&out, "a").unwrap(), State::Foreign | State::Edited(_)));
    // Another's stage in a directory that all may write to cannot be replaced.
    let text = write(&out.join("shared"), &[stage("a", "2")], true).unwrap_err().to_string();
    assert!(text.contains("permission denied"), "{text}");
}

#[test]
fn a_directory_of_another_user_is_an_error_that_says_so() {
    if helping("a_directory_of_another_user_is_an_error_that_says_so") {
        return be_not_permitted();
    }
    let test = "a_directory_of_another_user_is_an_error_that_says_so";
    let probe = Command::new("setpriv").args(["--reuid=65534", "--clear-groups", "true"]).output();
    if !root() || !probe.is_ok_and(|output| output.status.success()) {
        return skip(test, "this needs root and `setpriv` to become another user");
    }
    let exe = std::env::current_exe().unwrap();
    let tmp = tempfile::tempdir().unwrap();
    chmod(tmp.path(), 0o755);
    let out = tmp.path().join("out");
    write_one(&out, &stage("a", "1")).unwrap();
    write_one(&out.join("shared"), &stage("a", "1")).unwrap();
    chmod(&out.join("shared"), 0o777);
    // The test binary may lie where another user cannot reach it.
    let copy = tmp.path().join("test-binary");
    fs::copy(&exe, &copy).unwrap();
    let script =
        "shift_exe=$1; shift; exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$COPY\" \"$@\"";
    let env = [("OUT", out.to_str().unwrap()), ("COPY", copy.to_str().unwrap())];
    passed(
        &helper("a_directory_of_another_user_is_an_error_that_says_so", &["sh", "-c", script, "sh"], &env)
            .output()
            .unwrap(),
    );
    assert!(is(&out, &stage("a", "1")));
    assert!(is(&out.join("shared"), &stage("a", "1")));
}

/// What [`an_exchange_that_the_system_refuses_undoes_those_before_it`] does in the process that it starts.
fn meet_a_mount_in_its_place() {
    let out = PathBuf::from(std::env::var("OUT").unwrap());
    let new = [stage("a", "2"), stage("b", "2")];
    let error = write(&out, &new, true).unwrap_err();
    assert!(matches!(error, StageError::Io { action: "replace", .. }), "{error}");
    assert!(is(&out, &stage("a", "1")) && is(&out, &stage("b", "1")));
    assert_eq!(names(&out), [".bottlec.lock", "a", "b"]);
}

/// A mount point cannot be exchanged, which no inspection sees: what was exchanged before it must be undone.
#[test]
fn an_exchange_that_the_system_refuses_undoes_those_before_it() {
    if helping("an_exchange_that_the_system_refuses_undoes_those_before_it") {
        return meet_a_mount_in_its_place();
    }
    let tmp = tempfile::tempdir().unwrap();
    write(tmp.path(), &[stage("a", "1"), stage("b", "1")], false).unwrap();
    in_a_mount_namespace(
        "an_exchange_that_the_system_refuses_undoes_those_before_it",
        "mount --bind \"$OUT/b\" \"$OUT/b\"",
        &[("OUT", tmp.path().to_str().unwrap())],
    );
}
