//! The rules: one check a file, its Markdown page beside it.
//!
//! A rule's page is what `bottlec explain` prints, and the fenced examples in it are the rule's tests: a fence marked
//! `kdl fails` must produce the rule, one marked `kdl` must compile without a word.

use crate::diagnostic::Level;

pub mod syntax;

/// One thing that can be wrong with a spec.
#[derive(Debug)]
pub struct Rule {
    /// Its stable name, in kebab case.
    pub id: &'static str,
    /// How bad breaking it is, unless the spec says otherwise.
    pub level: Level,
    /// The version of bottlec that first had it.
    pub since: &'static str,
    /// What it wants, in one line.
    pub summary: &'static str,
    /// Its page, in Markdown.
    pub page: &'static str,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

/// Declares a rule whose page is `src/rules/<id>.md`.
macro_rules! rule {
    ($name:ident, $id:literal, $level:ident, $since:literal, $summary:literal) => {
        #[doc = $summary]
        pub static $name: $crate::rules::Rule = $crate::rules::Rule {
            id: $id,
            level: $crate::diagnostic::Level::$level,
            since: $since,
            summary: $summary,
            page: include_str!(concat!($id, ".md")),
        };
    };
}
use rule;

/// Every rule, by id.
pub static ALL: &[&Rule] = &[
    &syntax::DISALLOWED_CHARACTER,
    &syntax::INVALID_ESCAPE,
    &syntax::INVALID_MULTI_LINE_STRING,
    &syntax::INVALID_NUMBER,
    &syntax::INVALID_UTF8,
    &syntax::KDL_V1,
    &syntax::NESTING_TOO_DEEP,
    &syntax::RESERVED_WORD,
    &syntax::SOURCE_TOO_LARGE,
    &syntax::SYNTAX_ERROR,
    &syntax::UNCLOSED_BRACE,
    &syntax::UNCLOSED_COMMENT,
    &syntax::UNCLOSED_STRING,
    &syntax::UNMATCHED_BRACE,
];

/// The rule of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id).copied()
}
