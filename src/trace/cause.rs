//! Causes: what decided each value of a plan.

use super::place::Index;
use crate::plan::{Origin, Places, Plan, RepoPlaces, SidecarPlaces, Traced};
use crate::source::Span;
use crate::world::builtin;

/// A cause of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A place of a spec.
    Spec(Span),
    /// The compiler, and why.
    Compiler(&'static str),
}

/// The causes of a value: first the setting itself, then what it was computed from.
pub(super) type Causes = Vec<Cause>;

/// Of what no spec has a say in.
pub(super) const ITSELF: &str = "bottlec, for every bottle";
/// Of a setting that the spec is silent about.
pub(super) const DEFAULT: &str = "the default: no spec says anything else";

/// A plan, and the places of its specs.
pub(super) struct Decisions<'a> {
    pub(super) plan: &'a Plan,
    pub(super) places: &'a Places,
    pub(super) specs: &'a Index<'a>,
}

pub(super) fn itself() -> Causes {
    vec![Cause::Compiler(ITSELF)]
}

pub(super) fn at(place: Span) -> Causes {
    vec![Cause::Spec(place)]
}

/// A setting that has a place, or is left to the compiler.
pub(super) fn or_default(place: Option<Span>) -> Causes {
    place.map_or_else(|| vec![Cause::Compiler(DEFAULT)], at)
}

pub(super) fn origin(origin: &Origin) -> Causes {
    match origin {
        Origin::Spec { source: _, line: _, span } => at(*span),
        Origin::Computed => vec![Cause::Compiler(DEFAULT)],
    }
}

pub(super) fn traced<T>(value: &Traced<T>) -> Causes {
    origin(&value.origin)
}

/// The element at a step of a path.
pub(super) fn nth<'a, T>(list: &'a [T], step: &str) -> Option<&'a T> {
    list.get(step.parse::<usize>().ok()?)
}

/// The element at a step of a path, by what decided it.
pub(super) fn element<T>(list: &[Traced<T>], step: &str) -> Causes {
    nth(list, step).map(traced).unwrap_or_default()
}

/// The place at a step of a path.
pub(super) fn word(list: &[Span], step: &str) -> Causes {
    nth(list, step).copied().map(at).unwrap_or_default()
}

/// One after the other, each cause once.
pub(super) fn all(causes: impl IntoIterator<Item = Causes>) -> Causes {
    let mut all = Causes::new();
    for cause in causes.into_iter().flatten() {
        if !all.contains(&cause) {
            all.push(cause);
        }
    }
    all
}

impl Decisions<'_> {
    /// The bottle's name, and with it the name of everything that is made for it.
    pub(super) fn slug(&self) -> Causes {
        at(self.places.slug)
    }

    /// The addresses: pinned, or computed from the bottle's name.
    pub(super) fn addresses(&self) -> Causes {
        match self.places.octet {
            Some(octet) => at(octet),
            None => all([self.slug(), vec![Cause::Compiler("its octet is computed from the bottle's name")]]),
        }
    }

    /// The engine's version.
    pub(super) fn version(&self) -> Causes {
        match self.places.version {
            Some(version) => at(version),
            None => vec![Cause::Compiler("the newest engine that bottlec knows: no spec names a version")],
        }
    }

    pub(super) fn engine(&self) -> Causes {
        self.places.engine.map_or_else(itself, at)
    }

    pub(super) fn boot(&self) -> Causes {
        or_default(self.places.boot)
    }

    /// The cause of a sidecar. Nothing asks for pipelock, nor for the container that owns the address.
    pub(super) fn sidecar(&self, name: &str) -> Causes {
        self.member(name).and_then(|sidecar| sidecar.asked).map_or_else(itself, at)
    }

    pub(super) fn member(&self, name: &str) -> Option<&SidecarPlaces> {
        self.places.sidecars.get(name)
    }

    /// The causes of a sidecar's port and scheme.
    pub(super) fn port(&self, name: &str) -> Causes {
        let service = self.member(name).and_then(|sidecar| sidecar.service.as_ref());
        service.and_then(|service| service.port).map_or_else(|| self.sidecar(name), at)
    }

    /// The causes of a sidecar's URL.
    pub(super) fn url(&self, name: &str) -> Causes {
        let service = self.member(name).and_then(|sidecar| sidecar.service.as_ref());
        let scheme = service.and_then(|service| service.scheme).map(at).unwrap_or_default();
        all([self.port(name), scheme, self.addresses()])
    }

    /// A variable of the agent's.
    pub(super) fn variable(&self, name: &str) -> Causes {
        let Some(variable) = self.plan.env.get(name) else { return Causes::new() };
        if let Origin::Spec { span, .. } = &variable.origin {
            let sidecar = self.places.exposed.get(name).map(|sidecar| self.url(sidecar));
            return all([at(*span), sidecar.unwrap_or_default()]);
        }
        if builtin::NO_PROXY.contains(&name) {
            return all([itself(), self.addresses()]);
        }
        if let Some(owner) = builtin::BUILTINS.iter().find(|builtin| builtin.variables.contains(&name)) {
            return all([self.sidecar(owner.name), self.addresses()]);
        }
        if builtin::CA_VARIABLES.contains(&name) {
            return self.tls();
        }
        itself()
    }

    /// The causes of git-gate: the repositories.
    pub(super) fn repos(&self) -> Causes {
        self.sidecar(builtin::GIT_GATE)
    }

    /// A part of a repository; its name is one.
    pub(super) fn repo(&self, name: &str, part: impl Fn(&RepoPlaces) -> Option<Span>) -> Causes {
        self.places.repos.get(name).and_then(part).map(at).unwrap_or_default()
    }

    /// The property of what a cause names.
    pub(super) fn property(&self, value: &Origin, key: &str) -> Causes {
        match value {
            Origin::Spec { span, .. } => at(self.specs.property(*span, key)),
            Origin::Computed => vec![Cause::Compiler(DEFAULT)],
        }
    }

    /// The causes of the settings of `supervise`.
    pub(super) fn supervise(&self) -> Causes {
        self.sidecar(builtin::SUPERVISE)
    }

    /// The directory of proposals.
    pub(super) fn queue(&self) -> Causes {
        match self.places.supervise.and_then(|supervise| supervise.queue) {
            Some(queue) => at(queue),
            None => all([vec![Cause::Compiler(DEFAULT)], self.supervise(), self.slug()]),
        }
    }

    pub(super) fn tls(&self) -> Causes {
        self.places.tls.map(at).unwrap_or_default()
    }

    /// The image of a sidecar.
    pub(super) fn image(&self, name: &str) -> Causes {
        let Some(member) = self.member(name) else { return itself() };
        let place = match (&member.service, name) {
            (Some(service), _) => service.image,
            (None, builtin::GIT_GATE) => {
                if let Some(image) = self.places.git_gate_image {
                    return at(image);
                }
                return all([vec![Cause::Compiler(DEFAULT)], self.repos(), self.slug()]);
            }
            (None, builtin::SUPERVISE) => self.places.supervise.and_then(|supervise| supervise.image),
            (None, _) => self.places.pipelock_image,
        };
        or_default(place)
    }

    /// The causes of a sidecar's need of another one. Every one needs the container that owns the address.
    pub(super) fn need(&self, sidecar: &str, need: &str) -> Causes {
        let place = self.member(sidecar).and_then(|member| member.needs.get(need));
        place.copied().map_or_else(itself, at)
    }
}
