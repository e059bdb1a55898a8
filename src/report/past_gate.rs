//! Ways past git-gate, in words.

use std::collections::BTreeMap;

use crate::plan::{Plan, PlannedHost, PlannedRepo, Traced};
use crate::reach::{Policy, past_gate};
use crate::text::quote;
use crate::world::forge;
use crate::world::upstream::Upstream;

/// How a repository's host is reached past git-gate, as the end of a sentence: "by allow `*.github.com` (x.kdl:7)".
/// None when it is not.
pub(super) fn ways(
    plan: &Plan,
    policy: &Policy<'_, &Traced<PlannedHost>>,
    repo: &PlannedRepo,
) -> Option<String> {
    let upstream = Upstream::parse(&repo.upstream()?.url)?;
    let mut ways: Vec<String> = Vec::new();
    for (_, entry) in past_gate(policy, upstream.host) {
        let way = format!("by allow {} ({})", entry.host, entry.origin);
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    let tokens = forge::find(upstream.host).map_or(&[][..], |forge| forge.tokens);
    let held = tokens.iter().filter_map(|token| Some((token, plan.env.get(*token)?)));
    ways.extend(held.map(|(token, variable)| format!("with {token} ({})", variable.origin)));
    (!ways.is_empty()).then(|| ways.join(", "))
}

/// One sentence for each host of repositories that is reached past git-gate.
pub(super) fn sentences(
    plan: &Plan,
    policy: &Policy<'_, &Traced<PlannedHost>>,
) -> impl Iterator<Item = String> {
    let mut hosts: BTreeMap<String, &PlannedRepo> = BTreeMap::new();
    for repo in &plan.git.repos {
        if let Some(upstream) = repo.upstream().and_then(|it| Upstream::parse(&it.url)) {
            hosts.entry(upstream.host.to_ascii_lowercase()).or_insert(repo);
        }
    }
    hosts.into_iter().filter_map(move |(host, repo)| {
        Some(format!(
            "{host} is reached past git-gate, where nothing is scanned before it leaves: {}",
            ways(plan, policy, repo)?
        ))
    })
}

/// What to know of a host that the proxy lets through and that git-gate leads to as well.
pub(super) fn notes(plan: &Plan, host: &str) -> impl Iterator<Item = String> {
    let there = move |repo: &&PlannedRepo| {
        let upstream = repo.upstream().and_then(|it| Upstream::parse(&it.url));
        upstream.is_some_and(|upstream| forge::web(upstream.host).any(|web| web.eq_ignore_ascii_case(host)))
    };
    plan.git.repos.iter().map(|repo| &repo.value).filter(there).map(|repo| {
        format!(
            "this is past git-gate, which scans what is pushed to the repository {} there",
            quote(&repo.name)
        )
    })
}
