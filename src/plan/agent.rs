//! The agent: the program that works in the machine, and what it reads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sidecar::in_order;
use super::{Context, Traced};
use crate::model::{Agent, McpFile};
use crate::world::mcp::McpForm;

/// The program that works in the machine, and what it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Agent")]
pub struct PlannedAgent {
    /// The program, with the arguments with which it works unattended; empty when the spec names none.
    pub program: Vec<Traced<String>>,
    /// Where it looks for MCP servers; null when the spec does not say.
    pub mcp: Traced<Option<PlannedMcpFile>>,
    /// The variable in which it looks for the key of its model; null when the spec does not say.
    pub api_key: Traced<Option<String>>,
    /// The variables by which it learns which certificates to trust, in order.
    pub trust: Vec<Traced<String>>,
    /// The programs that it needs, in order.
    pub requires: Vec<Traced<String>>,
}

/// The file in which an agent looks for MCP servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "McpFile")]
pub struct PlannedMcpFile {
    /// Its place in the machine.
    pub path: Traced<String>,
    /// How it is written.
    pub form: Traced<McpForm>,
}

pub(super) fn agent(agent: Option<Agent>, context: &Context<'_>) -> Traced<Option<PlannedAgent>> {
    let Some(Agent { place, program, mcp, api_key, trust, requires }) = agent else {
        return Traced::default_setting(None);
    };
    let file = |McpFile { path, form }| {
        let (path, form) = (context.traced(path), context.traced(form));
        path.with(Some(PlannedMcpFile { path: path.clone(), form }))
    };
    let planned = PlannedAgent {
        program: context.all(program),
        mcp: mcp.map_or_else(|| Traced::default_setting(None), file),
        api_key: context.optional(api_key),
        trust: in_order(trust, context),
        requires: in_order(requires, context),
    };
    Traced::new(Some(planned), context.origins(place))
}
