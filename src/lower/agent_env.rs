//! `agent.env`: the agent's environment as POSIX shell assignments, one line a variable.
//!
//! A launcher reads it with `set -a; . ./agent.env`, so a value must never be code: whatever is not plain is put in
//! single quotes. What the compiler computes is plain but for the options of a JVM, which have blanks between them, and
//! plain lines read the same to every program that takes an environment file. Secrets are named in comments; a launcher gets their values from where they say.

use super::{Draft, Mode, shell};
use crate::model::{Reference, VariableValue};
use crate::plan::{Origins, Plan, PlannedVariable, Traced};

/// Its path in the stage.
pub const PATH: &str = "agent.env";

/// Adds the file.
pub(crate) fn lower(plan: &Plan, mode: Mode, draft: &mut Draft) {
    let heading = "# The agent's environment, as shell assignments. Generated; edit the spec instead.";
    let mut lines = vec![Traced::fixed(heading.to_owned())];
    lines.extend(plan.env.iter().map(|(name, variable)| variable.with(assignment(name, variable))));
    draft.lines(PATH, mode, Origins::fixed(), &lines);
}

fn assignment(name: &str, variable: &PlannedVariable) -> String {
    match &variable.value {
        // Nothing at all is as plain as a value can be.
        VariableValue::Literal(value) if value.is_empty() => format!("{name}="),
        VariableValue::Literal(value) => format!("{name}={}", shell::word(value)),
        VariableValue::Secret(Reference::Env(from)) => {
            format!("# {name}: a secret, from the host's environment variable {from}")
        }
        VariableValue::Secret(Reference::File(path)) => {
            format!("# {name}: a secret, from the host's file {path}")
        }
    }
}
