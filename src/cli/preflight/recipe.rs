//! The commands that make what an agent of the catalogue boots from, of its file in `examples/images`.

use bottlec::lower::shell::word;
use bottlec::plan::{Plan, PlannedBoot};
use bottlec::world::engine::{BootKind, SMOLVM};

/// Returns the commands, a line each; nothing where the bottle's agent is none of the catalogue.
pub(super) fn of(plan: &Plan, boot: &PlannedBoot) -> Option<String> {
    let agent = plan.known_agent()?;
    let engine = plan.container_engine.program();
    let image = format!("bottle-{agent}");
    let mut lines = vec![
        String::from("make it, with bottlec's `examples/images`:"),
        format!("{engine} build --tag {image} - < examples/images/{agent}.Containerfile"),
    ];
    match boot.kind {
        BootKind::Rootfs => {
            let directory = word(&boot.source);
            lines.extend([
                format!("{engine} create --name {image} {image}"),
                format!("mkdir -p {directory}"),
                format!("{engine} export {image} | tar --extract --directory {directory}"),
                format!("{engine} rm {image}"),
            ]);
        }
        BootKind::Artifact => {
            let output = boot.source.strip_suffix(".smolmachine").unwrap_or(&boot.source);
            lines.push(format!(
                "{engine} save {image} | {SMOLVM} pack create --image - --output {}",
                word(output)
            ));
        }
        BootKind::Image => return None,
    }
    Some(lines.join("\n"))
}
