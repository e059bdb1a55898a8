//! The container of a sidecar of the spec's own, as `compose.yaml` and `plan.json` both tell it.

use super::Decisions;
use super::cause::{Causes, all, at, or_default, origin, word};
use crate::plan::{Container, HealthPlaces, PlannedSidecar, ServicePlaces};

/// A part of a container, by what it is and not by what a format calls it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    Image,
    /// An argument, or all of them.
    Command(Option<&'a str>),
    RunAs,
    Health,
    /// A word of the check.
    HealthWord(&'a str),
    Interval,
    Timeout,
    Retries,
    Start,
    Variables,
    Variable(&'a str),
    Secrets,
    Secret(&'a str),
    Volumes,
    Volume(&'a str),
    Tmpfs(Option<&'a str>),
    Capabilities,
    Capability(&'a str),
}

impl Decisions<'_> {
    /// The causes of a part of a sidecar's container.
    pub(super) fn part(&self, sidecar: &PlannedSidecar, part: Part<'_>) -> Causes {
        let member = self.member(&sidecar.name).and_then(|member| member.service.as_ref());
        let (Some(places), Some(container)) = (member, &sidecar.container) else { return Causes::new() };
        let ServicePlaces {
            image,
            command,
            run_as,
            port: _,
            scheme: _,
            health,
            secrets,
            volumes,
            tmpfs,
            capabilities,
        } = places;
        let Container {
            image: _,
            command: _,
            run_as: _,
            health: _,
            env,
            secrets: _,
            volumes: planned,
            tmpfs: _,
            capabilities: _,
        } = container;
        let of_health = |part: fn(&HealthPlaces) -> Option<_>| match health {
            Some(health) => all([part(health).map_or_else(|| or_default(None), at), at(health.node)]),
            None => or_default(None),
        };
        let known = |place: Option<&_>| or_default(place.copied());
        match part {
            Part::Image => or_default(*image),
            Part::Command(None) => known(command.first()),
            Part::Command(Some(n)) => word(command, n),
            Part::RunAs => or_default(*run_as),
            Part::Health => or_default(health.as_ref().map(|health| health.node)),
            Part::HealthWord(n) => health.as_ref().map(|health| word(&health.command, n)).unwrap_or_default(),
            Part::Interval => of_health(|health| health.interval),
            Part::Timeout => of_health(|health| health.timeout),
            Part::Retries => of_health(|health| health.retries),
            Part::Start => of_health(|health| health.start),
            Part::Variables => match env.values().next() {
                Some(first) => origin(&first.origin),
                None => or_default(None),
            },
            Part::Variable(name) => env.get(name).map(|value| origin(&value.origin)).unwrap_or_default(),
            Part::Secrets => known(secrets.values().next()),
            Part::Secret(name) => known(secrets.get(name)),
            Part::Volumes => known(volumes.first()),
            Part::Volume(n) => {
                debug_assert_eq!(planned.len(), volumes.len());
                word(volumes, n)
            }
            Part::Tmpfs(None) => known(tmpfs.values().next()),
            Part::Tmpfs(Some(path)) => known(tmpfs.get(path)),
            Part::Capabilities => known(capabilities.values().next()),
            Part::Capability(name) => known(capabilities.get(name)),
        }
    }
}
