//! The behaviour of each smolvm version: a ledger with its evidence, read by checks and lowering.

mod boot;
mod gap;
mod ledger;
mod secrets;
mod version;

pub use boot::BootKind;
pub use gap::Gap;
pub use ledger::{Capability, Effect, Ledger, Row, Unset};
pub use secrets::SecretRoute;
pub use version::{Version, VersionError};

/// The engine's name, in a spec and on the host's PATH.
pub const SMOLVM: &str = "smolvm";
