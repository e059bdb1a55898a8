//! One round of `check`: what the arguments ask for, the check or the fixes, and the reports.

use std::path::PathBuf;

use bottlec::Options;
use bottlec::report::Unread;

use super::Outcome;
use super::args::Check;
use super::error::Error;
use super::fixing::Fixing;
use super::fleet::{self, Fleet, Job, Results, UnitResult};
use super::output::{Output, Stream};
use super::progress::Progress;
use super::reports::Report;
use super::revision::Revision;
use super::walk::{self, Unit, Walked};

/// A call of `check`: its arguments, and the results of the round before.
#[derive(Debug)]
pub(super) struct Checking<'a> {
    command: &'a Check,
    pub(super) output: &'a Output,
    pub(super) reports: Vec<Report>,
    pub(super) paths: Vec<PathBuf>,
    options: Options,
    /// The results of the round before, where another one may follow.
    pub(super) results: Option<Results>,
}

/// The result of one round.
#[derive(Debug)]
pub(super) struct CheckRun {
    pub(super) fleet: Fleet,
    /// The directories that were looked through.
    pub(super) directories: Vec<PathBuf>,
}

impl<'a> Checking<'a> {
    pub(super) fn of(command: &'a Check, output: &'a Output) -> Result<Self, Error> {
        let reports = command.reporting.reports()?;
        let paths = walk::asked(&command.specs, command.stdin_filename.as_deref())?;
        let options = Options { strict: command.strict, ..command.leveling.options() };
        let results = command.watch.then(Results::new);
        Ok(Self { command, output, reports, paths, options, results })
    }

    /// Checks what is there now.
    pub(super) fn run(&mut self) -> CheckRun {
        let Walked { units, directories, skipped, failed } = walk::units(&self.paths);
        let mut fleet = match self.changed() {
            Ok(changed) => {
                let stdin = self.command.stdin_filename.as_deref();
                let job = Job { options: &self.options, stdin, changed: changed.as_ref() };
                fleet::check(&units, &job, &mut self.results, &Progress::from_environment())
            }
            Err(error) => Fleet::of_failures(vec![error]),
        };
        fleet.failed.splice(0..0, failed);
        fleet.skipped = skipped;
        CheckRun { fleet, directories }
    }

    /// Fixes what is there: one unit after the other, since two specs may include one file.
    pub(super) fn fixed(&self, fixing: &mut Fixing) -> Result<Fleet, Error> {
        let Walked { units, directories: _, skipped, failed } = walk::units(&self.paths);
        let changed = self.changed()?;
        let stdin = self.command.stdin_filename.as_deref();
        let mut fix = |unit: &Unit| {
            let Some((workspace, analysis)) = unit.load(stdin, &self.options)? else { return Ok(None) };
            if changed.as_ref().is_some_and(|since| !since.differs(&workspace, analysis.sources())) {
                return Ok(None);
            }
            let fixed = fixing.fix(&workspace, analysis)?;
            Ok(Some(UnitResult::of(workspace, fixed)))
        };
        let mut fleet = Fleet::of_failures(failed);
        fleet.skipped = skipped;
        for unit in &units {
            match fix(unit) {
                Ok(Some(result)) => fleet.add(&result),
                Ok(None) => {}
                Err(error) => fleet.failed.push(error),
            }
        }
        Ok(fleet)
    }

    /// The revision that is asked for, of which nothing is checked that is still as it is there.
    fn changed(&self) -> Result<Option<Revision>, Error> {
        let Some(name) = self.command.changed.as_deref() else { return Ok(None) };
        Revision::named(name).map(Some).map_err(|reason| Error::Read { path: PathBuf::from(name), reason })
    }

    /// Shows what was found, and what was fixed.
    pub(super) fn show(&self, mut fleet: Fleet, fixing: Option<Fixing>) -> Result<Outcome, Error> {
        let Self { command, output, reports, .. } = self;
        if fleet.units == 0 && fleet.failed.is_empty() && command.changed.is_none() {
            let reason = String::from("there is no spec in it");
            let path = self.paths.first().cloned().unwrap_or_default();
            fleet.failed.push(Error::Read { path, reason });
        }
        let unread: Vec<Unread> = fleet.failed.iter().filter_map(Error::unread).collect();
        let failed = fleet.failed.pop();
        // The others are worth knowing all the same.
        for error in &fleet.failed {
            output.complain(error);
        }
        fleet.diagnostics.finish();
        if let Some(most) = command.max_diagnostics {
            fleet.diagnostics.truncate(most);
        }
        // What is shown is the difference: who applies it wants nothing else on standard output.
        let stream = if command.fixes.diff { Stream::Stderr } else { Stream::Stdout };
        // Beside what a program reads, or a patch, no other line may stand.
        let remarks = if command.fixes.diff || reports.iter().any(Report::is_for_a_program) {
            Stream::Stderr
        } else {
            Stream::Stdout
        };
        for report in reports {
            if fleet.diagnostics.is_empty() && report.is_for_a_person() {
                if failed.is_none() && !command.fixes.diff {
                    output.print(&nothing(&fleet))?;
                }
            } else {
                report.write(stream, output, &fleet.diagnostics, &unread, &fleet.sources)?;
            }
        }
        // Nor beside lines that a program takes one by one.
        let beside = reports.iter().any(Report::is_for_a_person);
        output.say(if beside { remarks } else { Stream::Stderr }, &fleet.skipped.said())?;
        if command.statistics {
            output.say(remarks, &fleet.statistics())?;
        }
        let fixed = fixing.map_or(Ok(Outcome::Clean), |fixing| fixing.end(output, remarks))?;
        match failed {
            Some(error) => Err(error),
            None if fleet.diagnostics.has_errors() => Ok(Outcome::Findings),
            None => Ok(fixed),
        }
    }
}

fn nothing(fleet: &Fleet) -> String {
    let checked = match (fleet.bottles, fleet.units) {
        (0, 0) => String::from("nothing that changed"),
        (0, _) => String::from("profiles without a bottle"),
        (1, _) => String::from("1 bottle"),
        (bottles, _) => format!("{bottles} bottles"),
    };
    match fleet.diagnostics.allowed().len() {
        0 => format!("{checked} checked, nothing found\n"),
        allowed => format!("{checked} checked, nothing found; {allowed} allowed\n"),
    }
}
