//! The tests themselves: none is dropped in silence.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::root;

/// How many lines below a directory are an attribute that makes a function a test.
fn attributes(directory: &Path) -> usize {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            if path.is_dir() {
                attributes(&path)
            } else if path.extension().is_some_and(|end| end == "rs") {
                fs::read_to_string(&path).unwrap().lines().filter(|line| line.trim() == "#[test]").count()
            } else {
                0
            }
        })
        .sum()
}

/// Whoever writes `#[test]` in a file that only `cases.rs` has, or in one that is no module, has a test that never runs.
#[test]
fn every_test_is_run_by_this_program() {
    let itself = std::env::current_exe().unwrap();
    let listed = Command::new(itself).args(["--list", "--format", "terse"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let run = listed.lines().filter(|line| line.ends_with(": test")).count();
    assert_eq!(attributes(&root().join("tests")), run, "each `#[test]` below `tests` is one of this program");
}

#[test]
fn there_are_two_test_programs() {
    let mut programs: Vec<String> = Vec::new();
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        let main = if path.is_dir() { path.join("main.rs") } else { path };
        if main.is_file() && main.extension().is_some_and(|end| end == "rs") {
            programs.push(main.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
        }
    }
    programs.sort();
    assert_eq!(
        programs,
        ["tests/cases.rs", "tests/suite/main.rs"],
        "each other one is linked anew, for seconds"
    );
}
