//! Routes and addresses from the kernel itself, by rtnetlink.
//!
//! `/proc/net/route` shows the main table only, but VPN clients put their routes in tables of their own, and
//! `/proc/net/fib_trie`, which has them all, is meant for people. The messages are small and fixed; what is read of
//! them is checked against their lengths.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netdevice, recv, sendto, socket_with,
};

use super::address::{Address, HostNetwork, NetworkError, Route};

// From <linux/netlink.h> and <linux/rtnetlink.h>.
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const AF_INET: u8 = 2;
const RTN_BROADCAST: u8 = 3;
const RTN_MULTICAST: u8 = 5;
const RTM_F_CLONED: u32 = 0x200;

const HEADER: usize = 16;
const ROUTE_HEADER: usize = 12;
const ADDRESS_HEADER: usize = 8;

/// The kernel fills at most 32 KiB at once.
const BUFFER: usize = 64 * 1024;

/// More than a router in the middle of the internet has.
const MAX_ENTRIES: usize = 2_000_000;

/// How often a dump that the kernel changed in the middle is asked for again.
const ATTEMPTS: usize = 8;

/// Asks the kernel.
pub(super) fn read() -> Result<HostNetwork, NetworkError> {
    // No protocol is protocol 0, which is `NETLINK_ROUTE`.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None);
    let socket = socket.map_err(io("open a netlink socket"))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(Duration::from_secs(5)))
        .map_err(io("set up a netlink socket"))?;
    let routes = dump(&socket, RTM_GETROUTE, ROUTE_HEADER, RTM_NEWROUTE, parse_route)?;
    let addresses = dump(&socket, RTM_GETADDR, ADDRESS_HEADER, RTM_NEWADDR, parse_address)?;
    let mut names = BTreeMap::new();
    let mut name = |index: u32| -> String {
        // An interface may vanish meanwhile: its number is a name as well.
        names
            .entry(index)
            .or_insert_with(|| {
                netdevice::index_to_name(socket.as_fd(), index).unwrap_or_else(|_| format!("#{index}"))
            })
            .clone()
    };
    Ok(HostNetwork {
        routes: routes
            .into_iter()
            .map(|(net, index)| Route { net, interface: index.map(&mut name) })
            .collect(),
        addresses: addresses
            .into_iter()
            .map(|(net, index)| Address { net, interface: name(index) })
            .collect(),
    })
}

fn io(action: &'static str) -> impl Fn(Errno) -> NetworkError {
    move |reason| NetworkError::Io { action, reason: reason.into() }
}

const fn malformed(what: &'static str) -> NetworkError {
    NetworkError::Malformed { what }
}

type Parse<T> = fn(&[u8]) -> Result<Option<T>, NetworkError>;

/// Every item of a kind that the kernel has.
fn dump<T>(
    socket: &OwnedFd,
    request: u16,
    header: usize,
    wanted: u16,
    parse: Parse<T>,
) -> Result<Vec<T>, NetworkError> {
    let mut buffer = vec![0; BUFFER];
    for attempt in 1..=ATTEMPTS {
        let sequence = u32::from(request) << 8 | u32::try_from(attempt).unwrap_or(0);
        let message = request_message(request, header, sequence);
        sendto(socket, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))
            .map_err(io("ask the kernel"))?;
        let mut items = Vec::new();
        let mut interrupted = false;
        loop {
            let (_, length) = loop {
                match recv(socket, buffer.as_mut_slice(), RecvFlags::TRUNC) {
                    Err(Errno::INTR) => {}
                    result => break result.map_err(io("hear from the kernel"))?,
                }
            };
            let bytes = buffer.get(..length).ok_or(malformed("a message is longer than any"))?;
            let state = parse_messages(bytes, sequence, wanted, parse, &mut items)?;
            interrupted |= state.interrupted;
            if items.len() > MAX_ENTRIES {
                return Err(malformed("there is no end to it"));
            }
            if state.done {
                break;
            }
        }
        if !interrupted {
            return Ok(items);
        }
    }
    Err(malformed("the host's networks change faster than they can be read"))
}

/// "All that you have of IPv4."
fn request_message(kind: u16, header: usize, sequence: u32) -> Vec<u8> {
    let length = u32::try_from(HEADER + header).unwrap_or(0);
    let mut message = Vec::with_capacity(HEADER + header);
    message.extend_from_slice(&length.to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&(NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    message.extend_from_slice(&sequence.to_ne_bytes());
    message.extend_from_slice(&0_u32.to_ne_bytes());
    message.push(AF_INET);
    message.resize(HEADER + header, 0);
    message
}

/// Where a dump is.
#[derive(Debug, PartialEq, Eq)]
struct Progress {
    done: bool,
    interrupted: bool,
}

/// Reads the messages of one datagram.
fn parse_messages<T>(
    mut bytes: &[u8],
    sequence: u32,
    wanted: u16,
    parse: Parse<T>,
    items: &mut Vec<T>,
) -> Result<Progress, NetworkError> {
    let short = malformed("a message is cut short");
    let mut progress = Progress { done: false, interrupted: false };
    while !bytes.is_empty() {
        let (Some(length), Some(kind), Some(flags), Some(answered)) =
            (u32_at(bytes, 0), u16_at(bytes, 4), u16_at(bytes, 6), u32_at(bytes, 8))
        else {
            return Err(short);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(body) = bytes.get(HEADER..length) else { return Err(short) };
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        if answered != sequence {
            // Left over from an attempt before.
            continue;
        }
        progress.interrupted |= flags & NLM_F_DUMP_INTR != 0;
        match kind {
            NLMSG_DONE | NLMSG_ERROR => {
                // An error number, negative; none with some ends.
                let code = u32_at(body, 0).map_or(0, u32::cast_signed);
                if code != 0 {
                    return Err(io("ask the kernel for the host's networks")(Errno::from_raw_os_error(
                        code.saturating_neg(),
                    )));
                }
                progress.done = true;
            }
            kind if kind == wanted => items.extend(parse(body)?),
            _ => {}
        }
    }
    Ok(progress)
}

/// An IPv4 route; none for what is not asked about: broadcast and multicast belong to an address or are no network of
/// anybody's.
fn parse_route(body: &[u8]) -> Result<Option<(Ipv4Net, Option<u32>)>, NetworkError> {
    let short = || malformed("a route is cut short");
    let [family, prefix, _, _, _, _, _, kind] = *body.first_chunk::<8>().ok_or_else(short)?;
    let flags = u32_at(body, 8).ok_or_else(short)?;
    if family != AF_INET || matches!(kind, RTN_BROADCAST | RTN_MULTICAST) || flags & RTM_F_CLONED != 0 {
        return Ok(None);
    }
    let attributes = attributes(&body[ROUTE_HEADER..])?;
    let to = match attributes.get(&RTA_DST) {
        None => Ipv4Addr::UNSPECIFIED,
        Some(bytes) => address(bytes)?,
    };
    let interface = attributes.get(&RTA_OIF).and_then(|bytes| u32_at(bytes, 0));
    Ok(Some((network(to, prefix)?.trunc(), interface)))
}

/// An IPv4 address of the host's.
fn parse_address(body: &[u8]) -> Result<Option<(Ipv4Net, u32)>, NetworkError> {
    let short = || malformed("an address is cut short");
    let [family, prefix, _, _] = *body.first_chunk::<4>().ok_or_else(short)?;
    let index = u32_at(body, 4).ok_or_else(short)?;
    if family != AF_INET {
        return Ok(None);
    }
    let attributes = attributes(&body[ADDRESS_HEADER..])?;
    let (peer, local) = (attributes.get(&IFA_ADDRESS), attributes.get(&IFA_LOCAL));
    let Some(own) = local.or(peer) else { return Ok(None) };
    // On a point-to-point link the prefix is the peer's, which has a route of its own.
    let prefix = if local.is_some() && peer.is_some() && local != peer { 32 } else { prefix };
    Ok(Some((network(address(own)?, prefix)?, index)))
}

fn network(address: Ipv4Addr, prefix: u8) -> Result<Ipv4Net, NetworkError> {
    Ipv4Net::new(address, prefix).map_err(|_| malformed("a prefix is longer than an address"))
}

fn address(bytes: &[u8]) -> Result<Ipv4Addr, NetworkError> {
    <[u8; 4]>::try_from(bytes).map(Ipv4Addr::from).map_err(|_| malformed("an address has not four bytes"))
}

/// Type to value.
fn attributes(mut bytes: &[u8]) -> Result<BTreeMap<u16, &[u8]>, NetworkError> {
    let mut found = BTreeMap::new();
    while bytes.len() >= 4 {
        let (Some(length), Some(kind)) = (u16_at(bytes, 0), u16_at(bytes, 2)) else { break };
        let value = bytes.get(4..usize::from(length)).ok_or(malformed("an attribute is cut short"))?;
        found.insert(kind, value);
        bytes = bytes.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(found)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_ne_bytes(*chunk))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_ne_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEADER + body.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&sequence.to_ne_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(body);
        bytes
    }

    fn route(prefix: u8, kind: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut body = vec![AF_INET, prefix, 0, 0, 254, 2, 0, kind];
        body.extend_from_slice(&0_u32.to_ne_bytes());
        body.extend(attributes.concat());
        body
    }

    fn address_body(prefix: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut body = vec![AF_INET, prefix, 0, 0];
        body.extend_from_slice(&7_u32.to_ne_bytes());
        body.extend(attributes.concat());
        body
    }

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    #[test]
    fn routes_are_read() {
        let oif = attribute(RTA_OIF, &3_u32.to_ne_bytes());
        let to = attribute(RTA_DST, &[192, 168, 42, 0]);
        // The table's number and one that nobody knows yet.
        let noise = [attribute(15, &52_u32.to_ne_bytes()), attribute(999, b"odd")].concat();
        let parse = |body: &[u8]| parse_route(body).unwrap();
        assert_eq!(
            parse(&route(24, 1, &[noise, to.clone(), oif.clone()])),
            Some((net("192.168.42.0/24"), Some(3)))
        );
        assert_eq!(parse(&route(0, 1, &[oif])), Some((net("0.0.0.0/0"), Some(3))));
        // Blackhole: a route that goes nowhere overlaps as well.
        assert_eq!(parse(&route(24, 6, std::slice::from_ref(&to))), Some((net("192.168.42.0/24"), None)));
        assert_eq!(parse(&route(24, RTN_BROADCAST, std::slice::from_ref(&to))), None);
        assert!(parse_route(&route(33, 1, &[to])).is_err());
        assert!(parse_route(&route(24, 1, &[attribute(RTA_DST, &[1, 2])])).is_err());
        assert!(parse_route(&[AF_INET, 24]).is_err());
    }

    #[test]
    fn addresses_are_read() {
        let local = attribute(IFA_LOCAL, &[192, 168, 42, 1]);
        let same = attribute(IFA_ADDRESS, &[192, 168, 42, 1]);
        let peer = attribute(IFA_ADDRESS, &[10, 0, 0, 1]);
        let parse = |body: &[u8]| parse_address(body).unwrap();
        assert_eq!(
            parse(&address_body(24, &[same.clone(), local.clone()])),
            Some((net("192.168.42.1/24"), 7))
        );
        assert_eq!(parse(&address_body(24, &[same])), Some((net("192.168.42.1/24"), 7)));
        assert_eq!(parse(&address_body(24, &[peer, local])), Some((net("192.168.42.1/32"), 7)));
        assert_eq!(parse(&address_body(24, &[])), None);
    }

    #[test]
    fn a_datagram_is_read_to_its_end() {
        let one = message(RTM_NEWROUTE, 2, 9, &route(24, 1, &[attribute(RTA_DST, &[10, 0, 0, 0])]));
        let stale = message(RTM_NEWROUTE, 2, 8, &route(24, 1, &[attribute(RTA_DST, &[10, 9, 9, 0])]));
        let done = message(NLMSG_DONE, 2, 9, &0_u32.to_ne_bytes());
        let mut items = Vec::new();
        let read =
            |bytes: &[u8], items: &mut Vec<_>| parse_messages(bytes, 9, RTM_NEWROUTE, parse_route, items);
        let progress = read(&[stale, one.clone()].concat(), &mut items).unwrap();
        assert_eq!(progress, Progress { done: false, interrupted: false });
        let interrupted = message(RTM_NEWROUTE, 2 | NLM_F_DUMP_INTR, 9, &one[HEADER..]);
        let progress = read(&[interrupted, done].concat(), &mut items).unwrap();
        assert_eq!(progress, Progress { done: true, interrupted: true });
        assert_eq!(items, [(net("10.0.0.0/24"), None), (net("10.0.0.0/24"), None)]);

        let refused = message(NLMSG_ERROR, 0, 9, &(-1_i32).to_ne_bytes());
        let error = read(&refused, &mut items).unwrap_err();
        assert!(error.to_string().contains("not permitted"), "{error}");
        assert!(read(&one[..one.len() - 4], &mut items).is_err());
        assert!(read(&one[..10], &mut items).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), inner: Vec<u8>) {
            let _ = parse_messages(&bytes, 0, RTM_NEWROUTE, parse_route, &mut Vec::new());
            let whole = message(RTM_NEWADDR, 0, 0, &inner);
            let _ = parse_messages(&whole, 0, RTM_NEWADDR, parse_address, &mut Vec::new());
            let _ = parse_route(&inner);
            let _ = parse_route(&[&[AF_INET, 24][..], &inner].concat());
            let _ = parse_address(&[&[AF_INET, 24][..], &inner].concat());
        }
    }

    #[test]
    fn this_host_is_read() {
        let network = crate::cli::host::read().unwrap();
        assert!(network.routes.iter().all(|route| route.net == route.net.trunc()));
    }
}
