//! `bottlec denials`, and reading records of refusals.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;

use bottlec::denial::Denials;
use bottlec::report::denials;

use super::args::{Denials as Asked, RecordsFormat};
use super::error::{Error, reason};
use super::output::Output;
use super::{Outcome, up};

/// The most that is read of a file of records: its end. A bottle's own log has no more than a part of that.
const MAX_BYTES: u64 = 64 << 20;

pub(super) fn run(command: &Asked, output: &Output) -> Result<Outcome, Error> {
    let Some(refused) = up::refused(&command.bottle, &command.records.from, output)? else {
        return Ok(Outcome::Findings);
    };
    let report = denials::report(&refused.denials, &refused.plan);
    output.print(&match command.format {
        RecordsFormat::Text => denials::render(&report, &output.stdout),
        RecordsFormat::Json => denials::json(&report),
    })?;
    Ok(Outcome::Clean)
}

/// Reads a file of records, or standard input.
pub(super) fn read(path: &Path, denials: &mut Denials) -> Result<(), Error> {
    let unreadable = |error: io::Error| Error::Read { path: path.to_owned(), reason: reason(&error) };
    let mut text = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(MAX_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    } else {
        let mut file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if meta.is_file() && meta.len() > MAX_BYTES {
            file.seek(SeekFrom::Start(meta.len() - MAX_BYTES)).map_err(unreadable)?;
        }
        file.take(MAX_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    }
    denials.read(&text);
    Ok(())
}
