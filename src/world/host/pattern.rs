//! Host patterns, parsed: names, wildcards, addresses and ranges.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{guarded_name, matches};
use crate::world::pipelock::guard::{self, Guarded};

/// An entry of a list of hosts: a name, `*.` and a domain, an address, or in `private` a range of addresses. What it is
/// was found out when it was read; as text, which it dereferences to, it is in lower case. It is ordered by that.
#[derive(Clone, Debug)]
pub struct HostPattern {
    text: String,
    network: Option<IpNet>,
    sound: bool,
}

impl HostPattern {
    /// Parses an entry. Host names are compared without regard to case: one spelling makes equal entries equal.
    #[must_use]
    pub fn new(mut text: String) -> Self {
        text.make_ascii_lowercase();
        let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        Self { network, sound: matches(&text), text }
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether it can match anything in `allow` or `deny`: what cannot is an error.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.sound
    }

    /// Returns the domain of a wildcard, which stands for all names below it.
    #[must_use]
    pub fn below(&self) -> Option<&str> {
        self.text.strip_prefix("*.")
    }

    /// Returns the text without `*.` in front.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.below().unwrap_or(&self.text)
    }

    /// Returns the range that it names by number, of one address or more.
    #[must_use]
    pub fn network(&self) -> Option<IpNet> {
        self.network
    }

    /// Returns the address that it is.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        // A range of one address is written otherwise.
        self.network.filter(|_| !self.text.contains('/')).map(|network| network.addr())
    }

    /// Returns how pipelock's guard takes it as an entry of the allow list, without looking the name up.
    #[must_use]
    pub fn guarded(&self) -> Guarded {
        match self.address() {
            Some(address) => guard::of_network(IpNet::from(address)),
            None => guarded_name(self.domain(), self.below().is_some()),
        }
    }
}

impl Deref for HostPattern {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for HostPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for HostPattern {}

impl PartialOrd for HostPattern {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HostPattern {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Serialize for HostPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl JsonSchema for HostPattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}
