//! Quoting for a POSIX shell.

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

/// A command as a shell reads it back: its words with blanks between them.
#[must_use]
pub fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(word).collect::<Vec<_>>().join(" ")
}
