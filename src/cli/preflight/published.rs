//! Published ports: whether something listens on the host's loopback where a bottle publishes one of its own.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use bottlec::plan::Plan;
use bottlec::text::quote;

use super::Finding;

/// Speaks of ports that cannot be had: one that is taken may be taken by this bottle's own machine, which nobody can tell
/// from here, so that is no reason not to launch.
pub(super) fn check(plan: &Plan) -> Vec<Finding> {
    let slug = quote(&plan.slug);
    let taken = plan.machine.published.iter().filter_map(|port| {
        let host = *port.host;
        // It is let go of at once.
        match TcpListener::bind((Ipv4Addr::LOCALHOST, host)).err()?.kind() {
            ErrorKind::AddrInUse => Some(Finding::ready(format!(
                "{slug} publishes on port {host} of the host's loopback, where something listens: its own machine, or its \
                 start fails"
            ))),
            ErrorKind::PermissionDenied => Some(Finding::missing(
                format!("{slug} publishes on port {host} of the host's loopback, which you may not listen on"),
                format!("publish it on another one: `publish {} host=8080`", port.guest),
            )),
            _ => None,
        }
    });
    taken.collect()
}
