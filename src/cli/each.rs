//! A parallel map over a slice.

use rayon::prelude::*;

/// Applies a function to each item, in any order, and gives what came out in the order of the items. A thread pool takes
/// longer to start than one item takes, so that it is not started for one.
pub(crate) fn each<T: Sync, R: Send>(items: &[T], apply: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if items.len() > 1 { items.par_iter().map(&apply).collect() } else { items.iter().map(apply).collect() }
}
