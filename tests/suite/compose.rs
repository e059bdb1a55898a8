//! `compose.yaml`, as Compose reads it: nothing that a spec says becomes a key, an interpolation or a wider permission.

use std::collections::{BTreeMap, BTreeSet};

use bottlec::backend::lower;
use bottlec::backend::smolmachines::names;
use bottlec::model::{Reference, VariableValue, VolumeSource};
use bottlec::plan::{Container, Plan, Traced};
use proptest::prelude::*;
use yaml_serde::Value;

use crate::support::nasty::{kdl, mostly, nasty};
use crate::support::{compile_file, compile_text, root, specs};

/// What Compose makes of a text: `$$` is a dollar, `${NAME:?…}` what the launcher's variable holds, here in quotes that
/// no spec has. Any other dollar would be an interpolation that nobody asked for.
fn interpolated(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let (reference, after) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).expect(text);
        let (name, _) =
            reference.split_once(":?").expect("a reference without which Compose goes no further");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.is_empty(), "{text}");
        out.extend(["«", name, "»"]);
        rest = after;
    }
    out + rest
}

fn text(value: &Value) -> String {
    interpolated(value.as_str().unwrap_or_else(|| panic!("no text: {value:?}")))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_sequence().map(|list| list.iter().map(text).collect()).unwrap_or_default()
}

fn keys(value: &Value) -> BTreeSet<String> {
    let mapping = value.as_mapping().unwrap_or_else(|| panic!("no mapping: {value:?}"));
    mapping.keys().map(|key| key.as_str().expect("a text").to_owned()).collect()
}

/// A path of the host as the launcher's shell would have it.
fn host_path(path: &str) -> String {
    path.strip_prefix("~/").map_or_else(|| path.to_owned(), |rest| format!("«HOME»/{rest}"))
}

/// Every key that a service may have.
const KEYS: [&str; 25] = [
    "build",
    "cap_add",
    "cap_drop",
    "command",
    "container_name",
    "cpus",
    "depends_on",
    "entrypoint",
    "environment",
    "healthcheck",
    "image",
    "init",
    "labels",
    "logging",
    "mem_limit",
    "memswap_limit",
    "network_mode",
    "networks",
    "pids_limit",
    "pull_policy",
    "read_only",
    "restart",
    "security_opt",
    "tmpfs",
    "user",
];

fn assert_sound(plan: &Plan) {
    let stage = lower(plan);
    let file = String::from_utf8(stage.files["compose.yaml"].bytes.to_vec()).expect("text");
    let compose: Value = yaml_serde::from_str(&file).unwrap_or_else(|error| panic!("{error}\n{file}"));
    let allowed: BTreeSet<String> =
        ["networks", "secrets", "services", "volumes", "x-podman"].map(str::to_owned).into();
    assert!(keys(&compose).is_subset(&allowed), "{file}");

    let services = &compose["services"];
    let expected: BTreeSet<String> =
        plan.sidecars.iter().map(|sidecar| sidecar.name.to_string()).chain(["bundle".to_owned()]).collect();
    assert_eq!(keys(services), expected);
    let mut known: BTreeSet<String> = KEYS.map(str::to_owned).into();
    known.extend(["secrets".to_owned(), "volumes".to_owned()]);
    for (name, service) in services.as_mapping().expect("services") {
        let name = name.as_str().expect("text");
        assert!(keys(service).is_subset(&known), "{name}: {:?}", keys(service));
        assert_eq!(service["read_only"], Value::Bool(true), "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        bounded(plan, name, service);
        assert_eq!(text(&service["container_name"]), *names::container(plan, name));
        assert_eq!(keys(&service["labels"]), BTreeSet::from([String::from("bottlec.made-from")]), "{name}");
        let made_from = text(&service["labels"]["bottlec.made-from"]);
        assert!(made_from.len() == 64 && made_from.bytes().all(|b| b.is_ascii_hexdigit()), "{made_from}");
        if name == "bundle" {
            assert_eq!(
                text(&service["networks"]["bundle"]["ipv4_address"]),
                plan.addresses.bundle().to_string()
            );
        } else {
            assert_eq!(text(&service["network_mode"]), "service:bundle", "{name}");
        }
    }
    let network = &compose["networks"]["bundle"];
    assert_eq!(text(&network["driver_opts"]["isolate"]), "true", "{file}");
    let subnet = &network["ipam"]["config"][0];
    assert_eq!(text(&subnet["subnet"]), plan.addresses.subnet().to_string());
    for sidecar in &plan.sidecars {
        let service = &services[sidecar.name.as_str()];
        let mut waits: BTreeSet<String> = sidecar.needs.iter().map(ToString::to_string).collect();
        waits.insert("bundle".to_owned());
        assert_eq!(keys(&service["depends_on"]), waits);
        for need in &sidecar.needs {
            let healthy = services[need.as_str()].get("healthcheck").is_some();
            let condition = if healthy { "service_healthy" } else { "service_started" };
            assert_eq!(text(&service["depends_on"][need.as_str()]["condition"]), condition);
        }
        if let Some(container) = &sidecar.container {
            assert_given(&sidecar.name, container, service, &compose);
        }
    }
}

/// Whatever a container does, the host's memory, processors, processes and disk do not run out by it.
fn bounded(plan: &Plan, name: &str, service: &Value) {
    let sidecar = plan.sidecars.iter().find(|sidecar| **sidecar.name == *name);
    let (memory, cpus, processes) = sidecar.map_or((64, 1, 16), |sidecar| {
        (*sidecar.limits.memory_mib, *sidecar.limits.cpus, *sidecar.limits.processes)
    });
    for key in ["mem_limit", "memswap_limit"] {
        assert_eq!(text(&service[key]), format!("{memory}m"), "{name}");
    }
    assert_eq!(service["cpus"].as_u64(), Some(u64::from(cpus)), "{name}");
    assert_eq!(service["pids_limit"].as_u64(), Some(u64::from(processes)), "{name}");
    assert_eq!(text(&service["logging"]["driver"]), "json-file", "{name}");
    let options = &service["logging"]["options"];
    assert_eq!((text(&options["max-size"]), text(&options["max-file"])), ("10m".to_owned(), "3".to_owned()));
    for directory in texts(service.get("tmpfs").unwrap_or(&Value::Null)) {
        assert!(directory.ends_with(":size=512m"), "{name}: {directory}");
    }
}

/// A sidecar has what the spec gives it, as it is written, and nothing else.
fn assert_given(name: &str, container: &Container, service: &Value, compose: &Value) {
    let given = |key: &str| service.get(key).cloned().unwrap_or(Value::Null);
    let list = |traced: &[Traced<String>]| traced.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts(&given("command")), list(&container.command));
    assert_eq!(service.get("user").map(text), *container.run_as);
    assert_eq!(texts(&given("cap_add")), list(&container.capabilities));
    let mut tmpfs: BTreeSet<String> = list(&container.tmpfs).into_iter().collect();
    tmpfs.insert("/tmp".to_owned());
    let tmpfs: BTreeSet<String> = tmpfs.into_iter().map(|path| format!("{path}:size=512m")).collect();
    assert_eq!(texts(&given("tmpfs")).into_iter().collect::<BTreeSet<_>>(), tmpfs);
    let health = service.get("healthcheck").map(|check| texts(&check["test"]));
    let expected = container
        .health
        .as_ref()
        .map(|health| ["CMD".to_owned()].into_iter().chain(list(&health.command)).collect::<Vec<_>>());
    assert_eq!(health, expected);
    let environment: BTreeMap<String, String> = given("environment")
        .as_mapping()
        .map(|env| {
            env.iter().map(|(name, value)| (name.as_str().expect("text").to_owned(), text(value))).collect()
        })
        .unwrap_or_default();
    let expected: BTreeMap<String, String> = container
        .env
        .iter()
        .map(|(name, variable)| {
            let value = match &variable.value.value {
                VariableValue::Literal(value) => value.clone(),
                VariableValue::Secret(Reference::Env(from)) => format!("«{from}»"),
                VariableValue::Secret(Reference::File(_)) => panic!("{name} was to be refused"),
            };
            (name.clone(), value)
        })
        .collect();
    assert_eq!(environment, expected);
    let mounts: Vec<(String, String, String, bool)> = given("volumes")
        .as_sequence()
        .into_iter()
        .flatten()
        .map(|mount| {
            let writable = mount.get("read_only").is_none_or(|only| *only == Value::Bool(false));
            (text(&mount["type"]), text(&mount["source"]), text(&mount["target"]), writable)
        })
        .collect();
    let expected: Vec<_> = container
        .volumes
        .iter()
        .map(|volume| {
            let (kind, source) = match &volume.source {
                VolumeSource::Named(name) => ("volume", name.clone()),
                VolumeSource::Host(path) => ("bind", host_path(path)),
            };
            (kind.to_owned(), source, volume.target.clone(), *volume.writable)
        })
        .collect();
    assert_eq!(mounts, expected);
    for (secret, path) in &container.secrets {
        let source = format!("{name}.{secret}");
        assert_eq!(text(&compose["secrets"][source.as_str()]["file"]), host_path(path));
    }
    assert_eq!(given("secrets").as_sequence().map_or(0, Vec::len), container.secrets.len());
}

#[test]
fn every_spec_of_the_project_makes_a_sound_bundle() {
    let mut plans = 0;
    for path in specs(&root()) {
        for plan in compile_file(&path).1.plans.into_iter().filter(|plan| plan.cluster.is_none()) {
            assert_sound(&plan);
            plans += 1;
        }
    }
    assert!(plans > 15, "{plans}");
}

/// The reference says of the bounds what is written, and not what once was.
#[test]
fn the_reference_has_the_bounds() {
    use bottlec::world::container::{GATE_LIMITS, LIMITS, LOG, TMPFS};
    let reference = std::fs::read_to_string(root().join("docs/language.md")).expect("the reference");
    let (gib, gate) = (LIMITS.memory / 1024, GATE_LIMITS.memory / 1024);
    for text in [
        format!("`{gib}GiB`, and `{gate}GiB` for git-gate"),
        format!("kept up to {} MiB", LOG.0 * LOG.1),
        format!("may write to holds {TMPFS} MiB"),
        format!("Each holds {TMPFS} MiB"),
        format!("optional, {} without it; processes and threads", LIMITS.processes),
    ] {
        assert!(reference.contains(&text), "{text}");
    }
}

fn sidecar() -> impl Strategy<Value = String> {
    let words = || prop::collection::vec(nasty(), 0..4);
    let variables = prop::collection::vec(("[A-Z]{1,4}[0-9]", any::<bool>(), nasty()), 0..4);
    let volumes = prop::collection::vec(
        (
            mostly("[a-z]{1,6}|\\./[a-z]{1,6}|~/[a-z]{1,6}"),
            mostly("/[a-z]{1,6}/[a-z0-9]{1,6}"),
            any::<bool>(),
        ),
        0..3,
    );
    let more = (mostly("/[a-z]{2,8}"), mostly("[0-9]{1,4}"), mostly("~/[a-z]{1,6}"));
    ("[a-z]{3,8}", words(), words(), variables, volumes, more).prop_map(
        |(name, command, health, env, volumes, (tmpfs, user, secret))| {
            let list = |node: &str, words: &[String]| {
                let words: Vec<String> = words.iter().map(|word| kdl(word)).collect();
                if words.is_empty() { String::new() } else { format!("{node} {}\n", words.join(" ")) }
            };
            let env: Vec<String> = env
                .iter()
                .enumerate()
                .map(|(at, (name, secret, value))| {
                    if *secret { format!("{name}{at} from-env=\"{name}\"\n") } else { format!("{name}{at} {}\n", kdl(value)) }
                })
                .collect();
            let volumes: Vec<String> = volumes
                .iter()
                .map(|(source, target, writable)| {
                    let access = if *writable { " access=\"read-write\"" } else { "" };
                    format!("volume {} {}{access}\n", kdl(source), kdl(target))
                })
                .collect();
            format!(
                "sidecar \"{name}\" image=\"acme/x@sha256:{}\" {{\n{}{}env {{\n{}}}\n{}tmpfs {}\nrun-as {}\nsecret \
                 \"s\" from-file={}\nlimits memory=\"1GiB\" processes=64\n}}\n",
                "0".repeat(64),
                list("command", &command),
                list("health", &health),
                env.concat(),
                volumes.concat(),
                kdl(&tmpfs),
                kdl(&user),
                kdl(&secret),
            )
        },
    )
}

fn bottle() -> impl Strategy<Value = String> {
    prop::collection::vec(sidecar(), 1..3)
        .prop_map(|sidecars| format!("bottle \"api\" {{\n{}}}\n", sidecars.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_a_spec_becomes_syntax_or_more_than_it_says(spec in bottle()) {
        for plan in &compile_text("generated.kdl", &spec).1.plans {
            assert_sound(plan);
        }
    }
}

/// The generator must make both kinds often, or the property above says nothing.
#[test]
fn the_generator_makes_bundles_and_errors() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut clean, mut wrong) = (0, 0);
    for _ in 0..1_000 {
        let spec = bottle().new_tree(&mut runner).expect("a spec").current();
        if compile_text("generated.kdl", &spec).1.plans.is_empty() { wrong += 1 } else { clean += 1 }
    }
    assert!(clean > 50 && wrong > 50, "{clean} bundles, {wrong} errors");
}
