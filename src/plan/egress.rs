//! Egress policy: a spec's `egress` with the defaults filled in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Context, Traced};
use crate::model::{Action, Egress, Host, Logged, Pattern, Spanned, Tls};
use crate::reach::proxy::Lists;
use crate::world::engine::Version;
use crate::world::host::HostPattern;
use crate::world::pipelock::RECORDED;

/// Requests a minute to one registrable domain. pipelock's own default is 60, and one CONNECT is one request: the 61st
/// connection of an installation of packages got a 429 (run with 2.3.0).
pub(super) const RATE_LIMIT: u32 = 600;
/// Seconds. pipelock's own defaults, 300 for the whole life and 120 for silence, cut answers of models short.
const TUNNEL: u32 = 3600;
/// Bytes: pipelock's own default at 2.3.0, written out so that a later one changes nothing.
const MAX_BODY_BYTES: u32 = 5 * 1024 * 1024;
/// How bad a match of a pattern without a severity is.
const SEVERITY: &str = "high";

/// What the agent may reach through pipelock, and what that scans for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Egress")]
pub struct PlannedEgress {
    /// The version of pipelock that its configuration is written for.
    #[serde(default = "recorded")]
    pub pipelock_version: Traced<Version>,
    /// Hosts that may be reached, in order.
    pub allow: Vec<Traced<PlannedHost>>,
    /// Hosts that may not, whatever allows them, in order.
    pub deny: Vec<Traced<PlannedHost>>,
    /// What an allowed name may resolve to on a private network, in order: addresses and ranges. In a plan of an older
    /// bottlec, also names that may resolve to anything.
    pub private: Vec<Traced<PlannedHost>>,
    /// Requests a minute to one registrable domain.
    pub rate_limit: Traced<u32>,
    /// Bytes a minute for one registrable domain; null is no budget.
    pub data_budget: Traced<Option<u32>>,
    /// Patterns of the spec's own for secrets that must not leave, by name; pipelock's are always on.
    pub patterns: Vec<Traced<PlannedPattern>>,
    /// What is done about a secret in a request: `block` or `warn`.
    pub scan_bodies: Traced<Action>,
    /// The largest body that is read, in bytes; a larger one is refused.
    pub max_body_bytes: Traced<u32>,
    /// What is done about an injection in a response: `block`, `strip` or `warn`.
    pub scan_responses: Traced<Action>,
    /// How HTTPS is opened; null is not at all, and then plain HTTP alone is scanned.
    pub tls: Traced<Option<PlannedTls>>,
    /// A tunnel's whole life, in seconds.
    #[serde(rename = "tunnel_max_seconds")]
    pub tunnel_max: Traced<u32>,
    /// How long one direction of it may be silent, in seconds.
    #[serde(rename = "tunnel_idle_seconds")]
    pub tunnel_idle: Traced<u32>,
    /// What is logged: `all` or `blocked`.
    pub log: Traced<Logged>,
}

/// One host of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "HostEntry")]
pub struct PlannedHost {
    /// A host, `*.` and a domain, an IP address, or a range of them.
    pub host: HostPattern,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

/// A pattern of the user's own for secrets that must not leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pattern")]
pub struct PlannedPattern {
    /// Its name.
    pub name: String,
    /// The regular expression, in RE2's syntax.
    pub regex: Traced<String>,
    /// How bad a match is: `critical`, `high`, `medium` or `low`.
    pub severity: Traced<String>,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

/// How HTTPS is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tls")]
pub struct PlannedTls {
    /// The authority's certificate on the host: relative to the stage's directory, absolute, or from `~/` on.
    pub ca_cert: Traced<String>,
    /// The authority's private key on the host, likewise.
    pub ca_key: Traced<String>,
    /// The certificates that the agent trusts, likewise.
    pub trust: Traced<String>,
    /// Hosts that stay closed, in order.
    pub passthrough: Vec<Traced<PlannedHost>>,
}

fn recorded() -> Traced<Version> {
    Traced::default_setting(RECORDED)
}

impl PlannedEgress {
    /// What pipelock is told of hosts.
    #[must_use]
    pub fn lists(&self) -> Lists<'_, &Traced<PlannedHost>> {
        fn entries(
            list: &[Traced<PlannedHost>],
        ) -> impl Iterator<Item = (&HostPattern, &Traced<PlannedHost>)> {
            list.iter().map(|entry| (&entry.host, entry))
        }
        let Self { allow, deny, private, .. } = self;
        Lists::new(*self.pipelock_version, entries(allow), entries(deny), entries(private))
    }
}

pub(super) fn plan(
    egress: Egress,
    version: Option<Spanned<Version>>,
    context: &Context<'_>,
) -> PlannedEgress {
    let Egress {
        allow,
        deny,
        private,
        rate_limit,
        data_budget,
        dlp: _,
        patterns,
        scan_bodies,
        max_body_bytes,
        scan_responses,
        tls,
        tunnel_max,
        tunnel_idle,
        log,
        overruled: _,
    } = egress;
    let tunnel_max = context.traced_or(tunnel_max, TUNNEL);
    // A name of `private` says which host is meant by the addresses beside it.
    let places = private.into_iter().filter(|host| host.value.network().is_some()).collect();
    PlannedEgress {
        pipelock_version: context.traced_or(version, RECORDED),
        allow: hosts(allow, context),
        deny: hosts(deny, context),
        private: hosts(places, context),
        rate_limit: context.traced_or(rate_limit, RATE_LIMIT),
        data_budget: context.optional(data_budget),
        patterns: patterns.into_iter().map(|pattern| self::pattern(pattern, context)).collect(),
        scan_bodies: context.traced_or(scan_bodies, Action::Block),
        max_body_bytes: context.traced_or(max_body_bytes, MAX_BODY_BYTES),
        scan_responses: context.traced_or(scan_responses, Action::Block),
        tls: tls
            .and_then(|tls| self::tls(tls, context))
            .map_or_else(|| Traced::default_setting(None), |tls| tls.map(Some)),
        tunnel_idle: match tunnel_idle {
            Some(idle) => context.traced(idle),
            // Never longer than the whole life.
            None => Traced::default_setting(TUNNEL.min(*tunnel_max)).and(&tunnel_max.origins),
        },
        tunnel_max,
        log: context.traced_or(log, Logged::All),
    }
}

fn hosts(hosts: Vec<Host>, context: &Context<'_>) -> Vec<Traced<PlannedHost>> {
    let planned = |host: Host| context.cited(host.span, |origin| PlannedHost { host: host.value, origin });
    hosts.into_iter().map(planned).collect()
}

fn pattern(pattern: Pattern, context: &Context<'_>) -> Traced<PlannedPattern> {
    let Pattern { name, regex, severity } = pattern;
    let (regex, severity) = (context.traced(regex), severity.map(|severity| context.traced(severity)));
    context.cited(name.span, |origin| PlannedPattern {
        name: name.value,
        severity: severity.unwrap_or_else(|| Traced::new(SEVERITY.to_owned(), context.origins(name.span))),
        regex,
        origin,
    })
}

/// One without its authority is an error, and no plan is made beside an error.
fn tls(tls: Tls, context: &Context<'_>) -> Option<Traced<PlannedTls>> {
    let Tls { node, ca_cert, ca_key, trust, passthrough } = tls;
    let ca_cert = context.host_path(&ca_cert?);
    let planned = PlannedTls {
        trust: trust.map_or_else(|| ca_cert.clone(), |trust| context.host_path(&trust)),
        ca_cert,
        ca_key: context.host_path(&ca_key?),
        passthrough: hosts(passthrough, context),
    };
    Some(Traced::new(planned, context.origins(node)))
}
