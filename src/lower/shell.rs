//! Quoting for a POSIX shell.

use std::fmt::Write as _;

use crate::text::{break_marks, is_unsafe_to_show};

/// A word that a shell reads back as it is, wherever a word or an assigned value may stand.
#[must_use]
pub fn word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:,@%+=".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    // Inside single quotes nothing is special; a quote itself stands between two quoted parts.
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The same for a person to paste: what would drive a terminal is spelled out, and nothing is a command to the runner of a
/// CI service.
#[must_use]
pub fn pasted(text: &str) -> String {
    let mut pasted = String::new();
    for c in break_marks(&word(text), "#''").chars() {
        if !is_unsafe_to_show(c) {
            pasted.push(c);
            continue;
        }
        // It stands between single quotes, as all that is not plain does.
        pasted.push_str("'\"$(printf '");
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a `String` cannot fail.
            let _ = write!(pasted, "\\{byte:03o}");
        }
        pasted.push_str("')\"'");
    }
    pasted
}

/// A word of a command that copies files: from `~/` on, it is seen from the home of who runs it. `quoted` quotes the rest.
#[must_use]
pub fn from_home(text: &str, quoted: fn(&str) -> String) -> String {
    match text.strip_prefix("~/") {
        Some(rest) => format!("\"${{HOME:?}}\"/{}", quoted(rest)),
        None => quoted(text),
    }
}

/// A command as a shell reads it back: its words with blanks between them.
#[must_use]
pub fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(word).collect::<Vec<_>>().join(" ")
}
