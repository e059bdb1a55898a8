//! A join of two lists by key: items added, removed, and in both.

use std::collections::BTreeMap;

/// Items added, removed, and on both sides, by key.
pub(super) struct Joined<'a, T> {
    pub(super) come: Vec<&'a T>,
    pub(super) gone: Vec<&'a T>,
    pub(super) both: Vec<(&'a T, &'a T)>,
}

/// Joins two lists.
pub(super) fn join<'a, T, K: Ord>(
    old: impl IntoIterator<Item = &'a T>,
    new: impl IntoIterator<Item = &'a T>,
    key: impl Fn(&'a T) -> K,
) -> Joined<'a, T> {
    let mut before: BTreeMap<K, &T> = old.into_iter().map(|item| (key(item), item)).collect();
    let mut joined = Joined { come: Vec::new(), gone: Vec::new(), both: Vec::new() };
    for item in new {
        match before.remove(&key(item)) {
            Some(old) => joined.both.push((old, item)),
            None => joined.come.push(item),
        }
    }
    joined.gone.extend(before.into_values());
    joined
}
