//! Settings of levels: what a spec's `lint` and a run's options may make of a rule.

use super::{Level, Rule, find};
use crate::text::{did_you_mean, quote};

/// The level that a rule is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// It is not shown, and counted.
    Allow,
    /// It is a warning.
    Warn,
    /// It is an error.
    Deny,
}

/// The source of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelSource {
    /// A spec, which may `accept` an error and say beside it that this is a warning.
    Spec,
    /// A run, which answers for nothing.
    Run,
}

/// Why a level cannot be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLevel {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The rule that is most likely meant.
    pub meant: Option<&'static str>,
}

impl Setting {
    /// The word for it, in a spec and in an argument.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }

    /// The setting of that word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        [Self::Allow, Self::Warn, Self::Deny].into_iter().find(|setting| setting.as_str() == word)
    }

    /// The rule of that id, if its level may be set so. Errors are never lowered: what is unconfined is answered for by
    /// `accept`, everything else must be fixed.
    ///
    /// # Errors
    /// Why not.
    pub fn rule(self, id: &str, source: LevelSource) -> Result<&'static Rule, InvalidLevel> {
        let Some(rule) = find(id) else {
            let meant = did_you_mean(id, super::ALL.iter().map(|rule| rule.id));
            let message = format!("there is no rule {}", quote(id));
            let help = meant.is_none().then(|| String::from("`bottlec rules` lists them"));
            return Err(InvalidLevel { message, help, meant });
        };
        let done = match self {
            Self::Deny => return Ok(rule),
            Self::Warn if rule.acceptable && source == LevelSource::Spec => return Ok(rule),
            _ if rule.level != Level::Error => return Ok(rule),
            Self::Allow => "allowed",
            Self::Warn => "lowered to a warning",
        };
        let help = match (rule.acceptable, source) {
            (true, LevelSource::Spec) => format!("answer for it with `accept \"{id}\" reason=\"…\"`"),
            (true, LevelSource::Run) => format!("a spec answers for it with `accept \"{id}\" reason=\"…\"`"),
            (false, _) => String::from("fix what it reports"),
        };
        let message = format!("{} is an error, and cannot be {done}", quote(id));
        Err(InvalidLevel { message, help: Some(help), meant: None })
    }

    /// The level that a finding of this level has under the setting; none when it is not shown. An error stays one, and
    /// what was one before the spec accepted it stays a warning.
    pub(crate) fn of(self, rule: &Rule, level: Level) -> Option<Level> {
        match self {
            _ if level == Level::Error => Some(level),
            Self::Deny => Some(Level::Error),
            Self::Warn => Some(Level::Warning),
            Self::Allow => (rule.level == Level::Error).then_some(level),
        }
    }

    /// The setting that says what holds of a rule that nobody sets: none says that it is advice.
    pub(crate) fn own(rule: &Rule) -> Option<Self> {
        match rule.level {
            Level::Error if !rule.acceptable => Some(Self::Deny),
            Level::Error | Level::Warning => Some(Self::Warn),
            Level::Advice => None,
        }
    }
}
