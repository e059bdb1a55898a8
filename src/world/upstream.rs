//! The SSH address of a repository, parsed from each form in which it may be written.

use std::fmt;

/// The user of a URL that names none, as every forge has it.
const DEFAULT_USER: &str = "git";

/// The port of a URL that names none.
const DEFAULT_PORT: u16 = 22;

/// A repository on another host. It prints as git takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upstream<'a> {
    /// The user on the host.
    pub user: &'a str,
    /// The host, as it is written.
    pub host: &'a str,
    /// The port of its SSH server.
    pub port: u16,
    /// The path, with the slash that it may begin with.
    path: &'a str,
    /// Whether it is written `user@host:path`: a path without a slash then begins in the user's home.
    short: bool,
}

impl<'a> Upstream<'a> {
    /// Reads a URL that the language takes (`ValueType::GitUrl`); of any other one, nothing.
    #[must_use]
    pub fn parse(url: &'a str) -> Option<Self> {
        let (authority, path, short) = if let Some(rest) = url.strip_prefix("ssh://") {
            let (authority, path) = rest.split_at(rest.find('/')?);
            (authority, path, false)
        } else {
            let (authority, path) = url.split_once(':')?;
            (authority, path, true)
        };
        let (user, host) = authority.split_once('@').unwrap_or((DEFAULT_USER, authority));
        let (host, port) = match host.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (host, DEFAULT_PORT),
        };
        (!host.is_empty()).then_some(Self { user, host, port, path, short })
    }

    /// Its path as a forge knows it: without the slash before it, and without `.git` after it.
    #[must_use]
    pub fn stem(&self) -> &'a str {
        let path = self.path.trim_start_matches('/');
        path.strip_suffix(".git").unwrap_or(path)
    }

    /// What two names of one repository have in common: host, port and stem. Hosts ignore case, and so do the forges.
    #[must_use]
    pub fn key(&self) -> (String, u16, String) {
        (self.host.to_ascii_lowercase(), self.port, self.stem().to_ascii_lowercase())
    }

    /// The host's name in a file of known hosts: in brackets with any port but the usual one.
    #[must_use]
    pub fn known_host(&self) -> String {
        let host = self.host.to_ascii_lowercase();
        if self.port == DEFAULT_PORT { host } else { format!("[{host}]:{}", self.port) }
    }

    /// Every way in which somebody may write it: over SSH in both forms, over HTTPS, HTTP and git's own protocol; with
    /// and without `.git`, the user and the usual port.
    #[must_use]
    pub fn spellings(&self) -> Vec<String> {
        let Self { user, port, path: _, short: _, .. } = self;
        let (host, stem) = (self.host.to_ascii_lowercase(), self.stem());
        let usual = *port == DEFAULT_PORT;
        let mut spellings = Vec::new();
        for end in ["", ".git"] {
            for user in [format!("{user}@"), String::new()] {
                spellings.push(format!("ssh://{user}{host}:{port}/{stem}{end}"));
                if usual {
                    spellings.push(format!("ssh://{user}{host}/{stem}{end}"));
                    spellings.push(format!("{user}{host}:{stem}{end}"));
                    spellings.push(format!("{user}{host}:/{stem}{end}"));
                }
                spellings.push(format!("https://{user}{host}/{stem}{end}"));
            }
            spellings.push(format!("http://{host}/{stem}{end}"));
            spellings.push(format!("git://{host}/{stem}{end}"));
        }
        spellings.sort();
        spellings
    }
}

impl fmt::Display for Upstream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, host, port, path, short } = self;
        match (*short, *port) {
            (true, _) => write!(f, "{user}@{host}:{path}"),
            (false, DEFAULT_PORT) => write!(f, "ssh://{user}@{host}{path}"),
            (false, port) => write!(f, "ssh://{user}@{host}:{port}{path}"),
        }
    }
}
