//! The action that narrows a wildcard of an `allow` list.

use std::borrow::Cow;

use lsp_types::CodeActionKind;

use super::{Menu, Offer};
use crate::fix::insert;
use crate::lsp::cursor::{Cursor, Spot};
use crate::model::Layer;
use crate::source::Span;
use crate::syntax::{Value, quoted_string};
use crate::text::quote;
use crate::world::host::HostPattern;
use crate::world::host::known::DROPS;
use crate::world::host::list::List;
use crate::world::host::shared;

/// Offers a `deny` for each host below a wildcard that anybody can leave something at.
pub(super) fn deny(menu: &mut Menu<'_>, cursor: &Cursor<'_>) {
    let Spot::Value(node, entry) = cursor.spot else { return };
    let [layer, egress] = cursor.parents.as_slice() else { return };
    let is_allow = node.name() == "allow" && egress.name() == "egress";
    let commented = node.is_commented() || entry.is_commented();
    let Value::String(host) = entry.value() else { return };
    let Some(domain) = host.strip_prefix("*.").filter(|_| is_allow && !commented) else { return };
    // Nobody denies all that is bad below `*.com`.
    if !domain.contains('.') || shared::is_shared(domain) {
        return;
    }
    let below =
        |host: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    let drops = DROPS.iter().filter(|drop| below(drop.host));
    let drops = drops.map(|drop| (drop.pattern(), format!("{}, where anybody can read", drop.what)));
    let hosts: Vec<(Cow<'_, str>, String)> = drops.collect();
    if hosts.is_empty() {
        return;
    }
    let denied = denied(menu, layer.span());
    let denied = List::new(denied.iter().map(|host| (host, ())));
    for (host, what) in hosts {
        let says = format!("deny {}", quoted_string(&host));
        // The rule's own fix is offered already.
        if denied.covering(&HostPattern::new(host.to_string())).is_some()
            || menu.has(&format!("add {}", quote(&says)))
        {
            continue;
        }
        menu.offer(Offer {
            title: format!("add {}: {what}", quote(&says)),
            kind: CodeActionKind::REFACTOR_REWRITE,
            edits: vec![insert::after(menu.asked.tree(), node, &says)],
            about: Vec::new(),
            preferred: false,
        });
    }
}

/// What is denied already where an entry of the bottle or the profile at `place` counts.
fn denied(menu: &Menu<'_>, place: Span) -> Vec<HostPattern> {
    let analysis = menu.asked.analysis;
    let inside = |span: Span| span.source == place.source && place.range().contains(&span.range().start);
    let hosts = |layer: &Layer| layer.egress.deny.iter().map(|host| host.value.clone()).collect();
    let file = analysis.file(menu.asked.id);
    if let Some(profile) = file.profiles.iter().find(|profile| inside(profile.name.span)) {
        return hosts(&profile.layer);
    }
    let Some(decl) = file.bottles.iter().find(|decl| inside(decl.slug.span)) else { return Vec::new() };
    match analysis.bottle(decl.slug.span) {
        Some(whole) => whole.settings.egress.deny.iter().map(|host| host.value.clone()).collect(),
        None => hosts(&decl.layer),
    }
}
