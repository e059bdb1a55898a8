//! Traces: the lines of a spec that decided each line of a stage.
//!
//! Each value of a plan knows where it comes from, and is followed into the files while they are lowered. What stands on
//! a line of a file of keys is found by the line's key ([`key`]), for the writers of such files say nothing of lines.

pub mod key;
mod place;

use std::collections::BTreeMap;
use std::iter;
use std::ops::Bound;

use crate::backend;
use crate::lower::{Parts, Path, Places, Provenance, Stage, Step};
use crate::plan::{Origin, Origins, Plan};
use crate::source::Span;
use crate::syntax::Trees;

use place::Specs;

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
    stage: Stage,
    provenance: BTreeMap<String, Provenance>,
    specs: Specs<'a>,
}

/// Of a file that is the same in every stage that has it.
static CONSTANT: Origin = Origin::compiler("the same in every stage that has this file");

impl<'a> Tracer<'a> {
    /// For a plan that was compiled from the sources of `trees`.
    #[must_use]
    pub fn new(plan: &'a Plan, trees: &'a dyn Trees) -> Self {
        let (stage, provenance) = backend::lower_traced(plan);
        let specs = Specs::new(trees, plan.sources.keys().map(String::as_str));
        Self { stage, provenance, specs }
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
        let told = |origin: &Origin| match origin {
            Origin::Spec { source: _, line: _, span } => {
                LineOrigin { place: Some(*span), what: index.words(*span) }
            }
            Origin::Compiler(why) => LineOrigin { place: None, what: why.clone().into_owned() },
        };
        // A line that had no origin at all is seen as unknown, not left out.
        let origins = self.origins(path, &text).into_iter().chain(iter::repeat(None));
        let lines = text.lines().zip(origins).map(|(text, origins)| {
            let is_unknown = origins.is_none() && !text.trim().is_empty();
            let origins = origins.unwrap_or_else(Origins::fixed);
            Line { text: text.to_owned(), origins: origins.all().iter().map(told).collect(), is_unknown }
        });
        Some(lines.collect())
    }

    /// What decided each line of a file, in order.
    fn origins(&self, path: &str, text: &str) -> Vec<Option<Origins>> {
        let Some(Provenance { asked, parts }) = self.provenance.get(path) else { return Vec::new() };
        match parts {
            Parts::Constant => {
                vec![Some(asked.clone().and(&Origins::compiler(&CONSTANT))); text.lines().count()]
            }
            Parts::Lines(lines) => lines.iter().cloned().map(Some).collect(),
            Parts::Document(places) => {
                let lines = key::of(path, text).unwrap_or_default();
                lines.iter().map(|line| at(line, places, asked)).collect()
            }
        }
    }
}

/// What decided the value at a place: its own origins; those of the first thing in it, if it is a list, which is there
/// because of that; or those of what it is in. Nothing when no value is there.
fn at(path: &Path, places: &Places, asked: &Origins) -> Option<Origins> {
    if let Some(own) = places.get(path)? {
        return Some(own.clone());
    }
    let below = (Bound::Excluded(path), Bound::Unbounded);
    let mut inside =
        places.range::<Path, _>(below).take_while(|(inner, _)| inner.starts_with(path)).peekable();
    let is_list = inside.peek().is_some_and(|(inner, _)| matches!(inner.get(path.len()), Some(Step::At(_))));
    if is_list && let Some(first) = inside.find_map(|(_, origins)| origins.clone()) {
        return Some(first);
    }
    let outer = (0..path.len()).rev().find_map(|end| places.get(&path[..end])?.clone());
    Some(outer.unwrap_or_else(|| asked.clone()))
}
