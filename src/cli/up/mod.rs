//! `bottlec up`: from a spec to a program at work in its machine. And what comes after it: `down`, `stop`, `status`,
//! `exec`, `logs`.
//!
//! What runs is the plan's vectors, from a stage that was just verified and that no other writer of bottlec's changes
//! meanwhile. Nothing that a program says of its own success is believed where something else can be asked.

mod broker;
mod bundle;
mod home;
mod launch;
mod lifecycle;
mod machine;
mod refused;
mod runner;
mod say;
mod trusted;

pub(super) use lifecycle::{down, exec, logs, status, stop};
pub(super) use refused::refused;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bottlec::Options;
use bottlec::backend::{self, lower};
use bottlec::lower::Stage;
use bottlec::plan::Plan;
use bottlec::report::cluster::Wanted;
use bottlec::stage::{self, StageError, State};
use bottlec::text::quote_path;

use super::args::{Up, Which};
use super::error::Error;
use super::output::Output;
use super::reports::Report;
use super::workspace::{Workspace, real};
use super::{Outcome, elsewhere, load, plans, preflight, repository};
use runner::RunError;

/// The exit code of `up`'s own failures; that of the program that it starts is passed through.
pub(super) const FAILED: u8 = 125;

/// Why a bottle is not up.
#[derive(Debug, thiserror::Error)]
enum UpError {
    /// A program failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The bundle is not what it should be.
    #[error("{0}")]
    Bundle(String),
    /// The machine is not what it should be.
    #[error("{0}")]
    Machine(String),
    /// The tool failed.
    #[error(transparent)]
    Tool(#[from] Error),
}

impl From<StageError> for UpError {
    fn from(error: StageError) -> Self {
        Self::Tool(error.into())
    }
}

/// A bottle that is to be launched.
struct Chosen {
    plan: Plan,
    /// The same, with its paths as seen from the working directory.
    seen_from_here: Plan,
    /// The way from there to the spec's workspace.
    way: PathBuf,
    stage: Stage,
    /// The spec, without links.
    spec: PathBuf,
    /// Where its stage goes.
    out: PathBuf,
}

/// Compiles the spec and takes one bottle of it. What is wrong with the spec is said; nothing is returned then. Of a spec
/// that compiles the findings are said where a launch is to come only.
fn choose(
    spec: &Path,
    which: &Which,
    name: Option<&str>,
    launches: bool,
    output: &Output,
) -> Result<Option<Chosen>, Error> {
    if spec.as_os_str() == "-" {
        let why = "a launch is known by its spec, which is a file: standard input is none";
        return Err(Error::Usage(String::from(why)));
    }
    let spec = spec.to_owned();
    let workspace = Workspace::of(std::slice::from_ref(&spec), None)?;
    let out = workspace.stages(which.out.as_deref())?;
    let options = Options { stage_to_workspace: workspace.way_from_stage(&out)?, ..which.leveling.options() };
    let analysis = load::load(&workspace, std::slice::from_ref(&spec), &options)?;
    let is_said = launches || analysis.diagnostics().has_errors();
    let reports: &[Report] = if is_said { &[Report::default()] } else { &[] };
    let Some(plans) = plans::all(&analysis, reports, output)? else { return Ok(None) };
    let slug = plans::one(&plans, which.bottle.as_deref())?.slug.value.clone();
    let rename = |of: &str| name.filter(|_| of == slug).map(str::to_owned);
    let planned = |way: &str| {
        let plans = analysis.plans_seen_from(way, &rename);
        plans::one(&plans, Some(name.unwrap_or(&slug))).cloned()
    };
    let plan = planned(&options.stage_to_workspace)?;
    let way = workspace.way_from_here()?;
    let seen_from_here = planned(&way)?;
    let stage = lower(&plan);
    Ok(Some(Chosen { plan, seen_from_here, way: way.into(), stage, spec: real(&spec), out }))
}

pub(super) fn run(command: &Up, output: &Output) -> Outcome {
    let ended = bring_up(command, output);
    let code = ended.unwrap_or_else(|error| {
        output.complain(&error);
        FAILED
    });
    Outcome::Code(code)
}

fn bring_up(command: &Up, output: &Output) -> Result<u8, UpError> {
    let name = command.name.as_deref();
    if let Some(name) = name {
        plans::is_slug(name)?;
    }
    let Some(chosen) = choose(&command.bottle.spec, &command.bottle.which, name, true, output)? else {
        return Ok(FAILED);
    };
    let Chosen { plan, seen_from_here, way: _, stage, spec, out } = &chosen;
    elsewhere::refuse(plan, out, Wanted::Up)?;
    // Before anything is written.
    if !preflight::is_ready_for_launch(seen_from_here, &chosen.way, command.assume_ready, output)? {
        return Ok(FAILED);
    }
    stage::write(out, std::slice::from_ref(stage), command.force)?;
    // From here on no other writer changes what was verified.
    let hold = stage::hold(out)?;
    let directory = real(&super::workspace::here()?.join(out)).join(&stage.slug);
    trusted::check(&directory).map_err(|error| Error::Host(error.to_string()))?;
    verified(&directory, stage)?;
    let made_from = (backend::of(plan).made_from)(plan, &stage.files);
    let variables = repositories(seen_from_here)?;
    let launch = launch::Launch { command, stage, spec, directory: &directory, made_from, variables };
    launch::launch(&launch, hold, output)
}

/// The variables by which `compose.yaml` is told where the repositories of this host are.
fn repositories(plan: &Plan) -> Result<Vec<(String, OsString)>, Error> {
    let locals = plan.git.repos.iter().filter_map(|repo| repo.local());
    let resolved = locals.map(|local| {
        let path = preflight::on_host(&local.path);
        let path =
            path.ok_or_else(|| Error::Host(String::from("HOME is not set, and a repository is in it")))?;
        let found =
            repository::resolve(&path).map_err(|error| Error::Host(format!("{error}: {}", error.help())))?;
        Ok((local.variable.value.clone(), found.common_dir.into_os_string()))
    });
    resolved.collect()
}

/// Sees that what is on disk is what was compiled, after nobody could change it any more.
fn verified(directory: &Path, stage: &Stage) -> Result<(), Error> {
    let out = directory.parent().unwrap_or(directory);
    let is_intact = stage::verify(directory)? == State::Intact;
    if is_intact && stage::compare(out, stage)?.is_empty() {
        return Ok(());
    }
    Err(Error::Host(format!(
        "the stage {} was changed while it was launched: nothing was started from it",
        quote_path(directory)
    )))
}
