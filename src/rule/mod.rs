//! The rules: one check a file, its Markdown page beside it.
//!
//! A rule's page is what `bottlec explain` prints, and the fenced examples in it are the rule's tests: a fence marked
//! `kdl fails` must produce the rule, one marked `kdl` must compile without a word.

use crate::diagnostic::Level;

pub mod catalogue;
pub mod syntax;

use crate::check::{
    accept, boot, container, egress, egress_scan, engine, env, env_ignored, expect, expose, fleet, lint,
    loss, names, personal, port_taken, queue, repo, secret_literal, unused,
};
use crate::resolve::message as bottle;

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
    /// Whether a spec may `accept` it: an error about what the agent is kept from, which somebody may answer for.
    pub acceptable: bool,
    /// The module that declares it, by which the index groups it.
    pub module: &'static str,
}

impl Rule {
    /// Where its page can be read: in the project's repository, as it was at this version. Nowhere as long as the
    /// package names no repository.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        url_in(env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"), self.id)
    }
}

/// Where the page of a rule is in a repository that has the usual addresses.
fn url_in(repository: &str, version: &str, id: &str) -> Option<String> {
    let repository = repository.trim_end_matches('/');
    (!repository.is_empty()).then(|| format!("{repository}/blob/v{version}/docs/rules/{id}.md"))
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
        rule!($name, $id, $level, $since, $summary, false);
    };
    ($name:ident, $id:literal, $level:ident, $since:literal, $summary:literal, acceptable) => {
        rule!($name, $id, $level, $since, $summary, true);
    };
    ($name:ident, $id:literal, $level:ident, $since:literal, $summary:literal, $acceptable:literal) => {
        #[doc = $summary]
        pub static $name: $crate::rule::Rule = $crate::rule::Rule {
            id: $id,
            level: $crate::diagnostic::Level::$level,
            since: $since,
            summary: $summary,
            page: include_str!(concat!("../rules/", $id, ".md")),
            acceptable: $acceptable,
            module: module_path!(),
        };
    };
}
pub(crate) use rule;

/// Every rule, by id.
pub static ALL: &[&Rule] = &[
    &accept::ACCEPT_UNUSED,
    &egress::ALLOW_DENIED,
    &egress::ALLOW_DROP,
    &egress::ALLOW_SHADOWED,
    &egress::ALLOW_SHARED,
    &egress::ALLOW_TOO_WIDE,
    &engine::BUNDLE_REFUSED,
    &boot::CONFLICTING_BOOT,
    &bottle::DEPENDENCY_CYCLE,
    &syntax::DISALLOWED_CHARACTER,
    &engine::DNS_OPEN,
    &bottle::DUPLICATE_NAME,
    &catalogue::DUPLICATE_NODE,
    &catalogue::DUPLICATE_PROPERTY,
    &catalogue::EGRESS_NEVER_MATCHES,
    &fleet::EMPTY_SPEC,
    &engine::ENGINE_NEWER,
    &engine::ENGINE_TOO_OLD,
    &container::ENV_FROM_FILE,
    &env_ignored::ENV_IGNORED,
    &env::ENV_INTERPOLATION,
    &env::ENV_OWNED,
    &env::ENV_SOURCE,
    &catalogue::ENV_VALUE_ALTERED,
    &fleet::EXPANSION_TOO_LARGE,
    &expect::EXPECTATION_FAILED,
    &expose::EXPOSE_WITHOUT_PORT,
    &container::HOST_PATH_EXPOSED,
    &personal::IDENTITY_IN_WORKSPACE,
    &boot::IMAGE_NOT_PINNED,
    &engine::IMAGE_NOT_PULLED,
    &bottle::INCLUDE_CYCLE,
    &bottle::INCLUDE_ESCAPE,
    &bottle::INCLUDE_UNREADABLE,
    &syntax::INVALID_ESCAPE,
    &syntax::INVALID_MULTI_LINE_STRING,
    &catalogue::INVALID_NAME,
    &syntax::INVALID_NUMBER,
    &egress_scan::INVALID_REGEX,
    &syntax::INVALID_UTF8,
    &catalogue::INVALID_VALUE,
    &syntax::KDL_V1,
    &lint::LINT_CONFLICT,
    &lint::LINT_UNUSED,
    &catalogue::MISSING_ARGUMENT,
    &catalogue::MISSING_NODE,
    &catalogue::MISSING_PROPERTY,
    &egress_scan::MODEL_INTERCEPTED,
    &syntax::NESTING_TOO_DEEP,
    &engine::PACK_REOPENS,
    &egress_scan::PASSTHROUGH_MISSES_APEX,
    &egress_scan::PASSTHROUGH_NOT_TRUSTED,
    &personal::PERSONAL_PATH,
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
    &engine::RESOLVER_ADDED,
    &catalogue::RETIRED_NODE,
    &egress_scan::SCAN_OVERRULED,
    &egress_scan::SCAN_WITHOUT_TLS,
    &secret_literal::SECRET_LITERAL,
    &syntax::SOURCE_TOO_LARGE,
    &loss::STRICTER_THAN_WRITTEN,
    &fleet::SUBNET_COLLISION,
    &syntax::SYNTAX_ERROR,
    &egress_scan::TLS_WITHOUT_CA,
    &syntax::UNCLOSED_BRACE,
    &syntax::UNCLOSED_COMMENT,
    &syntax::UNCLOSED_STRING,
    &catalogue::UNEXPECTED_ANNOTATION,
    &catalogue::UNEXPECTED_ARGUMENT,
    &catalogue::UNEXPECTED_BLOCK,
    &catalogue::UNKNOWN_BACKEND,
    &catalogue::UNKNOWN_ENGINE,
    &catalogue::UNKNOWN_NODE,
    &bottle::UNKNOWN_PROFILE,
    &catalogue::UNKNOWN_PROPERTY,
    &bottle::UNKNOWN_SIDECAR,
    &syntax::UNMATCHED_BRACE,
    &unused::UNUSED_PROFILE,
    &unused::UNUSED_SIDECAR,
    &loss::WIDER_THAN_WRITTEN,
    &catalogue::WRONG_TYPE,
];

/// The rule of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id).copied()
}

/// The ids of the rules that a spec may `accept`, in order.
pub fn acceptable() -> impl Iterator<Item = &'static str> {
    ALL.iter().filter(|rule| rule.acceptable).map(|rule| rule.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_where_the_repository_is_and_nowhere_without_one() {
        assert_eq!(url_in("", "1.2.3", "dns-open"), None);
        let url = url_in("https://git.example.com/acme/bottlec/", "1.2.3", "dns-open");
        let expected = "https://git.example.com/acme/bottlec/blob/v1.2.3/docs/rules/dns-open.md";
        assert_eq!(url.as_deref(), Some(expected));
    }
}
