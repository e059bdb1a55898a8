//! placeholder, merged from stage
use sha2::{Digest as _, Sha256};
/// hex
#[must_use] pub fn sha256_hex(bytes: &[u8]) -> String { use std::fmt::Write as _; Sha256::digest(bytes).iter().fold(String::new(), |mut s,b| { let _ = write!(s, "{b:02x}"); s }) }
