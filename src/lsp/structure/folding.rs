//! Folding ranges.

use std::ops::Range;

use lsp_types::{FoldingRange, FoldingRangeKind};

use crate::lsp::analysis::Asked;
use crate::lsp::client::Client;
use crate::lsp::slashdash;
use crate::source::Span;
use crate::syntax::{TokenKind, Tree};

/// Something over several lines: bytes from where it would be hidden to where it would be shown again.
struct Fold {
    hidden: Range<u32>,
    kind: Option<FoldingRangeKind>,
    /// Whether its last line is worth seeing when only whole lines can be hidden: it ends a block or a string, or
    /// something else follows on it.
    closes: bool,
}

/// What can be folded away: blocks, multi-line strings, comments, runs of `include`, and what stands between comments
/// that say `#region` and `#endregion`.
#[must_use]
pub(in crate::lsp) fn folding(asked: Asked<'_>, client: &Client) -> Vec<FoldingRange> {
    let tree = asked.tree();
    let mut folds = blocks(tree);
    words(tree, &mut folds);
    includes(asked, &mut folds);
    let line_of = |offset: u32| asked.source().line_of(offset);
    let mut found: Vec<FoldingRange> = folds
        .into_iter()
        .filter_map(|Fold { hidden, kind, closes }| {
            let (first, last) = (line_of(hidden.start), line_of(hidden.end));
            let last_hidden = if closes && client.folds_lines { last.checked_sub(1)? } else { last };
            (last_hidden > first).then_some(())?;
            let range = asked.range(Span::new(asked.id, hidden));
            let whole = client.folds_lines;
            Some(FoldingRange {
                start_line: range.start.line,
                start_character: (!whole).then_some(range.start.character),
                end_line: u32::try_from(last_hidden).unwrap_or(u32::MAX),
                end_character: (!whole).then_some(range.end.character),
                kind,
                collapsed_text: None,
            })
        })
        .collect();
    // Of several that begin on a line a client takes the first one that it meets: the largest.
    found.sort_by_key(|fold| (fold.start_line, std::cmp::Reverse(fold.end_line), fold.start_character));
    if client.folds_lines {
        found.dedup_by_key(|fold| fold.start_line);
    }
    found
}

/// The blocks of nodes, and those that are commented out by themselves.
fn blocks(tree: &Tree) -> Vec<Fold> {
    let text = tree.text();
    let block = |start: u32, end: u32| {
        let closed = end > start + 1 && text[..end as usize].ends_with('}');
        let hidden = start + 1..if closed { end - 1 } else { end };
        Fold { hidden, kind: None, closes: closed }
    };
    let of_nodes = tree.walk().filter_map(|(_, node)| node.block_span());
    let mut folds: Vec<Fold> = of_nodes.map(|span| block(span.start, span.end)).collect();
    let alone = slashdash::commented(tree).into_iter();
    folds.extend(alone.filter_map(|it| Some(block(it.block?, it.range.end))));
    folds
}

/// Strings and comments.
fn words(tree: &Tree, folds: &mut Vec<Fold>) {
    let text = tree.text();
    // Line comments that stand alone on lines that follow one another: where the first begins and the last ends.
    let mut run: Option<Range<u32>> = None;
    let mut regions: Vec<u32> = Vec::new();
    // Whether nothing but blanks stands on the line so far, and whether the last line held a comment of the run.
    let mut fresh = true;
    let mut follows = false;
    let mut tokens = tree.tokens().peekable();
    while let Some(token) = tokens.next() {
        let written = &text[token.range.start as usize..token.range.end as usize];
        match token.kind {
            TokenKind::Newline => {
                if !follows {
                    folds.extend(run.take().map(comment));
                }
                (fresh, follows) = (true, false);
            }
            TokenKind::Space | TokenKind::Bom => {}
            TokenKind::LineComment => {
                let end = token.range.start + trimmed(written);
                match region(written) {
                    Some(true) => regions.push(end),
                    Some(false) => {
                        let kind = Some(FoldingRangeKind::Region);
                        folds.extend(regions.pop().map(|start| Fold {
                            hidden: start..end,
                            kind,
                            closes: false,
                        }));
                    }
                    None if fresh => {
                        follows = true;
                        match &mut run {
                            Some(run) => run.end = end,
                            None => run = Some(end..end),
                        }
                    }
                    None => {}
                }
                fresh = false;
            }
            TokenKind::BlockComment => {
                let follows = tokens
                    .peek()
                    .is_some_and(|next| !matches!(next.kind, TokenKind::Newline | TokenKind::Space));
                let kind = Some(FoldingRangeKind::Comment);
                let hidden = token.range.start + 2..token.range.end;
                folds.push(Fold { hidden, kind, closes: follows });
                fresh = false;
            }
            TokenKind::MultiLine | TokenKind::RawMultiLine => {
                // Three quotes open it, behind the `#`s of a raw one.
                let quotes = token.range.start + 3 + hashes(written);
                folds.push(Fold {
                    hidden: quotes.min(token.range.end)..token.range.end,
                    kind: None,
                    closes: true,
                });
                fresh = false;
            }
            _ => fresh = false,
        }
    }
    folds.extend(run.map(comment));
}

fn comment(hidden: Range<u32>) -> Fold {
    Fold { hidden, kind: Some(FoldingRangeKind::Comment), closes: false }
}

/// Whether a comment begins a region, or ends one; nothing when it does neither.
fn region(comment: &str) -> Option<bool> {
    let word = comment.trim_start_matches('/').trim_start().strip_prefix('#')?;
    let word = word.split_whitespace().next()?;
    match word {
        "region" => Some(true),
        "endregion" => Some(false),
        _ => None,
    }
}

/// `include`s on lines that follow one another.
fn includes(asked: Asked<'_>, folds: &mut Vec<Fold>) {
    let mut run: Option<(Range<u32>, usize)> = None;
    let fold = |hidden| Fold { hidden, kind: Some(FoldingRangeKind::Imports), closes: false };
    for node in asked.tree().nodes() {
        let span = node.span();
        let line = asked.source().line_of(span.start);
        let is_include = node.name() == "include";
        match &mut run {
            Some((range, last)) if is_include && line <= *last + 1 => {
                (range.end, *last) = (span.end, asked.source().line_of(span.end));
            }
            _ => {
                folds.extend(run.take().map(|(range, _)| fold(range)));
                let name_end = node.name_span().end;
                run = is_include.then(|| (name_end..span.end, asked.source().line_of(span.end)));
            }
        }
    }
    folds.extend(run.map(|(range, _)| fold(range)));
}

fn hashes(written: &str) -> u32 {
    let hashes = written.bytes().take_while(|byte| *byte == b'#').count();
    u32::try_from(hashes).unwrap_or(u32::MAX)
}

/// The length of a text without the blanks at its end.
fn trimmed(text: &str) -> u32 {
    u32::try_from(text.trim_end().len()).unwrap_or(u32::MAX)
}
