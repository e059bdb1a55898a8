//! Addresses and routes of a host.

use std::io;

use ipnet::Ipv4Net;

/// A network that the host sends somewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    /// What it reaches.
    pub(crate) net: Ipv4Net,
    /// By which interface; none for a route that discards, or that has several next hops.
    pub(crate) interface: Option<String>,
}

/// An address of the host's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    /// The address, with the length of its network's prefix.
    pub(crate) net: Ipv4Net,
    /// Whose.
    pub(crate) interface: String,
}

/// The host's IPv4 routes, of every table, and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostNetwork {
    /// In the kernel's order.
    pub(crate) routes: Vec<Route>,
    /// In the kernel's order.
    pub(crate) addresses: Vec<Address>,
}

/// Why the host's networks are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkError {
    /// There is no way to ask without running a program.
    #[cfg_attr(target_os = "linux", allow(dead_code, reason = "what other platforms say"))]
    #[error(
        "the host's networks are not checked on this platform: see to it that no other network has the bottle's subnet"
    )]
    Unsupported,
    /// The kernel refused.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "what Linux says"))]
    #[error("cannot {action}: {reason}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the kernel said; part of the message, so no `source` as well.
        reason: io::Error,
    },
    /// An answer that makes no sense.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "what Linux says"))]
    #[error("the kernel's answer about the host's networks is not understood: {what}")]
    Malformed {
        /// What about it.
        what: &'static str,
    },
}
