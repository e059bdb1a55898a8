//! The networks of a Compose file. A bottle has one, whose sidecars share an address: a service that was kept apart from the
//! agent, or from the outside, cannot be one of them.

use std::collections::BTreeSet;

use super::super::text_of;
use super::super::value::Value;

/// The networks at the top of a file.
#[derive(Clone, Copy)]
pub(super) struct Networks<'v>(pub(super) Option<&'v Value>);

/// A network of its own that a service asks for.
fn mode(service: &Value) -> Option<String> {
    let mode = service.get("network_mode").filter(|mode| !mode.is_nothing())?;
    Some(text_of(mode).into_owned()).filter(|mode| mode != "bridge" && mode != "default")
}

/// Why no container of a service runs, if that is so.
pub(super) fn idle(service: &Value) -> Option<&'static str> {
    let is_zero = |value: Option<&Value>| value.and_then(Value::text).is_some_and(|text| text == "0");
    if service.get("profiles").is_some_and(|profiles| !profiles.is_nothing()) {
        return Some("it runs only when one of its `profiles` is asked for, and a sidecar always does");
    }
    let replicas = service.get("deploy").and_then(|deploy| deploy.get("replicas"));
    (is_zero(service.get("scale")) || is_zero(replicas)).then_some("no container of it runs")
}

/// The networks that a service is on.
fn networks_of(service: &Value) -> BTreeSet<String> {
    if mode(service).is_some() {
        return BTreeSet::new();
    }
    let named: BTreeSet<String> = match service.get("networks") {
        Some(Value::Map(map)) => map.iter().map(|(name, _)| name.clone()).collect(),
        Some(list) => list.members().iter().map(|name| text_of(name).into_owned()).collect(),
        None => BTreeSet::new(),
    };
    if named.is_empty() { BTreeSet::from([String::from("default")]) } else { named }
}

/// Whether the host may reach ports of a service.
pub(super) fn is_published(service: &Value) -> bool {
    mode(service).is_none()
}

/// Whether two services reach each other.
pub(super) fn meet(one: &Value, other: &Value) -> bool {
    !networks_of(one).is_disjoint(&networks_of(other))
}

impl Networks<'_> {
    fn is_internal(self, name: &str) -> bool {
        let internal = self.0.and_then(|top| top.get(name)).and_then(|network| network.get("internal"));
        // What a variable decides may be so.
        internal.is_some_and(|internal| !internal.is_nothing() && text_of(internal) != "false")
    }

    /// Whether a service reaches what is outside of the file.
    pub(super) fn reaches_outside(self, service: &Value) -> bool {
        mode(service).is_none_or(|mode| mode != "none")
            && (mode(service).is_some() || !networks_of(service).iter().all(|name| self.is_internal(name)))
    }

    /// Why a service cannot be one of a bundle's, if that is so.
    pub(super) fn apart(self, service: &Value, agent: Option<&Value>) -> Option<&'static str> {
        if !self.reaches_outside(service) {
            return Some(
                "it reached nothing outside, and a sidecar reaches what its host does: write it, if that may be",
            );
        }
        if mode(service).is_some() {
            return Some("its network is the host's or another container's, and a bundle has one of its own");
        }
        agent.filter(|agent| !meet(service, agent)).map(|_| {
            "the agent was on none of its networks, and reaches every port of a bundle: write it, if that may be"
        })
    }
}
