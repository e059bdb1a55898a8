//! `credential`: what the broker holds in the agent's place, and keys that are in its machine all the same.

use std::collections::BTreeMap;

use super::expect;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, Credential, Layer, Login, Names, Reference, Requests, Spanned, VariableValue};
use crate::rule::catalogue::{
    BROKERED_AND_ALLOWED, CREDENTIAL_IN_MACHINE, CREDENTIAL_INCOMPLETE, CREDENTIAL_UNBOUNDED, DUPLICATE_NAME,
    UPSTREAM_NOT_TRUSTED,
};
use crate::source::Span;
use crate::text::quote;
use crate::world::host::Verdict;
use crate::world::upstream::Upstream;
use crate::world::{broker, forge};

/// Checks the credentials of a layer: what a later layer cannot mend.
pub fn check_layer(layer: &Layer, diagnostics: &mut Diagnostics) {
    for credential in &layer.credentials {
        let name = quote(&credential.name.value);
        if let [first, again, ..] = credential.logins.as_slice() {
            diagnostics.push(
                Diagnostic::new(
                    &CREDENTIAL_INCOMPLETE,
                    again.node,
                    format!("credential {name} says twice how its API is given the secret"),
                )
                .label("again here")
                .related(first.node, "first said here")
                .help("keep one of `header`, `bearer` and `basic`"),
            );
        }
        for login in &credential.logins {
            source(login, &name, diagnostics);
        }
        for allow in &credential.allow {
            both(allow, diagnostics);
        }
    }
}

/// Exactly one place of the secret.
fn source(login: &Login, name: &str, diagnostics: &mut Diagnostics) {
    match login.sources.as_slice() {
        [_] => {}
        [] => diagnostics.push(
            Diagnostic::new(
                &CREDENTIAL_INCOMPLETE,
                login.node,
                format!("credential {name} does not say where its secret is"),
            )
            .label("expected `from-env=` or `from-file=`")
            .help(
                "`from-env=\"NAME\"` is a variable of who launches, `from-file=\"~/…\"` a file of this host: the secret \
                 itself stands in no spec",
            ),
        ),
        [first, again, ..] => {
            let says = |source: &Spanned<Reference>| match source.value {
                Reference::Env(_) => "`from-env` here",
                Reference::File(_) => "`from-file` here",
            };
            diagnostics.push(
                Diagnostic::new(
                    &CREDENTIAL_INCOMPLETE,
                    again.span,
                    format!("credential {name} has its secret in two places"),
                )
                .label(says(again))
                .related(first.span, says(first))
                .help("keep one of them"),
            );
        }
    }
}

/// Methods and paths: neither alone lets anything through.
fn both(allow: &Requests, diagnostics: &mut Diagnostics) {
    let Requests { node, methods, paths, websocket, is_broken } = allow;
    if *is_broken {
        return;
    }
    let (what, help) = match (methods.as_slice(), paths.as_slice()) {
        ([], _) => ("no method", "name the methods before the paths, such as `allow \"GET\" \"/v1/items\"`"),
        (_, []) => ("no path", "name the paths behind the methods; `/**` is every path"),
        _ => {
            // A handshake is a GET (RFC 6455).
            if let Some(upgrade) = websocket.filter(|_| !methods.iter().any(|method| method.value == "GET")) {
                diagnostics.push(
                    Diagnostic::new(
                        &CREDENTIAL_INCOMPLETE,
                        upgrade,
                        "no WebSocket begins with these methods",
                    )
                    .label("one begins with a `GET`")
                    .related(methods[0].span, "the methods here")
                    .help("add `\"GET\"`, or take the upgrade out"),
                );
            }
            return;
        }
    };
    diagnostics.push(
        Diagnostic::new(&CREDENTIAL_INCOMPLETE, *node, format!("this `allow` names {what}"))
            .label("lets nothing through")
            .help(help),
    );
}

/// Checks the credentials of a whole bottle.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let settings = &bottle.settings;
    for variable in settings.env.values() {
        in_machine(variable.value(), &variable.name, bottle, diagnostics);
    }
    if settings.credentials.is_empty() {
        return;
    }
    placeholders(bottle, diagnostics);
    let policy = expect::policy(bottle);
    for credential in settings.credentials.values() {
        let name = quote(&credential.name.value);
        missing(credential, &name, diagnostics);
        let Some(upstream) = &credential.upstream else { continue };
        upstream_of(credential, &name, diagnostics);
        unbounded(credential, &name, diagnostics);
        let host = &upstream.value.host;
        if policy.entry(host).verdict() != Verdict::Refused {
            let mut diagnostic = Diagnostic::new(
                &BROKERED_AND_ALLOWED,
                upstream.span,
                format!("{} can be reached past the broker, too", quote(host)),
            )
            .label(format!("credential {name} holds the agent to methods and paths here"));
            if let Some(allow) = settings.egress.allow.iter().find(|allow| covers(&allow.value, host)) {
                diagnostic = diagnostic.related(allow.span, "and here all of the host is allowed");
            }
            diagnostics.push(diagnostic.help(
                "take it out of `allow`: the broker needs none; with a key of its own, the agent could do anything there",
            ));
        }
    }
}

fn covers(allow: &str, host: &str) -> bool {
    match allow.strip_prefix("*.") {
        Some(domain) => {
            host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        }
        None => allow == host,
    }
}

/// What all layers together do not say.
fn missing(credential: &Credential, name: &str, diagnostics: &mut Diagnostics) {
    let mut push = |what: &str, label: &str, help: &str| {
        diagnostics.push(
            Diagnostic::new(
                &CREDENTIAL_INCOMPLETE,
                credential.name.span,
                format!("credential {name} {what}"),
            )
            .label(label)
            .help(help),
        );
    };
    // One that is written and not valid was spoken of.
    if credential.upstream.is_none() && !credential.has_upstream {
        push(
            "does not say where it is sent to",
            "expected an `upstream`",
            "name the API, such as `upstream \"https://api.example.com\"`",
        );
    }
    if credential.logins.is_empty() {
        push(
            "does not say how its API is given the secret",
            "expected `header`, `bearer` or `basic`",
            "most APIs take `bearer from-env=\"NAME\"`; the API's own documentation says which",
        );
    }
}

/// Where the upstream is.
fn upstream_of(credential: &Credential, name: &str, diagnostics: &mut Diagnostics) {
    let Credential { upstream: Some(upstream), private, ca, .. } = credential else { return };
    let host = quote(&upstream.value.host);
    if let Some(why) = upstream.value.refused() {
        diagnostics.push(
            Diagnostic::new(&UPSTREAM_NOT_TRUSTED, upstream.span, format!("{host} {why}"))
                .label("no upstream of a credential, whatever the spec says")
                .help("name the API that takes the credential; what runs in the bundle is a `sidecar` with a `secret`"),
        );
        return;
    }
    if !upstream.value.is_private() {
        return;
    }
    if private.is_none() {
        diagnostics.push(
            Diagnostic::new(
                &UPSTREAM_NOT_TRUSTED,
                upstream.span,
                format!("{host} is on a private network, as far as its name tells"),
            )
            .label(format!("credential {name} does not say that this is meant"))
            .help("say so with `private`, and with `ca` which authority signs for it"),
        );
    } else if ca.is_none() {
        diagnostics.push(
            Diagnostic::new(
                &UPSTREAM_NOT_TRUSTED,
                upstream.span,
                format!("no public authority signs for {host}"),
            )
            .label("expected the authority that does, as `ca`")
            .related(private.unwrap_or(upstream.span), "private by this")
            .help("`ca \"./authority.pem\"` names the file with its certificate"),
        );
    }
}

/// Credentials that are held to no list, and upstreams that hand them back.
fn unbounded(credential: &Credential, name: &str, diagnostics: &mut Diagnostics) {
    let Some(upstream) = &credential.upstream else { return };
    if upstream.value.echoes() {
        diagnostics.push(
            Diagnostic::new(
                &CREDENTIAL_UNBOUNDED,
                upstream.span,
                format!("{} answers with the headers that it is sent", quote(&upstream.value.host)),
            )
            .label(format!("the agent reads the secret of {name} in the answer"))
            .help("use it with nothing that is a secret"),
        );
    }
    if credential.upstream.is_some() && credential.allow.is_empty() {
        diagnostics.push(
            Diagnostic::new(
                &CREDENTIAL_UNBOUNDED,
                credential.name.span,
                format!("credential {name} lets every request through"),
            )
            .label("no `allow` in it")
            .help("name what the agent needs, such as `allow \"POST\" \"/v1/messages\"`"),
        );
    }
    let all =
        credential.allow.iter().flat_map(|allow| &allow.paths).find(|path| path.value.as_str() == "/**");
    if let Some(path) = all {
        diagnostics.push(
            Diagnostic::new(
                &CREDENTIAL_UNBOUNDED,
                path.span,
                format!("credential {name} lets every path through"),
            )
            .label("all of the upstream")
            .help("name the paths that the agent needs"),
        );
    }
}

/// What the agent learns of a credential, and something else would set as well.
fn placeholders(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let mut first: BTreeMap<&str, (Span, bool)> =
        bottle.settings.env.values().map(|it| (it.name.value.as_str(), (it.name.span, true))).collect();
    for service in bottle.members.iter().filter_map(|member| member.kind.custom()) {
        first
            .extend(service.exposes.iter().map(|it| (it.variable.value.as_str(), (it.variable.span, false))));
    }
    for credential in bottle.settings.credentials.values() {
        let exposed = credential.exposes.iter().map(|expose| (&expose.variable, false));
        let tokens = credential.placeholders.iter().map(|variable| (variable, true));
        for (variable, is_token) in exposed.chain(tokens) {
            let Some((span, is_env)) = first.insert(&variable.value, (variable.span, false)) else {
                continue;
            };
            if span == variable.span {
                continue;
            }
            // Where a profile gives the token, the spec's own line is the one to look at.
            let (at, other) = if is_env { (span, variable.span) } else { (variable.span, span) };
            let help = if is_token {
                "take the other one out: the agent's program gets the launch's token there, and the broker has the key"
            } else {
                "take the other one out, or expose it under another name"
            };
            diagnostics.push(
                Diagnostic::new(
                    &DUPLICATE_NAME,
                    at,
                    format!("variable {} is set more than once", quote(&variable.value)),
                )
                .label("set here")
                .related(other, format!("and here, of credential {}", quote(&credential.name.value)))
                .help(help),
            );
        }
    }
}

/// A key that the broker could hold.
fn in_machine(
    value: Option<&VariableValue>,
    name: &Spanned<String>,
    bottle: &Bottle<Names>,
    diagnostics: &mut Diagnostics,
) {
    let Some(VariableValue::Secret(_)) = value else { return };
    let Some(preset) = broker::preset_of(&name.value) else { return };
    let of_broker =
        bottle.settings.credentials.values().flat_map(|it| &it.placeholders).any(|it| it.value == name.value);
    // Then something else was said of it.
    let hosts =
        bottle.settings.git.repos.iter().filter_map(|repo| Upstream::parse(&repo.upstream()?.url.value));
    let of_gate = || {
        let tokens = hosts.filter_map(|upstream| forge::find(upstream.host)).flat_map(|forge| forge.tokens);
        tokens.into_iter().any(|token| *token == name.value)
    };
    if of_broker || of_gate() {
        return;
    }
    diagnostics.push(
        Diagnostic::new(
            &CREDENTIAL_IN_MACHINE,
            name.span,
            format!(
                "{} is in the agent's machine, where all that it reads may ask for it",
                quote(&name.value)
            ),
        )
        .label("a secret of the host's")
        .help(format!(
            "the broker can hold it instead: `extends \"{preset}\"`, for programs that take another base URL"
        )),
    );
}
