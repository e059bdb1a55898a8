//! What can be done about what stands at a place.

use std::collections::BTreeMap;

use lsp_types::{CodeActionOrCommand, CodeActionParams};

use super::analysis::Asked;
use super::client::Client;
use super::document::Document;

/// What can be done in a range.
#[must_use]
pub(super) fn actions(
    asked: Asked<'_>,
    params: &CodeActionParams,
    documents: &BTreeMap<String, Document>,
    client: &Client,
) -> Vec<CodeActionOrCommand> {
    let _ = (asked, params, documents, client);
    Vec::new()
}
