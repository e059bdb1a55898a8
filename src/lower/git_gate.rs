//! `git-gate/`: the directory that git-gate runs from, and the git configuration of the agent, which sends it there.
//!
//! Its program is the same for every bottle. Whatever a spec says is in files of data that it reads: one of host keys,
//! one for the scanner's name, and one a repository for its URL.

mod gitconfig;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Artifact, Bytes, Constant, Mode};
use crate::plan::{Plan, PlannedRepo};
use crate::world::secret_scanner;
use crate::world::upstream::Upstream;

pub use gitconfig::{PATH as GITCONFIG_PATH, is_wanted as has_gitconfig};

/// Its directory in the stage.
pub const DIRECTORY: &str = "git-gate";

/// The command by which the container does one of the things that its program does.
#[must_use]
pub fn command(what: &str) -> [&str; 4] {
    // Nothing of the environment, of a user or of the working directory gets into it.
    ["python3", "-ISB", "/git-gate/gate.py", what]
}

/// The program.
static GATE: Constant = Constant::new(include_str!("git_gate/gate.py"));
/// What the daemon runs, which is a program of ours by another name.
static ACCESS: Constant = Constant::new(include_str!("git_gate/access"));
/// What git runs, likewise.
static PRE_RECEIVE: Constant = Constant::new(include_str!("git_gate/pre-receive"));
/// All that git reads besides a mirror's own configuration.
static GITCONFIG: Constant = Constant::new(include_str!("git_gate/gitconfig"));
/// The configuration of every mirror.
static MIRROR: Constant = Constant::new(include_str!("git_gate/mirror.gitconfig"));
/// The rules that the scanner goes by.
static SCANNER: Constant = Constant::new(include_str!("git_gate/scanner.toml"));

/// The files that are the same for every bottle.
static CONSTANT: &[(&str, Mode, &Constant)] = &[
    ("gate.py", Mode::Shared, &GATE),
    ("access", Mode::Executable, &ACCESS),
    ("hooks/pre-receive", Mode::Executable, &PRE_RECEIVE),
    ("gitconfig", Mode::Shared, &GITCONFIG),
    ("mirror.gitconfig", Mode::Shared, &MIRROR),
    ("scanner.toml", Mode::Shared, &SCANNER),
];

/// Whether a path of the stage is of a file that is the same for every bottle.
#[must_use]
pub fn is_constant(path: &str) -> bool {
    let path = path.strip_prefix(DIRECTORY).and_then(|path| path.strip_prefix('/'));
    CONSTANT.iter().any(|(constant, ..)| path == Some(constant))
}

/// Adds the files: none of git-gate's without a repository, none of the agent's without anything to say in it.
pub(super) fn lower(plan: &Plan, files: &mut BTreeMap<String, Artifact>) {
    if let Some(text) = gitconfig::lower(plan) {
        files.insert(gitconfig::PATH.to_owned(), Artifact { bytes: text.into(), mode: Mode::Shared });
    }
    if plan.repos.is_empty() {
        return;
    }
    let mut add = |path: &str, mode: Mode, bytes: Bytes| {
        files.insert(format!("{DIRECTORY}/{path}"), Artifact { bytes, mode });
    };
    for (path, mode, constant) in CONSTANT {
        add(path, *mode, (*constant).into());
    }
    add("scanner", Mode::Shared, format!("{}\n", plan.scanner).into());
    add("known_hosts", Mode::Shared, known_hosts(&plan.repos).into());
    for repo in &plan.repos {
        // What the language takes can be read.
        let Some(upstream) = Upstream::parse(&repo.url) else { continue };
        add(&format!("repos/{}/url", repo.name), Mode::Shared, format!("{upstream}\n").into());
    }
    if plan.git_gate_image.is_none() {
        add("Containerfile", Mode::Shared, containerfile(plan).into());
    }
}

/// The host keys of all upstreams, each once and in order.
fn known_hosts(repos: &[PlannedRepo]) -> String {
    let lines: BTreeSet<String> = host_keys(repos).map(|(line, ..)| line).collect();
    lines.into_iter().collect()
}

/// The line of each host key, with its repository and its place among the keys of that one.
pub(crate) fn host_keys(repos: &[PlannedRepo]) -> impl Iterator<Item = (String, &PlannedRepo, usize)> {
    repos.iter().filter_map(|repo| Some((Upstream::parse(&repo.url)?.known_host(), repo))).flat_map(
        |(host, repo)| {
            let line = move |(n, key): (usize, &String)| (format!("{host} {key}\n"), repo, n);
            repo.host_keys.iter().enumerate().map(line)
        },
    )
}

/// How the image is made, when the spec names none.
fn containerfile(plan: &Plan) -> String {
    let mut text = String::from(
        "# git-gate's image: the scanner's own, with git and its daemon, ssh and Python. Built with this directory as\n\
         # context, of which nothing is copied: it is mounted at /git-gate.\n",
    );
    let image = secret_scanner::find(plan.scanner).map_or("", |scanner| scanner.image);
    // Writing to a `String` cannot fail.
    let _ = write!(text, "FROM {image}\nRUN apk add --no-cache git git-daemon openssh-client python3\n");
    text
}
