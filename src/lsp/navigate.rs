//! Definitions, references, highlights and document links.

use std::collections::BTreeMap;

use lsp_types::{
    DocumentHighlight, DocumentHighlightKind, DocumentLink, GotoDefinitionResponse, Location, LocationLink,
    Position,
};

use super::analysis::Asked;
use super::client::Client;
use super::cursor::{Cursor, Spot};
use super::names::{Kind, Names, Occurrence, Role, unquoted};
use crate::check::expect;
use crate::diagnostic::Diagnostics;
use crate::model::{Host, Name, Spanned};
use crate::reach::Because;
use crate::reach::proxy::Decision;
use crate::resolve::include;
use crate::resolve::scope::Scope;
use crate::source::Span;
use crate::syntax::Value;
use crate::world::builtin;

/// A place to go to.
struct Target {
    /// All of it.
    whole: Span,
    /// What of it is looked for.
    name: Span,
}

impl Target {
    fn at(span: Span) -> Self {
        Self { whole: span, name: span }
    }
}

/// Finds the definitions of the name at a position. From a definition that overrides another one, that is the other one.
#[must_use]
pub(super) fn definition(
    asked: Asked<'_>,
    position: Position,
    client: &Client,
) -> Option<GotoDefinitionResponse> {
    let offset = asked.offset(position);
    let (origin, targets) = path_or_target(asked, offset).or_else(|| {
        let names = Names::new(asked.analysis);
        let at = names.at(asked.id, offset)?;
        let Occurrence { text, span, .. } = *names.get(at);
        let targets = defined(asked, &names, at).into_iter().filter_map(|at| {
            let Occurrence { role: Role::Definition(whole), text, span, .. } = *names.get(at) else {
                return None;
            };
            Some(Target { whole, name: unquoted(asked, text, span) })
        });
        Some((unquoted(asked, text, span), targets.collect::<Vec<_>>()))
    })?;
    // What is built in lies in no document.
    let targets: Vec<Target> =
        targets.into_iter().filter(|target| asked.analysis.uri(target.name.source).is_some()).collect();
    if targets.is_empty() {
        return None;
    }
    if !client.definition_links {
        let locations = targets.iter().filter_map(|target| asked.location(target.name));
        return Some(GotoDefinitionResponse::Array(locations.collect()));
    }
    let links = targets.iter().filter_map(|target| {
        Some(LocationLink {
            origin_selection_range: Some(asked.range(origin)),
            target_uri: asked.analysis.uri(target.name.source)?.clone(),
            target_range: asked.range(target.whole),
            target_selection_range: asked.range(target.name),
        })
    });
    Some(GotoDefinitionResponse::Link(links.collect()))
}

/// Finds the references to the name at a position.
#[must_use]
pub(super) fn references(asked: Asked<'_>, position: Position, declaration: bool) -> Vec<Location> {
    let names = Names::new(asked.analysis);
    let Some(at) = names.at(asked.id, asked.offset(position)) else { return Vec::new() };
    let same = names.same(at).into_iter().map(|at| *names.get(at));
    let wanted = same.filter(|it| declaration || !it.is_definition());
    wanted.filter_map(|it| asked.location(unquoted(asked, it.text, it.span))).collect()
}

/// Finds the occurrences of the name at a position in the same document.
#[must_use]
pub(super) fn highlights(asked: Asked<'_>, position: Position) -> Vec<DocumentHighlight> {
    let names = Names::new(asked.analysis);
    let Some(at) = names.at(asked.id, asked.offset(position)) else { return Vec::new() };
    let same = names.same(at).into_iter().map(|at| *names.get(at));
    let here = same.filter(|it| it.span.source == asked.id);
    let highlight = |it: Occurrence<'_>| DocumentHighlight {
        range: asked.range(unquoted(asked, it.text, it.span)),
        kind: Some(match it.role {
            Role::Definition(_) => DocumentHighlightKind::WRITE,
            Role::Reference => DocumentHighlightKind::READ,
        }),
    };
    here.map(highlight).collect()
}

/// The files that a document includes, as far as they can be read.
#[must_use]
pub(super) fn links(asked: Asked<'_>) -> Vec<DocumentLink> {
    let includes = asked.analysis.file(asked.id).includes.iter();
    let link = |path: &Spanned<String>| {
        let target = include::find(asked.id, &path.value, asked.analysis.sources())?;
        Some(DocumentLink {
            range: asked.range(unquoted(asked, &path.value, path.span)),
            target: Some(asked.analysis.uri(target)?.clone()),
            tooltip: None,
            data: None,
        })
    };
    includes.filter_map(link).collect()
}

/// What an `include` leads to, or the entries that decide an expectation: things that are named without a name.
fn path_or_target(asked: Asked<'_>, offset: u32) -> Option<(Span, Vec<Target>)> {
    let cursor = Cursor::new(asked.tree(), offset);
    let Spot::Value(node, entry) = cursor.spot else { return None };
    let Value::String(text) = entry.value() else { return None };
    if node.is_commented() || entry.is_commented() || entry.key().is_some() {
        return None;
    }
    let parents: Vec<&str> = cursor.parents.iter().map(|parent| parent.name()).collect();
    let span = entry.value_span();
    let origin = unquoted(asked, text, span);
    match (parents.as_slice(), node.name()) {
        ([], "include") => {
            let target = include::find(asked.id, text, asked.analysis.sources())?;
            Some((origin, vec![Target::at(Span::at(target, 0))]))
        }
        (["bottle" | "profile", "expect"], "allow" | "refuse") => {
            Some((origin, deciding(asked, span).into_iter().map(Target::at).collect()))
        }
        _ => None,
    }
}

/// The entries of `allow`, `deny` and `private` that decide an expectation, in each bottle that has it.
fn deciding(asked: Asked<'_>, expectation: Span) -> Vec<Span> {
    let mut entries = Vec::new();
    for bottle in asked.analysis.bottles() {
        let mut expected = bottle.settings.expectations.iter();
        let Some(expected) = expected.find(|it| it.target.span == expectation) else { continue };
        let policy = expect::policy(bottle);
        let found: Vec<&Host> = match policy.judge(&expected.target.value, None) {
            Because::Proxy(Decision::Opened(allow, range)) => vec![allow, range],
            Because::Proxy(
                Decision::Listed(entry, _)
                | Decision::Inner(entry)
                | Decision::Unsure(entry)
                | Decision::Guarded(entry, _)
                | Decision::Random(entry)
                | Decision::Credential(entry, _)
                | Decision::Denied(entry, _),
            )
            | Because::ByName(entry) => vec![entry],
            Because::Proxy(Decision::Never(allow)) => allow.into_iter().collect(),
            Because::Proxy(Decision::Unlisted)
            | Because::Unconfined(_)
            | Because::OwnMachine
            | Because::Bundle(_)
            | Because::Closed
            | Because::Resolver => Vec::new(),
        };
        entries.extend(found.into_iter().map(|entry| entry.span));
    }
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// The numbers of the definitions of what an occurrence names, as seen from there.
fn defined(asked: Asked<'_>, names: &Names<'_>, at: usize) -> Vec<usize> {
    let here = names.get(at);
    match here.kind {
        Kind::Rule => Vec::new(),
        Kind::Bottle => vec![at],
        Kind::Profile if here.is_definition() => vec![at],
        Kind::Profile => definitions(names, at),
        Kind::Sidecar
        | Kind::Builtin
        | Kind::Repository
        | Kind::Credential
        | Kind::Variable
        | Kind::Pattern => {
            let mut layers = below(asked, names, here.layer);
            let found = definitions(names, at);
            let by_layer: BTreeMap<usize, usize> =
                found.iter().map(|at| (names.get(*at).layer, *at)).collect();
            // A later layer is laid over an earlier one.
            let in_force =
                |layers: &[usize]| layers.iter().rev().find_map(|layer| by_layer.get(layer)).copied();
            if here.is_definition() {
                return vec![in_force(&layers).unwrap_or(at)];
            }
            layers.push(here.layer);
            if let Some(one) = in_force(&layers) {
                return vec![one];
            }
            // One of git-gate's repositories asks for it.
            let asks = here.text == builtin::GIT_GATE && here.kind == Kind::Builtin;
            let repo = || layers.iter().find_map(|layer| names.first(*layer, Kind::Repository));
            match asks.then(repo).flatten() {
                Some(repo) => vec![repo],
                // What a profile needs may be there in the bottles alone that extend it.
                None => found,
            }
        }
    }
}

/// All definitions of what an occurrence names.
fn definitions(names: &Names<'_>, at: usize) -> Vec<usize> {
    names.same(at).into_iter().filter(|at| names.get(*at).is_definition()).collect()
}

/// The profiles below a bottle or a profile, each laid over those before it.
fn below(asked: Asked<'_>, names: &Names<'_>, layer: usize) -> Vec<usize> {
    let Some(name) = names.of_layer(layer).map(|it| it.span) else { return Vec::new() };
    let analysis = asked.analysis;
    let file = analysis.file(name.source);
    let bottle = file.bottles.iter().find(|bottle| bottle.slug.span == name).map(|bottle| &bottle.extends);
    let profile = || file.profiles.iter().find(|profile| profile.name.span == name).map(|it| &it.extends);
    let Some(extends): Option<&Vec<Spanned<Name>>> = bottle.or_else(profile) else { return Vec::new() };
    let unsaid = &mut Diagnostics::new();
    let scope = Scope::new(
        name.source,
        analysis.files(),
        &analysis.closures()[&name.source],
        analysis.sources(),
        unsaid,
    );
    let profiles = scope.order(extends).into_iter().map(|profile| profile.name.span);
    let mut layers: Vec<usize> =
        profiles.filter_map(|span| Some(names.get(names.at(span.source, span.start)?).layer)).collect();
    // One that extends itself, over however many others, does not lie below itself.
    layers.retain(|it| *it != layer);
    layers
}
