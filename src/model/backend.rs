//! `backend`: what runs a bottle, and what a cluster must be told.

use ipnet::Ipv4Net;

use super::{Spanned, first_argument, number_property, text_property};
use crate::schema::ValueType;
use crate::source::Span;
use crate::syntax::{Node, Value};
use crate::world::{backend, cluster};

/// What runs a bottle.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name.
    pub name: Spanned<String>,
    /// The RuntimeClass of the agent's Pod.
    pub runtime_class: Option<Spanned<String>>,
    /// The range of the cluster's Services.
    pub services: Option<Spanned<Ipv4Net>>,
    /// The user that the agent's container runs as.
    pub run_as: Option<Spanned<u32>>,
    /// The first property of a cluster.
    pub of_cluster: Option<Span>,
}

impl Backend {
    pub(super) fn decode(node: Node<'_>) -> Option<Self> {
        let is_range =
            |text: &Spanned<String>| ValueType::ServiceRange.check(Value::String(&text.value)).is_ok();
        let services = text_property(node, "service-cidr").filter(is_range);
        let services =
            services.and_then(|text| Some(Spanned { value: text.value.parse().ok()?, span: text.span }));
        let of_cluster = node.entries().find_map(|entry| entry.key().map(|(_, span)| span));
        Some(Self {
            name: first_argument(node)?,
            runtime_class: text_property(node, "runtime-class"),
            services,
            run_as: number_property(node, "run-as"),
            of_cluster,
        })
    }

    /// Whether it is a cluster.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.name.value == backend::KUBERNETES
    }

    /// The range of its Services, when it is a cluster.
    #[must_use]
    pub fn services(&self) -> Option<Ipv4Net> {
        let range = self.services.map_or(cluster::SERVICES, |range| range.value);
        self.is_cluster().then_some(range)
    }
}
