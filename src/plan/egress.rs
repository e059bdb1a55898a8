//! Egress policy: a spec's `egress` with the defaults filled in.

use super::{Action, Context, Logged, PlannedEgress, PlannedPattern, PlannedTls, Traced};
use crate::model::{Egress, Pattern, Tls};

/// Requests a minute to one registrable domain. pipelock's own default is 60, and one CONNECT is one request: the 61st
/// connection of an installation of packages got a 429 (run with 2.3.0).
pub(super) const RATE_LIMIT: u32 = 600;
/// Seconds. pipelock's own defaults, 300 for the whole life and 120 for silence, cut answers of models short.
const TUNNEL: u32 = 3600;
/// Bytes: pipelock's own default at 2.3.0, written out so that a later one changes nothing.
const MAX_BODY_BYTES: u32 = 5 * 1024 * 1024;
/// How bad a match of a pattern without a severity is.
const SEVERITY: &str = "high";

pub(super) fn plan(egress: Egress, context: &Context<'_>) -> PlannedEgress {
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
    PlannedEgress {
        allow: context.hosts(allow),
        deny: context.hosts(deny),
        private: context.hosts(private),
        rate_limit: context.traced_or(rate_limit, RATE_LIMIT),
        data_budget: data_budget.map(|budget| context.traced(budget)),
        patterns: patterns.into_iter().map(|pattern| self::pattern(pattern, context)).collect(),
        scan_bodies: context.traced_or(scan_bodies, Action::Block),
        max_body_bytes: context.traced_or(max_body_bytes, MAX_BODY_BYTES),
        scan_responses: context.traced_or(scan_responses, Action::Block),
        tls: tls.and_then(|tls| self::tls(tls, context)),
        tunnel_idle: context.traced_or(tunnel_idle, TUNNEL.min(tunnel_max.value)),
        tunnel_max,
        log: context.traced_or(log, Logged::All),
    }
}

fn pattern(pattern: Pattern, context: &Context<'_>) -> Traced<PlannedPattern> {
    let Pattern { name, regex, severity } = pattern;
    let severity = severity.unwrap_or_else(|| SEVERITY.to_owned());
    Traced { origin: context.origin(name.span), value: PlannedPattern { name: name.value, regex, severity } }
}

/// One without its authority is an error, and no plan is made beside an error.
fn tls(tls: Tls, context: &Context<'_>) -> Option<PlannedTls> {
    let Tls { node: _, ca_cert, ca_key, trust, passthrough } = tls;
    let ca_cert = context.host_path(&ca_cert?);
    Some(PlannedTls {
        trust: trust.map_or_else(|| ca_cert.clone(), |trust| context.host_path(&trust)),
        ca_cert,
        ca_key: context.host_path(&ca_key?),
        passthrough: context.hosts(passthrough),
    })
}
