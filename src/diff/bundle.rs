//! The bundle's sidecars, compared: which there are, what each runs, and what it is given.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::environment::environment;
use super::join::{Joined, join};
use super::{Changes, Direction, Topic};
use crate::lower::plan_json::Sidecar;
use crate::model::VolumeSource;
use crate::plan::{Container, PlannedLimits, PlannedVolume, Traced};
use crate::text::{counted, quote, quote_whole};

/// The sidecars, before and after.
pub(super) fn sidecars(
    old: &[Traced<Sidecar<'static>>],
    new: &[Traced<Sidecar<'static>>],
    moved: &dyn Fn(&str) -> String,
    changes: &mut Changes<'_>,
) {
    let Joined { come, gone, both } = join(old, new, |sidecar| sidecar.name.value.clone());
    for sidecar in come {
        let port = Option::map(**sidecar.port, |port| format!(", on port {port}")).unwrap_or_default();
        let image = quote_whole(&sidecar.image);
        changes.wider(Topic::Sidecar, format!("the sidecar {} is new: {image}{port}", quote(&sidecar.name)));
        if let Some(service) = &sidecar.container {
            given(&sidecar.name, &EMPTY, service, moved, changes);
        }
    }
    for sidecar in gone {
        changes.narrower(Topic::Sidecar, format!("the sidecar {} is gone", quote(&sidecar.name)));
        if let Some(service) = &sidecar.container {
            given(&sidecar.name, service, &EMPTY, moved, changes);
        }
    }
    for (before, now) in both {
        let Sidecar {
            name,
            built_in,
            image,
            container,
            // The bundle's, and what follows from it.
            address: _,
            port,
            url: _,
            mcp,
            // Who starts first is no matter of reach.
            needs: _,
            wave: _,
            limits,
        } = now;
        let who = quote(name);
        if before.image != *image {
            let text = format!(
                "the sidecar {who} runs {} instead of {}",
                quote_whole(image),
                quote_whole(&before.image)
            );
            changes.unclear(Topic::Sidecar, text);
        }
        if before.built_in != *built_in {
            changes.unclear(Topic::Sidecar, format!("the sidecar {who} is another program of that name"));
        }
        if before.port != *port {
            let shown = |port: Option<u16>| {
                port.map_or_else(|| String::from("no port"), |port| format!("port {port}"))
            };
            let text = format!(
                "the sidecar {who} listens on {} instead of {}",
                shown(***port),
                shown(**before.port)
            );
            changes.neutral(Topic::Sidecar, text);
        }
        let server = |mcp: &Option<Cow<'static, Traced<String>>>| mcp.as_ref().map(|url| moved(url));
        if server(&before.mcp) != server(mcp) {
            let text = match mcp {
                Some(url) => format!("the agent's client is told of the MCP server {who} at {}", quote(url)),
                None => format!("the agent's client is no longer told of the MCP server {who}"),
            };
            changes.neutral(Topic::Agent, text);
        }
        if before.limits != *limits {
            let shown = |limits: &PlannedLimits| {
                let PlannedLimits { memory_mib, cpus, processes } = limits;
                let (cpus, processes) =
                    (counted(usize::from(**cpus), "processor", "processors"), **processes);
                format!("{memory_mib} MiB, {cpus} and {processes} processes")
            };
            let text =
                format!("the sidecar {who} may have {} instead of {}", shown(limits), shown(&before.limits));
            changes.neutral(Topic::Sidecar, text);
        }
        match (&before.container, container) {
            (Some(before), Some(now)) => {
                runs(name, before, now, changes);
                given(name, before, now, moved, changes);
            }
            (Some(service), None) => given(name, service, &EMPTY, moved, changes),
            (None, Some(service)) => given(name, &EMPTY, service, moved, changes),
            (None, None) => {}
        }
    }
}

/// A container that is given nothing.
static EMPTY: LazyLock<Container> = LazyLock::new(|| Container {
    image: Traced::fixed(String::new()),
    command: Vec::new(),
    run_as: Traced::fixed(None),
    health: Traced::fixed(None),
    env: BTreeMap::new(),
    secrets: BTreeMap::new(),
    volumes: Vec::new(),
    tmpfs: Vec::new(),
    capabilities: Vec::new(),
    no_relay: None,
});

/// What a container runs, and as whom.
fn runs(name: &str, old: &Container, new: &Container, changes: &mut Changes<'_>) {
    let who = quote(name);
    if old.command != new.command {
        changes.unclear(Topic::Sidecar, format!("the sidecar {who} is run with other arguments"));
    }
    let check = |container: &Container| container.health.as_ref().map(|health| health.command.clone());
    if check(old) != check(new) {
        changes.unclear(
            Topic::Sidecar,
            format!("the sidecar {who} is checked by another program, which it runs"),
        );
    }
    match (&old.no_relay, &new.no_relay) {
        (None, Some(_)) => changes
            .narrower(Topic::Sidecar, format!("the sidecar {who} is said to dial nothing for the agent")),
        (Some(_), None) => changes.wider(
            Topic::Sidecar,
            format!("the sidecar {who} is no longer said to dial nothing for the agent"),
        ),
        (Some(before), Some(now)) if before != now => changes.unclear(
            Topic::Sidecar,
            format!("the sidecar {who} is said to dial nothing for the agent for another reason"),
        ),
        _ => {}
    }
    if old.run_as != new.run_as {
        let user = |user: &Option<String>| {
            user.as_ref().map_or_else(|| String::from("the image's own user"), |user| quote(user))
        };
        let text =
            format!("the sidecar {who} runs as {} instead of {}", user(&new.run_as), user(&old.run_as));
        changes.unclear(Topic::Sidecar, text);
    }
}

/// What a container is given.
fn given(
    name: &str,
    old: &Container,
    new: &Container,
    moved: &dyn Fn(&str) -> String,
    changes: &mut Changes<'_>,
) {
    let Container {
        // Both were spoken of.
        image: _,
        command: _,
        run_as: _,
        // What it runs was spoken of, and how often is no matter of reach.
        health: _,
        env,
        secrets,
        volumes,
        // Memory of its own.
        tmpfs: _,
        capabilities,
        // Spoken of.
        no_relay: _,
    } = new;
    let who = format!("the sidecar {}", quote(name));
    environment(&who, &old.env, env, Direction::Unclear, moved, changes);
    let files: BTreeSet<&String> = old.secrets.keys().chain(secrets.keys()).collect();
    for file in files {
        let at = quote(&format!("/run/secrets/{file}"));
        match (old.secrets.get(file), secrets.get(file)) {
            (None, Some(from)) => changes.wider(
                Topic::Secret,
                format!("{who} is given a secret at {at}: the host's file {}", quote_whole(from)),
            ),
            (Some(_), None) => {
                changes.narrower(Topic::Secret, format!("{who} is no longer given a secret at {at}"));
            }
            (Some(before), Some(now)) if before != now => {
                let (before, now) = (quote_whole(before), quote_whole(now));
                let text = format!(
                    "{who} is given another secret at {at}: the host's file {now} instead of {before}"
                );
                changes.wider(Topic::Secret, text);
            }
            _ => {}
        }
    }
    let Joined { come, gone, both: _ } = join(&old.capabilities, capabilities, String::as_str);
    for capability in come {
        changes.wider(Topic::Sidecar, format!("{who} has the capability {}", quote(capability)));
    }
    for capability in gone {
        changes.narrower(Topic::Sidecar, format!("{who} no longer has the capability {}", quote(capability)));
    }
    self::volumes(&who, &old.volumes, volumes, changes);
}

fn volumes(
    who: &str,
    old: &[Traced<PlannedVolume>],
    new: &[Traced<PlannedVolume>],
    changes: &mut Changes<'_>,
) {
    let Joined { come, gone, both } = join(old, new, |volume| volume.target.clone());
    // A volume of the bottle's own holds what its sidecars put there.
    let path = |volume: &PlannedVolume| match &volume.source {
        VolumeSource::Host(path) => Some(quote_whole(path)),
        VolumeSource::Named(_) => None,
    };
    let how = |volume: &PlannedVolume| if *volume.writable { "and may write to it" } else { "to read" };
    let shown = |volume: &PlannedVolume| {
        path(volume).map(|path| format!("{who} is shown the host's {path}, {}", how(volume)))
    };
    for volume in come {
        if let Some(text) = shown(volume) {
            changes.wider(Topic::Host, text);
        }
    }
    for volume in gone {
        if let Some(path) = path(volume) {
            changes.narrower(Topic::Host, format!("{who} is no longer shown the host's {path}"));
        }
    }
    for (before, now) in both {
        let PlannedVolume { source, target, writable } = now;
        match (path(before), path(now)) {
            (before, now_path) if before != now_path => match now_path {
                Some(_) => changes.wider(Topic::Host, shown(now).unwrap_or_default()),
                None => changes.narrower(
                    Topic::Host,
                    format!("{who} is no longer shown the host's {}", before.unwrap_or_default()),
                ),
            },
            (Some(path), _) if before.writable != *writable => {
                if **writable {
                    changes.wider(Topic::Host, format!("{who} may write to the host's {path}"));
                } else {
                    changes.narrower(Topic::Host, format!("{who} may no longer write to the host's {path}"));
                }
            }
            (None, _) if before.source != *source || before.writable != *writable => {
                changes.neutral(Topic::Sidecar, format!("{who} has another volume at {}", quote(target)));
            }
            _ => {}
        }
    }
}
