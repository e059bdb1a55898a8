//! Repositories whose names are too much alike.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, Names, Repo};
use crate::rule::catalogue::REPO_AMBIGUOUS;
use crate::schema::ValueType;
use crate::syntax::Value;
use crate::text::quote;
use crate::world::upstream::Upstream;

/// A repository's name without what names must not differ in alone.
#[must_use]
pub(crate) fn plain_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".git").unwrap_or(&name).to_owned()
}

/// Checks the repositories of a bottle.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let mut names: BTreeMap<String, &Repo> = BTreeMap::new();
    let mut urls: BTreeMap<(String, u16, String), &Repo> = BTreeMap::new();
    // In the order of the text, so that it is the later one that is refused.
    let mut repos: Vec<&Repo> = bottle.settings.git.repos.iter().collect();
    repos.sort_by_key(|repo| (repo.name.span.source, repo.name.span.start));
    for repo in repos {
        let name = plain_name(&repo.name.value);
        if let Some(first) = names.get(&name) {
            diagnostics.push_error_with(|| {
                let (this, other) = (quote(&repo.name.value), quote(&first.name.value));
                Diagnostic::new(
                    &REPO_AMBIGUOUS,
                    repo.name.span,
                    format!("repositories {this} and {other} have names that are taken for each other"),
                )
                .label("expected a name that differs in more than case and `.git`")
                .related(first.name.span, "the other one is here")
                .help("git takes a name with and without `.git` for the same, and some file systems ignore case")
            });
        } else {
            names.insert(name, repo);
        }
        // What is no URL was spoken of as that.
        if ValueType::GitUrl.check(Value::String(&repo.url.value)).is_err() {
            continue;
        }
        let Some(upstream) = Upstream::parse(&repo.url.value) else { continue };
        if let Some(first) = urls.get(&upstream.key()) {
            diagnostics.push_error_with(|| {
                let (this, other) = (quote(&repo.name.value), quote(&first.name.value));
                Diagnostic::new(
                    &REPO_AMBIGUOUS,
                    repo.url.span,
                    format!("repositories {this} and {other} have one upstream"),
                )
                .label(format!("the same as that of {other}"))
                .related(first.url.span, "it is named here first")
                .help("the agent's git could not tell which of them a URL means: declare it once")
            });
        } else {
            urls.insert(upstream.key(), repo);
        }
    }
}
