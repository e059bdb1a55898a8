//! The format of `plan.json`: `schemas/plan.schema.json` is made from these types.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

pub(super) type Text<'a> = Cow<'a, str>;

/// The plan of one bottle: what is made, what it may reach, how it is launched and undone.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "bottlec plan", deny_unknown_fields)]
pub struct Manifest<'a> {
    /// The version of this format.
    pub(super) format: u32,
    /// The bottle's name.
    pub(super) slug: Text<'a>,
    /// What runs the bottle.
    pub(super) backend: Text<'a>,
    /// What the stage is compiled for.
    pub(super) engine: Engine<'a>,
    /// The bottle's own network, as a CIDR.
    pub(super) bundle_subnet: String,
    /// The host's address on that network.
    pub(super) bundle_gateway: String,
    /// The one address that the agent may dial.
    pub(super) bundle_ip: String,
    /// The Smolfile, relative to the stage's directory.
    pub(super) smolfile_path: Text<'a>,
    /// The agent's environment file, relative to the stage's directory.
    pub(super) agent_env_path: Text<'a>,
    /// What the agent boots from; null is the engine's bare system.
    pub(super) boot: Option<Boot<'a>>,
    /// The bundle, in the order in which it starts: by wave, then by name.
    pub(super) sidecars: Vec<Sidecar<'a>>,
    /// Who starts together, wave by wave; the agent comes last.
    pub(super) start_order: Vec<Vec<Text<'a>>>,
    /// The same, reversed.
    pub(super) stop_order: Vec<Vec<Text<'a>>>,
    /// The agent's environment, by name.
    pub(super) agent_env: BTreeMap<Text<'a>, Variable<'a>>,
    /// The files that the machine needs before the agent starts.
    pub(super) provision: Vec<Provision>,
    /// What the agent may reach beyond the bundle.
    pub(super) egress: Egress<'a>,
    /// Repositories behind git-gate.
    pub(super) git: Git<'a>,
    /// How the agent asks a human; null when it may not.
    pub(super) supervise: Option<Supervise<'a>>,
    /// The name of everything that is made on the host.
    pub(super) resources: Resources<'a>,
    /// Argument vectors to run in the stage's directory, without a shell.
    pub(super) commands: Commands,
    /// The specs that the plan was made of, by name.
    pub(super) sources: BTreeMap<Text<'a>, Source<'a>>,
    /// Every other file of the stage, by path.
    pub(super) files: BTreeMap<Text<'a>, File>,
    /// SHA-256 of this file, with these 64 digits as zeros.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub(super) plan_sha256: String,
}

/// An engine and its version.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Engine<'a> {
    /// The engine's name, which is its program's.
    pub(super) name: Text<'a>,
    /// The version, as `major.minor.patch`.
    pub(super) version: String,
}

/// What the agent boots from.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Boot<'a> {
    /// `artifact`, `image` or `rootfs`.
    pub(super) kind: Text<'a>,
    /// A path, relative to the stage's directory unless the spec gives an absolute one, or an image reference.
    pub(super) source: Text<'a>,
}

/// One sidecar of the bundle.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Sidecar<'a> {
    /// Its name.
    pub(super) name: Text<'a>,
    /// Whether it comes with every bundle of its kind, or is the spec's own.
    pub(super) built_in: bool,
    /// The image that it runs, by its whole name; one below `localhost/` is made from the stage.
    pub(super) image: String,
    /// The container of a sidecar of the spec's own.
    pub(super) container: Option<Service<'a>>,
    /// The address that it listens on.
    pub(super) address: String,
    /// The port that it listens on.
    pub(super) port: Option<u16>,
    /// Its URL.
    pub(super) url: Option<Text<'a>>,
    /// What starts before it.
    pub(super) needs: &'a [String],
    /// The wave that it starts in, from 0 on.
    pub(super) wave: usize,
}

/// What a sidecar of the spec's own runs, and what it is given.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Service<'a> {
    /// Its image.
    pub(super) image: Text<'a>,
    /// Its arguments; none are the image's own.
    pub(super) command: &'a [String],
    /// The user that it runs as; null is the image's own.
    pub(super) run_as: Option<Text<'a>>,
    /// How to tell that it is ready; null is as soon as it runs.
    pub(super) health: Option<Health<'a>>,
    /// Its environment, by name.
    pub(super) env: BTreeMap<Text<'a>, Variable<'a>>,
    /// The secrets that it sees in `/run/secrets`: the file's name, and the host's file that holds it.
    pub(super) secrets: &'a BTreeMap<String, String>,
    /// What outlives it.
    pub(super) volumes: Vec<Volume<'a>>,
    /// What it may write to in memory, besides `/tmp`.
    pub(super) tmpfs: &'a BTreeSet<String>,
    /// The Linux capabilities that it keeps.
    pub(super) capabilities: &'a BTreeSet<String>,
}

/// How to tell that a sidecar is ready.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Health<'a> {
    /// The program and its arguments.
    pub(super) command: &'a [String],
    /// Seconds between two checks.
    pub(super) interval: u16,
    /// Seconds that one check may take.
    pub(super) timeout: u16,
    /// Failed checks in a row that make it unhealthy.
    pub(super) retries: u16,
    /// Seconds in which a failed check does not count.
    pub(super) start: u16,
}

/// What a sidecar sees of something that outlives it: one of `name` and `path` is there.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Volume<'a> {
    /// The bottle's volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    /// The host's file or directory, from the stage's directory on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<Text<'a>>,
    /// Where the sidecar sees it.
    pub(super) target: Text<'a>,
    /// Whether it may write to it.
    pub(super) writable: bool,
}

/// A file to copy into the machine after it was created.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Provision {
    /// The file on the host, from the stage's directory on; from `~/` on it is the home of who launches.
    pub(super) source: String,
    /// Where it goes in the machine.
    pub(super) target: &'static str,
    /// Its permissions there, in octal; it is root's.
    pub(super) mode: &'static str,
}

/// A variable: one of the three has a value.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Variable<'a> {
    /// The text itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Text<'a>>,
    /// The variable of the host that holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from_env: Option<Text<'a>>,
    /// The file of the host that holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from_file: Option<Text<'a>>,
    /// The line that says so, as `file:line`, or `computed`.
    pub(super) origin: String,
}

/// What the agent may reach through pipelock.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Egress<'a> {
    /// Hosts that may be reached.
    pub(super) allow: Vec<HostEntry<'a>>,
    /// Hosts that may not, whatever allows them.
    pub(super) deny: Vec<HostEntry<'a>>,
    /// What may be on a private network: hosts, addresses, ranges.
    pub(super) private: Vec<HostEntry<'a>>,
    /// Requests a minute to one registrable domain.
    pub(super) rate_limit: u32,
    /// Bytes a minute for one registrable domain; null is no budget.
    pub(super) data_budget: Option<u32>,
    /// Patterns of the spec's own for secrets that must not leave; pipelock's are always on.
    pub(super) patterns: Vec<Pattern<'a>>,
    /// What is done about a secret in a request: `block` or `warn`.
    pub(super) scan_bodies: Text<'a>,
    /// The largest body that is read, in bytes; a larger one is refused.
    pub(super) max_body_bytes: u32,
    /// What is done about an injection in a response: `block`, `strip` or `warn`.
    pub(super) scan_responses: Text<'a>,
    /// How HTTPS is opened; null is not at all, and then plain HTTP alone is scanned.
    pub(super) tls: Option<Tls<'a>>,
    /// A tunnel's whole life, in seconds.
    pub(super) tunnel_max_seconds: u32,
    /// How long one direction of it may be silent, in seconds.
    pub(super) tunnel_idle_seconds: u32,
    /// What is logged: `all` or `blocked`.
    pub(super) log: Text<'a>,
}

/// A pattern.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Pattern<'a> {
    /// Its name.
    pub(super) name: Text<'a>,
    /// The regular expression, in RE2's syntax.
    pub(super) regex: Text<'a>,
    /// How bad a match is: `critical`, `high`, `medium` or `low`.
    pub(super) severity: Text<'a>,
    /// The line that says so, as `file:line`.
    pub(super) origin: String,
}

/// How HTTPS is opened.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Tls<'a> {
    /// The authority's certificate on the host: relative to the stage's directory, absolute, or from `~/` on.
    pub(super) ca_cert: Text<'a>,
    /// The authority's private key on the host, likewise.
    pub(super) ca_key: Text<'a>,
    /// The certificates that the agent trusts, likewise.
    pub(super) trust: Text<'a>,
    /// Hosts that stay closed.
    pub(super) passthrough: Vec<HostEntry<'a>>,
}

/// One host of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct HostEntry<'a> {
    /// A host, `*.` and a domain, or an IP address.
    pub(super) host: Text<'a>,
    /// The line that says so, as `file:line`.
    pub(super) origin: String,
}

/// Repositories behind git-gate.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Git<'a> {
    /// Who commits are by.
    pub(super) user: Option<GitUser<'a>>,
    /// The repositories, by name.
    pub(super) repos: Vec<Repo<'a>>,
    /// What looks for secrets in what is pushed; null when there is no repository.
    pub(super) scanner: Option<Text<'a>>,
    /// The image of git-gate; null when there is no repository, or when `git-gate/Containerfile` makes it.
    pub(super) image: Option<Text<'a>>,
}

/// Who commits are by.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct GitUser<'a> {
    /// The author's name.
    pub(super) name: Text<'a>,
    /// The author's mail address.
    pub(super) email: Text<'a>,
}

/// One repository.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Repo<'a> {
    /// What the agent calls it.
    pub(super) name: Text<'a>,
    /// Where it is.
    pub(super) url: Text<'a>,
    /// The private key on the host.
    pub(super) identity: Text<'a>,
    /// The upstream's host keys.
    pub(super) host_keys: Vec<Text<'a>>,
}

/// How the agent asks a human, over MCP.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Supervise<'a> {
    /// The image that the server runs in.
    pub(super) image: Text<'a>,
    /// The directory on the host of proposals, decisions and the audit log: from `~/` on, absolute, or relative to the
    /// stage's directory.
    pub(super) queue: Text<'a>,
    /// The server's configuration, relative to the stage's directory.
    pub(super) config_path: Text<'a>,
    /// The entry that MCP clients read, relative to the stage's directory.
    pub(super) mcp_config_path: Text<'a>,
    /// The argument vector that makes the same entry, to run as the agent's user in its machine.
    pub(super) mcp_add: Vec<String>,
}

/// The name of everything that is made on the host.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Resources<'a> {
    /// The program that runs the containers.
    pub(super) container_engine: Text<'a>,
    /// The microVM.
    pub(super) machine: String,
    /// The bundle's bridge network.
    pub(super) network: String,
    /// What Compose calls the bundle as a whole.
    pub(super) project: String,
    /// The container of each sidecar by the sidecar's name, and of `bundle`, which owns the address.
    pub(super) containers: BTreeMap<Text<'a>, String>,
    /// The volumes, by what `compose.yaml` calls them.
    pub(super) volumes: BTreeMap<String, String>,
}

/// Argument vectors to run in the stage's directory, without a shell.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Commands {
    /// Makes the bundle and waits until it is ready, in this order; the machine comes after it.
    pub(super) bundle: Vec<Vec<String>>,
    /// Makes the machine.
    pub(super) create: Vec<String>,
    /// Starts it.
    pub(super) start: Vec<String>,
    /// Undoes everything, in this order; a step that finds nothing to undo is no failure.
    pub(super) cleanup: Vec<Vec<String>>,
}

/// A spec that the plan was made of.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Source<'a> {
    /// Its SHA-256, in hexadecimal.
    pub(super) sha256: Text<'a>,
}

/// A file of the stage.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct File {
    /// Its SHA-256, in hexadecimal.
    pub(super) sha256: String,
    /// Its permissions, in octal.
    pub(super) mode: String,
}
