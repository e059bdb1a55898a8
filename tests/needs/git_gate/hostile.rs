//! The agent is not to be trusted: what it may ask of the daemon is to fetch and to push branches and tags.

use std::fs;

use super::gate::Gate;
use super::scanner::{name, program};

/// Sends one request as git's protocol has it and reads what comes first.
fn ask(gate: &Gate, request: &str) -> String {
    gate.send(request, "")
}

pub(super) fn the_daemon_serves_the_declared_paths_and_two_services() {
    let gate = Gate::start();
    let work = gate.clone("work");
    // Beside the mirrors, and behind a link among them, lies what is nobody's business.
    let other = gate.at("upstream/platform/lib.git");
    fs::write(other.join("git-daemon-export-ok"), "").unwrap();
    std::os::unix::fs::symlink(&other, gate.at("mirrors/link")).unwrap();
    let host = "\0host=x\0";
    for service in ["git-upload-pack", "git-receive-pack"] {
        assert!(ask(&gate, &format!("{service} /api{host}")).contains("refs/heads/trunk"));
        for path in [
            "/",
            "",
            "/nothing",
            "/link",
            "/api/refs",
            "/api/..",
            "/../mirrors/api",
            "/api/../shared.lib",
            "/./api",
            "//api",
            "/api//",
            "/API",
            "/~root/api",
            "~root/api",
            "api",
            "/api/.git",
            "/api%00",
            &format!("{}", other.display()),
            &format!("{}", gate.at("mirrors/api").display()),
            "/../upstream/platform/lib.git",
            "/$(touch pwned)",
            "/';id;'",
            "/-x",
            "/--upload-pack=id",
        ] {
            let answer = ask(&gate, &format!("{service} {path}{host}"));
            assert!(!answer.contains("refs/heads"), "{service} {path}: {answer}");
        }
    }
    for service in [
        "git-upload-archive",
        "git-shell",
        "upload-pack",
        "git-upload-pack --strict",
        "git-daemon",
        "sh -c id",
    ] {
        let answer = ask(&gate, &format!("{service} /api{host}"));
        assert!(!answer.contains("refs/heads") && !answer.contains("ACK"), "{service}: {answer}");
    }
    // The same when a mirror's own configuration was talked into allowing it.
    let config = gate.at("mirrors/api/config");
    let allowed =
        fs::read_to_string(&config).unwrap() + "[daemon]\n\tuploadarch = true\n\tuploadpack = false\n";
    fs::write(&config, allowed).unwrap();
    gate.agent(&["archive", "--remote", &gate.url("api"), "HEAD"]).badly();
    assert!(ask(&gate, &format!("git-upload-pack /api{host}")).contains("refs/heads/trunk"));
    // A host name that would be syntax somewhere.
    assert!(ask(&gate, "git-upload-pack /api\0host=$(id);`id`\0").contains("refs/heads/trunk"));
    // Words for a program at the other end do not reach one.
    gate.git(&work, &["fetch", "--upload-pack", "touch pwned; git-upload-pack", "origin"]).badly();
    assert!(!gate.at("mirrors/api/pwned").exists() && !gate.at("pwned").exists());
    assert!(fs::read_dir(gate.at("mirrors")).unwrap().count() == 3);
}

pub(super) fn nothing_but_branches_and_tags_is_pushed_or_shown() {
    let gate = Gate::start();
    let work = gate.clone("work");
    gate.commit(&work, "a.py", "x = 1\n", "one");
    let before = gate.state();
    for reference in [
        "refs/x/y",
        "refs/notes/commits",
        "refs/replace/x",
        "refs/pull/1/head",
        "refs/heads",
        "refs/git-gate",
    ] {
        let said = gate.git(&work, &["push", "--quiet", "origin", &format!("trunk:{reference}")]).badly();
        let says = ["deny updating a hidden ref", "funny refname", "is neither a branch nor a tag"];
        assert!(says.iter().any(|says| said.contains(says)), "{reference}: {said}");
        let said =
            gate.git(&work, &["push", "--quiet", "origin", "trunk", &format!("trunk:{reference}")]).badly();
        assert!(!said.contains("new branch"), "{reference}: {said}");
    }
    // A tag of what is no commit.
    let blob = gate.git(&work, &["hash-object", "-w", "a.py"]).well();
    let tree = gate.git(&work, &["rev-parse", "HEAD^{tree}"]).well();
    for object in [blob.trim(), tree.trim()] {
        let said =
            gate.git(&work, &["push", "--quiet", "origin", &format!("{object}:refs/tags/odd")]).badly();
        assert!(said.contains("git-gate: refs/tags/odd is of no commit"), "{said}");
        gate.git(&work, &["tag", "--force", "-a", "-m", "x", "odd", object]).well();
        let said = gate.git(&work, &["push", "--quiet", "origin", "odd"]).badly();
        assert!(said.contains("git-gate: refs/tags/odd is of no commit"), "{said}");
    }
    let said = gate.git(&work, &["push", "--quiet", "--push-option=ci.skip", "origin", "trunk"]).badly();
    assert!(said.contains("does not support push options"), "{said}");
    assert_eq!(gate.state().0, before.0);
    assert_eq!(gate.state().1, before.1);
    // What is in the mirror besides is not shown.
    let mirror = gate.at("mirrors/api");
    gate.host(&["--git-dir", mirror.to_str().unwrap(), "update-ref", "refs/hidden/x", "refs/heads/trunk"])
        .well();
    assert!(!gate.agent(&["ls-remote", &gate.url("api")]).well().contains("hidden"));
}

pub(super) fn what_is_malformed_or_too_large_is_refused() {
    let gate = Gate::start();
    let work = gate.clone("work");
    let before = gate.state();
    // A path that would write into `.git` where it is checked out.
    let blob = gate.git(&work, &["hash-object", "-w", "README"]).well();
    let make = "tree=$(printf '100644 .git\\0' | cat - \"$1\" | git hash-object -w -t tree --literally --stdin) && \
         git commit-tree -m x $tree -p HEAD";
    let raw = gate.at("agent/raw");
    let bytes: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(&blob.trim()[2 * at..2 * at + 2], 16).unwrap()).collect();
    fs::write(&raw, bytes).unwrap();
    program(&gate.at("bin/make"), &format!("#!/bin/sh\n{make}\n"));
    let commit = gate
        .git(
            &work,
            &["-c", &format!("alias.make=!{} {}", gate.at("bin/make").display(), raw.display()), "make"],
        )
        .well();
    let said = gate
        .git(&work, &["push", "--quiet", "origin", &format!("{}:refs/heads/evil", commit.trim())])
        .badly();
    // The daemon may hang up before all of it is sent, and git does not always read why.
    let says = ["hasDotgit", "fsck error", "hung up"];
    assert!(says.iter().any(|says| said.contains(says)), "{said}\n{}", gate.log());
    assert_eq!(gate.state(), before);
    // More than a mirror takes; the bound is lowered here, since half a gigabyte takes long.
    let mirror = gate.at("mirrors/api/config");
    gate.host(&["config", "-f", mirror.to_str().unwrap(), "receive.maxInputSize", "1000"]).well();
    let noise: Vec<u8> = (0..5000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    gate.commit(&work, "large", noise, "large");
    let said = gate.git(&work, &["push", "--quiet", "origin", "trunk"]).badly();
    assert!(said.contains("exceeds maximum allowed size") || said.contains("hung up"), "{said}");
    assert_eq!(gate.state(), before);
}

pub(super) fn without_a_scanner_that_works_nothing_is_pushed() {
    let gate = Gate::start();
    let work = gate.clone("work");
    let before = gate.state();
    gate.commit(&work, "a.py", "x = 1\n", "one");
    let reports = |report: &str| {
        format!(
            "#!/bin/sh\nwhile [ \"$#\" -gt 0 ]; do case $1 in --output | --report-path) file=$2 ;; esac; shift; done\n\
             cat >/dev/null\nprintf '%s' '{report}' >\"$file\"\nexit 42\n"
        )
    };
    let elsewhere = r#"{"findings": [{"rule_id": "x", "location": {"start_line": 1, "end_line": 1}}]}"#;
    for (scanner, says) in [
        // Finds nothing, crashes, is killed, at once or in the end.
        ("#!/bin/sh\ncat >/dev/null\n", "does not find the secret that it must find"),
        ("#!/bin/sh\nexit 1\n", "the scanner failed"),
        ("#!/bin/sh\nkill -KILL $$\n", "the scanner failed"),
        ("#!/bin/sh\ncat >/dev/null\nexit 1\n", "the scanner failed"),
        ("#!/bin/sh\ncat >/dev/null\nkill -KILL $$\n", "the scanner failed"),
        // Ends as with findings, and shows none, or others than the one that must be there.
        ("#!/bin/sh\ncat >/dev/null\nexit 42\n", "report cannot be read"),
        (&reports(""), "report cannot be read"),
        (&reports("[]"), "does not find the secret that it must find"),
        (&reports(r#"{"findings": []}"#), "does not find the secret that it must find"),
        (&reports(elsewhere), "does not find the secret that it must find"),
        (&reports(&elsewhere[..60]), "report cannot be read"),
        // Ends well without having read what it is given.
        ("#!/bin/sh\nread -r line\n", "the scanner ended before it had read everything"),
        ("#!/bin/sh\nread -r line\nexit 42\n", "the scanner ended before it had read everything"),
    ] {
        program(&gate.at("bin").join(name()), scanner);
        let done = gate.git(&work, &["push", "--quiet", "origin", "trunk"]);
        assert!(!done.ok && done.text.contains(says), "{scanner}: {done:?}\n{}", gate.log());
        assert_eq!(gate.state(), before);
    }
    // A deletion has nothing to scan.
    fs::remove_file(gate.at("bin").join(name())).unwrap();
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
}
