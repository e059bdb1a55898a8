//! The files that a launcher copies into the machine before the agent starts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{git_gate, supervise};
use crate::plan::{Plan, Traced};
use crate::world::builtin;

/// A file to copy into the machine after it was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Provision")]
pub struct File {
    /// The file on the host, from the stage's directory on; from `~/` on it is the home of who launches.
    pub source: String,
    /// Where it goes in the machine.
    pub target: String,
    /// Its permissions there, in octal; it is root's.
    pub mode: String,
}

/// The system-wide configuration of git: whichever user the agent is, and whatever its own says on top.
pub const GITCONFIG: &str = "/etc/gitconfig";
/// The servers that an MCP client is told of.
pub const MCP: &str = "/etc/bottle/mcp.json";

/// The files of a plan, by where they go.
#[must_use]
pub fn files(plan: &Plan) -> Vec<Traced<File>> {
    let file = |source: &str, target: &str| File {
        source: source.to_owned(),
        target: target.to_owned(),
        mode: String::from("0644"),
    };
    let ca = plan.egress.tls.as_ref().map(|tls| tls.trust.with(file(&tls.trust, builtin::CA)));
    let mcp = plan.supervise.given().map(|asked| asked.with(file(supervise::MCP_CONFIG_PATH, MCP)));
    let git = git_gate::asks_for_gitconfig(plan)
        .map(|asked| Traced::new(file(git_gate::GITCONFIG_PATH, GITCONFIG), asked));
    ca.into_iter().chain(mcp).chain(git).collect()
}
