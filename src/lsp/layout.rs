//! `fmt` in an editor.

use lsp_types::{Range, TextEdit};

use super::analysis::Asked;

/// What `fmt` would change in a document.
#[must_use]
pub(super) fn whole(asked: Asked<'_>) -> Vec<TextEdit> {
    let _ = asked;
    Vec::new()
}

/// What `fmt` would change in the lines of a range.
#[must_use]
pub(super) fn range(asked: Asked<'_>, range: Range) -> Vec<TextEdit> {
    let _ = (asked, range);
    Vec::new()
}
