//! `smolfile.toml`: what smolvm is told about the machine. Its environment and the one address that it may dial;
//! nothing else, but for references to secrets. Image, entry point and command come from what is booted; processors and
//! memory stay the engine's defaults.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::Plan;
use crate::spec::{Reference, VariableValue};

/// Its path in the stage.
pub const PATH: &str = "smolfile.toml";

/// The keys of a Smolfile that we write, in smolvm's own spelling (the published parser, 0.8.2 to 1.33.0).
#[derive(Debug, Serialize)]
struct Smolfile<'a> {
    env: Vec<String>,
    network: Network,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<&'a str, Secret<'a>>,
}

#[derive(Debug, Serialize)]
struct Network {
    allow_cidrs: [String; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Secret<'a> {
    FromEnv(&'a str),
    FromFile(&'a str),
}

impl<'a> Secret<'a> {
    fn of(reference: &'a Reference) -> Self {
        match reference {
            Reference::Env(name) => Self::FromEnv(name),
            Reference::File(path) => Self::FromFile(path),
        }
    }
}

/// The one entry of the allow list. An empty list would mean no policy at all, and a wider prefix a wider reach.
#[must_use]
pub fn allow_cidr(plan: &Plan) -> String {
    format!("{}/32", plan.addresses.bundle())
}

/// The agent's literals as `NAME=value`, in order.
pub(super) fn literals(plan: &Plan) -> impl Iterator<Item = String> {
    plan.env.iter().filter_map(|(name, variable)| match &variable.value {
        VariableValue::Literal(value) => Some(format!("{name}={value}")),
        VariableValue::Secret(_) => None,
    })
}

/// The agent's secrets, in order.
pub(super) fn secrets(plan: &Plan) -> impl Iterator<Item = (&str, &Reference)> {
    plan.env.iter().filter_map(|(name, variable)| match &variable.value {
        VariableValue::Secret(reference) => Some((name.as_str(), reference)),
        VariableValue::Literal(_) => None,
    })
}

/// The file.
pub(super) fn lower(plan: &Plan) -> Vec<u8> {
    let file = Smolfile {
        env: literals(plan).collect(),
        network: Network { allow_cidrs: [allow_cidr(plan)] },
        secrets: secrets(plan).map(|(name, reference)| (name, Secret::of(reference))).collect(),
    };
    // Strings, lists of strings and tables of them: TOML holds each.
    toml::to_string_pretty(&file).unwrap_or_default().into_bytes()
}
