//! `git-gate/`, the agent's git configuration, and the files that are the same in every stage that has them.

use std::collections::BTreeMap;
use std::iter::repeat_n;

use super::Decisions;
use super::cause::{Cause, Causes, all, itself, or_default};
use crate::lower::{git_gate, sums, supervise};

/// Of a file that is the same in every stage that has it.
const CONSTANT: &str = "the same in every stage that has this file";

/// Of what is computed from the other files.
const DIGEST: &str = "the digest of a file of the stage";

impl Decisions<'_> {
    pub(super) fn other(&self, file: &str, text: &str) -> Vec<Causes> {
        let lines = text.lines().count();
        let constant = |asked: Causes| all([asked, vec![Cause::Compiler(CONSTANT)]]);
        if file == git_gate::GITCONFIG_PATH {
            return self.gitconfig(text);
        }
        if file == sums::PATH {
            return repeat_n(vec![Cause::Compiler(DIGEST)], lines).collect();
        }
        if file == supervise::SERVER_PATH {
            return repeat_n(constant(self.supervise()), lines).collect();
        }
        if git_gate::is_constant(file) {
            return repeat_n(constant(self.repos()), lines).collect();
        }
        let gate = file.strip_prefix(git_gate::DIRECTORY).and_then(|path| path.strip_prefix('/'));
        let causes = |line: &str| match gate {
            Some("scanner") => or_default(self.places.scanner),
            Some("Containerfile") if line.starts_with("FROM ") => {
                all([or_default(self.places.scanner), itself()])
            }
            Some("Containerfile") => constant(self.repos()),
            Some(path) => path
                .strip_prefix("repos/")
                .and_then(|path| path.strip_suffix("/url"))
                .map(|name| self.repo(name, |repo| Some(repo.url)))
                .unwrap_or_default(),
            None => Causes::new(),
        };
        match gate {
            Some("known_hosts") => self.known_hosts(),
            _ => text.lines().map(causes).collect(),
        }
    }

    /// A host key is in the file once, whoever gives it.
    fn known_hosts(&self) -> Vec<Causes> {
        let mut lines = BTreeMap::<String, Vec<Causes>>::new();
        for (line, repo, n) in git_gate::host_keys(&self.plan.repos) {
            lines.entry(line).or_default().push(self.repo(&repo.name, |repo| repo.host_keys.get(n).copied()));
        }
        lines.into_values().map(all).collect()
    }

    /// A section of the author, then one a repository, in the plan's order.
    fn gitconfig(&self, text: &str) -> Vec<Causes> {
        let mut repos = self.plan.repos.iter();
        let mut repo = None;
        let causes = |line: &str| {
            if line.starts_with("[url ") {
                repo = repos.next();
                let name = repo.map(|repo| self.repo(&repo.name, |repo| Some(repo.name))).unwrap_or_default();
                return all([name, self.addresses()]);
            }
            match (repo, line.trim_start()) {
                (Some(repo), _) => self.repo(&repo.name, |repo| Some(repo.url)),
                (None, line) if line.starts_with("email") => or_default(self.places.git_email),
                (None, _) => or_default(self.places.git_name),
            }
        };
        text.lines().map(causes).collect()
    }
}
