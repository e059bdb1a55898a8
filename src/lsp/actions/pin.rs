//! Actions that pin a default: a bottle's subnet, and the version of its engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use lsp_types::CodeActionKind;

use super::{Menu, Offer};
use crate::diagnostic::Edit;
use crate::fix::insert;
use crate::lsp::analysis::Located;
use crate::lsp::cursor::{Cursor, Spot};
use crate::model::BottleDecl;
use crate::rule::catalogue;
use crate::source::Span;
use crate::syntax::Node;
use crate::world::engine::{Ledger, SMOLVM};
use crate::world::network::free_octet;

/// The bottle in whose line the cursor is, or in whose child of that name.
fn bottle<'t>(cursor: &Cursor<'t>, child: &str) -> Option<(Node<'t>, Option<Node<'t>>)> {
    let node = cursor.node()?;
    match cursor.parents.as_slice() {
        [] if node.name() == "bottle" => {
            let child = node.children().find(|it| it.name() == child);
            Some((node, child))
        }
        [bottle] if bottle.name() == "bottle" && node.name() == child => Some((*bottle, Some(node))),
        _ => None,
    }
    .filter(|(bottle, _)| !bottle.is_commented())
}

/// Offers an octet that no other bottle takes: the bottle's own where it is free, so that a new name leaves its address
/// alone.
pub(super) fn octet(menu: &mut Menu<'_>, cursor: &Cursor<'_>, whole: &dyn Fn() -> Option<Arc<Located>>) {
    let asked = menu.asked;
    // The whole folder is read for it.
    if !menu.wants(&CodeActionKind::QUICKFIX) && !menu.wants(&CodeActionKind::REFACTOR_REWRITE) {
        return;
    }
    let Some((node, network)) = bottle(cursor, "network") else { return };
    let decls = &asked.analysis.file(asked.id).bottles;
    let Some(decl) = decls.iter().find(|decl| decl.head == node.head_span()) else { return };
    let addresses = |decl: &BottleDecl| {
        let bottle = asked.analysis.bottle(decl.slug.span);
        bottle.map_or_else(|| decl.addresses(), |bottle| bottle.settings.addresses())
    };
    let here = addresses(decl);
    let own = here.octet;
    let mut taken = BTreeSet::new();
    let mut collect = |analysis: &Located| {
        for (id, file) in analysis.files() {
            let is_this = |other: &BottleDecl| {
                analysis.uri(*id) == asked.analysis.uri(asked.id) && other.head.range() == decl.head.range()
            };
            let others = file.bottles.iter().filter(|it| !is_this(it));
            let others = others.map(|it| {
                let bottle = analysis.bottle(it.slug.span);
                bottle.map_or_else(|| it.addresses(), |bottle| bottle.settings.addresses())
            });
            taken.extend(others.filter(|it| it.services == here.services).map(|it| it.octet));
        }
    };
    collect(asked.analysis);
    if let Some(whole) = whole() {
        collect(&whole);
    }
    let collides = taken.contains(&own);
    if decl.octet.is_some() && !collides {
        return;
    }
    let free = if collides { free_octet(here, |octet| taken.contains(&octet)) } else { Some(own) };
    let Some(free) = free else { return };
    let given = network.and_then(|network| {
        network.entries().find(|entry| entry.key().is_some_and(|(key, _)| key == "octet"))
    });
    let edit = match (network, given) {
        (_, Some(given)) => Some(Edit { span: given.value_span(), replacement: free.to_string() }),
        (Some(network), None) => {
            let span = Span::at(asked.id, network.head_span().end);
            Some(Edit { span, replacement: format!(" octet={free}") })
        }
        (None, None) => insert::last(asked.tree(), node, &format!("network octet={free}")),
    };
    let title = if collides {
        format!("pin octet {free}, which no bottle of this folder takes")
    } else {
        format!("pin octet {free}, which its name gives it")
    };
    let about = menu.of_rule(&catalogue::SUBNET_COLLISION, |span| {
        node.span().start <= span.start && span.end <= node.span().end
    });
    let kind = if about.is_empty() { CodeActionKind::REFACTOR_REWRITE } else { CodeActionKind::QUICKFIX };
    menu.offer(Offer { title, kind, edits: edit.into_iter().collect(), about, preferred: false });
}

/// Offers to say which version of the engine a bottle is for, where nothing does: the newest that is known, which another
/// bottlec may know a newer one than.
pub(super) fn engine(menu: &mut Menu<'_>, cursor: &Cursor<'_>) {
    let asked = menu.asked;
    let newest = Ledger::smolvm().newest;
    let edit = match cursor.node() {
        // An `engine` without a version, in a profile as well.
        Some(node) if node.name() == "engine" && cursor.parents.len() == 1 && !node.is_commented() => {
            let mut arguments = node.entries().filter(|entry| entry.key().is_none());
            let is_ours =
                arguments.next().is_some_and(|it| it.value() == crate::syntax::Value::String(SMOLVM));
            let versioned = node.entries().any(|it| it.key().is_some_and(|(key, _)| key == "version"));
            let known = cursor.node_schema().is_some_and(|schema| schema.name == "engine");
            let span = Span::at(asked.id, node.head_span().end);
            let edit = Edit { span, replacement: format!(" version=\"{newest}\"") };
            (known && is_ours && !versioned && !node.is_broken()).then_some(edit)
        }
        _ => {
            let in_head = matches!(cursor.spot, Spot::Name(_) | Spot::Value(..) | Spot::Head(_));
            let Some((node, None)) = bottle(cursor, "engine").filter(|_| in_head) else { return };
            let decls = &asked.analysis.file(asked.id).bottles;
            let decl = decls.iter().find(|decl| decl.head == node.head_span());
            let whole = decl.and_then(|decl| asked.analysis.bottle(decl.slug.span));
            // One that cannot be made out may well get its engine from a profile.
            if whole.is_none_or(|whole| whole.settings.engine.is_some()) {
                return;
            }
            let written = format!("engine \"{SMOLVM}\" version=\"{newest}\"");
            // Behind what it extends, which is read first.
            match node.children().filter(|child| child.name() == "extends").last() {
                Some(extends) => Some(insert::after(asked.tree(), extends, &written)),
                None => insert::first(asked.tree(), node, &written),
            }
        }
    };
    let title = format!("pin the engine: smolvm {newest}, the newest version that is known");
    let kind = CodeActionKind::REFACTOR_REWRITE;
    menu.offer(Offer { title, kind, edits: edit.into_iter().collect(), about: Vec::new(), preferred: false });
}
