//! `resources`, `volume`, `publish`, `gpu`: what the agent's machine has of its host.

use super::{Children, Node, ValueType, optional_property, required};
use crate::world::machine::{MAX_CPUS, Mebibytes};

const NUMBER: ValueType = ValueType::Integer { min: 1, max: 65_535, what: "a port" };

pub(super) static RESOURCES: Node = Node {
    name: "resources",
    doc: "How large the agent's machine is.\n\nEach is the most that it may take of the host, and what is not said is the \
          engine's default, or that of a packed machine. They are flags of the plan's `create`: the Smolfile keeps its two \
          keys.",
    arguments: &[],
    properties: &[
        optional_property(
            "cpus",
            ValueType::Integer { min: 1, max: MAX_CPUS, what: "a number of processors" },
            Some("4"),
            "processors that it may use at once",
        ),
        optional_property(
            "memory",
            ValueType::Memory { least: Mebibytes::LEAST.0 },
            Some("`8GiB`"),
            "memory; what it does not touch it does not take",
        ),
        optional_property(
            "storage",
            ValueType::Disk,
            Some("`20GiB`"),
            "the disk that holds images and what is made in the machine; what is not written takes no room",
        ),
    ],
    children: Children::None,
    example: "resources cpus=4 memory=\"8GiB\" storage=\"40GiB\"",
};

pub(super) static MACHINE_VOLUME: Node = Node {
    name: "volume",
    doc: "Shows the agent a directory of the host.\n\nRead-only, unless it says otherwise: what the agent writes there it \
          writes on the host, under the eyes of nobody. Code comes and goes by a `repo` of `git`, whose scanner looks at \
          it. What the host runs or is set up by is shown to no agent, and `preflight` looks for what no name tells: a \
          directory that may be written to and has a repository in it, or lies in one.",
    arguments: &[
        required(
            "source",
            ValueType::MachineVolume,
            "a directory on the host, relative to the spec that names it, or absolute",
        ),
        required("target", ValueType::MachinePlace, "where the agent sees it"),
    ],
    properties: &[optional_property(
        "access",
        ValueType::Choice { words: &["read-only", "read-write"], what: "kind of access" },
        Some("`read-only`"),
        "whether the agent may write to it",
    )],
    children: Children::None,
    example: "volume \"./data\" \"/work/data\" access=\"read-only\"",
};

pub(super) static PUBLISH: Node = Node {
    name: "publish",
    doc: "Lets programs of the host reach a port of the agent's machine, such as that of its dev server.\n\nOn the host's \
          loopback alone, 127.0.0.1 and ::1. The program in the machine must listen on 0.0.0.0: what listens on the \
          machine's own loopback is not reached. Pages that come from there run in the browser of whoever opens them as \
          `localhost`, with all that a browser may reach: SECURITY.md says what that opens.",
    arguments: &[required("port", NUMBER, "the port that the program in the machine listens on")],
    properties: &[optional_property(
        "host",
        NUMBER,
        Some("the same port"),
        "the port of the host's loopback",
    )],
    children: Children::None,
    example: "publish 3000 host=8080",
};

pub(super) static GPU: Node = Node {
    name: "gpu",
    doc: "Lets the agent use the host's graphics processor, by Vulkan.\n\nWhat the agent asks of it is run by the host's \
          own driver, outside of the machine: the wall between them is then that driver. So the bottle says why, with \
          `accept \"gpu-shared\"`.",
    arguments: &[],
    properties: &[],
    children: Children::None,
    example: "gpu",
};
