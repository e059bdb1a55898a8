//! `bottlec check`.

use bottlec::{Options, compile};

use super::args::Check;
use super::error::Error;
use super::output::{Output, Stream};
use super::{Outcome, load};

pub(super) fn run(command: &Check, output: &Output) -> Result<Outcome, Error> {
    let reports = command.reporting.reports(command.output.as_ref())?;
    let sources = load::load(&command.specs)?;
    let compilation = compile(&sources, &Options { strict: command.strict, ..Options::default() });
    let diagnostics = &compilation.diagnostics;
    for report in &reports {
        if diagnostics.is_empty() && report.is_for_a_person() {
            let checked = match compilation.plans.len() {
                0 => String::from("profiles without a bottle"),
                1 => String::from("1 bottle"),
                bottles => format!("{bottles} bottles"),
            };
            output.print(&format!("{checked} checked, nothing found\n"))?;
        } else {
            report.write(Stream::Stdout, output, diagnostics, &sources)?;
        }
    }
    Ok(if diagnostics.has_errors() { Outcome::Findings } else { Outcome::Clean })
}
