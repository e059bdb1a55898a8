//! The ranges of nodes, entries and blocks that `/-` comments out.

use std::ops::Range;

use crate::syntax::{Entry, TokenKind, TokenRef, Tree};

/// Something that is commented out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commented {
    /// From its `/-` through its end, in bytes.
    pub(super) range: Range<u32>,
    /// Where the `{` stands, when it is a block by itself.
    pub(super) block: Option<u32>,
}

/// Finds the commented-out ranges of a text, in order; nested ones are part of the outer ones.
#[must_use]
pub(super) fn commented(tree: &Tree) -> Vec<Commented> {
    let tokens: Vec<TokenRef> = tree.tokens().collect();
    if !tokens.iter().any(|token| token.kind == TokenKind::SlashDash) {
        return Vec::new();
    }
    let things = things(tree);
    let end_of = |start: u32| {
        let at = things.binary_search_by_key(&start, |thing| thing.start).ok()?;
        Some(things[at].end)
    };
    let mut found = Vec::new();
    // The blocks that are open: of one that is commented out, its place among what was found.
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut pending: Option<u32> = None;
    for token in &tokens {
        match token.kind {
            TokenKind::SlashDash => {
                // One with nothing behind it is a mistake, and a comment all the same.
                found.extend(pending.map(|slash| alone(slash, slash + 2)));
                pending = Some(token.range.start);
            }
            TokenKind::Backslash => {}
            kind if kind.is_trivia() => {}
            kind => {
                let slash = pending.take();
                match kind {
                    TokenKind::OpenBrace => open.push(slash.map(|slash| {
                        found.push(Commented {
                            range: slash..token.range.end,
                            block: Some(token.range.start),
                        });
                        found.len() - 1
                    })),
                    TokenKind::CloseBrace => {
                        let block = open.pop().flatten().and_then(|at| found.get_mut(at));
                        if let Some(block) = block {
                            block.range.end = token.range.end;
                        }
                        found.extend(slash.map(|slash| alone(slash, slash + 2)));
                    }
                    _ => found.extend(
                        slash.map(|slash| alone(slash, end_of(token.range.start).unwrap_or(slash + 2))),
                    ),
                }
            }
        }
    }
    found.extend(pending.map(|slash| alone(slash, slash + 2)));
    // They begin in order; what ends before the last one did is inside of it.
    let mut to = 0;
    found.retain(|it| {
        let outside = it.range.start >= to;
        if outside {
            to = it.range.end;
        }
        outside
    });
    found
}

fn alone(start: u32, end: u32) -> Commented {
    Commented { range: start..end, block: None }
}

/// The nodes and entries that are commented out, by their starts.
fn things(tree: &Tree) -> Vec<Range<u32>> {
    let mut things = Vec::new();
    for (_, node) in tree.walk() {
        if node.is_commented() {
            things.push(node.span());
        }
        things.extend(node.all_entries().filter(|entry| entry.is_commented()).map(Entry::span));
    }
    let mut things: Vec<Range<u32>> = things.into_iter().map(|span| span.start..span.end).collect();
    things.sort_unstable_by_key(|thing| (thing.start, thing.end));
    things
}
