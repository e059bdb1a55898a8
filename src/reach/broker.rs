//! The broker's decision on a request, by the lists of its credentials.

use std::collections::BTreeMap;

use crate::world::broker::{ApiUrl, METHODS, PathPattern};
use crate::world::host::{Target, TargetHost, Verdict};

/// What a bottle's broker holds. `C` is a place in a spec, in the caller's type.
#[derive(Debug)]
pub struct Broker<'a, C> {
    credentials: Vec<Held<'a, C>>,
}

/// A credential, and the requests that it is lent to.
#[derive(Debug)]
pub struct Held<'a, C> {
    /// Its name.
    pub name: &'a str,
    /// Where it is sent to.
    pub upstream: &'a ApiUrl,
    /// What is let through; with none, everything.
    pub allow: Vec<Listed<'a, C>>,
    /// Where it stands.
    pub at: C,
}

/// Requests that are let through: each method with each path.
#[derive(Debug)]
pub struct Listed<'a, C> {
    /// The methods.
    pub methods: Vec<&'a str>,
    /// The paths, below the upstream's own.
    pub paths: Vec<&'a PathPattern>,
    /// Where it stands.
    pub at: C,
}

/// What the broker does with a target by one credential.
#[derive(Debug)]
pub struct Passage<'b, C> {
    /// The credential.
    pub name: &'b str,
    /// Where it stands.
    pub at: C,
    /// What is let through.
    pub through: Through<'b, C>,
}

/// What is let through.
#[derive(Debug, PartialEq, Eq)]
pub enum Through<'b, C> {
    /// Every request below the upstream's path: there is no list.
    Everything,
    /// The request, with these methods, each by its line.
    Methods(BTreeMap<&'b str, C>),
    /// Some requests to the host, the first by this line.
    Some(C),
    /// The path with these methods only, each by its line.
    OtherMethods(BTreeMap<&'b str, C>),
    /// The path with no method.
    Nothing,
}

impl<C> Through<'_, C> {
    /// Its verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Everything | Self::Methods(_) => Verdict::Allowed,
            Self::Some(_) => Verdict::Depends,
            Self::OtherMethods(_) | Self::Nothing => Verdict::Refused,
        }
    }
}

impl<'a, C: Copy> Broker<'a, C> {
    /// The broker of these credentials.
    pub fn new(credentials: impl IntoIterator<Item = Held<'a, C>>) -> Self {
        Self { credentials: credentials.into_iter().collect() }
    }

    /// What it does with a target, by each credential whose upstream is there.
    #[must_use]
    pub fn judge<'b>(&'b self, target: &Target) -> Vec<Passage<'b, C>> {
        let there = self.credentials.iter().filter(|held| is_at(held.upstream, target));
        there.map(|held| Passage { name: held.name, at: held.at, through: held.through(target) }).collect()
    }

    /// Whether a target is reached through it.
    #[must_use]
    pub fn verdict(&self, target: &Target) -> Verdict {
        let verdicts = self.judge(target).into_iter().map(|passage| passage.through.verdict());
        verdicts.max().unwrap_or(Verdict::Refused)
    }
}

impl<C: Copy> Held<'_, C> {
    fn through(&self, target: &Target) -> Through<'_, C> {
        let Some(request) = &target.request else {
            // Of a host without a request, everything can be asked for.
            let whole = self.allow.is_empty() && self.upstream.base.is_empty();
            return match self.allow.first() {
                _ if whole => Through::Everything,
                first => Through::Some(first.map_or(self.at, |allow| allow.at)),
            };
        };
        let below = request.path.strip_prefix(self.upstream.base.as_str());
        let Some(path) = below.filter(|path| path.starts_with('/')) else { return Through::Nothing };
        let asked = |method: &&str| request.method.as_deref().is_none_or(|asked| asked == *method);
        if self.allow.is_empty() {
            let known = METHODS.iter().any(asked);
            return if known && is_canonical(path) { Through::Everything } else { Through::Nothing };
        }
        let mut methods = BTreeMap::new();
        for Listed { methods: listed, paths, at } in &self.allow {
            if paths.iter().any(|pattern| pattern.matches(path)) {
                for method in listed {
                    methods.entry(*method).or_insert(*at);
                }
            }
        }
        let (with, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            methods.into_iter().partition(|(method, _)| asked(method));
        match (with.is_empty(), others.is_empty()) {
            (false, _) => Through::Methods(with),
            (true, false) => Through::OtherMethods(others),
            (true, true) => Through::Nothing,
        }
    }
}

/// Whether a path is one that the broker takes where no list names any.
fn is_canonical(path: &str) -> bool {
    path == "/" || PathPattern::everything().matches(path)
}

/// Whether an upstream is where a target is.
fn is_at(upstream: &ApiUrl, target: &Target) -> bool {
    let host = match &target.host {
        TargetHost::Name(name) => upstream.host.as_str() == name,
        TargetHost::Address(address) => upstream.host.address() == Some(*address),
    };
    host && target.port.is_none_or(|port| port == upstream.port)
}
