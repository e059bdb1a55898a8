//! Sidecars: the spec's `sidecar` blocks with the defaults filled in.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Context, Origins, Traced, Variables};
use crate::model::{Health, Limits, SecretFile, Service, Spanned, Volume, VolumeSource};
use crate::world::{builtin, container};

/// A sidecar of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSidecar {
    /// Its name.
    pub name: Traced<String>,
    /// The user's container; of a built-in sidecar, nothing.
    pub container: Option<Traced<Container>>,
    /// The port that it listens on.
    pub port: Traced<Option<u16>>,
    /// Its URL, with the bundle's address in digits.
    pub url: Traced<Option<String>>,
    /// The URL at which it is an MCP server, when the spec says that it is one.
    pub mcp: Option<Traced<String>>,
    /// What starts before it, by name.
    pub needs: Vec<Traced<String>>,
    /// The wave that it starts in, from 0 on.
    pub wave: Traced<usize>,
    /// What its container may have of the host.
    pub limits: PlannedLimits,
}

impl PlannedSidecar {
    /// Whether the agent may make it dial: it is the spec's own, which is confined to no list, and nothing says otherwise.
    #[must_use]
    pub fn may_relay(&self) -> bool {
        self.container.as_ref().is_some_and(|container| container.no_relay.is_none())
    }
}

/// What a container may have of its host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Limits")]
pub struct PlannedLimits {
    /// Memory, swap and what it writes to directories in memory, in MiB.
    pub memory_mib: Traced<u32>,
    /// Processors.
    pub cpus: Traced<u16>,
    /// Processes and threads.
    pub processes: Traced<u32>,
}

/// What a sidecar of the spec's own runs, and what it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Service")]
pub struct Container {
    /// Its image.
    pub image: Traced<String>,
    /// Its arguments; none are the image's own.
    pub command: Vec<Traced<String>>,
    /// The user that it runs as; null is the image's own.
    pub run_as: Traced<Option<String>>,
    /// How to tell that it is ready; null is as soon as it runs.
    pub health: Traced<Option<PlannedHealth>>,
    /// Its environment, by name.
    pub env: Variables,
    /// The secrets that it sees in `/run/secrets`: the file's name, and the host's file that holds it.
    pub secrets: BTreeMap<String, Traced<String>>,
    /// What outlives it, in the order of the spec.
    pub volumes: Vec<Traced<PlannedVolume>>,
    /// What it may write to in memory, besides `/tmp`: in order.
    pub tmpfs: Vec<Traced<String>>,
    /// The Linux capabilities that it keeps, in order.
    pub capabilities: Vec<Traced<String>>,
    /// Why the agent cannot make it dial; without it that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_relay: Option<Traced<String>>,
}

/// How to tell that a sidecar is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Health")]
pub struct PlannedHealth {
    /// The program and its arguments, run in the container without a shell.
    pub command: Vec<Traced<String>>,
    /// Seconds between two checks.
    pub interval: Traced<u16>,
    /// Seconds that one check may take.
    pub timeout: Traced<u16>,
    /// Failed checks in a row that make it unhealthy.
    pub retries: Traced<u16>,
    /// Seconds in which a failed check does not count.
    pub start: Traced<u16>,
}

/// What a sidecar sees of something that outlives it: one of `name` and `path` is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Volume")]
pub struct PlannedVolume {
    /// A volume of the bottle's, or a path as seen from the stage's directory; from `~/` on it is the home of who
    /// launches.
    #[serde(flatten)]
    pub source: VolumeSource,
    /// Where the sidecar sees it.
    pub target: String,
    /// Whether it may write to it.
    pub writable: Traced<bool>,
}

/// The container of a sidecar with that name.
pub(super) fn container(
    name: &Spanned<String>,
    service: Service,
    context: &Context<'_>,
) -> Traced<Container> {
    let Service {
        image,
        command,
        run_as,
        // What is in a URL is the sidecar's, and what the agent learns of it the agent's.
        port: _,
        health,
        env,
        secrets,
        volumes,
        tmpfs,
        capabilities,
        no_relay,
        mcp: _,
        exposes: _,
    } = service;
    let secret = |SecretFile { name, from }| (name.value, context.host_path(&from));
    let container = Container {
        image: context.traced_or(image, String::new()),
        command: context.all(command),
        run_as: context.optional(run_as),
        health: match health {
            Some(health) => Traced::map(self::health(health, context), Some),
            None => Traced::default_setting(None),
        },
        env: context.variables(env),
        secrets: secrets.into_iter().map(secret).collect(),
        volumes: volumes.into_iter().map(|volume| self::volume(volume, context)).collect(),
        tmpfs: in_order(tmpfs, context),
        capabilities: in_order(capabilities, context),
        no_relay: no_relay.map(|reason| context.traced(reason)),
    };
    Traced::new(container, context.origins(name.span))
}

/// Each once and in order: of several that say the same, the first.
pub(super) fn in_order(list: Vec<Spanned<String>>, context: &Context<'_>) -> Vec<Traced<String>> {
    let mut seen = BTreeSet::new();
    let mut list: Vec<_> = list.into_iter().filter(|entry| seen.insert(entry.value.clone())).collect();
    list.sort_by(|a, b| a.value.cmp(&b.value));
    context.all(list)
}

fn health(health: Health, context: &Context<'_>) -> Traced<PlannedHealth> {
    let Health { node, command, interval, timeout, retries, start } = health;
    let node = context.origins(node);
    let or = |given: Option<Spanned<u16>>, default| context.traced_or(given, default).and(&node);
    let planned = PlannedHealth {
        command: context.all(command),
        interval: or(interval, 5),
        timeout: or(timeout, 3),
        retries: or(retries, 12),
        start: or(start, 5),
    };
    Traced::new(planned, node)
}

/// The limits of a member, which are those of its kind where the spec says nothing.
pub(super) fn limits(limits: Limits, name: &str, context: &Context<'_>) -> PlannedLimits {
    let Limits { memory, cpus, processes } = limits;
    let usual = if name == builtin::GIT_GATE { container::GATE_LIMITS } else { container::LIMITS };
    PlannedLimits {
        memory_mib: context.traced_or(memory, usual.memory),
        cpus: context.traced_or(cpus, usual.cpus),
        processes: context.traced_or(processes, usual.processes),
    }
}

fn volume(volume: Volume, context: &Context<'_>) -> Traced<PlannedVolume> {
    let Volume { source: Spanned { value: source, span }, target, writable } = volume;
    let source = match source {
        VolumeSource::Named(name) => VolumeSource::Named(name),
        VolumeSource::Host(value) => VolumeSource::Host(context.host_path(&Spanned { value, span }).value),
    };
    let planned = PlannedVolume { source, target: target.value, writable: context.traced(writable) };
    Traced::new(planned, context.origins(span))
}

/// What starts before a sidecar decides when it starts.
pub(super) fn wave(wave: usize, asked: &Origins, needs: &[Traced<String>]) -> Traced<usize> {
    needs.iter().fold(Traced::new(wave, asked.clone()), |wave, need| wave.and(&need.origins))
}
