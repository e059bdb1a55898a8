//! Repositories that are in two places, and those whose names are too much alike.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, Layer, Names, Repo, RepoSource, UpstreamRepo};
use crate::rule::catalogue::{CONFLICTING_REPO, REPO_AMBIGUOUS};
use crate::schema::ValueType;
use crate::source::Span;
use crate::syntax::Value;
use crate::text::quote;
use crate::world::upstream::Upstream;

/// A repository's name without what names must not differ in alone.
#[must_use]
pub(crate) fn plain_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".git").unwrap_or(&name).to_owned()
}

/// Checks the repositories of a layer.
pub fn check_layer(layer: &Layer, diagnostics: &mut Diagnostics) {
    for repo in &layer.git.repos {
        let RepoSource::Local { path, beside } = &repo.source else { continue };
        let [first, ..] = beside.as_slice() else { continue };
        diagnostics.push_error_with(|| {
            let beside: Vec<String> = beside.iter().map(|it| format!("`{}`", it.value)).collect();
            let message = format!("`path` and {} are both given", beside.join(", "));
            Diagnostic::new(&CONFLICTING_REPO, first.span, message)
                .label("belongs to an upstream, which a repository on this host has not")
                .related(path.span, "this one is on the host")
                .help("keep `path`, or else `url`, `identity` and `host-key`: what the agent pushes has one place to go")
        });
    }
}

/// Checks the repositories of a bottle.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let mut names: BTreeMap<String, &Repo> = BTreeMap::new();
    let mut urls: BTreeMap<(String, u16, String), (&Repo, Span)> = BTreeMap::new();
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
        let Some(UpstreamRepo { url, identity: _, host_keys: _ }) = repo.upstream() else { continue };
        // What is no URL was spoken of as that.
        if ValueType::GitUrl.check(Value::String(&url.value)).is_err() {
            continue;
        }
        let Some(upstream) = Upstream::parse(&url.value) else { continue };
        if let Some((first, at)) = urls.get(&upstream.key()) {
            diagnostics.push_error_with(|| {
                let (this, other) = (quote(&repo.name.value), quote(&first.name.value));
                Diagnostic::new(
                    &REPO_AMBIGUOUS,
                    url.span,
                    format!("repositories {this} and {other} have one upstream"),
                )
                .label(format!("the same as that of {other}"))
                .related(*at, "it is named here first")
                .help("the agent's git could not tell which of them a URL means: declare it once")
            });
        } else {
            urls.insert(upstream.key(), (repo, url.span));
        }
    }
}
