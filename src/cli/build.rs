//! `bottlec build`.

use std::fmt::Write as _;
use std::path::Path;

use bottlec::Options;
use bottlec::backend::{self, lower_all};
use bottlec::lower::Stage;
use bottlec::plan::Plan;
use bottlec::report::Promise;
use bottlec::stage::{self, Index, Written};
use bottlec::text::quote_path;

use super::args::Build;
use super::error::Error;
use super::output::Output;
use super::workspace::{Workspace, here, real};
use super::{Outcome, plans, state};

/// How many stages are in memory at once: enough for all processors.
const AT_ONCE: usize = 64;

pub(super) fn run(command: &Build, output: &Output) -> Result<Outcome, Error> {
    let reports = command.reporting.reports()?;
    let workspace = Workspace::of(&command.specs, None)?;
    let out = workspace.stages(command.out.as_deref())?;
    let options = Options {
        stage_to_workspace: workspace.way_from_stage(&out)?,
        strict: command.strict,
        ..command.leveling.options()
    };
    let analysis = plans::load(&workspace, &command.specs, &options, &reports, output)?;
    let Some(plans) = plans::all(&analysis, &reports, output)? else { return Ok(Outcome::Findings) };
    let index = backend::index(&plans).map(|(name, heading, bytes)| Index { name, heading, bytes });
    // A part of them at a time: a stage that was written is not held any longer.
    let stages = plans.chunks(AT_ONCE).flat_map(lower_all);
    if command.check {
        return compare(&out, stages, index.as_ref(), output);
    }
    let mut digests = Vec::with_capacity(plans.len());
    let stages = stages.inspect(|stage| digests.push(stage.sha256()));
    let written = match stage::write_listed(&out, stages, index.as_ref(), command.force) {
        Ok(written) => written,
        Err(stage::StageError::Edited { stages }) => {
            output.complain(&stage::StageError::Edited { stages });
            return Ok(Outcome::Findings);
        }
        Err(error) => return Err(error.into()),
    };
    let mut text = String::new();
    for ((plan, (slug, written)), sha256) in plans.iter().zip(&written).zip(&digests) {
        say(&mut text, plan, *written, &out);
        if is_up_from_another(&real(&here()?.join(&out)).join(slug), slug, sha256) {
            text.push_str("  what is up of it is of another plan: `bottlec up` takes this one up\n");
        }
    }
    output.print(&text)?;
    Ok(Outcome::Clean)
}

/// Whether the bottle of a stage was launched from that directory, when another stage was in it.
fn is_up_from_another(directory: &Path, slug: &str, sha256: &str) -> bool {
    let launched = state::peek(slug).unwrap_or_default();
    launched.is_some_and(|launched| launched.stage == directory && launched.sha256 != sha256)
}

fn say(text: &mut String, plan: &Plan, written: Written, out: &Path) {
    let done = match written {
        Written::Created => "built",
        Written::Replaced => "rebuilt",
        Written::Unchanged => "unchanged",
    };
    let path = out.join(plan.slug.as_str());
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{done} {}: {}", quote_path(&path), Promise::of(plan));
}

fn compare(
    out: &Path,
    stages: impl Iterator<Item = Stage>,
    index: Option<&Index>,
    output: &Output,
) -> Result<Outcome, Error> {
    let mut text = String::new();
    let mut outcome = Outcome::Clean;
    for stage in stages {
        let differences = stage::compare(out, &stage)?;
        let path = quote_path(&out.join(&stage.slug));
        if differences.is_empty() {
            let _ = writeln!(text, "{path} is what the spec says");
            continue;
        }
        outcome = Outcome::Findings;
        let _ = writeln!(text, "{path} is not what the spec says:");
        for difference in differences {
            let _ = writeln!(text, "  {difference}");
        }
    }
    if let Some(index) = index
        && !stage::is_listed(out, index)?
    {
        outcome = Outcome::Findings;
        let _ = writeln!(text, "{} is not what the specs say", quote_path(&out.join(index.name)));
    }
    output.print(&text)?;
    Ok(outcome)
}
