//! Formatting requests.

use lsp_types::{Range, TextEdit};

use super::analysis::Asked;
use crate::format::changes::{Change, changes};
use crate::source::Span;

/// Formats a document; no edits for one with syntax errors.
#[must_use]
pub(super) fn whole(asked: Asked<'_>) -> Vec<TextEdit> {
    edits(asked, |_| true)
}

/// Formats the lines of a range. A string over several lines is laid out when any of them is in it.
#[must_use]
pub(super) fn range(asked: Asked<'_>, range: Range) -> Vec<TextEdit> {
    let source = asked.source();
    let span = asked.span(range);
    let first = source.line_of(span.start);
    let mut last = source.line_of(span.end);
    // Who selects lines ends at the start of the next one, and does not mean that.
    if last > first && source.line_starts()[last] == span.end {
        last -= 1;
    }
    let end = u32::try_from(source.text().len()).unwrap_or(u32::MAX);
    let (start, next) = (source.line_starts()[first], source.line_starts().get(last + 1).copied());
    let lines = start..next.unwrap_or(end);
    // What follows the last line end there belongs to the next line: its indentation.
    let before = |offset: u32| offset < lines.end || next.is_none();
    edits(asked, |change| {
        let Change { edits } = change;
        let range = change.range();
        if edits.len() > 1 {
            return range.start < lines.end && lines.start <= range.end;
        }
        lines.start <= range.start && range.end <= lines.end && before(range.start)
    })
}

fn edits(asked: Asked<'_>, wanted: impl Fn(&Change) -> bool) -> Vec<TextEdit> {
    let source = asked.source();
    let broken = asked.analysis.syntax(asked.id).has_errors();
    if broken || source.too_large().is_some() || !source.invalid_utf8().is_empty() {
        return Vec::new();
    }
    // A layout that would not be the same document is a mistake of ours: nothing is changed then.
    let found = changes(asked.tree()).unwrap_or_default();
    let edits = found.into_iter().filter(wanted).flat_map(|change| change.edits);
    edits.map(|(span, new_text): (Span, String)| TextEdit { range: asked.range(span), new_text }).collect()
}
