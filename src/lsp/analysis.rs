//! The analysis of one spec with its includes: a snapshot that every feature reads.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use lsp_types::{Location, Position, Range, Uri};

use super::position::Encoding;
use crate::check::fleet;
use crate::compile::{self, Compilation, Options, compile};
use crate::diagnostic::Diagnostics;
use crate::model::{Bottle, BottleDecl, File};
use crate::resolve::include::{self, IncludeClosure};
use crate::resolve::members::{self, Resolved};
use crate::resolve::scope::Scope;
use crate::source::{Source, SourceId, Sources, Span};
use crate::syntax::{self, Tree};
use crate::world::network::Addresses;

/// A spec, what it includes, and what comes out of them. Trees and files are there at once, the compilation when it is
/// asked for.
#[derive(Debug)]
pub struct Analysis {
    sources: Sources,
    uris: Vec<Option<Uri>>,
    trees: Vec<Tree>,
    files: BTreeMap<SourceId, File>,
    compilation: OnceLock<Compilation>,
}

impl Analysis {
    /// Analyses `sources`, each of which an editor knows by the URI in its place.
    #[must_use]
    pub fn new(sources: Sources, uris: Vec<Option<Uri>>) -> Self {
        let trees: Vec<Tree> =
            sources.iter().map(|(id, source)| syntax::parse(id, source, &mut Diagnostics::new())).collect();
        let files = trees.iter().map(|tree| (tree.source(), File::decode(tree))).collect();
        Self { sources, uris, trees, files, compilation: OnceLock::new() }
    }

    /// The texts.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The tree of a text.
    #[must_use]
    pub fn tree(&self, id: SourceId) -> &Tree {
        &self.trees[id.index()]
    }

    /// The decoded file of a source, as far as it could be read.
    #[must_use]
    pub fn file(&self, id: SourceId) -> &File {
        &self.files[&id]
    }

    /// All of them, in order.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<SourceId, File> {
        &self.files
    }

    /// The URI of a source.
    #[must_use]
    pub fn uri(&self, id: SourceId) -> Option<&Uri> {
        self.uris.get(id.index())?.as_ref()
    }

    /// The text of that URI.
    #[must_use]
    pub fn source_of(&self, uri: &Uri) -> Option<SourceId> {
        let found = self.sources.iter().find(|(id, _)| self.uri(*id) == Some(uri));
        found.map(|(id, _)| id)
    }

    /// The diagnostics of `check`, and the plans of a `build`.
    #[must_use]
    pub fn compilation(&self) -> &Compilation {
        self.compilation.get_or_init(|| compile(&self.sources, &Options::default()))
    }

    /// The include closure of each file.
    #[must_use]
    pub fn closures(&self) -> BTreeMap<SourceId, IncludeClosure> {
        include::closures(&self.files, &self.sources, &mut Diagnostics::new())
    }

    /// The bottles of all files as far as they can be made out beside errors, with their profiles laid under them: in
    /// the order of their places. One that extends what is not there is left out.
    #[must_use]
    pub fn bottles(&self) -> Vec<Effective> {
        let unsaid = &mut Diagnostics::new();
        let closures = self.closures();
        let mut found = Vec::new();
        for (id, file) in &self.files {
            // Many large bottles cost what a compile of them costs, which has the same bound.
            let scope = Scope::new(*id, &self.files, &closures[id], &self.sources, unsaid);
            let mut nodes = 0;
            // Decoded again rather than copied field by field: a declaration is taken apart when it is assembled.
            for decl in File::decode(self.tree(*id)).bottles {
                nodes += scope.weight(&decl);
                if nodes > compile::MAX_NODES {
                    break;
                }
                let Some(profiles) = scope.layer(&decl, &self.sources, unsaid) else { continue };
                let (place, addresses) = (decl.slug.span, fleet::addresses(&decl));
                let resolved = members::resolve(Bottle::assemble(decl, profiles), unsaid);
                found.extend(resolved.map(|resolved| Effective { place, addresses, resolved }));
            }
            debug_assert!(file.bottles.iter().is_sorted_by_key(|bottle: &BottleDecl| bottle.slug.span));
        }
        found
    }
}

/// A bottle with its profiles laid under it.
#[derive(Debug)]
pub struct Effective {
    /// Where its name stands.
    pub place: Span,
    /// Its addresses.
    pub addresses: Addresses,
    /// What it says, and the waves that its sidecars start in.
    pub resolved: Resolved,
}

/// One text of an analysis, as a request is about it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Everything.
    pub analysis: &'a Analysis,
    /// The text.
    pub id: SourceId,
    /// What the client counts columns in.
    pub encoding: Encoding,
}

impl<'a> Asked<'a> {
    /// The text.
    #[must_use]
    pub fn source(&self) -> &'a Source {
        self.analysis.sources.get(self.id)
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
        self.encoding.range(self.analysis.sources.get(span.source), span)
    }

    /// The place of a span; `None` in a text that the editor has no URI for.
    #[must_use]
    pub fn location(&self, span: Span) -> Option<Location> {
        Some(Location { uri: self.analysis.uri(span.source)?.clone(), range: self.range(span) })
    }
}
