//! Multi-line strings: their margin is layout, what is behind it is not.

use std::borrow::Cow;

use super::flat::is_line_end;

/// The multi-line string `written`, with `margin` before each of its lines. One whose margin cannot be told for certain
/// stays as it is: behind a `\` that joins lines, or with line ends that are none elsewhere.
pub(super) fn with_margin<'a>(written: &'a str, margin: &str, line_end: &str) -> Cow<'a, str> {
    try_margin(written, margin, line_end).map_or(Cow::Borrowed(written), Cow::Owned)
}

fn try_margin(written: &str, margin: &str, line_end: &str) -> Option<String> {
    let raw = written.starts_with('#');
    let plain = written.replace("\r\n", "\n");
    if plain.contains(|c| c != '\n' && is_line_end(c)) || (!raw && joins_lines(&plain)) {
        return None;
    }
    let (open, rest) = plain.split_once('\n')?;
    let (body, close) = match rest.rsplit_once('\n') {
        Some((body, close)) => (Some(body), close),
        None => (None, rest),
    };
    let quotes = close.find(['"'])?;
    let (old, quotes) = close.split_at(quotes);
    if !old.chars().all(char::is_whitespace) {
        return None;
    }
    let mut out = String::with_capacity(written.len() + 16);
    out.push_str(open);
    out.push_str(line_end);
    for line in body.into_iter().flat_map(|body| body.split('\n')) {
        if !line.trim().is_empty() {
            out.push_str(margin);
            out.push_str(line.strip_prefix(old)?);
        }
        out.push_str(line_end);
    }
    out.push_str(margin);
    out.push_str(quotes);
    Some(out)
}

/// Whether a `\` stands before a blank: it and all blanks behind it are nothing, line ends among them.
fn joins_lines(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c == '\\' && characters.next().is_some_and(char::is_whitespace) {
            return true;
        }
    }
    false
}
