//! The catalogue of agents and of APIs: built-in profiles that come with the compiler, each a text of KDL, whose every entry
//! has a comment with its source and the date on which that was read.

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
    /// Its name without [`PREFIX`].
    pub word: &'static str,
    /// What it is of.
    pub subject: Subject,
    /// Its text: one `profile`.
    pub text: &'static str,
}

/// What a built-in profile is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An agent: its program, what it reads, what it may reach.
    Agent,
    /// An API: one credential, for whichever agent.
    Api,
}

/// Makes a row of each profile, whose text is the file of its name in the folder of its subject.
macro_rules! catalogue {
    ($($subject:ident in $folder:literal: $($word:literal)*;)*) => {
        /// Every built-in profile: agents, then APIs, by name.
        pub static ALL: &[BuiltIn] = &[$($(BuiltIn {
            word: $word,
            subject: Subject::$subject,
            text: include_str!(concat!($folder, $word, ".kdl")),
        }),*),*];
    };
}

catalogue! {
    Agent in "": "aider" "claude-code" "codex" "gemini-cli" "opencode";
    Api in "apis/": "anthropic" "gemini" "github-issues" "github-read" "gitlab-issues" "gitlab-read" "openai";
}

/// The profiles of a subject, by name.
pub fn of_subject(subject: Subject) -> impl Iterator<Item = &'static BuiltIn> {
    ALL.iter().filter(move |profile| profile.subject == subject)
}

impl BuiltIn {
    /// Returns its name, as `extends` has it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{PREFIX}{}", self.word)
    }

    /// Returns what its subject is called, and whose it is: the first sentence of the text.
    #[must_use]
    pub fn title(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        let sentence = first.trim_start_matches(['/', ' ']).split(". ").next().unwrap_or_default();
        sentence.trim_end_matches('.')
    }

    /// Returns its text as a source.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::built_in(format!("{SCHEME}{}", self.word), self.text)
    }
}

/// Returns the profile of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static BuiltIn> {
    of_word(name.strip_prefix(PREFIX)?)
}

/// Returns the profile of that name without [`PREFIX`].
#[must_use]
pub fn of_word(word: &str) -> Option<&'static BuiltIn> {
    ALL.iter().find(|profile| profile.word == word)
}

/// Returns the profile of an agent.
#[must_use]
pub fn of_agent(agent: &str) -> Option<&'static BuiltIn> {
    of_word(agent).filter(|profile| profile.subject == Subject::Agent)
}

/// Returns the place of the text of a built-in profile by the profile's name, known or not; nothing for another name.
#[must_use]
pub fn place_of(name: &str) -> Option<String> {
    Some(format!("{SCHEME}{}", name.strip_prefix(PREFIX)?))
}

/// Returns the name without [`PREFIX`] of the built-in profile whose text is at that place; nothing when it is the place of a
/// file.
#[must_use]
pub fn word_at(place: &str) -> Option<&str> {
    place.strip_prefix(SCHEME)
}

/// Whether the place of a source is that of a built-in profile.
#[must_use]
pub fn is_place(place: &str) -> bool {
    word_at(place).is_some()
}
