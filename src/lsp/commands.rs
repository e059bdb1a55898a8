//! The names of the server's commands.

/// Shows the compiled files of the bottle at a position: `[URI, POSITION]`, and perhaps the path of one file. Without
/// it, those that say what the agent's machine is.
pub(super) const ARTIFACTS: &str = "bottlec.artifacts";
/// Gives the page of a rule: `[RULE]`.
pub(super) const EXPLAIN: &str = "bottlec.explain";
/// The commands that there are.
pub(super) const COMMANDS: &[&str] = &[ARTIFACTS, EXPLAIN];
