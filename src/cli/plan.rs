//! `bottlec plan`.

use bottlec::diagnostic::{did_you_mean, quote};
use bottlec::lower::lower;
use bottlec::plan::Plan;
use bottlec::report::plan as text;
use bottlec::{Options, compile};

use super::args::{self, PlanFormat};
use super::error::Error;
use super::output::Output;
use super::{NO_BOTTLE, Outcome, load};

pub(super) fn run(command: &args::Plan, output: &Output) -> Result<Outcome, Error> {
    let sources = load::load(std::slice::from_ref(&command.spec))?;
    let options = Options { stage_to_workspace: load::stage_to_workspace(&command.out)? };
    let compilation = compile(&sources, &options);
    if !compilation.diagnostics.is_empty() {
        output.warn(bottlec::report::Format::Fancy, &compilation.diagnostics, &sources)?;
    }
    if compilation.diagnostics.has_errors() {
        return Ok(Outcome::Findings);
    }
    if compilation.plans.is_empty() {
        output.complain(&NO_BOTTLE);
        return Ok(Outcome::Findings);
    }
    let plans = chosen(&compilation.plans, command.bottle.as_deref())?;
    let stages: Vec<_> = plans.iter().map(|plan| (*plan, lower(plan))).collect();
    let printed = match command.format {
        PlanFormat::Text => {
            let out = command.out.to_string_lossy();
            let plans = stages.iter().map(|(plan, stage)| text::render(plan, stage, &out, &output.stdout));
            plans.collect::<Vec<_>>().join("\n")
        }
        PlanFormat::Json => json(&stages.iter().map(|(_, stage)| stage.plan()).collect::<Vec<_>>()),
    };
    output.print(&printed)?;
    Ok(Outcome::Clean)
}

/// One plan as it is in the stage; several as a list.
fn json(plans: &[&[u8]]) -> String {
    let plans: Vec<_> =
        plans.iter().map(|plan| String::from_utf8_lossy(plan).trim_end().to_owned()).collect();
    match plans.as_slice() {
        [plan] => format!("{plan}\n"),
        plans => format!("[\n{}\n]\n", plans.join(",\n")),
    }
}

fn chosen<'a>(plans: &'a [Plan], slug: Option<&str>) -> Result<Vec<&'a Plan>, Error> {
    let Some(slug) = slug else { return Ok(plans.iter().collect()) };
    let found: Vec<_> = plans.iter().filter(|plan| plan.slug == slug).collect();
    if found.is_empty() {
        let meant = did_you_mean(slug, plans.iter().map(|plan| plan.slug.as_str()))
            .map(|meant| format!(": did you mean `{meant}`?"))
            .unwrap_or_default();
        return Err(Error::Usage(format!("there is no bottle {} in the spec{meant}", quote(slug))));
    }
    Ok(found)
}
