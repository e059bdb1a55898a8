//! What was to be checked and could not be read.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::digest::sha256_hex;

/// A file or directory of which nothing is known, since it could not be read. A report that does not name it looks as if
/// nothing were wrong there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unread {
    /// The path, as it was given or found.
    pub path: String,
    /// Why not, in one line.
    pub reason: String,
}

impl Unread {
    /// The name that formats have for it where a diagnostic has its rule's.
    pub(super) const NAME: &'static str = "not-read";

    /// What it is known by from run to run.
    pub(super) fn fingerprint(&self) -> String {
        let mut digest = sha256_hex(format!("{}\0{}", Self::NAME, self.path).as_bytes());
        digest.truncate(32);
        digest
    }
}

/// The reason: "cannot be read: permission denied".
impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot be read: {}", super::one_line(&self.reason))
    }
}
