//! Objects of Kubernetes: the fields that are written, and no other. What is left out is the API's default, which every
//! schema of a cluster from 1.29 on knows.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::Traced;

/// The label by which a Pod is the agent's or the bundle's.
pub(super) const COMPONENT: &str = "app.kubernetes.io/component";

/// What all objects of a bottle say of themselves.
pub(super) type Labels = BTreeMap<&'static str, Traced<String>>;

/// An object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object<T> {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spec: Option<T>,
}

#[derive(Debug, Serialize)]
pub(super) struct Metadata {
    pub(super) name: Traced<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<Traced<String>>,
    pub(super) labels: Labels,
}

/// The labels of an object, of one of the two Pods when it says which.
pub(super) fn labels(slug: &Traced<String>, component: Option<&str>) -> Labels {
    let ours = |text: &str| Traced::fixed(text.to_owned());
    let mut labels = Labels::from([
        ("app.kubernetes.io/instance", slug.clone()),
        ("app.kubernetes.io/managed-by", ours("bottlec")),
        ("app.kubernetes.io/name", ours("bottle")),
    ]);
    labels.extend(component.map(|component| (COMPONENT, ours(component))));
    labels
}

/// The labels that select one of the two Pods, in the bottle's own namespace.
pub(super) fn selector(component: &'static str) -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([(COMPONENT, component)])
}

impl Metadata {
    /// Of an object in the bottle's namespace.
    pub(super) fn of(slug: &Traced<String>, name: Traced<String>) -> Self {
        Self { name, namespace: Some(super::names::namespace(slug)), labels: labels(slug, None) }
    }

    /// The same, where nothing in the spec decides the name.
    pub(super) fn fixed(slug: &Traced<String>, name: &str) -> Self {
        Self::of(slug, Traced::fixed(name.to_owned()))
    }
}
