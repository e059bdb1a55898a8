//! The tests themselves: none is dropped in silence.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::root;

/// The files of Rust below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// How many lines of a file are an attribute that makes a function a test.
fn attributes(file: &Path) -> usize {
    fs::read_to_string(file).unwrap().lines().filter(|line| line.trim() == "#[test]").count()
}

/// Whoever writes `#[test]` in a file that only `cases.rs` has, or in one that is no module, has a test that never runs.
#[test]
fn every_test_is_run_by_this_program() {
    let itself = std::env::current_exe().unwrap();
    let listed = Command::new(itself).args(["--list", "--format", "terse"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let run = listed.lines().filter(|line| line.ends_with(": test")).count();
    let written: usize = sources(&root().join("tests")).iter().map(|file| attributes(file)).sum();
    assert_eq!(written, run, "each `#[test]` below `tests` is one of this program");
}

/// The library is not compiled a second time for tests of its own: whatever is there for them would never run.
#[test]
fn the_library_holds_no_test() {
    let src = root().join("src");
    let of_library = |file: &PathBuf| !file.starts_with(src.join("cli")) && *file != src.join("main.rs");
    let files: Vec<PathBuf> = sources(&src).into_iter().filter(of_library).collect();
    assert!(files.contains(&src.join("lib.rs")));
    let condition = regex::Regex::new(r"\bcfg(_attr)?!?\s*\([^\]{;]*\btest\b").unwrap();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(attributes(&file), 0, "{} has a test: write it in tests/suite", file.display());
        assert!(!condition.is_match(&text), "{} has what is for tests alone", file.display());
    }
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
