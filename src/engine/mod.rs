//! What each smolvm version does: a data table with its evidence, asked by rules and by lowering.

mod ledger;
mod version;

pub use ledger::{Capability, Ledger, Row};
pub use version::{Version, VersionError};

/// The engine's name, in a spec and on the host's PATH.
pub const SMOLVM: &str = "smolvm";
