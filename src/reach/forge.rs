//! Ways past git-gate: what the proxy lets through to the forges of repositories.

use super::proxy::Decision;
use super::{Because, Policy};
use crate::world::forge;
use crate::world::host::Target;

/// Returns the hosts through which the agent reaches, by the proxy, what the host of a repository has, each with the
/// entry that allows it.
pub fn past_gate<'h, T: Copy>(policy: &Policy<'_, T>, host: &'h str) -> impl Iterator<Item = (&'h str, T)> {
    forge::web(host).filter_map(|web| {
        let target: Target = web.parse().ok()?;
        match policy.judge(&target, None) {
            Because::Proxy(
                Decision::Listed(entry, _)
                | Decision::Opened(entry, _)
                | Decision::Inner(entry)
                | Decision::Unsure(entry),
            ) => Some((web, entry)),
            _ => None,
        }
    })
}
