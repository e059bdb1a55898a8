//! Port conflicts: sidecars share one address, so each port belongs to one of them.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, Member, MemberKind, Names};
use crate::rule::catalogue::PORT_TAKEN;
use crate::text::quote;
use crate::world::builtin::{PIPELOCK, PIPELOCK_METRICS};

/// Checks the ports of a bottle.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    // Ours come first, so that it is the user's port that is refused.
    let (ours, theirs): (Vec<_>, Vec<_>) =
        bottle.members.iter().partition(|member| matches!(member.kind, MemberKind::Builtin(_)));
    let mut taken: BTreeMap<u16, &Member<Names>> = BTreeMap::new();
    for member in ours.into_iter().chain(theirs) {
        let Some(port) = member.port() else { continue };
        if port.value == PIPELOCK_METRICS {
            diagnostics.push(
                Diagnostic::new(
                    &PORT_TAKEN,
                    port.span,
                    format!("port {} is taken by {}", port.value, quote(PIPELOCK)),
                )
                .label(format!("{} serves its metrics there, on loopback", quote(PIPELOCK)))
                .help("all sidecars of a bottle share one network: give this one another port"),
            );
            continue;
        }
        let Some(owner) = taken.get(&port.value) else {
            taken.insert(port.value, member);
            continue;
        };
        let diagnostic = Diagnostic::new(
            &PORT_TAKEN,
            port.span,
            format!("port {} is taken by {}", port.value, quote(&owner.name.value)),
        )
        .help("all sidecars of a bottle share one address: give this one another port");
        diagnostics.push(match owner.kind {
            MemberKind::Builtin(_) => diagnostic.label(format!("{} listens there", quote(&owner.name.value))),
            MemberKind::Custom(_) => {
                let first = owner.port().map_or(owner.name.span, |port| port.span);
                diagnostic
                    .label("taken")
                    .related(first, format!("{} listens there", quote(&owner.name.value)))
            }
        });
    }
}
