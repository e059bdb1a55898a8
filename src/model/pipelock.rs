//! `pipelock`: the proxy itself, beside what `egress` tells it.

use super::{Spanned, text_property};
use crate::syntax::Node;
use crate::world::engine::Version;
use crate::world::pipelock::RECORDED;

/// The proxy of a layer, or of a whole bottle.
#[derive(Clone, Debug, Default)]
pub struct Pipelock {
    /// The image that it runs in.
    pub image: Option<Spanned<String>>,
    /// The version that its configuration is written for.
    pub version: Option<Spanned<Version>>,
}

impl Pipelock {
    pub(super) fn decode(node: Node<'_>) -> Self {
        let version = text_property(node, "version")
            .and_then(|text| Some(Spanned { value: text.value.parse().ok()?, span: text.span }));
        Self { image: text_property(node, "image"), version }
    }

    /// Lays `over` on top: the last one wins.
    pub(super) fn merge(&mut self, over: Self) {
        let Self { image, version } = over;
        self.image = image.or(self.image.take());
        self.version = version.or(self.version);
    }

    /// The version, or the one that a spec gets which names none.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version.map_or(RECORDED, |version| version.value)
    }
}
