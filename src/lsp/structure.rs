//! Folding and selection ranges.

mod folding;
mod selection;

pub(super) use folding::folding;
pub(super) use selection::selections;
