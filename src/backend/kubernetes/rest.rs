//! The small files: `namespace.yaml`, `service.yaml`, `claim-*.yaml` and `kustomization.yaml`.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::object::{Labels, Metadata, Object, labels, selector};
use super::pods::Config;
use super::policy::Inside;
use super::{agent, bundle, names, policy};
use crate::lower::{Draft, Markup, Mode};
use crate::plan::{Origins, Plan, PlannedCluster, Traced};
use crate::world::builtin::BUNDLE;
use crate::world::cluster::PodSecurity;

/// The namespace's file.
pub(super) const NAMESPACE: &str = "namespace.yaml";
/// The Service's.
pub(super) const SERVICE: &str = "service.yaml";
/// What lists them all.
pub(super) const KUSTOMIZATION: &str = "kustomization.yaml";

const HEADING: &str = "# Of a bottle. Generated; edit the spec instead.\n";

/// What an object without a specification has.
#[derive(Debug, Serialize)]
enum Nothing {}

/// The level of Pod Security that all containers of a plan keep, with what keeps them from a better one.
pub(super) fn pod_security(plan: &Plan, cluster: &PlannedCluster) -> Traced<PodSecurity> {
    let agent = match cluster.run_as.value {
        Some(_) => PodSecurity::Restricted,
        None => PodSecurity::Baseline,
    };
    let mut all = vec![cluster.run_as.with(agent)];
    for container in plan.sidecars.iter().filter_map(|sidecar| sidecar.container.as_ref()) {
        all.push(container.run_as.with(PodSecurity::of_user(container.run_as.as_deref())));
        all.extend(container.capabilities.iter().map(|name| name.with(PodSecurity::of_capability(name))));
    }
    let level = all.iter().map(|level| level.value).max().unwrap_or(agent);
    let why = all.into_iter().filter(|it| it.value == level).map(|it| it.origins);
    Traced::new(level, why.reduce(|all, more| all.and(&more)).unwrap_or_else(Origins::fixed))
}

pub(super) fn namespace(inside: &Inside<'_>, level: &Traced<String>, draft: &mut Draft) {
    let mut labels: Labels = labels(inside.slug, None);
    for mode in ["audit", "enforce", "warn"] {
        labels.insert(
            match mode {
                "audit" => "pod-security.kubernetes.io/audit",
                "enforce" => "pod-security.kubernetes.io/enforce",
                _ => "pod-security.kubernetes.io/warn",
            },
            level.clone(),
        );
    }
    let object: Object<Nothing> = Object {
        api_version: "v1",
        kind: "Namespace",
        metadata: Metadata { name: names::namespace(inside.slug), namespace: None, labels },
        spec: None,
    };
    draft.document(NAMESPACE, Mode::Shared, Origins::fixed(), Markup::Yaml(HEADING), &object);
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    r#type: &'static str,
    #[serde(rename = "clusterIP")]
    cluster_ip: Traced<String>,
    ip_families: [&'static str; 1],
    ip_family_policy: &'static str,
    selector: std::collections::BTreeMap<&'static str, &'static str>,
    ports: Vec<Traced<ServicePort>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServicePort {
    name: String,
    protocol: &'static str,
    port: u16,
    target_port: u16,
}

pub(super) fn service(inside: &Inside<'_>, bundle: &Traced<Ipv4Addr>, draft: &mut Draft) {
    let named = |port: &Traced<u16>| {
        let mut sidecars = inside.sidecars.iter();
        let sidecar = sidecars.find(|(_, _, it, _)| *it == Some(port.value));
        let name = sidecar.map_or_else(String::new, |(_, name, ..)| (*name).to_owned());
        port.with(ServicePort { name, protocol: "TCP", port: port.value, target_port: port.value })
    };
    let object = Object {
        api_version: "v1",
        kind: "Service",
        metadata: Metadata::fixed(inside.slug, BUNDLE),
        spec: Some(Service {
            r#type: "ClusterIP",
            cluster_ip: bundle.with(bundle.to_string()),
            ip_families: ["IPv4"],
            ip_family_policy: "SingleStack",
            selector: selector(BUNDLE),
            ports: inside.cluster.ports.iter().map(named).collect(),
        }),
    };
    draft.document(SERVICE, Mode::Shared, Origins::fixed(), Markup::Yaml(HEADING), &object);
}

/// The text that [`namespace`] adds.
pub(super) fn namespace_text(inside: &Inside<'_>, level: &Traced<String>) -> Option<Vec<u8>> {
    let mut draft = Draft::new(false);
    namespace(inside, level, &mut draft);
    draft.files().get(NAMESPACE).map(|file| file.bytes.to_vec())
}

/// The text that [`service`] adds.
pub(super) fn service_text(inside: &Inside<'_>, bundle: Ipv4Addr) -> Option<Vec<u8>> {
    let mut draft = Draft::new(false);
    service(inside, &Traced::fixed(bundle), &mut draft);
    draft.files().get(SERVICE).map(|file| file.bytes.to_vec())
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Claim {
    access_modes: [&'static str; 1],
    resources: ClaimResources,
}

#[derive(Debug, Serialize)]
struct ClaimResources {
    requests: ClaimRequests,
}

#[derive(Debug, Serialize)]
struct ClaimRequests {
    storage: &'static str,
}

/// What a volume asks for: no spec says how much it holds.
const CLAIMED: &str = "10Gi";

fn claim_path(claim: &str) -> String {
    format!("claim-{claim}.yaml")
}

pub(super) fn claims(plan: &Plan, draft: &mut Draft) {
    for (claim, asked) in names::claims(plan) {
        let object = Object {
            api_version: "v1",
            kind: "PersistentVolumeClaim",
            metadata: Metadata::of(&plan.slug, Traced::new(claim.to_owned(), asked.clone())),
            spec: Some(Claim {
                access_modes: ["ReadWriteOnce"],
                resources: ClaimResources { requests: ClaimRequests { storage: CLAIMED } },
            }),
        };
        draft.document(&claim_path(claim), Mode::Shared, asked, Markup::Yaml(HEADING), &object);
    }
}

/// What `kustomize` makes of the directory. The generators put a digest behind the name of each ConfigMap, so that a change
/// of what is in it makes new Pods. In the order of the list: the policies come before what they confine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kustomization {
    api_version: &'static str,
    kind: &'static str,
    resources: Vec<Traced<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    config_map_generator: Vec<Traced<Generator>>,
    sort_options: SortOptions,
}

#[derive(Debug, Serialize)]
struct Generator {
    name: &'static str,
    namespace: Traced<String>,
    files: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SortOptions {
    order: &'static str,
}

pub(super) fn kustomization(plan: &Plan, configs: &[Traced<Config>], draft: &mut Draft) {
    let ours = |path: &str| Traced::fixed(path.to_owned());
    let claims = names::claims(plan).into_iter().map(|(claim, asked)| Traced::new(claim_path(claim), asked));
    let first = [NAMESPACE, policy::DEFAULT, policy::OF_AGENT, policy::OF_BUNDLE, SERVICE].map(ours);
    let last = [bundle::PATH, agent::PATH].map(ours);
    let generator = |config: &Traced<Config>| {
        let files = config.files.iter().map(|file| format!("{}={}", file.key, file.in_stage));
        config.with(Generator {
            name: config.name,
            namespace: names::namespace(&plan.slug),
            files: files.collect(),
        })
    };
    let kustomization = Kustomization {
        api_version: "kustomize.config.k8s.io/v1beta1",
        kind: "Kustomization",
        resources: first.into_iter().chain(claims).chain(last).collect(),
        config_map_generator: configs.iter().map(generator).collect(),
        sort_options: SortOptions { order: "fifo" },
    };
    draft.document(KUSTOMIZATION, Mode::Shared, Origins::fixed(), Markup::Yaml(HEADING), &kustomization);
}

/// The first line of the list of a run's bottles.
pub(super) const OF_RUN: &str = "# The bottles of one run. Generated; edit the specs instead.\n";

/// Adds the list of the directories of all bottles of a run.
pub(super) fn index(slugs: Vec<Traced<String>>, draft: &mut Draft) {
    let kustomization = Kustomization {
        api_version: "kustomize.config.k8s.io/v1beta1",
        kind: "Kustomization",
        resources: slugs,
        config_map_generator: Vec::new(),
        sort_options: SortOptions { order: "fifo" },
    };
    draft.document(KUSTOMIZATION, Mode::Shared, Origins::fixed(), Markup::Yaml(OF_RUN), &kustomization);
}
