//! What the machine has of its host, compared.

use super::join::{Joined, join};
use super::{Changes, Topic};
use crate::plan::{PlannedMachine, PlannedMachineVolume, PlannedPort, Traced};
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
