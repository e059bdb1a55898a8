//! `bottlec check --watch`, and the line that shows how far a long check is.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests touch files and run programs")]
#![allow(clippy::unwrap_used, reason = "clippy knows `#[test]` functions only, not what they share")]

#[path = "support/binary.rs"]
mod binary;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use binary::{BOTTLEC, Dir, SMALL, works};
use rustix::process::{Pid, Signal, kill_process};

const BROKEN: &str = "bottle \"api\" { egres { allow \"a.test\"; }; }\n";

/// The end of the last line of a result.
const END: &str = "Ctrl-C ends\n";

/// How long is waited for anything at most; far longer than it takes, so that a busy machine fails no test.
const PATIENCE: Duration = Duration::from_mins(1);

/// A run that goes on.
struct Running {
    child: Child,
    stdin: ChildStdin,
    out: Receiver<Vec<u8>>,
    /// What was heard and not yet looked at.
    text: String,
}

impl Running {
    fn start(dir: &Dir, args: &[&str]) -> Self {
        let words: Vec<&str> =
            ["check", "--format", "concise", "--watch"].iter().chain(args).copied().collect();
        let mut command = dir.call(words).command();
        Self::of(command.stderr(Stdio::null()))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        let (send, out) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = pipe.read(&mut bytes) {
                if send.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take().unwrap();
        Self { child, stdin, out, text: String::new() }
    }

    /// The next result, up to its last line.
    #[track_caller]
    fn next(&mut self) -> String {
        loop {
            if let Some(at) = self.text.find(END) {
                let rest = self.text.split_off(at + END.len());
                return std::mem::replace(&mut self.text, rest);
            }
            match self.out.recv_timeout(PATIENCE) {
                Ok(bytes) => self.text += &String::from_utf8_lossy(&bytes),
                Err(error) => panic!("{error}: {:?}", self.text),
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it as Ctrl-C does: what it has not shown yet, and its exit code.
    #[track_caller]
    fn end(mut self) -> (String, i32) {
        self.signal(Signal::INT);
        let code = self.code();
        while let Ok(bytes) = self.out.recv_timeout(PATIENCE) {
            self.text += &String::from_utf8_lossy(&bytes);
        }
        (self.text, code)
    }

    #[track_caller]
    fn code(&mut self) -> i32 {
        code_of(&mut self.child)
    }
}

/// How a run ends, by itself and in time.
#[track_caller]
fn code_of(child: &mut Child) -> i32 {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().expect("it ends by itself");
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it did not end");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Saves as many editors do: into a file beside it, which then takes its place.
fn save_by_rename(dir: &Dir, path: &str, text: &str) {
    dir.write(&format!("{path}.tmp~"), text);
    fs::rename(dir.at(format!("{path}.tmp~")), dir.at(path)).unwrap();
}

#[test]
fn a_save_is_checked_and_the_last_check_decides_how_it_ends() {
    for (texts, code) in [(&[BROKEN, SMALL][..], 0), (&[SMALL, BROKEN], 1)] {
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
    dir.write("specs/.ignore", "!ignored\n");
    while !run.next().contains("specs/ignored/w.kdl:1:16: error") {}
    assert_eq!(run.end().1, 1);
}

#[test]
fn what_specs_include_is_watched_wherever_it_is() {
    let dir = Dir::new();
    let team = "profile \"team\" { egress { allow \"a.test\"; }; }\n";
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
    while !run.next().contains("lib/team.inc:1:18: error") {}
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
        (&["--output", "x.txt"], "cannot be used with"),
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

/// A command on a terminal of its own; none where there is no program that makes one.
fn on_a_terminal(dir: &Dir, env: &[(&str, &str)], command: &str) -> Option<Command> {
    if !works(&["script", "--version"]) {
        return None;
    }
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", command, "/dev/null"]).current_dir(dir.path());
    script.env_clear().env("PATH", binary::SYSTEM_PATH).envs(env.iter().copied());
    Some(script)
}

#[test]
fn the_screen_holds_one_result_on_a_terminal_only() {
    const CLEAR: &str = "\u{1b}[H\u{1b}[2J";
    let dir = Dir::with(SMALL);
    let command = format!("exec {BOTTLEC} check --watch");
    for (term, clears) in [("xterm", true), ("dumb", false)] {
        let Some(mut script) = on_a_terminal(&dir, &[("TERM", term)], &command) else {
            return binary::skip(
                "the_screen_holds_one_result_on_a_terminal_only",
                "there is no `script` here",
            );
        };
        let mut run = Running::of(&mut script);
        let next = |run: &mut Running| loop {
            // A terminal ends lines with CR LF.
            if let Some(at) = run.text.find("Ctrl-C ends\r\n") {
                let rest = run.text.split_off(at + 13);
                return std::mem::replace(&mut run.text, rest);
            }
            run.text += &String::from_utf8_lossy(&run.out.recv_timeout(PATIENCE).expect("a result"));
        };
        assert_eq!(next(&mut run).contains(CLEAR), clears);
        dir.write("x.kdl", BROKEN);
        let second = next(&mut run);
        assert_eq!(second.starts_with(CLEAR), clears, "{second:?}");
        assert!(second.contains("1 error in 1 file"), "{second:?}");
        // As a hand does it.
        run.stdin.write_all(b"\x03").unwrap();
        assert_eq!(run.code(), 1);
        dir.write("x.kdl", SMALL);
    }
    let mut run = Running::start(&dir, &[]);
    assert!(!run.next().contains('\u{1b}'));
    run.end();
}

#[test]
fn a_long_check_shows_how_far_it_is_to_who_looks_on() {
    let dir = Dir::new();
    let mut hosts = String::new();
    for n in 0..5_000 {
        write!(hosts, " \"host-{n}.example.com\"").unwrap();
    }
    let spec = format!("bottle \"api\" {{\n    egress {{ allow{hosts}; }}\n}}\n");
    let mut files = 0;
    // A check that takes long, on whatever machine.
    for wanted in [32, 64, 128, 256, 512, 1024, 2048] {
        for n in files..wanted {
            dir.write(&format!("{n}.kdl"), &spec);
        }
        files = wanted;
        let begun = Instant::now();
        dir.run(["check"]).code(0);
        if begun.elapsed() > Duration::from_secs(2) {
            break;
        }
    }
    let shown = |env: &[(&str, &str)], command: &str| -> Option<String> {
        let output = on_a_terminal(&dir, env, command)?.stdin(Stdio::null()).output().unwrap();
        Some(String::from_utf8(output.stdout).unwrap())
    };
    let check = format!("{BOTTLEC} check");
    let Some(text) = shown(&[("TERM", "xterm")], &check) else {
        return binary::skip("a_long_check_shows_how_far_it_is_to_who_looks_on", "there is no `script` here");
    };
    let of = format!("of {files}, ");
    assert!(text.contains("\rchecking [") && text.contains(&of), "{text:?}");
    // It is gone when the result is there.
    assert!(text.ends_with(&format!("\r\u{1b}[K{files} bottles checked, nothing found\r\n")), "{text:?}");
    for env in [&[("TERM", "xterm"), ("CI", "true")][..], &[("TERM", "dumb")]] {
        let text = shown(env, &check).unwrap();
        assert_eq!(text, format!("{files} bottles checked, nothing found\r\n"));
    }
    // Standard output may be anything; standard error decides.
    let text = shown(&[("TERM", "xterm")], &format!("{check} 2>err.txt")).unwrap();
    assert_eq!(
        (text, dir.read("err.txt")),
        (format!("{files} bottles checked, nothing found\r\n"), String::new())
    );
}
