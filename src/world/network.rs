//! A bottle's network: its subnet, gateway and bundle address, derived from its slug.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use sha2::{Digest as _, Sha256};

use super::cluster;

/// The third octet that no bottle gets: Docker's own default bridge is 172.17/16, and 192.168.17 was kept free with it
/// by the first implementation, whose addresses must stay what they are.
const AVOIDED: u8 = 17;
/// How many octets the hash is spread over: 1 to 254.
const SPREAD: u64 = 254;

/// The addresses of one bottle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The third octet of everything below; in a cluster, the number of the bundle's address in its range.
    pub octet: u8,
    /// In a cluster: the range that its Services have their addresses in.
    pub services: Option<Ipv4Net>,
}

impl Addresses {
    /// The octet that a slug gets by itself: 1 + (the first 8 bytes of its SHA-256, big-endian) mod 254; 17 becomes 18.
    #[must_use]
    pub fn of_slug(slug: &str) -> Self {
        let digest = Sha256::digest(slug.as_bytes());
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        // The remainder is below 254, so that adding one stays in a byte.
        let octet = u8::try_from(u64::from_be_bytes(head) % SPREAD).unwrap_or(0) + 1;
        Self { octet: if octet == AVOIDED { AVOIDED + 1 } else { octet }, services: None }
    }

    /// Those of the octet that a bottle pins, which the schema has checked, or else of its slug.
    #[must_use]
    pub fn of(slug: &str, pinned: Option<u8>) -> Self {
        pinned.map_or_else(|| Self::of_slug(slug), |octet| Self { octet, services: None })
    }

    /// The same in a cluster whose Services have their addresses in that range. What a slug gets by itself is none of those
    /// that the cluster itself has there.
    #[must_use]
    pub fn in_cluster(self, services: Ipv4Net, is_pinned: bool) -> Self {
        let octet =
            if !is_pinned && cluster::TAKEN.contains(&self.octet) { self.octet + 1 } else { self.octet };
        Self { octet, services: Some(services) }
    }

    /// The subnet, as `192.168.<octet>.0/24`; in a cluster, the range of its Services.
    #[must_use]
    pub fn subnet(self) -> Ipv4Net {
        self.services.unwrap_or_else(|| Ipv4Net::new_assert(self.address(0), 24))
    }

    /// The host's end of the bundle's bridge; a cluster has none.
    #[must_use]
    pub fn gateway(self) -> Option<Ipv4Addr> {
        self.services.is_none().then(|| self.address(1))
    }

    /// The bundle: the one address that the agent may dial.
    #[must_use]
    pub fn bundle(self) -> Ipv4Addr {
        match self.services {
            // The schema takes no range in which that leads too far.
            Some(range) => Ipv4Addr::from(range.network().to_bits().saturating_add(self.octet.into())),
            None => self.address(2),
        }
    }

    /// Whether another bottle may get the number, where it is not taken.
    #[must_use]
    pub fn may_have(self, octet: u8) -> bool {
        match self.services {
            Some(_) => !cluster::TAKEN.contains(&octet),
            None => octet != AVOIDED,
        }
    }

    fn address(self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(192, 168, self.octet, last)
    }
}

/// The first octet after that of `from`, going round, that a bottle on the same network may have and that is not `taken`.
#[must_use]
pub fn free_octet(from: Addresses, taken: impl Fn(u8) -> bool) -> Option<u8> {
    (1..=254)
        .map(|step| u8::try_from((u16::from(from.octet) - 1 + step) % 254 + 1).unwrap_or(1))
        // The language takes 17 nowhere.
        .find(|octet| *octet != AVOIDED && from.may_have(*octet) && !taken(*octet))
}
