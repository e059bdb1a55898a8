//! Checking many units in parallel, and what came out of them together.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bottlec::diagnostic::{Allowed, Diagnostic, Diagnostics};
use bottlec::rule::Level;
use bottlec::source::Sources;
use bottlec::{Checked, Options};

use super::check_cache::{CheckCache, CheckResult, FreshEntries, Known};
use super::each::each;
use super::error::Error;
use super::inputs::Inputs;
use super::load;
use super::progress::Progress;
use super::walk::{Changed, Unit};

/// How many units are checked before what was found in them is laid together: what is in memory at one time.
const TOGETHER: usize = 256;
/// How many diagnostics are told apart, so that what many units include is not counted for each of them.
const MAX_TOLD_APART: usize = 100_000;

/// How units are checked.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// What a compile is told.
    pub(crate) options: &'a Options,
    /// What standard input is called.
    pub(crate) stdin: Option<&'a Path>,
    /// If given, what is made of none of these is left out.
    pub(crate) changed: Option<&'a Changed>,
    /// What is remembered of units.
    pub(crate) remember: Remember,
}

/// What is remembered of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remember {
    /// Nothing.
    Nothing,
    /// Those in which nothing was found.
    Clean,
    /// All.
    All,
}

/// What came out of units, together.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) bottles: usize,
    /// How many units there are.
    pub(crate) units: usize,
    /// How many of them were compiled, and not remembered.
    pub(crate) compiled: usize,
    /// Why units could not be checked.
    pub(crate) failed: Vec<Error>,
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

/// What came out of one unit.
enum Answer<'a> {
    /// What is known of it.
    Known(&'a Known),
    /// It was checked.
    New(Box<New>),
    /// Nothing of it changed that was asked for.
    Untouched,
}

/// What a unit was found to be.
struct New {
    inputs: Inputs,
    /// The names of its sources.
    sources: Vec<String>,
    result: CheckResult,
}

/// Checks units: those of which everything is known from `cache` are not compiled again. Gives what is known of them
/// now, too.
pub(crate) fn check(
    units: &[Unit],
    job: &Job<'_>,
    cache: &CheckCache,
    progress: &Progress,
) -> Result<(Fleet, CheckCache), Error> {
    let now = SystemTime::now();
    let fresh = cache.fresh(&load::workspace()?, now);
    let mut next = CheckCache::default();
    let mut fleet = Fleet::default();
    for together in units.chunks(TOGETHER) {
        let one = |unit: &Unit| {
            let done = one(unit, job, &fresh, now);
            progress.advance(units.len());
            done
        };
        let done: Vec<Result<Answer<'_>, Error>> = each(together, one);
        for (unit, done) in together.iter().zip(done) {
            match done {
                Ok(Answer::Known(known)) => {
                    next.keep(unit, known, &fresh);
                    fleet.add(&known.sources, (*known.result).clone());
                }
                Ok(Answer::New(new)) => {
                    let New { inputs, sources, result } = *new;
                    fleet.compiled += 1;
                    let findings = matches!(result, CheckResult::Findings { .. });
                    if job.remember == Remember::All || job.remember == Remember::Clean && !findings {
                        next.learn(unit, inputs, sources.clone(), Arc::new(result.clone()));
                    }
                    fleet.add(&sources, result);
                }
                Ok(Answer::Untouched) => {}
                Err(error) => fleet.failed.push(error),
            }
        }
    }
    Ok((fleet, next))
}

fn one<'a>(
    unit: &Unit,
    job: &Job<'_>,
    fresh: &FreshEntries<'a>,
    now: SystemTime,
) -> Result<Answer<'a>, Error> {
    let untouched = |name: &str| job.changed.is_some_and(|changed| !changed.holds(name));
    if let Some(known) = fresh.of(unit) {
        let untouched = known.sources.iter().all(|name| untouched(name));
        return Ok(if untouched { Answer::Untouched } else { Answer::Known(known) });
    }
    let mut inputs = if job.remember == Remember::Nothing { Inputs::unwatched() } else { Inputs::since(now) };
    let Some(sources) = unit.load(job.stdin, &mut inputs)? else {
        let sources = inputs.files.keys().cloned().collect();
        return Ok(Answer::New(Box::new(New { inputs, sources, result: CheckResult::NoSpec })));
    };
    let names = names(&sources);
    if names.iter().all(|name| untouched(name)) {
        return Ok(Answer::Untouched);
    }
    let result = check_result(sources, job.options);
    Ok(Answer::New(Box::new(New { inputs, sources: names, result })))
}

fn names(sources: &Sources) -> Vec<String> {
    sources.iter().map(|(_, source)| source.name().to_owned()).collect()
}

/// What is to be said of sources.
fn check_result(sources: Sources, options: &Options) -> CheckResult {
    let Checked { diagnostics, bottles } = bottlec::check(&sources, options);
    // What is allowed is counted each time.
    if diagnostics.is_empty() && diagnostics.allowed().is_empty() {
        CheckResult::Clean(bottles)
    } else {
        CheckResult::Findings { sources, diagnostics, bottles }
    }
}

impl Fleet {
    /// Checks sources, and adds what came out.
    pub(crate) fn add_checked(&mut self, sources: Sources, options: &Options) {
        let names = names(&sources);
        self.add(&names, check_result(sources, options));
    }

    /// Adds what came out of a unit with these sources.
    pub(crate) fn add(&mut self, names: &[String], result: CheckResult) {
        match result {
            CheckResult::NoSpec => return,
            CheckResult::Clean(bottles) => {
                for name in names {
                    self.sources.mention(name);
                }
                self.bottles += bottles;
            }
            CheckResult::Findings { sources, diagnostics, bottles } => {
                let ids = self.sources.absorb(sources);
                self.uncounted += diagnostics.dropped();
                // A mistake in what several units include is found in each of them.
                let new =
                    diagnostics.remap_sources(&ids).retain_shown(|diagnostic| !self.seen.has(diagnostic));
                for diagnostic in new.as_slice() {
                    *self.counts.entry((diagnostic.rule.id, diagnostic.level.as_str())).or_default() += 1;
                }
                self.diagnostics.append(new);
                self.bottles += bottles;
            }
        }
        self.units += 1;
    }

    /// How often each rule was broken, the most often first.
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
