//! The machine's settings: what it has of the host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Context, Traced};
use crate::model::{Machine, MachineVolume, Published};
use crate::world::machine::{Gibibytes, Mebibytes};

/// What a machine has of its host, beyond its bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Machine")]
pub struct PlannedMachine {
    /// Processors; null is the engine's default, or what a packed machine asks for.
    pub cpus: Traced<Option<u8>>,
    /// Memory in MiB; null is the engine's default, or what a packed machine asks for.
    pub memory_mib: Traced<Option<Mebibytes>>,
    /// The size of its own disk in GiB; null is the engine's default.
    pub storage_gib: Traced<Option<Gibibytes>>,
    /// Whether it has the host's graphics processor.
    pub gpu: Traced<bool>,
    /// What the agent sees of the host, by where it sees it.
    pub volumes: Vec<Traced<PlannedMachineVolume>>,
    /// What the host can reach of it on its loopback, by the port in the machine.
    pub published: Vec<Traced<PlannedPort>>,
}

/// A directory of the host that the agent sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MachineVolume")]
pub struct PlannedMachineVolume {
    /// The directory, relative to the stage's directory unless the spec gives an absolute path.
    pub path: String,
    /// Where the agent sees it.
    pub target: String,
    /// Whether the agent may write to it.
    pub writable: Traced<bool>,
}

/// A port of the machine that programs of the host can reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PublishedPort")]
pub struct PlannedPort {
    /// The port in the machine.
    pub guest: u16,
    /// The port of the host's loopback.
    pub host: Traced<u16>,
}

impl Default for PlannedMachine {
    fn default() -> Self {
        Self {
            cpus: Traced::default_setting(None),
            memory_mib: Traced::default_setting(None),
            storage_gib: Traced::default_setting(None),
            gpu: Traced::default_setting(false),
            volumes: Vec::new(),
            published: Vec::new(),
        }
    }
}

impl PlannedMachine {
    /// Whether nothing is asked of the host.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn machine(machine: Machine, context: &Context<'_>) -> PlannedMachine {
    let Machine { cpus, memory, storage, gpu, volumes, published } = machine;
    let volume = |MachineVolume { source, target, writable }| {
        let path = context.host_path(&source);
        let planned = PlannedMachineVolume {
            path: path.value,
            target: target.value,
            writable: context.traced(writable),
        };
        Traced::new(planned, path.origins)
    };
    let port = |port: Published| {
        let host = context.traced(port.on_host());
        Traced::new(PlannedPort { guest: port.guest.value, host }, context.origins(port.guest.span))
    };
    PlannedMachine {
        cpus: context.optional(cpus),
        memory_mib: context.optional(memory),
        storage_gib: context.optional(storage),
        gpu: match gpu {
            Some(place) => Traced::new(true, context.origins(place)),
            None => Traced::default_setting(false),
        },
        volumes: volumes.into_iter().map(volume).collect(),
        published: published.into_iter().map(port).collect(),
    }
}
