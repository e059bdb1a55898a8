//! `resources`, `volume`, `publish` and `gpu` of a bottle: what its machine has of the host.

use std::collections::BTreeMap;

use super::{
    Spanned, access, arguments, child, children, number_argument, number_property, property, text_property,
};
use crate::source::Span;
use crate::syntax::Node;
use crate::world::container::mebibytes;
use crate::world::machine::{Gibibytes, Mebibytes, gibibytes};

/// A directory of the host that the machine is shown.
#[derive(Clone, Debug)]
pub struct MachineVolume {
    /// The directory, as it is written.
    pub source: Spanned<String>,
    /// Where the agent sees it.
    pub target: Spanned<String>,
    /// Whether the agent may write to it.
    pub writable: Spanned<bool>,
}

/// A port of the machine that the host can reach.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// The port in the machine.
    pub guest: Spanned<u16>,
    /// The one on the host, where it is another.
    pub host: Option<Spanned<u16>>,
}

impl Published {
    /// One whose port of the host is none is left out: what it is published on is not known.
    fn decode(node: Node<'_>) -> Option<Self> {
        let is_port = |port: &Spanned<u16>| port.value > 0;
        let host = number_property(node, "host").filter(is_port);
        if host.is_none() && property(node, "host").is_some() {
            return None;
        }
        Some(Self { guest: number_argument(node).filter(is_port)?, host })
    }

    /// The port on the host, and where it is said.
    #[must_use]
    pub fn on_host(&self) -> Spanned<u16> {
        self.host.unwrap_or(self.guest)
    }
}

/// What a machine has of its host; without a setting, the engine's default.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Processors.
    pub cpus: Option<Spanned<u8>>,
    /// Memory.
    pub memory: Option<Spanned<Mebibytes>>,
    /// The disk of its own.
    pub storage: Option<Spanned<Gibibytes>>,
    /// Where it is said that it has the host's graphics processor.
    pub gpu: Option<Span>,
    /// What it is shown of the host.
    pub volumes: Vec<MachineVolume>,
    /// What the host can reach of it.
    pub published: Vec<Published>,
}

impl Machine {
    pub(super) fn of(layer: Node<'_>) -> Self {
        let resources = child(layer, "resources");
        let size = |key| text_property(resources?, key);
        Self {
            cpus: resources.and_then(|node| number_property(node, "cpus")),
            memory: size("memory").and_then(|it| it.filter_map(|text| mebibytes(&text).map(Mebibytes))),
            storage: size("storage").and_then(|it| it.filter_map(|text| gibibytes(&text))),
            gpu: child(layer, "gpu").map(Node::name_span),
            volumes: children(layer, "volume").filter_map(MachineVolume::decode).collect(),
            published: children(layer, "publish").filter_map(Published::decode).collect(),
        }
    }

    /// Lays `over` on top: lists grow, of everything else the last one wins.
    pub(super) fn merge(&mut self, over: Self) {
        let Self { cpus, memory, storage, gpu, volumes, published } = over;
        self.cpus = cpus.or(self.cpus);
        self.memory = memory.or(self.memory);
        self.storage = storage.or(self.storage);
        self.gpu = gpu.or(self.gpu);
        self.volumes.extend(volumes);
        self.published.extend(published);
    }

    /// Leaves of several volumes at one place, and of several mentions of one port, the last one. By place and by port.
    pub(super) fn united(self) -> Self {
        let volumes: BTreeMap<String, MachineVolume> =
            self.volumes.into_iter().map(|volume| (volume.target.value.clone(), volume)).collect();
        let published: BTreeMap<u16, Published> =
            self.published.into_iter().map(|port| (port.guest.value, port)).collect();
        Self {
            volumes: volumes.into_values().collect(),
            published: published.into_values().collect(),
            ..self
        }
    }

    /// How many nodes it is made of, more or less.
    pub(super) fn weight(&self) -> usize {
        self.volumes.len() + self.published.len()
    }
}

impl MachineVolume {
    fn decode(node: Node<'_>) -> Option<Self> {
        let mut given = arguments(node);
        let (source, target) = (given.next()?, given.next()?);
        let writable = access(node, source.span);
        Some(Self { source, target, writable })
    }
}
