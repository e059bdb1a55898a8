//! The containers of the built-in sidecars: what each is shown of the stage and of the host.

use super::{Build, HealthCheck, Mount, START_INTERVAL, Service, Text};
use crate::backend::common::{MIRRORS, builtin_image};
use crate::lower::{git_gate, pipelock};
use crate::plan::{
    Origins, Plan, PlannedLimits, PlannedLocal, PlannedRepo, PlannedSource, PlannedTls, Traced,
};
use crate::world::broker;
use crate::world::builtin::{self, BROKER, GIT_GATE, PIPELOCK, SUPERVISE};

/// What lets root in a container read files that are the launcher's and private: under a rootful engine they are not
/// root's own.
const READ_PRIVATE: &str = "DAC_OVERRIDE";

/// What the official image's program of Caddy has as a capability of its file: without it in the container's set the kernel
/// does not start the program at all.
const OF_ITS_FILE: &str = "NET_BIND_SERVICE";

/// The service of a built-in sidecar.
pub(super) fn service(plan: &Plan, name: &str, limits: &PlannedLimits) -> Service {
    match (name, &plan.supervise.value) {
        (GIT_GATE, _) => gate(plan, limits),
        (SUPERVISE, Some(supervise)) => self::supervise(plan, &supervise.queue, limits),
        (BROKER, _) => broker(plan, limits),
        _ => pipelock(plan, limits),
    }
}

fn pipelock(plan: &Plan, limits: &PlannedLimits) -> Service {
    let mut service = Service::confined(plan, PIPELOCK, builtin_image(plan, PIPELOCK), limits);
    let ours = Origins::fixed();
    service.command = words(&["run", "--config", "/config/pipelock.yaml"], &ours);
    // The directory, since a change of the file is noticed there.
    service.volumes = vec![stage("./pipelock", "/config", &ours)];
    if let Some(PlannedTls { ca_cert, ca_key, trust: _, passthrough: _ }) = &plan.egress.tls.value {
        service.volumes.push(host(ca_cert, pipelock::CA_CERT, false));
        service.volumes.push(host(ca_key, pipelock::CA_KEY, false));
        service.cap_add.push(plan.egress.tls.with(READ_PRIVATE.to_owned()));
    }
    let port = builtin::find(PIPELOCK).map_or(0, |pipelock| pipelock.port);
    let asked_at = format!("{}:{port}", asked_at(plan));
    service.healthcheck = Some(health(&["/pipelock", "healthcheck", "--addr", &asked_at], &ours));
    service
}

fn gate(plan: &Plan, limits: &PlannedLimits) -> Service {
    let image = builtin_image(plan, GIT_GATE);
    let mut service = Service::confined(plan, GIT_GATE, image.clone(), limits);
    if plan.git.image.is_none() {
        service.build = Some(image.with(Build { context: "./git-gate", dockerfile: "Containerfile" }));
        // Or a registry would be asked for the name first.
        service.pull_policy = Some(image.with("build"));
    }
    // git's daemon leaves the end of its children to the first process.
    service.init = true;
    let asked = plan.asked(GIT_GATE);
    let ours = asked.clone().and(&Origins::fixed());
    service.entrypoint = Some(words(&git_gate::command("serve"), &ours));
    let mirrors = Mount::named(MIRRORS, "/srv/git", true);
    service.volumes = vec![stage("./git-gate", "/git-gate", &ours), Traced::new(mirrors, asked)];
    let shown = |repo: &Traced<PlannedRepo>| match &repo.source {
        PlannedSource::Upstream(it) => host(&it.identity, &format!("/identity/{}", repo.name), false),
        PlannedSource::Local(PlannedLocal { path, variable, mount }) => {
            let purpose = format!(
                "the git directory of the repository {}, which bottlec up sets and bottlec preflight says",
                repo.name
            );
            path.with(Mount::resolved(Text::variable(variable, &purpose), mount)).and(&variable.origins)
        }
    };
    service.volumes.extend(plan.git.repos.iter().map(shown));
    service.cap_add.push(Traced::new(READ_PRIVATE.to_owned(), ours.clone()));
    service.healthcheck =
        Some(health(&[&git_gate::command("healthy"), [asked_at(plan).as_str()].as_slice()].concat(), &ours));
    service
}

fn supervise(plan: &Plan, queue: &Traced<String>, limits: &PlannedLimits) -> Service {
    let mut service = Service::confined(plan, SUPERVISE, builtin_image(plan, SUPERVISE), limits);
    let ours = plan.asked(SUPERVISE).and(&Origins::fixed());
    service.command = words(&["python3", "-I", "/supervise/server.py", "serve"], &ours);
    service.volumes = vec![stage("./supervise", "/supervise", &ours), host(queue, "/queue", true)];
    service.cap_add.push(Traced::new(READ_PRIVATE.to_owned(), ours.clone()));
    service.healthcheck =
        Some(health(&["python3", "-I", "/supervise/server.py", "health", "--at", &asked_at(plan)], &ours));
    service
}

fn broker(plan: &Plan, limits: &PlannedLimits) -> Service {
    let mut service = Service::confined(plan, BROKER, builtin_image(plan, BROKER), limits);
    let ours = plan.asked(BROKER).and(&Origins::fixed());
    service.command = words(&["caddy", "run", "--config", "/broker/caddy.json"], &ours);
    // Where it would write, did it write anything.
    service.environment = ["XDG_CONFIG_HOME", "XDG_DATA_HOME"]
        .map(|name| (name.to_owned(), Traced::new(Text::literal("/tmp/caddy"), ours.clone())))
        .into();
    let purpose = "the directory of the launch's token and secrets, which bottlec up makes";
    let directory = Mount::resolved(Text::variable(broker::DIRECTORY, purpose), broker::MOUNT);
    service.volumes = vec![stage("./broker", "/broker", &ours), Traced::new(directory, ours.clone())];
    for credential in &plan.credentials {
        service.volumes.extend(credential.mounted().map(|path| host(&path, &credential.path(), false)));
        let authorities = credential.ca.given().map(|ca| ca.map(ToOwned::to_owned));
        service.volumes.extend(authorities.map(|ca| host(&ca, &credential.authorities(), false)));
    }
    service.cap_add =
        [READ_PRIVATE, OF_ITS_FILE].map(|name| Traced::new(name.to_owned(), ours.clone())).into();
    let port = builtin::find(BROKER).map_or(0, |broker| broker.port);
    let healthy = format!("http://{}:{port}{}", asked_at(plan), broker::HEALTHY);
    service.healthcheck = Some(health(&["wget", "-q", "-O", "/dev/null", &healthy], &ours));
    service
}

/// The address at which a sidecar is asked whether it is healthy: the bundle's, and not loopback, which answers in a
/// network namespace without that address, too, where the container that owned it was started anew by itself (run).
fn asked_at(plan: &Plan) -> String {
    plan.addresses.bundle().to_string()
}

fn stage(path: &str, target: &str, ours: &Origins) -> Traced<Mount> {
    Traced::new(Mount::host(path, target, false), ours.clone())
}

fn host(path: &Traced<String>, target: &str, writable: bool) -> Traced<Mount> {
    path.with(Mount::host(path, target, writable))
}

fn words(words: &[&str], ours: &Origins) -> Vec<Traced<Text>> {
    words.iter().map(|word| Traced::new(Text::literal(word), ours.clone())).collect()
}

fn health(command: &[&str], ours: &Origins) -> Traced<HealthCheck> {
    let traced = |text: &str| Traced::new(text.to_owned(), ours.clone());
    Traced::new(
        HealthCheck {
            test: words(&[&["CMD"], command].concat(), ours),
            interval: traced("5s"),
            timeout: traced("5s"),
            retries: Traced::new(12, ours.clone()),
            start_period: traced("5s"),
            start_interval: START_INTERVAL,
        },
        ours.clone(),
    )
}
