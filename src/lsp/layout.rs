//! Formatting requests.

use lsp_types::{Range, TextEdit};

use super::analysis::Asked;
use super::refusal::Refusal;
use crate::format::changes::{Change, changes};
use crate::rule::Level;
use crate::source::Span;
use crate::text::quote;

/// Formats a document, or says why it cannot be.
pub(super) fn whole(asked: Asked<'_>) -> Result<Vec<TextEdit>, Refusal> {
    edits(asked, |_| true)
}

/// Formats the lines of a range. A string over several lines is laid out when any of them is in it.
pub(super) fn range(asked: Asked<'_>, range: Range) -> Result<Vec<TextEdit>, Refusal> {
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

fn edits(asked: Asked<'_>, wanted: impl Fn(&Change) -> bool) -> Result<Vec<TextEdit>, Refusal> {
    let source = asked.source();
    let refused = |why: &str| Refusal::failed(format!("{} is not laid out: {why}", quote(source.name())));
    if source.too_large().is_some() {
        return Err(refused("it is larger than any file that is read"));
    }
    if !source.invalid_utf8().is_empty() {
        return Err(refused("it is not UTF-8"));
    }
    let problems = asked.analysis.syntax(asked.id);
    if let Some(first) = problems.as_slice().iter().find(|problem| problem.level == Level::Error) {
        let line = source.position(first.primary.span.start).line + 1;
        return Err(refused(&format!("line {line} has an error, {}", first.message)));
    }
    // A layout that would not be the same document is a mistake of ours.
    let found = changes(asked.tree()).map_err(|error| refused(&error.to_string()))?;
    let edits = found.into_iter().filter(wanted).flat_map(|change| change.edits);
    Ok(edits
        .map(|(span, new_text): (Span, String)| TextEdit { range: asked.range(span), new_text })
        .collect())
}
