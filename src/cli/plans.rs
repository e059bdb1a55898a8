//! The plans of one spec, for the commands that show them.

use std::path::PathBuf;

use bottlec::diagnostic::Diagnostics;
use bottlec::plan::Plan;
use bottlec::report::Unread;
use bottlec::schema::ValueType;
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
    if slug.is_none() {
        return Ok(plans);
    }
    one(&plans, slug).cloned().map(|plan| vec![plan])
}

/// The one plan of that name, or the only one.
pub(super) fn one<'a>(plans: &'a [Plan], slug: Option<&str>) -> Result<&'a Plan, Error> {
    let slugs = || plans.iter().map(|plan| plan.slug.as_str());
    match (slug, plans) {
        (None, [plan]) => Ok(plan),
        (None, _) => {
            let slugs: Vec<String> = slugs().map(quote).collect();
            Err(Error::Usage(format!(
                "the spec has several bottles, {}: name one with `--bottle`",
                slugs.join(", ")
            )))
        }
        (Some(slug), _) => plans.iter().find(|plan| *plan.slug == slug).ok_or_else(|| {
            let meant = did_you_mean(slug, slugs()).map(|meant| format!(": did you mean `{meant}`?"));
            Error::Usage(format!(
                "there is no bottle {} in the spec{}",
                quote(slug),
                meant.unwrap_or_default()
            ))
        }),
    }
}

/// Whether a bottle may have that name.
pub(super) fn is_slug(name: &str) -> Result<(), Error> {
    ValueType::Name.check_argument(name).map_err(|error| Error::Usage(error.message))
}
