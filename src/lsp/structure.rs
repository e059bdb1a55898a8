//! What belongs together in a document.

use lsp_types::{FoldingRange, Position, Range, SelectionRange};

use super::analysis::Asked;
use super::client::Client;

/// What can be folded away.
#[must_use]
pub(super) fn folding(asked: Asked<'_>, client: &Client) -> Vec<FoldingRange> {
    let _ = (asked, client);
    Vec::new()
}

/// For each position what is around it, from the smallest on.
#[must_use]
pub(super) fn selections(asked: Asked<'_>, positions: &[Position]) -> Vec<SelectionRange> {
    let _ = asked;
    positions.iter().map(|at| SelectionRange { range: Range::new(*at, *at), parent: None }).collect()
}
