//! Analyses as an editor asks about them: by its URIs, and its positions.

use std::ops::Deref;

use lsp_types::{Location, Position, Range, Uri};

use super::position::Encoding;
use crate::compile::Analysis;
use crate::source::{Source, SourceId, Span};
use crate::syntax::Tree;

/// An analysis, and what an editor calls its texts.
#[derive(Debug)]
pub struct Located {
    analysis: Analysis,
    uris: Vec<Option<Uri>>,
}

impl Deref for Located {
    type Target = Analysis;

    fn deref(&self) -> &Analysis {
        &self.analysis
    }
}

impl Located {
    /// An analysis each of whose texts an editor knows by the URI in its place.
    #[must_use]
    pub fn new(analysis: Analysis, uris: Vec<Option<Uri>>) -> Self {
        Self { analysis, uris }
    }

    /// The URI of a source.
    #[must_use]
    pub fn uri(&self, id: SourceId) -> Option<&Uri> {
        self.uris.get(id.index())?.as_ref()
    }

    /// The text of that URI.
    #[must_use]
    pub fn source_of(&self, uri: &Uri) -> Option<SourceId> {
        let found = self.sources().iter().find(|(id, _)| self.uri(*id) == Some(uri));
        found.map(|(id, _)| id)
    }
}

/// One text of an analysis, as a request is about it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Everything.
    pub analysis: &'a Located,
    /// The text.
    pub id: SourceId,
    /// What the client counts columns in.
    pub encoding: Encoding,
}

impl<'a> Asked<'a> {
    /// The text.
    #[must_use]
    pub fn source(&self) -> &'a Source {
        self.analysis.sources().get(self.id)
    }

    /// Its tree.
    #[must_use]
    pub fn tree(&self) -> &'a Tree {
        self.analysis.tree(self.id)
    }

    /// The byte that a position of it stands for.
    #[must_use]
    pub fn offset(&self, position: Position) -> u32 {
        self.encoding.offset(self.source(), position)
    }

    /// The bytes that a range of it stands for.
    #[must_use]
    pub fn span(&self, range: Range) -> Span {
        let (start, end) = (self.offset(range.start), self.offset(range.end));
        Span::new(self.id, start.min(end)..start.max(end))
    }

    /// The range of a span, in whichever text that lies.
    #[must_use]
    pub fn range(&self, span: Span) -> Range {
        self.encoding.range(self.analysis.sources().get(span.source), span)
    }

    /// The place of a span; `None` in a text that the editor has no URI for.
    #[must_use]
    pub fn location(&self, span: Span) -> Option<Location> {
        Some(Location { uri: self.analysis.uri(span.source)?.clone(), range: self.range(span) })
    }
}
