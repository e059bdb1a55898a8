//! Container engines, which run the bundle on the host.

/// An image's whole name: Docker adds its own registry to a short one, Podman asks or refuses.
#[must_use]
pub fn qualified(image: &str) -> String {
    let host = |first: &str| first.contains(['.', ':']) || first == "localhost";
    match image.split_once('/') {
        Some((first, _)) if host(first) => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    }
}

/// A container engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContainerEngine {
    /// Docker, with its Compose plugin.
    #[default]
    Docker,
    /// Podman, with whichever Compose provider it is set up with.
    Podman,
}

impl ContainerEngine {
    /// Their names in a spec, which are those of their programs.
    pub const NAMES: &[&str] = &["docker", "podman"];

    /// The engine of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        [Self::Docker, Self::Podman].into_iter().find(|engine| engine.program() == name)
    }

    /// The program on the host's PATH.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}
