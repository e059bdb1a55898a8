//! `bundle.yaml`: the bundle as one Pod, whose containers share the address that the agent dials.
//!
//! Each sidecar is an init container that goes on running, so that it starts when those before it are ready; the last
//! container only waits, and is ready when they all are. None may write to its own root file system, or has a capability
//! or a user of the host's that it was not given.

use std::collections::BTreeMap;

use super::inputs::{self, OfCredential};
use super::names;
use super::pods::{
    Config, Container, DnsConfig, DnsOption, Exec, Mount, PodSecurityContext, PodSpec, Probe, Resources,
    SeccompProfile, SecurityContext, Text, Variable, Volume, deployment, literal, words,
};
use crate::backend::common::{MIRRORS, PAUSE_IMAGE, image};
use crate::lower::plan_json::Input;
use crate::lower::{Artifact, Draft, Markup, Mode, git_gate, pipelock};
use crate::model::{VariableValue, VolumeSource};
use crate::plan::{
    Container as Service, Origins, Plan, PlannedHealth, PlannedLimits, PlannedSidecar, PlannedTls, Traced,
};
use crate::world::broker;
use crate::world::builtin::{self, BROKER, BUNDLE, GIT_GATE, PIPELOCK, SUPERVISE};
use crate::world::cluster::{NOBODY, user_and_group};
use crate::world::container::{BUNDLE_LIMITS, TMPFS};

/// Its path in the stage.
pub(super) const PATH: &str = "bundle.yaml";

/// The directory that every container may write to.
const TMP: &str = "/tmp";
/// Where a container sees its secrets.
const SECRETS: &str = "/run/secrets";
/// What lets the official image's program of Caddy start, which has it as a capability of its file.
const OF_CADDY: &str = "NET_BIND_SERVICE";
/// Where a sidecar is asked whether it is ready: the Service leads nowhere before it is.
const ASKED_AT: &str = "127.0.0.1";

/// A Pod in the making.
#[derive(Default)]
struct Pod {
    containers: Vec<Traced<Container>>,
    volumes: BTreeMap<String, Traced<Volume>>,
}

/// A container and what it is shown.
struct Sidecar<'p> {
    pod: &'p mut Pod,
    name: &'p str,
    container: Container,
    asked: Origins,
}

impl Sidecar<'_> {
    fn mount(&mut self, volume: Traced<Volume>, path: &str, writable: bool) {
        let name = volume.name.clone();
        self.container.volume_mounts.push(volume.with(Mount::new(&name, path, writable)));
        match self.pod.volumes.get_mut(&name) {
            Some(known) => known.origins = known.origins.clone().and(&volume.origins),
            None => {
                self.pod.volumes.insert(name, volume);
            }
        }
    }

    /// A directory in memory.
    fn in_memory(&mut self, path: &str, number: usize, asked: &Origins) {
        let name = names::volume(self.name, &format!("memory-{number}"));
        let volume = Volume::empty(name, true, Traced::fixed(format!("{TMPFS}Mi")));
        self.mount(Traced::new(volume, asked.clone()), path, true);
    }

    /// A directory of the stage.
    fn config(&mut self, config: &Config, path: &str) {
        let volume = Volume::config(names::volume(self.name, "config"), config);
        self.mount(Traced::new(volume, self.asked.clone()), path, false);
    }

    /// A directory of Secrets and ConfigMaps; none when there is nothing in it.
    fn files(&mut self, what: &str, path: &str, files: Vec<(String, Traced<Input>)>) {
        let origins = files.iter().map(|(_, input)| input.origins.clone()).reduce(|all, more| all.and(&more));
        if let Some(origins) = origins {
            let volume = Volume::files(names::volume(self.name, what), files);
            self.mount(Traced::new(volume, origins), path, false);
        }
    }

    fn claim(&mut self, claim: &str, path: &str, writable: bool, asked: &Origins) {
        let volume = Volume::claim(names::volume("claim", &claim.replace('.', "--")), claim);
        self.mount(Traced::new(volume, asked.clone()), path, writable);
    }

    fn ready(&mut self, command: Vec<Traced<Text>>) {
        let asked = &self.asked;
        let health = PlannedHealth {
            command: Vec::new(),
            interval: Traced::new(5, asked.clone()),
            timeout: Traced::new(5, asked.clone()),
            retries: Traced::new(12, asked.clone()),
            start: Traced::new(5, asked.clone()),
        };
        let asked = asked.clone();
        self.probes(&health, command, &asked);
    }

    /// It is started when it is ready for the first time, within what it may fail in all; from then on each failed check
    /// counts.
    fn probes(&mut self, health: &PlannedHealth, command: Vec<Traced<Text>>, asked: &Origins) {
        let PlannedHealth { command: _, interval, timeout, retries, start } = health;
        let exec = Exec { command };
        let patience = u32::from(**start) + u32::from(**interval) * u32::from(**retries);
        let startup = Probe {
            exec: exec.clone(),
            period_seconds: Traced::fixed(1),
            timeout_seconds: timeout.clone(),
            failure_threshold: start.with(patience).and(&interval.origins).and(&retries.origins),
        };
        let readiness = Probe {
            exec,
            period_seconds: interval.with(u32::from(**interval)),
            timeout_seconds: timeout.clone(),
            failure_threshold: retries.with(u32::from(**retries)),
        };
        self.container.startup_probe = Some(Traced::new(startup, asked.clone()));
        self.container.readiness_probe = Some(Traced::new(readiness, asked.clone()));
    }
}

/// The configurations that the stage has for the bundle.
pub(super) fn configs(plan: &Plan, files: &BTreeMap<String, Artifact>) -> Vec<Traced<Config>> {
    let of = |name: &'static str| plan.sidecars.iter().any(|sidecar| *sidecar.name == *name).then_some(name);
    [PIPELOCK, GIT_GATE, SUPERVISE, BROKER]
        .into_iter()
        .filter_map(of)
        .map(|name| Traced::new(Config::of(name, name, files), plan.asked(name).and(&Origins::fixed())))
        .collect()
}

fn user(run_as: Option<Traced<&String>>) -> (Option<Traced<u32>>, Option<Traced<u32>>) {
    let Some(run_as) = run_as else { return (None, None) };
    // What is no number is refused before a plan is made.
    match user_and_group(run_as.value) {
        Some((user, group)) => (Some(run_as.with(user)), group.map(|group| run_as.with(group))),
        None => (None, None),
    }
}

fn custom(sidecar: &mut Sidecar<'_>, service: &Service) {
    let Service {
        image: _,
        command,
        run_as: _,
        health,
        env,
        secrets,
        volumes,
        tmpfs,
        capabilities,
        // A word of the spec's, which nothing enforces.
        no_relay: _,
    } = service;
    sidecar.container.args = command.iter().map(literal).collect();
    sidecar.container.env = env
        .iter()
        .map(|(name, variable)| {
            variable.with(match (&variable.value.value, inputs::of_variable(sidecar.name, name, variable)) {
                (_, Some(input)) => Variable::secret(name, &input),
                (VariableValue::Literal(value), None) => Variable::literal(name, value),
                (VariableValue::Secret(_), None) => Variable::literal(name, ""),
            })
        })
        .collect();
    sidecar.container.security_context.capabilities.add.clone_from(capabilities);
    let files = secrets.iter().map(|(name, path)| (name.clone(), inputs::of_file(sidecar.name, name, path)));
    let files: Vec<_> = files.collect();
    sidecar.files("secrets", SECRETS, files);
    for volume in volumes {
        // One of the host's is refused before a plan is made.
        if let VolumeSource::Named(name) = &volume.source {
            sidecar.claim(name, &volume.target, *volume.writable, &volume.origins);
        }
    }
    let own = tmpfs.iter().filter(|path| path.as_str() != TMP).enumerate();
    for (at, path) in own {
        sidecar.in_memory(path, at + 1, &path.origins);
    }
    if let Some(health) = health.given() {
        let command = health.command.iter().map(literal).collect();
        sidecar.probes(health.value, command, &health.origins);
    }
}

fn built_in(sidecar: &mut Sidecar<'_>, plan: &Plan, configs: &[Traced<Config>]) {
    let ours = sidecar.asked.clone();
    let port = builtin::find(sidecar.name).map_or(0, |builtin| builtin.port);
    let at = format!("{ASKED_AT}:{port}");
    let config = configs.iter().find(|config| config.name == sidecar.name);
    let show = |sidecar: &mut Sidecar<'_>, path: &str| {
        if let Some(config) = config {
            sidecar.config(config, path);
        }
    };
    match sidecar.name {
        PIPELOCK => {
            sidecar.container.args = words(&["run", "--config", "/config/pipelock.yaml"], &ours);
            show(sidecar, "/config");
            if let Some(PlannedTls { ca_cert, ca_key, trust: _, passthrough: _ }) = &plan.egress.tls.value {
                let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
                let [cert, key] = inputs::of_authority(ca_cert, ca_key);
                let files = vec![(name(pipelock::CA_CERT), cert), (name(pipelock::CA_KEY), key)];
                let directory = pipelock::CA_CERT.rsplit_once('/').map_or("/", |(directory, _)| directory);
                sidecar.files("authority", directory, files);
            }
            sidecar.ready(words(&["/pipelock", "healthcheck", "--addr", &at], &ours));
        }
        GIT_GATE => {
            sidecar.container.command = words(&git_gate::command("serve"), &ours);
            show(sidecar, "/git-gate");
            sidecar.claim(MIRRORS, "/srv/git", true, &ours);
            let upstreams = plan.git.repos.iter().filter_map(|repo| Some((repo, repo.upstream()?)));
            let files = upstreams.map(|(repo, upstream)| {
                (repo.name.value.clone(), inputs::of_identity(&repo.name, &upstream.identity))
            });
            let files: Vec<_> = files.collect();
            sidecar.files("identity", "/identity", files);
            let command = [&git_gate::command("healthy"), [ASKED_AT].as_slice()].concat();
            sidecar.ready(words(&command, &ours));
        }
        SUPERVISE => {
            let server = ["python3", "-I", "/supervise/server.py"];
            sidecar.container.command = words(&[&server, ["serve"].as_slice()].concat(), &ours);
            show(sidecar, "/supervise");
            sidecar.claim(names::QUEUE, "/queue", true, &ours);
            sidecar.ready(words(&[&server, ["health", "--at", ASKED_AT].as_slice()].concat(), &ours));
        }
        _ => {
            sidecar.container.command = words(&["caddy", "run", "--config", "/broker/caddy.json"], &ours);
            // Where it would write, did it write anything.
            let nowhere = |name| Traced::new(Variable::literal(name, "/tmp/caddy"), ours.clone());
            sidecar.container.env = ["XDG_CONFIG_HOME", "XDG_DATA_HOME"].map(nowhere).into();
            show(sidecar, "/broker");
            let (mut written, mut shown, mut authorities) = (Vec::new(), Vec::new(), Vec::new());
            written.push((broker::TOKEN_FILE.to_owned(), Traced::new(inputs::token(), ours.clone())));
            for credential in &plan.credentials {
                let name = credential.name.value.clone();
                let OfCredential { secret, login, ca } = OfCredential::new(credential);
                let place = if credential.is_written() { &mut written } else { &mut shown };
                place.push((name.clone(), secret));
                written.extend(login.map(|login| (format!("{name}.token"), login)));
                authorities.extend(ca.map(|ca| (format!("{name}.pem"), ca)));
            }
            sidecar.files("launch", broker::MOUNT, written);
            sidecar.files("secrets", SECRETS, shown);
            sidecar.files("ca", "/ca", authorities);
            let added = Traced::new(OF_CADDY.to_owned(), ours.clone());
            sidecar.container.security_context.capabilities.add = vec![added];
            let healthy = format!("http://{at}{}", broker::HEALTHY);
            sidecar.ready(words(&["wget", "-q", "-O", "/dev/null", &healthy], &ours));
        }
    }
}

fn add(pod: &mut Pod, plan: &Plan, planned: &Traced<PlannedSidecar>, configs: &[Traced<Config>]) {
    let PlannedSidecar { name, container, port: _, url: _, mcp: _, needs: _, wave: _, limits } =
        &planned.value;
    let asked = planned.origins.clone().and(&Origins::fixed());
    let (user, group) = match container {
        Some(container) => self::user(container.run_as.given()),
        None => (Some(Traced::fixed(NOBODY)), Some(Traced::fixed(NOBODY))),
    };
    let mut security = SecurityContext::confined(user, false);
    security.run_as_group = group;
    let image = image(plan, planned);
    let mut made = Container::new(name.clone(), image, Resources::of(limits), security);
    // It goes on beside those after it.
    made.restart_policy = Some("Always");
    let mut sidecar = Sidecar { pod, name, container: made, asked: asked.clone() };
    sidecar.in_memory(TMP, 0, &asked);
    match container {
        Some(service) => custom(&mut sidecar, service),
        None => built_in(&mut sidecar, plan, configs),
    }
    let made = Traced::new(sidecar.container, asked);
    pod.containers.push(made);
}

/// Adds the file; the configurations are there.
pub(super) fn lower(plan: &Plan, configs: &[Traced<Config>], draft: &mut Draft) {
    let mut pod = Pod::default();
    for sidecar in &plan.sidecars {
        add(&mut pod, plan, sidecar, configs);
    }
    let limits = PlannedLimits {
        memory_mib: Traced::fixed(BUNDLE_LIMITS.memory),
        cpus: Traced::fixed(BUNDLE_LIMITS.cpus),
        processes: Traced::fixed(BUNDLE_LIMITS.processes),
    };
    let waits = Container::new(
        Traced::fixed(BUNDLE.to_owned()),
        Traced::fixed(PAUSE_IMAGE.to_owned()),
        Resources::of(&limits),
        SecurityContext::confined(Some(Traced::fixed(NOBODY)), false),
    );
    let spec = PodSpec {
        runtime_class_name: None,
        automount_service_account_token: false,
        enable_service_links: false,
        dns_policy: "ClusterFirst",
        // A name with a dot in it is asked for as it is before anything of the cluster's is put behind it.
        dns_config: DnsConfig {
            nameservers: Vec::new(),
            options: vec![DnsOption { name: "ndots", value: "1" }],
        },
        security_context: PodSecurityContext {
            fs_group: Some(NOBODY),
            seccomp_profile: SeccompProfile::OF_RUNTIME,
        },
        init_containers: pod.containers,
        containers: vec![Traced::fixed(waits)],
        volumes: pod.volumes.into_values().collect(),
    };
    let heading = "# The bundle's Pod. Generated; edit the spec instead.\n";
    let deployment = deployment(plan, BUNDLE, spec);
    draft.document(PATH, Mode::Shared, Origins::fixed(), Markup::Yaml(heading), &deployment);
}
