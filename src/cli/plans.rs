//! The plans of one spec, for the commands that show them.

use std::path::PathBuf;

use bottlec::Options;
use bottlec::plan::Plan;
use bottlec::report::Format;
use bottlec::text::{did_you_mean, quote};

use super::error::Error;
use super::output::{Output, Stream};
use super::{NO_BOTTLE, load};

/// The plans of a spec, or of one bottle of it. What there is to say of the spec is said on standard error; nothing is
/// returned when that keeps it from being planned.
pub(super) fn of(
    spec: &PathBuf,
    bottle: Option<&str>,
    options: &Options,
    output: &Output,
) -> Result<Option<Vec<Plan>>, Error> {
    let analysis = load::load(std::slice::from_ref(spec), options)?;
    let diagnostics = analysis.diagnostics();
    if !diagnostics.is_empty() {
        output.diagnostics(Stream::Stderr, Format::Fancy, diagnostics, &analysis)?;
    }
    if diagnostics.has_errors() {
        return Ok(None);
    }
    let plans = analysis.plans();
    if plans.is_empty() {
        output.complain(&NO_BOTTLE);
        return Ok(None);
    }
    chosen(plans, bottle).map(Some)
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
