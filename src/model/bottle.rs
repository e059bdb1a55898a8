//! A bottle merged with its profiles.

use std::collections::BTreeMap;

use super::{
    Accept, Agent, Backend, Boot, BottleDecl, Credential, Egress, Engine, Expectation, Git, Layer, Limits,
    Lint, Machine, Name, Pipelock, Service, Spanned, Supervise, Variable, addresses,
};
use crate::source::Span;
use crate::world::builtin::{self, Builtin};
use crate::world::network::Addresses;

/// The kind of a member of the bundle.
#[derive(Clone, Debug)]
pub enum MemberKind {
    /// One of ours.
    Builtin(&'static Builtin),
    /// The user's.
    Custom(Box<Service>),
}

/// What a sidecar needs, by name.
pub type Names = Vec<Spanned<Name>>;

/// A sidecar of a bottle. `N` is what it needs: [`Names`], or what those are resolved to.
#[derive(Clone, Debug)]
pub struct Member<N> {
    /// Its name, unique in the bottle.
    pub name: Spanned<Name>,
    /// What it is.
    pub kind: MemberKind,
    /// What must run before it.
    pub needs: N,
    /// What it may have of the host.
    pub limits: Limits,
}

/// What a bottle sets, of all its layers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name.
    pub slug: Spanned<Name>,
    /// What runs it.
    pub backend: Option<Backend>,
    /// What the stage is compiled for.
    pub engine: Option<Engine>,
    /// What the agent boots from.
    pub boot: Option<Boot>,
    /// What its machine has of the host: each volume and each port once.
    pub machine: Machine,
    /// The program that works in it.
    pub agent: Option<Agent>,
    /// The agent's variables, by name.
    pub env: BTreeMap<String, Variable>,
    /// What the agent may reach.
    pub egress: Egress,
    /// Its repositories.
    pub git: Git,
    /// Whether it may ask a human, and how.
    pub supervise: Option<Supervise>,
    /// The pinned octet of its subnet.
    pub octet: Option<Spanned<u8>>,
    /// The credentials of its broker, by name.
    pub credentials: BTreeMap<String, Credential>,
    /// The image of the broker.
    pub broker_image: Option<Spanned<String>>,
    /// pipelock itself.
    pub pipelock: Pipelock,
    /// What runs its containers.
    pub container_engine: Option<Spanned<String>>,
    /// What it answers for.
    pub accepts: Vec<Accept>,
    /// What must come out of its policy.
    pub expectations: Vec<Expectation>,
    /// The blocks that it was written in, its profiles' among them, with the levels that each sets.
    pub lints: Vec<Lint>,
}

impl Settings {
    /// Its addresses.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        addresses(&self.slug.value, self.octet, self.backend.as_ref())
    }

    /// What runs it, when that is a cluster.
    #[must_use]
    pub fn cluster(&self) -> Option<&Backend> {
        self.backend.as_ref().filter(|backend| backend.is_cluster())
    }
}

/// A bottle. `N` is what its sidecars need: [`Names`], or what those are resolved to, so that an unresolved bottle cannot be
/// planned.
#[derive(Clone, Debug)]
pub struct Bottle<N> {
    /// What it sets.
    pub settings: Settings,
    /// Its sidecars, built-in and the user's, by name.
    pub members: Vec<Member<N>>,
}

impl MemberKind {
    /// Returns the user's container, when it is one.
    #[must_use]
    pub fn custom(&self) -> Option<&Service> {
        match self {
            Self::Builtin(_) => None,
            Self::Custom(service) => Some(service),
        }
    }
}

impl<N> Member<N> {
    /// Whether the agent is told where it listens: of each built-in one, and of one of the user's that the spec exposes.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.kind.custom().is_none_or(|service| !service.exposes.is_empty() || service.mcp.is_some())
    }

    /// Where it listens and where that is said: for a built-in one, where it is asked for.
    #[must_use]
    pub fn port(&self) -> Option<Spanned<u16>> {
        match &self.kind {
            MemberKind::Builtin(builtin) => Some(Spanned { value: builtin.port, span: self.name.span }),
            MemberKind::Custom(service) => service.port.as_ref().map(|port| port.number),
        }
    }
}

impl Bottle<Names> {
    /// The bottle that `decl` says on top of `profiles`, which are laid over each other.
    #[must_use]
    pub fn assemble(decl: &BottleDecl, profiles: Layer) -> Self {
        let BottleDecl { slug, extends: _, layer: own, octet, head: _, block: _ } = decl;
        let mut layer = profiles;
        layer.merge(own.clone());
        let Layer {
            backend,
            engine,
            boots,
            machine,
            agent,
            env,
            egress,
            git,
            supervise,
            pipelock,
            builtins,
            sidecars,
            credentials,
            broker_image,
            container_engine,
            accepts,
            expectations,
            lints,
            written_secrets: _,
        } = layer;
        // Where a built-in sidecar comes from, for diagnostics that must show a place.
        let asked = |name: &str| -> Option<Span> {
            match name {
                builtin::GIT_GATE => git.repos.first().map(|repo| repo.name.span),
                builtin::BROKER => credentials.first().map(|credential| credential.name.span),
                builtin::SUPERVISE => supervise.as_ref().map(|supervise| supervise.place),
                _ => Some(slug.span),
            }
        };
        let mut members = Vec::new();
        for builtin in builtin::BUILTINS {
            let Some(span) = asked(builtin.name) else { continue };
            let needs = builtins.iter().filter(|node| node.name.value == builtin.name);
            let node = needs.clone().next().map(|node| node.name.span);
            members.push(Member {
                name: Spanned { value: builtin.name.to_owned(), span: node.unwrap_or(span) },
                kind: MemberKind::Builtin(builtin),
                limits: needs.clone().fold(Limits::default(), |under, node| under.merge(node.limits)),
                needs: needs.flat_map(|node| node.needs.iter().cloned()).collect(),
            });
        }
        for sidecar in by_name(sidecars, |sidecar| &sidecar.name).into_values() {
            let super::Sidecar { name, port_node: _, needs, limits, service } = sidecar;
            members.push(Member { name, kind: MemberKind::Custom(Box::new(service)), needs, limits });
        }
        members.sort_by(|a, b| a.name.value.cmp(&b.name.value));
        let settings = Settings {
            slug: slug.clone(),
            backend,
            engine,
            boot: boots.into_iter().next(),
            machine: machine.united(),
            agent,
            env: by_name(env, |variable| &variable.name),
            egress: egress.united(),
            git: Git { repos: by_name(git.repos, |repo| &repo.name).into_values().collect(), ..git },
            supervise,
            octet: *octet,
            credentials: united(credentials),
            broker_image,
            pipelock,
            container_engine,
            accepts,
            expectations,
            lints,
        };
        Self { settings, members }
    }
}

/// Credentials by name, those of one name laid over each other.
fn united(credentials: Vec<Credential>) -> BTreeMap<String, Credential> {
    let mut united: BTreeMap<String, Credential> = BTreeMap::new();
    for credential in credentials {
        match united.get_mut(&credential.name.value) {
            Some(under) => under.merge(credential),
            None => {
                united.insert(credential.name.value.clone(), credential);
            }
        }
    }
    united
}

/// Things by name; of several with one name the last one is in force.
fn by_name<T>(things: Vec<T>, name: impl Fn(&T) -> &Spanned<Name>) -> BTreeMap<String, T> {
    things.into_iter().map(|thing| (name(&thing).value.clone(), thing)).collect()
}
