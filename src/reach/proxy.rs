//! The proxy's decision on a host, as one function of what its configuration says.
//!
//! [`Lists`] is the part of that configuration that decides: lowering writes it as it stands here, and [`Proxy`] answers
//! by it, so that no answer comes from the spec alone. What the proxy refuses beyond what is known here (a credential
//! that stands in its own environment, a phrase of twelve words) is taken for let through: a refusal that is told holds.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;

use crate::world::engine::Version;
use crate::world::host::list::{List, holding};
use crate::world::host::{HostPattern, Verdict, guarded_name};
use crate::world::pipelock::guard::{self, Guarded, METADATA};
use crate::world::pipelock::name::{self, Label};
use crate::world::pipelock::{self, Question};

/// The part of the configuration that decides which hosts are reached. Each entry has its origin in the caller's type;
/// one of the compiler's own has none.
#[derive(Debug)]
pub struct Lists<'a, T> {
    /// `api_allowlist`: never empty.
    pub allow: Vec<(&'a HostPattern, Option<T>)>,
    /// `fetch_proxy.monitoring.blocklist`, which beats it.
    pub block: Vec<(&'a HostPattern, Option<T>)>,
    /// `ssrf.ip_allowlist`: what an allowed name may resolve to although it is internal.
    pub open: Vec<(IpNet, T)>,
    /// `fetch_proxy.monitoring.subdomain_entropy_exclusions`: hosts whose labels may be random.
    pub excluded: Vec<(&'a HostPattern, T)>,
    /// `internal`: what no name may resolve to.
    pub internal: &'a [IpNet],
    /// `trusted_domains`: names that may resolve to anything. Nothing is written there any more; older stages have it.
    pub trusted: Vec<(&'a HostPattern, T)>,
}

/// The entry of a list that allows nothing. The list must not be empty; this address is refused by the block list and as
/// an internal one, and no name can be made to resolve to an entry that is an address.
pub static NOWHERE: LazyLock<HostPattern> = LazyLock::new(|| HostPattern::new(String::from("0.0.0.0")));

/// What is blocked for every bottle: [`NOWHERE`], and the services of metadata.
static NEVER: LazyLock<Vec<HostPattern>> = LazyLock::new(|| {
    let metadata = METADATA.iter().map(|it| HostPattern::new(it.host.to_owned()));
    std::iter::once(NOWHERE.clone()).chain(metadata).collect()
});

impl<'a, T: Copy> Lists<'a, T> {
    /// The lists that a bottle's `allow`, `deny` and `private` become.
    pub fn new(
        version: Version,
        allow: impl IntoIterator<Item = (&'a HostPattern, T)>,
        deny: impl IntoIterator<Item = (&'a HostPattern, T)>,
        private: impl IntoIterator<Item = (&'a HostPattern, T)>,
    ) -> Self {
        let allow: Vec<_> = allow.into_iter().collect();
        let mut block: Vec<_> = deny.into_iter().map(|(host, origin)| (host, Some(origin))).collect();
        let never = NEVER.iter().filter(|host| !block.iter().any(|(other, _)| other == host));
        let never: Vec<_> = never.map(|host| (host, None)).collect();
        block.extend(never);
        let (mut open, mut trusted) = (Vec::new(), Vec::new());
        for (host, origin) in private {
            match host.network() {
                Some(range) => {
                    open.extend(guard::without_metadata(range.trunc()).into_iter().map(|it| (it, origin)));
                }
                None => trusted.push((host, origin)),
            }
        }
        let refused = |host: &HostPattern| gated(version, host.domain()).is_some();
        let excluded = allow.iter().filter(|(host, _)| refused(host)).copied().collect();
        let allow = if allow.is_empty() {
            vec![(&*NOWHERE, None)]
        } else {
            allow.into_iter().map(|(host, origin)| (host, Some(origin))).collect()
        };
        Self { allow, block, open, excluded, internal: guard::internal(), trusted }
    }
}

/// The label of a host, or of each below a domain, that a gate of this version refuses.
#[must_use]
pub fn gated(version: Version, domain: &str) -> Option<Gated<'_>> {
    if domain.parse::<IpAddr>().is_ok() {
        return None;
    }
    if let Some(label) = name::too_random(domain) {
        return Some(Gated::Random(label));
    }
    let encoded = pipelock::has(Question::RefusesEncodedLabels, version);
    name::encoded(domain).filter(|_| encoded).map(Gated::Encoded)
}

/// Why a gate refuses a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gated<'a> {
    /// It is too random.
    Random(Label<'a>),
    /// It looks like an encoded text; by release notes alone, so that it is not sure.
    Encoded(&'a str),
}

/// What an allowed name may resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressScope<T> {
    /// Public addresses alone.
    Public,
    /// Public addresses, and private ones in the ranges of `private`.
    Ranges,
    /// Any address: an entry of an older stage trusts the name.
    Any(T),
}

/// What the proxy does, and by which entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision<T> {
    /// An `allow`; what the name may resolve to.
    Listed(T, AddressScope<T>),
    /// An `allow`, at an internal address, and the range of `private` that opens it.
    Opened(T, T),
    /// An `allow` of a name that is most likely on a private network, where nothing is open.
    Inner(T),
    /// An `allow` of a name that newer versions may refuse for one of its labels.
    Unsure(T),
    /// A `deny`, which beats the `allow` if there is one.
    Denied(T, Option<T>),
    /// A service of metadata, or what stands for nothing.
    Never(Option<T>),
    /// An `allow`, and the guard on internal addresses; whether a spec could open it.
    Guarded(T, Guarded),
    /// An `allow` of a name with a label that is too random.
    Random(T),
    /// An `allow` of a name that is taken for this credential.
    Credential(T, &'static str),
    /// No rule.
    Unlisted,
}

impl<T> Decision<T> {
    /// Its verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Listed(..) | Self::Opened(..) => Verdict::Allowed,
            Self::Inner(_) | Self::Unsure(_) => Verdict::Depends,
            Self::Denied(..)
            | Self::Never(_)
            | Self::Guarded(..)
            | Self::Random(_)
            | Self::Credential(..)
            | Self::Unlisted => Verdict::Refused,
        }
    }
}

/// The lists, ready to be asked.
#[derive(Debug)]
pub struct Proxy<'a, T> {
    version: Version,
    allow: List<'a, Option<T>>,
    block: List<'a, Option<T>>,
    open: BTreeMap<IpNet, T>,
    excluded: List<'a, T>,
    internal: &'a [IpNet],
    trusted: List<'a, T>,
    /// Whether any name is allowed and not denied, which may resolve to what is open.
    names: bool,
}

impl<'a, T: Copy> Proxy<'a, T> {
    /// The lists as a version of the proxy applies them.
    #[must_use]
    pub fn new(version: Version, lists: Lists<'a, T>) -> Self {
        let Lists { allow, block, open, excluded, internal, trusted } = lists;
        let mut ranges = BTreeMap::new();
        for (range, origin) in open {
            ranges.entry(range).or_insert(origin);
        }
        let block = List::new(block);
        let reached = |host: &HostPattern| host.network().is_none() && block.covering(host).is_none();
        Self {
            version,
            names: allow.iter().any(|(host, _)| reached(host)),
            allow: List::new(allow),
            block,
            open: ranges,
            excluded: List::new(excluded),
            internal,
            trusted: List::new(trusted),
        }
    }

    /// The decision on a host as a client spells it, in lower case, which resolves to `at`; without that, to some public address.
    #[must_use]
    pub fn judge(&self, host: &str, at: Option<IpAddr>) -> Decision<T> {
        let host = name::compared(host);
        // One dot at the end is not compared; the gates see it.
        let plain = host.strip_suffix('.').unwrap_or(&host);
        let literal = plain.parse::<IpAddr>().ok();
        if literal.is_some() && plain != host {
            // It is looked up as a name, which nobody has.
            return Decision::Unlisted;
        }
        self.decide(&host, plain, literal.is_some(), false, literal.or(at))
    }

    /// The range by which an allowed name that resolves to an address reaches it, whatever the lists of hosts say of the
    /// address itself.
    #[must_use]
    pub fn by_name(&self, address: IpAddr) -> Option<T> {
        self.opening(address).filter(|_| self.names)
    }

    /// The decision on all that an entry of the allow list stands for.
    #[must_use]
    pub fn entry(&self, pattern: &HostPattern) -> Decision<T> {
        let domain = pattern.domain();
        self.decide(domain, domain, pattern.address().is_some(), pattern.below().is_some(), pattern.address())
    }

    fn decide(&self, host: &str, plain: &str, literal: bool, below: bool, at: Option<IpAddr>) -> Decision<T> {
        // No wildcard matches an address.
        let covering = |list: &List<'a, Option<T>>| {
            if literal { list.exact(plain) } else { list.covering_all(plain, below) }
        };
        let allow = covering(&self.allow);
        match covering(&self.block) {
            Some(Some(deny)) => return Decision::Denied(deny, allow.flatten()),
            Some(None) => return Decision::Never(allow.flatten()),
            None => {}
        }
        let Some(Some(allow)) = allow else { return Decision::Unlisted };
        if let Some(what) = name::credential(host).filter(|_| !literal) {
            return Decision::Credential(allow, what);
        }
        let gated = gated(self.version, host).filter(|_| !literal);
        let gated = gated.filter(|_| self.excluded.covering_all(plain, below).is_none());
        if let Some(Gated::Random(_)) = gated {
            return Decision::Random(allow);
        }
        let decision = self.resolved(plain, literal, below, at, allow);
        match (gated, decision) {
            (Some(_), Decision::Listed(..) | Decision::Opened(..) | Decision::Inner(_)) => {
                Decision::Unsure(allow)
            }
            _ => decision,
        }
    }

    /// What the guard on internal addresses says.
    fn resolved(&self, plain: &str, literal: bool, below: bool, at: Option<IpAddr>, allow: T) -> Decision<T> {
        let scope = if self.open.is_empty() { AddressScope::Public } else { AddressScope::Ranges };
        if let Some(entry) = self.trusted.covering_all(plain, below).filter(|_| !literal) {
            return Decision::Listed(allow, AddressScope::Any(entry));
        }
        let Some(address) = at else {
            // A name that the spec says is inside is listed beside where it is.
            let closed = !below && self.open.is_empty();
            return if closed && guarded_name(plain, false) == Guarded::Likely {
                Decision::Inner(allow)
            } else {
                Decision::Listed(allow, scope)
            };
        };
        if !self.is_internal(address) {
            return Decision::Listed(allow, scope);
        }
        let address = address.to_canonical();
        match self.opening(address) {
            Some(range) => Decision::Opened(allow, range),
            None => Decision::Guarded(
                allow,
                match guard::of_network(address.into()) {
                    Guarded::Private => Guarded::Private,
                    _ => Guarded::Closed,
                },
            ),
        }
    }

    fn is_internal(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let hidden =
            guard::hidden(address).filter(|_| pipelock::has(Question::SeesHiddenAddress, self.version));
        let inside = |address: IpAddr| guard::within(self.internal, &address.into());
        inside(address) || hidden.is_some_and(|hidden| inside(hidden.into()))
    }

    /// The smallest range of `private` that holds an address.
    fn opening(&self, address: IpAddr) -> Option<T> {
        holding(&self.open, IpNet::from(address)).last()
    }

    /// The `allow` that is nearest to a name that none covers.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<T> {
        self.allow.nearest(name).flatten()
    }
}
