//! `bottlec trace`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use bottlec::Options;
use bottlec::lower::plan_json;
use bottlec::report::{Format, trace as report};
use bottlec::stage;
use bottlec::text::quote;
use bottlec::trace::{Line, Tracer};
use bottlec::world::catalogue;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::args::{Trace, TraceFormat};
use super::error::{Error, reason};
use super::output::{Output, Stream};
use super::workspace::{Workspace, here, real, slashed};
use super::{Outcome, load};

/// The largest plan that is read, in bytes: that of some hundred thousand hosts.
const MAX_PLAN: u64 = 64 << 20;

/// What a plan says of where it comes from.
#[derive(Deserialize)]
struct Made {
    slug: String,
    #[allow(clippy::zero_sized_map_values, reason = "a map in the plan, of which the keys are read")]
    sources: BTreeMap<String, IgnoredAny>,
}

/// A file of a stage, and a line of it.
struct Asked {
    stage: PathBuf,
    /// From the stage's directory on, with `/` between its parts.
    file: String,
    line: Option<usize>,
}

pub(super) fn run(command: &Trace, output: &Output) -> Result<Outcome, Error> {
    let Asked { stage, file, line } = asked(&command.place)?;
    let made = made(&stage)?;
    let specs = if command.specs.is_empty() { made.specs(&stage)? } else { command.specs.clone() };
    let workspace = Workspace::of(&specs, None)?;
    let out = match stage.parent() {
        Some(out) if !out.as_os_str().is_empty() => out,
        _ => Path::new("."),
    };
    let options = Options { stage_to_workspace: workspace.way_from_stage(out)?, ..Options::default() };
    let analysis = load::load(&workspace, &specs, &options)?;
    let diagnostics = analysis.diagnostics();
    if diagnostics.has_errors() {
        output.diagnostics(Stream::Stderr, Format::Fancy, diagnostics, &[], &analysis)?;
        return Ok(Outcome::Findings);
    }
    let plans = analysis.plans();
    let Some(plan) = plans.iter().find(|plan| *plan.slug == made.slug) else {
        let reason = format!("its specs have no bottle {} any more", quote(&made.slug));
        return Err(Error::Read { path: stage, reason });
    };
    let tracer = Tracer::new(plan, &analysis);
    let Some(lines) = tracer.lines(&file) else {
        let reason = format!("no compile of {} writes it", quote(&made.slug));
        return Err(Error::Read { path: stage.join(&file), reason });
    };
    let numbered = lines.iter().zip(1..).map(|(line, number)| (number, line));
    let chosen: Vec<(usize, &Line)> =
        numbered.filter(|(number, _)| line.is_none_or(|it| it == *number)).collect();
    if chosen.is_empty() {
        let what = format!("{} has {} lines", quote(&file), lines.len());
        return Err(Error::Usage(what));
    }
    let answer = report::Report::new(&plan.slug, &file, &chosen, analysis.sources());
    output.print(&match command.format {
        TraceFormat::Text => report::text(&answer, &analysis),
        TraceFormat::Json => report::json(&answer),
    })?;
    // The answer is about what the specs say now, and somebody asked about what is there.
    let differences = stage::compare(out, tracer.stage())?;
    if differences.is_empty() {
        return Ok(Outcome::Clean);
    }
    let mut told =
        format!("{} is not what its specs say now, and this is what they say:", quote(&shown(&stage)));
    for difference in differences {
        // Writing to a `String` cannot fail.
        let _ = write!(told, "\n  {difference}");
    }
    output.complain(&told);
    Ok(Outcome::Findings)
}

/// Finds the stage that a file is in, and takes `:LINE` from its end.
fn asked(place: &Path) -> Result<Asked, Error> {
    let text = shown(place);
    let (path, line) = match text.rsplit_once(':') {
        Some((path, line))
            if !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()) && !place.exists() =>
        {
            (PathBuf::from(path), Some(line.parse().unwrap_or(usize::MAX)))
        }
        _ => (place.to_owned(), None),
    };
    let above = path.ancestors().skip(1).find(|directory| directory.join(plan_json::PATH).is_file());
    let (Some(stage), true) = (above, path.is_file()) else {
        let reason = String::from("expected a file in a stage, such as `stage/api-dev/smolfile.toml:3`");
        return Err(Error::Read { path, reason });
    };
    let parts = path.strip_prefix(stage).unwrap_or(&path);
    let file = slashed(parts).unwrap_or_default();
    // The directory's own name is the bottle's.
    let stage = if stage.as_os_str().is_empty() { PathBuf::from(".") } else { stage.to_owned() };
    let stage = match stage.file_name() {
        Some(_) => stage,
        None => stage.canonicalize().map_err(|error| Error::Read { path: stage, reason: reason(&error) })?,
    };
    Ok(Asked { stage, file, line })
}

fn made(stage: &Path) -> Result<Made, Error> {
    let path = stage.join(plan_json::PATH);
    let failed = |reason: String| Error::Read { path: path.clone(), reason };
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(|error| failed(reason(&error)))?;
    file.take(MAX_PLAN).read_to_end(&mut bytes).map_err(|error| failed(reason(&error)))?;
    serde_json::from_slice(&bytes).map_err(|_| failed(String::from("it is no plan that bottlec wrote")))
}

impl Made {
    /// The specs that the stage was made of: in the workspace that the stage lies in, or in this one. A plan is a file
    /// that anybody may have written, and does not lead out of it.
    fn specs(&self, stage: &Path) -> Result<Vec<PathBuf>, Error> {
        let refused = |reason: String| Error::Read { path: stage.join(plan_json::PATH), reason };
        let here = here()?;
        // A stage is `<workspace>/stage/<slug>`.
        let around = real(&here.join(stage)).ancestors().nth(2).map(Workspace::above);
        let candidates = [around, Some(Workspace::above(&here))];
        let roots: Vec<&Path> = candidates.iter().flatten().map(Workspace::root).collect();
        let mut specs = Vec::new();
        // What comes with the compiler is no file.
        for name in self.sources.keys().filter(|name| !catalogue::is_place(name)) {
            let path = PathBuf::from(name);
            if !path.components().all(|part| matches!(part, Component::Normal(_))) {
                let what = "it was made of {}, which is in no workspace: name the specs with `--spec`";
                return Err(refused(what.replace("{}", &quote(name))));
            }
            let Some(file) = roots.iter().map(|root| root.join(&path)).find(|file| file.is_file()) else {
                let what = "it was made of {}, which is not here: start where it was built, or name the specs with \
                            `--spec`";
                return Err(refused(what.replace("{}", &quote(name))));
            };
            specs.push(file);
        }
        Ok(specs)
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
