//! The engine's list of refusals, as `machine egress-events` prints it: a time, `connect`, `sendto` or `resolve`, and what
//! was dialled (read in smolvm's source of August 2026, where the list came with 1.8.1).

use super::{Reason, Record};

/// Reads a line. What its guest asked a name server for stands in it as it came, so it is held to its shape.
pub(super) fn read(line: &str) -> Option<Record<'_>> {
    let mut words = line.split_whitespace();
    let (time, operation, target) = (words.next()?, words.next()?, words.next()?);
    let known = ["connect", "sendto", "resolve"].contains(&operation) && words.next().is_none();
    (known && super::is_time(time)).then_some(Record { reason: Reason::PastBundle, target, time })
}
