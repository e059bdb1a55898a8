//! KDL writing: bare words and quoted strings.

use std::fmt::Write as _;

use super::{TokenKind, parse};
use crate::diagnostic::Diagnostics;
use crate::source::{Source, SourceId};
use crate::text::is_unsafe_to_show;

/// Whether `text` is a string of that text without any quotes: no number, none of KDL's own words, nothing that ends a
/// string.
#[must_use]
pub fn is_bare_word(text: &str) -> bool {
    let tree = parse(SourceId(0), &Source::new("", text), &mut Diagnostics::new());
    let mut tokens = tree.tokens();
    let first = tokens.next();
    first.is_some_and(|token| token.kind == TokenKind::Word) && tokens.next().is_none() && !text.is_empty()
}

/// `text` as a quoted KDL 2 string. Whatever it holds, the string holds the same and nothing can end it early.
#[must_use]
pub fn quoted_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_unsafe_to_show(c) => {
                // Writing to a `String` cannot fail.
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
