//! Published diagnostics: a document gets those of every spec that it is part of.

use std::collections::{BTreeMap, BTreeSet};

use lsp_types::Diagnostic;

use super::diagnostics::merge;

/// The diagnostics of each spec, and those that were published.
#[derive(Debug, Default)]
pub(super) struct Publisher {
    /// By the URI of the file that a spec begins with, then by that of the document that something was found in.
    found: BTreeMap<String, BTreeMap<String, Vec<Diagnostic>>>,
    /// What the editor was given, by document; documents with nothing are left out.
    shown: BTreeMap<String, Vec<Diagnostic>>,
}

impl Publisher {
    /// Takes over what one spec gives. Returns the documents that it concerns, before or now.
    pub(super) fn found(&mut self, root: &str, found: BTreeMap<String, Vec<Diagnostic>>) -> BTreeSet<String> {
        let mut concerned: BTreeSet<String> = found.keys().cloned().collect();
        let before = if found.is_empty() {
            self.found.remove(root)
        } else {
            self.found.insert(root.to_owned(), found)
        };
        concerned.extend(before.into_iter().flat_map(BTreeMap::into_keys));
        concerned
    }

    /// The documents that something is found in by one spec.
    #[must_use]
    pub(super) fn of_spec(&self, root: &str) -> Vec<String> {
        self.found.get(root).map(|found| found.keys().cloned().collect()).unwrap_or_default()
    }

    /// Everything that is found in a document.
    #[must_use]
    pub(super) fn of(&self, document: &str) -> Vec<Diagnostic> {
        let mut all: Vec<Diagnostic> =
            self.found.values().filter_map(|found| found.get(document)).flatten().cloned().collect();
        merge(&mut all);
        all
    }

    /// Returns the diagnostics of a document, if they differ from those that were published last.
    pub(super) fn news(&mut self, document: &str) -> Option<Vec<Diagnostic>> {
        let now = self.of(document);
        let before = self.shown.get(document).map_or(&[][..], Vec::as_slice);
        if now == before {
            return None;
        }
        if now.is_empty() {
            self.shown.remove(document);
        } else {
            self.shown.insert(document.to_owned(), now.clone());
        }
        Some(now)
    }
}
