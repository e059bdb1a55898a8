//! What the machine has of its host, compared.

use super::join::{Joined, join};
use super::{Changes, Topic};
use crate::lower::shell;
use crate::plan::{PlannedAgent, PlannedMachine, PlannedMachineVolume, PlannedMcpFile, PlannedPort, Traced};
use crate::text::{quote, quote_whole};

/// The machine's settings, before and after.
pub(super) fn machine(old: &PlannedMachine, new: &PlannedMachine, changes: &mut Changes<'_>) {
    let PlannedMachine { cpus, memory_mib, storage_gib, gpu, volumes, published } = new;
    let mut size = |what: &str, before: Option<String>, now: Option<String>| {
        if before != now {
            let shown = |size: Option<String>| size.unwrap_or_else(|| String::from("the engine's default"));
            let text = format!("the machine's {what}: {} instead of {}", shown(now), shown(before));
            changes.neutral(Topic::Agent, text);
        }
    };
    size("processors", old.cpus.value.map(|it| it.to_string()), cpus.value.map(|it| it.to_string()));
    size("memory", old.memory_mib.value.map(|it| it.to_string()), memory_mib.value.map(|it| it.to_string()));
    size(
        "storage",
        old.storage_gib.value.map(|it| it.to_string()),
        storage_gib.value.map(|it| it.to_string()),
    );
    match (old.gpu.value, gpu.value) {
        (false, true) => {
            changes.wider(Topic::Host, String::from("the agent drives the host's graphics processor"));
        }
        (true, false) => changes
            .narrower(Topic::Host, String::from("the agent no longer drives the host's graphics processor")),
        _ => {}
    }
    self::volumes(old, volumes, changes);
    let Joined { come, gone, both } = join(&old.published, published, |port| port.guest);
    for PlannedPort { guest, host } in come {
        changes.wider(
            Topic::Host,
            format!("port {guest} of the machine is published on port {host} of the host's loopback"),
        );
    }
    for PlannedPort { guest, host: _ } in gone {
        changes.narrower(Topic::Host, format!("port {guest} of the machine is no longer published"));
    }
    for (before, PlannedPort { guest, host }) in
        both.into_iter().filter(|(before, now)| before.host != now.host)
    {
        // Whoever reaches the new one may not have reached the old one: another program may trust it.
        changes.wider(
            Topic::Host,
            format!(
                "port {guest} of the machine is published on port {host} of the host's loopback instead of {}",
                before.host
            ),
        );
    }
}

/// The agent, before and after. Whatever program it is, the bottle is what holds it.
pub(super) fn agent(old: Option<&PlannedAgent>, new: Option<&PlannedAgent>, changes: &mut Changes<'_>) {
    let no_agent = PlannedAgent {
        program: Vec::new(),
        mcp: Traced::default_setting(None),
        api_key: Traced::default_setting(None),
        trust: Vec::new(),
        requires: Vec::new(),
    };
    let old = old.unwrap_or(&no_agent);
    let PlannedAgent {
        program,
        mcp,
        // It is given the variables of its environment, whatever it is said to read of them.
        api_key: _,
        trust: _,
        requires: _,
    } = new.unwrap_or(&no_agent);
    if old.program != *program {
        let shown = |program: &[Traced<String>]| match program {
            [] => String::from("a shell"),
            words => quote_whole(&shell::words(words.iter().map(|word| word.as_str()))),
        };
        let text = format!("the agent's program is {} instead of {}", shown(program), shown(&old.program));
        changes.neutral(Topic::Agent, text);
    }
    if old.mcp != *mcp {
        let shown = |mcp: &Option<PlannedMcpFile>| match mcp {
            None => String::from("no file of its own"),
            Some(PlannedMcpFile { path, form }) => {
                format!("{} in the form {}", quote_whole(path), quote(form.as_str()))
            }
        };
        let text = format!(
            "the agent's client learns of MCP servers from {} instead of {}",
            shown(mcp),
            shown(&old.mcp)
        );
        changes.neutral(Topic::Agent, text);
    }
}

fn volumes(old: &PlannedMachine, new: &[Traced<PlannedMachineVolume>], changes: &mut Changes<'_>) {
    let shown = |volume: &PlannedMachineVolume| {
        let PlannedMachineVolume { path, target, writable } = volume;
        let how = if **writable { "and may write to it" } else { "to read" };
        format!("the agent is shown the host's {} at {}, {how}", quote_whole(path), quote(target))
    };
    let Joined { come, gone, both } = join(&old.volumes, new, |volume| volume.target.clone());
    for volume in come {
        changes.wider(Topic::Host, shown(volume));
    }
    for volume in gone {
        let path = quote_whole(&volume.path);
        changes.narrower(Topic::Host, format!("the agent is no longer shown the host's {path}"));
    }
    for (before, now) in both {
        let PlannedMachineVolume { path, target: _, writable } = now;
        if before.path != *path {
            changes.wider(Topic::Host, shown(now));
        } else if before.writable != *writable {
            let path = quote_whole(path);
            if **writable {
                changes.wider(Topic::Host, format!("the agent may write to the host's {path}"));
            } else {
                changes.narrower(Topic::Host, format!("the agent may no longer write to the host's {path}"));
            }
        }
    }
}
