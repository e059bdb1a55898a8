//! `bottlec check`.

use super::args::Check;
use super::checking::Checking;
use super::error::Error;
use super::fixing::Fixing;
use super::output::Output;
use super::{Outcome, watch};

pub(super) fn run(command: &Check, output: &Output) -> Result<Outcome, Error> {
    let mut checking = Checking::of(command, output)?;
    if command.watch {
        return watch::run(checking);
    }
    let Some(mut fixing) = Fixing::of(&command.fixes, &checking.paths)? else {
        let run = checking.run();
        return checking.show(run.fleet, None);
    };
    let fleet = checking.fixed(&mut fixing)?;
    checking.show(fleet, Some(fixing))
}
