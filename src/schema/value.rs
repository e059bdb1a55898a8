//! Value types of arguments and properties, and their names in messages.

use crate::rule::{self, LevelSource, Setting, ValueError};
use crate::text::{one_of, quote};
use crate::world::pipelock::{NEWEST, OLDEST};
use crate::world::{backend, broker, engine, host, secret_scanner};

/// The type of an argument or a property.
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
    /// An amount of memory.
    Memory {
        /// The least, in MiB.
        least: u32,
    },
    /// The size of a disk.
    Disk,
    /// One line of text.
    Text,
    /// One argument of a program: one line of text, which may be empty.
    Argument,
    /// The name of a bottle or a sidecar.
    Name,
    /// The name of a profile, perhaps a built-in one.
    ProfileName,
    /// The name of a repository.
    RepoName,
    /// The name of an environment variable.
    EnvName,
    /// The literal value of an environment variable.
    EnvValue,
    /// A backend's name.
    Backend,
    /// The name of an object of a cluster's.
    ObjectName,
    /// The range that a cluster's Services have their addresses in.
    ServiceRange,
    /// An engine's name.
    Engine,
    /// A version of an engine.
    Version,
    /// A version of pipelock that a configuration can be written for.
    PipelockVersion,
    /// A path relative to the file that it stands in.
    RelativePath,
    /// An absolute path on the host.
    AbsolutePath,
    /// A path on the host: absolute, relative, or from `~/` on.
    HostPath,
    /// A private key of SSH's on the host.
    PrivateKey,
    /// A directory on the host that is used for nothing else.
    OwnDirectory,
    /// The path of a packed machine.
    MachinePath,
    /// The path of a directory that is booted.
    Directory,
    /// The path of a directory that the machine is shown.
    MachineVolume,
    /// An absolute path inside of the machine.
    MachinePlace,
    /// The path of a file inside of the machine that is written there.
    MachineFile,
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
    /// The URL of an API that the broker speaks to.
    ApiUrl,
    /// A field of a header that holds a credential.
    HeaderName,
    /// The user of a login.
    LoginUser,
    /// A method of HTTP, or the path of a request.
    MethodOrPath,
}

impl ValueType {
    /// Describes it with its article: "a port between 1 and 65535".
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Integer { min, max, what } => format!("{what} between {min} and {max}"),
            Self::Octet => "an octet between 1 and 254 other than 17".into(),
            Self::Memory { .. } => "an amount of memory such as `512MiB` or `2GiB`".into(),
            Self::Disk => "a size in whole GiB such as `40GiB`".into(),
            Self::Text | Self::Argument => "one line of text".into(),
            Self::Name => "a name of lower-case letters, digits and single dashes".into(),
            Self::ProfileName => "a profile's name".into(),
            Self::RepoName => "a repository's name of letters, digits, `.`, `_` and `-`".into(),
            Self::EnvName => "a variable's name of letters, digits and `_`".into(),
            Self::EnvValue => "one line of text without blanks at its ends".into(),
            Self::Backend => one_of(backend::names()),
            Self::ObjectName => "a name of lower-case letters, digits, `-` and `.`".into(),
            Self::ServiceRange => "a range of IPv4 addresses of /20 or wider, such as `10.96.0.0/12`".into(),
            Self::Engine => one_of([engine::SMOLVM]),
            Self::Version => "a version such as `1.33.0`".into(),
            Self::PipelockVersion => format!("a version from {OLDEST} to {NEWEST}"),
            Self::RelativePath => "a path relative to this file".into(),
            Self::AbsolutePath => "an absolute path on the host".into(),
            Self::HostPath => "a path on the host".into(),
            Self::PrivateKey => "the path of a private key on the host".into(),
            Self::OwnDirectory => "a directory of its own on the host".into(),
            Self::MachinePath => "the path of a `.smolmachine` file".into(),
            Self::Directory | Self::MachineVolume => "the path of a directory".into(),
            Self::MachinePlace => "an absolute path in the machine".into(),
            Self::MachineFile => "the absolute path of a file in the machine".into(),
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
            Self::ApiUrl => broker::UPSTREAM.into(),
            Self::HeaderName => "the name of a header field such as `x-api-key`".into(),
            Self::LoginUser => "the user of a login".into(),
            Self::MethodOrPath => broker::METHOD_OR_PATH.into(),
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
}
