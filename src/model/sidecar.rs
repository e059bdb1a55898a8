//! `sidecar`: a program of the user's in the bundle.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Name, Spanned, Variable, access, arguments, child, children, first_argument, number_argument,
    number_property, text_property,
};
use crate::schema::is_host_path;
use crate::source::Span;
use crate::syntax::Node;
use crate::world::container::mebibytes;

/// The port of a sidecar.
#[derive(Clone, Debug)]
pub struct Port {
    /// The port.
    pub number: Spanned<u16>,
    /// What stands before `://` in its URL; `http` when not given.
    pub scheme: Option<Spanned<String>>,
}

/// A variable of the agent that holds the sidecar's URL.
#[derive(Clone, Debug)]
pub struct Expose {
    /// The variable.
    pub variable: Spanned<String>,
    /// What follows the port in the URL.
    pub path: Option<Spanned<String>>,
}

impl Expose {
    /// Returns the place of all that it says.
    #[must_use]
    pub fn end(&self) -> Span {
        self.path.as_ref().map_or(self.variable.span, |path| self.variable.span.to(path.span))
    }
}

/// A sidecar that is an MCP server.
#[derive(Clone, Debug)]
pub struct ServesMcp {
    /// The node's name.
    pub node: Span,
    /// What follows the port in its URL.
    pub path: Spanned<String>,
}

/// The health check of a sidecar.
#[derive(Clone, Debug)]
pub struct Health {
    /// The node's name.
    pub node: Span,
    /// The program and its arguments.
    pub command: Vec<Spanned<String>>,
    /// Seconds between two checks.
    pub interval: Option<Spanned<u16>>,
    /// Seconds that one check may take.
    pub timeout: Option<Spanned<u16>>,
    /// Failed checks in a row that make it unhealthy.
    pub retries: Option<Spanned<u16>>,
    /// Seconds in which a failed check does not count.
    pub start: Option<Spanned<u16>>,
}

/// The source of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VolumeSource {
    /// A volume of the bottle's, by name.
    #[serde(rename = "name")]
    Named(String),
    /// A file or a directory of the host: as it is written, or in a plan from the stage's directory on.
    #[serde(rename = "path")]
    Host(String),
}

/// A volume as it is written.
#[derive(Clone, Debug)]
pub struct Volume {
    /// What it is kept in.
    pub source: Spanned<VolumeSource>,
    /// Where the sidecar sees it.
    pub target: Spanned<String>,
    /// Whether the sidecar may write to it.
    pub writable: Spanned<bool>,
}

/// A secret that the sidecar sees as a file.
#[derive(Clone, Debug)]
pub struct SecretFile {
    /// The file's name in `/run/secrets`.
    pub name: Spanned<Name>,
    /// The host's file that holds it.
    pub from: Spanned<String>,
}

/// The container of a sidecar: what it runs, and what it is given.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its image.
    pub image: Option<Spanned<String>>,
    /// Its arguments; none are the image's own.
    pub command: Vec<Spanned<String>>,
    /// The user that it runs as; without one, the image's own.
    pub run_as: Option<Spanned<String>>,
    /// Where it listens.
    pub port: Option<Port>,
    /// How to tell that it is ready.
    pub health: Option<Health>,
    /// Its own environment.
    pub env: Vec<Variable>,
    /// The secrets that it sees as files.
    pub secrets: Vec<SecretFile>,
    /// What outlives it.
    pub volumes: Vec<Volume>,
    /// What it may write to in memory.
    pub tmpfs: Vec<Spanned<String>>,
    /// The Linux capabilities that it keeps.
    pub capabilities: Vec<Spanned<String>>,
    /// Why the agent cannot make it dial, if the spec says so.
    pub no_relay: Option<Spanned<String>>,
    /// That it is an MCP server, if the spec says so.
    pub mcp: Option<ServesMcp>,
    /// What the agent learns of it.
    pub exposes: Vec<Expose>,
}

/// What a container may have of its host; without one, the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Memory in MiB.
    pub memory: Option<Spanned<u32>>,
    /// Processors.
    pub cpus: Option<Spanned<u16>>,
    /// Processes and threads.
    pub processes: Option<Spanned<u32>>,
}

impl Limits {
    /// The limits that a sidecar's node has in it.
    pub(super) fn of(sidecar: Node<'_>) -> Self {
        let Some(node) = child(sidecar, "limits") else { return Self::default() };
        let memory = text_property(node, "memory").and_then(|it| it.filter_map(|text| mebibytes(&text)));
        Self { memory, cpus: number_property(node, "cpus"), processes: number_property(node, "processes") }
    }

    /// Lays `over` on top: of each the last one wins.
    pub(super) fn merge(self, over: Self) -> Self {
        let Self { memory, cpus, processes } = over;
        Self {
            memory: memory.or(self.memory),
            cpus: cpus.or(self.cpus),
            processes: processes.or(self.processes),
        }
    }
}

/// A `sidecar` as it is written.
#[derive(Clone, Debug)]
pub struct Sidecar {
    /// Its name.
    pub name: Spanned<Name>,
    /// The place of its `port` node, which may hold no valid port.
    pub port_node: Option<Span>,
    /// What must run before it.
    pub needs: Vec<Spanned<Name>>,
    /// What it may have of the host.
    pub limits: Limits,
    /// What it runs.
    pub service: Service,
}

impl Sidecar {
    pub(super) fn decode(node: Node<'_>) -> Option<Self> {
        Some(Self {
            name: first_argument(node)?,
            port_node: child(node, "port").map(Node::name_span),
            needs: children(node, "needs").flat_map(arguments).collect(),
            limits: Limits::of(node),
            service: Service::decode(node),
        })
    }

    /// How many nodes it is made of, more or less.
    #[must_use]
    pub fn weight(&self) -> usize {
        let Self { name: _, port_node: _, needs, limits: _, service } = self;
        let Service { command, env, secrets, volumes, tmpfs, capabilities, exposes, .. } = service;
        let lists = needs.len() + command.len() + env.len() + secrets.len() + volumes.len();
        lists + tmpfs.len() + capabilities.len() + exposes.len() + 1
    }
}

impl Service {
    fn decode(node: Node<'_>) -> Self {
        let port =
            |port| Some(Port { number: number_argument(port)?, scheme: text_property(port, "scheme") });
        let expose =
            |expose| Some(Expose { variable: first_argument(expose)?, path: text_property(expose, "path") });
        let secret = |secret| {
            Some(SecretFile { name: first_argument(secret)?, from: text_property(secret, "from-file")? })
        };
        let mcp =
            |mcp: Node<'_>| Some(ServesMcp { node: mcp.name_span(), path: text_property(mcp, "path")? });
        Self {
            image: text_property(node, "image"),
            command: child(node, "command").into_iter().flat_map(arguments).collect(),
            run_as: child(node, "run-as").and_then(first_argument),
            port: child(node, "port").and_then(port),
            health: child(node, "health").map(Health::decode),
            env: children(node, "env").flat_map(Variable::decode_all).collect(),
            secrets: children(node, "secret").filter_map(secret).collect(),
            volumes: children(node, "volume").filter_map(Volume::decode).collect(),
            tmpfs: children(node, "tmpfs").flat_map(arguments).collect(),
            capabilities: children(node, "capability").flat_map(arguments).collect(),
            no_relay: child(node, "no-relay").and_then(|node| text_property(node, "reason")),
            mcp: child(node, "mcp").and_then(mcp),
            exposes: children(node, "expose").filter_map(expose).collect(),
        }
    }
}

impl Health {
    fn decode(node: Node<'_>) -> Self {
        Self {
            node: node.name_span(),
            command: arguments(node).collect(),
            interval: number_property(node, "interval"),
            timeout: number_property(node, "timeout"),
            retries: number_property(node, "retries"),
            start: number_property(node, "start"),
        }
    }
}

impl Volume {
    fn decode(node: Node<'_>) -> Option<Self> {
        let mut given = arguments(node);
        let source = given.next()?;
        let kind = if is_host_path(&source.value) { VolumeSource::Host } else { VolumeSource::Named };
        Some(Self {
            source: Spanned { value: kind(source.value), span: source.span },
            target: given.next()?,
            writable: access(node, source.span),
        })
    }
}
