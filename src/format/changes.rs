//! What a layout changes, in the smallest pieces: the blanks between two words, never the words.
//!
//! A layout keeps every token that means something, so that the old and the new text are compared token by token, in
//! one pass. A diff of lines would find larger pieces in quadratic time.

use std::ops::Range;

use super::NotTheSame;
use crate::source::{SourceId, Span};
use crate::syntax::{TokenKind, TokenRef, Tree};

/// Some of the changes, which are only good together: the lines of one multi-line string, or a single gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The replacements, in order.
    pub edits: Vec<(Span, String)>,
}

impl Change {
    /// The bytes from its first replacement through its last one.
    #[must_use]
    pub fn range(&self) -> Range<u32> {
        let start = self.edits.first().map_or(0, |(span, _)| span.start);
        start..self.edits.last().map_or(start, |(span, _)| span.end)
    }
}

/// What [`format`](super::format()) changes in a text without a syntax error, in order. Any part of the changes leaves the
/// document what it is, and all of them together make the canonical layout.
///
/// # Errors
///
/// A text whose layout would not be the same document.
pub fn changes(tree: &Tree) -> Result<Vec<Change>, NotTheSame> {
    between(tree, &super::laid_out(tree)?).ok_or(NotTheSame)
}

/// What a text needs in order to become another one with the same words; `None` when the words differ.
fn between(old: &Tree, new: &Tree) -> Option<Vec<Change>> {
    let mut changes = Changes { source: old.source(), found: Vec::new() };
    let (mut before, mut after) = (words(old), words(new));
    let (mut old_at, mut new_at) = (0, 0);
    loop {
        let (old_word, new_word) = (before.next(), after.next());
        let (old_to, new_to) = match (&old_word, &new_word) {
            (Some(old), Some(new)) => (old.range.start, new.range.start),
            (None, None) => (length(old.text()), length(new.text())),
            _ => return None,
        };
        changes.gap(old_at, slice(old, old_at..old_to), slice(new, new_at..new_to));
        let (Some(old_word), Some(new_word)) = (old_word, new_word) else { return Some(changes.found) };
        (old_at, new_at) = (old_word.range.end, new_word.range.end);
        let (a, b) = (slice(old, old_word.range.clone()), slice(new, new_word.range.clone()));
        if a != b {
            let lines = matches!(old_word.kind, TokenKind::MultiLine | TokenKind::RawMultiLine);
            if old_word.kind != new_word.kind || !lines {
                return None;
            }
            changes.string(old_word.range.start, a, b);
        }
    }
}

fn slice(tree: &Tree, range: Range<u32>) -> &str {
    tree.text().get(range.start as usize..range.end as usize).unwrap_or("")
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// What a layout keeps: every token but those that only lay out. The blanks at the end of a comment are none of it.
fn words(tree: &Tree) -> impl Iterator<Item = TokenRef> {
    tree.tokens().filter_map(|token| match token.kind {
        TokenKind::Bom
        | TokenKind::Space
        | TokenKind::Newline
        | TokenKind::Disallowed
        | TokenKind::Semicolon
        | TokenKind::Backslash => None,
        TokenKind::LineComment => {
            let end = token.range.start + length(slice(tree, token.range.clone()).trim_end());
            Some(TokenRef { kind: token.kind, range: token.range.start..end })
        }
        _ => Some(token),
    })
}

struct Changes {
    source: SourceId,
    found: Vec<Change>,
}

impl Changes {
    /// Adds what becomes of the blanks `old`, which begin at `at`: what ends the line before, the line ends, and what
    /// begins the line behind each by itself, so that who wants a few lines laid out can have just them.
    fn gap(&mut self, at: u32, old: &str, new: &str) {
        if old == new {
            return;
        }
        let (Some((old_end, old_rest)), Some((new_end, new_rest))) = (split(old), split(new)) else {
            self.single(at, old, new);
            return;
        };
        let (old_lines, old_begin) = old_rest;
        let (new_lines, new_begin) = new_rest;
        // What a `\` goes over is no blank: it is dropped with what follows it.
        let continued = old_end.contains('\\') || new_end.contains('\\');
        if continued && (old_end, old_lines) != (new_end, new_lines) {
            self.single(at, old, new);
            return;
        }
        self.single(at, old_end, new_end);
        let at = at + length(old_end);
        self.single(at, old_lines, new_lines);
        self.single(at + length(old_lines), old_begin, new_begin);
    }

    fn single(&mut self, at: u32, old: &str, new: &str) {
        self.found.extend(self.edit(at, old, new).map(|edit| Change { edits: vec![edit] }));
    }

    /// A replacement without what is the same at both ends.
    fn edit(&self, at: u32, old: &str, new: &str) -> Option<(Span, String)> {
        if old == new {
            return None;
        }
        let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b);
        let mut head: usize = same.map(|(c, _)| c.len_utf8()).sum();
        // No line end is cut in two.
        if old[..head].ends_with('\r') {
            head -= 1;
        }
        let (old_rest, new_rest) = (&old[head..], &new[head..]);
        let same = old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(|(a, b)| a == b);
        let mut tail: usize = same.map(|(c, _)| c.len_utf8()).sum();
        if old_rest[old_rest.len() - tail..].starts_with('\n') {
            tail -= 1;
        }
        let start = at + u32::try_from(head).unwrap_or(u32::MAX);
        let end = at + length(old) - u32::try_from(tail).unwrap_or(u32::MAX);
        Some((Span::new(self.source, start..end), new_rest[..new_rest.len() - tail].to_owned()))
    }

    /// Adds what becomes of a multi-line string: the margin of each line, where the lines are the same ones.
    fn string(&mut self, at: u32, old: &str, new: &str) {
        let (before, after): (Vec<&str>, Vec<&str>) =
            (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
        let mut edits = Vec::new();
        if before.len() == after.len() {
            let mut at = at;
            for (old, new) in before.into_iter().zip(after) {
                let (old_line, new_line) = (line(old), line(new));
                edits.extend(self.edit(at, old_line, new_line));
                let end = at + length(old_line);
                edits.extend(self.edit(end, &old[old_line.len()..], &new[new_line.len()..]));
                at += length(old);
            }
        } else {
            edits.extend(self.edit(at, old, new));
        }
        self.found.push(Change { edits });
    }
}

/// A line without its end.
fn line(line: &str) -> &str {
    line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// What is before the first line end, the line ends with what is between them, and what is behind the last one.
fn split(gap: &str) -> Option<(&str, (&str, &str))> {
    let is_end = |c| super::flat::is_line_end(c);
    let first = gap.find(is_end)?;
    let (last, c) = gap.char_indices().rev().find(|(_, c)| is_end(*c))?;
    let (lines, begin) = gap.split_at(last + c.len_utf8());
    let (end, lines) = lines.split_at(first);
    Some((end, (lines, begin)))
}
