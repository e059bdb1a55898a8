//! The types of arguments and properties: what a text or number must be, and what to say when it is not.

use crate::backend;
use crate::diagnostic::{did_you_mean, one_of, quote};
use crate::engine::{self, Version};
use crate::rules::{self, Rule};
use crate::syntax::Value;

/// What an argument or a property may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A whole number.
    Integer {
        /// The smallest one.
        min: u32,
        /// The largest one.
        max: u32,
        /// What it is, with its article.
        what: &'static str,
    },
    /// The third octet of a bottle's subnet.
    Octet,
    /// One line of text.
    Text,
    /// The name of a bottle, a profile or a sidecar.
    Name,
    /// The name of a repository.
    RepoName,
    /// The name of an environment variable.
    EnvName,
    /// The literal value of an environment variable.
    EnvValue,
    /// A backend's name.
    Backend,
    /// An engine's name.
    Engine,
    /// A version of an engine.
    Version,
    /// A path relative to the file that it stands in.
    RelativePath,
    /// An absolute path on the host.
    AbsolutePath,
    /// A path on the host: absolute, relative, or from `~/` on.
    HostPath,
    /// The path of a packed machine.
    MachinePath,
    /// The path of a directory that is booted.
    Directory,
    /// A container image reference.
    Image,
    /// A host, a wildcard below a domain, or an IP address.
    HostPattern,
    /// The scheme of a URL.
    Scheme,
    /// The path of a URL.
    UrlPath,
    /// An SSH URL of a git repository.
    GitUrl,
    /// An SSH host key.
    HostKey,
    /// A mail address.
    Email,
}

/// Why a value is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// What is wrong, with the value in it.
    pub message: String,
    /// What was expected there.
    pub expected: String,
    /// What to do.
    pub help: Option<String>,
    /// The text that is most likely meant.
    pub meant: Option<String>,
}

impl Problem {
    fn new(rule: &'static Rule, message: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { rule, message: message.into(), expected: expected.into(), help: None, meant: None }
    }

    fn invalid(message: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(&rules::schema::INVALID_VALUE, message, expected)
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn meant(mut self, text: impl Into<String>) -> Self {
        self.meant = Some(text.into());
        self
    }
}

/// The most characters of a name: the shortest limit of any released smolvm (≤ 0.5.14) for a machine's name.
const MAX_NAME: usize = 40;
/// The most bytes of a variable's name, and of its value, that smolvm takes (read in its source, 0.1.0–1.9.3).
const MAX_ENV_NAME: usize = 256;
const MAX_ENV_VALUE: usize = 32 * 1024;
/// The most bytes of any other text: Linux's limit for a path, which no name, URL or key comes near.
const MAX_TEXT: usize = 4096;

impl ValueType {
    /// What it may hold, in words, with its article: "a port between 1 and 65535".
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Integer { min, max, what } => format!("{what} between {min} and {max}"),
            Self::Octet => "an octet between 1 and 254 other than 17".into(),
            Self::Text => "one line of text".into(),
            Self::Name => "a name of lower-case letters, digits and single dashes".into(),
            Self::RepoName => "a repository's name of letters, digits, `.`, `_` and `-`".into(),
            Self::EnvName => "a variable's name of letters, digits and `_`".into(),
            Self::EnvValue => "one line of text without blanks at its ends".into(),
            Self::Backend => one_of(backend::names()),
            Self::Engine => one_of([engine::SMOLVM]),
            Self::Version => "a version such as `1.33.0`".into(),
            Self::RelativePath => "a path relative to this file".into(),
            Self::AbsolutePath => "an absolute path on the host".into(),
            Self::HostPath => "a path on the host".into(),
            Self::MachinePath => "the path of a `.smolmachine` file".into(),
            Self::Directory => "the path of a directory".into(),
            Self::Image => "an image reference with its digest".into(),
            Self::HostPattern => "a host such as `api.example.com`, `*.example.com`, or an IP address".into(),
            Self::Scheme => "a URL scheme such as `postgres`".into(),
            Self::UrlPath => "a URL path that begins with `/`".into(),
            Self::GitUrl => "an SSH URL such as `ssh://git@github.com/acme/api.git`".into(),
            Self::HostKey => "a host key such as `ssh-ed25519 AAAA…`".into(),
            Self::Email => "a mail address".into(),
        }
    }

    /// Whether it is a number.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer { .. } | Self::Octet)
    }

    /// Holds a value against the type.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(self, value: Value<'_>) -> Result<(), Problem> {
        match value {
            Value::String(text) if !self.is_number() => self.check_text(text),
            Value::Integer(number) if self.is_number() => self.check_number(number),
            _ => Err(self.wrong_type(value)),
        }
    }

    fn wrong_type(self, value: Value<'_>) -> Problem {
        let expected = format!("expected {}", self.describe());
        let wrong = |what: &str| Problem::new(&rules::schema::WRONG_TYPE, what, &expected);
        match value {
            Value::String(text) => match text.parse::<i128>() {
                Ok(number) if self.is_number() => {
                    wrong(&format!("{} is a string, not a number", quote(text))).meant(number.to_string())
                }
                _ => wrong(&format!("{} is a string, not a number", quote(text))),
            },
            Value::Integer(number) => {
                wrong(&format!("`{number}` is a number, not a string")).meant(format!("\"{number}\""))
            }
            Value::Float(_) if self.is_number() => wrong("this number is not whole"),
            Value::Float(_) => wrong("this is a number, not a string"),
            Value::Bool(value) if self.is_number() => wrong(&format!("`#{value}` is no number")),
            Value::Bool(value) => wrong(&format!("`#{value}` is no string")).meant(format!("\"{value}\"")),
            Value::Null if self.is_number() => wrong("`#null` is no number"),
            Value::Null => wrong("`#null` is no string"),
        }
    }

    fn check_number(self, number: i128) -> Result<(), Problem> {
        let (min, max) = match self {
            Self::Integer { min, max, .. } => (min, max),
            _ => (1, 254),
        };
        if !(i128::from(min)..=i128::from(max)).contains(&number) {
            return Err(Problem::invalid(
                format!("`{number}` is out of range"),
                format!("expected {}", self.describe()),
            ));
        }
        if self == Self::Octet && number == 17 {
            return Err(Problem::invalid(
                "octet `17` is Docker's own bridge range",
                format!("expected {}", self.describe()),
            )
            .meant("18"));
        }
        Ok(())
    }

    fn check_text(self, text: &str) -> Result<(), Problem> {
        if self == Self::EnvValue {
            return check_env_value(text);
        }
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            return Err(Problem::invalid(
                format!("{} holds the control character U+{:04X}", quote(text), u32::from(c)),
                format!("expected {}", self.describe()),
            ));
        }
        if text.len() > MAX_TEXT {
            return Err(Problem::invalid(
                format!("this text is {} bytes long", text.len()),
                format!("expected at most {MAX_TEXT} bytes"),
            ));
        }
        if text.is_empty() {
            return Err(Problem::invalid("this text is empty", format!("expected {}", self.describe())));
        }
        let expected = || format!("expected {}", self.describe());
        let require = |holds: bool| {
            if holds {
                Ok(())
            } else {
                Err(Problem::invalid(format!("{} is not valid here", quote(text)), expected()))
            }
        };
        match self {
            Self::Integer { .. } | Self::Octet | Self::Text | Self::EnvValue => Ok(()),
            Self::Name => check_name(text),
            Self::RepoName => {
                // Git refuses some of these itself; `.lock` and dots at the edges confuse it or a directory listing.
                let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
                let edges = text.starts_with(['-', '.']) || text.ends_with(['.']) || text.contains("..");
                require(plain && !edges && text.len() <= 100)
            }
            Self::EnvName => check_env_name(text),
            Self::Backend => check_backend(text),
            Self::Engine => {
                if text == engine::SMOLVM {
                    return Ok(());
                }
                Err(Problem::new(
                    &rules::schema::UNKNOWN_ENGINE,
                    format!("unknown engine {}", quote(text)),
                    expected(),
                )
                .meant(engine::SMOLVM))
            }
            Self::Version => match text.parse::<Version>() {
                Ok(_) => Ok(()),
                Err(error) => {
                    let problem =
                        Problem::invalid(format!("{} is no version: {error}", quote(text)), expected());
                    let trimmed = text.trim_start_matches(['v', 'V', '=', ' ']).trim_end();
                    Err(match trimmed.parse::<Version>() {
                        Ok(version) => problem.meant(version.to_string()),
                        Err(_) => problem,
                    })
                }
            },
            Self::RelativePath => {
                if text.starts_with(['/', '~']) {
                    return Err(Problem::invalid(format!("{} is not relative", quote(text)), expected())
                        .help("name the file from the directory of this one on"));
                }
                require(!text.contains('\\'))
            }
            Self::AbsolutePath => {
                let problem = Problem::invalid(format!("{} is not absolute", quote(text)), expected());
                if text.starts_with('/') {
                    return Ok(());
                }
                Err(problem
                    .help("the engine reads the file when the machine starts and takes absolute paths only"))
            }
            Self::HostPath => check_host_path(text),
            Self::Directory => check_boot_path(text),
            Self::MachinePath => {
                check_boot_path(text)?;
                if std::path::Path::new(text).extension().is_some_and(|end| end == "smolmachine") {
                    return Ok(());
                }
                Err(Problem::invalid(format!("{} is no packed machine", quote(text)), expected())
                    .help("an unpacked root file system goes into `rootfs`, a container image into `image`"))
            }
            Self::Image => check_image(text),
            Self::HostPattern => crate::host::check(text),
            Self::Scheme => require(
                text.len() <= 32
                    && text.starts_with(|c: char| c.is_ascii_lowercase())
                    && text
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b)),
            ),
            Self::UrlPath => {
                let problem = Problem::invalid(format!("{} is no URL path", quote(text)), expected());
                if !text.starts_with('/') {
                    return Err(problem.meant(format!("/{text}")));
                }
                // RFC 3986, `pchar`, `/` and the query's `?`; others must be percent-encoded.
                let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%?".contains(&b);
                if text.bytes().all(allowed) {
                    return Ok(());
                }
                Err(problem.help("write blanks and other special characters percent-encoded, such as `%20`"))
            }
            Self::GitUrl => check_git_url(text),
            Self::HostKey => {
                let mut words = text.split(' ');
                let (kind, key, rest) =
                    (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next());
                let known = ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384"];
                let others = [
                    "ecdsa-sha2-nistp521",
                    "sk-ssh-ed25519@openssh.com",
                    "sk-ecdsa-sha2-nistp256@openssh.com",
                ];
                let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
                if (known.contains(&kind) || others.contains(&kind))
                    && !key.is_empty()
                    && key.bytes().all(base64)
                    && rest.is_none()
                {
                    return Ok(());
                }
                Err(Problem::invalid(format!("{} is no host key", quote(text)), expected())
                    .help("`ssh-keyscan HOST` prints it: leave out the host's name, and check it against what the host publishes"))
            }
            Self::Email => {
                let parts = text.split_once('@');
                let plain = !text.contains([' ', '<', '>', '"']);
                require(plain && parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()))
            }
        }
    }
}

/// Names of bottles, profiles and sidecars: safe as a machine's name in every smolvm, as part of a container's name,
/// as a path component and as an argument.
fn check_name(text: &str) -> Result<(), Problem> {
    let problem = |message: &str| {
        let problem = Problem::new(
            &rules::schema::INVALID_NAME,
            format!("{} is not a valid name: {message}", quote(text)),
            format!("expected {}", ValueType::Name.describe()),
        );
        match suggest_name(text) {
            Some(name) => problem.meant(name),
            None => problem,
        }
    };
    if text.len() > MAX_NAME {
        return Err(problem(&format!(
            "it is {} characters long, {MAX_NAME} are allowed",
            text.chars().count()
        )));
    }
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(problem("it must begin with a lower-case letter"));
    }
    if let Some(c) = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        return Err(problem(&format!("{} is not allowed in it", quote(&c.to_string()))));
    }
    if text.contains("--") {
        return Err(problem("it holds `--`"));
    }
    if text.ends_with('-') {
        return Err(problem("it ends with `-`"));
    }
    Ok(())
}

/// The valid name that is nearest to `text`, if it has letters enough for one.
fn suggest_name(text: &str) -> Option<String> {
    if text.len() > 4 * MAX_NAME {
        return None;
    }
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let name = &name[..name.len().min(MAX_NAME)];
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

fn check_env_name(text: &str) -> Result<(), Problem> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let why = if text.len() > MAX_ENV_NAME {
        format!("it is {} bytes long, the engine takes {MAX_ENV_NAME}", text.len())
    } else if text.starts_with(|c: char| c.is_ascii_digit()) {
        String::from("it begins with a digit")
    } else if let Some(c) = text.chars().find(|c| !allowed(*c)) {
        format!("{} is not allowed in it", quote(&c.to_string()))
    } else {
        return Ok(());
    };
    let problem = Problem::new(
        &rules::schema::INVALID_NAME,
        format!("{} is not a valid variable name: {why}", quote(text)),
        format!("expected {}", ValueType::EnvName.describe()),
    );
    let meant = text.replace(['-', '.', ' '], "_");
    let valid = meant.len() <= MAX_ENV_NAME && !meant.starts_with(|c: char| c.is_ascii_digit());
    Err(if valid && meant.chars().all(allowed) { problem.meant(meant) } else { problem })
}

fn check_env_value(text: &str) -> Result<(), Problem> {
    let altered = |message: &str, help: &str| {
        Err(Problem::new(
            &rules::schema::ENV_VALUE_ALTERED,
            message,
            format!("expected {}", ValueType::EnvValue.describe()),
        )
        .help(help)
        .meant(text.trim()))
    };
    if text.len() > MAX_ENV_VALUE {
        return Err(Problem::invalid(
            format!("this value is {} bytes long", text.len()),
            format!("the engine takes {MAX_ENV_VALUE} bytes at most"),
        ));
    }
    // `trim` cuts what Unicode calls white space, exactly as the engine does.
    if text.trim_end() != text {
        return altered(
            "the engine would cut the white space at the end of this value",
            "smolvm trims each `NAME=value` entry before it splits it; leave the white space out, or encode the value",
        );
    }
    if text.trim_start() != text {
        return altered(
            "the white space at the start of this value may be lost",
            "the engine keeps it, other readers of an environment file do not; leave it out, or encode the value",
        );
    }
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\t') {
        return Err(Problem::invalid(
            format!("this value holds the control character U+{:04X}", u32::from(c)),
            format!("expected {}", ValueType::EnvValue.describe()),
        )
        .help("an environment file has one line a variable; encode the value, for example in base64"));
    }
    Ok(())
}

fn check_backend(text: &str) -> Result<(), Problem> {
    if backend::find(text).is_some() {
        return Ok(());
    }
    let problem = Problem::new(
        &rules::schema::UNKNOWN_BACKEND,
        format!("unknown backend {}", quote(text)),
        format!("expected {}", ValueType::Backend.describe()),
    );
    Err(if text == "gvproxy" {
        problem.help(
            "the gvproxy design is retired: `smolmachines` confines by the engine's own allow list, without a \
             gateway process",
        )
        .meant(backend::DEFAULT)
    } else {
        match did_you_mean(text, backend::names()) {
            Some(name) => problem.meant(name),
            None => problem,
        }
    })
}

/// A path that becomes an argument of a program: it must not look like an option, nor like a home directory that
/// only a shell knows.
fn check_host_path(text: &str) -> Result<(), Problem> {
    let invalid = |message: &str| {
        Problem::invalid(
            format!("{} {message}", quote(text)),
            format!("expected {}", ValueType::HostPath.describe()),
        )
    };
    if text.starts_with('-') {
        return Err(invalid("begins with a dash and would be read as an option").meant(format!("./{text}")));
    }
    if text.starts_with('~') && !text.starts_with("~/") {
        return Err(invalid("names another user's home").help("write the absolute path"));
    }
    if text.trim() != text {
        return Err(invalid("begins or ends with a blank"));
    }
    Ok(())
}

/// A path that the engine opens: it takes no `~`, which only a shell expands.
fn check_boot_path(text: &str) -> Result<(), Problem> {
    check_host_path(text)?;
    if text.starts_with('~') {
        let expected = "expected an absolute path, or one relative to this file";
        return Err(Problem::invalid(format!("{} would not be found", quote(text)), expected)
            .help("the engine takes the path as it is, and only a shell knows what `~` is"));
    }
    Ok(())
}

/// An image reference: host, path, tag and digest, by the grammar of the OCI distribution specification, but for the
/// limits of each part's length.
fn check_image(text: &str) -> Result<(), Problem> {
    let expected = || format!("expected {}", ValueType::Image.describe());
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    let path_bytes = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let mut parts: Vec<&str> = rest.split('/').collect();
    let mut last = parts.pop().unwrap_or("");
    let mut tag = None;
    if let Some((name, given)) = last.split_once(':') {
        (last, tag) = (name, Some(given));
    }
    let named = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(path_bytes)
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let host = |part: &&str| {
        let (name, port) = part.split_once(':').map_or((*part, None), |(name, port)| (name, Some(port)));
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && port.is_none_or(|port| port.parse::<u16>().is_ok())
    };
    let path_ok = named(&last)
        && parts.iter().skip(1).all(named)
        && parts.first().is_none_or(|first| named(first) || host(first));
    let tag_ok = tag.is_none_or(|tag| {
        !tag.is_empty()
            && tag.len() <= 128
            && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && !tag.starts_with(['.', '-'])
    });
    if !path_ok || !tag_ok {
        return Err(Problem::invalid(format!("{} is no image reference", quote(text)), expected()).help(
            "it is written `registry.example.com/path/name:tag@sha256:…`, in lower case but for the tag",
        ));
    }
    let hex =
        |digest: &str| digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match digest.map(|digest| digest.strip_prefix("sha256:")) {
        None => Ok(()),
        Some(Some(digest)) if hex(digest) => Ok(()),
        Some(_) => Err(Problem::invalid(format!("the digest of {} is none", quote(text)), expected())
            .help("a digest is `sha256:` and 64 digits of lower-case hexadecimal")),
    }
}

fn check_git_url(text: &str) -> Result<(), Problem> {
    let expected = format!("expected {}", ValueType::GitUrl.describe());
    let invalid = |message: &str| Problem::invalid(format!("{} {message}", quote(text)), expected.clone());
    for scheme in ["https://", "http://", "git://", "file://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            let problem = invalid("does not go over SSH")
                .help("git-gate pushes over SSH with a key that the agent never sees; any other way would go round it");
            return Err(match rest.split_once('/') {
                Some((host, path)) if scheme.starts_with("http") && !host.contains('@') => {
                    problem.meant(format!("ssh://git@{host}/{path}"))
                }
                _ => problem,
            });
        }
    }
    // `ssh://user@host:port/path` or `user@host:path`; the alphabet is that of names, so nothing reaches a shell.
    let (authority, path) = match text.strip_prefix("ssh://") {
        Some(rest) => match rest.split_once('/') {
            Some((authority, path)) => (authority, path),
            None => return Err(invalid("has no path")),
        },
        None => match text.split_once(':') {
            Some((authority, path)) if authority.contains('@') => (authority, path),
            _ => return Err(invalid("is no SSH URL")),
        },
    };
    let (user, host_port) = authority.split_once('@').unwrap_or(("git", authority));
    let (host, port) = host_port.split_once(':').map_or((host_port, None), |(host, port)| (host, Some(port)));
    let word = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    if !word(user, b"._-") || !word(host, b".-") {
        return Err(invalid("has no plain user and host"));
    }
    if port.is_some_and(|port| !matches!(port.parse::<u16>(), Ok(1..))) {
        return Err(invalid("has a port that is none"));
    }
    let path_ok =
        path.trim_start_matches(['/', '~']).split('/').all(|part| word(part, b"._-") && part != "..");
    if !path_ok {
        return Err(invalid("has a path with other characters than letters, digits, `.`, `_`, `-` and `/`"));
    }
    Ok(())
}
