//! The exact argument vectors that create and start the machine, and those that undo it. They are run in the stage's
//! directory, without a shell.

use super::names::{self, container, machine, project};
use super::{compose, machine as settings, provision, smolfile};
use crate::backend::common::{gate_image, ours, workdir};
use crate::lower::plan_json::{Command, Commands};
use crate::lower::supervise;
use crate::model::Reference;
use crate::plan::{Plan, Traced};
use crate::world::builtin;
use crate::world::engine::{BootKind, Capability, Ledger};

/// What Compose, and podman-compose too, writes on all that it makes for a project.
const PROJECT_LABEL: &str = "com.docker.compose.project";

/// A command of the container engine's.
fn of_containers(plan: &Plan, words: &[&str]) -> Command {
    let program = plan.container_engine.with(plan.container_engine.program().to_owned());
    [program].into_iter().chain(words.iter().map(|word| ours(word))).collect()
}

/// The names of the bundle's containers, in the order in which they are stopped: the one that owns the address last.
fn containers(plan: &Plan) -> impl Iterator<Item = Traced<String>> {
    let sidecars = plan.sidecars.iter().rev().map(|sidecar| sidecar.name.as_str());
    sidecars.chain([builtin::BUNDLE]).map(|name| container(plan, name))
}

/// The commands that make the bundle. They do not wait for it: `--wait` is not known to Compose 1.29, and podman-compose
/// 1.6 waits for ever where a container cannot start (run).
fn bundle(plan: &Plan) -> Vec<Command> {
    let mut up = of_containers(plan, &["compose", "--project-name"]);
    up.push(project(plan));
    up.extend(["--file", compose::PATH, "up", "--detach", "--remove-orphans"].map(ours));
    let prepare = plan.supervise.given().map(|asked| {
        // The engine would make the directory as root, and who launches could not answer.
        ["python3", "-I", supervise::SERVER_PATH, "prepare"].map(|word| asked.with(word.to_owned())).to_vec()
    });
    prepare.into_iter().chain([up]).collect()
}

/// The commands that ask after the bundle.
fn questions(plan: &Plan) -> [Command; 4] {
    let mut inspect = of_containers(plan, &["container", "inspect"]);
    inspect.extend(containers(plan));
    let all_of = |words: &[&str]| {
        let mut all = of_containers(plan, words);
        all.extend([
            ours("--filter"),
            project(plan).map(|project| format!("label={PROJECT_LABEL}={project}")),
        ]);
        all
    };
    let containers = all_of(&["container", "ls", "--all", "--format", "{{.Names}}"]);
    let volumes = all_of(&["volume", "ls", "--format", "{{.Name}}"]);
    let mut network = of_containers(plan, &["network", "inspect"]);
    network.push(names::network(plan));
    [inspect, containers, network, volumes]
}

/// The commands that remove the bundle: what is made anew, and what it keeps.
///
/// Not `compose down`: it reads the file, and with it every secret that the file refers to. One after the other: Podman
/// removes several at once, and refuses one that another still needs (4.3, run).
fn remove(plan: &Plan) -> (Vec<Command>, Vec<Command>) {
    let remove = |words: &[&str], name: Traced<String>| {
        let mut command = of_containers(plan, words);
        command.push(name);
        command
    };
    // With the volumes of an image's own `VOLUME`, which have no name.
    let mut cleanup: Vec<Command> =
        containers(plan).map(|name| remove(&["container", "rm", "--force", "--volumes"], name)).collect();
    cleanup.push(remove(&["network", "rm"], names::network(plan)));
    let mut purge: Vec<Command> =
        names::volumes(plan).into_values().map(|name| remove(&["volume", "rm", "--force"], name)).collect();
    if !plan.git.repos.is_empty() && plan.git.image.is_none() {
        purge.push(remove(&["image", "rm", "--force"], gate_image(plan)));
    }
    (cleanup, purge)
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
    let workdir: Command = if has(Capability::Provisioning) {
        workdir(plan).into_iter().flat_map(|dir| [dir.with(String::from("--workdir")), dir]).collect()
    } else {
        Command::new()
    };
    let program = |flags: &[&str]| {
        let flags: Command =
            flags.iter().map(|flag| ours(flag)).chain(workdir.clone()).chain(secrets.clone()).collect();
        let mut command = of_machine("exec", &flags);
        command.push(ours("--"));
        command
    };
    let rows = || Ledger::smolvm().rows(**version);
    let [inspect, containers_of_bottle, network, volumes] = questions(plan);
    let machines = has(Capability::Provisioning)
        .then(|| vec![plan.engine.name.clone(), ours("machine"), ours("ls"), ours("--json")]);
    let stop = of_machine("stop", &[]);
    let stop_container = |name| {
        let mut command = of_containers(plan, &["container", "stop"]);
        command.push(name);
        command
    };
    let (remove, purge) = remove(plan);
    let mut cleanup = vec![stop.clone(), of_machine("delete", &[ours("--force")])];
    cleanup.extend(remove);
    Commands {
        bundle: bundle(plan),
        inspect,
        containers: containers_of_bottle,
        network,
        volumes,
        machines: version.with(machines),
        create,
        start: of_machine("start", &[]),
        provision: if has(Capability::Provisioning) {
            provision::commands(plan, has(Capability::ExecUser), &of_machine)
        } else {
            Vec::new()
        },
        checkouts: if has(Capability::Provisioning) {
            provision::checkouts(plan, &of_machine)
        } else {
            Vec::new()
        },
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
        stop: [stop].into_iter().chain(containers(plan).map(stop_container)).collect(),
        cleanup,
        purge,
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
