//! The machine, as the engine tells of it.

use std::time::Duration;

use bottlec::lower::plan_json::HostPlan;
use bottlec::text::quote;
use bottlec::world::engine::{Capability, Ledger};
use serde::Deserialize;

use super::UpError;
use super::runner::Runner;

/// How long the engine may take to answer a question.
const QUESTION: Duration = Duration::from_secs(30);

/// One machine of the engine's list, as far as it is told of (run with 1.4.0, 1.8.3 and 1.32.2).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Machine {
    name: String,
    state: String,
    /// What it may dial: not told by 1.8.3, and by 1.32.2 when it is anything.
    #[serde(default)]
    allowed_cidrs: Option<Vec<String>>,
    /// Where it looks up names: told by engines that tell what it may dial.
    #[serde(default)]
    dns: Option<String>,
}

impl Machine {
    /// Asks the engine for the machine of a plan.
    pub(super) fn find(runner: &Runner, plan: &HostPlan) -> Result<Option<Self>, UpError> {
        let Some(list) = &plan.commands.machines.value else {
            return Err(UpError::Machine(format!(
                "smolvm {} is older than any that `up` can drive: write `engine \"smolvm\" version=\"{}\"` or newer, or launch it \
                 by hand, by what `bottlec plan` shows",
                plan.engine.version,
                Ledger::smolvm().row(Capability::Provisioning).since,
            )));
        };
        let answer = runner.run(list, QUESTION)?.stdout;
        let machines: Vec<Self> = serde_json::from_slice(&answer).map_err(|error| {
            UpError::Machine(format!("`smolvm machine ls --json` says what is not understood: {error}"))
        })?;
        Ok(machines.into_iter().find(|machine| machine.name == *plan.resources.machine.value))
    }

    /// What state it is in, in the engine's word.
    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// Whether it runs.
    pub(super) fn runs(&self) -> bool {
        self.state == "running"
    }

    /// Sees whether it is kept to its bundle, as far as the engine tells: somebody may have changed it since.
    pub(super) fn confined(&self, plan: &HostPlan) -> Result<(), UpError> {
        if self.allowed_cidrs.is_none() && self.dns.is_none() {
            return Ok(());
        }
        let bundle = &plan.bundle_ip.value;
        let (only, dials) = (format!("{bundle}/32"), self.allowed_cidrs.as_deref().unwrap_or_default());
        let looks_up = self.dns.as_deref();
        if dials == [only.as_str()] && looks_up.is_none_or(|dns| dns == bundle) {
            return Ok(());
        }
        let dials = if dials.is_empty() { String::from("anything") } else { dials.join(", ") };
        Err(UpError::Machine(format!(
            "the machine {} may dial {dials} and looks up names at {}: somebody changed it, it is not confined to \
             {only}; `bottlec down`, and `up` makes it anew",
            quote(&self.name),
            looks_up.unwrap_or("any resolver"),
        )))
    }
}
