//! The schema table.

mod agent;
mod credential;
mod egress;
mod git;
mod lint;
mod machine;
mod sidecar;
mod supervise;
use super::{Argument, Child, Children, Node, Occurs, Property, ValueType};
use crate::world::builtin;
use crate::world::cluster::MAX_USER;
use crate::world::container::ContainerEngine;
use agent::AGENT;
use credential::{BROKER, CREDENTIAL};
use egress::EGRESS;
use git::{GIT, GIT_GATE};
use lint::LINT;
use machine::{GPU, MACHINE_VOLUME, PUBLISH, RESOURCES};
pub use sidecar::CAPABILITIES;
use sidecar::SIDECAR;
use supervise::SUPERVISE;

/// The top of a file.
pub static ROOT: Node = Node {
    name: "file",
    doc: "A spec: any number of bottles, profiles and includes, and the levels of rules.",
    arguments: &[],
    properties: &[],
    children: Children::Nodes(&[
        Child { occurs: Occurs::Many, node: &INCLUDE },
        Child { occurs: Occurs::Many, node: &PROFILE },
        Child { occurs: Occurs::Many, node: &BOTTLE },
        Child { occurs: Occurs::Once, node: &LINT },
    ]),
    example: "",
};

const fn required(name: &'static str, value: ValueType, doc: &'static str) -> Argument {
    Argument { name, value, required: true, repeats: false, doc }
}

const fn repeated(name: &'static str, value: ValueType, doc: &'static str) -> Argument {
    Argument { name, value, required: true, repeats: true, doc }
}

const fn optional_arguments(name: &'static str, value: ValueType, doc: &'static str) -> Argument {
    Argument { name, value, required: false, repeats: true, doc }
}

const fn optional_property(
    name: &'static str,
    value: ValueType,
    default: Option<&'static str>,
    doc: &'static str,
) -> Property {
    Property { name, value, required: false, default, doc }
}

const fn required_property(name: &'static str, value: ValueType, doc: &'static str) -> Property {
    Property { name, value, required: true, default: None, doc }
}

/// Whether something may be changed.
const ACCESS: ValueType = ValueType::Choice { words: &["read-only", "read-write"], what: "kind of access" };

const fn once(node: &'static Node) -> Child {
    Child { occurs: Occurs::Once, node }
}

const fn many(node: &'static Node) -> Child {
    Child { occurs: Occurs::Many, node }
}

static INCLUDE: Node = Node {
    name: "include",
    doc: "Reads another file as part of this spec.\n\nIts bottles are compiled, its profiles can be extended. The path \
          is relative to this file and stays in the workspace: the nearest directory above the spec with a `.git` or \
          a `.bottlec` in it, else the spec's own. A file that includes itself, over however many others, is an error.",
    arguments: &[required("path", ValueType::RelativePath, "the other file, relative to this one")],
    properties: &[],
    children: Children::None,
    example: "include \"profiles/team.kdl\"",
};

/// `profile`.
pub static PROFILE: Node = Node {
    name: "profile",
    doc: "Settings that several bottles share.\n\nA bottle, or another profile, takes them over with `extends`. A \
          profile by itself makes nothing.",
    arguments: &[required("name", ValueType::ProfileName, "what `extends` calls it")],
    properties: &[],
    children: Children::Nodes(&[
        many(&EXTENDS),
        once(&BACKEND),
        once(&ENGINE),
        once(&ARTIFACT),
        once(&IMAGE),
        once(&ROOTFS),
        once(&RESOURCES),
        many(&MACHINE_VOLUME),
        many(&PUBLISH),
        once(&GPU),
        once(&AGENT),
        once(&ENV),
        once(&EGRESS),
        once(&GIT),
        many(&CREDENTIAL),
        once(&PIPELOCK),
        once(&GIT_GATE),
        once(&BROKER),
        once(&SUPERVISE),
        many(&SIDECAR),
        once(&CONTAINER_ENGINE),
        many(&ACCEPT),
        many(&EXPECT),
        once(&LINT),
    ]),
    example: "profile \"team\" {\n    egress { allow \"api.anthropic.com\" }\n}",
};

/// `bottle`.
pub static BOTTLE: Node = Node {
    name: "bottle",
    doc: "One AI coding agent in one microVM, with the sidecars that it may reach.\n\nIts name is its slug: the name \
          of the machine, of the stage's directory, and what its addresses are derived from. Names are unique over \
          all files compiled together.",
    arguments: &[required("slug", ValueType::Name, "the bottle's name")],
    properties: &[],
    children: Children::Nodes(&[
        many(&EXTENDS),
        once(&BACKEND),
        once(&ENGINE),
        once(&ARTIFACT),
        once(&IMAGE),
        once(&ROOTFS),
        once(&RESOURCES),
        many(&MACHINE_VOLUME),
        many(&PUBLISH),
        once(&GPU),
        once(&AGENT),
        once(&ENV),
        once(&EGRESS),
        once(&GIT),
        many(&CREDENTIAL),
        once(&PIPELOCK),
        once(&GIT_GATE),
        once(&BROKER),
        once(&SUPERVISE),
        many(&SIDECAR),
        once(&CONTAINER_ENGINE),
        once(&NETWORK),
        many(&ACCEPT),
        many(&EXPECT),
        once(&LINT),
    ]),
    example: "bottle \"api-dev\" {\n    artifact \"./agent.smolmachine\"\n    egress { allow \"api.anthropic.com\" }\n}",
};

static EXTENDS: Node = Node {
    name: "extends",
    doc: "Takes over the settings of one or several profiles.\n\nThey are laid over each other from left to right, the \
          bottle last: env by key, repositories, credentials and sidecars by name, allow and deny lists united, of everything else \
          the last one wins. A `deny` is never lifted by a later layer.\n\nProfiles whose names begin with `std/` come with \
          the compiler, one for each agent that it knows: [docs/agents.md](agents.md) shows what each brings.",
    arguments: &[repeated(
        "profile",
        ValueType::ProfileName,
        "a profile of this file or of one that it includes, or a built-in one",
    )],
    properties: &[],
    children: Children::None,
    example: "extends \"team\" \"python\"",
};

static BACKEND: Node = Node {
    name: "backend",
    doc: "What runs the bottle.\n\n`smolmachines` is one smolvm microVM a bottle on this host; it needs `smolvm` on the \
          host's PATH and nothing else. `kubernetes` is a namespace a bottle in a cluster, whose agent runs under a \
          RuntimeClass and is confined by NetworkPolicies: [docs/kubernetes.md](kubernetes.md) says how a cluster is made \
          ready, and what of it is not the compiler's to hold. The properties are of `kubernetes` alone; `engine` and \
          `container-engine` are of `smolmachines` alone, and count for nothing there.",
    arguments: &[required("name", ValueType::Backend, "the backend's name; `smolmachines` when not given")],
    properties: &[
        optional_property(
            "runtime-class",
            ValueType::ObjectName,
            None,
            "the RuntimeClass that the agent's Pod runs under, such as `kata`; `kubernetes` takes no bottle without one",
        ),
        optional_property(
            "service-cidr",
            ValueType::ServiceRange,
            Some("`10.96.0.0/12`, which is kubeadm's"),
            "the range of the cluster's Services; the bundle has the address in it that `network octet=…` counts",
        ),
        optional_property(
            "run-as",
            ValueType::Integer { min: 1, max: MAX_USER, what: "the number of a user" },
            Some("the image's own user"),
            "the user that the agent's container runs as",
        ),
    ],
    children: Children::None,
    example: "backend \"kubernetes\" runtime-class=\"kata\"",
};

static ENGINE: Node = Node {
    name: "engine",
    doc: "The engine, and the version of it, that the stage is compiled for.\n\nWhat a version does with the same \
          Smolfile differs, so the compiler must know it. Without a version the newest known one is meant.",
    arguments: &[required("name", ValueType::Engine, "the engine's name")],
    properties: &[optional_property(
        "version",
        ValueType::Version,
        Some("the newest known version"),
        "the version that `smolvm --version` prints on the host",
    )],
    children: Children::None,
    example: "engine \"smolvm\" version=\"1.33.0\"",
};

static ARTIFACT: Node = Node {
    name: "artifact",
    doc: "The packed machine that the agent boots from: a `.smolmachine` file.\n\nAt most one of `artifact`, `image` \
          and `rootfs`; with none of them the machine boots the engine's bare system.",
    arguments: &[required("path", ValueType::MachinePath, "the file, relative to the spec that names it")],
    properties: &[],
    children: Children::None,
    example: "artifact \"./agent.smolmachine\"",
};

static IMAGE: Node = Node {
    name: "image",
    doc: "The container image that the agent boots from.\n\nPin it by digest, or what runs tomorrow is what somebody \
          pushed tonight.",
    arguments: &[required("reference", ValueType::Image, "an image reference with its digest")],
    properties: &[],
    children: Children::None,
    example: "image \"ghcr.io/acme/agent:2.1@sha256:…\"",
};

static ROOTFS: Node = Node {
    name: "rootfs",
    doc: "The unpacked root file system that the agent boots from.",
    arguments: &[required("path", ValueType::Directory, "the directory, relative to the spec that names it")],
    properties: &[],
    children: Children::None,
    example: "rootfs \"./rootfs\"",
};

static ENV: Node = Node {
    name: "env",
    doc: "Environment variables: of the agent, or of the sidecar that it stands in.\n\nA variable is a literal or a \
          reference to a secret on the host, whose value is in no file that the compiler writes. Of the agent's \
          secrets a packed machine keeps none: what the plan's `exec` and `attach` run gets them, what such a machine \
          starts by itself does not.",
    arguments: &[],
    properties: &[],
    children: Children::Named { name: ValueType::EnvName, node: &VARIABLE },
    example: "env {\n    GH_HOST \"github.com\"\n    ANTHROPIC_API_KEY from-env=\"ANTHROPIC_API_KEY\"\n}",
};

static VARIABLE: Node = Node {
    name: "NAME",
    doc: "One variable: a literal, `from-env`, or `from-file`; exactly one of them.",
    arguments: &[Argument {
        name: "value",
        value: ValueType::EnvValue,
        required: false,
        repeats: false,
        doc: "a literal, one line, kept as it is",
    }],
    properties: &[
        optional_property(
            "from-env",
            ValueType::EnvName,
            None,
            "the host's variable that holds the secret when the machine starts",
        ),
        optional_property(
            "from-file",
            ValueType::AbsolutePath,
            None,
            "the host's file that holds the secret when the machine starts",
        ),
    ],
    children: Children::None,
    example: "NPM_TOKEN from-file=\"/run/secrets/npm\"",
};

static PIPELOCK: Node = Node {
    name: builtin::PIPELOCK,
    doc: "Settings of the egress proxy, which every bottle has.\n\nIts configuration is written for `version`, and \
          without `image` that version's official image runs, by its tag, since no digest of it is published: name it \
          with the digest that your registry gives, to have what runs decided by the spec. What `reach` and `expect` \
          say of 2.3.0 was held against verdicts of that version; of newer ones it follows what was read of them.",
    arguments: &[],
    properties: &[
        optional_property(
            "version",
            ValueType::PipelockVersion,
            Some("`2.3.0`"),
            "the version that its configuration is written for",
        ),
        optional_property(
            "image",
            ValueType::Image,
            Some("pipelock's official image of that version, by its tag"),
            "the container image that it runs in, with its digest; what version it holds is for you to say",
        ),
    ],
    children: Children::Nodes(&[many(&NEEDS), once(&LIMITS)]),
    example: "pipelock version=\"2.3.0\" { needs \"resolver\" }",
};

static NEEDS: Node = Node {
    name: "needs",
    doc: "Sidecars that must run before this one starts.\n\nThe agent needs them all and starts last. A cycle is an \
          error.",
    arguments: &[repeated("sidecar", ValueType::Name, "a sidecar of this bottle")],
    properties: &[],
    children: Children::None,
    example: "needs \"pipelock\"",
};

static LIMITS: Node = Node {
    name: "limits",
    doc: "What a container may have of its host at most.\n\nA container that needs more memory is ended by the host, and \
          starts again. Every container has limits: what is not said here is its default. What it prints is kept up to 30 \
          MiB, and each directory in memory that it may write to holds 512 MiB.",
    arguments: &[],
    properties: &[
        optional_property(
            "memory",
            ValueType::Memory { least: 16 },
            Some("`2GiB`, and `4GiB` for git-gate"),
            "memory, with swap and with what it writes to directories in memory",
        ),
        optional_property(
            "cpus",
            ValueType::Integer { min: 1, max: 256, what: "a number of processors" },
            Some("1"),
            "processors; Docker refuses more than the host has",
        ),
        optional_property(
            "processes",
            ValueType::Integer { min: 16, max: 65_536, what: "a number of processes" },
            Some("1024"),
            "processes and threads",
        ),
    ],
    children: Children::None,
    example: "limits memory=\"4GiB\" cpus=2",
};

static CONTAINER_ENGINE: Node = Node {
    name: "container-engine",
    doc: "What runs the bundle's containers on the host.\n\nThe plan's commands are for this one. `compose.yaml` is \
          written so that both read it alike.",
    arguments: &[required(
        "name",
        ValueType::Choice { words: ContainerEngine::NAMES, what: "container engine" },
        "`docker` when not given",
    )],
    properties: &[],
    children: Children::None,
    example: "container-engine \"podman\"",
};

static ACCEPT: Node = Node {
    name: "accept",
    doc: "Answers for one way in which the bottle confines less than it should.\n\nWhat leaves the agent unconfined is \
          an error. Accepted by the rule's name it is a warning, a stage is built, and the plan holds the reason. It \
          counts for the bottle, or for every bottle that extends the profile; `host-path-exposed` is accepted where \
          the path stands. One that nothing needs is a warning itself.",
    arguments: &[required("rule", ValueType::AcceptableRule, "the rule's name")],
    properties: &[required_property(
        "reason",
        ValueType::Text,
        "why, for whoever reviews the spec or the plan",
    )],
    children: Children::None,
    example: "accept \"dns-open\" reason=\"the build host runs 1.2.4 until January, and has no secrets\"",
};

static EXPECT: Node = Node {
    name: "expect",
    doc: "Tests of the policy, which are compiled with it.\n\nEach target is asked of the bottle as `bottlec reach` \
          asks. An expectation that does not hold is an error, which shows what decides. Those of profiles hold for \
          every bottle that extends them.",
    arguments: &[],
    properties: &[],
    children: Children::Nodes(&[many(&EXPECT_ALLOW), many(&EXPECT_REFUSE)]),
    example: "expect {\n    allow \"api.github.com:443\"\n    refuse \"gist.github.com\" \"169.254.169.254\" \"10.0.0.1:22\"\n}",
};

static EXPECT_ALLOW: Node = Node {
    name: "allow",
    doc: "Targets that the agent must be able to reach.",
    arguments: &[repeated("target", ValueType::Target, "a host or an address, perhaps with a port")],
    properties: &[],
    children: Children::None,
    example: "allow \"api.github.com:443\"",
};

static EXPECT_REFUSE: Node = Node {
    name: "refuse",
    doc: "Targets that the agent must not be able to reach, whatever a name resolves to.",
    arguments: &[repeated("target", ValueType::Target, "a host or an address, perhaps with a port")],
    properties: &[],
    children: Children::None,
    example: "refuse \"gist.github.com\" \"169.254.169.254\" \"10.0.0.1:22\"",
};

static NETWORK: Node = Node {
    name: "network",
    doc: "Pins the bottle's subnet.\n\nWithout it the third octet is derived from the slug: 1 + (the first 8 bytes of \
          its SHA-256, big-endian) mod 254, and 18 for 17, a number that bottles leave to Docker.",
    arguments: &[],
    properties: &[required_property(
        "octet",
        ValueType::Octet,
        "the third octet: the subnet is `192.168.<octet>.0/24`, the gateway `.1`, the bundle `.2`; in a cluster the bundle's \
         place in the range of Services",
    )],
    children: Children::None,
    example: "network octet=42",
};

/// A node of a design that is gone, and what took its place.
#[derive(Debug)]
pub struct Retired {
    /// The node's name.
    pub name: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}

/// Nodes of the retired gvproxy design, in which a userspace gateway stood between guest and bundle.
pub static RETIRED: &[Retired] = &[
    Retired {
        name: "gvproxy",
        instead: "leave it out: the engine's own allow list confines the machine to the bundle's address",
    },
    Retired {
        name: "gateway",
        instead: "leave it out: the gateway is the `.1` of the bottle's subnet, see `network`",
    },
    Retired { name: "net", instead: "write `network octet=…` to pin the subnet, or leave it out" },
    Retired {
        name: "unixgram",
        instead: "leave it out: there is no socket between guest and bundle any more, the engine routes by address",
    },
    Retired {
        name: "forward",
        instead: "write `sidecar` with a `port` and `expose`: the agent dials the bundle's address itself",
    },
    Retired {
        name: "outbound-localhost-only",
        instead: "leave it out: it would open every service on the host's loopback; the allow list confines instead",
    },
];
