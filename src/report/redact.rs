//! Redaction: credentials in sources and messages are masked before any format sees them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Diagnostics, Label};
use crate::source::{Source, SourceId, Sources};
use crate::syntax::{Tree, Trees, Value};
use crate::world::secret;

/// What stands for a credential within a line of text.
const MASK: &str = "****";
/// How many characters in a row are enough to tell that a text repeats a part of a credential.
const WINDOW: usize = 8;
/// The shortest password of a URL that is looked for without that URL: a shorter one may well be a word.
const SHORTEST_REMEMBERED: usize = 12;
/// How many such rows are remembered: those of some hundred long keys.
const MAX_PARTS: usize = 100_000;

/// Diagnostics and the sources that they speak of, without the credentials in them.
pub(crate) struct Redacted<'a> {
    pub(crate) diagnostics: Cow<'a, Diagnostics>,
    pub(crate) sources: Cow<'a, Sources>,
}

impl<'a> Redacted<'a> {
    /// Masks what is found in the sources that `diagnostics` speak of, there and wherever a message repeats it. A fix that
    /// would write one is not shown: what a program applied would be the mask.
    pub(crate) fn new(diagnostics: &'a Diagnostics, trees: &'a dyn Trees) -> Self {
        let sources = trees.sources();
        let all = || {
            let allowed = diagnostics.allowed().iter().map(|allowed| &allowed.diagnostic);
            diagnostics.as_slice().iter().chain(allowed)
        };
        let shown: BTreeSet<SourceId> = all().flat_map(places).collect();
        let mut texts = BTreeMap::new();
        let mut parts = Parts::default();
        for id in shown {
            let ranges = ranges(&trees.tree_of(id), &mut parts);
            if !ranges.is_empty() {
                texts.insert(id, masked(sources.get(id).text(), &ranges));
            }
        }
        let quiet = |text: &str| matches!(line(text, &parts), Cow::Borrowed(_));
        let silent = all().all(|diagnostic| words(diagnostic).all(quiet));
        let sources =
            if texts.is_empty() { Cow::Borrowed(sources) } else { Cow::Owned(sources.clone().with(&texts)) };
        if silent {
            return Self { diagnostics: Cow::Borrowed(diagnostics), sources };
        }
        let mut diagnostics = diagnostics.clone();
        diagnostics.reword(|diagnostic| {
            if diagnostic
                .fix
                .as_ref()
                .is_some_and(|fix| fix.edits.iter().any(|edit| !quiet(&edit.replacement)))
            {
                diagnostic.fix = None;
            }
            let Diagnostic { rule: _, level: _, message, primary, related, help, fix, bottle: _ } =
                diagnostic;
            let labels = std::iter::once(primary).chain(related).map(|Label { span: _, message }| message);
            let title = fix.iter_mut().map(|fix| &mut fix.title);
            for text in std::iter::once(message).chain(labels).chain(help).chain(title) {
                if let Cow::Owned(shown) = line(text, &parts) {
                    *text = shown;
                }
            }
        });
        Self { diagnostics: Cow::Owned(diagnostics), sources }
    }
}

/// A whole file's text without the credentials in it, each of their characters masked by one.
#[must_use]
pub fn file(text: &str) -> Cow<'_, str> {
    let mut sources = Sources::new();
    let id = sources.add(Source::new("", text));
    match self::text(&sources.tree_of(id)) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(masked) => Cow::Owned(masked),
    }
}

/// The same of a file whose tree is at hand.
pub(super) fn text(tree: &Tree) -> Cow<'_, str> {
    let ranges = ranges(tree, &mut Parts::default());
    if ranges.is_empty() { Cow::Borrowed(tree.text()) } else { Cow::Owned(masked(tree.text(), &ranges)) }
}

fn places(diagnostic: &Diagnostic) -> impl Iterator<Item = SourceId> {
    let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.related).map(|label| label.span);
    let edits = diagnostic.fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.span));
    labels.chain(edits).map(|span| span.source)
}

fn words(diagnostic: &Diagnostic) -> impl Iterator<Item = &str> {
    let Diagnostic { rule: _, level: _, message, primary, related, help, fix, bottle: _ } = diagnostic;
    let labels = std::iter::once(primary).chain(related).map(|label| &label.message);
    let fix = fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| &edit.replacement).chain([&fix.title]));
    std::iter::once(message).chain(labels).chain(help).chain(fix).map(String::as_str)
}

/// What a source holds: by its text, which is found in comments and in what is no KDL, too; by its strings, which may be
/// written with escapes; and wherever it stands a second time.
fn ranges(tree: &Tree, parts: &mut Parts) -> Vec<Range<usize>> {
    let text = tree.text();
    let mut ranges = parts.remember_all(text);
    for (_, node) in tree.walk() {
        for entry in node.all_entries() {
            let Value::String(value) = entry.value() else { continue };
            let names = [Some(node.name()), entry.key().map(|(key, _)| key)];
            let given = names.into_iter().flatten().any(|name| secret::looks_secret(name, value));
            let raw = entry.raw_value();
            let rewritten = value.len() >= WINDOW && raw.len() != value.len() && raw.len() != value.len() + 2;
            let hidden = rewritten && !secret::all(value).is_empty();
            if given {
                parts.remember(value);
            }
            if hidden {
                parts.remember_all(value);
            }
            if given || hidden {
                ranges.push(inner(raw, entry.value_span().range()));
            }
        }
    }
    ranges.extend(parts.of(text));
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges
}

/// Where a string's text stands, without its quotes.
fn inner(raw: &str, span: Range<usize>) -> Range<usize> {
    let start = raw.len() - raw.trim_start_matches('#').trim_start_matches('"').len();
    let end = raw.trim_end_matches('#').trim_end_matches('"').len();
    span.start + start..span.start + end.max(start)
}

/// Parts of credentials: so many letters and digits of one in a row, in lower case. That is what stays of it in a name that is
/// made of it, in a path without its double slashes, or with its line ends written as escapes.
#[derive(Debug, Default)]
struct Parts(HashSet<u64>);

impl Parts {
    fn remember(&mut self, secret: &str) {
        for (part, _) in parts(secret) {
            if self.0.len() < MAX_PARTS {
                self.0.insert(part);
            }
        }
    }

    /// Remembers the credentials in a text, without what all of their kind begin with, and returns where all of them stand.
    fn remember_all(&mut self, text: &str) -> Vec<Range<usize>> {
        let (known, passwords, assigned) =
            (secret::known(text), secret::passwords(text), secret::assigned(text));
        for found in &known {
            self.remember(&text[found.body..found.range.end]);
        }
        let long = passwords.iter().filter(|range| range.len() >= SHORTEST_REMEMBERED);
        for range in long.chain(&assigned) {
            self.remember(&text[range.clone()]);
        }
        known.into_iter().map(|found| found.range).chain(passwords).chain(assigned).collect()
    }

    /// Where a text repeats any of them.
    fn of<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let text = if self.0.is_empty() { "" } else { text };
        parts(text).filter(|(part, _)| self.0.contains(part)).map(|(_, range)| range)
    }
}

/// Each so many letters and digits in a row of a text, and where they stand.
fn parts(text: &str) -> impl Iterator<Item = (u64, Range<usize>)> + '_ {
    let letters = text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_alphanumeric());
    let mut places = [0; WINDOW];
    let mut part = 0_u64;
    letters.enumerate().filter_map(move |(n, (at, byte))| {
        part = part << 8 | u64::from(byte.to_ascii_lowercase());
        let first = places[(n + 1) % WINDOW];
        places[n % WINDOW] = at;
        (n + 1 >= WINDOW).then_some((part, first..at + 1))
    })
}

/// `text` with each character in `ranges` masked by one of as many bytes and UTF-16 units, so that every place in it stays
/// what it is. Line ends stay.
fn masked(text: &str, ranges: &[Range<usize>]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        let start = range.start.max(at);
        let end = range.end.max(at);
        shown.push_str(&text[at..start]);
        shown.extend(text[start..end].chars().map(|c| match c.len_utf8() {
            _ if matches!(c, '\n' | '\r') => c,
            1 => '*',
            2 => '·',
            3 => '•',
            _ => '\u{1f784}',
        }));
        at = end;
    }
    shown.push_str(&text[at..]);
    shown
}

/// A line of a message without credentials, or parts of them.
fn line<'t>(text: &'t str, parts: &Parts) -> Cow<'t, str> {
    let mut ranges = secret::all(text);
    ranges.extend(parts.of(text));
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut shown = String::new();
    let mut at = 0;
    for range in ranges {
        // What goes on where another one ended is the same one.
        let start = text.floor_char_boundary(range.start);
        let end = text.ceil_char_boundary(range.end);
        if start > at || at == 0 && shown.is_empty() {
            shown.push_str(&text[at..start]);
            shown.push_str(MASK);
        }
        at = end.max(at);
    }
    if at == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[at..]);
    Cow::Owned(shown)
}
