//! Client capabilities that the server reads.

use lsp_types::{ClientCapabilities, MarkupKind};

use super::position::Encoding;

/// The capabilities of a client.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a capability of the protocol, by itself")]
pub struct Client {
    /// What it counts columns in.
    pub encoding: Encoding,
    /// Asks for diagnostics itself.
    pub pulls: bool,
    /// Takes the diagnostics of included files with those of a file.
    pub pulls_related: bool,
    /// Can be told to ask again.
    pub refreshes: bool,
    /// Shows the other places that a diagnostic is about.
    pub related: bool,
    /// Links to the page of a rule.
    pub links: bool,
    /// Can be asked to watch files.
    pub watches: bool,
    /// Understands snippets in a completion.
    pub snippets: bool,
    /// Shows Markdown in a hover.
    pub markdown_hover: bool,
    /// Shows Markdown in a completion.
    pub markdown_completion: bool,
    /// Shows symbols in each other.
    pub nested_symbols: bool,
    /// Takes changes with the versions of the documents that they are for.
    pub versioned_edits: bool,
    /// Takes code actions that are more than a command.
    pub action_literals: bool,
    /// Goes to links that tell how much of the source they are of.
    pub definition_links: bool,
    /// Folds whole lines only.
    pub folds_lines: bool,
    /// Opens a document when it is asked to.
    pub shows_documents: bool,
}

impl Client {
    /// Reads the capabilities that a client announced.
    #[must_use]
    pub fn new(capabilities: &ClientCapabilities) -> Self {
        let text = capabilities.text_document.as_ref();
        let workspace = capabilities.workspace.as_ref();
        let general = capabilities.general.as_ref();
        let published = text.and_then(|text| text.publish_diagnostics.as_ref());
        let pulled = text.and_then(|text| text.diagnostic.as_ref());
        let item = text.and_then(|text| text.completion.as_ref()?.completion_item.as_ref());
        let markdown = |kinds: Option<&Vec<MarkupKind>>| {
            kinds.is_some_and(|kinds| kinds.contains(&MarkupKind::Markdown))
        };
        let yes = |it: Option<bool>| it.unwrap_or(false);
        Self {
            encoding: Encoding::negotiate(general.and_then(|it| it.position_encodings.as_deref())),
            pulls: pulled.is_some(),
            pulls_related: yes(pulled.and_then(|it| it.related_document_support)),
            refreshes: yes(workspace.and_then(|it| it.diagnostic.as_ref()?.refresh_support)),
            related: yes(published.and_then(|it| it.related_information)),
            links: yes(published.and_then(|it| it.code_description_support)),
            watches: yes(workspace.and_then(|it| it.did_change_watched_files.as_ref()?.dynamic_registration)),
            snippets: yes(item.and_then(|it| it.snippet_support)),
            markdown_hover: markdown(text.and_then(|text| text.hover.as_ref()?.content_format.as_ref())),
            markdown_completion: markdown(item.and_then(|it| it.documentation_format.as_ref())),
            nested_symbols: yes(
                text.and_then(|text| text.document_symbol.as_ref()?.hierarchical_document_symbol_support)
            ),
            versioned_edits: yes(workspace.and_then(|it| it.workspace_edit.as_ref()?.document_changes)),
            action_literals: text.is_some_and(|text| {
                text.code_action.as_ref().is_some_and(|it| it.code_action_literal_support.is_some())
            }),
            definition_links: yes(text.and_then(|text| text.definition.as_ref()?.link_support)),
            folds_lines: yes(text.and_then(|text| text.folding_range.as_ref()?.line_folding_only)),
            shows_documents: capabilities
                .window
                .as_ref()
                .is_some_and(|it| it.show_document.as_ref().is_some_and(|it| it.support)),
        }
    }
}
