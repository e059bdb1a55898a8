//! What each word of a document is.

use lsp_types::{Range, SemanticTokenModifier, SemanticTokenType, SemanticTokens};

use super::analysis::Asked;

/// The kinds that there are, in the order of their numbers.
pub(super) const TYPES: &[SemanticTokenType] = &[];
/// What can be said of a word besides, in the order of their bits.
pub(super) const MODIFIERS: &[SemanticTokenModifier] = &[];

/// What each word of a document, or of a range of it, is.
#[must_use]
pub(super) fn tokens(asked: Asked<'_>, range: Option<Range>) -> SemanticTokens {
    let _ = (asked, range);
    SemanticTokens::default()
}
