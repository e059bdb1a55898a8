//! Digests, and the plan's own: how a plan that was edited by hand is told from one that a compile wrote.

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

/// The key whose value is the digest of the plan itself: the last key of the top-level object.
pub const SEAL_KEY: &str = "plan_sha256";

/// What stands in the digest's place while it is computed, and what [`seal`] replaces.
pub const UNSEALED: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Why a plan cannot be sealed, or is not what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not JSON, or not an object with exactly one `plan_sha256` at its top level.
    #[error("it is no JSON object with exactly one `plan_sha256` at its top level")]
    NoPlan,
    /// `plan_sha256` is not the last key, or its value not 64 lower-case hex digits.
    #[error("it does not end with `plan_sha256` and 64 hex digits")]
    NoSeal,
    /// To be sealed, the value must be 64 zeros.
    #[error("it is sealed already")]
    Sealed,
    /// The digest is another one: the plan was changed after it was sealed.
    #[error("its `plan_sha256` is not its digest: it was edited")]
    Broken,
}

/// The SHA-256 of `bytes`, 64 lower-case hex digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Two lower-case digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|n| char::from(DIGITS[usize::from(n)])).collect()
}

/// Writes the digest of `plan` into it, in the place of the 64 zeros that are the value of its last top-level key,
/// `plan_sha256`. That `plan` is a JSON object with that key once is its writer's to see to; [`verify_seal`], which
/// reads what anybody may have written, checks it.
///
/// # Errors
/// When there is no such place.
pub fn seal(mut plan: Vec<u8>) -> Result<Vec<u8>, SealError> {
    let at = from_the_end(&plan).ok_or(SealError::NoSeal)?;
    if plan[at..at + UNSEALED.len()] != *UNSEALED.as_bytes() {
        return Err(SealError::Sealed);
    }
    let digest = sha256_hex(&plan);
    plan[at..at + UNSEALED.len()].copy_from_slice(digest.as_bytes());
    Ok(plan)
}

/// Whether `plan` is, byte for byte, what [`seal`] gave.
///
/// # Errors
/// Says what is wrong: [`SealError::Broken`] is a plan that was edited, the others are no plan at all.
pub fn verify_seal(plan: &[u8]) -> Result<(), SealError> {
    let at = seal_offset(plan)?;
    let (before, rest) = plan.split_at(at);
    let (digest, after) = rest.split_at(UNSEALED.len());
    let computed = Sha256::new_with_prefix(before).chain_update(UNSEALED).chain_update(after).finalize();
    if hex(&computed).as_bytes() == digest { Ok(()) } else { Err(SealError::Broken) }
}

/// Sees the key however it is escaped; serde refuses a second one.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only that the key is there once matters")]
struct Sealed {
    plan_sha256: IgnoredAny,
}

/// Where the 64 hex digits begin.
///
/// Read from the end: in valid JSON the last `}` closes the top-level object, so what stands right before it is the
/// value of that object's last key. The same text in a string further up, or in a nested object, is never looked at.
fn seal_offset(plan: &[u8]) -> Result<usize, SealError> {
    serde_json::from_slice::<Sealed>(plan).map_err(|_| SealError::NoPlan)?;
    from_the_end(plan).ok_or(SealError::NoSeal)
}

fn from_the_end(plan: &[u8]) -> Option<usize> {
    let rest = plan.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end().strip_suffix(b"\"")?;
    let at = rest.len().checked_sub(UNSEALED.len())?;
    let (rest, digits) = rest.split_at(at);
    if !digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let rest = rest.strip_suffix(b"\"")?.trim_ascii_end().strip_suffix(b":")?.trim_ascii_end();
    let rest = rest.strip_suffix(b"\"")?.strip_suffix(SEAL_KEY.as_bytes())?.strip_suffix(b"\"")?;
    // A quote inside a string has a backslash before it; a key's first has not.
    matches!(rest.trim_ascii_end().last(), Some(b'{' | b',')).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(head: &str) -> Vec<u8> {
        format!("{{{head}\"plan_sha256\": \"{UNSEALED}\"\n}}\n").into_bytes()
    }

    #[test]
    fn a_digest_is_hex() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_sealed_plan_verifies_and_its_digest_is_that_of_the_zeroed_plan() {
        let open = plan("\"slug\": \"api\", ");
        let sealed = seal(open.clone()).unwrap();
        assert_eq!(verify_seal(&sealed), Ok(()));
        let value: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
        assert_eq!(value["plan_sha256"], sha256_hex(&open));
        assert_eq!(seal(sealed), Err(SealError::Sealed));
        assert_eq!(verify_seal(&open), Err(SealError::Broken));
    }

    #[test]
    fn the_same_text_elsewhere_does_not_count() {
        let decoys = [
            format!("\"a\": \"\\\"plan_sha256\\\": \\\"{UNSEALED}\\\"\", "),
            format!("\"a\": {{\"plan_sha256\": \"{UNSEALED}\"}}, "),
            format!("\"a\": [{{\"plan_sha256\": \"{UNSEALED}\"}}], "),
            String::from("\"plan_sha256\\n\": 1, "),
        ];
        for decoy in decoys {
            let open = plan(&decoy);
            let sealed = seal(open.clone()).unwrap();
            let zeros = open.len() - sealed.iter().zip(&open).filter(|(a, b)| a == b).count();
            assert!(zeros <= 64, "only the seal's digits may change");
            assert!(sealed.starts_with(&open[..decoy.len()]));
            assert_eq!(verify_seal(&sealed), Ok(()));
        }
    }

    #[test]
    fn what_has_no_seal_in_its_place_is_refused() {
        let twice = format!("\"plan_sha256\": \"{UNSEALED}\", ");
        let twice_escaped = format!("\"plan\\u005fsha256\": \"{UNSEALED}\", ");
        for (bytes, error) in [
            (Vec::new(), SealError::NoPlan),
            (b"[]".to_vec(), SealError::NoPlan),
            (b"{}".to_vec(), SealError::NoPlan),
            (plan(&twice), SealError::NoPlan),
            (plan(&twice_escaped), SealError::NoPlan),
            (format!("{{\"a\": {{\"plan_sha256\": \"{UNSEALED}\"}}}}").into_bytes(), SealError::NoPlan),
            (format!("{{\"plan_sha256\": \"{UNSEALED}\", \"a\": 1}}").into_bytes(), SealError::NoSeal),
            (format!("{{\"plan\\u005fsha256\": \"{UNSEALED}\"}}").into_bytes(), SealError::NoSeal),
            (b"{\"plan_sha256\": \"00\"}".to_vec(), SealError::NoSeal),
            (
                format!("{{\"plan_sha256\": 1, \"a\": \"\\\"plan_sha256\\\":\\\"{UNSEALED}\"}}").into_bytes(),
                SealError::NoSeal,
            ),
            (
                format!("{{\"plan_sha256\": 1, \"a,\\\"plan_sha256\": \"{UNSEALED}\"}}").into_bytes(),
                SealError::NoSeal,
            ),
        ] {
            assert_eq!(verify_seal(&bytes), Err(error), "{}", String::from_utf8_lossy(&bytes));
            // Sealing something that is no plan does not make it one.
            if let Ok(sealed) = seal(bytes) {
                assert_eq!(verify_seal(&sealed), Err(error), "{}", String::from_utf8_lossy(&sealed));
            }
        }
    }

    proptest! {
        #[test]
        fn any_plan_seals_and_any_changed_byte_is_noticed(
            texts in proptest::collection::btree_map(".*", ".*", 0..6),
            pretty: bool,
            at: prop::sample::Index,
            flip in 1u8..,
        ) {
            let mut object = serde_json::Map::new();
            for (key, text) in texts {
                if key != SEAL_KEY {
                    object.insert(key, text.into());
                }
            }
            let body = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) };
            let body = body.unwrap();
            let body = body.trim_end_matches('}').trim_end();
            let comma = if object.is_empty() { "" } else { "," };
            let open = format!("{body}{comma}\"plan_sha256\":\"{UNSEALED}\"}}").into_bytes();
            let mut sealed = seal(open).unwrap();
            prop_assert_eq!(verify_seal(&sealed), Ok(()));
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert!(verify_seal(&sealed).is_err());
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            prop_assert!(verify_seal(&bytes).is_err());
            prop_assert!(seal(bytes).is_err());
        }
    }
}
