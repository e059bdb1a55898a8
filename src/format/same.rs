//! Equality of two texts as KDL documents, comments included.

use crate::syntax::{Node, TokenKind, Tree};

/// Whether two trees are of the same document: the same nodes with the same entries in the same order, also those that
/// are commented out, spelt the same but for the margins of multi-line strings, and the same comments between them.
#[must_use]
pub fn same(a: &Tree, b: &Tree) -> bool {
    comments(a).eq(comments(b)) && spelling(a).eq(spelling(b)) && nodes(a, b)
}

fn nodes(a: &Tree, b: &Tree) -> bool {
    let mut open = vec![(a.all_nodes(), b.all_nodes())];
    while let Some((left, right)) = open.last_mut() {
        match (left.next(), right.next()) {
            (None, None) => {
                open.pop();
            }
            (Some(left), Some(right)) => {
                if !heads(left, right) {
                    return false;
                }
                open.push((left.all_children(), right.all_children()));
            }
            _ => return false,
        }
    }
    true
}

fn heads(a: Node<'_>, b: Node<'_>) -> bool {
    let head = |node: Node<'_>| (node.is_commented(), node.block_span().is_some());
    let (mut left, mut right) = (a.all_entries(), b.all_entries());
    if a.name() != b.name()
        || head(a) != head(b)
        || a.type_annotation().map(|(ty, _)| ty) != b.type_annotation().map(|(ty, _)| ty)
    {
        return false;
    }
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) => {
                let same = a.key().map(|(key, _)| key) == b.key().map(|(key, _)| key)
                    && a.type_annotation().map(|(ty, _)| ty) == b.type_annotation().map(|(ty, _)| ty)
                    && a.is_commented() == b.is_commented()
                    && a.value() == b.value();
                if !same {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// Every comment, in order.
fn comments(tree: &Tree) -> impl Iterator<Item = &str> {
    written(tree, |kind| matches!(kind, TokenKind::LineComment | TokenKind::BlockComment))
}

/// Every token that means something, in order, as it is written, but for `;` and multi-line strings.
fn spelling(tree: &Tree) -> impl Iterator<Item = &str> {
    written(tree, |kind| {
        let layout = matches!(kind, TokenKind::Semicolon | TokenKind::Backslash)
            || matches!(kind, TokenKind::MultiLine | TokenKind::RawMultiLine);
        !kind.is_trivia() && !layout
    })
}

fn written(tree: &Tree, wanted: impl Fn(TokenKind) -> bool) -> impl Iterator<Item = &str> {
    let text = tree.text();
    let tokens = tree.tokens().filter(move |token| wanted(token.kind));
    tokens.map(move |token| text[token.range.start as usize..token.range.end as usize].trim_end())
}
