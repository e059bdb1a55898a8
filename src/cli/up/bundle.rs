//! The bundle's containers, as the container engine tells of them: nothing that Compose says of them is believed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bottlec::lower::plan_json::{Command as Vector, HostPlan};
use bottlec::plan::Traced;
use bottlec::text::quote;
use bottlec::world::builtin::BUNDLE;
use bottlec::world::container::{ContainerEngine, MADE_FROM};
use serde::Deserialize;

use super::UpError;
use super::runner::{Done, Runner};

/// How long the container engine may take to answer a question.
pub(super) const QUESTION: Duration = Duration::from_secs(30);
/// How long it may take to stop or to remove one thing: a container has ten seconds to end by itself.
pub(super) const REMOVAL: Duration = Duration::from_mins(2);
/// The time between two questions to a bundle that is not ready.
const PACE: Duration = Duration::from_millis(250);
/// The least time that a bundle has to get ready, and the most, once its containers are made.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(90), Duration::from_mins(15));
/// Restarts after which a container is taken for one that cannot start.
const TOO_OFTEN: u32 = 3;
/// How long a port may be silent after its sidecar was found ready.
const PORT_PATIENCE: Duration = Duration::from_secs(10);

/// A container, as Docker and Podman show it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Container {
    id: String,
    name: String,
    restart_count: u32,
    state: ContainerState,
    config: Config,
    host_config: HostConfig,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ContainerState {
    status: String,
    running: bool,
    exit_code: i64,
    started_at: String,
    // Podman before 4 has it by the longer name.
    #[serde(alias = "Healthcheck")]
    health: Option<Health>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Health {
    status: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HostConfig {
    network_mode: String,
}

impl Container {
    fn made_from(&self) -> Option<&str> {
        self.config.labels.as_ref()?.get(MADE_FROM).map(String::as_str)
    }

    /// How it is, in a word: whether it runs, and how healthy it says it is.
    pub(super) fn state(&self) -> &str {
        match &self.state.health {
            Some(health) if self.state.running && !health.status.is_empty() => &health.status,
            _ if self.state.status.is_empty() => "unknown",
            _ => &self.state.status,
        }
    }

    /// Whether it runs, healthy or not.
    pub(super) fn runs(&self) -> bool {
        self.state.running
    }

    /// Whether it runs, and is healthy if it can tell.
    pub(super) fn is_ready(&self) -> bool {
        self.state.running && matches!(self.state(), "healthy" | "running")
    }

    /// Why it will not get ready, if that can be told already.
    fn given_up(&self) -> Option<String> {
        let ended = matches!(self.state.status.as_str(), "exited" | "dead");
        if self.state() == "unhealthy" {
            Some(String::from("is unhealthy"))
        } else if ended {
            Some(format!("ended with {}", self.state.exit_code))
        } else if self.restart_count >= TOO_OFTEN {
            Some(format!("ends again and again, the last time with {}", self.state.exit_code))
        } else {
            None
        }
    }
}

/// A container's difference from what the stage says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Differs {
    /// It is not there.
    Absent,
    /// It was made from something else.
    OtherSource,
    /// It shares another network namespace than that of the container that owns the address.
    OtherNamespace,
    /// It was there before the container that owns the address was started: its network namespace is one without.
    DeadNamespace,
    /// It is not ready.
    NotReady(String),
}

impl Differs {
    /// What is said of the container.
    pub(super) fn as_text(&self) -> String {
        match self {
            Self::Absent => String::from("is not there"),
            Self::OtherSource => String::from("was made from something else than this stage"),
            Self::OtherNamespace => String::from("is not in the network namespace of the bundle"),
            Self::DeadNamespace => {
                String::from("runs on without the address, whose container was started anew")
            }
            Self::NotReady(state) => format!("is {state}"),
        }
    }
}

/// The bundle of a plan on this host.
pub(super) struct Bundle<'a> {
    pub(super) runner: &'a Runner,
    pub(super) plan: &'a HostPlan,
}

impl Bundle<'_> {
    /// A command of the container engine's on one container, volume or image that the plan or the engine names.
    pub(super) fn engine(&self, words: &[&str]) -> Vector {
        let program = self.plan.resources.container_engine.value.clone();
        [program].into_iter().chain(words.iter().map(|word| (*word).to_owned())).map(Traced::fixed).collect()
    }

    /// The names of the containers of this bottle, those of older plans among them.
    fn existing(&self) -> Result<BTreeSet<String>, UpError> {
        let answer = self.runner.run(&self.plan.commands.containers, QUESTION)?.stdout;
        let names = String::from_utf8_lossy(&answer);
        Ok(names.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// What is known of containers, by name; of one that is not there, nothing.
    fn inspect(&self, vector: &Vector) -> Result<BTreeMap<String, Container>, UpError> {
        // It fails when one of them is not there, and shows the others all the same.
        let done = self.runner.ask(vector, QUESTION)?;
        let containers: Vec<Container> = match serde_json::from_slice(&done.stdout) {
            Ok(containers) => containers,
            // Podman shows nothing at all then, some versions of it.
            Err(_) if done.stdout.iter().all(u8::is_ascii_whitespace) => Vec::new(),
            Err(error) => {
                return Err(UpError::Bundle(format!(
                    "{} shows its containers in a way that is not understood: {error}",
                    quote(&self.plan.resources.container_engine.value)
                )));
            }
        };
        Ok(containers
            .into_iter()
            .map(|container| (container.name.trim_start_matches('/').to_owned(), container))
            .collect())
    }

    /// The plan's containers, by name.
    pub(super) fn containers(&self) -> Result<BTreeMap<String, Container>, UpError> {
        self.inspect(&self.plan.commands.inspect)
    }

    /// What there is by this bottle's name, the containers of older plans among it. Whatever has the name must have been made
    /// by a launch.
    pub(super) fn found(&self) -> Result<BTreeMap<String, Container>, UpError> {
        let existing = self.existing()?;
        if existing.is_empty() {
            return Ok(BTreeMap::new());
        }
        let names: Vec<&str> = existing.iter().map(String::as_str).collect();
        let found = self.inspect(&self.engine(&[&["container", "inspect"], names.as_slice()].concat()))?;
        match found.iter().find(|(_, container)| container.made_from().is_none()) {
            Some((name, _)) => Err(UpError::Bundle(format!(
                "the container {} belongs to a Compose project of this name, and no launch of a bottle made it: remove it \
                 yourself, or launch under another name with `--name`",
                quote(name)
            ))),
            None => Ok(found),
        }
    }

    /// Whether there is a network of the bundle's name with another subnet: Compose would refuse to go on.
    pub(super) fn has_other_subnet(&self) -> Result<bool, UpError> {
        let done = self.runner.ask(&self.plan.commands.network, QUESTION)?;
        let shown = String::from_utf8_lossy(&done.stdout);
        // Docker and Podman show it in different places, and both in these words.
        let there = done.status.success() && shown.contains("ubnet");
        Ok(there && !shown.contains(&format!("\"{}\"", self.plan.bundle_subnet.value)))
    }

    /// Removes a container, whatever it is doing.
    pub(super) fn remove(&self, container: &str) -> Result<(), UpError> {
        let vector = self.engine(&["container", "rm", "--force", "--volumes", container]);
        self.runner.run(&vector, REMOVAL)?;
        Ok(())
    }

    /// Removes the volumes of this bottle's that the plan does not know: those of older plans.
    pub(super) fn remove_old_volumes(&self) -> Result<(), UpError> {
        let volumes = self.runner.run(&self.plan.commands.volumes, QUESTION)?.stdout;
        for volume in String::from_utf8_lossy(&volumes).lines().map(str::trim).filter(|name| !name.is_empty())
        {
            self.runner.run(&self.engine(&["volume", "rm", "--force", volume]), REMOVAL)?;
        }
        Ok(())
    }

    /// Removes the network, if it is there.
    pub(super) fn remove_network(&self) -> Result<(), UpError> {
        self.runner.ask(&self.engine(&["network", "rm", &self.plan.resources.network.value]), REMOVAL)?;
        Ok(())
    }

    /// Whether there is a volume or an image that a command removes, by that command.
    pub(super) fn is_there(&self, removal: &Vector) -> Result<bool, UpError> {
        let [_, kind, .., name] = removal.as_slice() else { return Ok(false) };
        Ok(self.runner.ask(&self.engine(&[&kind.value, "inspect", &name.value]), QUESTION)?.status.success())
    }

    /// How each container of the plan differs from what the stage says, by name.
    pub(super) fn differences(
        &self,
        containers: &BTreeMap<String, Container>,
        made_from: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Differs> {
        let owner = self.plan.resources.containers.get(BUNDLE).map_or("", |name| name.value.as_str());
        let owner = containers.get(owner);
        let differs = |name: &str, expected: &str| {
            let Some(container) = containers.get(name) else { return Some(Differs::Absent) };
            if container.made_from() != Some(expected) {
                return Some(Differs::OtherSource);
            }
            if let Some(owner) = owner.filter(|owner| owner.id != container.id) {
                let joined = container.host_config.network_mode.strip_prefix("container:");
                if joined != Some(owner.id.as_str()) && joined != Some(owner.name.trim_start_matches('/')) {
                    return Some(Differs::OtherNamespace);
                }
                if container.state.running && is_before(&container.state.started_at, &owner.state.started_at)
                {
                    return Some(Differs::DeadNamespace);
                }
            }
            (!container.is_ready()).then(|| Differs::NotReady(container.state().to_owned()))
        };
        made_from.iter().filter_map(|(name, from)| Some((name.clone(), differs(name, from)?))).collect()
    }

    /// The containers that are to go before the bundle is started: those of older plans, those that were made from something
    /// else, and those that hang on one of these. Compose would see to it under Docker; podman-compose takes others along
    /// and fails at it (1.6, run).
    pub(super) fn outdated<'a>(
        &self,
        found: &'a BTreeMap<String, Container>,
        made_from: &BTreeMap<String, String>,
    ) -> BTreeSet<&'a str> {
        let differences = self.differences(found, made_from);
        let is_outdated = |name: &str| match differences.get(name) {
            Some(differs) => matches!(differs, Differs::OtherSource | Differs::OtherNamespace),
            None => !made_from.contains_key(name),
        };
        let names = || found.keys().map(String::as_str);
        let mut outdated: BTreeSet<&str> = names().filter(|name| is_outdated(name)).collect();
        let containers = &self.plan.resources.containers;
        let is_of = |sidecar: &str, names: &BTreeSet<&str>| {
            containers.get(sidecar).is_some_and(|name| names.contains(name.value.as_str()))
        };
        if is_of(BUNDLE, &outdated) {
            return names().collect();
        }
        // Podman does not remove a container that another one was made to wait for.
        if self.plan.resources.container_engine.value == ContainerEngine::Podman.program() {
            while let Some(waiting) = self.plan.sidecars.iter().find_map(|sidecar| {
                let (name, _) = found.get_key_value(&containers.get(sidecar.name.as_str())?.value)?;
                let waits = sidecar.needs.iter().any(|need| is_of(need, &outdated));
                (waits && !outdated.contains(name.as_str())).then_some(name.as_str())
            }) {
                outdated.insert(waiting);
            }
        }
        outdated
    }

    /// Removes containers, those first that no other one hangs on.
    pub(super) fn remove_all(&self, containers: BTreeSet<&str>) -> Result<(), UpError> {
        let mut left: Vec<&str> = containers.into_iter().collect();
        while !left.is_empty() {
            let before = left.len();
            let mut failed = None;
            left.retain(|container| match self.remove(container) {
                Ok(()) => false,
                Err(error) => {
                    failed = Some(error);
                    true
                }
            });
            if let Some(error) = failed.filter(|_| left.len() == before) {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Starts those anew that lost the address, in the order in which they are stopped, reversed.
    pub(super) fn revive(&self, dead: &BTreeMap<String, Differs>) -> Result<bool, UpError> {
        let order = self.plan.sidecars.iter().filter_map(|sidecar| {
            let name = self.plan.resources.containers.get(sidecar.name.as_str())?;
            dead.get(&name.value).filter(|differs| **differs == Differs::DeadNamespace).map(|_| name)
        });
        let mut any = false;
        for name in order {
            self.runner.run(&self.engine(&["container", "restart", &name.value]), REMOVAL)?;
            any = true;
        }
        Ok(any)
    }

    /// Waits until each container is what the stage says and is ready. Our own bound: podman-compose 1.6 waits for ever for
    /// one that cannot start.
    pub(super) fn wait(
        &self,
        made_from: &BTreeMap<String, String>,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), UpError> {
        let begun = Instant::now();
        let patience = self.patience();
        let mut revived = false;
        loop {
            let containers = self.containers()?;
            let differences = self.differences(&containers, made_from);
            if differences.is_empty() {
                return Ok(());
            }
            // Once: what is dead again was not revived by it.
            if !revived && self.revive(&differences)? {
                revived = true;
                continue;
            }
            let given_up =
                differences.keys().find_map(|name| Some((name, containers.get(name)?.given_up()?)));
            if let Some((name, why)) = given_up {
                return Err(self.not_ready(name, &why));
            }
            let lasting = |differs: &&Differs| !matches!(differs, Differs::NotReady(_));
            if let Some((name, differs)) = differences.iter().find(|(_, differs)| lasting(differs)) {
                return Err(self.not_ready(name, &differs.as_text()));
            }
            if begun.elapsed() >= patience {
                let (name, differs) = differences.first_key_value().unzip();
                let why = differs.map(Differs::as_text).unwrap_or_default();
                let why = format!("{why} after {} s", patience.as_secs());
                return Err(self.not_ready(name.map_or("", String::as_str), &why));
            }
            let waiting: Vec<&str> =
                differences.keys().map(|name| name.rsplit("--").next().unwrap_or(name)).collect();
            say(&waiting.join(", "));
            self.runner.sleep(PACE)?;
        }
    }

    /// How long the bundle may take: as long as its health checks may fail, one sidecar after the other.
    fn patience(&self) -> Duration {
        let seconds = |sidecar: &Traced<bottlec::lower::plan_json::Sidecar<'_>>| {
            let health = sidecar.container.as_ref().and_then(|container| container.health.as_ref().cloned());
            health.map_or(0, |health| {
                let checks = u64::from(*health.retries) + 1;
                u64::from(*health.start) + checks * (u64::from(*health.interval) + u64::from(*health.timeout))
            })
        };
        let all: u64 = self.plan.sidecars.iter().map(seconds).sum();
        (PATIENCE.0 + Duration::from_secs(all)).min(PATIENCE.1)
    }

    /// What there is to say of a container that does not get ready: why, and the last that it said.
    fn not_ready(&self, container: &str, why: &str) -> UpError {
        let log = self.runner.ask(&self.engine(&["container", "logs", "--tail", "12", container]), QUESTION);
        let log = log.map(Done::tail).unwrap_or_default();
        let said = if log.is_empty() {
            String::from("; it said nothing")
        } else {
            log.iter().fold(String::from("; the last that it said:"), |said, line| said + "\n    " + line)
        };
        UpError::Bundle(format!("the container {} {why}{said}", quote(container)))
    }

    /// Asks every port of the bundle from the host, where the machine dials, too.
    pub(super) fn ports(&self) -> Result<(), UpError> {
        let Ok(address) = self.plan.bundle_ip.value.parse::<IpAddr>() else {
            return Err(UpError::Bundle(String::from("the plan has no address of the bundle")));
        };
        for sidecar in &self.plan.sidecars {
            let Some(port) = sidecar.port.value else { continue };
            let begun = Instant::now();
            while let Err(error) =
                TcpStream::connect_timeout(&SocketAddr::new(address, port), Duration::from_secs(2))
            {
                if begun.elapsed() >= PORT_PATIENCE {
                    let engine = &self.plan.resources.container_engine.value;
                    return Err(UpError::Bundle(format!(
                        "{address}:{port}, where the machine dials {}, does not answer on this host ({error}), though its \
                         container is ready. A rootless {engine}, and one in a virtual machine of its own such as Docker \
                         Desktop, keeps that address to itself: run {engine} as root on this host; a firewall of the \
                         host's may refuse it, too",
                        quote(&sidecar.name)
                    )));
                }
                self.runner.sleep(PACE)?;
            }
        }
        Ok(())
    }
}

/// Whether one time of RFC 3339 is before another of the same clock and offset.
fn is_before(one: &str, other: &str) -> bool {
    fn parts(time: &str) -> Option<(&str, String)> {
        let (seconds, rest) = time.split_at_checked("2026-01-01T00:00:00".len())?;
        let fraction: String =
            rest.strip_prefix('.').unwrap_or("").chars().take_while(char::is_ascii_digit).collect();
        Some((seconds, format!("{fraction:0<9}")))
    }
    matches!((parts(one), parts(other)), (Some(one), Some(other)) if one < other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_to_the_nanosecond() {
        let t = |fraction: &str| format!("2026-11-28T18:00:00{fraction}");
        assert!(is_before(&t(".1Z"), &t(".12Z")));
        assert!(!is_before(&t(".12Z"), &t(".1Z")));
        assert!(is_before(&t("Z"), &t(".000000001Z")));
        assert!(!is_before(&t(".5+01:00"), &t(".5+01:00")));
        assert!(is_before("2026-11-28T17:59:59.9Z", &t("Z")));
        assert!(!is_before("", &t("Z")) && !is_before(&t("Z"), "ü"));
    }
}
