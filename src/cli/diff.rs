//! `bottlec diff`.

use std::fs;
use std::path::{Path, PathBuf};

use bottlec::backend::lower;
use bottlec::diff::{Direction, Plans, diff};
use bottlec::lower::plan_json::{self, PlanJson};
use bottlec::report::{self, Format};
use bottlec::stage::{self, State};
use bottlec::text::quote;
use bottlec::{Analysis, Options};

use super::args::{Diff, DiffFormat};
use super::error::{Error, reason};
use super::output::{Output, Stream};
use super::workspace::Workspace;
use super::{Outcome, load, revision};

/// The largest `plan.json` that is read. The largest spec makes one of some 100 MiB.
const MAX_PLAN_BYTES: u64 = 256 * 1024 * 1024;

pub(super) fn run(command: &Diff, output: &Output) -> Result<Outcome, Error> {
    let old = Operand::of(&command.old);
    let new = Operand::of(&command.new);
    // Paths in a plan are seen from its stage: a spec is compiled as if its stages were beside the other side's.
    let out = old.directory().or_else(|| new.directory());
    // One stage is compared with its own bottle.
    let only = command.bottle.clone().or_else(|| old.only()).or_else(|| new.only());
    let (Some(mut before), Some(mut after)) =
        (old.plans(out.as_deref(), output)?, new.plans(out.as_deref(), output)?)
    else {
        return Ok(Outcome::Findings);
    };
    if let Some(only) = only {
        if !before.contains_key(&only) && !after.contains_key(&only) {
            return Err(Error::Usage(format!("there is no bottle {} on either side", quote(&only))));
        }
        before.retain(|slug, _| *slug == only);
        after.retain(|slug, _| *slug == only);
    }
    let changes = diff(&before, &after);
    output.print(&match command.format {
        DiffFormat::Text => report::diff::text(&changes, &output.stdout),
        DiffFormat::Markdown => report::diff::markdown(&changes),
        DiffFormat::Json => report::diff::json(&changes),
    })?;
    let denied =
        changes.iter().any(|change| matches!(change.direction, Direction::Wider | Direction::Unclear));
    Ok(if command.deny_widening && denied { Outcome::Findings } else { Outcome::Clean })
}

/// One side.
enum Operand {
    /// A stage on disk.
    Stage(PathBuf),
    /// A directory of stages.
    Stages(PathBuf),
    /// A spec: a file, or standard input.
    Spec(PathBuf),
    /// A spec of a revision.
    Revision(String),
}

impl Operand {
    fn of(operand: &Path) -> Self {
        if operand.is_dir() {
            return if operand.join(plan_json::PATH).is_file() {
                Self::Stage(operand.to_owned())
            } else {
                Self::Stages(operand.to_owned())
            };
        }
        let text = operand.to_str();
        match text.filter(|text| text.contains(':') && fs::symlink_metadata(operand).is_err()) {
            Some(revision) => Self::Revision(revision.to_owned()),
            None => Self::Spec(operand.to_owned()),
        }
    }

    /// The directory that its stages are in.
    fn directory(&self) -> Option<PathBuf> {
        match self {
            Self::Stage(stage) => Some(stage.join("..")),
            Self::Stages(directory) => Some(directory.clone()),
            Self::Spec(_) | Self::Revision(_) => None,
        }
    }

    /// The one bottle that it is, when it is one.
    fn only(&self) -> Option<String> {
        let Self::Stage(stage) = self else { return None };
        let real = fs::canonicalize(stage).ok()?;
        Some(real.file_name()?.to_str()?.to_owned())
    }

    /// Its plans; nothing when what there is to say of it keeps it from having any.
    fn plans(&self, out: Option<&Path>, output: &Output) -> Result<Option<Plans>, Error> {
        match self {
            Self::Stage(stage) => Ok(Some(read(stage)?.into_iter().collect())),
            Self::Stages(directory) => {
                let failed =
                    |error: std::io::Error| Error::Read { path: directory.clone(), reason: reason(&error) };
                let mut plans = Plans::new();
                for entry in fs::read_dir(directory).map_err(failed)? {
                    let path = entry.map_err(failed)?.path();
                    if path.join(plan_json::PATH).is_file() {
                        plans.extend(read(&path)?);
                    }
                }
                if plans.is_empty() {
                    let reason = String::from("it is no stage, and there is none in it");
                    return Err(Error::Read { path: directory.clone(), reason });
                }
                Ok(Some(plans))
            }
            Self::Spec(spec) => {
                let specs = std::slice::from_ref(spec);
                let workspace = Workspace::of(specs, None)?;
                compiled(&load::load(&workspace, specs, &seen_from(out, &workspace)?)?, output)
            }
            Self::Revision(revision) => {
                compiled(&revision::load(revision, |workspace| seen_from(out, workspace))?, output)
            }
        }
    }
}

/// Compiles for stages in `out`, else in the workspace's own directory of them.
fn seen_from(out: Option<&Path>, workspace: &Workspace) -> Result<Options, Error> {
    let out = workspace.stages(out)?;
    Ok(Options { stage_to_workspace: workspace.way_from_stage(&out)?, ..Options::default() })
}

/// The plan of a stage as it was built: one that was edited since says what somebody wants to be believed.
fn read(stage: &Path) -> Result<Option<(String, PlanJson<'static>)>, Error> {
    let refused = |reason: String| Error::Read { path: stage.to_owned(), reason };
    match stage::verify(stage)? {
        State::Intact => {}
        State::Absent | State::Foreign => {
            return Err(refused(String::from("it is no stage that bottlec wrote")));
        }
        State::OtherFormat(format) => {
            let known = plan_json::FORMAT;
            return Err(refused(format!(
                "it is a stage of format {format}, and this is format {known}: build it again"
            )));
        }
        State::Edited(_) => {
            return Err(refused(String::from("it is not as it was built: `bottlec verify` says more")));
        }
    }
    let path = stage.join(plan_json::PATH);
    let failed = |error: std::io::Error| Error::Read { path: path.clone(), reason: reason(&error) };
    let size = fs::metadata(&path).map_err(failed)?.len();
    if size > MAX_PLAN_BYTES {
        return Err(refused(format!(
            "its plan has {size} bytes, and {MAX_PLAN_BYTES} are the most that is read"
        )));
    }
    let plan =
        PlanJson::read(&fs::read(&path).map_err(failed)?).map_err(|error| refused(error.to_string()))?;
    Ok(Some((plan.slug.to_string(), plan)))
}

/// The plans of specs. Warnings are for whoever checks them.
fn compiled(analysis: &Analysis, output: &Output) -> Result<Option<Plans>, Error> {
    let diagnostics = analysis.diagnostics();
    if diagnostics.has_errors() {
        output.diagnostics(Stream::Stderr, Format::Fancy, diagnostics, &[], analysis)?;
        return Ok(None);
    }
    let plans = analysis.plans().into_iter().map(|plan| {
        let read = PlanJson::read(lower(&plan).plan());
        read.map(|read| (plan.slug.to_string(), read))
    });
    // What was written a moment ago can be read.
    plans.collect::<Result<Plans, _>>().map(Some).map_err(|error| Error::Host(error.to_string()))
}
