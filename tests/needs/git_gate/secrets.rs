//! No secret goes upstream, however it is hidden.

use std::fs;
use std::path::Path;

use super::gate::Gate;
use super::scanner::{name, scanner};

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

fn line() -> String {
    format!("token = \"{}\"\n", secret())
}

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
];

pub(super) fn no_secret_goes_upstream_however_it_is_hidden() {
    let gate = Gate::start();
    let before = {
        gate.clone("first");
        gate.state()
    };
    for (number, way) in WAYS.iter().enumerate() {
        let work = gate.clone(&format!("way-{number}"));
        (way.make)(&gate, &work);
        let words = [&["push", "--quiet", "origin"][..], way.push].concat();
        let said = gate.git(&work, &words).badly();
        let what = format!("{}:\n{said}\n{}", way.name, gate.log());
        assert!(said.contains(&format!("remote: git-gate: {} found secrets", name())), "{what}");
        // The stand-in knows lines and no more.
        assert!(said.contains(way.says), "{what}");
        assert!(!said.contains(&secret()), "{what}");
        assert_eq!(gate.state(), before, "{what}");
        let head = gate.git(&work, &["rev-parse", "HEAD"]).well();
        assert!(way.push == ["v1"] || !gate.upstream_has(head.trim()), "{what}");
        assert!(!gate.log().contains(&secret()), "{what}");
    }
    // And what is clean goes through the same gate, to show that it is not shut for good.
    let work = gate.clone("clean");
    gate.commit(&work, "a.py", "x = 1\n", "clean");
    gate.git(&work, &["push", "--quiet", "origin", "trunk"]).well();
    assert_ne!(gate.state(), before);
    assert!(scanner().directory.is_dir());
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
