//! `pipelock/pipelock.yaml`: what the egress proxy enforces.
//!
//! Its decoder is strict, so every key here is one that pipelock 2.3.0 has, and that newer versions have as far as their
//! sources were read; an empty file would mean allow-all, so nothing that confines is left to a default. What decides
//! which hosts are reached is written as [`crate::reach::proxy`] judges it. The types are the subset of its format that we write:
//! `schemas/pipelock.schema.json` is made from them. Keys, types and checks were read in pipelock's
//! `internal/config` on both sides of 2.3.0 (2.1 and 2.4), and a file of this shape was run with 2.3.0.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Draft, Markup, Mode as FileMode};
use crate::model::{Action, Logged};
use crate::plan::{Origin, Origins, Plan, PlannedEgress, PlannedHost, PlannedPattern, PlannedTls, Traced};
use crate::reach::proxy::Lists;
use crate::world::builtin::{self, PIPELOCK_METRICS};
use crate::world::host::HostPattern;
use crate::world::pipelock::{self as ledger, guard};

/// Its path in the stage.
pub const PATH: &str = "pipelock/pipelock.yaml";

/// Where the authority's certificate is mounted.
pub const CA_CERT: &str = "/ca/cert.pem";
/// Where its key is mounted.
pub const CA_KEY: &str = "/ca/key.pem";

/// What the names of the user's patterns begin with. A pattern with the name of one of pipelock's own would replace it,
/// without a word (`mergeDLPPatterns`); none of those begins like this.
pub const PATTERN_PREFIX: &str = "bottle: ";

/// pipelock's configuration: the part of it that a bottle needs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "pipelock, as bottlec configures it", deny_unknown_fields)]
pub struct Config<'a> {
    /// The version of the format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The allow list is enforced in this mode only.
    mode: Mode,
    /// Without it nothing is enforced.
    #[schemars(extend("const" = true))]
    enforce: bool,
    /// The hosts that may be reached; never empty.
    #[schemars(length(min = 1))]
    api_allowlist: Vec<Traced<&'a str>>,
    /// What no name may resolve to. It replaces pipelock's own list, which it holds; an empty one would turn the guard
    /// off.
    #[schemars(length(min = 1))]
    internal: Vec<Traced<&'a str>>,
    /// What of it an allowed name may resolve to all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    ssrf: Option<Ssrf>,
    /// Who is refused is told what to do about it.
    #[schemars(extend("const" = true))]
    explain_blocks: bool,
    /// The listener, and what is counted.
    fetch_proxy: FetchProxy<'a>,
    /// CONNECT, and HTTP by absolute URI.
    forward_proxy: ForwardProxy<'a>,
    /// Secrets that must not leave.
    dlp: Dlp<'a>,
    /// Where in a request they are looked for.
    request_body_scanning: RequestBodyScanning<'a>,
    /// Injections in what comes back.
    response_scanning: ResponseScanning,
    /// How HTTPS is opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_interception: Option<Traced<TlsInterception<'a>>>,
    /// What is logged.
    logging: Logging,
    /// The metrics get a listener of their own, on loopback: without it the agent could read them.
    metrics_listen: String,
    /// Nothing is reported to the maintainer.
    sentry: Sentry,
    /// What the log calls the agent.
    default_agent_identity: &'a Traced<String>,
    /// The agent cannot call itself otherwise.
    #[schemars(extend("const" = true))]
    bind_default_agent_identity: bool,
}

/// The mode.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// What is not allowed is refused.
    Strict,
}

/// Exceptions from the guard on private addresses.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Ssrf {
    /// Ranges, in canonical form.
    #[schemars(length(min = 1))]
    ip_allowlist: Vec<Traced<String>>,
}

/// The listener.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct FetchProxy<'a> {
    /// Its address.
    listen: String,
    /// In MiB: where an answer over plain HTTP is cut, without a word.
    #[schemars(range(min = 1))]
    max_response_mb: Traced<u32>,
    /// What is counted, and what is refused whatever allows it.
    monitoring: Monitoring<'a>,
}

/// What is counted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Monitoring<'a> {
    /// Requests to one registrable domain.
    #[schemars(range(min = 1))]
    max_requests_per_minute: &'a Traced<u32>,
    /// Bytes for one registrable domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    max_data_per_minute: Option<Traced<&'a u32>>,
    /// What is refused; it beats the allow list. It is never empty, and never left out: newer versions then take a list
    /// of their own.
    #[schemars(length(min = 1))]
    blocklist: Vec<Traced<&'a str>>,
    /// Allowed hosts whose labels look random; their paths are not looked at for that, either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    subdomain_entropy_exclusions: Vec<Traced<&'a str>>,
}

/// CONNECT.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ForwardProxy<'a> {
    /// Without it every CONNECT gets a 405.
    #[schemars(extend("const" = true))]
    enabled: bool,
    /// A tunnel's whole life.
    #[schemars(range(min = 1))]
    max_tunnel_seconds: &'a Traced<u32>,
    /// How long one direction may be silent.
    #[schemars(range(min = 1))]
    idle_timeout_seconds: &'a Traced<u32>,
    /// The name in the TLS greeting must be the one that was asked for.
    #[schemars(extend("const" = true))]
    sni_verification: bool,
}

/// Secrets that must not leave.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Dlp<'a> {
    /// pipelock's own patterns.
    #[schemars(extend("const" = true))]
    include_defaults: bool,
    /// The values in pipelock's own environment count as secrets.
    #[schemars(extend("const" = true))]
    scan_env: bool,
    /// The user's own patterns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    patterns: Vec<Traced<Pattern<'a>>>,
}

/// A pattern.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Pattern<'a> {
    /// Its name, which begins with `bottle: `.
    #[schemars(regex(pattern = "^bottle: ."))]
    name: String,
    /// The expression.
    #[schemars(length(min = 1))]
    regex: &'a Traced<String>,
    /// `critical`, `high`, `medium` or `low`.
    #[schemars(extend("enum" = ["critical", "high", "medium", "low"]))]
    severity: &'a Traced<String>,
}

/// Requests.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RequestBodyScanning<'a> {
    /// Whether they are scanned.
    #[schemars(extend("const" = true))]
    enabled: bool,
    /// What is done.
    #[schemars(extend("enum" = ["block", "warn"]))]
    action: Traced<&'static str>,
    /// The largest body that is read; a larger one is refused.
    #[schemars(range(min = 1))]
    max_body_bytes: &'a Traced<u32>,
    /// Headers are scanned, too.
    #[schemars(extend("const" = true))]
    scan_headers: bool,
    /// All of them: without it, six.
    #[schemars(extend("const" = "all"))]
    header_mode: &'static str,
}

/// Responses.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ResponseScanning {
    /// Whether they are scanned.
    #[schemars(extend("const" = true))]
    enabled: bool,
    /// What is done.
    #[schemars(extend("enum" = ["block", "strip", "warn"]))]
    action: Traced<&'static str>,
    /// pipelock's own patterns.
    #[schemars(extend("const" = true))]
    include_defaults: bool,
}

/// How HTTPS is opened.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct TlsInterception<'a> {
    /// Whether it is.
    #[schemars(extend("const" = true))]
    enabled: bool,
    /// The authority's certificate, in pipelock's container.
    ca_cert: &'static str,
    /// Its key, in pipelock's container.
    ca_key: &'static str,
    /// What stays closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    passthrough_domains: Vec<Traced<&'a str>>,
}

/// The log.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Logging {
    /// One object a line.
    #[schemars(extend("const" = "json"))]
    format: &'static str,
    /// Where to: the container engine keeps it.
    #[schemars(extend("const" = "stdout"))]
    output: &'static str,
    /// Whether allowed requests are in it.
    include_allowed: Traced<bool>,
    /// Refused ones always are.
    #[schemars(extend("const" = true))]
    include_blocked: bool,
}

/// Reports of errors to the maintainer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Sentry {
    /// Off: omitted it would be on.
    #[schemars(extend("const" = false))]
    enabled: bool,
}

/// The configuration of a plan's pipelock.
#[must_use]
pub fn config(plan: &Plan) -> Config<'_> {
    let PlannedEgress {
        pipelock_version: _,
        allow: _,
        deny: _,
        private: _,
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
    } = &plan.egress;
    // A plan that is made here trusts no name.
    let Lists { allow, block, open, excluded, internal: _, trusted: _ } = plan.egress.lists();
    let open: Vec<_> = open.into_iter().map(|(range, entry)| entry.with(range.to_string())).collect();
    Config {
        version: 1,
        mode: Mode::Strict,
        enforce: true,
        api_allowlist: listed(allow, &Origins::default_setting()),
        internal: guard::internal_texts()
            .iter()
            .map(|network| Traced::new(network.as_str(), Origins::compiler(&INTERNAL)))
            .collect(),
        ssrf: (!open.is_empty()).then_some(Ssrf { ip_allowlist: open }),
        explain_blocks: true,
        fetch_proxy: FetchProxy {
            listen: format!(
                "0.0.0.0:{}",
                builtin::find(builtin::PIPELOCK).map_or(0, |pipelock| pipelock.port)
            ),
            max_response_mb: max_response(plan),
            monitoring: Monitoring {
                max_requests_per_minute: rate_limit,
                max_data_per_minute: data_budget.given(),
                blocklist: listed(block, &Origins::compiler(&NEVER)),
                subdomain_entropy_exclusions: excluded
                    .into_iter()
                    .map(|(host, entry)| entry.with(host.as_str()))
                    .collect(),
            },
        },
        forward_proxy: ForwardProxy {
            enabled: true,
            max_tunnel_seconds: tunnel_max,
            idle_timeout_seconds: tunnel_idle,
            sni_verification: true,
        },
        dlp: Dlp { include_defaults: true, scan_env: true, patterns: patterns.iter().map(pattern).collect() },
        request_body_scanning: RequestBodyScanning {
            enabled: true,
            // Nothing can be stripped from a request, and the language has no word for it there.
            action: scan_bodies
                .with(if **scan_bodies == Action::Warn { Action::Warn } else { Action::Block }.as_str()),
            max_body_bytes,
            scan_headers: true,
            header_mode: "all",
        },
        response_scanning: ResponseScanning {
            enabled: true,
            action: scan_responses.with(scan_responses.as_str()),
            include_defaults: true,
        },
        tls_interception: tls.given().map(|tls| tls.map(self::tls)),
        logging: Logging {
            format: "json",
            output: "stdout",
            include_allowed: log.with(**log == Logged::All),
            include_blocked: true,
        },
        metrics_listen: format!("127.0.0.1:{PIPELOCK_METRICS}"),
        sentry: Sentry { enabled: false },
        default_agent_identity: &plan.slug,
        bind_default_agent_identity: true,
    }
}

/// Adds the file.
pub(crate) fn lower(plan: &Plan, draft: &mut Draft) {
    draft.document(PATH, FileMode::Shared, Origins::fixed(), Markup::Yaml(""), &config(plan));
}

/// In MiB: a quarter of what pipelock may have of memory, for it holds a whole answer, and grows what it holds it in.
/// Larger answers are cut there, so it is not its own 10.
#[must_use]
pub fn max_response(plan: &Plan) -> Traced<u32> {
    let pipelock = plan.sidecars.iter().find(|sidecar| *sidecar.name == builtin::PIPELOCK);
    let memory = pipelock.map(|pipelock| &pipelock.limits.memory_mib);
    memory.map_or_else(|| Traced::default_setting(10), |memory| memory.with((**memory / 4).max(10)))
}

/// How well what is said of a plan's pipelock is known, in words that follow its version.
#[must_use]
pub fn known(plan: &Plan) -> &'static str {
    let version = *plan.egress.pipelock_version;
    if *plan.pipelock_image != ledger::image(version) {
        "if that is what the spec's image holds"
    } else if version == ledger::RECORDED {
        "whose verdicts are recorded"
    } else {
        "as far as its release notes and sources were read"
    }
}

/// What is refused whatever a spec says.
static NEVER: Origin = Origin::compiler(
    "refused in every bottle: a service that hands out a cloud's credentials, or the address that stands for nothing",
);
/// The guard on addresses.
static INTERNAL: Origin = Origin::compiler(
    "pipelock's own list of internal networks, their other spellings, and services of metadata",
);

/// A list, with the origins of those entries that no line of the spec is.
fn listed<'a>(
    list: Vec<(&'a HostPattern, Option<&'a Traced<PlannedHost>>)>,
    own: &Origins,
) -> Vec<Traced<&'a str>> {
    let traced = |(host, entry): (&'a HostPattern, Option<&'a Traced<PlannedHost>>)| match entry {
        Some(entry) => entry.with(host.as_str()),
        None => Traced::new(host.as_str(), own.clone()),
    };
    list.into_iter().map(traced).collect()
}

fn hosts(list: &[Traced<PlannedHost>]) -> Vec<Traced<&str>> {
    list.iter().map(|entry| entry.with(entry.host.as_str())).collect()
}

fn pattern(pattern: &Traced<PlannedPattern>) -> Traced<Pattern<'_>> {
    let PlannedPattern { name, regex, severity, origin: _ } = &pattern.value;
    pattern.with(Pattern { name: format!("{PATTERN_PREFIX}{name}"), regex, severity })
}

/// The paths are those of the container: where the files are on the host is the launcher's to mount.
fn tls(tls: &PlannedTls) -> TlsInterception<'_> {
    let PlannedTls { ca_cert: _, ca_key: _, trust: _, passthrough } = tls;
    TlsInterception {
        enabled: true,
        ca_cert: CA_CERT,
        ca_key: CA_KEY,
        passthrough_domains: hosts(passthrough),
    }
}
