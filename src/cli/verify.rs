//! `bottlec verify`.

use std::fmt::Write as _;

use bottlec::stage::{self, State};
use bottlec::text::quote_path;

use super::Outcome;
use super::args::Verify;
use super::error::Error;
use super::output::Output;

pub(super) fn run(command: &Verify, output: &Output) -> Result<Outcome, Error> {
    let mut text = String::new();
    let mut outcome = Outcome::Clean;
    for path in &command.stages {
        let state = stage::verify(path)?;
        if state != State::Intact {
            outcome = Outcome::Findings;
        }
        let path = quote_path(path);
        // Writing to a `String` cannot fail.
        let _ = match state {
            State::Intact => writeln!(text, "{path} is as it was built"),
            State::Absent => writeln!(text, "{path} is not there: build it"),
            State::Foreign => {
                writeln!(text, "{path} is not a stage that bottlec wrote: name one, or build it")
            }
            State::OtherFormat(format) => writeln!(
                text,
                "{path} is a stage of format {format}, which another version of bottlec wrote: build it again with `--force`"
            ),
            State::Edited(differences) => {
                let _ = writeln!(text, "{path} is not as it was built:");
                for difference in differences {
                    let _ = writeln!(text, "  {difference}");
                }
                writeln!(text, "start nothing from it: build it again from its spec")
            }
        };
    }
    output.print(&text)?;
    Ok(outcome)
}
