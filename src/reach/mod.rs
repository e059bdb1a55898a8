//! Reachability: whether the agent can reach a target, and which entry decides.
//!
//! An agent has two ways out. It dials an address itself, which the engine keeps to the bundle; or it asks pipelock,
//! which keeps it to the lists of `egress`. Everything that answers a question of this kind asks here: `reach`,
//! `expect` and `diff`.

mod forge;

pub use forge::past_gate;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::world::engine::Gap;
use crate::world::host::list::{List, holding};
use crate::world::host::{Guarded, HostPattern, Target, TargetHost, Verdict, guarded_network};

/// What an allowed name may resolve to: pipelock refuses a private address unless `private` opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressScope<T> {
    /// Public addresses alone.
    Public,
    /// Public addresses, and private ones in the ranges of `private`.
    Ranges,
    /// Any address: the entry of `private` trusts the name.
    Any(T),
}

/// The reason of a verdict. `T` is an entry of a list, in the caller's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because<'a, T> {
    /// The engine version keeps the agent to nothing.
    Unconfined(Gap),
    /// The agent's own machine, not the host.
    OwnMachine,
    /// The one address that the agent may dial, on every port of it; what the plan says to listen there.
    Bundle(Option<&'a str>),
    /// What is sent to port 53 of any address goes to the host's resolver.
    Resolver,
    /// An `allow`; what the name may resolve to.
    Listed(T, AddressScope<T>),
    /// An `allow` of a private address, and the range of `private` that opens it.
    Opened(T, T),
    /// A `deny`, which beats the `allow` if there is one.
    Denied(T, Option<T>),
    /// An `allow`, and pipelock's guard on private addresses; whether a spec could open it.
    Guarded(T, Guarded),
    /// No rule.
    Unlisted,
}

impl<T> Because<'_, T> {
    /// Its verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Unconfined(_) | Self::Bundle(_) | Self::Resolver | Self::Listed(..) | Self::Opened(..) => {
                Verdict::Allowed
            }
            Self::OwnMachine | Self::Denied(..) | Self::Guarded(..) | Self::Unlisted => Verdict::Refused,
        }
    }
}

/// The lists of `egress`, each entry with what whoever asks knows of it.
#[derive(Debug)]
pub struct Lists<A, D, P> {
    /// Hosts that may be reached.
    pub allow: A,
    /// Hosts that may not.
    pub deny: D,
    /// What may be on a private network.
    pub private: P,
}

/// The policy of one bottle.
#[derive(Debug)]
pub struct Policy<'a, T> {
    bundle: Ipv4Addr,
    gaps: Vec<Gap>,
    listeners: BTreeMap<u16, &'a str>,
    allow: List<'a, T>,
    deny: List<'a, T>,
    trusted: List<'a, T>,
    ranges: BTreeMap<IpNet, T>,
}

impl<'a, T: Copy> Policy<'a, T> {
    /// The policy of a bottle: its bundle's address, where its engine breaks the promise, who listens in its bundle,
    /// and its lists.
    pub fn new(
        bundle: Ipv4Addr,
        gaps: Vec<Gap>,
        listeners: impl IntoIterator<Item = (u16, &'a str)>,
        lists: Lists<
            impl IntoIterator<Item = (&'a HostPattern, T)>,
            impl IntoIterator<Item = (&'a HostPattern, T)>,
            impl IntoIterator<Item = (&'a HostPattern, T)>,
        >,
    ) -> Self {
        let mut ranges = BTreeMap::new();
        let mut trusted = Vec::new();
        for (pattern, entry) in lists.private {
            match pattern.network() {
                Some(range) => {
                    ranges.entry(range.trunc()).or_insert(entry);
                }
                None => trusted.push((pattern, entry)),
            }
        }
        Self {
            bundle,
            gaps,
            listeners: listeners.into_iter().collect(),
            allow: List::new(lists.allow),
            deny: List::new(lists.deny),
            trusted: List::new(trusted),
            ranges,
        }
    }

    /// Where the engine breaks the promise.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Whether the agent can reach `target`, and what decides it. A name is asked for as if it resolved to `at`, and
    /// without that, to some public address.
    #[must_use]
    pub fn judge(&self, target: &Target, at: Option<IpAddr>) -> Because<'a, T> {
        if let Some(gap) = self.gaps.iter().copied().find(|gap| gap.is_total()) {
            return Because::Unconfined(gap);
        }
        match &target.host {
            TargetHost::Address(address) if *address == IpAddr::from(self.bundle) => {
                Because::Bundle(target.port.and_then(|port| self.listeners.get(&port).copied()))
            }
            TargetHost::Address(address) if address.is_loopback() || address.is_unspecified() => {
                Because::OwnMachine
            }
            TargetHost::Name(name) if name == "localhost" || name.ends_with(".localhost") => {
                Because::OwnMachine
            }
            _ if target.port == Some(DNS_PORT) && self.gaps.contains(&Gap::DnsOpen) => Because::Resolver,
            TargetHost::Address(address) => self.address(*address),
            TargetHost::Name(name) => self.name(name, false, at),
        }
    }

    /// pipelock compares an address as text, and guards it when it is private.
    fn address(&self, address: IpAddr) -> Because<'a, T> {
        let listed = match self.listed(&address.to_string(), false) {
            Ok(listed) => listed,
            Err(refused) => return refused,
        };
        match guarded_network(address.into()) {
            Guarded::No | Guarded::Likely => Because::Listed(listed, AddressScope::Public),
            Guarded::Closed => Because::Guarded(listed, Guarded::Closed),
            Guarded::Private => match self.opening(address) {
                Some(range) => Because::Opened(listed, range),
                None => Because::Guarded(listed, Guarded::Private),
            },
        }
    }

    /// A name, or a domain with all `below` it.
    fn name(&self, name: &str, below: bool, at: Option<IpAddr>) -> Because<'a, T> {
        let listed = match self.listed(name, below) {
            Ok(listed) => listed,
            Err(refused) => return refused,
        };
        if let Some(entry) = self.trusted.covering_all(name, below) {
            return Because::Listed(listed, AddressScope::Any(entry));
        }
        let scope = if self.ranges.is_empty() { AddressScope::Public } else { AddressScope::Ranges };
        let Some(address) = at else { return Because::Listed(listed, scope) };
        match guarded_network(address.to_canonical().into()) {
            Guarded::No | Guarded::Likely => Because::Listed(listed, scope),
            Guarded::Closed => Because::Guarded(listed, Guarded::Closed),
            Guarded::Private => match self.opening(address.to_canonical()) {
                Some(range) => Because::Opened(listed, range),
                None => Because::Guarded(listed, Guarded::Private),
            },
        }
    }

    /// What becomes of an entry of `allow`, of all that it stands for.
    #[must_use]
    pub fn entry(&self, pattern: &HostPattern) -> Because<'a, T> {
        match pattern.address() {
            Some(address) => self.address(address),
            None => self.name(pattern.domain(), pattern.below().is_some(), None),
        }
    }

    /// What the lists say of a host as pipelock compares it.
    fn listed(&self, host: &str, below: bool) -> Result<T, Because<'a, T>> {
        let allow = self.allow.covering_all(host, below);
        match (self.deny.covering_all(host, below), allow) {
            (Some(deny), allow) => Err(Because::Denied(deny, allow)),
            (None, Some(allow)) => Ok(allow),
            (None, None) => Err(Because::Unlisted),
        }
    }

    /// The smallest range of `private` that holds an address.
    fn opening(&self, address: IpAddr) -> Option<T> {
        holding(&self.ranges, IpNet::from(address)).last()
    }

    /// The `allow` that is nearest to a name that none covers: one of the same domain, or one that is spelled almost
    /// alike.
    #[must_use]
    pub fn nearest(&self, target: &Target) -> Option<T> {
        match &target.host {
            TargetHost::Name(name) => self.allow.nearest(name),
            TargetHost::Address(_) => None,
        }
    }
}

/// Where names are asked for.
pub const DNS_PORT: u16 = 53;
