//! The plans of one spec, for the commands that show them.

use std::path::PathBuf;

use bottlec::diagnostic::Diagnostics;
use bottlec::plan::Plan;
use bottlec::report::Unread;
use bottlec::source::Sources;
use bottlec::text::{did_you_mean, quote};
use bottlec::{Analysis, Options};

use super::error::Error;
use super::load;
use super::output::{Output, Stream};
use super::reports::Report;
use super::workspace::Workspace;

/// Specs may be checked when they have profiles only; there is nothing in them for the other commands.
const NO_BOTTLE: &str = "there is no bottle in the specs, only profiles";

/// The plans of a spec, or of one bottle of it.
pub(super) fn of(
    workspace: &Workspace,
    spec: &PathBuf,
    bottle: Option<&str>,
    options: &Options,
    output: &Output,
) -> Result<Option<Vec<Plan>>, Error> {
    let analysis = load::load(workspace, std::slice::from_ref(spec), options)?;
    let plans = all(&analysis, &[Report::default()], output)?;
    plans.map(|plans| chosen(plans, bottle)).transpose()
}

/// Reads specs and what they include. One that cannot be read is said in the reports, too.
pub(super) fn load(
    workspace: &Workspace,
    specs: &[PathBuf],
    options: &Options,
    reports: &[Report],
    output: &Output,
) -> Result<Analysis, Error> {
    load::load(workspace, specs, options).or_else(|error| {
        let unread: Vec<Unread> = error.unread().into_iter().collect();
        for report in reports {
            report.write_if_any(Stream::Stderr, output, &Diagnostics::new(), &unread, &Sources::new())?;
        }
        Err(error)
    })
}

/// The plans of specs. What there is to say of those is said on standard error, or in the reports' files; nothing is returned
/// when that keeps them from being planned.
pub(super) fn all(
    analysis: &Analysis,
    reports: &[Report],
    output: &Output,
) -> Result<Option<Vec<Plan>>, Error> {
    let diagnostics = analysis.diagnostics();
    for report in reports {
        report.write_if_any(Stream::Stderr, output, diagnostics, &[], analysis)?;
    }
    let plans = analysis.plans();
    if plans.is_empty() && !diagnostics.has_errors() {
        output.complain(&NO_BOTTLE);
    }
    Ok(Some(plans).filter(|plans| !plans.is_empty()))
}

fn chosen(plans: Vec<Plan>, slug: Option<&str>) -> Result<Vec<Plan>, Error> {
    let Some(slug) = slug else { return Ok(plans) };
    let meant = did_you_mean(slug, plans.iter().map(|plan| plan.slug.as_str()))
        .map(|meant| format!(": did you mean `{meant}`?"))
        .unwrap_or_default();
    let found: Vec<_> = plans.into_iter().filter(|plan| *plan.slug == slug).collect();
    if found.is_empty() {
        return Err(Error::Usage(format!("there is no bottle {} in the spec{meant}", quote(slug))));
    }
    Ok(found)
}
