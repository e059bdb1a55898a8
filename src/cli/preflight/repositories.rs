//! Repositories of this host that git-gate is to serve.

use bottlec::lower::shell;
use bottlec::plan::{Plan, PlannedLocal};
use bottlec::text::{counted, quote, quote_path};
use bottlec::world::handed_over::Role;

use super::{Finding, handed, on_host};
use crate::cli::repository::{self, Repository};

/// Looks at each repository of a plan.
pub(super) fn check(plan: &Plan) -> Vec<Finding> {
    let locals = plan.git.repos.iter().filter_map(|repo| Some((&repo.name, repo.local()?)));
    locals.map(|(name, local)| one(plan, name, local)).collect()
}

fn one(plan: &Plan, name: &str, PlannedLocal { path, variable, mount: _ }: &PlannedLocal) -> Finding {
    let head = format!("{} of {}", quote(name), quote(&plan.slug));
    let Some(path) = on_host(path) else {
        return Finding::missing(
            format!("{head} is in a home, and there is no HOME"),
            String::from("set HOME"),
        );
    };
    let refused = handed::refused(&path, Role::Repository).filter(|_| !handed::is_accepted(plan));
    if let Some(why) = refused {
        let text =
            format!("{} is not for git-gate of {}: {}", quote_path(&path), quote(&plan.slug), why.reason);
        return Finding::missing(text, why.help.to_owned());
    }
    match repository::resolve(&path) {
        Err(error) => Finding::missing(format!("{head}: {error}"), error.help()),
        Ok(repository) => {
            let directory = shell::word(&repository.common_dir.to_string_lossy());
            Finding::ready(format!("{head} is ready: {variable}={directory}{}", stays(&repository)))
        }
    }
}

/// What does not go along, a line each.
fn stays(repository: &Repository) -> String {
    let uncommitted = match repository.uncommitted() {
        Some(0) => {
            String::from("what is not committed does not go along, such as files that git does not track")
        }
        Some(files) => {
            format!(
                "what is not committed does not go along: {}",
                counted(files, "changed file", "changed files")
            )
        }
        None => String::from("what is not committed does not go along"),
    };
    let notes = repository.notes.iter().map(|note| (*note).to_owned());
    let lines: Vec<String> = [String::new(), uncommitted].into_iter().chain(notes).collect();
    lines.join("\n       ")
}
