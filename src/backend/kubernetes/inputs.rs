//! Inputs: the Secrets and ConfigMaps that no file of a stage holds, which who launches makes of what the host has.

use super::names;
use crate::lower::plan_json::{Input, InputKind, InputLogin, InputSource};
use crate::model::{Reference, VariableValue};
use crate::plan::{Plan, PlannedCredential, PlannedLogin, PlannedVariable, Traced, Variables};
use crate::world::broker;
use crate::world::builtin::{AGENT, BROKER, GIT_GATE, PIPELOCK};

/// The one key of each of them.
pub(super) const KEY: &str = "value";

/// The Secret of the launch's token.
pub(super) const TOKEN: &str = "token";

fn secret(receiver: &str, what: &str, name: &str, from: InputSource) -> Input {
    let shown = if what == "env" { name.to_owned() } else { format!("{what} {name}") };
    Input {
        kind: InputKind::Secret,
        name: names::input(receiver, what, name),
        what: format!("{receiver}: {shown}"),
        from,
    }
}

fn public(receiver: &str, what: &str, name: &str, path: &Traced<String>) -> Traced<Input> {
    let from = InputSource::File(path.value.clone());
    path.with(Input { kind: InputKind::ConfigMap, ..secret(receiver, what, name, from) })
}

/// The Secret of a variable that is one.
pub(super) fn of_variable(receiver: &str, name: &str, variable: &PlannedVariable) -> Option<Input> {
    match &variable.value {
        VariableValue::Literal(_) => None,
        VariableValue::Secret(Reference::Env(from)) if from == broker::TOKEN => Some(token()),
        VariableValue::Secret(Reference::Env(from)) => {
            Some(secret(receiver, "env", name, InputSource::Env(from.clone())))
        }
        VariableValue::Secret(Reference::File(path)) => {
            Some(secret(receiver, "env", name, InputSource::Text(path.clone())))
        }
    }
}

/// The Secret of a file that a sidecar sees.
pub(super) fn of_file(sidecar: &str, name: &str, path: &Traced<String>) -> Traced<Input> {
    path.with(secret(sidecar, "file", name, InputSource::File(path.value.clone())))
}

/// The Secret of a repository's key.
pub(super) fn of_identity(repo: &str, path: &Traced<String>) -> Traced<Input> {
    path.with(secret(GIT_GATE, "identity", repo, InputSource::File(path.value.clone())))
}

/// The ConfigMap of the authority's certificate, and the Secret of its key.
pub(super) fn of_authority(cert: &Traced<String>, key: &Traced<String>) -> [Traced<Input>; 2] {
    let from = InputSource::File(key.value.clone());
    [public(PIPELOCK, "authority", "cert", cert), key.with(secret(PIPELOCK, "authority", "key", from))]
}

/// The ConfigMap of what the agent trusts when HTTPS is opened.
pub(super) fn of_trust(path: &Traced<String>) -> Traced<Input> {
    public(AGENT, "trust", "ca", path)
}

/// The launch's token, which the agent and the broker share.
pub(super) fn token() -> Input {
    Input {
        kind: InputKind::Secret,
        name: TOKEN.to_owned(),
        what: String::from("the launch's token"),
        from: InputSource::Token,
    }
}

/// What the broker sees of a credential: by the file's name in a directory, the Secret or ConfigMap.
pub(super) struct OfCredential {
    /// The secret; of a login, the whole of it.
    pub(super) secret: Traced<Input>,
    /// The login that the agent's client makes of the token.
    pub(super) login: Option<Traced<Input>>,
    /// Who signs for the upstream.
    pub(super) ca: Option<Traced<Input>>,
}

impl OfCredential {
    pub(super) fn new(credential: &PlannedCredential) -> Self {
        let name = credential.name.as_str();
        let plain = match (&*credential.secret, credential.is_written()) {
            (Reference::Env(variable), _) => InputSource::Env(variable.clone()),
            (Reference::File(path), true) => InputSource::Text(path.clone()),
            (Reference::File(path), false) => InputSource::File(path.clone()),
        };
        let login = |user: &str, password| {
            InputSource::Login(InputLogin { user: user.to_owned(), password: Box::new(password) })
        };
        let (from, of_token) = match &*credential.login {
            PlannedLogin::Basic(user) => (login(user, plain), Some(login(user, InputSource::Token))),
            PlannedLogin::Header(_) | PlannedLogin::Bearer => (plain, None),
        };
        Self {
            secret: credential.secret.with(secret(BROKER, "credential", name, from)),
            login: of_token.map(|from| credential.login.with(secret(BROKER, "login", name, from))),
            ca: credential.ca.given().map(|ca| public(BROKER, "ca", name, &ca.with(ca.value.clone()))),
        }
    }
}

/// Every input of a plan, each once, in order: the token first.
pub(super) fn all(plan: &Plan) -> Vec<Traced<Input>> {
    let mut inputs: Vec<Traced<Input>> = Vec::new();
    if let Some(first) = plan.credentials.first() {
        inputs.push(first.with(token()));
    }
    let of = |receiver: &str, variables: &Variables| -> Vec<Traced<Input>> {
        let each = variables
            .iter()
            .filter_map(|(name, variable)| Some(variable.with(of_variable(receiver, name, variable)?)));
        each.collect()
    };
    inputs.extend(of(AGENT, &plan.env));
    if let Some(tls) = plan.egress.tls.as_ref() {
        inputs.extend(of_authority(&tls.ca_cert, &tls.ca_key));
        inputs.push(of_trust(&tls.trust));
    }
    for repo in &plan.git.repos {
        inputs.extend(repo.upstream().map(|upstream| of_identity(&repo.name, &upstream.identity)));
    }
    for credential in &plan.credentials {
        let OfCredential { secret, login, ca } = OfCredential::new(credential);
        inputs.push(secret);
        inputs.extend(login.into_iter().chain(ca));
    }
    for sidecar in &plan.sidecars {
        let Some(container) = &sidecar.container else { continue };
        inputs.extend(of(&sidecar.name, &container.env));
        inputs.extend(container.secrets.iter().map(|(name, path)| of_file(&sidecar.name, name, path)));
    }
    // One token, whoever is given it.
    let mut once: Vec<Traced<Input>> = Vec::with_capacity(inputs.len());
    for input in inputs {
        match once.iter_mut().find(|it| it.value.name == input.value.name && it.value.name == TOKEN) {
            Some(first) => first.origins = first.origins.clone().and(&input.origins),
            None => once.push(input),
        }
    }
    once
}
