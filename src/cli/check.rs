//! `bottlec check`.

use super::args::Check;
use super::checking::Checking;
use super::error::Error;
use super::mend::Mending;
use super::output::Output;
use super::{Outcome, watch};

pub(super) fn run(command: &Check, output: &Output) -> Result<Outcome, Error> {
    let mut checking = Checking::of(command, output)?;
    if command.watch {
        return watch::run(checking);
    }
    let Some(mut mending) = Mending::of(&command.mend, &checking.paths)? else {
        let run = checking.run()?;
        return checking.show(run.fleet, None);
    };
    let fleet = checking.mended(&mut mending)?;
    checking.show(fleet, Some(mending))
}
