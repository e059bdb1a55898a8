//! smolmachines: one smolvm microVM a bottle, confined by the engine's own allow list, and its bundle as containers.

pub mod commands;
pub mod compose;
pub mod machine;
pub mod names;
pub mod provision;
pub mod smolfile;

use super::{Confinement, Target, common};
use crate::lower::plan_json::{self, Launch, Made, Resources, Steps};
use crate::lower::{Draft, Mode, agent_env, broker, git_gate, mcp, pipelock, supervise, trust};
use crate::plan::Plan;
use crate::world::engine::SMOLVM;
use crate::world::{backend, builtin};

pub(super) const TARGET: Target = Target {
    name: backend::DEFAULT,
    programs: &[SMOLVM],
    lower,
    launch,
    made_from: compose::made_from,
    keeper: "the engine",
    allowed: |plan| smolfile::allow_cidr(plan).value,
    confinement: &[Confinement {
        path: smolfile::PATH,
        judge: |text, facts| smolfile::judge(text, facts.bundle),
    }],
    shown: &[smolfile::PATH, agent_env::PATH, plan_json::PATH],
};

fn lower(plan: &Plan, draft: &mut Draft) {
    let (of_agent, of_bundle): (Vec<_>, Vec<_>) =
        plan.secrets().partition(|secret| secret.receiver == builtin::AGENT);
    let [agent, bundle] = [!of_agent.is_empty(), !of_bundle.is_empty()].map(Mode::of_secrets);
    smolfile::lower(plan, agent, draft);
    agent_env::lower(plan, agent, draft);
    trust::lower(plan, draft);
    pipelock::lower(plan, draft);
    git_gate::lower(plan, draft);
    supervise::lower(plan, draft);
    broker::lower(plan, draft);
    mcp::lower(plan, draft);
    // Its containers say what they are shown of the stage.
    compose::lower(plan, bundle, draft);
}

fn launch(plan: &Plan) -> Launch {
    Launch {
        smolfile_path: Some(smolfile::PATH.to_owned()),
        images: plan.sidecars.iter().map(|sidecar| common::image(plan, sidecar)).collect(),
        provision: provision::files(plan),
        resources: Made::Host(Resources {
            container_engine: plan.container_engine.with(plan.container_engine.program().to_owned()),
            machine: names::machine(plan),
            network: names::network(plan),
            project: names::project(plan),
            containers: plan
                .sidecars
                .iter()
                .map(|sidecar| sidecar.name.as_str())
                .chain([builtin::BUNDLE])
                .map(|name| (name.to_owned(), names::container(plan, name)))
                .collect(),
            volumes: names::volumes(plan),
        }),
        commands: Steps::Host(Box::new(commands::lower(plan))),
    }
}
