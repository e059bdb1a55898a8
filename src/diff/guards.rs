//! Guards, compared: what a spec demands of itself, and what it answers for.

use super::join::{Joined, join};
use super::{Changes, Direction, Topic};
use crate::plan::{Answered, PlannedExpectation, Traced};
use crate::reach::DNS_PORT;
use crate::text::{quote, quote_whole};
use crate::world::host::{Target, Verdict};

type Rules = [Traced<Answered>];

/// What an accepted rule leaves open is open, whoever else accepts it.
pub(super) fn accepted(old: &Rules, new: &Rules, changes: &mut Changes<'_>) {
    let once = |rules: &Rules| {
        let mut rules = rules.to_vec();
        rules.dedup_by(|a, b| a.rule == b.rule);
        rules
    };
    let words = ["is accepted", "is no longer accepted", "is accepted"];
    rules(&once(old), &once(new), Topic::Accepted, words, Direction::Wider, changes);
}

/// What is not shown opens nothing. Whoever reviews a change wants to know of it all the same.
pub(super) fn allowed(old: &Rules, new: &Rules, changes: &mut Changes<'_>) {
    let words = ["is not shown any more", "is shown again", "is not shown"];
    rules(old, new, Topic::Lint, words, Direction::Neutral, changes);
}

/// What is no error any more may come unseen.
pub(super) fn denied(old: &Rules, new: &Rules, changes: &mut Changes<'_>) {
    let words = ["is denied", "is no longer denied", "is denied"];
    rules(old, new, Topic::Lint, words, Direction::Narrower, changes);
}

/// `come` is which way it goes that a rule joins the list.
fn rules(
    old: &Rules,
    new: &Rules,
    topic: Topic,
    [come_to, gone_from, is]: [&str; 3],
    come: Direction,
    changes: &mut Changes<'_>,
) {
    let because = |reason: &str| {
        if reason.is_empty() { String::new() } else { format!(", because: {}", quote_whole(reason)) }
    };
    let joined = join(old, new, |answered| answered.rule.as_str());
    for Answered { rule, reason, origin } in joined.come {
        let text = format!("{} {come_to}{}", quote(rule), because(reason));
        changes.push(come, topic, text).new = Some(origin.clone());
    }
    for Answered { rule, reason: _, origin } in joined.gone {
        let text = format!("{} {gone_from}", quote(rule));
        changes.push(come.reversed(), topic, text).old = Some(origin.clone());
    }
    for (before, now) in joined.both {
        if before.reason != now.reason {
            let text = format!("{} {is} for another reason{}", quote(&now.rule), because(&now.reason));
            changes.push(Direction::Neutral, topic, text).new = Some(now.origin.clone());
        }
    }
}

type Expectations = [Traced<PlannedExpectation>];

/// Who expects that something is refused keeps it from being allowed. Who expects that it is allowed keeps nothing out.
pub(super) fn expectations(old: &Expectations, new: &Expectations, changes: &mut Changes<'_>) {
    let Joined { come, gone, both: _ } = join(old, new, |it| (it.target.as_str(), it.verdict));
    let direction = |it: &PlannedExpectation, others: &Expectations, direction: Direction| match it.verdict {
        Verdict::Refused if !holds_already(&it.target, others) => direction,
        _ => Direction::Neutral,
    };
    for it in come {
        let text = format!("{} is expected to be {}", quote(&it.target), it.verdict.as_str());
        changes.push(direction(it, old, Direction::Narrower), Topic::Expectation, text).new =
            Some(it.origin.clone());
    }
    for it in gone {
        let text = format!("{} is no longer expected to be {}", quote(&it.target), it.verdict.as_str());
        changes.push(direction(it, new, Direction::Wider), Topic::Expectation, text).old =
            Some(it.origin.clone());
    }
}

/// Whether the host is expected to be refused on every port, to every request. The engine may open that of name servers alone.
fn holds_already(target: &str, others: &Expectations) -> bool {
    let Ok(target @ Target { port: Some(port), .. }) = target.parse::<Target>() else { return false };
    let all = Target { port: None, request: None, ..target }.to_string();
    port != DNS_PORT && others.iter().any(|it| it.verdict == Verdict::Refused && it.target == all)
}
