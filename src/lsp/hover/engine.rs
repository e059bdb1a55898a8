//! Hovers of engine versions and of rules.

use super::Place;
use crate::check;
use crate::lsp::prose::{Prose, sentence};
use crate::rule;
use crate::text::quote;
use crate::world::engine::{BootKind, Capability, Effect, Gap, Ledger, Version};

impl Place<'_> {
    /// Describes a version from the ledger.
    pub(super) fn version(self, text: &str) -> Prose {
        let Ok(version) = text.parse::<Version>() else { return Prose::new() };
        let ledger = Ledger::smolvm();
        if version > ledger.newest {
            return Prose::new().text(format!(
                "smolvm {version} is newer than {}, the newest version that is known: it is taken for that one.",
                ledger.newest
            ));
        }
        if !ledger.has(Capability::CidrPolicy, version) {
            let since = ledger.row(Capability::CidrPolicy).since;
            return Prose::new().text(format!(
                "smolvm {version} knows no allow list: a bottle needs {since} at least, and confinement needs more."
            ));
        }
        let boot = self.boot();
        let gaps = Gap::of(version, boot);
        let prose = if gaps.is_empty() {
            Prose::new().text(format!(
                "By all that is known, smolvm {version} keeps the agent to its bundle{}.",
                booting(boot)
            ))
        } else {
            let gaps = gaps.iter().map(|gap| {
                let row = ledger.row(gap.capability());
                // A gap is something that the version does, or something that it does not do yet.
                let when = if ledger.has(gap.capability(), version) {
                    row.versions()
                } else {
                    format!("not so since {}", row.since)
                };
                format!("{} (`{}`); {when}: {}", gap.but(), check::engine::of(*gap).id, row.summary)
            });
            Prose::new()
                .text(format!("smolvm {version} does not keep the agent to its bundle{}:", booting(boot)))
                .list(gaps.collect())
        };
        let closes = Capability::ALL.iter().map(|capability| ledger.row(*capability)).filter(|row| {
            row.effect == Effect::Closes
                && version >= row.since
                && row.until.is_none_or(|until| version <= until)
        });
        let closes: Vec<String> = closes.map(|row| sentence(&row.summary)).collect();
        if closes.is_empty() { prose } else { prose.text("On the host:").list(closes) }
    }

    /// What the bottle boots from, as far as the layers at the place say.
    fn boot(self) -> Option<BootKind> {
        let concerned = self.concerned();
        let boots = || concerned.iter().map(|bottle| bottle.settings.boot.as_ref().map(|boot| boot.kind));
        let first = boots().next()?;
        first.filter(|_| boots().all(|boot| boot == first))
    }
}

fn booting(boot: Option<BootKind>) -> String {
    boot.map(|boot| format!(", booted by `{}`", boot.as_str())).unwrap_or_default()
}

/// A rule's page.
pub(super) fn rule(id: &str) -> Prose {
    match rule::find(id) {
        Some(rule) => Prose::new().text(rule.text().trim_end()),
        None => Prose::new().text(format!("There is no rule {}.", quote(id))),
    }
}
