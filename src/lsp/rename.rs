//! Another name for what has one.

use std::collections::BTreeMap;

use lsp_types::{Position, PrepareRenameResponse, WorkspaceEdit};

use super::analysis::Asked;
use super::client::Client;
use super::document::Document;
use super::requests::Refusal;

/// What would be renamed at a position.
pub(super) fn prepare(
    asked: Asked<'_>,
    position: Position,
) -> Result<Option<PrepareRenameResponse>, Refusal> {
    let _ = (asked, position);
    Ok(None)
}

/// Every edit that a new name takes.
pub(super) fn rename(
    asked: Asked<'_>,
    position: Position,
    new_name: &str,
    documents: &BTreeMap<String, Document>,
    client: &Client,
) -> Result<Option<WorkspaceEdit>, Refusal> {
    let _ = (asked, position, new_name, documents, client);
    Ok(None)
}
