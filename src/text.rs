//! Texts in messages: quotes, unsafe characters, counts, lists of names, and "did you mean".

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

/// The most characters of a spec's text that one message repeats.
const MAX_QUOTED: usize = 80;
/// The same of a text whose end matters: more than any image reference, URL or path that is taken has in practice.
const MAX_QUOTED_WHOLE: usize = 1024;

/// A spec's text in backticks for a message: control, bidirectional and invisible characters escaped, so that a
/// message can neither drive a terminal nor read other than it is; long text shortened.
#[must_use]
pub fn quote(text: &str) -> String {
    quote_up_to(text, MAX_QUOTED)
}

/// The same of a text whose end matters, such as an image with its digest.
#[must_use]
pub fn quote_whole(text: &str) -> String {
    quote_up_to(text, MAX_QUOTED_WHOLE)
}

/// A path in backticks: each part escaped and shortened by itself, so that the last one is never lost.
#[must_use]
pub fn quote_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    let parts: Vec<String> = text.split('/').map(|part| quote(part).trim_matches('`').to_owned()).collect();
    format!("`{}`", parts.join("/"))
}

/// `1 error`, `2 errors`.
#[must_use]
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn quote_up_to(text: &str, most: usize) -> String {
    let mut quoted = String::from("`");
    for (n, c) in text.chars().enumerate() {
        if n == most {
            quoted.push('…');
            break;
        }
        match c {
            '`' => quoted.push('\''),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_unsafe_to_show(c) => {
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('`');
    quoted
}

/// Whether showing `c` as it is could drive a terminal, reorder what is read, or hide.
#[must_use]
pub fn is_unsafe_to_show(c: char) -> bool {
    c.is_control()
        || is_default_ignorable(c)
        // Line ends, what annotates between the lines, and the one letter of Braille that has no dot.
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' | '\u{2800}')
}

/// Whether Unicode says of `c` that it is shown as nothing where nothing knows better: `Default_Ignorable_Code_Point` of
/// `DerivedCoreProperties.txt`, version 16.0.0. The test `unseen::the_table_is_unicodes` holds it against that of `regex-syntax`.
#[must_use]
pub fn is_default_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// `text` with each unsafe character replaced by harmless ones of the same length in bytes, so that spans stay true
/// in an excerpt. Line ends and tabs stay.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    let unsafe_here = |c: char| !matches!(c, '\n' | '\r' | '\t') && is_unsafe_to_show(c);
    if !text.contains(unsafe_here) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if !unsafe_here(c) {
            shown.push(c);
            continue;
        }
        match c.len_utf8() {
            1 => shown.push('?'),
            2 => shown.push('¿'),
            3 => shown.push('\u{fffd}'),
            _ => shown.push_str("\u{fffd}?"),
        }
    }
    Cow::Owned(shown)
}

/// `text` without what the runner of a CI service takes for a command in a log: `##[group]` and `##vso[task]` anywhere,
/// `::set-env::` at the beginning of a line. The `#` before the bracket and the first colon become `?`, so that no span
/// moves.
#[must_use]
pub fn without_commands(text: &str) -> Cow<'_, str> {
    match break_marks(text, "?") {
        Cow::Borrowed(text) => break_lines(text, "?"),
        Cow::Owned(text) => Cow::Owned(break_lines(&text, "?").into_owned()),
    }
}

/// `text` with `instead` for the `#` before the bracket in `##[` and `##word[`.
#[must_use]
pub(crate) fn break_marks<'a>(text: &'a str, instead: &str) -> Cow<'a, str> {
    let mut shown = String::new();
    let (mut rest, mut at) = (0, 0);
    while let Some(found) = text[at..].find("##") {
        // The whole run at once: it may be as long as the text.
        let behind = text[at + found..].trim_start_matches('#');
        at = text.len() - behind.len();
        if behind.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('[') {
            shown.push_str(&text[rest..at - 1]);
            shown.push_str(instead);
            rest = at;
        }
    }
    if rest == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[rest..]);
    Cow::Owned(shown)
}

/// `text` with `instead` for the first colon of each line that is `::word::`, whatever follows.
#[must_use]
pub(crate) fn break_lines<'a>(text: &'a str, instead: &str) -> Cow<'a, str> {
    let command = |line: &str| line.strip_prefix("::").is_some_and(|rest| rest.contains("::"));
    let mut shown = String::new();
    let mut rest = 0;
    let mut start = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        let at = start + blank(line);
        if command(&line[at - start..]) {
            shown.push_str(&text[rest..at]);
            shown.push_str(instead);
            rest = at + 1;
        }
        start += line.len();
    }
    if rest == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[rest..]);
    Cow::Owned(shown)
}

/// How many bytes of a line are blank to who looks for a command: white space, and the colour that a line begins with.
fn blank(line: &str) -> usize {
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        let Some(sequence) = rest.strip_prefix("\u{1b}[") else { return line.len() - rest.len() };
        let end = sequence.find(|c: char| c.is_ascii_alphabetic()).map_or(sequence.len(), |end| end + 1);
        rest = &sequence[end..];
    }
}

/// "expected one of `a`, `b` or `c`": the list part, in the order given.
#[must_use]
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(quote).collect();
    match names.as_slice() {
        [] => String::from("nothing"),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// How many names one text is compared with.
const MAX_COMPARED: usize = 500;

/// The name among `known` that `given` is most likely a slip of: close in edits, or the same letters.
#[must_use]
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short; a long text is no slip of one, and the comparison is quadratic.
    if given.len() > 64 {
        return None;
    }
    let given = given.to_lowercase();
    let allowed = given.chars().count().div_ceil(3).min(3);
    known
        .into_iter()
        .take(MAX_COMPARED)
        .filter(|name| name.len().abs_diff(given.len()) <= 4 * allowed)
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = strsim::osa_distance(&given, &lower);
            let squeezed = |s: &str| s.replace(['-', '_', '.'], "");
            let distance = if squeezed(&given) == squeezed(&lower) { 0 } else { distance };
            (distance <= allowed).then_some((distance, name))
        })
        .min_by_key(|(distance, name)| (*distance, *name))
        .map(|(_, name)| name)
}

/// `text` as it may stand within a line: nothing that drives a terminal, and no line end.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    let shown = harmless(text);
    if shown.contains(['\n', '\r', '\t']) {
        Cow::Owned(shown.replace(['\n', '\r', '\t'], " "))
    } else {
        shown
    }
}
