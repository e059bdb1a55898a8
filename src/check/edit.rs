//! Edits that several rules' fixes make.

use crate::diagnostic::Edit;
use crate::model::Host;
use crate::source::{Sources, Span};
use crate::syntax::quoted_string;
use crate::text::quote;

/// Takes an entry out of its list, and the node with it when it is the only one.
pub(super) fn remove(entry: &Host, sources: &Sources) -> Edit {
    let Host { span, node, alone, .. } = entry;
    let text = sources.get(span.source).text();
    let gone = if *alone { whole(*node, text) } else { with_blank(*span, text) };
    Edit { span: gone, replacement: String::new() }
}

/// Takes a node without a block out.
pub(super) fn remove_node(node: Span, sources: &Sources) -> Edit {
    Edit { span: whole(node, sources.get(node.source).text()), replacement: String::new() }
}

/// An argument and the blanks before it.
fn with_blank(span: Span, text: &str) -> Span {
    let before = text[..span.start as usize].trim_end_matches([' ', '\t']);
    Span { start: offset(before.len()), ..span }
}

/// A node without a block, and what ends it; its line, when it has that for itself.
fn whole(node: Span, text: &str) -> Span {
    let blank = [' ', '\t'];
    let before = text[..node.start as usize].trim_end_matches(blank);
    let after = text[node.end as usize..].trim_start_matches(blank);
    let after = after.strip_prefix(';').map_or(after, |rest| rest.trim_start_matches(blank));
    let ended = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n'));
    match ended {
        Some(rest) if before.is_empty() || before.ends_with(['\n', '\r']) => {
            Span { start: offset(before.len()), end: offset(text.len() - rest.len()), ..node }
        }
        _ => Span { end: offset(text.len() - after.len()), ..node },
    }
}

/// Denies `host` beside the entry that allows it.
pub(super) fn deny(host: &str, beside: &Host, sources: &Sources) -> (String, Edit) {
    let node = beside.node;
    let text = sources.get(node.source).text();
    let before = &text[..node.start as usize];
    let indent = &before[before.trim_end_matches([' ', '\t']).len()..];
    let first = before.len() == indent.len() || before[..before.len() - indent.len()].ends_with(['\n', '\r']);
    let says = format!("deny {}", quoted_string(host));
    let replacement = if first { format!("{says}\n{indent}") } else { format!("{says}; ") };
    (format!("add {}", quote(&says)), Edit { span: Span::at(node.source, node.start), replacement })
}

/// Offsets fit in 32 bits because no source is larger than [`crate::source::MAX_SOURCE_BYTES`].
fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
