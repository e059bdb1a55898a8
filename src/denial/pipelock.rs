//! pipelock's log: a line of JSON for each event (read in its source at 2.3.0, `internal/audit/logger.go`).

use std::borrow::Cow;

use serde::Deserialize;

use super::{Denials, Reason, Record};

/// What of an event tells of a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow, rename = "event")]
    name: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    /// Of CONNECT: `host:port`.
    #[serde(borrow)]
    target: Cow<'a, str>,
    /// Of a request in plain HTTP.
    #[serde(borrow)]
    url: Cow<'a, str>,
    /// Of a connection whose names differ.
    #[serde(borrow)]
    connect_host: Cow<'a, str>,
    #[serde(borrow)]
    scanner: Cow<'a, str>,
    /// Of a finding: what was done about it.
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    request_id: Cow<'a, str>,
}

/// Reads a line from its `{` on.
pub(super) fn read(denials: &mut Denials, line: &str) {
    let Ok(event) = serde_json::from_str::<Event<'_>>(line.trim_end()) else {
        denials.unread += 1;
        return;
    };
    let Some(reason) = reason(&event) else { return };
    // A finding of a request that is refused for it has a record of its own.
    if denials.is_repeated(&event.request_id) {
        return;
    }
    let targets = [&event.target, &event.url, &event.connect_host];
    let target = targets.into_iter().find(|target| !target.is_empty()).map_or("", AsRef::as_ref);
    denials.add(&Record { reason, target, time: &event.time });
}

/// Why what the event speaks of was refused; nothing when it was not.
fn reason(event: &Event<'_>) -> Option<Reason> {
    match &*event.name {
        "blocked" | "ws_blocked" => Some(by_scanner(&event.scanner)),
        "sni_mismatch" => Some(Reason::Tls),
        "kill_switch_deny" | "airlock_deny" => Some(Reason::Stopped),
        finding => {
            let refused = event.action == "block";
            by_finding(finding).filter(|_| refused)
        }
    }
}

fn by_scanner(scanner: &str) -> Reason {
    match scanner {
        "allowlist" => Reason::NotListed,
        "blocklist" => Reason::Denied,
        "ssrf" | "core_ssrf" => Reason::Internal,
        "dlp"
        | "core_dlp"
        | "body_dlp"
        | "header_dlp"
        | "address_protection"
        | "seed_phrase"
        | "redaction"
        | "mcp_input_scanning"
        | "cross_request_fragment" => Reason::Secret,
        "entropy" | "subdomain_entropy" | "cross_request_entropy" => Reason::Random,
        "ratelimit" | "databudget" | "budget" => Reason::Rate,
        "response_scan" | "core_response" | "tls_response_blocked" | "media_policy" | "shield_oversize" => {
            Reason::Answer
        }
        "parser" | "scheme" | "length" | "path_traversal" | "crlf_injection" | "context" => Reason::Malformed,
        "tls_handshake_error" | "tls_authority_mismatch" | "sni_mismatch" => Reason::Tls,
        "kill_switch" | "airlock" => Reason::Stopped,
        _ => Reason::Other,
    }
}

fn by_finding(event: &str) -> Option<Reason> {
    match event {
        "body_dlp" | "header_dlp" | "address_protection" | "cross_request_dlp_match" => Some(Reason::Secret),
        "cross_request_entropy_exceeded" => Some(Reason::Random),
        "response_scan" => Some(Reason::Answer),
        _ => None,
    }
}
