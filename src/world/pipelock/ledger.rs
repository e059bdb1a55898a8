//! The ledger of pipelock's versions: what each does that a check, a lowering or a reader asks.

use crate::world::engine::Version;

/// How a fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The program was run, and did it.
    Run,
    /// Its source was read.
    Read,
    /// Its release notes say so.
    Notes,
}

impl How {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Read => "read",
            Self::Notes => "release notes",
        }
    }
}

/// A question about a version that a check or a lowering asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether an address of version 4 is seen inside one of version 6.
    SeesHiddenAddress,
    /// Whether labels that look encoded are refused.
    RefusesEncodedLabels,
    /// Whether credentials stand in its log.
    LogsCredentials,
    /// Whether the image is the one under its new owner.
    MovedImage,
}

/// One row of the ledger.
#[derive(Debug)]
pub struct Fact {
    /// Who asks; without, the row is for readers alone.
    pub question: Option<Question>,
    /// Whether it has to do with which hosts are reached.
    pub decides: bool,
    /// The first version that does it.
    pub since: Version,
    /// The last version that does it; without, the newest known one does, too.
    pub until: Option<Version>,
    /// What it is.
    pub summary: &'static str,
    /// How it is known.
    pub how: How,
    /// Where it was read or seen.
    pub evidence: &'static str,
    /// When: year and month.
    pub date: &'static str,
}

impl Fact {
    /// Whether a version does it.
    #[must_use]
    pub fn holds(&self, version: Version) -> bool {
        version >= self.since && self.until.is_none_or(|until| version <= until)
    }

    const fn decides(self) -> Self {
        Self { decides: true, ..self }
    }

    /// The versions that do it: "since 3.7.1", "2.3.0 to 3.4.0".
    #[must_use]
    pub fn versions(&self) -> String {
        match self.until {
            None => format!("since {}", self.since),
            Some(until) => format!("{} to {until}", self.since),
        }
    }
}

/// The oldest version that a configuration is written for.
pub const OLDEST: Version = Version::new(2, 3, 0);
/// The version whose verdicts are recorded, and the one that a spec gets which names none.
pub const RECORDED: Version = Version::new(2, 3, 0);
/// Its image.
pub const IMAGE: &str = "ghcr.io/luckypipewrench/pipelock:2.3.0";
/// The newest version that is known.
pub const NEWEST: Version = Version::new(3, 8, 0);

const fn fact(
    question: Option<Question>,
    (since, until): (Version, Option<Version>),
    summary: &'static str,
    how: How,
    evidence: &'static str,
    date: &'static str,
) -> Fact {
    Fact { question, decides: false, since, until, summary, how, evidence, date }
}

const fn from(major: u32, minor: u32, patch: u32) -> (Version, Option<Version>) {
    (Version::new(major, minor, patch), None)
}

/// The rows, by the first version.
pub static FACTS: &[Fact] = &[
    fact(
        None,
        from(2, 3, 0),
        "in `mode: strict` a host that is not on `api_allowlist` gets a 403, over CONNECT and over plain HTTP; ports are not looked at",
        How::Run,
        "165 probes over loopback of 2.3.0 with thirteen emitted configurations; internal/scanner/scanner.go",
        "2026-11",
    )
    .decides(),
    fact(
        None,
        from(2, 3, 0),
        "`fetch_proxy.monitoring.blocklist` beats the allow list",
        How::Run,
        "probes of 2.3.0; checkBlocklist",
        "2026-11",
    )
    .decides(),
    fact(
        None,
        from(2, 3, 0),
        "a label of 8 and more characters before the last two with more than 4.0 bits of entropy a character is refused, unless `subdomain_entropy_exclusions` names the host; path segments and query values of 20 and more characters have gates of their own",
        How::Run,
        "`qhbnmxlkvjztwyprgsdf.supabase.co` was refused, with 4.32; checkSubdomainEntropy, checkEntropy",
        "2026-11",
    )
    .decides(),
    fact(
        None,
        from(2, 3, 0),
        "patterns of credentials are looked for in the host's name, with and without its dots",
        How::Run,
        "2,461 verdicts of its scanner, built from its source; checkCoreDLP, checkDLP",
        "2026-11",
    )
    .decides(),
    fact(
        None,
        from(2, 3, 0),
        "a name that resolves to an address within `internal` is refused, unless `ssrf.ip_allowlist` holds that address; a name of `trusted_domains` is asked for no address at all, link-local and loopback among them",
        How::Run,
        "probes of 2.3.0, and its scanner on `internal` as it is emitted; checkSSRF",
        "2026-11",
    )
    .decides(),
    fact(
        None,
        from(2, 3, 0),
        "an answer over plain HTTP is cut at `fetch_proxy.max_response_mb`, without a word",
        How::Run,
        "12 MiB arrived as 10,485,760 bytes with 200; internal/proxy/forward.go",
        "2026-11",
    ),
    fact(
        None,
        from(2, 3, 0),
        "six headers are looked at, unless `request_body_scanning.header_mode` is `all`",
        How::Run,
        "`X-Custom` and `PRIVATE-TOKEN` passed with a credential, and were refused under `all`",
        "2026-11",
    ),
    fact(
        None,
        from(2, 3, 0),
        "a CONNECT to a protocol whose server speaks first is answered, then closed after 5 seconds",
        How::Run,
        "SSH through a tunnel of 2.3.0",
        "2026-11",
    ),
    fact(
        Some(Question::LogsCredentials),
        (Version::new(2, 3, 0), Some(Version::new(3, 4, 0))),
        "a credential that is found is written into the log; first in 2.2.0",
        How::Notes,
        "release notes of 3.5.0",
        "2026-11",
    ),
    fact(
        None,
        from(2, 4, 0),
        "a refusal carries its reason in `X-Pipelock-Block-Reason`; `/health` may answer 503",
        How::Notes,
        "release notes of 2.4.0",
        "2026-11",
    ),
    fact(
        Some(Question::RefusesEncodedLabels),
        from(2, 4, 1),
        "labels of 14 and more hexadecimal or base32 characters are refused (host names of object stores)",
        How::Notes,
        "release notes after 2.4.0; in which version first is not established",
        "2026-11",
    )
    .decides(),
    fact(
        None,
        from(3, 6, 0),
        "a file without `blocklist` gets the shipped one; patterns of hosts are checked when they are loaded; a provider's key passes at that provider's hosts",
        How::Notes,
        "release notes of 3.6.0, and newer source files",
        "2026-11",
    ),
    fact(
        Some(Question::SeesHiddenAddress),
        from(3, 7, 1),
        "an IPv4 address inside of an IPv6 one (NAT64, 6to4) is guarded as what it is",
        How::Notes,
        "release notes of 3.7.1; 2.3.0 let both spellings through (run)",
        "2026-11",
    )
    .decides(),
    fact(
        Some(Question::MovedImage),
        from(3, 8, 0),
        "the image is `ghcr.io/pipelab-org/pipelock`",
        How::Notes,
        "release notes of 3.8.0",
        "2026-11",
    ),
    fact(
        None,
        from(3, 8, 0),
        "metrics are served on `metrics_listen` alone",
        How::Notes,
        "release notes of 3.8.0",
        "2026-11",
    ),
];

/// Whether a version does what a row says.
#[must_use]
pub fn has(question: Question, version: Version) -> bool {
    FACTS.iter().any(|fact| fact.question == Some(question) && fact.holds(version))
}

/// The image of a version, by its tag: no digest of one is published where we could read it.
#[must_use]
pub fn image(version: Version) -> String {
    let owner = if has(Question::MovedImage, version) { "pipelab-org" } else { "luckypipewrench" };
    format!("ghcr.io/{owner}/pipelock:{version}")
}
