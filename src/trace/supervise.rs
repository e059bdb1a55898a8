//! `supervise/` and `agent/mcp.json`.

use super::Decisions;
use super::cause::{Causes, all, element, itself, nth, traced};
use crate::world::builtin;

impl Decisions<'_> {
    pub(super) fn supervise_config(&self, path: &[&str]) -> Causes {
        match path {
            ["bottle"] => self.slug(),
            ["url"] => self.url(builtin::SUPERVISE),
            ["queue_on_host"] => self.queue(),
            [] | ["version" | "listen" | "queue" | "audit_log" | "in_force" | "limits", ..] => {
                all([self.supervise(), itself()])
            }
            _ => Causes::new(),
        }
    }

    pub(super) fn mcp(&self, path: &[&str]) -> Causes {
        match path {
            [.., "url"] => self.url(builtin::SUPERVISE),
            [] | ["mcpServers", ..] => self.supervise(),
            _ => Causes::new(),
        }
    }

    /// The copies of what is in force.
    pub(super) fn in_force(&self, path: &[&str]) -> Causes {
        let plan = self.plan;
        match path {
            ["allow", n] => element(&plan.egress.allow, n),
            ["deny", n] => element(&plan.egress.deny, n),
            ["rate_limit"] => traced(&plan.egress.rate_limit),
            ["repos", n, "url"] => nth(&plan.repos, n)
                .map(|repo| self.repo(&repo.name, |repo| Some(repo.url)))
                .unwrap_or_default(),
            ["repos", n, ..] => nth(&plan.repos, n)
                .map(|repo| self.repo(&repo.name, |repo| Some(repo.name)))
                .unwrap_or_default(),
            ["sidecars", n, "url"] => {
                nth(&plan.sidecars, n).map(|sidecar| self.url(&sidecar.name)).unwrap_or_default()
            }
            ["sidecars", n, ..] => {
                nth(&plan.sidecars, n).map(|sidecar| self.sidecar(&sidecar.name)).unwrap_or_default()
            }
            [] | ["allow" | "deny" | "repos" | "sidecars"] => all([self.supervise(), itself()]),
            _ => Causes::new(),
        }
    }
}
