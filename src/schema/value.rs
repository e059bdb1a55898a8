//! The types of arguments and properties: what a text or number must be, and what to say when it is not.

use super::{path, regex, text, url};
use crate::rule::{self, LevelSource, Setting, ValueError};
use crate::syntax::{Value, quoted_string};
use crate::text::{is_unsafe_to_show, one_of, quote};
use crate::world::{backend, engine, host, secret_scanner};

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
    /// One argument of a program: one line of text, which may be empty.
    Argument,
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
    /// A directory on the host that is used for nothing else.
    OwnDirectory,
    /// The path of a packed machine.
    MachinePath,
    /// The path of a directory that is booted.
    Directory,
    /// A container image reference.
    Image,
    /// A host, a wildcard below a domain, or an IP address.
    HostPattern,
    /// The same, perhaps with more than can be held: a port, a path, a scheme.
    HostEntry,
    /// A host or an address, perhaps with a port.
    Target,
    /// A rule that a spec may accept.
    AcceptableRule,
    /// A rule whose level a spec may set so.
    Rule {
        /// To what.
        set: Setting,
    },
    /// A host on a private network, a wildcard below a domain, an IP address, or a range of them.
    Upstream,
    /// A regular expression that Go takes.
    Regex,
    /// The name of a pattern.
    PatternName,
    /// One of a few words.
    Choice {
        /// The words.
        words: &'static [&'static str],
        /// What they are, without an article.
        what: &'static str,
    },
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
    /// The user, and the group, that a container's program runs as.
    ContainerUser,
    /// An absolute path inside of a container.
    ContainerPath,
    /// A volume's name, or a path on the host.
    VolumeSource,
    /// The name of a secret scanner.
    Scanner,
}

/// The most bytes of any other text: Linux's limit for a path, which no name, URL or key comes near.
const MAX_TEXT: usize = 4096;

impl ValueType {
    /// What it may hold, in words, with its article: "a port between 1 and 65535".
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Integer { min, max, what } => format!("{what} between {min} and {max}"),
            Self::Octet => "an octet between 1 and 254 other than 17".into(),
            Self::Text | Self::Argument => "one line of text".into(),
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
            Self::OwnDirectory => "a directory of its own on the host".into(),
            Self::MachinePath => "the path of a `.smolmachine` file".into(),
            Self::Directory => "the path of a directory".into(),
            Self::Image => "an image reference with its digest".into(),
            Self::HostPattern | Self::HostEntry => host::PATTERN.into(),
            Self::Upstream => host::UPSTREAM.into(),
            Self::Target => host::TARGET.into(),
            Self::AcceptableRule => one_of(rule::acceptable()),
            Self::Rule { set: Setting::Allow } => "a rule that is a warning or advice".into(),
            Self::Rule { set: Setting::Warn } => {
                "a rule that is no error, or one that may be accepted".into()
            }
            Self::Rule { set: Setting::Deny } => "a rule".into(),
            Self::Regex => "a regular expression in the syntax of RE2".into(),
            Self::PatternName => "a name of letters, digits, blanks, `.`, `_` and `-`".into(),
            Self::Choice { words, .. } => one_of(words.iter().copied()),
            Self::Scheme => "a URL scheme such as `postgres`".into(),
            Self::UrlPath => "a URL path that begins with `/`".into(),
            Self::GitUrl => "an SSH URL such as `ssh://git@github.com/acme/api.git`".into(),
            Self::HostKey => "a host key such as `ssh-ed25519 AAAA…`".into(),
            Self::Email => "a mail address".into(),
            Self::ContainerUser => "a user such as `999` or `999:999`".into(),
            Self::ContainerPath => "an absolute path in the container".into(),
            Self::VolumeSource => "a volume's name, or a path on the host".into(),
            Self::Scanner => one_of(secret_scanner::names()),
        }
    }

    /// The words that it takes, when those are all that it takes; none otherwise.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::Backend => backend::names().collect(),
            Self::Engine => vec![engine::SMOLVM],
            Self::AcceptableRule => rule::acceptable().collect(),
            Self::Rule { set } => {
                let ids = rule::ALL.iter().map(|rule| rule.id);
                ids.filter(|id| set.rule(id, LevelSource::Spec).is_ok()).collect()
            }
            Self::Choice { words, .. } => words.to_vec(),
            Self::Scanner => secret_scanner::names().collect(),
            _ => Vec::new(),
        }
    }

    /// "`text` is no mail address", where a value of the type was expected.
    pub(super) fn none(self, text: &str, what: &str) -> ValueError {
        ValueError::invalid(format!("{} is no {what}", quote(text)), format!("expected {}", self.describe()))
    }

    /// Whether it is the id of a rule.
    #[must_use]
    pub fn is_rule(self) -> bool {
        matches!(self, Self::AcceptableRule | Self::Rule { .. })
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
    pub fn check(self, value: Value<'_>) -> Result<(), ValueError> {
        match value {
            Value::String(text) if !self.is_number() => self.check_text(text),
            Value::Integer(number) if self.is_number() => self.check_number(number),
            _ => Err(self.wrong_type(value)),
        }
    }

    fn wrong_type(self, value: Value<'_>) -> ValueError {
        let expected = format!("expected {}", self.describe());
        let wrong = |what: String| ValueError::new(&rule::catalogue::WRONG_TYPE, what, &expected);
        // The same value in the right type is offered where it would be allowed.
        let as_text = |problem: ValueError, text: String| match self.check_text(&text) {
            Ok(()) => problem.meant_value(quoted_string(&text)),
            Err(_) => problem,
        };
        match value {
            Value::String(text) => {
                let problem = wrong(format!("{} is a string, not a number", quote(text)));
                match text.parse::<i128>() {
                    Ok(number) if self.check_number(number).is_ok() => {
                        problem.meant_value(number.to_string())
                    }
                    _ => problem,
                }
            }
            Value::Float(_) if self.is_number() => wrong("this number is not whole".into()),
            Value::Bool(value) if self.is_number() => wrong(format!("`#{value}` is no number")),
            Value::Null if self.is_number() => wrong("`#null` is no number".into()),
            Value::Integer(number) => {
                as_text(wrong(format!("`{number}` is a number, not a string")), number.to_string())
            }
            Value::Float(_) => wrong("this is a number, not a string".into()),
            Value::Bool(value) => {
                let problem = wrong(format!("`#{value}` is no string"));
                match self {
                    Self::EnvValue | Self::Text | Self::Argument => as_text(problem, value.to_string()),
                    // What is called `true` may well not be there: that is a guess.
                    _ if self.check_text(&value.to_string()).is_ok() => problem.meant(value.to_string()),
                    _ => problem,
                }
            }
            Value::Null => wrong("`#null` is no string".into()),
        }
    }

    fn check_number(self, number: i128) -> Result<(), ValueError> {
        let (min, max) = match self {
            Self::Integer { min, max, .. } => (min, max),
            _ => (1, 254),
        };
        if !(i128::from(min)..=i128::from(max)).contains(&number) {
            return Err(ValueError::invalid(
                format!("`{number}` is out of range"),
                format!("expected {}", self.describe()),
            ));
        }
        if self == Self::Octet && number == 17 {
            return Err(ValueError::invalid(
                "octet `17` is never given to a bottle",
                format!("expected {}", self.describe()),
            )
            .meant_value("18"));
        }
        Ok(())
    }

    fn check_text(self, text: &str) -> Result<(), ValueError> {
        if self == Self::EnvValue {
            return text::env_value(text);
        }
        // What cannot be seen cannot be reviewed: a path with a direction override in it reads as another one.
        let plain = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if let Some(c) = text.chars().find(|c| !plain && is_unsafe_to_show(*c)) {
            let kind = if c.is_control() { "control" } else { "invisible" };
            return Err(ValueError::invalid(
                format!("{} holds the {kind} character U+{:04X}", quote(text), u32::from(c)),
                format!("expected {}", self.describe()),
            ));
        }
        if text.len() > MAX_TEXT {
            return Err(ValueError::invalid(
                format!("this text is {} bytes long", text.len()),
                format!("expected at most {MAX_TEXT} bytes"),
            ));
        }
        if text.is_empty() && self != Self::Argument {
            return Err(ValueError::invalid("this text is empty", format!("expected {}", self.describe())));
        }
        match self {
            Self::Integer { .. } | Self::Octet | Self::Text | Self::Argument | Self::EnvValue => Ok(()),
            Self::Name => text::name(text),
            Self::RepoName => text::repo_name(text),
            Self::EnvName => text::env_name(text),
            Self::Backend => text::backend(text),
            Self::Engine => text::engine(text),
            Self::Version => text::version(text),
            Self::RelativePath => path::relative(text),
            Self::AbsolutePath => path::absolute(text),
            Self::HostPath => path::on_host(text),
            Self::OwnDirectory => path::own_directory(text),
            Self::Directory => path::bootable(text),
            Self::MachinePath => path::machine(text),
            Self::Image => text::image(text),
            Self::HostPattern => host::check(text),
            Self::HostEntry => host::check_entry(text),
            Self::Target => host::Target::check(text),
            Self::AcceptableRule => text::acceptable_rule(text),
            Self::Rule { set } => text::rule(text, set),
            Self::Upstream => host::check_upstream(text),
            Self::Regex => regex::check(text),
            Self::PatternName => text::pattern_name(text),
            Self::Choice { words, what } => text::choice(text, words, what),
            Self::Scheme => url::scheme(text),
            Self::UrlPath => url::path(text),
            Self::GitUrl => url::git(text),
            Self::HostKey => text::host_key(text),
            Self::Email => text::email(text),
            Self::ContainerUser => text::container_user(text),
            Self::ContainerPath => path::in_container(text),
            Self::VolumeSource => path::volume(text),
            Self::Scanner => text::scanner(text),
        }
    }
}
