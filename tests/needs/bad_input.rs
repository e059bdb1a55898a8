//! What no input may do to the real binary, where another user or a full disk is needed.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::{Outcome, as_another_user, needs_mounts};
use crate::support::binary::{Call, Dir, SMALL};

pub(crate) fn what_another_user_may_not_read_is_a_failure_that_says_so() -> Outcome {
    let dir = Dir::with(SMALL);
    fs::set_permissions(dir.at("x.kdl"), Permissions::from_mode(0o600)).unwrap();
    dir.write("y.kdl", format!("include \"x.kdl\"\n{}", SMALL.replace("api", "other")));
    let (copy, words) = as_another_user(&dir)?;
    let run = |args: &[&str]| {
        let words = words.iter().map(AsRef::as_ref).chain([copy.as_os_str()]);
        // The wrapper runs the copy; the name of the original is its first argument, which `env` drops.
        let drop = ["sh", "-c", "copy=$1; shift 2; exec \"$copy\" \"$@\"", "sh"];
        let wrapper: Vec<_> = words.collect();
        let (setpriv, copy) = wrapper.split_at(4);
        let all = setpriv.iter().copied().chain(drop.iter().map(AsRef::as_ref)).chain(copy.iter().copied());
        Call::new(dir.path(), args).within(all).run()
    };
    run(&["check", "x.kdl"]).code(3).complains("error: cannot read `x.kdl`: permission denied\n");
    run(&["check", "y.kdl"]).code(1).says("error[include-unreadable]").says("permission denied");
    // Nor may it write here.
    fs::set_permissions(dir.at("x.kdl"), Permissions::from_mode(0o644)).unwrap();
    run(&["build", "x.kdl"]).code(3).complains("permission denied");
    run(&["init", "new"]).code(3).complains("permission denied");
    assert!(!dir.at("stage").exists() && !dir.at("new").exists());
    Ok(())
}

pub(crate) fn a_full_disk_leaves_the_old_stage_whole() -> Outcome {
    needs_mounts()?;
    let dir = Dir::with(SMALL);
    fs::create_dir(dir.at("stage")).unwrap();
    let mut large = String::from("bottle \"api\" {\n env {\n");
    for n in 0..400 {
        writeln!(large, "  V{n} \"{}\"", "x".repeat(500)).unwrap();
    }
    dir.write("large.kdl", large + " }\n}\n");
    // All in one namespace: the disk is gone with it. What is left is compared by the binary itself.
    let script = "mount -t tmpfs -o size=128k none stage && \"$@\" x.kdl && \"$@\" large.kdl; echo \"code $?\"; \
        \"$@\" --check x.kdl; ls -A stage; exit 0";
    let run = dir.call(["build"]).within(["unshare", "-m", "sh", "-c", script, "sh"]).run().code(0);
    assert_eq!(
        run.out.lines().skip(1).collect::<Vec<_>>(),
        ["code 3", "`stage/api` is what the spec says", ".bottlec.lock", "api"],
        "{}",
        run.err
    );
    run.says("built `stage/api`").complains("no space left on device: free some space, nothing was replaced");
    Ok(())
}
