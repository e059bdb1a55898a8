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

/// What a container may have of its host, where the spec does not say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Memory, swap and what it writes to a file system in memory, in MiB.
    pub memory: u32,
    /// Processors. Docker refuses more than its host has, so that no more than one can be had everywhere.
    pub cpus: u16,
    /// Processes and threads: far more than a database needs, far fewer than a fork bomb makes.
    pub processes: u32,
}

/// The limits of a sidecar: of pipelock and of one of the user's.
pub const LIMITS: Limits = Limits { memory: 2048, cpus: 1, processes: 1024 };
/// Those of git-gate, each process of a push of which bounds itself to 1 GiB: git, the scanner and what drives them.
pub const GATE_LIMITS: Limits = Limits { memory: 4096, ..LIMITS };
/// Those of the container that only owns the address.
pub const BUNDLE_LIMITS: Limits = Limits { memory: 64, cpus: 1, processes: 16 };

/// The most memory that a spec may give a container, in MiB.
pub const MAX_MEMORY: u32 = 1024 * 1024;

/// The size of a directory in memory that a container may write to, in MiB; it counts as memory of the container, too.
pub const TMPFS: u32 = 512;

/// The label of a container that says what it was made from, as a digest.
pub const MADE_FROM: &str = "bottlec.made-from";

/// How much is kept of what a container prints: so many files of so many MiB.
pub const LOG: (u32, u32) = (3, 10);

/// A size in MiB, from a text such as `512MiB` or `2GiB`.
#[must_use]
pub fn mebibytes(text: &str) -> Option<u32> {
    let (number, unit) = [("MiB", 1), ("GiB", 1024)]
        .into_iter()
        .find_map(|(unit, times)| Some((text.strip_suffix(unit)?, times)))?;
    let digits = !number.is_empty() && !number.starts_with('0') && number.bytes().all(|b| b.is_ascii_digit());
    number.parse::<u32>().ok().filter(|_| digits)?.checked_mul(unit)
}

/// A container engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
