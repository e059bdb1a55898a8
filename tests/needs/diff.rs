//! Revisions of git, and what differs between them.

use super::{Outcome, git, needs_git};
use crate::support::binary::{Call, Dir, SMALL};

pub(crate) fn a_revision_is_read_with_what_it_includes() -> Outcome {
    needs_git()?;
    let dir = Dir::new();
    let git = |args: &[&str]| git(&dir, args);
    dir.write(
        "sub/x.kdl",
        "include \"../shared/team.kdl\"\nbottle \"api\" { extends \"team\"; network octet=42; }\n",
    );
    dir.write("shared/team.kdl", "profile \"team\" { egress { allow \"a.test\"; }; }\n");
    dir.write("sub/y.kdl", SMALL);
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    dir.write("shared/team.kdl", "profile \"team\" { egress { allow \"a.test\" \"b.test\"; }; }\n");
    let run = dir.run(["diff", "--deny-widening", "HEAD:sub/x.kdl", "sub/x.kdl"]).code(1);
    assert!(run.out.contains("the agent can reach `b.test`, shared/team.kdl:1"), "{}", run.out);
    dir.run(["diff", "HEAD:sub/x.kdl", "main:./sub/x.kdl"]).code(0).says("nothing changed");
    // From below, git's own two ways to write a path.
    let below = |args: [&str; 3]| Call::new(&dir.at("sub"), args).run();
    below(["diff", "HEAD:./y.kdl", "HEAD:sub/y.kdl"]).code(0).says("nothing changed");
    // The profile is in the workspace from there, too, in a revision as on the disk.
    below(["diff", "HEAD:./x.kdl", "x.kdl"]).code(0).says("the agent can reach `b.test`");
    for (operand, words) in [
        ("HEAD:none.kdl", "there is no such file in that revision"),
        ("nobody:sub/x.kdl", "git knows no such revision"),
        ("--output=x:y", "expected a revision and a path"),
        (":sub/x.kdl", "expected a revision and a path"),
        ("HEAD:", "expected a revision and a path"),
        ("HEAD:../../../etc/passwd", "leads out of the repository"),
    ] {
        dir.run(["diff", "--", operand, "sub/x.kdl"]).code(3).complains(words);
    }
    let outside = Dir::with(SMALL);
    outside.run(["diff", "HEAD:x.kdl", "x.kdl"]).code(3).complains("there is no git repository here");
    Ok(())
}
