//! Fetching and pushing, when all is well and when the upstream is not.

use std::fs;
use std::thread;

use super::gate::Gate;
use super::scanner::program;

pub(super) fn whatever_is_pushed_is_upstream_before_it_is_in_the_mirror() {
    let gate = Gate::start();
    let work = gate.clone("work");
    assert_eq!(fs::read_to_string(work.join("README")).unwrap(), "hello\n");
    // The default branch is the upstream's.
    assert_eq!(gate.git(&work, &["branch", "--show-current"]).well().trim(), "trunk");
    let author = gate.git(&work, &["var", "GIT_AUTHOR_IDENT"]).well();
    assert!(author.starts_with("Ada \"the\" \\ Agent <ada@example.com> "), "{author}");
    let both = |says: &str| {
        let (upstream, mirror) = gate.state();
        assert_eq!(upstream, mirror);
        assert!(upstream.contains(says), "{says} is not in\n{upstream}");
        upstream
    };
    gate.commit(&work, "a.py", "x = 1\n", "one");
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
    let head = gate.git(&work, &["rev-parse", "HEAD"]).well();
    both(head.trim());
    // A new branch, an annotated tag and a lightweight one at once.
    gate.git(&work, &["tag", "-a", "-m", "release", "v1"]).well();
    gate.git(&work, &["tag", "light"]).well();
    gate.git(&work, &["push", "--quiet", "origin", "trunk:refs/heads/topic/one", "v1", "light"]).well();
    both("refs/heads/topic/one");
    both("tag\trefs/tags/v1");
    // A branch with signs in its name that a shell would read.
    gate.git(&work, &["push", "--quiet", "origin", "trunk:refs/heads/$(id)';x\"&|"]).well();
    both("$(id)';x\"&|");
    // Deletions.
    gate.git(&work, &["push", "--quiet", "origin", "--delete", "topic/one", "light", "$(id)';x\"&|"]).well();
    assert!(!both("v1").contains("topic"));
    // By force, and only so.
    gate.git(&work, &["reset", "--quiet", "--hard", "HEAD~1"]).well();
    gate.commit(&work, "b.py", "x = 2\n", "another");
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).badly();
    gate.git(&work, &["push", "--quiet", "--force", "origin", "trunk"]).well();
    let head = gate.git(&work, &["rev-parse", "HEAD"]).well();
    both(head.trim());
    // A merge.
    gate.git(&work, &["checkout", "--quiet", "-b", "side", "HEAD~1"]).well();
    gate.commit(&work, "c.py", "x = 3\n", "side");
    gate.git(&work, &["checkout", "--quiet", "trunk"]).well();
    gate.git(&work, &["merge", "--quiet", "--no-ff", "-m", "merge", "side"]).well();
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
    let head = gate.git(&work, &["rev-parse", "HEAD"]).well();
    both(head.trim());
}

pub(super) fn every_spelling_of_an_upstream_leads_to_its_mirror() {
    let gate = Gate::start();
    let expected = gate.agent(&["ls-remote", &gate.url("api")]).well();
    for url in [
        "ssh://git@code.example.com/acme/api.git",
        "ssh://git@code.example.com/acme/api",
        "ssh://git@code.example.com:22/acme/api.git",
        "ssh://code.example.com/acme/api.git",
        "git@code.example.com:acme/api.git",
        "git@code.example.com:/acme/api",
        "code.example.com:acme/api.git",
        "https://code.example.com/acme/api.git",
        "https://code.example.com/acme/api",
        "https://git@code.example.com/acme/api.git",
        "http://code.example.com/acme/api",
        "git://code.example.com/acme/api.git",
        &gate.url("api.git"),
        &gate.url("api/"),
    ] {
        assert_eq!(gate.agent(&["ls-remote", url]).well(), expected, "{url}");
    }
    let lib = gate.agent(&["ls-remote", &gate.url("shared.lib")]).well();
    for url in ["ssh://ci@git.example.com:2222/platform/lib.git", "https://git.example.com/platform/lib"] {
        assert_eq!(gate.agent(&["ls-remote", url]).well(), lib, "{url}");
    }
    // What only begins like one is no repository of the gate's.
    let said = gate.agent(&["ls-remote", "ssh://git@code.example.com/acme/api-docs.git"]).badly();
    assert!(said.contains("no such repository"), "{said}");
}

pub(super) fn ssh_is_called_with_the_key_and_the_host_keys_of_the_spec_and_nothing_else() {
    let gate = Gate::start();
    gate.agent(&["ls-remote", &gate.url("shared.lib")]).well();
    let log = fs::read_to_string(gate.at("ssh.log")).unwrap();
    let stage = gate.at("stage/git-gate");
    let expected = format!(
        "-T -F none -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none -o StrictHostKeyChecking=yes \
         -o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile={}/known_hosts -o UpdateHostKeys=no -o CheckHostIP=no \
         -o VerifyHostKeyDNS=no -o PreferredAuthentications=publickey -o ClearAllForwardings=yes -o ForwardAgent=no \
         -o ProxyCommand=none -o ControlPath=none -o ConnectTimeout=20 -o ServerAliveInterval=15 \
         -o ServerAliveCountMax=4 -o LogLevel=ERROR -i {}/shared.lib -o SendEnv=GIT_PROTOCOL -p 2222 \
         ci@git.example.com git-upload-pack '/platform/lib.git'",
        stage.display(),
        gate.at("identity").display(),
    );
    let lines: Vec<&str> = log.lines().collect();
    // One to see what is there, one to fetch it.
    assert_eq!(lines, [&expected, &expected]);
    assert_eq!(
        fs::read_to_string(stage.join("known_hosts")).unwrap(),
        "[git.example.com]:2222 ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA0iNT3V4dxtW/rpb1NjU/P4/iwN0V/hZ3PQ0r03fW0NJ1u4adk6k1l2d5fF2H+rHn/qqX2wqRTWf8dDscK3vYU=\n\
         [git.example.com]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIlTfbLKKMxUqTkKxQfyqYVZ1GvLrYgGmgIXJIFTTBgB\n\
         code.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n"
    );
}

pub(super) fn a_mirror_is_what_its_upstream_is_or_serves_nothing() {
    let gate = Gate::start();
    let work = gate.clone("work");
    let upstream = gate.at("upstream/acme/api.git");
    let upstream = upstream.to_str().unwrap();
    // Somebody else pushes, deletes, and makes another branch the default.
    let seed = gate.at("seed");
    gate.commit(&seed, "news", "x\n", "news");
    gate.git(&seed, &["push", "--quiet", upstream, "trunk", "trunk:main", "trunk:gone"]).well();
    gate.git(&work, &["fetch", "--quiet", "--prune"]).well();
    assert!(gate.git(&work, &["branch", "--all"]).well().contains("origin/gone"));
    gate.git(&seed, &["push", "--quiet", upstream, ":gone"]).well();
    gate.host(&["--git-dir", upstream, "symbolic-ref", "HEAD", "refs/heads/main"]).well();
    gate.git(&work, &["fetch", "--quiet", "--prune"]).well();
    assert!(!gate.git(&work, &["branch", "--all"]).well().contains("origin/gone"));
    gate.agent(&["clone", "--quiet", &gate.url("api"), "again"]).well();
    assert_eq!(gate.git(&gate.at("agent/again"), &["branch", "--show-current"]).well().trim(), "main");

    // The upstream is away: neither a clone nor a push, and the mirror stays.
    let before = gate.state();
    fs::write(gate.at("down"), "").unwrap();
    let said = gate.agent(&["clone", "--quiet", &gate.url("api"), "stale"]).badly();
    assert!(said.contains("git-gate: the upstream of api cannot be reached"), "{said}");
    assert!(!gate.at("agent/stale").exists());
    gate.git(&work, &["pull", "--quiet", "--ff-only"]).badly();
    gate.commit(&work, "a.py", "x = 1\n", "one");
    let said = gate.git(&work, &["push", "--quiet", "origin", "HEAD:trunk"]).badly();
    assert!(said.contains("git-gate: the upstream of api cannot be reached"), "{said}");
    assert_eq!(gate.state(), before);
    fs::remove_file(gate.at("down")).unwrap();
    gate.git(&work, &["pull", "--quiet", "--rebase", "origin", "trunk"]).well();
    gate.git(&work, &["push", "--quiet", "origin", "HEAD:trunk"]).well();
    assert_eq!(gate.state().0, gate.state().1);
}

pub(super) fn what_the_upstream_does_not_take_the_mirror_does_not_have() {
    let gate = Gate::start();
    let work = gate.clone("work");
    let before = gate.state();
    gate.commit(&work, "a.py", "x = 1\n", "one");
    // A protected branch.
    let hook = gate.at("upstream/acme/api.git/hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    program(&hook, "#!/bin/sh\necho 'trunk is protected'\nexit 1\n");
    let said = gate.git(&work, &["push", "--quiet", "origin", "trunk"]).badly();
    assert!(said.contains("remote: upstream: trunk is protected"), "{said}");
    assert!(said.contains("remote: git-gate: the upstream did not take the push"), "{said}");
    assert_eq!(gate.state(), before);
    // One of two: the other does not go either.
    program(
        &gate.at("upstream/acme/api.git/hooks/update"),
        "#!/bin/sh\n[ \"$1\" != refs/heads/protected ]\n",
    );
    fs::remove_file(&hook).unwrap();
    gate.git(&work, &["push", "--quiet", "origin", "trunk", "trunk:protected"]).badly();
    assert_eq!(gate.state(), before);
    gate.git(&work, &["push", "--quiet", "origin", "trunk", "trunk:open"]).well();
    assert_eq!(gate.state().0, gate.state().1);
}

/// The upstream moves between the fetch and the push: what came there meanwhile is not overwritten.
pub(super) fn what_the_upstream_got_meanwhile_is_not_lost() {
    let gate = Gate::start();
    let work = gate.clone("work");
    gate.commit(&work, "a.py", "x = 1\n", "one");
    // The gate's last look at the upstream is before its own push: somebody else's goes between.
    let seed = gate.at("seed");
    gate.commit(&seed, "news", "x\n", "news");
    let upstream = gate.at("upstream/acme/api.git");
    let ssh = fs::read_to_string(gate.at("bin/ssh")).unwrap();
    let between = format!(
        "case \"$*\" in *git-receive-pack*) env -i PATH=\"$PATH\" git -C '{}' push --quiet '{}' trunk ;; esac\nfor command",
        seed.display(),
        upstream.display()
    );
    program(&gate.at("bin/ssh"), &ssh.replacen("for command", &between, 1));
    let said = gate.git(&work, &["push", "--quiet", "--force", "origin", "trunk"]).badly();
    assert!(said.contains("the upstream did not take the push"), "{said}");
    let head = gate.git(&seed, &["rev-parse", "HEAD"]).well();
    assert!(gate.state().0.contains(head.trim()));
}

pub(super) fn pushes_beside_each_other_do_not_spoil_each_other() {
    let gate = Gate::start();
    let clones: Vec<_> = (0..4).map(|number| gate.clone(&format!("work-{number}"))).collect();
    thread::scope(|scope| {
        let pushes: Vec<_> = clones
            .iter()
            .enumerate()
            .map(|(number, work)| {
                let gate = &gate;
                scope.spawn(move || {
                    gate.commit(work, &format!("{number}.py"), "x = 1\n", "one");
                    gate.git(work, &["push", "--quiet", "origin", &format!("trunk:branch-{number}")])
                })
            })
            .collect();
        for push in pushes {
            push.join().unwrap().well();
        }
    });
    let (upstream, mirror) = gate.state();
    assert_eq!(upstream, mirror);
    assert_eq!(upstream.matches("refs/heads/branch-").count(), 4);
    // Two of one branch: one of them wins, and both sides agree on which.
    let wins = thread::scope(|scope| {
        let pushes: Vec<_> = clones[..2]
            .iter()
            .map(|work| {
                scope.spawn(|| gate.git(work, &["push", "--quiet", "--force", "origin", "trunk:same"]))
            })
            .collect();
        pushes.into_iter().map(|push| push.join().unwrap()).filter(|push| push.ok).count()
    });
    assert!(wins >= 1);
    let (upstream, mirror) = gate.state();
    assert_eq!(upstream, mirror);
}
