//! What a terminal shows of a check, where there is a program that makes one.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{Outcome, needs};
use crate::support::binary::{BOTTLEC, Dir, PATIENCE, SMALL, SYSTEM_PATH, works};
use crate::support::running::{BROKEN, Running};

fn needs_a_terminal() -> Outcome {
    needs(works(&["script", "--version"]), "there is no `script` here, which makes a terminal")
}

/// A command on a terminal of its own.
fn on_a_terminal(dir: &Dir, env: &[(&str, &str)], command: &str) -> Command {
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", command, "/dev/null"]).current_dir(dir.path());
    script.env_clear().env("PATH", SYSTEM_PATH).envs(env.iter().copied());
    script
}

pub(crate) fn the_screen_holds_one_result_on_a_terminal_only() -> Outcome {
    const CLEAR: &str = "\u{1b}[H\u{1b}[2J";
    needs_a_terminal()?;
    let dir = Dir::with(SMALL);
    let command = format!("exec {BOTTLEC} check --watch");
    for (term, clears) in [("xterm", true), ("dumb", false)] {
        let mut script = on_a_terminal(&dir, &[("TERM", term)], &command);
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
    Ok(())
}

pub(crate) fn a_terminal_shows_what_it_can() -> Outcome {
    const XTERM: (&str, &str) = ("TERM", "xterm-256color");
    const UTF8: (&str, &str) = ("LANG", "en_US.UTF-8");
    needs_a_terminal()?;
    let dir = Dir::with(BROKEN);
    let shown = |env: &[(&str, &str)]| {
        let command = format!("exec {BOTTLEC} check");
        let output = on_a_terminal(&dir, env, &command).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for (env, colored, drawn) in [
        (&[XTERM, UTF8][..], true, true),
        (&[XTERM], true, false),
        (&[XTERM, ("LANG", "C")], true, false),
        (&[XTERM, ("LC_ALL", "C"), UTF8], true, false),
        (&[XTERM, ("LC_CTYPE", "C.utf8"), ("LANG", "C")], true, true),
        (&[("TERM", "linux"), UTF8], true, false),
        (&[("TERM", "dumb"), UTF8], false, true),
        (&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], true, false),
        (&[XTERM, ("NO_COLOR", "1")], false, false),
        (&[XTERM, ("NO_COLOR", "0")], false, false),
        (&[XTERM, ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false, false),
    ] {
        let text = shown(env);
        assert!(text.contains("unknown-node"), "{text:?}");
        assert_eq!((text.contains('\u{1b}'), text.contains('─')), (colored, drawn), "{env:?}: {text:?}");
    }
    let widest = |env: &[(&str, &str)]| shown(env).lines().map(|line| line.chars().count()).max().unwrap();
    let narrow = widest(&[("TERM", "dumb"), ("COLUMNS", "40")]);
    assert!(narrow <= 40 && narrow < widest(&[("TERM", "dumb"), ("COLUMNS", "0")]), "{narrow}");
    Ok(())
}

pub(crate) fn a_long_check_shows_how_far_it_is_to_who_looks_on() -> Outcome {
    needs_a_terminal()?;
    let dir = Dir::new();
    let mut hosts = String::new();
    for n in 0..100 {
        write!(hosts, " \"host-{n}.example.com\"").unwrap();
    }
    let spec = format!("bottle \"api\" {{\n    egress {{ allow{hosts}; }}\n}}\n");
    let files = 128;
    for n in 0..files {
        dir.write(&format!("{n}.kdl"), &spec);
    }
    let shown = |env: &[(&str, &str)], command: &str| {
        let env = [env, &[("RAYON_NUM_THREADS", "1")]].concat();
        let output = on_a_terminal(&dir, &env, command).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    // A check that takes long on whatever machine, and works little: it is stopped for a while, again and again.
    let slowly = |command: &str| {
        format!(
            "{command} & for run in .02 .02 .04 .04 .08 .08 .16 .16 .32; do
                sleep $run; kill -STOP $! || break; sleep .3; kill -CONT $!
            done 2>/dev/null; wait $!"
        )
    };
    let check = slowly(&format!("{BOTTLEC} check"));
    let text = shown(&[("TERM", "xterm")], &check);
    let of = format!("of {files}, ");
    assert!(text.contains("\rchecking [") && text.contains(&of), "{text:?}");
    // It is gone when the result is there.
    assert!(text.ends_with(&format!("\r\u{1b}[K{files} bottles checked, nothing found\r\n")), "{text:?}");
    for env in [&[("TERM", "xterm"), ("CI", "true")][..], &[("TERM", "dumb")]] {
        let text = shown(env, &check);
        assert_eq!(text, format!("{files} bottles checked, nothing found\r\n"));
    }
    // Standard output may be anything; standard error decides.
    let text = shown(&[("TERM", "xterm")], &slowly(&format!("{BOTTLEC} check 2>err.txt")));
    assert_eq!(
        (text, dir.read("err.txt")),
        (format!("{files} bottles checked, nothing found\r\n"), String::new())
    );
    Ok(())
}
