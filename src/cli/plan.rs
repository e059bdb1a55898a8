//! `bottlec plan`.

use bottlec::Options;
use bottlec::backend::lower;
use bottlec::report::json::without_commands;
use bottlec::report::plan::{self as text, Detail};
use bottlec::report::script;

use super::args::{self, PlanFormat};
use super::error::Error;
use super::output::Output;
use super::workspace::Workspace;
use super::{Outcome, plans};

pub(super) fn run(command: &args::Plan, output: &Output) -> Result<Outcome, Error> {
    let workspace = Workspace::of(std::slice::from_ref(&command.spec), None)?;
    let out = workspace.stages(command.out.as_deref())?;
    let options =
        Options { stage_to_workspace: workspace.way_from_stage(&out)?, ..command.leveling.options() };
    let Some(plans) = plans::of(&workspace, &command.spec, command.bottle.as_deref(), &options, output)?
    else {
        return Ok(Outcome::Findings);
    };
    let stages: Vec<_> = plans.iter().map(|plan| (plan, lower(plan))).collect();
    let printed = match command.format {
        PlanFormat::Text => {
            let out = out.to_string_lossy();
            let detail = if command.verbose { Detail::Digests } else { Detail::Usual };
            let plans =
                stages.iter().map(|(plan, stage)| text::render(plan, stage, &out, detail, &output.page));
            plans.collect::<Vec<_>>().join("\n")
        }
        PlanFormat::Sh => {
            let [(plan, _)] = stages.as_slice() else {
                let which = String::from("a script is of one bottle: name it with `--bottle`");
                return Err(Error::Usage(which));
            };
            script::render(plan, &out.to_string_lossy())
        }
        PlanFormat::Json => json(&stages.iter().map(|(_, stage)| stage.plan()).collect::<Vec<_>>()),
    };
    output.print(&printed)?;
    Ok(Outcome::Clean)
}

/// One plan as it is in the stage, but for what a log would take for a command; several as a list.
fn json(plans: &[&[u8]]) -> String {
    let plans: Vec<_> =
        plans.iter().map(|plan| String::from_utf8_lossy(plan).trim_end().to_owned()).collect();
    match plans.as_slice() {
        [plan] => without_commands(&format!("{plan}\n")).into_owned(),
        plans => without_commands(&format!("[\n{}\n]\n", plans.join(",\n"))).into_owned(),
    }
}
