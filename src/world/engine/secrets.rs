//! The programs of a machine that get its secrets, by engine version and kind of boot source.

use super::{BootKind, Capability, Ledger, Version};

/// The way in which references to the agent's secrets are handed to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretRoute {
    /// With the machine, which keeps them: the program that it starts by itself gets the secrets, and so does whatever
    /// is run in it later.
    Machine,
    /// With each program that is run in the machine: a packed machine keeps none, so what it starts by itself gets none.
    Exec,
    /// Both ways: the image may turn out to be a packed machine.
    Both,
}

impl SecretRoute {
    /// The route of a machine that boots from `boot`, with `version`.
    #[must_use]
    pub fn of(version: Version, boot: Option<BootKind>) -> Self {
        let has = |capability| Ledger::smolvm().has(capability, version);
        match boot {
            Some(BootKind::Artifact) if has(Capability::PackDropsSecrets) => Self::Exec,
            Some(BootKind::Image) if has(Capability::PackDropsSecrets) && has(Capability::PackByImage) => {
                Self::Both
            }
            Some(_) | None => Self::Machine,
        }
    }

    /// Whether the machine is made with them.
    #[must_use]
    pub fn with_machine(self) -> bool {
        self != Self::Exec
    }

    /// Whether each program that is run in it is given them.
    #[must_use]
    pub fn with_exec(self) -> bool {
        self != Self::Machine
    }
}
