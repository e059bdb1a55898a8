//! What is known of units from an earlier check: a unit whose files are as they were has the result that it had.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bottlec::diagnostic::Diagnostics;
use bottlec::source::Sources;

use super::each::each;
use super::inputs::{Input, Inputs};
use super::walk::Unit;

/// What came out of a unit.
#[derive(Clone, Debug)]
pub(crate) enum CheckResult {
    /// It was found in a directory and is no spec.
    NoSpec,
    /// There was nothing to say about so many bottles.
    Clean(usize),
    /// There was something to say.
    Findings {
        /// Its sources.
        sources: Sources,
        /// What was said of them.
        diagnostics: Diagnostics,
        /// How many bottles it has, none beside an error.
        bottles: usize,
    },
}

/// A unit that was checked.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The names of its sources, in their order.
    pub(crate) sources: Vec<String>,
    /// The names of those that it includes and that were not there.
    pub(crate) absent: Vec<String>,
    /// What came out of it.
    pub(crate) result: Arc<CheckResult>,
}

impl Known {
    /// The names of all that decided the result.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.sources.iter().chain(&self.absent)
    }
}

/// Every unit of a check whose files can be looked at again.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckCache {
    pub(super) files: BTreeMap<String, Input>,
    /// Where files lie that are included, with links followed.
    pub(super) real: BTreeMap<String, PathBuf>,
    pub(super) units: BTreeMap<Unit, Known>,
}

/// What of a [`CheckCache`] is as it was.
#[derive(Debug)]
pub(crate) struct FreshEntries<'a> {
    cache: &'a CheckCache,
    same: BTreeMap<&'a str, Input>,
}

impl CheckCache {
    /// Looks at every file, each once; `now` is a time before the call.
    pub(crate) fn fresh<'s>(&'s self, workspace: &Path, now: SystemTime) -> FreshEntries<'s> {
        let again = |&(name, input): &(&'s String, &'s Input)| {
            let path = workspace.join(name);
            // A link may lead to the same file by another way, which may not be open to a spec.
            let moved =
                self.real.get(name).is_some_and(|real| fs::canonicalize(&path).ok().as_ref() != Some(real));
            let input = if moved { None } else { input.again(&path, now) };
            Some((name.as_str(), input?))
        };
        let files: Vec<_> = self.files.iter().collect();
        // What one unit includes is few files, each of which is only looked at.
        let same: Vec<_> =
            if self.units.len() > 1 { each(&files, again) } else { files.iter().map(again).collect() };
        FreshEntries { cache: self, same: same.into_iter().flatten().collect() }
    }

    /// Keeps what an earlier check knew of a unit.
    pub(crate) fn keep(&mut self, unit: &Unit, known: &Known, fresh: &FreshEntries<'_>) {
        let input = |name: &String| Some((name.clone(), fresh.same.get(name.as_str())?.clone()));
        let real = |name: &String| Some((name.clone(), fresh.cache.real.get(name)?.clone()));
        let files = known.names().filter_map(input).collect();
        let real = known.names().filter_map(real).collect();
        self.insert(unit, known.clone(), files, real);
    }

    /// Remembers what came out of a unit with these sources, if its files can be looked at again.
    pub(crate) fn learn(
        &mut self,
        unit: &Unit,
        inputs: Inputs,
        sources: Vec<String>,
        result: Arc<CheckResult>,
    ) {
        if inputs.is_whole() {
            let Inputs { files, real, .. } = inputs;
            let absent = files.iter().filter(|(_, input)| input.is_absent()).map(|(name, _)| name.clone());
            let known = Known { sources, absent: absent.collect(), result };
            self.insert(unit, known, files, real);
        }
    }

    /// Two units may have read one file at two times: if it changed between them, only the first is remembered.
    fn insert(
        &mut self,
        unit: &Unit,
        known: Known,
        files: BTreeMap<String, Input>,
        real: BTreeMap<String, PathBuf>,
    ) {
        let other =
            |(name, input): (&String, &Input)| self.files.get(name).is_some_and(|known| known != input);
        let led = |(name, path): (&String, &PathBuf)| self.real.get(name).is_some_and(|known| known != path);
        if !files.iter().any(other) && !real.iter().any(led) {
            self.files.extend(files);
            self.real.extend(real);
            self.units.insert(unit.clone(), known);
        }
    }

    /// Whether it knows the same files and units, and so the same of them.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.units.keys().eq(other.units.keys()) && self.files == other.files && self.real == other.real
    }

    /// The files that it knows, as they are named and where links lead, seen from the workspace.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.files.keys().map(PathBuf::from).chain(self.real.values().cloned())
    }
}

impl<'a> FreshEntries<'a> {
    /// What is known of a unit, when everything that it was made of is as it was.
    pub(crate) fn of(&self, unit: &Unit) -> Option<&'a Known> {
        let known = self.cache.units.get(unit)?;
        known.names().all(|name| self.same.contains_key(name.as_str())).then_some(known)
    }
}
