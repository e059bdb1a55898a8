//! Published ports: whether something listens on the host's loopback where a bottle publishes one of its own.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use bottlec::plan::Plan;
use bottlec::text::quote;

use super::Finding;
use crate::cli::state;

/// Speaks of ports that cannot be had. One that is taken may be taken by this bottle's own machine, once it was launched.
pub(super) fn check(plan: &Plan) -> Vec<Finding> {
    let slug = quote(&plan.slug);
    let taken = plan.machine.published.iter().filter_map(|port| {
        let host = *port.host;
        // It is let go of at once.
        match TcpListener::bind((Ipv4Addr::LOCALHOST, host)).err()?.kind() {
            ErrorKind::AddrInUse if state::is_launched(&plan.slug) => Some(Finding::ready(format!(
                "{slug} publishes on port {host} of the host's loopback, where something listens, most likely its own \
                 machine"
            ))),
            ErrorKind::AddrInUse => Some(Finding::missing(
                format!("{slug} publishes on port {host} of the host's loopback, where something else listens"),
                format!("end that, or publish on another one: `publish {} host=8080`", port.guest),
            )),
            ErrorKind::PermissionDenied => Some(Finding::missing(
                format!("{slug} publishes on port {host} of the host's loopback, which you may not listen on"),
                format!("publish it on another one: `publish {} host=8080`", port.guest),
            )),
            _ => None,
        }
    });
    taken.collect()
}
