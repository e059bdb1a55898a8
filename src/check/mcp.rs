//! `mcp`: sidecars that are MCP servers, and the file by which the agent's client is told of them.

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Bottle, Names, Port, ServesMcp, Sidecar};
use crate::rule::catalogue::MCP_UNUSABLE;
use crate::text::quote;

/// What an MCP server's port speaks.
const SCHEME: &str = "http";

/// Checks that a sidecar which is an MCP server can be dialled as one.
pub fn check_sidecar(sidecar: &Sidecar, diagnostics: &mut Diagnostics) {
    let Sidecar { name, port_node, service, .. } = sidecar;
    let Some(ServesMcp { node, path: _ }) = &service.mcp else { return };
    let name_of = quote(&name.value);
    match (&service.port, port_node) {
        (Some(Port { number: _, scheme: Some(scheme) }), _) if scheme.value != SCHEME => diagnostics.push(
            Diagnostic::new(
                &MCP_UNUSABLE,
                scheme.span,
                format!("sidecar {name_of} is an MCP server, and its port speaks {}", quote(&scheme.value)),
            )
            .label("expected `http`, which a port speaks that says nothing else")
            .related(*node, "an MCP server by this")
            .replace(
                "write `\"http\"`, if it does speak that",
                Applicability::Unsafe,
                scheme.span,
                "\"http\"",
            ),
        ),
        (None, None) => diagnostics.push(
            Diagnostic::new(
                &MCP_UNUSABLE,
                *node,
                format!("sidecar {name_of} is an MCP server without a port"),
            )
            .label("no client could dial it")
            .related(name.span, "this sidecar has no `port`")
            .help("add the port that it listens on, such as `port 8080`"),
        ),
        // A port that is none was spoken of.
        _ => {}
    }
}

/// Checks that the file which the agent's client reads is written into the machine itself.
pub fn check_bottle(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let settings = &bottle.settings;
    let Some(file) = settings.agent.as_ref().and_then(|agent| agent.mcp.as_ref()) else { return };
    let path = &file.path;
    let below =
        |directory: &str| path.value.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    let Some(volume) = settings.machine.volumes.iter().find(|volume| below(&volume.target.value)) else {
        return;
    };
    diagnostics.push(
        Diagnostic::new(
            &MCP_UNUSABLE,
            path.span,
            format!("{} lies in a directory of the host's", quote(&path.value)),
        )
        .label("it would be written on the host, or not at all")
        .related(volume.target.span, "the host's directory is shown here")
        .help("show that directory at another place of the machine"),
    );
}
