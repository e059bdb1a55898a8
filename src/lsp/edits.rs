//! Text edits, translated to the protocol.

use std::collections::{BTreeMap, HashMap};

use lsp_types::{
    DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, TextEdit, Uri,
    WorkspaceEdit,
};

use super::analysis::Asked;
use super::client::Client;
use super::document::Document;
use crate::diagnostic::Edit;
use crate::source::{Source, SourceId};

/// Replacements, perhaps in several sources, as one change: for the versions of the open documents that were looked at,
/// where the client knows of that. `None` when one of them lies in a source that cannot be changed.
#[must_use]
pub(super) fn workspace_edit(
    asked: Asked<'_>,
    edits: &[Edit],
    documents: &BTreeMap<String, Document>,
    client: &Client,
) -> Option<WorkspaceEdit> {
    let mut by_source: BTreeMap<SourceId, Vec<TextEdit>> = BTreeMap::new();
    for Edit { span, replacement } in edits {
        let edit = TextEdit { range: asked.range(*span), new_text: replacement.clone() };
        by_source.entry(span.source).or_default().push(edit);
    }
    let mut changed: Vec<(Uri, Vec<TextEdit>)> = Vec::new();
    for (id, edits) in by_source {
        let editable = is_editable(asked.analysis.sources().get(id));
        changed.push((asked.analysis.uri(id).filter(|_| editable)?.clone(), edits));
    }
    if !client.versioned_edits {
        #[allow(clippy::mutable_key_type, reason = "the protocol's own type; a URI is compared by its text")]
        let by_uri: HashMap<Uri, Vec<TextEdit>> = changed.into_iter().collect();
        return Some(WorkspaceEdit { changes: Some(by_uri), ..WorkspaceEdit::default() });
    }
    let edits = changed.into_iter().map(|(uri, edits)| {
        let version = documents.get(uri.as_str()).map(|document| document.version);
        TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier { uri, version },
            edits: edits.into_iter().map(OneOf::Left).collect(),
        }
    });
    let document_changes = Some(DocumentChanges::Edits(edits.collect()));
    Some(WorkspaceEdit { document_changes, ..WorkspaceEdit::default() })
}

/// Whether the text that is known of a source is the whole of it.
#[must_use]
pub(super) fn is_editable(source: &Source) -> bool {
    source.too_large().is_none() && source.invalid_utf8().is_empty()
}
