//! The files that a launcher copies into the machine before the agent starts.

use crate::lower::plan_json::Provision;
use crate::lower::{git_gate, supervise, trust};
use crate::plan::{Plan, Traced};
use crate::world::builtin;

/// The system-wide configuration of git: whichever user the agent is, and whatever its own says on top.
pub const GITCONFIG: &str = "/etc/gitconfig";
/// The servers that an MCP client is told of.
pub const MCP: &str = "/etc/bottle/mcp.json";

/// The files of a plan, by where they go.
#[must_use]
pub fn files(plan: &Plan) -> Vec<Traced<Provision>> {
    let file = |source: &str, target: &str| Provision {
        source: source.to_owned(),
        target: target.to_owned(),
        mode: String::from("0644"),
    };
    let ca = plan.egress.tls.as_ref().map(|tls| tls.trust.with(file(&tls.trust, builtin::CA)));
    let own = trust::files(plan).map(|it| it.with(file(it.path, it.target)));
    let mcp = plan.supervise.given().map(|asked| asked.with(file(supervise::MCP_CONFIG_PATH, MCP)));
    let git = git_gate::asks_for_gitconfig(plan)
        .map(|asked| Traced::new(file(git_gate::GITCONFIG_PATH, GITCONFIG), asked));
    ca.into_iter().chain(own).chain(mcp).chain(git).collect()
}
