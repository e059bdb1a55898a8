//! The places of a plan's settings in the spec, for those that have no [`Origin`](super::Origin) of their own.

use std::collections::BTreeMap;

use crate::model::{
    Boot, Bottle, Egress, Git, GitUser, Health, Member, MemberKind, Port, Repo, SecretFile, Service, Spanned,
    Supervise, Volume,
};
use crate::resolve::members::MemberId;
use crate::source::Span;
use crate::world::builtin;

/// The places of a bottle's settings; `None` is a setting that the spec leaves to the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The bottle's name.
    pub slug: Span,
    /// The pinned octet of its subnet.
    pub octet: Option<Span>,
    /// What runs it.
    pub backend: Option<Span>,
    /// The engine's name.
    pub engine: Option<Span>,
    /// The engine's version.
    pub version: Option<Span>,
    /// What is booted: the path or the reference.
    pub boot: Option<Span>,
    /// What runs its containers.
    pub container_engine: Option<Span>,
    /// The node that opens HTTPS.
    pub tls: Option<Span>,
    /// Whose name commits carry.
    pub git_name: Option<Span>,
    /// Whose mail address they carry.
    pub git_email: Option<Span>,
    /// The scanner of pushes.
    pub scanner: Option<Span>,
    /// The image of git-gate.
    pub git_gate_image: Option<Span>,
    /// The image of pipelock.
    pub pipelock_image: Option<Span>,
    /// How a human is asked.
    pub supervise: Option<SupervisePlaces>,
    /// The repositories, by name.
    pub repos: BTreeMap<String, RepoPlaces>,
    /// The sidecars, by name.
    pub sidecars: BTreeMap<String, SidecarPlaces>,
    /// Which sidecar's URL each of the agent's variables holds that one exposes.
    pub exposed: BTreeMap<String, String>,
}

/// The places of a repository's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoPlaces {
    /// Its name.
    pub name: Span,
    /// Where it is.
    pub url: Span,
    /// The private key.
    pub identity: Span,
    /// The upstream's host keys.
    pub host_keys: Vec<Span>,
}

/// The places of the settings of `supervise`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupervisePlaces {
    /// The first node that asks for it.
    pub node: Span,
    /// The queue's directory.
    pub queue: Option<Span>,
    /// The image.
    pub image: Option<Span>,
}

/// The places of a sidecar's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SidecarPlaces {
    /// What asks for it: its name, the first repository, `supervise`. pipelock is asked for by nothing.
    pub asked: Option<Span>,
    /// What it needs, by name: each at the first place that says so.
    pub needs: BTreeMap<String, Span>,
    /// What one of the spec's own runs.
    pub service: Option<ServicePlaces>,
}

/// The places of a container's settings. Its variables have origins of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePlaces {
    /// Its image.
    pub image: Option<Span>,
    /// Its arguments.
    pub command: Vec<Span>,
    /// The user that it runs as.
    pub run_as: Option<Span>,
    /// Where it listens.
    pub port: Option<Span>,
    /// The scheme of its URL.
    pub scheme: Option<Span>,
    /// How to tell that it is ready.
    pub health: Option<HealthPlaces>,
    /// The secrets that it sees as files, by name.
    pub secrets: BTreeMap<String, Span>,
    /// What outlives it, in order.
    pub volumes: Vec<Span>,
    /// What it may write to in memory, by path.
    pub tmpfs: BTreeMap<String, Span>,
    /// The capabilities that it keeps, by name.
    pub capabilities: BTreeMap<String, Span>,
}

/// The places of a health check's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPlaces {
    /// The node.
    pub node: Span,
    /// The program and its arguments.
    pub command: Vec<Span>,
    /// The seconds between two checks.
    pub interval: Option<Span>,
    /// The seconds that one may take.
    pub timeout: Option<Span>,
    /// The failed checks in a row.
    pub retries: Option<Span>,
    /// The seconds at the start.
    pub start: Option<Span>,
}

fn place<T>(setting: Option<&Spanned<T>>) -> Option<Span> {
    setting.map(|setting| setting.span)
}

fn places<T>(settings: &[Spanned<T>]) -> Vec<Span> {
    settings.iter().map(|setting| setting.span).collect()
}

/// By name: of several that say the same, the first.
fn by_name<'a>(settings: impl IntoIterator<Item = &'a Spanned<String>>) -> BTreeMap<String, Span> {
    let mut places = BTreeMap::new();
    for Spanned { value, span } in settings {
        places.entry(value.clone()).or_insert(*span);
    }
    places
}

impl Places {
    /// The places of a bottle. It is taken apart whole, so that no setting can be forgotten here.
    pub(super) fn of(bottle: &Bottle<MemberId>) -> Self {
        let Bottle {
            slug,
            backend,
            engine,
            boot,
            // Each variable has its origin.
            env: _,
            // So has each of these, but for the node that opens HTTPS.
            egress: Egress { tls, .. },
            git: Git { user, repos, scanner, image: git_gate_image },
            supervise,
            octet,
            pipelock_image,
            container_engine,
            // Each has its origin.
            accepts: _,
            lints: _,
            // Nothing of them is in a plan.
            expectations: _,
            members,
        } = bottle;
        let user = user.as_ref().map(|GitUser { name, email }| (name.span, email.span));
        let exposed = members.iter().flat_map(|member| {
            let exposes = match &member.kind {
                MemberKind::Custom(service) => service.exposes.as_slice(),
                MemberKind::Builtin(_) => &[],
            };
            exposes.iter().map(|expose| (expose.variable.value.clone(), member.name.value.clone()))
        });
        Self {
            slug: slug.span,
            octet: place(octet.as_ref()),
            backend: place(backend.as_ref()),
            engine: engine.as_ref().map(|engine| engine.name.span),
            version: engine.as_ref().and_then(|engine| place(engine.version.as_ref())),
            boot: boot.as_ref().map(|Boot { kind: _, node: _, source }| source.span),
            container_engine: place(container_engine.as_ref()),
            tls: tls.as_ref().map(|tls| tls.node),
            git_name: user.map(|(name, _)| name),
            git_email: user.map(|(_, email)| email),
            scanner: place(scanner.as_ref()),
            git_gate_image: place(git_gate_image.as_ref()),
            pipelock_image: place(pipelock_image.as_ref()),
            supervise: supervise.as_ref().map(|Supervise { place: node, queue, image }| SupervisePlaces {
                node: *node,
                queue: place(queue.as_ref()),
                image: place(image.as_ref()),
            }),
            repos: repos.iter().map(|repo| (repo.name.value.clone(), RepoPlaces::of(repo))).collect(),
            sidecars: members
                .iter()
                .map(|member| (member.name.value.clone(), SidecarPlaces::of(member, bottle)))
                .collect(),
            exposed: exposed.collect(),
        }
    }
}

impl RepoPlaces {
    fn of(repo: &Repo) -> Self {
        let Repo { name, url, identity, host_keys } = repo;
        Self { name: name.span, url: url.span, identity: identity.span, host_keys: places(host_keys) }
    }
}

impl SidecarPlaces {
    fn of(member: &Member<MemberId>, bottle: &Bottle<MemberId>) -> Self {
        let Member { name, kind, needs } = member;
        let asked = match (kind, name.value.as_str()) {
            (MemberKind::Builtin(_), builtin::PIPELOCK) => None,
            (MemberKind::Builtin(_), builtin::GIT_GATE) => {
                bottle.git.repos.iter().map(|repo| repo.name.span).min()
            }
            (MemberKind::Builtin(_), builtin::SUPERVISE) => {
                bottle.supervise.as_ref().map(|supervise| supervise.place)
            }
            _ => Some(name.span),
        };
        let mut places = BTreeMap::new();
        for Spanned { value, span } in needs {
            let need = bottle.members.get(value.0).map(|need| need.name.value.clone());
            places.entry(need.unwrap_or_default()).or_insert(*span);
        }
        let service = match kind {
            MemberKind::Custom(service) => Some(ServicePlaces::of(service)),
            MemberKind::Builtin(_) => None,
        };
        Self { asked, needs: places, service }
    }
}

impl ServicePlaces {
    fn of(service: &Service) -> Self {
        let Service {
            image,
            command,
            run_as,
            port,
            health,
            // Each variable has its origin, of the sidecar's and of the agent's.
            env: _,
            secrets,
            volumes,
            tmpfs,
            capabilities,
            exposes: _,
        } = service;
        let port = port.as_ref().map(|Port { number, scheme }| (number.span, place(scheme.as_ref())));
        Self {
            image: place(image.as_ref()),
            command: places(command),
            run_as: place(run_as.as_ref()),
            port: port.map(|(port, _)| port),
            scheme: port.and_then(|(_, scheme)| scheme),
            health: health.as_ref().map(|health| {
                let Health { node, command, interval, timeout, retries, start } = health;
                HealthPlaces {
                    node: *node,
                    command: places(command),
                    interval: place(interval.as_ref()),
                    timeout: place(timeout.as_ref()),
                    retries: place(retries.as_ref()),
                    start: place(start.as_ref()),
                }
            }),
            secrets: secrets
                .iter()
                .map(|SecretFile { name, from }| (name.value.clone(), from.span))
                .collect(),
            volumes: volumes.iter().map(|Volume { source, target: _, writable: _ }| source.span).collect(),
            tmpfs: by_name(tmpfs),
            capabilities: by_name(capabilities),
        }
    }
}
