//! Planning: a resolved bottle to its plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Origin, Origins, Plan, PlannedAuthor, PlannedBoot, PlannedEngine, PlannedGit, PlannedLocal, PlannedRepo,
    PlannedSidecar, PlannedSource, PlannedSupervise, PlannedTls, PlannedUpstream, PlannedVariable, Source,
    Traced, Variables, agent, broker, cluster, egress, guards, machine, sidecar,
};
use crate::model::{
    Boot, Bottle, Engine, Expose, Git, GitUser, Lint, Member, MemberKind, Pipelock, Port, Repo, RepoSource,
    Settings, Spanned, Supervise, UpstreamRepo, Variable, VariableValue,
};
use crate::path::join;
use crate::resolve::members::{MemberId, Needs};
use crate::source::{Sources, Span};
use crate::world::backend;
use crate::world::broker as world_broker;
use crate::world::builtin::{self, Builtin, TRUST_FILES};
use crate::world::container::ContainerEngine;
use crate::world::engine::{BootKind, Ledger, SMOLVM};
use crate::world::network::Addresses;
use crate::world::pipelock;
use crate::world::secret_scanner;

/// Of an octet that no spec pins.
static OCTET: Origin = Origin::compiler("its octet is computed from the bottle's name");
/// Of the specs.
static SOURCE: Origin = Origin::compiler("a spec that the bottle is made of, as it was read");
/// Of the engine's version.
static NEWEST: Origin = Origin::compiler("the newest engine that bottlec knows: no spec names a version");

/// The inputs of planning besides the bottle.
#[derive(Debug)]
pub struct Context<'a> {
    /// The sources of the compile.
    pub sources: &'a Sources,
    /// The way from a stage's directory to the workspace, with `/` between its parts.
    pub stage_to_workspace: &'a str,
    /// Name and SHA-256 of each source that the bottle is made of.
    pub digests: BTreeMap<String, String>,
    /// The levels that those sources set at their top.
    pub lints: Vec<&'a Lint>,
}

impl Context<'_> {
    fn origin(&self, span: Span) -> Origin {
        let source = self.sources.get(span.source);
        let line = u32::try_from(source.line_of(span.start) + 1).unwrap_or(u32::MAX);
        Origin::Spec { source: Arc::clone(source.place()), line, span }
    }

    pub(super) fn origins(&self, span: Span) -> Origins {
        Origins::of(self.origin(span))
    }

    /// A path of the source that `span` lies in, as seen from the stage's directory.
    fn path(&self, path: &str, span: Span) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        let source = self.sources.get(span.source).place();
        let directory = source.rsplit_once('/').map_or("", |(directory, _)| directory);
        let path = join(&join(self.stage_to_workspace, directory), path);
        // The engine tells a directory from an image's name by the way it begins.
        if path.starts_with("../") || path == ".." || path == "." { path } else { format!("./{path}") }
    }

    /// A path of the host as seen from the stage's directory; `~/` is left to who launches.
    pub(super) fn host_path(&self, path: &Spanned<String>) -> Traced<String> {
        let value =
            if path.value.starts_with("~/") { path.value.clone() } else { self.path(&path.value, path.span) };
        Traced::new(value, self.origins(path.span))
    }

    pub(super) fn traced<T>(&self, setting: Spanned<T>) -> Traced<T> {
        Traced::new(setting.value, self.origins(setting.span))
    }

    pub(super) fn traced_or<T>(&self, setting: Option<Spanned<T>>, default: T) -> Traced<T> {
        match setting {
            Some(setting) => self.traced(setting),
            None => Traced::default_setting(default),
        }
    }

    pub(super) fn optional<T>(&self, setting: Option<Spanned<T>>) -> Traced<Option<T>> {
        match setting {
            Some(setting) => self.traced(setting).map(Some),
            None => Traced::default_setting(None),
        }
    }

    pub(super) fn all<T>(&self, settings: Vec<Spanned<T>>) -> Vec<Traced<T>> {
        settings.into_iter().map(|setting| self.traced(setting)).collect()
    }

    /// A value that names the line which says it.
    pub(super) fn cited<T>(&self, span: Span, value: impl FnOnce(String) -> T) -> Traced<T> {
        let origin = self.origin(span);
        Traced::new(value(origin.to_string()), Origins::of(origin))
    }

    pub(super) fn variables(&self, env: impl IntoIterator<Item = Variable>) -> Variables {
        let traced = |variable: Variable| {
            let Variable { name, node: _, sources, bare: _ } = variable;
            // A variable without a source is an error, and no plan is made beside an error.
            let value = sources.into_iter().next().map(|source| source.value)?;
            Some((name.value, self.cited(name.span, |origin| PlannedVariable { value, origin })))
        };
        env.into_iter().filter_map(traced).collect()
    }
}

/// Plans a bottle. Every name in it is resolved and every rule was asked before.
#[must_use]
pub fn plan(bottle: Bottle<Needs>, addresses: Addresses, context: Context<'_>) -> Plan {
    let Bottle { settings, members } = bottle;
    let Settings {
        slug,
        backend,
        engine,
        boot,
        machine,
        agent,
        env,
        egress,
        git,
        octet,
        credentials,
        broker_image,
        pipelock,
        container_engine,
        supervise,
        accepts,
        lints,
        expectations,
    } = settings;
    let slug = context.traced(slug);
    let addresses = match octet {
        Some(octet) => Traced::new(addresses, context.origins(octet.span)),
        None => slug.with(addresses).and(&Origins::compiler(&OCTET)),
    };
    let addresses = match cluster::range_origins(backend.as_ref(), &context) {
        Some(range) => addresses.and(&range),
        None => addresses,
    };
    let Pipelock { image, version } = pipelock;
    let egress = egress::plan(egress, version, &context);
    let pipelock_image = match image {
        Some(image) => context.traced(image),
        None => egress.pipelock_version.with(pipelock::image(*egress.pipelock_version)),
    };
    let supervise = match supervise {
        Some(supervise) => self::supervise(supervise, &slug, &context).map(Some),
        None => Traced::default_setting(None),
    };
    let exposed = exposed(&members, &addresses, &context);
    let brokered = broker::asked(credentials.values(), &context);
    let broker_url = addresses.with(broker::url(addresses.value)).and(&brokered);
    let from_broker = broker::variables(credentials.values(), &broker_url, &context);
    let asked = Asked { repos: &git.repos, supervise: &supervise.origins, broker: &brokered };
    let given = cluster::given(&members);
    let sidecars = sidecars(members, &addresses, &asked, &context);
    let mut env = context.variables(env.into_values());
    env.extend(exposed);
    env.extend(from_broker);
    env.extend(computed_variables(&sidecars, &addresses, &egress.tls));
    for (name, value) in default_variables(&addresses, &egress.tls) {
        if !env.keys().any(|own| builtin::replaces(own, name)) {
            env.insert(name.to_owned(), value);
        }
    }
    Plan {
        cluster: backend.as_ref().and_then(|backend| cluster::cluster(backend, &sidecars, &given, &context)),
        backend: context.traced_or(backend.map(|backend| backend.name), backend::DEFAULT.to_owned()),
        engine: self::engine(engine, &context),
        boot: match boot {
            Some(boot) => self::boot(boot, &context).map(Some),
            None => Traced::default_setting(None),
        },
        machine: machine::machine(machine, &context),
        agent: agent::agent(agent, &context),
        env,
        container_engine: match container_engine {
            Some(name) => context.traced(name).map(|name| ContainerEngine::find(&name).unwrap_or_default()),
            None => Traced::default_setting(ContainerEngine::default()),
        },
        sidecars,
        egress,
        git: self::git(git, &context),
        supervise,
        credentials: broker::credentials(credentials.into_values(), &context),
        broker_image: context.traced_or(broker_image, world_broker::IMAGE.to_owned()),
        pipelock_image,
        accepted: guards::accepted(accepts, &context),
        lint_allowed: guards::lint_allowed(&lints, &context),
        lint_denied: guards::lint_denied(&lints, &context),
        expectations: guards::expectations(expectations, &context),
        sources: Traced::new(
            context.digests.into_iter().map(|(name, sha256)| (name, Source { sha256 })).collect(),
            Origins::compiler(&SOURCE),
        ),
        slug,
        addresses,
    }
}

fn engine(engine: Option<Engine>, context: &Context<'_>) -> PlannedEngine {
    let (name, version) = engine.map_or((None, None), |Engine { name, version }| (Some(name), version));
    PlannedEngine {
        // There is one.
        name: match name {
            Some(name) => context.traced(name),
            None => Traced::fixed(SMOLVM.to_owned()),
        },
        version: match version {
            Some(version) => context.traced(version),
            None => Traced::new(Ledger::smolvm().newest, Origins::compiler(&NEWEST)),
        },
    }
}

fn boot(boot: Boot, context: &Context<'_>) -> Traced<PlannedBoot> {
    let Boot { kind, source, node: _ } = boot;
    let place = context.origins(source.span);
    let source = match kind {
        BootKind::Image => source.value,
        BootKind::Artifact | BootKind::Rootfs => context.path(&source.value, source.span),
    };
    Traced::new(PlannedBoot { kind, source }, place)
}

fn git(git: Git, context: &Context<'_>) -> PlannedGit {
    let Git { user, repos, scanner, image } = git;
    let author = |GitUser { name, email }| {
        let (name, email) = (context.traced(name), context.traced(email));
        name.with(Some(PlannedAuthor { name: name.clone(), email }))
    };
    // They are in the order of their names.
    let mut locals = 0;
    let repo = |Repo { name, writable, source }| {
        let name = context.traced(name);
        let source = match source {
            RepoSource::Upstream(UpstreamRepo { url, identity, host_keys }) => {
                PlannedSource::Upstream(PlannedUpstream {
                    url: context.traced(url),
                    identity: context.host_path(&identity),
                    host_keys: context.all(host_keys),
                })
            }
            RepoSource::Local { path, beside: _ } => {
                locals += 1;
                PlannedSource::Local(PlannedLocal {
                    path: context.host_path(&path),
                    variable: name.with(format!("BOTTLE_REPO_{locals}")),
                    mount: name.with(format!("/repository/{name}")),
                })
            }
        };
        name.with(PlannedRepo { name: name.clone(), writable: context.traced_or(writable, true), source })
    };
    let scanner = context.traced_or(scanner, secret_scanner::DEFAULT.to_owned());
    // Of a program that does not run, nothing is decided.
    let runs = !repos.is_empty();
    PlannedGit {
        user: user.map_or_else(|| Traced::default_setting(None), author),
        repos: repos.into_iter().map(repo).collect(),
        scanner: scanner.map(|scanner| runs.then_some(scanner)),
        image: context.optional(image).map(|image| image.filter(|_| runs)),
    }
}

fn supervise(supervise: Supervise, slug: &Traced<String>, context: &Context<'_>) -> Traced<PlannedSupervise> {
    let Supervise { place, queue, image } = supervise;
    let asked = context.origins(place);
    let queue = match queue {
        Some(queue) => context.host_path(&queue),
        None => Traced::default_setting(Supervise::default_queue(slug)).and(&asked).and(&slug.origins),
    };
    let image = context.traced_or(image, builtin::SUPERVISE_IMAGE.to_owned());
    Traced::new(PlannedSupervise { queue, image }, asked)
}

/// What asks for a built-in sidecar. Nothing asks for pipelock.
struct Asked<'a> {
    /// The first of them asks for git-gate.
    repos: &'a [Repo],
    supervise: &'a Origins,
    broker: &'a Origins,
}

/// The bundle in the order in which it starts.
fn sidecars(
    members: Vec<Member<Needs>>,
    addresses: &Traced<Addresses>,
    asked: &Asked<'_>,
    context: &Context<'_>,
) -> Vec<Traced<PlannedSidecar>> {
    let names: Vec<String> = members.iter().map(|member| member.name.value.clone()).collect();
    let gate = asked.repos.iter().map(|repo| repo.name.span).min();
    let mut sidecars: Vec<Traced<PlannedSidecar>> = members
        .into_iter()
        .map(|member| {
            let asked = match (&member.kind, member.name.value.as_str(), gate) {
                (MemberKind::Builtin(_), builtin::GIT_GATE, Some(repo)) => context.origins(repo),
                (MemberKind::Builtin(_), builtin::SUPERVISE, _) => asked.supervise.clone(),
                (MemberKind::Builtin(_), builtin::BROKER, _) => asked.broker.clone(),
                (MemberKind::Builtin(_), ..) => Origins::fixed(),
                (MemberKind::Custom(_), ..) => context.origins(member.name.span),
            };
            let url = traced_url(&member, addresses, &asked, context);
            let port = Traced::new(
                member.port().map(|port| port.value),
                port_origins(&member, context).unwrap_or_else(|| asked.clone()),
            );
            let Member { name, kind, needs, limits } = member;
            let mcp = match (&kind, &url.value) {
                (MemberKind::Custom(service), Some(base)) => service.mcp.as_ref().map(|mcp| {
                    let path = context.traced(mcp.path.clone());
                    path.map(|path| format!("{base}{path}")).and(&url.origins)
                }),
                _ => None,
            };
            let Needs { members, wave } = needs;
            let needs = self::needs(members, &names, context);
            let planned = PlannedSidecar {
                port,
                url,
                mcp,
                wave: sidecar::wave(wave, &asked, &needs),
                needs,
                limits: sidecar::limits(limits, &name.value, context),
                container: match kind {
                    MemberKind::Builtin(_) => None,
                    MemberKind::Custom(service) => Some(sidecar::container(&name, *service, context)),
                },
                name: Traced::new(name.value, asked.clone()),
            };
            Traced::new(planned, asked)
        })
        .collect();
    sidecars.sort_by(|a, b| (*a.wave, &*a.name).cmp(&(*b.wave, &*b.name)));
    sidecars
}

/// By name, each at the first place that says so.
fn needs(needs: Vec<Spanned<MemberId>>, names: &[String], context: &Context<'_>) -> Vec<Traced<String>> {
    let mut by_name = BTreeMap::new();
    for Spanned { value: MemberId(at), span } in needs {
        by_name.entry(&names[at]).or_insert(span);
    }
    let traced = |(name, span): (&String, Span)| Traced::new(name.clone(), context.origins(span));
    by_name.into_iter().map(traced).collect()
}

/// The scheme of a sidecar that says none.
const DEFAULT_SCHEME: &str = "http";

/// A sidecar's URL, with the bundle's address in digits: inside the machine no name resolves.
pub(crate) fn url<N>(member: &Member<N>, addresses: Addresses) -> Option<String> {
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

/// Where a sidecar's port is said; nowhere for a built-in one.
fn port_origins<N>(member: &Member<N>, context: &Context<'_>) -> Option<Origins> {
    match &member.kind {
        MemberKind::Builtin(_) => None,
        MemberKind::Custom(service) => Some(context.origins(service.port.as_ref()?.number.span)),
    }
}

fn traced_url<N>(
    member: &Member<N>,
    addresses: &Traced<Addresses>,
    asked: &Origins,
    context: &Context<'_>,
) -> Traced<Option<String>> {
    let mut origins = port_origins(member, context).unwrap_or_else(|| asked.clone());
    if let MemberKind::Custom(service) = &member.kind
        && let Some(Port { number: _, scheme: Some(scheme) }) = &service.port
    {
        origins = origins.and(&context.origins(scheme.span));
    }
    Traced::new(url(member, addresses.value), origins.and(&addresses.origins))
}

/// The variables that every agent of such a bundle gets.
fn computed_variables(
    sidecars: &[Traced<PlannedSidecar>],
    addresses: &Traced<Addresses>,
    tls: &Traced<Option<PlannedTls>>,
) -> Vec<(String, Traced<PlannedVariable>)> {
    let mut variables = Vec::new();
    let mut add = |name: &str, value: Traced<&str>| variables.push((name.to_owned(), computed(value)));
    for sidecar in sidecars.iter().filter(|sidecar| sidecar.container.is_none()) {
        let (Some(builtin), Some(url)) = (builtin::find(&sidecar.name), sidecar.url.given()) else {
            continue;
        };
        for name in builtin.variables {
            add(name, url.with(url.as_str()));
        }
    }
    let direct = builtin::direct(addresses.bundle());
    for name in builtin::NO_PROXY {
        add(name, Traced::fixed(direct.as_str()).and(&addresses.origins));
    }
    let (name, value) = builtin::NODE_PROXY;
    add(name, Traced::fixed(value));
    for name in builtin::CA_VARIABLES.iter().filter(|_| tls.is_some()) {
        add(name, tls.with(builtin::CA));
    }
    variables
}

fn computed(value: Traced<impl Into<String>>) -> Traced<PlannedVariable> {
    value.map(|value| PlannedVariable {
        value: VariableValue::Literal(value.into()),
        origin: String::from("computed"),
    })
}

/// The variables that an agent gets unless the spec sets them.
fn default_variables(
    addresses: &Traced<Addresses>,
    tls: &Traced<Option<PlannedTls>>,
) -> Vec<(&'static str, Traced<PlannedVariable>)> {
    let mut variables = Vec::new();
    if let Some(Builtin { port, .. }) = builtin::find(builtin::PIPELOCK) {
        let options = builtin::java_options(addresses.bundle(), *port);
        variables.push((builtin::JAVA_OPTIONS, computed(Traced::fixed(options).and(&addresses.origins))));
    }
    if tls.is_some() {
        variables.push((builtin::NPM_CA, computed(tls.with(builtin::CA))));
        variables.extend(TRUST_FILES.iter().map(|file| (file.variable, computed(tls.with(file.target)))));
    }
    variables
}

/// What the agent learns of the user's sidecars.
fn exposed(
    members: &[Member<Needs>],
    addresses: &Traced<Addresses>,
    context: &Context<'_>,
) -> Vec<(String, Traced<PlannedVariable>)> {
    let mut exposed = Vec::new();
    for member in members {
        let MemberKind::Custom(service) = &member.kind else { continue };
        let asked = context.origins(member.name.span);
        let url = traced_url(member, addresses, &asked, context);
        let Some(base) = &url.value else { continue };
        for Expose { variable, path } in &service.exposes {
            let path = path.as_ref().map_or("", |path| &path.value);
            let value = VariableValue::Literal(format!("{base}{path}"));
            let planned = context.cited(variable.span, |origin| PlannedVariable { value, origin });
            exposed.push((variable.value.clone(), planned.and(&url.origins)));
        }
    }
    exposed
}
