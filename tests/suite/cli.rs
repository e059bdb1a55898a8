//! The command as its users run it: every subcommand, stream and exit code, through the real binary.
#![cfg(unix)]

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::assert_snapshot;
use crate::support::binary::{BOTTLEC, Call, DOCKER, Dir, Run, SMALL, SYSTEM_PATH, mkfifo, tree, works};

/// A warning and nothing else: an image without its digest.
const WARNED: &str = "bottle \"api\" { image \"docker.io/library/debian:12\"; network octet=42; }\n";

/// An error.
const WRONG: &str = "bottle \"api\" { egres { allow \"api.example.com\"; }; }\n";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

// build

#[test]
fn build_says_what_it_did() {
    let dir = Dir::with(SMALL);
    let first = dir.run(["build", "x.kdl"]).code(0);
    assert_eq!(first.out, "built `stage/api`: the agent may dial 192.168.42.2 and nothing else\n");
    assert_eq!(first.err, "");
    let files: Vec<_> = tree(&dir.at("stage/api")).into_keys().collect();
    assert_eq!(
        files,
        [
            "SHA256SUMS",
            "agent.env",
            "compose.yaml",
            "pipelock",
            "pipelock/pipelock.yaml",
            "plan.json",
            "smolfile.toml"
        ]
        .map(PathBuf::from)
    );
    dir.run(["build", "x.kdl"]).code(0).says("unchanged `stage/api`: ");
    dir.write("x.kdl", SMALL.replace("42", "43"));
    let third = dir.run(["build", "x.kdl"]).code(0);
    assert_eq!(third.out, "rebuilt `stage/api`: the agent may dial 192.168.43.2 and nothing else\n");
}

#[test]
fn build_writes_where_it_is_told() {
    let dir = Dir::with(SMALL);
    dir.run(["build", "--out", "deep/er/out", "x.kdl"]).code(0).says("built `deep/er/out/api`");
    assert!(dir.at("deep/er/out/api/plan.json").is_file());
    assert!(!dir.at("stage").exists());
}

#[test]
fn several_specs_are_one_host() {
    let dir = Dir::with(SMALL);
    dir.write("y.kdl", "bottle \"other\" { network octet=43; }\n");
    let run = dir.run(["build", "y.kdl", "x.kdl"]).code(0);
    assert_eq!(run.out.lines().count(), 2);
    assert!(run.out.starts_with("built `stage/api`"), "in order of their names: {}", run.out);
    dir.write("y.kdl", "bottle \"other\" { network octet=42; }\n");
    let run = dir.run(["build", "x.kdl", "y.kdl", "--out", "o"]).code(1);
    run.complains("error[subnet-collision]");
    assert!(!dir.at("o").exists());
}

#[test]
fn a_spec_that_is_named_twice_is_one() {
    let dir = Dir::with(SMALL);
    fs::create_dir(dir.at("sub")).unwrap();
    let absolute = dir.at("x.kdl");
    let names = ["x.kdl", "./x.kdl", "sub/../x.kdl", absolute.to_str().unwrap()];
    dir.run(["check"].into_iter().chain(names)).code(0).says("1 bottle checked, nothing found");
    // Two files whose bytes are no text are two files still, and a plan could name neither.
    for (name, slug) in [(b"\xfe.kdl", "one"), (b"\xff.kdl", "two")] {
        let path = dir.at(std::ffi::OsStr::from_bytes(name));
        fs::write(&path, format!("bottle \"{slug}\"\n")).unwrap();
        dir.run([std::ffi::OsStr::new("check"), path.as_os_str()]).code(3).complains("is not UTF-8");
    }
}

#[test]
fn warnings_fail_nothing_and_errors_write_nothing() {
    let dir = Dir::with(WARNED);
    let run = dir.run(["build", "x.kdl"]).code(0).says("built `stage/api`");
    run.complains("warning[image-not-pinned]");
    dir.run(["check", "x.kdl"]).code(0).says("1 warning");
    let dir = Dir::with(WRONG);
    let run = dir.run(["build", "x.kdl"]).code(1).complains("did you mean `egress`?");
    assert_eq!(run.out, "");
    assert_eq!(tree(dir.path()).len(), 1, "the spec and nothing else");
}

#[test]
fn an_error_in_one_spec_keeps_all_stages_as_they_are() {
    let dir = Dir::with(SMALL);
    dir.run(["build", "x.kdl"]).code(0);
    let before = tree(dir.path());
    dir.write("x.kdl", SMALL.replace("api.example", "other.example"));
    dir.write("y.kdl", WRONG.replace("api", "other"));
    dir.run(["build", "x.kdl", "y.kdl"]).code(1);
    let mut after = tree(dir.path());
    after.remove(Path::new("y.kdl"));
    after.insert("x.kdl".into(), before[Path::new("x.kdl")].clone());
    assert_eq!(before, after);
}

/// A container that runs is shown the directory, and would find an empty one when it is removed.
#[test]
fn what_did_not_change_of_a_stage_stays_the_same_directory() {
    use std::os::unix::fs::MetadataExt as _;
    let spec = |host: &str| {
        format!(
            "bottle \"api\" {{ egress {{ allow \"{host}\"; }}; git {{ repo \"app\" {{ path \".\"; }}; }} }}\n"
        )
    };
    let dir = Dir::with(spec("one.example.com"));
    dir.run(["build", "x.kdl"]).code(0);
    let inode = |path: &str| fs::metadata(dir.at(path)).unwrap().ino();
    let of = || ["stage/api/git-gate", "stage/api/pipelock", "stage/api"].map(inode);
    let [gate, pipelock, stage] = of();
    dir.write("x.kdl", spec("two.example.com"));
    dir.run(["build", "x.kdl"]).code(0).says("rebuilt");
    let after = of();
    assert_eq!(after[0], gate, "what did not change is another directory");
    assert!(after[1] != pipelock && after[2] != stage, "what changed is the same directory");
    dir.run(["verify", "stage/api"]).code(0);
    // What was edited is not taken back.
    dir.write("stage/api/git-gate/scanner", "none\n");
    dir.write("x.kdl", spec("three.example.com"));
    dir.run(["build", "--force", "x.kdl"]).code(0);
    assert_ne!(inode("stage/api/git-gate"), gate);
    dir.run(["verify", "stage/api"]).code(0);
}

#[test]
fn build_check_compares_and_writes_nothing() {
    let dir = Dir::with(SMALL);
    let run = dir.run(["build", "--check", "x.kdl"]).code(1).says("`stage/api` is not what the spec says:");
    assert!(run.out.contains("no stage"), "{}", run.out);
    assert!(!dir.at("stage").exists());

    dir.run(["build", "x.kdl"]).code(0);
    let before = tree(dir.path());
    dir.run(["build", "--check", "x.kdl"]).code(0).says("`stage/api` is what the spec says\n");
    assert_eq!(tree(dir.path()), before);

    dir.write("x.kdl", SMALL.replace("api.example", "other.example"));
    let before = tree(dir.path());
    dir.run(["build", "--check", "x.kdl"]).code(1).says("\n  ").says("plan.json");
    assert_eq!(tree(dir.path()), before);

    dir.write("x.kdl", SMALL);
    fs::write(dir.at("stage/api/mine"), "").unwrap();
    fs::remove_file(dir.at("stage/api/agent.env")).unwrap();
    dir.run(["build", "--check", "x.kdl"]).code(1).says("`mine`").says("`agent.env`");
    dir.run(["build", "--check", "--force", "x.kdl"]).code(2);
}

#[test]
fn a_stage_that_was_edited_is_kept_until_force() {
    let dir = Dir::with(SMALL);
    dir.run(["build", "x.kdl"]).code(0);
    let built = tree(&dir.at("stage"));
    fs::write(dir.at("stage/api/smolfile.toml"), "mine").unwrap();
    for spec in [SMALL.to_owned(), SMALL.replace("api.example", "other.example")] {
        dir.write("x.kdl", spec);
        let run = dir.run(["build", "x.kdl"]).code(1);
        run.complains("`stage/api` was edited since it was written:\n").complains("`smolfile.toml`");
        assert_eq!(dir.read("stage/api/smolfile.toml"), "mine");
    }
    dir.write("x.kdl", SMALL);
    dir.run(["build", "--force", "x.kdl"]).code(0).says("rebuilt");
    assert_eq!(tree(&dir.at("stage")), built);
}

#[test]
fn profiles_by_themselves_can_be_checked_only() {
    let dir = Dir::with("profile \"team\" { env { TERM \"xterm\"; }; }\n");
    dir.run(["check", "x.kdl"]).code(0).says("profiles without a bottle checked, nothing found");
    for command in
        [&["build"][..], &["build", "--check"], &["plan"], &["plan", "--format", "json"], &["preflight"]]
    {
        let run = dir.run(command.iter().copied().chain(["x.kdl"])).code(1);
        assert_eq!(run.err, "error: there is no bottle in the specs, only profiles\n");
        assert_eq!(run.out, "");
    }
    assert_eq!(tree(dir.path()).len(), 1);
}

// check

#[test]
fn check_speaks_every_format_on_standard_output() {
    let dir = Dir::with(WRONG);
    let fancy = dir.run(["check", "x.kdl"]).code(1).says("error[unknown-node]").says("1 error in 1 file");
    assert_eq!(fancy.err, "");
    let concise = dir.run(["check", "--format", "concise", "x.kdl"]).code(1);
    assert!(concise.out.starts_with("x.kdl:1:16: error[unknown-node]: "), "{}", concise.out);
    assert_eq!((concise.out.lines().count(), concise.err.as_str()), (1, ""));
    let report = json(&dir.run(["check", "--format", "json", "x.kdl"]).code(1).out);
    assert_eq!(report["diagnostics"][0]["rule"], "unknown-node");
    assert!(!dir.at("stage").exists());

    let dir = Dir::with(SMALL);
    assert_eq!(dir.run(["check", "x.kdl"]).code(0).out, "1 bottle checked, nothing found\n");
    assert_eq!(dir.run(["check", "--format", "concise", "x.kdl"]).code(0).out, "");
    let report = json(&dir.run(["check", "--format", "json", "x.kdl"]).code(0).out);
    assert_eq!(report["diagnostics"].as_array().unwrap().len(), 0);
}

#[test]
fn what_a_command_says_besides_goes_to_standard_error() {
    let dir = Dir::with(WARNED);
    for args in [&["build", "x.kdl", "--format", "json"][..], &["preflight", "x.kdl", "--format", "json"]] {
        let run = dir.run(args);
        assert_eq!(json(&run.err)["diagnostics"][0]["rule"], "image-not-pinned");
        assert!(!run.out.contains("image-not-pinned"), "{}", run.out);
    }
    json(&dir.run(["plan", "--format", "json", "x.kdl"]).code(0).complains("image-not-pinned").out);
}

#[test]
fn what_a_target_cannot_hold_is_a_warning_and_with_strict_an_error() {
    let dir = Dir::with(
        "bottle \"api\" { egress { allow \"api.example.com:443\"; deny \"b.example.com/x\"; }; }\n",
    );
    let loose = dir.run(["check", "--format", "concise", "x.kdl"]).code(0);
    assert!(loose.out.contains("warning[wider-than-written]"), "{}", loose.out);
    dir.run(["build", "x.kdl"]).code(0).complains("wider-than-written");
    // What is stricter than written keeps somebody out, and lets nobody in.
    let strict = dir.run(["check", "--strict", "--format", "concise", "x.kdl"]).code(1);
    assert!(strict.out.contains("error[wider-than-written]"), "{}", strict.out);
    assert!(strict.out.contains("warning[stricter-than-written]"), "{}", strict.out);
    dir.run(["build", "--strict", "--force", "--out", "other", "x.kdl"])
        .code(1)
        .complains("wider-than-written");
    assert!(!dir.at("other").exists());
    // The host is on the list as it can be held.
    let proxy = dir.read("stage/api/pipelock/pipelock.yaml");
    assert!(proxy.contains("api.example.com") && !proxy.contains("443"), "{proxy}");
    assert!(proxy.contains("b.example.com") && !proxy.contains("b.example.com/"), "{proxy}");
}

#[test]
fn what_a_spec_accepts_is_in_its_plan() {
    let spec =
        |accept: &str| format!("bottle \"api\" {{ engine \"smolvm\" version=\"1.2.4\"\n{accept}\n}}\n");
    Dir::with(spec("")).run(["build", "x.kdl"]).code(1).complains("dns-open");
    let dir = Dir::with(spec("accept \"dns-open\" reason=\"older until January\""));
    let built =
        dir.run(["build", "x.kdl"]).code(0).complains("accepted here, because: `older until January`");
    assert!(
        built.out.contains("and nothing else, but this engine looks up any name for it"),
        "{}",
        built.out
    );
    let plan = json(&dir.read("stage/api/plan.json"));
    assert_eq!(
        plan["accepted"],
        serde_json::json!([{ "rule": "dns-open", "reason": "older until January", "origin": "x.kdl:2" }])
    );
    dir.run(["plan", "x.kdl"]).code(0).says("dns-open is accepted, x.kdl:2: older until January");
}

#[test]
fn several_reports_go_where_they_are_sent() {
    let dir = Dir::with(WRONG);
    let both =
        ["check", "--format", "concise", "--format", "sarif=out.sarif", "--format=junit=a=b.xml", "x.kdl"];
    let run = dir.run(both).code(1);
    assert!(run.out.starts_with("x.kdl:1:16: error[unknown-node]"), "{}", run.out);
    assert_eq!(json(&dir.read("out.sarif"))["runs"][0]["results"][0]["ruleId"], "unknown-node");
    assert!(dir.read("a=b.xml").contains("<failure"));
    // When each has a file, nothing is left for the stream.
    let run = dir.run(["check", "--format", "gitlab=quality.json", "x.kdl"]).code(1);
    assert_eq!(run.out, "");
    assert_eq!(json(&dir.read("quality.json"))[0]["check_name"], "unknown-node");
    // A report of nothing is one, too: who reads it must not find that of yesterday.
    dir.write("x.kdl", SMALL);
    dir.run(["check", "--format", "gitlab=quality.json", "x.kdl"]).code(0);
    assert_eq!(dir.read("quality.json"), "[]\n");
    dir.run(["build", "--format", "sarif=out.sarif", "x.kdl"]).code(0);
    assert_eq!(json(&dir.read("out.sarif"))["runs"][0]["results"], serde_json::json!([]));
    for (args, words) in [
        (&["--format", "json", "--format", "sarif"][..], "would be mixed"),
        (&["--format", "sarif="], "names no file"),
        (&["--format", "yaml"], "possible values: fancy, concise, json, sarif"),
        (&["--format", "yaml=x"], "possible values: fancy, concise, json, sarif"),
    ] {
        let run = dir.run(["check", "x.kdl"].iter().chain(args)).code(2);
        assert!(run.err.contains(words), "{args:?}: {}", run.err);
    }
    let nowhere = dir.run(["check", "--format", "sarif=no/where.sarif", "x.kdl"]).code(3);
    assert!(nowhere.err.contains("cannot write `no/where.sarif`"), "{}", nowhere.err);
}

// plan

#[test]
fn a_plan_reads_well_at_any_width() {
    for width in ["80", "120"] {
        let call = Call::new(&root(), ["plan", "examples/api-dev.kdl"]).env("COLUMNS", width);
        let run = call.run().code(0);
        assert!(run.out.is_ascii(), "{}", run.out);
        assert_snapshot(&format!("cli__plan_{width}"), &run.out);
        if width == "80" {
            // What goes to no terminal, and to one that is too narrow for columns, takes as much.
            for columns in ["", "40"] {
                let call = Call::new(&root(), ["plan", "examples/api-dev.kdl"]).env("COLUMNS", columns);
                assert_eq!(call.run().code(0).out, run.out);
            }
        }
    }
}

#[test]
fn a_plan_as_json_is_the_file_that_is_built() {
    let dir = Dir::new();
    let example = fs::read(root().join("examples/api-dev.kdl")).unwrap();
    dir.write("x.kdl", example);
    for out in ["stage", "else/where"] {
        dir.run(["build", "--out", out, "x.kdl"]).code(0);
        let plan = dir.run(["plan", "--format", "json", "--out", out, "x.kdl"]).code(0);
        assert_eq!(plan.out, dir.read(&format!("{out}/api-dev/plan.json")));
        assert_eq!(plan.err, "");
    }
    // The text shows the digests of the same files, to who asks for them.
    let (usual, verbose) =
        (dir.run(["plan", "x.kdl"]).code(0).out, dir.run(["plan", "-v", "x.kdl"]).code(0).out);
    for line in dir.read("stage/api-dev/SHA256SUMS").lines() {
        let (digest, path) = line.split_once("  ").unwrap();
        assert!(verbose.contains(digest) && !usual.contains(digest), "{line}: {usual}\n{verbose}");
        assert!(verbose.contains(path) && usual.contains(path), "{line}: {usual}\n{verbose}");
    }
    let image = "docker.io/library/postgres:17";
    assert!(usual.contains(&format!("  {image}\n")) && verbose.contains(&format!("{image}@sha256:")));
}

#[test]
fn several_plans_are_a_list() {
    let dir = Dir::with("bottle \"b\" { network octet=3; }\nbottle \"a\" { network octet=2; }\n");
    let all = json(&dir.run(["plan", "--format", "json", "x.kdl"]).code(0).out);
    let slugs: Vec<_> = all.as_array().unwrap().iter().map(|plan| plan["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs, ["a", "b"]);
    let one = json(&dir.run(["plan", "--format", "json", "--bottle", "b", "x.kdl"]).code(0).out);
    assert_eq!(one, all[1]);
    dir.run(["plan", "x.kdl"]).code(0).says("bottle a ").says("bottle b ");
    dir.run(["plan", "--bottle", "a", "x.kdl"]).code(0).says("bottle a ").never_says("bottle b ");
    let wrong = dir.run(["plan", "--bottle", "c", "x.kdl"]).code(2);
    assert_eq!((wrong.out.as_str(), wrong.err.contains("there is no bottle `c` in the spec")), ("", true));
    dir.run(["plan", "--bottle", "\u{1b}[2J", "x.kdl"]).code(2).never_says("\u{1b}");
    let dir = Dir::with(SMALL);
    dir.run(["plan", "--bottle", "apo", "x.kdl"]).code(2).complains("did you mean `api`?");
    assert_eq!(tree(dir.path()).len(), 1, "a plan writes nothing");
    assert_eq!(Dir::with(WRONG).run(["plan", "x.kdl"]).code(1).complains("unknown-node").out, "");
}

// explain, init, completions, man

#[test]
fn every_rule_is_listed_and_explained() {
    let dir = Dir::new();
    let list = dir.run(["explain"]).code(0).out;
    assert_eq!(list.lines().count(), bottlec::rule::ALL.len());
    for (line, rule) in list.lines().zip(bottlec::rule::ALL) {
        assert!(line.starts_with(rule.id) && line.ends_with(rule.summary), "{line}");
    }
    // As it stands in a diagnostic, too.
    for id in ["unknown-node", "[unknown-node]"] {
        let run = dir.run(["explain", id]).code(0).says("Level: error. Since bottlec 0.1.0.");
        assert!(run.out.starts_with("# unknown-node\n"), "{}", run.out);
    }
    dir.run(["explain", "unknown-nod"]).code(2).complains("did you mean `unknown-node`?");
    dir.run(["explain", "quite-another-thing"]).code(2).complains("`bottlec explain` lists all");
    dir.run(["explain", "\u{1b}[2J"]).code(2).never_says("\u{1b}");
}

#[test]
fn init_writes_a_spec_that_compiles() {
    let dir = Dir::new();
    let run = dir.run(["init"]).code(0).says("bottlec up ./bottle.kdl");
    assert!(run.out.starts_with("wrote `./bottle.kdl`"), "{}", run.out);
    let check = dir.run(["check", "bottle.kdl"]).code(0);
    assert_eq!(check.out, "1 bottle checked, nothing found\n");
    dir.run(["build", "bottle.kdl"]).code(0);

    dir.write("bottle.kdl", "mine");
    dir.run(["init"]).code(3).complains("it is there already, and is not overwritten");
    assert_eq!(dir.read("bottle.kdl"), "mine");

    dir.run(["init", "a new/dir"]).code(0).says("bottlec up 'a new/dir/bottle.kdl'");
    dir.run(["check", "a new/dir/bottle.kdl"]).code(0);
    // What it says to run can be run.
    let said = dir.run(["init", "--", "-dash"]).code(0).out;
    let command = said.lines().last().unwrap().trim();
    let spec = command.strip_prefix("bottlec up ").unwrap();
    dir.run(["check", spec]).code(0);

    let run = dir.run(["init", "bottle.kdl"]).code(3);
    assert_eq!(run.err, "error: cannot write `bottle.kdl`: it is no directory\n");
    fs::create_dir(dir.at("linked")).unwrap();
    symlink(dir.at("nowhere"), dir.at("linked/bottle.kdl")).unwrap();
    dir.run(["init", "linked"]).code(3);
    assert!(!dir.at("nowhere").exists(), "nothing is written through a link");
}

#[test]
fn every_shell_gets_its_completions() {
    let dir = Dir::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = dir.run(["completions", shell]).code(0).out;
        for word in ["build", "check", "plan", "explain", "init", "verify", "preflight", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    dir.run(["completions", "csh"]).code(2);
}

#[test]
fn the_man_page_tells_everything() {
    let dir = Dir::new();
    let page = dir.run(["man"]).code(0).out;
    for word in ["BUILD", "CHECK", "PLAN", "EXPLAIN", "INIT", "PREFLIGHT", "COMPLETIONS", "MAN"] {
        assert!(page.contains(&format!("\n.SH \"BOTTLEC {word}\"\n")), "{word}");
    }
    for section in [".SH NAME", ".SH \"EXIT STATUS\"", "\\fB3\\fR\nfailure: ", "a change that is\ndenied\n"] {
        assert!(page.contains(section), "{section}");
    }
    assert!(page.is_ascii());
    // What is shown of the command is a command, and each file is named.
    let shown = |title: &str| -> Vec<String> {
        let (_, section) = page.split_once(&format!("\n.SH {title}\n")).unwrap();
        let (section, _) = section.split_once("\n.SH ").unwrap();
        let terms = section.lines().filter_map(|line| line.strip_prefix("\\fB")?.strip_suffix("\\fR"));
        terms.map(|term| term.replace("\\-", "-")).collect()
    };
    let examples = shown("EXAMPLES");
    assert!(examples.len() > 5);
    for example in examples {
        let words: Vec<&str> = example.split(' ').skip(1).chain(["--help"]).collect();
        dir.run(&words[..]).code(0);
    }
    assert!(shown("FILES").iter().any(|file| file == "stage/BOTTLE/plan.json"));
}

// verify

/// A stage of [`SMALL`], as it was built.
fn built() -> Dir {
    let dir = Dir::with(SMALL);
    dir.run(["build", "x.kdl"]).code(0);
    dir
}

#[test]
fn a_stage_is_verified_by_itself() {
    let dir = built();
    fs::remove_file(dir.at("x.kdl")).unwrap();
    for path in ["stage/api", "stage/api/", "./stage/../stage/api"] {
        let run = dir.run(["verify", path]).code(0);
        assert_eq!(run.out, format!("`{path}` is as it was built\n"));
    }
    let inside = Call::new(&dir.at("stage/api"), ["verify", "."]).run().code(0);
    assert_eq!(inside.out, "`.` is as it was built\n");

    fs::create_dir(dir.at("stage/mine")).unwrap();
    let run =
        dir.run(["verify", "stage/api", "stage/none", "nowhere/api", "stage/mine", "stage/a b"]).code(1);
    let said: Vec<_> = run.out.lines().map(|line| line.split_once("` ").unwrap().1).collect();
    let (none, foreign) =
        ("is not there: build it", "is not a stage that bottlec wrote: name one, or build it");
    assert_eq!(said, ["is as it was built", none, none, foreign, none]);
    symlink("api", dir.at("stage/link")).unwrap();
    dir.run(["verify", "stage/link"]).code(3).complains("`stage/link` is a symbolic link");
    dir.run(["verify"]).code(2);

    fs::write(dir.at("stage/api/agent.env"), "HTTP_PROXY=\n").unwrap();
    fs::write(dir.at("stage/api/more"), "").unwrap();
    fs::remove_file(dir.at("stage/api/compose.yaml")).unwrap();
    let run = dir.run(["verify", "stage/api"]).code(1);
    let expected = "`stage/api` is not as it was built:\n  `agent.env` was changed\n  \
                    `compose.yaml` is missing\n  `more` was added\n\
                    start nothing from it: build it again from its spec\n";
    assert_eq!(run.out, expected);
}

/// The digests are no signature: what must be in a stage is looked at even if they are right.
#[test]
fn a_broker_that_sends_elsewhere_is_seen_behind_right_digests() {
    let built = || {
        let dir = Dir::with("bottle \"api\" { extends \"std/anthropic\"; network octet=42; }\n");
        dir.run(["build", "x.kdl"]).code(0);
        dir
    };
    let said = |dir: &Dir| -> Vec<String> {
        let run = dir.run(["verify", "stage/api"]).code(1);
        run.out.lines().filter(|line| line.starts_with("  ")).map(str::to_owned).collect()
    };
    let path = "stage/api/broker/caddy.json";
    let open = "lets whoever reaches the broker change it: `admin.disabled` is not `true`";
    for (from, to, expected) in [
        ("\"disabled\": true", "\"disabled\": false", vec![open]),
        ("\"admin\"", "\"apps2\"", vec![open]),
        (
            "\"dial\": \"api.anthropic.com:443\"",
            "\"dial\": \"evil.example.com:443\"",
            vec![
                "sends to `evil.example.com:443`, which no credential of the plan names",
                "does not send to `api.anthropic.com:443`",
            ],
        ),
        (
            "\"server_name\": \"api.anthropic.com\"",
            "\"server_name\": \"evil.example.com\"",
            vec!["takes the certificate of `evil.example.com`"],
        ),
        (
            "\"server_name\":",
            "\"insecure_skip_verify\": true, \"server_name\":",
            vec!["does not check whom it sends to: it has `insecure_skip_verify`"],
        ),
        ("{", "[", vec!["is no JSON"]),
    ] {
        let dir = built();
        let before = dir.read(path);
        let after = before.replacen(from, to, 1);
        assert_ne!(before, after, "{from}");
        fs::write(dir.at(path), &after).unwrap();
        // As it is, by its digest alone.
        assert!(said(&dir).iter().any(|line| line.contains("caddy.json` was changed")), "{:?}", said(&dir));
        digest_anew(&dir);
        let expected: Vec<_> = expected.iter().map(|what| format!("  `broker/caddy.json` {what}")).collect();
        assert_eq!(said(&dir), expected);
    }
    // Lists that name no configuration.
    let dir = built();
    let mut plan = json(&dir.read("stage/api/plan.json"));
    plan["files"].as_object_mut().unwrap().remove("broker/caddy.json");
    fs::write(dir.at("stage/api/plan.json"), plan.to_string()).unwrap();
    fs::remove_dir_all(dir.at("stage/api/broker")).unwrap();
    digest_anew(&dir);
    assert_eq!(said(&dir), ["  `broker/caddy.json` is missing"]);
}

#[test]
fn a_smolfile_that_confines_nobody_is_seen_behind_right_digests() {
    let open = "does not confine the agent: `network.allow_cidrs` is not `192.168.42.2/32` alone";
    let cases: &[(&str, &str, &[&str])] = &[
        ("192.168.42.2/32\"", "192.168.42.2/31\"", &[open]),
        ("192.168.42.2/32\"", "192.168.42.2/32\", \"0.0.0.0/0\"", &[open]),
        ("\"192.168.42.2/32\"", "", &[open]),
        (
            "[network]",
            "[network]\nallow_hosts = [\"x\"]",
            &["has the key `network.allow_hosts`, which is never"],
        ),
        ("[network]", "[extra]", &["has the key `extra`, which is never written", open]),
        ("env = [", "net = true\nenv = [", &["has the key `net`, which is never written"]),
        ("env = [", "env = [ 1,", &["has no `env` of the form `NAME=value`"]),
        ("[network]", "[network", &["is no TOML"]),
    ];
    for (from, to, expected) in cases {
        let dir = built();
        let before = dir.read("stage/api/smolfile.toml");
        let after = before.replace(from, to);
        assert_ne!(before, after);
        fs::write(dir.at("stage/api/smolfile.toml"), &after).unwrap();
        digest_anew(&dir);
        let run = dir.run(["verify", "stage/api"]).code(1);
        let said: Vec<_> = run.out.lines().filter(|line| line.starts_with("  ")).collect();
        assert_eq!(said.len(), expected.len(), "{}", run.out);
        for (said, expected) in said.iter().zip(*expected) {
            assert!(said.starts_with(&format!("  `smolfile.toml` {expected}")), "{}", run.out);
        }
    }
    let dir = built();
    let many: Vec<_> = (0..100_000).map(|key| format!("k{key} = 1")).collect();
    for text in [many.join("\n"), "[".repeat(1_000_000)] {
        fs::write(dir.at("stage/api/smolfile.toml"), text).unwrap();
        let run = dir.run(["verify", "stage/api"]).code(1);
        assert!(run.out.lines().count() < 20, "{}", run.out.len());
    }
    // Lists that name no Smolfile.
    let dir = built();
    let mut plan = json(&dir.read("stage/api/plan.json"));
    plan["files"].as_object_mut().unwrap().remove("smolfile.toml");
    fs::write(dir.at("stage/api/plan.json"), plan.to_string()).unwrap();
    fs::remove_file(dir.at("stage/api/smolfile.toml")).unwrap();
    digest_anew(&dir);
    let run = dir.run(["verify", "stage/api"]).code(1);
    assert_eq!(run.out.lines().nth(1), Some("  `smolfile.toml` is missing"), "{}", run.out);

    // A backend that none is keeps nobody to anything.
    let dir = built();
    let mut plan = json(&dir.read("stage/api/plan.json"));
    plan["backend"] = "none".into();
    fs::write(dir.at("stage/api/plan.json"), plan.to_string()).unwrap();
    digest_anew(&dir);
    let run = dir.run(["verify", "stage/api"]).code(1);
    assert_eq!(run.out.lines().nth(1), Some("  `plan.json` was changed"), "{}", run.out);

    let dir = built();
    fs::rename(dir.at("stage/api"), dir.at("stage/other")).unwrap();
    let run = dir.run(["verify", "stage/other"]).code(1);
    assert_eq!(run.out.lines().nth(1), Some("  `plan.json` is of the bottle `api`"));
}

/// Writes the digests of what a stage holds, as whoever edits it may.
fn digest_anew(dir: &Dir) {
    let list =
        "find . -type f ! -name SHA256SUMS -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS";
    let status = Command::new("sh").args(["-c", list]).current_dir(dir.at("stage/api")).status().unwrap();
    assert!(status.success());
}

/// Whoever has no bottlec can ask, too.
#[test]
fn the_digests_of_a_stage_are_those_that_sha256sum_checks() {
    let dir = built();
    let check = || {
        let mut command = Command::new("sha256sum");
        command.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(dir.at("stage/api"));
        command.output().unwrap().status.success()
    };
    assert!(check());
    let ours = dir.read("stage/api/SHA256SUMS");
    digest_anew(&dir);
    assert_eq!(dir.read("stage/api/SHA256SUMS"), ours);
    fs::write(dir.at("stage/api/agent.env"), "").unwrap();
    assert!(!check());
}

/// What an older version built is named as such, and replaced when that is asked for.
#[test]
fn a_stage_of_the_first_format_is_named_and_replaced_by_force() {
    let dir = built();
    fs::remove_file(dir.at("stage/api/SHA256SUMS")).unwrap();
    let plan = "{\"format\": 1, \"files\": {\"smolfile.toml\": {\"sha256\": \"0\", \"mode\": \"0644\"}}, \"plan_sha256\": \"0\"}";
    fs::write(dir.at("stage/api/plan.json"), plan).unwrap();
    dir.run(["verify", "stage/api"]).code(1).says("is a stage of format 1");
    let run = dir.run(["build", "x.kdl"]).code(3);
    assert!(run.err.contains("is a stage of format 1, and this bottlec writes format 2"), "{}", run.err);
    assert_eq!(dir.read("stage/api/plan.json"), plan);
    dir.run(["build", "--force", "x.kdl"]).code(0);
    dir.run(["verify", "stage/api"]).code(0);
}

// preflight

/// Runs `preflight` with a `smolvm` of the test's making, on a host without any network where that can be had.
struct Host {
    dir: Dir,
    alone: bool,
}

impl Host {
    fn new(script: Option<&str>) -> Self {
        let dir = Dir::new();
        fs::create_dir(dir.at("bin")).unwrap();
        if let Some(script) = script {
            dir.program("bin/smolvm", script);
        }
        dir.program("bin/docker", DOCKER);
        Self { dir, alone: works(&["unshare", "-n", "true"]) }
    }

    /// Preflights a bottle that is compiled for an engine version.
    fn preflight(&self, version: &str) -> Run {
        let engine = if version.is_empty() {
            String::new()
        } else {
            format!("engine \"smolvm\" version=\"{version}\"")
        };
        self.dir.write("x.kdl", format!("bottle \"api\" {{ {engine}\n network octet=42\n }}\n"));
        let call = self.dir.call(["preflight", "x.kdl"]);
        // The path of the wrapper is the system's; that of the command has nothing but our program in it.
        let path = format!("export PATH='{}'", self.dir.at("bin").display());
        let call = call.after(&path);
        if self.alone { call.within(["unshare", "-n"]).run() } else { call.run() }
    }
}

#[test]
fn preflight_tells_what_engine_is_there() {
    let at = |host: &Host| format!("`{}`", host.dir.at("bin/smolvm").display());
    let host = Host::new(None);
    let run = host.preflight("1.33.0").code(1).says("fail `smolvm` is not on PATH\n       install smolvm");
    run.never_says("compiled for");

    for (script, version, expected, ready) in [
        ("echo smolvm 1.33.0", "1.33.0", "ok   `api` is compiled for smolvm 1.33.0\n", true),
        (
            "echo smolvm 1.32.2",
            "1.33.0",
            "ok   `api` is compiled for smolvm 1.33.0; no difference from the host's 1.32.2 is known\n",
            true,
        ),
        (
            "echo smolvm 99.0.0",
            "1.33.0",
            "the host's 99.0.0 is newer than any version that bottlec knows\n",
            true,
        ),
        (
            "echo smolvm 1.2.0",
            "1.33.0",
            "and 1.2.0 is another matter:\n       since 1.3.9: the bundle is refused",
            false,
        ),
        ("echo smolvm 1.33.0", "1.3.0", "and 1.33.0 is another matter:\n", false),
        ("echo smolvm 1.2.0", "1.33.0", "write `engine \"smolvm\" version=\"1.2.0\"` into the bottle", false),
    ] {
        let host = Host::new(Some(script));
        let run = host.preflight(version).says(expected).says(&format!(" is {}\n", at(&host)));
        if host.alone {
            assert_eq!(run.lacks_nothing(), ready, "{}", run.out);
            run.says("ok   `api` has 192.168.42.0/24 to itself\n");
        }
    }
    for script in ["echo hello", "exit 1", "printf '\\033[2J'", "exec yes", "kill -9 $$"] {
        let host = Host::new(Some(script));
        let run = host.preflight("1.33.0").code(1).says("does not tell its version: ").never_says("\u{1b}");
        assert!(run.out.contains("run `smolvm --version` yourself"), "{}", run.out);
    }
}

#[test]
fn preflight_tells_what_the_bundle_runs_with() {
    let host = Host::new(Some("echo smolvm 1.33.0"));
    let docker = format!("`{}`", host.dir.at("bin/docker").display());
    let run = host.preflight("1.33.0").says(&format!("ok   docker 26.1.5 is {docker}, and answers\n"));
    run.says("ok   `docker compose` is Docker Compose version v2.26.1\n");
    for (script, says) in [
        ("exit 1", "does not answer: "),
        ("exec yes", "does not answer: "),
        (
            "[ $1 = version ] && echo 26.1.5",
            "fail `docker compose` is not there\n       install its plugin: ",
        ),
        (
            "echo Compose 1.29.2",
            "fail `docker compose` is Compose 1.29.2, which does not take what is written for it: 2.20.2 does\n",
        ),
        ("echo podman-compose version 1.5.0", "is Compose 1.5.0, which does not take"),
    ] {
        host.dir.program("bin/docker", script);
        let run = host.preflight("1.33.0").code(1).says(says).never_says("\u{1b}");
        assert!(!run.lacks_nothing(), "{}", run.out);
    }
    fs::remove_file(host.dir.at("bin/docker")).unwrap();
    host.preflight("1.33.0")
        .code(1)
        .says("fail `docker` is not on PATH, which runs the bundle's containers\n");
    // What the spec asks of this host besides.
    host.dir.write(
        "x.kdl",
        "bottle \"api\" { rootfs \"./boot\"; env { A from-env=\"TOKEN\"; B from-env=\"EMPTY\"; }; supervise; network octet=42; \
         sidecar \"db\" image=\"registry.example.com/db:1@sha256:ac7b95aaabf6ded1812325edeeba23ce08a22b7a63592aebf5f5ef2a981303b7\" \
         { volume \"./data\" \"/data\"; }; }\n",
    );
    let run = || {
        let call = host.dir.call(["preflight", "x.kdl"]).env("PATH", host.dir.at("bin"));
        call.env("EMPTY", "").run().code(1)
    };
    run().says("fail `python3` is not on PATH, by which a human answers what the agent asks\n")
        .says("fail the secret in `TOKEN`, for agent of `api`, is not set\n       `read -rs TOKEN && export TOKEN`")
        .says("fail the secret in `EMPTY`, for agent of `api`, is empty\n")
        .says("fail `./boot`, what `api` boots from, is not there\n       make it first\n")
        .says("fail `./data`, a volume of `db` of `api`, is not there\n");
    fs::create_dir(host.dir.at("boot")).unwrap();
    fs::create_dir(host.dir.at("data")).unwrap();
    host.dir.program("bin/python3", "");
    let call = host.dir.call(["preflight", "x.kdl"]).env("PATH", host.dir.at("bin"));
    let run = call.env("TOKEN", "s3cret").env("EMPTY", "s3cret").run().never_says("s3cret");
    run.says("ok   `./boot`, what `api` boots from, is there\n")
        .says("ok   `python3` is ")
        .says("ok   the secret in `TOKEN`, for agent of `api`, is there\n");
}

#[test]
fn preflight_sees_a_secret_that_its_sidecar_may_not_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let spec = |run_as: &str| {
        format!(
            "bottle \"api\" {{ sidecar \"db\" image=\"registry.example.com/db:1@sha256:ac7b95aaabf6ded1812325edeeba23ce08a22b7a63592aebf5f5ef2a981303b7\" \
             {{ run-as \"{run_as}\"; secret \"token\" from-file=\"./token\"; }}; }}\n"
        )
    };
    let dir = Dir::with(spec("4242:4242"));
    let token = dir.write("token", "a token\n");
    let set = |mode| fs::set_permissions(&token, fs::Permissions::from_mode(mode)).unwrap();
    let says = "cannot be read by `db` of `api`, which runs as `4242:4242`: it is ";
    for (mode, may) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        set(mode);
        let run = dir.run(["preflight", "x.kdl"]);
        assert_eq!(!run.out.contains(says), may, "{mode:o}: {}", run.out);
    }
    set(0o600);
    dir.write("x.kdl", spec("0:0"));
    dir.run(["preflight", "x.kdl"]).never_says("cannot be read by");
}

#[test]
fn preflight_sees_what_is_wrong_with_an_identity() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = |identity: &str| {
        format!(
            "repo \"r{}\" {{ url \"git@x:{}\"; identity \"{identity}\"; host-key \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"; }};",
            identity.len(),
            identity.len()
        )
    };
    let dir = Dir::with(format!("bottle \"api\" {{ git {{ {} {} }}; }}\n", repo("key"), repo("~/home-key")));
    let run = || dir.call(["preflight", "x.kdl"]).env("HOME", dir.path()).run().code(1);
    run()
        .says("the identity `./key` for `r3` of `api` is not there")
        .says("home-key` for `r10` of `api` is not there");
    for (path, mode, says) in [
        ("key", 0o640, "can be used by others than its owner: its mode is 0640"),
        ("key", 0o604, "can be used by others than its owner: its mode is 0604"),
        ("key", 0o200, "cannot be read: its mode is 0200"),
        ("key", 0o600, "`./key` for `r3` of `api` is there, and private"),
        ("home-key", 0o400, "home-key` for `r10` of `api` is there, and private"),
    ] {
        let file = dir.write(path, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        run().says(says);
        fs::remove_file(&file).unwrap();
    }
    fs::create_dir(dir.at("key")).unwrap();
    run().says("`./key` for `r3` of `api` is no regular file");
}

#[test]
fn preflight_sees_what_files_hold_and_where_links_lead() {
    use std::os::unix::fs::PermissionsExt as _;
    const IMAGE: &str =
        "docker.io/library/x:1@sha256:ac7b95aaabf6ded1812325edeeba23ce08a22b7a63592aebf5f5ef2a981303b7";
    const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n";
    let spec = |accept: &str| {
        format!(
            "bottle \"api\" {{ {accept}
                rootfs \"./boot\"; engine \"smolvm\" version=\"1.33.0\";
                egress {{ allow \"api.example.com\"; tls {{ ca-cert \"~/ca.pem\"; ca-key \"~/ca-key.pem\"; trust \"~/trust.pem\"; }}; }}
                git {{ repo \"app\" {{ url \"git@git.example.com:app\"; identity \"~/.ssh/id_ed25519\";
                    host-key \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"; }}; }}
                sidecar \"db\" image=\"{IMAGE}\" {{ secret \"token\" from-file=\"~/token\";
                    volume \"./data\" \"/data\" access=\"read-write\"; volume \"./more\" \"/more\"; }} }}\n"
        )
    };
    let dir = Dir::with(spec(""));
    let write = |path: &str, text: &str| {
        let file = dir.write(path, text);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    };
    for (path, text) in [
        ("home/.ssh/id_ed25519", KEY),
        ("home/ca.pem", CERTIFICATE),
        ("home/ca-key.pem", "-----BEGIN EC PRIVATE KEY-----\n"),
        ("home/trust.pem", CERTIFICATE),
        ("home/token", "a token\n"),
        ("boot/etc/os-release", ""),
        ("data/file", ""),
        ("more/app/.git/HEAD", ""),
    ] {
        write(path, text);
    }
    let run = || dir.call(["preflight", "x.kdl"]).env("HOME", dir.at("home")).run();
    // Everything is what it should be: what is looked for is wrong in nothing.
    run().says("token` for `db` of `api` is there").never_says("handed over").never_says("is not for");
    for (path, text, says) in [
        (
            "home/trust.pem",
            KEY,
            "trust.pem` for `api` holds a private key, which would be handed over with it",
        ),
        ("home/ca.pem", &[KEY, CERTIFICATE].concat(), "ca.pem` for `api` holds a private key"),
        ("home/trust.pem", "hello\n", "trust.pem` for `api` is no certificate in PEM"),
        ("home/ca-key.pem", CERTIFICATE, "ca-key.pem` for `api` is no private key"),
        ("home/ca-key.pem", "-----BEGIN PRIVATE KEY-----\n", "is not in the one form that pipelock reads"),
        ("home/ca-key.pem", "-----BEGIN RSA PRIVATE KEY-----\n", "`openssl ec -in KEY -out NEW`"),
        (
            "home/.ssh/id_ed25519",
            "ssh-ed25519 AAAA ada\n",
            "id_ed25519` for `app` of `api` is no private key",
        ),
        (
            "home/.ssh/id_ed25519",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
            "id_ed25519` for `app` of `api` is locked with a passphrase",
        ),
    ] {
        let before = dir.read(path);
        write(path, text);
        run().code(1).says(says);
        write(path, &before);
    }
    // A name says nothing when it is a link's.
    let relink = |path: &str, target: &str| {
        let path = dir.at(path);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
        symlink(target, path).unwrap();
    };
    relink("home/token", ".ssh/id_ed25519");
    run().code(1).says("token` for `db` of `api` leads to what is not handed over");
    relink("boot", "/");
    run().code(1).says("boot` is not for the machine of `api`: it leads to what is not handed over");
    relink("more", "/etc");
    run().code(1).says("more` is not for `db` of `api`: it leads to what is not handed over");
    dir.write("data/app/.git/HEAD", "");
    run()
        .code(1)
        .says("data` is not for `db` of `api`: it may be written to, and has `./data/app/.git` in it");
    dir.write("x.kdl", spec("accept \"host-path-exposed\" reason=\"it is looked after\""));
    run().never_says("handed over").never_says("is not for");
}

/// A packed machine with that manifest: what its archive would be, the manifest, and where both are.
pub(crate) fn packed(manifest: &str) -> Vec<u8> {
    let mut pack = b"an archive".to_vec();
    let (offset, length) = (pack.len() as u64, manifest.len() as u64);
    pack.extend(manifest.as_bytes());
    pack.extend(b"SMOLPACK\x01\0\0\0");
    for number in [0, 0, offset, offset, length] {
        pack.extend(number.to_le_bytes());
    }
    pack.extend([0; 12]);
    pack
}

#[test]
fn preflight_says_what_a_packed_machine_starts_without_its_secrets() {
    let spec = |boot: &str, env: &str| format!("bottle \"api\" {{\n    {boot}\n    env {{ {env}; }}\n}}\n");
    let secret = spec("artifact \"./a.smolmachine\"", "TOKEN from-env=\"TOKEN\"");
    let dir = Dir::with(&secret);
    let pack = "the packed machine `./a.smolmachine` of `api`";
    let says = |mark: &str, expected: &str| {
        dir.run(["preflight", "x.kdl"]).says(&format!("{mark} {pack} {expected}"))
    };
    says("fail", "is not there\n       `smolvm pack create` makes one");
    for (manifest, program) in [
        (r#"{"image": "a", "entrypoint": ["run"], "cmd": ["--fast"]}"#, "run"),
        (r#"{"image": "a", "cmd": ["serve"]}"#, "serve"),
        (r#"{"image": "a", "entrypoint": ["\u001b[2J"]}"#, "\\u{1b}[2J"),
    ] {
        fs::write(dir.at("a.smolmachine"), packed(manifest)).unwrap();
        let run = says("ok  ", &format!("starts `{program}` by itself, without the agent's secrets"));
        run.never_says("\u{1b}");
    }
    fs::write(dir.at("a.smolmachine"), packed("{}")).unwrap();
    says("ok  ", "names no program to start by itself\n");
    // Whatever else it is: too short, of another kind, without a manifest, with one that lies elsewhere.
    let mut lost = packed("{}");
    let at = lost.len() - 64 + 36;
    lost[at..at + 16].fill(0xff);
    for bytes in [b"".to_vec(), b"SMOLPACK".to_vec(), vec![b'x'; 100], packed("run"), packed("7"), lost] {
        fs::write(dir.at("a.smolmachine"), bytes).unwrap();
        says("fail", "cannot be looked at: it is no packed machine\n");
    }
    fs::remove_file(dir.at("a.smolmachine")).unwrap();
    fs::create_dir(dir.at("a.smolmachine")).unwrap();
    says("fail", "cannot be looked at: it is no regular file\n");
    // Who has no secrets, or gives them to the machine itself, need not know.
    for spec in
        [spec("artifact \"./a.smolmachine\"", "A \"b\""), spec("rootfs \"./r\"", "TOKEN from-env=\"TOKEN\"")]
    {
        dir.write("x.kdl", spec);
        dir.run(["preflight", "x.kdl"]).never_says("packed machine");
    }
}

#[test]
fn preflight_sees_the_variables_that_would_refuse_the_bundle_or_open_a_way_past_it() {
    let variables = [
        ("SMOLVM_PUBLISH_ADDR", "smolvm may refuse the bundle's address"),
        ("SMOLVM_EGRESS_FLOOR", "smolvm may refuse the bundle's address"),
        ("SMOLVM_EXTRA_DISK", "smolvm attaches disks of the host to the agent's machine"),
        ("SMOLVM_GUEST_HOST_SERVICE", "smolvm opens a port of the host's loopback to the agent"),
    ];
    // Each version knows the first so many of them.
    for (version, known) in [("1.33.0", 4), ("1.7.5", 4), ("1.7.4", 3), ("1.6.13", 2), ("1.3.8", 1)] {
        let spec =
            format!("bottle \"api\" {{ engine \"smolvm\" version=\"{version}\"; network octet=42; }}\n");
        let dir = Dir::with(spec);
        for (at, (name, because)) in variables.into_iter().enumerate() {
            // Set to nothing is set.
            let run = dir.call(["preflight", "x.kdl"]).env(name, "").run().code(1);
            let said = format!("`{name}` is set: with it {because}");
            assert_eq!(run.out.contains(&said), at < known, "{version}: {}", run.out);
            assert_eq!(run.out.contains(&format!("launch without it: `unset {name}`")), at < known);
        }
        dir.run(["preflight", "x.kdl"]).code(1).never_says("is set");
    }
}

#[test]
fn preflight_without_a_spec_looks_for_the_engine_only() {
    let host = Host::new(Some("echo smolvm 1.33.0"));
    let path = host.dir.at("bin");
    let run = host.dir.call(["preflight"]).env("PATH", &path).run().code(0);
    assert_eq!(run.out, format!("ok   smolvm 1.33.0 is `{}`\n", path.join("smolvm").display()));
    host.dir.call(["preflight"]).env("PATH", "").run().code(1).says("not on PATH");
    // A program of the directory that one stands in is none of the host's.
    host.dir.call(["preflight"]).env("PATH", "bin:.").run().code(1).says("not on PATH");
    host.dir.write("x.kdl", WRONG);
    host.dir.run(["preflight", "x.kdl"]).code(1).complains("unknown-node");
}

// Standard input.

#[test]
fn a_dash_is_standard_input() {
    let dir = Dir::new();
    dir.call(["check", "-"]).stdin(SMALL).run().code(0).says("1 bottle checked");
    dir.call(["check", "-", "-"]).stdin(SMALL).run().code(0).says("1 bottle checked");
    dir.call(["build", "-"]).stdin(SMALL).run().code(0).says("built `stage/api`");
    let plan = dir.call(["plan", "--format", "json", "-"]).stdin(SMALL).run().code(0).out;
    assert_eq!(plan, dir.read("stage/api/plan.json"));
    assert!(json(&plan)["sources"].as_object().unwrap().contains_key("<stdin>"));
    let wrong = dir.call(["check", "--format", "concise", "-"]).stdin(WRONG).run().code(1);
    assert!(wrong.out.starts_with("<stdin>:1:16: "), "{}", wrong.out);
    // It includes from where one stands.
    dir.write("team.kdl", "profile \"team\"\n");
    let spec = "include \"team.kdl\"\nbottle \"a\" { extends \"team\"; }\n";
    dir.call(["check", "-"]).stdin(spec).run().code(0);
    // Another file of that name is not passed over in silence.
    dir.write("<stdin>", "bottle \"b\"\n");
    dir.call(["check", "-", "<stdin>"]).stdin(SMALL).run().code(3).complains("give it another name");
    dir.call(["check", "-"]).run().code(1).says("error[empty-spec]");
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let dir = Dir::new();
    mkfifo(&dir.at("x.kdl"));
    let _socket = std::os::unix::net::UnixListener::bind(dir.at("socket.kdl")).unwrap();
    let why = "it is no regular file: write `-` and give it as standard input";
    for command in ["check", "build", "plan", "fmt", "reach", "graph", "preflight"] {
        for named in ["x.kdl", "./x.kdl", "socket.kdl", "/dev/null"] {
            dir.run([command, named]).code(3).complains(why);
        }
    }
    dir.call(["check", "-"])
        .after("exec <<'EOF'\nbottle \"api\"\nEOF\n:")
        .run()
        .code(0)
        .says("1 bottle checked");
    let included = "include \"x.kdl\"\nbottle \"a\"\n";
    dir.write("y.kdl", included);
    dir.run(["check", "y.kdl"]).code(1).says("it is no regular file");
}

// Includes.

#[test]
fn includes_are_relative_to_the_file_that_has_them() {
    let dir = Dir::with("include \"sub/mid.kdl\"\nbottle \"a\" { extends \"top\" \"low\"; }\n");
    dir.write("sub/mid.kdl", "include \"deep/low.kdl\"\ninclude \"../top.kdl\"\n");
    dir.write("sub/deep/low.kdl", "profile \"low\" { env { LOW \"1\"; }; }\n");
    dir.write("top.kdl", "profile \"top\" { env { TOP \"1\"; }; }\n");
    dir.run(["build", "x.kdl"]).code(0);
    let plan = json(&dir.read("stage/a/plan.json"));
    let sources: Vec<_> = plan["sources"].as_object().unwrap().keys().collect();
    assert_eq!(sources, ["sub/deep/low.kdl", "sub/mid.kdl", "top.kdl", "x.kdl"]);
    assert_eq!(plan["agent_env"]["LOW"]["origin"], "sub/deep/low.kdl:1");
    // From below, the same files are outside, and only those beside the spec may be included.
    let call = Call::new(&dir.at("sub/deep"), ["check", "../mid.kdl"]);
    call.run().code(1).says("error[include-escape]").says("`../top.kdl` leaves the workspace");
}

#[test]
fn an_include_that_cannot_be_is_said_where_it_stands() {
    let dir = Dir::new();
    let secret = "TOP-SECRET-CONTENT";
    let outside = Dir::with(format!("{secret}\n"));
    fs::create_dir(dir.at("folder")).unwrap();
    symlink(outside.at("x.kdl"), dir.at("link.kdl")).unwrap();
    symlink(outside.path(), dir.at("linked")).unwrap();
    symlink("loop.kdl", dir.at("loop.kdl")).unwrap();
    for (path, rule, why) in [
        ("absent.kdl", "include-unreadable", "there is no such file"),
        ("folder", "include-unreadable", "it is a directory"),
        ("link.kdl", "include-unreadable", "a symbolic link that leads out of the workspace"),
        ("linked/x.kdl", "include-unreadable", "a symbolic link that leads out of the workspace"),
        ("loop.kdl", "include-unreadable", "too many levels of symbolic links"),
        ("x.kdl/y.kdl", "include-unreadable", "a part of its path is no directory"),
        ("../x.kdl", "include-escape", "leaves the workspace"),
        ("folder/../../x.kdl", "include-escape", "leaves the workspace"),
        (outside.at("x.kdl").to_str().unwrap(), "", ""),
        ("/etc/passwd", "", ""),
    ] {
        dir.write("x.kdl", format!("bottle \"a\"\ninclude \"{path}\"\n"));
        let run = dir.run(["check", "--format", "concise", "x.kdl"]).code(1).never_says(secret);
        assert!(run.out.starts_with(&format!("x.kdl:2:9: error[{rule}")), "{path}: {}", run.out);
        run.says(why).never_says("root:");
    }
    // A link that stays within is a file like others.
    dir.write("folder/team.kdl", "profile \"team\"\n");
    symlink("folder/team.kdl", dir.at("team.kdl")).unwrap();
    dir.write("x.kdl", "include \"team.kdl\"\nbottle \"a\" { extends \"team\"; }\n");
    dir.run(["check", "x.kdl"]).code(0);
}

#[test]
fn a_circle_of_includes_is_shown_whole() {
    let dir = Dir::with("include \"b.kdl\"\nbottle \"a\"\n");
    dir.write("b.kdl", "include \"c.kdl\"\n");
    dir.write("c.kdl", "include \"x.kdl\"\n");
    let run = dir.run(["check", "x.kdl"]).code(1).says("error[include-cycle]");
    for name in ["`b.kdl`", "`c.kdl`", "`x.kdl`"] {
        assert!(run.out.contains(name), "{}", run.out);
    }
    dir.write("x.kdl", "include \"./x.kdl\"\nbottle \"a\"\n");
    dir.run(["check", "x.kdl"]).code(1).says("error[include-cycle]");
}

#[test]
fn includes_are_bounded() {
    let dir = Dir::new();
    let include = |n: usize| format!("include \"p{n}.kdl\"\n");
    for n in 0..300 {
        dir.write(&format!("p{n}.kdl"), format!("profile \"p{n}\"\n"));
    }
    for (count, code) in [(256, 0), (257, 1), (300, 1)] {
        dir.write("x.kdl", (0..count).map(include).collect::<String>() + "bottle \"a\"\n");
        let run = dir.run(["check", "--format", "concise", "x.kdl"]).code(code);
        let refused = run.out.matches("the specs include more than 256 files").count();
        assert_eq!(refused, count - count.min(256), "{}", run.out);
    }
    // The same as a chain.
    for n in 0..300 {
        dir.write(&format!("p{n}.kdl"), include(n + 1));
    }
    dir.write("x.kdl", include(0) + "bottle \"a\"\n");
    dir.run(["check", "x.kdl"]).code(1).says("the specs include more than 256 files");
}

// Exit codes and streams.

#[test]
fn exit_codes_are_the_documented_ones() {
    let dir = Dir::with(SMALL);
    dir.write("wrong.kdl", WRONG);
    dir.write("file", "");
    for (args, code) in [
        (&["check", "x.kdl"][..], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["help", "build"], 0),
        (&["check", "wrong.kdl"], 1),
        (&["build", "--check", "x.kdl"], 1),
        (&[], 2),
        (&["biuld", "x.kdl"], 2),
        (&["build"], 3),
        (&["check", "--format", "yaml", "x.kdl"], 2),
        (&["explain", "no-such-rule"], 2),
        (&["check", "absent.kdl"], 3),
        (&["check", "."], 1),
        (&["build", "--out", "file", "x.kdl"], 3),
    ] {
        let run = dir.run(args).code(code);
        assert_eq!(run.err.is_empty(), code < 2, "{args:?}: {}", run.err);
        assert_eq!(run.out.is_empty(), code >= 2, "{args:?}: {}", run.out);
    }
    for command in ["check", "build"] {
        let error = dir.run([command, "absent.kdl"]).err;
        assert_eq!(error, "error: cannot read `absent.kdl`: there is no such file\n");
    }
    // Without a spec it is the usual one.
    for command in ["build", "plan", "graph", "reach", "pull", "stop", "down", "status", "logs"] {
        let error = dir.run([command]).code(3).err;
        let expected = "error: cannot read `bottle.kdl`: there is no such file: `bottlec init` writes one\n";
        assert_eq!(error, expected, "{command}");
    }
    assert_eq!(dir.run(["--version"]).out, format!("bottlec {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_reader_who_leaves_changes_nothing() {
    let dir = Dir::with("x\n".repeat(5_000));
    dir.write("warned.kdl", WARNED);
    let gone = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let run = |args: &[&str], out: Stdio, err: Stdio| {
        let mut command = dir.call(args).command();
        let output = command.stdin(Stdio::null()).stdout(out).stderr(err).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), text)
    };
    for format in ["fancy", "concise", "json"] {
        let args = ["check", "--format", format, "x.kdl"];
        assert_eq!(run(&args, gone(), Stdio::piped()), (Some(1), String::new()), "{format}");
    }
    assert_eq!(run(&["plan", "warned.kdl"], gone(), gone()).0, Some(0));
    for args in [&["man"][..], &["explain"], &["completions", "bash"], &["--help"], &["check", "warned.kdl"]]
    {
        assert_eq!(run(args, gone(), Stdio::piped()), (Some(0), String::new()), "{args:?}");
    }
    // Nobody hears the warning, and still the stage is built.
    assert_eq!(run(&["build", "warned.kdl"], gone(), gone()).0, Some(0));
    assert!(dir.at("stage/api/plan.json").is_file());
    // Nor does anybody hear why it fails.
    assert_eq!(run(&["build", "absent.kdl"], gone(), gone()).0, Some(3));
    // A disk that is full is another matter.
    if Path::new("/dev/full").exists() {
        let full = Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let (code, text) = run(&["explain"], full, Stdio::piped());
        assert_eq!(
            (code, text.as_str()),
            (Some(3), "error: cannot write the output: no space left on device\n")
        );
    }
}

#[test]
fn a_shells_pipe_ends_quietly() {
    let dir = Dir::with("x\n".repeat(5_000));
    let script = "{ \"$0\" check x.kdl; echo $? >code; } 2>err | head -n 0";
    let status = Command::new("sh").args(["-c", script, BOTTLEC]).current_dir(dir.path()).status().unwrap();
    assert!(status.success());
    assert_eq!((dir.read("code").as_str(), dir.read("err").as_str()), ("1\n", ""));
}

#[test]
fn colour_is_asked_for() {
    let dir = Dir::with(WRONG);
    let has = |env: &[(&str, &str)]| {
        let call = env.iter().fold(dir.call(["check", "x.kdl"]), |call, (name, value)| call.env(name, value));
        let run = call.run().code(1);
        let coloured = run.out.contains('\u{1b}');
        assert!(coloured || run.out.is_ascii(), "{}", run.out);
        coloured
    };
    assert!(!has(&[]));
    assert!(!has(&[("LANG", "en_US.UTF-8"), ("TERM", "xterm-256color")]), "a pipe is no terminal");
    assert!(has(&[("FORCE_COLOR", "1")]));
    assert!(has(&[("CLICOLOR_FORCE", "1")]));
    assert!(!has(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(!has(&[("FORCE_COLOR", "0")]));
    let run = dir.call(["check", "absent"]).env("FORCE_COLOR", "1").run().code(3);
    assert!(run.err.starts_with("\u{1b}[1;31merror\u{1b}[0m: "), "{:?}", run.err);
    let run = dir.call(["preflight"]).env("FORCE_COLOR", "1").env("PATH", "").run().code(1);
    assert!(run.out.starts_with("\u{1b}[31mfail"), "{:?}", run.out);
}

#[test]
fn the_names_of_files_drive_no_terminal() {
    let dir = Dir::new();
    let name = "\u{1b}[2J\u{202e}\n.kdl";
    dir.write(name, WRONG);
    for format in ["fancy", "concise", "json"] {
        let run = dir.run(["check", "--format", format, name]).code(1);
        run.never_says("\u{1b}").never_says("\u{202e}");
    }
    dir.write(name, WARNED);
    let run = dir.run(["build", name, "--out", "\u{1b}[2J"]).code(0).never_says("\u{1b}");
    run.never_says("\u{202e}");
    dir.run(["plan", name, "--out", "\u{1b}[2J"]).code(0).never_says("\u{1b}").never_says("\u{202e}");
    dir.run(["build", "--check", name, "--out", "\u{1b}[2J"]).code(0).never_says("\u{1b}");
    dir.run(["check", "\u{1b}[2J"]).code(3).never_says("\u{1b}");
    dir.run(["init", "\u{1b}[2K"]).code(0).never_says("\u{1b}");
}

// The same input gives the same bytes.

/// Everything that a spec can say, in one directory.
fn full(dir: &Dir, at: &str) {
    let at = |name: &str| format!("{at}{name}");
    dir.write(&at("x.kdl"), fs::read(root().join("examples/api-dev.kdl")).unwrap());
    dir.write(&at("agent.smolmachine"), "");
}

#[test]
fn the_same_spec_gives_the_same_bytes_anywhere() {
    let build = |name: &str, umask: &str, env: &[(&str, &str)]| {
        let dir = Dir::new();
        full(&dir, &format!("{name}/"));
        let call = Call::new(&dir.at(name), ["build", "x.kdl"]).after(&format!("umask {umask}"));
        env.iter().fold(call, |call, (name, value)| call.env(name, value)).run().code(0);
        let stage = tree(&dir.at(name).join("stage/api-dev"));
        (dir, stage)
    };
    let (first, one) = build("here", "022", &[]);
    let env = [
        ("TZ", "Asia/Kathmandu"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("USER", "somebody-else"),
        ("LOGNAME", "somebody-else"),
        ("HOME", "/home/somebody-else"),
        ("SOURCE_DATE_EPOCH", "1"),
        ("ANTHROPIC_API_KEY", "a-value-that-must-not-leak"),
        ("DB_PASSWORD", "a-value-that-must-not-leak"),
    ];
    let (second, two) = build("some/where else", "077", &env);
    assert_eq!(one, two);
    assert!(one.keys().any(|path| path.ends_with("git-gate/gate.py")) && one.len() > 3);

    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let user = std::env::var("USER").unwrap_or_default();
    let places = [first.path(), second.path()].map(|path| path.to_str().unwrap().to_owned());
    let mut forbidden = vec!["somebody-else", "must-not-leak", "/home/", &places[0], &places[1]];
    // A short one may be a word of the spec.
    forbidden.extend([host.trim(), &user].into_iter().filter(|name| name.len() > 5));
    for (path, (_, bytes)) in &one {
        let text = String::from_utf8_lossy(bytes);
        for word in &forbidden {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn however_a_spec_is_named_it_gives_the_same_bytes() {
    let dir = Dir::new();
    full(&dir, "specs/");
    fs::create_dir(dir.at("specs/sub")).unwrap();
    symlink(dir.at("specs"), dir.at("link")).unwrap();
    let absolute = dir.at("specs/x.kdl");
    let linked = dir.at("link/x.kdl");
    let up = dir.at("link/../specs/x.kdl");
    let mut stages = Vec::new();
    for spec in [
        Path::new("x.kdl"),
        Path::new("./x.kdl"),
        Path::new(".//sub/../x.kdl"),
        Path::new("../specs/x.kdl"),
        Path::new("../link/x.kdl"),
        &absolute,
        &linked,
        &up,
    ] {
        let call = Call::new(&dir.at("specs"), [Path::new("build"), spec]);
        call.run().code(0);
        stages.push(tree(&dir.at("specs/stage/api-dev")));
        fs::remove_dir_all(dir.at("specs/stage")).unwrap();
    }
    assert!(stages.iter().all(|stage| *stage == stages[0]));
    assert!(
        json(std::str::from_utf8(&stages[0][Path::new("plan.json")].1).unwrap())["sources"]["x.kdl"]
            .is_object()
    );
}

#[test]
fn the_artifact_is_found_from_the_stage() {
    let dir = Dir::new();
    full(&dir, "specs/");
    dir.write("specs/specs/y.kdl", "bottle \"api-dev\" { artifact \"../agent.smolmachine\"; }\n");
    fs::create_dir_all(dir.at("elsewhere/deep")).unwrap();
    symlink(dir.at("elsewhere/deep"), dir.at("specs/link")).unwrap();
    let real = dir.at("specs/agent.smolmachine").canonicalize().unwrap();
    let absolute = dir.at("absolute/out");
    let outs = ["stage", "a/b/c", ".", "../beside", "link/out", "link/../other", absolute.to_str().unwrap()];
    for spec in ["x.kdl", "specs/y.kdl"] {
        for out in outs {
            let call = Call::new(&dir.at("specs"), ["build", "--force", "--out", out, spec]);
            call.run().code(0);
            let stage = dir.at("specs").join(out).join("api-dev");
            let plan = json(&fs::read_to_string(stage.join("plan.json")).unwrap());
            let source = plan["boot"]["source"].as_str().unwrap();
            assert!(source.starts_with("../"), "{source}");
            assert_eq!(stage.join(source).canonicalize().unwrap(), real, "{spec} {out}");
            let create = plan["commands"]["create"].as_array().unwrap();
            assert!(create.iter().any(|word| word == source), "{create:?}");
        }
    }
}

#[test]
fn two_builds_into_one_stage_take_turns() {
    let dir = Dir::new();
    let specs: Vec<String> =
        (1..=8).map(|octet| SMALL.replace("octet=42", &format!("octet={octet}"))).collect();
    std::thread::scope(|scope| {
        for spec in &specs {
            scope.spawn(|| dir.call(["build", "-"]).stdin(spec.clone()).run().code(0));
        }
    });
    let winners = specs
        .iter()
        .filter(|spec| dir.call(["build", "--check", "-"]).stdin((*spec).clone()).run().code == 0);
    assert_eq!(winners.count(), 1);
    let names: Vec<_> =
        tree(&dir.at("stage")).into_keys().filter(|path| path.components().count() == 1).collect();
    assert_eq!(names, [".bottlec.lock", "api"].map(PathBuf::from));
}

#[test]
fn the_system_path_has_what_the_tests_need() {
    assert!(SYSTEM_PATH.split(':').any(|dir| Path::new(dir).join("sh").exists()));
}
