//! The engine that runs the machine.

mod version;

pub use version::{Version, VersionError};
