//! A bottle's network: its subnet, gateway and bundle address, derived from its slug.

use std::net::Ipv4Addr;

use sha2::{Digest as _, Sha256};

/// The third octet that no bottle gets: Docker's own default bridge is 172.17/16, and 192.168.17 was kept free with it
/// by the first implementation, whose addresses must stay what they are.
const AVOIDED: u8 = 17;
/// How many octets the hash is spread over: 1 to 254.
const SPREAD: u64 = 254;

/// The addresses of one bottle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The third octet of everything below.
    pub octet: u8,
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
        Self { octet: if octet == AVOIDED { AVOIDED + 1 } else { octet } }
    }

    /// Those of the octet that a bottle pins, which the schema has checked, or else of its slug.
    #[must_use]
    pub fn of(slug: &str, pinned: Option<u8>) -> Self {
        pinned.map_or_else(|| Self::of_slug(slug), |octet| Self { octet })
    }

    /// The subnet, as `192.168.<octet>.0/24`.
    #[must_use]
    pub fn subnet(self) -> ipnet::Ipv4Net {
        ipnet::Ipv4Net::new_assert(self.address(0), 24)
    }

    /// The host's end of the bundle's bridge.
    #[must_use]
    pub fn gateway(self) -> Ipv4Addr {
        self.address(1)
    }

    /// The bundle: the one address that the agent may dial.
    #[must_use]
    pub fn bundle(self) -> Ipv4Addr {
        self.address(2)
    }

    fn address(self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(192, 168, self.octet, last)
    }
}

/// The first octet after `from`, going round, that is not `taken`.
#[must_use]
pub fn free_octet(from: u8, taken: impl Fn(u8) -> bool) -> Option<u8> {
    (1..=254)
        .map(|step| u8::try_from((u16::from(from) - 1 + step) % 254 + 1).unwrap_or(1))
        .find(|octet| *octet != AVOIDED && !taken(*octet))
}
