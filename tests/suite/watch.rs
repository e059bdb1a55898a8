//! `bottlec check --watch`, and the line that shows how far a long check is.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;

use crate::support::binary::{Dir, PATIENCE, SMALL};
use crate::support::running::{BROKEN, END, Running, code_of};

/// Saves as many editors do: into a file beside it, which then takes its place.
fn save_by_rename(dir: &Dir, path: &str, text: &str) {
    dir.write(&format!("{path}.tmp~"), text);
    fs::rename(dir.at(format!("{path}.tmp~")), dir.at(path)).unwrap();
}

#[test]
fn a_save_is_checked_and_the_last_check_decides_how_it_ends() {
    for (texts, code) in [(&[BROKEN, SMALL][..], 0), (&[BROKEN, SMALL, BROKEN], 1)] {
        let dir = Dir::with(SMALL);
        dir.write("y.kdl", SMALL);
        let mut run = Running::start(&dir, &[]);
        let first = run.next();
        assert!(
            first.contains("checked 2 specs in ") && first.contains("; watching 1 directory, "),
            "{first}"
        );
        for (n, text) in texts.iter().enumerate() {
            if n == 0 {
                dir.write("x.kdl", text);
            } else {
                save_by_rename(&dir, "x.kdl", text);
            }
            let shown = run.next();
            assert_eq!(shown.contains("x.kdl:1:16: error[unknown-node]"), *text == BROKEN, "{shown}");
            // Only what changed is compiled.
            assert!(shown.contains("checked 1 of 2 specs anew in "), "{shown}");
        }
        assert_eq!(run.end(), (String::new(), code));
    }
}

#[test]
fn a_burst_of_saves_is_checked_once() {
    let dir = Dir::with(SMALL);
    let mut run = Running::start(&dir, &["."]);
    run.next();
    // It finds them all at once, however long they take to write.
    run.signal(Signal::STOP);
    for n in 0..100 {
        dir.write("x.kdl", if n % 2 == 0 { SMALL } else { BROKEN });
        save_by_rename(&dir, "y.kdl", SMALL);
    }
    run.signal(Signal::CONT);
    let shown = run.next();
    assert!(shown.contains("unknown-node") && shown.contains("checked 2 specs in "), "{shown}");
    // What changes nothing shows nothing: the next result is that of the next change.
    dir.write("notes.txt", "");
    dir.write("zellij.kdl~", "");
    save_by_rename(&dir, "y.kdl", SMALL);
    dir.write("x.kdl", SMALL);
    let shown = run.next();
    assert!(!shown.contains("unknown-node") && shown.contains("checked 1 of 2 specs anew in "), "{shown}");
    assert_eq!(run.end(), (String::new(), 0));
}

#[test]
fn files_and_directories_come_and_go() {
    let dir = Dir::new();
    dir.write("specs/x.kdl", SMALL);
    dir.write(".gitignore", "/specs/ignored/\n");
    let mut run = Running::start(&dir, &["specs"]);
    run.next();
    // A directory with others in it, moved here whole or made anew.
    dir.write("elsewhere/deep/down/y.kdl", BROKEN);
    fs::rename(dir.at("elsewhere"), dir.at("specs/moved")).unwrap();
    let shown = run.next();
    assert!(shown.contains("specs/moved/deep/down/y.kdl:1:16: error"), "{shown}");
    dir.write("specs/moved/deep/down/y.kdl", SMALL);
    assert!(!run.next().contains("error"));
    fs::remove_dir_all(dir.at("specs/moved")).unwrap();
    // It may see that it goes piece by piece.
    while !run.next().contains("of 1 spec anew") {}
    dir.write("specs/made/y.kdl", BROKEN);
    while !run.next().contains("specs/made/y.kdl:1:16: error") {}
    dir.write("specs/made/y.kdl", SMALL);
    while run.next().contains("error") {}
    // All of it goes and comes back: until then there is no spec.
    fs::remove_dir_all(dir.at("specs")).unwrap();
    while !run.next().contains("checked 0 specs") {}
    dir.write("specs/new/z.kdl", BROKEN);
    while !run.next().contains("specs/new/z.kdl:1:16: error") {}
    // What git ignores is not watched until it is not ignored any more.
    dir.write("specs/ignored/w.kdl", BROKEN);
    dir.write("specs/new/z.kdl", SMALL);
    while run.next().contains("error") {}
    dir.write("specs/.gitignore", "!ignored\n");
    while !run.next().contains("specs/ignored/w.kdl:1:16: error") {}
    assert_eq!(run.end().1, 1);
}

#[test]
fn what_specs_include_is_watched_wherever_it_is() {
    let dir = Dir::new();
    let team = "profile \"team\" { egress { allow \"a.test\"; }; }\n";
    dir.write(".bottlec", "");
    dir.write("specs/x.kdl", "include \"../lib/team.inc\"\nbottle \"api\" { extends \"team\"; }\n");
    dir.write("specs/y.kdl", SMALL);
    dir.write("lib/team.inc", team);
    let mut run = Running::start(&dir, &["specs"]);
    assert!(run.next().contains("checked 2 specs in"));
    dir.write("lib/team.inc", team.replace("egress", "egres"));
    let shown = run.next();
    assert!(
        shown.contains("lib/team.inc:1:18: error") && shown.contains("checked 1 of 2 specs anew"),
        "{shown}"
    );
    // Away, and back with the directory that it lies in.
    fs::remove_dir_all(dir.at("lib")).unwrap();
    while !run.next().contains("include-unreadable") {}
    dir.write("lib/team.inc", team);
    while run.next().contains("error") {}
    // A link, and what it leads to.
    dir.write("real/here.inc", team);
    fs::remove_file(dir.at("lib/team.inc")).unwrap();
    while !run.next().contains("include-unreadable") {}
    symlink("../real/here.inc", dir.at("lib/team.inc")).unwrap();
    while run.next().contains("error") {}
    dir.write("real/here.inc", team.replace("egress", "egres"));
    while !run.next().contains("real/here.inc:1:18: error") {}
    // The same text is read no more where a link leads out of the workspace.
    dir.write("real/here.inc", team);
    while run.next().contains("error") {}
    let outside = Dir::new();
    fs::rename(dir.at("real/here.inc"), outside.at("here.inc")).unwrap();
    while !run.next().contains("include-unreadable") {}
    fs::remove_file(dir.at("lib/team.inc")).unwrap();
    symlink(outside.at("here.inc"), dir.at("lib/team.inc")).unwrap();
    while !run.next().contains("leads out of the workspace") {}
    run.end();
}

#[test]
fn a_file_that_is_named_is_watched() {
    let dir = Dir::with(SMALL);
    dir.write("y.kdl", BROKEN);
    let mut run = Running::start(&dir, &["x.kdl"]);
    let first = run.next();
    assert!(!first.contains("error"), "{first}");
    save_by_rename(&dir, "x.kdl", BROKEN);
    assert!(run.next().contains("x.kdl:1:16: error"));
    fs::remove_file(dir.at("x.kdl")).unwrap();
    while !run.next().contains("checked 0 specs") {}
    save_by_rename(&dir, "x.kdl", SMALL);
    while !run.next().contains("checked 1 spec in") {}
    fs::remove_file(dir.at("x.kdl")).unwrap();
    while !run.next().contains("checked 0 specs") {}
    // It was said why.
    assert_eq!(run.end().1, 3);
}

#[test]
fn it_ends_when_nobody_listens_or_it_is_told_to() {
    for (spec, code) in [(SMALL, 0), (BROKEN, 1)] {
        let dir = Dir::with(spec);
        let mut command = dir.call(["check", "--watch"]).command();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let pipe = child.stdout.take().unwrap();
        let (send, read) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(pipe).lines().map_while(Result::ok);
            let found = lines.any(|line| line.ends_with(END.trim_end()));
            drop(lines);
            send.send(found)
        });
        assert_eq!(read.recv_timeout(PATIENCE), Ok(true));
        // Nothing changes, and yet it is seen that nobody reads any more.
        assert_eq!(code_of(&mut child), code);
        for signal in [Signal::TERM, Signal::HUP] {
            let mut run = Running::start(&dir, &[]);
            run.next();
            run.signal(signal);
            assert_eq!(run.code(), code);
        }
    }
}

#[test]
fn it_is_refused_where_it_makes_no_sense() {
    let dir = Dir::with(SMALL);
    for (with, why) in [
        (&["--fix"][..], "cannot be used with"),
        (&["--diff"], "cannot be used with"),
        (&["--stdin-filename", "x.kdl"], "cannot be used with"),
        (&["-"], "cannot watch standard input"),
        (&["--format", "json"], "which no program reads as a whole"),
    ] {
        let words: Vec<&str> = ["check", "--watch"].iter().chain(with).copied().collect();
        dir.run(words).code(2).complains(why);
    }
    // A report of its own is written anew each time.
    let mut run = Running::start(&dir, &["--format", "json=report.json"]);
    run.next();
    assert!(dir.read("report.json").contains("\"errors\":0"), "{}", dir.read("report.json"));
    dir.write("x.kdl", BROKEN);
    run.next();
    assert!(dir.read("report.json").contains("\"errors\":1"), "{}", dir.read("report.json"));
    run.end();
}
