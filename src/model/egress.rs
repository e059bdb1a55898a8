//! `egress`: what the agent may reach through pipelock, and what pipelock looks for.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Spanned, arguments, child, children, first_argument, number_argument, number_property, text_property,
};
use crate::reach::proxy::Lists;
use crate::source::Span;
use crate::syntax::Node;
use crate::world::engine::Version;
use crate::world::host::{self, HostPattern, Lost};

/// One host pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The pattern.
    pub value: HostPattern,
    /// Where it stands.
    pub span: Span,
    /// The node that it stands in, from its name through its last argument.
    pub node: Span,
    /// Whether that node has no other entry.
    pub alone: bool,
    /// What it says beside the host, of an entry of `allow` or `deny`.
    pub lost: Option<Lost>,
    /// Whether its node names an address or a range: what a name of `private` stands beside.
    pub placed: bool,
}

/// The action on a finding, from the most lenient on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is logged.
    Warn,
    /// It is taken out.
    Strip,
    /// The request or the response is refused.
    Block,
}

/// The log level, from the least on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Logged {
    /// What is refused.
    Blocked,
    /// Every request.
    All,
}

/// A pattern of the user's own.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Its name.
    pub name: Spanned<String>,
    /// The regular expression, in RE2's syntax.
    pub regex: Spanned<String>,
    /// How bad a match is; `high` when not given.
    pub severity: Option<Spanned<String>>,
}

/// The certificate authority with which HTTPS is opened.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The node's name, for diagnostics.
    pub node: Span,
    /// The authority's certificate on the host.
    pub ca_cert: Option<Spanned<String>>,
    /// The authority's private key on the host.
    pub ca_key: Option<Spanned<String>>,
    /// What the agent trusts, on the host; without it, the authority's certificate.
    pub trust: Option<Spanned<String>>,
    /// What stays closed.
    pub passthrough: Vec<Host>,
}

/// A setting of one layer that a stricter one of another layer beats.
#[derive(Clone, Copy, Debug)]
pub struct Overruled {
    /// The node of both.
    pub node: &'static str,
    /// The lenient one, which the later layer says.
    pub lenient: Span,
    /// The strict one, which stays.
    pub strict: Span,
}

/// The egress policy of a layer, or of a whole bottle.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    /// What may be reached.
    pub allow: Vec<Host>,
    /// What may not, whatever allows it.
    pub deny: Vec<Host>,
    /// What may be on a private network: hosts, and the addresses and ranges that they may have.
    pub private: Vec<Host>,
    /// Requests a minute.
    pub rate_limit: Option<Spanned<u32>>,
    /// Bytes a minute.
    pub data_budget: Option<Spanned<u32>>,
    /// The name of the `dlp` node.
    pub dlp: Option<Span>,
    /// The user's own patterns.
    pub patterns: Vec<Pattern>,
    /// What is done about a secret in a request.
    pub scan_bodies: Option<Spanned<Action>>,
    /// The largest body that is read, in bytes.
    pub max_body_bytes: Option<Spanned<u32>>,
    /// What is done about an injection in a response.
    pub scan_responses: Option<Spanned<Action>>,
    /// How HTTPS is opened.
    pub tls: Option<Tls>,
    /// The whole life of a tunnel, in seconds.
    pub tunnel_max: Option<Spanned<u32>>,
    /// How long one direction of it may be silent, in seconds.
    pub tunnel_idle: Option<Spanned<u32>>,
    /// What is logged.
    pub log: Option<Spanned<Logged>>,
    /// What a stricter layer beat.
    pub overruled: Vec<Overruled>,
}

impl Action {
    /// The word for it, here and in pipelock's configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Strip => "strip",
            Self::Block => "block",
        }
    }

    fn decode(node: Node<'_>) -> Option<Spanned<Self>> {
        let word = first_argument(node)?;
        let value = [Self::Warn, Self::Strip, Self::Block]
            .into_iter()
            .find(|action| action.as_str() == word.value)?;
        Some(Spanned { value, span: word.span })
    }
}

impl Logged {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::All => "all",
        }
    }

    fn decode(node: Node<'_>) -> Option<Spanned<Self>> {
        let word = first_argument(node)?;
        let value = [Self::Blocked, Self::All].into_iter().find(|logged| logged.as_str() == word.value)?;
        Some(Spanned { value, span: word.span })
    }
}

impl Pattern {
    fn decode(node: Node<'_>) -> Option<Self> {
        Some(Self {
            name: first_argument(node)?,
            regex: text_property(node, "regex")?,
            severity: text_property(node, "severity"),
        })
    }
}

impl Tls {
    fn decode(node: Node<'_>) -> Self {
        Self {
            node: node.name_span(),
            ca_cert: child(node, "ca-cert").and_then(first_argument),
            ca_key: child(node, "ca-key").and_then(first_argument),
            trust: child(node, "trust").and_then(first_argument),
            passthrough: children(node, "passthrough").flat_map(Host::all).collect(),
        }
    }

    fn merge(&mut self, over: Self) {
        let Self { node, ca_cert, ca_key, trust, passthrough } = over;
        self.node = node;
        // A key belongs to the certificate that it is given with. What was trusted of another authority goes with it.
        if ca_cert.is_some() || ca_key.is_some() {
            if self.ca_cert.is_some() || self.ca_key.is_some() {
                self.trust = None;
            }
            (self.ca_cert, self.ca_key) = (ca_cert, ca_key);
        }
        self.trust = trust.or(self.trust.take());
        self.passthrough.extend(passthrough);
    }
}

impl Host {
    fn all(node: Node<'_>) -> impl Iterator<Item = Self> {
        let (node_span, alone) = (node.head_span(), node.entries().nth(1).is_none());
        let hosts: Vec<_> =
            arguments(node).map(|Spanned { value, span }| (HostPattern::new(value), span)).collect();
        let placed = hosts.iter().any(|(host, _)| host.network().is_some());
        hosts.into_iter().map(move |(value, span)| Self {
            value,
            span,
            node: node_span,
            alone,
            lost: None,
            placed,
        })
    }

    /// The entries of `allow` or `deny`, each of which stands for its host whatever it says more.
    fn entries(node: Node<'_>) -> impl Iterator<Item = Self> {
        Self::all(node).map(|host| match host::lossy(&host.value) {
            Some((value, lost)) => {
                Self { value: HostPattern::new(value.to_owned()), lost: Some(lost), ..host }
            }
            None => host,
        })
    }
}

impl Egress {
    pub(super) fn decode_into(&mut self, node: Node<'_>) {
        for child in node.children() {
            match child.name() {
                "allow" => self.allow.extend(Host::entries(child)),
                "deny" => self.deny.extend(Host::entries(child)),
                "private" => self.private.extend(Host::all(child)),
                "rate-limit" => self.rate_limit = self.rate_limit.or(number_argument(child)),
                "data-budget" => self.data_budget = self.data_budget.or(number_argument(child)),
                "dlp" => {
                    self.dlp = self.dlp.or(Some(child.name_span()));
                    self.patterns.extend(children(child, "pattern").filter_map(Pattern::decode));
                }
                "scan-bodies" => {
                    self.scan_bodies = self.scan_bodies.or(Action::decode(child));
                    self.max_body_bytes = self.max_body_bytes.or(number_property(child, "max-bytes"));
                }
                "scan-responses" => self.scan_responses = self.scan_responses.or(Action::decode(child)),
                "tls" => self.tls = self.tls.take().or_else(|| Some(Tls::decode(child))),
                "tunnel" => {
                    self.tunnel_max = self.tunnel_max.or(number_property(child, "max-seconds"));
                    self.tunnel_idle = self.tunnel_idle.or(number_property(child, "idle-seconds"));
                }
                "log" => self.log = self.log.or(Logged::decode(child)),
                _ => {}
            }
        }
    }

    /// Lays `over` on top: lists are united, so that a `deny` is never lifted; of a number the last one wins, of an
    /// action and of what is logged the strictest one.
    pub(super) fn merge(&mut self, over: Self) {
        let Self {
            allow,
            deny,
            private,
            rate_limit,
            data_budget,
            dlp,
            patterns,
            scan_bodies,
            max_body_bytes,
            scan_responses,
            tls,
            tunnel_max,
            tunnel_idle,
            log,
            overruled,
        } = over;
        self.allow.extend(allow);
        self.deny.extend(deny);
        self.private.extend(private);
        self.rate_limit = rate_limit.or(self.rate_limit);
        self.data_budget = data_budget.or(self.data_budget);
        self.dlp = dlp.or(self.dlp);
        self.patterns.extend(patterns);
        self.max_body_bytes = max_body_bytes.or(self.max_body_bytes);
        self.tunnel_max = tunnel_max.or(self.tunnel_max);
        self.tunnel_idle = tunnel_idle.or(self.tunnel_idle);
        match (&mut self.tls, tls) {
            (Some(own), Some(tls)) => own.merge(tls),
            (own, tls) => *own = tls.or(own.take()),
        }
        self.overruled.extend(overruled);
        strictest("scan-bodies", &mut self.scan_bodies, scan_bodies, &mut self.overruled);
        strictest("scan-responses", &mut self.scan_responses, scan_responses, &mut self.overruled);
        strictest("log", &mut self.log, log, &mut self.overruled);
    }

    /// What pipelock of this version is told of hosts.
    #[must_use]
    pub fn lists(&self, version: Version) -> Lists<'_, &Host> {
        fn entries(hosts: &[Host]) -> impl Iterator<Item = (&HostPattern, &Host)> {
            hosts.iter().map(|host| (&host.value, host))
        }
        // A name of `private` says which host is meant by the addresses beside it.
        let places = entries(&self.private).filter(|(host, _)| host.network().is_some());
        Lists::new(version, entries(&self.allow), entries(&self.deny), places)
    }

    /// How many nodes it is made of, more or less.
    #[must_use]
    pub fn weight(&self) -> usize {
        let passthrough = self.tls.as_ref().map_or(0, |tls| tls.passthrough.len());
        self.allow.len() + self.deny.len() + self.private.len() + self.patterns.len() + passthrough
    }

    /// Each host and pattern once and in order, at the first place that names it.
    #[must_use]
    pub(super) fn united(mut self) -> Self {
        for list in [&mut self.allow, &mut self.deny, &mut self.private] {
            unite(list);
        }
        if let Some(tls) = &mut self.tls {
            unite(&mut tls.passthrough);
        }
        // The same pattern from two layers is one; two of one name that differ are both kept, for a rule to refuse.
        let mut seen = BTreeSet::new();
        self.patterns.retain(|Pattern { name, regex, severity }| {
            let severity = severity.as_ref().map(|severity| severity.value.clone());
            seen.insert((name.value.clone(), regex.value.clone(), severity))
        });
        self.patterns.sort_by(|a, b| a.name.value.cmp(&b.name.value));
        self
    }
}

fn unite(list: &mut Vec<Host>) {
    list.sort_by(|a, b| a.value.cmp(&b.value));
    list.dedup_by(|later, first| later.value == first.value);
}

/// Keeps the strictest of two settings, and notes where a later one asked for less.
fn strictest<T: Copy + Ord>(
    node: &'static str,
    own: &mut Option<Spanned<T>>,
    over: Option<Spanned<T>>,
    overruled: &mut Vec<Overruled>,
) {
    match (*own, over) {
        (Some(strict), Some(lenient)) if lenient.value < strict.value => {
            overruled.push(Overruled { node, lenient: lenient.span, strict: strict.span });
        }
        (_, Some(over)) => *own = Some(over),
        (_, None) => {}
    }
}
