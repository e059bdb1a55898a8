//! The exact argument vectors that create and start the machine, and those that undo it. They are run in the stage's
//! directory, without a shell.

use super::smolfile;
use crate::engine::{Capability, Ledger, SMOLVM};
use crate::plan::Plan;
use crate::spec::{BootKind, Reference};

/// A program and its arguments.
pub type Command = Vec<String>;

/// The commands of one bottle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Makes the machine.
    pub create: Command,
    /// Starts it.
    pub start: Command,
    /// Undoes everything, in this order; a step that finds nothing to undo is no failure.
    pub cleanup: Vec<Command>,
}

/// The machine's name: the slug, which every smolvm takes.
#[must_use]
pub fn machine(plan: &Plan) -> String {
    plan.slug.clone()
}

/// The name of the bundle's network on the host.
#[must_use]
pub fn network(plan: &Plan) -> String {
    format!("bottle-{}", plan.slug)
}

/// The name of a sidecar's container on the host.
#[must_use]
pub fn container(plan: &Plan, sidecar: &str) -> String {
    // Neither part holds `--`, so no two bottles and sidecars make one name.
    format!("bottle-{}--{sidecar}", plan.slug)
}

/// The commands of a plan.
#[must_use]
pub fn lower(plan: &Plan) -> Commands {
    let machine = machine(plan);
    let smolvm = |words: &[&str]| -> Command {
        [SMOLVM, "machine"].iter().chain(words).map(|word| (*word).to_owned()).collect()
    };
    let mut create = smolvm(&["create", "--name", &machine]);
    let mut arg = |flag: &str, value: String| create.extend([flag.to_owned(), value]);
    match &plan.boot {
        Some(boot) if boot.kind == BootKind::Artifact => {
            // `--from` and `--smolfile` exclude each other (up to 1.32.2, run): the flags say what the Smolfile says.
            arg("--from", boot.source.clone());
            arg("--allow-cidr", smolfile::allow_cidr(plan));
            for entry in smolfile::literals(plan) {
                arg("--env", entry);
            }
            for (name, reference) in smolfile::secrets(plan) {
                match reference {
                    Reference::Env(from) => arg("--secret-env", format!("{name}={from}")),
                    Reference::File(path) => arg("--secret-file", format!("{name}={path}")),
                }
            }
        }
        boot => {
            if let Some(boot) = boot {
                arg("--image", boot.source.clone());
            }
            arg("--smolfile", smolfile::PATH.to_owned());
        }
    }
    // A policy of addresses says nothing of names: without this the guest's queries leave the host (1.32.2, run).
    if Ledger::smolvm().has(Capability::DnsRedirect, plan.version) {
        arg("--dns", plan.addresses.bundle().to_string());
    }
    let containers = plan.sidecars.iter().rev().map(|sidecar| container(plan, &sidecar.name));
    let remove = ["docker", "container", "rm", "--force"].map(str::to_owned).into_iter().chain(containers);
    Commands {
        start: smolvm(&["start", "--name", &machine]),
        cleanup: vec![
            smolvm(&["stop", "--name", &machine]),
            smolvm(&["delete", "--force", "--name", &machine]),
            remove.collect(),
            ["docker", "network", "rm"].map(str::to_owned).into_iter().chain([network(plan)]).collect(),
        ],
        create,
    }
}
