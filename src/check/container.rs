//! Sidecar containers: variables from files, and two mounts at one path.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Layer, Reference, Service, Sidecar, Variable, VariableValue};
use crate::rule::catalogue::{DUPLICATE_NAME, ENV_FROM_FILE};
use crate::source::Span;
use crate::text::quote;

/// Checks the containers of a layer's sidecars.
pub fn check(layer: &Layer, diagnostics: &mut Diagnostics) {
    for sidecar in &layer.sidecars {
        let Sidecar { name: _, port_node: _, needs: _, limits: _, service } = sidecar;
        for variable in &service.env {
            from_file(variable, diagnostics);
        }
        one_thing_a_place(service, diagnostics);
    }
}

/// A container engine sets a variable to a text or to the launcher's own; it reads no file for it.
fn from_file(variable: &Variable, diagnostics: &mut Diagnostics) {
    let [source] = variable.sources.as_slice() else { return };
    let VariableValue::Secret(Reference::File(_)) = &source.value else { return };
    let name = &variable.name.value;
    let file = name.to_ascii_lowercase().replace('_', "-");
    diagnostics.push_error_with(|| {
        Diagnostic::new(
            &ENV_FROM_FILE,
            source.span,
            format!("no container engine sets {} to what a file holds", quote(name)),
        )
        .label("a file of the host")
        .help(format!(
            "show it as a file, `secret \"{file}\" from-file=…` beside `env`, and name that in the variable that the \
             image takes a file's name from, often `{name}_FILE \"/run/secrets/{file}\"`"
        ))
    });
}

/// Two things at one place of a container: the later would hide the first, or the engine refuses both.
fn one_thing_a_place(service: &Service, diagnostics: &mut Diagnostics) {
    let mut first: BTreeMap<String, Span> = BTreeMap::new();
    let volumes = service.volumes.iter().map(|volume| (volume.target.value.clone(), volume.target.span));
    let tmpfs = service.tmpfs.iter().map(|path| (path.value.clone(), path.span));
    let secrets = service
        .secrets
        .iter()
        .map(|secret| (format!("/run/secrets/{}", secret.name.value), secret.name.span));
    for (place, span) in volumes.chain(tmpfs).chain(secrets) {
        if let Some(first) = first.get(&place) {
            diagnostics.push_error_with(|| {
                Diagnostic::new(
                    &DUPLICATE_NAME,
                    span,
                    format!("two things of this sidecar are at {}", quote(&place)),
                )
                .label("a second one here")
                .related(*first, "the first one is here")
                .help("give one of them another place")
            });
        } else {
            first.insert(place, span);
        }
    }
}
