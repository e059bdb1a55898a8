//! Names as people read them: `xn--bcher-kva.example` is `bücher.example` (RFC 3492).
//!
//! Decoding alone, and for nothing but to be looked at: what is compared is the name as it stands.

/// A domain name with each label decoded that begins with `xn--`; nothing when none does, or one is no punycode.
#[must_use]
pub fn decoded(name: &str) -> Option<String> {
    let mut any = false;
    let label = |label: &str| {
        let Some(encoded) = label.strip_prefix("xn--") else { return Some(label.to_owned()) };
        any = true;
        self::label(encoded)
    };
    let labels: Option<Vec<String>> = name.split('.').map(label).collect();
    labels.filter(|_| any).map(|labels| labels.join("."))
}

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;

/// One label (RFC 3492, 6.2), in time that grows with the square of its length, which is at most 63.
fn label(encoded: &str) -> Option<String> {
    let (plain, extended) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut label: Vec<char> = plain.chars().collect();
    let (mut code, mut at, mut bias) = (128_u32, 0_u32, 72);
    let mut digits = extended.bytes();
    while let Some(mut digit) = digits.next() {
        let (before, mut weight) = (at, 1_u32);
        for k in (BASE..).step_by(BASE as usize) {
            let value = value(digit)?;
            at = at.checked_add(value.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if value < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            digit = digits.next()?;
        }
        let length = u32::try_from(label.len()).ok()? + 1;
        bias = adapted(at - before, length, before == 0);
        code = code.checked_add(at / length)?;
        at %= length;
        label.insert(at as usize, char::from_u32(code)?);
        at += 1;
    }
    Some(label.into_iter().collect())
}

fn value(digit: u8) -> Option<u32> {
    match digit {
        b'a'..=b'z' => Some(u32::from(digit - b'a')),
        b'A'..=b'Z' => Some(u32::from(digit - b'A')),
        b'0'..=b'9' => Some(u32::from(digit - b'0') + 26),
        _ => None,
    }
}

/// The bias for the next number (RFC 3492, 6.1).
fn adapted(delta: u32, length: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut bias = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        bias += BASE;
    }
    bias + (BASE - T_MIN + 1) * delta / (delta + 38)
}
