//! What belongs together in a document.

mod folding;
mod selection;

pub(super) use folding::folding;
pub(super) use selection::selections;
