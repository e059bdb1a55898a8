//! The bottle or the profile that a place lies in, with the profiles under it: also where the bottle is broken so far that
//! it cannot be put together.

use super::analysis::Asked;
use crate::builtin;
use crate::diagnostic::Diagnostics;
use crate::include::Reach;
use crate::scope::Scope;
use crate::spec::{Layer, Name, Profile, Sidecar, Spanned};
use crate::syntax::{Node, Value};

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
    let unsaid = &mut Diagnostics::new();
    let mut reach = asked.analysis.reach();
    // A file of the analysis is always among those that reach something: itself.
    let none = || Reach { files: std::iter::once(asked.id).collect(), partial: true };
    let reach = reach.remove(&asked.id).unwrap_or_else(none);
    Scope::new(asked.id, asked.analysis.files(), &reach, asked.analysis.sources(), unsaid)
}

impl<'a> Around<'a> {
    /// What the outermost of `parents` stands for; nothing at the top of a file, and in what has no name yet.
    #[must_use]
    pub(super) fn new(asked: Asked<'a>, parents: &[Node<'_>]) -> Option<Self> {
        let outer = parents.first()?;
        let name = outer.entries().find(|entry| entry.key().is_none() && matches!(entry.value(), Value::String(_)))?;
        let file = asked.analysis.file(asked.id);
        let span = name.value_span();
        let (name, extends, own, is_bottle) = match outer.name() {
            "bottle" => {
                let decl = file.bottles.iter().find(|decl| decl.slug.span == span)?;
                (&decl.slug, &decl.extends, &decl.layer, true)
            }
            _ => {
                let profile = file.profiles.iter().find(|profile| profile.name.span == span)?;
                (&profile.name, &profile.extends, &profile.layer, false)
            }
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

    /// Which of the built-in sidecars it has.
    pub(super) fn builtins(&self) -> impl Iterator<Item = &'static builtin::Builtin> {
        let has_repo = self.layers().any(|layer| !layer.git.repos.is_empty());
        let is_supervised = self.layers().any(|layer| layer.supervise.is_some());
        builtin::BUILTINS.iter().filter(move |builtin| match builtin.name {
            builtin::GIT_GATE => has_repo,
            builtin::SUPERVISE => is_supervised,
            _ => true,
        })
    }
}
