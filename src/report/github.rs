//! Workflow commands, by which GitHub Actions annotates the lines of a pull request.

use std::io::{self, Write};

use super::place::{Place, whole};
use crate::diagnostic::Diagnostics;
use crate::report::{Summary, Unread, one_line};
use crate::rule::Level;
use crate::source::Sources;
use crate::text::{break_marks, without_commands};

/// Writes a command for each: lines and columns count from 1, columns are characters. What a message holds is encoded, so
/// that no text of a spec can become a command.
pub(super) fn render(
    diagnostics: &Diagnostics,
    unread: &[Unread],
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    for diagnostic in diagnostics.as_slice() {
        let place = Place::of(diagnostic.primary.span, sources);
        let command = match diagnostic.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Advice => "notice",
        };
        write!(out, "::{command} file={},line={}", property(&one_line(place.file)), place.start.line + 1)?;
        // Columns are read within one line only.
        if place.start.line == place.end.line {
            let end = place.end.character.max(place.start.character + 1);
            write!(out, ",col={},endColumn={}", place.start.character + 1, end + 1)?;
        } else {
            write!(out, ",endLine={}", place.end.line + 1)?;
        }
        let title = format!("bottlec: {}", diagnostic.rule.id);
        writeln!(out, ",title={}::{}", property(&title), data(&whole(diagnostic)))?;
    }
    for Unread { path, reason } in unread {
        let message = format!("cannot be read: {reason}");
        writeln!(
            out,
            "::error file={},title=bottlec::{}",
            property(&one_line(path)),
            data(&one_line(&message))
        )?;
    }
    if diagnostics.dropped() > 0 {
        writeln!(out, "::warning title=bottlec::{}", data(&Summary::of(diagnostics).to_string()))?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    encoded(&without_commands(text))
}

fn property(text: &str) -> String {
    // No colon stays.
    encoded(&break_marks(text, "?")).replace(':', "%3A").replace(',', "%2C")
}

fn encoded(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
