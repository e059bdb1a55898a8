//! Host patterns: what an `allow` or a `deny` entry may say, so that pipelock understands it as it is meant.

pub mod known;
pub mod list;
mod pattern;
pub mod shared;
mod target;

use std::net::IpAddr;

pub use pattern::HostPattern;
pub use target::{Request, TARGET, Target, TargetError, TargetHost, Verdict};

use crate::rule::{self, Meant, ValueError};
use crate::text::quote;
use crate::world::pipelock::guard::{self, Guarded};

/// What a host pattern is, in words.
pub const PATTERN: &str = "a host such as `api.example.com`, `*.example.com`, or an IP address";
/// What an entry of `private` is, in words.
pub const UPSTREAM: &str =
    "a host such as `db.internal.example.com`, a private address, or a range such as `10.1.2.0/24`";

/// The most characters of a domain name, and of one label of it (RFC 1035).
const MAX_DOMAIN: usize = 253;
const MAX_LABEL: usize = 63;

/// Holds an entry against what pipelock 2.3.0 matches: a case-insensitive host, `*.` and a domain (every depth and
/// the apex), or an exact IP address. Everything else it loads, and never matches (read in its source at 2.3.0).
///
/// # Errors
/// What is wrong with it, and the entry that is most likely meant.
pub fn check(text: &str) -> Result<(), ValueError> {
    if matches(text) {
        return Ok(());
    }
    let (why, meant, help) = diagnose(text);
    Err(ValueError {
        rule: &rule::catalogue::EGRESS_NEVER_MATCHES,
        message: format!("{} would never match: {why}", quote(text)),
        expected: format!("expected {PATTERN}"),
        help: help.map(str::to_owned),
        meant: meant.filter(|meant| matches(meant)).map(Meant::Text),
    })
}

/// Whether an entry can match anything.
fn matches(text: &str) -> bool {
    if let Ok(address) = text.parse::<IpAddr>() {
        // An address is compared as text: one that is spelled otherwise than clients spell it never matches.
        return address.to_canonical().to_string() == text.to_ascii_lowercase();
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

/// `1.2.3`, `300.1.1.1` or `0x7f.1`: some resolvers read these as addresses, none of them as a name.
fn is_numeric(domain: &str) -> bool {
    domain.rsplit('.').next().is_some_and(|last| {
        let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
        last.bytes().all(|b| b.is_ascii_digit())
            || hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

/// Parts of an `allow` or `deny` entry beside its host, which pipelock does not enforce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// `http` or `https`.
    pub scheme: Option<&'static str>,
    /// One port alone.
    pub port: Option<u16>,
    /// One path alone.
    pub path: bool,
}

impl Lost {
    /// Describes it: "port 443", "its scheme and its path".
    #[must_use]
    pub fn describe(self) -> String {
        let parts: Vec<String> = [
            self.scheme.map(|scheme| format!("the scheme `{scheme}`")),
            self.port.map(|port| format!("port {port}")),
            self.path.then(|| String::from("the path")),
        ]
        .into_iter()
        .flatten()
        .collect();
        match parts.as_slice() {
            [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            parts => parts.concat(),
        }
    }
}

/// The host of an entry that says more than a host, and what it says more.
#[must_use]
pub fn lossy(text: &str) -> Option<(&str, Lost)> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => {
            (Some(["http", "https"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?), rest)
        }
        None => (None, text),
    };
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, Some(path)),
        None => (rest, None),
    };
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']')? {
            (host, "") => (host, None),
            (host, after) => (host, Some(after.strip_prefix(':')?)),
        },
        None => match authority.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            _ => (authority, None),
        },
    };
    let number = |text: &str| -> Option<u16> {
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?.filter(|port| *port > 0)
    };
    let port = match port {
        Some(text) => Some(number(text)?),
        None => None,
    };
    // `10.0.0.0/8` is a range, and no address of it is meant alone.
    let range = path.is_some_and(|path| !path.is_empty() && path.bytes().all(|b| b.is_ascii_digit()));
    // What is no path of a URL is a slip of another kind.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%?=&+,;:@".contains(&b);
    if path.is_some_and(|path| !path.bytes().all(plain) || path.split('/').any(|step| step == "..")) {
        return None;
    }
    let lost = Lost { scheme, port, path: path.is_some_and(|path| !path.is_empty()) };
    let says_more = lost.scheme.is_some() || lost.port.is_some() || lost.path;
    (says_more && matches(host) && !(range && host.parse::<IpAddr>().is_ok())).then_some((host, lost))
}

/// Holds an entry of `allow` or `deny` against what pipelock matches: what it says beside its host is lost, which is
/// for a rule to say.
///
/// # Errors
/// What is wrong with it.
pub fn check_entry(text: &str) -> Result<(), ValueError> {
    if lossy(text).is_some() { Ok(()) } else { check(text) }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// Suffixes of names that stand for hosts of a private network: RFC 6762, RFC 8375, ICANN's reservation of
/// `.internal` (2024), and what routers hand out.
const INNER: [&str; 6] = ["internal", "local", "lan", "home", "corp", "home.arpa"];

/// The guard's view of a name in lower case, or of a domain with all `below` it, without looking it up.
#[must_use]
pub fn guarded_name(domain: &str, below: bool) -> Guarded {
    let own = domain == "localhost" || is_below(domain, "localhost");
    if own || (!below && guard::metadata(domain).is_some()) {
        return Guarded::Closed;
    }
    let inner = INNER.iter().any(|suffix| domain == *suffix || is_below(domain, suffix));
    // A name of one label is one of the host's own network; `*.com` is another matter.
    if inner || (!below && !domain.contains('.')) { Guarded::Likely } else { Guarded::No }
}

/// Holds an entry of `private` against what it may be: an allowed host, or where it is, an address or a range for
/// pipelock's `ssrf.ip_allowlist`.
///
/// # Errors
/// What is wrong with it.
pub fn check_upstream(text: &str) -> Result<(), ValueError> {
    let invalid = |message: String, help: &str| ValueError {
        rule: &rule::catalogue::INVALID_VALUE,
        message,
        expected: format!("expected {UPSTREAM}"),
        help: Some(help.to_owned()),
        meant: None,
    };
    let closed = |what: &str| {
        invalid(
            format!("{} cannot be reached: {what}", quote(text)),
            "name the private addresses that the agent needs: 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16, fc00::/7 and parts of them",
        )
    };
    let pattern = HostPattern::new(text.to_owned());
    let Some(network) = pattern.network() else {
        if pattern.guarded() == Guarded::Closed {
            let metadata = guard::metadata(pattern.domain()).is_some();
            return Err(closed(if metadata {
                "a service of metadata, which hands out credentials, stays closed"
            } else {
                "it is the bundle itself"
            }));
        }
        return check(text);
    };
    if network.trunc() != network {
        return Err(ValueError {
            meant: Some(Meant::Text(network.trunc().to_string())),
            ..invalid(
                format!("{} is an address within a range, not the range", quote(text)),
                "pipelock refuses a range whose address has bits behind the prefix",
            )
        });
    }
    match guard::of_network(network) {
        Guarded::Closed => {
            Err(closed("loopback, link-local and multicast addresses and services of metadata stay closed"))
        }
        Guarded::Private => Ok(()),
        Guarded::Likely | Guarded::No => Err(closed("it is no private network, or wider than one")),
    }
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
    if let Ok(address) = text.parse::<IpAddr>() {
        let canonical = address.to_canonical().to_string();
        return (
            "an address is compared as text, and clients write this one otherwise",
            Some(canonical),
            None,
        );
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
