//! Sidecar containers: host paths that none may be given, variables from files, and two mounts at one path.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Layer, Reference, Service, Sidecar, Variable, VariableValue, VolumeSource};
use crate::path::join;
use crate::rule::catalogue::{DUPLICATE_NAME, ENV_FROM_FILE, HOST_PATH_EXPOSED};
use crate::source::{Sources, Span};
use crate::text::quote;

/// Checks the containers of a layer's sidecars.
pub fn check(layer: &Layer, sources: &Sources, diagnostics: &mut Diagnostics) {
    // supervise writes to its queue, and the agent speaks to supervise.
    if let Some(queue) = layer.supervise.as_ref().and_then(|supervise| supervise.queue.as_ref()) {
        shown(&queue.value, queue.span, sources, diagnostics);
    }
    for sidecar in &layer.sidecars {
        let Sidecar { name: _, port_node: _, needs: _, service } = sidecar;
        for variable in &service.env {
            from_file(variable, diagnostics);
        }
        for volume in &service.volumes {
            if let VolumeSource::Host(path) = &volume.source.value {
                shown(path, volume.source.span, sources, diagnostics);
            }
        }
        one_thing_a_place(service, diagnostics);
    }
}

/// What a container is shown of the host.
fn shown(path: &str, span: Span, sources: &Sources, diagnostics: &mut Diagnostics) {
    let Some(Why { reason, label, help }) = exposed(path, span, sources) else { return };
    diagnostics.push_error_with(|| {
        let message = format!("{} is not for a sidecar: {reason}", quote(path));
        Diagnostic::new(&HOST_PATH_EXPOSED, span, message).label(label).help(help)
    });
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

/// Why a path is not for a sidecar.
struct Why {
    reason: &'static str,
    label: &'static str,
    help: &'static str,
}

const WHOLE: Why = Why {
    reason: "everything of the host lies below it",
    label: "the whole of it",
    help: "name the one directory that the sidecar needs",
};
const SYSTEM: Why = Why {
    reason: "whoever reads or writes there can take over the host",
    label: "the host's own",
    help: "copy what the sidecar needs into a directory of its own, and name that",
};
const SOCKET: Why = Why {
    reason: "whoever can speak to this socket acts as what listens on it, often as root of the host",
    label: "a socket of the host's",
    help: "leave it out: a sidecar cannot be confined that controls a container engine or an agent for keys",
};
const KEYS: Why = Why {
    reason: "it holds keys of whoever launches",
    label: "a place for credentials",
    help: "give the sidecar a key of its own with `secret`, or copy the one file that it needs elsewhere",
};
const OUTSIDE: Why = Why {
    reason: "it leads out of the workspace",
    label: "above the directory that `bottlec` was started in",
    help: "write the absolute path, so that a reader of the spec sees what it is",
};

/// The places below a home directory in which programs keep credentials.
const CREDENTIALS: &[&[&str]] = &[
    &[".aws"],
    &[".azure"],
    &[".config", "gcloud"],
    &[".config", "gh"],
    &[".docker"],
    &[".git-credentials"],
    &[".gnupg"],
    &[".kube"],
    &[".netrc"],
    &[".password-store"],
    &[".ssh"],
];

/// By its name: whether there is one on this host is no matter of the spec's.
fn is_socket(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("sock"))
}

fn exposed(path: &str, span: Span, sources: &Sources) -> Option<Why> {
    let rooted = path.strip_prefix("~/").map(|rest| (rest, true));
    let rooted = rooted.or_else(|| path.starts_with('/').then_some((path, false)));
    let Some((rest, home)) = rooted else {
        let source = sources.get(span.source).name();
        let directory = source.rsplit_once('/').map_or("", |(directory, _)| directory);
        let joined = join(directory, path);
        return if joined == ".." || joined.starts_with("../") {
            Some(OUTSIDE)
        } else if is_socket(path) {
            Some(SOCKET)
        } else {
            None
        };
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in rest.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.is_empty() && home => return Some(WHOLE),
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    if steps.last().is_some_and(|last| is_socket(last)) {
        return Some(SOCKET);
    }
    let in_home = match steps.as_slice() {
        steps if home => Some(steps),
        ["root", rest @ ..] | ["home", _, rest @ ..] => Some(rest),
        _ => None,
    };
    if let Some(steps) = in_home {
        if steps.is_empty() || steps == [".config"] {
            return Some(KEYS);
        }
        return CREDENTIALS.iter().any(|place| steps.starts_with(place)).then_some(KEYS);
    }
    match steps.as_slice() {
        [] | ["home" | "var" | "srv" | "opt" | "mnt" | "usr"] => Some(WHOLE),
        ["run" | "var", "secrets", _, ..] | ["var", "run", "secrets", _, ..] => None,
        ["bin" | "boot" | "dev" | "etc" | "lib" | "lib64" | "proc" | "run" | "sbin" | "sys" | "usr", ..]
        | ["var", "run", ..]
        | ["var", "lib", "docker" | "containers" | "containerd" | "kubelet", ..] => Some(SYSTEM),
        _ => None,
    }
}
