//! Hooks and settings of a repository that run a program, each with a witness, and the proof that each of them would.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::git_gate::program;

/// Hooks that a fetch, a push, or whatever follows one, may run.
const HOOKS: [&str; 8] = [
    "reference-transaction",
    "pre-receive",
    "update",
    "post-receive",
    "post-update",
    "post-merge",
    "post-checkout",
    "pre-auto-gc",
];

/// Settings that name a program, or lead to one.
const SETTINGS: &str = r#"
[core]
	fsmonitor = RUN/fsmonitor
	sshCommand = RUN/sshCommand
	gitProxy = RUN/gitProxy
[uploadpack]
	packObjectsHook = RUN/packObjectsHook
[url "ext::RUN/insteadOf "]
	insteadOf = git://insteadof.example/
	insteadOf = git://192
	insteadOf = /
[protocol "ext"]
	allow = always
[include]
	path = included
[credential]
	helper = "!RUN/credential"
[filter "trap"]
	clean = "RUN/clean; cat"
	smudge = "RUN/smudge; cat"
[gc]
	auto = 1
	autoPackLimit = 1
[remote]
	pushDefault = trap
[remote "trap"]
	url = .
	receivepack = "RUN/receivepack"
	uploadpack = "RUN/uploadpack"
"#;

/// The programs of the settings.
const PROGRAMS: [&str; 11] = [
    "fsmonitor",
    "sshCommand",
    "gitProxy",
    "packObjectsHook",
    "insteadOf",
    "include",
    "credential",
    "clean",
    "smudge",
    "receivepack",
    "uploadpack",
];

/// Commands that spring each of them.
const CONTROL: [&str; 10] = [
    "git add --all; git status",
    "git update-ref refs/heads/trapped HEAD",
    "git push ./ HEAD:refs/heads/other",
    "git checkout -q -b side; git commit -q --allow-empty -m y; git checkout -q -; git merge -q side",
    "git ls-remote ssh://host.example/x; git ls-remote git://host.example/x; git ls-remote git://insteadof.example/x",
    "printf 'protocol=https\\nhost=x.example\\n\\n' | git credential fill",
    "echo more >>README; git add README; git stash -q",
    "git push trap HEAD:refs/heads/z; git fetch trap; git included",
    "for n in 1 2 3; do git commit -q --allow-empty -m $n; git repack -q; done; git gc --auto",
    // That setting counts in a configuration of the user's only.
    "printf '[uploadpack]\\n\\tpackObjectsHook = RUN/packObjectsHook\\n' >global; GIT_CONFIG_GLOBAL=$PWD/global git clone -q --no-local . copy",
];

/// A repository's traps.
pub(crate) struct Traps {
    witnesses: PathBuf,
    git_dir: PathBuf,
}

impl Traps {
    /// Plants every trap in a git directory. The witnesses are left in a directory of their own.
    pub(crate) fn plant(git_dir: &Path, witnesses: &Path) -> Self {
        fs::create_dir_all(witnesses).unwrap();
        let run = witnesses.with_extension("run");
        fs::create_dir_all(&run).unwrap();
        for name in PROGRAMS {
            program(&run.join(name), &format!("#!/bin/sh\ntouch '{}'\n", witnesses.join(name).display()));
        }
        fs::create_dir_all(git_dir.join("hooks")).unwrap();
        for hook in HOOKS {
            let script = format!("#!/bin/sh\ntouch '{}'\n", witnesses.join(hook).display());
            program(&git_dir.join("hooks").join(hook), &script);
        }
        let written = SETTINGS.replace("RUN", run.to_str().unwrap());
        let config = git_dir.join("config");
        fs::write(&config, fs::read_to_string(&config).unwrap() + &written).unwrap();
        let included = format!("[alias]\n\tincluded = \"!{}\"\n", run.join("include").display());
        fs::write(git_dir.join("included"), included).unwrap();
        fs::create_dir_all(git_dir.join("info")).unwrap();
        fs::write(git_dir.join("info/attributes"), "* filter=trap\n").unwrap();
        Self { witnesses: witnesses.to_owned(), git_dir: git_dir.to_owned() }
    }

    /// The traps that were sprung.
    pub(crate) fn sprung(&self) -> BTreeSet<String> {
        fs::read_dir(&self.witnesses)
            .unwrap()
            .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// Shows that each trap is one: git by itself, in a copy of the repository, springs all of them.
    #[track_caller]
    pub(crate) fn prove(&self) {
        let copy = self.witnesses.with_extension("copy");
        let _ = fs::remove_dir_all(&copy);
        fs::create_dir(&copy).unwrap();
        let copied = Command::new("cp").arg("-rp").arg(&self.git_dir).arg(copy.join(".git")).status();
        assert!(copied.unwrap().success());
        let mut said = String::new();
        for script in CONTROL {
            let output = Command::new("timeout")
                .args([
                    "20",
                    "sh",
                    "-c",
                    &script.replace("RUN", self.witnesses.with_extension("run").to_str().unwrap()),
                ])
                .current_dir(&copy)
                .env_clear()
                .env("PATH", crate::support::binary::SYSTEM_PATH)
                .env("HOME", &copy)
                .env("GIT_AUTHOR_NAME", "a")
                .env("GIT_AUTHOR_EMAIL", "a@b")
                .env("GIT_COMMITTER_NAME", "a")
                .env("GIT_COMMITTER_EMAIL", "a@b")
                .env("GIT_TERMINAL_PROMPT", "0")
                .stdin(Stdio::null())
                .output()
                .unwrap();
            said += &format!("$ {script}\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let sprung = self.sprung();
        let missing: Vec<&str> =
            HOOKS.into_iter().chain(PROGRAMS).filter(|name| !sprung.contains(*name)).collect();
        assert!(missing.is_empty(), "these traps are none: {missing:?}\n{said}");
        for witness in sprung {
            fs::remove_file(self.witnesses.join(witness)).unwrap();
        }
    }
}
