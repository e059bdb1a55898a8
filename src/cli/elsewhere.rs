//! Bottles that this host does not run: what to run instead.

use std::fmt::Write as _;
use std::path::Path;

use bottlec::plan::Plan;
use bottlec::report::cluster::{Wanted, instead};
use bottlec::text::{quote, quote_path};

use super::error::Error;

/// Refuses to drive a cluster: who may do what there is `kubectl`'s to know. The error has the commands that `plan` shows. The
/// stage goes below the directory `out`.
pub(super) fn refuse(plan: &Plan, out: &Path, wanted: Wanted) -> Result<(), Error> {
    if plan.cluster.is_none() {
        return Ok(());
    }
    let stage = quote_path(&out.join(plan.slug.as_str()));
    let slug = quote(&plan.slug);
    let how = match wanted {
        Wanted::Up => format!("`bottlec build` it, then run in {stage}"),
        _ => String::from("run"),
    };
    let mut text = format!("the bottle {slug} runs in a cluster, which bottlec does not drive: {how}");
    for line in instead(plan, wanted) {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "\n  {line}");
    }
    Err(Error::Host(text))
}

/// The same of several bottles, whose stages nobody asks for: of the first that this host does not run.
pub(super) fn refuse_any(plans: &[Plan], wanted: Wanted) -> Result<(), Error> {
    plans.iter().try_for_each(|plan| refuse(plan, Path::new("stage"), wanted))
}
