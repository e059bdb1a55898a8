//! `agent`: the program that works in the machine, and what it reads.

use super::{many, once, optional_arguments, repeated, required, required_property};
use crate::schema::{Children, Node, ValueType};
use crate::world::builtin;
use crate::world::mcp::McpForm;

/// `agent`.
pub(super) static AGENT: Node = Node {
    name: "agent",
    doc: "The agent: the program that works in the machine, and what it reads.\n\nThe built-in profiles say it for the agents \
          that the compiler knows ([docs/agents.md](agents.md)); a spec says it for another one. Nothing of it lets the \
          agent reach anything.",
    arguments: &[],
    properties: &[],
    children: Children::Nodes(&[once(&PROGRAM), once(&MCP), once(&API_KEY), many(&TRUST), many(&REQUIRES)]),
    example: "agent {\n    program \"goose\" \"session\"\n    mcp \"/etc/goose/mcp.json\" form=\"claude\"\n}",
};

static PROGRAM: Node = Node {
    name: "program",
    doc: "What `up` runs on a terminal when no other program is named.\n\nIts arguments are those with which it works \
          unattended: the bottle is what holds it.",
    arguments: &[
        required("program", ValueType::Text, "a program of the machine's"),
        optional_arguments("argument", ValueType::Argument, "one argument, which no shell reads"),
    ],
    properties: &[],
    children: Children::None,
    example: "program \"claude\" \"--dangerously-skip-permissions\"",
};

static MCP: Node = Node {
    name: "mcp",
    doc: "The file in which the agent looks for MCP servers.\n\nWritten into the machine when the bottle has any: supervise, \
          and each sidecar with `mcp`. What an image has there is replaced. The same servers are in `/etc/bottle/mcp.json`, in \
          the form `claude`.",
    arguments: &[required("path", ValueType::MachineFile, "its place in the machine")],
    properties: &[required_property(
        "form",
        ValueType::Choice { words: McpForm::NAMES, what: "form of an MCP client's file" },
        "how it is written: as the client of that name reads it",
    )],
    children: Children::None,
    example: "mcp \"/etc/claude-code/managed-mcp.json\" form=\"claude\"",
};

static API_KEY: Node = Node {
    name: "api-key",
    doc: "The variable in which the agent looks for the key of its model.\n\n`bottlec init --agent` writes it into `env`, as a \
          reference. It is given to the agent by `env` alone.",
    arguments: &[required("variable", ValueType::EnvName, "the variable's name")],
    properties: &[],
    children: Children::None,
    example: "api-key \"ANTHROPIC_API_KEY\"",
};

static TRUST: Node = Node {
    name: "trust",
    doc: "The computed variables by which the agent's program learns which certificates to trust.\n\nThe compiler sets all of \
          them wherever HTTPS is opened.",
    arguments: &[repeated(
        "variable",
        ValueType::Choice { words: &builtin::CA_VARIABLES, what: "variable of trust" },
        "a variable that the program reads",
    )],
    properties: &[],
    children: Children::None,
    example: "trust \"NODE_EXTRA_CA_CERTS\"",
};

static REQUIRES: Node = Node {
    name: "requires",
    doc: "Programs that what the machine boots from must have.",
    arguments: &[repeated("program", ValueType::Text, "a program's name")],
    properties: &[],
    children: Children::None,
    example: "requires \"git\" \"node\"",
};
