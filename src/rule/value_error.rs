//! Refused values: which rule one breaks, and what is most likely meant.

use super::Rule;
use super::catalogue::INVALID_VALUE;

/// Why a value is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct ValueError {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// What is wrong, with the value in it.
    pub message: String,
    /// What was expected there.
    pub expected: String,
    /// What to do.
    pub help: Option<String>,
    /// What is most likely meant.
    pub meant: Option<Meant>,
}

/// A suggestion in place of a value that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A string that holds this text.
    Text(String),
    /// A value as KDL writes it.
    Value(String),
}

impl ValueError {
    pub(crate) fn new(rule: &'static Rule, message: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { rule, message: message.into(), expected: expected.into(), help: None, meant: None }
    }

    pub(crate) fn invalid(message: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(&INVALID_VALUE, message, expected)
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn meant(mut self, text: impl Into<String>) -> Self {
        self.meant = Some(Meant::Text(text.into()));
        self
    }

    pub(crate) fn meant_value(mut self, value: impl Into<String>) -> Self {
        self.meant = Some(Meant::Value(value.into()));
        self
    }
}
