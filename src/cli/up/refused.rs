//! What was refused to a bottle that runs, or by files of records.

use std::path::PathBuf;

use bottlec::denial::Denials;
use bottlec::lower::plan_json::PlanJson;
use bottlec::report::cluster::Wanted;
use bottlec::text::quote;
use bottlec::world::builtin::{BROKER, PIPELOCK};

use super::bundle::{Bundle, QUESTION};
use super::lifecycle::Known;
use crate::cli::args;
use crate::cli::denials;
use crate::cli::error::Error;
use crate::cli::output::Output;

/// How many lines of a log are read: the last ones.
const LINES: &str = "20000";

/// What was refused, and the plan that it is held against.
pub(in crate::cli) struct Refused {
    pub(in crate::cli) denials: Denials,
    pub(in crate::cli) plan: PlanJson<'static>,
}

/// Reads what was refused: by files of records, or without any by the bottle that was launched. Nothing when what is wrong
/// with the spec was said.
pub(in crate::cli) fn refused(
    bottle: &args::Bottle,
    from: &[PathBuf],
    output: &Output,
) -> Result<Option<Refused>, Error> {
    let Some(known) = Known::find(&bottle.spec, &bottle.which, output)? else { return Ok(None) };
    let mut denials = Denials::default();
    if !from.is_empty() {
        for file in from {
            denials::read(file, &mut denials)?;
        }
        return Ok(Some(Refused { denials, plan: known.any_plan()? }));
    }
    let plan = known.plan(Wanted::Logs)?;
    if !known.is_launched() {
        return Err(Error::Host(format!(
            "the bottle {} was never launched here, or was taken down: name its records with `--from`",
            quote(&plan.slug)
        )));
    }
    known.of_this_spec()?;
    let runner = known.runner(&plan)?;
    let bundle = Bundle { runner: &runner, plan: &plan };
    for container in [PIPELOCK, BROKER].iter().filter_map(|name| plan.resources.containers.get(*name)) {
        let words = ["container", "logs", "--tail", LINES, container.as_str()];
        denials.read(runner.said(&bundle.engine(&words), QUESTION)?.as_bytes());
    }
    if known.has_machine()
        && let Some(command) = plan.commands.denials.as_ref()
    {
        denials.read(runner.said(command, QUESTION)?.as_bytes());
    }
    Ok(Some(Refused { denials, plan: plan.into() }))
}
