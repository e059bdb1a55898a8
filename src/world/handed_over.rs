//! Paths of the host that launches, and what may be handed over of them: a table of what a path is for, and of what kind it
//! is by its name.

use std::path::Path;

use crate::path::join;

/// What a path of the host is handed over for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The machine boots from it.
    Boot,
    /// The machine or pipelock trusts it.
    Certificate,
    /// pipelock signs with it.
    AuthorityKey,
    /// The agent or a sidecar gets what it holds.
    Secret,
    /// git-gate shows it to the upstream.
    Identity,
    /// git-gate fetches from the repository that it is.
    Repository,
    /// A sidecar sees it, and may perhaps write to it.
    Volume {
        /// Whether it may.
        writable: bool,
    },
    /// supervise writes to it what the agent asks, and reads what the human answers.
    Queue,
    /// The agent itself sees it, and may perhaps write to it.
    Machine {
        /// Whether it may.
        writable: bool,
    },
}

/// Why a path is not handed over.
#[derive(Clone, Copy, Debug)]
pub struct Why {
    /// What follows from its kind, as the end of a sentence.
    pub reason: &'static str,
    /// What it is.
    pub label: &'static str,
    /// What to do instead.
    pub help: &'static str,
}

/// The kind of a path, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A directory with everything of the host, of a disk or of all users below it.
    Whole,
    /// What the host runs and is set up by.
    System,
    /// The kernel's own, by which processes and devices are seen.
    Kernel,
    /// The host's own keys and passwords.
    Accounts,
    /// A socket.
    Socket,
    /// A home directory, or a place in it in which programs keep credentials.
    Keys,
    /// A file that is called as private keys are.
    PrivateKey,
    /// A repository's own directory, with its hooks and its configuration.
    Git,
    /// The directory that stages are made in.
    Stages,
    /// The workspace, or another directory that the spec lies in.
    AroundSpec,
    /// A relative path that leads out of the workspace.
    Outside,
}

/// The places below a home directory in which programs keep credentials.
const CREDENTIALS: &[&[&str]] = &[
    &[".aws"],
    &[".azure"],
    &[".config", "gcloud"],
    &[".config", "gh"],
    &[".docker"],
    &[".git-credentials"],
    &[".gnupg"],
    &[".kube"],
    &[".netrc"],
    &[".password-store"],
    &[".ssh"],
];

/// The directory of a workspace that stages are made in.
pub const STAGES: &str = "stage";

/// Why a path must not be handed over for that; nothing when it may be. It is written in the spec at `spec`, a path in the
/// workspace with `/` between its parts. The name alone counts: what a link leads to is asked again where it is known.
#[must_use]
pub fn refused(path: &str, spec: &str, role: Role) -> Option<Why> {
    kinds(path, spec).into_iter().find_map(|kind| why(kind, role))
}

/// The table.
fn why(kind: Kind, role: Role) -> Option<Why> {
    use Kind as K;
    use Role as R;
    if let R::Machine { writable } = role {
        return of_agent(kind, writable);
    }
    let volume = matches!(role, R::Volume { .. } | R::Queue);
    // Certificates of a host lie in `/etc/ssl`, secrets wherever a service manager puts them, and identities with the keys.
    let file = matches!(role, R::Certificate | R::AuthorityKey | R::Secret | R::Identity);
    if kind == K::System && file || kind == K::Keys && role == R::Identity {
        return None;
    }
    Some(match (kind, role) {
        (K::Whole | K::System | K::Keys, R::Repository) => Why {
            reason: "its history holds what was never meant for an agent: settings of the host, or keys",
            label: "no project of its own",
            help: "name the repository of one project",
        },
        // git-gate fetches from it, and its configuration and hooks are never read.
        (K::Git | K::Outside | K::AroundSpec, R::Repository) => return None,
        (K::Whole, R::Boot) => Why {
            reason: "the machine would boot this host's own files, with every key in them",
            label: "the host itself",
            help: "unpack an image into a directory of its own, and name that",
        },
        (K::Whole, _) => Why {
            reason: "everything of the host lies below it",
            label: "the whole of it",
            help: "name the one directory that the sidecar needs",
        },
        (K::System, R::Boot) => Why {
            reason: "it is a part of the host, with what the host is set up by",
            label: "the host's own",
            help: "unpack an image into a directory of its own, and name that",
        },
        (K::System, _) => Why {
            reason: "whoever reads or writes there can take over the host",
            label: "the host's own",
            help: "copy what the sidecar needs into a directory of its own, and name that",
        },
        (K::Kernel, _) if volume => return why(K::System, role),
        (K::Kernel, _) => Why {
            reason: "it shows the host's processes and devices, and is no file that somebody wrote",
            label: "the kernel's own",
            help: "copy what is needed into a file of its own, and name that",
        },
        (K::Accounts, _) if volume || role == R::Boot => return why(K::System, role),
        (K::Accounts, _) => Why {
            reason: "whoever knows what it holds can take over the host",
            label: "the host's own keys or passwords",
            help: "make one for this bottle, in a file of its own",
        },
        (K::Socket, _) => Why {
            reason: "whoever can speak to this socket acts as what listens on it, often as root of the host",
            label: "a socket of the host's",
            help: "leave it out: a sidecar cannot be confined that controls a container engine or an agent for keys",
        },
        (K::Keys, R::Boot) => Why {
            reason: "it holds keys of whoever launches",
            label: "a place for credentials",
            help: "unpack an image into a directory of its own, and name that",
        },
        (K::Keys, R::Certificate) => Why {
            reason: "it lies where keys of whoever launches are kept, and the machine gets a copy",
            label: "a place for credentials",
            help: "name the certificate alone, outside of it: `pipelock tls init` writes one",
        },
        (K::Keys, R::AuthorityKey | R::Secret | R::Identity) => Why {
            reason: "it lies where keys of whoever launches are kept, which are for more than one bottle",
            label: "a place for credentials",
            help: "make one for this bottle, and keep it elsewhere, as in `~/.config/bottles/`",
        },
        (K::Keys, R::Volume { .. } | R::Queue | R::Machine { .. }) => Why {
            reason: "it holds keys of whoever launches",
            label: "a place for credentials",
            help: "give the sidecar a key of its own with `secret`, or copy the one file that it needs elsewhere",
        },
        (K::PrivateKey, R::Certificate) => Why {
            reason: "it is called as a private key is, and whoever reads the machine would have it",
            label: "expected a certificate",
            help: "name the certificate that belongs to the key: it says `BEGIN CERTIFICATE` on its first line",
        },
        (K::Git, _) => Why {
            reason: "hooks and settings in it are run by the next `git` on the host, and it may hold passwords",
            label: "a repository's own directory",
            help: "name files of the work tree, or a `repo` of `git`, which goes through git-gate",
        },
        (K::Stages, _) => Why {
            reason: "stages are made in it, and say what confines the agent",
            label: "the directory of the stages",
            help: "name a directory outside of it",
        },
        (K::AroundSpec, R::Volume { writable: true } | R::Queue) => Why {
            reason: "the spec lies in it, and so do its repository's hooks and its stages",
            label: "the spec is below it",
            help: "name the one directory that is written to, or take `access=\"read-write\"` out",
        },
        (K::AroundSpec, R::Boot) => Why {
            reason: "the spec lies in it, and so does all that is kept beside it",
            label: "the spec is below it",
            help: "unpack an image into a directory of its own, and name that",
        },
        (K::Outside, R::Volume { .. } | R::Queue) => Why {
            reason: "it leads out of the workspace",
            label: "above the workspace of the spec",
            help: "write the absolute path, so that a reader of the spec sees what it is",
        },
        (K::PrivateKey | K::AroundSpec | K::Outside, _) => return None,
    })
}

/// Its column of what the agent itself sees: as a sidecar's, but for what is said of it.
fn of_agent(kind: Kind, writable: bool) -> Option<Why> {
    let why = why(kind, Role::Volume { writable })?;
    let help = match kind {
        Kind::Whole => "name the one directory that the agent needs",
        Kind::System | Kind::Kernel | Kind::Accounts => {
            "copy what the agent needs into a directory of its own, and name that"
        }
        Kind::Socket => {
            "leave it out: an agent cannot be confined that controls a container engine or an agent for keys"
        }
        Kind::Keys => {
            "name a directory outside of it; what the agent may know goes into `env` with `from-file`, and keys of \
             repositories stay with git-gate"
        }
        Kind::AroundSpec => {
            "name the one directory that is written to, or take `access=\"read-write\"` out; code goes to the agent and \
             back by a `repo` of `git`"
        }
        Kind::PrivateKey | Kind::Git | Kind::Stages | Kind::Outside => why.help,
    };
    Some(Why { help, ..why })
}

/// The kinds that a path is of, the widest first.
fn kinds(path: &str, spec: &str) -> Vec<Kind> {
    let rooted = path.strip_prefix("~/").map(|rest| (rest, true));
    let rooted = rooted.or_else(|| path.starts_with('/').then_some((path, false)));
    let mut found = Vec::new();
    let Some((rest, home)) = rooted else {
        if path == "~" {
            return vec![Kind::Keys];
        }
        let directory = spec.rsplit_once('/').map_or("", |(directory, _)| directory);
        let joined = join(directory, path);
        let steps: Vec<&str> = joined.split('/').collect();
        if steps[0] == ".." {
            found.push(Kind::Outside);
        } else if joined == "." || spec.strip_prefix(&joined).is_some_and(|rest| rest.starts_with('/')) {
            found.push(Kind::AroundSpec);
        } else if steps[0] == STAGES {
            found.push(Kind::Stages);
        }
        by_name(&steps, &mut found);
        return found;
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in rest.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.is_empty() && home => return vec![Kind::Whole],
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    let in_home = match steps.as_slice() {
        steps if home => Some(steps),
        ["root", rest @ ..] | ["home" | "Users", _, rest @ ..] => Some(rest),
        _ => None,
    };
    match (in_home, steps.as_slice()) {
        (Some(steps), _) => {
            let keys = steps.is_empty()
                || steps == [".config"]
                || CREDENTIALS.iter().any(|place| steps.starts_with(place));
            found.extend(keys.then_some(Kind::Keys));
        }
        (None, [] | ["home" | "Users" | "var" | "srv" | "opt" | "mnt" | "usr"]) => found.push(Kind::Whole),
        (None, ["run" | "var", "secrets", _, ..] | ["var", "run", "secrets", _, ..]) => {}
        (None, ["proc" | "sys" | "dev", ..]) => found.push(Kind::Kernel),
        (
            None,
            ["etc", "shadow" | "shadow-" | "gshadow" | "gshadow-" | "sudoers" | "sudoers.d" | "ssh", ..],
        ) => {
            found.push(Kind::Accounts);
        }
        (
            None,
            ["bin" | "boot" | "etc" | "lib" | "lib64" | "run" | "sbin" | "usr", ..]
            | ["var", "run", ..]
            | ["var", "lib", "docker" | "containers" | "containerd" | "kubelet", ..],
        ) => found.push(Kind::System),
        (None, _) => {}
    }
    by_name(&steps, &mut found);
    found
}

/// The kinds that the names alone tell, wherever they lie.
fn by_name(steps: &[&str], found: &mut Vec<Kind>) {
    let Some(last) = steps.last() else { return };
    let ends = |end: &str| Path::new(last).extension().is_some_and(|it| it.eq_ignore_ascii_case(end));
    if ends("sock") {
        // Whatever else it is: that is the worst.
        found.insert(0, Kind::Socket);
    }
    if steps.iter().any(|step| step.to_ascii_lowercase().ends_with(".git")) {
        found.push(Kind::Git);
    }
    let name = last.to_ascii_lowercase();
    let called = ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"].iter().any(|it| name.starts_with(it));
    let private = called && !ends("pub")
        || ["key", "ppk", "p12", "pfx", "jks"].iter().any(|it| ends(it))
        || name == "key.pem"
        || name.ends_with("-key.pem")
        || name.ends_with("_key.pem");
    if private {
        found.push(Kind::PrivateKey);
    }
}
