//! `plan.json`: everything that a launcher or a reviewer needs to know of a stage.
//!
//! Its types, which are the format, have a module of their own; here each is made from a plan.

pub mod format;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Artifact, Mode, agent_env, commands, compose, names, provision, smolfile, sums, supervise};
use crate::model::{Reference, VariableValue, VolumeSource};
use crate::plan::{
    self, Container, Plan, PlannedBoot, PlannedEgress, PlannedHealth, PlannedPattern, PlannedRepo,
    PlannedSidecar, PlannedSupervise, PlannedTls, PlannedVolume, Traced,
};
use crate::world::builtin;
use crate::world::engine::SMOLVM;

use format::{
    Accepted, Boot, Commands, Egress, Engine, File, Git, GitUser, Health, HostEntry, LintAllowed, Pattern,
    Provision, Repo, Resources, Service, Sidecar, Source, Supervise, Text, Tls, Variable, Volume,
};
pub use format::{PlanJson, ReadError};

/// Its path in the stage.
pub const PATH: &str = "plan.json";

/// The version of the format. It grows when a reader of the old one could misread the new one.
pub const FORMAT: u32 = 2;

/// The `plan.json` of a plan, which has the mode `own`; `files` are those of the stage but for the last two.
fn plan_json<'a>(plan: &'a Plan, files: &'a BTreeMap<String, Artifact>, own: Mode) -> PlanJson<'a> {
    let Plan {
        slug,
        backend,
        version,
        addresses,
        boot,
        env,
        container_engine,
        sidecars,
        egress,
        git_user,
        repos,
        supervise: asks,
        scanner,
        pipelock_image: _,
        git_gate_image,
        accepted,
        lint_allowed,
        sources,
        places: _,
    } = plan;
    let start_order = start_order(sidecars);
    let mut stop_order = start_order.clone();
    stop_order.reverse();
    let commands::Commands { bundle, create, start, exec, attach, denials, unset, cleanup } =
        commands::lower(plan);
    PlanJson {
        format: FORMAT,
        slug: text(slug),
        backend: text(backend),
        engine: Engine { name: text(SMOLVM), version: version.to_string() },
        bundle_subnet: addresses.subnet().to_string(),
        bundle_gateway: addresses.gateway().to_string(),
        bundle_ip: addresses.bundle().to_string(),
        smolfile_path: text(smolfile::PATH),
        agent_env_path: text(agent_env::PATH),
        boot: boot
            .as_ref()
            .map(|PlannedBoot { kind, source }| Boot { kind: text(kind.as_str()), source: text(source) }),
        sidecars: sidecars
            .iter()
            .map(|planned| sidecar(planned, compose::image(plan, planned), addresses.bundle().to_string()))
            .collect(),
        start_order,
        stop_order,
        agent_env: variables(env),
        provision: provision::files(plan)
            .into_iter()
            .map(|provision::File { source, target, mode }| Provision {
                source,
                target: text(target),
                mode: text(mode),
            })
            .collect(),
        egress: self::egress(egress),
        git: Git {
            user: git_user.as_ref().map(|(name, email)| GitUser { name: text(name), email: text(email) }),
            repos: repos.iter().map(repo).collect(),
            scanner: (!repos.is_empty()).then(|| text(scanner)),
            image: git_gate_image.as_deref().filter(|_| !repos.is_empty()).map(text),
        },
        supervise: asks.as_ref().map(|PlannedSupervise { queue, image }| Supervise {
            image: text(image),
            queue: text(queue),
            config_path: text(supervise::CONFIG_PATH),
            mcp_config_path: text(supervise::MCP_CONFIG_PATH),
            mcp_add: supervise::mcp_add(plan),
        }),
        accepted: accepted.iter().map(self::accepted).collect(),
        lint_allowed: lint_allowed.iter().map(self::lint_allowed).collect(),
        resources: Resources {
            container_engine: text(container_engine.program()),
            machine: names::machine(plan),
            network: names::network(plan),
            project: names::project(plan),
            containers: sidecars
                .iter()
                .map(|sidecar| sidecar.name.as_str())
                .chain([builtin::BUNDLE])
                .map(|name| (text(name), names::container(plan, name)))
                .collect(),
            volumes: names::volumes(plan),
        },
        commands: Commands { bundle, create, start, exec, attach, denials, unset, cleanup },
        sources: sources.iter().map(|(name, sha256)| (text(name), Source { sha256: text(sha256) })).collect(),
        files: files
            .iter()
            .map(|(path, file)| (path.as_str(), file.mode))
            .chain([(PATH, own), (sums::PATH, Mode::Shared)])
            .map(|(path, mode)| (text(path), File { mode: text(mode.octal()) }))
            .collect(),
    }
}

/// The file.
pub(super) fn lower(plan: &Plan, files: &BTreeMap<String, Artifact>, own: Mode) -> Vec<u8> {
    // Text, numbers and maps with text keys: JSON holds each.
    let mut json = Vec::with_capacity(8 * 1024);
    if serde_json::to_writer_pretty(&mut json, &plan_json(plan, files, own)).is_err() {
        json.clear();
    }
    json.push(b'\n');
    json
}

fn accepted(accepted: &Traced<plan::Accepted>) -> Accepted<'_> {
    let Traced { value: plan::Accepted { rule, reason }, origin } = accepted;
    Accepted { rule: text(rule), reason: text(reason), origin: origin.to_string() }
}

fn lint_allowed(allowed: &Traced<plan::LintAllowed>) -> LintAllowed<'_> {
    let Traced { value: plan::LintAllowed { rule, reason }, origin } = allowed;
    LintAllowed { rule: text(rule), reason: text(reason), origin: origin.to_string() }
}

fn text(text: &str) -> Text<'_> {
    Cow::Borrowed(text)
}

fn sidecar(sidecar: &PlannedSidecar, image: String, address: String) -> Sidecar<'_> {
    let PlannedSidecar { name, container, port, url, needs, wave } = sidecar;
    Sidecar {
        name: text(name),
        built_in: container.is_none(),
        image,
        container: container.as_ref().map(service),
        address,
        port: *port,
        url: url.as_deref().map(text),
        needs: Cow::Borrowed(needs),
        wave: *wave,
    }
}

fn service(container: &Container) -> Service<'_> {
    let Container { image, command, run_as, health, env, secrets, volumes, tmpfs, capabilities } = container;
    Service {
        image: text(image),
        command: Cow::Borrowed(command),
        run_as: run_as.as_deref().map(text),
        health: health.as_ref().map(|PlannedHealth { command, interval, timeout, retries, start }| Health {
            command: Cow::Borrowed(command),
            interval: *interval,
            timeout: *timeout,
            retries: *retries,
            start: *start,
        }),
        env: variables(env),
        secrets: Cow::Borrowed(secrets),
        volumes: volumes.iter().map(volume).collect(),
        tmpfs: Cow::Borrowed(tmpfs),
        capabilities: Cow::Borrowed(capabilities),
    }
}

fn volume(volume: &PlannedVolume) -> Volume<'_> {
    let PlannedVolume { source, target, writable } = volume;
    let (name, path) = match source {
        VolumeSource::Named(name) => (Some(text(name)), None),
        VolumeSource::Host(path) => (None, Some(text(path))),
    };
    Volume { name, path, target: text(target), writable: *writable }
}

fn start_order(sidecars: &[PlannedSidecar]) -> Vec<Vec<Text<'_>>> {
    let mut waves: Vec<Vec<Text<'_>>> = Vec::new();
    for sidecar in sidecars {
        if waves.len() <= sidecar.wave {
            waves.resize(sidecar.wave + 1, Vec::new());
        }
        waves[sidecar.wave].push(text(&sidecar.name));
    }
    waves.push(vec![text(builtin::AGENT)]);
    waves
}

fn variables(env: &BTreeMap<String, Traced<VariableValue>>) -> BTreeMap<Text<'_>, Variable<'_>> {
    env.iter().map(|(name, variable)| (text(name), self::variable(variable))).collect()
}

fn variable(variable: &Traced<VariableValue>) -> Variable<'_> {
    let Traced { value, origin } = variable;
    let (value, from_env, from_file) = match value {
        VariableValue::Literal(value) => (Some(text(value)), None, None),
        VariableValue::Secret(Reference::Env(name)) => (None, Some(text(name)), None),
        VariableValue::Secret(Reference::File(path)) => (None, None, Some(text(path))),
    };
    Variable { value, from_env, from_file, origin: origin.to_string() }
}

fn egress(egress: &PlannedEgress) -> Egress<'_> {
    let PlannedEgress {
        allow,
        deny,
        private,
        rate_limit,
        data_budget,
        patterns,
        scan_bodies,
        max_body_bytes,
        scan_responses,
        tls,
        tunnel_max,
        tunnel_idle,
        log,
    } = egress;
    Egress {
        allow: hosts(allow),
        deny: hosts(deny),
        private: hosts(private),
        rate_limit: rate_limit.value,
        data_budget: data_budget.as_ref().map(|budget| budget.value),
        patterns: patterns.iter().map(pattern).collect(),
        scan_bodies: text(scan_bodies.value.as_str()),
        max_body_bytes: max_body_bytes.value,
        scan_responses: text(scan_responses.value.as_str()),
        tls: tls.as_ref().map(|PlannedTls { ca_cert, ca_key, trust, passthrough }| Tls {
            trust: text(&trust.value),
            ca_cert: text(&ca_cert.value),
            ca_key: text(&ca_key.value),
            passthrough: hosts(passthrough),
        }),
        tunnel_max_seconds: tunnel_max.value,
        tunnel_idle_seconds: tunnel_idle.value,
        log: text(log.value.as_str()),
    }
}

fn pattern(pattern: &Traced<PlannedPattern>) -> Pattern<'_> {
    let Traced { value: PlannedPattern { name, regex, severity }, origin } = pattern;
    Pattern { name: text(name), regex: text(regex), severity: text(severity), origin: origin.to_string() }
}

fn hosts(entries: &[Traced<String>]) -> Vec<HostEntry<'_>> {
    entries
        .iter()
        .map(|Traced { value, origin }| HostEntry { host: text(value), origin: origin.to_string() })
        .collect()
}

fn repo(repo: &PlannedRepo) -> Repo<'_> {
    let PlannedRepo { name, url, identity, host_keys } = repo;
    let host_keys = host_keys.iter().map(|key| text(key)).collect();
    Repo { name: text(name), url: text(url), identity: text(identity), host_keys }
}
