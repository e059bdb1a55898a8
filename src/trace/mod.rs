//! From each line of a stage's files back to the lines of the specs that made it.
//!
//! A file is read by its own structure: each of its lines has a path of keys, such as `services`, `db`, `image`. What
//! such a path stands for is what the lowering put there, so that its origin is asked of the plan where the plan keeps
//! it, and else of the layers of the bottle: the profiles that it extends and the bottle itself, of which the last one
//! that says a thing is in force.

mod layers;
mod origins;
mod paths;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostics;
use crate::lower::{self, Stage, agent_env, compose, manifest, pipelock, smolfile};
use crate::plan::Plan;
use crate::source::{SourceId, Sources, Span};
use crate::spec::File;
use crate::syntax::{self, Tree};
use layers::Layers;
use origins::Origins;
use paths::Path;

/// What made a line, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The place in a spec; what every bottle has comes from nowhere.
    pub place: Option<Span>,
    /// What it is, in a few words: "`allow` of profile `team`".
    pub what: String,
}

/// One line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text, without its line end.
    pub text: String,
    /// What made it, the most telling first; never empty.
    pub origins: Vec<Origin>,
    /// Whether the file has something there that nobody traced: a mistake of ours.
    pub is_unknown: bool,
}

/// Traces the files of one bottle.
#[derive(Debug)]
pub struct Tracer<'a> {
    plan: &'a Plan,
    stage: Stage,
    sources: &'a Sources,
    trees: Vec<Tree>,
    files: BTreeMap<SourceId, File>,
}

impl<'a> Tracer<'a> {
    /// For a plan that was compiled from `sources`.
    #[must_use]
    pub fn new(plan: &'a Plan, sources: &'a Sources) -> Self {
        let trees: Vec<Tree> =
            sources.iter().map(|(id, source)| syntax::parse(id, source, &mut Diagnostics::new())).collect();
        let files = trees.iter().map(|tree| (tree.source(), File::decode(tree))).collect();
        Self { plan, stage: lower::lower(plan), sources, trees, files }
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
        let layers = Layers::new(&self.plan.slug, &self.trees, &self.files, self.sources);
        let origins = Origins::new(self.plan, self.sources, &layers);
        let paths = match path {
            smolfile::PATH => paths::toml(&text),
            agent_env::PATH => paths::shell(&text),
            compose::PATH | pipelock::PATH => paths::yaml(&text),
            manifest::PATH => paths::json(&text),
            _ => Vec::new(),
        };
        let empty = Path::new();
        let lines = text.lines().enumerate().map(|(at, text)| {
            let key = paths.get(at).unwrap_or(&empty);
            let mut found = match path {
                smolfile::PATH => origins.smolfile(key),
                agent_env::PATH => origins.agent_env(key),
                compose::PATH => origins.compose(key),
                pipelock::PATH => origins.pipelock(key),
                manifest::PATH => origins.manifest(key),
                path => origins.file(path),
            };
            let is_unknown = found.is_none();
            let mut said = Vec::new();
            for origin in found.take().unwrap_or_default() {
                if !said.contains(&origin) {
                    said.push(origin);
                }
            }
            if said.is_empty() {
                said.push(Origin { place: None, what: String::from("bottlec, for every bottle") });
            }
            Line { text: text.to_owned(), origins: said, is_unknown }
        });
        Some(lines.collect())
    }
}
