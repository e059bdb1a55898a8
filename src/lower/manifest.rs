//! `plan.json`: everything that a launcher or a reviewer needs to know of a stage.
//!
//! The types here are the format: `schemas/plan.schema.json` is made from them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Artifact, agent_env, commands, compose, provision, smolfile, supervise};
use crate::builtin;
use crate::digest;
use crate::engine::SMOLVM;
use crate::plan::{
    Container, Plan, PlannedBoot, PlannedEgress, PlannedHealth, PlannedPattern, PlannedRepo, PlannedSidecar,
    PlannedSupervise, PlannedTls, PlannedVolume, Traced,
};
use crate::spec::{Reference, VariableValue, VolumeSource};

/// Its path in the stage.
pub const PATH: &str = "plan.json";

/// The version of the format. It grows when a reader of the old one could misread the new one.
pub const FORMAT: u32 = 1;

type Text<'a> = Cow<'a, str>;

/// The plan of one bottle: what is made, what it may reach, how it is launched and undone.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bottlec plan", deny_unknown_fields)]
pub struct Manifest<'a> {
    /// The version of this format.
    format: u32,
    /// The bottle's name.
    slug: Text<'a>,
    /// What runs the bottle.
    backend: Text<'a>,
    /// What the stage is compiled for.
    engine: Engine<'a>,
    /// The bottle's own network, as a CIDR.
    bundle_subnet: String,
    /// The host's address on that network.
    bundle_gateway: String,
    /// The one address that the agent may dial.
    bundle_ip: String,
    /// The Smolfile, relative to the stage's directory.
    smolfile_path: Text<'a>,
    /// The agent's environment file, relative to the stage's directory.
    agent_env_path: Text<'a>,
    /// What the agent boots from; null is the engine's bare system.
    boot: Option<Boot<'a>>,
    /// The bundle, in the order in which it starts: by wave, then by name.
    sidecars: Vec<Sidecar<'a>>,
    /// Who starts together, wave by wave; the agent comes last.
    start_order: Vec<Vec<Text<'a>>>,
    /// The same, reversed.
    stop_order: Vec<Vec<Text<'a>>>,
    /// The agent's environment, by name.
    agent_env: BTreeMap<Text<'a>, Variable<'a>>,
    /// The files that the machine needs before the agent starts.
    provision: Vec<Provision>,
    /// What the agent may reach beyond the bundle.
    egress: Egress<'a>,
    /// Repositories behind git-gate.
    git: Git<'a>,
    /// How the agent asks a human; null when it may not.
    supervise: Option<Supervise<'a>>,
    /// The name of everything that is made on the host.
    resources: Resources<'a>,
    /// Argument vectors to run in the stage's directory, without a shell.
    commands: Commands,
    /// The specs that the plan was made of, by name.
    sources: BTreeMap<Text<'a>, Source<'a>>,
    /// Every other file of the stage, by path.
    files: BTreeMap<Text<'a>, File>,
    /// SHA-256 of this file, with these 64 digits as zeros.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    plan_sha256: String,
}

/// An engine and its version.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Engine<'a> {
    /// The engine's name, which is its program's.
    name: Text<'a>,
    /// The version, as `major.minor.patch`.
    version: String,
}

/// What the agent boots from.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Boot<'a> {
    /// `artifact`, `image` or `rootfs`.
    kind: Text<'a>,
    /// A path, relative to the stage's directory unless the spec gives an absolute one, or an image reference.
    source: Text<'a>,
}

/// One sidecar of the bundle.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Sidecar<'a> {
    /// Its name.
    name: Text<'a>,
    /// Whether it comes with every bundle of its kind, or is the spec's own.
    built_in: bool,
    /// The image that it runs, by its whole name; one below `localhost/` is made from the stage.
    image: String,
    /// The container of a sidecar of the spec's own.
    container: Option<Service<'a>>,
    /// The address that it listens on.
    address: String,
    /// The port that it listens on.
    port: Option<u16>,
    /// Its URL.
    url: Option<Text<'a>>,
    /// What starts before it.
    needs: &'a [String],
    /// The wave that it starts in, from 0 on.
    wave: usize,
}

/// What a sidecar of the spec's own runs, and what it is given.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Service<'a> {
    /// Its image.
    image: Text<'a>,
    /// Its arguments; none are the image's own.
    command: &'a [String],
    /// The user that it runs as; null is the image's own.
    run_as: Option<Text<'a>>,
    /// How to tell that it is ready; null is as soon as it runs.
    health: Option<Health<'a>>,
    /// Its environment, by name.
    env: BTreeMap<Text<'a>, Variable<'a>>,
    /// The secrets that it sees in `/run/secrets`: the file's name, and the host's file that holds it.
    secrets: &'a BTreeMap<String, String>,
    /// What outlives it.
    volumes: Vec<Volume<'a>>,
    /// What it may write to in memory, besides `/tmp`.
    tmpfs: &'a BTreeSet<String>,
    /// The Linux capabilities that it keeps.
    capabilities: &'a BTreeSet<String>,
}

/// How to tell that a sidecar is ready.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Health<'a> {
    /// The program and its arguments.
    command: &'a [String],
    /// Seconds between two checks.
    interval: u16,
    /// Seconds that one check may take.
    timeout: u16,
    /// Failed checks in a row that make it unhealthy.
    retries: u16,
    /// Seconds in which a failed check does not count.
    start: u16,
}

/// What a sidecar sees of something that outlives it: one of `name` and `path` is there.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Volume<'a> {
    /// The bottle's volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a>>,
    /// The host's file or directory, from the stage's directory on.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Text<'a>>,
    /// Where the sidecar sees it.
    target: Text<'a>,
    /// Whether it may write to it.
    writable: bool,
}

/// A file to copy into the machine after it was created.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Provision {
    /// The file on the host, from the stage's directory on; from `~/` on it is the home of who launches.
    source: String,
    /// Where it goes in the machine.
    target: &'static str,
    /// Its permissions there, in octal; it is root's.
    mode: &'static str,
}

/// A variable: one of the three has a value.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Variable<'a> {
    /// The text itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Text<'a>>,
    /// The variable of the host that holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_env: Option<Text<'a>>,
    /// The file of the host that holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_file: Option<Text<'a>>,
    /// The line that says so, as `file:line`, or `computed`.
    origin: String,
}

/// What the agent may reach through pipelock.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Egress<'a> {
    /// Hosts that may be reached.
    allow: Vec<HostEntry<'a>>,
    /// Hosts that may not, whatever allows them.
    deny: Vec<HostEntry<'a>>,
    /// What may be on a private network: hosts, addresses, ranges.
    private: Vec<HostEntry<'a>>,
    /// Requests a minute to one registrable domain.
    rate_limit: u32,
    /// Bytes a minute for one registrable domain; null is no budget.
    data_budget: Option<u32>,
    /// Patterns of the spec's own for secrets that must not leave; pipelock's are always on.
    patterns: Vec<Pattern<'a>>,
    /// What is done about a secret in a request: `block` or `warn`.
    scan_bodies: Text<'a>,
    /// The largest body that is read, in bytes; a larger one is refused.
    max_body_bytes: u32,
    /// What is done about an injection in a response: `block`, `strip` or `warn`.
    scan_responses: Text<'a>,
    /// How HTTPS is opened; null is not at all, and then plain HTTP alone is scanned.
    tls: Option<Tls<'a>>,
    /// A tunnel's whole life, in seconds.
    tunnel_max_seconds: u32,
    /// How long one direction of it may be silent, in seconds.
    tunnel_idle_seconds: u32,
    /// What is logged: `all` or `blocked`.
    log: Text<'a>,
}

/// A pattern.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Pattern<'a> {
    /// Its name.
    name: Text<'a>,
    /// The regular expression, in RE2's syntax.
    regex: Text<'a>,
    /// How bad a match is: `critical`, `high`, `medium` or `low`.
    severity: Text<'a>,
    /// The line that says so, as `file:line`.
    origin: String,
}

/// How HTTPS is opened.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Tls<'a> {
    /// The authority's certificate on the host: relative to the stage's directory, absolute, or from `~/` on.
    ca_cert: Text<'a>,
    /// The authority's private key on the host, likewise.
    ca_key: Text<'a>,
    /// The certificates that the agent trusts, likewise.
    trust: Text<'a>,
    /// Hosts that stay closed.
    passthrough: Vec<HostEntry<'a>>,
}

/// One host of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct HostEntry<'a> {
    /// A host, `*.` and a domain, or an IP address.
    host: Text<'a>,
    /// The line that says so, as `file:line`.
    origin: String,
}

/// Repositories behind git-gate.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Git<'a> {
    /// Who commits are by.
    user: Option<GitUser<'a>>,
    /// The repositories, by name.
    repos: Vec<Repo<'a>>,
    /// What looks for secrets in what is pushed; null when there is no repository.
    scanner: Option<Text<'a>>,
    /// The image of git-gate; null when there is no repository, or when `git-gate/Containerfile` makes it.
    image: Option<Text<'a>>,
}

/// Who commits are by.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct GitUser<'a> {
    /// The author's name.
    name: Text<'a>,
    /// The author's mail address.
    email: Text<'a>,
}

/// One repository.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Repo<'a> {
    /// What the agent calls it.
    name: Text<'a>,
    /// Where it is.
    url: Text<'a>,
    /// The private key on the host.
    identity: Text<'a>,
    /// The upstream's host keys.
    host_keys: Vec<Text<'a>>,
}

/// How the agent asks a human, over MCP.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Supervise<'a> {
    /// The image that the server runs in.
    image: Text<'a>,
    /// The directory on the host of proposals, decisions and the audit log: from `~/` on, absolute, or relative to the
    /// stage's directory.
    queue: Text<'a>,
    /// The server's configuration, relative to the stage's directory.
    config_path: Text<'a>,
    /// The entry that MCP clients read, relative to the stage's directory.
    mcp_config_path: Text<'a>,
    /// The argument vector that makes the same entry, to run as the agent's user in its machine.
    mcp_add: Vec<String>,
}

/// The name of everything that is made on the host.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Resources<'a> {
    /// The program that runs the containers.
    container_engine: Text<'a>,
    /// The microVM.
    machine: String,
    /// The bundle's bridge network.
    network: String,
    /// What Compose calls the bundle as a whole.
    project: String,
    /// The container of each sidecar by the sidecar's name, and of `bundle`, which owns the address.
    containers: BTreeMap<Text<'a>, String>,
    /// The volumes, by what `compose.yaml` calls them.
    volumes: BTreeMap<String, String>,
}

/// Argument vectors to run in the stage's directory, without a shell.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Commands {
    /// Makes the bundle and waits until it is ready, in this order; the machine comes after it.
    bundle: Vec<Vec<String>>,
    /// Makes the machine.
    create: Vec<String>,
    /// Starts it.
    start: Vec<String>,
    /// Undoes everything, in this order; a step that finds nothing to undo is no failure.
    cleanup: Vec<Vec<String>>,
}

/// A spec that the plan was made of.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Source<'a> {
    /// Its SHA-256, in hexadecimal.
    sha256: Text<'a>,
}

/// A file of the stage.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct File {
    /// Its SHA-256, in hexadecimal.
    sha256: String,
    /// Its permissions, in octal.
    mode: String,
}

/// The manifest of a plan whose other files are `files`.
#[must_use]
pub fn manifest<'a>(plan: &'a Plan, files: &'a BTreeMap<String, Artifact>) -> Manifest<'a> {
    let Plan {
        slug,
        backend,
        version,
        addresses,
        boot,
        env,
        container_engine,
        sidecars,
        egress,
        git_user,
        repos,
        supervise: asks,
        scanner,
        pipelock_image: _,
        git_gate_image,
        sources,
    } = plan;
    let start_order = start_order(sidecars);
    let mut stop_order = start_order.clone();
    stop_order.reverse();
    let commands::Commands { bundle, create, start, cleanup } = commands::lower(plan);
    Manifest {
        format: FORMAT,
        slug: text(slug),
        backend: text(backend),
        engine: Engine { name: text(SMOLVM), version: version.to_string() },
        bundle_subnet: addresses.subnet().to_string(),
        bundle_gateway: addresses.gateway().to_string(),
        bundle_ip: addresses.bundle().to_string(),
        smolfile_path: text(smolfile::PATH),
        agent_env_path: text(agent_env::PATH),
        boot: boot
            .as_ref()
            .map(|PlannedBoot { kind, source }| Boot { kind: text(kind.as_str()), source: text(source) }),
        sidecars: sidecars
            .iter()
            .map(|planned| sidecar(planned, compose::image(plan, planned), addresses.bundle().to_string()))
            .collect(),
        start_order,
        stop_order,
        agent_env: variables(env),
        provision: provision::files(plan)
            .into_iter()
            .map(|provision::File { source, target, mode }| Provision { source, target, mode })
            .collect(),
        egress: self::egress(egress),
        git: Git {
            user: git_user.as_ref().map(|(name, email)| GitUser { name: text(name), email: text(email) }),
            repos: repos.iter().map(repo).collect(),
            scanner: (!repos.is_empty()).then(|| text(scanner)),
            image: git_gate_image.as_deref().filter(|_| !repos.is_empty()).map(text),
        },
        supervise: asks.as_ref().map(|PlannedSupervise { queue, image }| Supervise {
            image: text(image),
            queue: text(queue),
            config_path: text(supervise::CONFIG_PATH),
            mcp_config_path: text(supervise::MCP_CONFIG_PATH),
            mcp_add: supervise::mcp_add(plan),
        }),
        resources: Resources {
            container_engine: text(container_engine.program()),
            machine: commands::machine(plan),
            network: commands::network(plan),
            project: commands::project(plan),
            containers: sidecars
                .iter()
                .map(|sidecar| sidecar.name.as_str())
                .chain([builtin::BUNDLE])
                .map(|name| (text(name), commands::container(plan, name)))
                .collect(),
            volumes: commands::volumes(plan),
        },
        commands: Commands { bundle, create, start, cleanup },
        sources: sources.iter().map(|(name, sha256)| (text(name), Source { sha256: text(sha256) })).collect(),
        files: files.iter().map(|(path, file)| (text(path), self::file(file))).collect(),
        plan_sha256: digest::UNSEALED.to_owned(),
    }
}

/// The file: the manifest of a plan, sealed with its own digest.
pub(super) fn lower(plan: &Plan, files: &BTreeMap<String, Artifact>) -> Vec<u8> {
    // Text, numbers and maps with text keys: JSON holds each.
    let mut json = Vec::with_capacity(8 * 1024);
    if serde_json::to_writer_pretty(&mut json, &manifest(plan, files)).is_err() {
        json.clear();
    }
    json.push(b'\n');
    // It ends with the one key that holds the seal, unsealed.
    digest::seal(json).unwrap_or_default()
}

fn text(text: &str) -> Text<'_> {
    Cow::Borrowed(text)
}

fn sidecar(sidecar: &PlannedSidecar, image: String, address: String) -> Sidecar<'_> {
    let PlannedSidecar { name, container, port, url, needs, wave } = sidecar;
    Sidecar {
        name: text(name),
        built_in: container.is_none(),
        image,
        container: container.as_ref().map(service),
        address,
        port: *port,
        url: url.as_deref().map(text),
        needs,
        wave: *wave,
    }
}

fn service(container: &Container) -> Service<'_> {
    let Container { image, command, run_as, health, env, secrets, volumes, tmpfs, capabilities } = container;
    Service {
        image: text(image),
        command,
        run_as: run_as.as_deref().map(text),
        health: health.as_ref().map(|PlannedHealth { command, interval, timeout, retries, start }| Health {
            command,
            interval: *interval,
            timeout: *timeout,
            retries: *retries,
            start: *start,
        }),
        env: variables(env),
        secrets,
        volumes: volumes.iter().map(volume).collect(),
        tmpfs,
        capabilities,
    }
}

fn volume(volume: &PlannedVolume) -> Volume<'_> {
    let PlannedVolume { source, target, writable } = volume;
    let (name, path) = match source {
        VolumeSource::Named(name) => (Some(text(name)), None),
        VolumeSource::Host(path) => (None, Some(text(path))),
    };
    Volume { name, path, target: text(target), writable: *writable }
}

fn start_order(sidecars: &[PlannedSidecar]) -> Vec<Vec<Text<'_>>> {
    let mut waves: Vec<Vec<Text<'_>>> = Vec::new();
    for sidecar in sidecars {
        if waves.len() <= sidecar.wave {
            waves.resize(sidecar.wave + 1, Vec::new());
        }
        waves[sidecar.wave].push(text(&sidecar.name));
    }
    waves.push(vec![text(builtin::AGENT)]);
    waves
}

fn variables(env: &BTreeMap<String, Traced<VariableValue>>) -> BTreeMap<Text<'_>, Variable<'_>> {
    env.iter().map(|(name, variable)| (text(name), self::variable(variable))).collect()
}

fn variable(variable: &Traced<VariableValue>) -> Variable<'_> {
    let Traced { value, origin } = variable;
    let (value, from_env, from_file) = match value {
        VariableValue::Literal(value) => (Some(text(value)), None, None),
        VariableValue::Secret(Reference::Env(name)) => (None, Some(text(name)), None),
        VariableValue::Secret(Reference::File(path)) => (None, None, Some(text(path))),
    };
    Variable { value, from_env, from_file, origin: origin.to_string() }
}

fn egress(egress: &PlannedEgress) -> Egress<'_> {
    let PlannedEgress {
        allow,
        deny,
        private,
        rate_limit,
        data_budget,
        patterns,
        scan_bodies,
        max_body_bytes,
        scan_responses,
        tls,
        tunnel_max,
        tunnel_idle,
        log,
    } = egress;
    Egress {
        allow: hosts(allow),
        deny: hosts(deny),
        private: hosts(private),
        rate_limit: rate_limit.value,
        data_budget: data_budget.as_ref().map(|budget| budget.value),
        patterns: patterns.iter().map(pattern).collect(),
        scan_bodies: text(scan_bodies.value.as_str()),
        max_body_bytes: max_body_bytes.value,
        scan_responses: text(scan_responses.value.as_str()),
        tls: tls.as_ref().map(|PlannedTls { ca_cert, ca_key, trust, passthrough }| Tls {
            trust: text(&trust.value),
            ca_cert: text(&ca_cert.value),
            ca_key: text(&ca_key.value),
            passthrough: hosts(passthrough),
        }),
        tunnel_max_seconds: tunnel_max.value,
        tunnel_idle_seconds: tunnel_idle.value,
        log: text(log.value.as_str()),
    }
}

fn pattern(pattern: &Traced<PlannedPattern>) -> Pattern<'_> {
    let Traced { value: PlannedPattern { name, regex, severity }, origin } = pattern;
    Pattern { name: text(name), regex: text(regex), severity: text(severity), origin: origin.to_string() }
}

fn hosts(entries: &[Traced<String>]) -> Vec<HostEntry<'_>> {
    entries
        .iter()
        .map(|Traced { value, origin }| HostEntry { host: text(value), origin: origin.to_string() })
        .collect()
}

fn repo(repo: &PlannedRepo) -> Repo<'_> {
    let PlannedRepo { name, url, identity, host_keys } = repo;
    let host_keys = host_keys.iter().map(|key| text(key)).collect();
    Repo { name: text(name), url: text(url), identity: text(identity), host_keys }
}

fn file(file: &Artifact) -> File {
    let Artifact { bytes, mode } = file;
    File { sha256: digest::sha256_hex(bytes), mode: format!("{:04o}", mode.bits()) }
}
