//! The exact argument vectors that create and start the machine, and those that undo it. They are run in the stage's
//! directory, without a shell.

use super::names::{container, gate_image, machine, network, project, volumes};
use super::{compose, smolfile, supervise};
use crate::model::Reference;
use crate::plan::Plan;
use crate::world::builtin;
use crate::world::engine::{BootKind, Capability, Ledger, SMOLVM};

/// A program and its arguments.
pub type Command = Vec<String>;

/// The commands of one bottle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Makes the bundle and waits until all of it is ready, in this order; the machine comes after it.
    pub bundle: Vec<Command>,
    /// Makes the machine.
    pub create: Command,
    /// Starts it.
    pub start: Command,
    /// Runs a program in it, with the secrets that the machine does not keep: the program and its arguments follow.
    pub exec: Command,
    /// The same, with the terminal that it is run in.
    pub attach: Command,
    /// Lists the connections that the engine refused, where it can.
    pub denials: Option<Command>,
    /// The host's variables by which the engine would refuse the bundle: every command is run without them.
    pub unset: Vec<String>,
    /// Undoes everything, in this order; a step that finds nothing to undo is no failure.
    pub cleanup: Vec<Command>,
}

/// The commands that make and remove the bundle's containers.
fn bundle(plan: &Plan) -> (Vec<Command>, Vec<Command>) {
    let engine = |words: &[&str]| -> Command {
        [plan.container_engine.program()].iter().chain(words).map(|word| (*word).to_owned()).collect()
    };
    let project = project(plan);
    let up =
        engine(&["compose", "--project-name", &project, "--file", compose::PATH, "up", "--detach", "--wait"]);
    // Not `compose down`: it reads the file, and with it every secret that the file refers to. One after the other:
    // Podman removes several at once, and refuses one that another still needs (4.3, run).
    let names = plan.sidecars.iter().rev().map(|sidecar| sidecar.name.as_str()).chain([builtin::BUNDLE]);
    let mut cleanup: Vec<Command> =
        names.map(|name| engine(&["container", "rm", "--force", &container(plan, name)])).collect();
    cleanup.push(engine(&["network", "rm", &network(plan)]));
    let volumes = volumes(plan);
    if !volumes.is_empty() {
        cleanup.push(engine(&["volume", "rm", "--force"]).into_iter().chain(volumes.into_values()).collect());
    }
    if !plan.repos.is_empty() && plan.git_gate_image.is_none() {
        cleanup.push(engine(&["image", "rm", "--force", &gate_image(plan)]));
    }
    let prepare = plan.supervise.as_ref().map(|_| {
        // The engine would make the directory as root, and who launches could not answer.
        ["python3", "-I", supervise::SERVER_PATH, "prepare"].map(str::to_owned).to_vec()
    });
    (prepare.into_iter().chain([up]).collect(), cleanup)
}

/// The commands of a plan.
#[must_use]
pub fn lower(plan: &Plan) -> Commands {
    let has = |capability| Ledger::smolvm().has(capability, plan.version);
    let machine = machine(plan);
    let of_machine = |verb: &str, flags: &[&str]| -> Command {
        let positional = matches!(verb, "create" | "delete") && !has(Capability::NameFlag);
        let flag = (!positional).then_some("--name");
        let name = flag.into_iter().chain([machine.as_str()]);
        let words = [SMOLVM, "machine", verb].into_iter().chain(flags.iter().copied()).chain(name);
        words.map(str::to_owned).collect()
    };
    let mut create = of_machine("create", &[]);
    create.extend(boot(plan));
    // A policy of addresses says nothing of names: without this the guest's queries leave the host (1.32.2, run).
    if has(Capability::DnsRedirect) {
        create.extend([String::from("--dns"), plan.addresses.bundle().to_string()]);
    }
    let secrets = if plan.secret_route().with_exec() { secrets(plan) } else { Command::new() };
    let program = |flags: &[&str]| {
        let flags: Vec<&str> = flags.iter().copied().chain(secrets.iter().map(String::as_str)).collect();
        let mut command = of_machine("exec", &flags);
        command.push(String::from("--"));
        command
    };
    let floors =
        [(Capability::PublishFloor, "SMOLVM_PUBLISH_ADDR"), (Capability::StrictFloor, "SMOLVM_EGRESS_FLOOR")];
    let (bundle, remove) = bundle(plan);
    let mut cleanup = vec![of_machine("stop", &[]), of_machine("delete", &["--force"])];
    cleanup.extend(remove);
    Commands {
        bundle,
        create,
        start: of_machine("start", &[]),
        exec: program(&[]),
        attach: program(&["--interactive", "--tty"]),
        denials: has(Capability::EgressEvents).then(|| of_machine("egress-events", &[])),
        unset: floors
            .into_iter()
            .filter(|(floor, _)| has(*floor))
            .map(|(_, variable)| variable.to_owned())
            .collect(),
        cleanup,
    }
}

/// The references to the agent's secrets, as `create` and `exec` take them: never a value.
fn secrets(plan: &Plan) -> Command {
    let flag = |(name, reference): (&str, &Reference)| match reference {
        Reference::Env(from) => [String::from("--secret-env"), format!("{name}={from}")],
        Reference::File(path) => [String::from("--secret-file"), format!("{name}={path}")],
    };
    smolfile::secrets(plan).flat_map(flag).collect()
}

/// The arguments of `create` that say what is booted, with which environment and which policy.
fn boot(plan: &Plan) -> Command {
    let mut command = Command::new();
    let mut arg = |flag: &str, value: String| command.extend([flag.to_owned(), value]);
    let from_keeps_policy = Ledger::smolvm().has(Capability::FromKeepsPolicy, plan.version);
    match &plan.boot {
        // The flags say what the Smolfile says. `--from` and `--smolfile` exclude each other (up to 1.32.2, run). And an
        // image may turn out to be a packed machine: the engine then ignores a Smolfile beside it, and the machine is
        // open, but takes the flags (1.8.3 and 1.32.2, run).
        Some(boot)
            if boot.kind == BootKind::Artifact || (boot.kind == BootKind::Image && from_keeps_policy) =>
        {
            arg(if boot.kind == BootKind::Artifact { "--from" } else { "--image" }, boot.source.clone());
            arg("--allow-cidr", smolfile::allow_cidr(plan));
            for entry in smolfile::literals(plan) {
                arg("--env", entry);
            }
            // The machine of an image that is no packed one gives them to what it starts by itself, too. `exec` then has
            // each of them twice, from one reference, and the guest gets the one value (1.8.3 and 1.32.2, run).
            if plan.secret_route().with_machine() {
                command.extend(secrets(plan));
            }
            if !from_keeps_policy {
                // The list that would turn networking on is dropped. The spec accepts that, or nothing is built.
                command.push(String::from("--net"));
            }
        }
        boot => {
            if let Some(boot) = boot {
                arg("--image", boot.source.clone());
            }
            arg("--smolfile", smolfile::PATH.to_owned());
        }
    }
    command
}
