//! Parts of a diagnostic that several formats share: its place, its whole message, and its fingerprint.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Label};
use crate::digest::sha256_hex;
use crate::source::{Position, Sources, Span};
use crate::text::harmless;
use crate::world::catalogue;

/// A span as a file and two positions.
pub(super) struct Place<'a> {
    /// The file's name: a path relative to the workspace with `/` between its parts, or `<stdin>`.
    pub(super) file: &'a str,
    /// Where it begins, zero-based.
    pub(super) start: Position,
    /// The first point that is no part of it, zero-based.
    pub(super) end: Position,
}

impl<'a> Place<'a> {
    pub(super) fn of(span: Span, sources: &'a Sources) -> Self {
        let source = sources.get(span.source);
        Self { file: source.name(), start: source.position(span.start), end: source.position(span.end) }
    }

    /// The file as the reference of a URI: everything that is no plain character of a path is percent-encoded, and so is
    /// a colon, which a first segment must not hold.
    pub(super) fn uri(&self) -> String {
        uri(self.file)
    }
}

/// A path as the reference of a URI, likewise. The place of what is built in is a URI.
pub(super) fn uri(path: &str) -> String {
    if catalogue::is_place(path) {
        return path.to_owned();
    }
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The message with everything that belongs to it, a line each: what was expected, and what to do.
pub(super) fn whole(diagnostic: &Diagnostic) -> String {
    let Diagnostic { rule: _, level: _, message, primary, related: _, help, fix: _, bottle: _ } = diagnostic;
    let Label { span: _, message: label } = primary;
    let mut lines = vec![message.clone()];
    if !label.is_empty() {
        lines.push(format!("here: {label}"));
    }
    lines.extend(help.iter().map(|help| format!("help: {help}")));
    lines.iter().map(|line| harmless(line).replace(['\n', '\r', '\t'], " ")).collect::<Vec<_>>().join("\n")
}

/// The most of a line's text, before and behind a diagnostic's place, that its fingerprint is made of: a thousand may stand
/// on one line of megabytes.
const AROUND: usize = 512;

/// What each diagnostic is known by from run to run: the rule, the file, and the text of the line that it stands on,
/// without the blanks around it; of several that are alike, a number. Lines that move keep their fingerprints.
pub(super) struct Fingerprints<'a> {
    sources: &'a Sources,
    /// How many were alike so far, by a digest of what they are made of.
    seen: BTreeMap<String, usize>,
}

impl<'a> Fingerprints<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self { sources, seen: BTreeMap::new() }
    }

    /// The next one's: 32 hexadecimal digits. Ask for all, in order.
    pub(super) fn of(&mut self, diagnostic: &Diagnostic) -> String {
        let span = diagnostic.primary.span;
        let source = self.sources.get(span.source);
        let number = source.line_of(span.start);
        let (line, start) = (source.line_text(number), source.line_range(number).start);
        let at = (span.start as usize - start).min(line.len());
        let from = line.floor_char_boundary(at.saturating_sub(AROUND));
        let to = line.ceil_char_boundary(at + AROUND);
        let line = line[from..to].trim();
        let same = format!("{}\0{}\0{}\0{line}", diagnostic.rule.id, source.name(), diagnostic.message);
        let number = self.seen.entry(sha256_hex(same.as_bytes())).or_insert(0);
        let mut digest = sha256_hex(format!("{same}\0{number}").as_bytes());
        *number += 1;
        digest.truncate(32);
        digest
    }
}
