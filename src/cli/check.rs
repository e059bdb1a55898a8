//! `bottlec check`.

use bottlec::{Options, compile};

use super::args::{Check, Format};
use super::error::Error;
use super::output::Output;
use super::{Outcome, load};

pub(super) fn run(command: &Check, output: &Output) -> Result<Outcome, Error> {
    let sources = load::load(&command.specs)?;
    let compilation = compile(&sources, &Options { strict: command.strict, ..Options::default() });
    let diagnostics = &compilation.diagnostics;
    if diagnostics.is_empty() && matches!(command.format, Format::Fancy) {
        let checked = match compilation.plans.len() {
            0 => String::from("profiles without a bottle"),
            1 => String::from("1 bottle"),
            bottles => format!("{bottles} bottles"),
        };
        output.print(&format!("{checked} checked, nothing found\n"))?;
    } else {
        output.report(command.format.into(), diagnostics, &sources)?;
    }
    Ok(if diagnostics.has_errors() { Outcome::Findings } else { Outcome::Clean })
}
