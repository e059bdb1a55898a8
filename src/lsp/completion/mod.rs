//! Completion, from the schema table and from the names, hosts and files that a spec can refer to.

mod hosts;
mod item;
pub(super) mod known;
mod names;
mod nodes;
mod paths;
mod slot;
mod snippet;
mod values;

use std::path::Path;

use lsp_types::{CompletionList, Position};

use super::analysis::Asked;
use super::client::Client;
use super::cursor::{Cursor, Spot, argument_schema};
use super::disk::Disk;
use crate::schema;
use crate::syntax::Node;
use item::Candidate;
use slot::{Slot, Wanted};

/// The most items of one answer: a list that nobody reads to its end. Of more, the ones that begin like what is typed are
/// sent, and the client asks again as the typing goes on.
const MAX_ITEMS: usize = 1000;

/// What a completion is asked about.
#[derive(Clone, Copy)]
struct Request<'a> {
    asked: Asked<'a>,
    cursor: &'a Cursor<'a>,
    folder: Option<&'a Path>,
    disk: &'a dyn Disk,
    client: &'a Client,
}

impl<'a> Request<'a> {
    /// The nodes in the block that the cursor is in, without the one that it is at and those that are commented out.
    fn siblings(self) -> impl Iterator<Item = Node<'a>> {
        let here = self.cursor.node().map(Node::name_span);
        let all =
            self.cursor.parents.last().map_or_else(|| self.asked.tree().nodes(), |parent| parent.children());
        all.filter(move |node| Some(node.name_span()) != here)
    }
}

/// Lists the completions at a position.
#[must_use]
pub(super) fn completions(
    asked: Asked<'_>,
    position: Position,
    folder: Option<&Path>,
    disk: &dyn Disk,
    client: &Client,
) -> CompletionList {
    let cursor = Cursor::new(asked.tree(), asked.offset(position));
    let Some((wanted, slot)) = slot::wanted(asked.tree(), &cursor) else { return CompletionList::default() };
    let request = Request { asked, cursor: &cursor, folder, disk, client };
    let mut candidates = candidates(request, &wanted, &slot).unwrap_or_default();
    candidates.sort_by_key(|candidate| candidate.tier);
    let is_incomplete = candidates.len() > MAX_ITEMS;
    if is_incomplete {
        let typed = slot.typed.to_ascii_lowercase();
        candidates.retain(|candidate| candidate.name.to_ascii_lowercase().starts_with(&typed));
        candidates.truncate(MAX_ITEMS);
    }
    let items = candidates.into_iter().enumerate();
    let items = items.map(|(at, candidate)| candidate.item(at, &slot, asked, client)).collect();
    CompletionList { is_incomplete, items }
}

fn candidates(request: Request<'_>, wanted: &Wanted, slot: &Slot) -> Option<Vec<Candidate>> {
    let block = request.cursor.block_schema()?;
    if let Wanted::Node { has_more, is_followed } = wanted {
        return Some(nodes::nodes(request, block, *has_more, *is_followed, slot));
    }
    let node = request.cursor.node()?;
    let schema = request.cursor.node_schema()?;
    Some(match wanted {
        Wanted::Node { .. } => Vec::new(),
        Wanted::Key => nodes::properties(request, schema, node, true, slot),
        Wanted::Property => {
            let key = property_key(request)?;
            let property = schema.properties.iter().find(|property| property.name == key)?;
            values::values(request, schema, property.value, slot)
        }
        Wanted::Argument(at) => {
            let mut found = argument_schema(schema, *at)
                .map(|argument: &schema::Argument| values::values(request, schema, argument.value, slot))
                .unwrap_or_default();
            if slot.style == slot::Style::Bare {
                found.extend(nodes::properties(request, schema, node, false, slot));
            }
            found
        }
    })
}

/// The key of the property whose value the cursor is at.
fn property_key(request: Request<'_>) -> Option<&str> {
    match request.cursor.spot {
        Spot::Value(_, entry) => entry.key().map(|(key, _)| key),
        _ => None,
    }
}
