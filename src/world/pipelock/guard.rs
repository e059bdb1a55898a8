//! Networks that the proxy refuses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::name;

/// The reading of an address, of a network or of an entry of the allow list by pipelock's guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarded {
    /// It refuses it, and no `private` opens it.
    Closed,
    /// It refuses it unless `private` opens it.
    Private,
    /// By its name it is most likely on a private network.
    Likely,
    /// Nothing speaks against it.
    No,
}

/// Networks that the guard refuses and that a spec may open.
const PRIVATE: &[&str] = &["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// What the guard refuses by itself and nobody may open: loopback is the bundle's own, where pipelock's metrics and the
/// sidecars' inner ports are; link-local addresses are where clouds hand out credentials; the others are no hosts. With
/// `PRIVATE` it is pipelock's own list, `internal` (`internal/config/defaults.go` at 2.3.0).
const CLOSED: &[&str] =
    &["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "::1/128", "fe80::/10", "ff00::/8"];

/// What its own list lacks: the unspecified address, which Linux takes for loopback, and the retired private range of
/// version 6 (RFC 3879). A name that resolves to one of these was let through (run with 2.3.0: `fec0::1`).
const MORE: &[&str] = &["::/128", "fec0::/10"];

/// A host that hands out a cloud's credentials to whoever asks from one of its machines.
#[derive(Debug)]
pub struct Metadata {
    /// Its name or its address.
    pub host: &'static str,
    /// Whose it is.
    pub whose: &'static str,
}

const fn of(host: &'static str, whose: &'static str) -> Metadata {
    Metadata { host, whose }
}

/// Services of metadata, by host: from each cloud's documentation of its instance metadata, 2026. They are refused
/// whatever a spec says.
pub static METADATA: &[Metadata] = &[
    of("100.100.100.200", "Alibaba Cloud"),
    of("168.63.129.16", "Azure"),
    of("169.254.169.254", "AWS, Azure, Google Cloud and others"),
    of("169.254.170.2", "AWS, for containers"),
    of("169.254.170.23", "AWS, for pods"),
    of("192.0.0.192", "Oracle Cloud"),
    of("fd00:ec2::23", "AWS, for pods"),
    of("fd00:ec2::254", "AWS"),
    of("fd20:ce::254", "Google Cloud"),
    of("instance-data", "AWS"),
    of("instance-data.ec2.internal", "AWS"),
    of("metadata", "Google Cloud"),
    of("metadata.goog", "Google Cloud"),
    of("metadata.google.internal", "Google Cloud"),
    of("metadata.platformequinix.com", "Equinix Metal"),
    of("metadata.tencentyun.com", "Tencent Cloud"),
];

/// The service of metadata that a host is, in lower case and however an address is spelled.
#[must_use]
pub fn metadata(host: &str) -> Option<&'static Metadata> {
    let host = name::compared(host);
    let plain = host.strip_suffix('.').unwrap_or(&host);
    METADATA.iter().find(|it| it.host == plain)
}

fn metadata_addresses() -> impl Iterator<Item = IpAddr> {
    METADATA.iter().filter_map(|it| it.host.parse().ok())
}

struct Networks {
    private: Vec<IpNet>,
    closed: Vec<IpNet>,
    all: Vec<IpNet>,
    /// The same, as they are written.
    texts: Vec<String>,
}

static NETWORKS: LazyLock<Networks> = LazyLock::new(|| {
    let read = |texts: &[&str]| texts.iter().filter_map(|text| text.parse().ok()).collect::<Vec<IpNet>>();
    let private = read(PRIVATE);
    let mut closed = read(CLOSED);
    let own: Vec<IpNet> = private.iter().chain(&closed).copied().collect();
    closed.extend(read(MORE));
    let hidden: Vec<IpNet> = own.iter().filter_map(v4).flat_map(translated).collect();
    closed.extend(hidden);
    closed.extend(metadata_addresses().map(IpNet::from).filter(|it| !within(&own, it)));
    let mut all: Vec<IpNet> = private.iter().chain(&closed).copied().collect();
    all.sort();
    // What is inside of a private range has to be closed by what is left out of what opens it.
    closed.extend(metadata_addresses().map(IpNet::from).filter(|it| within(&private, it)));
    let texts = all.iter().map(IpNet::to_string).collect();
    Networks { private, closed, all, texts }
});

fn v4(network: &IpNet) -> Option<Ipv4Net> {
    match network {
        IpNet::V4(network) => Some(*network),
        IpNet::V6(_) => None,
    }
}

/// The two ways of writing a network of version 4 in version 6 that reach it: behind a translator (RFC 6052) and over
/// 6to4 (RFC 3056). The guard saw through neither before 3.7.1.
fn translated(network: Ipv4Net) -> [IpNet; 2] {
    let bits = u128::from(network.network().to_bits());
    let at = |prefix: u128, shift: u32, length: u8| {
        let address = Ipv6Addr::from_bits(prefix | bits << shift);
        IpNet::V6(Ipv6Net::new_assert(address, length + network.prefix_len()))
    };
    [at(0x0064_ff9b << 96, 0, 96), at(0x2002 << 112, 80, 16)]
}

/// The address of version 4 that one of version 6 stands for, by NAT64 or 6to4.
#[must_use]
pub fn hidden(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let bits = address.to_bits();
    let low = |shift: u32| Ipv4Addr::from_bits(u32::try_from(bits >> shift & 0xffff_ffff).unwrap_or(0));
    if bits >> 32 == 0x0064_ff9b_u128 << 64 {
        Some(low(0))
    } else if bits >> 112 == 0x2002 {
        Some(low(80))
    } else {
        None
    }
}

/// Whether one of the networks holds all of another.
#[must_use]
pub fn within(networks: &[IpNet], network: &IpNet) -> bool {
    networks.iter().any(|outer| outer.contains(network))
}

/// What pipelock's configuration gets as `internal`: its own list, and what that lacks. In order.
#[must_use]
pub fn internal() -> &'static [IpNet] {
    &NETWORKS.all
}

/// The same, as they are written.
#[must_use]
pub fn internal_texts() -> &'static [String] {
    &NETWORKS.texts
}

/// Every border between addresses that are guarded in one way and in another.
pub fn borders() -> impl Iterator<Item = IpNet> {
    NETWORKS.private.iter().chain(&NETWORKS.closed).copied()
}

/// The guard's view of a network, or of an address.
#[must_use]
pub fn of_network(network: IpNet) -> Guarded {
    match (within(&NETWORKS.closed, &network), within(&NETWORKS.private, &network)) {
        (true, _) => Guarded::Closed,
        (false, true) => Guarded::Private,
        (false, false) => Guarded::No,
    }
}

/// A range that is opened, without the services of metadata in it: the fewest ranges that hold the rest, in order.
#[must_use]
pub fn without_metadata(range: IpNet) -> Vec<IpNet> {
    let holes: Vec<IpNet> = metadata_addresses().map(IpNet::from).filter(|it| range.contains(it)).collect();
    let mut rest = Vec::new();
    split(range, &holes, &mut rest);
    rest
}

fn split(range: IpNet, holes: &[IpNet], rest: &mut Vec<IpNet>) {
    if !holes.iter().any(|hole| range.contains(hole)) {
        rest.push(range);
    } else if let Ok(halves) = range.subnets(range.prefix_len() + 1) {
        // A single address has no halves.
        for half in halves {
            split(half, holes, rest);
        }
    }
}
