//! A join of two lists by key: items added, removed, and in both.

use std::collections::{BTreeMap, VecDeque};

use crate::plan::Traced;

/// Items added, removed, and on both sides, by key. Of several with one key as many are on both sides as both have.
pub(super) struct Joined<'a, T> {
    pub(super) come: Vec<&'a T>,
    pub(super) gone: Vec<&'a T>,
    pub(super) both: Vec<(&'a T, &'a T)>,
}

/// Joins two lists.
pub(super) fn join<'a, T, K: Ord>(
    old: &'a [Traced<T>],
    new: &'a [Traced<T>],
    key: impl Fn(&'a T) -> K,
) -> Joined<'a, T> {
    let mut before: BTreeMap<K, VecDeque<&T>> = BTreeMap::new();
    for Traced { value: item, origins: _ } in old {
        before.entry(key(item)).or_default().push_back(item);
    }
    let mut joined = Joined { come: Vec::new(), gone: Vec::new(), both: Vec::new() };
    for Traced { value: item, origins: _ } in new {
        match before.get_mut(&key(item)).and_then(VecDeque::pop_front) {
            Some(old) => joined.both.push((old, item)),
            None => joined.come.push(item),
        }
    }
    joined.gone.extend(before.into_values().flatten());
    joined
}
