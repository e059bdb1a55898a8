//! A document that is open in an editor.

use std::path::PathBuf;

use lsp_types::{TextDocumentContentChangeEvent, Uri};

use super::position::Encoding;
use super::uri;
use crate::source::Source;

/// An open document: what the editor shows, which the disk need not have.
#[derive(Debug)]
pub struct Document {
    /// What the editor calls it.
    pub uri: Uri,
    /// Where it is kept; a document that was never saved is nowhere.
    pub path: Option<PathBuf>,
    /// Its version, by the editor's count.
    pub version: i32,
    /// Whether the editor says that it is a spec. Of other KDL, that is found out by its nodes.
    pub surely_spec: bool,
    /// The whole text, whatever its size, under no name.
    text: Source,
}

/// The language that an editor which knows of us gives a spec; `kdl` may be anybody's.
pub const LANGUAGE: &str = "bottlec";

impl Document {
    /// A document as it was opened.
    #[must_use]
    pub fn new(uri: Uri, language: &str, version: i32, text: String) -> Self {
        let path = uri::to_path(&uri);
        Self { path, uri, version, surely_spec: language == LANGUAGE, text: Source::unbounded("", text) }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.text()
    }

    /// The text as a source of that name.
    #[must_use]
    pub fn source(&self, name: String) -> Source {
        match self.text.too_large() {
            Some(bytes) => Source::oversized(name, bytes),
            None => Source::unbounded(name, self.text.text().clone()),
        }
    }

    /// Makes the changes of one notification, each on what the one before it left.
    pub fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        self.version = version;
        for TextDocumentContentChangeEvent { range, range_length: _, text } in changes {
            let Some(range) = range else {
                self.text = Source::unbounded("", text);
                continue;
            };
            let (a, b) = (encoding.offset(&self.text, range.start), encoding.offset(&self.text, range.end));
            let (start, end) = (a.min(b) as usize, a.max(b) as usize);
            let old = self.text.text();
            let mut new = String::with_capacity(old.len() - (end - start) + text.len());
            new.push_str(&old[..start]);
            new.push_str(&text);
            new.push_str(&old[end..]);
            self.text = Source::unbounded("", new);
        }
    }
}
