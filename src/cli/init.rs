//! `bottlec init`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};

use bottlec::text::{harmless, quote};

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
    fs::create_dir_all(&command.directory).map_err(|error| Error::Write {
        path: command.directory.clone(),
        reason: match error.kind() {
            io::ErrorKind::AlreadyExists => String::from("it is no directory"),
            _ => reason(&error),
        },
    })?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| failed(&error))?;
    if let Err(error) = file.write_all(STARTER.as_bytes()) {
        // Half a spec would be refused to be overwritten the next time. When it cannot be removed, that is said then.
        let _ = fs::remove_file(&path);
        return Err(failed(&error));
    }
    let shown = path.to_string_lossy();
    let plain = harmless(&shown);
    // A directory whose name begins with a dash would be taken for an option.
    let word = bottlec::lower::shell::word(&plain);
    let dash = if word.starts_with('-') { "-- " } else { "" };
    output
        .print(&format!("wrote {}: look through it, then run\n  bottlec up {dash}{word}\n", quote(&shown)))?;
    Ok(Outcome::Clean)
}
