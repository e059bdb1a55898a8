//! Credential detection: by shape, by place in a URL, or by the name that a text is assigned to.
//!
//! A rule asks this of what a spec holds, and reports ask it of all that they are about to show: what is found here is
//! printed nowhere.

mod guess;
mod shapes;

use std::ops::Range;
use std::sync::LazyLock;

pub use guess::{asks_for_one, assigned, looks_secret};
pub use shapes::{Body, SHAPES, Shape};

/// A credential in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its bytes.
    pub range: Range<usize>,
    /// Where that begins which is different in each of its kind.
    pub body: usize,
    /// What it is: "a GitHub access token".
    pub what: &'static str,
}

/// How many different characters a credential has at least: what has fewer is a row of `x`.
const FEWEST_CHARACTERS: usize = 6;

/// The credentials of well-known shapes in a text, in order; none overlaps another. Takes a time linear in the text.
#[must_use]
pub fn known(text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let kinds = [token, web_token, bot_token, key];
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let begins = MAY_BEGIN[usize::from(bytes[at])] && (at == 0 || !Body::Url.holds(bytes[at - 1]));
        let Some(seen) = kinds.iter().filter(|_| begins).find_map(|kind| kind(text, at)) else {
            at += 1;
            continue;
        };
        // What is only an example is passed over as a whole: its end is not looked for again from within.
        at = seen.range.end.max(at + 1);
        if is_real(&text[seen.body..seen.range.end]) {
            found.push(seen);
        }
    }
    found
}

/// Whether a credential of any kind may begin with a byte: all of them are of ASCII. Most bytes of a text are none of these.
static MAY_BEGIN: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut may = [false; 256];
    let of_shapes = SHAPES.iter().map(|shape| shape.prefix.as_bytes()[0]);
    // A web token, a key, a bot's.
    for byte in of_shapes.chain(*b"e-").chain(b'0'..=b'9') {
        may[usize::from(byte)] = true;
    }
    may
});

fn run(text: &str, from: usize, body: Body, most: usize) -> usize {
    text.as_bytes()[from..].iter().take(most).take_while(|byte| body.holds(**byte)).count()
}

/// Whether it is no example of its kind.
fn is_real(body: &str) -> bool {
    let mut seen = [false; 256];
    for byte in body.bytes() {
        seen[usize::from(byte)] = true;
    }
    let different = seen.iter().filter(|seen| **seen).count();
    different >= FEWEST_CHARACTERS && !body.to_ascii_lowercase().contains("example")
}

/// One that begins with a prefix of its own.
fn token(text: &str, at: usize) -> Option<Found> {
    let rest = &text[at..];
    let first = rest.as_bytes()[0];
    let begin = SHAPES.partition_point(|shape| shape.prefix.as_bytes()[0] < first);
    let alike = SHAPES[begin..].iter().take_while(|shape| shape.prefix.as_bytes()[0] == first);
    let fitting = alike.filter(|shape| rest.starts_with(shape.prefix)).filter_map(|shape| {
        let Shape { prefix, body, min, max, what, source: _ } = shape;
        let start = at + prefix.len();
        let length = run(text, start, *body, max.saturating_add(1));
        (min..=max).contains(&&length).then_some(Found { range: at..start + length, body: start, what })
    });
    // The longest prefix says the most.
    fitting.last()
}

/// `eyJ….eyJ….…`: a JSON Web Token (RFC 7519), signed.
fn web_token(text: &str, at: usize) -> Option<Found> {
    let part = |from: usize, begins: &str, least: usize| {
        let length = run(text, from, Body::Url, usize::MAX);
        let fits = length >= least && text[from..].starts_with(begins);
        fits.then_some(from + length)
    };
    let next = |end: usize| (text.as_bytes().get(end) == Some(&b'.')).then_some(end + 1);
    let begins = text[at..].starts_with("eyJ").then_some(at)?;
    let claims = next(part(begins, "eyJ", 12)?)?;
    let signature = next(part(claims, "eyJ", 12)?)?;
    let end = part(signature, "", 16)?;
    Some(Found { range: at..end, body: at, what: "a JSON Web Token" })
}

/// `110201543:AA…`: a bot's token (the Telegram Bot API, "Authorizing your bot").
fn bot_token(text: &str, at: usize) -> Option<Found> {
    let digits = text.as_bytes()[at..].iter().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    let body = at + digits + 1;
    if !(8..=11).contains(&digits) || !text[body - 1..].starts_with(":AA") {
        return None;
    }
    let length = run(text, body, Body::Url, 40);
    let whole = (34..=36).contains(&length);
    whole.then(|| Found { range: at..body + length, body, what: "a Telegram bot token" })
}

/// The most bytes of a private key's text: twice those of an RSA key of 8192 bits.
const LONGEST_KEY: usize = 16 * 1024;

/// What is between the lines of a private key's text (RFC 7468): up to its last line, or to the end of the string.
fn key(text: &str, at: usize) -> Option<Found> {
    const HEAD: &str = "-----BEGIN ";
    let label = text[at..].strip_prefix(HEAD)?;
    let label = &label[..label.floor_char_boundary(48)];
    let kind = &label[..label.find("-----")?];
    if !kind.ends_with("PRIVATE KEY") && !kind.ends_with("PRIVATE KEY BLOCK") {
        return None;
    }
    let body = at + HEAD.len() + kind.len() + "-----".len();
    let rest = &text[body..];
    let rest = &rest[..rest.floor_char_boundary(LONGEST_KEY)];
    let rest = &rest[..rest.find(['"', '`', '…']).unwrap_or(rest.len())];
    let end = rest.find("-----END").unwrap_or(rest.len());
    let letters = rest[..end].bytes().filter(u8::is_ascii_alphanumeric).count();
    (letters >= 16).then(|| Found { range: body..body + end, body, what: "a private key" })
}

/// The passwords of URLs, as in `postgres://user:password@host`, in order.
#[must_use]
pub fn passwords(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    // One slash is what is left of two where a URL was taken for a path.
    while let Some(scheme) = text[from..].find(":/") {
        let start = from + scheme + ":/".len();
        let start = start + usize::from(text[start..].starts_with('/'));
        from = start;
        let ends = |c: char| {
            c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '`' | '<' | '>' | '{' | '}' | '…')
        };
        let rest = &text[start..];
        let end = rest.find(ends).unwrap_or(rest.len());
        let authority = &rest[..end];
        // Cut short, a user and a password look like a host and a port.
        let cut = rest[end..].starts_with('…');
        let Some(user) = authority.rfind('@').or(cut.then_some(end)).map(|at| &authority[..at]) else {
            continue;
        };
        let Some(colon) = user.find(':') else { continue };
        let password = &user[colon + 1..];
        if !password.is_empty() && !password.starts_with(['$', '*', '%']) {
            found.push(start + colon + 1..start + user.len());
        }
    }
    found
}

/// The shortest password of a URL that may be more than a default for tests.
const SHORTEST_PASSWORD: usize = 8;

/// What a text is called that is a likely credential by its name.
pub const LIKELY: &str = "what looks like a secret";

/// What is likely a credential in a text: "a URL with a password" that is more than `postgres`, or what looks like a
/// secret and is given to a name in it.
#[must_use]
pub fn likely(text: &str) -> Option<&'static str> {
    let is_own = |range: &Range<usize>| {
        let password = &text[range.clone()];
        password.len() >= SHORTEST_PASSWORD
            && password.contains(|c: char| c.is_ascii_digit())
            && password.contains(|c: char| c.is_ascii_alphabetic())
    };
    if passwords(text).iter().any(is_own) {
        return Some("a URL with a password");
    }
    (!assigned(text).is_empty()).then_some(LIKELY)
}

/// Everything of a text that is to be shown nowhere, in order: what is certain and what is likely.
#[must_use]
pub fn all(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = known(text).into_iter().map(|found| found.range).collect();
    ranges.extend(passwords(text));
    ranges.extend(assigned(text));
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges
}
