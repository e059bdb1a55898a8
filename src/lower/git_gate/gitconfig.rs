//! `agent/gitconfig`: who commits, and where every spelling of an upstream's URL leads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plan::{Plan, PlannedRepo};
use crate::world::builtin::{self, Builtin};
use crate::world::upstream::Upstream;

/// Its path in the stage.
pub const PATH: &str = "agent/gitconfig";

/// Whether it would say anything.
#[must_use]
pub fn is_wanted(plan: &Plan) -> bool {
    plan.git_user.is_some() || !plan.repos.is_empty()
}

/// The file, or nothing when it would say nothing.
pub(super) fn lower(plan: &Plan) -> Option<String> {
    let Plan { git_user, repos, addresses, .. } = plan;
    if !is_wanted(plan) {
        return None;
    }
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    if let Some((name, email)) = git_user {
        let _ = writeln!(text, "[user]\n\tname = {}\n\temail = {}", quoted(name), quoted(email));
    }
    // A spelling that two repositories have leads nowhere rather than to the wrong one.
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    let spellings: Vec<(&PlannedRepo, Vec<String>)> =
        repos.iter().filter_map(|repo| Some((repo, Upstream::parse(&repo.url)?.spellings()))).collect();
    for spelling in spellings.iter().flat_map(|(_, spellings)| spellings) {
        *owners.entry(spelling.clone()).or_default() += 1;
    }
    let port = builtin::find(builtin::GIT_GATE).map_or(0, |Builtin { port, .. }| *port);
    let gate = format!("git://{}:{port}", addresses.bundle());
    for (repo, spellings) in spellings {
        let name = &repo.name;
        // git replaces a prefix. With a slash at the end whatever follows one makes a path that the daemon does not
        // know: `acme/api-docs` cannot become a repository called `api-docs`.
        let _ = writeln!(text, "[url {}]", quoted(&format!("{gate}/{name}/")));
        if !repos.iter().any(|other| other.name == format!("{name}.git")) {
            let _ = writeln!(text, "\tinsteadOf = {}", quoted(&format!("{gate}/{name}.git")));
        }
        for spelling in spellings.iter().filter(|spelling| owners.get(*spelling) == Some(&1)) {
            let _ = writeln!(text, "\tinsteadOf = {}", quoted(spelling));
        }
    }
    Some(text)
}

/// A value, or the name of a subsection, as git reads it back: no other character is special between quotes, and a
/// spec's text has no line end.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
