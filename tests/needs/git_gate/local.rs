//! Repositories of the host behind git-gate.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::gate::{Gate, SPEC};
use super::secrets::line;
use crate::needs::traps::Traps;
use crate::support::binary::tree;

/// A bottle with these repositories and no other.
pub(crate) fn spec(repos: &str) -> String {
    let start = SPEC.find("repo \"api\"").unwrap();
    let end = SPEC.find("    git-gate").unwrap();
    format!("{}{repos}\n    }}\n{}", &SPEC[..start], &SPEC[end..])
}

const APP: &str = "repo \"app\" { path \".\"; }";

/// Shows the gate a git directory, which stands where the engine mounts it.
pub(crate) fn mount(gate: &Gate, directory: &Path) {
    let place = gate.at("repository/app");
    let _ = fs::remove_file(&place);
    symlink(directory, place).unwrap();
}

/// A gate with the repository `app`, and the human's work tree of it, which has one commit on `trunk`.
fn start() -> (Gate, PathBuf) {
    let mut gate = Gate::prepare(&spec(APP));
    let human = gate.at("human");
    init(&gate, &human);
    mount(&gate, &human.join(".git"));
    gate.serve();
    (gate, human)
}

fn init(gate: &Gate, human: &Path) {
    gate.host(&["init", "--quiet", "--initial-branch=trunk", human.to_str().unwrap()]).well();
    gate.commit(human, "README", "hello\n", "first");
}

fn clone(gate: &Gate, directory: &str) -> PathBuf {
    gate.agent(&["clone", "--quiet", &gate.url("app"), directory]).well();
    gate.at("agent").join(directory)
}

/// What a name is at, as the agent sees it; empty when it is not there.
fn served(gate: &Gate, reference: &str) -> String {
    let said = gate.agent(&["ls-remote", &gate.url("app"), reference]).well();
    said.split('\t').next().unwrap_or_default().trim().to_owned()
}

fn at(gate: &Gate, work: &Path, revision: &str) -> String {
    gate.git(work, &["rev-parse", revision]).well().trim().to_owned()
}

/// One commit on a branch that is pushed: where it is then.
fn push(gate: &Gate, work: &Path, file: &str, branch: &str) -> String {
    gate.commit(work, file, "x = 1\n", file);
    gate.git(work, &["push", "--quiet", "origin", &format!("HEAD:{branch}")]).well();
    at(gate, work, "HEAD")
}

pub(super) fn what_the_agent_pushes_stays_in_the_gate_and_is_scanned() {
    let (gate, human) = start();
    gate.git(&human, &["-c", "user.name=A", "-c", "user.email=a@b", "tag", "-a", "-m", "release", "v1"])
        .well();
    // What is not committed does not go along, and a pointer of Git LFS goes as it is.
    gate.commit(&human, "large.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "lfs");
    fs::write(human.join("README"), "changed\n").unwrap();
    fs::write(human.join("new"), "x\n").unwrap();
    let before = tree(&human);
    let work = clone(&gate, "work");
    assert_eq!(fs::read_to_string(work.join("README")).unwrap(), "hello\n");
    assert!(fs::read_to_string(work.join("large.bin")).unwrap().starts_with("version https://git-lfs"));
    assert!(!work.join("new").exists());
    assert_eq!(gate.git(&work, &["branch", "--show-current"]).well().trim(), "trunk");
    assert_eq!(gate.git(&work, &["tag"]).well().trim(), "v1");
    let head = push(&gate, &work, "a.py", "trunk");
    gate.git(&work, &["push", "--quiet", "origin", "trunk:topic/one"]).well();
    assert_eq!(served(&gate, "refs/heads/trunk"), head);
    assert_eq!(served(&gate, "refs/heads/topic/one"), head);
    assert!(clone(&gate, "again").join("a.py").exists());
    // A secret, and names that are no branch.
    gate.commit(&work, "b.py", line(), "two");
    let said = gate.git(&work, &["push", "--quiet", "origin", "trunk"]).badly();
    assert!(said.contains("found secrets in this push") && said.contains("b.py:1"), "{said}");
    for reference in [
        "refs/for/trunk",
        "refs/remotes/origin/trunk",
        "refs/host/heads/trunk",
        "refs/incoming/heads/trunk",
        "refs/notes/commits",
    ] {
        let said = gate.git(&work, &["push", "--quiet", "origin", &format!("HEAD~1:{reference}")]).badly();
        let says = ["deny updating a hidden ref", "is neither a branch nor a tag"];
        assert!(says.iter().any(|says| said.contains(says)), "{reference}: {said}");
    }
    assert_eq!(served(&gate, "refs/heads/trunk"), head);
    // The human's repository is what it was, to the byte.
    assert_eq!(tree(&human), before);
    // A secret that the host has already is nobody's push, wherever the agent takes it.
    gate.git(&human, &["checkout", "--quiet", "--", "README"]).well();
    gate.commit(&human, "c.py", line(), "three");
    gate.git(&work, &["reset", "--quiet", "--hard", "HEAD~1"]).well();
    gate.git(&work, &["fetch", "--quiet", "origin", "refs/host/heads/trunk"]).well();
    let merge = ["-c", "user.name=A", "-c", "user.email=a@b", "merge", "--quiet", "-m", "m", "FETCH_HEAD"];
    gate.git(&work, &merge).well();
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
    assert_eq!(served(&gate, "refs/heads/trunk"), at(&gate, &work, "HEAD"));
}

pub(super) fn a_branch_follows_the_host_until_the_agent_moves_it() {
    let (gate, human) = start();
    let work = clone(&gate, "work");
    let trunk = "refs/heads/trunk";
    // Not moved by the agent: forward, back, and to somewhere else.
    for step in ["one", "two"] {
        gate.commit(&human, step, "x\n", step);
        assert_eq!(served(&gate, trunk), at(&gate, &human, "trunk"));
    }
    gate.git(&human, &["reset", "--quiet", "--hard", "HEAD~2"]).well();
    assert_eq!(served(&gate, trunk), at(&gate, &human, "trunk"));
    gate.commit(&human, "three", "x\n", "three");
    assert_eq!(served(&gate, trunk), at(&gate, &human, "trunk"));
    // Moved by the agent: it stays, whatever the host does, and what the host has is there beside it.
    gate.git(&work, &["pull", "--quiet", "--ff-only"]).well();
    let own = push(&gate, &work, "agent.py", "trunk");
    assert_eq!(served(&gate, trunk), own);
    gate.commit(&human, "four", "x\n", "four");
    assert_eq!(served(&gate, trunk), own);
    assert_eq!(served(&gate, "refs/host/heads/trunk"), at(&gate, &human, "trunk"));
    let further = push(&gate, &work, "agent2.py", "trunk");
    assert_eq!(served(&gate, trunk), further);
    // The human merges the agent's work: the branch follows again.
    let mirror = gate.at("mirrors/app");
    gate.git(&human, &["fetch", "--quiet", mirror.to_str().unwrap(), "refs/heads/trunk"]).well();
    let merge = ["-c", "user.name=A", "-c", "user.email=a@b", "merge", "--quiet", "-m", "m", "FETCH_HEAD"];
    gate.git(&human, &merge).well();
    assert_eq!(served(&gate, trunk), at(&gate, &human, "trunk"));
    gate.commit(&human, "five", "x\n", "five");
    assert_eq!(served(&gate, trunk), at(&gate, &human, "trunk"));
    // A push on what is old is refused by git, as anywhere.
    gate.git(&work, &["push", "--quiet", "origin", "trunk~1:trunk"]).badly();
    // A checkout elsewhere, none at all, and one of a branch without a commit.
    gate.git(&human, &["checkout", "--quiet", "-b", "other"]).well();
    assert_eq!(gate.git(&clone(&gate, "c1"), &["branch", "--show-current"]).well().trim(), "other");
    gate.git(&human, &["checkout", "--quiet", "--detach"]).well();
    assert_eq!(gate.git(&clone(&gate, "c2"), &["branch", "--show-current"]).well().trim(), "other");
    gate.git(&human, &["branch", "-D", "other"]).well();
    assert_eq!(gate.git(&clone(&gate, "c3"), &["branch", "--show-current"]).well().trim(), "trunk");
}

pub(super) fn names_that_come_go_and_stand_in_each_others_way() {
    let (gate, human) = start();
    let work = clone(&gate, "work");
    let git = |words: &[&str]| gate.git(&human, words).well();
    let config = ["-c", "user.name=A", "-c", "user.email=a@b"];
    // Deleted and renamed by the host.
    git(&["branch", "gone"]);
    git(&["branch", "old"]);
    git(&["tag", "t1"]);
    assert!(!served(&gate, "refs/heads/old").is_empty() && !served(&gate, "refs/tags/t1").is_empty());
    git(&["branch", "-D", "gone"]);
    git(&["branch", "-m", "old", "old/new"]);
    git(&["tag", "-d", "t1"]);
    assert!(served(&gate, "refs/heads/gone").is_empty() && served(&gate, "refs/heads/old").is_empty());
    assert!(!served(&gate, "refs/heads/old/new").is_empty() && served(&gate, "refs/tags/t1").is_empty());
    // Deleted by the host, when the agent has moved it: it stays.
    git(&["branch", "both"]);
    gate.git(&work, &["fetch", "--quiet"]).well();
    let own = push(&gate, &work, "both.py", "both");
    git(&["branch", "-D", "both"]);
    assert_eq!(served(&gate, "refs/heads/both"), own);
    // Made by the host as well, at another place: the agent's stays.
    let mine = push(&gate, &work, "mine.py", "mine");
    git(&["branch", "mine"]);
    assert_eq!(served(&gate, "refs/heads/mine"), mine);
    assert_eq!(served(&gate, "refs/host/heads/mine"), at(&gate, &human, "mine"));
    // Deleted by the agent: it is gone until the host moves it.
    git(&["branch", "back"]);
    gate.git(&work, &["fetch", "--quiet"]).well();
    gate.git(&work, &["push", "--quiet", "origin", ":back"]).well();
    assert!(served(&gate, "refs/heads/back").is_empty());
    gate.commit(&human, "more", "x\n", "more");
    assert!(served(&gate, "refs/heads/back").is_empty());
    git(&["branch", "-f", "back"]);
    assert_eq!(served(&gate, "refs/heads/back"), at(&gate, &human, "back"));
    // A tag of the host's that the agent moved stays the agent's, whatever contains it.
    git(&["tag", "v1", "HEAD~1"]);
    assert!(!served(&gate, "refs/tags/v1").is_empty());
    gate.git(&work, &["push", "--quiet", "--force", "origin", "HEAD:refs/tags/v1"]).well();
    git(&["tag", "-f", "v1"]);
    assert_eq!(served(&gate, "refs/tags/v1"), at(&gate, &work, "HEAD"));
    git(&[&config[..], &["tag", "-a", "-m", "x", "v2"]].concat());
    assert!(!served(&gate, "refs/tags/v2").is_empty());
    // What the agent pushed is in the way of the host's, until it is taken away.
    gate.git(&work, &["push", "--quiet", "origin", "HEAD:deep/er"]).well();
    git(&["branch", "deep"]);
    assert!(served(&gate, "refs/heads/deep").is_empty());
    assert!(gate.log().contains("heads/deep of the host waits"), "{}", gate.log());
    gate.git(&work, &["push", "--quiet", "origin", ":deep/er"]).well();
    assert_eq!(served(&gate, "refs/heads/deep"), at(&gate, &human, "deep"));
    // Names that a program would take for something else.
    for name in ["$(id)';x\"&|", "-x", "ü\u{1f980}", "a\"b"] {
        git(&["update-ref", &format!("refs/heads/{name}"), "HEAD"]);
        assert_eq!(served(&gate, &format!("refs/heads/{name}")), at(&gate, &human, "HEAD"), "{name}");
    }
    // References of other kinds are nobody's business.
    git(&["update-ref", "refs/stash", "HEAD"]);
    git(&["update-ref", "refs/secret/x", "HEAD"]);
    git(&["update-ref", "refs/remotes/origin/x", "HEAD"]);
    let all = gate.agent(&["ls-remote", &gate.url("app")]).well();
    assert!(!all.contains("stash") && !all.contains("secret") && !all.contains("remotes"), "{all}");
}

pub(super) fn nothing_of_the_hosts_repository_runs_or_counts() {
    let (gate, human) = start();
    let traps = Traps::plant(&human.join(".git"), &gate.at("witnesses"));
    traps.prove();
    let before = tree(&human);
    let work = clone(&gate, "work");
    let head = push(&gate, &work, "a.py", "trunk");
    gate.git(&work, &["push", "--quiet", "origin", "HEAD:refs/tags/t", "HEAD:other"]).well();
    gate.git(&work, &["fetch", "--quiet"]).well();
    clone(&gate, "again");
    assert_eq!(traps.sprung(), [].into());
    assert_eq!(served(&gate, "refs/heads/trunk"), head);
    assert_eq!(tree(&human), before);
    // Settings that would hide or change what is served.
    let config = human.join(".git/config");
    let more =
        "[transfer]\n\thideRefs = refs/heads\n[uploadpack]\n\thideRefs = refs/\n[core]\n\tbare = true\n";
    fs::write(&config, fs::read_to_string(&config).unwrap() + more).unwrap();
    assert_eq!(
        served(&gate, "refs/host/heads/trunk"),
        fs::read_to_string(human.join(".git/refs/heads/trunk")).unwrap().trim()
    );
}

pub(super) fn every_kind_of_repository_is_served_or_refused_with_its_reason() {
    let (gate, human) = start();
    let path = |name: &str| gate.at(name).to_str().unwrap().to_owned();
    let clones = |name: &str| clone(&gate, name).join("README").exists();
    let host = |words: &[&str]| gate.host(&[&["-c", "protocol.file.allow=always"], words].concat()).well();
    // A bare one, one whose references are packed, and the directory that work trees share.
    host(&["clone", "--quiet", "--bare", &path("human"), &path("bare.git")]);
    host(&["-C", &path("human"), "worktree", "add", "--quiet", &path("tree")]);
    host(&["-C", &path("human"), "gc", "--quiet"]);
    for directory in [gate.at("bare.git"), human.join(".git")] {
        mount(&gate, &directory);
        assert!(clones(&format!("of-{}", directory.file_name().unwrap().to_string_lossy())));
    }
    assert!(!served(&gate, "refs/heads/tree").is_empty());
    // A submodule, whose directory is in that of the repository around it.
    host(&["-C", &path("human"), "submodule", "--quiet", "add", &path("bare.git"), "sub"]);
    mount(&gate, &human.join(".git/modules/sub"));
    assert!(clones("of-submodule"));
    // A shallow one: as much as there is.
    for file in ["one", "two", "three"] {
        gate.commit(&human, file, "x\n", file);
    }
    host(&["clone", "--quiet", "--depth=2", &format!("file://{}", path("human")), &path("shallow")]);
    let fresh = gate.at("mirrors/app");
    fs::remove_dir_all(&fresh).unwrap();
    let mut gate = gate;
    gate.stop();
    mount(&gate, &gate.at("shallow/.git"));
    gate.serve();
    let work = clone(&gate, "of-shallow");
    assert!(work.join("three").exists());
    assert_eq!(gate.git(&work, &["rev-list", "--count", "HEAD"]).well().trim(), "2");
    push(&gate, &work, "a.py", "topic");
    gate.commit(&work, "b.py", line(), "secret");
    let said = gate.git(&work, &["push", "--quiet", "origin", "HEAD:topic"]).badly();
    assert!(said.contains("found secrets"), "{said}");
    // One that has nothing yet takes the first push.
    fs::remove_dir_all(gate.at("mirrors/app")).unwrap();
    gate.stop();
    gate.host(&["init", "--quiet", "--initial-branch=first", gate.at("empty").to_str().unwrap()]).well();
    mount(&gate, &gate.at("empty/.git"));
    gate.serve();
    let work = clone(&gate, "of-empty");
    push(&gate, &work, "a.py", "first");
    assert!(!served(&gate, "refs/heads/first").is_empty());
    let refused = |says: &str| {
        let said = gate.agent(&["ls-remote", &gate.url("app")]).badly();
        assert!(said.contains("git-gate: the repository app of the host") && said.contains(says), "{said}");
    };
    let host = |words: &[&str]| gate.host(&[&["-c", "protocol.file.allow=always"], words].concat()).well();
    let path = |name: &str| gate.at(name).to_str().unwrap().to_owned();
    // Objects elsewhere: refused, and served where they lie within.
    host(&["clone", "--quiet", "--shared", &path("human"), &path("shared")]);
    mount(&gate, &gate.at("shared/.git"));
    refused("objects/info/alternates), which is not mounted");
    let alternates = gate.at("shared/.git/objects/info/alternates");
    fs::write(&alternates, "../../../human/.git/objects\n").unwrap();
    refused("../../../human/.git/objects");
    symlink(gate.at("human/.git/objects"), gate.at("shared/.git/inner")).unwrap();
    fs::write(&alternates, "../inner\n").unwrap();
    refused("../inner");
    fs::remove_file(gate.at("shared/.git/inner")).unwrap();
    let copy = ["-r", &path("human/.git/objects"), &path("shared/.git/inner")];
    assert!(Command::new("cp").args(copy).status().unwrap().success());
    gate.agent(&["ls-remote", &gate.url("app")]).well();
    // Links that lead out of it.
    fs::remove_dir_all(gate.at("shared/.git/refs")).unwrap();
    symlink(gate.at("human/.git/refs"), gate.at("shared/.git/refs")).unwrap();
    refused("its refs is a link that leads out of it");
    // Formats that a mirror does not have, and a repository that lacks objects.
    for (setting, value, says) in [
        ("extensions.objectFormat", "sha256", "named by sha256"),
        ("extensions.refStorage", "reftable", "kept as reftable"),
        ("extensions.partialClone", "origin", "a partial clone"),
    ] {
        host(&["clone", "--quiet", "--bare", &path("human"), &path(value)]);
        host(&["config", "-f", &path(&format!("{value}/config")), "core.repositoryFormatVersion", "1"]);
        host(&["config", "-f", &path(&format!("{value}/config")), setting, value]);
        mount(&gate, &gate.at(value));
        refused(says);
    }
    // None at all, one that is damaged, and one that is taken away.
    mount(&gate, &gate.at("host"));
    refused("it is no git directory, for it has no HEAD");
    host(&["clone", "--quiet", "--bare", &path("human"), &path("damaged")]);
    fs::write(gate.at("damaged/packed-refs"), format!("{} refs/heads/trunk\n", "1".repeat(40))).unwrap();
    mount(&gate, &gate.at("damaged"));
    refused("cannot be read");
    fs::remove_file(gate.at("repository/app")).unwrap();
    refused("it is no git directory");
    gate.stop();
    assert!(
        gate.refuses_to_serve().contains("nothing is served without every identity and every repository")
    );
}

pub(super) fn a_read_only_repository_takes_no_push() {
    let upstream = SPEC[SPEC.find("repo \"api\"").unwrap()..SPEC.find("repo \"shared.lib\"").unwrap()]
        .replace("repo \"api\"", "repo \"api\" access=\"read-only\"");
    let repos = format!("{}\n{upstream}", APP.replace("\"app\"", "\"app\" access=\"read-only\""));
    let mut gate = Gate::prepare(&spec(&repos));
    let human = gate.at("human");
    init(&gate, &human);
    mount(&gate, &human.join(".git"));
    gate.serve();
    for name in ["app", "api"] {
        gate.agent(&["clone", "--quiet", &gate.url(name), name]).well();
        let work = gate.at("agent").join(name);
        gate.commit(&work, "a.py", "x = 1\n", "one");
        for refspec in ["HEAD:trunk", "HEAD:refs/heads/new", ":trunk"] {
            let said = gate.git(&work, &["push", "--quiet", "origin", refspec]).badly();
            let says = format!(
                "git-gate: {name} is read-only: the spec lets this agent fetch from it, and not push to it"
            );
            assert!(said.contains(&says), "{said}");
        }
        let answer = gate.send(&format!("git-receive-pack /{name}\0host=x\0"), "");
        assert!(answer.contains("is read-only") && !answer.contains("refs/heads"), "{answer}");
        gate.git(&work, &["fetch", "--quiet"]).well();
    }
    assert!(!gate.state().0.contains("new"));
}

pub(super) fn the_agents_work_outlives_a_change_of_the_stage() {
    let (mut gate, human) = start();
    let work = clone(&gate, "work");
    let head = push(&gate, &work, "a.py", "topic");
    gate.stop();
    gate.serve();
    assert_eq!(served(&gate, "refs/heads/topic"), head);
    // A repository that is declared no more is not served, and not removed while it holds what the agent pushed.
    let other = "repo \"other\" { path \".\"; }";
    symlink(human.join(".git"), gate.at("repository/other")).unwrap();
    gate.stop();
    gate.stage(&spec(other));
    gate.serve();
    gate.agent(&["ls-remote", &gate.url("app")]).badly();
    assert!(gate.at("mirrors/app").exists() && gate.log().contains("it holds what the agent pushed"));
    // Nor does an upstream take its place.
    gate.stop();
    let start = SPEC.find("repo \"api\"").unwrap();
    let upstream = SPEC[start..SPEC.find("repo \"shared.lib\"").unwrap()].replace("\"api\"", "\"app\"");
    fs::copy(gate.at("identity/api"), gate.at("identity/app")).unwrap();
    gate.stage(&spec(&upstream));
    let said = gate.refuses_to_serve();
    assert!(said.contains("holds what the agent pushed to a repository of the host"), "{said}");
    // Without anything of the agent's in it, it goes.
    gate.stage(&spec(APP));
    gate.serve();
    gate.git(&work, &["push", "--quiet", "origin", ":topic"]).well();
    gate.stop();
    gate.stage(&spec(&upstream));
    gate.serve();
    assert!(gate.agent(&["ls-remote", &gate.url("app")]).well().contains("refs/heads/trunk"));
    assert!(!gate.at("mirrors/app/git-gate.local").exists());
}
