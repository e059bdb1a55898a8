//! Ways past git-gate: a repository's host that the proxy reaches as well, and tokens for it.

use std::collections::{BTreeMap, BTreeSet};

use super::expect;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Bottle, Host, Names, Repo, Settings};
use crate::reach::past_gate;
use crate::rule::catalogue::GATE_BYPASSED;
use crate::source::Span;
use crate::text::quote;
use crate::world::forge;
use crate::world::upstream::Upstream;

/// What one entry of `allow` lets through: the entry, the hosts, and a repository that is there.
type Opening<'a> = (&'a Host, Vec<&'a str>, (&'a Repo, Span));

/// Checks the repositories of a bottle.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let Settings { git, env, .. } = &bottle.settings;
    if git.repos.is_empty() {
        return;
    }
    let policy = expect::policy(bottle);
    let mut openings: BTreeMap<Span, Opening<'_>> = BTreeMap::new();
    let mut hosts: BTreeSet<String> = BTreeSet::new();
    for (repo, url) in git.repos.iter().filter_map(|repo| Some((repo, &repo.upstream()?.url))) {
        let Some(upstream) = Upstream::parse(&url.value) else { continue };
        // Others that are there say nothing new.
        if !hosts.insert(upstream.host.to_ascii_lowercase()) {
            continue;
        }
        for (host, entry) in past_gate(&policy, upstream.host) {
            let opening = openings.entry(entry.span).or_insert((entry, Vec::new(), (repo, url.span)));
            if !opening.1.contains(&host) {
                opening.1.push(host);
            }
        }
        let tokens = forge::find(upstream.host).map_or(&[][..], |forge| forge.tokens);
        for variable in tokens.iter().filter_map(|token| env.get(*token)) {
            let (token, host) = (quote(&variable.name.value), quote(upstream.host));
            diagnostics.push(
                Diagnostic::new(
                    &GATE_BYPASSED,
                    variable.name.span,
                    format!("{token} is a credential for {host}, where git-gate carries a repository"),
                )
                .label("what is written with it passes no scanner of the gate")
                .related(url.span, format!("{} is there", quote(&repo.name.value)))
                .help("leave it out: git-gate has the key, and the agent needs none to fetch and push"),
            );
        }
    }
    for (entry, hosts, (repo, url)) in openings.into_values() {
        let names = hosts.iter().map(|host| quote(host)).collect::<Vec<_>>().join(", ");
        let message = if hosts == [entry.value.as_str()] {
            format!("the agent can reach {names} past git-gate")
        } else {
            format!("{} lets the agent reach {names} past git-gate", quote(&entry.value))
        };
        diagnostics.push(
            Diagnostic::new(&GATE_BYPASSED, entry.span, message)
                .label("what goes there passes no scanner of the gate")
                .related(url, format!("git-gate carries {} there", quote(&repo.name.value)))
                .help("git-gate needs no `allow`: take it out, narrow it, or `deny` what it leads to"),
        );
    }
}
