//! Personal paths, which exist for one user only.

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Layer, Reference, Spanned, VariableValue, VolumeSource};
use crate::rule::catalogue::{IDENTITY_IN_WORKSPACE, PERSONAL_PATH};
use crate::schema::ValueType;
use crate::source::Span;
use crate::syntax::{Value, quoted_string};
use crate::text::quote;

/// A path of the host, and whether `~/` may stand for the home of who launches.
struct Named<'a> {
    path: &'a str,
    place: Span,
    tilde: bool,
}

/// Checks the paths of a layer.
pub fn check(layer: &Layer, diagnostics: &mut Diagnostics) {
    for repo in &layer.git.repos {
        let key = &repo.identity;
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

/// Every path of the host that a layer names.
fn paths(layer: &Layer) -> Vec<Named<'_>> {
    fn add<'a>(found: &mut Vec<Named<'a>>, path: &'a Spanned<String>, tilde: bool) {
        found.push(Named { path: &path.value, place: path.span, tilde });
    }
    let mut found = Vec::new();
    for repo in &layer.git.repos {
        add(&mut found, &repo.identity, true);
    }
    for boot in &layer.boots {
        add(&mut found, &boot.source, false);
    }
    if let Some(queue) = layer.supervise.as_ref().and_then(|supervise| supervise.queue.as_ref()) {
        add(&mut found, queue, true);
    }
    if let Some(tls) = &layer.egress.tls {
        for path in [&tls.ca_cert, &tls.ca_key, &tls.trust].into_iter().flatten() {
            add(&mut found, path, true);
        }
    }
    let variables = layer.env.iter().chain(layer.sidecars.iter().flat_map(|sidecar| &sidecar.service.env));
    for source in variables.flat_map(|variable| &variable.sources) {
        if let VariableValue::Secret(Reference::File(path)) = &source.value {
            found.push(Named { path, place: source.span, tilde: false });
        }
    }
    for sidecar in &layer.sidecars {
        for secret in &sidecar.service.secrets {
            add(&mut found, &secret.from, true);
        }
        for volume in &sidecar.service.volumes {
            if let VolumeSource::Host(path) = &volume.source.value {
                found.push(Named { path, place: volume.source.span, tilde: true });
            }
        }
    }
    found
}
