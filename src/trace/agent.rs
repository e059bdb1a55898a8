//! `smolfile.toml` and `agent.env`: the agent's environment and the one address.

use super::Decisions;
use super::cause::{Causes, itself, nth};
use crate::lower::{agent_env, smolfile};

impl Decisions<'_> {
    /// The names of the agent's literals, in the order of a Smolfile.
    pub(super) fn literals(&self) -> Vec<String> {
        let name = |literal: String| literal.split('=').next().unwrap_or_default().to_owned();
        smolfile::literals(self.plan).map(name).collect()
    }

    pub(super) fn smolfile(&self, path: &[&str], literals: &[String]) -> Causes {
        match path {
            ["env", n] => nth(literals, n).map(|name| self.variable(name)).unwrap_or_default(),
            ["network", "allow_cidrs", ..] => self.addresses(),
            ["secrets", name, ..] => self.variable(name),
            [] | ["env" | "network" | "secrets"] => itself(),
            _ => Causes::new(),
        }
    }

    /// The heading, then each variable, which may take several lines.
    pub(super) fn agent_env(&self) -> Vec<Causes> {
        let variables = self.plan.env.iter().flat_map(|(name, variable)| {
            let lines = agent_env::assignment(name, variable).lines().count();
            std::iter::repeat_n(self.variable(name), lines)
        });
        [itself()].into_iter().chain(variables).collect()
    }
}
