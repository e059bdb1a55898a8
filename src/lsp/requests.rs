//! The dispatch of requests.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::str::FromStr as _;
use std::sync::Arc;

use lsp_server::{ErrorCode, Request, Response};
use lsp_types::request::{self as ask, Request as _};
use lsp_types::{
    DocumentDiagnosticParams, DocumentDiagnosticReport, DocumentDiagnosticReportKind,
    DocumentDiagnosticReportResult, FullDocumentDiagnosticReport, RelatedFullDocumentDiagnosticReport,
    RelatedUnchangedDocumentDiagnosticReport, UnchangedDocumentDiagnosticReport, Uri,
    WorkspaceSymbolResponse,
};

use super::analysis::{Asked, Located};
use super::refusal::Refusal;
use super::server::Server;
use super::{
    actions, artifacts, completion, diagnostics, hover, inlay, layout, navigate, rename, structure, symbols,
    tokens,
};

/// Reads the parameters of a request, and answers it.
fn reply<R: ask::Request>(
    request: Request,
    answer: impl FnOnce(R::Params) -> Result<R::Result, Refusal>,
) -> Response {
    let Request { id, method: _, params } = request;
    let answered = serde_json::from_value(params)
        .map_err(|error| Refusal::invalid(error.to_string()))
        .and_then(answer)
        .and_then(|result| serde_json::to_value(result).map_err(|error| Refusal::failed(error.to_string())));
    match answered {
        Ok(result) => Response { id, response_result: Ok(result) },
        Err(Refusal { code, message }) => Response::new_err(id, code as i32, message),
    }
}

impl Server {
    /// Answers a request.
    pub(super) fn answer(&mut self, request: Request) -> Response {
        match request.method.as_str() {
            ask::DocumentDiagnosticRequest::METHOD => {
                reply::<ask::DocumentDiagnosticRequest>(request, |params| self.pull(&params))
            }
            ask::Completion::METHOD => reply::<ask::Completion>(request, |params| {
                let at = params.text_document_position;
                let asked = self.about(&at.text_document.uri)?;
                let folder = self.workspace.folder_of(&at.text_document.uri);
                let disk = self.workspace.disk();
                let found = completion::completions(
                    asked.asked(),
                    at.position,
                    folder.as_deref(),
                    &**disk,
                    &self.client,
                );
                Ok(Some(found.into()))
            }),
            ask::HoverRequest::METHOD => reply::<ask::HoverRequest>(request, |params| {
                let at = params.text_document_position_params;
                let asked = self.about(&at.text_document.uri)?;
                Ok(hover::hover(asked.asked(), at.position, &self.client))
            }),
            ask::InlayHintRequest::METHOD => reply::<ask::InlayHintRequest>(request, |params| {
                let asked = self.about(&params.text_document.uri)?;
                Ok(Some(inlay::hints(asked.asked(), params.range)))
            }),
            ask::DocumentSymbolRequest::METHOD => reply::<ask::DocumentSymbolRequest>(request, |params| {
                let asked = self.about(&params.text_document.uri)?;
                Ok(Some(symbols::of_document(asked.asked(), &self.client)))
            }),
            ask::WorkspaceSymbolRequest::METHOD => reply::<ask::WorkspaceSymbolRequest>(request, |params| {
                let folders = self.workspace.folders();
                let whole = folders.iter().map(|folder| self.workspace.whole(folder));
                let found = symbols::of_workspace(whole, &params.query, self.client.encoding);
                Ok(Some(WorkspaceSymbolResponse::Flat(found)))
            }),
            ask::FoldingRangeRequest::METHOD => reply::<ask::FoldingRangeRequest>(request, |params| {
                let asked = self.about(&params.text_document.uri)?;
                Ok(Some(structure::folding(asked.asked(), &self.client)))
            }),
            ask::SelectionRangeRequest::METHOD => reply::<ask::SelectionRangeRequest>(request, |params| {
                let asked = self.about(&params.text_document.uri)?;
                Ok(Some(structure::selections(asked.asked(), &params.positions)))
            }),
            ask::SemanticTokensFullRequest::METHOD => {
                reply::<ask::SemanticTokensFullRequest>(request, |params| {
                    let asked = self.about(&params.text_document.uri)?;
                    Ok(Some(tokens::tokens(asked.asked(), None).into()))
                })
            }
            ask::SemanticTokensRangeRequest::METHOD => {
                reply::<ask::SemanticTokensRangeRequest>(request, |params| {
                    let asked = self.about(&params.text_document.uri)?;
                    Ok(Some(tokens::tokens(asked.asked(), Some(params.range)).into()))
                })
            }
            ask::Formatting::METHOD => reply::<ask::Formatting>(request, |params| {
                let asked = self.about(&params.text_document.uri)?;
                layout::whole(asked.asked()).map(Some)
            }),
            ask::RangeFormatting::METHOD => reply::<ask::RangeFormatting>(request, |params| {
                let asked = self.about(&params.text_document.uri)?;
                layout::range(asked.asked(), params.range).map(Some)
            }),
            ask::CodeActionRequest::METHOD => reply::<ask::CodeActionRequest>(request, |params| {
                let asked = self.about(&params.text_document.uri)?;
                // Of another program's KDL nothing is said, so nothing is to be done about it.
                if !self.workspace.is_spec(&params.text_document.uri) {
                    return Ok(Some(Vec::new()));
                }
                let documents = self.workspace.documents();
                let whole = || {
                    let folder = self.workspace.folder_of(&params.text_document.uri);
                    folder.map(|folder| self.workspace.whole(&folder))
                };
                Ok(Some(actions::actions(asked.asked(), &params, documents, &self.client, &whole)))
            }),
            ask::ExecuteCommand::METHOD => {
                reply::<ask::ExecuteCommand>(request, |params| artifacts::execute(self, &params))
            }
            _ => self.answer_names(request),
        }
    }

    /// Answers a request about a name and what it names.
    fn answer_names(&mut self, request: Request) -> Response {
        match request.method.as_str() {
            ask::GotoDefinition::METHOD => reply::<ask::GotoDefinition>(request, |params| {
                let at = params.text_document_position_params;
                let asked = self.about(&at.text_document.uri)?;
                Ok(navigate::definition(asked.asked(), at.position, &self.client))
            }),
            ask::References::METHOD => reply::<ask::References>(request, |params| {
                let at = params.text_document_position;
                let around = self.around(&at.text_document.uri)?;
                let declaration = params.context.include_declaration;
                Ok(Some(navigate::references(around.asked(), at.position, declaration)))
            }),
            ask::DocumentHighlightRequest::METHOD => {
                reply::<ask::DocumentHighlightRequest>(request, |params| {
                    let at = params.text_document_position_params;
                    let asked = self.about(&at.text_document.uri)?;
                    Ok(Some(navigate::highlights(asked.asked(), at.position)))
                })
            }
            ask::DocumentLinkRequest::METHOD => reply::<ask::DocumentLinkRequest>(request, |params| {
                let asked = self.about(&params.text_document.uri)?;
                Ok(Some(navigate::links(asked.asked())))
            }),
            ask::PrepareRenameRequest::METHOD => reply::<ask::PrepareRenameRequest>(request, |params| {
                let asked = self.about(&params.text_document.uri)?;
                rename::prepare(asked.asked(), params.position)
            }),
            ask::Rename::METHOD => reply::<ask::Rename>(request, |params| {
                let at = params.text_document_position;
                let around = self.around(&at.text_document.uri)?;
                let documents = self.workspace.documents();
                rename::rename(around.asked(), at.position, &params.new_name, documents, &self.client)
            }),
            method => {
                let message = format!("there is no request `{method}`");
                Response::new_err(request.id, ErrorCode::MethodNotFound as i32, message)
            }
        }
    }

    /// The spec that a request is about.
    pub(super) fn about(&mut self, uri: &Uri) -> Result<About, Refusal> {
        let analysis = self.workspace.analysis(uri);
        let analysis = analysis.ok_or_else(|| Refusal::invalid("the document cannot be read"))?;
        About::new(analysis, uri, self.client.encoding)
    }

    /// The same, together with every spec of its folder: what names it, too.
    pub(super) fn around(&mut self, uri: &Uri) -> Result<About, Refusal> {
        let folder = self.workspace.folder_of(uri);
        let whole = folder.map(|folder| self.workspace.whole(&folder));
        match whole.filter(|whole| whole.source_of(uri).is_some()) {
            Some(whole) => About::new(whole, uri, self.client.encoding),
            None => self.about(uri),
        }
    }

    /// The diagnostics of a document for a client that asks for them.
    fn pull(&mut self, params: &DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult, Refusal> {
        let uri = &params.text_document.uri;
        let root = uri.as_str();
        if self.workspace.document(root).is_none() || self.workspace.is_spec(uri) {
            let asked = self.about(uri)?;
            let found = diagnostics::by_document(&asked.analysis, &self.client);
            self.publisher.found(root, found);
        }
        let report = |items, id: Option<String>| FullDocumentDiagnosticReport { result_id: id, items };
        let items = self.publisher.of(root);
        let id = result_id(&items);
        let related = self.client.pulls_related.then(|| {
            let others = self.publisher.of_spec(root).into_iter().filter(|it| it != root);
            others
                .filter_map(|other| {
                    let items = self.publisher.of(&other);
                    let report = report(items, None);
                    Some((Uri::from_str(&other).ok()?, DocumentDiagnosticReportKind::Full(report)))
                })
                .collect()
        });
        let report = if params.previous_result_id.as_ref() == Some(&id) {
            DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
                related_documents: related,
                unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id: id },
            })
        } else {
            DocumentDiagnosticReport::Full(RelatedFullDocumentDiagnosticReport {
                related_documents: related,
                full_document_diagnostic_report: report(items, Some(id)),
            })
        };
        Ok(DocumentDiagnosticReportResult::Report(report))
    }
}

/// A spec, and the document of it that a request is about.
pub(super) struct About {
    pub(super) analysis: Arc<Located>,
    id: crate::source::SourceId,
    encoding: super::position::Encoding,
}

impl About {
    fn new(analysis: Arc<Located>, uri: &Uri, encoding: super::position::Encoding) -> Result<Self, Refusal> {
        let id = analysis.source_of(uri).ok_or_else(|| Refusal::invalid("the document is not open"))?;
        Ok(Self { analysis, id, encoding })
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { analysis: &self.analysis, id: self.id, encoding: self.encoding }
    }
}

/// The same for the same diagnostics, within one conversation.
fn result_id(items: &[lsp_types::Diagnostic]) -> String {
    let mut hasher = DefaultHasher::new();
    // What goes over the wire is what the client has.
    serde_json::to_string(items).unwrap_or_default().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
