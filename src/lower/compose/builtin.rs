//! The containers of the built-in sidecars: what each is shown of the stage and of the host.

use super::{Build, HealthCheck, Mount, Service, Text, qualified};
use crate::lower::{git_gate, names, pipelock};
use crate::plan::{Plan, PlannedHealth, PlannedRepo, PlannedSupervise, PlannedTls};
use crate::world::builtin::{GIT_GATE, PIPELOCK, SUPERVISE};

/// What lets root in a container read files that are the launcher's and private: under a rootful engine they are not
/// root's own.
const READ_PRIVATE: &str = "DAC_OVERRIDE";

/// The image of a built-in sidecar.
pub(super) fn image(plan: &Plan, name: &str) -> String {
    let given = match (name, &plan.supervise) {
        (GIT_GATE, _) => plan.git_gate_image.as_ref(),
        (SUPERVISE, Some(PlannedSupervise { image, queue: _ })) => Some(image),
        _ => Some(&plan.pipelock_image),
    };
    // Without an image in the spec the stage says how git-gate's is made.
    given.map_or_else(|| names::gate_image(plan), |image| qualified(image))
}

/// The service of a built-in sidecar.
pub(super) fn service(plan: &Plan, name: &str) -> Service {
    match (name, &plan.supervise) {
        (GIT_GATE, _) => gate(plan),
        (SUPERVISE, Some(PlannedSupervise { queue, image: _ })) => supervise(plan, queue),
        _ => pipelock(plan),
    }
}

fn pipelock(plan: &Plan) -> Service {
    let mut service = Service::confined(plan, PIPELOCK, image(plan, PIPELOCK));
    service.command = words(&["run", "--config", "/config/pipelock.yaml"]);
    // The directory, since a change of the file is noticed there.
    service.volumes = vec![Mount::host("./pipelock", "/config", false)];
    if let Some(PlannedTls { ca_cert, ca_key, trust: _, passthrough: _ }) = &plan.egress.tls {
        service.volumes.push(Mount::host(&ca_cert.value, pipelock::CA_CERT, false));
        service.volumes.push(Mount::host(&ca_key.value, pipelock::CA_KEY, false));
        service.cap_add.insert(READ_PRIVATE.to_owned());
    }
    service.healthcheck = Some(health(&["/pipelock", "healthcheck"]));
    service
}

fn gate(plan: &Plan) -> Service {
    let mut service = Service::confined(plan, GIT_GATE, image(plan, GIT_GATE));
    if plan.git_gate_image.is_none() {
        service.build = Some(Build { context: "./git-gate", dockerfile: "Containerfile" });
        // Or a registry would be asked for the name first.
        service.pull_policy = Some("build");
    }
    // git's daemon leaves the end of its children to the first process.
    service.init = true;
    service.entrypoint = Some(words(&git_gate::command("serve")));
    service.volumes =
        vec![Mount::host("./git-gate", "/git-gate", false), Mount::named(names::MIRRORS, "/srv/git", true)];
    let identity =
        |repo: &PlannedRepo| Mount::host(&repo.identity, &format!("/identity/{}", repo.name), false);
    service.volumes.extend(plan.repos.iter().map(identity));
    service.cap_add.insert(READ_PRIVATE.to_owned());
    service.healthcheck = Some(health(&git_gate::command("healthy")));
    service
}

fn supervise(plan: &Plan, queue: &str) -> Service {
    let mut service = Service::confined(plan, SUPERVISE, image(plan, SUPERVISE));
    service.command = words(&["python3", "-I", "/supervise/server.py", "serve"]);
    service.volumes =
        vec![Mount::host("./supervise", "/supervise", false), Mount::host(queue, "/queue", true)];
    service.cap_add.insert(READ_PRIVATE.to_owned());
    service.healthcheck = Some(health(&["python3", "-I", "/supervise/server.py", "health"]));
    service
}

fn words(words: &[&str]) -> Vec<Text> {
    words.iter().map(|word| Text::literal(word)).collect()
}

fn health(command: &[&str]) -> HealthCheck {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    HealthCheck::of(&PlannedHealth { command, interval: 5, timeout: 5, retries: 12, start: 5 })
}
