//! `compose.yaml`: the bundle as containers that share one network identity, as those of a pod do.
//!
//! One service, [`BUNDLE`], does nothing but own the pinned address; every other one runs in its network namespace.
//! Nothing is published on the host, no container may write to its own root file system, and none has a capability or
//! a path of the host that it was not given by name. The file follows the Compose Specification as far as Compose 1.29,
//! the last one written in Python, knows it.

mod builtin;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{names, yaml};
use crate::model::{Reference, VariableValue, VolumeSource};
use crate::plan::{Container, Plan, PlannedHealth, PlannedSidecar, PlannedVolume, Traced};
use crate::world::builtin::BUNDLE;

/// Its path in the stage.
pub const PATH: &str = "compose.yaml";

/// What holds the address: a program that only waits, from Kubernetes, where it does the same for a pod. The digest is
/// that of the index for all platforms, as public repositories pin it.
pub const PAUSE_IMAGE: &str =
    "registry.k8s.io/pause:3.10@sha256:ee6521f290b2168b6e0935a181d4cff9be1ac3f505666ef0e3c98fae8199917a";

/// The most processes of one container: far more than a database needs, far fewer than a fork bomb makes.
const MAX_PROCESSES: u32 = 1024;

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
    services: BTreeMap<String, Service>,
    networks: BTreeMap<&'static str, Network>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    volumes: BTreeMap<String, NamedVolume>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<String, SecretSource>,
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
    name: String,
    driver: &'static str,
    ipam: Ipam,
}

#[derive(Debug, Serialize)]
struct Ipam {
    driver: &'static str,
    config: [Subnet; 1],
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
    name: String,
}

#[derive(Debug, Serialize)]
struct SecretSource {
    file: Text,
}

#[derive(Debug, Serialize)]
struct Build {
    context: &'static str,
    dockerfile: &'static str,
}

#[derive(Debug, Serialize)]
struct Service {
    container_name: String,
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<Build>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    init: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrypoint: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<Text>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<String, Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    networks: Option<BTreeMap<&'static str, Address>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_mode: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    depends_on: BTreeMap<String, Dependency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthcheck: Option<HealthCheck>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<Mount>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    tmpfs: BTreeSet<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<SecretUse>,
    read_only: bool,
    cap_drop: [&'static str; 1],
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    cap_add: BTreeSet<String>,
    security_opt: [&'static str; 1],
    pids_limit: u32,
    restart: &'static str,
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
    test: Vec<Text>,
    interval: String,
    timeout: String,
    retries: u16,
    start_period: String,
}

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
    fn of(health: &PlannedHealth) -> Self {
        let PlannedHealth { command, interval, timeout, retries, start } = health;
        let words = command.iter().map(|word| Text::literal(word));
        let seconds = |seconds: &u16| format!("{seconds}s");
        Self {
            test: [Text::literal("CMD")].into_iter().chain(words).collect(),
            interval: seconds(interval),
            timeout: seconds(timeout),
            retries: *retries,
            start_period: seconds(start),
        }
    }
}

impl Service {
    /// A container with nothing but its image, in the bundle's network namespace.
    fn confined(plan: &Plan, name: &str, image: String) -> Self {
        Self {
            container_name: names::container(plan, name),
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
            depends_on: BTreeMap::from([(BUNDLE.to_owned(), Dependency { condition: Condition::Started })]),
            healthcheck: None,
            volumes: Vec::new(),
            tmpfs: BTreeSet::from([Text::literal("/tmp")]),
            secrets: Vec::new(),
            read_only: true,
            cap_drop: ["ALL"],
            cap_add: BTreeSet::new(),
            security_opt: ["no-new-privileges:true"],
            pids_limit: MAX_PROCESSES,
            restart: "unless-stopped",
        }
    }

    /// The one that owns the bundle's address.
    fn bundle(plan: &Plan) -> Self {
        let address = Address { ipv4_address: plan.addresses.bundle().to_string() };
        Self {
            networks: Some(BTreeMap::from([(BUNDLE, address)])),
            network_mode: None,
            depends_on: BTreeMap::new(),
            tmpfs: BTreeSet::new(),
            ..Self::confined(plan, BUNDLE, PAUSE_IMAGE.to_owned())
        }
    }

    /// One of the user's.
    fn custom(plan: &Plan, name: &str, container: &Container) -> Self {
        let Container { image, command, run_as, health, env, secrets, volumes, tmpfs, capabilities } =
            container;
        let mount = |volume: &PlannedVolume| {
            let PlannedVolume { source, target, writable } = volume;
            match source {
                VolumeSource::Named(volume) => Mount::named(volume, target, *writable),
                VolumeSource::Host(path) => Mount::host(path, target, *writable),
            }
        };
        let mut service = Self::confined(plan, name, qualified(image));
        service.user = run_as.as_deref().map(Text::literal);
        service.command = command.iter().map(|word| Text::literal(word)).collect();
        service.environment = env
            .iter()
            .map(|(variable, value)| (variable.clone(), environment(name, variable, value)))
            .collect();
        service.healthcheck = health.as_ref().map(HealthCheck::of);
        service.volumes = volumes.iter().map(mount).collect();
        service.tmpfs.extend(tmpfs.iter().map(|path| Text::literal(path)));
        service.secrets = secrets
            .keys()
            .map(|secret| SecretUse { source: secret_name(name, secret), target: Text::literal(secret) })
            .collect();
        service.cap_add.clone_from(capabilities);
        service
    }
}

/// A variable of a sidecar. One from a file of the host is refused before a plan is made: no engine reads one.
fn environment(sidecar: &str, variable: &str, value: &Traced<VariableValue>) -> Text {
    match &value.value {
        VariableValue::Literal(value) => Text::literal(value),
        VariableValue::Secret(Reference::Env(from) | Reference::File(from)) => {
            Text::variable(from, &format!("the secret {variable} of sidecar {sidecar}"))
        }
    }
}

/// What the file calls a sidecar's secret. Names hold no dot, so no two sidecars make one name.
fn secret_name(sidecar: &str, secret: &str) -> String {
    format!("{sidecar}.{secret}")
}

/// An image's whole name: Docker adds its own registry to a short one, Podman asks or refuses.
fn qualified(image: &str) -> String {
    let host = |first: &str| first.contains(['.', ':']) || first == "localhost";
    match image.split_once('/') {
        Some((first, _)) if host(first) => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    }
}

/// The whole name of a sidecar's image.
#[must_use]
pub fn image(plan: &Plan, sidecar: &PlannedSidecar) -> String {
    match &sidecar.container {
        Some(container) => qualified(&container.image),
        None => builtin::image(plan, &sidecar.name),
    }
}

fn service(plan: &Plan, sidecar: &PlannedSidecar) -> Service {
    let PlannedSidecar { name, container, port: _, url: _, needs: _, wave: _ } = sidecar;
    match container {
        Some(container) => Service::custom(plan, name, container),
        None => builtin::service(plan, name),
    }
}

/// The file.
pub(super) fn lower(plan: &Plan) -> Vec<u8> {
    let mut services: BTreeMap<String, Service> =
        plan.sidecars.iter().map(|sidecar| (sidecar.name.clone(), service(plan, sidecar))).collect();
    for sidecar in &plan.sidecars {
        let conditions: Vec<(String, Dependency)> = sidecar
            .needs
            .iter()
            .map(|need| {
                let checked = services.get(need).is_some_and(|service| service.healthcheck.is_some());
                let condition = if checked { Condition::Healthy } else { Condition::Started };
                (need.clone(), Dependency { condition })
            })
            .collect();
        if let Some(service) = services.get_mut(&sidecar.name) {
            service.depends_on.extend(conditions);
        }
    }
    services.insert(BUNDLE.to_owned(), Service::bundle(plan));
    let containers =
        || plan.sidecars.iter().filter_map(|sidecar| Some((&sidecar.name, sidecar.container.as_ref()?)));
    let file = Compose {
        services,
        networks: BTreeMap::from([(
            BUNDLE,
            Network {
                name: names::network(plan),
                driver: "bridge",
                ipam: Ipam {
                    driver: "default",
                    config: [Subnet {
                        subnet: plan.addresses.subnet().to_string(),
                        gateway: plan.addresses.gateway().to_string(),
                    }],
                },
            },
        )]),
        volumes: names::volumes(plan)
            .into_iter()
            .map(|(volume, name)| (volume, NamedVolume { name }))
            .collect(),
        secrets: containers()
            .flat_map(|(sidecar, container)| {
                let source = |path: &String| SecretSource { file: Text::host_path(path) };
                container.secrets.iter().map(move |(name, path)| (secret_name(sidecar, name), source(path)))
            })
            .collect(),
        podman: PodmanOptions { in_pod: false },
    };
    let mut text = b"# The bundle's containers. Generated; edit the spec instead.\n".to_vec();
    text.extend(yaml::write(&file));
    text
}
