//! The files that a bottle would be compiled to now, as an editor shows them.

use lsp_types::ExecuteCommandParams;
use serde_json::Value;

use super::requests::Refusal;
use super::server::Server;

/// The commands that there are.
pub(super) const COMMANDS: &[&str] = &[];

/// Carries out a command.
pub(super) fn execute(server: &mut Server, params: &ExecuteCommandParams) -> Result<Option<Value>, Refusal> {
    let _ = server;
    Err(Refusal::invalid(format!("there is no command `{}`", params.command)))
}
