//! What git says has changed, and that it alone is checked.

use super::{Outcome, git, needs_git};
use crate::support::binary::{Call, Dir, SMALL};

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
    below.code(0).says("nothing that changed");
    git(&["add", "."]);
    git(&["commit", "-qm", "second"]);
    dir.run(["check", "--changed=HEAD~1", "."]).code(0).says("2 bottles checked");
    for revision in ["nobody", "--output=x", ""] {
        dir.run(["check", &format!("--changed={revision}"), "."]).code(3);
    }
    assert!(!dir.at("x").exists());
    Ok(())
}
