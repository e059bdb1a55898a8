//! Likely credentials: a name that asks for one, and a text that nobody would make up.

use std::ops::Range;

/// Last words of names that hold credentials.
const WORDS: &[&str] = &[
    "apikey",
    "credential",
    "credentials",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pat",
    "pwd",
    "requirepass",
    "secret",
    "token",
];

/// Words before `key` of what is no secret.
const PUBLIC: &[&str] = &["cache", "host", "primary", "pub", "public", "publishable", "sort", "ssh"];

/// Parts of a text that stands for another one.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "change-me",
    "dummy",
    "example",
    "placeholder",
    "redacted",
    "replace",
    "sample",
    "xxxx",
    "your",
];

/// The fewest characters of a likely credential.
const SHORTEST: usize = 16;
/// The most that are looked at.
const LONGEST: usize = 512;

/// Whether a variable or an option of that name is there to hold a credential.
#[must_use]
pub fn asks_for_one(name: &str) -> bool {
    if name.len() > 128 {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let mut words = lower.rsplit(['_', '-', '.']);
    let last = words.next().unwrap_or("");
    let known = WORDS.iter().any(|word| {
        last == *word || word.len() > 4 && last.ends_with(word) || *word == "key" && last.ends_with("apikey")
    });
    known && !words.next().is_some_and(|word| last.ends_with("key") && PUBLIC.contains(&word))
}

/// Whether `value` looks like a credential that belongs under `name`: both must speak for it. A path, a URL, a reference
/// that a shell would expand, words, a version, and what stands for a value are none.
#[must_use]
pub fn looks_secret(name: &str, value: &str) -> bool {
    let length = SHORTEST..=LONGEST;
    if !length.contains(&value.len()) || !asks_for_one(name) {
        return false;
    }
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"'`\\<>{}$".contains(&b);
    let path = value.starts_with(['/', '~', '.']) || value.contains("://");
    if path || !value.bytes().all(plain) {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        return false;
    }
    is_uuid(value) || value.split(['-', '.', ':', '@', ',', '/']).any(is_random)
}

/// Whether a word is none that somebody made up: long, its letters and digits mixed as chance mixes them, and few of its
/// characters alike.
fn is_random(word: &str) -> bool {
    let class = |b: u8| match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    if word.len() < SHORTEST {
        return false;
    }
    let bytes = word.as_bytes();
    let mixed = |pair: &&[u8]| {
        let (one, next) = (class(pair[0]), class(pair[1]));
        one != next && one != 3 && next != 3
    };
    let changes = bytes.windows(2).filter(mixed).count();
    let digits = word.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).count();
    changes * 4 >= word.len() && digits >= 2 && bits(bytes) >= 3.0
}

/// Shannon's entropy of a text, in bits a character.
fn bits(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let part = |count: &u32| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(part).sum()
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    lengths.iter().all(|length| {
        parts.next().is_some_and(|it| it.len() == *length && it.bytes().all(|b| b.is_ascii_hexdigit()))
    }) && parts.next().is_none()
        && text.bytes().any(|b| b != b'0' && b != b'-')
}

/// The likely credentials of a text that are given to a name in it, as in `API_TOKEN "…"` and `--password=…`, in order:
/// also those in comments, and where the text is not KDL.
#[must_use]
pub fn assigned(text: &str) -> Vec<Range<usize>> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let bytes = text.as_bytes();
    let count = |from: usize, is: &dyn Fn(u8) -> bool| {
        bytes[from..].iter().take(LONGEST + 1).take_while(|b| is(**b)).count()
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = count(at, &is_name);
        if length == 0 {
            at += 1;
            continue;
        }
        let name = &text[at..at + length];
        at += length;
        let gap = count(at, &|b| b" \t=:\"'#".contains(&b));
        if !(1..=16).contains(&gap) {
            continue;
        }
        let start = at + gap;
        let value = count(start, &|b| b.is_ascii_graphic() && !b"\"'`;".contains(&b));
        // What is longer is none, and may end within a character.
        if text.get(start..start + value).is_some_and(|value| looks_secret(name, value)) {
            found.push(start..start + value);
            at = start + value;
        }
    }
    found
}
