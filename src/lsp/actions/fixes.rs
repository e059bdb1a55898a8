//! The fixes of diagnostics as actions: one by one, or all that are safe.

use std::convert::Infallible;

use lsp_types::CodeActionKind;
use similar::{Algorithm, capture_diff_slices};

use super::{Menu, Offer};
use crate::compile::Analysis;
use crate::diagnostic::{Applicability, Edit, Fix};
use crate::fix;
use crate::source::{Source, SourceId, Span};

/// The kind of the action that applies all safe fixes.
const FIX_ALL: &str = "source.fixAll.bottlec";

/// Offers each fix.
pub(super) fn offer(menu: &mut Menu<'_>) {
    for diagnostic in menu.found.clone() {
        let Some(Fix { title, applicability, edits }) = &diagnostic.fix else { continue };
        menu.offer(Offer {
            title: title.clone(),
            kind: CodeActionKind::QUICKFIX,
            edits: edits.clone(),
            about: vec![diagnostic],
            preferred: *applicability == Applicability::Safe,
        });
    }
}

/// Offers all safe fixes of the document at once: what `check --fix` makes of it. Those of other files are left to them,
/// since an editor that fixes what it saves should not change what it does not.
pub(super) fn all(menu: &mut Menu<'_>) {
    let kind = CodeActionKind::new(FIX_ALL);
    // Each round is a compile: too much for each move of a cursor.
    if menu.is_unasked() || !menu.wants(&kind) {
        return;
    }
    let analysis = menu.asked.analysis;
    let all = analysis.diagnostics().as_slice();
    let fixed = all.iter().filter(|it| {
        it.fix.as_ref().is_some_and(|fix| {
            let here = fix.edits.iter().any(|edit| edit.span.source == menu.asked.id);
            fix.applicability == Applicability::Safe && here
        })
    });
    let fixed: Vec<_> = fixed.collect();
    if fixed.is_empty() {
        return;
    }
    let reload = |next: &mut Analysis| {
        // What a fix newly includes must be known already: nothing is read here.
        next.follow(|name| {
            let known = analysis.sources().at(name).map(|id| analysis.sources().get(id).clone());
            known.ok_or_else(|| String::from("it was not read"))
        });
        Ok::<(), Infallible>(())
    };
    let Ok((Some(after), _)) = fix::all(analysis, false, reload) else { return };
    let id = menu.asked.id;
    let edits = lines(id, menu.asked.source(), after.sources().get(id));
    let title = String::from("fix all that can safely be fixed");
    menu.offer(Offer { title, kind, edits, about: fixed, preferred: false });
}

/// What makes a text of another one, by whole lines.
fn lines(id: SourceId, old: &Source, new: &Source) -> Vec<Edit> {
    let (before, after) = (cut(old), cut(new));
    // Fixes touch few lines, so that this is fast.
    let changes = capture_diff_slices(Algorithm::Myers, &before, &after);
    let start = |at: usize| {
        let end = u32::try_from(old.text().len()).unwrap_or(u32::MAX);
        old.line_starts().get(at).copied().unwrap_or(end)
    };
    let changes = changes.into_iter().map(|change| change.as_tag_tuple());
    changes
        .filter(|(tag, ..)| *tag != similar::DiffTag::Equal)
        .map(|(_, old, new)| {
            let span = Span::new(id, start(old.start)..start(old.end));
            Edit { span, replacement: after[new].concat() }
        })
        .collect()
}

/// The lines of a text, with their line ends.
fn cut(source: &Source) -> Vec<&str> {
    let starts = source.line_starts();
    let ends = starts.iter().skip(1).map(|end| *end as usize).chain([source.text().len()]);
    starts.iter().zip(ends).map(|(start, end)| &source.text()[*start as usize..end]).collect()
}
