//! Lists of hosts whose look-up time does not grow with their length: a spec may hold a hundred thousand entries.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::HostPattern;
use super::shared::is_shared;
use crate::text::did_you_mean;

/// Entries of an `allow`, a `deny` or the like, each with what is known of it.
#[derive(Debug)]
pub struct List<'a, T> {
    /// Those without a wildcard.
    exact: BTreeMap<&'a str, T>,
    /// Those with one, by the domain after it.
    below: BTreeMap<&'a str, T>,
    /// All, by their domain with its labels reversed and a dot after each: what is below a domain begins like it.
    reversed: BTreeMap<String, T>,
}

impl<'a, T: Copy> List<'a, T> {
    /// The list of these entries.
    pub fn new(entries: impl IntoIterator<Item = (&'a HostPattern, T)>) -> Self {
        let mut list = Self { exact: BTreeMap::new(), below: BTreeMap::new(), reversed: BTreeMap::new() };
        list.extend(entries);
        list
    }

    /// Adds these entries.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = (&'a HostPattern, T)>) {
        for (pattern, known) in entries {
            let map = if pattern.below().is_some() { &mut self.below } else { &mut self.exact };
            map.entry(pattern.domain()).or_insert(known);
            self.reversed.entry(reversed(pattern.domain())).or_insert(known);
        }
    }

    /// The entry that matches all that `other` stands for, where `*.x` stands for `x`, too: in `allow` and `deny`.
    #[must_use]
    pub fn covering(&self, other: &HostPattern) -> Option<T> {
        self.covering_all(other.domain(), other.below().is_some())
    }

    /// The same of a host, or of a domain with all `below` it.
    #[must_use]
    pub fn covering_all(&self, domain: &str, below: bool) -> Option<T> {
        let known = if below { None } else { self.exact.get(domain) };
        known.or_else(|| suffixes(domain).find_map(|suffix| self.below.get(suffix))).copied()
    }

    /// The entry without a wildcard that is this text.
    #[must_use]
    pub fn exact(&self, host: &str) -> Option<T> {
        self.exact.get(host).copied()
    }

    /// The wildcard that matches all that `other` stands for, and more.
    #[must_use]
    pub fn wider(&self, other: &HostPattern) -> Option<T> {
        let own = usize::from(other.below().is_some());
        suffixes(other.domain()).skip(own).find_map(|suffix| self.below.get(suffix)).copied()
    }

    /// The entry that matches `host`, where `*.x` does not stand for `x`: in `passthrough`.
    #[must_use]
    pub fn passing(&self, host: &str) -> Option<T> {
        let below = suffixes(host).skip(1).find_map(|suffix| self.below.get(suffix));
        self.exact.get(host).or(below).copied()
    }

    /// Whether any entry is `domain`, or below it.
    #[must_use]
    pub fn any_below(&self, domain: &str) -> bool {
        self.below(domain).is_some()
    }

    fn below(&self, domain: &str) -> Option<T> {
        let start = reversed(domain);
        let (next, known) = self.reversed.range(start.clone()..).next()?;
        next.starts_with(&start).then_some(*known)
    }

    /// The entry that is nearest to a host that none covers: one that shares the most of its domain, as far as that is
    /// one owner's, or one that is spelled almost alike.
    #[must_use]
    pub fn nearest(&self, host: &str) -> Option<T> {
        let mut shared = suffixes(host).filter(|suffix| suffix.contains('.') && !is_shared(suffix));
        shared.find_map(|suffix| self.below(suffix)).or_else(|| {
            let meant = did_you_mean(host, self.exact.keys().chain(self.below.keys()).copied())?;
            self.exact.get(meant).or_else(|| self.below.get(meant)).copied()
        })
    }
}

fn reversed(domain: &str) -> String {
    domain.rsplit('.').flat_map(|label| [label, "."]).collect()
}

/// `a.b.c`, `b.c`, `c`.
pub(crate) fn suffixes(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |rest| rest.split_once('.').map(|(_, rest)| rest))
}

/// Returns the values of those `ranges` that hold an address or a smaller range, the largest first.
pub fn holding<T: Copy>(ranges: &BTreeMap<IpNet, T>, inner: IpNet) -> impl Iterator<Item = T> {
    (0..=inner.prefix_len())
        .filter_map(move |length| IpNet::new(inner.addr(), length).ok())
        .filter_map(|outer| ranges.get(&outer.trunc()).copied())
}
