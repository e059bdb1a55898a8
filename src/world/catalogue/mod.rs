//! The catalogue of agents: built-in profiles that come with the compiler, each a text of KDL, whose every entry has a
//! comment with its source and the date on which that was read.

pub mod cited;

use crate::source::Source;

/// How the names of built-in profiles begin, and no other profile's.
pub const PREFIX: &str = "std/";

/// How the places of their texts begin. The places of a workspace's files are paths without an empty part, so none of
/// them is such a place.
const SCHEME: &str = "std://";

/// A built-in profile.
#[derive(Debug)]
pub struct BuiltIn {
    /// The agent that it is for: its name without [`PREFIX`].
    pub agent: &'static str,
    /// Its text: one `profile`.
    pub text: &'static str,
}

/// Makes a row of each profile, whose text is the file of its name.
macro_rules! catalogue {
    ($($agent:literal),* $(,)?) => {
        /// Every built-in profile, by name.
        pub static ALL: &[BuiltIn] =
            &[$(BuiltIn { agent: $agent, text: include_str!(concat!($agent, ".kdl")) }),*];
    };
}

catalogue!["aider", "claude-code", "codex", "gemini-cli", "opencode"];

impl BuiltIn {
    /// Returns its name, as `extends` has it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{PREFIX}{}", self.agent)
    }

    /// Returns what the agent is called, and whose it is: the first line of the text.
    #[must_use]
    pub fn title(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        let sentence = first.trim_start_matches(['/', ' ']).split(". ").next().unwrap_or_default();
        sentence.trim_end_matches('.')
    }

    /// Returns its text as a source.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::built_in(format!("{SCHEME}{}", self.agent), self.text)
    }
}

/// Returns the profile of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static BuiltIn> {
    of_agent(name.strip_prefix(PREFIX)?)
}

/// Returns the profile for an agent.
#[must_use]
pub fn of_agent(agent: &str) -> Option<&'static BuiltIn> {
    ALL.iter().find(|profile| profile.agent == agent)
}

/// Returns the place of the text of a built-in profile by the profile's name, known or not; nothing for another name.
#[must_use]
pub fn place_of(name: &str) -> Option<String> {
    Some(format!("{SCHEME}{}", name.strip_prefix(PREFIX)?))
}

/// Returns the agent whose profile's text is at that place; nothing when it is the place of a file.
#[must_use]
pub fn agent_at(place: &str) -> Option<&str> {
    place.strip_prefix(SCHEME)
}

/// Whether the place of a source is that of a built-in profile.
#[must_use]
pub fn is_place(place: &str) -> bool {
    agent_at(place).is_some()
}
