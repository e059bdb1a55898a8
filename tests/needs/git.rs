//! What git is asked, and that a repository of a stranger's runs nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Outcome, git, needs_git};
use crate::support::binary::{Call, Dir};

const SPEC: &str = "bottle \"api\" { egress { allow \"a.test\"; }; }\n";
const WIDER: &str = "bottle \"api\" { egress { allow \"a.test\" \"b.test\"; }; }\n";
const WRONG: &str = "bottle \"api\" { egres; }\n";

/// A repository whose one commit has these files.
fn repository(files: &[(&str, &str)]) -> Dir {
    let dir = Dir::new();
    git(&dir, &["init", "-q"]);
    for (path, text) in files {
        dir.write(path, text);
    }
    commit(&dir);
    dir
}

fn commit(dir: &Dir) {
    git(dir, &["add", "--all", "--force"]);
    git(dir, &["commit", "-q", "-m", "x"]);
}

/// Settings that run a program that leaves a witness: what a configuration can name that reading might come by.
fn hostile(witness: &Path) -> String {
    let run = format!("touch '{}'; true", witness.display());
    let quoted = format!("\"{run}\"");
    format!(
        "[core]\n\trepositoryformatversion = 1\n\tbare = false\n\tfsmonitor = {quoted}\n\tpager = {quoted}\n\
         \tsshCommand = {quoted}\n\talternateRefsCommand = {quoted}\n\taskPass = {quoted}\n\
         [extensions]\n\tpartialClone = origin\n\
         [remote \"origin\"]\n\turl = \"ext::sh -c {run}\"\n\tpromisor = true\n\
         [protocol \"ext\"]\n\tallow = always\n[pager]\n\tls-files = {quoted}\n\tcat-file = {quoted}\n\
         [diff]\n\texternal = {quoted}\n[diff \"x\"]\n\ttextconv = {quoted}\n\tcommand = {quoted}\n\
         [filter \"x\"]\n\tclean = {quoted}\n\tprocess = {quoted}\n\tsmudge = {quoted}\n\trequired = true\n\
         [alias]\n\tls-files = \"!{run}\"\n\tcat-file = \"!{run}\"\n\trev-parse = \"!{run}\"\n\
         [credential]\n\thelper = \"!{run}\"\n"
    )
}

/// Everything that asks git, in a directory.
const QUESTIONS: [&[&str]; 6] = [
    &["check", "."],
    &["check", "--changed=HEAD", "."],
    &["check", "--changed=HEAD", "x.kdl"],
    &["diff", "HEAD:./x.kdl", "x.kdl"],
    &["diff", "x.kdl", "HEAD:./gone.kdl"],
    &["fmt", "--check"],
];

/// Whether anything that asks git left a witness, with the repository's settings and attributes such that it might.
fn ask_everything(dir: &Dir, at: &str, witness: &Path) {
    for question in QUESTIONS {
        // What the index holds of a file's time is out of date, so that its content must be compared.
        fs::write(dir.at(at).join("x.kdl"), WIDER).unwrap();
        let run = Call::new(&dir.at(at), question).env("HOME", "/nonexistent").run();
        assert!(!witness.exists(), "{question:?}: {}{}", run.out, run.err);
    }
}

pub(crate) fn a_committed_directory_that_looks_like_a_repository_runs_nothing() -> Outcome {
    needs_git()?;
    let outside = Dir::new();
    let witness = outside.at("witness");
    // The inside of a repository, committed as plain files.
    let inner = repository(&[("x.kdl", SPEC), (".gitattributes", "*.kdl filter=x diff=x\n")]);
    let dir = repository(&[("y.kdl", SPEC)]);
    let copied = Command::new("cp").arg("-r").args([inner.at(".git"), dir.at("trap")]).status();
    assert!(copied.unwrap().success());
    dir.write("trap/x.kdl", SPEC);
    let config = hostile(&witness).replace("bare = false\n", "bare = false\n\tworktree = .\n");
    dir.write("trap/config", config);
    fs::create_dir_all(dir.at("trap/refs/heads")).unwrap();
    // The control: git takes it for a repository, and runs what it says.
    let _ = Command::new("git").args(["status", "--porcelain"]).current_dir(dir.at("trap")).output();
    assert!(witness.exists(), "the trap is none");
    fs::remove_file(&witness).unwrap();
    commit(&dir);
    ask_everything(&dir, "trap", &witness);
    // What is there is judged by the repository that it is committed to.
    dir.write("trap/x.kdl", WRONG);
    let trap = dir.at("trap");
    Call::new(&trap, ["check", "--changed=HEAD", "."]).run().code(1);
    dir.write("trap/x.kdl", SPEC);
    Call::new(&trap, ["check", "--changed=HEAD", "."]).run().code(0).says("nothing that changed");
    Ok(())
}

pub(crate) fn a_strangers_configuration_runs_nothing() -> Outcome {
    needs_git()?;
    let outside = Dir::new();
    let witness = outside.at("witness");
    let dir = repository(&[("x.kdl", SPEC), (".gitattributes", "*.kdl filter=x diff=x\n")]);
    dir.write(".git/config", hostile(&witness));
    for hook in ["post-index-change", "post-checkout", "fsmonitor-watchman", "reference-transaction"] {
        dir.program(&format!(".git/hooks/{hook}"), &format!("#!/bin/sh\ntouch '{}'\n", witness.display()));
    }
    ask_everything(&dir, ".", &witness);
    // An object that is not there is not fetched, either.
    let blob =
        Command::new("git").args(["rev-parse", "HEAD:x.kdl"]).current_dir(dir.path()).output().unwrap();
    let blob = String::from_utf8(blob.stdout).unwrap();
    let _ = fs::remove_file(&witness);
    fs::remove_file(dir.at(format!(".git/objects/{}/{}", &blob[..2], blob[2..].trim()))).unwrap();
    ask_everything(&dir, ".", &witness);
    // The control: git by itself runs some of it.
    let _ = Command::new("git").args(["diff", "--stat", "HEAD"]).current_dir(dir.path()).output();
    assert!(witness.exists(), "the trap is none");
    Ok(())
}

pub(crate) fn git_is_looked_for_as_every_program_is() -> Outcome {
    needs_git()?;
    let dir = repository(&[("x.kdl", SPEC)]);
    let script = "#!/bin/sh\ntouch witness\n";
    dir.program("git", script);
    dir.program("bin/git", script);
    for path in [".:/usr/bin:/bin", ":/usr/bin:/bin", "bin:/usr/bin:/bin", "./bin:/usr/bin:/bin"] {
        dir.call(["check", "--changed=HEAD", "."]).env("PATH", path).run().code(0);
        dir.call(["diff", "HEAD:x.kdl", "x.kdl"]).env("PATH", path).run().code(0);
    }
    assert!(!dir.at("witness").exists());
    let run = dir.call(["check", "--changed=HEAD", "."]).env("PATH", ".").run().code(3);
    run.complains("git is not on PATH");
    Ok(())
}

pub(crate) fn no_variable_leads_to_another_repository_or_program() -> Outcome {
    needs_git()?;
    let dir = repository(&[("x.kdl", SPEC)]);
    let other = repository(&[("x.kdl", WIDER)]);
    dir.program("run", "#!/bin/sh\ntouch witness\n");
    let (run, trace) = (dir.at("run"), dir.at("trace"));
    for (name, value) in [
        ("GIT_DIR", other.at(".git")),
        ("GIT_WORK_TREE", other.at(".")),
        ("GIT_INDEX_FILE", other.at(".git/index")),
        ("GIT_OBJECT_DIRECTORY", other.at(".git/objects")),
        ("GIT_COMMON_DIR", other.at(".git")),
        ("GIT_EXEC_PATH", dir.at(".")),
        ("GIT_EXTERNAL_DIFF", run.clone()),
        ("GIT_PAGER", run.clone()),
        ("GIT_SSH_COMMAND", run),
        ("GIT_TRACE", trace.clone()),
        ("GIT_TRACE2_EVENT", trace.clone()),
    ] {
        let call = dir.call(["diff", "HEAD:x.kdl", "x.kdl"]).env(name, &value);
        call.run().code(0).says("nothing changed");
        dir.call(["check", "--changed=HEAD", "."])
            .env(name, &value)
            .run()
            .code(0)
            .says("nothing that changed");
    }
    assert!(!trace.exists() && !dir.at("witness").exists());
    Ok(())
}

pub(crate) fn what_changed_since_a_revision_is_checked() -> Outcome {
    needs_git()?;
    let team = "profile \"team\" { egress { allow \"a.test\"; }; }\n";
    let spec = "include \"../team.conf\"\nbottle \"api\" { extends \"team\"; }\n";
    let dir = repository(&[("team.conf", team), ("one/x.kdl", spec), ("two/y.kdl", SPEC)]);
    let check = |at: &str, revision: &str| {
        let call = Call::new(&dir.at(at), ["check", &format!("--changed={revision}"), "."]);
        call.run()
    };
    check(".", "HEAD").code(0).says("nothing that changed");
    // A file's time is none of its content.
    dir.write("two/y.kdl", SPEC);
    check(".", "HEAD").code(0).says("nothing that changed");
    dir.write("two/y.kdl", WIDER);
    check(".", "HEAD").code(0).says("1 bottle checked");
    check("two", "HEAD").code(0).says("1 bottle checked");
    check("one", "HEAD").code(0).says("nothing that changed");
    // What is included counts, whatever it is called, and whether it is there.
    dir.write("team.conf", "profile \"team\" { egress { allow \"c.test\"; }; }\n");
    check(".", "HEAD").code(0).says("2 bottles checked");
    fs::remove_file(dir.at("team.conf")).unwrap();
    check(".", "HEAD").code(1).says("include-unreadable");
    dir.write("team.conf", team);
    dir.write("two/y.kdl", SPEC);
    // What git does not know is new.
    dir.write("new é \u{1f980}.kdl", WRONG);
    check(".", "HEAD").code(1).says("unknown-node");
    commit(&dir);
    check(".", "HEAD").code(0).says("nothing that changed");
    check(".", "HEAD~1").code(1).says("unknown-node");
    check(".", "nope").code(3).complains("cannot read `nope`: git knows no such revision");
    check(".", "--output=x").code(3).complains("expected a revision, such as `main`");
    let alone = Dir::with(SPEC);
    alone.run(["check", "--changed", "x.kdl"]).code(3).complains("there is no git repository here");
    Ok(())
}

pub(crate) fn what_is_tracked_is_checked_whatever_is_ignored() -> Outcome {
    needs_git()?;
    let dir = repository(&[
        ("a.kdl", WRONG),
        ("sub/b.kdl", WRONG),
        ("sub/deep/c.KDL", WRONG),
        (".github/d.kdl", WRONG),
        (".gitignore", "*.kdl\n*.KDL\nsub\n.github\n"),
    ]);
    dir.write(".ignore", "*\n");
    dir.write("sub/deep/untracked.kdl", WRONG);
    dir.write("untracked.kdl", WRONG);
    fs::write(dir.at(".git/info/exclude"), "*\n").unwrap();
    let found = |at: &str| {
        let run = Call::new(&dir.at(at), ["check", "--format", "concise", "."]).run().code(1);
        let lines = run.out.lines().filter(|line| line.contains("unknown-node"));
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("."), [".github/d.kdl", "a.kdl", "sub/b.kdl", "sub/deep/c.KDL"]);
    assert_eq!(found("sub"), ["b.kdl", "deep/c.KDL"]);
    assert_eq!(found("sub/deep"), ["c.KDL"]);
    dir.run(["check", "."]).code(1).says("skipped: 1 KDL file and 2 directories that git ignores\n");
    // What git tracks and is not there is nothing to check.
    fs::remove_file(dir.at("a.kdl")).unwrap();
    assert_eq!(found(".").len(), 3);
    // Where git cannot be asked, nothing is left out.
    let run = dir.call(["check", "--format", "concise", "."]).env("PATH", "/nonexistent").run().code(1);
    assert_eq!(run.out.lines().filter(|line| line.contains("unknown-node")).count(), 5, "{}", run.out);
    run.complains("what git ignores was looked through, too: git is not on PATH\n");
    Ok(())
}

pub(crate) fn a_spec_of_a_revision_is_read_with_what_it_includes_there() -> Outcome {
    needs_git()?;
    let team = "profile \"team\" { egress { allow \"a.test\"; }; }\n";
    let spec = "include \"team.kdl\"\nbottle \"api\" { extends \"team\"; }\n";
    let dir = repository(&[("specs/team.kdl", team), ("specs/x.kdl", spec)]);
    dir.write("specs/team.kdl", "profile \"team\" { egress { allow \"a.test\" \"b.test\"; }; }\n");
    dir.run(["diff", "HEAD:specs/x.kdl", "specs/x.kdl"]).code(0).says("b.test");
    let below = Call::new(&dir.at("specs"), ["diff", "HEAD:./x.kdl", "x.kdl"]);
    below.run().code(0).says("b.test");
    for (operand, why) in [
        ("HEAD:gone.kdl", "there is no such file in that revision"),
        ("HEAD:specs", "there is no such file in that revision"),
        ("nope:specs/x.kdl", "git knows no such revision"),
        ("HEAD:../x.kdl", "its path leads out of the repository"),
    ] {
        dir.run(["diff", operand, "specs/x.kdl"]).code(3).complains(why);
    }
    Ok(())
}

pub(crate) fn a_repository_that_cannot_be_read_is_said() -> Outcome {
    needs_git()?;
    let dir = repository(&[("x.kdl", SPEC)]);
    fs::write(dir.at(".git/config"), "[core\n").unwrap();
    dir.run(["check", "--changed=HEAD", "."]).code(3).complains("git says `bad config line 1");
    Ok(())
}
