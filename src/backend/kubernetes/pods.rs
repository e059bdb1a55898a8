//! Pods, as Deployments of one: what is in them is given by [`bundle`](super::bundle) and [`agent`](super::agent).

use std::collections::BTreeMap;

use serde::Serialize;

use super::inputs::KEY;
use super::object::{Labels, Metadata, Object, labels, selector};
use crate::lower::plan_json::{Input, InputKind};
use crate::lower::{Artifact, Mode};
use crate::plan::{Origins, Plan, PlannedLimits, Traced};

/// A text as Kubernetes reads it in commands, arguments and values: `$(NAME)` is an expansion unless its `$` is doubled.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn literal(text: &str) -> Self {
        Self(text.replace('$', "$$"))
    }
}

pub(super) fn literal(text: &Traced<String>) -> Traced<Text> {
    text.with(Text::literal(text))
}

pub(super) fn words(words: &[&str], ours: &Origins) -> Vec<Traced<Text>> {
    words.iter().map(|word| Traced::new(Text::literal(word), ours.clone())).collect()
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deployment {
    replicas: u8,
    revision_history_limit: u8,
    selector: Matching,
    strategy: Strategy,
    template: Template,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Matching {
    match_labels: BTreeMap<&'static str, &'static str>,
}

/// Never two Pods at once: of the bundle they would share a volume, and of the agent work.
#[derive(Debug, Serialize)]
struct Strategy {
    r#type: &'static str,
}

#[derive(Debug, Serialize)]
struct Template {
    metadata: TemplateMetadata,
    spec: PodSpec,
}

#[derive(Debug, Serialize)]
struct TemplateMetadata {
    labels: Labels,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) runtime_class_name: Option<Traced<String>>,
    pub(super) automount_service_account_token: bool,
    pub(super) enable_service_links: bool,
    pub(super) dns_policy: &'static str,
    pub(super) dns_config: DnsConfig,
    pub(super) security_context: PodSecurityContext,
    pub(super) init_containers: Vec<Traced<Container>>,
    pub(super) containers: Vec<Traced<Container>>,
    pub(super) volumes: Vec<Traced<Volume>>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct DnsConfig {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) nameservers: Vec<Traced<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) options: Vec<DnsOption>,
}

#[derive(Debug, Serialize)]
pub(super) struct DnsOption {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSecurityContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fs_group: Option<u32>,
    pub(super) seccomp_profile: SeccompProfile,
}

#[derive(Debug, Serialize)]
pub(super) struct SeccompProfile {
    r#type: &'static str,
}

impl SeccompProfile {
    pub(super) const OF_RUNTIME: Self = Self { r#type: "RuntimeDefault" };
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) name: Traced<String>,
    pub(super) image: Traced<String>,
    image_pull_policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restart_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) command: Vec<Traced<Text>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) args: Vec<Traced<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_dir: Option<Traced<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) env: Vec<Traced<Variable>>,
    pub(super) resources: Resources,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) startup_probe: Option<Traced<Probe>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) readiness_probe: Option<Traced<Probe>>,
    pub(super) security_context: SecurityContext,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) volume_mounts: Vec<Traced<Mount>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_from: Option<ValueFrom>,
}

impl Variable {
    pub(super) fn literal(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: Some(Text::literal(value)), value_from: None }
    }

    /// One whose value a Secret holds. Without it the container does not start.
    pub(super) fn secret(name: &str, input: &Input) -> Self {
        let secret_key_ref = SecretKeyRef { name: input.name.clone(), key: KEY };
        Self { name: name.to_owned(), value: None, value_from: Some(ValueFrom { secret_key_ref }) }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ValueFrom {
    secret_key_ref: SecretKeyRef,
}

#[derive(Debug, Serialize)]
struct SecretKeyRef {
    name: String,
    key: &'static str,
}

/// What a container may have, and what it is sure to have.
#[derive(Debug, Serialize)]
pub(super) struct Resources {
    limits: Amounts,
    requests: Amounts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Amounts {
    cpu: Traced<String>,
    ephemeral_storage: Traced<String>,
    memory: Traced<String>,
}

/// What a sidecar is sure to have: what its program needs at rest.
const AT_REST: (&str, u32) = ("50m", 64);
/// The disk that a container of the bundle may fill with what it prints: it can write nowhere else.
const LOGS: &str = "1Gi";

impl Resources {
    /// Of a sidecar.
    pub(super) fn of(limits: &PlannedLimits) -> Self {
        let PlannedLimits { memory_mib, cpus, processes: _ } = limits;
        let (cpu, memory) = AT_REST;
        let logs = || Traced::fixed(LOGS.to_owned());
        Self {
            limits: Amounts {
                cpu: cpus.with(cpus.to_string()),
                ephemeral_storage: logs(),
                memory: memory_mib.with(format!("{memory_mib}Mi")),
            },
            requests: Amounts {
                cpu: Traced::fixed(cpu.to_owned()),
                ephemeral_storage: logs(),
                memory: memory_mib.with(format!("{}Mi", memory.min(**memory_mib))),
            },
        }
    }

    /// Of what is sure to have what it may have.
    pub(super) fn sure(cpu: &Traced<String>, memory: &Traced<String>, storage: &Traced<String>) -> Self {
        let amounts =
            || Amounts { cpu: cpu.clone(), ephemeral_storage: storage.clone(), memory: memory.clone() };
        Self { limits: amounts(), requests: amounts() }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Probe {
    pub(super) exec: Exec,
    pub(super) period_seconds: Traced<u32>,
    pub(super) timeout_seconds: Traced<u16>,
    pub(super) failure_threshold: Traced<u32>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Exec {
    pub(super) command: Vec<Traced<Text>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecurityContext {
    pub(super) allow_privilege_escalation: bool,
    pub(super) capabilities: Capabilities,
    pub(super) read_only_root_filesystem: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) run_as_non_root: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_as_user: Option<Traced<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_as_group: Option<Traced<u32>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Capabilities {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) add: Vec<Traced<String>>,
    drop: [&'static str; 1],
}

impl SecurityContext {
    /// Of a container that keeps no capability, and runs as this user; without one, as the image's own.
    pub(super) fn confined(user: Option<Traced<u32>>, writes: bool) -> Self {
        Self {
            allow_privilege_escalation: false,
            capabilities: Capabilities { add: Vec::new(), drop: ["ALL"] },
            read_only_root_filesystem: !writes,
            run_as_non_root: user.as_ref().is_some_and(|user| user.value > 0),
            run_as_user: user,
            run_as_group: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mount {
    name: String,
    #[serde(rename = "mountPath")]
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_path: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
}

impl Mount {
    pub(super) fn new(name: &str, path: &str, writable: bool) -> Self {
        Self { name: name.to_owned(), path: path.to_owned(), sub_path: None, read_only: !writable }
    }

    /// One file of a volume.
    pub(super) fn file(name: &str, path: &str, file: &str) -> Self {
        Self { sub_path: Some(file.to_owned()), ..Self::new(name, path, false) }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_map: Option<ConfigMap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    projected: Option<Projected>,
    #[serde(skip_serializing_if = "Option::is_none")]
    empty_dir: Option<EmptyDir>,
    #[serde(skip_serializing_if = "Option::is_none")]
    persistent_volume_claim: Option<ClaimRef>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigMap {
    name: String,
    items: Vec<Item>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Projected {
    default_mode: u32,
    sources: Vec<Traced<Source>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Items>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_map: Option<Items>,
}

#[derive(Debug, Serialize)]
struct Items {
    name: String,
    items: [Item; 1],
}

#[derive(Debug, Serialize)]
struct Item {
    key: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EmptyDir {
    #[serde(skip_serializing_if = "Option::is_none")]
    medium: Option<&'static str>,
    size_limit: Traced<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClaimRef {
    claim_name: String,
}

/// Whoever the container's user is, its group is that of the files.
const FOR_GROUP: u32 = 0o440;
/// What is no secret.
const FOR_ALL: u32 = 0o444;

/// The files of the stage that make up one ConfigMap.
#[derive(Debug)]
pub(super) struct Config {
    /// The name that the generator gives it, before the digest.
    pub(super) name: &'static str,
    /// By key: the path in the stage, and in the volume.
    pub(super) files: Vec<ConfigFile>,
}

#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) key: String,
    pub(super) in_stage: String,
    pub(super) in_volume: String,
    mode: u32,
    /// How many bytes it holds.
    pub(super) size: usize,
}

impl Config {
    /// Of the files below a directory of the stage.
    pub(super) fn of(name: &'static str, directory: &str, files: &BTreeMap<String, Artifact>) -> Self {
        let inside = files.iter().filter_map(|(path, file)| {
            let rest = path.strip_prefix(directory)?.strip_prefix('/')?;
            Some((path.as_str(), rest, file))
        });
        let file = |(at, (path, rest, artifact)): (usize, (&str, &str, &Artifact))| ConfigFile {
            // Only so is no key that of another path, whatever a repository is called.
            key: format!("{at:03}.{}", rest.rsplit('/').next().unwrap_or(rest)),
            in_stage: path.to_owned(),
            in_volume: rest.to_owned(),
            mode: if artifact.mode == Mode::Executable { 0o555 } else { 0o444 },
            size: artifact.bytes.len(),
        };
        Self { name, files: inside.enumerate().map(file).collect() }
    }
}

impl Volume {
    fn new(name: String) -> Self {
        Self { name, config_map: None, projected: None, empty_dir: None, persistent_volume_claim: None }
    }

    pub(super) fn config(name: String, config: &Config) -> Self {
        let item = |file: &ConfigFile| Item {
            key: file.key.clone(),
            path: file.in_volume.clone(),
            mode: Some(file.mode),
        };
        let items = config.files.iter().map(item).collect();
        Self { config_map: Some(ConfigMap { name: config.name.to_owned(), items }), ..Self::new(name) }
    }

    /// Files of Secrets and ConfigMaps in one directory, each by its name there.
    pub(super) fn files(name: String, files: Vec<(String, Traced<Input>)>) -> Self {
        let source = |(path, input): (String, Traced<Input>)| {
            let items =
                Items { name: input.name.clone(), items: [Item { key: KEY.to_owned(), path, mode: None }] };
            let is_secret = input.kind == InputKind::Secret;
            input.with(if is_secret {
                Source { secret: Some(items), config_map: None }
            } else {
                Source { secret: None, config_map: Some(items) }
            })
        };
        let is_public = files.iter().all(|(_, input)| input.kind == InputKind::ConfigMap);
        let default_mode = if is_public { FOR_ALL } else { FOR_GROUP };
        let sources = files.into_iter().map(source).collect();
        Self { projected: Some(Projected { default_mode, sources }), ..Self::new(name) }
    }

    /// A directory that lives as long as its Pod, in memory or on the node's disk.
    pub(super) fn empty(name: String, in_memory: bool, size: Traced<String>) -> Self {
        let medium = in_memory.then_some("Memory");
        Self { empty_dir: Some(EmptyDir { medium, size_limit: size }), ..Self::new(name) }
    }

    pub(super) fn claim(name: String, claim: &str) -> Self {
        let claim = ClaimRef { claim_name: claim.to_owned() };
        Self { persistent_volume_claim: Some(claim), ..Self::new(name) }
    }
}

impl Container {
    /// A container with nothing but its image.
    pub(super) fn new(
        name: Traced<String>,
        image: Traced<String>,
        resources: Resources,
        security_context: SecurityContext,
    ) -> Self {
        Self {
            name,
            image,
            image_pull_policy: "IfNotPresent",
            restart_policy: None,
            command: Vec::new(),
            args: Vec::new(),
            working_dir: None,
            env: Vec::new(),
            resources,
            startup_probe: None,
            readiness_probe: None,
            security_context,
            volume_mounts: Vec::new(),
        }
    }
}

/// The Deployment of one of the two Pods.
pub(super) fn deployment(plan: &Plan, component: &'static str, spec: PodSpec) -> Object<Deployment> {
    Object {
        api_version: "apps/v1",
        kind: "Deployment",
        metadata: Metadata {
            labels: labels(&plan.slug, Some(component)),
            ..Metadata::fixed(&plan.slug, component)
        },
        spec: Some(Deployment {
            replicas: 1,
            revision_history_limit: 1,
            selector: Matching { match_labels: selector(component) },
            strategy: Strategy { r#type: "Recreate" },
            template: Template {
                metadata: TemplateMetadata { labels: labels(&plan.slug, Some(component)) },
                spec,
            },
        }),
    }
}
