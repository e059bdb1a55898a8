//! What git says has changed, and that it alone is checked.

use super::{Outcome, git, needs, needs_git};
use crate::support::binary::{Call, Dir, SMALL, works};

pub(crate) fn only_what_changed_is_checked() -> Outcome {
    needs_git()?;
    let dir = Dir::new();
    let git = |args: &[&str]| git(&dir, args);
    dir.write("old.kdl", "bottle \"a\" { egres; }\n");
    dir.write("sub/x.kdl", "include \"../team.kdl\"\nbottle \"b\" { extends \"team\"; }\n");
    dir.write("team.kdl", "profile \"team\" {}\n");
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    dir.run(["check", "--changed", "."]).code(0).says("nothing that changed checked");
    dir.run(["check", "."]).code(1);
    // A spec changes with what it includes, and a new file counts.
    dir.write("team.kdl", "profile \"team\" { egress { allow \"a.test\"; }; }\n");
    dir.write("new.kdl", SMALL);
    dir.run(["check", "--changed", "."]).code(0).says("2 bottles checked");
    dir.run(["check", "--changed=main", "."]).code(0).says("2 bottles checked");
    let below = Call::new(&dir.at("sub"), ["check", "--changed", "."]).run();
    below.code(0).says("1 bottle checked");
    git(&["add", "."]);
    git(&["commit", "-qm", "second"]);
    dir.run(["check", "--changed=HEAD~1", "."]).code(0).says("2 bottles checked");
    for revision in ["nobody", "--output=x", ""] {
        dir.run(["check", &format!("--changed={revision}"), "."]).code(3);
    }
    assert!(!dir.at("x").exists());
    Ok(())
}

/// Threads take longer to start than one file takes to check.
pub(crate) fn one_file_is_checked_by_one_thread() -> Outcome {
    let strace = ["strace", "-f", "-e", "trace=clone,clone3", "-o"];
    needs(
        works(&[&strace[..], &["/dev/null", "true"]].concat()),
        "there is no `strace` here, or it may not trace",
    )?;
    let dir = Dir::with(format!("include \"team.kdl\"\n{SMALL}"));
    dir.write("team.kdl", "profile \"team\" {}\n");
    dir.write("y.kdl", SMALL.replace("api", "web").replace("octet=42", "octet=43"));
    let started = |args: &[&str]| {
        let call = dir.call(args).env("RAYON_NUM_THREADS", "2");
        call.within([&strace[..], &["trace"]].concat()).run().code(0);
        dir.read("trace").lines().filter(|line| line.contains("CLONE_THREAD")).count()
    };
    assert_eq!(started(&["check", "x.kdl"]), 0);
    assert_eq!(started(&["fmt", "y.kdl"]), 0);
    assert!(started(&["check", "."]) > 0, "a directory is worth it, and it would be seen");
    Ok(())
}
