//! Gaps: where an engine version lets the agent dial more than its bundle.

use super::{BootKind, Capability, Ledger, Version};

/// One way past the bundle, which a spec must accept by the name of its rule (`check::engine::of`) before anything is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// The list is taken and not enforced: every address can be dialled.
    NotEnforced,
    /// The list is dropped for a packed machine: every address can be dialled.
    Dropped,
    /// The image may be a packed machine, of which the list is ignored: every address can be dialled.
    PackReopens,
    /// The list gains 1.1.1.1.
    PublicResolver,
    /// The list gains the host's name server.
    HostResolver,
    /// Names are looked up outside, whatever they are.
    DnsOpen,
}

impl Gap {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::NotEnforced,
        Self::Dropped,
        Self::PackReopens,
        Self::PublicResolver,
        Self::HostResolver,
        Self::DnsOpen,
    ];

    /// The gaps of a machine that boots from `boot`, with `version`.
    #[must_use]
    pub fn of(version: Version, boot: Option<BootKind>) -> Vec<Self> {
        Self::ALL.into_iter().filter(|gap| gap.is_in(version, boot)).collect()
    }

    fn is_in(self, version: Version, boot: Option<BootKind>) -> bool {
        let has = |capability| Ledger::smolvm().has(capability, version);
        match self {
            Self::NotEnforced => !has(Capability::EnforcesCidrPolicy),
            Self::Dropped => {
                boot == Some(BootKind::Artifact)
                    && has(Capability::FromFlag)
                    && !has(Capability::FromKeepsPolicy)
            }
            // Later the list goes as a flag, which counts for a packed machine, too.
            Self::PackReopens => {
                boot == Some(BootKind::Image)
                    && has(Capability::PackByImage)
                    && !has(Capability::FromKeepsPolicy)
            }
            Self::PublicResolver => has(Capability::AddsPublicResolver),
            Self::HostResolver => has(Capability::AddsHostResolver),
            Self::DnsOpen => !has(Capability::DnsRedirect),
        }
    }

    /// Its entry in the ledger.
    #[must_use]
    pub fn capability(self) -> Capability {
        match self {
            Self::NotEnforced => Capability::EnforcesCidrPolicy,
            Self::Dropped => Capability::FromKeepsPolicy,
            Self::PackReopens => Capability::PackByImage,
            Self::PublicResolver => Capability::AddsPublicResolver,
            Self::HostResolver => Capability::AddsHostResolver,
            Self::DnsOpen => Capability::DnsRedirect,
        }
    }

    /// Whether nothing confines the agent then.
    #[must_use]
    pub fn is_total(self) -> bool {
        matches!(self, Self::NotEnforced | Self::Dropped | Self::PackReopens)
    }

    /// What it does to the promise, in words: "this engine looks up any name for it".
    #[must_use]
    pub fn but(self) -> &'static str {
        match self {
            Self::NotEnforced => "this engine does not enforce the list",
            Self::Dropped => "this engine drops the list of a packed machine",
            Self::PackReopens => "this engine ignores the list when the image is a packed machine",
            Self::PublicResolver => "this engine adds 1.1.1.1, on every port",
            Self::HostResolver => "this engine adds the host's name server, on every port",
            Self::DnsOpen => "this engine looks up any name for it",
        }
    }
}
