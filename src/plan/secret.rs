//! Secrets: who gets which, and where the host keeps it. Never a value.

use super::{Container, Origins, Plan, Traced, Variables};
use crate::model::{Reference, VariableValue};
use crate::world::{broker, builtin};

impl SecretUse<'_> {
    /// Whether it is the launch's token, which the host need not have: who launches makes it.
    #[must_use]
    pub fn is_token(&self) -> bool {
        self.variable == Some(broker::TOKEN)
    }
}

/// The name by which a receiver knows a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// A variable of its environment.
    Variable(&'a str),
    /// A file in `/run/secrets`.
    File(&'a str),
    /// The key to a repository's upstream.
    Identity(&'a str),
    /// The key of the authority by which TLS is intercepted.
    Authority,
    /// What the broker sends in the agent's place, by the credential's name.
    Credential(&'a str),
}

/// One secret on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretUse<'a> {
    /// The agent or a sidecar, by name.
    pub receiver: &'a str,
    /// What it is to the receiver.
    pub purpose: Purpose<'a>,
    /// The host's variable that holds it, when no file does.
    pub variable: Option<&'a str>,
    /// The host's file that holds it, as seen from the stage's directory.
    pub file: Option<&'a str>,
    /// What says so.
    pub origins: &'a Origins,
}

impl Plan {
    /// Every secret: the agent's, then each sidecar's in the order in which they start.
    pub fn secrets(&self) -> impl Iterator<Item = SecretUse<'_>> {
        let agent = variables(builtin::AGENT, &self.env);
        agent.chain(self.sidecars.iter().flat_map(|sidecar| match &sidecar.container {
            Some(container) => container_secrets(&sidecar.name, container),
            None if *sidecar.name == builtin::GIT_GATE => self.identities().collect(),
            None if *sidecar.name == builtin::BROKER => self.credentials().collect(),
            None if *sidecar.name == builtin::PIPELOCK => self.authority().into_iter().collect(),
            None => Vec::new(),
        }))
    }

    fn authority(&self) -> Option<SecretUse<'_>> {
        let tls = self.egress.tls.as_ref()?;
        Some(from_file(builtin::PIPELOCK, Purpose::Authority, &tls.ca_key))
    }

    fn credentials(&self) -> impl Iterator<Item = SecretUse<'_>> {
        self.credentials.iter().map(|credential| {
            let (variable, file) = match &credential.secret.value {
                Reference::Env(name) => (Some(name.as_str()), None),
                Reference::File(file) => (None, Some(file.as_str())),
            };
            let (purpose, origins) = (Purpose::Credential(&credential.name), &credential.secret.origins);
            SecretUse { receiver: builtin::BROKER, purpose, variable, file, origins }
        })
    }

    fn identities(&self) -> impl Iterator<Item = SecretUse<'_>> {
        self.git
            .repos
            .iter()
            .filter_map(|repo| Some((repo, repo.upstream()?)))
            .map(|(repo, it)| from_file(builtin::GIT_GATE, Purpose::Identity(&repo.name), &it.identity))
    }
}

fn from_file<'a>(receiver: &'a str, purpose: Purpose<'a>, file: &'a Traced<String>) -> SecretUse<'a> {
    SecretUse { receiver, purpose, variable: None, file: Some(file), origins: &file.origins }
}

fn container_secrets<'a>(receiver: &'a str, container: &'a Container) -> Vec<SecretUse<'a>> {
    let files = container.secrets.iter().map(|(name, path)| from_file(receiver, Purpose::File(name), path));
    variables(receiver, &container.env).chain(files).collect()
}

fn variables<'a>(receiver: &'a str, env: &'a Variables) -> impl Iterator<Item = SecretUse<'a>> {
    env.iter().filter_map(move |(name, variable)| {
        let (variable_of_host, file) = match &variable.value.value {
            VariableValue::Literal(_) => return None,
            VariableValue::Secret(Reference::Env(name)) => (Some(name.as_str()), None),
            VariableValue::Secret(Reference::File(file)) => (None, Some(file.as_str())),
        };
        let (purpose, origins) = (Purpose::Variable(name), &variable.origins);
        Some(SecretUse { receiver, purpose, variable: variable_of_host, file, origins })
    })
}
