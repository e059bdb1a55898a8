//! `smolfile.toml`: what smolvm is told about the machine. Its environment and the one address that it may dial;
//! nothing else, but for references to secrets. Image, entry point and command come from what is booted; processors and
//! memory stay the engine's defaults.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Serialize;
use toml::{Table, Value};

use crate::lower::{Draft, Markup, Mode};
use crate::model::{Reference, VariableValue};
use crate::plan::{Origins, Plan, Traced};
use crate::text::quote;

/// Its path in the stage.
pub const PATH: &str = "smolfile.toml";

/// The keys of a Smolfile that we write, in smolvm's own spelling (the published parser, 0.8.2 to 1.33.0). A reference
/// to a secret is a table of `from_env` or `from_file` there as well.
#[derive(Debug, Serialize)]
struct Smolfile<'a> {
    env: Vec<Traced<String>>,
    network: Network,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<&'a str, Traced<&'a Reference>>,
}

#[derive(Debug, Serialize)]
struct Network {
    allow_cidrs: [Traced<String>; 1],
}

/// The one entry of the allow list. An empty list would mean no policy at all, and a wider prefix a wider reach.
#[must_use]
pub fn allow_cidr(plan: &Plan) -> Traced<String> {
    plan.addresses.with(only(plan.addresses.bundle()))
}

fn only(bundle: Ipv4Addr) -> String {
    format!("{bundle}/32")
}

/// The agent's literals as `NAME=value`, in order.
pub(super) fn literals(plan: &Plan) -> impl Iterator<Item = Traced<String>> {
    plan.env.iter().filter_map(|(name, variable)| match &variable.value.value {
        VariableValue::Literal(value) => Some(variable.with(format!("{name}={value}"))),
        VariableValue::Secret(_) => None,
    })
}

/// The agent's secrets, in order.
pub(super) fn secrets(plan: &Plan) -> impl Iterator<Item = (&str, Traced<&Reference>)> {
    plan.env.iter().filter_map(|(name, variable)| match &variable.value.value {
        VariableValue::Secret(reference) => Some((name.as_str(), variable.with(reference))),
        VariableValue::Literal(_) => None,
    })
}

/// Adds the file.
pub(super) fn lower(plan: &Plan, mode: Mode, draft: &mut Draft) {
    let file = Smolfile {
        env: literals(plan).collect(),
        network: Network { allow_cidrs: [allow_cidr(plan)] },
        secrets: secrets(plan).collect(),
    };
    draft.document(PATH, mode, Origins::fixed(), Markup::Toml, &file);
}

/// How many keys that do not belong into a Smolfile are named: somebody else wrote it, and may have written many.
const MAX_KEYS: usize = 10;

/// What the Smolfile of a stage says that no compile writes, and what it does not say that every compile writes: phrases
/// that go on after the file's name. Empty when it confines the agent to `bundle`.
#[must_use]
pub fn judge(smolfile: &[u8], bundle: Ipv4Addr) -> Vec<String> {
    let table = std::str::from_utf8(smolfile).ok().and_then(|text| text.parse::<Table>().ok());
    let Some(table) = table else { return vec![String::from("is no TOML")] };
    let mut problems = Vec::new();
    let mut extra = |prefix: &str, table: &Table, known: &[&str]| {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())).take(MAX_KEYS) {
            problems
                .push(format!("has the key {}, which is never written", quote(&format!("{prefix}{key}"))));
        }
    };
    extra("", &table, &["env", "network", "secrets"]);
    let network = table.get("network").and_then(Value::as_table);
    if let Some(network) = network {
        extra("network.", network, &["allow_cidrs"]);
    }
    let only = only(bundle);
    let allowed = network.and_then(|network| network.get("allow_cidrs")).and_then(Value::as_array);
    if !matches!(allowed.map(Vec::as_slice), Some([Value::String(cidr)]) if *cidr == only) {
        problems.push(format!("does not confine the agent: `network.allow_cidrs` is not `{only}` alone"));
    }
    let is_variable = |value: &Value| value.as_str().is_some_and(|text| text.contains('='));
    if !table.get("env").and_then(Value::as_array).is_some_and(|env| env.iter().all(is_variable)) {
        problems.push(String::from("has no `env` of the form `NAME=value`"));
    }
    problems
}
