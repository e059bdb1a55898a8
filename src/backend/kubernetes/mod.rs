//! kubernetes: a namespace a bottle in a cluster. The bundle is one Pod behind a Service with a fixed address, the agent
//! another one under a RuntimeClass, and NetworkPolicies keep each to what it is given.

mod agent;
mod bundle;
mod commands;
mod inputs;
mod judge;
mod names;
mod object;
mod pods;
mod policy;
mod rest;

use std::collections::BTreeMap;

use super::{Confinement, Target};
use crate::lower::plan_json::{self, ClusterResources, Launch, Made, Steps};
use crate::lower::{Draft, Mode, agent_env, broker, git_gate, mcp, pipelock, supervise, trust};
use crate::plan::{Plan, Traced};
use crate::world::{backend, builtin, cluster};

pub(super) const TARGET: Target = Target {
    name: backend::KUBERNETES,
    programs: &[commands::KUBECTL],
    lower,
    launch,
    made_from: |_, _| BTreeMap::new(),
    keeper: "the namespace's policy",
    allowed,
    confinement: &[
        Confinement { path: agent::PATH, judge: judge::agent },
        Confinement { path: bundle::PATH, judge: judge::bundle },
        Confinement { path: rest::KUSTOMIZATION, judge: judge::kustomization },
        Confinement { path: rest::NAMESPACE, judge: judge::namespace },
        Confinement { path: policy::OF_AGENT, judge: judge::of_agent },
        Confinement { path: policy::OF_BUNDLE, judge: judge::of_bundle },
        Confinement { path: policy::DEFAULT, judge: judge::default },
        Confinement { path: rest::SERVICE, judge: judge::service },
    ],
    shown: &[policy::OF_AGENT, agent::PATH, plan_json::PATH],
};

/// The ports of the bundle's Pod that the agent may dial, as a person reads it.
fn allowed(plan: &Plan) -> String {
    let ports = plan.cluster.iter().flat_map(|cluster| &cluster.ports).map(ToString::to_string);
    format!("the bundle's Pod on TCP {}", ports.collect::<Vec<_>>().join(", "))
}

/// The names of the ConfigMaps that hold more than one may, each with how much it holds.
#[must_use]
pub fn too_large(plan: &Plan) -> Vec<(&'static str, usize)> {
    let mut draft = Draft::new(false);
    files(plan, &mut draft);
    let all = bundle::configs(plan, draft.files()).into_iter().map(|config| config.value);
    let all = all.chain([agent::config(draft.files())]);
    all.map(|config| (config.name, config.files.iter().map(|file| file.size + file.key.len()).sum()))
        .filter(|(_, size)| *size > cluster::MAX_CONFIG)
        .collect()
}

/// The list of all bottles of a run: its name, its first line, and the whole of it.
pub(super) fn index(slugs: Vec<Traced<String>>) -> (&'static str, &'static str, Vec<u8>) {
    let mut draft = Draft::new(false);
    rest::index(slugs, &mut draft);
    let file = draft.files().get(rest::KUSTOMIZATION).map(|file| file.bytes.to_vec());
    (rest::KUSTOMIZATION, rest::OF_RUN, file.unwrap_or_default())
}

/// The files that are the same for every backend, and the check that the agent's Pod begins with.
fn files(plan: &Plan, draft: &mut Draft) {
    let private = Mode::of_secrets(plan.secrets().any(|secret| secret.receiver == builtin::AGENT));
    agent_env::lower(plan, private, draft);
    trust::lower(plan, draft);
    pipelock::lower(plan, draft);
    git_gate::lower(plan, draft);
    supervise::lower(plan, draft);
    broker::lower(plan, draft);
    mcp::lower(plan, draft);
    agent::check(draft);
}

fn lower(plan: &Plan, draft: &mut Draft) {
    // A plan of this backend has a place in a cluster.
    let Some(place) = &plan.cluster else { return };
    files(plan, draft);
    let of_bundle = bundle::configs(plan, draft.files());
    let of_agent = agent::config(draft.files());
    let inside = policy::Inside::of(plan, place);
    let level = rest::pod_security(plan, place).map(|level| level.as_str().to_owned());
    rest::namespace(&inside, &level, draft);
    policy::lower(&inside, draft);
    rest::service(&inside, &plan.addresses.with(plan.addresses.bundle()), draft);
    rest::claims(plan, draft);
    bundle::lower(plan, &of_bundle, draft);
    agent::lower(plan, place, &of_agent, draft);
    let configs: Vec<_> = of_bundle.into_iter().chain([Traced::fixed(of_agent)]).collect();
    rest::kustomization(plan, &configs, draft);
}

fn launch(plan: &Plan) -> Launch {
    let level = plan.cluster.as_ref().map(|place| rest::pod_security(plan, place));
    let level = level.unwrap_or_else(|| Traced::fixed(cluster::PodSecurity::Baseline));
    Launch {
        smolfile_path: None,
        images: plan.sidecars.iter().map(|sidecar| super::common::image(plan, sidecar)).collect(),
        provision: Vec::new(),
        resources: Made::Cluster(ClusterResources {
            namespace: names::namespace(&plan.slug),
            pod_security: level.map(|level| level.as_str().to_owned()),
            inputs: inputs::all(plan),
            volumes: names::claims(plan)
                .into_iter()
                .map(|(claim, asked)| Traced::new(claim.to_owned(), asked))
                .collect(),
        }),
        commands: Steps::Cluster(Box::new(commands::lower(plan))),
    }
}
