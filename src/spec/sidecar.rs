//! `sidecar`: a program of the user's in the bundle.

use super::{
    Name, Spanned, Variable, arguments, child, children, first_argument, number_argument, text_property,
};
use crate::source::Span;
use crate::syntax::Node;

/// Where a sidecar listens.
#[derive(Clone, Debug)]
pub struct Port {
    /// The port.
    pub number: Spanned<u16>,
    /// What stands before `://` in its URL; `http` when not given.
    pub scheme: Option<Spanned<String>>,
}

/// A variable of the agent that holds the sidecar's URL.
#[derive(Clone, Debug)]
pub struct Expose {
    /// The variable.
    pub variable: Spanned<String>,
    /// What follows the port in the URL.
    pub path: Option<Spanned<String>>,
}

/// A `sidecar` as it is written.
#[derive(Clone, Debug)]
pub struct Sidecar {
    /// Its name.
    pub name: Spanned<Name>,
    /// Its image.
    pub image: Option<Spanned<String>>,
    /// The place of its `port` node, which may hold no valid port.
    pub port_node: Option<Span>,
    /// Where it listens.
    pub port: Option<Port>,
    /// What must run before it.
    pub needs: Vec<Spanned<Name>>,
    /// Its own environment.
    pub env: Vec<Variable>,
    /// What the agent learns of it.
    pub exposes: Vec<Expose>,
}

impl Sidecar {
    pub(super) fn decode(node: Node<'_>) -> Option<Self> {
        let port_node = child(node, "port");
        let port = port_node.and_then(|port| {
            Some(Port { number: number_argument(port)?, scheme: text_property(port, "scheme") })
        });
        let exposes = children(node, "expose").filter_map(|expose| {
            Some(Expose { variable: first_argument(expose)?, path: text_property(expose, "path") })
        });
        Some(Self {
            name: first_argument(node)?,
            image: text_property(node, "image"),
            port_node: port_node.map(Node::name_span),
            port,
            needs: children(node, "needs").flat_map(arguments).collect(),
            env: children(node, "env").flat_map(Node::children).map(Variable::decode).collect(),
            exposes: exposes.collect(),
        })
    }
}
