//! From a name to what it names, and back.

use lsp_types::{DocumentHighlight, DocumentLink, GotoDefinitionResponse, Location, Position};

use super::analysis::Asked;
use super::client::Client;

/// Where what a position names is defined.
#[must_use]
pub(super) fn definition(
    asked: Asked<'_>,
    position: Position,
    client: &Client,
) -> Option<GotoDefinitionResponse> {
    let _ = (asked, position, client);
    None
}

/// Where what a position names is named.
#[must_use]
pub(super) fn references(asked: Asked<'_>, position: Position, declaration: bool) -> Vec<Location> {
    let _ = (asked, position, declaration);
    Vec::new()
}

/// Where in the same document what a position names is named.
#[must_use]
pub(super) fn highlights(asked: Asked<'_>, position: Position) -> Vec<DocumentHighlight> {
    let _ = (asked, position);
    Vec::new()
}

/// The files that a document names.
#[must_use]
pub(super) fn links(asked: Asked<'_>) -> Vec<DocumentLink> {
    let _ = asked;
    Vec::new()
}
