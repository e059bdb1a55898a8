//! `artifact`, `image`, `rootfs`: what the agent boots from.

use super::{Spanned, first_argument};
use crate::source::Span;
use crate::syntax::Node;
use crate::world::engine::BootKind;

/// What the agent boots from.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Its kind.
    pub kind: BootKind,
    /// The node's name, for diagnostics.
    pub node: Span,
    /// The path or the reference.
    pub source: Spanned<String>,
}

impl Boot {
    pub(super) fn decode(node: Node<'_>) -> Option<Self> {
        let kind = BootKind::find(node.name())?;
        Some(Self { kind, node: node.name_span(), source: first_argument(node)? })
    }
}
