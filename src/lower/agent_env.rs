//! `agent.env`: the agent's environment as POSIX shell assignments, one line a variable.
//!
//! A launcher reads it with `set -a; . ./agent.env`, so a value must never be code: whatever is not plain is put in
//! single quotes. What the compiler computes is always plain, and plain lines read the same to every program that
//! takes an environment file. Secrets are named in comments; a launcher gets their values from where they say.

use std::fmt::Write as _;

use crate::plan::Plan;
use crate::spec::{Reference, VariableValue};

/// Its path in the stage.
pub const PATH: &str = "agent.env";

/// The file.
pub(super) fn lower(plan: &Plan) -> Vec<u8> {
    let mut text =
        String::from("# The agent's environment, as shell assignments. Generated; edit the spec instead.\n");
    for (name, variable) in &plan.env {
        // Writing to a `String` cannot fail.
        let _ = match &variable.value {
            VariableValue::Literal(value) => writeln!(text, "{name}={}", quoted(value)),
            VariableValue::Secret(Reference::Env(from)) => {
                writeln!(text, "# {name}: a secret, from the host's environment variable {from}")
            }
            VariableValue::Secret(Reference::File(path)) => {
                writeln!(text, "# {name}: a secret, from the host's file {path}")
            }
        };
    }
    text.into_bytes()
}

/// A value that a POSIX shell reads back as it is.
fn quoted(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:,@%+=".contains(&b);
    if value.bytes().all(plain) {
        return value.to_owned();
    }
    // Inside single quotes nothing is special; a quote itself stands between two quoted parts.
    format!("'{}'", value.replace('\'', r"'\''"))
}
