//! GitLab's code quality report: a list that a merge request shows beside its lines.

use std::io::{self, Write};

use serde::Serialize;

use super::Unread;
use super::place::{Fingerprints, Place, whole};
use crate::diagnostic::Diagnostics;
use crate::rule::Level;
use crate::source::Sources;

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

/// Writes the list. Lines count from 1.
pub(super) fn render(
    diagnostics: &Diagnostics,
    unread: &[Unread],
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut fingerprints = Fingerprints::new(sources);
    let found = diagnostics.as_slice().iter().map(|diagnostic| {
        let place = Place::of(diagnostic.primary.span, sources);
        Issue {
            description: whole(diagnostic),
            check_name: diagnostic.rule.id,
            fingerprint: fingerprints.of(diagnostic),
            severity: match diagnostic.level {
                Level::Error => "major",
                Level::Warning => "minor",
                Level::Advice => "info",
            },
            location: Location {
                path: place.file,
                lines: Lines { begin: place.start.line + 1, end: place.end.line + 1 },
            },
        }
    });
    let unread = unread.iter().map(|unread| Issue {
        description: unread.to_string(),
        check_name: Unread::NAME,
        fingerprint: unread.fingerprint(),
        severity: "blocker",
        location: Location { path: &unread.path, lines: Lines { begin: 1, end: 1 } },
    });
    super::json::write_list(found.chain(unread), out)
}
