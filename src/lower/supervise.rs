//! `supervise/` and `agent/mcp.json`: the server by which the agent asks a human, what it is told, and how the agent
//! finds it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Artifact, Bytes, Constant, Mode};
use crate::plan::{Plan, PlannedEgress, PlannedRepo, PlannedSidecar, PlannedSupervise, Traced};
use crate::world::builtin::{self, Builtin};

/// The server, which is the human's tool as well.
static SERVER: Constant = Constant::new(include_str!("supervise/server.py"));

/// The server's path in the stage.
pub const SERVER_PATH: &str = "supervise/server.py";
/// The configuration's path in the stage.
pub const CONFIG_PATH: &str = "supervise/supervise.json";
/// The path in the stage of the copies of what is in force.
pub const IN_FORCE_PATH: &str = "supervise/in-force";
/// The path in the stage of the entry that MCP clients read.
pub const MCP_CONFIG_PATH: &str = "agent/mcp.json";

/// Where the container sees the stage's `supervise/`, read-only.
const MOUNTED_STAGE: &str = "/supervise";
/// Where the container sees the queue.
const MOUNTED_QUEUE: &str = "/queue";

/// The configuration of supervise, which `server.py` reads in the bundle and on the host.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "supervise configuration", deny_unknown_fields)]
pub struct Config<'a> {
    /// The version of this format.
    version: u32,
    /// The bottle's name, for the audit log.
    bottle: &'a str,
    /// What the agent dials.
    url: &'a str,
    /// Where the server listens.
    listen: Listen,
    /// The queue's directory, as the container sees it.
    queue: &'a str,
    /// The same as the host sees it: from `~/` on, absolute, or relative to the stage's directory.
    queue_on_host: &'a str,
    /// The audit log, as the container sees it: a line of JSON for each proposal and each decision.
    audit_log: String,
    /// The directory of the copies of what is in force, as the container sees it.
    in_force: String,
    /// What the agent may take of the host.
    limits: Limits,
}

/// A socket's address.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Listen {
    /// An IP address.
    address: &'static str,
    /// A port.
    port: u16,
}

/// Bounds on what a hostile agent may do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Limits {
    /// How many bytes a request's body may have.
    body_bytes: u32,
    /// How many requests are answered in a minute.
    requests_per_minute: u32,
    /// How many connections one address may hold.
    connections: u32,
    /// How long a request may take to come in, and its answer to go out.
    request_seconds: u32,
    /// How long a connection may be silent between requests.
    idle_seconds: u32,
    /// How many proposals may wait for the human.
    open_proposals: u32,
    /// How many proposals, decided ones among them, the queue holds until the human clears it.
    kept_proposals: u32,
    /// How many proposals are taken in an hour.
    proposals_per_hour: u32,
    /// How many characters a proposal may have that says what is asked for.
    what_chars: u32,
    /// How many characters the reason may have.
    why_chars: u32,
}

/// What a person can decide upon, with room for an agent that works day and night. Together they keep the queue below
/// 6 MB and the server below 16 threads an address, whatever the agent sends.
const LIMITS: Limits = Limits {
    body_bytes: 64 * 1024,
    requests_per_minute: 240,
    connections: 16,
    request_seconds: 10,
    idle_seconds: 30,
    open_proposals: 20,
    kept_proposals: 500,
    proposals_per_hour: 30,
    what_chars: 300,
    why_chars: 2_000,
};

/// The hosts that the agent may know of.
#[derive(Debug, Serialize)]
struct Egress<'a> {
    allow: Vec<&'a str>,
    deny: Vec<&'a str>,
    /// Requests a minute to one registrable domain.
    rate_limit: u32,
}

#[derive(Debug, Serialize)]
struct Repos<'a> {
    repos: Vec<Repo<'a>>,
}

/// A repository: no identity, which is a path of the host's.
#[derive(Debug, Serialize)]
struct Repo<'a> {
    name: &'a str,
    url: &'a str,
}

#[derive(Debug, Serialize)]
struct Sidecars<'a> {
    sidecars: Vec<Sidecar<'a>>,
}

#[derive(Debug, Serialize)]
struct Sidecar<'a> {
    name: &'a str,
    url: Option<&'a str>,
}

/// What MCP clients read: `.mcp.json` of Claude Code 2, which others took over.
#[derive(Debug, Serialize)]
struct McpConfig<'a> {
    #[serde(rename = "mcpServers")]
    servers: BTreeMap<&'static str, McpServer<'a>>,
}

#[derive(Debug, Serialize)]
struct McpServer<'a> {
    /// `http` is what these files call the protocol's Streamable HTTP.
    r#type: &'static str,
    url: &'a str,
}

/// The arguments by which Claude Code takes the server in for all projects of its user: every option stands before
/// the name (run with 2.1.197, which then reports the server connected).
#[must_use]
pub fn mcp_add(plan: &Plan) -> Vec<String> {
    let words =
        ["claude", "mcp", "add", "--transport", "http", "--scope", "user", builtin::SUPERVISE, url(plan)];
    words.map(str::to_owned).into()
}

/// The files, when the bottle asks for it.
pub(super) fn lower(plan: &Plan, files: &mut BTreeMap<String, Artifact>) {
    let Some(PlannedSupervise { queue, image: _ }) = &plan.supervise else { return };
    let mut add = |path: String, bytes: Bytes, mode: Mode| files.insert(path, Artifact { bytes, mode });
    let port = builtin::find(builtin::SUPERVISE).map_or(0, |Builtin { port, .. }| *port);
    let config = Config {
        version: 1,
        bottle: &plan.slug,
        url: url(plan),
        listen: Listen { address: "0.0.0.0", port },
        queue: MOUNTED_QUEUE,
        queue_on_host: queue,
        audit_log: format!("{MOUNTED_QUEUE}/audit.jsonl"),
        in_force: format!("{MOUNTED_STAGE}/in-force"),
        limits: LIMITS,
    };
    add(SERVER_PATH.to_owned(), (&SERVER).into(), Mode::Executable);
    add(CONFIG_PATH.to_owned(), json(&config).into(), Mode::Shared);
    for (name, bytes) in [
        ("egress", egress(&plan.egress)),
        ("repos", repos(&plan.repos)),
        ("sidecars", sidecars(&plan.sidecars)),
    ] {
        add(format!("{IN_FORCE_PATH}/{name}.json"), bytes.into(), Mode::Shared);
    }
    let server = McpServer { r#type: "http", url: url(plan) };
    let mcp = McpConfig { servers: [(builtin::SUPERVISE, server)].into() };
    add(MCP_CONFIG_PATH.to_owned(), json(&mcp).into(), Mode::Shared);
}

/// What the agent dials, as it stands in its environment.
fn url(plan: &Plan) -> &str {
    let sidecar = plan.sidecars.iter().find(|sidecar| sidecar.name == builtin::SUPERVISE);
    sidecar.and_then(|sidecar| sidecar.url.as_deref()).unwrap_or_default()
}

fn egress(egress: &PlannedEgress) -> Vec<u8> {
    // How it is scanned and logged is the host's matter, too.
    let PlannedEgress { allow, deny, rate_limit, .. } = egress;
    json(&Egress { allow: hosts(allow), deny: hosts(deny), rate_limit: rate_limit.value })
}

/// The hosts without the lines that name them, which are the host's matter.
fn hosts(entries: &[Traced<String>]) -> Vec<&str> {
    entries.iter().map(|Traced { value, origin: _ }| value.as_str()).collect()
}

fn repos(repos: &[PlannedRepo]) -> Vec<u8> {
    let repos = repos.iter().map(|PlannedRepo { name, url, identity: _, host_keys: _ }| Repo { name, url });
    json(&Repos { repos: repos.collect() })
}

fn sidecars(sidecars: &[PlannedSidecar]) -> Vec<u8> {
    let sidecars = sidecars.iter().map(|sidecar| {
        let PlannedSidecar { name, container: _, port: _, url, needs: _, wave: _ } = sidecar;
        Sidecar { name, url: url.as_deref() }
    });
    json(&Sidecars { sidecars: sidecars.collect() })
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Text, numbers and maps with text keys: JSON holds each.
    let mut json = serde_json::to_vec_pretty(value).unwrap_or_default();
    json.push(b'\n');
    json
}
