//! Targets of `reach` and `expect`: a host or an address, perhaps with a port, or a request to one; and verdicts.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rule::{self, Meant, ValueError};
use crate::text::quote;
use crate::world::broker::METHODS;
use crate::world::pipelock::name;

/// The verdict on a target, from the narrowest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Verdict {
    /// The agent cannot reach it.
    Refused,
    /// It depends on what is not known here: what a name resolves to. No spec expects that.
    #[serde(skip)]
    Depends,
    /// The agent can reach it.
    Allowed,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Depends => "depends",
            Self::Refused => "refused",
        }
    }
}

/// The host of a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetHost {
    /// A name, in lower case.
    Name(String),
    /// An address, in its plain form.
    Address(IpAddr),
}

/// What a target is, in words.
pub const TARGET: &str = "a host such as `api.example.com` or `10.0.0.1:22`, or a request such as `POST \
                          https://api.example.com/v1/items`";

/// The scheme of a request: the broker speaks no other one.
const SCHEME: &str = "https://";

/// Its port.
const HTTPS: u16 = 443;

/// One thing that an agent may try to reach.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The host.
    pub host: TargetHost,
    /// The port; without one, any.
    pub port: Option<u16>,
    /// The host as a client spells it to a proxy, in lower case and without brackets: proxies compare texts.
    pub spelling: String,
    /// What is asked of it; without one, anything.
    pub request: Option<Request>,
}

/// A request to a host, over TLS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Its method; without one, any.
    pub method: Option<String>,
    /// Its path, as a client writes it and without a query.
    pub path: String,
}

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {why}", quote(text))]
pub struct TargetError {
    text: String,
    why: &'static str,
    /// What is most likely meant.
    pub meant: Option<String>,
}

impl Target {
    /// Holds a text of a spec against what a target is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(text: &str) -> Result<(), ValueError> {
        let Err(error) = text.parse::<Self>() else { return Ok(()) };
        Err(ValueError {
            rule: &rule::catalogue::INVALID_VALUE,
            message: error.to_string(),
            expected: format!("expected {TARGET}"),
            help: None,
            meant: error.meant.map(Meant::Text),
        })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let (method, rest) = method(text);
        match rest.strip_prefix(SCHEME) {
            Some(url) => Self::request(method, url),
            None if method.is_some() => Err("is no request: behind its method it has no `https://`"),
            None => Self::host(text),
        }
    }

    /// A request, of what stands behind its scheme.
    fn request(method: Option<&str>, url: &str) -> Result<Self, &'static str> {
        if method.is_some_and(|method| !METHODS.contains(&method)) {
            return Err("begins with no method such as `GET`, in capital letters");
        }
        if url.contains(['?', '#']) {
            return Err("has a query, which no list of paths looks at");
        }
        let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        if authority.contains('@') {
            return Err("has a login before its host");
        }
        if !path.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("has a path with characters that stand in none: percent-encode them");
        }
        let target = Self::host(authority)?;
        let path = if path.is_empty() { "/" } else { path };
        let request = Request { method: method.map(str::to_owned), path: path.to_owned() };
        Ok(Self { port: target.port.or(Some(HTTPS)), request: Some(request), ..target })
    }

    fn host(text: &str) -> Result<Self, &'static str> {
        if text.contains("://") {
            return Err("has a scheme: a request is asked for with `https://`, and a host without one");
        }
        if text.contains('/') {
            return Err("is no host: a path is asked for with `https://` before its host");
        }
        let (host, port) = split(text)?;
        let spelling = host.to_ascii_lowercase();
        // What a resolver reads as an address without asking anybody, such as `0x7f.1`, is one.
        let numeric = || name::numeric(host).map(IpAddr::from);
        if let Some(address) = host.parse::<IpAddr>().ok().or_else(numeric) {
            return Ok(Self {
                host: TargetHost::Address(address.to_canonical()),
                port,
                spelling,
                request: None,
            });
        }
        if text.starts_with('[') {
            return Err("holds no address between its brackets");
        }
        if host.starts_with("*.") || host == "*" {
            return Err("stands for many hosts: ask for one of them");
        }
        // DNS writes a whole name with a dot at its end.
        let name = spelling.strip_suffix('.').unwrap_or(&spelling);
        if super::check(name).is_err() {
            return Err("is no host name and no address");
        }
        Ok(Self { host: TargetHost::Name(name.to_owned()), port, spelling, request: None })
    }

    /// A name, in lower case.
    #[must_use]
    pub fn name(name: String, port: Option<u16>) -> Self {
        Self { spelling: name.clone(), host: TargetHost::Name(name), port, request: None }
    }

    /// An address, in its plain form.
    #[must_use]
    pub fn address(address: IpAddr, port: Option<u16>) -> Self {
        Self { host: TargetHost::Address(address), port, spelling: address.to_string(), request: None }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        Self::read(text).map_err(|why| {
            let (method, url) = method(text);
            if method.is_some() || url.starts_with(SCHEME) {
                return TargetError { text: text.to_owned(), why, meant: meant_request(method, url) };
            }
            // A URL that was pasted, or a name as DNS writes it.
            let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
            let host = rest.split(['/', '?', '#']).next().unwrap_or("");
            let host = host.rsplit('@').next().unwrap_or("").trim().trim_end_matches('.');
            let meant = Self::read(host).ok().filter(|_| host != text).map(|mut meant| {
                let default = [("https", 443), ("http", 80), ("ssh", 22), ("git", 9418)];
                let known = default.into_iter().find(|(name, _)| *name == scheme);
                meant.port = meant.port.or(known.map(|(_, port)| port));
                meant.to_string()
            });
            TargetError { text: text.to_owned(), why, meant }
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host: _, port, spelling, request } = self;
        if let Some(Request { method, path }) = request {
            let method = method.as_ref().map(|method| format!("{method} ")).unwrap_or_default();
            let host = if spelling.contains(':') { format!("[{spelling}]") } else { spelling.clone() };
            let port = port.filter(|port| *port != HTTPS).map(|port| format!(":{port}")).unwrap_or_default();
            return write!(f, "{method}{SCHEME}{host}{port}{path}");
        }
        match port {
            None => f.write_str(spelling),
            Some(port) if spelling.contains(':') => write!(f, "[{spelling}]:{port}"),
            Some(port) => write!(f, "{spelling}:{port}"),
        }
    }
}

/// The word before a URL, or a method before anything, and what stands behind it.
fn method(text: &str) -> (Option<&str>, &str) {
    let split = text.split_once(' ').map(|(word, rest)| (word, rest.trim_start()));
    let is_request = |word: &str, rest: &str| {
        rest.starts_with(SCHEME) || METHODS.iter().any(|method| method.eq_ignore_ascii_case(word))
    };
    match split.filter(|(word, rest)| is_request(word, rest)) {
        Some((word, rest)) => (Some(word), rest),
        None => (None, text),
    }
}

/// The request that is most likely meant by a text that is none.
fn meant_request(method: Option<&str>, url: &str) -> Option<String> {
    let url = url.strip_prefix(SCHEME).unwrap_or(url);
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let end = url.find('/').unwrap_or(url.len());
    let start = url[..end].rfind('@').map_or(0, |at| at + 1);
    let method = method.map(str::to_ascii_uppercase);
    Some(Target::request(method.as_deref(), &url[start..]).ok()?.to_string())
}

/// The host and the port of `host`, `host:port`, `[address]` and `[address]:port`.
fn split(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let number = |text: &str| -> Result<u16, &'static str> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let port = digits.then(|| text.parse().ok()).flatten().filter(|port| *port > 0);
        port.ok_or("has a port that is none: it is a number between 1 and 65535")
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("has no closing bracket")?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(number(port)?))),
            None if after.is_empty() => Ok((host, None)),
            None => Err("has something behind its bracket"),
        };
    }
    match text.split_once(':') {
        // Two colons are an address of version 6.
        Some((host, port)) if !port.contains(':') => Ok((host, Some(number(port)?))),
        _ => Ok((text, None)),
    }
}
