//! What the pages show is what happens: every spec in them compiles, every command prints what stands below it, and what
//! they name is there: files, headings, tests.
#![cfg(unix)]
#![allow(clippy::format_collect, reason = "texts to test with are short")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::layers::LAYERS;
use bottlec::world::engine::{Capability, Ledger};

use crate::support::binary::{BOTTLEC, Dir, SYSTEM_PATH};
use crate::support::{assert_generated, compile_text, root};

/// A fenced block: what stands behind the opening fence, and its lines.
struct Fence<'a> {
    info: &'a str,
    lines: Vec<&'a str>,
}

/// A piece of a page.
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

/// The pages, by their paths: those at the root, and those directly below `docs`. The pages of rules have tests of their
/// own.
fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for directory in ["", "docs/"] {
        for entry in fs::read_dir(root().join(directory)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "md") {
                let name = format!("{directory}{}", path.file_name().unwrap().to_str().unwrap());
                pages.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    pages.sort();
    pages
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The lines of a page outside of its fences.
fn prose(text: &str) -> Vec<&str> {
    let lines = pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Line(line) => Some(line),
        Piece::Fence(_) => None,
    });
    lines.collect()
}

/// What stands between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    prose(text).into_iter().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Those of them that name a test: `module::name`.
fn named_tests(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ':';
    code(text).filter(move |span| {
        span.contains("::") && span.starts_with(|c: char| c.is_ascii_lowercase()) && span.chars().all(is_word)
    })
}

#[test]
fn every_spec_in_the_pages_is_what_it_says() {
    let mut count = 0;
    for (name, text) in pages() {
        for piece in pieces(&text) {
            let Piece::Fence(fence) = piece else { continue };
            if !fence.info.starts_with("kdl") {
                continue;
            }
            count += 1;
            let (_, compilation) = compile_text("page.kdl", &(fence.lines.join("\n") + "\n"));
            let found = compilation.diagnostics.as_slice();
            match fence.info {
                "kdl" => assert!(found.is_empty(), "{name}: {}: {found:?}", fence.lines.join("\n")),
                "kdl fails" => {
                    assert!(compilation.diagnostics.has_errors(), "{name}: {}", fence.lines.join("\n"));
                }
                other => panic!("{name}: a spec is marked `kdl` or `kdl fails`, not `{other}`"),
            }
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
fn every_command_in_the_pages_prints_what_they_say() {
    for (name, text) in pages() {
        let dir = Dir::new();
        fs::create_dir(dir.at("bin")).unwrap();
        fs::create_dir(dir.at(".git")).unwrap();
        std::os::unix::fs::symlink(BOTTLEC, dir.at("bin/bottlec")).unwrap();
        let copied =
            Command::new("cp").arg("-r").arg(root().join("examples")).arg(dir.path()).status().unwrap();
        assert!(copied.success());
        let mut now = String::new();
        let mut blocks = 0;
        for piece in pieces(&text) {
            match piece {
                Piece::Line(line) => writeln!(now, "{line}").unwrap(),
                Piece::Fence(Fence { info, lines }) => {
                    let body = if info == "console" {
                        blocks += 1;
                        console(&dir, &lines)
                    } else {
                        lines.iter().map(|line| format!("{line}\n")).collect()
                    };
                    write!(now, "```{info}\n{body}```\n").unwrap();
                }
            }
        }
        let shown = match name.as_str() {
            "README.md" => 5,
            "docs/tour.md" => 10,
            _ => 0,
        };
        assert!(blocks >= shown, "{name} shows what the commands print");
        if blocks > 0 {
            assert_generated(&name, &now);
        }
    }
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).into_iter().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| -> String {
        let kept = line.trim_start_matches('#').trim().chars();
        let kept = kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn what_the_pages_name_is_there() {
    for (name, text) in pages() {
        let directory = root().join(&name).parent().unwrap().to_owned();
        for line in prose(&text) {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                if link.contains("://") {
                    continue;
                }
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = if path.is_empty() { root().join(&name) } else { directory.join(path) };
                assert!(target.exists(), "{name}: {link}");
                if !anchor.is_empty() {
                    let there = anchors(&fs::read_to_string(target).unwrap());
                    assert!(there.contains(anchor), "{name}: {link}");
                }
            }
        }
    }
    // A file that is named in code and not linked; `<...>` stands for a part that one chooses.
    let tops =
        ["src/", "tests/", "docs/", "schemas/", "examples/", "editors/", "benches/", ".ci/", ".cargo/"];
    let mut count = 0;
    for name in ["CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"] {
        for path in code(&page(name)).filter(|span| tops.iter().any(|top| span.starts_with(top))) {
            if !path.contains('<') {
                count += 1;
                assert!(root().join(path).exists(), "{name}: {path}");
            }
        }
    }
    assert!(count > 30, "{count}");
}

/// The names of the tests in `needs`, which the other program runs.
fn needs() -> BTreeSet<String> {
    fn visit(directory: &Path, module: &str, listed: &BTreeSet<String>, names: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let inner = format!("{module}{}::", path.file_stem().unwrap().to_str().unwrap());
            if path.is_dir() {
                visit(&path, &inner, listed, names);
                continue;
            }
            for line in fs::read_to_string(&path).unwrap().lines() {
                let function = line.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
                names.extend(function.filter(|name| listed.contains(*name)).map(|name| inner.clone() + name));
            }
        }
    }
    let directory = root().join("tests/needs");
    // Where they are listed; a test that is not is dead code, which the compiler says.
    let lists = ["mod.rs", "git_gate.rs"].map(|file| fs::read_to_string(directory.join(file)).unwrap());
    let words = |text: &String| -> Vec<String> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned).collect()
    };
    let mut names = BTreeSet::new();
    visit(&directory, "", &lists.iter().flat_map(words).collect(), &mut names);
    names
}

#[test]
fn every_test_that_a_page_names_is_run() {
    let itself = std::env::current_exe().unwrap();
    let listed = Command::new(itself).args(["--list", "--format", "terse"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut run: BTreeSet<String> =
        listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect();
    run.extend(needs());
    for (name, text) in pages() {
        for test in named_tests(&text) {
            assert!(run.contains(test), "{name}: there is no test `{test}`");
        }
        let named = match name.as_str() {
            "SECURITY.md" => 70,
            "docs/architecture.md" => 35,
            _ => 0,
        };
        let count = named_tests(&text).count();
        assert!(count >= named, "{name} names {count} tests");
    }
}

#[test]
fn every_promise_names_what_holds_it() {
    let text = page("SECURITY.md");
    let (_, promised) = text.split_once("\n## What is promised\n").unwrap();
    let (promised, _) = promised.split_once("\n## ").unwrap();
    let mut count = 0;
    for promise in promised.lines().filter(|line| line.starts_with("- ")) {
        count += 1;
        let (_, held) = promise.split_once(" Held by ").unwrap_or_else(|| panic!("nothing holds: {promise}"));
        assert!(named_tests(held).next().is_some() || held.contains("/judge.py)"), "{promise}");
    }
    assert!(count > 20, "{count}");
}

#[test]
fn the_layers_and_the_commands_of_the_pages_are_those_of_the_project() {
    let rows = page("docs/architecture.md");
    let (_, rows) = rows.split_once("\n| layer | what lives there |\n| --- | --- |\n").unwrap();
    let rows = rows.lines().take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<&str>> = rows.map(|row| code(row.split('|').nth(1).unwrap()).collect()).collect();
    assert_eq!(rows, LAYERS);
    // Each of cargo's commands is its own, or one of the project's.
    let config: toml::Table = page(".cargo/config.toml").parse().unwrap();
    let aliases: BTreeSet<&str> = config["alias"].as_table().unwrap().keys().map(String::as_str).collect();
    let text = page("CONTRIBUTING.md");
    let commands = code(&text).filter_map(|span| span.strip_prefix("cargo ")?.split(' ').next());
    let commands: BTreeSet<&str> = commands.filter(|name| !["fmt", "test"].contains(name)).collect();
    assert_eq!(commands, aliases);
}

#[test]
fn the_facts_of_the_pages_are_the_programs() {
    let readme = page("README.md");
    let lines = readme.lines().count();
    assert!(lines <= 180, "{lines} lines are read by nobody who decides in a minute");
    for command in ["cargo run --release -- build examples/api-dev.kdl", "cargo test"] {
        assert!(readme.lines().any(|line| line == command), "{command}");
    }
    let bounds = page("SECURITY.md");
    let limit = bottlec::source::MAX_SOURCE_BYTES / 1024 / 1024;
    assert!(bounds.contains(&format!("{limit} MiB")));
    assert!(bounds.contains("1,000 diagnostics") && bottlec::diagnostic::Diagnostics::LIMIT == 1_000);
    assert!(bounds.contains("500,000 nodes") && bottlec::compile::MAX_NODES == 500_000);
    assert!(bounds.contains("1,000,000 nodes") && bottlec::compile::MAX_SIZE == 1_000_000);
    let least = Ledger::smolvm().row(Capability::Provisioning).since;
    assert!(page("docs/first-bottle.md").contains(&format!("smolvm) {least} or newer")), "{least}");
    let tour = page("docs/tour.md");
    for code in ["| 0 |", "| 1 |", "| 2 |", "| 3 |"] {
        assert!(tour.contains(code), "{code}");
    }
}

/// On a machine that has had no completions yet, the directories are not there.
#[test]
fn completions_and_the_man_page_land_where_the_pages_say() {
    let mut count = 0;
    for name in ["docs/install.md", "docs/tour.md"] {
        let text = page(name);
        let shown = pieces(&text).into_iter().find_map(|piece| match piece {
            Piece::Fence(Fence { info: "sh", lines }) if lines.join("\n").contains("bottlec completions") => {
                Some(lines.join("\n"))
            }
            _ => None,
        });
        let home = Dir::new();
        fs::create_dir(home.at("bin")).unwrap();
        std::os::unix::fs::symlink(BOTTLEC, home.at("bin/bottlec")).unwrap();
        let path = format!("{}:{SYSTEM_PATH}", home.at("bin").display());
        let run = Command::new("sh")
            .args(["-e", "-c", &shown.unwrap()])
            .env_clear()
            .env("PATH", path)
            .env("HOME", home.path())
            .current_dir("/")
            .output()
            .unwrap();
        assert!(
            run.status.success() && run.stderr.is_empty(),
            "{name}: {}",
            String::from_utf8_lossy(&run.stderr)
        );
        for (file, word) in [
            (".local/share/bash-completion/completions/bottlec", "complete -F"),
            (".local/share/man/man1/bottlec.1", ".SH EXAMPLES"),
        ] {
            count += 1;
            assert!(fs::read_to_string(home.at(file)).unwrap().contains(word), "{name}: {file}");
        }
    }
    assert_eq!(count, 4);
}

/// Whoever reads what is printed asks for its version first, and finds on the page what it means.
#[test]
fn every_format_has_a_version_and_a_row() {
    let text = page("docs/stability.md");
    let (_, rows) = text.split_once("\n| schema | what it describes | key | number |\n").unwrap();
    let dir = Dir::new();
    let bottlec = |arguments: &[&str]| {
        Command::new(BOTTLEC).args(arguments).env("COLUMNS", "100").current_dir(dir.path()).output().unwrap()
    };
    let spec = "egress-only.kdl";
    fs::copy(root().join("examples").join(spec), dir.at(spec)).unwrap();
    fs::write(dir.at("log"), "").unwrap();
    assert!(bottlec(&["build", spec]).status.success());
    let mut listed = BTreeSet::new();
    for row in rows.lines().skip(1).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, schema, what, key, number, _] = cells[..] else { panic!("{row}") };
        let file = schema.split("](../").nth(1).unwrap().trim_end_matches(')');
        let key = key.trim_matches('`');
        let number: u64 = number.parse().unwrap();
        listed.insert(file.to_owned());
        let schema: serde_json::Value = serde_json::from_str(&page(file)).unwrap();
        assert!(schema["required"].as_array().unwrap().iter().any(|it| it == key), "{file}: {key}");
        if let Some(held) = schema["properties"][key]["const"].as_u64() {
            assert_eq!(held, number, "{file}");
        }
        // What is printed has that number.
        let Some((_, command)) = what.rsplit_once("`bottlec ").filter(|_| what.ends_with("json`")) else {
            continue;
        };
        let command: Vec<&str> = command.trim_end_matches('`').split(' ').collect();
        let inputs: &[&str] = match command[0] {
            "rules" => &[],
            "diff" => &[spec, spec],
            "trace" => &["stage/docs-writer/smolfile.toml"],
            "denials" | "propose" => &[spec, "--from", "log"],
            _ => &[spec],
        };
        let run = bottlec(&[&command, inputs].concat());
        let printed: serde_json::Value = serde_json::from_slice(&run.stdout)
            .unwrap_or_else(|error| panic!("{what}: {error}: {}", String::from_utf8_lossy(&run.stderr)));
        assert_eq!(printed[key], number, "{what}");
    }
    let there: BTreeSet<String> = fs::read_dir(root().join("schemas"))
        .unwrap()
        .map(|entry| format!("schemas/{}", entry.unwrap().file_name().to_str().unwrap()))
        .collect();
    assert_eq!(listed, there);
    // A command has a row when its help says that it prints JSON, and none otherwise.
    let said = |arguments: &[&str]| String::from_utf8(bottlec(arguments).stdout).unwrap();
    let help = said(&["help"]);
    let commands = help.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let commands: Vec<&str> = commands.filter(|word| word.starts_with(char::is_alphabetic)).collect();
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands {
        let help = said(&["help", command]);
        let prints = help.lines().any(|line| line.trim_start().starts_with("- json:"));
        let has_row = text.contains(&format!("`bottlec {command} --format json`"));
        assert_eq!(prints, has_row, "{command}");
    }
}
