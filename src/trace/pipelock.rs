//! `pipelock/pipelock.yaml`.

use super::Decisions;
use super::cause::{Causes, element, itself, nth, or_default, traced};
use crate::plan::{PlannedEgress, Traced};
use crate::world::host;

impl Decisions<'_> {
    pub(super) fn pipelock(&self, path: &[&str]) -> Causes {
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
        } = &self.plan.egress;
        let upstream = |n: &str, ranges: bool| {
            let is_range = |entry: &&Traced<String>| host::network(&entry.value).is_some() == ranges;
            let n = n.parse().unwrap_or(usize::MAX);
            private.iter().filter(is_range).nth(n).map(traced).unwrap_or_default()
        };
        match path {
            ["api_allowlist", _] if allow.is_empty() => or_default(None),
            ["api_allowlist", n] => element(allow, n),
            ["trusted_domains", n] => upstream(n, false),
            ["ssrf", "ip_allowlist", n] => upstream(n, true),
            ["fetch_proxy", "monitoring", "max_requests_per_minute"] => traced(rate_limit),
            ["fetch_proxy", "monitoring", "max_data_per_minute"] => {
                data_budget.as_ref().map(traced).unwrap_or_default()
            }
            ["fetch_proxy", "monitoring", "blocklist", n] => element(deny, n),
            ["forward_proxy", "max_tunnel_seconds"] => traced(tunnel_max),
            ["forward_proxy", "idle_timeout_seconds"] => traced(tunnel_idle),
            ["dlp", "patterns", n, key @ ..] => nth(patterns, n)
                .map(|pattern| match key {
                    [key @ ("regex" | "severity")] => self.property(&pattern.origin, key),
                    _ => traced(pattern),
                })
                .unwrap_or_default(),
            ["request_body_scanning", "action"] => traced(scan_bodies),
            ["request_body_scanning", "max_body_bytes"] => traced(max_body_bytes),
            ["response_scanning", "action"] => traced(scan_responses),
            ["tls_interception", "passthrough_domains", n] => {
                tls.as_ref().map(|tls| element(&tls.passthrough, n)).unwrap_or_default()
            }
            ["tls_interception", ..] => self.tls(),
            ["logging", "include_allowed"] => traced(log),
            ["default_agent_identity"] => self.slug(),
            [
                "version"
                | "mode"
                | "enforce"
                | "api_allowlist"
                | "trusted_domains"
                | "ssrf"
                | "fetch_proxy"
                | "forward_proxy"
                | "dlp"
                | "request_body_scanning"
                | "response_scanning"
                | "logging"
                | "metrics_listen"
                | "sentry"
                | "bind_default_agent_identity",
                ..,
            ] => itself(),
            _ => Causes::new(),
        }
    }
}
