//! Checkstyle's XML, which many servers read. Lines and columns count from 1, columns are characters.

use std::io::{self, Write};

use super::Unread;
use super::place::{Place, whole};
use super::xml::Document;
use crate::diagnostic::Diagnostics;
use crate::rule::Level;
use crate::source::Sources;

/// Writes one document: an element a file, in it one for each diagnostic.
pub(super) fn render(
    diagnostics: &Diagnostics,
    unread: &[Unread],
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut document = Document::declared();
    document.open("checkstyle", &[("version", &"10.0")]);
    for file in diagnostics.as_slice().chunk_by(|a, b| a.primary.span.source == b.primary.span.source) {
        let name = Place::of(file[0].primary.span, sources).file;
        document.open("file", &[("name", &name)]);
        for diagnostic in file {
            let place = Place::of(diagnostic.primary.span, sources);
            let severity = match diagnostic.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Advice => "info",
            };
            document.empty(
                "error",
                &[
                    ("line", &(place.start.line + 1)),
                    ("column", &(place.start.character + 1)),
                    ("severity", &severity),
                    ("message", &whole(diagnostic)),
                    ("source", &format!("bottlec.{}", diagnostic.rule.id)),
                ],
            );
        }
        document.close();
    }
    for unread in unread {
        document.open("file", &[("name", &unread.path)]);
        let source = format!("bottlec.{}", Unread::NAME);
        document.empty("error", &[("severity", &"error"), ("message", unread), ("source", &source)]);
        document.close();
    }
    out.write_all(document.end().as_bytes())
}
