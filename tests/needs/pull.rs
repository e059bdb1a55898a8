//! `bottlec pull`, and what `preflight` finds of repositories, with real git and the real gate.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use super::git_gate::gate::Gate;
use super::git_gate::local::{mount, spec};
use super::traps::Traps;
use super::{Missing, Outcome, needs, needs_git};
use crate::support::binary::{Call, Dir, Run, tree, works};

/// The address of the bottle `demo`.
const BUNDLE: &str = "192.168.105.2";

/// A network of its own, in which the bundle's address is this host's; it goes with the value.
struct Network(Child);

impl Network {
    fn new() -> Result<Self, Missing> {
        let script =
            format!("ip link set lo up && ip addr add {BUNDLE}/24 dev lo && echo up && exec sleep 900");
        let words = ["-n", "sh", "-c", &script];
        needs(
            works(&["unshare", "-n", "sh", "-c", &script.replace("sleep 900", "true")]),
            "`unshare -n` is not permitted here",
        )?;
        let mut child =
            Command::new("unshare").args(words).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        Ok(Self(child))
    }

    fn within(&self) -> Vec<String> {
        ["nsenter", "-n", "-t", &self.0.id().to_string(), "--"].map(str::to_owned).into()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// A human's repository, a gate that serves it at the bundle's address, and a clone of the agent's.
struct Bottle {
    gate: Gate,
    human: PathBuf,
    work: PathBuf,
    _network: Network,
}

impl Bottle {
    fn start() -> Result<Self, Missing> {
        needs_git()?;
        let network = Network::new()?;
        let text = spec("repo \"app\" { path \".\"; }");
        let mut gate = Gate::prepare(&text);
        let human = gate.at("human");
        gate.host(&["init", "--quiet", "--initial-branch=trunk", human.to_str().unwrap()]).well();
        fs::write(human.join("bottle.kdl"), text).unwrap();
        gate.commit(&human, "README", "hello\n", "first");
        mount(&gate, &human.join(".git"));
        gate.move_to(network.within());
        gate.serve();
        gate.agent(&["clone", "--quiet", &gate.url("app"), "work"]).well();
        let work = gate.at("agent/work");
        Ok(Self { gate, human, work, _network: network })
    }

    fn pull(&self) -> Run {
        Call::new(&self.human, ["pull"]).within(&self.gate.within).run()
    }

    /// One commit of the agent's, pushed: where it is then.
    fn push(&self, file: &str, branch: &str) -> String {
        self.gate.commit(&self.work, file, "x = 1\n", file);
        self.gate
            .git(&self.work, &["push", "--quiet", "--force", "origin", &format!("HEAD:{branch}")])
            .well();
        self.at(&self.work, "HEAD")
    }

    fn at(&self, work: &Path, revision: &str) -> String {
        self.gate.git(work, &["rev-parse", revision]).well().trim().to_owned()
    }

    /// The human's git, by itself.
    fn git(&self, words: &[&str]) -> String {
        self.gate.git(&self.human, words).well()
    }
}

/// What is in a repository besides objects, and what a pull may write.
fn fixed(human: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = tree(human);
    all.retain(|path, _| {
        let written = [".git/objects", ".git/refs/remotes", ".git/logs/refs/remotes"];
        !written.iter().any(|below| path.starts_with(below))
    });
    all
}

fn short(object: &str) -> &str {
    &object[..12]
}

pub(crate) fn branches_come_and_nothing_else_is_written() -> Outcome {
    let bottle = Bottle::start()?;
    let Bottle { gate, human, work, .. } = &bottle;
    // A dirty work tree, a staged file, and a branch that is called as a remote-tracking one would be.
    fs::write(human.join("README"), "changed\n").unwrap();
    fs::write(human.join("staged"), "x\n").unwrap();
    bottle.git(&["add", "staged"]);
    let before = fixed(human);
    // The host's own branches come back as what they are.
    let first = bottle.at(human, "trunk");
    bottle.pull().code(0).says(&format!(
        "  `bottle-demo/trunk` is new, at {}\n    git log bottle-demo/trunk\n",
        short(&first)
    ));
    bottle.pull().code(0).says("  nothing new\n");
    let one = bottle.push("a.py", "trunk");
    bottle.push("b.py", "topic/deep");
    gate.git(work, &["push", "--quiet", "origin", "HEAD:refs/tags/v9"]).well();
    let run = bottle.pull().code(0);
    let run = run.says(&format!("  `bottle-demo/trunk` {}..{}\n", short(&first), short(&one)));
    run.says("  `bottle-demo/topic/deep` is new").says("    git log bottle-demo/topic/deep\n");
    assert_eq!(bottle.at(human, "refs/remotes/bottle-demo/trunk"), one);
    assert!(bottle.git(&["log", "--oneline", "bottle-demo/topic/deep"]).contains("b.py"));
    // No tag, no branch, no work tree, no index, no configuration, no FETCH_HEAD, and nothing left over.
    assert_eq!(fixed(human), before);
    let left = fs::read_dir(human.join(".git/objects")).unwrap();
    assert!(!left.map(|it| it.unwrap().file_name()).any(|name| name.to_string_lossy().starts_with("tmp")));
    bottle.git(&["fsck", "--strict", "--no-dangling"]);
    // Overwritten: what it held is still known.
    gate.git(work, &["reset", "--quiet", "--hard", "HEAD~2"]).well();
    let other = bottle.push("c.py", "trunk");
    let run = bottle.pull().code(0);
    run.says(&format!(
        "  `bottle-demo/trunk` was overwritten by the agent, {}...{}\n",
        short(&one),
        short(&other)
    ));
    assert_eq!(bottle.at(human, "bottle-demo/trunk@{1}"), one);
    // Deleted by the agent: what was pulled stays.
    gate.git(work, &["push", "--quiet", "origin", ":topic/deep"]).well();
    bottle.pull().code(0).says("nothing new");
    assert!(bottle.git(&["branch", "--remotes"]).contains("bottle-demo/topic/deep"));
    // A name in the way of what was pulled, and a tag that no branch has.
    bottle.push("d.py", "topic");
    gate.git(work, &["commit", "--quiet", "--amend", "-m", "only tagged"]).well();
    gate.git(work, &["push", "--quiet", "origin", "HEAD:refs/tags/only"]).well();
    let run = bottle.pull().code(3);
    let run = run.says("  `bottle-demo/topic` did not come: `bottle-demo/topic/deep` is in its way");
    run.says("  `refs/tags/only` stays in git-gate, at ")
        .says("tags are not pulled")
        .never_says("refs/tags/v9");
    assert_eq!(fixed(human), before);
    bottle.git(&["branch", "--delete", "--remotes", "bottle-demo/topic/deep"]);
    // From a work tree beside it, and into a repository whose references are packed.
    bottle.git(&["pack-refs", "--all"]);
    bottle.git(&["worktree", "add", "--quiet", gate.at("beside").to_str().unwrap(), "HEAD"]);
    let tip = bottle.push("e.py", "trunk");
    Call::new(&gate.at("beside"), ["pull", "bottle.kdl", "--bottle", "demo"])
        .within(&gate.within)
        .run()
        .code(0)
        .says("human/.git`");
    assert_eq!(bottle.at(human, "bottle-demo/trunk"), tip);
    Ok(())
}

pub(crate) fn nothing_of_the_repository_runs() -> Outcome {
    let bottle = Bottle::start()?;
    let traps = Traps::plant(&bottle.human.join(".git"), &bottle.gate.at("witnesses"));
    traps.prove();
    fs::write(bottle.human.join("README"), "changed\n").unwrap();
    let before = fixed(&bottle.human);
    let head = bottle.push("a.py", "topic");
    bottle.pull().code(0).says("is new");
    // Nor does it where it is looked at.
    let run = Call::new(&bottle.human, ["preflight", "bottle.kdl"]).within(&bottle.gate.within).run();
    run.says("what is not committed does not go along: 1 changed file");
    assert_eq!(traps.sprung(), [].into());
    assert_eq!(fixed(&bottle.human), before);
    assert_eq!(bottle.at(&bottle.gate.at("human"), "refs/remotes/bottle-demo/topic"), head);
    // Nor do the human's own settings, or variables, lead anywhere else.
    let home = Dir::new();
    home.write(
        ".gitconfig",
        "[url \"ext::sh -c exit\"]\n\tinsteadOf = git://\n[core]\n\tgitProxy = /bin/false\n",
    );
    bottle.push("b.py", "topic");
    let mut call = Call::new(&bottle.human, ["pull"]).within(&bottle.gate.within).env("HOME", home.path());
    for (name, value) in [
        ("GIT_DIR", home.at("x")),
        ("GIT_CONFIG_GLOBAL", home.at(".gitconfig")),
        ("GIT_PROXY_COMMAND", PathBuf::from("/bin/false")),
        ("GIT_OBJECT_DIRECTORY", home.at("x")),
        ("GIT_TRACE", home.at("trace")),
        ("GIT_EXEC_PATH", home.at("x")),
    ] {
        call = call.env(name, value);
    }
    call.run().code(0).says("..");
    assert!(!home.at("trace").exists() && !home.at("x").exists());
    Ok(())
}

pub(crate) fn what_a_name_could_do_it_does_not() -> Outcome {
    let bottle = Bottle::start()?;
    let before = fixed(&bottle.human);
    let names = [
        "$(touch$IFS'pwned')",
        "-x",
        "a;b|c&d",
        "\u{202e}cod",
        "\u{1f980}",
        "main'",
        "\"q",
        "heads/trunk",
        "HEAD",
    ];
    for (number, name) in names.iter().enumerate() {
        bottle.push(&format!("{number}.py"), &format!("refs/heads/{name}"));
    }
    let run = bottle.pull().code(3);
    for name in names.iter().filter(|name| **name != "HEAD") {
        let here = format!("refs/remotes/bottle-demo/{name}");
        assert_eq!(bottle.at(&bottle.human, &here).len(), 40, "{name}");
    }
    let run = run.says("`bottle-demo/HEAD` did not come: a remote-tracking branch cannot be called so");
    let run = run.says("`bottle-demo/-x` is new").says("git log bottle-demo/-x\n").says("\\u{202e}cod");
    run.never_says("\u{202e}").never_says("git log bottle-demo/$(").never_says("git log bottle-demo/a;b");
    assert_eq!(fixed(&bottle.human), before);
    assert!(!bottle.human.join("pwned").exists());
    Ok(())
}

pub(crate) fn what_is_wrong_or_too_much_is_refused() -> Outcome {
    let mut bottle = Bottle::start()?;
    bottle.pull().code(0);
    let before = tree(&bottle.human);
    let unchanged = |bottle: &Bottle| assert_eq!(tree(&bottle.human), before);
    bottle.gate.stop();
    bottle.pull().code(3).complains("`app` of `demo`: git-gate does not answer at 192.168.105.2:9418");
    unchanged(&bottle);
    // In the place of the gate, a daemon that serves whatever there is.
    let gate = &bottle.gate;
    let evil = gate.at("evil/app");
    gate.host(&["clone", "--quiet", "--bare", bottle.human.to_str().unwrap(), evil.to_str().unwrap()]).well();
    let base = format!("--base-path={}", gate.at("evil").display());
    let words = ["--export-all", "--reuseaddr", "--listen=0.0.0.0", "--port=9418", &base];
    let served = Served::start(gate, &[&["git", "-c", "safe.directory=*", "daemon"], &words[..]].concat());
    let up = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        gate.agent(&["ls-remote", &gate.url("app")]).ok
    });
    assert!(up);
    let host = |words: &[&str]| gate.host(&[&["--git-dir", evil.to_str().unwrap()], words].concat()).well();
    // What fsck refuses: a path that would be written into `.git`.
    let blob = host(&["hash-object", "-w", evil.join("config").to_str().unwrap()]);
    let entry: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(&blob[2 * at..2 * at + 2], 16).unwrap()).collect();
    fs::write(gate.at("tree"), [&b"100644 .git\0"[..], &entry].concat()).unwrap();
    let tree_of =
        host(&["hash-object", "-t", "tree", "--literally", "-w", gate.at("tree").to_str().unwrap()]);
    let commit =
        host(&["-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", "-m", "x", tree_of.trim()]);
    host(&["update-ref", "refs/heads/evil", commit.trim()]);
    bottle.pull().code(3).complains("`app` of `demo`: git says ");
    unchanged(&bottle);
    host(&["update-ref", "-d", "refs/heads/evil"]);
    // More branches than are taken.
    let trunk = host(&["rev-parse", "trunk"]);
    let many: Vec<String> = (0..1001).map(|n| format!("create refs/heads/n{n} {}\n", trunk.trim())).collect();
    fs::write(gate.at("many"), many.concat()).unwrap();
    let update =
        format!("git --git-dir='{}' update-ref --stdin <'{}'", evil.display(), gate.at("many").display());
    assert!(Command::new("sh").args(["-c", &update]).status().unwrap().success());
    bottle.pull().code(3).complains("git-gate has more than 1000 branches");
    unchanged(&bottle);
    drop(served);
    // A list without an end.
    let script = "import socket\ns=socket.create_server(('0.0.0.0',9418))\nwhile 1:\n c=s.accept()[0]\n try:\n  c.recv(999)\n  for n in range(10**9): c.sendall(b'0042'+b'%040x refs/heads/%09d\\n' % (n, n))\n except OSError: pass\n";
    let served = Served::start(gate, &["python3", "-c", script]);
    let said = (0..600).map(|_| bottle.pull().code(3).err);
    let mut waited = said.inspect(|_| std::thread::sleep(std::time::Duration::from_millis(50)));
    assert!(waited.any(|said| said.contains("ut of memory")));
    drop(served);
    unchanged(&bottle);
    Ok(())
}

/// A server where the gate would be, ended with the value and with what it started.
struct Served(Child);

impl Served {
    fn start(gate: &Gate, words: &[&str]) -> Self {
        let mut command = Command::new(&gate.within[0]);
        command.args(&gate.within[1..]).args(words).stderr(Stdio::null()).process_group(0);
        Self(command.spawn().unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

pub(crate) fn every_kind_of_repository_is_found_or_refused_with_what_to_do() -> Outcome {
    needs_git()?;
    let dir = Dir::new();
    let at = |name: &str| dir.at(name).to_str().unwrap().to_owned();
    let git = |words: &[&str]| super::git(&dir, &[&["-c", "protocol.file.allow=always"], words].concat());
    let asked = |path: &str| {
        dir.write(
            "x.kdl",
            format!("bottle \"demo\" {{ git {{ repo \"app\" {{ path \"{path}\"; }}; }}; }}\n"),
        );
        dir.run(["preflight", "x.kdl"])
    };
    let real = fs::canonicalize(dir.path()).unwrap();
    let ready = |path: &str, directory: &str| {
        asked(path)
            .says(&format!("`app` of `demo` is ready: BOTTLE_REPO_1={}\n", real.join(directory).display()))
    };
    git(&["init", "-q", "-b", "trunk", "human"]);
    dir.write("human/README", "hello\n");
    dir.write("human/sub/dir/x", "x\n");
    git(&["-C", "human", "add", "--all"]);
    git(&["-C", "human", "commit", "-q", "-m", "first"]);
    ready("./human", "human/.git").says("such as files that git does not track").never_says("shallow");
    ready("./human/.git", "human/.git");
    dir.write("human/README", "changed\n");
    ready("./human", "human/.git").says("what is not committed does not go along: 1 changed file\n");
    git(&["-C", "human", "checkout", "-q", "--detach"]);
    ready("./human", "human/.git").says("no branch is checked out");
    git(&["-C", "human", "checkout", "-q", "trunk"]);
    // Bare, a work tree beside the first, a submodule, shallow, with pointers of LFS.
    git(&["clone", "-q", "--bare", "human", "bare.git"]);
    ready("bare.git", "bare.git").says("does not go along\n");
    git(&["-C", "human", "worktree", "add", "-q", &at("beside")]);
    ready("beside", "human/.git").says("such as files");
    git(&["-C", "human", "submodule", "--quiet", "add", &at("bare.git"), "sub/module"]);
    ready("human/sub/module", "human/.git/modules/sub/module");
    ready("human", "human/.git").says("submodules do not go along");
    git(&["clone", "-q", "--depth=1", &format!("file://{}", at("human")), "shallow"]);
    dir.write("shallow/.git/lfs/objects/x", "");
    ready("shallow", "shallow/.git")
        .says("its history is shallow")
        .says("files of Git LFS go along as pointers only");
    // None, and where it is instead.
    let refused = |path: &str, says: &str, help: &str| {
        let run = asked(path).says(says).says(help);
        run.code(1);
    };
    refused("human/sub/dir", "/human/sub/dir` is no git repository", "/human`: name that one");
    refused("human/README", "/human/README` is no git repository", "/human`: name that one");
    refused("nowhere", "cannot be read: there is no such file", "name another path");
    // A `.git` that leads elsewhere: that of another, of none, by a link, of a work tree that was moved.
    dir.write("forged/.git", format!("gitdir: {}\n", at("human/.git")));
    refused("forged", "/forged/.git` leads to", "which does not lead back");
    dir.write("forged/.git", format!("gitdir: {}\n", at("human/.git/worktrees/beside")));
    refused("forged", "/forged/.git` leads to", "which does not lead back");
    dir.write("forged/.git", "gitdir: ../nowhere\n");
    refused("forged", "/forged/../nowhere`, which is not there", "name the repository itself");
    dir.write("forged/.git", "x");
    refused("forged", "does not say `gitdir:`", "name the repository itself");
    fs::remove_file(dir.at("forged/.git")).unwrap();
    symlink(dir.at("human/.git"), dir.at("forged/.git")).unwrap();
    refused("forged", "by a symbolic link", "name the repository itself");
    // Objects and references elsewhere.
    git(&["clone", "-q", "--shared", "human", "shared"]);
    refused("shared", "`objects/info/alternates` leads to", "`git repack -a -d`");
    dir.write("shared/.git/objects/info/alternates", "../../../human/.git/objects\n");
    refused(
        "shared",
        "`objects/info/alternates` leads to `../../../human/.git/objects`",
        "`git repack -a -d`",
    );
    fs::rename(dir.at("shared/.git/refs"), dir.at("refs")).unwrap();
    symlink(dir.at("refs"), dir.at("shared/.git/refs")).unwrap();
    refused("shared", "`refs` leads to", "put it where the link stands");
    // Formats, and objects that are not there.
    git(&["init", "-q", "--object-format=sha256", "sha256"]);
    refused("sha256", "names its objects by `sha256`, and git-gate's mirror by SHA-1", "git clone");
    git(&["init", "-q", "reftable"]);
    git(&["-C", "reftable", "config", "core.repositoryFormatVersion", "1"]);
    let config = dir.read("reftable/.git/config");
    dir.write("reftable/.git/config", config + "[extensions]\n\trefStorage = \"reftable\" ; new\n");
    refused("reftable", "keeps its references as `reftable`", "git clone");
    git(&["-C", "bare.git", "config", "uploadpack.allowFilter", "true"]);
    git(&["clone", "-q", "--bare", "--filter=blob:none", &format!("file://{}", at("bare.git")), "partial"]);
    refused("partial", "/partial` is a partial clone", "clone it without `--filter`");
    // A pipe in the place of a file keeps nobody waiting.
    git(&["clone", "-q", "--bare", "human", "pipe"]);
    fs::remove_file(dir.at("pipe/config")).unwrap();
    crate::support::binary::mkfifo(&dir.at("pipe/config"));
    refused("pipe", "/pipe/config` cannot be read: it is no regular file", "make it readable");
    // Another's.
    if chown(dir.at("bare.git"), Some(65534), None).is_ok() {
        refused("bare.git", "is not yours: it belongs to the user 65534", "launch as its owner");
        asked("bare.git").says("`safe.directory`");
    }
    Ok(())
}
