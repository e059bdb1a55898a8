//! Inlay hints: addresses, URLs, and what a profile contributes.

use std::collections::BTreeMap;

use lsp_types::{
    InlayHint, InlayHintKind, InlayHintLabel, InlayHintLabelPart, InlayHintLabelPartTooltip,
    InlayHintTooltip, Range,
};

use super::analysis::Asked;
use crate::model::{Bottle, BottleDecl, MemberKind, Spanned};
use crate::plan;
use crate::resolve::members::Needs;
use crate::source::Span;
use crate::text::{counted, harmless, quote};
use crate::world::engine::Version;

/// The hints of a range.
#[must_use]
pub(super) fn hints(asked: Asked<'_>, range: Range) -> Vec<InlayHint> {
    let asked_for = asked.span(range);
    let mut hints = Hints { asked, range: asked_for, found: Vec::new() };
    let file = asked.analysis.file(asked.id);
    for decl in &file.bottles {
        if decl.octet.is_none() {
            hints.address(decl);
        }
    }
    for bottle in asked.analysis.bottles() {
        // In the order of the text, as the bottles are; those of other files are not among them.
        if let Ok(at) = file.bottles.binary_search_by_key(&bottle.settings.slug.span, |decl| decl.slug.span) {
            hints.inherited(&file.bottles[at], bottle);
        }
    }
    hints.sidecars(asked.analysis.bottles());
    hints.found.sort_by_key(|(at, _)| *at);
    hints.found.into_iter().map(|(_, hint)| hint).collect()
}

struct Hints<'a> {
    asked: Asked<'a>,
    range: Span,
    found: Vec<(u32, InlayHint)>,
}

impl Hints<'_> {
    fn is_asked(&self, at: u32) -> bool {
        self.range.start <= at && at <= self.range.end
    }

    fn add(&mut self, at: u32, label: InlayHintLabel, tooltip: Option<String>) {
        let position = self.asked.range(Span::at(self.asked.id, at)).end;
        let hint = InlayHint {
            position,
            label,
            kind: Some(InlayHintKind::TYPE),
            text_edits: None,
            tooltip: tooltip.map(InlayHintTooltip::String),
            padding_left: Some(true),
            padding_right: None,
            data: None,
        };
        self.found.push((at, hint));
    }

    /// The bundle's address behind the name of a bottle that pins none.
    fn address(&mut self, decl: &BottleDecl) {
        let at = decl.slug.span.end;
        if !self.is_asked(at) || decl.slug.value.is_empty() {
            return;
        }
        let addresses = decl.addresses();
        let network = match addresses.gateway() {
            Some(gateway) => format!("subnet {}, gateway {gateway}", addresses.subnet()),
            None => format!("in the cluster's Services, {}", addresses.subnet()),
        };
        let tooltip = format!(
            "The bundle's address, derived from the name: {network}. network octet={} pins it.",
            addresses.octet
        );
        self.add(at, InlayHintLabel::String(addresses.bundle().to_string()), Some(tooltip));
    }

    /// What a bottle has of its profiles, behind its last `extends`.
    fn inherited(&mut self, decl: &BottleDecl, bottle: &Bottle<Needs>) {
        let Some(last) = decl.extends.iter().map(|name| name.span.end).max() else { return };
        if !self.is_asked(last) {
            return;
        }
        let whole = &bottle.settings;
        let mut parts = Vec::new();
        let own = decl.layer.engine.as_ref();
        if let Some(version) =
            whole.engine.as_ref().and_then(|engine| engine.version.as_ref()).filter(|_| own.is_none())
        {
            let &Spanned { ref value, span } = version;
            let value: &Version = value;
            parts.push(self.part(format!("smolvm {value}"), span));
        }
        if let Some(boot) = whole.boot.as_ref().filter(|_| decl.layer.boots.is_empty()) {
            parts.push(self.part(boot.kind.as_str().to_owned(), boot.node));
        }
        if let Some(limit) = whole.egress.rate_limit.filter(|_| decl.layer.egress.rate_limit.is_none()) {
            parts.push(self.part(format!("{} requests a minute", limit.value), limit.span));
        }
        let inherited = whole.egress.allow.iter().find(|host| !within(decl, host.span));
        if let Some(first) = inherited {
            let hosts = counted(whole.egress.allow.len(), "host", "hosts");
            parts.push(self.part(format!("{hosts} in all"), first.span));
        }
        if parts.is_empty() {
            return;
        }
        // A comma between two parts, which leads nowhere.
        let mut label = Vec::new();
        for part in parts {
            if !label.is_empty() {
                label.push(InlayHintLabelPart { value: String::from(", "), ..InlayHintLabelPart::default() });
            }
            label.push(part);
        }
        self.add(last, InlayHintLabel::LabelParts(label), None);
    }

    /// A part that leads to the line which says so.
    fn part(&self, value: String, span: Span) -> InlayHintLabelPart {
        let source = self.asked.analysis.sources().get(span.source);
        let place = format!("From {}:{}", harmless(source.name()), source.line_of(span.start) + 1);
        InlayHintLabelPart {
            value,
            tooltip: Some(InlayHintLabelPartTooltip::String(place)),
            location: self.asked.location(span),
            command: None,
        }
    }

    /// The URL of each sidecar behind its `port`, and that of each variable behind its `expose`: where bottles differ in
    /// it, since they share a profile, none.
    fn sidecars(&mut self, bottles: &[Bottle<Needs>]) {
        // A place, and the text there; none once two bottles differ in it.
        let mut urls = BTreeMap::new();
        let note =
            |urls: &mut BTreeMap<u32, Option<(String, String)>>, span: Span, label: String, tooltip| {
                let known = urls.entry(span.end).or_insert_with(|| Some((label.clone(), tooltip)));
                if known.as_ref().is_some_and(|(known, _)| *known != label) {
                    *known = None;
                }
            };
        for bottle in bottles {
            let slug = &bottle.settings.slug.value;
            let of_broker = plan::exposed_credentials(bottle);
            for (expose, url) in of_broker.filter(|(expose, _)| expose.variable.span.source == self.asked.id)
            {
                let tooltip = format!("What the agent of {} has in it", quote(slug));
                note(&mut urls, expose.end(), format!("= {url}"), tooltip);
            }
            for member in &bottle.members {
                let MemberKind::Custom(service) = &member.kind else { continue };
                if member.name.span.source != self.asked.id {
                    continue;
                }
                let Some((port, url)) =
                    service.port.as_ref().zip(plan::url(member, bottle.settings.addresses()))
                else {
                    continue;
                };
                let end =
                    port.scheme.as_ref().map_or(port.number.span, |scheme| port.number.span.to(scheme.span));
                note(
                    &mut urls,
                    end,
                    url.clone(),
                    format!("Where {} listens in {}", quote(&member.name.value), quote(slug)),
                );
                for expose in &service.exposes {
                    let url = format!("{url}{}", expose.path.as_ref().map_or("", |path| &path.value));
                    let tooltip = format!("What the agent of {} has in it", quote(slug));
                    note(&mut urls, expose.end(), format!("= {url}"), tooltip);
                }
            }
        }
        for (at, shown) in urls {
            if let Some((label, tooltip)) = shown.filter(|_| self.is_asked(at)) {
                self.add(at, InlayHintLabel::String(harmless(&label).into_owned()), Some(tooltip));
            }
        }
    }
}

/// Whether a place lies in a bottle's own block.
fn within(decl: &BottleDecl, span: Span) -> bool {
    decl.block.is_some_and(|block| {
        block.source == span.source && block.start <= span.start && span.end <= block.end
    })
}
