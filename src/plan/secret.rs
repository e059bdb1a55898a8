//! Secrets: who gets which, and where the host keeps it. Never a value.

use super::{Container, Origin, Plan, PlannedTls, Traced};
use crate::model::{Reference, VariableValue};
use crate::world::builtin;

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
    /// The line that says so, where it is known.
    pub origin: Option<&'a Origin>,
}

impl Plan {
    /// Every secret: the agent's, then each sidecar's in the order in which they start.
    pub fn secrets(&self) -> impl Iterator<Item = SecretUse<'_>> {
        let agent = variables(builtin::AGENT, &self.env);
        agent.chain(self.sidecars.iter().flat_map(|sidecar| match &sidecar.container {
            Some(container) => container_secrets(&sidecar.name, container),
            None if sidecar.name == builtin::GIT_GATE => self.identities().collect(),
            None if sidecar.name == builtin::PIPELOCK => self.authority().into_iter().collect(),
            None => Vec::new(),
        }))
    }

    fn authority(&self) -> Option<SecretUse<'_>> {
        let PlannedTls { ca_key, .. } = self.egress.tls.as_ref()?;
        Some(SecretUse {
            receiver: builtin::PIPELOCK,
            purpose: Purpose::Authority,
            variable: None,
            file: Some(&ca_key.value),
            origin: Some(&ca_key.origin),
        })
    }

    fn identities(&self) -> impl Iterator<Item = SecretUse<'_>> {
        self.repos.iter().map(|repo| SecretUse {
            receiver: builtin::GIT_GATE,
            purpose: Purpose::Identity(&repo.name),
            variable: None,
            file: Some(&repo.identity),
            origin: None,
        })
    }
}

fn container_secrets<'a>(receiver: &'a str, container: &'a Container) -> Vec<SecretUse<'a>> {
    let files = container.secrets.iter().map(|(name, path)| SecretUse {
        receiver,
        purpose: Purpose::File(name),
        variable: None,
        file: Some(path),
        origin: None,
    });
    variables(receiver, &container.env).chain(files).collect()
}

fn variables<'a>(
    receiver: &'a str,
    env: impl IntoIterator<Item = (&'a String, &'a Traced<VariableValue>)>,
) -> impl Iterator<Item = SecretUse<'a>> {
    env.into_iter().filter_map(move |(name, Traced { value, origin })| {
        let (variable, file) = match value {
            VariableValue::Literal(_) => return None,
            VariableValue::Secret(Reference::Env(variable)) => (Some(variable.as_str()), None),
            VariableValue::Secret(Reference::File(file)) => (None, Some(file.as_str())),
        };
        let purpose = Purpose::Variable(name);
        Some(SecretUse { receiver, purpose, variable, file, origin: Some(origin) })
    })
}
