//! `policy-*.yaml`: the NetworkPolicies of a bottle's namespace. Nobody reaches anybody; the agent reaches the ports of the
//! bundle that it is given; the bundle reaches what is public, the private addresses that the spec opens, and the cluster's
//! name server.
//!
//! A policy sees the Pod behind a Service, not the Service's address.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::object::{Metadata, Object, selector};
use crate::lower::plan_json::{PlanJson, Sidecar};
use crate::lower::{Draft, Markup, Mode};
use crate::plan::{
    Origin, Origins, Plan, PlannedCluster, PlannedCredential, PlannedEgress, PlannedGit, PlannedSidecar,
    Traced,
};
use crate::world::builtin::{AGENT, BUNDLE};
use crate::world::pipelock::guard;
use crate::world::upstream::Upstream;

/// The policy of every Pod of the namespace.
pub(super) const DEFAULT: &str = "policy-default.yaml";
/// That of the agent.
pub(super) const OF_AGENT: &str = "policy-agent.yaml";
/// That of the bundle.
pub(super) const OF_BUNDLE: &str = "policy-bundle.yaml";

const HEADING: &str = "# A policy of the bottle's namespace. Generated; edit the spec instead.\n";

/// Of what is left out of the world.
static INTERNAL: Origin = Origin::compiler(
    "what pipelock refuses as well: private networks, and where clouds hand out credentials",
);

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    pod_selector: Selector,
    #[serde(rename = "policyTypes")]
    types: [&'static str; 2],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ingress: Vec<Ingress>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    egress: Vec<Egress>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    match_labels: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug, Serialize)]
struct Ingress {
    from: Vec<Peer>,
    ports: Vec<Port>,
}

#[derive(Debug, Serialize)]
struct Egress {
    to: Vec<Peer>,
    ports: Vec<Port>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Peer {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_block: Option<IpBlock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace_selector: Option<Selector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_selector: Option<Selector>,
}

#[derive(Debug, Serialize)]
struct IpBlock {
    cidr: Traced<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    except: Vec<Traced<String>>,
}

/// A port; without a number, each of the protocol's.
#[derive(Debug, Serialize)]
struct Port {
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<Traced<u16>>,
}

const TCP: &str = "TCP";

fn pods(component: &'static str) -> Selector {
    Selector { match_labels: selector(component) }
}

fn peer(component: &'static str) -> Vec<Peer> {
    vec![Peer { pod_selector: Some(pods(component)), ..Peer::default() }]
}

fn block(cidr: Traced<String>, except: Vec<Traced<String>>) -> Peer {
    Peer { ip_block: Some(IpBlock { cidr, except }), ..Peer::default() }
}

/// The ports that the agent is given.
fn given(cluster: &PlannedCluster) -> Vec<Port> {
    cluster.ports.iter().map(|port| Port { protocol: TCP, port: Some(port.clone()) }).collect()
}

fn policy(slug: &Traced<String>, name: &str, pod_selector: Selector) -> Object<Policy> {
    Object {
        api_version: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: Metadata::fixed(slug, name),
        spec: Some(Policy {
            pod_selector,
            types: ["Ingress", "Egress"],
            ingress: Vec::new(),
            egress: Vec::new(),
        }),
    }
}

/// What a plan says that decides who reaches whom in its namespace, whether it is made now or was read.
pub(super) struct Inside<'a> {
    pub(super) slug: &'a Traced<String>,
    pub(super) cluster: &'a PlannedCluster,
    egress: &'a PlannedEgress,
    git: &'a PlannedGit,
    credentials: &'a [Traced<PlannedCredential>],
    /// The sidecars: what asks for each, its name, its port, and whether it is the spec's own.
    pub(super) sidecars: Vec<(Origins, &'a str, Option<u16>, bool)>,
}

impl<'a> Inside<'a> {
    pub(super) fn of(plan: &'a Plan, cluster: &'a PlannedCluster) -> Self {
        let sidecar = |sidecar: &'a Traced<PlannedSidecar>| {
            (sidecar.origins.clone(), sidecar.name.as_str(), *sidecar.port, sidecar.container.is_some())
        };
        Self {
            slug: &plan.slug,
            cluster,
            egress: &plan.egress,
            git: &plan.git,
            credentials: &plan.credentials,
            sidecars: plan.sidecars.iter().map(sidecar).collect(),
        }
    }

    pub(super) fn read(plan: &'a PlanJson<'static>, cluster: &'a PlannedCluster) -> Self {
        let sidecar = |sidecar: &'a Traced<Sidecar<'static>>| {
            (sidecar.origins.clone(), sidecar.name.as_str(), **sidecar.port, sidecar.container.is_some())
        };
        Self {
            slug: &plan.slug,
            cluster,
            egress: &plan.egress,
            git: &plan.git,
            credentials: &plan.credentials,
            sidecars: plan.sidecars.iter().map(sidecar).collect(),
        }
    }
}

/// What the bundle dials beyond the names that it looks up.
struct Dialled {
    /// What asks for the whole world; nothing when nobody does.
    world: Option<Origins>,
    /// The private ranges, each with what opens it.
    private: BTreeMap<IpNet, Origins>,
}

impl Dialled {
    fn of(inside: &Inside<'_>) -> Self {
        let mut world: Option<Origins> = None;
        let mut private: BTreeMap<IpNet, Origins> = BTreeMap::new();
        let mut ask = |origins: &Origins| {
            world = Some(world.take().map_or_else(|| origins.clone(), |before| before.and(origins)));
        };
        let mut open = |range: IpNet, origins: &Origins| {
            for rest in guard::without_metadata(range) {
                private.entry(rest).or_insert_with(|| origins.clone());
            }
        };
        for entry in &inside.egress.allow {
            ask(&entry.origins);
        }
        for entry in &inside.egress.private {
            if let Some(range) = entry.host.network() {
                open(range.trunc(), &entry.origins);
            }
        }
        let mut dial = |host: &str, origins: &Origins| {
            ask(origins);
            let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
            if let Some(range) = address.map(IpNet::from)
                && guard::of_network(range) == guard::Guarded::Private
            {
                open(range, origins);
            }
        };
        for repo in &inside.git.repos {
            if let Some(url) = repo.upstream().map(|upstream| &upstream.url)
                && let Some(upstream) = Upstream::parse(url)
            {
                dial(upstream.host, &url.origins);
            }
        }
        for credential in inside.credentials {
            dial(credential.upstream.host.as_str(), &credential.upstream.origins);
        }
        for (asked, ..) in inside.sidecars.iter().filter(|(.., is_own)| *is_own) {
            ask(asked);
        }
        Self { world, private }
    }

    fn rules(self) -> Vec<Egress> {
        let Self { world, private } = self;
        let tcp = || vec![Port { protocol: TCP, port: None }];
        let mut rules = Vec::new();
        let asked = private.values().cloned().chain(world.clone()).reduce(|all, more| all.and(&more));
        if let Some(asked) = asked {
            let port =
                |protocol| Port { protocol, port: Some(Traced::new(crate::reach::DNS_PORT, asked.clone())) };
            rules.push(Egress {
                to: vec![Peer {
                    namespace_selector: Some(Selector {
                        match_labels: BTreeMap::from([("kubernetes.io/metadata.name", "kube-system")]),
                    }),
                    pod_selector: Some(Selector { match_labels: BTreeMap::from([("k8s-app", "kube-dns")]) }),
                    ip_block: None,
                }],
                ports: vec![port("UDP"), port(TCP)],
            });
        }
        if let Some(asked) = world {
            let all = |cidr: &str, is_v4: bool| {
                let inside = guard::internal().iter().filter(|net| matches!(net, IpNet::V4(_)) == is_v4);
                // One that another one holds is left out with it.
                let outer = |net: &&IpNet| {
                    !guard::internal().iter().any(|other| other != *net && other.contains(*net))
                };
                let except = inside
                    .filter(outer)
                    .map(|net| Traced::new(net.to_string(), Origins::compiler(&INTERNAL)));
                block(Traced::new(cidr.to_owned(), asked.clone()), except.collect())
            };
            rules.push(Egress { to: vec![all("0.0.0.0/0", true), all("::/0", false)], ports: tcp() });
        }
        if !private.is_empty() {
            let to = private
                .into_iter()
                .map(|(range, asked)| block(Traced::new(range.to_string(), asked), Vec::new()));
            rules.push(Egress { to: to.collect(), ports: tcp() });
        }
        rules
    }
}

/// The policies, each by its path.
fn policies(inside: &Inside<'_>) -> [(&'static str, Object<Policy>); 3] {
    let default = policy(inside.slug, "default", Selector::default());
    let mut agent = policy(inside.slug, AGENT, pods(AGENT));
    let mut bundle = policy(inside.slug, BUNDLE, pods(BUNDLE));
    if let (Some(agent), Some(bundle)) = (&mut agent.spec, &mut bundle.spec) {
        agent.egress.push(Egress { to: peer(BUNDLE), ports: given(inside.cluster) });
        bundle.ingress.push(Ingress { from: peer(AGENT), ports: given(inside.cluster) });
        bundle.egress = Dialled::of(inside).rules();
    }
    [(DEFAULT, default), (OF_AGENT, agent), (OF_BUNDLE, bundle)]
}

/// Adds the files.
pub(super) fn lower(inside: &Inside<'_>, draft: &mut Draft) {
    for (path, policy) in policies(inside) {
        draft.document(path, Mode::Shared, Origins::fixed(), Markup::Yaml(HEADING), &policy);
    }
}

/// The text of one of the files.
pub(super) fn text(inside: &Inside<'_>, path: &str) -> Option<Vec<u8>> {
    let mut draft = Draft::new(false);
    lower(inside, &mut draft);
    draft.files().get(path).map(|file| file.bytes.to_vec())
}
