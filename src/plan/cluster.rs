//! What a cluster is told of a bottle beyond what every backend is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Context, Origins, PlannedSidecar, Traced};
use crate::model::{Backend, Member};
use crate::resolve::members::Needs;

/// A bottle's place in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cluster")]
pub struct PlannedCluster {
    /// The RuntimeClass that the agent's Pod runs under.
    pub runtime_class: Traced<String>,
    /// The user that its container runs as; null is the image's own.
    pub run_as: Traced<Option<u32>>,
    /// The ports of the bundle that the agent is given, in order: it may dial no other.
    pub ports: Vec<Traced<u16>>,
}

/// The names of the sidecars of which the agent is told where they listen.
pub(super) fn given(members: &[Member<Needs>]) -> Vec<String> {
    members.iter().filter(|member| member.is_given()).map(|member| member.name.value.clone()).collect()
}

pub(super) fn cluster(
    backend: &Backend,
    sidecars: &[Traced<PlannedSidecar>],
    given: &[String],
    context: &Context<'_>,
) -> Option<PlannedCluster> {
    if !backend.is_cluster() {
        return None;
    }
    // Without one there is an error, and no plan beside it.
    let runtime_class = backend.runtime_class.clone()?;
    let of_given = sidecars.iter().filter(|sidecar| given.contains(&sidecar.name.value));
    let mut ports: Vec<Traced<u16>> =
        of_given.filter_map(|sidecar| Some(sidecar.port.with((*sidecar.port)?))).collect();
    ports.sort_by_key(|port| port.value);
    ports.dedup_by_key(|port| port.value);
    Some(PlannedCluster {
        runtime_class: context.traced(runtime_class),
        run_as: context.optional(backend.run_as),
        ports,
    })
}

/// What decides a bundle's address there besides its number.
pub(super) fn range_origins(backend: Option<&Backend>, context: &Context<'_>) -> Option<Origins> {
    let backend = backend.filter(|backend| backend.is_cluster())?;
    Some(context.origins(backend.services.map_or(backend.name.span, |services| services.span)))
}
