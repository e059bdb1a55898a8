//! The rules: one check a file, its Markdown page beside it.
//!
//! A rule's page is what `bottlec explain` prints, and the fenced examples in it are the rule's tests: a fence marked
//! `kdl fails` must produce the rule, one marked `kdl` must compile without a word.

use crate::diagnostic::Level;

pub mod boot;
pub mod bottle;
pub mod container;
pub mod egress;
pub mod egress_scan;
pub mod engine;
pub mod env;
pub mod expose;
pub mod fleet;
pub mod names;
pub mod port_taken;
pub mod queue;
pub mod repo;
pub mod schema;
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
    &egress::ALLOW_DENIED,
    &egress::ALLOW_SHARED,
    &egress::ALLOW_TOO_WIDE,
    &boot::CONFLICTING_BOOT,
    &bottle::DEPENDENCY_CYCLE,
    &syntax::DISALLOWED_CHARACTER,
    &bottle::DUPLICATE_NAME,
    &schema::DUPLICATE_NODE,
    &schema::DUPLICATE_PROPERTY,
    &schema::EGRESS_NEVER_MATCHES,
    &egress::EGRESS_PORT,
    &fleet::EMPTY_SPEC,
    &engine::ENGINE_NEWER,
    &engine::ENGINE_TOO_OLD,
    &container::ENV_FROM_FILE,
    &env::ENV_INTERPOLATION,
    &env::ENV_OWNED,
    &env::ENV_SOURCE,
    &schema::ENV_VALUE_ALTERED,
    &fleet::EXPANSION_TOO_LARGE,
    &expose::EXPOSE_WITHOUT_PORT,
    &container::HOST_PATH_EXPOSED,
    &boot::IMAGE_NOT_PINNED,
    &bottle::INCLUDE_CYCLE,
    &bottle::INCLUDE_ESCAPE,
    &bottle::INCLUDE_UNREADABLE,
    &syntax::INVALID_ESCAPE,
    &syntax::INVALID_MULTI_LINE_STRING,
    &schema::INVALID_NAME,
    &syntax::INVALID_NUMBER,
    &egress_scan::INVALID_REGEX,
    &syntax::INVALID_UTF8,
    &schema::INVALID_VALUE,
    &syntax::KDL_V1,
    &schema::MISSING_ARGUMENT,
    &schema::MISSING_NODE,
    &schema::MISSING_PROPERTY,
    &egress_scan::MODEL_INTERCEPTED,
    &syntax::NESTING_TOO_DEEP,
    &egress_scan::PASSTHROUGH_MISSES_APEX,
    &egress_scan::PASSTHROUGH_NOT_TRUSTED,
    &engine::POLICY_DROPPED,
    &engine::POLICY_NOT_ENFORCED,
    &port_taken::PORT_TAKEN,
    &egress::PRIVATE_NOT_ALLOWED,
    &egress::PRIVATE_NOT_TRUSTED,
    &bottle::PROFILE_CYCLE,
    &queue::QUEUE_TAKEN,
    &egress::RATE_LIMIT_LOW,
    &repo::REPO_AMBIGUOUS,
    &names::RESERVED_NAME,
    &syntax::RESERVED_WORD,
    &schema::RETIRED_NODE,
    &egress_scan::SCAN_OVERRULED,
    &egress_scan::SCAN_WITHOUT_TLS,
    &syntax::SOURCE_TOO_LARGE,
    &fleet::SUBNET_COLLISION,
    &syntax::SYNTAX_ERROR,
    &egress_scan::TLS_WITHOUT_CA,
    &syntax::UNCLOSED_BRACE,
    &syntax::UNCLOSED_COMMENT,
    &syntax::UNCLOSED_STRING,
    &schema::UNEXPECTED_ANNOTATION,
    &schema::UNEXPECTED_ARGUMENT,
    &schema::UNEXPECTED_BLOCK,
    &schema::UNKNOWN_BACKEND,
    &schema::UNKNOWN_ENGINE,
    &schema::UNKNOWN_NODE,
    &bottle::UNKNOWN_PROFILE,
    &schema::UNKNOWN_PROPERTY,
    &bottle::UNKNOWN_SIDECAR,
    &syntax::UNMATCHED_BRACE,
    &schema::WRONG_TYPE,
];

/// The rule of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id).copied()
}
