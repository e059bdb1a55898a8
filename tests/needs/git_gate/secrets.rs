//! No secret goes upstream, however it is hidden.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::{Outcome, needs};
use super::gate::Gate;
use super::scanner::{name, scanner};
use super::windows::base64;

/// A token of no account, put together here so that this file does not hold it.
pub(crate) fn secret() -> String {
    ["gh", "p_", "Vb9Km4Ns6x8Zq3Lw7Rt2Yp5Hd1Gf0CjTuQeA"].concat()
}

/// One way of hiding it: what it is called, what the message must name, and how it is pushed.
struct Way {
    name: &'static str,
    says: &'static str,
    make: fn(&Gate, &Path),
    push: &'static [&'static str],
}

impl Way {
    /// Whether the stand-in finds it, which decodes nothing.
    fn is_plain(&self) -> bool {
        !["base64", "hexadecimal", "percent"].iter().any(|word| self.name.contains(word))
    }
}

/// Two digits a byte, each with something before it.
fn hex(before: &str, bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + before + &format!("{byte:02x}"))
}

/// What `gzip` makes of it.
fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// A line with it.
pub(super) fn line() -> String {
    format!("token = \"{}\"\n", secret())
}

/// Merges a branch with one commit into `trunk`, leaves the files of the merge to whoever calls, and ends it.
fn merge(gate: &Gate, work: &Path, change: impl FnOnce()) {
    gate.git(work, &["checkout", "--quiet", "-b", "side"]).well();
    gate.commit(work, "side.py", "x = 1\n", "side");
    gate.git(work, &["checkout", "--quiet", "trunk"]).well();
    gate.commit(work, "trunk.py", "x = 1\n", "trunk");
    gate.git(work, &["merge", "--quiet", "--no-commit", "--no-ff", "side"]).well();
    change();
    gate.git(work, &["-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "-m", "merge"]).well();
}

/// Makes a tree of what the last commit has and of what `ls-tree` would say of one thing more.
fn tree(gate: &Gate, work: &Path, more: &str) -> String {
    let entries = gate.git(work, &["ls-tree", "HEAD"]).well();
    gate.made(work, &["mktree", "--missing"], format!("{entries}{more}\n").as_bytes())
}

/// Makes a tree of one thing.
fn tree_of(gate: &Gate, work: &Path, entry: &str) -> String {
    gate.made(work, &["mktree", "--missing"], format!("{entry}\n").as_bytes())
}

/// Makes `trunk` a commit of that tree, after these parents.
fn commit_tree(gate: &Gate, work: &Path, tree: &str, parents: &[&str]) {
    let mut words = vec!["commit-tree", "-m", "x", tree];
    words.extend(parents.iter().flat_map(|parent| ["-p", *parent]));
    let commit = gate.made(work, &words, b"");
    gate.git(work, &["update-ref", "refs/heads/trunk", &commit]).well();
}

fn empty_tree(gate: &Gate, work: &Path) -> String {
    gate.made(work, &["hash-object", "-t", "tree", "-w", "--stdin"], b"")
}

/// Makes `trunk` a commit that is the last one's successor, with lines put before its message.
fn commit_with(gate: &Gate, work: &Path, headers: &str, message: &[u8]) {
    let tree = gate.git(work, &["rev-parse", "HEAD^{tree}"]).well();
    let parent = gate.git(work, &["rev-parse", "HEAD"]).well();
    let who = "Ada <a@example.com> 1700000000 +0000";
    let text = format!("tree {tree}parent {parent}author {who}\ncommitter {who}\n{headers}\n");
    let commit = gate.made(
        work,
        &["hash-object", "-t", "commit", "-w", "--stdin"],
        &[text.as_bytes(), message].concat(),
    );
    gate.git(work, &["update-ref", "refs/heads/trunk", &commit]).well();
}

/// Makes a tag `v1` of the last commit.
fn tag_with(gate: &Gate, work: &Path, name: &str, tagger: &str, message: &str) {
    let commit = gate.git(work, &["rev-parse", "HEAD"]).well();
    let text = format!(
        "object {commit}type commit\ntag {name}\ntagger {tagger} <a@example.com> 1700000000 +0000\n\n{message}\n"
    );
    let tag = gate.made(work, &["hash-object", "-t", "tag", "-w", "--stdin"], text.as_bytes());
    gate.git(work, &["update-ref", "refs/tags/v1", &tag]).well();
}

/// A file's bytes, committed.
macro_rules! file {
    ($path:expr, $content:expr) => {
        |gate, work| gate.commit(work, $path, $content, "add")
    };
}

/// A text in UTF-16 or UTF-32, by how its letters are laid out.
fn wide<const N: usize>(text: &str, bytes: impl Fn(char) -> [u8; N]) -> Vec<u8> {
    text.chars().flat_map(bytes).collect()
}

const IN_A_COMMIT: &str = "github-pat at the header or message of a commit in commit ";
const IN_A_TAG: &str = "github-pat at the header or message of a tag";
const IN_A_NAME: &str = "github-pat at the name of a branch or tag";
const IN_A_PATH: &str = "github-pat at a path in commit ";

const TRUNK: &[&str] = &["trunk"];

const WAYS: &[Way] = &[
    Way {
        name: "as it is",
        says: "github-pat at src/a.py:3",
        make: |gate, work| gate.commit(work, "src/a.py", format!("# a\n# b\n{}", line()), "add"),
        push: TRUNK,
    },
    Way {
        name: "with comments that allow it",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            let line = format!("t = \"{}\" # gitleaks:allow betterleaks:allow\n", secret());
            gate.commit(work, "a.py", line, "add");
        },
        push: TRUNK,
    },
    Way {
        name: "with files that allow it",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            let config =
                "[extend]\nuseDefault = false\n[allowlist]\npaths = ['''.*''']\nregexes = ['''.*''']\n";
            for name in [".gitleaks.toml", ".betterleaks.toml", "gitleaks.toml"] {
                fs::write(work.join(name), config).unwrap();
            }
            for name in [".gitleaksignore", ".betterleaksignore"] {
                fs::write(work.join(name), "a.py:github-pat:1\n:github-pat:3\n").unwrap();
            }
            gate.commit(work, "a.py", line(), "add");
        },
        push: TRUNK,
    },
    Way {
        name: "in a file of the scanner's own",
        says: "github-pat at .betterleaks.toml:1",
        make: |gate, work| gate.commit(work, ".betterleaks.toml", format!("# {}", line()), "add"),
        push: TRUNK,
    },
    Way {
        name: "in a file that scanners pass over",
        says: "github-pat at node_modules/x/package-lock.json:1",
        make: |gate, work| gate.commit(work, "node_modules/x/package-lock.json", line(), "add"),
        push: TRUNK,
    },
    Way {
        name: "in a commit whose successor takes it out",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            gate.commit(work, "a.py", line(), "add");
            gate.commit(work, "a.py", "token = None\n", "remove");
            gate.commit(work, "b.py", "x = 1\n", "go on");
        },
        push: TRUNK,
    },
    Way {
        name: "on a new branch",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            gate.git(work, &["checkout", "--quiet", "-b", "feature"]).well();
            gate.commit(work, "a.py", line(), "add");
        },
        push: &["feature"],
    },
    Way {
        name: "on a branch without a common past",
        says: "github-pat at README:1",
        make: |gate, work| {
            gate.git(work, &["checkout", "--quiet", "--orphan", "other"]).well();
            gate.commit(work, "README", line(), "add");
        },
        push: &["other"],
    },
    Way {
        name: "in a merge",
        says: "github-pat at merged.py:2",
        make: |gate, work| {
            gate.git(work, &["checkout", "--quiet", "-b", "side"]).well();
            gate.commit(work, "side.py", "x = 1\n", "side");
            gate.git(work, &["checkout", "--quiet", "trunk"]).well();
            gate.commit(work, "trunk.py", "x = 1\n", "trunk");
            gate.git(work, &["merge", "--quiet", "--no-commit", "--no-ff", "side"]).well();
            gate.commit(work, "merged.py", format!("# merged\n{}", line()), "merge");
        },
        push: TRUNK,
    },
    Way {
        name: "in a merge, in a file that looks binary",
        says: "github-pat at merged.bin",
        make: |gate, work| {
            gate.git(work, &["checkout", "--quiet", "-b", "side"]).well();
            gate.commit(work, "merged.bin", "x\n", "side");
            gate.git(work, &["checkout", "--quiet", "trunk"]).well();
            gate.commit(work, "merged.bin", "y\n", "trunk");
            gate.git(work, &["merge", "--quiet", "--no-commit", "--no-ff", "-X", "ours", "side"]).well();
            gate.commit(work, "merged.bin", format!("\0\0{}", line()), "merge");
        },
        push: TRUNK,
    },
    Way {
        name: "in a file that looks binary",
        says: "github-pat at data.bin:1",
        make: |gate, work| gate.commit(work, "data.bin", format!("\0\x01\0\0-{}\0", secret()), "add"),
        push: TRUNK,
    },
    Way {
        name: "in UTF-16",
        says: "github-pat at env.ps1:",
        make: |gate, work| {
            let bytes: Vec<u8> = line().encode_utf16().flat_map(u16::to_le_bytes).collect();
            gate.commit(work, "env.ps1", bytes, "add");
        },
        push: TRUNK,
    },
    Way {
        name: "behind attributes",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            gate.commit(work, ".gitattributes", "* -diff binary -text diff=x\n", "attributes");
            gate.commit(work, "a.py", line(), "add");
        },
        push: TRUNK,
    },
    Way {
        name: "in a line that a diff could take for its own",
        says: "github-pat at a.py:2",
        make: |gate, work| gate.commit(work, "a.py", format!("x\n-- {0}\n++ {0}\n", line().trim()), "add"),
        push: TRUNK,
    },
    Way {
        name: "in a path",
        says: "github-pat at a path in commit ",
        make: |gate, work| gate.commit(work, &secret(), "x\n", "add"),
        push: TRUNK,
    },
    Way {
        name: "in a path, and in the file",
        says: "github-pat at a path that is not said:1 in commit ",
        make: |gate, work| gate.commit(work, &format!("d/{}", secret()), line(), "add"),
        push: TRUNK,
    },
    Way {
        name: "behind what an archive has at its byte 257",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            // The message begins at byte 246 of the text when its commit has no parent and is all that comes before.
            gate.git(work, &["checkout", "--quiet", "--orphan", "tar"]).well();
            gate.commit(work, "a.py", line(), "12345678901ustar");
        },
        push: &["tar"],
    },
    Way {
        name: "in the message of a commit",
        says: "github-pat at the header or message of a commit in commit ",
        make: |gate, work| gate.commit(work, "a.py", "x\n", &format!("fix\n\n-{}", line())),
        push: TRUNK,
    },
    Way {
        name: "in an author's name",
        says: "github-pat at the header or message of a commit in commit ",
        make: |gate, work| {
            let author = format!("--author=Ada {} <a@example.com>", secret());
            gate.git(work, &["commit", "--quiet", "--allow-empty", "--message", "x", &author]).well();
        },
        push: TRUNK,
    },
    Way {
        name: "in the message of a tag",
        says: "github-pat at the header or message of a tag",
        make: |gate, work| drop(gate.git(work, &["tag", "-a", "-m", &line(), "v1"]).well()),
        push: &["v1"],
    },
    Way {
        name: "in the message of a tag of a tag",
        says: "github-pat at the header or message of a tag",
        make: |gate, work| {
            gate.git(work, &["tag", "-a", "-m", &line(), "inner"]).well();
            gate.git(work, &["tag", "-a", "-m", "outer", "v1", "inner"]).well();
        },
        push: &["v1"],
    },
    Way {
        name: "in a commit that only a tag reaches",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            gate.git(work, &["checkout", "--quiet", "--detach"]).well();
            gate.commit(work, "a.py", line(), "add");
            gate.git(work, &["tag", "light"]).well();
        },
        push: &["light"],
    },
    Way {
        name: "among references that are clean",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            gate.commit(work, "clean.py", "x = 1\n", "clean");
            gate.git(work, &["checkout", "--quiet", "-b", "dirty"]).well();
            gate.commit(work, "a.py", line(), "add");
            gate.git(work, &["tag", "v1", "trunk"]).well();
        },
        push: &["trunk", "dirty", "v1"],
    },
    Way {
        name: "by force",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            gate.git(work, &["checkout", "--quiet", "--orphan", "new"]).well();
            gate.commit(work, "a.py", line(), "add");
        },
        push: &["+new:trunk"],
    },
    Way {
        name: "in the name of a branch that is of no new commit",
        says: IN_A_NAME,
        make: |gate, work| drop(gate.git(work, &["branch", &secret()]).well()),
        push: &["refs/heads/*:refs/heads/*"],
    },
    Way {
        name: "in the name of a branch, below others",
        says: IN_A_NAME,
        make: |gate, work| drop(gate.git(work, &["branch", &format!("a/{}/b", secret())]).well()),
        push: &["refs/heads/*:refs/heads/*"],
    },
    Way {
        name: "in the name of a branch, in base64",
        says: IN_A_NAME,
        make: |gate, work| {
            let name = base64(format!("token {}", secret()).as_bytes());
            gate.git(work, &["branch", &format!("feature/{name}")]).well();
        },
        push: &["refs/heads/*:refs/heads/*"],
    },
    Way {
        name: "in the name of a lightweight tag",
        says: IN_A_NAME,
        make: |gate, work| drop(gate.git(work, &["tag", &secret()]).well()),
        push: &["--tags"],
    },
    Way {
        name: "in the name of an annotated tag",
        says: IN_A_NAME,
        make: |gate, work| drop(gate.git(work, &["tag", "-a", "-m", "x", &secret()]).well()),
        push: &["--tags"],
    },
    Way {
        name: "in the name that an annotated tag has inside",
        says: IN_A_TAG,
        make: |gate, work| tag_with(gate, work, &secret(), "Ada", "x"),
        push: &["v1"],
    },
    Way {
        name: "in the name of who tags",
        says: IN_A_TAG,
        make: |gate, work| tag_with(gate, work, "v1", &secret(), "x"),
        push: &["v1"],
    },
    Way {
        name: "in what looks like a tag's signature",
        says: IN_A_TAG,
        make: |gate, work| {
            let armour =
                format!("x\n-----BEGIN PGP SIGNATURE-----\n\n{}\n-----END PGP SIGNATURE-----", secret());
            tag_with(gate, work, "v1", "Ada", &armour);
        },
        push: &["v1"],
    },
    Way {
        name: "in the message of the innermost tag of three",
        says: IN_A_TAG,
        make: |gate, work| {
            gate.git(work, &["tag", "-a", "-m", &line(), "one"]).well();
            gate.git(work, &["tag", "-a", "-m", "x", "two", "one"]).well();
            gate.git(work, &["tag", "-a", "-m", "x", "v1", "two"]).well();
        },
        push: &["v1"],
    },
    Way {
        name: "in the name of an empty directory",
        says: IN_A_PATH,
        make: |gate, work| {
            let empty = empty_tree(gate, work);
            let tree = tree(gate, work, &format!("040000 tree {empty}\t{}", secret()));
            commit_tree(gate, work, &tree, &["HEAD"]);
        },
        push: TRUNK,
    },
    Way {
        name: "in the name of an empty directory below others",
        says: IN_A_PATH,
        make: |gate, work| {
            let empty = empty_tree(gate, work);
            let inner = tree_of(gate, work, &format!("040000 tree {empty}\t{}", secret()));
            let middle = tree_of(gate, work, &format!("040000 tree {inner}\tb"));
            let tree = tree(gate, work, &format!("040000 tree {middle}\ta"));
            commit_tree(gate, work, &tree, &["HEAD"]);
        },
        push: TRUNK,
    },
    Way {
        name: "in the name of an empty directory of a first commit",
        says: IN_A_PATH,
        make: |gate, work| {
            let empty = empty_tree(gate, work);
            let tree = tree_of(gate, work, &format!("040000 tree {empty}\t{}", secret()));
            commit_tree(gate, work, &tree, &[]);
        },
        push: &["+trunk:refs/heads/other"],
    },
    Way {
        name: "in the name of an empty directory that a merge brings",
        says: IN_A_PATH,
        make: |gate, work| {
            merge(gate, work, || ());
            let empty = empty_tree(gate, work);
            let tree = tree(gate, work, &format!("040000 tree {empty}\t{}", secret()));
            commit_tree(gate, work, &tree, &["HEAD^1", "HEAD^2"]);
        },
        push: TRUNK,
    },
    Way {
        name: "in the name of a directory, in base64",
        says: IN_A_PATH,
        make: |gate, work| {
            let name = base64(format!("token {}", secret()).as_bytes());
            gate.commit(work, &format!("some/{name}/file"), "x\n", "add");
        },
        push: TRUNK,
    },
    Way { name: "in the name of an empty file", says: IN_A_PATH, make: file!(&secret(), ""), push: TRUNK },
    Way {
        name: "in the name of an empty file that a merge brings",
        says: IN_A_PATH,
        make: |gate, work| {
            merge(gate, work, || {
                fs::write(work.join(secret()), "").unwrap();
                gate.git(work, &["add", "--all"]).well();
            });
        },
        push: TRUNK,
    },
    Way {
        name: "in the name of a file that a merge brings, with what another file has",
        says: IN_A_PATH,
        make: |gate, work| {
            merge(gate, work, || {
                fs::copy(work.join("README"), work.join(secret())).unwrap();
                gate.git(work, &["add", "--all"]).well();
            });
        },
        push: TRUNK,
    },
    Way {
        name: "in the name of a submodule",
        says: IN_A_PATH,
        make: |gate, work| {
            let tree = tree(gate, work, &format!("160000 commit {}\t{}", "1".repeat(40), secret()));
            commit_tree(gate, work, &tree, &["HEAD"]);
        },
        push: TRUNK,
    },
    Way {
        name: "in the name of a submodule that a merge brings",
        says: IN_A_PATH,
        make: |gate, work| {
            merge(gate, work, || ());
            let tree = tree(gate, work, &format!("160000 commit {}\t{}", "1".repeat(40), secret()));
            commit_tree(gate, work, &tree, &["HEAD^1", "HEAD^2"]);
        },
        push: TRUNK,
    },
    Way {
        name: "in a name with the end of a line in it",
        says: "github-pat at a path",
        make: file!(&format!("a\n{}\nb", secret()), "x\n"),
        push: TRUNK,
    },
    Way {
        name: "in a name behind bytes that are no text",
        says: "github-pat at a path",
        make: |gate, work| {
            use std::os::unix::ffi::OsStrExt as _;
            let name = [b"\xff\xfe ".as_slice(), secret().as_bytes()].concat();
            fs::write(work.join(std::ffi::OsStr::from_bytes(&name)), "x\n").unwrap();
            gate.commit(work, "a.py", "x\n", "add");
        },
        push: TRUNK,
    },
    Way {
        name: "in the name of a file that the next commit takes away",
        says: IN_A_PATH,
        make: |gate, work| {
            gate.commit(work, &secret(), "x\n", "add");
            gate.git(work, &["rm", "--quiet", &secret()]).well();
            gate.commit(work, "a.py", "x\n", "remove");
        },
        push: TRUNK,
    },
    Way {
        name: "in the target of a symbolic link",
        says: "github-pat at link:1",
        make: |gate, work| {
            std::os::unix::fs::symlink(secret(), work.join("link")).unwrap();
            gate.commit(work, "a.py", "x\n", "add");
        },
        push: TRUNK,
    },
    Way {
        name: "in the name of a symbolic link",
        says: IN_A_PATH,
        make: |gate, work| {
            std::os::unix::fs::symlink("a.py", work.join(secret())).unwrap();
            gate.commit(work, "a.py", "x\n", "add");
        },
        push: TRUNK,
    },
    Way {
        name: "in a file that becomes a symbolic link",
        says: "github-pat at README:1",
        make: |gate, work| {
            fs::remove_file(work.join("README")).unwrap();
            std::os::unix::fs::symlink(secret(), work.join("README")).unwrap();
            gate.commit(work, "a.py", "x\n", "add");
        },
        push: TRUNK,
    },
    Way {
        name: "in a program",
        says: "github-pat at run:2",
        make: |gate, work| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::write(work.join("run"), format!("#!/bin/sh\n{}", line())).unwrap();
            fs::set_permissions(work.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
            gate.commit(work, "a.py", "x\n", "add");
        },
        push: TRUNK,
    },
    Way {
        name: "in a file of an odd mode",
        says: "github-pat at odd:1",
        make: |gate, work| {
            let blob = gate.made(work, &["hash-object", "-w", "--stdin"], line().as_bytes());
            let blob: Vec<u8> =
                (0..20).map(|at| u8::from_str_radix(&blob[2 * at..2 * at + 2], 16).unwrap()).collect();
            let entry = [b"100664 odd\0".as_slice(), &blob].concat();
            let words = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
            let tree = gate.made(work, &words, &entry);
            commit_tree(gate, work, &tree, &["HEAD"]);
        },
        push: TRUNK,
    },
    Way {
        name: "in a file that is moved and changed",
        says: "github-pat at moved:2",
        make: |gate, work| {
            fs::rename(work.join("README"), work.join("moved")).unwrap();
            gate.commit(work, "moved", format!("hello\n{}", line()), "move");
        },
        push: TRUNK,
    },
    Way {
        name: "in a file that is taken away and comes back",
        says: "github-pat at a.py:1",
        make: |gate, work| {
            gate.commit(work, "a.py", line(), "add");
            gate.git(work, &["rm", "--quiet", "a.py"]).well();
            gate.commit(work, "b.py", "x\n", "remove");
            gate.commit(work, "a.py", line(), "add again");
        },
        push: TRUNK,
    },
    Way {
        name: "in the history of a branch whose merge leaves it out",
        says: "github-pat at side.txt:1",
        make: |gate, work| {
            gate.git(work, &["checkout", "--quiet", "-b", "side"]).well();
            gate.commit(work, "side.txt", line(), "side");
            gate.git(work, &["checkout", "--quiet", "trunk"]).well();
            gate.commit(work, "trunk.py", "x = 1\n", "trunk");
            gate.git(work, &["merge", "--quiet", "--no-ff", "-m", "merge", "-s", "ours", "side"]).well();
        },
        push: TRUNK,
    },
    Way {
        name: "in a merge of a history of its own",
        says: "github-pat at other.txt:1",
        make: |gate, work| {
            gate.git(work, &["checkout", "--quiet", "--orphan", "other"]).well();
            gate.git(work, &["rm", "--quiet", "--force", "README"]).well();
            gate.commit(work, "other.txt", line(), "other");
            gate.git(work, &["checkout", "--quiet", "trunk"]).well();
            let words =
                ["merge", "--quiet", "--no-ff", "-m", "merge", "--allow-unrelated-histories", "other"];
            gate.git(work, &words).well();
        },
        push: TRUNK,
    },
    Way {
        name: "in a merge of three",
        says: "github-pat at merged.txt:1",
        make: |gate, work| {
            for side in ["one", "two"] {
                gate.git(work, &["checkout", "--quiet", "-b", side, "origin/trunk"]).well();
                gate.commit(work, side, "x\n", side);
            }
            gate.git(work, &["checkout", "--quiet", "trunk"]).well();
            gate.commit(work, "trunk.py", "x = 1\n", "trunk");
            let blob = gate.made(work, &["hash-object", "-w", "--stdin"], line().as_bytes());
            let tree = tree(gate, work, &format!("100644 blob {blob}\tmerged.txt"));
            commit_tree(gate, work, &tree, &["HEAD", "one", "two"]);
        },
        push: TRUNK,
    },
    Way {
        name: "in a merge of one commit with itself",
        says: "github-pat at merged.txt:1",
        make: |gate, work| {
            let blob = gate.made(work, &["hash-object", "-w", "--stdin"], line().as_bytes());
            let tree = tree(gate, work, &format!("100644 blob {blob}\tmerged.txt"));
            let head = gate.git(work, &["rev-parse", "HEAD"]).well();
            let who = "Ada <a@example.com> 1700000000 +0000";
            let head = head.trim();
            let text =
                format!("tree {tree}\nparent {head}\nparent {head}\nauthor {who}\ncommitter {who}\n\nx\n");
            let words = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
            let commit = gate.made(work, &words, text.as_bytes());
            gate.git(work, &["update-ref", "refs/heads/trunk", &commit]).well();
        },
        push: TRUNK,
    },
    Way {
        name: "in a merge, in a long line",
        says: "github-pat at merged.txt:1",
        make: |gate, work| {
            merge(gate, work, || {
                let line = format!("{}{}{}", "word ".repeat(300_000), line().trim(), " word".repeat(300_000));
                fs::write(work.join("merged.txt"), line).unwrap();
                gate.git(work, &["add", "--all"]).well();
            });
        },
        push: TRUNK,
    },
    Way {
        name: "in a long line",
        says: "github-pat at a.txt:1",
        make: file!(
            "a.txt",
            format!("{}{}{}", "word ".repeat(300_000), line().trim(), " word".repeat(300_000))
        ),
        push: TRUNK,
    },
    Way {
        name: "in a commit that changes nothing",
        says: IN_A_COMMIT,
        make: |gate, work| {
            gate.git(work, &["commit", "--quiet", "--allow-empty", "--message", &secret()]).well();
        },
        push: TRUNK,
    },
    Way {
        name: "in an author's address",
        says: IN_A_COMMIT,
        make: |gate, work| {
            let author = format!("--author=Ada <{}@example.com>", secret());
            gate.git(work, &["commit", "--quiet", "--allow-empty", "--message", "x", &author]).well();
        },
        push: TRUNK,
    },
    Way {
        name: "in the name of who commits",
        says: IN_A_COMMIT,
        make: |gate, work| {
            let name = format!("user.name=Ada {}", secret());
            gate.git(work, &["-c", &name, "commit", "--quiet", "--allow-empty", "--message", "x"]).well();
        },
        push: TRUNK,
    },
    Way {
        name: "in a header of a commit that nobody knows",
        says: IN_A_COMMIT,
        make: |gate, work| commit_with(gate, work, &format!("x-note {}\n", secret()), b"x\n"),
        push: TRUNK,
    },
    Way {
        name: "in what should be a commit's signature",
        says: IN_A_COMMIT,
        make: |gate, work| {
            let header = format!("gpgsig -----BEGIN PGP SIGNATURE-----\n {}\n", secret());
            commit_with(gate, work, &header, b"x\n");
        },
        push: TRUNK,
    },
    Way {
        name: "in a tag that a commit carries along",
        says: IN_A_COMMIT,
        make: |gate, work| {
            let header =
                format!("mergetag object {}\n type commit\n tag x\n \n {}\n", "1".repeat(40), secret());
            commit_with(gate, work, &header, b"x\n");
        },
        push: TRUNK,
    },
    Way {
        name: "in what should be a commit's encoding",
        says: IN_A_COMMIT,
        make: |gate, work| commit_with(gate, work, &format!("encoding {}\n", secret()), b"x\n"),
        push: TRUNK,
    },
    Way {
        name: "in a message that is no UTF-8",
        says: IN_A_COMMIT,
        make: |gate, work| {
            let message = [b"\xff\xfe\x80 ".as_slice(), secret().as_bytes(), b"\n"].concat();
            commit_with(gate, work, "encoding ISO-8859-1\n", &message);
        },
        push: TRUNK,
    },
    Way {
        name: "in a message whose lines look like the gate's own",
        says: IN_A_COMMIT,
        make: |gate, work| {
            let message = format!("git-gate: the end\n{}\n+{}", "1".repeat(40), line());
            commit_with(gate, work, "", message.as_bytes());
        },
        push: TRUNK,
    },
    Way {
        name: "in a file whose lines look like the gate's own",
        says: "github-pat at a.txt:3",
        make: file!("a.txt", format!("git-gate: the end\n{}\n{}", "1".repeat(40), line())),
        push: TRUNK,
    },
    Way {
        name: "in a file whose lines look like a patch",
        says: "github-pat at a.txt:4",
        make: file!("a.txt", format!("diff --git b b\n--- a\n@@ -1 +1 @@\n-{}", line())),
        push: TRUNK,
    },
    Way {
        name: "in a file without an end of its last line",
        says: "github-pat at a.txt:2",
        make: file!("a.txt", format!("x\n{}", line().trim())),
        push: TRUNK,
    },
    Way {
        name: "in a file with the line ends of Windows",
        says: "github-pat at a.txt:2",
        make: file!("a.txt", format!("x\r\n{}\r\ny\r\n", line().trim())),
        push: TRUNK,
    },
    Way {
        name: "in a file with nothing but carriage returns",
        says: "github-pat at a.txt:1",
        make: file!("a.txt", format!("x\r{}\ry\r", line().trim())),
        push: TRUNK,
    },
    Way {
        name: "between form feeds and vertical tabs",
        says: "github-pat at a.txt:1",
        make: file!("a.txt", format!("\x0c\x0b{}\x0b\x0c\n", secret())),
        push: TRUNK,
    },
    Way {
        name: "behind a byte order mark",
        says: "github-pat at a.txt:1",
        make: file!("a.txt", format!("\u{feff}{}", line())),
        push: TRUNK,
    },
    Way {
        name: "in UTF-16, its large half first",
        says: "github-pat at env.ps1:",
        make: file!("env.ps1", wide(&line(), |c| u16::try_from(u32::from(c)).unwrap().to_be_bytes())),
        push: TRUNK,
    },
    Way {
        name: "in UTF-32",
        says: "github-pat at env.ps1:",
        make: file!("env.ps1", wide(&line(), |c| u32::from(c).to_le_bytes())),
        push: TRUNK,
    },
    Way {
        name: "in base64",
        says: "github-pat at a.txt:1",
        make: file!("a.txt", format!("data: {}\n", base64(format!("x {}", line()).as_bytes()))),
        push: TRUNK,
    },
    Way {
        name: "in base64 of base64",
        says: "github-pat at a.txt:1",
        make: |gate, work| {
            let once = base64(format!("x {}", line()).as_bytes());
            gate.commit(
                work,
                "a.txt",
                format!("data: {}\n", base64(format!("x {once} x").as_bytes())),
                "add",
            );
        },
        push: TRUNK,
    },
    Way {
        name: "in hexadecimal digits",
        says: "github-pat at a.txt:1",
        make: |gate, work| {
            let digits = hex("", line().as_bytes());
            gate.commit(work, "a.txt", format!("data: {digits}\n"), "add");
        },
        push: TRUNK,
    },
    Way {
        name: "in percent signs",
        says: "github-pat at a.txt:1",
        make: |gate, work| {
            let signs = hex("%", line().as_bytes());
            gate.commit(work, "a.txt", format!("data={signs}\n"), "add");
        },
        push: TRUNK,
    },
    Way {
        name: "behind what begins a program",
        says: "github-pat at a.bin:",
        make: file!("a.bin", [b"\x7fELF\x02\x01\x01\0".as_slice(), line().as_bytes()].concat()),
        push: TRUNK,
    },
    Way {
        name: "behind what begins an archive",
        says: "github-pat at a.zip:",
        make: file!("a.zip", [b"PK\x03\x04\n".as_slice(), line().as_bytes()].concat()),
        push: TRUNK,
    },
    Way {
        name: "in the address of a submodule",
        says: "github-pat at .gitmodules:",
        make: file!(
            ".gitmodules",
            format!("[submodule \"x\"]\n\tpath = x\n\turl = https://u:{}@code.example.com/x\n", secret())
        ),
        push: TRUNK,
    },
    Way {
        name: "behind attributes that say another encoding",
        says: "github-pat at a.txt:1",
        make: |gate, work| {
            gate.commit(work, "a.txt", line(), "add");
            gate.commit(
                work,
                ".gitattributes",
                "a.txt working-tree-encoding=ISO-8859-1 -diff binary\n",
                "attributes",
            );
        },
        push: TRUNK,
    },
];

/// One way each, of those whose number leaves this rest.
fn held(rest: usize) {
    let gate = Gate::start();
    let before = {
        gate.clone("first");
        gate.state()
    };
    for (number, way) in WAYS.iter().enumerate().filter(|(number, _)| number % 4 == rest) {
        if !scanner().real && !way.is_plain() {
            continue;
        }
        let work = gate.clone(&format!("way-{number}"));
        (way.make)(&gate, &work);
        let words = [&["push", "--quiet", "origin"][..], way.push].concat();
        let said = gate.git(&work, &words).badly();
        let what = format!("{}:\n{said}\n{}", way.name, gate.log());
        assert!(said.contains(&format!("remote: git-gate: {} found secrets", name())), "{what}");
        assert!(said.contains(way.says), "{what}");
        // git itself tells who pushes of which name it speaks.
        let of_the_gate: String = said.lines().filter(|line| line.starts_with("remote: ")).collect();
        assert!(!of_the_gate.contains(&secret()), "{what}");
        assert_eq!(gate.state(), before, "{what}");
        let head = gate.git(&work, &["rev-parse", "HEAD"]).well();
        assert!(before.0.contains(head.trim()) || !gate.upstream_has(head.trim()), "{what}");
        assert!(!gate.log().contains(&secret()), "{what}");
    }
    // And what is clean goes through the same gate, to show that it is not shut for good.
    let work = gate.clone("clean");
    gate.commit(&work, "a.py", "x = 1\n", "clean");
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
    assert_ne!(gate.state(), before);
}

pub(super) fn no_secret_goes_upstream_however_it_is_hidden_0() {
    held(0);
}

pub(super) fn no_secret_goes_upstream_however_it_is_hidden_1() {
    held(1);
}

pub(super) fn no_secret_goes_upstream_however_it_is_hidden_2() {
    held(2);
}

pub(super) fn no_secret_goes_upstream_however_it_is_hidden_3() {
    held(3);
}

/// Where no scanner of ours looks, as the guarantees say: what is found some day is to be taken off that list.
pub(super) fn what_is_said_not_to_be_found_is_not_found() -> Outcome {
    needs(scanner().real, "the real scanner cannot be had here")?;
    let (left, right) = (&secret()[..20], &secret()[20..]);
    let swapped: String = secret()
        .chars()
        .map(|c| match c {
            'a'..='m' | 'A'..='M' => char::from(c as u8 + 13),
            'n'..='z' | 'N'..='Z' => char::from(c as u8 - 13),
            c => c,
        })
        .collect();
    let gate = Gate::start();
    let work = gate.clone("work");
    for (said, content) in [
        ("compressed", gzipped(line().as_bytes())),
        ("in two parts", format!("a = \"{left}\"\nb = \"{right}\"\n").into_bytes()),
        ("letters are exchanged", format!("{swapped}\n").into_bytes()),
        ("backwards", line().trim().chars().rev().collect::<String>().into_bytes()),
    ] {
        gate.commit(&work, "a.txt", content, said);
        gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
    }
    // And in no bytes at all: the half of a number that names a commit elsewhere.
    let digits = hex("", &secret().as_bytes()[..20]);
    let tree = tree(&gate, &work, &format!("160000 commit {digits}\tsub"));
    commit_tree(&gate, &work, &tree, &["HEAD"]);
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
    Ok(())
}

/// The name of a branch that is only to be deleted reaches the upstream as well, be there such a branch or not.
pub(super) fn the_name_of_what_is_deleted_is_scanned_unless_it_is_upstream_already() {
    let gate = Gate::start();
    let work = gate.clone("work");
    let head = gate.git(&work, &["rev-parse", "HEAD"]).well();
    let delete = |name: &str| {
        let old = head.trim();
        let none = "0".repeat(40);
        gate.send(
            "git-receive-pack /api",
            &format!("{old} {none} refs/heads/{name}\0report-status side-band-64k\n"),
        )
    };
    let said = delete(&secret());
    assert!(said.contains("found secrets in this push") && said.contains("hook declined"), "{said}");
    // Somebody else made one, and it may go.
    let seed = gate.at("seed");
    let upstream = gate.at("upstream/acme/api.git");
    let upstream = upstream.to_str().unwrap();
    gate.git(&seed, &["push", "--quiet", upstream, &format!("trunk:refs/heads/{}", secret())]).well();
    assert!(gate.state().0.contains(&secret()));
    gate.git(&work, &["push", "--quiet", "origin", "--delete", &secret()]).well();
    assert!(!gate.state().0.contains(&secret()));
}

/// What is upstream already, or only taken away, is no finding: it would make a repository unusable.
pub(super) fn only_what_is_new_is_scanned() {
    let gate = Gate::prepare(super::gate::SPEC);
    let seed = gate.at("seed");
    gate.commit(&seed, "old.py", line(), "long ago");
    let upstream = gate.at("upstream/acme/api.git");
    gate.git(&seed, &["push", "--quiet", upstream.to_str().unwrap(), "trunk"]).well();
    let mut gate = gate;
    gate.serve();
    let work = gate.clone("work");
    gate.commit(&work, "new.py", "x = 1\n", "new");
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
    gate.commit(&work, "old.py", "token = None\n", "clean up");
    gate.git(&work, &["push", "--quiet", "origin", "trunk", "trunk:refs/heads/copy"]).well();
    assert_eq!(gate.state().0, gate.state().1);
}
