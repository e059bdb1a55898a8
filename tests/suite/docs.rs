//! What the README shows is what happens: every spec in it compiles, every command in it prints what stands below it.
#![cfg(unix)]
#![allow(clippy::format_collect, reason = "texts to test with are short")]

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::support::binary::{BOTTLEC, Dir, SYSTEM_PATH};
use crate::support::{assert_generated, compile_text, root};

/// A fenced block: what stands behind the opening fence, and its lines.
struct Fence<'a> {
    info: &'a str,
    lines: Vec<&'a str>,
}

/// A piece of the README.
enum Piece<'a> {
    Line(&'a str),
    Fence(Fence<'a>),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            pieces.push(Piece::Line(line));
            continue;
        };
        let lines: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        pieces.push(Piece::Fence(Fence { info, lines }));
    }
    pieces
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

#[test]
fn every_spec_in_the_readme_is_what_it_says() {
    let text = readme();
    let mut count = 0;
    for piece in pieces(&text) {
        let Piece::Fence(fence) = piece else { continue };
        if !fence.info.starts_with("kdl") {
            continue;
        }
        count += 1;
        let (_, compilation) = compile_text("README.kdl", &(fence.lines.join("\n") + "\n"));
        let found = compilation.diagnostics.as_slice();
        match fence.info {
            "kdl" => assert!(found.is_empty(), "{}: {found:?}", fence.lines.join("\n")),
            "kdl fails" => assert!(compilation.diagnostics.has_errors(), "{}", fence.lines.join("\n")),
            other => panic!("a spec is marked `kdl` or `kdl fails`, not `{other}`"),
        }
    }
    assert!(count > 0);
}

/// What a shell prints for one command, both streams, in a directory with the examples in it.
fn output(dir: &Dir, command: &str) -> String {
    let path = format!("{}:{SYSTEM_PATH}", dir.at("bin").display());
    let run = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .env_clear()
        .env("PATH", path)
        .env("COLUMNS", "100")
        .current_dir(dir.path())
        .output()
        .unwrap();
    String::from_utf8(run.stdout).unwrap()
}

/// Each command of a `console` block with what it prints now. A block whose last line is `...` shows the beginning of
/// its last command's output, as many lines as it did.
fn console(dir: &Dir, lines: &[&str]) -> String {
    let mut text = String::new();
    let starts: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("$ ")).collect();
    assert_eq!(starts.first(), Some(&0), "a console block begins with a command");
    for (n, start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(lines.len());
        let shown = &lines[start + 1..end];
        let command = lines[*start].strip_prefix("$ ").unwrap();
        let printed = output(dir, command);
        writeln!(text, "$ {command}").unwrap();
        if shown.last() == Some(&"...") {
            for line in printed.lines().take(shown.len() - 1) {
                writeln!(text, "{line}").unwrap();
            }
            text.push_str("...\n");
        } else {
            text.push_str(&printed);
        }
    }
    text
}

#[test]
fn every_command_in_the_readme_prints_what_it_says() {
    let dir = Dir::new();
    fs::create_dir(dir.at("bin")).unwrap();
    std::os::unix::fs::symlink(BOTTLEC, dir.at("bin/bottlec")).unwrap();
    dir.program("bin/smolvm", "echo smolvm 1.33.0");
    let copied = Command::new("cp").arg("-r").arg(root().join("examples")).arg(dir.path()).status().unwrap();
    assert!(copied.success());
    let text = readme();
    let mut now = String::new();
    let mut commands = 0;
    for piece in pieces(&text) {
        match piece {
            Piece::Line(line) => writeln!(now, "{line}").unwrap(),
            Piece::Fence(Fence { info, lines }) => {
                let body = if info == "console" {
                    commands += 1;
                    console(&dir, &lines)
                } else {
                    lines.iter().map(|line| format!("{line}\n")).collect()
                };
                write!(now, "```{info}\n{body}```\n").unwrap();
            }
        }
    }
    assert!(commands >= 5, "the README shows what the commands print");
    assert_generated("README.md", &now);
}

#[test]
fn the_readme_names_what_is_there() {
    let text = readme();
    for command in ["cargo run --release -- build examples/api-dev.kdl", "cargo test"] {
        assert!(text.lines().any(|line| line == command), "{command}");
    }
    // Every link to a file leads somewhere.
    for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        if !link.contains("://") && !link.starts_with('#') {
            assert!(root().join(link).exists(), "{link}");
        }
    }
    // The limits are the program's.
    let limit = bottlec::source::MAX_SOURCE_BYTES / 1024 / 1024;
    assert!(text.contains(&format!("{limit} MiB")));
    assert!(text.contains("1,000 diagnostics") && bottlec::diagnostic::Diagnostics::LIMIT == 1_000);
    assert!(text.contains("500,000 nodes") && bottlec::compile::MAX_NODES == 500_000);
    for code in ["| 0 |", "| 1 |", "| 2 |", "| 3 |"] {
        assert!(text.contains(code), "{code}");
    }
}
