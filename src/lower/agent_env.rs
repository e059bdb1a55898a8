//! `agent.env`: the agent's environment as POSIX shell assignments, one line a variable.
//!
//! A launcher reads it with `set -a; . ./agent.env`, so a value must never be code: whatever is not plain is put in
//! single quotes. What the compiler computes is always plain, and plain lines read the same to every program that
//! takes an environment file. Secrets are named in comments; a launcher gets their values from where they say.

use super::shell;
use crate::model::{Reference, VariableValue};
use crate::plan::{Plan, Traced};

/// Its path in the stage.
pub const PATH: &str = "agent.env";

/// The file.
pub(super) fn lower(plan: &Plan) -> Vec<u8> {
    let mut text =
        String::from("# The agent's environment, as shell assignments. Generated; edit the spec instead.\n");
    for (name, variable) in &plan.env {
        text += &assignment(name, variable);
    }
    text.into_bytes()
}

/// A variable, with the end of its line.
pub(crate) fn assignment(name: &str, variable: &Traced<VariableValue>) -> String {
    match &variable.value {
        // Nothing at all is as plain as a value can be.
        VariableValue::Literal(value) if value.is_empty() => format!("{name}=\n"),
        VariableValue::Literal(value) => format!("{name}={}\n", shell::word(value)),
        VariableValue::Secret(Reference::Env(from)) => {
            format!("# {name}: a secret, from the host's environment variable {from}\n")
        }
        VariableValue::Secret(Reference::File(path)) => {
            format!("# {name}: a secret, from the host's file {path}\n")
        }
    }
}
