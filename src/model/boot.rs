//! `artifact`, `image`, `rootfs`: what the agent boots from.

use super::{Spanned, first_argument};
use crate::source::Span;
use crate::syntax::Node;

/// Which kind of thing is booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootKind {
    /// A packed machine.
    Artifact,
    /// A container image.
    Image,
    /// An unpacked root file system.
    Rootfs,
}

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

impl BootKind {
    /// The node of that kind, and its name in the plan.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Artifact => "artifact",
            Self::Image => "image",
            Self::Rootfs => "rootfs",
        }
    }
}

impl BootKind {
    /// The kind of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        [Self::Artifact, Self::Image, Self::Rootfs].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Boot {
    pub(super) fn decode(node: Node<'_>) -> Option<Self> {
        let kind = BootKind::find(node.name())?;
        Some(Self { kind, node: node.name_span(), source: first_argument(node)? })
    }
}
