//! Kinds of boot sources, which engines treat differently.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of a boot source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BootKind {
    /// A packed machine.
    Artifact,
    /// A container image.
    Image,
    /// An unpacked root file system.
    Rootfs,
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

    /// The kind of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        [Self::Artifact, Self::Image, Self::Rootfs].into_iter().find(|kind| kind.as_str() == name)
    }
}
