//! `git-gate/`: the directory that git-gate runs from, and the git configuration of the agent, which sends it there.
//!
//! Its program is the same for every bottle. Whatever a spec says is in files of data that it reads: one of host keys,
//! one for the scanner's name, and one a repository for its URL.

mod gitconfig;

use std::collections::BTreeMap;

use super::{Constant, Draft, Mode};
use crate::plan::{
    Origins, Plan, PlannedGit, PlannedLocal, PlannedRepo, PlannedSource, PlannedUpstream, Traced,
};
use crate::world::builtin;
use crate::world::secret_scanner;
use crate::world::upstream::Upstream;

pub use gitconfig::{PATH as GITCONFIG_PATH, asked as asks_for_gitconfig};

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
/// The configuration by which a repository of the host's is read.
static VIEW: Constant = Constant::new(include_str!("git_gate/view.gitconfig"));
/// The rules that the scanner goes by.
static SCANNER: Constant = Constant::new(include_str!("git_gate/scanner.toml"));

/// The files that are the same for every bottle.
static CONSTANT: &[(&str, Mode, &Constant)] = &[
    ("gate.py", Mode::Shared, &GATE),
    ("access", Mode::Executable, &ACCESS),
    ("hooks/pre-receive", Mode::Executable, &PRE_RECEIVE),
    ("gitconfig", Mode::Shared, &GITCONFIG),
    ("mirror.gitconfig", Mode::Shared, &MIRROR),
    ("view.gitconfig", Mode::Shared, &VIEW),
    ("scanner.toml", Mode::Shared, &SCANNER),
];

/// Adds the files: none of git-gate's without a repository, none of the agent's without anything to say in it.
pub(crate) fn lower(plan: &Plan, draft: &mut Draft) {
    if let Some(asked) = gitconfig::asked(plan) {
        draft.lines(gitconfig::PATH, Mode::Shared, asked, &gitconfig::lines(plan));
    }
    let PlannedGit { user: _, repos, scanner, image } = &plan.git;
    if repos.is_empty() {
        return;
    }
    let asked = plan.asked(builtin::GIT_GATE);
    for (path, mode, constant) in CONSTANT {
        draft.constant(&format!("{DIRECTORY}/{path}"), *mode, asked.clone(), constant);
    }
    let mut add = |path: &str, asked: &Origins, lines: &[Traced<String>]| {
        draft.lines(&format!("{DIRECTORY}/{path}"), Mode::Shared, asked.clone(), lines);
    };
    let scanner_name = scanner.with(scanner.as_deref().unwrap_or_default().to_owned());
    add("scanner", &asked, &[scanner_name]);
    add("known_hosts", &asked, &known_hosts(repos));
    for repo in repos {
        let PlannedRepo { name, writable, source } = &repo.value;
        match source {
            PlannedSource::Upstream(PlannedUpstream { url, identity: _, host_keys: _ }) => {
                // What the language takes can be read.
                let Some(upstream) = Upstream::parse(url) else { continue };
                add(&format!("repos/{name}/url"), &name.origins, &[url.with(upstream.to_string())]);
            }
            PlannedSource::Local(PlannedLocal { path, variable: _, mount }) => {
                add(&format!("repos/{name}/local"), &path.origins, &[mount.with(mount.value.clone())]);
            }
        }
        if !**writable {
            add(&format!("repos/{name}/read-only"), &writable.origins, &[]);
        }
    }
    if image.is_none() {
        add("Containerfile", &asked, &containerfile(scanner, &asked));
    }
}

/// The host keys of all upstreams, each once and in order, whoever gives it.
fn known_hosts(repos: &[Traced<PlannedRepo>]) -> Vec<Traced<String>> {
    let mut lines: BTreeMap<String, Origins> = BTreeMap::new();
    for repo in repos {
        let Some(PlannedUpstream { url, identity: _, host_keys }) = repo.upstream() else { continue };
        let Some(host) = Upstream::parse(url).map(|upstream| upstream.known_host()) else { continue };
        for key in host_keys {
            let line = format!("{host} {key}");
            let origins = match lines.remove(&line) {
                Some(others) => others.and(&key.origins),
                None => key.origins.clone(),
            };
            lines.insert(line, origins);
        }
    }
    lines.into_iter().map(|(line, origins)| Traced::new(line, origins)).collect()
}

/// How the image is made, when the spec names none.
fn containerfile(scanner: &Traced<Option<String>>, asked: &Origins) -> Vec<Traced<String>> {
    let found = scanner.as_deref().and_then(secret_scanner::find);
    let image = found.map_or("", |scanner| scanner.image);
    let ours = |line: &str| Traced::new(line.to_owned(), asked.clone());
    vec![
        ours(
            "# git-gate's image: the scanner's own, with git and its daemon, ssh and Python. Built with this directory as",
        ),
        ours("# context, of which nothing is copied: it is mounted at /git-gate."),
        scanner.with(format!("FROM {image}")),
        ours("RUN apk add --no-cache git git-daemon openssh-client python3"),
    ]
}
