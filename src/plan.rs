//! The plan of one bottle: everything that lowering needs, decided, and nothing else.

mod egress;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::backend::{self, Backend};
use crate::builtin::{self, Builtin};
use crate::engine::{Ledger, Version};
use crate::include::join;
use crate::network::Addresses;
use crate::resolve::{MemberId, Resolved};
use crate::source::{Sources, Span};
use crate::spec::{
    Action, Boot, BootKind, Bottle, Expose, Git, GitUser, Host, Logged, Member, MemberKind, Port, Repo,
    Spanned, Variable, VariableValue,
};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of a spec.
    Spec {
        /// The source's name.
        source: Arc<str>,
        /// The line, from 1 on.
        line: u32,
    },
    /// The compiler.
    Computed,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec { source, line } => write!(f, "{source}:{line}"),
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

/// A sidecar that is the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its image.
    pub image: String,
    /// Its environment, by name.
    pub env: BTreeMap<String, Traced<VariableValue>>,
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

/// How HTTPS is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTls {
    /// The authority's certificate on the host, as seen from the stage's directory, absolute, or from `~/` on.
    pub ca_cert: Traced<String>,
    /// The authority's private key on the host, likewise.
    pub ca_key: Traced<String>,
    /// What stays closed, in order.
    pub passthrough: Vec<Traced<String>>,
}

/// What the agent may reach beyond the bundle, and what pipelock looks for on the way.
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
    /// The upstream's host key.
    pub host_key: String,
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
    /// The bundle, in the order in which it starts: by wave, then by name.
    pub sidecars: Vec<PlannedSidecar>,
    /// What the agent may reach.
    pub egress: PlannedEgress,
    /// Who commits are by: name and mail address.
    pub git_user: Option<(String, String)>,
    /// Its repositories, by name.
    pub repos: Vec<PlannedRepo>,
    /// The sources that it was made of: name and SHA-256.
    pub sources: Vec<(String, String)>,
}

/// What planning needs to know of the place that the stage goes to.
#[derive(Debug)]
pub struct Context<'a> {
    /// The sources of the compile.
    pub sources: &'a Sources,
    /// The way from a stage's directory to the workspace, with `/` between its parts.
    pub stage_to_workspace: &'a str,
    /// Name and SHA-256 of each source that the bottle is made of.
    pub digests: Vec<(String, String)>,
}

impl Context<'_> {
    fn origin(&self, span: Span) -> Origin {
        let source = self.sources.get(span.source);
        let line = u32::try_from(source.line_of(span.start) + 1).unwrap_or(u32::MAX);
        Origin::Spec { source: source.shared_name(), line }
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

    fn variables(&self, env: BTreeMap<String, Variable>) -> BTreeMap<String, Traced<VariableValue>> {
        let traced = |variable: Variable| {
            let Variable { name, sources, bare: _ } = variable;
            // A variable without a source is an error, and no plan is made beside an error.
            let value = sources.into_iter().next().map(|source| source.value)?;
            Some((name.value, Traced { value, origin: self.origin(name.span) }))
        };
        env.into_values().filter_map(traced).collect()
    }

    fn hosts(&self, hosts: Vec<Host>) -> Vec<Traced<String>> {
        hosts.into_iter().map(|host| Traced { origin: self.origin(host.span), value: host.value }).collect()
    }
}

/// Plans a bottle. Every name in it is resolved and every rule was asked before.
#[must_use]
pub fn plan(resolved: Resolved, addresses: Addresses, context: Context<'_>) -> Plan {
    let Resolved { bottle, waves } = resolved;
    let Bottle { slug, backend, engine, boot, env, egress, git, octet: _, members } = bottle;
    let urls: Vec<Option<String>> = members.iter().map(|member| url(member, addresses)).collect();
    let mut variables = context.variables(env);
    for (name, value) in computed_variables(&members, &urls, addresses) {
        variables.insert(name, Traced { value: VariableValue::Literal(value), origin: Origin::Computed });
    }
    for (expose, url) in exposed(&members, &urls) {
        let origin = context.origin(expose.variable.span);
        variables
            .insert(expose.variable.value.clone(), Traced { value: VariableValue::Literal(url), origin });
    }
    let egress = egress::plan(egress, &context);
    let Git { user, repos } = git;
    let backend = backend.as_ref().and_then(|backend| backend::find(&backend.value));
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
        sidecars: sidecars(members, &waves, urls, &context),
        egress,
        git_user: user.map(|GitUser { name, email }| (name.value, email.value)),
        repos: repos
            .into_iter()
            .map(|Repo { name, url, identity, host_key }| PlannedRepo {
                name: name.value,
                url: url.value,
                identity: context.host_path(&identity).value,
                host_key: host_key.value,
            })
            .collect(),
        sources: context.digests,
    }
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
                MemberKind::Custom { image, env, port: _, exposes: _ } => Some(Container {
                    image: image.map(|image| image.value).unwrap_or_default(),
                    env: context.variables(env),
                }),
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
fn url(member: &Member<MemberId>, addresses: Addresses) -> Option<String> {
    let bundle = addresses.bundle();
    match &member.kind {
        MemberKind::Builtin(Builtin { scheme, port, path, .. }) => {
            Some(format!("{scheme}://{bundle}:{port}{path}"))
        }
        MemberKind::Custom { port, .. } => {
            let Port { number, scheme } = port.as_ref()?;
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
    // Without the bundle's own address a client would send its calls to supervise through the proxy.
    let direct = format!("localhost,127.0.0.1,{}", addresses.bundle());
    variables.extend(builtin::NO_PROXY.map(|name| (name.to_owned(), direct.clone())));
    variables
}

/// What the agent learns of the user's sidecars.
fn exposed<'a>(members: &'a [Member<MemberId>], urls: &[Option<String>]) -> Vec<(&'a Expose, String)> {
    let mut exposed = Vec::new();
    for (member, url) in members.iter().zip(urls) {
        let (MemberKind::Custom { exposes, .. }, Some(url)) = (&member.kind, url) else { continue };
        for expose in exposes {
            let path = expose.path.as_ref().map_or("", |path| &path.value);
            exposed.push((expose, format!("{url}{path}")));
        }
    }
    exposed
}
