//! Environment variables of the agent and of sidecars, compared.

use std::collections::{BTreeMap, BTreeSet};

use super::{Changes, Direction, Topic};
use crate::lower::plan_json::format::{Text, Variable};
use crate::text::{quote, quote_whole};

type Variables = BTreeMap<Text<'static>, Variable<'static>>;

/// Where a variable gets its value, and whether that is a secret.
fn source(variable: &Variable<'_>) -> Option<String> {
    let Variable { value: _, from_env, from_file, origin: _ } = variable;
    let env = from_env.as_ref().map(|name| format!("the host's variable {}", quote(name)));
    env.or_else(|| from_file.as_ref().map(|path| format!("the host's file {}", quote_whole(path))))
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
    let names: BTreeSet<&Text<'_>> = old.keys().chain(new.keys()).collect();
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
                let value = |variable: Option<&Variable<'_>>| {
                    variable.and_then(|it| it.value.as_deref().map(str::to_owned))
                };
                let (was, is) = (value(before).map(|value| moved(&value)), value(now));
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
        let line = |variable: Option<&Variable<'_>>| {
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
