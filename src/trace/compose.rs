//! `compose.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use super::Decisions;
use super::cause::{Causes, all, itself, nth, traced};
use super::service::Part;
use crate::lower::names;
use crate::model::VolumeSource;
use crate::plan::{Container, PlannedSidecar};
use crate::world::builtin::{BUNDLE, GIT_GATE, PIPELOCK, SUPERVISE};

/// The directory that every container may write to.
const TMP: &str = "/tmp";

/// The bundle as the file has it: what is a set there, as lists in its order.
pub(super) struct Bundle<'a> {
    decisions: &'a Decisions<'a>,
    services: BTreeMap<&'a str, Service<'a>>,
    /// What names each volume of the bottle's.
    volumes: BTreeMap<&'a str, Vec<Causes>>,
}

struct Service<'a> {
    sidecar: &'a PlannedSidecar,
    tmpfs: Vec<&'a str>,
    secrets: Vec<&'a str>,
    capabilities: Vec<&'a str>,
}

impl<'a> Service<'a> {
    fn of(sidecar: &'a PlannedSidecar) -> Self {
        fn list<'a>(set: impl IntoIterator<Item = &'a String>) -> BTreeSet<&'a str> {
            set.into_iter().map(String::as_str).collect()
        }
        let (mut tmpfs, mut secrets, mut capabilities) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        if let Some(container) = &sidecar.container {
            let Container { tmpfs: paths, secrets: files, capabilities: kept, .. } = container;
            (tmpfs, secrets, capabilities) = (list(paths), list(files.keys()), list(kept));
        }
        // How the file escapes them changes nothing of their order.
        tmpfs.insert(TMP);
        let vec = |set: BTreeSet<&'a str>| set.into_iter().collect();
        Self { sidecar, tmpfs: vec(tmpfs), secrets: vec(secrets), capabilities: vec(capabilities) }
    }

    /// Whether the spec asks for what every container has.
    fn says_tmp(&self) -> bool {
        self.sidecar.container.as_ref().is_some_and(|container| container.tmpfs.contains(TMP))
    }
}

impl<'a> Bundle<'a> {
    pub(super) fn of(decisions: &'a Decisions<'a>) -> Self {
        let mut volumes: BTreeMap<&str, Vec<Causes>> = BTreeMap::new();
        for sidecar in &decisions.plan.sidecars {
            let named = sidecar.container.iter().flat_map(|container| container.volumes.iter().enumerate());
            for (n, volume) in named {
                if let VolumeSource::Named(name) = &volume.source {
                    let causes = decisions.part(sidecar, Part::Volume(&n.to_string()));
                    volumes.entry(name).or_default().push(causes);
                }
            }
        }
        let service = |sidecar: &'a PlannedSidecar| (sidecar.name.as_str(), Service::of(sidecar));
        Self { decisions, services: decisions.plan.sidecars.iter().map(service).collect(), volumes }
    }

    pub(super) fn causes(&self, path: &[&str]) -> Causes {
        let decisions = self.decisions;
        match path {
            ["services", BUNDLE, rest @ ..] => match rest {
                ["container_name"] => decisions.slug(),
                ["networks", BUNDLE, ..] => decisions.addresses(),
                _ => itself(),
            },
            ["services", name] => decisions.sidecar(name),
            ["services", name, rest @ ..] => {
                self.services.get(name).map(|service| self.service(service, rest)).unwrap_or_default()
            }
            ["networks", BUNDLE, "name"] => decisions.slug(),
            ["networks", BUNDLE, "ipam", "config", ..] => decisions.addresses(),
            ["volumes", name, ..] => all([self.volume(name), decisions.slug()]),
            ["secrets", name, ..] => {
                // A sidecar's name holds no dot.
                let found = name.split_once('.').and_then(|(sidecar, secret)| {
                    let service = self.services.get(sidecar)?;
                    Some(decisions.part(service.sidecar, Part::Secret(secret)))
                });
                found.unwrap_or_default()
            }
            [] | ["services" | "volumes" | "secrets"] | ["networks" | "x-podman", ..] => itself(),
            _ => Causes::new(),
        }
    }

    /// A volume of the bottle's, by what the file calls it.
    pub(super) fn volume(&self, name: &str) -> Causes {
        match name {
            names::MIRRORS => self.decisions.repos(),
            _ => all(self.volumes.get(name).into_iter().flatten().cloned()),
        }
    }

    fn service(&self, service: &Service<'_>, path: &[&str]) -> Causes {
        let decisions = self.decisions;
        let name = service.sidecar.name.as_str();
        match path {
            ["container_name"] => all([decisions.sidecar(name), decisions.slug()]),
            ["image"] => decisions.image(name),
            ["depends_on", need, ..] => decisions.need(name, need),
            _ if service.sidecar.container.is_some() => self.custom(service, path),
            _ => self.built_in(name, path),
        }
    }

    fn built_in(&self, name: &str, path: &[&str]) -> Causes {
        let decisions = self.decisions;
        match (name, path) {
            (GIT_GATE, ["volumes", n, ..]) => {
                // Two of its own come first, then the key of each repository.
                let repo = n.parse::<usize>().ok().and_then(|n| n.checked_sub(2));
                match repo.and_then(|n| decisions.plan.repos.get(n)) {
                    Some(repo) => decisions.repo(&repo.name, |repo| Some(repo.identity)),
                    None => decisions.repos(),
                }
            }
            (GIT_GATE, ["build" | "pull_policy", ..]) => decisions.image(GIT_GATE),
            (GIT_GATE, _) => all([decisions.repos(), itself()]),
            (PIPELOCK, ["volumes", n @ ("1" | "2"), ..]) => match (&decisions.plan.egress.tls, *n) {
                (Some(tls), "1") => traced(&tls.ca_cert),
                (Some(tls), _) => traced(&tls.ca_key),
                (None, _) => Causes::new(),
            },
            (PIPELOCK, ["cap_add", ..]) => decisions.tls(),
            (SUPERVISE, ["volumes", "1", ..]) => decisions.queue(),
            (SUPERVISE, _) => all([decisions.supervise(), itself()]),
            _ => itself(),
        }
    }

    fn custom(&self, service: &Service<'_>, path: &[&str]) -> Causes {
        let part = match path {
            ["user"] => Part::RunAs,
            ["command"] => Part::Command(None),
            ["command", n] => Part::Command(Some(n)),
            ["environment"] => Part::Variables,
            ["environment", name] => Part::Variable(name),
            ["healthcheck"] | ["healthcheck", "test"] | ["healthcheck", "test", "0"] => Part::Health,
            ["healthcheck", "test", n] => {
                // `CMD` comes first.
                let word = n.parse::<usize>().map_or(usize::MAX, |n| n.saturating_sub(1));
                return self.decisions.part(service.sidecar, Part::HealthWord(&word.to_string()));
            }
            ["healthcheck", "interval"] => Part::Interval,
            ["healthcheck", "timeout"] => Part::Timeout,
            ["healthcheck", "retries"] => Part::Retries,
            ["healthcheck", "start_period"] => Part::Start,
            ["volumes"] => Part::Volumes,
            ["volumes", n, ..] => Part::Volume(n),
            ["tmpfs", n] => match nth(&service.tmpfs, n) {
                Some(&TMP) if !service.says_tmp() => return itself(),
                Some(path) => Part::Tmpfs(Some(path)),
                None => return Causes::new(),
            },
            ["secrets"] => Part::Secrets,
            ["secrets", n, ..] => match nth(&service.secrets, n) {
                Some(name) => Part::Secret(name),
                None => return Causes::new(),
            },
            ["cap_add"] => Part::Capabilities,
            ["cap_add", n] => match nth(&service.capabilities, n) {
                Some(name) => Part::Capability(name),
                None => return Causes::new(),
            },
            [
                "network_mode" | "depends_on" | "read_only" | "cap_drop" | "security_opt" | "pids_limit"
                | "restart" | "tmpfs",
                ..,
            ] => return itself(),
            _ => return Causes::new(),
        };
        self.decisions.part(service.sidecar, part)
    }
}
