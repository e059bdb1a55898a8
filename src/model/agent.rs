//! `agent`: the program that works in the machine, and what it reads.

use super::{Spanned, arguments, child, children, first_argument, text_property};
use crate::schema::ValueType;
use crate::source::Span;
use crate::syntax::{Node, Value};
use crate::world::mcp::McpForm;

/// The `agent` node of a layer, or of a whole bottle.
#[derive(Clone, Debug)]
pub struct Agent {
    /// The last place that says something of it.
    pub place: Span,
    /// The program, and the arguments with which it works unattended; empty when nothing names one.
    pub program: Vec<Spanned<String>>,
    /// Where it looks for MCP servers.
    pub mcp: Option<McpFile>,
    /// The variable that holds the key of its model.
    pub api_key: Option<Spanned<String>>,
    /// The variables by which it learns which certificates to trust.
    pub trust: Vec<Spanned<String>>,
    /// The programs that it needs.
    pub requires: Vec<Spanned<String>>,
}

/// The file in which an agent looks for MCP servers.
#[derive(Clone, Debug)]
pub struct McpFile {
    /// Its place in the machine.
    pub path: Spanned<String>,
    /// How it is written.
    pub form: Spanned<McpForm>,
}

impl Agent {
    pub(super) fn decode(node: Node<'_>) -> Self {
        let all = |name| children(node, name).flat_map(arguments).collect();
        Self {
            place: node.name_span(),
            program: child(node, "program").into_iter().flat_map(arguments).collect(),
            mcp: child(node, "mcp").and_then(McpFile::decode),
            api_key: child(node, "api-key").and_then(first_argument),
            trust: all("trust"),
            requires: all("requires"),
        }
    }

    /// Lays `over` on top: lists grow, of everything else the last one wins. A program goes with its arguments, and a file
    /// with its form.
    pub(super) fn merge(mut self, over: Self) -> Self {
        let Self { place, program, mcp, api_key, trust, requires } = over;
        self.trust.extend(trust);
        self.requires.extend(requires);
        Self {
            place,
            program: if program.is_empty() { self.program } else { program },
            mcp: mcp.or(self.mcp),
            api_key: api_key.or(self.api_key),
            trust: self.trust,
            requires: self.requires,
        }
    }

    /// How many nodes it is made of, more or less.
    pub(super) fn weight(&self) -> usize {
        self.program.len() + self.trust.len() + self.requires.len() + 1
    }
}

impl McpFile {
    fn decode(node: Node<'_>) -> Option<Self> {
        let path = first_argument(node)?;
        // One that is none is reported, and written nowhere.
        ValueType::MachineFile.check(Value::String(&path.value)).ok()?;
        Some(Self { path, form: text_property(node, "form")?.filter_map(|form| McpForm::find(&form))? })
    }
}
