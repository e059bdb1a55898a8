//! Reachability: whether the agent can reach a target, and which entry decides.
//!
//! An agent has three ways out. It dials an address itself, which the engine keeps to the bundle; it asks pipelock,
//! which keeps it to its lists ([`proxy`]); or it asks the broker, which keeps it to methods and paths ([`broker`]). Everything that answers a question of this kind asks here: `reach`, `expect`
//! and `diff`.

pub mod broker;
mod forge;
pub mod proxy;

pub use forge::past_gate;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use proxy::{Decision, Lists, Proxy};

use crate::world::engine::{Gap, Version};
use crate::world::host::{HostPattern, Target, TargetHost, Verdict};

/// The reason of a verdict. `T` is an entry of a list, in the caller's type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Because<'a, T> {
    /// The engine version keeps the agent to nothing.
    Unconfined(Gap),
    /// The agent's own machine, not the host.
    OwnMachine,
    /// The one address that the agent may dial, on every port of it; what the plan says to listen there.
    Bundle(Option<&'a str>),
    /// A port of that address that the agent is not given, where ports are told apart.
    Closed,
    /// What is sent to port 53 of any address goes to the host's resolver.
    Resolver,
    /// What pipelock decides.
    Proxy(Decision<T>),
    /// pipelock refuses the address as a host, and an allowed name that resolves to it reaches it: by this range of
    /// `private`.
    ByName(T),
}

impl<T> Because<'_, T> {
    /// Its verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Unconfined(_) | Self::Bundle(_) | Self::Resolver => Verdict::Allowed,
            Self::ByName(_) => Verdict::Depends,
            Self::OwnMachine | Self::Closed => Verdict::Refused,
            Self::Proxy(decision) => decision.verdict(),
        }
    }
}

/// The policy of one bottle.
#[derive(Debug)]
pub struct Policy<'a, T> {
    bundle: Ipv4Addr,
    gaps: Vec<Gap>,
    listeners: BTreeMap<u16, &'a str>,
    /// The ports of the bundle that the agent may dial, where it may not dial each.
    ports: Option<BTreeSet<u16>>,
    proxy: Proxy<'a, T>,
}

impl<'a, T: Copy> Policy<'a, T> {
    /// The policy of a bottle: its bundle's address, where its engine breaks the promise, who listens in its bundle, and
    /// what its pipelock is told, in which version.
    pub fn new(
        bundle: Ipv4Addr,
        gaps: Vec<Gap>,
        listeners: impl IntoIterator<Item = (u16, &'a str)>,
        version: Version,
        lists: Lists<'a, T>,
    ) -> Self {
        let (listeners, proxy) = (listeners.into_iter().collect(), Proxy::new(version, lists));
        Self { bundle, gaps, listeners, ports: None, proxy }
    }

    /// The same in a cluster, which leaves the agent these ports of its bundle.
    #[must_use]
    pub fn with_ports(self, ports: Option<impl IntoIterator<Item = u16>>) -> Self {
        Self { ports: ports.map(|ports| ports.into_iter().collect()), ..self }
    }

    /// Whether the agent may dial some ports of its bundle only.
    #[must_use]
    pub fn lists_ports(&self) -> bool {
        self.ports.is_some()
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
                if let (Some(ports), Some(port)) = (&self.ports, target.port)
                    && !ports.contains(&port)
                {
                    return Because::Closed;
                }
                Because::Bundle(target.port.and_then(|port| self.listeners.get(&port).copied()))
            }
            TargetHost::Address(address) if address.is_loopback() || address.is_unspecified() => {
                Because::OwnMachine
            }
            TargetHost::Name(name) if name == "localhost" || name.ends_with(".localhost") => {
                Because::OwnMachine
            }
            _ if target.port == Some(DNS_PORT) && self.gaps.contains(&Gap::DnsOpen) => Because::Resolver,
            host => {
                let decision = self.proxy.judge(&target.spelling, at);
                let by_name = match host {
                    TargetHost::Address(address) => self.proxy.by_name(*address),
                    TargetHost::Name(_) => None,
                };
                match by_name.filter(|_| decision.verdict() == Verdict::Refused) {
                    Some(range) => Because::ByName(range),
                    None => Because::Proxy(decision),
                }
            }
        }
    }

    /// What becomes of an entry of `allow`, of all that it stands for.
    #[must_use]
    pub fn entry(&self, pattern: &HostPattern) -> Decision<T> {
        self.proxy.entry(pattern)
    }

    /// The `allow` that is nearest to a name that none covers: one of the same domain, or one that is spelled almost
    /// alike.
    #[must_use]
    pub fn nearest(&self, target: &Target) -> Option<T> {
        match &target.host {
            TargetHost::Name(name) => self.proxy.nearest(name),
            TargetHost::Address(_) => None,
        }
    }
}

/// Where names are asked for.
pub const DNS_PORT: u16 = 53;
