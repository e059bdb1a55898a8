//! The ports of services.

use super::text::plain;
use crate::import::document::{Block, Node, named};
use crate::import::value::Value;
use crate::world::images;
use crate::world::ports::{of_scheme, other_than_http};

/// The port of a service that names none: its neighbours reach it at whichever its program listens on.
pub(super) fn usual_port(image: &str, service: &Value, block: &mut Block) -> Option<u16> {
    let is_named = |key| service.get(key).is_some_and(|value| !value.is_nothing());
    if is_named("ports") || is_named("expose") {
        return None;
    }
    let known = images::find(image).and_then(|image| Some((image, of_scheme(image.scheme)?)));
    let Some((image, service)) = known else {
        block.lose(
            "its port",
            "Compose names none, and services reach each other at any: `port` and `expose` tell the agent of it",
        );
        return None;
    };
    let port = *service.ports.first()?;
    block.note(&format!("The usual port of {}: Compose names none.", named(image.short())));
    block.push(Node::new("port").number(port.into()).property("scheme", service.scheme));
    Some(port)
}

/// The port that the agent finds the sidecar at: the first that is named.
pub(super) fn ports_of(service: &Value, block: &mut Block) -> Option<u16> {
    let mut found = None;
    let of = |key| service.get(key).map_or(&[][..], Value::members);
    for (published, value) in
        of("ports").iter().map(|it| (true, it)).chain(of("expose").iter().map(|it| (false, it)))
    {
        let text = match long_port(value) {
            Ok(text) => text,
            Err(why) => {
                block.lose("a port", &why);
                continue;
            }
        };
        let inner = text.rsplit(':').next().unwrap_or_default();
        let inner = inner.strip_suffix("/tcp").unwrap_or(inner);
        let Some(port) = inner.parse::<u16>().ok().filter(|port| *port > 0) else {
            block.lose(&format!("the port {}", named(&text)), "it is no single port of TCP");
            continue;
        };
        if published {
            block.lose(
                &format!("that the host reaches {}", named(&text)),
                "a sidecar is reached by the agent alone",
            );
        }
        match found {
            None => {
                let node = Node::new("port").number(port.into());
                block.push(match other_than_http(port) {
                    Some(service) => node.property("scheme", service.scheme),
                    None => node,
                });
                found = Some(port);
            }
            Some(first) if first == port => {}
            Some(_) => {
                block.lose(&format!("the port {port}"), "a sidecar has one: write a second one for it");
            }
        }
    }
    found
}

/// A port in the short form.
pub(super) fn long_port(value: &Value) -> Result<String, String> {
    if let Value::Map(_) = value {
        let text = |key| value.get(key).and_then(Value::text);
        let target = text("target").ok_or("it has no target")?;
        if text("protocol").is_some_and(|it| it != "tcp") {
            return Err(String::from("it is no single port of TCP"));
        }
        let mut port = target.into_owned();
        if let Some(published) = text("published") {
            port = format!("{published}:{port}");
            if let Some(address) = text("host_ip") {
                port = format!("{address}:{port}");
            }
        }
        return Ok(port);
    }
    plain(value)
}
