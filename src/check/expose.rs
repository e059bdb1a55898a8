//! `expose`: the variables that tell the agent a sidecar's URL.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{self, Bottle, MemberKind, Names, Port, Reference, Sidecar, Variable, VariableValue};
use crate::rule::catalogue::{DUPLICATE_NAME, EXPOSE_WITHOUT_LOGIN, EXPOSE_WITHOUT_PORT, SCHEME_MISSING};
use crate::source::Span;
use crate::syntax::quoted_string;
use crate::text::quote;
use crate::world::ports::{self, Login, Service};
use crate::world::secret;

/// Checks that a sidecar that is exposed has a port, and a URL that speaks its language.
pub fn check_sidecar(sidecar: &Sidecar, diagnostics: &mut Diagnostics) {
    scheme(sidecar, diagnostics);
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

/// A well-known port of another protocol, whose URL would begin with `http://`.
fn scheme(sidecar: &Sidecar, diagnostics: &mut Diagnostics) {
    let (Some(expose), Some(Port { number, scheme: None })) =
        (sidecar.service.exposes.first(), &sidecar.service.port)
    else {
        return;
    };
    let Some(service) = ports::other_than_http(number.value) else { return };
    let Service { scheme, what, .. } = service;
    let variable = quote(&expose.variable.value);
    let message =
        format!("port {} is usually {what}'s, and {variable} would be an `http://` URL", number.value);
    diagnostics.push(
        Diagnostic::new(&SCHEME_MISSING, number.span, message)
            .label(format!("expected `scheme=\"{scheme}\"` behind it"))
            .related(expose.variable.span, "exposed here")
            .help("if it does speak HTTP, say so: `scheme=\"http\"`")
            .replace(
                format!("add `scheme=\"{scheme}\"`"),
                Applicability::Unsafe,
                Span::at(number.span.source, number.span.end),
                format!(" scheme=\"{scheme}\""),
            ),
    );
}

/// A URL by which nobody can log in, beside nothing by which the agent could. What it holds is in the stage, so it never
/// holds a password.
fn login(given: &Given<'_>, service: &model::Service, diagnostics: &mut Diagnostics) {
    let (Some(expose), Some(Port { number: _, scheme: Some(scheme) })) =
        (service.exposes.first(), &service.port)
    else {
        return;
    };
    let Some(known) = ports::of_scheme(&scheme.value).filter(|known| known.login != Login::None) else {
        return;
    };
    let passwords = || service.env.iter().filter(|variable| asks_for_password(variable));
    let of_other = passwords().find(|variable| !is_superusers(&variable.name.value));
    let Some(asks) = of_other.or_else(|| passwords().next()) else { return };
    if given.is_enough(known.login, service) {
        return;
    }
    let from = match asks.value() {
        Some(VariableValue::Secret(Reference::Env(from))) if of_other.is_some() => from,
        _ => "APP_PASSWORD",
    };
    let name = &expose.variable.value;
    let message = format!("{} holds no user and no password, and the agent is given none", quote(name));
    let help = match known.login {
        Login::Variables { user, password, by } => {
            let user = user.map(|user| format!("{user} \"…\"; ")).unwrap_or_default();
            format!(
                "hand them over in the bottle's own `env`: `{user}{password} from-env={}`, which {by} take where the \
                 URL has none",
                quoted_string(from)
            )
        }
        Login::InUrl | Login::None => {
            let stem = name.strip_suffix("_URL").or_else(|| name.strip_suffix("_URI")).unwrap_or(name);
            format!(
                "hand them over in the bottle's own `env`, for the agent's program to put them into the URL: \
                 `{stem}_USER \"…\"; {stem}_PASSWORD from-env={}`",
                quoted_string(from)
            )
        }
    };
    let mut diagnostic = Diagnostic::new(&EXPOSE_WITHOUT_LOGIN, expose.variable.span, message)
        .label("its value is in the stage, so it never holds a password")
        .related(asks.name.span, "a password is set here")
        .help(help);
    if of_other.is_none() {
        diagnostic = diagnostic.help(format!(
            "not those that {} sets: a superuser makes the server run programs, which no list holds",
            quote(&asks.name.value)
        ));
    }
    diagnostics.push(diagnostic);
}

/// Whether a password of an official image is that of its superuser: `POSTGRES_USER` always is one.
fn is_superusers(variable: &str) -> bool {
    variable.starts_with("POSTGRES_PASSWORD") || variable.contains("_ROOT_")
}

/// Whether a variable of a sidecar sets a password that its clients need.
fn asks_for_password(variable: &Variable) -> bool {
    let name = &variable.name.value;
    let name = name.strip_suffix("_FILE").unwrap_or(name);
    secret::asks_for_one(name) && !name.contains("ALLOW_EMPTY")
}

/// What the agent is given that it may log in with.
struct Given<'a> {
    env: &'a BTreeMap<String, Variable>,
    /// What its variables refer to.
    references: BTreeSet<&'a Reference>,
    /// Whether one of them is there for a password, by its name.
    has_password: bool,
}

impl<'a> Given<'a> {
    fn new(env: &'a BTreeMap<String, Variable>) -> Self {
        let reference = |variable: &'a Variable| match variable.value() {
            Some(VariableValue::Secret(reference)) => Some(reference),
            _ => None,
        };
        let is_password = |name: &String| name.contains("PASS") || name.ends_with("_PWD");
        Self {
            env,
            references: env.values().filter_map(reference).collect(),
            has_password: env.keys().any(is_password),
        }
    }

    /// Whether clients find a password in it, or it refers to what the sidecar refers to.
    fn is_enough(&self, login: Login, service: &model::Service) -> bool {
        let read = |name: &str| self.env.contains_key(name);
        let read =
            matches!(login, Login::Variables { password, .. } if read(password) || read("PGSERVICEFILE"));
        let same = |variable: &Variable| match variable.value() {
            Some(VariableValue::Secret(reference)) => self.references.contains(reference),
            _ => false,
        };
        let shown = |from: &String| self.references.contains(&Reference::File(from.clone()));
        self.has_password
            || read
            || service.env.iter().any(same)
            || service.secrets.iter().any(|secret| shown(&secret.from.value))
    }
}

/// Checks the exposed variables of a bottle against each other and against its environment.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let given = Given::new(&bottle.settings.env);
    let mut first: BTreeMap<&str, Span> =
        bottle.settings.env.iter().map(|(name, variable)| (name.as_str(), variable.name.span)).collect();
    for member in &bottle.members {
        let MemberKind::Custom(service) = &member.kind else { continue };
        login(&given, service, diagnostics);
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
