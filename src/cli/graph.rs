//! `bottlec graph`.

use bottlec::Options;
use bottlec::report::graph;

use super::args::Graph;
use super::error::Error;
use super::output::Output;
use super::workspace::Workspace;
use super::{Outcome, plans};

pub(super) fn run(command: &Graph, output: &Output) -> Result<Outcome, Error> {
    // Paths are shown as seen from the workspace: there is no stage in the picture.
    let options = Options { stage_to_workspace: String::from("."), ..Options::default() };
    let workspace = Workspace::of(std::slice::from_ref(&command.spec), None)?;
    let Some(plans) = plans::of(&workspace, &command.spec, command.bottle.as_deref(), &options, output)?
    else {
        return Ok(Outcome::Findings);
    };
    let plans: Vec<_> = plans.iter().collect();
    output.print(&graph::render(&plans, command.format.into(), &output.stdout))?;
    Ok(Outcome::Clean)
}
