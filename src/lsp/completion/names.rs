//! Names that a spec gives: profiles, sidecars and variables.

use std::collections::{BTreeMap, BTreeSet};

use lsp_types::CompletionItemKind;

use super::item::Candidate;
use super::slot::{Slot, Style};
use super::{Request, known, snippet};
use crate::lsp::around::{self, Around};
use crate::lsp::hover::built_in_given;
use crate::lsp::prose::Prose;
use crate::model::{Name, Profile, Reference, Spanned, VariableValue};
use crate::schema::ValueType;
use crate::syntax::{Entry, Node, Value};
use crate::text::quote;
use crate::world::variables::{self, Known};
use crate::world::{builtin, catalogue, ports};

/// Whether a text is a variable's name.
pub(super) fn is_variable(text: &str) -> bool {
    ValueType::EnvName.check(Value::String(text)).is_ok()
}

/// Returns the arguments of a node, without the one at the cursor.
pub(super) fn said<'t>(node: Node<'t>, slot: &Slot) -> BTreeSet<&'t str> {
    let others = node.entries().filter(|entry| entry.key().is_none() && !slot.is_in(entry.span()));
    others
        .filter_map(|entry| match entry.value() {
            Value::String(text) => Some(text),
            _ => None,
        })
        .collect()
}

/// The profiles that may be extended here: without those that are, and those that lie on this one.
pub(super) fn profiles(request: Request<'_>, slot: &Slot) -> Vec<Candidate> {
    let Request { asked, cursor, .. } = request;
    let scope = around::scope(asked);
    let profiles: Vec<&Profile> = scope.profiles().collect();
    let mut extended: BTreeSet<&str> = request
        .siblings()
        .filter(|node| node.name() == "extends")
        .chain(cursor.node())
        .flat_map(|node| said(node, slot))
        .collect();
    if let Some(around) = Around::new(asked, &cursor.parents).filter(|around| !around.is_bottle) {
        let edges = profiles.iter().flat_map(|profile| {
            profile.extends.iter().map(|under| (under.value.as_str(), profile.name.value.as_str()))
        });
        extended.extend(reached(edges, &around.name.value));
    }
    let built_in = catalogue::ALL.iter().map(|profile| (profile, profile.name()));
    let built_in = built_in.filter(|(_, name)| !extended.contains(name.as_str())).map(|(profile, name)| {
        Candidate::value(name, CompletionItemKind::MODULE)
            .detail("built-in profile")
            .doc(Prose::new().list(built_in_given(profile)))
            .tier(2)
    });
    let offered = profiles.iter().filter(|profile| !extended.contains(profile.name.value.as_str()));
    offered
        .filter(|profile| is_name(&profile.name))
        .map(|profile| {
            let source = asked.analysis.sources().get(profile.name.span.source);
            let place = format!("{}:{}", source.name(), source.line_of(profile.name.span.start) + 1);
            Candidate::value(&profile.name.value, CompletionItemKind::MODULE)
                .detail(format!("profile, {}", quote(&place).trim_matches('`')))
                .doc(Prose::new().text(summary(profile)))
        })
        .chain(built_in)
        .collect()
}

/// What a profile gives to whoever extends it, in a few words.
fn summary(profile: &Profile) -> String {
    let layer = &profile.layer;
    let mut parts = Vec::new();
    let mut count = |number: usize, one: &str, many: &str| match number {
        0 => {}
        1 => parts.push(format!("one {one}")),
        number => parts.push(format!("{number} {many}")),
    };
    count(layer.egress.allow.len(), "allowed host", "allowed hosts");
    count(layer.egress.deny.len(), "denied host", "denied hosts");
    count(layer.env.len(), "variable", "variables");
    count(layer.git.repos.len(), "repository", "repositories");
    count(layer.sidecars.len(), "sidecar", "sidecars");
    if let Some(version) = layer.engine.as_ref().and_then(|engine| engine.version.as_ref()) {
        parts.push(format!("smolvm {}", version.value));
    }
    if let Some(boot) = layer.boots.first() {
        parts.push(format!("the `{}`", boot.kind.as_str()));
    }
    if !profile.extends.is_empty() {
        let under: Vec<String> = profile.extends.iter().take(8).map(|name| quote(&name.value)).collect();
        parts.push(format!("what {} gives", under.join(", ")));
    }
    match parts.as_slice() {
        [] => String::from("Gives nothing that is counted here."),
        parts => format!("Gives {}.", parts.join(", ")),
    }
}

/// The names that can be reached over `edges` from a name on, itself among them.
fn reached<'a>(edges: impl Iterator<Item = (&'a str, &'a str)>, from: &'a str) -> BTreeSet<&'a str> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().push(to);
    }
    let mut found = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        for to in next.get(name).into_iter().flatten() {
            if found.insert(*to) {
                open.push(*to);
            }
        }
    }
    found
}

fn is_name(name: &Spanned<Name>) -> bool {
    ValueType::Name.check(Value::String(&name.value)).is_ok()
}

/// The sidecars that the one at the cursor may need: without itself, those that it needs, and those that need it.
pub(super) fn sidecars(request: Request<'_>, slot: &Slot) -> Vec<Candidate> {
    let Request { asked, cursor, .. } = request;
    let Some(around) = Around::new(asked, &cursor.parents) else { return Vec::new() };
    let Some(owner) = cursor.parents.last() else { return Vec::new() };
    let of_user = owner.name() == "sidecar";
    let own =
        if of_user { owner.entries().find(|entry| entry.key().is_none()).map(Entry::value) } else { None };
    let own = match own {
        Some(Value::String(name)) => name,
        _ => owner.name(),
    };
    // Of several sidecars with one name the last one counts.
    let sidecars: BTreeMap<&str, _> = around.sidecars().map(|it| (it.name.value.as_str(), it)).collect();
    let of_users = sidecars.values().flat_map(|sidecar| {
        sidecar.needs.iter().map(|need| (need.value.as_str(), sidecar.name.value.as_str()))
    });
    let of_builtins = around.layers().flat_map(|layer| &layer.builtins);
    let of_builtins =
        of_builtins.flat_map(|node| node.needs.iter().map(|need| (need.value.as_str(), node.name.value)));
    let mut left_out = reached(of_users.chain(of_builtins), own);
    let needs = request.siblings().filter(|node| node.name() == "needs").chain(cursor.node());
    left_out.extend(needs.flat_map(|node| said(node, slot)));
    let builtins = around.builtins().map(|builtin| {
        let detail = format!("built in, {}:{}", builtin.scheme, builtin.port);
        Candidate::value(builtin.name, CompletionItemKind::MODULE).detail(detail)
    });
    let users = sidecars.values().filter(|sidecar| is_name(&sidecar.name)).map(|sidecar| {
        let candidate = Candidate::value(&sidecar.name.value, CompletionItemKind::MODULE);
        match &sidecar.service.port {
            Some(port) => candidate.detail(format!("sidecar, port {}", port.number.value)),
            None => candidate.detail("sidecar"),
        }
    });
    users.chain(builtins).filter(|candidate| !left_out.contains(candidate.name.as_str())).collect()
}

/// The image of the sidecar that the cursor is in.
fn image<'t>(parents: &[Node<'t>]) -> Option<&'t str> {
    let sidecar = parents.iter().find(|node| node.name() == "sidecar")?;
    let image = sidecar.entries().find(|entry| entry.key().is_some_and(|(key, _)| key == "image"))?;
    match image.value() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The variables that are known for the place: those of the sidecar's image, or those of agents.
fn of_place(parents: &[Node<'_>]) -> Vec<&'static Known> {
    if !parents.iter().any(|node| node.name() == "sidecar") {
        return variables::AGENT.iter().map(|read| &read.variable).collect();
    }
    let image = image(parents).unwrap_or_default();
    let name = image.split(['@', ':']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let of_image = known::IMAGES.iter().filter(|(word, _)| name.contains(word));
    of_image.flat_map(|(_, variables)| *variables).collect()
}

/// Variables for an `env`: those that are known, and those that the spec names elsewhere.
pub(super) fn variables(request: Request<'_>, only_name: bool, slot: &Slot) -> Vec<Candidate> {
    let Request { asked, cursor, client, .. } = request;
    let present: BTreeSet<&str> = request.siblings().map(Node::name).collect();
    let in_sidecar = cursor.parents.iter().any(|node| node.name() == "sidecar");
    let free = |name: &str| !present.contains(name) && (in_sidecar || !builtin::owns_variable(name));
    let places = client.snippets && !only_name;
    let candidate = |name: &str, is_secret: bool, value: Option<&str>| {
        let text = match (only_name, slot.style) {
            (true, Style::Bare) => name.to_owned(),
            (true, _) => slot.write(name, false),
            (false, _) => snippet::variable(name, is_secret, value, places),
        };
        Candidate::kdl(name, text, places, CompletionItemKind::VARIABLE)
    };
    let known = of_place(&cursor.parents);
    let mut found: Vec<Candidate> = known
        .iter()
        .filter(|variable| free(variable.name))
        .map(|variable| {
            let what = if variable.is_secret { "secret, by reference" } else { "literal" };
            candidate(variable.name, variable.is_secret, variable.value)
                .detail(what)
                .doc(Prose::new().text(variable.doc))
                .tier(2)
        })
        .collect();
    let known: BTreeSet<&str> = known.iter().map(|variable| variable.name).collect();
    // The name and the kind of what is elsewhere, never its value.
    let mut elsewhere: BTreeMap<&str, bool> = BTreeMap::new();
    let here = cursor.node().map(Node::name_span);
    for layer in around::layers(asked.analysis) {
        let of_sidecars = layer.sidecars.iter().flat_map(|sidecar| &sidecar.service.env);
        let variables: Vec<_> = if in_sidecar { of_sidecars.collect() } else { layer.env.iter().collect() };
        for variable in variables.into_iter().filter(|variable| Some(variable.name.span) != here) {
            let secret = matches!(variable.value(), Some(VariableValue::Secret(_)));
            elsewhere.insert(&variable.name.value, secret);
        }
    }
    let elsewhere = elsewhere
        .into_iter()
        .filter(|(name, _)| free(name) && !known.contains(name) && is_variable(name))
        .map(|(name, secret)| candidate(name, secret, None).detail("used elsewhere in the spec"));
    found.extend(elsewhere);
    found
}

/// Names for a `from-env`: the variable's own first, then those that the spec refers to elsewhere, then those that are
/// known to hold secrets.
pub(super) fn references(request: Request<'_>) -> Vec<Candidate> {
    let Request { asked, cursor, .. } = request;
    let here = cursor.node().map(Node::name_span);
    let own = cursor.node().map(Node::name).filter(|name| is_variable(name));
    let mut found: Vec<Candidate> = own
        .map(|name| {
            Candidate::value(name, CompletionItemKind::VARIABLE).detail("the same name on the host").tier(0)
        })
        .into_iter()
        .collect();
    let mut names: BTreeMap<&str, &str> = of_place(&cursor.parents)
        .into_iter()
        .filter(|variable| variable.is_secret)
        .map(|variable| (variable.name, variable.doc))
        .collect();
    for layer in around::layers(asked.analysis) {
        let of_sidecars = layer.sidecars.iter().flat_map(|sidecar| &sidecar.service.env);
        for variable in layer.env.iter().chain(of_sidecars).filter(|it| Some(it.name.span) != here) {
            if let Some(VariableValue::Secret(Reference::Env(name))) = variable.value() {
                names.insert(name, "Used elsewhere in the spec.");
            }
        }
    }
    let others = names.into_iter().filter(|(name, _)| Some(*name) != own && is_variable(name));
    found.extend(others.map(|(name, doc)| {
        Candidate::value(name, CompletionItemKind::VARIABLE).doc(Prose::new().text(doc)).tier(2)
    }));
    found
}

/// Names for an `expose`: what programs of that scheme are usually told of, and the sidecar's own name.
pub(super) fn exposed(request: Request<'_>) -> Vec<Candidate> {
    let Some(sidecar) = request.cursor.parents.last() else { return Vec::new() };
    let port = sidecar.children().find(|node| node.name() == "port");
    let entries = || port.into_iter().flat_map(Node::entries);
    let scheme = entries().find(|entry| entry.key().is_some()).map(Entry::value);
    let number = entries().find(|entry| entry.key().is_none()).map(Entry::value);
    let usual = ports::SERVICES.iter().find(|service| match scheme {
        Some(Value::String(scheme)) => scheme == service.scheme,
        _ => service.ports.iter().any(|port| number == Some(Value::Integer(i128::from(*port)))),
    });
    let own = match sidecar.entries().find(|entry| entry.key().is_none()).map(Entry::value) {
        Some(Value::String(name)) => Some(format!("{}_URL", name.to_ascii_uppercase().replace('-', "_"))),
        _ => None,
    };
    let usual = usual.and_then(|service| service.variable).map(str::to_owned);
    let mut names: Vec<String> = usual.into_iter().chain(own).filter(|name| is_variable(name)).collect();
    names.dedup();
    names.retain(|name| !builtin::owns_variable(name));
    names.into_iter().map(|name| Candidate::value(name, CompletionItemKind::VARIABLE)).collect()
}
