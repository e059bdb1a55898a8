//! The broker's credentials: what is sent where, with which secret, and what is let through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Context, Origins, PlannedVariable, Traced};
use crate::model::{Bottle, Credential, Expose, Reference, Requests, Scheme, Spanned, VariableValue};
use crate::world::broker::{self, ApiUrl, PathPattern};
use crate::world::builtin;
use crate::world::network::Addresses;

/// A credential that the broker holds in the agent's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Credential")]
pub struct PlannedCredential {
    /// Its name, and the first segment of the paths that the agent uses it with.
    pub name: Traced<String>,
    /// Where it is sent to, and nowhere else.
    pub upstream: Traced<ApiUrl>,
    /// Whether the upstream is on a private network, and meant to be.
    pub private: Traced<bool>,
    /// The host's file with the certificates of the authorities that may sign for the upstream: relative to the stage's
    /// directory, absolute, or from `~/` on; null is those that the broker's image trusts.
    pub ca: Traced<Option<String>>,
    /// How the upstream is given the secret.
    pub login: Traced<PlannedLogin>,
    /// Where the host keeps the secret; a file as `ca` has it.
    pub secret: Traced<Reference>,
    /// What is let through, in the order of the layers; with none, everything.
    pub allow: Vec<Traced<PlannedRequests>>,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

/// How an upstream is given a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Login")]
pub enum PlannedLogin {
    /// In this field of the header, as it is.
    Header(String),
    /// As a bearer token.
    Bearer,
    /// As the password of this user.
    Basic(String),
}

/// Requests that are let through: each method with each path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Requests")]
pub struct PlannedRequests {
    /// The methods.
    pub methods: Vec<Traced<String>>,
    /// The paths, below the upstream's own: `*` is one or more characters inside of a segment, and `**` as the last segment
    /// one or more segments.
    pub paths: Vec<Traced<PathPattern>>,
    /// Whether they may become WebSockets.
    pub websocket: Traced<bool>,
    /// The line that says so, as `file:line`.
    pub origin: String,
}

impl PlannedCredential {
    /// Whether who launches must put the secret into the broker's directory: a variable is in no file, and a login is made of
    /// two parts.
    #[must_use]
    pub fn is_written(&self) -> bool {
        matches!(*self.secret, Reference::Env(_)) || matches!(*self.login, PlannedLogin::Basic(_))
    }

    /// Returns the host's file that the broker's container is shown for it, when it is.
    #[must_use]
    pub fn mounted(&self) -> Option<Traced<String>> {
        match &*self.secret {
            Reference::File(path) if !self.is_written() => Some(self.secret.with(path.clone())),
            _ => None,
        }
    }

    /// Returns the path of the certificates of its authorities in the broker's container.
    #[must_use]
    pub fn authorities(&self) -> String {
        format!("/ca/{}.pem", self.name)
    }

    /// Returns the path of the secret in the broker's container, as it stands in the header behind the scheme's word.
    #[must_use]
    pub fn path(&self) -> String {
        let directory = if self.is_written() { broker::MOUNT } else { "/run/secrets" };
        format!("{directory}/{}", self.name)
    }
}

impl PlannedRequests {
    /// Returns each request that it names, for people: "POST /v1/messages".
    pub fn requests(&self) -> impl Iterator<Item = String> {
        let methods = self.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
        let live = if *self.websocket { ", WebSockets too" } else { "" };
        self.paths.iter().map(move |path| format!("{methods} {path}{live}"))
    }
}

/// The credentials by name. One without an upstream or a login is an error, and no plan is made beside an error.
pub(super) fn credentials(
    credentials: impl IntoIterator<Item = Credential>,
    context: &Context<'_>,
) -> Vec<Traced<PlannedCredential>> {
    credentials.into_iter().filter_map(|credential| self::credential(credential, context)).collect()
}

fn credential(credential: Credential, context: &Context<'_>) -> Option<Traced<PlannedCredential>> {
    let (scheme, source) = credential.login()?;
    let (scheme, source) = (scheme.clone(), source.clone());
    let node = credential.logins.first()?.node;
    let login = match scheme {
        Scheme::Header(name) => {
            context.traced(name).map(|name| PlannedLogin::Header(name.to_ascii_lowercase()))
        }
        Scheme::Bearer => Traced::new(PlannedLogin::Bearer, context.origins(node)),
        Scheme::Basic(user) => context.traced(user).map(PlannedLogin::Basic),
    };
    let secret = match source.value {
        Reference::Env(_) => context.traced(source),
        Reference::File(path) => {
            context.host_path(&Spanned { value: path, span: source.span }).map(Reference::File)
        }
    };
    let Credential { name, upstream, private, ca, allow, .. } = credential;
    let upstream = context.traced(upstream?);
    Some(context.cited(name.span, |origin| PlannedCredential {
        upstream,
        private: match private {
            Some(place) => Traced::new(true, context.origins(place)),
            None => Traced::default_setting(false),
        },
        ca: match ca {
            Some(ca) => context.host_path(&ca).map(Some),
            None => Traced::default_setting(None),
        },
        login,
        secret,
        allow: allow.into_iter().map(|allow| requests(allow, context)).collect(),
        name: context.traced(name.clone()),
        origin,
    }))
}

fn requests(requests: Requests, context: &Context<'_>) -> Traced<PlannedRequests> {
    let Requests { node, methods, paths, websocket, is_broken: _ } = requests;
    context.cited(node, |origin| PlannedRequests {
        methods: context.all(methods),
        paths: context.all(paths),
        websocket: match websocket {
            Some(place) => Traced::new(true, context.origins(place)),
            None => Traced::default_setting(false),
        },
        origin,
    })
}

/// Where the broker is dialled.
pub(super) fn url(addresses: Addresses) -> String {
    let port = builtin::find(builtin::BROKER).map_or(0, |broker| broker.port);
    format!("http://{}:{port}", addresses.bundle())
}

/// What follows the broker's own URL in that of a credential.
fn behind(credential: &str, expose: &Expose) -> String {
    format!("/{credential}{}", expose.path.as_ref().map_or("", |path| &path.value))
}

/// The variables that tell the agent of a bottle where its credentials are used, each with the URL.
pub(crate) fn exposed<N>(bottle: &Bottle<N>) -> impl Iterator<Item = (&Expose, String)> {
    let url = url(bottle.settings.addresses());
    let all = bottle.settings.credentials.values();
    all.flat_map(|credential| credential.exposes.iter().map(move |expose| (&credential.name.value, expose)))
        .map(move |(name, expose)| (expose, format!("{url}{}", behind(name, expose))))
}

/// What the agent learns of its credentials: their URLs, and the launch's token in place of each key.
pub(super) fn variables<'a>(
    credentials: impl IntoIterator<Item = &'a Credential>,
    broker: &Traced<String>,
    context: &Context<'_>,
) -> Vec<(String, Traced<PlannedVariable>)> {
    let mut variables = Vec::new();
    for Credential { name, exposes, placeholders, .. } in credentials {
        for expose in exposes {
            let variable = &expose.variable;
            let value = VariableValue::Literal(format!("{broker}{}", behind(&name.value, expose)));
            let planned = context.cited(variable.span, |origin| PlannedVariable { value, origin });
            variables.push((variable.value.clone(), planned.and(&broker.origins)));
        }
        for placeholder in placeholders {
            let value = VariableValue::Secret(Reference::Env(broker::TOKEN.to_owned()));
            let planned = context.cited(placeholder.span, |origin| PlannedVariable { value, origin });
            variables.push((placeholder.value.clone(), planned));
        }
    }
    variables
}

/// Where nothing asks for the broker, nothing is decided of it.
pub(super) fn asked<'a>(
    mut credentials: impl Iterator<Item = &'a Credential>,
    context: &Context<'_>,
) -> Origins {
    credentials.next().map_or_else(Origins::fixed, |first| context.origins(first.name.span))
}
