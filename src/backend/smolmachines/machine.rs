//! What the machine has of its host, as flags of `machine create`. The Smolfile knows keys for most of it and gets none:
//! beside `--from` the engine takes no Smolfile, and one way for all is one to look at.

use crate::lower::plan_json::Command;
use crate::plan::{Plan, PlannedMachine, PlannedMachineVolume, PlannedPort, Traced};

/// The arguments of `create` for the machine of a plan.
#[must_use]
pub fn flags(plan: &Plan) -> Command {
    let PlannedMachine { cpus, memory_mib, storage_gib, gpu, volumes, published } = &plan.machine;
    let mut command = Command::new();
    let mut flag = |flag: &str, value: Traced<String>| command.extend([value.with(flag.to_owned()), value]);
    if let Some(cpus) = cpus.given() {
        flag("--cpus", cpus.map(u8::to_string));
    }
    // Both are bare numbers, in the engine's own units.
    if let Some(memory) = memory_mib.given() {
        flag("--mem", memory.map(|size| size.0.to_string()));
    }
    if let Some(storage) = storage_gib.given() {
        flag("--storage", storage.map(|size| size.0.to_string()));
    }
    for volume in volumes {
        let PlannedMachineVolume { path, target, writable } = &volume.value;
        let access = if **writable { "" } else { ":ro" };
        flag("--volume", volume.with(format!("{path}:{target}{access}")).and(&writable.origins));
    }
    for port in published {
        let PlannedPort { guest, host } = &port.value;
        flag("--port", port.with(format!("{host}:{guest}")).and(&host.origins));
    }
    command.extend(gpu.value.then(|| gpu.with(String::from("--gpu"))));
    command
}
