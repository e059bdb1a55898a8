//! `agent/gitconfig`: who commits, and where every spelling of an upstream's URL leads.

use std::collections::BTreeMap;

use crate::plan::{Origins, Plan, PlannedAuthor, PlannedRepo, Traced};
use crate::world::builtin::{self, Builtin};
use crate::world::upstream::Upstream;

/// Its path in the stage.
pub const PATH: &str = "agent/gitconfig";

/// What asks for the file: the author, the repositories; nothing when it would say nothing.
#[must_use]
pub fn asked(plan: &Plan) -> Option<Origins> {
    let author = plan.git.user.given().map(|author| author.origins);
    let repos = (!plan.git.repos.is_empty()).then(|| plan.asked(builtin::GIT_GATE));
    match (author, repos) {
        (Some(author), Some(repos)) => Some(author.and(&repos)),
        (author, repos) => author.or(repos),
    }
}

/// The lines of the file.
pub(super) fn lines(plan: &Plan) -> Vec<Traced<String>> {
    let Plan { git, addresses, .. } = plan;
    let mut lines = Vec::new();
    if let Some(PlannedAuthor { name, email }) = &git.user.value {
        lines.push(name.with(String::from("[user]")));
        lines.push(name.with(format!("\tname = {}", quoted(name))));
        lines.push(email.with(format!("\temail = {}", quoted(email))));
    }
    // A spelling that two repositories have leads nowhere rather than to the wrong one.
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    let spellings: Vec<(&PlannedRepo, Vec<String>)> = git
        .repos
        .iter()
        .filter_map(|repo| {
            // One on the host has no other URL than the gate's.
            let spellings = repo.upstream().map(|it| Upstream::parse(&it.url).map(|url| url.spellings()));
            Some((&repo.value, spellings.unwrap_or_else(|| Some(Vec::new()))?))
        })
        .collect();
    for spelling in spellings.iter().flat_map(|(_, spellings)| spellings) {
        *owners.entry(spelling.clone()).or_default() += 1;
    }
    let port = builtin::find(builtin::GIT_GATE).map_or(0, |Builtin { port, .. }| *port);
    let gate = format!("git://{}:{port}", addresses.bundle());
    for (repo, spellings) in spellings {
        let PlannedRepo { name, writable: _, source: _ } = repo;
        let instead_of = |spelling: &str| repo.place().with(format!("\tinsteadOf = {}", quoted(spelling)));
        // git replaces a prefix. With a slash at the end whatever follows one makes a path that the daemon does not
        // know: `acme/api-docs` cannot become a repository called `api-docs`.
        let section = format!("[url {}]", quoted(&format!("{gate}/{name}/")));
        lines.push(name.with(section).and(&addresses.origins));
        if !git.repos.iter().any(|other| *other.name == format!("{name}.git")) {
            lines.push(instead_of(&format!("{gate}/{name}.git")));
        }
        let own = spellings.iter().filter(|spelling| owners.get(*spelling) == Some(&1));
        lines.extend(own.map(|spelling| instead_of(spelling)));
    }
    lines
}

/// A value, or the name of a subsection, as git reads it back: no other character is special between quotes, and a
/// spec's text has no line end.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
