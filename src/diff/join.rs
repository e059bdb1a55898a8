//! A join of two lists by key: items added, removed, and in both.

use std::collections::BTreeMap;

use crate::plan::Traced;

/// Items added, removed, and on both sides, by key.
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
    let mut before: BTreeMap<K, &T> = old.iter().map(|item| (key(&item.value), &item.value)).collect();
    let mut joined = Joined { come: Vec::new(), gone: Vec::new(), both: Vec::new() };
    for Traced { value: item, origins: _ } in new {
        match before.remove(&key(item)) {
            Some(old) => joined.both.push((old, item)),
            None => joined.come.push(item),
        }
    }
    joined.gone.extend(before.into_values());
    joined
}
