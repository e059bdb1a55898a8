//! `supervise/`: the server by which the agent asks a human, and what it is told.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Constant, Draft, Markup, Mode};
use crate::plan::{Origins, Plan, PlannedHost, PlannedRepo, PlannedSidecar, Traced};
use crate::world::builtin::{self, Builtin};

/// The server, which is the human's tool as well.
static SERVER: Constant = Constant::new(include_str!("supervise/server.py"));

/// The server's path in the stage.
pub const SERVER_PATH: &str = "supervise/server.py";
/// The configuration's path in the stage.
pub const CONFIG_PATH: &str = "supervise/supervise.json";
/// The path in the stage of the copies of what is in force.
pub const IN_FORCE_PATH: &str = "supervise/in-force";

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
    bottle: &'a Traced<String>,
    /// What the agent dials.
    url: Traced<&'a str>,
    /// Where the server listens.
    listen: Listen,
    /// The queue's directory, as the container sees it.
    queue: &'a str,
    /// The same as the host sees it: from `~/` on, absolute, or relative to the stage's directory.
    queue_on_host: &'a Traced<String>,
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
    allow: Vec<Traced<&'a str>>,
    deny: Vec<Traced<&'a str>>,
    /// Requests a minute to one registrable domain.
    rate_limit: &'a Traced<u32>,
}

#[derive(Debug, Serialize)]
struct Repos<'a> {
    repos: Vec<Repo<'a>>,
}

/// A repository: no identity and no path, which are the host's.
#[derive(Debug, Serialize)]
struct Repo<'a> {
    name: &'a Traced<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a Traced<String>>,
    /// Said of one that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_only: Option<Traced<bool>>,
}

#[derive(Debug, Serialize)]
struct Sidecars<'a> {
    sidecars: Vec<Sidecar<'a>>,
}

#[derive(Debug, Serialize)]
struct Sidecar<'a> {
    name: &'a Traced<String>,
    url: &'a Traced<Option<String>>,
}

/// The arguments by which Claude Code takes the server in for all projects of its user: every option stands before
/// the name (run with 2.1.197, which then reports the server connected).
#[must_use]
pub fn mcp_add(plan: &Plan) -> Vec<Traced<String>> {
    let url = url(plan);
    let words =
        ["claude", "mcp", "add", "--transport", "http", "--scope", "user", builtin::SUPERVISE, url.value];
    words.map(|word| url.with(word.to_owned())).into()
}

/// Adds the files, when the bottle asks for them.
pub(crate) fn lower(plan: &Plan, draft: &mut Draft) {
    let Some(supervise) = plan.supervise.given() else { return };
    let port = builtin::find(builtin::SUPERVISE).map_or(0, |Builtin { port, .. }| *port);
    let config = Config {
        version: 1,
        bottle: &plan.slug,
        url: url(plan),
        listen: Listen { address: "0.0.0.0", port },
        queue: MOUNTED_QUEUE,
        queue_on_host: &supervise.queue,
        audit_log: format!("{MOUNTED_QUEUE}/audit.jsonl"),
        in_force: format!("{MOUNTED_STAGE}/in-force"),
        limits: LIMITS,
    };
    let asked = supervise.origins;
    draft.constant(SERVER_PATH, Mode::Executable, asked.clone(), &SERVER);
    add(draft, CONFIG_PATH, &asked, &config);
    // How it is scanned and logged is the host's matter, and so are the lines that name the hosts.
    let (allow, deny) = (hosts(&plan.egress.allow), hosts(&plan.egress.deny));
    let egress = Egress { allow, deny, rate_limit: &plan.egress.rate_limit };
    let repos = Repos { repos: plan.git.repos.iter().map(|it| repo(it)).collect() };
    let sidecars = Sidecars { sidecars: plan.sidecars.iter().map(|it| sidecar(it)).collect() };
    add(draft, &format!("{IN_FORCE_PATH}/egress.json"), &asked, &egress);
    add(draft, &format!("{IN_FORCE_PATH}/repos.json"), &asked, &repos);
    add(draft, &format!("{IN_FORCE_PATH}/sidecars.json"), &asked, &sidecars);
}

fn add(draft: &mut Draft, path: &str, asked: &Origins, document: &impl Serialize) {
    draft.document(path, Mode::Shared, asked.clone(), Markup::Json, document);
}

/// What the agent dials, as it stands in its environment.
fn url(plan: &Plan) -> Traced<&str> {
    let sidecar = plan.sidecars.iter().find(|sidecar| *sidecar.name == builtin::SUPERVISE);
    match sidecar {
        Some(sidecar) => sidecar.url.with(sidecar.url.as_deref().unwrap_or_default()),
        None => Traced::fixed(""),
    }
}

fn repo(repo: &PlannedRepo) -> Repo<'_> {
    let PlannedRepo { name, writable, source: _ } = repo;
    let read_only = (!**writable).then(|| writable.with(true));
    Repo { name, url: repo.upstream().map(|upstream| &upstream.url), read_only }
}

fn sidecar(sidecar: &PlannedSidecar) -> Sidecar<'_> {
    let PlannedSidecar { name, container: _, port: _, url, mcp: _, needs: _, wave: _, limits: _ } = sidecar;
    Sidecar { name, url }
}

fn hosts(entries: &[Traced<PlannedHost>]) -> Vec<Traced<&str>> {
    entries.iter().map(|entry| entry.with(entry.host.as_str())).collect()
}
