//! The bottle or the profile that a place lies in, with the profiles under it: also where the bottle is broken so far that
//! it cannot be put together.

use std::collections::BTreeSet;

use super::analysis::Asked;
use crate::compile::Analysis;
use crate::diagnostic::Diagnostics;
use crate::model::{Layer, Name, Profile, Sidecar, Spanned};
use crate::resolve::include::IncludeClosure;
use crate::resolve::scope::Scope;
use crate::source::{SourceId, Span};
use crate::syntax::{Node, Value};
use crate::world::builtin;

/// A bottle or a profile, and what it lies on.
pub(super) struct Around<'a> {
    /// Its name.
    pub(super) name: &'a Spanned<Name>,
    /// Whether it is a bottle.
    pub(super) is_bottle: bool,
    /// The profiles under it, the lowest first.
    pub(super) profiles: Vec<&'a Profile>,
    /// What it says itself.
    pub(super) own: &'a Layer,
}

/// The profiles that a file sees.
#[must_use]
pub(super) fn scope(asked: Asked<'_>) -> Scope<'_> {
    scope_of(asked.analysis, asked.id, &asked.analysis.closures()[&asked.id])
}

fn scope_of<'a>(analysis: &'a Analysis, id: SourceId, closure: &IncludeClosure) -> Scope<'a> {
    Scope::new(id, analysis.files(), closure, analysis.sources(), &mut Diagnostics::new())
}

/// The layers of all profiles and bottles, of all files, without what they extend.
pub(super) fn layers(analysis: &Analysis) -> impl Iterator<Item = &Layer> {
    analysis.files().values().flat_map(|file| {
        let profiles = file.profiles.iter().map(|profile| &profile.layer);
        profiles.chain(file.bottles.iter().map(|bottle| &bottle.layer))
    })
}

/// The places of the names of the bottles that a profile is part of.
#[must_use]
pub(super) fn bottles_on(analysis: &Analysis, profile: &Spanned<Name>) -> BTreeSet<Span> {
    let closures = analysis.closures();
    let mut found = BTreeSet::new();
    for (id, file) in analysis.files().iter().filter(|(_, file)| !file.bottles.is_empty()) {
        let scope = scope_of(analysis, *id, &closures[id]);
        let on = file.bottles.iter().filter(|bottle| {
            scope.order(&bottle.extends).iter().any(|under| under.name.span == profile.span)
        });
        found.extend(on.map(|bottle| bottle.slug.span));
    }
    found
}

impl<'a> Around<'a> {
    /// Finds the bottle or profile that the outermost of `parents` declares; none at the top of a file, or without a name.
    #[must_use]
    pub(super) fn new(asked: Asked<'a>, parents: &[Node<'_>]) -> Option<Self> {
        let outer = parents.first()?;
        let name = outer
            .entries()
            .find(|entry| entry.key().is_none() && matches!(entry.value(), Value::String(_)))?;
        let file = asked.analysis.file(asked.id);
        let span = name.value_span();
        let (name, extends, own, is_bottle) = if outer.name() == "bottle" {
            let decl = file.bottles.iter().find(|decl| decl.slug.span == span)?;
            (&decl.slug, &decl.extends, &decl.layer, true)
        } else {
            let profile = file.profiles.iter().find(|profile| profile.name.span == span)?;
            (&profile.name, &profile.extends, &profile.layer, false)
        };
        Some(Self { name, is_bottle, profiles: scope(asked).order(extends), own })
    }

    /// Everything that it is made of, the lowest first.
    pub(super) fn layers(&self) -> impl Iterator<Item = &'a Layer> {
        self.profiles.iter().map(|profile| &profile.layer).chain(std::iter::once(self.own))
    }

    /// Its sidecars of the user's, as far as the layers say; of several with one name, the last one counts.
    pub(super) fn sidecars(&self) -> impl Iterator<Item = &'a Sidecar> {
        self.layers().flat_map(|layer| &layer.sidecars)
    }

    /// Its built-in sidecars.
    pub(super) fn builtins(&self) -> impl Iterator<Item = &'static builtin::Builtin> {
        let has_repo = self.layers().any(|layer| !layer.git.repos.is_empty());
        let is_brokered = self.layers().any(|layer| !layer.credentials.is_empty());
        let is_supervised = self.layers().any(|layer| layer.supervise.is_some());
        builtin::BUILTINS.iter().filter(move |builtin| match builtin.name {
            builtin::BROKER => is_brokered,
            builtin::GIT_GATE => has_repo,
            builtin::SUPERVISE => is_supervised,
            _ => true,
        })
    }
}
