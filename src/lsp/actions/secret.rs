//! The action that replaces a literal by the host's variable of the same name.

use lsp_types::CodeActionKind;

use super::{Menu, Offer};
use crate::diagnostic::Edit;
use crate::lsp::cursor::Cursor;
use crate::schema::{Children, ValueType};
use crate::syntax::{Value, quoted_string};
use crate::text::quote;

/// Offers to take a literal from the host's variable of the same name instead.
pub(super) fn offer(menu: &mut Menu<'_>, cursor: &Cursor<'_>) {
    let Some(node) = cursor.node().filter(|node| !node.is_commented() && !node.is_broken()) else { return };
    let in_env = cursor.block_schema().is_some_and(|schema| match schema.children {
        Children::Named { name, .. } => name == ValueType::EnvName,
        Children::None | Children::Nodes(_) => false,
    });
    let mut entries = node.entries();
    let (Some(literal), None) = (entries.next(), entries.next()) else { return };
    let name = node.name();
    let is_name = ValueType::EnvName.check(Value::String(name)).is_ok();
    if !in_env || !is_name || literal.key().is_some() || !matches!(literal.value(), Value::String(_)) {
        return;
    }
    let replacement = format!("from-env={}", quoted_string(name));
    let edit = Edit { span: literal.span(), replacement };
    let title = format!("take {} from the host's environment", quote(name));
    let kind = CodeActionKind::REFACTOR_REWRITE;
    menu.offer(Offer { title, kind, edits: vec![edit], about: Vec::new(), preferred: false });
}
