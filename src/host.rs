//! Host patterns: what an `allow` or a `deny` entry may say, so that pipelock understands it as it is meant.

use std::net::IpAddr;

use crate::diagnostic::quote;
use crate::rules;
use crate::schema::{Meant, Problem, ValueType};

/// The most characters of a domain name, and of one label of it (RFC 1035).
const MAX_DOMAIN: usize = 253;
const MAX_LABEL: usize = 63;

/// Holds an entry against what pipelock 2.3.0 matches: a case-insensitive host, `*.` and a domain (every depth and
/// the apex), or an exact IP address. Everything else it loads, and never matches (read in its source at 2.3.0).
///
/// # Errors
/// What is wrong with it, and the entry that is most likely meant.
pub fn check(text: &str) -> Result<(), Problem> {
    if matches(text) {
        return Ok(());
    }
    let (why, meant, help) = diagnose(text);
    Err(Problem {
        rule: &rules::schema::EGRESS_NEVER_MATCHES,
        message: format!("{} would never match: {why}", quote(text)),
        expected: format!("expected {}", ValueType::HostPattern.describe()),
        help: help.map(str::to_owned),
        meant: meant.filter(|meant| matches(meant)).map(Meant::Text),
    })
}

/// Whether an entry can match anything.
fn matches(text: &str) -> bool {
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let domain = text.strip_prefix("*.").unwrap_or(text);
    domain.len() <= MAX_DOMAIN && domain.split('.').all(label) && !is_numeric(domain)
}

/// `1.2.3` or `300.1.1.1`: some resolvers read these as addresses, none of them as a name.
fn is_numeric(domain: &str) -> bool {
    domain.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

/// Why an entry matches nothing, what may be meant by it, and what to do.
fn diagnose(text: &str) -> (&'static str, Option<String>, Option<&'static str>) {
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or("");
        let host = host.rsplit('@').next().unwrap_or("");
        return ("pipelock compares host names, without a scheme", Some(without_port(host).to_owned()), None);
    }
    if let Some((host, _)) = text.split_once('/') {
        return match host.parse::<IpAddr>() {
            Ok(_) => ("address ranges are not matched", None, Some("name each address")),
            Err(_) => {
                ("pipelock compares host names, without a path", Some(without_port(host).to_owned()), None)
            }
        };
    }
    if text.starts_with('[') && text.ends_with(']') {
        return ("an address stands without brackets", Some(without_port(text).to_owned()), None);
    }
    if text.starts_with('[') || without_port(text) != text {
        return ("pipelock compares host names, without a port", Some(without_port(text).to_owned()), None);
    }
    if let Some(rest) = text.strip_suffix([',', ';']) {
        return ("entries stand between blanks, without a comma", Some(rest.to_owned()), None);
    }
    if text.contains(char::is_whitespace) {
        return ("it holds a blank", Some(text.trim().to_owned()), None);
    }
    if text == "*" {
        return ("`*` alone stands for no host", None, Some("name each host that the agent needs"));
    }
    let domain = text.strip_prefix("*.").unwrap_or(text);
    if domain.contains('*') {
        let rest = text.strip_prefix('*').map(|rest| format!("*.{}", rest.trim_start_matches('.')));
        return ("a wildcard stands only at the start, as `*.` and a domain", rest, None);
    }
    if let Some(rest) = text.strip_suffix('.') {
        return ("it ends with a dot", Some(rest.to_owned()), None);
    }
    if let Some(rest) = text.strip_prefix('.') {
        return ("it begins with a dot", Some(format!("*.{rest}")), None);
    }
    if !domain.is_ascii() {
        let help = "write the name as `xn--…`";
        return ("names with letters outside ASCII are compared in punycode", None, Some(help));
    }
    if is_numeric(domain) {
        return ("it is neither a name nor a whole IP address", None, None);
    }
    ("it is no host name", None, None)
}

/// The host of `host:port` or `[address]:port`.
fn without_port(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next().unwrap_or("");
    }
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.contains(':') => host,
        _ => text,
    }
}
