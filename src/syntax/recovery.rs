//! Brace recovery: matches the braces of an unbalanced text by indentation. Balanced texts never come here.

use std::num::NonZeroU32;

use super::MAX_DEPTH;
use super::lexer::at32;
use super::problems::{DiagnosticExt as _, Problems};
use super::token::{Token, TokenKind};
use crate::diagnostic::Applicability;
use crate::rule::catalogue;

/// Instructions to the parser for the braces of an unbalanced text.
#[derive(Default)]
pub(super) struct Plan {
    /// How many blocks end before the token of that index, in order.
    pub(super) closes: Vec<(usize, u32)>,
    /// Indices of the `}` that close nothing, in order.
    pub(super) strays: Vec<usize>,
}

/// A `{` that is open. A text may be nothing else, so it is kept small: offsets fit in 32 bits, and so do these.
struct Open {
    token: u32,
    line: u32,
    indent: u32,
    /// The line whose first token is the `}` that this one seems to belong to.
    closer: Option<NonZeroU32>,
}

/// An index as the 32 bits that hold every one.
fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A line with something on it.
struct Line {
    indent: u32,
    starts_with_close: bool,
    ends_with_open: bool,
    /// The next line that is indented no deeper.
    next_outer: usize,
}

pub(super) fn plan(text: &str, tokens: &[Token], problems: &mut Problems) -> Plan {
    let lines = lines(text, tokens);
    let trusted = is_indented(&lines);
    let mut planner = Planner { text, tokens, plan: Plan::default(), open: Vec::new() };
    let mut line = 0;
    let mut first = true;
    let mut opened_here = 0_usize;
    let mut end_of_content = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => {
                if !first {
                    line += 1;
                }
                first = true;
                opened_here = 0;
                continue;
            }
            TokenKind::Eof => break,
            kind if kind.is_trivia() => continue,
            _ => {}
        }
        let is_first = std::mem::replace(&mut first, false);
        if is_first && trusted {
            let Line { indent, starts_with_close, .. } = lines[line];
            planner.start_line(index, indent, starts_with_close, end_of_content, problems);
        }
        match token.kind {
            TokenKind::OpenBrace => {
                let next = lines[line].next_outer;
                let closer: Option<usize> = (trusted && opened_here == 0)
                    .then(|| lines.get(next))
                    .flatten()
                    .filter(|closing| closing.starts_with_close && closing.indent == lines[line].indent)
                    .map(|_| next);
                opened_here += 1;
                // What closes a brace stands on a later line, which is never the first.
                let closer = closer.and_then(|line| NonZeroU32::new(small(line)));
                let indent = lines[line].indent;
                planner.open.push(Open { token: small(index), line: small(line), indent, closer });
            }
            TokenKind::CloseBrace => {
                let stray = match planner.open.last() {
                    None => true,
                    Some(open) => {
                        let here = small(line);
                        open.line < here && open.closer.is_some_and(|closer| closer.get() > here)
                    }
                };
                if stray {
                    planner.stray(index, problems);
                } else {
                    planner.open.pop();
                    opened_here = opened_here.saturating_sub(1);
                }
            }
            _ => {}
        }
        end_of_content = tokens.get(index + 1).map_or(token.start, |next| next.start);
    }
    let left = planner.open.len();
    planner.unclosed(left, tokens.len() - 1, end_of_content, problems);
    planner.plan
}

struct Planner<'a> {
    text: &'a str,
    tokens: &'a [Token],
    plan: Plan,
    open: Vec<Open>,
}

impl Planner<'_> {
    /// Closes the blocks that a line of this indentation cannot lie in.
    fn start_line(
        &mut self,
        index: usize,
        indent: u32,
        is_close: bool,
        content: u32,
        problems: &mut Problems,
    ) {
        let inside = |open: &Open| if is_close { open.indent <= indent } else { open.indent < indent };
        let mut count = self.open.iter().rev().take_while(|open| !inside(open)).count();
        if is_close && count == self.open.len() {
            // It closes something, after all.
            count = count.saturating_sub(1);
        }
        self.unclosed(count, index, content, problems);
    }

    /// Ends the `count` innermost blocks before the token `index`; the text before it ends at `content`.
    fn unclosed(&mut self, count: usize, index: usize, content: u32, problems: &mut Problems) {
        if count == 0 {
            return;
        }
        let from = self.open.len() - count;
        let ended = &self.open[from..];
        let Some(inner) = ended.last() else { return };
        self.plan.closes.push((index, u32::try_from(count).unwrap_or(u32::MAX)));
        let brace = |open: &Open| self.tokens[open.token as usize].start;
        let at = brace(inner);
        problems.report(&catalogue::UNCLOSED_BRACE, at..at + 1, |d| {
            let d = if count == 1 {
                d.message("a `{` has no `}`").label("this block is never closed")
            } else {
                d.message(format!("{count} blocks have no `}}`"))
                    .label("the innermost block that is never closed")
            };
            let mut d = d;
            for open in ended.iter().rev().skip(1).take(3) {
                d = d.also(brace(open)..brace(open) + 1, "nor is this one");
            }
            let next = self.tokens[index].start;
            if self.tokens[index].kind != TokenKind::Eof {
                let outside = next..next + first_character(self.text, next);
                d = d.also(outside, "by its indentation, this lies outside of the block");
            }
            let mut inserted = String::new();
            for open in ended.iter().rev().take(MAX_DEPTH) {
                let line = line_start(self.text, brace(open) as usize);
                let blank = self.text[line..].len() - self.text[line..].trim_start_matches([' ', '\t']).len();
                inserted.push('\n');
                inserted.push_str(&self.text[line..line + blank]);
                inserted.push('}');
            }
            d.help("close it with `}`").swap("insert `}`", Applicability::Unsafe, content..content, inserted)
        });
        self.open.truncate(from);
    }

    fn stray(&mut self, index: usize, problems: &mut Problems) {
        self.plan.strays.push(index);
        // A run of them is one mistake.
        if index > 0
            && self.plan.strays.len() > 1
            && self.plan.strays[self.plan.strays.len() - 2] == index - 1
        {
            return;
        }
        let at = self.tokens[index].start;
        let run = self.tokens[index..].iter().take_while(|token| token.kind == TokenKind::CloseBrace).count();
        let run = if self.open.is_empty() { run } else { 1 };
        let end = self.tokens[index + run].start;
        let related = self.open.last().map(|open| self.tokens[open.token as usize].start);
        problems.report(&catalogue::UNMATCHED_BRACE, at..end, |d| {
            let d = d.message("a `}` closes nothing").label("no block is open here").help("remove it");
            let d = match related {
                Some(open) => d
                    .label("the indentation says that no block ends here")
                    .also(open..open + 1, "the block it stands in"),
                None => d,
            };
            d.swap("remove it", Applicability::Unsafe, at..end, "")
        });
    }
}

/// How many bytes the character at `at` has.
fn first_character(text: &str, at: u32) -> u32 {
    text[at as usize..].chars().next().map_or(0, |c| at32(c.len_utf8()))
}

fn line_start(text: &str, at: usize) -> usize {
    memchr::memrchr2(b'\n', b'\r', &text.as_bytes()[..at]).map_or(0, |newline| newline + 1)
}

/// Every line with something on it.
fn lines(text: &str, tokens: &[Token]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut first = true;
    let mut start = 0_usize;
    for token in tokens {
        match token.kind {
            TokenKind::Newline => {
                first = true;
                continue;
            }
            TokenKind::Eof => break,
            TokenKind::Bom => continue,
            kind if kind.is_trivia() => {
                if first && kind == TokenKind::Space {
                    start = token.start as usize;
                }
                continue;
            }
            _ => {}
        }
        if first {
            let blank = &text[start.min(token.start as usize)..token.start as usize];
            let indent = if blank.chars().all(|c| matches!(c, ' ' | '\t')) { width(blank) } else { 0 };
            lines.push(Line {
                indent,
                starts_with_close: token.kind == TokenKind::CloseBrace,
                ends_with_open: false,
                next_outer: usize::MAX,
            });
            first = false;
        }
        start = usize::MAX;
        if let Some(line) = lines.last_mut() {
            line.ends_with_open = token.kind == TokenKind::OpenBrace;
        }
    }
    // From the back: the lines that may still be the next outer one of a line above, nearest last.
    let mut outer: Vec<usize> = Vec::new();
    for at in (0..lines.len()).rev() {
        while outer.last().is_some_and(|other| lines[*other].indent > lines[at].indent) {
            outer.pop();
        }
        lines[at].next_outer = outer.last().copied().unwrap_or(usize::MAX);
        outer.push(at);
    }
    lines
}

/// The columns of leading blanks; a tab counts for four.
fn width(blank: &str) -> u32 {
    blank.bytes().fold(0_u32, |width, byte| width.saturating_add(if byte == b'\t' { 4 } else { 1 }))
}

/// Whether the text indents its blocks, so that indentation says something.
fn is_indented(lines: &[Line]) -> bool {
    let mut deeper = 0_usize;
    let mut flat = 0_usize;
    for pair in lines.windows(2) {
        if pair[0].ends_with_open && !pair[1].starts_with_close {
            if pair[1].indent > pair[0].indent {
                deeper += 1;
            } else {
                flat += 1;
            }
        }
    }
    deeper >= flat && deeper > 0
}
