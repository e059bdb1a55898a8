//! `bottlec check`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bottlec::diagnostic::{Allowed, Diagnostics, quote};
use bottlec::source::Sources;
use bottlec::{Options, compile};
use rayon::prelude::*;

use super::args::Check;
use super::error::Error;
use super::mend::Mending;
use super::output::{Output, Stream};
use super::reports::Report;
use super::walk::{self, Unit};
use super::{Outcome, revision};

/// What came out of the units, together.
#[derive(Debug, Default)]
struct Checked {
    sources: Sources,
    diagnostics: Diagnostics,
    bottles: usize,
}

pub(super) fn run(command: &Check, output: &Output) -> Result<Outcome, Error> {
    let reports = command.reporting.reports(command.output.as_ref())?;
    let paths = if command.specs.is_empty() { vec![PathBuf::from(".")] } else { command.specs.clone() };
    let mut units = walk::units(&paths)?;
    let changed = command.changed.as_deref().map(revision::changed).transpose()?;
    let mut mending = Mending::of(&command.mend, &paths)?;
    let stdin = command.stdin_filename.as_deref();
    let options = Options { strict: command.strict, ..command.leveling.options() };
    let check = |unit: &Unit| -> Result<Option<Checked>, Error> {
        let Some(sources) = unit.load(stdin)? else { return Ok(None) };
        let untouched =
            |changed: &walk::Changed| !sources.iter().any(|(_, source)| changed.holds(source.name()));
        if changed.as_ref().is_some_and(untouched) {
            return Ok(None);
        }
        Ok(Some(compiled(sources, &options)))
    };
    let results: Vec<Result<Option<Checked>, Error>> = match &mut mending {
        // One after the other: two specs may include one file.
        Some(mending) => units
            .drain(..)
            .map(|unit| check(&unit)?.map(|checked| mending.mend(checked.sources, &options)).transpose())
            .map(|mended| mended.map(|mended| mended.map(|sources| compiled(sources, &options))))
            .collect(),
        None => units.par_iter().map(check).collect(),
    };
    let mut all = Checked::default();
    let (mut files, mut failed) = (0, None);
    for result in results {
        match result {
            Ok(Some(checked)) => {
                files += 1;
                all.add(checked);
            }
            Ok(None) => {}
            // The others are worth knowing all the same.
            Err(error) => {
                if let Some(before) = failed.replace(error) {
                    output.complain(&before);
                }
            }
        }
    }
    if files == 0 && failed.is_none() && changed.is_none() {
        let reason = String::from("there is no spec in it");
        return Err(Error::Read { path: paths.into_iter().next().unwrap_or_default(), reason });
    }
    all.diagnostics.finish();
    // What is not shown is counted.
    let counts = command.statistics.then(|| statistics(&all.diagnostics));
    if let Some(most) = command.max_diagnostics {
        all.diagnostics.truncate(most);
    }
    // What is shown is the difference: who applies it wants nothing else on standard output.
    let stream = if command.mend.diff { Stream::Stderr } else { Stream::Stdout };
    // Beside what a program reads, or a patch, no other line may stand.
    let remarks = if command.mend.diff || reports.iter().any(Report::is_for_a_program) {
        Stream::Stderr
    } else {
        Stream::Stdout
    };
    for report in &reports {
        if all.diagnostics.is_empty() && report.is_for_a_person() {
            if failed.is_none() && !command.mend.diff {
                output.print(&all.nothing(files))?;
            }
        } else {
            report.write(stream, output, &all.diagnostics, &all.sources)?;
        }
    }
    if let Some(counts) = counts {
        output.say(remarks, &counts)?;
    }
    let mended = mending.map_or(Ok(Outcome::Clean), |mending| mending.end(output, remarks))?;
    match failed {
        Some(error) => Err(error),
        None if all.diagnostics.has_errors() => Ok(Outcome::Findings),
        None => Ok(mended),
    }
}

fn compiled(sources: Sources, options: &Options) -> Checked {
    let compilation = compile(&sources, options);
    Checked { bottles: compilation.plans.len(), diagnostics: compilation.diagnostics, sources }
}

impl Checked {
    fn add(&mut self, other: Self) {
        let Self { sources, diagnostics, bottles } = other;
        let ids = self.sources.absorb(sources);
        self.diagnostics.append(diagnostics.moved(&ids));
        self.bottles += bottles;
    }

    fn nothing(&self, files: usize) -> String {
        let checked = match (self.bottles, files) {
            (0, 0) => String::from("nothing that changed"),
            (0, _) => String::from("profiles without a bottle"),
            (1, _) => String::from("1 bottle"),
            (bottles, _) => format!("{bottles} bottles"),
        };
        match self.diagnostics.allowed().len() {
            0 => format!("{checked} checked, nothing found\n"),
            allowed => format!("{checked} checked, nothing found; {allowed} allowed\n"),
        }
    }
}

/// How often each rule was broken, the most often first.
fn statistics(diagnostics: &Diagnostics) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for diagnostic in diagnostics.as_slice() {
        *counts.entry((diagnostic.rule.id, diagnostic.level.as_str())).or_default() += 1;
    }
    for Allowed { diagnostic, by: _ } in diagnostics.allowed() {
        *counts.entry((diagnostic.rule.id, "allowed")).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
    let mut text = String::new();
    for ((rule, level), count) in counts {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{count:6}  {level:7}  {rule}");
    }
    text
}

/// Names a file for people.
pub(super) fn shown(path: &Path) -> String {
    quote(&path.to_string_lossy())
}
