//! What the engine version can hold. What would leave the agent unconfined is refused.

use super::rule;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::engine::{Capability, Ledger, SMOLVM, Version};
use crate::source::Span;
use crate::spec::{BootKind, Bottle, Name, VariableValue};

rule!(ENGINE_NEWER, "engine-newer", Advice, "0.1.0", "the engine is newer than what the compiler knows");
rule!(
    ENGINE_TOO_OLD,
    "engine-too-old",
    Error,
    "0.1.0",
    "the engine version cannot do what the bottle asks for"
);
rule!(POLICY_DROPPED, "policy-dropped", Error, "0.1.0", "the engine drops the allow list on this route");
rule!(
    POLICY_NOT_ENFORCED,
    "policy-not-enforced",
    Error,
    "0.1.0",
    "the engine does not enforce the allow list"
);

/// Checks a bottle against the version that it is compiled for; without one, the newest known version is meant and
/// can do everything.
pub fn check(bottle: &Bottle<Name>, diagnostics: &mut Diagnostics) {
    let known = bottle.engine.as_ref().filter(|engine| engine.name.value == SMOLVM);
    let Some(version) = known.and_then(|engine| engine.version) else { return };
    let (version, span) = (version.value, version.span);
    let ledger = Ledger::smolvm();
    if version > ledger.newest {
        diagnostics.push(
            Diagnostic::new(
                &ENGINE_NEWER,
                span,
                format!("smolvm {version} is newer than {}, the newest version that is known", ledger.newest),
            )
            .label(format!("compiled as for {}", ledger.newest)),
        );
        return;
    }
    let lacks = |capability| (!ledger.has(capability, version)).then(|| ledger.row(capability));
    let old = |at: Span, what: &str, since: Version| {
        Diagnostic::new(&ENGINE_TOO_OLD, at, format!("smolvm {version} {what}, it takes {since} or newer"))
    };
    let newer = |since: Version| format!("compile for smolvm {since} or newer, and run that");
    if let Some(row) = lacks(Capability::CidrPolicy) {
        diagnostics.push(
            old(span, "knows no `[network] allow_cidrs`", row.since)
                .label("too old for any bottle")
                .help(newer(row.since)),
        );
        return;
    }
    if let Some(row) = lacks(Capability::EnforcesCidrPolicy) {
        diagnostics.push(
            Diagnostic::new(
                &POLICY_NOT_ENFORCED,
                span,
                format!("smolvm {version} does not enforce the allow list: the agent would be unconfined"),
            )
            .label(format!("enforced from {} on", row.since))
            .help(newer(row.since)),
        );
    }
    match bottle.boot.as_ref().map(|boot| (boot.kind, boot.node)) {
        Some((BootKind::Artifact, node)) => {
            if let Some(row) = lacks(Capability::FromKeepsPolicy) {
                diagnostics.push(
                    Diagnostic::new(
                        &POLICY_DROPPED,
                        span,
                        format!("smolvm {version} drops the allow list of a packed machine: the agent would be unconfined"),
                    )
                    .label(format!("kept from {} on", row.since))
                    .related(node, "the bottle boots from a packed machine")
                    .help(newer(row.since)),
                );
            }
        }
        Some((BootKind::Rootfs, node)) => {
            if let Some(row) = lacks(Capability::LocalImage) {
                diagnostics.push(
                    old(node, "boots no unpacked root file system", row.since)
                        .label("not known to this version")
                        .related(span, "the version is given here")
                        .help(newer(row.since)),
                );
            }
        }
        Some((BootKind::Image, _)) | None => {}
    }
    secrets(bottle, version, span, diagnostics);
}

/// A reference must stay one: an engine that cannot take it would need the value itself.
fn secrets(bottle: &Bottle<Name>, version: Version, span: Span, diagnostics: &mut Diagnostics) {
    let secret =
        bottle.env.values().find(|variable| matches!(variable.value(), Some(VariableValue::Secret(_))));
    let Some(secret) = secret else { return };
    let packed = bottle.boot.as_ref().is_some_and(|boot| boot.kind == BootKind::Artifact);
    let capability = if packed { Capability::SecretFlags } else { Capability::SecretsSection };
    let row = Ledger::smolvm().row(capability);
    if version < row.since {
        diagnostics.push(
            Diagnostic::new(
                &ENGINE_TOO_OLD,
                secret.name.span,
                format!("smolvm {version} takes no secret by reference, it takes {} or newer", row.since),
            )
            .label(format!("{} is a reference", quote(&secret.name.value)))
            .related(span, "the version is given here")
            .help("the value itself is never written: compile for a newer version"),
        );
    }
}
