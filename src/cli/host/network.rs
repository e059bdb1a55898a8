//! The host's networks, and whether a bottle's subnet is among them.

use std::fmt;
use std::net::Ipv4Addr;

use bottlec::text::quote;
use ipnet::Ipv4Net;

use super::address::{Address, HostNetwork, NetworkError, Route};

/// Asks the kernel for the host's networks.
///
/// # Errors
/// When it does not answer, or on a platform where it cannot be asked.
pub(crate) fn read() -> Result<HostNetwork, NetworkError> {
    #[cfg(target_os = "linux")]
    return super::netlink::read();
    #[cfg(not(target_os = "linux"))]
    Err(NetworkError::Unsupported)
}

/// The kind of thing that a bottle's subnet overlaps with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OverlapKind {
    /// The host sends some of the subnet's addresses somewhere.
    Route,
    /// The host has an address in a network that overlaps.
    Address,
    /// Exactly this subnet with its gateway's address: probably this bottle's network, already up.
    OwnNetwork,
}

/// One overlap of a bottle's subnet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Overlap {
    /// With what.
    pub(crate) kind: OverlapKind,
    /// The other network; an address with its prefix length.
    pub(crate) net: Ipv4Net,
    /// Where it is.
    pub(crate) interface: Option<String>,
}

impl Overlap {
    /// Whether it is in the way.
    pub(crate) fn is_conflict(&self) -> bool {
        self.kind != OverlapKind::OwnNetwork
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let net = self.net;
        let at = self.interface.as_deref().map(|name| format!(" on {}", quote(name))).unwrap_or_default();
        match self.kind {
            OverlapKind::Route => write!(f, "the host has a route to `{net}`{at}"),
            OverlapKind::Address => write!(f, "the host has the address `{net}`{at}"),
            OverlapKind::OwnNetwork => {
                write!(
                    f,
                    "the host has the gateway's address `{net}`{at}: probably this bottle's network, already up"
                )
            }
        }
    }
}

/// Every address and route of the host that overlaps `subnet`, in order, each cause once: the route that an address
/// brings with it is not told again.
///
/// The default route is none, nor are the two halves of it (`0.0.0.0/1`, `128.0.0.0/1`) that VPN clients set so as to
/// win over it: they mean "everything else", which the bottle's own route wins over in turn.
pub(crate) fn overlaps(network: &HostNetwork, subnet: Ipv4Net) -> Vec<Overlap> {
    let subnet = subnet.trunc();
    let overlap = |net: &Ipv4Net| net.contains(&subnet) || subnet.contains(net);
    let gateway = Ipv4Addr::from(u32::from(subnet.network()) + 1);
    let mut found: Vec<Overlap> = Vec::new();
    for Address { net, interface } in network.addresses.iter().filter(|address| overlap(&address.net)) {
        let own = net.addr() == gateway && net.prefix_len() == subnet.prefix_len();
        let kind = if own { OverlapKind::OwnNetwork } else { OverlapKind::Address };
        found.push(Overlap { kind, net: *net, interface: Some(interface.clone()) });
    }
    for Route { net, interface } in
        network.routes.iter().filter(|r| r.net.prefix_len() > 1 && overlap(&r.net))
    {
        let brought_along = |address: &Address| {
            let local = net.prefix_len() == 32 && net.addr() == address.net.addr();
            local || (Some(&address.interface) == interface.as_ref() && *net == address.net.trunc())
        };
        if !network.addresses.iter().any(brought_along) {
            found.push(Overlap { kind: OverlapKind::Route, net: *net, interface: interface.clone() });
        }
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    fn network(addresses: &[(&str, &str)], routes: &[(&str, &str)]) -> HostNetwork {
        let interface = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        HostNetwork {
            addresses: addresses
                .iter()
                .map(|(n, i)| Address { net: net(n), interface: (*i).to_owned() })
                .collect(),
            routes: routes.iter().map(|(n, i)| Route { net: net(n), interface: interface(i) }).collect(),
        }
    }

    fn told(network: &HostNetwork) -> Vec<String> {
        overlaps(network, net("192.168.42.0/24")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_host_elsewhere_is_no_overlap() {
        let network = network(
            &[
                ("127.0.0.1/8", "lo"),
                ("192.0.2.2/24", "eth0"),
                ("192.168.41.1/24", "br1"),
                ("192.168.43.9/24", "br2"),
            ],
            &[
                ("0.0.0.0/0", "eth0"),
                ("0.0.0.0/1", "tun0"),
                ("128.0.0.0/1", "tun0"),
                ("192.0.2.0/24", "eth0"),
                ("192.168.41.0/24", "br1"),
                ("192.168.43.0/24", "br2"),
            ],
        );
        assert_eq!(told(&network), Vec::<String>::new());
    }

    #[test]
    fn wider_equal_and_narrower_networks_overlap() {
        let network = network(
            &[("192.168.42.77/32", "eth1"), ("192.168.1.5/16", "wlan0")],
            &[
                ("192.168.0.0/16", "wlan0"),
                ("192.168.0.0/16", "tun0"),
                ("192.168.42.0/24", "tun0"),
                ("192.168.42.128/25", ""),
                ("192.168.42.77/32", "lo"),
                ("192.0.0.0/2", "tun1"),
            ],
        );
        assert_eq!(
            told(&network),
            [
                "the host has a route to `192.0.0.0/2` on `tun1`",
                "the host has a route to `192.168.0.0/16` on `tun0`",
                "the host has a route to `192.168.42.0/24` on `tun0`",
                "the host has a route to `192.168.42.128/25`",
                "the host has the address `192.168.1.5/16` on `wlan0`",
                "the host has the address `192.168.42.77/32` on `eth1`",
            ]
        );
    }

    #[test]
    fn the_bottles_own_bridge_is_told_apart() {
        let own = network(&[("192.168.42.1/24", "br-api")], &[("192.168.42.0/24", "br-api")]);
        let found = overlaps(&own, net("192.168.42.0/24"));
        assert_eq!(found.len(), 1);
        assert!(!found[0].is_conflict());
        assert!(found[0].to_string().ends_with("probably this bottle's network, already up"));
        for (address, route) in
            [("192.168.42.2/24", "192.168.42.0/24"), ("192.168.42.1/16", "192.168.0.0/16")]
        {
            let other = network(&[(address, "eth0")], &[(route, "eth0")]);
            let found = overlaps(&other, net("192.168.42.0/24"));
            assert!(found.len() == 1 && found[0].is_conflict());
        }
    }

    #[test]
    fn a_second_network_beside_the_bottles_own_is_a_conflict_still() {
        let both = network(
            &[("192.168.42.1/24", "br-api")],
            &[("192.168.42.0/24", "br-api"), ("192.168.42.0/24", "tun0")],
        );
        let found = overlaps(&both, net("192.168.42.0/24"));
        assert_eq!(found.iter().filter(|o| o.is_conflict()).count(), 1);
    }

    #[test]
    fn names_of_interfaces_drive_no_terminal() {
        let network = network(&[("192.168.42.9/24", "a\u{1b}[2J")], &[]);
        assert!(told(&network).iter().all(|text| !text.contains('\u{1b}')));
    }

    proptest! {
        #[test]
        fn a_route_overlaps_when_they_share_an_address(bits: u32, prefix in 2u8..=32, octet in 1u8..=254) {
            let route = Ipv4Net::new(Ipv4Addr::from(bits), prefix).unwrap().trunc();
            let subnet = Ipv4Net::new(Ipv4Addr::new(192, 168, octet, 0), 24).unwrap();
            let network = HostNetwork { routes: vec![Route { net: route, interface: None }], addresses: vec![] };
            let shared = route.network() <= subnet.broadcast() && subnet.network() <= route.broadcast();
            prop_assert_eq!(overlaps(&network, subnet).len(), usize::from(shared));
        }
    }
}
