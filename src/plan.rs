//! The plan of one bottle: everything that lowering needs, decided, and nothing else.

mod egress;
mod places;
mod secret;

pub use places::{HealthPlaces, Places, RepoPlaces, ServicePlaces, SidecarPlaces, SupervisePlaces};
pub use secret::{Purpose, SecretUse};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::model::{
    Accept, Action, Boot, Bottle, Expose, Git, GitUser, Health, Host, Lint, LintEntry, Logged, Member,
    MemberKind, Port, Repo, SecretFile, Service, Spanned, Supervise, Variable, VariableValue, Volume,
    VolumeSource,
};
use crate::path::join;
use crate::resolve::members::{MemberId, Resolved};
use crate::rule::Setting;
use crate::source::{Sources, Span};
use crate::world::backend::{self, Backend};
use crate::world::builtin::{self, Builtin};
use crate::world::container::ContainerEngine;
use crate::world::engine::{BootKind, Gap, Ledger, SecretRoute, Version};
use crate::world::network::Addresses;
use crate::world::secret_scanner;

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of a spec.
    Spec {
        /// The source's name.
        source: Arc<str>,
        /// The line, from 1 on.
        line: u32,
        /// The place itself.
        span: Span,
    },
    /// The compiler.
    Computed,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec { source, line, span: _ } => write!(f, "{source}:{line}"),
            Self::Computed => f.write_str("computed"),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced<T> {
    /// The value.
    pub value: T,
    /// Its origin.
    pub origin: Origin,
}

/// What the agent boots from, as a launcher in the stage's directory names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedBoot {
    /// Its kind.
    pub kind: BootKind,
    /// A path, relative to the stage's directory or absolute as written; or an image reference.
    pub source: String,
}

/// The health check of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedHealth {
    /// The program and its arguments, run in the container without a shell.
    pub command: Vec<String>,
    /// Seconds between two checks.
    pub interval: u16,
    /// Seconds that one check may take.
    pub timeout: u16,
    /// Failed checks in a row that make it unhealthy.
    pub retries: u16,
    /// Seconds in which a failed check does not count.
    pub start: u16,
}

/// A file or a directory that a container sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedVolume {
    /// A volume of the bottle's, or a path as seen from the stage's directory; from `~/` on it is the home of who
    /// launches.
    pub source: VolumeSource,
    /// Where the container sees it.
    pub target: String,
    /// Whether it may write to it.
    pub writable: bool,
}

impl From<Health> for PlannedHealth {
    fn from(health: Health) -> Self {
        let Health { node: _, command, interval, timeout, retries, start } = health;
        let or = |given: Option<Spanned<u16>>, default| given.map_or(default, |given| given.value);
        Self {
            command: command.into_iter().map(|word| word.value).collect(),
            interval: or(interval, 5),
            timeout: or(timeout, 3),
            retries: or(retries, 12),
            start: or(start, 5),
        }
    }
}

/// A sidecar that is the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its image.
    pub image: String,
    /// Its arguments; none are the image's own.
    pub command: Vec<String>,
    /// The user that it runs as; without one, the image's own.
    pub run_as: Option<String>,
    /// How to tell that it is ready; without it, it is as soon as it runs.
    pub health: Option<PlannedHealth>,
    /// Its environment, by name.
    pub env: BTreeMap<String, Traced<VariableValue>>,
    /// The secrets that it sees in `/run/secrets`: the file's name, and the host's file that holds it.
    pub secrets: BTreeMap<String, String>,
    /// What outlives it, in the order of the spec.
    pub volumes: Vec<PlannedVolume>,
    /// What it may write to in memory, in order.
    pub tmpfs: BTreeSet<String>,
    /// The Linux capabilities that it keeps, in order.
    pub capabilities: BTreeSet<String>,
}

/// A sidecar of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSidecar {
    /// Its name.
    pub name: String,
    /// The user's container; of a built-in sidecar, nothing.
    pub container: Option<Container>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// Its URL, with the bundle's address in digits.
    pub url: Option<String>,
    /// What starts before it, by name.
    pub needs: Vec<String>,
    /// The wave that it starts in, from 0 on.
    pub wave: usize,
}

/// A pattern of the user's own for secrets that must not leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPattern {
    /// Its name.
    pub name: String,
    /// The regular expression, in RE2's syntax.
    pub regex: String,
    /// How bad a match is.
    pub severity: String,
}

/// The interception of HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTls {
    /// The authority's certificate on the host, as seen from the stage's directory, absolute, or from `~/` on.
    pub ca_cert: Traced<String>,
    /// The authority's private key on the host, likewise.
    pub ca_key: Traced<String>,
    /// The certificates that the agent trusts, likewise.
    pub trust: Traced<String>,
    /// What stays closed, in order.
    pub passthrough: Vec<Traced<String>>,
}

/// The egress policy: what the agent may reach beyond the bundle, and what pipelock scans for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedEgress {
    /// Hosts that may be reached, in order.
    pub allow: Vec<Traced<String>>,
    /// Hosts that may not, in order.
    pub deny: Vec<Traced<String>>,
    /// What may be on a private network, in order: hosts, addresses, ranges.
    pub private: Vec<Traced<String>>,
    /// Requests a minute to one registrable domain.
    pub rate_limit: Traced<u32>,
    /// Bytes a minute for one registrable domain.
    pub data_budget: Option<Traced<u32>>,
    /// The user's own patterns, by name.
    pub patterns: Vec<Traced<PlannedPattern>>,
    /// What is done about a secret in a request.
    pub scan_bodies: Traced<Action>,
    /// The largest body that is read, in bytes.
    pub max_body_bytes: Traced<u32>,
    /// What is done about an injection in a response.
    pub scan_responses: Traced<Action>,
    /// How HTTPS is opened; without it only plain HTTP is scanned.
    pub tls: Option<PlannedTls>,
    /// The whole life of a tunnel, in seconds.
    pub tunnel_max: Traced<u32>,
    /// How long one direction of it may be silent, in seconds.
    pub tunnel_idle: Traced<u32>,
    /// What is logged.
    pub log: Traced<Logged>,
}

/// A repository behind git-gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRepo {
    /// What the agent calls it.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The private key on the host.
    pub identity: String,
    /// The upstream's host keys.
    pub host_keys: Vec<String>,
}

/// An error that the spec accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The rule's id.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// A rule whose findings the spec does not want shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintAllowed {
    /// The rule's id.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// The supervise sidecar's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSupervise {
    /// The queue's directory on the host: from `~/` on, absolute, or relative to the stage's directory.
    pub queue: String,
    /// The image that the server runs in.
    pub image: String,
}

/// Everything that one bottle becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The bottle's name.
    pub slug: String,
    /// What runs it.
    pub backend: &'static str,
    /// The version of smolvm that it is compiled for.
    pub version: Version,
    /// Its addresses.
    pub addresses: Addresses,
    /// What the agent boots from; nothing is the engine's bare system.
    pub boot: Option<PlannedBoot>,
    /// The agent's environment, computed and the user's, by name.
    pub env: BTreeMap<String, Traced<VariableValue>>,
    /// What runs the bundle's containers.
    pub container_engine: ContainerEngine,
    /// The bundle, in the order in which it starts: by wave, then by name.
    pub sidecars: Vec<PlannedSidecar>,
    /// What the agent may reach.
    pub egress: PlannedEgress,
    /// Who commits are by: name and mail address.
    pub git_user: Option<(String, String)>,
    /// Its repositories, by name.
    pub repos: Vec<PlannedRepo>,
    /// How it asks a human, when it may.
    pub supervise: Option<PlannedSupervise>,
    /// What looks for secrets in what is pushed.
    pub scanner: &'static str,
    /// The image of pipelock.
    pub pipelock_image: String,
    /// The image of git-gate, when it is not the one that the stage's `Containerfile` makes.
    pub git_gate_image: Option<String>,
    /// What the spec answers for, by rule.
    pub accepted: Vec<Traced<Accepted>>,
    /// What the spec allows, by rule: in the bottle, in the profiles that it extends, and at the top of the files.
    pub lint_allowed: Vec<Traced<LintAllowed>>,
    /// The sources that it was made of: name and SHA-256.
    pub sources: Vec<(String, String)>,
    /// Where the spec says what has no origin of its own above.
    pub places: Places,
}

impl Plan {
    /// Where the engine breaks the promise that the agent may dial the bundle and nothing else, the worst first: the
    /// spec accepts each.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        Gap::of(self.version, self.boot.as_ref().map(|boot| boot.kind))
    }

    /// Returns which programs of the machine get the agent's secrets.
    #[must_use]
    pub fn secret_route(&self) -> SecretRoute {
        SecretRoute::of(self.version, self.boot.as_ref().map(|boot| boot.kind))
    }
}

/// The inputs of planning besides the bottle.
#[derive(Debug)]
pub struct Context<'a> {
    /// The sources of the compile.
    pub sources: &'a Sources,
    /// The way from a stage's directory to the workspace, with `/` between its parts.
    pub stage_to_workspace: &'a str,
    /// Name and SHA-256 of each source that the bottle is made of.
    pub digests: Vec<(String, String)>,
    /// The levels that those sources set at their top.
    pub lints: Vec<&'a Lint>,
}

impl Context<'_> {
    fn origin(&self, span: Span) -> Origin {
        let source = self.sources.get(span.source);
        let line = u32::try_from(source.line_of(span.start) + 1).unwrap_or(u32::MAX);
        Origin::Spec { source: source.shared_name(), line, span }
    }

    /// A path of the source that `span` lies in, as seen from the stage's directory.
    fn path(&self, path: &str, span: Span) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        let source = self.sources.get(span.source).name();
        let directory = source.rsplit_once('/').map_or("", |(directory, _)| directory);
        let path = join(&join(self.stage_to_workspace, directory), path);
        // The engine tells a directory from an image's name by the way it begins.
        if path.starts_with("../") || path == ".." || path == "." { path } else { format!("./{path}") }
    }

    fn container(&self, service: Service) -> Container {
        let Service {
            image,
            command,
            run_as,
            port: _,
            health,
            env,
            secrets,
            volumes,
            tmpfs,
            capabilities,
            exposes: _,
        } = service;
        let secret = |SecretFile { name, from }| (name.value, self.host_path(&from).value);
        let volume = |Volume { source, target, writable }| PlannedVolume {
            source: match source.value {
                VolumeSource::Named(name) => VolumeSource::Named(name),
                VolumeSource::Host(path) => {
                    VolumeSource::Host(self.host_path(&Spanned { value: path, span: source.span }).value)
                }
            },
            target: target.value,
            writable,
        };
        Container {
            image: image.map(|image| image.value).unwrap_or_default(),
            command: command.into_iter().map(|word| word.value).collect(),
            run_as: run_as.map(|user| user.value),
            health: health.map(PlannedHealth::from),
            env: self.variables(env),
            secrets: secrets.into_iter().map(secret).collect(),
            volumes: volumes.into_iter().map(volume).collect(),
            tmpfs: tmpfs.into_iter().map(|path| path.value).collect(),
            capabilities: capabilities.into_iter().map(|capability| capability.value).collect(),
        }
    }

    /// A path of the host as seen from the stage's directory; `~/` is left to who launches.
    fn host_path(&self, path: &Spanned<String>) -> Traced<String> {
        let value =
            if path.value.starts_with("~/") { path.value.clone() } else { self.path(&path.value, path.span) };
        Traced { value, origin: self.origin(path.span) }
    }

    fn traced<T>(&self, setting: Spanned<T>) -> Traced<T> {
        Traced { origin: self.origin(setting.span), value: setting.value }
    }

    fn traced_or<T>(&self, setting: Option<Spanned<T>>, default: T) -> Traced<T> {
        setting.map_or(Traced { value: default, origin: Origin::Computed }, |setting| self.traced(setting))
    }

    fn variables(&self, env: impl IntoIterator<Item = Variable>) -> BTreeMap<String, Traced<VariableValue>> {
        let traced = |variable: Variable| {
            let Variable { name, node: _, sources, bare: _ } = variable;
            // A variable without a source is an error, and no plan is made beside an error.
            let value = sources.into_iter().next().map(|source| source.value)?;
            Some((name.value, Traced { value, origin: self.origin(name.span) }))
        };
        env.into_iter().filter_map(traced).collect()
    }

    fn hosts(&self, hosts: Vec<Host>) -> Vec<Traced<String>> {
        hosts.into_iter().map(|host| Traced { origin: self.origin(host.span), value: host.value }).collect()
    }
}

/// Plans a bottle. Every name in it is resolved and every rule was asked before.
#[must_use]
pub fn plan(resolved: Resolved, addresses: Addresses, context: Context<'_>) -> Plan {
    let Resolved { bottle, waves } = resolved;
    let places = Places::of(&bottle);
    let Bottle {
        slug,
        backend,
        engine,
        boot,
        env,
        egress,
        git,
        octet: _,
        pipelock_image,
        container_engine,
        members,
        supervise,
        accepts,
        lints,
        // Asked already: what does not hold is an error.
        expectations: _,
    } = bottle;
    let urls: Vec<Option<String>> = members.iter().map(|member| url(member, addresses)).collect();
    let mut variables = context.variables(env.into_values());
    for (name, value) in computed_variables(&members, &urls, addresses) {
        variables.insert(name, Traced { value: VariableValue::Literal(value), origin: Origin::Computed });
    }
    if egress.tls.is_some() {
        for name in builtin::CA_VARIABLES {
            let value = VariableValue::Literal(builtin::CA.to_owned());
            variables.insert(name.to_owned(), Traced { value, origin: Origin::Computed });
        }
    }
    for (expose, url) in exposed(&members, &urls) {
        let origin = context.origin(expose.variable.span);
        variables
            .insert(expose.variable.value.clone(), Traced { value: VariableValue::Literal(url), origin });
    }
    let Git { user, repos, scanner, image } = git;
    let scanner = scanner.as_ref().and_then(|scanner| secret_scanner::find(&scanner.value));
    let egress = egress::plan(egress, &context);
    let backend = backend.as_ref().and_then(|backend| backend::find(&backend.value));
    let supervise = supervise.map(|Supervise { place: _, queue, image }| PlannedSupervise {
        queue: match queue {
            None => Supervise::default_queue(&slug.value),
            Some(queue) if queue.value.starts_with("~/") => queue.value,
            Some(queue) => context.path(&queue.value, queue.span),
        },
        image: image.map_or_else(|| builtin::SUPERVISE_IMAGE.to_owned(), |image| image.value),
    });
    Plan {
        slug: slug.value,
        backend: backend.map_or(backend::DEFAULT, |Backend { name, .. }| name),
        version: engine
            .and_then(|engine| engine.version)
            .map_or(Ledger::smolvm().newest, |version| version.value),
        addresses,
        boot: boot.map(|Boot { kind, source, node: _ }| PlannedBoot {
            kind,
            source: match kind {
                BootKind::Image => source.value,
                BootKind::Artifact | BootKind::Rootfs => context.path(&source.value, source.span),
            },
        }),
        env: variables,
        container_engine: container_engine
            .and_then(|name| ContainerEngine::find(&name.value))
            .unwrap_or_default(),
        sidecars: sidecars(members, &waves, urls, &context),
        egress,
        git_user: user.map(|GitUser { name, email }| (name.value, email.value)),
        repos: repos
            .into_iter()
            .map(|Repo { name, url, identity, host_keys }| PlannedRepo {
                name: name.value,
                url: url.value,
                identity: context.host_path(&identity).value,
                host_keys: host_keys.into_iter().map(|key| key.value).collect(),
            })
            .collect(),
        supervise,
        scanner: scanner.map_or(secret_scanner::DEFAULT, |scanner| scanner.name),
        pipelock_image: pipelock_image
            .map_or_else(|| builtin::PIPELOCK_IMAGE.to_owned(), |image| image.value),
        git_gate_image: image.map(|image| image.value),
        accepted: accepted(accepts, &context),
        lint_allowed: lint_allowed(&lints, &context),
        sources: context.digests,
        places,
    }
}

/// By rule, then in the order of the layers.
fn accepted(accepts: Vec<Accept>, context: &Context<'_>) -> Vec<Traced<Accepted>> {
    let traced = |Accept { rule, reason }| Traced {
        origin: context.origin(rule.span),
        value: Accepted { rule: rule.value, reason },
    };
    let mut accepted: Vec<_> = accepts.into_iter().map(traced).collect();
    accepted.sort_by(|a, b| a.value.rule.cmp(&b.value.rule));
    accepted
}

/// By rule, then in the order of the files and of the layers.
fn lint_allowed(lints: &[Lint], context: &Context<'_>) -> Vec<Traced<LintAllowed>> {
    let entries = context.lints.iter().copied().chain(lints).flat_map(|lint| &lint.entries);
    let allows = entries.filter(|entry| entry.setting == Setting::Allow);
    let traced = |LintEntry { setting: _, rule, reason, node: _ }: &LintEntry| Traced {
        origin: context.origin(rule.span),
        value: LintAllowed { rule: rule.value.clone(), reason: reason.clone().unwrap_or_default() },
    };
    let mut allowed: Vec<_> = allows.map(traced).collect();
    allowed.sort_by(|a, b| a.value.rule.cmp(&b.value.rule));
    allowed
}

/// The bundle in the order in which it starts.
fn sidecars(
    members: Vec<Member<MemberId>>,
    waves: &[usize],
    urls: Vec<Option<String>>,
    context: &Context<'_>,
) -> Vec<PlannedSidecar> {
    let names: Vec<String> = members.iter().map(|member| member.name.value.clone()).collect();
    let mut sidecars: Vec<PlannedSidecar> = members
        .into_iter()
        .zip(waves.iter().zip(urls))
        .map(|(member, (wave, url))| {
            let port = member.port().map(|port| port.value);
            let Member { name, kind, needs } = member;
            let mut needs: Vec<String> = needs.iter().map(|need| names[need.value.0].clone()).collect();
            needs.sort();
            needs.dedup();
            let container = match kind {
                MemberKind::Builtin(_) => None,
                MemberKind::Custom(service) => Some(context.container(*service)),
            };
            PlannedSidecar { name: name.value, container, port, url, needs, wave: *wave }
        })
        .collect();
    sidecars.sort_by(|a, b| (a.wave, &a.name).cmp(&(b.wave, &b.name)));
    sidecars
}

/// The scheme of a sidecar that says none.
const DEFAULT_SCHEME: &str = "http";

/// A sidecar's URL, with the bundle's address in digits: inside the machine no name resolves.
pub(crate) fn url<R>(member: &Member<R>, addresses: Addresses) -> Option<String> {
    let bundle = addresses.bundle();
    match &member.kind {
        MemberKind::Builtin(Builtin { scheme, port, path, .. }) => {
            Some(format!("{scheme}://{bundle}:{port}{path}"))
        }
        MemberKind::Custom(service) => {
            let Port { number, scheme } = service.port.as_ref()?;
            let scheme = scheme.as_ref().map_or(DEFAULT_SCHEME, |scheme| &scheme.value);
            Some(format!("{scheme}://{bundle}:{}", number.value))
        }
    }
}

/// The variables that every agent of such a bundle gets.
fn computed_variables(
    members: &[Member<MemberId>],
    urls: &[Option<String>],
    addresses: Addresses,
) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    for (member, url) in members.iter().zip(urls) {
        let (MemberKind::Builtin(builtin), Some(url)) = (&member.kind, url) else { continue };
        variables.extend(builtin.variables.iter().map(|name| ((*name).to_owned(), url.clone())));
    }
    let direct = builtin::direct(addresses.bundle());
    variables.extend(builtin::NO_PROXY.map(|name| (name.to_owned(), direct.clone())));
    let (name, value) = builtin::NODE_PROXY;
    variables.push((name.to_owned(), value.to_owned()));
    variables
}

/// What the agent learns of the user's sidecars.
fn exposed<'a>(members: &'a [Member<MemberId>], urls: &[Option<String>]) -> Vec<(&'a Expose, String)> {
    let mut exposed = Vec::new();
    for (member, url) in members.iter().zip(urls) {
        let (MemberKind::Custom(service), Some(url)) = (&member.kind, url) else { continue };
        for expose in &service.exposes {
            let path = expose.path.as_ref().map_or("", |path| &path.value);
            exposed.push((expose, format!("{url}{path}")));
        }
    }
    exposed
}
