//! `accept`: errors that a spec lowers by their name, with a reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::Accept;
use crate::rule::Level;
use crate::rule::catalogue::{ACCEPT_UNUSED, HOST_PATH_EXPOSED};
use crate::source::Span;
use crate::text::quote;

/// The `accept` nodes of a compile, and which of them were needed.
#[derive(Debug, Default)]
pub struct Acceptance {
    seen: BTreeMap<Span, String>,
    used: BTreeSet<Span>,
}

impl Acceptance {
    /// Lowers those of `found` that `accepts` answers for to warnings that say so.
    #[must_use]
    pub fn lower(&mut self, accepts: &[Accept], mut found: Diagnostics) -> Diagnostics {
        if accepts.is_empty() || found.is_empty() {
            return found;
        }
        found.change(|diagnostic| {
            let accept = accepts.iter().find(|accept| accept.rule.value == diagnostic.rule.id);
            let Some(Accept { rule, reason }) = accept.filter(|_| diagnostic.rule.acceptable) else { return };
            diagnostic.level = Level::Warning;
            diagnostic.related.push(crate::diagnostic::Label {
                span: rule.span,
                message: format!("accepted here, because: {}", quote(&reason.value)),
            });
            self.used.insert(rule.span);
        });
        found
    }

    /// Remembers what a bottle answers for.
    pub fn see(&mut self, accepts: &[Accept]) {
        self.seen.extend(accepts.iter().map(|accept| (accept.rule.span, accept.rule.value.clone())));
    }

    /// Reports what no bottle needed. Beside an error nothing is said: fixing that may show what needs it.
    pub fn unused(self, diagnostics: &mut Diagnostics) {
        if diagnostics.has_errors() {
            return;
        }
        for (span, rule) in self.seen.into_iter().filter(|(span, _)| !self.used.contains(span)) {
            let message = format!("{} is accepted, and nothing here needs that", quote(&rule));
            let help = if rule == HOST_PATH_EXPOSED.id {
                "take it out, or put it into the profile or the bottle that names the path"
            } else {
                "take it out: it would let the next one pass"
            };
            diagnostics
                .push(Diagnostic::new(&ACCEPT_UNUSED, span, message).label("lowers nothing").help(help));
        }
    }
}
