//! `compose.yaml`: the bundle as containers that share one network identity, as those of a pod do.
//!
//! One service, [`BUNDLE`], does nothing but own the pinned address; every other one runs in its network namespace.
//! Nothing is published on the host, no container may write to its own root file system, and none has a capability or
//! a path of the host that it was not given by name. The file follows the Compose Specification as Compose 2.20 and
//! podman-compose 1.6 know it: older ones refuse `start_interval`.
//!
//! Each service says in a label what it was made from, the files of the stage that it is shown among it: Compose makes a
//! container anew when its label is another, and who asks the engine sees what runs.

mod builtin;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use serde::Serialize;

use super::names;
use crate::backend::common::PAUSE_IMAGE;
use crate::digest::sha256_hex;
use crate::lower::{Artifact, Draft, Markup, Mode};
use crate::model::{Reference, VariableValue, VolumeSource};
use crate::plan::{
    Container, Origin, Origins, Plan, PlannedHealth, PlannedLimits, PlannedSidecar, PlannedVariable,
    PlannedVolume, Traced,
};
use crate::world::builtin::BUNDLE;
use crate::world::container::{BUNDLE_LIMITS, LOG, Limits, MADE_FROM, TMPFS, qualified};

/// Its path in the stage.
pub const PATH: &str = "compose.yaml";

/// Of the digest of what a container was made from.
static ITS_SOURCE: Origin =
    Origin::compiler("the digest of what the container is made from, and of what it is shown of the stage");

/// The directory that every container may write to.
const TMP: &str = "/tmp";

/// A text as Compose reads it: `$` begins an interpolation unless it is doubled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
struct Text(String);

impl Text {
    /// The text itself.
    fn literal(text: &str) -> Self {
        Self(text.replace('$', "$$"))
    }

    /// What a variable of the launcher's environment holds; Compose refuses to go on without it.
    fn variable(name: &str, purpose: &str) -> Self {
        Self(format!("${{{name}:?{purpose}}}"))
    }

    /// A path on the host, as seen from the stage's directory.
    fn host_path(path: &str) -> Self {
        match path.strip_prefix("~/") {
            Some(rest) => {
                Self(format!("{}/{}", Self::variable("HOME", "the home directory").0, Self::literal(rest).0))
            }
            None => Self::literal(path),
        }
    }
}

#[derive(Debug, Serialize)]
struct Compose {
    services: BTreeMap<String, Traced<Service>>,
    networks: BTreeMap<&'static str, Network>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    volumes: BTreeMap<String, Traced<NamedVolume>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<String, Traced<SecretSource>>,
    #[serde(rename = "x-podman")]
    podman: PodmanOptions,
}

/// What podman-compose is told: containers in a pod of its own making would share that pod's address instead.
#[derive(Debug, Serialize)]
struct PodmanOptions {
    in_pod: bool,
}

#[derive(Debug, Serialize)]
struct Network {
    name: Traced<String>,
    driver: &'static str,
    driver_opts: BTreeMap<&'static str, &'static str>,
    ipam: Ipam,
}

#[derive(Debug, Serialize)]
struct Ipam {
    driver: &'static str,
    config: [Traced<Subnet>; 1],
}

#[derive(Debug, Serialize)]
struct Subnet {
    subnet: String,
    gateway: String,
}

#[derive(Debug, Serialize)]
struct Address {
    ipv4_address: String,
}

#[derive(Debug, Serialize)]
struct NamedVolume {
    name: Traced<String>,
}

#[derive(Debug, Serialize)]
struct SecretSource {
    file: Traced<Text>,
}

#[derive(Debug, Serialize)]
struct Build {
    context: &'static str,
    dockerfile: &'static str,
}

#[derive(Debug, Serialize)]
struct Service {
    container_name: Traced<String>,
    labels: BTreeMap<&'static str, Traced<String>>,
    image: Traced<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<Traced<Build>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_policy: Option<Traced<&'static str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    init: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Traced<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrypoint: Option<Vec<Traced<Text>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<Traced<Text>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<String, Traced<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    networks: Option<BTreeMap<&'static str, Traced<Address>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_mode: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    depends_on: BTreeMap<String, Traced<Dependency>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthcheck: Option<Traced<HealthCheck>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<Traced<Mount>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tmpfs: Vec<Traced<Text>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<Traced<SecretUse>>,
    read_only: bool,
    cap_drop: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cap_add: Vec<Traced<String>>,
    security_opt: [&'static str; 1],
    mem_limit: Traced<String>,
    memswap_limit: Traced<String>,
    cpus: Traced<u16>,
    pids_limit: Traced<u32>,
    logging: Logging,
    restart: &'static str,
}

/// What is kept of what a container prints. Docker keeps all of it unless it is told otherwise.
#[derive(Debug, Serialize)]
struct Logging {
    driver: &'static str,
    options: BTreeMap<&'static str, String>,
}

#[derive(Debug, Serialize)]
struct Dependency {
    condition: Condition,
}

#[derive(Clone, Copy, Debug, Serialize)]
enum Condition {
    #[serde(rename = "service_started")]
    Started,
    #[serde(rename = "service_healthy")]
    Healthy,
}

#[derive(Debug, Serialize)]
struct HealthCheck {
    test: Vec<Traced<Text>>,
    interval: Traced<String>,
    timeout: Traced<String>,
    retries: Traced<u16>,
    start_period: Traced<String>,
    start_interval: &'static str,
}

/// The time between two checks until the first one that succeeds, since the sidecars start one after the other: a chain
/// of four was ready after 4.5 s instead of 17.4 (run with Docker 26.1).
const START_INTERVAL: &str = "500ms";

#[derive(Debug, Serialize)]
struct Mount {
    #[serde(rename = "type")]
    kind: &'static str,
    source: Text,
    target: Text,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
}

#[derive(Debug, Serialize)]
struct SecretUse {
    source: String,
    target: Text,
}

impl Mount {
    fn host(path: &str, target: &str, writable: bool) -> Self {
        Self {
            kind: "bind",
            source: Text::host_path(path),
            target: Text::literal(target),
            read_only: !writable,
        }
    }

    /// A path that only the host can tell, to be read.
    fn resolved(source: Text, target: &str) -> Self {
        Self { kind: "bind", source, target: Text::literal(target), read_only: true }
    }

    fn named(name: &str, target: &str, writable: bool) -> Self {
        Self {
            kind: "volume",
            source: Text::literal(name),
            target: Text::literal(target),
            read_only: !writable,
        }
    }
}

impl HealthCheck {
    fn of(health: &PlannedHealth, node: &Origins) -> Self {
        let PlannedHealth { command, interval, timeout, retries, start } = health;
        let words = command.iter().map(literal);
        let seconds = |seconds: &Traced<u16>| seconds.with(format!("{seconds}s"));
        Self {
            test: [Traced::new(Text::literal("CMD"), node.clone())].into_iter().chain(words).collect(),
            interval: seconds(interval),
            timeout: seconds(timeout),
            retries: retries.clone(),
            start_period: seconds(start),
            start_interval: START_INTERVAL,
        }
    }
}

/// A directory in memory, with the most that it holds.
fn in_memory(path: &str) -> Text {
    Text::literal(&format!("{path}:size={TMPFS}m"))
}

fn literal(text: &Traced<String>) -> Traced<Text> {
    text.with(Text::literal(text))
}

impl Service {
    /// A container with nothing but its image, in the bundle's network namespace.
    fn confined(plan: &Plan, name: &str, image: Traced<String>, limits: &PlannedLimits) -> Self {
        let PlannedLimits { memory_mib, cpus, processes } = limits;
        let memory = memory_mib.with(format!("{memory_mib}m"));
        let after_bundle = Traced::fixed(Dependency { condition: Condition::Started });
        Self {
            container_name: names::container(plan, name),
            labels: BTreeMap::new(),
            image,
            build: None,
            pull_policy: None,
            init: false,
            user: None,
            entrypoint: None,
            command: Vec::new(),
            environment: BTreeMap::new(),
            networks: None,
            network_mode: Some(format!("service:{BUNDLE}")),
            depends_on: BTreeMap::from([(BUNDLE.to_owned(), after_bundle)]),
            healthcheck: None,
            volumes: Vec::new(),
            tmpfs: vec![Traced::fixed(in_memory(TMP))],
            secrets: Vec::new(),
            read_only: true,
            cap_drop: ["ALL"],
            cap_add: Vec::new(),
            security_opt: ["no-new-privileges:true"],
            // As much as the memory: nothing of a container is swapped out.
            memswap_limit: memory.clone(),
            mem_limit: memory,
            cpus: cpus.clone(),
            pids_limit: processes.clone(),
            logging: Logging {
                driver: "json-file",
                options: BTreeMap::from([
                    ("max-file", LOG.0.to_string()),
                    ("max-size", format!("{}m", LOG.1)),
                ]),
            },
            restart: "unless-stopped",
        }
    }

    /// The one that owns the bundle's address.
    fn bundle(plan: &Plan) -> Self {
        let address = Address { ipv4_address: plan.addresses.bundle().to_string() };
        let Limits { memory, cpus, processes } = BUNDLE_LIMITS;
        let limits = PlannedLimits {
            memory_mib: Traced::fixed(memory),
            cpus: Traced::fixed(cpus),
            processes: Traced::fixed(processes),
        };
        Self {
            networks: Some(BTreeMap::from([(BUNDLE, plan.addresses.with(address))])),
            network_mode: None,
            depends_on: BTreeMap::new(),
            tmpfs: Vec::new(),
            ..Self::confined(plan, BUNDLE, Traced::fixed(PAUSE_IMAGE.to_owned()), &limits)
        }
    }

    /// One of the user's.
    fn custom(plan: &Plan, name: &str, container: &Container, limits: &PlannedLimits) -> Self {
        let Container {
            image,
            command,
            run_as,
            health,
            env,
            secrets,
            volumes,
            tmpfs,
            capabilities,
            // A word of the spec's, which nothing enforces.
            no_relay: _,
        } = container;
        let mount = |volume: &Traced<PlannedVolume>| {
            let PlannedVolume { source, target, writable } = &volume.value;
            volume.with(match source {
                VolumeSource::Named(volume) => Mount::named(volume, target, **writable),
                VolumeSource::Host(path) => Mount::host(path, target, **writable),
            })
        };
        let mut service = Self::confined(plan, name, image.with(qualified(image)), limits);
        service.user = run_as.given().map(|user| user.map(|user| Text::literal(user)));
        service.command = command.iter().map(literal).collect();
        service.environment = env
            .iter()
            .map(|(variable, value)| (variable.clone(), environment(name, variable, value)))
            .collect();
        service.healthcheck =
            health.given().map(|health| health.with(HealthCheck::of(&health, &health.origins)));
        service.volumes = volumes.iter().map(mount).collect();
        // What every container has, once.
        service.tmpfs.retain(|ours| !tmpfs.iter().any(|path| in_memory(path) == ours.value));
        service.tmpfs.extend(tmpfs.iter().map(|path| path.with(in_memory(path))));
        service.tmpfs.sort_by(|a, b| a.value.cmp(&b.value));
        service.secrets = secrets
            .iter()
            .map(|(secret, from)| {
                let target = Text::literal(secret);
                from.with(SecretUse { source: secret_name(name, secret), target })
            })
            .collect();
        service.cap_add.clone_from(capabilities);
        service
    }
}

impl Service {
    /// Writes down what it is made from: all that this file says of it, and the files of the stage that it is shown or
    /// built from.
    fn label(&mut self, files: &BTreeMap<String, Artifact>) {
        // Nothing in it fails to be written: its keys are texts.
        let mut made_from = serde_json::to_vec(&*self).unwrap_or_default();
        let mounted = self.volumes.iter().map(|mount| mount.source.0.as_str());
        let built = self.build.iter().map(|build| build.context);
        let directories: BTreeSet<&str> =
            mounted.chain(built).filter_map(|source| source.strip_prefix("./")).collect();
        for directory in directories {
            let inside = files.iter().filter(|(path, _)| {
                path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            for (path, file) in inside {
                // Written to a vector, which takes all of it.
                let _ = write!(made_from, "\n{} {} {path}", file.bytes.sha256(), file.mode.octal());
            }
        }
        let digest = Traced::new(sha256_hex(&made_from), Origins::compiler(&ITS_SOURCE));
        self.labels.insert(MADE_FROM, digest);
    }
}

/// A variable of a sidecar. One from a file of the host is refused before a plan is made: no engine reads one.
fn environment(sidecar: &str, name: &str, variable: &Traced<PlannedVariable>) -> Traced<Text> {
    variable.with(match &variable.value.value {
        VariableValue::Literal(value) => Text::literal(value),
        VariableValue::Secret(Reference::Env(from) | Reference::File(from)) => {
            Text::variable(from, &format!("the secret {name} of sidecar {sidecar}"))
        }
    })
}

/// What the file calls a sidecar's secret. Names hold no dot, so no two sidecars make one name.
fn secret_name(sidecar: &str, secret: &str) -> String {
    format!("{sidecar}.{secret}")
}

fn service(plan: &Plan, sidecar: &PlannedSidecar) -> Service {
    let PlannedSidecar { name, container, port: _, url: _, mcp: _, needs: _, wave: _, limits } = sidecar;
    match container {
        Some(container) => Service::custom(plan, name, container, limits),
        None => builtin::service(plan, name, limits),
    }
}

/// The services by name, each with what it was made from.
fn services(plan: &Plan, files: &BTreeMap<String, Artifact>) -> BTreeMap<String, Traced<Service>> {
    let mut services: BTreeMap<String, Traced<Service>> = plan
        .sidecars
        .iter()
        .map(|sidecar| {
            let service = sidecar.with(service(plan, sidecar)).and(&Origins::fixed());
            (sidecar.name.value.clone(), service)
        })
        .collect();
    for sidecar in &plan.sidecars {
        let conditions: Vec<(String, Traced<Dependency>)> = sidecar
            .needs
            .iter()
            .map(|need| {
                let checked = services.get(&need.value).is_some_and(|service| service.healthcheck.is_some());
                let condition = if checked { Condition::Healthy } else { Condition::Started };
                (need.value.clone(), need.with(Dependency { condition }))
            })
            .collect();
        if let Some(service) = services.get_mut(&sidecar.name.value) {
            service.value.depends_on.extend(conditions);
        }
    }
    services.insert(BUNDLE.to_owned(), Traced::fixed(Service::bundle(plan)));
    for service in services.values_mut() {
        service.value.label(files);
    }
    services
}

/// What each container says that it was made from, by its name, in the stage of these files.
pub(super) fn made_from(plan: &Plan, files: &BTreeMap<String, Artifact>) -> BTreeMap<String, String> {
    let services = services(plan, files).into_values().map(|service| service.value);
    let label =
        |mut service: Service| Some((service.container_name.value, service.labels.remove(MADE_FROM)?.value));
    services.filter_map(label).collect()
}

/// Adds the file; all others of the stage that a container is shown are there.
pub(super) fn lower(plan: &Plan, mode: Mode, draft: &mut Draft) {
    let services = services(plan, draft.files());
    let containers =
        || plan.sidecars.iter().filter_map(|sidecar| Some((&sidecar.name, sidecar.container.as_ref()?)));
    let file = Compose {
        services,
        networks: BTreeMap::from([(
            BUNDLE,
            Network {
                name: names::network(plan),
                driver: "bridge",
                // Docker keeps bridges apart by itself; under Podman one bottle's sidecar would reach another's bundle.
                driver_opts: BTreeMap::from([("isolate", "true")]),
                ipam: Ipam {
                    driver: "default",
                    config: [plan.addresses.with(Subnet {
                        subnet: plan.addresses.subnet().to_string(),
                        gateway: plan
                            .addresses
                            .gateway()
                            .map(|gateway| gateway.to_string())
                            .unwrap_or_default(),
                    })],
                },
            },
        )]),
        volumes: names::volumes(plan)
            .into_iter()
            .map(|(volume, name)| (volume, name.with(NamedVolume { name: name.clone() })))
            .collect(),
        secrets: containers()
            .flat_map(|(sidecar, container)| {
                let source = |path: &Traced<String>| {
                    path.with(SecretSource { file: path.with(Text::host_path(path)) })
                };
                container.secrets.iter().map(move |(name, path)| (secret_name(sidecar, name), source(path)))
            })
            .collect(),
        podman: PodmanOptions { in_pod: false },
    };
    let heading = "# The bundle's containers. Generated; edit the spec instead.\n";
    draft.document(PATH, mode, Origins::fixed(), Markup::Yaml(heading), &file);
}
