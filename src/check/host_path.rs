//! Paths of the host: those that must not be handed over, and those that exist for one user only.

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Layer, Reference, Repo, RepoSource, Spanned, VariableValue, VolumeSource};
use crate::rule::catalogue::{HOST_PATH_EXPOSED, IDENTITY_IN_WORKSPACE, PERSONAL_PATH};
use crate::schema::ValueType;
use crate::source::{Sources, Span};
use crate::syntax::{Value, quoted_string};
use crate::text::quote;
use crate::world::engine::BootKind;
use crate::world::handed_over::{Role, Why, refused};

/// A path of the host.
struct Named<'a> {
    path: &'a str,
    place: Span,
    /// Whether `~/` may stand for the home of who launches.
    tilde: bool,
    role: Role,
    /// Who gets it.
    receiver: &'static str,
}

/// Checks the paths of a layer.
pub fn check(layer: &Layer, sources: &Sources, diagnostics: &mut Diagnostics) {
    for upstream in layer.git.repos.iter().filter_map(Repo::upstream) {
        let key = &upstream.identity;
        // What is no path was spoken of as that.
        let is_path = ValueType::HostPath.check(Value::String(&key.value)).is_ok();
        if is_path && !key.value.starts_with(['/', '~']) {
            let message =
                format!("{} is in the workspace: a private key belongs outside of it", quote(&key.value));
            diagnostics.push(
                Diagnostic::new(&IDENTITY_IN_WORKSPACE, key.span, message)
                    .label("easily committed, and then everybody's")
                    .help("keep it in the home of who launches: `identity \"~/.ssh/…\"`"),
            );
        }
    }
    for named in paths(layer) {
        handed_over(&named, sources, diagnostics);
        let Some((home, rest)) = home_of(named.path) else { continue };
        let message = format!("{} is in the home of one person", quote(named.path));
        let diagnostic = Diagnostic::new(&PERSONAL_PATH, named.place, message)
            .label(format!("others have no {}", quote(home)));
        let written = quoted_string(&format!("~/{rest}"));
        diagnostics.push(if named.tilde {
            diagnostic.replace(format!("write `{written}`"), Applicability::Unsafe, named.place, written)
        } else {
            diagnostic.help("put it where every host can have it, or beside the spec")
        });
    }
}

/// The home directory of a path, and what follows it.
fn home_of(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/home/").or_else(|| path.strip_prefix("/Users/"))?;
    let (user, rest) = rest.split_once('/')?;
    let home = path.len() - rest.len() - 1;
    (!user.is_empty() && !rest.is_empty()).then_some((&path[..home], rest))
}

/// What is handed over of the host must not be what controls it, or what holds its keys.
fn handed_over(named: &Named<'_>, sources: &Sources, diagnostics: &mut Diagnostics) {
    let Named { path, place, tilde: _, role, receiver } = *named;
    // What is no path was spoken of as that.
    if ValueType::HostPath.check(Value::String(path)).is_err() {
        return;
    }
    let Some(Why { reason, label, help }) = refused(path, sources.get(place.source).place(), role) else {
        return;
    };
    diagnostics.push_error_with(|| {
        let message = format!("{} is not for {receiver}: {reason}", quote(path));
        Diagnostic::new(&HOST_PATH_EXPOSED, place, message).label(label).help(help)
    });
}

/// Every path of the host that a layer names.
fn paths(layer: &Layer) -> Vec<Named<'_>> {
    fn add<'a>(found: &mut Vec<Named<'a>>, path: &'a Spanned<String>, role: Role, receiver: &'static str) {
        found.push(Named { path: &path.value, place: path.span, tilde: role != Role::Boot, role, receiver });
    }
    let mut found = Vec::new();
    for repo in &layer.git.repos {
        match &repo.source {
            RepoSource::Upstream(upstream) => {
                add(&mut found, &upstream.identity, Role::Identity, "git-gate");
            }
            RepoSource::Local { path, beside: _ } => add(&mut found, path, Role::Repository, "git-gate"),
        }
    }
    for boot in layer.boots.iter().filter(|boot| boot.kind != BootKind::Image) {
        add(&mut found, &boot.source, Role::Boot, "the machine");
    }
    // supervise writes to its queue, and the agent speaks to supervise.
    if let Some(queue) = layer.supervise.as_ref().and_then(|supervise| supervise.queue.as_ref()) {
        add(&mut found, queue, Role::Queue, "a sidecar");
    }
    if let Some(tls) = &layer.egress.tls {
        let certificates = [(&tls.ca_cert, "pipelock"), (&tls.trust, "the machine")];
        for (path, receiver) in certificates {
            if let Some(path) = path {
                add(&mut found, path, Role::Certificate, receiver);
            }
        }
        if let Some(path) = &tls.ca_key {
            add(&mut found, path, Role::AuthorityKey, "pipelock");
        }
    }
    for sidecar in &layer.sidecars {
        for secret in &sidecar.service.secrets {
            add(&mut found, &secret.from, Role::Secret, "a sidecar");
        }
    }
    for credential in &layer.credentials {
        if let Some(ca) = &credential.ca {
            add(&mut found, ca, Role::Certificate, "the broker");
        }
        for source in credential.logins.iter().flat_map(|login| &login.sources) {
            if let Reference::File(path) = &source.value {
                let (place, role) = (source.span, Role::Secret);
                found.push(Named { path, place, tilde: true, role, receiver: "the broker" });
            }
        }
    }
    let variables = layer.env.iter().map(|variable| (variable, "the machine"));
    let others = layer.sidecars.iter().flat_map(|sidecar| &sidecar.service.env);
    for (variable, receiver) in variables.chain(others.map(|variable| (variable, "a sidecar"))) {
        for source in &variable.sources {
            if let VariableValue::Secret(Reference::File(path)) = &source.value {
                found.push(Named { path, place: source.span, tilde: false, role: Role::Secret, receiver });
            }
        }
    }
    for volume in &layer.machine.volumes {
        let role = Role::Machine { writable: volume.writable.value };
        // The engine takes the path as it is.
        let (path, place) = (&volume.source.value, volume.source.span);
        found.push(Named { path, place, tilde: false, role, receiver: "the agent" });
    }
    for volume in layer.sidecars.iter().flat_map(|sidecar| &sidecar.service.volumes) {
        if let VolumeSource::Host(path) = &volume.source.value {
            let role = Role::Volume { writable: volume.writable.value };
            found.push(Named { path, place: volume.source.span, tilde: true, role, receiver: "a sidecar" });
        }
    }
    found
}
