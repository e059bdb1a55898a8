//! `bottlec plan` for people: it fits into its columns, and its commands can be pasted.
#![cfg(unix)]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use bottlec::backend::lower;
use bottlec::plan::Plan;
use bottlec::report::Style;
use bottlec::report::plan::{Detail, render};
use bottlec::text::without_commands;
use serde_json::Value;
use textwrap::core::display_width;

use crate::support::binary::{Dir, SYSTEM_PATH};
use crate::support::pictures::{NASTY, nasty_spec, plans};
use crate::support::{compile_file, root, specs};

/// Whose home the commands see.
const HOME: &str = "/home/ada lovelace";

/// What has room in no line, and what a shell or the reader of a log would take for something else.
fn strange() -> Vec<Plan> {
    let long = "x".repeat(120);
    let words = "words ".repeat(60);
    let image = format!("image=\"docker.io/library/{long}:1@sha256:{}\"", "0".repeat(64));
    let spec = format!(
        "bottle \"{slug}\" {{
            artifact \"./agent.smolmachine\"
            engine \"smolvm\" version=\"1.33.0\"
            lint {{ allow \"personal-path\" reason=\"{words}\"; }}
            env {{
                TAB \"a\\tb\"; MARK \"##[group]x ##vso[y]\"; COMMAND \"::set-env::x\"; QUOTE \"it's \\\"$(id)\\\" `id` \\\\\"
                LONG \"{long}\"; SPACED \"{words}x\"; WIDE \"{wide}\"; SECRET from-file=\"/{long}/{long}\"
            }}
            egress {{ allow \"{host}.example.com\" \"api.example.com\"; }}
            git {{ repo \"here\" {{ path \"~/a repository\"; }}; repo \"there\" {{ path \"/srv/{long}\"; }}; }}
            sidecar \"db\" {image} {{ port 5432 scheme=\"postgres\"; no-relay reason=\"{words}\"; }}
            sidecar \"worker\" {image} {{ needs \"db\" \"pipelock\" \"git-gate\"; }}
            expect {{ allow \"api.example.com:443\"; }}
        }}",
        slug = "b".repeat(30),
        host = "y".repeat(60),
        wide = "日本語 ".repeat(40).trim_end(),
    );
    NASTY.iter().flat_map(|text| plans(&nasty_spec(text))).chain(plans(&spec)).collect()
}

/// The plans of all examples and of all cases that are built, and strange ones.
fn all() -> Vec<Plan> {
    let directories = [root().join("examples"), root().join("tests/cases/build")];
    let files = directories.iter().flat_map(|directory| specs(directory));
    let mut all: Vec<Plan> = files.flat_map(|path| compile_file(&path).1.plans).collect();
    assert!(all.len() >= 8, "{}", all.len());
    all.extend(strange());
    all
}

/// What the command prints.
fn printed(plan: &Plan, detail: Detail, style: &Style) -> String {
    without_commands(&render(plan, &lower(plan), "stage", detail, style)).into_owned()
}

#[test]
fn no_line_is_longer_than_the_columns_unless_one_word_is() {
    for plan in all() {
        for (width, detail) in
            [80, 100, 120].into_iter().flat_map(|width| [(width, Detail::Usual), (width, Detail::Digests)])
        {
            let text = printed(&plan, detail, &Style { width, unicode: true, color: false });
            for line in text.lines().filter(|line| display_width(line) > width) {
                let word = line.trim_start();
                let word = word.strip_suffix(" \\").unwrap_or(word);
                // A shell's word has blanks between quotes only.
                let plain: String = word.split('\'').step_by(2).collect();
                assert!(!plain.contains(' '), "{} of {width} columns: {line}\n{text}", display_width(line));
                assert!(
                    !line.ends_with(' ') && display_width(&line[..line.len() - word.len()]) <= 8,
                    "{line}"
                );
            }
        }
    }
}

/// The lines below a title.
fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n\n{title}\n")).unwrap_or_else(|| panic!("{title}: {text}"));
    rest.split_once("\n\n").map_or(rest, |(section, _)| section)
}

/// The shell that is pasted into, with stand-ins for all programs that say what they are called with.
struct Shell {
    dir: Dir,
    /// What the host has: each variable that the plan takes a secret from.
    secrets: Vec<String>,
}

impl Shell {
    /// `there` is whether each repository is cloned already.
    fn new(plan: &Plan, there: bool) -> Self {
        let dir = Dir::new();
        fs::create_dir_all(dir.at(format!("stage/{}", plan.slug.value))).unwrap();
        let script = format!(
            "printf '%s\\037' \"${{0##*/}}\" \"$@\" >>\"$LOG\"; printf '\\036' >>\"$LOG\"
             case \" $* \" in *' test -e '*) exit {} ;; *' rev-parse '*) printf '%s\\n' \"/of$2\" ;; esac",
            i32::from(!there)
        );
        for program in ["smolvm", "docker", "podman", "python3", "git"] {
            dir.program(&format!("bin/{program}"), &script);
        }
        let secrets = plan.secrets().filter_map(|secret| secret.variable).map(str::to_owned).collect();
        Self { dir, secrets }
    }

    /// What is called by what is pasted, in that order, and what is printed.
    fn paste(&self, text: &str, at: &Path) -> (Vec<Vec<String>>, String) {
        let _ = fs::remove_file(self.dir.at("log"));
        let file = self.dir.write("pasted", text);
        let path = format!("{}:{SYSTEM_PATH}", self.dir.at("bin").display());
        for flags in [&["-n"][..], &[]] {
            let run = Command::new("sh")
                .args(flags)
                .current_dir(at)
                .env_clear()
                .envs([("PATH", path.as_str()), ("HOME", HOME), ("SMOLVM_PUBLISH_ADDR", "0.0.0.0")])
                .envs(self.secrets.iter().map(|name| (name, "secret")))
                .env("XDG_RUNTIME_DIR", self.dir.at("run"))
                .env("BOTTLE_BROKER", self.dir.at("run/bottlec").join(at.file_name().unwrap_or_default()))
                .env("LOG", self.dir.at("log"))
                .stdin(File::open(&file).unwrap())
                .output()
                .unwrap();
            assert!(run.status.success() && run.stderr.is_empty(), "{run:?}\n{text}");
            if flags.is_empty() {
                let log = fs::read_to_string(self.dir.at("log")).unwrap_or_default();
                let words = |call: &str| call.split_terminator('\u{1f}').map(str::to_owned).collect();
                let calls = log.split_terminator('\u{1e}').map(words).collect();
                return (calls, String::from_utf8(run.stdout).unwrap());
            }
            assert!(!self.dir.at("log").exists());
        }
        unreachable!("the second time it is run")
    }
}

/// The vectors of `plan.json` below these keys, in that order.
fn vectors(commands: &Value, keys: &[&str]) -> Vec<Vec<String>> {
    let vector = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
    let mut vectors = Vec::new();
    for value in keys.iter().map(|key| &commands[*key]) {
        match value.as_array().filter(|value| value.first().is_none_or(Value::is_array)) {
            Some(several) => vectors.extend(several.iter().map(vector)),
            None if value.is_null() => {}
            None => vectors.push(vector(value)),
        }
    }
    vectors
}

/// Each section of commands is pasted into a shell, which calls what the plan says, word by word.
#[test]
fn what_is_pasted_is_what_the_plan_says() {
    let on_host = all().into_iter().filter(|plan| plan.cluster.is_none());
    for (plan, there) in on_host.flat_map(|plan| [(plan.clone(), false), (plan, true)]) {
        let text =
            printed(&plan, Detail::Usual, &Style { width: if there { 100 } else { 80 }, ..Style::default() });
        let json: Value = serde_json::from_slice(lower(&plan).plan()).unwrap();
        let commands = &json["commands"];
        let shell = Shell::new(&plan, there);
        let at = shell.dir.at(format!("stage/{}", plan.slug.value));

        let first = format!("{}\npwd\nenv\n", section(&text, "In each shell, before the rest"));
        let (calls, out) = shell.paste(&first, shell.dir.path());
        assert_eq!(calls, Vec::<Vec<String>>::new());
        assert_eq!(out.lines().next(), at.canonicalize().unwrap().to_str());
        for (name, value) in commands["set"].as_object().unwrap() {
            assert!(out.contains(&format!("\n{name}={}\n", value.as_str().unwrap())), "{out}");
        }
        for name in commands["unset"].as_array().unwrap() {
            assert!(!out.contains(&format!("\n{}=", name.as_str().unwrap())), "{out}");
        }

        let mut launch = Vec::new();
        let mut exported = String::new();
        for local in plan.git.repos.iter().filter_map(|repo| repo.local()) {
            let path = local.path.replacen("~/", &format!("{HOME}/"), 1);
            let _ = writeln!(exported, "{}=/of{path}", *local.variable);
            let ask = ["git", "-C", &path, "rev-parse", "--path-format=absolute", "--git-common-dir"];
            launch.push(ask.map(str::to_owned).to_vec());
        }
        launch.extend(vectors(commands, &["bundle", "create", "start"]));
        for copy in vectors(commands, &["provision"]) {
            let seen = |word: String| match word.strip_prefix("~/") {
                Some(rest) => format!("{HOME}/{rest}"),
                None => word,
            };
            launch.push(copy.into_iter().map(seen).collect());
        }
        for checkout in commands["checkouts"].as_array().unwrap() {
            launch.extend(vectors(checkout, if there { &["exists"] } else { &["exists", "clone"] }));
        }
        let (calls, out) = shell.paste(&format!("{}\nenv\n", section(&text, "Launch")), &at);
        assert_eq!(calls, launch, "{text}");
        assert!(exported.lines().all(|line| out.contains(&format!("{line}\n"))), "{exported}: {out}");

        let mut inside = vectors(commands, &["exec", "attach", "denials"]);
        for program in &mut inside[..2] {
            program.push(String::from("PROGRAM"));
        }
        for (title, expected) in [
            ("In the machine", inside),
            ("Stop (everything stays)", vectors(commands, &["stop"])),
            ("Undo (what the bundle keeps stays)", vectors(commands, &["cleanup"])),
            ("And what it keeps", vectors(commands, &["purge"])),
        ] {
            if !expected.is_empty() {
                assert_eq!(shell.paste(section(&text, title), &at).0, expected, "{title}: {text}");
            }
        }
    }
}

/// What a sidecar dials by itself is said of each.
#[test]
fn each_sidecar_is_said_to_dial_what_it_can() {
    let image = format!("image=\"x:1@sha256:{}\"", "0".repeat(64));
    let all = plans(&format!(
        "bottle \"x\" {{
            egress {{ allow \"api.example.com\"; }}
            git {{ repo \"here\" {{ path \".\"; }}; }}
            supervise
            sidecar \"db\" {image} {{ no-relay reason=\"no superuser\"; }}
            sidecar \"job\" {image}
        }}"
    ));
    let text = printed(&all[0], Detail::Usual, &Style::default());
    let (_, dials) =
        text.split_once("  what each sidecar dials, held to it by nothing but its own program:\n").unwrap();
    let (dials, _) = dials.split_once("\n\n").unwrap();
    let expected = [
        "  db         what the host can reach, but nothing for the agent, the spec says:",
        "             no superuser",
        "  git-gate   nothing",
        "  job        what the host can reach, on no list, and the agent through it",
        "  pipelock   the hosts above",
        "  supervise  nothing",
    ];
    assert_eq!(dials.lines().collect::<Vec<_>>(), expected, "{text}");
}
