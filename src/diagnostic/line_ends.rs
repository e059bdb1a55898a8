//! Line ends of fixes: those of the source that a fix is written into.

use std::collections::BTreeMap;

use super::{Diagnostics, Edit};
use crate::source::{SourceId, Sources};

/// Writes the line ends of what fixes write as those of the sources that they are written into, whose first one tells.
pub(crate) fn keep_line_ends(diagnostics: &mut Diagnostics, sources: &Sources) {
    let mut returns: BTreeMap<SourceId, bool> = BTreeMap::new();
    diagnostics.reword(|diagnostic| {
        let edits = diagnostic.fix.iter_mut().flat_map(|fix| &mut fix.edits);
        for Edit { span, replacement } in edits.filter(|edit| edit.replacement.contains('\n')) {
            let returns = returns.entry(span.source).or_insert_with(|| {
                let text = sources.get(span.source).text();
                text.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r'))
            });
            if *returns {
                *replacement = replacement.replace("\r\n", "\n").replace('\n', "\r\n");
            }
        }
    });
}
