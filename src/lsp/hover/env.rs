//! Hovers of variables: who gets each. No value is repeated: a literal may be a secret by mistake.

use super::Place;
use crate::lsp::completion::known;
use crate::lsp::prose::Prose;
use crate::model::{Bottle, Reference, Settings, VariableValue};
use crate::resolve::members::Needs;
use crate::syntax::Value;
use crate::text::quote;
use crate::world::engine::{BootKind, Capability, Ledger};

impl Place<'_> {
    /// A variable of the agent's, or of a sidecar's.
    pub(super) fn variable(self) -> Prose {
        let name = quote(self.node.name());
        let known =
            known::variable(self.node.name()).map(|known| Prose::new().text(known.doc)).unwrap_or_default();
        let Some(value) = self.value() else { return known };
        let in_sidecar = self.parents.iter().any(|parent| parent.name() == "sidecar");
        let text = if in_sidecar { of_sidecar(&name, &value) } else { self.of_agent(&name, &value) };
        Prose::new().text(text).and(known)
    }

    /// What the variable holds; of a literal, nothing but that it is one.
    fn value(self) -> Option<VariableValue> {
        let mut literal = None;
        for entry in self.node.entries() {
            let Value::String(text) = entry.value() else { continue };
            match entry.key() {
                None => literal = literal.or(Some(VariableValue::Literal(String::new()))),
                Some(("from-env", _)) => return Some(VariableValue::Secret(Reference::Env(text.to_owned()))),
                Some(("from-file", _)) => {
                    return Some(VariableValue::Secret(Reference::File(text.to_owned())));
                }
                Some(_) => {}
            }
        }
        literal
    }

    fn of_agent(self, name: &str, value: &VariableValue) -> String {
        let concerned = self.concerned();
        if !concerned.is_empty() && concerned.iter().all(|bottle| bottle.settings.cluster().is_some()) {
            return match value {
                VariableValue::Literal(_) => format!(
                    "{name} is a literal: it stands as it is in `agent.env` and in `agent.yaml`, for everybody who reads the \
                     stage. For a secret write `from-env` or `from-file`."
                ),
                VariableValue::Secret(Reference::Env(from) | Reference::File(from)) => format!(
                    "The agent's container has {name} from a Secret of the bottle's namespace, which who launches makes of \
                     {}: `bottlec plan` shows the command. The value is in no file that `bottlec` writes.",
                    quote(from)
                ),
            };
        }
        let mut routes = concerned.into_iter().map(by_flags);
        let route = routes.next().filter(|first| routes.all(|route| route == *first));
        let carries = |file: &str, flag: &str| match route {
            Some(true) => format!("the plan's `create` command (`{flag}`) and {file}"),
            Some(false) => file.to_owned(),
            None => format!("{file} or the plan's `create` command (`{flag}`)"),
        };
        match value {
            VariableValue::Literal(_) => format!(
                "{name} is a literal: it stands as it is in `agent.env` and in {}, for everybody who reads the stage. For a \
                 secret write `from-env` or `from-file`.",
                carries("`smolfile.toml`", "--env")
            ),
            VariableValue::Secret(Reference::Env(from)) => format!(
                "When the machine starts, smolvm reads the host's variable {}, and the agent has it as {name}. What carries \
                 it is {}, by its name alone: the value is in no file that `bottlec` writes.",
                quote(from),
                carries("`[secrets]` of `smolfile.toml`", "--secret-env")
            ),
            VariableValue::Secret(Reference::File(path)) => format!(
                "When the machine starts, smolvm reads the host's file {}, and the agent has what is in it as {name}. What \
                 carries it is {}, by its path alone: the value is in no file that `bottlec` writes.",
                quote(path),
                carries("`[secrets]` of `smolfile.toml`", "--secret-file")
            ),
        }
    }
}

/// Whether the machine is made by flags that say what its Smolfile says, which the engine does not read then.
fn by_flags(bottle: &Bottle<Needs>) -> bool {
    let Settings { engine, boot, .. } = &bottle.settings;
    let version = engine.as_ref().and_then(|engine| engine.version.as_ref());
    let version = version.map_or(Ledger::smolvm().newest, |version| version.value);
    match boot.as_ref().map(|boot| boot.kind) {
        Some(BootKind::Artifact) => true,
        Some(BootKind::Image) => Ledger::smolvm().has(Capability::FromKeepsPolicy, version),
        Some(BootKind::Rootfs) | None => false,
    }
}

fn of_sidecar(name: &str, value: &VariableValue) -> String {
    match value {
        VariableValue::Literal(_) => format!(
            "{name} is a literal: it stands as it is in `compose.yaml`, for everybody who reads the stage. For a secret write \
             `from-env`."
        ),
        VariableValue::Secret(Reference::Env(from)) => format!(
            "When the bundle starts, Compose reads the host's variable {}, and the sidecar has it as {name}; without it the \
             bundle does not start. `compose.yaml` carries the name alone: the value is in no file that `bottlec` writes.",
            quote(from)
        ),
        VariableValue::Secret(Reference::File(_)) => String::from(
            "No container engine fills a variable from a file: show the sidecar the file with `secret`.",
        ),
    }
}
