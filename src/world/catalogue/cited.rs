//! The entries of a built-in profile, each with what the comment before it cites.

use crate::syntax::{Node, Tree};

/// A setting of a built-in profile.
#[derive(Debug)]
pub struct Entry<'t> {
    /// The block that it stands in: `agent`, `env` or `egress`.
    pub block: &'t str,
    /// Its node.
    pub node: Node<'t>,
    /// What it is for, as sentences without a full stop at their end; empty where the comment is its source alone.
    pub note: String,
    /// Where that is said.
    pub sources: Vec<Citation<'t>>,
}

/// A source, and when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Citation<'t> {
    /// Where it is: from `https://` on.
    pub url: &'t str,
    /// The date, as `2026-11-28`.
    pub date: &'t str,
}

/// Returns every setting of a profile's text, in its order.
#[must_use]
pub fn entries(tree: &Tree) -> Vec<Entry<'_>> {
    let blocks = tree.nodes().flat_map(Node::children);
    let nodes = blocks.flat_map(|block| block.children().map(move |node| (block.name(), node)));
    nodes
        .map(|(block, node)| {
            let (note, sources) = read(&comment(tree.text(), node.span().range()));
            Entry { block, node, note, sources }
        })
        .collect()
}

/// The lines of the comments right before a node, or the one behind it on its line.
fn comment(text: &str, node: std::ops::Range<usize>) -> Vec<&str> {
    let inside = |line: &str| line.trim_start().starts_with("//");
    let start = text[..node.start].rfind('\n').map_or(0, |end| end + 1);
    let mut above: Vec<&str> =
        text[..start].lines().rev().take_while(|line| inside(line)).map(str::trim_start).collect();
    above.reverse();
    let behind = text[node.end..].lines().next().unwrap_or_default().trim_start();
    if above.is_empty() && inside(behind) {
        above.push(behind);
    }
    above
}

/// What comments say, and what they cite.
fn read<'t>(lines: &[&'t str]) -> (String, Vec<Citation<'t>>) {
    let mut words = lines.iter().flat_map(|line| line.trim_start_matches('/').split_whitespace()).peekable();
    let (mut notes, mut sources) = (vec![Vec::new()], Vec::new());
    while let Some(word) = words.next() {
        let date = words.peek().and_then(|next| next.strip_prefix('(')?.split_once(')')).map(|it| it.0);
        match date.filter(|date| word.starts_with("https://") && is_date(date)) {
            Some(date) => {
                words.next();
                sources.push(Citation { url: word, date });
                notes.push(Vec::new());
            }
            None => notes.last_mut().into_iter().for_each(|note| note.push(word)),
        }
    }
    let notes = notes.iter().map(|note| note.join(" ").trim_end_matches([':', '.']).to_owned());
    let notes: Vec<String> = notes.filter(|note| !note.is_empty()).collect();
    (notes.join(". "), sources)
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize| {
        (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())?
    };
    match parts.as_slice() {
        [year, month, day] => {
            number(year, 4).is_some()
                && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
                && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
        }
        _ => false,
    }
}
