//! `agent.yaml`: the agent as one Pod under its RuntimeClass. It starts when the bundle answers and the policies were seen to
//! hold, with the repositories cloned; its container only waits, for whoever runs a program in it.

use std::collections::BTreeMap;

use super::inputs;
use super::pods::{
    Config, Container, DnsConfig, Mount, PodSecurityContext, PodSpec, Resources, SeccompProfile,
    SecurityContext, Variable, Volume, deployment, words,
};
use crate::backend::common::{GITCONFIG, WORK, directory, workdir};
use crate::lower::{Artifact, Constant, Draft, Markup, Mode, git_gate, mcp, trust};
use crate::model::VariableValue;
use crate::plan::{Origins, Plan, PlannedCluster, PlannedMachine, Traced};
use crate::world::builtin::{self, AGENT, PIPELOCK, SUPERVISE_IMAGE};
use crate::world::cluster::NOBODY;
use crate::world::container::qualified;
use crate::world::machine::{DEFAULT_CPUS, Mebibytes};

/// Its path in the stage.
pub(super) const PATH: &str = "agent.yaml";

/// The directory of the stage that its ConfigMap is made of.
const DIRECTORY: &str = "agent";
/// In it, what sees that the policies hold.
const CONFINED: &str = "confined.py";
static CONFINED_TEXT: Constant = Constant::new(include_str!("confined.py"));

/// Where the Pod sees that.
const BOTTLE: &str = "/bottle";
/// The container that runs it.
const CHECK: &str = "confined";
/// The disk of a machine whose spec asks for none.
const STORAGE: u32 = 20;

/// What the container does: nothing, until it is told to end.
const WAIT: &str = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done";
/// Clones a repository, unless it is there: a Pod whose node was started anew still has it.
const CLONE: &str = "test -e \"$2\" || exec git clone --quiet -- \"$1\" \"$2\"";

/// Adds what sees that the policies hold.
pub(super) fn check(draft: &mut Draft) {
    draft.constant(&format!("{DIRECTORY}/{CONFINED}"), Mode::Shared, Origins::fixed(), &CONFINED_TEXT);
}

/// The agent's configuration.
pub(super) fn config(files: &BTreeMap<String, Artifact>) -> Config {
    Config::of(AGENT, DIRECTORY, files)
}

fn resources(machine: &PlannedMachine) -> Resources {
    let PlannedMachine { cpus, memory_mib, storage_gib: _, gpu: _, volumes: _, published: _ } = machine;
    let cpu = cpus.with(cpus.unwrap_or(DEFAULT_CPUS).to_string());
    let memory = memory_mib.with(format!("{}Mi", memory_mib.unwrap_or(Mebibytes::DEFAULT).0));
    Resources::sure(&cpu, &memory, &storage(machine))
}

fn storage(machine: &PlannedMachine) -> Traced<String> {
    machine.storage_gib.with(format!("{}Gi", machine.storage_gib.as_ref().map_or(STORAGE, |size| size.0)))
}

/// The files that are put into the agent's container, each from a volume: where, and the file's name in it.
fn files(plan: &Plan) -> Vec<Traced<(String, String)>> {
    let place = |target: &str, path: &str| {
        let name = path.strip_prefix(DIRECTORY).unwrap_or(path).trim_start_matches('/');
        (target.to_owned(), name.to_owned())
    };
    let trust = trust::files(plan).map(|file| file.with(place(file.target, file.path)));
    let mcp: Vec<_> = mcp::files(plan)
        .into_iter()
        .map(|file| file.with(place(file.target, mcp::path(file.form))))
        .collect();
    let git = git_gate::asks_for_gitconfig(plan)
        .map(|asked| Traced::new(place(GITCONFIG, git_gate::GITCONFIG_PATH), asked));
    trust.chain(mcp).chain(git).collect()
}

/// Adds the file; the configuration is there.
pub(super) fn lower(plan: &Plan, cluster: &PlannedCluster, config: &Config, draft: &mut Draft) {
    let PlannedCluster { runtime_class, run_as, ports: _ } = cluster;
    let ours = Origins::fixed();
    // A bottle that boots from anything else is refused before a plan is made.
    let image = match plan.boot.given() {
        Some(boot) => boot.with(qualified(&boot.source)),
        None => Traced::default_setting(String::new()),
    };
    let user = || run_as.given().map(|user| user.with(*user.value));
    let mut volumes = vec![Traced::fixed(Volume::config(String::from("config"), config))];

    let mut check = Container::new(
        Traced::fixed(CHECK.to_owned()),
        Traced::fixed(SUPERVISE_IMAGE.to_owned()),
        Resources::sure(
            &Traced::fixed(String::from("100m")),
            &Traced::fixed(String::from("128Mi")),
            &Traced::fixed(String::from("64Mi")),
        ),
        SecurityContext::confined(Some(Traced::fixed(NOBODY)), false),
    );
    let port = builtin::find(PIPELOCK).map_or(0, |pipelock| pipelock.port).to_string();
    let script = format!("{BOTTLE}/{CONFINED}");
    check.command = words(&["python3", "-I", &script], &ours);
    check.command.extend(words(&[&plan.addresses.bundle().to_string()], &plan.addresses.origins));
    check.command.extend(words(&[&port], &ours));
    check.volume_mounts = vec![Traced::fixed(Mount::new("config", BOTTLE, false))];
    let mut init = vec![Traced::fixed(check)];

    let mut agent = Container::new(
        Traced::fixed(AGENT.to_owned()),
        image.clone(),
        resources(&plan.machine),
        SecurityContext::confined(user(), true),
    );
    agent.command = words(&["/bin/sh", "-c", WAIT], &ours);
    agent.working_dir = workdir(plan);
    agent.env = plan
        .env
        .iter()
        .map(|(name, variable)| {
            variable.with(match (&variable.value.value, inputs::of_variable(AGENT, name, variable)) {
                (_, Some(input)) => Variable::secret(name, &input),
                (VariableValue::Literal(value), None) => Variable::literal(name, value),
                (VariableValue::Secret(_), None) => Variable::literal(name, ""),
            })
        })
        .collect();
    for file in files(plan) {
        let (target, name) = &file.value;
        agent.volume_mounts.push(file.with(Mount::file("config", target, name)));
    }
    if let Some(tls) = plan.egress.tls.as_ref() {
        let input = inputs::of_trust(&tls.trust);
        let volume = Volume::files(String::from("trust"), vec![(String::from("ca.pem"), input.clone())]);
        agent.volume_mounts.push(input.with(Mount::file("trust", builtin::CA, "ca.pem")));
        volumes.push(input.with(volume));
    }
    let gate = plan.sidecars.iter().find(|sidecar| *sidecar.name == builtin::GIT_GATE);
    if let (Some(dir), Some(gate)) = (workdir(plan), gate.and_then(|gate| gate.url.given())) {
        volumes.push(dir.with(Volume::empty(String::from("work"), false, storage(&plan.machine))));
        agent.volume_mounts.push(dir.with(Mount::new("work", WORK, true)));
        for (at, repo) in plan.git.repos.iter().enumerate() {
            let name = repo.name.with(format!("clone-{at}"));
            let mut clone = Container::new(
                name,
                image.clone(),
                resources(&plan.machine),
                SecurityContext::confined(user(), true),
            );
            clone.command = words(&["/bin/sh", "-c", CLONE, "sh"], &ours);
            let url = format!("{}/{}", *gate, *repo.name);
            let here = directory(&repo.name);
            clone.command.extend(words(&[&url, &here], &repo.name.origins));
            // git wants a home that it can look into.
            clone.env = vec![Traced::fixed(Variable::literal("HOME", "/tmp"))];
            clone.volume_mounts = vec![repo.name.with(Mount::new("work", WORK, true))];
            init.push(repo.name.with(clone));
        }
    }
    let spec = PodSpec {
        runtime_class_name: Some(runtime_class.clone()),
        automount_service_account_token: false,
        enable_service_links: false,
        dns_policy: "None",
        // Nothing answers there: a Pod must have one.
        dns_config: DnsConfig {
            nameservers: vec![plan.addresses.with(plan.addresses.bundle().to_string())],
            options: Vec::new(),
        },
        security_context: PodSecurityContext {
            fs_group: run_as.given().map(|user| *user.value),
            seccomp_profile: SeccompProfile::OF_RUNTIME,
        },
        init_containers: init,
        containers: vec![Traced::fixed(agent)],
        volumes,
    };
    let heading = "# The agent's Pod. Generated; edit the spec instead.\n";
    draft.document(
        PATH,
        Mode::Shared,
        Origins::fixed(),
        Markup::Yaml(heading),
        &deployment(plan, AGENT, spec),
    );
}
