//! Host patterns: what an `allow` or a `deny` entry may say, so that pipelock understands it as it is meant.

use std::net::IpAddr;

use crate::diagnostic::quote;
use crate::rules;
use crate::schema::{Problem, ValueType};

/// The most characters of a domain name, and of one label of it (RFC 1035).
const MAX_DOMAIN: usize = 253;
const MAX_LABEL: usize = 63;

/// Holds an entry against what pipelock 2.3.0 matches: a case-insensitive host, `*.` and a domain (every depth and
/// the apex), or an exact IP address. Everything else it loads, and never matches (read in its source at 2.3.0).
///
/// # Errors
/// What is wrong with it, and the entry that is most likely meant.
pub fn check(text: &str) -> Result<(), Problem> {
    let never = |why: &str| Problem {
        rule: &rules::schema::EGRESS_NEVER_MATCHES,
        message: format!("{} would never match: {why}", quote(text)),
        expected: format!("expected {}", ValueType::HostPattern.describe()),
        help: None,
        meant: None,
    };
    let meant = |problem: Problem, text: &str| {
        let meant = (!text.is_empty() && check(text).is_ok()).then(|| text.to_owned());
        Problem { meant, ..problem }
    };
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or("");
        let host = host.rsplit('@').next().unwrap_or("");
        return Err(meant(never("pipelock compares host names, without a scheme"), without_port(host)));
    }
    if let Some((host, _)) = text.split_once('/') {
        let why = if host.parse::<IpAddr>().is_ok() { "address ranges are not matched" } else { "it holds a `/`" };
        return Err(meant(never(why), host));
    }
    if text.starts_with('[') || without_port(text) != text {
        return Err(meant(never("pipelock compares host names, without a port"), without_port(text)));
    }
    if text.contains(char::is_whitespace) {
        return Err(meant(never("it holds a blank"), text.trim()));
    }
    if text == "*" {
        let problem = never("`*` alone stands for no host");
        return Err(Problem { help: Some("name each host that the agent needs".into()), ..problem });
    }
    let domain = text.strip_prefix("*.").unwrap_or(text);
    if domain.contains('*') {
        let why = "a wildcard stands only at the start, as `*.` and a domain";
        return Err(match text.strip_prefix('*') {
            Some(rest) if !rest.contains('*') => meant(never(why), &format!("*.{}", rest.trim_start_matches('.'))),
            _ => never(why),
        });
    }
    if let Some(rest) = text.strip_suffix('.') {
        return Err(meant(never("it ends with a dot"), rest));
    }
    if let Some(rest) = text.strip_prefix('.') {
        return Err(meant(never("it begins with a dot"), &format!("*.{rest}")));
    }
    if !domain.is_ascii() {
        let problem = never("names with letters outside ASCII are compared in punycode");
        return Err(Problem { help: Some("write the name as `xn--…`".into()), ..problem });
    }
    let label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if domain.len() > MAX_DOMAIN || !domain.split('.').all(label) {
        return Err(never("it is no host name"));
    }
    // `1.2.3` or `300.1.1.1`: some resolvers read these as addresses, none of them as a name.
    if domain.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err(never("it is neither a name nor a whole IP address"));
    }
    Ok(())
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
