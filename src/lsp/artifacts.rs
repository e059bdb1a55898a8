//! The files that a bottle would be compiled to now, as an editor shows them.

use lsp_types::ExecuteCommandParams;
use serde_json::Value;

use super::requests::Refusal;
use super::server::Server;
use crate::diagnostic::quote;
use crate::rules;

/// The commands that there are.
pub(super) const COMMANDS: &[&str] = &[EXPLAIN];

/// Gives the page of a rule, in Markdown, by the rule's name.
pub(super) const EXPLAIN: &str = "bottlec.explain";

/// Carries out a command.
pub(super) fn execute(server: &mut Server, params: &ExecuteCommandParams) -> Result<Option<Value>, Refusal> {
    let _ = server;
    if params.command == EXPLAIN {
        return explain(&params.arguments).map(|page| Some(page.into()));
    }
    Err(Refusal::invalid(format!("there is no command `{}`", params.command)))
}

/// The page of a rule.
fn explain(arguments: &[Value]) -> Result<&'static str, Refusal> {
    let [Value::String(id)] = arguments else {
        return Err(Refusal::invalid(format!("`{EXPLAIN}` takes the name of one rule")));
    };
    let rule = rules::find(id).ok_or_else(|| Refusal::invalid(format!("there is no rule {}", quote(id))))?;
    Ok(rule.page)
}
