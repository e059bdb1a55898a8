//! pipelock's scans and limits, compared.

use std::cmp::Ordering;

use super::join::{Joined, join};
use super::{Changes, Direction, Topic};
use crate::model::Action;
use crate::plan::{PlannedEgress, PlannedHost, PlannedPattern, PlannedTls, Traced};
use crate::text::{quote, quote_whole};

/// The settings of pipelock, before and after.
pub(super) fn egress(old: &PlannedEgress, new: &PlannedEgress, changes: &mut Changes<'_>) {
    let PlannedEgress {
        pipelock_version,
        // What can be reached was compared exactly.
        allow: _,
        deny: _,
        private: _,
        rate_limit,
        data_budget,
        patterns,
        scan_bodies,
        max_body_bytes,
        scan_responses,
        tls,
        tunnel_max,
        tunnel_idle,
        log,
    } = new;
    if old.pipelock_version != *pipelock_version {
        let (before, now) = (&old.pipelock_version, pipelock_version);
        changes.unclear(Topic::Scan, format!("pipelock: version {} instead of {}", **now, **before));
    }
    changes.limit(Topic::Limit, "requests a minute to one domain", Some(*old.rate_limit), Some(**rate_limit));
    changes.limit(Topic::Limit, "bytes a minute to one domain", *old.data_budget, **data_budget);
    changes.limit(
        Topic::Limit,
        "bytes of a body that is let through",
        Some(*old.max_body_bytes),
        Some(**max_body_bytes),
    );
    changes.limit(Topic::Limit, "seconds of a tunnel", Some(*old.tunnel_max), Some(**tunnel_max));
    changes.limit(
        Topic::Limit,
        "seconds that a tunnel may be silent",
        Some(*old.tunnel_idle),
        Some(**tunnel_idle),
    );
    let actions = [
        ("a secret in a request", *old.scan_bodies, **scan_bodies),
        ("an injection in a response", *old.scan_responses, **scan_responses),
    ];
    for (what, before, now) in actions {
        let direction = match now.cmp(&before) {
            Ordering::Equal => continue,
            Ordering::Greater => Direction::Narrower,
            Ordering::Less => Direction::Wider,
        };
        let shown = |action: Action| quote(action.as_str());
        changes.push(direction, Topic::Scan, format!("{what}: {} instead of {}", shown(now), shown(before)));
    }
    if old.log.value != log.value {
        let (before, now) = (quote(old.log.as_str()), quote(log.as_str()));
        changes.unclear(Topic::Scan, format!("what is logged: {now} instead of {before}"));
    }
    self::patterns(&old.patterns, patterns, changes);
    self::tls(old.tls.as_ref(), tls.as_ref(), changes);
}

fn patterns(old: &[Traced<PlannedPattern>], new: &[Traced<PlannedPattern>], changes: &mut Changes<'_>) {
    let Joined { come, gone, both } = join(old, new, |pattern| pattern.name.clone());
    for PlannedPattern { name, regex: _, severity: _, origin } in come {
        let text = format!("the pattern {} is looked for", quote(name));
        changes.push(Direction::Narrower, Topic::Scan, text).new = Some(origin.clone());
    }
    for PlannedPattern { name, origin, .. } in gone {
        let text = format!("the pattern {} is no longer looked for", quote(name));
        changes.push(Direction::Wider, Topic::Scan, text).old = Some(origin.clone());
    }
    for (before, now) in both {
        if before.regex != now.regex || before.severity != now.severity {
            let text = format!("the pattern {} is another one", quote(&now.name));
            let change = changes.push(Direction::Unclear, Topic::Scan, text);
            (change.old, change.new) = (Some(before.origin.clone()), Some(now.origin.clone()));
        }
    }
}

/// That pipelock holds a key with which it can be any host to the agent.
fn authority(tls: &PlannedTls) -> String {
    format!("the sidecar `pipelock` is given the key of an authority: {}", quote_whole(&tls.ca_key))
}

fn tls(old: Option<&PlannedTls>, new: Option<&PlannedTls>, changes: &mut Changes<'_>) {
    let (before, now) = match (old, new) {
        (None, None) => return,
        (None, Some(now)) => {
            changes.wider(Topic::Secret, authority(now));
            return changes
                .narrower(Topic::Scan, String::from("HTTPS is opened, and what is in it is scanned"));
        }
        (Some(before), None) => {
            let text =
                format!("the sidecar `pipelock` is no longer given the key {}", quote_whole(&before.ca_key));
            changes.narrower(Topic::Secret, text);
            let text = "HTTPS is no longer opened: of it, names of hosts alone are seen";
            return changes.wider(Topic::Scan, text.to_owned());
        }
        (Some(before), Some(now)) => (before, now),
    };
    let PlannedTls { ca_cert, ca_key, trust, passthrough } = now;
    if before.ca_cert != *ca_cert {
        changes
            .unclear(Topic::Scan, format!("HTTPS is opened by another authority: {}", quote_whole(ca_cert)));
    }
    if before.ca_key != *ca_key {
        changes.wider(Topic::Secret, authority(now));
    }
    if before.trust != *trust {
        let text = format!("the agent trusts {} instead of {}", quote(trust), quote(&before.trust));
        changes.unclear(Topic::Scan, text);
    }
    let Joined { come, gone, both: _ } = join(&before.passthrough, passthrough, |entry| entry.host.clone());
    for PlannedHost { host, origin } in come {
        let text = format!("HTTPS to {} is not opened", quote(host));
        changes.push(Direction::Wider, Topic::Scan, text).new = Some(origin.clone());
    }
    for PlannedHost { host, origin } in gone {
        let text = format!("HTTPS to {} is opened like any other", quote(host));
        changes.push(Direction::Narrower, Topic::Scan, text).old = Some(origin.clone());
    }
}
