//! `expose`: the variables that tell the agent a sidecar's URL.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, MemberKind, Names, Sidecar};
use crate::rule::catalogue::{DUPLICATE_NAME, EXPOSE_WITHOUT_PORT};
use crate::source::Span;
use crate::text::quote;

/// Checks that a sidecar that is exposed has a port.
pub fn check_sidecar(sidecar: &Sidecar, diagnostics: &mut Diagnostics) {
    if let (Some(expose), None) = (sidecar.service.exposes.first(), sidecar.port_node) {
        diagnostics.push(
            Diagnostic::new(
                &EXPOSE_WITHOUT_PORT,
                expose.variable.span,
                format!("sidecar {} has no port to expose", quote(&sidecar.name.value)),
            )
            .label("its URL would have no port")
            .related(sidecar.name.span, "this sidecar has no `port`")
            .help("add the port that it listens on, such as `port 8080`"),
        );
    }
}

/// Checks the exposed variables of a bottle against each other and against its environment.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let mut first: BTreeMap<&str, Span> =
        bottle.settings.env.iter().map(|(name, variable)| (name.as_str(), variable.name.span)).collect();
    for member in &bottle.members {
        let MemberKind::Custom(service) = &member.kind else { continue };
        for expose in &service.exposes {
            let name = &expose.variable;
            if let Some(first) = first.get(name.value.as_str()) {
                diagnostics.push(
                    Diagnostic::new(
                        &DUPLICATE_NAME,
                        name.span,
                        format!("variable {} is set more than once", quote(&name.value)),
                    )
                    .label("set here to the sidecar's URL")
                    .related(*first, "first set here")
                    .help("expose it under another name, or take the other one out"),
                );
            } else {
                first.insert(&name.value, name.span);
            }
        }
    }
}
