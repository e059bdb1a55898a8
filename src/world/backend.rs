//! The names of backends: what a spec may say. What each makes of a plan is not known here.

/// Something that runs bottles.
#[derive(Debug)]
pub struct Backend {
    /// Its name in a spec.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
}

/// The backend of a bottle that names none.
pub const DEFAULT: &str = "smolmachines";

/// The backend that runs bottles in a cluster.
pub const KUBERNETES: &str = "kubernetes";

static BACKENDS: &[Backend] = &[
    Backend {
        name: DEFAULT,
        summary: "one smolvm microVM a bottle, confined by the engine's own allow list",
    },
    Backend {
        name: KUBERNETES,
        summary: "a namespace a bottle, its agent under a RuntimeClass, confined by NetworkPolicies",
    },
];

/// The backend of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Backend> {
    BACKENDS.iter().find(|backend| backend.name == name)
}

/// Every backend's name.
pub fn names() -> impl Iterator<Item = &'static str> {
    BACKENDS.iter().map(|backend| backend.name)
}
