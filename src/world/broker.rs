//! The broker of credentials: what a `credential` may name, and how a request is told from what its list holds.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::host::HostPattern;
use super::pipelock::guard::{self, Guarded};
use crate::rule::ValueError;
use crate::text::quote;

/// The image that the broker runs in when the spec names none, by its tag: which digest it has could not be read where
/// this was written, since no registry is reached from there. The official image of the version that the configuration
/// was run with.
pub const IMAGE: &str = "docker.io/library/caddy:2.11.7-alpine";

/// The variable by which the machine's engine is given the launch's token, and `compose.yaml` the directory of what only
/// the broker sees. `up` sets both.
pub const TOKEN: &str = "BOTTLE_TOKEN";
/// See [`TOKEN`].
pub const DIRECTORY: &str = "BOTTLE_BROKER";

/// Where the broker's container sees that directory.
pub const MOUNT: &str = "/run/broker";

/// The path at which it says that it runs, to whoever asks. No credential has such a name.
pub const HEALTHY: &str = "/-/healthy";

/// The file in it that holds the launch's token.
pub const TOKEN_FILE: &str = "token";

/// The methods that a list may name. The others either open a tunnel or hand back what was sent.
pub const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// What an upstream is, in words.
pub const UPSTREAM: &str = "an HTTPS URL such as `https://api.example.com`";

/// What an entry of a list is, in words.
pub const METHOD_OR_PATH: &str = "a method such as `GET`, or a path such as `/v1/items/*`";

/// Variables in which programs look for a key, and the built-in profile that has the broker hold it.
static PRESETS: &[(&str, &str)] = &[
    ("ANTHROPIC_API_KEY", "std/anthropic"),
    ("GEMINI_API_KEY", "std/gemini"),
    ("GH_TOKEN", "std/github-read"),
    ("GITHUB_TOKEN", "std/github-read"),
    ("GITLAB_TOKEN", "std/gitlab-read"),
    ("OPENAI_API_KEY", "std/openai"),
];

/// Returns the variables in which programs look for a key that the broker can hold.
pub fn keys() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(variable, _)| *variable)
}

/// Returns the built-in profile that has the broker hold what a variable is for.
#[must_use]
pub fn preset_of(variable: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(name, _)| *name == variable).map(|(_, preset)| *preset)
}

/// Header fields that belong to the connection, or that say to whom a request goes: none of them holds a credential.
const NOT_CREDENTIALS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Hosts, and domains of hosts, that answer with the headers that they were sent: what is set here is read there. Each says
/// so on its own front page (2026).
pub static ECHOES: &[&str] = &[
    "beeceptor.com",
    "echo.free.beeceptor.com",
    "httpbin.dev",
    "httpbin.org",
    "httpbingo.org",
    "postman-echo.com",
    "reqbin.com",
    "webhook.site",
];

/// Where a credential is sent to: its host, its port, and the path under which all of its requests lie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ApiUrl {
    /// A name or an address, in lower case.
    pub host: HostPattern,
    /// The port.
    pub port: u16,
    /// Empty, or from `/` on and without one at its end.
    pub base: String,
}

/// The port of `https`.
const HTTPS: u16 = 443;

impl ApiUrl {
    /// Returns host and port as a URL has them: the port only if it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let Self { host, port, base: _ } = self;
        let host = if host.as_str().contains(':') { format!("[{host}]") } else { host.to_string() };
        if *port == HTTPS { host } else { format!("{host}:{port}") }
    }

    /// Whether nothing can make it an upstream; with the reason as the end of a sentence.
    #[must_use]
    pub fn refused(&self) -> Option<&'static str> {
        if guard::metadata(self.host.domain()).is_some() {
            return Some("hands out credentials of the cloud that the host runs in");
        }
        (self.host.guarded() == Guarded::Closed).then_some("is the bundle itself, or no host at all")
    }

    /// Whether it is on a private network, as far as its name tells.
    #[must_use]
    pub fn is_private(&self) -> bool {
        matches!(self.host.guarded(), Guarded::Private | Guarded::Likely)
    }

    /// Whether its host is known to answer with what it was sent.
    #[must_use]
    pub fn echoes(&self) -> bool {
        let host = self.host.as_str();
        ECHOES.iter().any(|echo| {
            host.strip_suffix(echo).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.authority(), self.base)
    }
}

impl From<ApiUrl> for String {
    fn from(url: ApiUrl) -> Self {
        url.to_string()
    }
}

impl TryFrom<String> for ApiUrl {
    type Error = ApiUrlError;

    fn try_from(text: String) -> Result<Self, ApiUrlError> {
        text.parse()
    }
}

/// Why a text is no upstream of a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{subject} {why}")]
pub struct ApiUrlError {
    /// The text, or what stands for one that may hold a password.
    subject: String,
    why: &'static str,
    /// What is most likely meant.
    pub meant: Option<String>,
}

impl FromStr for ApiUrl {
    type Err = ApiUrlError;

    fn from_str(text: &str) -> Result<Self, ApiUrlError> {
        let error = |why, meant| ApiUrlError { subject: quote(text), why, meant };
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(error(
                "has no scheme",
                ApiUrl::from_str(&format!("https://{text}")).ok().map(String::from),
            ));
        };
        if !scheme.eq_ignore_ascii_case("https") {
            let meant = ApiUrl::from_str(&format!("https://{rest}")).ok().map(String::from);
            return Err(error("does not go over TLS: the credential would be read on its way", meant));
        }
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        if authority.contains('@') {
            // Not repeated: it may hold a password.
            let subject = String::from("this URL");
            return Err(ApiUrlError {
                subject,
                why: "names a user: who asks is the credential's matter",
                meant: None,
            });
        }
        if path.contains(['?', '#']) {
            return Err(error(
                "has a query or a fragment: an upstream is the beginning of all its requests",
                None,
            ));
        }
        let base = path.trim_end_matches('/');
        if !base.is_empty() && !base.split('/').skip(1).all(is_literal) {
            return Err(error("has a path that a server may read in two ways", None));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            None => HTTPS,
            Some(port) => match port.parse() {
                Ok(port @ 1..) if port.to_string().len() == authority.len() - host.len() - 1 => port,
                _ => return Err(error("has a port that is none: it is a number between 1 and 65535", None)),
            },
        };
        if host.starts_with('*') {
            return Err(error(
                "stands for many hosts, and each of them would be sent the credential: name the one",
                None,
            ));
        }
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bracketed.unwrap_or(host).to_ascii_lowercase();
        let address = host.parse::<IpAddr>();
        let fits = match bracketed {
            Some(_) => matches!(address, Ok(IpAddr::V6(_))),
            None => !matches!(address, Ok(IpAddr::V6(_))) && super::host::check(&host).is_ok(),
        };
        if !fits {
            return Err(error("has no host name and no address", None));
        }
        let host = address.map_or(host, |address| address.to_canonical().to_string());
        Ok(Self { host: HostPattern::new(host), port, base: base.to_owned() })
    }
}

/// Holds a text of a spec against what an upstream is.
///
/// # Errors
/// What is wrong with it.
pub fn check_upstream(text: &str) -> Result<(), ValueError> {
    let Err(error) = text.parse::<ApiUrl>() else { return Ok(()) };
    let problem = ValueError::invalid(error.to_string(), format!("expected {UPSTREAM}"));
    Err(match error.meant {
        Some(meant) => problem.meant(meant),
        None => problem,
    })
}

/// Holds a text of a spec against what the field of a header is that holds a credential.
///
/// # Errors
/// What is wrong with it.
pub fn check_header(text: &str) -> Result<(), ValueError> {
    let expected = "expected the name of a header field such as `x-api-key`";
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if !text.bytes().all(plain) || text.starts_with('-') || text.len() > 64 {
        return Err(ValueError::invalid(format!("{} is no name of a header field", quote(text)), expected));
    }
    let lower = text.to_ascii_lowercase();
    if NOT_CREDENTIALS.contains(&lower.as_str()) || lower.starts_with("x-forwarded-") {
        return Err(ValueError::invalid(format!("{} is no field for a credential", quote(text)), expected)
            .help("it says how the request travels, which is the broker's matter"));
    }
    if lower == "cookie" {
        return Err(ValueError::invalid("a cookie is no credential that the broker sets", expected)
            .help("name the field in which the API takes a key or a token"));
    }
    Ok(())
}

/// Holds a text of a spec against what the user of a login is.
///
/// # Errors
/// What is wrong with it.
pub fn check_user(text: &str) -> Result<(), ValueError> {
    if text.contains(':') || text.len() > 256 {
        return Err(ValueError::invalid(
            format!("{} is no user of a login", quote(text)),
            "expected a user without `:`, which ends it",
        ));
    }
    Ok(())
}

/// Holds a text of a spec against what a list of requests names.
///
/// # Errors
/// What is wrong with it.
pub fn check_method_or_path(text: &str) -> Result<(), ValueError> {
    let problem = |message: String| ValueError::invalid(message, format!("expected {METHOD_OR_PATH}"));
    if !text.starts_with('/') {
        if METHODS.contains(&text) {
            return Ok(());
        }
        let upper = text.to_ascii_uppercase();
        if METHODS.contains(&upper.as_str()) {
            return Err(
                problem(format!("{} is no method: methods are told by their case", quote(text))).meant(upper)
            );
        }
        if matches!(text, "CONNECT" | "TRACE") {
            return Err(problem(format!("{} is never let through", quote(text)))
                .help("it opens a tunnel, or hands back what was sent, the credential among it"));
        }
        if text.contains("://") {
            return Err(problem(format!("{} is a URL", quote(text)))
                .help("write its path alone: the host is that of `upstream`"));
        }
        let meant = crate::text::did_you_mean(&upper, METHODS.iter().copied());
        let problem = problem(format!("{} is no method and no path", quote(text)));
        return Err(match meant {
            Some(meant) => problem.meant(meant),
            None => problem,
        });
    }
    PathPattern::parse(text).map(drop).map_err(|why| problem(format!("{} {why}", quote(text))))
}

/// The characters of a path that stand for themselves, wherever they are (RFC 3986, `pchar`).
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&b)
}

/// Whether a segment is one that every server reads alike: no dots that lead upwards, percent-encoded only what must be, and
/// that in capital letters. A slash may be encoded; what lies between two is held to the same, since a server that decodes
/// them sees segments there.
fn is_literal(segment: &str) -> bool {
    if segment.split("%2F").any(leads_elsewhere) {
        return false;
    }
    let mut bytes = Vec::with_capacity(segment.len());
    for unit in units(segment) {
        match unit.as_bytes() {
            [plain] if is_plain(*plain) => bytes.push(*plain),
            [b'%', digits @ ..] if digits.len() == 2 => {
                let is_upper = digits.iter().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b));
                let Ok(code) = u8::from_str_radix(&unit[1..], 16) else { return false };
                if !is_upper || is_unreserved(code) || code < b' ' || matches!(code, b'%' | b'\\' | 0x7f) {
                    return false;
                }
                bytes.push(code);
            }
            _ => return false,
        }
    }
    // Overlong encodings are how a dot or a slash is hidden from who reads bytes.
    std::str::from_utf8(&bytes).is_ok()
}

/// Whether what lies between two slashes is nothing, or nothing but dots and blanks, which some servers cut off: `;` begins
/// parameters, which others cut off.
fn leads_elsewhere(part: &str) -> bool {
    let before = part.split(';').next().unwrap_or_default();
    let before = before.split("%3B").next().unwrap_or_default();
    before.replace("%20", ".").bytes().all(|b| b == b'.')
}

/// The characters of a segment, a percent-encoding being one.
fn units(segment: &str) -> impl Iterator<Item = &str> {
    let mut rest = segment;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let length = if first == '%' && rest.is_char_boundary(3) { 3 } else { first.len_utf8() };
        let (unit, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        Some(unit)
    })
}

/// What is never percent-encoded (RFC 3986).
fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~".contains(&b)
}

/// The paths that an entry of a list lets through: `*` is one or more characters inside of a segment, and `**` as the last
/// segment is one or more segments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PathPattern(String);

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(rest) = text.strip_prefix('/') else { return Err("does not begin with `/`") };
        if text.contains(['?', '#']) {
            return Err("has a query: a list names paths, and each query of theirs is let through");
        }
        let segments: Vec<&str> = rest.split('/').collect();
        for (at, segment) in segments.iter().enumerate() {
            let last = at + 1 == segments.len();
            if last && (segment.is_empty() || *segment == "**") {
                continue;
            }
            if segment.contains("**") {
                return Err("has a `**` that is not its last segment");
            }
            if segment.is_empty() {
                return Err("has an empty segment");
            }
            if segment.contains('*') && segment.contains("%2F") {
                return Err("has a `*` beside a `%2F`, which it never stands for: write the segment out");
            }
            if !is_literal(segment) {
                return Err(
                    "has a segment that a server may read in two ways: percent-encode, with capital letters, what \
                            is neither a letter, a digit nor one of `-._~!$&'()+,;=:@`, and nothing else",
                );
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the pattern of every path but that of the upstream itself.
    #[must_use]
    pub fn everything() -> Self {
        Self(String::from("/**"))
    }

    /// Returns it as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it lets through everything that another one does. Where one segment of each has a `*` beside other
    /// characters, only what is the same text is taken for covered.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let mut own = self.0[1..].split('/').peekable();
        let mut others = other.0[1..].split('/').peekable();
        while let Some(this) = own.next() {
            let rest = this == "**" && own.peek().is_none();
            let Some(that) = others.next() else { return false };
            if rest {
                return stands_for_some(that) && others.all(|that| that.is_empty() || stands_for_some(that));
            }
            let covered = match (this.contains('*'), that.contains('*')) {
                _ if this == that => true,
                (_, true) => this == "*" && that != "**" && stands_for_one(that),
                (true, false) => stands_for_one(that) && fits(this, that),
                (false, false) => false,
            };
            if !covered {
                return false;
            }
        }
        others.next().is_none()
    }

    /// Whether it lets through a path, as a client writes it in its request and without the query. The broker's
    /// configuration says the same in regular expressions.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else { return false };
        let mut segments = path.split('/');
        let mut parts = self.0[1..].split('/').peekable();
        while let Some(part) = parts.next() {
            if part == "**" && parts.peek().is_none() {
                let mut rest = segments.by_ref().peekable();
                let mut some = false;
                while let Some(segment) = rest.next() {
                    // One at the end is a slash.
                    if !(is_request_segment(segment) || segment.is_empty() && some && rest.peek().is_none()) {
                        return false;
                    }
                    some = true;
                }
                return some;
            }
            let Some(segment) = segments.next() else { return false };
            let fits = if part.contains('*') {
                let upper = upper_hex(segment);
                is_request_segment(segment) && !upper.contains("%2F") && fits(part, segment)
            } else {
                part == segment
            };
            if !fits {
                return false;
            }
        }
        segments.next().is_none()
    }
}

/// Whether all that a segment of a pattern lets through is what a `*` takes.
fn stands_for_one(segment: &str) -> bool {
    stands_for_some(segment) && !segment.contains("%2F")
}

/// Whether all that a segment of a pattern lets through is what a `**` takes.
fn stands_for_some(segment: &str) -> bool {
    is_request_segment(&segment.replace('*', "x"))
}

/// Whether `**` stands for a segment of a request: one that every server reads alike, and in which nothing is encoded that
/// ends a path where it is decoded. Clients write hexadecimal digits in either case.
fn is_request_segment(segment: &str) -> bool {
    let segment = upper_hex(segment);
    is_literal(&segment) && !["%23", "%3B", "%3F"].iter().any(|end| segment.contains(end))
}

/// A segment with the hexadecimal digits of its percent-encodings as capital letters.
fn upper_hex(segment: &str) -> String {
    let upper = |unit: &str| if unit.starts_with('%') { unit.to_ascii_uppercase() } else { unit.to_owned() };
    units(segment).map(upper).collect()
}

/// Whether a segment fits one with `*` in it, each of which is one or more characters.
fn fits(pattern: &str, segment: &str) -> bool {
    let mut parts = pattern.split('*').map(|part| units(part).collect::<Vec<_>>());
    let segment: Vec<_> = units(segment).collect();
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = segment.strip_prefix(&first[..]) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let [_, after @ ..] = rest else { return false };
        if parts.peek().is_none() {
            return after.ends_with(&part);
        }
        // The earliest place leaves the most for what follows.
        let Some(at) = (0..=after.len()).find(|at| after[*at..].starts_with(&part)) else { return false };
        rest = &after[at + part.len()..];
    }
    rest.is_empty()
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
