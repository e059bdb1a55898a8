//! `env`: variables, literal or by reference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Spanned, property};
use crate::schema::is_export;
use crate::source::Span;
use crate::syntax::{Entry, Node, Value};

/// A reference to a secret on the host. Its value is never read here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Reference {
    /// A variable of the launcher's environment.
    #[serde(rename = "from_env")]
    Env(String),
    /// A file, by absolute path.
    #[serde(rename = "from_file")]
    File(String),
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VariableValue {
    /// The text itself.
    #[serde(rename = "value")]
    Literal(String),
    /// A reference to a secret.
    #[serde(untagged)]
    Secret(Reference),
}

/// One variable as it is written.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Spanned<String>,
    /// All of it, from its name through its last source.
    pub node: Span,
    /// Each of the sources given for it, in the order literal, `from-env`, `from-file`; a valid one has one.
    pub sources: Vec<Spanned<VariableValue>>,
    /// Whether nothing at all is given for it; with a source that is misspelt, that is reported instead.
    pub bare: bool,
}

impl Variable {
    /// Decodes a block of variables. Whatever stands behind a shell's word was spoken of, and is no variable of that name.
    pub(super) fn decode_all(env: Node<'_>) -> impl Iterator<Item = Self> {
        env.children().filter(|node| !is_export(*node)).map(Self::decode)
    }

    fn decode(node: Node<'_>) -> Self {
        // A source of the wrong type is one all the same, and is reported: it must not count as a missing one.
        let given = |entry: Entry<'_>| match entry.value() {
            Value::String(text) => text.to_owned(),
            _ => String::new(),
        };
        let literal = node.entries().find(|entry| entry.key().is_none());
        let literal = literal.map(|entry| (VariableValue::Literal(given(entry)), entry.value_span()));
        let secret = |key, reference: fn(String) -> Reference| {
            property(node, key)
                .map(|entry| (VariableValue::Secret(reference(given(entry))), entry.value_span()))
        };
        let sources = [literal, secret("from-env", Reference::Env), secret("from-file", Reference::File)];
        Self {
            name: Spanned { value: node.name().to_owned(), span: node.name_span() },
            node: node.head_span(),
            sources: sources.into_iter().flatten().map(|(value, span)| Spanned { value, span }).collect(),
            bare: node.entries().next().is_none() && !node.is_broken(),
        }
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> Option<&VariableValue> {
        self.sources.first().map(|source| &source.value)
    }
}
