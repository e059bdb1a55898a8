//! SSH host keys: the types that OpenSSH takes, and what a key of each type holds (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4,
//! OpenSSH's `PROTOCOL.u2f`).

/// A part of a key behind its type. Each is a length of four bytes, and so many bytes.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// So many bytes: a key of Edwards's curve, or a point that begins with 4.
    Bytes(usize),
    /// The name of the curve.
    Curve(&'static str),
    /// The exponent of RSA.
    Exponent,
    /// The modulus of RSA.
    Modulus,
    /// What a security key belongs to.
    Application,
}

use Part::{Application, Bytes, Curve, Exponent, Modulus};

/// The types, and the parts of a key of each.
static TYPES: &[(&str, &[Part])] = &[
    ("ecdsa-sha2-nistp256", &[Curve("nistp256"), Bytes(65)]),
    ("ecdsa-sha2-nistp384", &[Curve("nistp384"), Bytes(97)]),
    ("ecdsa-sha2-nistp521", &[Curve("nistp521"), Bytes(133)]),
    ("sk-ecdsa-sha2-nistp256@openssh.com", &[Curve("nistp256"), Bytes(65), Application]),
    ("sk-ssh-ed25519@openssh.com", &[Bytes(32), Application]),
    ("ssh-ed25519", &[Bytes(32)]),
    ("ssh-rsa", &[Exponent, Modulus]),
];

/// The bits of an RSA modulus: OpenSSH refuses fewer (`SSH_RSA_MINIMUM_MODULUS_SIZE`), and more
/// (`OPENSSL_RSA_MAX_MODULUS_BITS`).
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=16_384;

/// Why a key is none of the type that stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is no base64.
    NoBase64,
    /// It ends before all of its parts are there, after so many bytes.
    CutShort(usize),
    /// It says itself that it is of this other type.
    OtherType(String),
    /// A part of it has another length or content than in any key of the type.
    Malformed,
    /// So many bytes follow its last part.
    Surplus(usize),
    /// Its RSA modulus has so many bits.
    Modulus(usize),
}

/// Whether a word is the type of a host key.
#[must_use]
pub fn is_type(word: &str) -> bool {
    TYPES.iter().any(|(name, _)| *name == word)
}

/// The one key in a line as programs print it: behind a host's name, before a comment.
#[must_use]
pub fn within(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (kind, key) = words.windows(2).map(|pair| (pair[0], pair[1])).find(|(kind, _)| is_type(kind))?;
    check(kind, key).is_ok().then(|| format!("{kind} {key}"))
}

/// Holds the base64 of a key against its type.
///
/// # Errors
/// What is wrong with it.
pub fn check(kind: &str, key: &str) -> Result<(), KeyError> {
    let bytes = base64(key).ok_or(KeyError::NoBase64)?;
    let mut rest = bytes.as_slice();
    let mut next = || {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let (part, behind) = behind.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        rest = behind;
        Some(part)
    };
    let cut = || KeyError::CutShort(bytes.len());
    let own = next().ok_or_else(cut)?;
    if own != kind.as_bytes() {
        let known = std::str::from_utf8(own).ok().filter(|own| is_type(own));
        return Err(known.map_or(KeyError::Malformed, |own| KeyError::OtherType(own.to_owned())));
    }
    let parts = TYPES.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, parts)| *parts);
    for part in parts {
        let found = next().ok_or_else(cut)?;
        let sound = match part {
            // A point that is not compressed begins with 4, and is one byte longer than its two numbers.
            Bytes(length) => {
                found.len() == *length && (length.is_multiple_of(2) || found.first() == Some(&4))
            }
            Curve(name) => found == name.as_bytes(),
            Exponent => (1..=8).contains(&found.len()) && found.first() < Some(&0x80),
            Modulus => {
                let number = found.strip_prefix(&[0]).unwrap_or(found);
                let first = number.first().map_or(0, |first| 8 - first.leading_zeros() as usize);
                let bits = number.len().saturating_sub(1) * 8 + first;
                if !RSA_BITS.contains(&bits) {
                    return Err(KeyError::Modulus(bits));
                }
                true
            }
            Application => !found.is_empty(),
        };
        if !sound {
            return Err(KeyError::Malformed);
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(KeyError::Surplus(rest.len())) }
}

/// The bytes of a base64 text (RFC 4648 4) with its padding, in the one way in which OpenSSH reads it.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits = text.trim_end_matches('=').as_bytes();
    let padding = text.len() - digits.len();
    if padding > 2 || !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in digits {
        held = held << 6 | u32::from(digit(*byte)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits).to_be_bytes()[3]);
            held &= (1 << bits) - 1;
        }
    }
    (held == 0).then_some(bytes)
}
