//! Hosts: those that the spec names elsewhere, and a few that are well known.

use std::collections::BTreeMap;

use lsp_types::CompletionItemKind;

use super::item::Candidate;
use super::slot::Slot;
use super::{Request, known, names};
use crate::lsp::around::{self, Around};
use crate::model::Layer;
use crate::schema::ValueType;
use crate::source::Span;
use crate::syntax::Node;
use crate::world::host::list::List;
use crate::world::host::{TargetHost, known as shared};
use crate::world::pipelock::guard::Guarded;

/// The hosts of a spec, each with where it stands first and how often it stands.
#[derive(Default)]
struct Seen<'a>(BTreeMap<&'a str, &'static str>);

impl<'a> Seen<'a> {
    /// Notes the entries of a list, without the one at the cursor.
    fn note(&mut self, hosts: impl IntoIterator<Item = (&'a str, Span)>, what: &'static str, slot: &Slot) {
        for (host, span) in hosts {
            if !slot.is_in(span) {
                self.0.entry(host).or_insert(what);
            }
        }
    }

    fn note_layer(&mut self, layer: &'a Layer, slot: &Slot) {
        let egress = &layer.egress;
        let lists = [
            (&egress.allow, "allowed elsewhere"),
            (&egress.deny, "denied elsewhere"),
            (&egress.private, "named elsewhere"),
        ];
        for (list, what) in lists {
            self.note(list.iter().map(|host| (host.value.as_str(), host.span)), what, slot);
        }
        let passthrough = egress.tls.iter().flat_map(|tls| &tls.passthrough);
        self.note(passthrough.map(|host| (host.value.as_str(), host.span)), "passed through elsewhere", slot);
        let expected = layer.expectations.iter().filter_map(|it| match &it.target.value.host {
            TargetHost::Name(name) => Some((name.as_str(), it.target.span)),
            TargetHost::Address(_) => None,
        });
        self.note(expected, "expected elsewhere", slot);
    }
}

/// Hosts for an entry of that type.
pub(super) fn hosts(request: Request<'_>, value: ValueType, slot: &Slot) -> Vec<Candidate> {
    let Request { asked, cursor, .. } = request;
    let node = cursor.node();
    let around = Around::new(asked, &cursor.parents);
    let mut found: BTreeMap<String, (u8, String)> = BTreeMap::new();
    let mut offer = |host: &str, tier: u8, detail: &str| {
        let known = found.entry(host.to_owned()).or_insert_with(|| (tier, detail.to_owned()));
        if tier < known.0 {
            *known = (tier, detail.to_owned());
        }
    };
    let own = around.as_ref().map(|around| around.layers().collect::<Vec<_>>()).unwrap_or_default();
    let allowed = || own.iter().flat_map(|layer| &layer.egress.allow);
    match node.map(Node::name).unwrap_or_default() {
        "private" => {
            for host in allowed() {
                let tier = if host.value.guarded() == Guarded::No { 3 } else { 0 };
                offer(&host.value, tier, "allowed here");
            }
        }
        "passthrough" => allowed().for_each(|host| offer(&host.value, 1, "allowed here")),
        "deny" => {
            let allow = List::new(allowed().map(|host| (&host.value, host.value.as_str())));
            for drop in shared::DROPS {
                if let Some(allow) = allow.covering_all(drop.host, false) {
                    let why = format!("{}, which {} allows", drop.what, crate::text::quote(allow));
                    offer(&drop.pattern(), 0, &why);
                }
            }
        }
        "refuse" => {
            let denied = own.iter().flat_map(|layer| &layer.egress.deny);
            denied.for_each(|host| offer(host.value.domain(), 0, "denied here"));
            for (host, what) in known::FORBIDDEN {
                offer(host, 1, what);
            }
        }
        _ if value == ValueType::Target => {
            allowed().for_each(|host| offer(host.value.domain(), 0, "allowed here"));
        }
        _ => {}
    }
    let mut seen = Seen::default();
    for layer in around::layers(asked.analysis) {
        seen.note_layer(layer, slot);
    }
    for (host, what) in seen.0 {
        offer(if value == ValueType::Target { apex(host) } else { host }, 4, what);
    }
    // A private network has no host that is known to all.
    if value != ValueType::Upstream {
        for (host, whose) in shared::MODEL_APIS {
            offer(host, 5, &format!("{whose}: an API of models"));
        }
        for (host, what) in known::HOSTS {
            offer(if value == ValueType::Target { apex(host) } else { host }, 5, what);
        }
    }
    let same = node.map(|node| {
        let siblings = request.siblings().filter(move |other| other.name() == node.name());
        siblings.chain([node]).flat_map(|node| names::said(node, slot)).map(str::to_ascii_lowercase).collect()
    });
    let said: std::collections::BTreeSet<String> = same.unwrap_or_default();
    let fits = |host: &str| !said.contains(host) && value.check(crate::syntax::Value::String(host)).is_ok();
    found
        .into_iter()
        .filter(|(host, _)| fits(host))
        .map(|(host, (tier, detail))| {
            Candidate::value(host, CompletionItemKind::VALUE).detail(detail).tier(tier)
        })
        .collect()
}

/// One host of those that a pattern stands for.
fn apex(pattern: &str) -> &str {
    pattern.strip_prefix("*.").unwrap_or(pattern)
}
