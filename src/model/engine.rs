//! `engine`: the engine and the version that the stage is compiled for.

use super::{Spanned, first_argument, text_property};
use crate::syntax::Node;
use crate::world::engine::Version;

/// The engine that a layer names.
#[derive(Clone, Debug)]
pub struct Engine {
    /// Its name.
    pub name: Spanned<String>,
    /// The version, when it is given and is one.
    pub version: Option<Spanned<Version>>,
}

impl Engine {
    pub(super) fn decode(node: Node<'_>) -> Option<Self> {
        let version = text_property(node, "version").and_then(|it| it.filter_map(|text| text.parse().ok()));
        Some(Self { name: first_argument(node)?, version })
    }
}
