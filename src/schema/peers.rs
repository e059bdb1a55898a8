//! Words of neighbouring tools (Compose, Kubernetes, dev containers, other sandboxes), and what this language has for each.

use super::{Node as Schema, ValueType};

/// A word of another tool, at a place where somebody who knows that tool writes it.
struct Peer {
    /// The nodes in which it is looked for; in any, when there is none.
    within: &'static [&'static str],
    /// The words.
    words: &'static [&'static str],
    /// The word of this language that says the same with the same values.
    same: Option<&'static str>,
    /// What to do.
    way: &'static str,
}

/// What to write for a word of another tool.
pub(super) struct Way {
    /// The word to write in its place, where nothing else changes.
    pub(super) same: Option<&'static str>,
    /// What to do, in words.
    pub(super) help: &'static str,
}

const SIDECAR: &[&str] = &["sidecar"];
const LAYER: &[&str] = &["bottle", "profile"];
const EGRESS: &[&str] = &["egress"];
/// The entries of `egress` that name hosts, and no other node of their name.
const ENTRY: &[&str] = &["host entry"];

const ALLOWED: &[&str] = &[
    "allowlist",
    "allow-list",
    "allow_list",
    "allowed",
    "allowed-domains",
    "allowed_domains",
    "allowed-hosts",
    "allowed_hosts",
    "domains",
    "hosts",
    "permit",
    "whitelist",
];
const DENIED: &[&str] = &[
    "blacklist",
    "block",
    "blocked",
    "blocked-domains",
    "blocked_domains",
    "blocklist",
    "denied",
    "denylist",
    "deny-list",
    "deny_list",
];
const MOUNTS: &[&str] = &["bind", "bind-mount", "mount", "mounts", "volumes"];
const BOUNDS: &[&str] = &["cpu", "cpus", "mem", "mem_limit", "mem-limit", "memory", "resources", "deploy"];
const WORKDIR: &[&str] = &["cwd", "workdir", "working_dir", "working-dir", "working-directory"];
const ENVIRONMENT: &[&str] = &["environment", "env_file", "env-file", "envs", "variables", "vars"];

static PEERS: &[Peer] = &[
    Peer {
        within: SIDECAR,
        words: &[
            "healthcheck",
            "health-check",
            "health_check",
            "readiness",
            "readinessProbe",
            "livenessProbe",
        ],
        same: None,
        way: "`healthcheck` is `health` here: the program that tells, and its arguments, such as `health \"pg_isready\" \
              \"-U\" \"postgres\"`",
    },
    Peer {
        within: &[],
        words: &["depends_on", "depends-on", "dependsOn", "after", "requires", "links"],
        same: Some("needs"),
        way: "`depends_on` is `needs` here: it names sidecars, which are up and healthy before this one starts",
    },
    Peer {
        within: SIDECAR,
        words: &["ports", "listen", "publish", "expose-port"],
        same: None,
        way: "`ports` is `port` here: the one that the program listens on; nothing is published on the host, and `expose` \
              tells the agent the URL",
    },
    Peer {
        within: SIDECAR,
        words: ENVIRONMENT,
        same: None,
        way: "`environment` is `env` here: a block with one variable a line, such as `env { PGUSER \"app\"; }`",
    },
    Peer {
        within: SIDECAR,
        words: MOUNTS,
        same: None,
        way: "`mount` is `volume` here: a path of the host or a volume's name, then where it stands, such as `volume \
              \"./seed\" \"/seed\"`; without `access=\"read-write\"` it is only read",
    },
    Peer {
        within: SIDECAR,
        words: &["args", "arguments", "cmd", "entrypoint", "exec", "run"],
        same: None,
        way: "`command` holds the arguments that the image's entry point gets, one string each; the entry point is the \
              image's own",
    },
    Peer {
        within: SIDECAR,
        words: &["user", "uid", "runAsUser"],
        same: Some("run-as"),
        way: "`user` is `run-as` here: a user, or `user:group`",
    },
    Peer {
        within: SIDECAR,
        words: &["cap_add", "cap-add", "capabilities", "caps"],
        same: Some("capability"),
        way: "`cap_add` is `capability` here: of the others there are none",
    },
    Peer {
        within: SIDECAR,
        words: BOUNDS,
        same: None,
        way: "memory and processors are properties of `limits`, such as `limits memory=\"512MiB\" cpus=1`",
    },
    Peer {
        within: SIDECAR,
        words: WORKDIR,
        same: None,
        way: "the working directory is the image's own: build it into the image, or give the program its path in \
              `command`",
    },
    Peer {
        within: SIDECAR,
        words: &[
            "networks",
            "network_mode",
            "network-mode",
            "hostname",
            "privileged",
            "security_opt",
            "devices",
        ],
        same: None,
        way: "leave it out: the bundle has one address, which all of its containers share, and none has more of the host \
              than its spec says",
    },
    Peer {
        within: SIDECAR,
        words: &["restart", "restart_policy"],
        same: None,
        way: "leave it out: every container of a bundle is started again when it ends",
    },
    Peer {
        within: EGRESS,
        words: ALLOWED,
        same: Some("allow"),
        way: "the hosts that may be reached stand behind `allow`, between blanks",
    },
    Peer {
        within: EGRESS,
        words: DENIED,
        same: Some("deny"),
        way: "the hosts that may not be reached stand behind `deny`, between blanks; what no `allow` names is refused \
              without it",
    },
    Peer {
        within: LAYER,
        words: ALLOWED,
        same: None,
        way: "hosts that may be reached stand in `egress`: `egress { allow \"api.example.com\"; }`",
    },
    Peer {
        within: LAYER,
        words: DENIED,
        same: None,
        way: "hosts that may not be reached stand in `egress`: `egress { deny \"gist.example.com\"; }`",
    },
    Peer {
        within: LAYER,
        words: ENVIRONMENT,
        same: None,
        way: "`environment` is `env` here: a block with one variable a line, such as `env { GH_HOST \"github.com\"; }`",
    },
    Peer {
        within: LAYER,
        words: MOUNTS,
        same: None,
        way: "`mount` is `volume` here: a directory of the host, then where the agent sees it, such as `volume \"./data\" \
              \"/work/data\"`; without `access=\"read-write\"` it is only read. A repository comes over git-gate, see `git`",
    },
    Peer {
        within: LAYER,
        words: &["ports", "port", "expose", "forward-port", "forwardPorts"],
        same: None,
        way: "a port of the agent's machine that the host is to reach is `publish` here, such as `publish 3000 host=8080`; \
              the `port` of a `sidecar` is what the agent dials",
    },
    Peer {
        within: LAYER,
        words: BOUNDS,
        same: None,
        way: "memory and processors of the agent's machine are properties of `resources`, such as `resources cpus=4 \
              memory=\"8GiB\"`; those of a container stand in its `limits`",
    },
    Peer {
        within: LAYER,
        words: WORKDIR,
        same: None,
        way: "the working directory of the agent is that of what it boots from",
    },
    Peer {
        within: LAYER,
        words: &["container", "containers", "service", "services", "sidecars"],
        same: None,
        way: "a container beside the agent is a `sidecar`: `sidecar \"db\" image=\"…\" { port 5432 scheme=\"postgres\"; }`",
    },
    Peer {
        within: ENTRY,
        words: &["method", "methods", "path", "paths", "verb", "url", "query"],
        same: None,
        way: "pipelock compares hosts alone, so this entry is the whole host, with each method and each path: leave the \
              entry out unless that is meant. What can hold a method and a path is a program of your own that stands \
              between: a `sidecar` that passes on these requests only, and has the key in its `secret`",
    },
    Peer {
        within: ENTRY,
        words: &["port", "ports", "scheme", "protocol", "tls"],
        same: None,
        way: "pipelock compares hosts alone, so this entry is the whole host, on each port: leave the entry out unless that \
              is meant. A `sidecar` of your own that passes on this port only can hold it",
    },
];

/// What to write for `word`, a node or a property within a node of that schema.
pub(super) fn find(word: &str, schema: &Schema) -> Option<Way> {
    let names_host = schema.arguments.first().is_some_and(|first| first.value == ValueType::HostEntry);
    let within = if names_host { ENTRY[0] } else { schema.name };
    let known = |peer: &&Peer| {
        (peer.within.is_empty() || peer.within.contains(&within)) && peer.words.contains(&word)
    };
    PEERS.iter().find(known).map(|peer| Way { same: peer.same, help: peer.way })
}

/// Whether a node of that schema has `word` in its block.
pub(super) fn is_child(schema: &Schema, word: &str) -> bool {
    schema.child_nodes().iter().any(|child| child.node.name == word)
}
