//! JUnit's XML, which every CI system shows as tests: a suite a file, a test for each diagnostic.

use std::io::{self, Write};

use super::Unread;
use super::place::{Place, whole};
use super::xml::Document;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::rule::Level;
use crate::source::Sources;

/// Writes one document. An error is a failed test; a warning and a piece of advice are passed ones that say something,
/// as they do not fail a run; a file without any diagnostic is one passed test, and one that could not be read a test
/// that could not be run.
pub(super) fn render(
    diagnostics: &Diagnostics,
    unread: &[Unread],
    sources: &Sources,
    out: &mut dyn Write,
) -> io::Result<()> {
    let all = diagnostics.as_slice();
    let mut document = Document::declared();
    let quiet = sources.files().filter(|(id, _)| all.iter().all(|d| d.primary.span.source != *id)).count();
    let failed = |found: &[Diagnostic]| found.iter().filter(|d| d.level == Level::Error).count();
    let tests = all.len() + quiet + unread.len();
    let (failures, errors) = (failed(all), unread.len());
    document.open(
        "testsuites",
        &[("name", &"bottlec"), ("tests", &tests), ("failures", &failures), ("errors", &errors)],
    );
    for (id, source) in sources.files() {
        let found: Vec<Diagnostic> =
            all.iter().filter(|diagnostic| diagnostic.primary.span.source == id).cloned().collect();
        let name = source.name();
        let tests = found.len().max(1);
        document.open(
            "testsuite",
            &[("name", &name), ("tests", &tests), ("failures", &failed(&found)), ("errors", &"0")],
        );
        if found.is_empty() {
            document.empty("testcase", &[("name", &"bottlec check"), ("classname", &name)]);
        }
        for diagnostic in &found {
            test(diagnostic, sources, &mut document);
        }
        document.close();
    }
    for unread in unread {
        let name = &unread.path;
        document.open("testsuite", &[("name", name), ("tests", &"1"), ("failures", &"0"), ("errors", &"1")]);
        document.open("testcase", &[("name", &"bottlec check"), ("classname", name)]);
        document.text("error", &[("message", unread), ("type", &Unread::NAME)], &format!("{name}: {unread}"));
        document.close();
        document.close();
    }
    out.write_all(document.end().as_bytes())
}

fn test(diagnostic: &Diagnostic, sources: &Sources, document: &mut Document) {
    let place = Place::of(diagnostic.primary.span, sources);
    let at = format!("{}:{}", place.start.line + 1, place.start.character + 1);
    let name = format!("{} at {at}", diagnostic.rule.id);
    let text = format!("{}:{at}: {}", place.file, whole(diagnostic));
    document.open("testcase", &[("name", &name), ("classname", &place.file)]);
    match diagnostic.level {
        Level::Error => {
            let (message, rule) = (&diagnostic.message, diagnostic.rule.id);
            document.text("failure", &[("message", message), ("type", &rule)], &text);
        }
        Level::Warning | Level::Advice => document.text("system-out", &[], &text),
    }
    document.close();
}
