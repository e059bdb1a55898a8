//! The format of `plan.json`: `schemas/plan.schema.json` is made from these types.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Text that is borrowed from a plan, or owned after it was read.
pub type Text<'a> = Cow<'a, str>;

/// The plan of one bottle: what is made, what it may reach, how it is launched and undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "bottlec plan")]
pub struct PlanJson<'a> {
    /// The version of this format.
    pub format: u32,
    /// The bottle's name.
    pub slug: Text<'a>,
    /// What runs the bottle.
    pub backend: Text<'a>,
    /// What the stage is compiled for.
    pub engine: Engine<'a>,
    /// The bottle's own network, as a CIDR.
    pub bundle_subnet: String,
    /// The host's address on that network.
    pub bundle_gateway: String,
    /// The one address that the agent may dial.
    pub bundle_ip: String,
    /// The Smolfile, relative to the stage's directory.
    pub smolfile_path: Text<'a>,
    /// The agent's environment file, relative to the stage's directory.
    pub agent_env_path: Text<'a>,
    /// What the agent boots from; null is the engine's bare system.
    pub boot: Option<Boot<'a>>,
    /// The bundle, in the order in which it starts: by wave, then by name.
    pub sidecars: Vec<Sidecar<'a>>,
    /// Who starts together, wave by wave; the agent comes last.
    pub start_order: Vec<Vec<Text<'a>>>,
    /// The same, reversed.
    pub stop_order: Vec<Vec<Text<'a>>>,
    /// The agent's environment, by name.
    pub agent_env: BTreeMap<Text<'a>, Variable<'a>>,
    /// The files that the machine needs before the agent starts.
    pub provision: Vec<Provision<'a>>,
    /// What the agent may reach beyond the bundle.
    pub egress: Egress<'a>,
    /// Repositories behind git-gate.
    pub git: Git<'a>,
    /// How the agent asks a human; null when it may not.
    pub supervise: Option<Supervise<'a>>,
    /// What the spec answers for: rules that it breaks, each with the reason.
    pub accepted: Vec<Accepted<'a>>,
    /// Rules whose findings the spec does not want shown, each with the reason.
    #[serde(default)]
    pub lint_allowed: Vec<LintAllowed<'a>>,
    /// The name of everything that is made on the host.
    pub resources: Resources<'a>,
    /// Argument vectors to run in the stage's directory, without a shell.
    pub commands: Commands,
    /// The specs that the plan was made of, by name.
    pub sources: BTreeMap<Text<'a>, Source<'a>>,
    /// Every file of the stage, this one among them, by path. Their digests are in `SHA256SUMS`.
    pub files: BTreeMap<Text<'a>, File<'a>>,
}

/// An engine and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engine<'a> {
    /// The engine's name, which is its program's.
    pub name: Text<'a>,
    /// The version, as `major.minor.patch`.
    pub version: String,
}

/// What the agent boots from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Boot<'a> {
    /// `artifact`, `image` or `rootfs`.
    pub kind: Text<'a>,
    /// A path, relative to the stage's directory unless the spec gives an absolute one, or an image reference.
    pub source: Text<'a>,
}

/// One sidecar of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sidecar<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// Whether it comes with every bundle of its kind, or is the spec's own.
    pub built_in: bool,
    /// The image that it runs, by its whole name; one below `localhost/` is made from the stage.
    pub image: String,
    /// The container of a sidecar of the spec's own.
    pub container: Option<Service<'a>>,
    /// The address that it listens on.
    pub address: String,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// Its URL.
    pub url: Option<Text<'a>>,
    /// What starts before it.
    pub needs: Cow<'a, [String]>,
    /// The wave that it starts in, from 0 on.
    pub wave: usize,
}

/// What a sidecar of the spec's own runs, and what it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service<'a> {
    /// Its image.
    pub image: Text<'a>,
    /// Its arguments; none are the image's own.
    pub command: Cow<'a, [String]>,
    /// The user that it runs as; null is the image's own.
    pub run_as: Option<Text<'a>>,
    /// How to tell that it is ready; null is as soon as it runs.
    pub health: Option<Health<'a>>,
    /// Its environment, by name.
    pub env: BTreeMap<Text<'a>, Variable<'a>>,
    /// The secrets that it sees in `/run/secrets`: the file's name, and the host's file that holds it.
    pub secrets: Cow<'a, BTreeMap<String, String>>,
    /// What outlives it.
    pub volumes: Vec<Volume<'a>>,
    /// What it may write to in memory, besides `/tmp`.
    pub tmpfs: Cow<'a, BTreeSet<String>>,
    /// The Linux capabilities that it keeps.
    pub capabilities: Cow<'a, BTreeSet<String>>,
}

/// How to tell that a sidecar is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health<'a> {
    /// The program and its arguments.
    pub command: Cow<'a, [String]>,
    /// Seconds between two checks.
    pub interval: u16,
    /// Seconds that one check may take.
    pub timeout: u16,
    /// Failed checks in a row that make it unhealthy.
    pub retries: u16,
    /// Seconds in which a failed check does not count.
    pub start: u16,
}

/// What a sidecar sees of something that outlives it: one of `name` and `path` is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Volume<'a> {
    /// The bottle's volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    /// The host's file or directory, from the stage's directory on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Text<'a>>,
    /// Where the sidecar sees it.
    pub target: Text<'a>,
    /// Whether it may write to it.
    pub writable: bool,
}

/// A file to copy into the machine after it was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provision<'a> {
    /// The file on the host, from the stage's directory on; from `~/` on it is the home of who launches.
    pub source: String,
    /// Where it goes in the machine.
    pub target: Text<'a>,
    /// Its permissions there, in octal; it is root's.
    pub mode: Text<'a>,
}

/// A variable: one of the three has a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable<'a> {
    /// The text itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Text<'a>>,
    /// The variable of the host that holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_env: Option<Text<'a>>,
    /// The file of the host that holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_file: Option<Text<'a>>,
    /// The line that says so, as `file:line`, or `computed`.
    pub origin: String,
}

/// What the agent may reach through pipelock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Egress<'a> {
    /// Hosts that may be reached.
    pub allow: Vec<HostEntry<'a>>,
    /// Hosts that may not, whatever allows them.
    pub deny: Vec<HostEntry<'a>>,
    /// What may be on a private network: hosts, addresses, ranges.
    pub private: Vec<HostEntry<'a>>,
    /// Requests a minute to one registrable domain.
    pub rate_limit: u32,
    /// Bytes a minute for one registrable domain; null is no budget.
    pub data_budget: Option<u32>,
    /// Patterns of the spec's own for secrets that must not leave; pipelock's are always on.
    pub patterns: Vec<Pattern<'a>>,
    /// What is done about a secret in a request: `block` or `warn`.
    pub scan_bodies: Text<'a>,
    /// The largest body that is read, in bytes; a larger one is refused.
    pub max_body_bytes: u32,
    /// What is done about an injection in a response: `block`, `strip` or `warn`.
    pub scan_responses: Text<'a>,
    /// How HTTPS is opened; null is not at all, and then plain HTTP alone is scanned.
    pub tls: Option<Tls<'a>>,
    /// A tunnel's whole life, in seconds.
    pub tunnel_max_seconds: u32,
    /// How long one direction of it may be silent, in seconds.
    pub tunnel_idle_seconds: u32,
    /// What is logged: `all` or `blocked`.
    pub log: Text<'a>,
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pattern<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// The regular expression, in RE2's syntax.
    pub regex: Text<'a>,
    /// How bad a match is: `critical`, `high`, `medium` or `low`.
    pub severity: Text<'a>,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

/// How HTTPS is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls<'a> {
    /// The authority's certificate on the host: relative to the stage's directory, absolute, or from `~/` on.
    pub ca_cert: Text<'a>,
    /// The authority's private key on the host, likewise.
    pub ca_key: Text<'a>,
    /// The certificates that the agent trusts, likewise.
    pub trust: Text<'a>,
    /// Hosts that stay closed.
    pub passthrough: Vec<HostEntry<'a>>,
}

/// One host of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostEntry<'a> {
    /// A host, `*.` and a domain, or an IP address.
    pub host: Text<'a>,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

/// Repositories behind git-gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Git<'a> {
    /// Who commits are by.
    pub user: Option<GitUser<'a>>,
    /// The repositories, by name.
    pub repos: Vec<Repo<'a>>,
    /// What looks for secrets in what is pushed; null when there is no repository.
    pub scanner: Option<Text<'a>>,
    /// The image of git-gate; null when there is no repository, or when `git-gate/Containerfile` makes it.
    pub image: Option<Text<'a>>,
}

/// Who commits are by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitUser<'a> {
    /// The author's name.
    pub name: Text<'a>,
    /// The author's mail address.
    pub email: Text<'a>,
}

/// One repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repo<'a> {
    /// What the agent calls it.
    pub name: Text<'a>,
    /// Where it is.
    pub url: Text<'a>,
    /// The private key on the host.
    pub identity: Text<'a>,
    /// The upstream's host keys.
    pub host_keys: Vec<Text<'a>>,
}

/// How the agent asks a human, over MCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Supervise<'a> {
    /// The image that the server runs in.
    pub image: Text<'a>,
    /// The directory on the host of proposals, decisions and the audit log: from `~/` on, absolute, or relative to the
    /// stage's directory.
    pub queue: Text<'a>,
    /// The server's configuration, relative to the stage's directory.
    pub config_path: Text<'a>,
    /// The entry that MCP clients read, relative to the stage's directory.
    pub mcp_config_path: Text<'a>,
    /// The argument vector that makes the same entry, to run as the agent's user in its machine.
    pub mcp_add: Vec<String>,
}

/// A rule that the spec breaks and answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accepted<'a> {
    /// The rule.
    pub rule: Text<'a>,
    /// Why it may be broken.
    pub reason: Text<'a>,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

/// A rule whose findings the spec does not want shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LintAllowed<'a> {
    /// The rule.
    pub rule: Text<'a>,
    /// Why they are not to be shown.
    pub reason: Text<'a>,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

/// The name of everything that is made on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources<'a> {
    /// The program that runs the containers.
    pub container_engine: Text<'a>,
    /// The microVM.
    pub machine: String,
    /// The bundle's bridge network.
    pub network: String,
    /// What Compose calls the bundle as a whole.
    pub project: String,
    /// The container of each sidecar by the sidecar's name, and of `bundle`, which owns the address.
    pub containers: BTreeMap<Text<'a>, String>,
    /// The volumes, by what `compose.yaml` calls them.
    pub volumes: BTreeMap<String, String>,
}

/// Argument vectors to run in the stage's directory, without a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commands {
    /// Makes the bundle and waits until it is ready, in this order; the machine comes after it.
    pub bundle: Vec<Vec<String>>,
    /// Makes the machine.
    pub create: Vec<String>,
    /// Starts it.
    pub start: Vec<String>,
    /// Runs a program in it, with the secrets that the machine does not keep: the program and its arguments follow.
    pub exec: Vec<String>,
    /// The same, with the terminal that it is run in.
    pub attach: Vec<String>,
    /// Lists the connections that the engine refused; null where the engine cannot.
    pub denials: Option<Vec<String>>,
    /// The host's variables by which the engine would refuse the bundle: every command is run without them.
    pub unset: Vec<String>,
    /// Undoes everything, in this order; a step that finds nothing to undo is no failure.
    pub cleanup: Vec<Vec<String>>,
}

/// A spec that the plan was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source<'a> {
    /// Its SHA-256, in hexadecimal.
    pub sha256: Text<'a>,
}

/// A file of the stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File<'a> {
    /// Its permissions, in octal.
    pub mode: Text<'a>,
}

/// Why a text is no plan.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not of this format.
    #[error("it is a plan of format {0}, and this is format {known}", known = super::FORMAT)]
    Format(u32),
    /// It is no plan, or one of another version of bottlec.
    #[error("it is no plan as this version writes it: {0}")]
    Json(#[from] serde_json::Error),
}

impl PlanJson<'static> {
    /// Reads a `plan.json`.
    ///
    /// # Errors
    /// When it is none, or of another format.
    pub fn read(json: &[u8]) -> Result<Self, ReadError> {
        let plan: Self = serde_json::from_slice(json)?;
        if plan.format != super::FORMAT {
            return Err(ReadError::Format(plan.format));
        }
        Ok(plan)
    }
}
