//! `bottlec init`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};

use bottlec::diagnostic::quote;

use super::Outcome;
use super::args::Init;
use super::error::{Error, reason};
use super::output::Output;

/// The starter spec. The tests compile it.
const STARTER: &str = include_str!("../../examples/starter.kdl");

pub(super) fn run(command: &Init, output: &Output) -> Result<Outcome, Error> {
    let path = command.directory.join("bottle.kdl");
    let failed = |error: &io::Error| Error::Write {
        path: path.clone(),
        reason: match error.kind() {
            io::ErrorKind::AlreadyExists => String::from("it is there already, and is not overwritten"),
            _ => reason(error),
        },
    };
    fs::create_dir_all(&command.directory).map_err(|error| failed(&error))?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| failed(&error))?;
    file.write_all(STARTER.as_bytes()).map_err(|error| failed(&error))?;
    let shown = path.to_string_lossy();
    output.print(&format!(
        "wrote {}: look through it, then run\n  bottlec build {}\n",
        quote(&shown),
        bottlec::report::plan::shell_word(&shown)
    ))?;
    Ok(Outcome::Clean)
}
