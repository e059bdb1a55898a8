//! Parallel checks of many units, and their diagnostics, counted and told apart.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};

use bottlec::diagnostic::{Allowed, Diagnostic, Diagnostics};
use bottlec::rule::Level;
use bottlec::source::{Source, SourceId, Sources};
use bottlec::{Analysis, Options};

use super::each::each;
use super::error::Error;
use super::progress::Progress;
use super::revision::Revision;
use super::walk::{Skipped, Unit};
use super::workspace::Workspace;

/// How many units are checked before what was found in them is laid together: what is in memory at one time.
const TOGETHER: usize = 256;
/// How many diagnostics are told apart, so that what many units include is not counted for each of them.
const MAX_TOLD_APART: usize = 100_000;

/// The options of a check.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// What a compile is told.
    pub(crate) options: &'a Options,
    /// What standard input is called.
    pub(crate) stdin: Option<&'a Path>,
    /// If given, what is still as it is there is left out.
    pub(crate) changed: Option<&'a Revision>,
}

/// The result of checking one unit.
#[derive(Clone, Debug)]
pub(crate) struct UnitResult {
    workspace: Workspace,
    sources: Sources,
    diagnostics: Diagnostics,
    /// How many bottles it has, none beside an error.
    bottles: usize,
}

/// The results of the check before, by unit: a unit whose sources hold the same is not compiled again.
pub(crate) type Results = BTreeMap<Unit, UnitResult>;

/// The joined results of many units.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) bottles: usize,
    /// How many units there are.
    pub(crate) units: usize,
    /// How many of them were compiled, and not taken from an earlier check.
    pub(crate) compiled: usize,
    /// Why units could not be checked.
    pub(crate) failed: Vec<Error>,
    /// What was no unit, and might have been.
    pub(crate) skipped: Skipped,
    counts: BTreeMap<(&'static str, &'static str), usize>,
    uncounted: usize,
    seen: Seen,
}

/// The diagnostics so far, by a digest of their place, rule and message: how bad each was.
#[derive(Debug, Default)]
struct Seen {
    hasher: RandomState,
    levels: HashMap<u64, Level>,
}

/// Checks units in parallel. With `results` of the check before, those that still hold are taken over, and what is
/// known after this one replaces them.
pub(crate) fn check(
    units: &[Unit],
    job: &Job<'_>,
    results: &mut Option<Results>,
    progress: &Progress,
) -> Fleet {
    let mut next = results.as_ref().map(|_| Results::new());
    let mut fleet = Fleet::default();
    for together in units.chunks(TOGETHER) {
        let one = |unit: &Unit| {
            let before = results.as_ref().and_then(|results| results.get(unit));
            let done = one(unit, job, before);
            progress.advance(units.len());
            done
        };
        for (unit, done) in together.iter().zip(each(together, one)) {
            match done {
                Ok(Some((result, compiled))) => {
                    fleet.compiled += usize::from(compiled);
                    fleet.add(&result);
                    if let Some(next) = &mut next {
                        next.insert(unit.clone(), result);
                    }
                }
                Ok(None) => {}
                Err(error) => fleet.failed.push(error),
            }
        }
    }
    *results = next;
    fleet
}

/// Checks a unit, and says whether it was compiled for that. None when it is no spec, or nothing that was asked for
/// changed in it.
fn one(unit: &Unit, job: &Job<'_>, before: Option<&UnitResult>) -> Result<Option<(UnitResult, bool)>, Error> {
    let Some((workspace, analysis)) = unit.load(job.stdin, job.options)? else { return Ok(None) };
    if job.changed.is_some_and(|since| !since.differs(&workspace, analysis.sources())) {
        return Ok(None);
    }
    Ok(Some(match before {
        Some(before) if hold_the_same(&before.sources, analysis.sources()) => (before.clone(), false),
        _ => (UnitResult::of(workspace, analysis), true),
    }))
}

/// Whether two readings of one unit gave the same: what was read, and what could not be.
fn hold_the_same(one: &Sources, other: &Sources) -> bool {
    fn held((_, source): (SourceId, &Source)) -> (&str, &[u8], Option<usize>) {
        (source.name(), source.bytes(), source.too_large())
    }
    one.iter().map(held).eq(other.iter().map(held)) && one.absent().eq(other.absent())
}

impl UnitResult {
    /// Checks a unit.
    pub(crate) fn of(workspace: Workspace, analysis: Analysis) -> Self {
        let bottles = if analysis.diagnostics().has_errors() { 0 } else { analysis.bottles().len() };
        let (sources, diagnostics) = analysis.into_parts();
        Self { workspace, sources, diagnostics, bottles }
    }

    /// The files that it was made from, and those that it could not be made from.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.sources.places().map(|place| self.workspace.root().join(place))
    }
}

impl Fleet {
    /// None that could be checked so far.
    pub(crate) fn of_failures(failed: Vec<Error>) -> Self {
        Self { failed, ..Self::default() }
    }

    /// Adds the result of a unit.
    pub(crate) fn add(&mut self, result: &UnitResult) {
        let UnitResult { workspace: _, sources, diagnostics, bottles } = result;
        // What is allowed is counted each time.
        if diagnostics.is_empty() && diagnostics.allowed().is_empty() {
            for (_, source) in sources.files() {
                self.sources.mention(source.name());
            }
        } else {
            let ids = self.sources.absorb(sources.clone());
            self.uncounted += diagnostics.dropped();
            // A mistake in what several units include is found in each of them.
            let new =
                diagnostics.clone().remap_sources(&ids).retain_shown(|diagnostic| !self.seen.has(diagnostic));
            for diagnostic in new.as_slice() {
                *self.counts.entry((diagnostic.rule.id, diagnostic.level.as_str())).or_default() += 1;
            }
            self.diagnostics.append(new);
        }
        self.bottles += bottles;
        self.units += 1;
    }

    /// Counts the diagnostics of each rule, the most frequent first.
    pub(crate) fn statistics(&self) -> String {
        let mut counts = self.counts.clone();
        // Once all is together: what one spec allows and another does not is shown.
        for Allowed { diagnostic, by: _ } in self.diagnostics.allowed() {
            *counts.entry((diagnostic.rule.id, "allowed")).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
        let mut text = String::new();
        for ((rule, level), count) in counts {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{count:6}  {level:7}  {rule}");
        }
        if self.uncounted > 0 {
            let _ = writeln!(
                text,
                "{:6}  more, in specs with over {} of them",
                self.uncounted,
                Diagnostics::LIMIT
            );
        }
        text
    }
}

impl Seen {
    /// Whether it was seen before, and as bad as that. What one bottle accepts and another does not stays an error.
    fn has(&mut self, diagnostic: &Diagnostic) -> bool {
        let key = self.hasher.hash_one((diagnostic.primary.span, diagnostic.rule.id, &diagnostic.message));
        let full = self.levels.len() >= MAX_TOLD_APART;
        match self.levels.get_mut(&key) {
            Some(level) if *level <= diagnostic.level => true,
            Some(level) => {
                *level = diagnostic.level;
                false
            }
            None => {
                if !full {
                    self.levels.insert(key, diagnostic.level);
                }
                false
            }
        }
    }
}
