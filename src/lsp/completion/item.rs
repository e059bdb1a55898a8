//! Completion items, and their translation to the protocol.

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, InsertTextFormat, InsertTextMode, TextEdit,
};

use super::slot::{Slot, Style};
use super::snippet::Snippet;
use crate::lsp::analysis::Asked;
use crate::lsp::client::Client;
use crate::lsp::prose::Prose;
use crate::text::harmless;

/// The text that a candidate inserts.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// A string value, quoted as its place wants it.
    Value(String),
    /// The beginning of one: a directory, a registry.
    Prefix(String),
    /// KDL as it is.
    Plain(String),
    /// KDL with places to fill in, as a client that knows them takes it.
    Snippet(String),
}

/// Something that could be written.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// What it is called in the list, and what the typed text is compared with.
    pub(super) name: String,
    /// What the list shows, where that is less than the name.
    pub(super) label: Option<String>,
    /// What is written.
    pub(super) text: Text,
    /// What it is.
    pub(super) kind: CompletionItemKind,
    /// A few words on it.
    pub(super) detail: Option<String>,
    /// What is to be known of it.
    pub(super) doc: Prose,
    /// The lower, the earlier it stands in the list.
    pub(super) tier: u8,
}

impl Candidate {
    /// A string value.
    #[must_use]
    pub(super) fn value(text: impl Into<String>, kind: CompletionItemKind) -> Self {
        let name: String = text.into();
        let text = Text::Value(name.clone());
        Self { name, label: None, text, kind, detail: None, doc: Prose::new(), tier: 1 }
    }

    /// The beginning of a value.
    #[must_use]
    pub(super) fn prefix(text: impl Into<String>, kind: CompletionItemKind) -> Self {
        let it = Self::value(text, kind);
        Self { text: Text::Prefix(it.name.clone()), ..it }
    }

    /// A piece of KDL that begins with `name`.
    #[must_use]
    pub(super) fn kdl(name: &str, text: String, has_places: bool, kind: CompletionItemKind) -> Self {
        let text = if has_places { Text::Snippet(text) } else { Text::Plain(text) };
        Self { name: name.to_owned(), label: None, text, kind, detail: None, doc: Prose::new(), tier: 1 }
    }

    /// With a few words on it.
    #[must_use]
    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With what is to be known of it.
    #[must_use]
    pub(super) fn doc(mut self, doc: Prose) -> Self {
        self.doc = doc;
        self
    }

    /// Earlier or later in the list.
    #[must_use]
    pub(super) fn tier(mut self, tier: u8) -> Self {
        self.tier = tier;
        self
    }

    /// Converts it to the protocol; `at` is its number in the list.
    pub(super) fn item(self, at: usize, slot: &Slot, asked: Asked<'_>, client: &Client) -> CompletionItem {
        let Self { name, label, text, kind, detail, doc, tier } = self;
        let (new_text, is_snippet) = match text {
            Text::Value(text) => (slot.write(&text, false), false),
            Text::Prefix(text) if slot.style == Style::Bare && client.snippets => {
                let written = slot.write(&text, true);
                let mut snippet = Snippet::new(true);
                snippet.push(written.strip_suffix('"').unwrap_or(&written));
                snippet.end();
                snippet.push("\"");
                (snippet.finish(), true)
            }
            Text::Prefix(text) => (slot.write(&text, true), false),
            Text::Plain(text) => (text, false),
            Text::Snippet(text) => (text, true),
        };
        let format = if is_snippet { InsertTextFormat::SNIPPET } else { InsertTextFormat::PLAIN_TEXT };
        let lines = new_text.contains('\n').then_some(InsertTextMode::ADJUST_INDENTATION);
        CompletionItem {
            label: harmless(&label.unwrap_or_else(|| name.clone())).into_owned(),
            kind: Some(kind),
            detail,
            documentation: doc.documentation(client.markdown_completion),
            sort_text: Some(format!("{tier}{at:05}")),
            filter_text: Some(name),
            insert_text_format: Some(format),
            insert_text_mode: lines,
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range: asked.range(slot.span), new_text })),
            ..CompletionItem::default()
        }
    }

    /// The same with something behind what it writes.
    #[must_use]
    pub(super) fn followed_by(mut self, more: &str) -> Self {
        match &mut self.text {
            // What follows a node holds nothing that a snippet would read.
            Text::Plain(text) | Text::Snippet(text) => text.push_str(more),
            Text::Value(_) | Text::Prefix(_) => {}
        }
        self
    }
}
