//! Refusals: what pipelock, the broker and the engine wrote down of what they let nobody through to, as a list.
//!
//! The agent makes these records: it dials what it likes, as often as it likes, and what it dials stands in them. Of a record
//! nothing is kept but a host, a port, a time and the kind of refusal, each read as what it has to be; how many are kept has
//! a bound.

mod broker;
mod engine;
mod pipelock;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::text::one_line;
use crate::world::broker::METHODS;
use crate::world::builtin;
use crate::world::engine::SMOLVM;
use crate::world::host::{Target, TargetHost};
use crate::world::pipelock::name;
use crate::world::secret;

/// How many different targets are told apart, of each kind of refusal. What comes after that is counted together.
pub const MAX_TARGETS: usize = 10_000;
/// How many ports of one target are.
const MAX_PORTS: usize = 16;
/// How many characters of a target are shown that is no host.
const MAX_SHOWN: usize = 80;
/// How many requests are remembered, so that one of which two records speak is counted once.
const REMEMBERED: usize = 64;
/// The longest line that is read. What a record of ours has room for is a URL of some 8 KiB.
const MAX_LINE: usize = 64 << 10;

/// The kind of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No `allow` covered it.
    NotListed,
    /// A `deny` did, or it is refused in every bottle.
    Denied,
    /// It is on a private network, or a service of metadata.
    Internal,
    /// What was sent looked like a secret.
    Secret,
    /// Its name, or what was asked of it, looked random: a leak in parts.
    Random,
    /// There were too many requests, or too much was sent.
    Rate,
    /// What it answered looked like an injection, or could not be looked at.
    Answer,
    /// What was asked was no request that pipelock takes.
    Malformed,
    /// The names of the connection and of the certificate were not the same, or the connection was not made.
    Tls,
    /// pipelock let nobody through any more.
    Stopped,
    /// By a part of pipelock that is not known here.
    Other,
    /// The broker was asked for what no `allow` of a credential names.
    NotNamed,
    /// The broker was asked in a way that a server may read in two ways, or with a credential of the agent's own.
    Unclear,
    /// The broker was asked without the launch's token.
    Token,
    /// The broker has no secret to send, or its upstream did not answer.
    Unanswered,
    /// The engine refused it: the machine dialled past its bundle.
    PastBundle,
}

impl Reason {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotListed => "not-listed",
            Self::Denied => "denied",
            Self::Internal => "internal",
            Self::Secret => "secret",
            Self::Random => "random",
            Self::Rate => "rate",
            Self::Answer => "answer",
            Self::Malformed => "malformed",
            Self::Tls => "tls",
            Self::Stopped => "stopped",
            Self::Other => "other",
            Self::NotNamed => "not-named",
            Self::Unclear => "unclear",
            Self::Token => "token",
            Self::Unanswered => "unanswered",
            Self::PastBundle => "past-bundle",
        }
    }

    /// Who refused it: a sidecar, or the engine.
    #[must_use]
    pub fn by(self) -> &'static str {
        match self {
            Self::NotNamed | Self::Unclear | Self::Token | Self::Unanswered => builtin::BROKER,
            Self::PastBundle => SMOLVM,
            _ => builtin::PIPELOCK,
        }
    }
}

/// The refusals of one kind and one target.
#[derive(Clone, Debug)]
pub struct Denial {
    /// What was asked for, as it may be shown: a host without its port, a piece of what is no host, or of the broker a method
    /// and a path. A host that looks like a credential is masked.
    pub target: String,
    /// The host, if it is one.
    pub host: Option<TargetHost>,
    /// Its ports, as far as they are told.
    pub ports: BTreeSet<u16>,
    /// How often.
    pub count: u64,
    /// When for the first time, as RFC 3339 has it; nothing where no record tells.
    pub first: Option<String>,
    /// When for the last.
    pub last: Option<String>,
}

/// All that was refused.
#[derive(Clone, Debug, Default)]
pub struct Denials {
    found: BTreeMap<Reason, BTreeMap<String, Denial>>,
    recent: VecDeque<String>,
    /// How many refusals are not among them: their targets were too many.
    pub uncounted: u64,
    /// How many lines are not understood, of those that look like a record.
    pub unread: u64,
}

/// One refusal.
struct Record<'a> {
    reason: Reason,
    /// A host, perhaps with a port, or a URL; empty where there is none.
    target: &'a str,
    time: &'a str,
}

impl Denials {
    /// Reads records: what pipelock wrote, what `egress-events` of the engine lists, or both, a line each. What is no record
    /// of a refusal is passed over.
    pub fn read(&mut self, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n') {
            let line = &line[..line.len().min(MAX_LINE)];
            let Ok(line) = std::str::from_utf8(line) else {
                // pipelock and the engine write nothing else.
                self.unread += u64::from(line.contains(&b'{'));
                continue;
            };
            if let Some(begin) = line.find('{') {
                let line = &line[begin..];
                if !broker::read(self, line) {
                    pipelock::read(self, line);
                }
            } else if let Some(record) = engine::read(line) {
                self.add(&record);
            }
        }
    }

    /// The refusals of one kind, by target.
    pub fn of(&self, reason: Reason) -> impl Iterator<Item = &Denial> {
        self.found.get(&reason).into_iter().flat_map(BTreeMap::values)
    }

    /// All kinds that there are, each with its refusals: those of one kind from the most frequent on.
    pub fn by_reason(&self) -> impl Iterator<Item = (Reason, Vec<&Denial>)> {
        self.found.iter().map(|(reason, all)| {
            let mut all: Vec<&Denial> = all.values().collect();
            all.sort_by_key(|denial| std::cmp::Reverse(denial.count));
            (*reason, all)
        })
    }

    /// Whether nothing was refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether a request was counted already. One without a name never was.
    fn is_repeated(&mut self, request: &str) -> bool {
        let request = &request[..request.floor_char_boundary(MAX_SHOWN)];
        if request.is_empty() || self.recent.iter().any(|it| it == request) {
            return !request.is_empty();
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(request.to_owned());
        false
    }

    fn add(&mut self, record: &Record<'_>) {
        let Record { reason, target, time } = *record;
        let (target, host, port) = target_of(target);
        self.count(reason, target, host, port, time);
    }

    /// Adds a request to the broker. Of its path the query was dropped before it was written down.
    fn request(&mut self, reason: Reason, method: &str, path: &str, time: &str) {
        let path = path.split(['?', '#']).next().unwrap_or("");
        let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or("?");
        let shown: String = one_line(path).chars().take(MAX_SHOWN).collect();
        // The broker strikes out what looks like a key in another way: what is left is looked at as the name of a host is.
        let part = |part| if looks_like_credential(part) { "****" } else { part };
        let shown = shown.split('/').map(part).collect::<Vec<_>>().join("/");
        self.count(reason, format!("{method} {shown}"), None, None, time);
    }

    fn count(
        &mut self,
        reason: Reason,
        target: String,
        host: Option<TargetHost>,
        port: Option<u16>,
        time: &str,
    ) {
        let all = self.found.entry(reason).or_default();
        if all.len() >= MAX_TARGETS && !all.contains_key(&target) {
            self.uncounted += 1;
            return;
        }
        let time = is_time(time).then(|| time.to_owned());
        let denial = all.entry(target.clone()).or_insert_with(|| Denial {
            target,
            host,
            ports: BTreeSet::new(),
            count: 0,
            first: time.clone(),
            last: None,
        });
        denial.count += 1;
        if denial.ports.len() < MAX_PORTS {
            denial.ports.extend(port);
        }
        denial.last = time.or(denial.last.take());
    }
}

/// The target as it may be shown, and what it is. Of a URL all but the host is dropped: the rest is the agent's to write.
fn target_of(text: &str) -> (String, Option<TargetHost>, Option<u16>) {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
    let authority = authority.rsplit('@').next().unwrap_or("");
    let Ok(target) = authority.parse::<Target>() else {
        let shown: String = one_line(authority).chars().take(MAX_SHOWN).collect();
        let shown = if secret::known(&shown).is_empty() { shown } else { String::from("****") };
        return (shown, None, None);
    };
    let usual = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    let port = target.port.or(usual);
    let shown = match &target.host {
        TargetHost::Name(host) if looks_like_credential(host) => masked(host),
        TargetHost::Name(host) => host.clone(),
        TargetHost::Address(address) => address.to_string(),
    };
    (shown, Some(target.host), port)
}

/// Whether a host's name is, or holds, a credential: pipelock writes the name down before it looks for one (read in its
/// source at 2.3.0: the allow list is asked first).
#[must_use]
pub fn looks_like_credential(host: &str) -> bool {
    name::credential(host).is_some() || !secret::known(host).is_empty()
}

/// Such a name, without all that its owner can put into it.
fn masked(host: &str) -> String {
    let domain = psl::domain_str(host).filter(|domain| *domain != host && !looks_like_credential(domain));
    format!("****.{}", domain.unwrap_or("****"))
}

/// Whether a text is a time as RFC 3339 has it, such as `2026-11-28T10:00:00.5Z`.
fn is_time(text: &str) -> bool {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let whole = text.len() <= "2026-11-28T10:00:00.000000000+01:00".len();
    let Some((moment, rest)) = text.split_at_checked("2026-11-28T10:00:00".len()).filter(|_| whole) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (fraction, zone) = rest.split_at(rest.find(['Z', '+', '-']).unwrap_or(rest.len()));
    let zone: String = zone.chars().map(shape).collect();
    moment.chars().map(shape).eq("0000-00-00T00:00:00".chars())
        && (fraction.is_empty() || fraction.strip_prefix('.').is_some_and(digits))
        && ["Z", "+00:00", "-00:00"].contains(&zone.as_str())
}
