//! Traces: the lines of a spec that decided each line of a stage.
//!
//! The map goes by keys, not by text: each line of a file is about one key of its document ([`key`]), and each key is
//! decided by settings whose places the plan holds. What no spec has a say in is the compiler's own.

mod agent;
mod cause;
mod command;
mod compose;
mod gate;
pub mod key;
mod pipelock;
mod place;
mod plan_json;
mod service;
mod supervise;

use crate::lower::{self, Stage};
use crate::plan::Plan;
use crate::source::{Sources, Span};

use cause::{Cause, Causes, Decisions, itself};
use compose::Bundle;
use place::Specs;
use plan_json::PlanJsonCauses;

/// The origin of a line, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOrigin {
    /// The place in a spec; nothing is the compiler.
    pub place: Option<Span>,
    /// A few words: what stands there, as "`allow` of profile `team`", or why the compiler decided so.
    pub what: String,
}

/// One line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text, without its line end.
    pub text: String,
    /// What made it: first what says it, then what it was computed from; never empty.
    pub origins: Vec<LineOrigin>,
    /// Whether the file has something there that nobody traced: a mistake of ours.
    pub is_unknown: bool,
}

/// Traces the files of one bottle.
#[derive(Debug)]
pub struct Tracer<'a> {
    plan: &'a Plan,
    stage: Stage,
    specs: Specs<'a>,
}

impl<'a> Tracer<'a> {
    /// For a plan that was compiled from `sources`.
    #[must_use]
    pub fn new(plan: &'a Plan, sources: &'a Sources) -> Self {
        let specs = Specs::new(sources, plan.sources.iter().map(|(name, _)| name.as_str()));
        Self { plan, stage: lower::lower(plan), specs }
    }

    /// The files, as they would be written now.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Every line of a file of the stage; nothing when there is no such file.
    #[must_use]
    pub fn lines(&self, path: &str) -> Option<Vec<Line>> {
        let file = self.stage.files.get(path)?;
        let text = String::from_utf8_lossy(&file.bytes);
        let index = self.specs.index();
        let decisions = Decisions { plan: self.plan, places: &self.plan.places, specs: &index };
        let told = |cause| match cause {
            Cause::Spec(place) => LineOrigin { place: Some(place), what: index.words(place) },
            Cause::Compiler(why) => LineOrigin { place: None, what: why.to_owned() },
        };
        // A line that had no cause at all would be seen as unknown, not be left out.
        let causes = decisions.causes(path, &text).into_iter().chain(std::iter::repeat_with(Causes::new));
        let lines = text.lines().zip(causes).map(|(text, causes)| {
            let is_unknown = causes.is_empty() && !text.trim().is_empty();
            let causes = if causes.is_empty() { itself() } else { causes };
            Line { text: text.to_owned(), origins: causes.into_iter().map(told).collect(), is_unknown }
        });
        Some(lines.collect())
    }
}

impl Decisions<'_> {
    /// What decided each line of a file, in order.
    fn causes(&self, file: &str, text: &str) -> Vec<Causes> {
        let Some(paths) = key::of(file, text) else {
            return if file == lower::agent_env::PATH { self.agent_env() } else { self.other(file, text) };
        };
        let by = |causes: &dyn Fn(&[&str]) -> Causes| -> Vec<Causes> {
            let causes = |path: &key::Path| {
                let steps: Vec<String> = path.iter().map(step).collect();
                causes(&steps.iter().map(String::as_str).collect::<Vec<_>>())
            };
            paths.iter().map(causes).collect()
        };
        match file {
            lower::smolfile::PATH => {
                let literals = self.literals();
                by(&|path| self.smolfile(path, &literals))
            }
            lower::plan_json::PATH => {
                let json = PlanJsonCauses::of(self);
                by(&|path| json.causes(path))
            }
            lower::compose::PATH => {
                let bundle = Bundle::of(self);
                by(&|path| bundle.causes(path))
            }
            lower::pipelock::PATH => by(&|path| self.pipelock(path)),
            lower::supervise::CONFIG_PATH => by(&|path| self.supervise_config(path)),
            lower::supervise::MCP_CONFIG_PATH => by(&|path| self.mcp(path)),
            _ => by(&|path| self.in_force(path)),
        }
    }
}

/// A step as a word: keys and numbers are told apart by what they stand in.
fn step(step: &key::Step) -> String {
    match step {
        key::Step::Key(key) => key.clone(),
        key::Step::At(n) => n.to_string(),
    }
}
