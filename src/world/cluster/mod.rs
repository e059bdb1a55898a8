//! Clusters: what Kubernetes gives a bottle and what it does not, and the names of a bottle's objects there.

mod gap;

pub use gap::{Gap, Known};

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// The numbers in a cluster's range of Services that are the cluster's own: the API server has the first address of the
/// range, and by convention the name server the tenth (kubernetes.io, "Service ClusterIP allocation").
pub const TAKEN: [u8; 2] = [1, 10];

/// The longest prefix of a range of Services in which a bundle may have a fixed address. Of a range a cluster leaves the
/// lowest `min(max(16, size / 16), 256)` addresses to whoever asks for one by name: all 256 from a /20 on (the same page).
pub const LONGEST_PREFIX: u8 = 20;

/// The range of Services of a cluster that says no other: that of kubeadm.
pub const SERVICES: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 96, 0, 0), 12);

/// The RuntimeClass of smolvm's own shim.
pub const SMOLVM_CLASS: &str = "smolvm";

/// The user that what comes with every bundle runs as there: `nobody`, whom each of its images knows, as ssh wants it.
pub const NOBODY: u32 = 65_534;

/// The largest number of a user.
pub const MAX_USER: u32 = 2_147_483_647;

/// The most bytes that a ConfigMap may hold.
pub const MAX_CONFIG: usize = 1024 * 1024;

/// What stands before a bottle's name in that of its namespace.
const NAMESPACE: &str = "bottle-";

/// The namespace of a bottle: its own, since labels of a shared one can be had by anybody in it.
#[must_use]
pub fn namespace(slug: &str) -> String {
    format!("{NAMESPACE}{slug}")
}

/// A level of Pod Security, the most confined first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodSecurity {
    /// No root, and no capability but one.
    Restricted,
    /// What usual containers have.
    Baseline,
    /// Anything.
    Privileged,
}

/// The capabilities that may be added at the level `baseline` (kubernetes.io, "Pod Security Standards").
const BASELINE: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

impl PodSecurity {
    /// The level at which a container may have a capability.
    #[must_use]
    pub fn of_capability(name: &str) -> Self {
        match name {
            "NET_BIND_SERVICE" => Self::Restricted,
            name if BASELINE.contains(&name) => Self::Baseline,
            _ => Self::Privileged,
        }
    }

    /// The level at which a container may run as a user, as the spec says it; without a word, as the image's own.
    #[must_use]
    pub fn of_user(user: Option<&str>) -> Self {
        match user.and_then(user_and_group) {
            Some((user, _)) if user > 0 => Self::Restricted,
            _ => Self::Baseline,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Baseline => "baseline",
            Self::Privileged => "privileged",
        }
    }
}

/// The numbers of a user, and of a group, such as `999:999`. Names are no numbers.
#[must_use]
pub fn user_and_group(user: &str) -> Option<(u32, Option<u32>)> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= MAX_USER);
    match user.split_once(':') {
        Some((user, group)) => Some((number(user)?, Some(number(group)?))),
        None => Some((number(user)?, None)),
    }
}
