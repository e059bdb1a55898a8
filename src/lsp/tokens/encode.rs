//! The protocol's encoding of tokens: each by its distance from the one before it, none over several lines.

use lsp_types::SemanticToken;

use super::Word;
use crate::lsp::analysis::Asked;
use crate::source::Span;

/// The words that touch `within`, or all of them.
#[must_use]
pub(super) fn encode(asked: Asked<'_>, words: &[Word], within: Option<Span>) -> Vec<SemanticToken> {
    let mut encoder = Encoder::new(asked);
    let (from, to) = within.map_or((0, u32::MAX), |span| (span.start, span.end));
    let first = words.partition_point(|word| word.end < from);
    for word in words[first..].iter().take_while(|word| word.start <= to) {
        encoder.word(word, from, to);
    }
    encoder.out
}

/// Counts lines and columns on the way, so that each byte is looked at once.
struct Encoder<'a> {
    asked: Asked<'a>,
    text: &'a str,
    starts: &'a [u32],
    /// The line that was counted in last, and up to which byte and column.
    line: usize,
    at: u32,
    column: u32,
    /// The place of the last word that was written.
    last: (usize, u32),
    out: Vec<SemanticToken>,
}

impl<'a> Encoder<'a> {
    fn new(asked: Asked<'a>) -> Self {
        let source = asked.source();
        let (text, starts) = (asked.tree().text(), source.line_starts());
        Self { asked, text, starts, line: 0, at: 0, column: 0, last: (0, 0), out: Vec::new() }
    }

    /// Where a line ends, with its line end.
    fn end_of(&self, line: usize) -> u32 {
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.starts.get(line + 1).map_or(end, |next| *next)
    }

    /// Goes to a byte that is not before the last one.
    fn go(&mut self, to: u32) {
        if self.end_of(self.line) <= to && self.line + 1 < self.starts.len() {
            // The next line mostly; of a range that begins far down it is found at once.
            let rest = &self.starts[self.line..];
            let near = rest.iter().take(8).take_while(|start| **start <= to).count();
            let lines = if near < 8 { near } else { rest.partition_point(|start| *start <= to) };
            self.line += lines - 1;
            self.at = self.starts[self.line];
            self.column = 0;
        }
        self.column += self.length(self.at, to);
        self.at = to;
    }

    fn length(&self, from: u32, to: u32) -> u32 {
        self.asked.encoding.len(self.text.get(from as usize..to as usize).unwrap_or(""))
    }

    /// Writes the parts of a word on each of its lines, as far as they touch the bytes from `from` to `to`.
    fn word(&mut self, word: &Word, from: u32, to: u32) {
        let mut start = word.start;
        while start < word.end {
            self.go(start);
            let end = self.end_of(self.line).min(word.end);
            let part = self.text.get(start as usize..end as usize).unwrap_or("");
            let blank = part.len() - part.trim_start().len();
            let (first, length) = (start + small(blank), small(part.trim().len()));
            if length > 0 && first <= to && from <= first + length {
                self.go(first);
                let (line, column) = (self.line, self.column);
                let same = self.last.0 == line;
                let token = SemanticToken {
                    delta_line: small(line - self.last.0),
                    delta_start: if same { column - self.last.1 } else { column },
                    length: self.length(first, first + length),
                    token_type: word.kind as u32,
                    token_modifiers_bitset: word.modifiers,
                };
                self.out.push(token);
                self.last = (line, column);
            }
            start = end;
        }
    }
}

/// Nothing here is longer than a source.
fn small(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
