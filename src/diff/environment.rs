//! Environment variables of the agent and of sidecars, compared.

use std::collections::BTreeSet;

use super::{Changes, Direction, Topic};
use crate::model::{Reference, VariableValue};
use crate::plan::{PlannedVariable, Traced, Variables};
use crate::text::{quote, quote_whole};
use crate::world::broker;

/// Where a variable gets its value, and whether that is a secret of the host's: the token of a launch is none.
fn source(variable: &Traced<PlannedVariable>) -> Option<String> {
    match &variable.value.value {
        VariableValue::Literal(_) => None,
        VariableValue::Secret(Reference::Env(name)) if name == broker::TOKEN => None,
        VariableValue::Secret(Reference::Env(name)) => Some(format!("the host's variable {}", quote(name))),
        VariableValue::Secret(Reference::File(path)) => {
            Some(format!("the host's file {}", quote_whole(path)))
        }
    }
}

/// Values of literals are not shown: somebody may have written a secret as one.
pub(super) fn environment(
    who: &str,
    old: &Variables,
    new: &Variables,
    literal: Direction,
    moved: &dyn Fn(&str) -> String,
    changes: &mut Changes<'_>,
) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (before, now) = (old.get(name), new.get(name));
        let secrets = (before.and_then(source), now.and_then(source));
        let shown = quote(name);
        let (direction, topic, text) = match secrets {
            (None, Some(source)) => {
                (Direction::Wider, Topic::Secret, format!("{who} is given a secret as {shown}: {source}"))
            }
            (Some(source), None) => (
                Direction::Narrower,
                Topic::Secret,
                format!("{who} is no longer given a secret as {shown}: {source}"),
            ),
            (Some(before), Some(now)) if before != now => (
                Direction::Wider,
                Topic::Secret,
                format!("{who} is given another secret as {shown}: {now} instead of {before}"),
            ),
            (Some(_), Some(_)) => continue,
            (None, None) => {
                let value = |variable: &Traced<PlannedVariable>| match &variable.value.value {
                    VariableValue::Literal(value) => Some(value.clone()),
                    VariableValue::Secret(_) => Some(broker::TOKEN.to_owned()),
                };
                let (was, is) = (before.and_then(value).map(|value| moved(&value)), now.and_then(value));
                let text = match (was, is) {
                    (was, is) if was == is => continue,
                    (None, _) => format!("{who} has the variable {shown}"),
                    (_, None) => format!("{who} no longer has the variable {shown}"),
                    _ => format!("{who} has another value in {shown}"),
                };
                let topic = if literal == Direction::Neutral { Topic::Agent } else { Topic::Sidecar };
                (literal, topic, text)
            }
        };
        // What the compiler computes follows from something that is told elsewhere.
        let line = |variable: Option<&Traced<PlannedVariable>>| {
            variable.map(|it| it.origin.clone()).filter(|origin| origin != "computed")
        };
        let (old, new) = (line(before), line(now));
        if topic == Topic::Agent && old.is_none() && new.is_none() {
            continue;
        }
        let change = changes.push(direction, topic, text);
        (change.old, change.new) = (old, new);
    }
}
