//! The container engine, its Compose, and what else runs on the host for a bundle.

use std::collections::BTreeSet;
use std::env;

use bottlec::plan::Plan;
use bottlec::text::quote_path;
use bottlec::world::container::ContainerEngine;
use bottlec::world::engine::Version;

use super::Finding;
use crate::cli::host::{self, PATIENCE, ProbeError};

/// The first Compose that knows `start_interval`, which `compose.yaml` has.
const COMPOSE: Version = Version::new(2, 20, 2);
/// The podman-compose that was run; it knows that, too.
const PODMAN_COMPOSE: Version = Version::new(1, 6, 0);

/// Looks for what the plans' bundles are run with, and for what their secrets are read from.
pub(super) fn check(plans: &[Plan]) -> Vec<Finding> {
    let engines: BTreeSet<ContainerEngine> = plans.iter().map(|plan| *plan.container_engine).collect();
    let mut findings: Vec<Finding> = engines.into_iter().flat_map(engine).collect();
    if plans.iter().any(|plan| plan.supervise.is_some()) {
        findings.push(python());
    }
    findings.extend(variables(plans));
    findings
}

/// Whether an engine is there, answers, and has a Compose that takes what is written.
fn engine(engine: ContainerEngine) -> Vec<Finding> {
    let program = engine.program();
    let path = env::var_os("PATH").unwrap_or_default();
    let Some(found) = host::find_program(program, &path) else {
        return vec![Finding::missing(
            format!("`{program}` is not on PATH, which runs the bundle's containers"),
            format!("install {program}, or say `container-engine` in the spec to take the other one"),
        )];
    };
    let shown = quote_path(&found);
    // The daemon's version, not that of the program which asks it.
    let server = match engine {
        ContainerEngine::Docker => ["version", "--format", "{{.Server.Version}}"].as_slice(),
        ContainerEngine::Podman => &["version", "--format", "{{.Client.Version}}"],
    };
    let answers = match host::version_said(&found, server, PATIENCE) {
        Ok(version) => Finding::ready(format!("{program} {version} is {shown}, and answers")),
        Err(error) => {
            let help = match engine {
                ContainerEngine::Docker => {
                    "start its daemon, `sudo systemctl start docker`, and join its group: `sudo usermod -aG docker \"$USER\"`"
                }
                ContainerEngine::Podman => "see what `podman version` says",
            };
            Finding::missing(format!("{shown} does not answer: {error}"), help.to_owned())
        }
    };
    vec![answers, compose(engine, &found)]
}

fn compose(engine: ContainerEngine, program: &std::path::Path) -> Finding {
    let name = engine.program();
    let help = match engine {
        ContainerEngine::Docker => {
            "install its plugin: Debian 13's `docker-compose`, Ubuntu's `docker-compose-v2`, elsewhere `docker-compose-plugin`"
        }
        ContainerEngine::Podman => {
            "Podman 4.7 and newer have `podman compose`, which runs podman-compose (1.6 was tried) or Compose 2"
        }
    };
    let said = match host::first_line_with(program, &["compose", "version"], "ompose", PATIENCE) {
        Ok(said) => said,
        Err(ProbeError::Failed { .. } | ProbeError::NoVersion { .. }) => {
            return Finding::missing(format!("`{name} compose` is not there"), help.to_owned());
        }
        Err(error) => {
            return Finding::missing(
                format!("`{name} compose` does not tell its version: {error}"),
                help.to_owned(),
            );
        }
    };
    let (version, text) = said;
    let least = if text.contains("podman-compose") { PODMAN_COMPOSE } else { COMPOSE };
    if version < least {
        return Finding::missing(
            format!(
                "`{name} compose` is Compose {version}, which does not take what is written for it: {least} does"
            ),
            help.to_owned(),
        );
    }
    Finding::ready(format!("`{name} compose` is {}", text.trim()))
}

fn python() -> Finding {
    let path = env::var_os("PATH").unwrap_or_default();
    match host::find_program("python3", &path) {
        Some(found) => Finding::ready(format!("`python3` is {}", quote_path(&found))),
        None => Finding::missing(
            String::from("`python3` is not on PATH, by which a human answers what the agent asks"),
            String::from("install Python 3"),
        ),
    }
}

/// Whether the host has the variables that secrets are read from. Their values are looked at by nobody.
fn variables(plans: &[Plan]) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let uses = plans.iter().flat_map(|plan| plan.secrets().map(move |secret| (plan, secret)));
    let uses = uses.filter(|(_, secret)| !secret.is_token());
    let of_variables = uses.filter_map(|(plan, secret)| {
        let variable = secret.variable?;
        seen.insert(variable).then(|| {
            let what =
                format!("the secret in `{variable}`, for {} of `{}`,", secret.receiver, plan.slug.value);
            match env::var_os(variable) {
                Some(value) if !value.is_empty() => Finding::ready(format!("{what} is there")),
                Some(_) => Finding::missing(format!("{what} is empty"), how_to_set(variable)),
                None => Finding::missing(format!("{what} is not set"), how_to_set(variable)),
            }
        })
    });
    of_variables.collect()
}

/// Without the value in the shell's history.
fn how_to_set(variable: &str) -> String {
    format!("`read -rs {variable} && export {variable}`, and paste it")
}
