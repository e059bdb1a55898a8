//! `plan.json`: everything that a launcher or a reviewer needs to know of a stage.
//!
//! `schemas/plan.schema.json` is made from these types, and from those of the plan that they hold.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draft::{Draft, Markup};
use super::{Mode, agent_env, mcp, sums, supervise};
use crate::plan::{
    Answered, Container, Origin, Origins, Plan, PlannedAgent, PlannedBoot, PlannedCluster, PlannedCredential,
    PlannedEgress, PlannedEngine, PlannedExpectation, PlannedGit, PlannedLimits, PlannedMachine,
    PlannedSidecar, Source, Traced, Variables,
};
use crate::world::builtin;

/// Its path in the stage.
pub const PATH: &str = "plan.json";

/// The version of the format. It grows when a reader of the old one could misread the new one.
pub const FORMAT: u32 = 2;

/// The plan of one bottle: what is made, what it may reach, how it is launched and undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "bottlec plan")]
pub struct PlanJson<'a> {
    /// The version of this format.
    pub format: u32,
    /// The bottle's name.
    pub slug: Cow<'a, Traced<String>>,
    /// What runs the bottle.
    pub backend: Cow<'a, Traced<String>>,
    /// What the stage is compiled for.
    pub engine: Cow<'a, PlannedEngine>,
    /// Its place in a cluster; left out where none runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cow<'a, PlannedCluster>>,
    /// The bottle's own network, as a CIDR; in a cluster, the range of its Services.
    pub bundle_subnet: Traced<String>,
    /// The host's address on that network; left out in a cluster, which has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle_gateway: Option<Traced<String>>,
    /// The one address that the agent may dial.
    pub bundle_ip: Traced<String>,
    /// The Smolfile, relative to the stage's directory; left out where no smolvm runs the bottle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smolfile_path: Option<String>,
    /// The agent's environment file, relative to the stage's directory.
    pub agent_env_path: String,
    /// What the agent boots from; null is the engine's bare system.
    pub boot: Cow<'a, Traced<Option<PlannedBoot>>>,
    /// What the machine has of the host beyond its bundle; left out where that is nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub machine: Cow<'a, PlannedMachine>,
    /// The program that works in the machine, and what it reads; left out where the spec does not say.
    #[serde(default = "no_agent", skip_serializing_if = "is_nobody")]
    pub agent: Cow<'a, Traced<Option<PlannedAgent>>>,
    /// The bundle, in the order in which it starts: by wave, then by name.
    pub sidecars: Vec<Traced<Sidecar<'a>>>,
    /// Who starts together, wave by wave; the agent comes last.
    pub start_order: Vec<Vec<Traced<String>>>,
    /// The same, reversed.
    pub stop_order: Vec<Vec<Traced<String>>>,
    /// The agent's environment, by name.
    pub agent_env: Cow<'a, Variables>,
    /// The files that the machine needs before the agent starts.
    pub provision: Vec<Traced<Provision>>,
    /// What the agent may reach beyond the bundle.
    pub egress: Cow<'a, PlannedEgress>,
    /// Repositories behind git-gate.
    pub git: Cow<'a, PlannedGit>,
    /// What the broker holds in the agent's place, by name; left out where there is nothing.
    #[serde(default, skip_serializing_if = "no_credentials")]
    pub credentials: Cow<'a, [Traced<PlannedCredential>]>,
    /// How the agent asks a human; null when it may not.
    pub supervise: Traced<Option<Supervise>>,
    /// What the spec answers for: rules that it breaks, each with the reason.
    pub accepted: Cow<'a, [Traced<Answered>]>,
    /// Rules whose findings the spec does not want shown, each with the reason.
    #[serde(default)]
    pub lint_allowed: Cow<'a, [Traced<Answered>]>,
    /// Rules whose findings are errors here, whatever they are elsewhere, each with the reason if there is one.
    #[serde(default)]
    pub lint_denied: Cow<'a, [Traced<Answered>]>,
    /// Tests of the policy, all of which hold.
    #[serde(default)]
    pub expectations: Cow<'a, [Traced<PlannedExpectation>]>,
    /// The name of everything that is made.
    pub resources: Made,
    /// Argument vectors to run in the stage's directory, without a shell.
    pub commands: Steps,
    /// The specs that the plan was made of, by name.
    pub sources: Cow<'a, Traced<BTreeMap<String, Source>>>,
    /// Every file of the stage, this one among them, by path. Their digests are in `SHA256SUMS`.
    pub files: BTreeMap<String, Traced<File>>,
}

fn is_default(machine: &PlannedMachine) -> bool {
    machine.is_default()
}

fn no_agent<'a>() -> Cow<'a, Traced<Option<PlannedAgent>>> {
    Cow::Owned(Traced::default_setting(None))
}

fn no_credentials(credentials: &[Traced<PlannedCredential>]) -> bool {
    credentials.is_empty()
}

fn is_nobody(agent: &Traced<Option<PlannedAgent>>) -> bool {
    agent.is_none()
}

/// One sidecar of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sidecar<'a> {
    /// Its name.
    pub name: Cow<'a, Traced<String>>,
    /// Whether it comes with every bundle of its kind, or is the spec's own.
    pub built_in: bool,
    /// The image that it runs, by its whole name; one below `localhost/` is made from the stage.
    pub image: Traced<String>,
    /// The container of a sidecar of the spec's own.
    pub container: Option<Cow<'a, Traced<Container>>>,
    /// The address that it listens on.
    pub address: Traced<String>,
    /// The port that it listens on.
    pub port: Cow<'a, Traced<Option<u16>>>,
    /// Its URL.
    pub url: Cow<'a, Traced<Option<String>>>,
    /// The URL at which it is an MCP server; left out where the spec does not say that it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Cow<'a, Traced<String>>>,
    /// What starts before it.
    pub needs: Cow<'a, [Traced<String>]>,
    /// The wave that it starts in, from 0 on.
    pub wave: Cow<'a, Traced<usize>>,
    /// What its container may have of the host.
    pub limits: Cow<'a, PlannedLimits>,
}

/// How the agent asks a human, over MCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Supervise {
    /// The image that the server runs in.
    pub image: Traced<String>,
    /// The directory on the host of proposals, decisions and the audit log: from `~/` on, absolute, or relative to the
    /// stage's directory.
    pub queue: Traced<String>,
    /// The server's configuration, relative to the stage's directory.
    pub config_path: String,
    /// The entry that MCP clients read, relative to the stage's directory.
    pub mcp_config_path: String,
    /// The argument vector that makes the same entry, to run as the agent's user in its machine.
    pub mcp_add: Vec<Traced<String>>,
}

/// The name of everything that is made on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// The program that runs the containers.
    pub container_engine: Traced<String>,
    /// The microVM.
    pub machine: Traced<String>,
    /// The bundle's bridge network.
    pub network: Traced<String>,
    /// What Compose calls the bundle as a whole.
    pub project: Traced<String>,
    /// The container of each sidecar by the sidecar's name, and of `bundle`, which owns the address.
    pub containers: BTreeMap<String, Traced<String>>,
    /// The volumes, by what `compose.yaml` calls them.
    pub volumes: BTreeMap<String, Traced<String>>,
}

/// A program and its arguments.
pub type Command = Vec<Traced<String>>;

/// Argument vectors to run in the stage's directory, without a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commands {
    /// Makes the bundle, in this order; it may not be ready yet. The machine comes after it.
    pub bundle: Vec<Command>,
    /// Shows the bundle's containers, as JSON: what they were made from, whether they run and are healthy.
    pub inspect: Command,
    /// Lists the names of all containers of the bottle's, those of an older plan among them, a line each.
    pub containers: Command,
    /// Shows the bundle's network, as JSON.
    pub network: Command,
    /// Lists the names of all volumes of the bottle's, likewise.
    pub volumes: Command,
    /// Lists the machines, as JSON; null where the engine cannot.
    pub machines: Traced<Option<Command>>,
    /// Makes the machine.
    pub create: Command,
    /// Starts it.
    pub start: Command,
    /// Copies files into the running machine, in this order: see `provision`. None where the engine cannot. A word from
    /// `~/` on is seen from the home of who launches.
    pub provision: Vec<Command>,
    /// Brings the repositories into the running machine, each if it is not there.
    pub checkouts: Vec<Checkout>,
    /// Runs a program in it, with the secrets that the machine does not keep: the program and its arguments follow.
    pub exec: Command,
    /// The same, with the terminal that it is run in.
    pub attach: Command,
    /// Lists the connections that the engine refused; null where the engine cannot.
    pub denials: Traced<Option<Command>>,
    /// Variables of the host by which the engine would open a way past the bundle, or refuse it: every command is run
    /// without them.
    pub unset: Vec<Traced<String>>,
    /// Variables by which the engine confines itself: every command is run with them.
    #[serde(default)]
    pub set: BTreeMap<String, Traced<String>>,
    /// Stops everything, in this order; what was written stays, and so do the machine and the containers.
    pub stop: Vec<Command>,
    /// Removes the machine, the containers and the network, in this order; a step that finds nothing to undo is no
    /// failure. What the bundle keeps in volumes stays, such as what was pushed.
    pub cleanup: Vec<Command>,
    /// Removes what is left after that, in this order: the bundle's volumes, and images that were made from the stage.
    pub purge: Vec<Command>,
}

/// What is made, wherever the bottle runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Made {
    /// On this host.
    Host(Resources),
    /// In a cluster.
    Cluster(ClusterResources),
}

/// How it is made and undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Steps {
    /// On this host.
    Host(Box<Commands>),
    /// In a cluster.
    Cluster(Box<ClusterCommands>),
}

/// The names of what a bottle has in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterResources {
    /// The namespace, in which all of it is.
    pub namespace: Traced<String>,
    /// The level of Pod Security that the namespace enforces.
    pub pod_security: Traced<String>,
    /// The Secrets and ConfigMaps that who launches makes, since no file of the stage holds what is in them.
    pub inputs: Vec<Traced<Input>>,
    /// The volumes that outlive its Pods, by the claim's name.
    pub volumes: Vec<Traced<String>>,
}

/// An object that who launches makes of what the host has. What it holds is at its one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `secret` or `configmap`.
    pub kind: InputKind,
    /// Its name.
    pub name: String,
    /// Whose it is, and what it is to that: for people.
    pub what: String,
    /// Where what it holds is from.
    pub from: InputSource,
}

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// A Secret.
    Secret,
    /// A ConfigMap, of what is no secret.
    ConfigMap,
}

/// Where an object's text is from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InputSource {
    /// A variable of the host's.
    Env(String),
    /// A file of the host's, as it is: from `~/` on, absolute, or relative to the stage's directory.
    File(String),
    /// A file of the host's, without the ends of lines at its end: it becomes a variable.
    Text(String),
    /// The launch's token, which who launches makes.
    Token,
    /// A user's login, in the form of a header: `base64(user:…)` of what another source gives.
    Login(InputLogin),
}

/// A user, and where the password is from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputLogin {
    /// The user.
    pub user: String,
    /// Where the password is from.
    pub password: Box<InputSource>,
}

/// Argument vectors to run in the stage's directory, without a shell. What a step needs on its standard input is said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterCommands {
    /// Make the namespace and its policies, before anything can run in it.
    pub confine: Vec<Command>,
    /// Print each input as an object, in the order of `inputs`: what it holds is read from standard input.
    pub inputs: Vec<Command>,
    /// Takes what is printed so, on its standard input.
    pub take: Command,
    /// Makes all the rest.
    pub apply: Vec<Command>,
    /// Wait until it is ready: the bundle first.
    pub wait: Vec<Command>,
    /// Runs a program in the agent's container: the program and its arguments follow.
    pub exec: Command,
    /// The same, with the terminal that it is run in.
    pub attach: Command,
    /// Shows what there is.
    pub status: Command,
    /// Ask whether the cluster has what it takes.
    pub check: Vec<Command>,
    /// Shows what the bundle says.
    pub logs: Command,
    /// Answers what the agent asks for; empty when it may not ask.
    pub answer: Command,
    /// Makes new Pods, which read a Secret that is another one.
    pub restart: Vec<Command>,
    /// Stops everything; what was written stays.
    pub stop: Vec<Command>,
    /// Removes the Pods; what the bundle keeps in volumes stays, and so do the policies.
    pub cleanup: Vec<Command>,
    /// Removes the namespace with all that is in it.
    pub purge: Vec<Command>,
}

/// A plan of a bottle that this host runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "PlanJson<'static>", into = "PlanJson<'static>")]
pub struct HostPlan {
    /// The name of everything that is made.
    pub resources: Resources,
    /// Argument vectors.
    pub commands: Commands,
    plan: PlanJson<'static>,
}

impl Deref for HostPlan {
    type Target = PlanJson<'static>;

    fn deref(&self) -> &PlanJson<'static> {
        &self.plan
    }
}

impl HostPlan {
    /// Reads a `plan.json` of a bottle that this host runs.
    ///
    /// # Errors
    /// When it is none, of another format, or of a bottle of a cluster.
    pub fn read(json: &[u8]) -> Result<Self, ReadError> {
        PlanJson::read(json)?.try_into()
    }
}

impl TryFrom<PlanJson<'static>> for HostPlan {
    type Error = ReadError;

    fn try_from(plan: PlanJson<'static>) -> Result<Self, ReadError> {
        match (plan.resources.clone(), plan.commands.clone()) {
            (Made::Host(resources), Steps::Host(commands)) => {
                Ok(Self { resources, commands: *commands, plan })
            }
            _ => Err(ReadError::Cluster),
        }
    }
}

impl From<HostPlan> for PlanJson<'static> {
    fn from(plan: HostPlan) -> Self {
        plan.plan
    }
}

/// How a repository gets into the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkout {
    /// The repository.
    pub repo: Traced<String>,
    /// Its directory in the machine.
    pub path: String,
    /// Succeeds when that is there.
    pub exists: Command,
    /// Clones it from git-gate.
    pub clone: Command,
}

/// A file to copy into the machine after it was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// The file on the host, from the stage's directory on; from `~/` on it is the home of who launches.
    pub source: String,
    /// Where it goes in the machine.
    pub target: String,
    /// Its permissions there, in octal; it is root's.
    pub mode: String,
}

/// A file of the stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its permissions, in octal.
    pub mode: String,
}

/// Why a text is no plan.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not of this format.
    #[error("it is a plan of format {0}, and this is format {FORMAT}")]
    Format(u32),
    /// It is of a bottle that this host does not run.
    #[error("it is the plan of a bottle in a cluster")]
    Cluster,
    /// It is no plan, or one of another version of bottlec.
    #[error("it is no plan as this version writes it: {0}")]
    Json(#[from] serde_json::Error),
}

impl PlanJson<'static> {
    /// Reads a `plan.json`.
    ///
    /// # Errors
    /// When it is none, or of another format.
    pub fn read(json: &[u8]) -> Result<Self, ReadError> {
        let plan: Self = serde_json::from_slice(json)?;
        if plan.format != FORMAT {
            return Err(ReadError::Format(plan.format));
        }
        Ok(plan)
    }
}

/// The launch of a plan, as a backend does it.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The path of the Smolfile in the stage, where there is one.
    pub smolfile_path: Option<String>,
    /// The image of each sidecar of the plan, by its whole name, in the plan's order.
    pub images: Vec<Traced<String>>,
    /// The files that the machine needs before the agent starts.
    pub provision: Vec<Traced<Provision>>,
    /// The name of everything that is made.
    pub resources: Made,
    /// Argument vectors.
    pub commands: Steps,
}

impl Launch {
    /// Returns what is made on this host, and how, where that is who runs the bottle.
    #[must_use]
    pub fn on_host(self) -> Option<(Resources, Commands)> {
        match (self.resources, self.commands) {
            (Made::Host(resources), Steps::Host(commands)) => Some((resources, *commands)),
            _ => None,
        }
    }

    /// Returns what is made in a cluster, and how, likewise.
    #[must_use]
    pub fn in_cluster(self) -> Option<(ClusterResources, ClusterCommands)> {
        match (self.resources, self.commands) {
            (Made::Cluster(resources), Steps::Cluster(commands)) => Some((resources, *commands)),
            _ => None,
        }
    }
}

/// Adds the file, which has the mode `own`; those of the stage are there, but for the last two.
pub(crate) fn lower(plan: &Plan, launch: Launch, own: Mode, draft: &mut Draft) {
    let json = plan_json(plan, launch, files(own, draft));
    draft.document(PATH, own, Origins::fixed(), Markup::Json, &json);
}

fn plan_json(plan: &Plan, launch: Launch, files: BTreeMap<String, Traced<File>>) -> PlanJson<'_> {
    let Launch { smolfile_path, images, provision, resources, commands } = launch;
    let Plan {
        slug,
        backend,
        engine,
        cluster,
        addresses,
        boot,
        machine,
        agent,
        env,
        // Whose program it is, the launcher is told.
        container_engine: _,
        sidecars,
        egress,
        git,
        supervise,
        credentials,
        // That of its sidecar.
        broker_image: _,
        pipelock_image: _,
        accepted,
        lint_allowed,
        lint_denied,
        expectations,
        sources,
    } = plan;
    let start_order = start_order(sidecars);
    PlanJson {
        format: FORMAT,
        slug: Cow::Borrowed(slug),
        backend: Cow::Borrowed(backend),
        engine: Cow::Borrowed(engine),
        bundle_subnet: addresses.with(addresses.subnet().to_string()),
        cluster: cluster.as_ref().map(Cow::Borrowed),
        bundle_gateway: addresses.gateway().map(|gateway| addresses.with(gateway.to_string())),
        bundle_ip: addresses.with(addresses.bundle().to_string()),
        smolfile_path,
        agent_env_path: agent_env::PATH.to_owned(),
        boot: Cow::Borrowed(boot),
        machine: Cow::Borrowed(machine),
        agent: Cow::Borrowed(agent),
        sidecars: sidecars.iter().zip(images).map(|(planned, image)| sidecar(plan, planned, image)).collect(),
        stop_order: start_order.iter().rev().cloned().collect(),
        start_order,
        agent_env: Cow::Borrowed(env),
        provision,
        egress: Cow::Borrowed(egress),
        git: Cow::Borrowed(git),
        credentials: Cow::Borrowed(credentials),
        supervise: supervise.with(supervise.as_ref().map(|asks| Supervise {
            image: asks.image.clone(),
            queue: asks.queue.clone(),
            config_path: supervise::CONFIG_PATH.to_owned(),
            mcp_config_path: mcp::PATH.to_owned(),
            mcp_add: supervise::mcp_add(plan),
        })),
        accepted: Cow::Borrowed(accepted),
        lint_allowed: Cow::Borrowed(lint_allowed),
        lint_denied: Cow::Borrowed(lint_denied),
        expectations: Cow::Borrowed(expectations),
        resources,
        commands,
        sources: Cow::Borrowed(sources),
        files,
    }
}

/// Every file of the stage, the last two among them.
fn files(own: Mode, draft: &Draft) -> BTreeMap<String, Traced<File>> {
    static WHY: Origin = Origin::compiler("who may read or run a file of the stage");
    let why = Origins::compiler(&WHY);
    let file = |mode: Mode| File { mode: mode.octal().to_owned() };
    let last = [(PATH, own), (sums::PATH, Mode::Shared)]
        .map(|(path, mode)| (path.to_owned(), Traced::new(file(mode), why.clone())));
    let before = draft.modes().map(|(path, mode)| (path.clone(), mode.map(file).and(&why)));
    before.chain(last).collect()
}

fn sidecar<'a>(
    plan: &'a Plan,
    sidecar: &'a Traced<PlannedSidecar>,
    image: Traced<String>,
) -> Traced<Sidecar<'a>> {
    let PlannedSidecar { name, container, port, url, mcp, needs, wave, limits } = &sidecar.value;
    sidecar.with(Sidecar {
        name: Cow::Borrowed(name),
        built_in: container.is_none(),
        image,
        container: container.as_ref().map(Cow::Borrowed),
        address: plan.addresses.with(plan.addresses.bundle().to_string()),
        port: Cow::Borrowed(port),
        url: Cow::Borrowed(url),
        mcp: mcp.as_ref().map(Cow::Borrowed),
        needs: Cow::Borrowed(needs),
        wave: Cow::Borrowed(wave),
        limits: Cow::Borrowed(limits),
    })
}

/// What decides when a sidecar starts decides where it stands. The agent has a wave of its own.
fn start_order(sidecars: &[Traced<PlannedSidecar>]) -> Vec<Vec<Traced<String>>> {
    let mut waves: Vec<Vec<Traced<String>>> = Vec::new();
    for sidecar in sidecars {
        let PlannedSidecar { name, wave, .. } = &sidecar.value;
        if waves.len() <= **wave {
            waves.resize(**wave + 1, Vec::new());
        }
        waves[**wave].push(wave.with(name.value.clone()));
    }
    waves.push(vec![Traced::fixed(builtin::AGENT.to_owned())]);
    waves
}
