//! The plan of one bottle: everything that lowering needs, decided, and nothing else.
//!
//! Each leaf is [`Traced`]: it knows the lines of the specs that decided it, or why the compiler did. What a part of
//! `plan.json` says is what the type of it here says, which is read back by who compares stages.

mod agent;
mod broker;
mod cluster;
mod egress;
mod guards;
mod machine;
mod planner;
mod secret;
mod sidecar;
mod traced;

pub use agent::{PlannedAgent, PlannedMcpFile};
pub(crate) use broker::exposed as exposed_credentials;
pub use broker::{PlannedCredential, PlannedLogin, PlannedRequests};
pub use cluster::PlannedCluster;
pub use egress::{PlannedEgress, PlannedHost, PlannedPattern, PlannedTls};
pub use guards::{Answered, PlannedExpectation};
pub use machine::{PlannedMachine, PlannedMachineVolume, PlannedPort};
pub(crate) use planner::url;
pub use planner::{Context, plan};
pub use secret::{Purpose, SecretUse};
pub use sidecar::{Container, PlannedHealth, PlannedLimits, PlannedSidecar, PlannedVolume};
pub use traced::{Origin, Origins, TRACED, Traced};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::VariableValue;
use crate::world::catalogue;
use crate::world::cluster as cluster_gap;
use crate::world::container::ContainerEngine;
use crate::world::engine::{BootKind, Gap, SecretRoute, Version};
use crate::world::network::Addresses;

/// An engine and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Engine")]
pub struct PlannedEngine {
    /// The engine's name, which is its program's.
    pub name: Traced<String>,
    /// The version, as `major.minor.patch`.
    pub version: Traced<Version>,
}

/// What the agent boots from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Boot")]
pub struct PlannedBoot {
    /// `artifact`, `image` or `rootfs`.
    pub kind: BootKind,
    /// A path, relative to the stage's directory unless the spec gives an absolute one, or an image reference.
    pub source: String,
}

/// A variable: one of `value`, `from_env` and `from_file` is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Variable")]
pub struct PlannedVariable {
    /// What it holds.
    #[serde(flatten)]
    pub value: VariableValue,
    /// The line that says so, as `file:line`, or `computed`.
    pub origin: String,
}

/// Variables, by name.
pub type Variables = BTreeMap<String, Traced<PlannedVariable>>;

/// A repository behind git-gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Repo")]
pub struct PlannedRepo {
    /// What the agent calls it.
    pub name: Traced<String>,
    /// Whether the agent may push to it.
    #[serde(default = "PlannedRepo::writable")]
    pub writable: Traced<bool>,
    /// Where it is.
    #[serde(flatten)]
    pub source: PlannedSource,
}

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "RepoSource")]
pub enum PlannedSource {
    /// At an upstream.
    Upstream(PlannedUpstream),
    /// On the host.
    Local(PlannedLocal),
}

/// A repository at an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UpstreamRepo")]
pub struct PlannedUpstream {
    /// Where it is.
    pub url: Traced<String>,
    /// The private key on the host.
    pub identity: Traced<String>,
    /// The upstream's host keys.
    pub host_keys: Vec<Traced<String>>,
}

/// A repository on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LocalRepo")]
pub struct PlannedLocal {
    /// Its path: from `~/` on, absolute, or relative to the stage's directory.
    pub path: Traced<String>,
    /// The variable by which `compose.yaml` is told where its git directory is: the one that its work trees share.
    pub variable: Traced<String>,
    /// Where git-gate sees that directory, read-only.
    pub mount: Traced<String>,
}

impl PlannedRepo {
    /// Of a plan that does not say it.
    fn writable() -> Traced<bool> {
        Traced::default_setting(true)
    }

    /// Returns the upstream, when it is at one.
    #[must_use]
    pub fn upstream(&self) -> Option<&PlannedUpstream> {
        match &self.source {
            PlannedSource::Upstream(upstream) => Some(upstream),
            PlannedSource::Local(_) => None,
        }
    }

    /// Returns the repository on the host, when it is there.
    #[must_use]
    pub fn local(&self) -> Option<&PlannedLocal> {
        match &self.source {
            PlannedSource::Upstream(_) => None,
            PlannedSource::Local(local) => Some(local),
        }
    }

    /// Returns where it is, in a line: its URL, or its path.
    #[must_use]
    pub fn place(&self) -> &Traced<String> {
        match &self.source {
            PlannedSource::Upstream(upstream) => &upstream.url,
            PlannedSource::Local(local) => &local.path,
        }
    }
}

/// Who commits are by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GitUser")]
pub struct PlannedAuthor {
    /// The author's name.
    pub name: Traced<String>,
    /// The author's mail address.
    pub email: Traced<String>,
}

/// Repositories behind git-gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Git")]
pub struct PlannedGit {
    /// Who commits are by.
    pub user: Traced<Option<PlannedAuthor>>,
    /// The repositories, by name.
    pub repos: Vec<Traced<PlannedRepo>>,
    /// What looks for secrets in what is pushed; null when there is no repository.
    pub scanner: Traced<Option<String>>,
    /// The image of git-gate; null when there is no repository, or when `git-gate/Containerfile` makes it.
    pub image: Traced<Option<String>>,
}

/// The supervise sidecar's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSupervise {
    /// The queue's directory on the host: from `~/` on, absolute, or relative to the stage's directory.
    pub queue: Traced<String>,
    /// The image that the server runs in.
    pub image: Traced<String>,
}

/// A spec that the plan was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Everything that one bottle becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The bottle's name.
    pub slug: Traced<String>,
    /// What runs it.
    pub backend: Traced<String>,
    /// Its place in a cluster, when one runs it.
    pub cluster: Option<PlannedCluster>,
    /// The engine that it is compiled for.
    pub engine: PlannedEngine,
    /// Its addresses.
    pub addresses: Traced<Addresses>,
    /// What the agent boots from; nothing is the engine's bare system.
    pub boot: Traced<Option<PlannedBoot>>,
    /// What its machine has of the host.
    pub machine: PlannedMachine,
    /// The program that works in it, when the spec says.
    pub agent: Traced<Option<PlannedAgent>>,
    /// The agent's environment, computed and the user's.
    pub env: Variables,
    /// What runs the bundle's containers.
    pub container_engine: Traced<ContainerEngine>,
    /// The bundle, in the order in which it starts: by wave, then by name. Each comes from what asks for it.
    pub sidecars: Vec<Traced<PlannedSidecar>>,
    /// What the agent may reach.
    pub egress: PlannedEgress,
    /// Its repositories.
    pub git: PlannedGit,
    /// How it asks a human, when it may.
    pub supervise: Traced<Option<PlannedSupervise>>,
    /// What the broker holds in the agent's place, by name.
    pub credentials: Vec<Traced<PlannedCredential>>,
    /// The image of the broker, which runs when there is a credential.
    pub broker_image: Traced<String>,
    /// The image of pipelock.
    pub pipelock_image: Traced<String>,
    /// What the spec answers for, by rule.
    pub accepted: Vec<Traced<Answered>>,
    /// What the spec allows, by rule: in the bottle, in the profiles that it extends, and at the top of the files.
    pub lint_allowed: Vec<Traced<Answered>>,
    /// What is denied to the bottle, by rule: by itself, by the profiles that it extends, and at the top of the files.
    pub lint_denied: Vec<Traced<Answered>>,
    /// Tests of the policy, by target.
    pub expectations: Vec<Traced<PlannedExpectation>>,
    /// The sources that it was made of, by name.
    pub sources: Traced<BTreeMap<String, Source>>,
}

impl Plan {
    /// Where the engine breaks the promise that the agent may dial the bundle and nothing else, the worst first: the
    /// spec accepts each.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        if self.cluster.is_some() {
            return Vec::new();
        }
        Gap::of(*self.engine.version, self.boot_kind())
    }

    /// Returns which programs of the machine get the agent's secrets.
    #[must_use]
    pub fn secret_route(&self) -> SecretRoute {
        SecretRoute::of(*self.engine.version, self.boot_kind())
    }

    /// Returns what its cluster leaves open, the worst first; nothing where no cluster runs it.
    pub fn cluster_gaps(&self) -> impl Iterator<Item = cluster_gap::Gap> {
        self.cluster.iter().flat_map(|cluster| cluster_gap::Gap::of(&cluster.runtime_class))
    }

    fn boot_kind(&self) -> Option<BootKind> {
        self.boot.as_ref().map(|boot| boot.kind)
    }

    /// Returns the agent of the catalogue that the built-in profile names of which the bottle has its agent.
    #[must_use]
    pub fn known_agent(&self) -> Option<&str> {
        let PlannedAgent { program, mcp, api_key, trust, requires } = self.agent.as_ref()?;
        let lists = [program, trust, requires].into_iter().flatten().map(|text| &text.origins);
        let origins = lists.chain([&mcp.origins, &api_key.origins]);
        origins.flat_map(Origins::all).find_map(|origin| match origin {
            Origin::Spec { source, .. } => Some(catalogue::of_agent(catalogue::word_at(source)?)?.word),
            Origin::Compiler(_) => None,
        })
    }

    /// Returns what asks for a sidecar. Nothing asks for pipelock, nor for the container that owns the address.
    #[must_use]
    pub fn asked(&self, sidecar: &str) -> Origins {
        let found = self.sidecars.iter().find(|it| *it.name == *sidecar);
        found.map_or_else(Origins::fixed, |sidecar| sidecar.origins.clone())
    }
}
