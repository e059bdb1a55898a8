//! The action that accepts an error, with a reason.

use lsp_types::CodeActionKind;

use super::{Menu, Offer};
use crate::fix::insert;
use crate::rule::Level;
use crate::syntax::quoted_string;

/// Offers to accept each error that may be accepted, in the bottle or the profile that its place is in: what counts in a
/// profile counts for all that extend it. The reason is left empty, which is an error until somebody gives one.
pub(super) fn offer(menu: &mut Menu<'_>) {
    let mut done = Vec::new();
    for diagnostic in menu.found.clone() {
        let (rule, place) = (diagnostic.rule, diagnostic.primary.span);
        if !rule.acceptable || diagnostic.level != Level::Error {
            continue;
        }
        let tree = menu.asked.tree();
        let around = |span: crate::source::Span| span.start <= place.start && place.end <= span.end;
        let Some(layer) = tree.nodes().find(|node| around(node.span())) else { continue };
        if !matches!(layer.name(), "bottle" | "profile") || done.contains(&(rule.id, layer.span())) {
            continue;
        }
        done.push((rule.id, layer.span()));
        let written = format!("accept {} reason=\"\"", quoted_string(rule.id));
        let about =
            menu.of_rule(rule, |span| layer.span().start <= span.start && span.end <= layer.span().end);
        let Some(edit) = insert::last(tree, layer, &written) else { continue };
        let title = format!("accept `{}` in this {}, with a reason that you give", rule.id, layer.name());
        let kind = CodeActionKind::QUICKFIX;
        menu.offer(Offer { title, kind, edits: vec![edit], about, preferred: false });
    }
}
