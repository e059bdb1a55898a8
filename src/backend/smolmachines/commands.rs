//! The exact argument vectors that create and start the machine, and those that undo it. They are run in the stage's
//! directory, without a shell.

use super::names::{container, gate_image, machine, network, project, volumes};
use super::{compose, machine as settings, smolfile};
use crate::lower::plan_json::{Command, Commands};
use crate::lower::supervise;
use crate::model::Reference;
use crate::plan::{Plan, Traced};
use crate::world::builtin;
use crate::world::engine::{BootKind, Capability, Ledger};

fn ours(word: &str) -> Traced<String> {
    Traced::fixed(word.to_owned())
}

/// The commands that make and remove the bundle's containers.
fn bundle(plan: &Plan) -> (Vec<Command>, Vec<Command>) {
    let engine = |words: &[&str]| -> Command {
        let program = plan.container_engine.with(plan.container_engine.program().to_owned());
        [program].into_iter().chain(words.iter().map(|word| ours(word))).collect()
    };
    let mut up = engine(&["compose", "--project-name"]);
    up.push(project(plan));
    up.extend(["--file", compose::PATH, "up", "--detach", "--wait"].map(ours));
    // Not `compose down`: it reads the file, and with it every secret that the file refers to. One after the other:
    // Podman removes several at once, and refuses one that another still needs (4.3, run).
    let sidecars = plan.sidecars.iter().rev().map(|sidecar| sidecar.name.as_str());
    let remove = |words: &[&str], name: Traced<String>| {
        let mut command = engine(words);
        command.push(name);
        command
    };
    let mut cleanup: Vec<Command> = sidecars
        .chain([builtin::BUNDLE])
        .map(|name| remove(&["container", "rm", "--force"], container(plan, name)))
        .collect();
    cleanup.push(remove(&["network", "rm"], network(plan)));
    let volumes = volumes(plan);
    if !volumes.is_empty() {
        let mut command = engine(&["volume", "rm", "--force"]);
        command.extend(volumes.into_values());
        cleanup.push(command);
    }
    if !plan.git.repos.is_empty() && plan.git.image.is_none() {
        cleanup.push(remove(&["image", "rm", "--force"], gate_image(plan)));
    }
    let prepare = plan.supervise.given().map(|asked| {
        // The engine would make the directory as root, and who launches could not answer.
        ["python3", "-I", supervise::SERVER_PATH, "prepare"].map(|word| asked.with(word.to_owned())).to_vec()
    });
    (prepare.into_iter().chain([up]).collect(), cleanup)
}

/// The commands of a plan.
#[must_use]
pub fn lower(plan: &Plan) -> Commands {
    let version = &plan.engine.version;
    let has = |capability| Ledger::smolvm().has(capability, **version);
    let of_machine = |verb: &str, flags: &[Traced<String>]| -> Command {
        let mut command = vec![plan.engine.name.clone(), ours("machine"), ours(verb)];
        command.extend(flags.iter().cloned());
        // Engines differ in how they take the name.
        let positional = matches!(verb, "create" | "delete") && !has(Capability::NameFlag);
        command.extend((!positional).then(|| version.with(String::from("--name"))));
        command.push(machine(plan));
        command
    };
    let mut create = of_machine("create", &[]);
    create.extend(boot(plan));
    // A policy of addresses says nothing of names: without this the guest's queries leave the host (1.32.2, run).
    if has(Capability::DnsRedirect) {
        create.push(version.with(String::from("--dns")));
        create.push(plan.addresses.with(plan.addresses.bundle().to_string()));
    }
    create.extend(settings::flags(plan));
    let secrets = if plan.secret_route().with_exec() { secrets(plan) } else { Command::new() };
    let program = |flags: &[&str]| {
        let flags: Command = flags.iter().map(|flag| ours(flag)).chain(secrets.iter().cloned()).collect();
        let mut command = of_machine("exec", &flags);
        command.push(ours("--"));
        command
    };
    let rows = || Ledger::smolvm().rows(**version);
    let (bundle, remove) = bundle(plan);
    let mut cleanup = vec![of_machine("stop", &[]), of_machine("delete", &[ours("--force")])];
    cleanup.extend(remove);
    Commands {
        bundle,
        create,
        start: of_machine("start", &[]),
        exec: program(&[]),
        attach: program(&["--interactive", "--tty"]),
        denials: version.with(has(Capability::EgressEvents).then(|| of_machine("egress-events", &[]))),
        unset: rows()
            .filter_map(|row| row.unset.as_ref())
            .map(|variable| version.with(variable.name.clone()))
            .collect(),
        set: rows()
            .flat_map(|row| &row.set)
            .map(|(name, value)| (name.clone(), version.with(value.clone())))
            .collect(),
        cleanup,
    }
}

/// The references to the agent's secrets, as `create` and `exec` take them: never a value.
fn secrets(plan: &Plan) -> Command {
    let flag = |(name, reference): (&str, Traced<&Reference>)| {
        let (flag, from) = match reference.value {
            Reference::Env(from) => ("--secret-env", from),
            Reference::File(path) => ("--secret-file", path),
        };
        [reference.with(flag.to_owned()), reference.with(format!("{name}={from}"))]
    };
    smolfile::secrets(plan).flat_map(flag).collect()
}

/// The arguments of `create` that say what is booted, with which environment and which policy.
fn boot(plan: &Plan) -> Command {
    let mut command = Command::new();
    let boot = plan.boot.given().map(|boot| (boot.kind, boot.map(|boot| boot.source.clone())));
    let from_keeps_policy = Ledger::smolvm().has(Capability::FromKeepsPolicy, *plan.engine.version);
    match boot {
        // The flags say what the Smolfile says. `--from` and `--smolfile` exclude each other (up to 1.32.2, run). And an
        // image may turn out to be a packed machine: the engine then ignores a Smolfile beside it, and the machine is
        // open, but takes the flags (1.8.3 and 1.32.2, run).
        Some((kind, source))
            if kind == BootKind::Artifact || (kind == BootKind::Image && from_keeps_policy) =>
        {
            let flag = if kind == BootKind::Artifact { "--from" } else { "--image" };
            let why = source.origins.clone();
            command.extend([source.with(flag.to_owned()), source]);
            command.extend([ours("--allow-cidr"), smolfile::allow_cidr(plan)]);
            for entry in smolfile::literals(plan) {
                command.extend([entry.with(String::from("--env")), entry]);
            }
            // The machine of an image that is no packed one gives them to what it starts by itself, too. `exec` then has
            // each of them twice, from one reference, and the guest gets the one value (1.8.3 and 1.32.2, run).
            if plan.secret_route().with_machine() {
                command.extend(secrets(plan));
            }
            if !from_keeps_policy {
                // The list that would turn networking on is dropped. The spec accepts that, or nothing is built.
                command.push(Traced::new(String::from("--net"), why.and(&plan.engine.version.origins)));
            }
        }
        boot => {
            if let Some((_, source)) = boot {
                command.extend([source.with(String::from("--image")), source]);
            }
            command.extend([ours("--smolfile"), ours(smolfile::PATH)]);
        }
    }
    command
}
