//! Cascades: diagnostics that only follow from a syntax error are suppressed.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::rule::catalogue;
use crate::source::{SourceId, Sources, Span};

/// The diagnostics of the text and those of its meaning together, without those of the second kind on lines that the
/// first kind speaks of: what stands there is not what its author meant.
///
/// An unclosed brace or comment says nothing against the rest of its own line.
pub(crate) fn suppress_cascades(text: Diagnostics, meaning: Diagnostics, sources: &Sources) -> Diagnostics {
    if text.is_empty() {
        return meaning;
    }
    let whole = [&catalogue::UNCLOSED_BRACE, &catalogue::UNMATCHED_BRACE, &catalogue::UNCLOSED_COMMENT];
    let broken: BTreeSet<(SourceId, usize)> = text
        .as_slice()
        .iter()
        .filter(|diagnostic| !whole.contains(&diagnostic.rule))
        .flat_map(places)
        .map(|span| (span.source, sources.get(span.source).line_of(span.start)))
        .collect();
    let follows = |diagnostic: &Diagnostic| {
        let span = diagnostic.primary.span;
        let source = sources.get(span.source);
        let lines = source.line_of(span.start)..=source.line_of(span.end);
        broken.range((span.source, *lines.start())..=(span.source, *lines.end())).next().is_some()
    };
    let mut all = text;
    all.append(meaning.without(follows));
    all
}

/// Every place that a diagnostic of the text is about.
fn places(diagnostic: &Diagnostic) -> impl Iterator<Item = Span> {
    let edits = diagnostic.fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.span));
    [diagnostic.primary.span].into_iter().chain(edits)
}
