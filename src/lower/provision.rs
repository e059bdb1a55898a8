//! The files that a launcher copies into the machine before the agent starts.

use super::{git_gate, supervise};
use crate::plan::Plan;
use crate::world::builtin;

/// A file for the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is on the host, as seen from the stage's directory; from `~/` on it is the home of who launches.
    pub source: String,
    /// Where it goes in the machine.
    pub target: &'static str,
    /// Its permissions there, in octal. It belongs to root.
    pub mode: &'static str,
}

/// The system-wide configuration of git: whichever user the agent is, and whatever its own says on top.
pub const GITCONFIG: &str = "/etc/gitconfig";
/// The servers that an MCP client is told of.
pub const MCP: &str = "/etc/bottle/mcp.json";

/// The files of a plan, by where they go.
#[must_use]
pub fn files(plan: &Plan) -> Vec<File> {
    let file = |source: &str, target| File { source: source.to_owned(), target, mode: "0644" };
    let mcp = plan.supervise.as_ref().map(|_| file(supervise::MCP_CONFIG_PATH, MCP));
    let git = git_gate::has_gitconfig(plan).then(|| file(git_gate::GITCONFIG_PATH, GITCONFIG));
    let ca = plan.egress.tls.as_ref().map(|tls| file(&tls.trust.value, builtin::CA));
    ca.into_iter().chain(mcp).chain(git).collect()
}
