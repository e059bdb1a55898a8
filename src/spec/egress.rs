//! `egress`: what the agent may reach through pipelock.

use super::{Spanned, arguments, number_argument};
use crate::syntax::Node;

/// One host pattern, in lower case.
pub type Host = Spanned<String>;

/// The egress policy of a layer, or of a whole bottle.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    /// What may be reached.
    pub allow: Vec<Host>,
    /// What may not, whatever allows it.
    pub deny: Vec<Host>,
    /// Requests a minute.
    pub rate_limit: Option<Spanned<u32>>,
}

impl Egress {
    pub(super) fn decode_into(&mut self, node: Node<'_>) {
        // Host names are compared without regard to case; one spelling makes equal entries equal.
        let lower = |host: Host| Host { value: host.value.to_ascii_lowercase(), ..host };
        for child in node.children() {
            match child.name() {
                "allow" => self.allow.extend(arguments(child).map(lower)),
                "deny" => self.deny.extend(arguments(child).map(lower)),
                "rate-limit" => self.rate_limit = self.rate_limit.or(number_argument(child)),
                _ => {}
            }
        }
    }

    /// Lays `over` on top: lists are united, so that a `deny` is never lifted, and the last rate limit wins.
    pub(super) fn merge(&mut self, over: Self) {
        let Self { allow, deny, rate_limit } = over;
        self.allow.extend(allow);
        self.deny.extend(deny);
        self.rate_limit = rate_limit.or(self.rate_limit);
    }
}
