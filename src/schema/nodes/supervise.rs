//! `supervise`.

use super::{LIMITS, NEEDS, many, once, optional_property, required};
use crate::schema::{Children, Node, ValueType};
use crate::world::builtin;

pub(super) static SUPERVISE: Node = Node {
    name: builtin::SUPERVISE,
    doc: "Lets the agent ask a human, over MCP: for a wider allow list, or another tool.\n\nWhat it asks for lies in a \
          queue, a directory on the host, until the human decides. An approval changes nothing by itself: the human \
          edits the spec and builds it again. The server is part of the stage and runs in a plain Python image.",
    arguments: &[],
    properties: &[optional_property(
        "image",
        ValueType::Image,
        Some("`python:3.13.7-alpine3.22`, pinned,"),
        "the container image that it runs in, with its digest; Python 3.9 or newer is all it needs",
    )],
    children: Children::Nodes(&[once(&QUEUE), many(&NEEDS), once(&LIMITS)]),
    example: "supervise {\n    queue \"~/.local/state/bottle/api-dev\"\n}",
};

static QUEUE: Node = Node {
    name: "queue",
    doc: "The directory on the host that holds the agent's proposals, the human's decisions and the audit log.\n\n\
          Without it: `~/.local/state/bottle/` and the bottle's name. Each bottle has a queue of its own. The agent \
          reaches none of it but over MCP.",
    arguments: &[required(
        "path",
        ValueType::OwnDirectory,
        "a directory on the host; `~/` is the home of who launches",
    )],
    properties: &[],
    children: Children::None,
    example: "queue \"~/.local/state/bottle/api-dev\"",
};
