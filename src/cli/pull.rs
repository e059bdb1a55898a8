//! `bottlec pull`: what agents pushed to repositories of this host.

mod from_gate;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bottlec::Options;
use bottlec::lower::plan_json::PlanJson;
use bottlec::lower::shell;
use bottlec::plan::{PlannedGit, PlannedLocal};
use bottlec::report::cluster::Wanted;
use bottlec::text::{quote, quote_path, quote_whole};

use super::args;
use super::elsewhere;
use super::error::Error;
use super::output::{Output, Stream};
use super::preflight::on_host;
use super::repository::{self, Repository};
use super::workspace::Workspace;
use super::{Outcome, plans, state};

pub(crate) use from_gate::Gate;
use from_gate::{Branch, Change, Unfetched};

pub(super) fn run(command: &args::Pull, output: &Output) -> Result<Outcome, Error> {
    // A copy under another name stands in no spec.
    if let Some(slug) = &command.bottle
        && plans::is_slug(slug).is_ok()
        && let Some(launched) = state::peek(slug)?
    {
        let came = of_launched(&launched.plan, &launched.stage, Stream::Stdout, output)?;
        return Ok(if came { Outcome::Clean } else { Outcome::Failed });
    }
    let workspace = Workspace::of(std::slice::from_ref(&command.spec), None)?;
    // The paths of a plan are seen from its stage: here, from here.
    let options = Options { stage_to_workspace: workspace.way_from_here()?, ..Options::default() };
    let Some(plans) = plans::of(&workspace, &command.spec, command.bottle.as_deref(), &options, output)?
    else {
        return Ok(Outcome::Findings);
    };
    elsewhere::refuse_any(&plans, Wanted::Status)?;
    let mut outcome = Outcome::Clean;
    let mut asked = false;
    for plan in &plans {
        let gate = Gate::of(&plan.slug, plan.addresses.bundle());
        let (any, came) = all(&gate, &plan.git, on_host, Stream::Stdout, output)?;
        asked |= any;
        if !came {
            outcome = Outcome::Failed;
        }
    }
    if !asked {
        output.print("there is nothing to pull: no agent may push to a repository of this host\n")?;
    }
    Ok(outcome)
}

/// Pulls what the agent of a bottle that was launched from a stage pushed, and says what came. Returns whether all came.
pub(crate) fn of_launched(
    plan: &PlanJson<'_>,
    stage: &Path,
    stream: Stream,
    output: &Output,
) -> Result<bool, Error> {
    let Some(gate) = Gate::of_launched(plan) else { return Ok(true) };
    let (_, came) = all(&gate, &plan.git, |path| from_stage(stage, path), stream, output)?;
    Ok(came)
}

/// A path of a plan, as seen from its stage.
pub(crate) fn from_stage(stage: &Path, path: &str) -> Option<PathBuf> {
    on_host(path).map(|path| stage.join(path))
}

/// Pulls all repositories of a bottle that the agent may push to, and says what came. Returns whether there is any, and whether
/// all came. `find` leads from a path of the plan's to one from here.
pub(crate) fn all(
    gate: &Gate,
    git: &PlannedGit,
    find: impl Fn(&str) -> Option<PathBuf>,
    stream: Stream,
    output: &Output,
) -> Result<(bool, bool), Error> {
    let (mut any, mut came) = (false, true);
    for (name, local) in locals(git) {
        any = true;
        let head = format!("{} of {}", quote(name), quote(&gate.slug));
        match of_one(gate, name, find(&local.path)) {
            Ok(pulled) => {
                output.say(stream, &show(&head, &gate.slug, &pulled))?;
                came &= !pulled.branches.iter().any(|branch| matches!(branch.change, Change::Refused(_)));
            }
            Err(why) => {
                output.complain(&format!("{head}: {why}"));
                came = false;
            }
        }
    }
    Ok((any, came))
}

/// What the gate of a bottle holds and the repositories of this host do not, a line each; why that cannot be told is an error.
pub(crate) fn unfetched(
    gate: &Gate,
    git: &PlannedGit,
    find: impl Fn(&str) -> Option<PathBuf>,
) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for (name, local) in locals(git) {
        let path = find(&local.path).ok_or("there is no HOME to find it from")?;
        let repository = repository::resolve(&path).map_err(|error| format!("{}: {error}", quote(name)))?;
        let left = gate.unfetched(name, &repository).map_err(|error| format!("{}: {error}", quote(name)))?;
        lines.extend(left.into_iter().map(|Unfetched { reference, object }| {
            let reference = quote_whole(&String::from_utf8_lossy(&reference));
            format!("{reference} of {}, at {}", quote(name), short(&object))
        }));
    }
    Ok(lines)
}

/// The repositories of this host that the agent may push to.
fn locals(git: &PlannedGit) -> impl Iterator<Item = (&str, &PlannedLocal)> {
    let written = git.repos.iter().filter(|repo| *repo.writable);
    written.filter_map(|repo| Some((repo.name.as_str(), repo.local()?)))
}

/// What came of one repository.
#[derive(Debug)]
struct Pulled {
    repository: Repository,
    branches: Vec<Branch>,
    left: Vec<Unfetched>,
}

fn of_one(gate: &Gate, name: &str, path: Option<PathBuf>) -> Result<Pulled, String> {
    let path = path.ok_or("there is no HOME to find it from")?;
    let repository = repository::resolve(&path).map_err(|error| format!("{error}: {}", error.help()))?;
    let branches = gate.fetch(name, &repository).map_err(|error| error.to_string())?;
    let left = gate.unfetched(name, &repository).map_err(|error| error.to_string())?;
    Ok(Pulled { repository, branches, left })
}

fn show(head: &str, slug: &str, pulled: &Pulled) -> String {
    let Pulled { repository, branches, left } = pulled;
    let mut text = format!("{head}, in {}\n", quote_path(&repository.common_dir));
    if branches.is_empty() {
        text.push_str("  nothing new\n");
    }
    for Branch { name, old, new, change } in branches {
        let name = format!("bottle-{slug}/{}", String::from_utf8_lossy(name));
        let old = old.as_deref().map(short).unwrap_or_default();
        let what = match change {
            Change::New => format!("is new, at {}", short(new)),
            Change::Forward => format!("{old}..{}", short(new)),
            Change::Forced => format!("was overwritten by the agent, {old}...{}", short(new)),
            Change::Refused(why) => format!("did not come: {why}"),
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {} {what}", quote_whole(&name));
        if !matches!(change, Change::Refused(_)) {
            // A name that a shell or a terminal would take for something else is the agent's, too.
            let plain = shell::word(&name) == name && quote_whole(&name) == format!("`{name}`");
            let _ = writeln!(text, "    git log {}", if plain { name.as_str() } else { short(new) });
        }
    }
    // What did not come is said above.
    for Unfetched { reference, object } in left.iter().filter(|it| it.reference.starts_with(b"refs/tags/")) {
        let reference = quote_whole(&String::from_utf8_lossy(reference));
        let _ = writeln!(
            text,
            "  {reference} stays in git-gate, at {}: tags are not pulled, and no branch has it",
            short(object)
        );
    }
    text
}

/// An object's name, as far as people read one.
fn short(object: &str) -> &str {
    object.get(..12).unwrap_or(object)
}
