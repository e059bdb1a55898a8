//! What several kinds say in one way: volumes of the machine, and ports of it.

use super::document::{Block, Node, fits, named};
use crate::schema::ValueType;
use crate::world::handed_over::{Role, refused};

/// Where the spec is taken to lie: what may be handed over depends on it.
const SPEC: &str = "bottle.kdl";

/// Holds a path of the host against what hands over the host, or its keys.
///
/// # Errors
/// Why it is not handed over, and what to do instead.
pub(super) fn may_be_handed_over(path: &str, role: Role) -> Result<(), String> {
    refused(path, SPEC, role).map_or(Ok(()), |why| Err(format!("{}: {}", why.reason, why.help)))
}

/// Whether the machine may be shown a path of the host at that place.
///
/// # Errors
/// Why not.
pub(super) fn may_be_shown(host: &str, target: &str, writable: bool) -> Result<(), String> {
    const OWN: &[&str] = &["/tmp", "/private/tmp", "/var/tmp", "/private/var/tmp"];
    let is_below = |root: &str| host.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
    if OWN.contains(&host) || host == "/dev" || ["/dev", "/var/folders"].into_iter().any(is_below) {
        return Err(String::from("the machine has one of its own"));
    }
    fits(ValueType::MachineVolume, host)?;
    fits(ValueType::MachinePlace, target)?;
    may_be_handed_over(host, Role::Machine { writable })
}

/// Shows the machine a directory of the host.
pub(super) fn volume(host: &str, target: &str, writable: bool, block: &mut Block) {
    if let Err(why) = may_be_shown(host, target, writable) {
        return block.lose(&format!("the volume {}", named(host)), &why);
    }
    let node = Node::new("volume").text(host).text(target);
    block.push(if writable { node.property("access", "read-write") } else { node });
}

/// `[address:]host:guest` or `guest`, perhaps with `/tcp`: a port of the machine that the host reaches.
pub(super) fn publish(text: &str, block: &mut Block) {
    match published(text) {
        Err(why) => block.lose(&format!("the port {}", named(text)), why),
        Ok((host, guest)) => {
            let node = Node::new("publish").number(guest.into());
            block.push(if host == guest { node } else { node.number_property("host", host.into()) });
        }
    }
}

fn published(text: &str) -> Result<(u16, u16), &'static str> {
    let text = text.strip_suffix("/tcp").unwrap_or(text);
    let mut parts = text.rsplit(':');
    let port = |text: &str| {
        let number = text.parse().ok().filter(|port| *port > 0);
        number.ok_or("it is no single port of TCP: write each as `publish`")
    };
    let guest = port(parts.next().unwrap_or_default())?;
    let Some(host) = parts.next() else {
        return Err("the host's port was chosen at the start: `publish` names it");
    };
    let host = port(host)?;
    match parts.next() {
        None | Some("127.0.0.1" | "localhost" | "0.0.0.0") => Ok((host, guest)),
        Some(_) => Err("a port is published on the host's loopback and on no other address"),
    }
}
