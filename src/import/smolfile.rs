//! Smolfiles, and those of the retired design.
//!
//! The keys are those of the `smolfile` crate, 1.33.0 (docs.rs/smolfile, read on 2026-11-29). A Smolfile of the retired design
//! has tables and keys besides of which `schema::RETIRED` knows what took their place.

use std::collections::{BTreeMap, BTreeSet};

use super::credential::Credential;
use super::document::{Block, Node, fits, named};
use super::egress::{Egress, Wildcard};
use super::value::Value;
use super::variables::{self, Setting, has_secret};
use super::{common, text_of};
use crate::schema::{RETIRED, Retired, ValueType};

/// Keys by which a table is known for a Smolfile.
pub(super) const KEYS: &[&str] = &[
    "allow_hosts",
    "artifact",
    "auth",
    "auto_graph",
    "block_io",
    "branch",
    "cmd",
    "cpus",
    "cuda",
    "dev",
    "disk_durability",
    "docker_socket",
    "entrypoint",
    "env",
    "fork",
    "gpu",
    "gpu_vram",
    "health",
    "image",
    "init",
    "memory",
    "net",
    "net_backend",
    "network",
    "overlay",
    "pack",
    "ports",
    "restart",
    "rosetta",
    "secrets",
    "service",
    "stop_on_exit",
    "stop_signal",
    "stop_timeout",
    "storage",
    "user",
    "volumes",
    "workdir",
];

/// The node of the retired design that a key is, if it is one. `net = true` is a Smolfile's own.
pub(super) fn retired(key: &str, value: &Value) -> Option<&'static Retired> {
    let key = key.replace('_', "-");
    let found = RETIRED.iter().find(|it| it.name == key || it.name == key.trim_end_matches('s'))?;
    (found.name != "net" || matches!(value, Value::List(_) | Value::Map(_))).then_some(found)
}

/// What a Smolfile says, as a bottle's block.
pub(super) fn bottle(map: &Value) -> Block {
    let mut block = Block::default();
    image(map, &mut block);
    resources(map, &mut block);
    let dev = map.get("dev").cloned().unwrap_or(Value::Null);
    // What `dev` has of these stands in place of what is at the top (smolvm, `src/cli/smolfile.rs`, commit a5df500).
    let list = |key| match dev.get(key).filter(|it| !it.is_nothing()) {
        Some(list) => list.members(),
        None => map.get(key).map_or(&[][..], Value::members),
    };
    for volume in list("volumes") {
        self::volume(volume, &mut block);
    }
    let mut published = BTreeSet::new();
    for port in list("ports").iter().map(text_of).filter(|port| published.insert(port.clone())) {
        common::publish(&port, &mut block);
    }
    if map.get("gpu").is_some_and(Value::is_true) {
        block.push(Node::new("gpu"));
    }
    program(map, &mut block);
    let mut env = Block::default();
    // Of two the last one counts.
    let mut literals: BTreeMap<String, String> = BTreeMap::new();
    for variable in [map, &dev].iter().flat_map(|table| table.get("env").map_or(&[][..], Value::members)) {
        match text_of(variable).split_once('=') {
            Some((name, value)) => drop(literals.insert(name.trim().to_owned(), value.to_owned())),
            None => env.lose("a variable", "it has no `=` and no value"),
        }
    }
    for (name, value) in literals {
        variables::add(&mut env, &name, Setting::Literal(value));
    }
    let secrets = map.get("secrets").cloned().unwrap_or(Value::Null);
    let network = map.get("network").cloned().unwrap_or(Value::Null);
    let bound = credentials(&network, &secrets);
    for (name, reference) in secrets.entries() {
        if bound.iter().any(|it| it.placeholder.as_deref() == Some(name)) {
            continue;
        }
        match source(reference) {
            Some(setting) => variables::add(&mut env, name, setting),
            None => env.lose(&named(name), "its source is neither `from_env` nor `from_file`"),
        }
    }
    block.push_block(Node::new("env"), env);
    block.push_block(Node::new("egress"), egress(map, &network));
    for credential in bound {
        credential.write(&mut block);
    }
    rest(map, &dev, &mut block);
    block
}

fn image(map: &Value, block: &mut Block) {
    if let Some(image) = map.get("image") {
        let image = text_of(image);
        match fits(ValueType::Image, &image) {
            Ok(()) => block.push(Node::new("image").text(&image)),
            Err(why) => block.lose("`image`", &why),
        }
    }
}

fn resources(map: &Value, block: &mut Block) {
    let number = |key| map.get(key).and_then(Value::text).and_then(|text| text.parse::<u32>().ok());
    let mut node = Node::new("resources");
    for (key, most) in [("cpus", 255), ("memory", u32::MAX), ("storage", u32::MAX)] {
        if map.get(key).is_none() {
            continue;
        }
        let Some(number) = number(key).filter(|it| (1..=most).contains(it)) else {
            block.lose(&named(key), "it is no number that a machine could have");
            continue;
        };
        let size = |unit: &str| format!("{number}{unit}");
        node = match key {
            "cpus" => node.number_property(key, number),
            "memory" => node.property(key, &size("MiB")),
            _ => node.property(key, &size("GiB")),
        };
    }
    if node.has_values() {
        block.push(node);
    }
}

/// `host:guest[:ro|rw|staged]`.
fn volume(value: &Value, block: &mut Block) {
    let text = text_of(value);
    let mut parts = text.split(':');
    let (Some(host), Some(guest)) = (parts.next(), parts.next()) else {
        return block.lose(&named(&text), "it is no `host:guest`");
    };
    let writable = match parts.next() {
        None | Some("rw") => true,
        Some("ro") => false,
        Some("staged") => {
            block.lose(
                &format!("`staged` of {}", named(host)),
                "the machine is shown a directory of the host, read-only, and no copy of it",
            );
            false
        }
        Some(_) => return block.lose(&named(&text), "how it is mounted is not known"),
    };
    common::volume(host, guest, writable, block);
}

/// `entrypoint` and `cmd`: what `up` runs.
fn program(map: &Value, block: &mut Block) {
    let texts = |key| -> Vec<String> {
        map.get(key).map_or(&[][..], Value::members).iter().map(|value| text_of(value).into_owned()).collect()
    };
    let (entrypoint, cmd) = (texts("entrypoint"), texts("cmd"));
    if entrypoint.is_empty() {
        if !cmd.is_empty() {
            block.lose("`cmd`", "which program gets it only the image says: write `agent { program …; }`");
        }
        return;
    }
    let arguments = || entrypoint.iter().chain(&cmd).map(String::as_str);
    if has_secret(arguments()) {
        return block.lose("`entrypoint`", "it holds what looks like a secret");
    }
    let bad = arguments().find_map(|argument| fits(ValueType::Argument, argument).err());
    if let Some(why) = bad.or_else(|| fits(ValueType::Text, &entrypoint[0]).err()) {
        return block.lose("`entrypoint`", &why);
    }
    let mut agent = Block::default();
    agent.push(Node::new("program").texts(arguments()));
    block.push(Node::new("agent").holding(agent));
}

/// Where a secret comes from.
fn source(reference: &Value) -> Option<Setting> {
    let text = |key| reference.get(key).and_then(Value::text);
    match (text("from_env"), text("from_file")) {
        (Some(variable), None) => Some(Setting::FromEnv(variable.into_owned())),
        (None, Some(path)) => Some(Setting::FromFile(path.into_owned())),
        _ => None,
    }
}

fn egress(map: &Value, network: &Value) -> Block {
    let mut egress = Egress::default();
    let list = |key| network.get(key).map_or(&[][..], Value::members).iter().map(text_of);
    for host in list("allow_hosts") {
        let host = host.trim_start_matches("*.");
        // A name and all that is below it, which is what a wildcard is here. An address has nothing below.
        match host.parse::<std::net::IpAddr>() {
            Ok(_) => egress.allow(host, Wildcard::Below),
            Err(_) => egress.allow(&format!("*.{host}"), Wildcard::AndApex),
        }
    }
    for host in list("allow_host_patterns") {
        egress.allow(&host, Wildcard::Below);
    }
    for range in list("allow_cidrs") {
        let whole = range.strip_suffix("/32").filter(|it| !it.contains(':'));
        let whole =
            whole.or_else(|| range.strip_suffix("/128")).or((!range.contains('/')).then_some(&*range));
        match whole {
            Some(address) => egress.allow(address, Wildcard::Below),
            None => egress.lose(&named(&range), "pipelock lets names through, and no range of addresses"),
        }
    }
    for range in list("deny_cidrs") {
        egress.deny(&range);
    }
    for udp in list("allow_udp") {
        egress.lose(&named(&udp), "what goes over UDP does not go over pipelock");
    }
    for private in list("allow_private") {
        egress.lose(&named(&private), "`private` opens it, beside the host that is there");
    }
    let given =
        ["allow_hosts", "allow_host_patterns", "allow_cidrs"].iter().any(|key| network.get(key).is_some());
    match map.get("net") {
        Some(Value::Bool(true)) if !given => egress.lose(
            "`net = true`",
            "it let the machine reach every host: name those that are needed, each by an `allow`",
        ),
        Some(Value::Bool(false)) => egress.close("`net = false` stands beside it"),
        _ => {}
    }
    // What narrows the lists and is not known here.
    let known = [
        "allow_hosts",
        "allow_host_patterns",
        "allow_cidrs",
        "deny_cidrs",
        "allow_udp",
        "allow_private",
        "block_private",
        "credentials",
    ];
    for (key, _) in network.entries().iter().filter(|(key, _)| !known.contains(&key.as_str())) {
        egress.lose(&format!("`network.{key}`"), "it is not known here, and may narrow what is beside it");
        egress.close(&format!("`network.{key}` may narrow it"));
    }
    egress.block()
}

/// Bindings of credentials, each to one host.
fn credentials(network: &Value, secrets: &Value) -> Vec<Credential> {
    let mut bound = Vec::new();
    for binding in network.get("credentials").map_or(&[][..], Value::members) {
        let text = |key| binding.get(key).and_then(Value::text);
        let variable = text("environment_variable").unwrap_or_default();
        let mut notes = vec![(
            String::from("how the API takes the secret"),
            String::from(
                "a Smolfile does not say it: write `bearer`, `header \"…\"` or `basic user=\"…\"` with the source",
            ),
        )];
        if let Some(Setting::FromFile(_)) = secrets.get(&variable).and_then(source) {
            notes.push((
                format!("the source of {}", named(&variable)),
                String::from("it goes with that node, as `from-file`"),
            ));
        }
        let methods: Vec<String> = binding
            .get("methods")
            .map_or(&[][..], Value::members)
            .iter()
            .map(|it| text_of(it).into_owned())
            .collect();
        for host in binding.get("allowed_hosts").map_or(&[][..], Value::members) {
            let mut credential = Credential::new(&text_of(host));
            credential.placeholder = Some(variable.clone().into_owned());
            credential.losses.clone_from(&notes);
            if !methods.is_empty() {
                credential.allow(methods.clone(), Vec::new());
            }
            bound.push(credential);
        }
    }
    bound
}

/// Everything else, each with its reason.
fn rest(map: &Value, dev: &Value, block: &mut Block) {
    for (key, value) in map.entries() {
        if let Some(retired) = retired(key, value) {
            block.lose(&format!("{} of the retired design", named(key)), retired.instead);
            continue;
        }
        let why = match key.as_str() {
            "image" | "cpus" | "memory" | "storage" | "volumes" | "ports" | "env" | "secrets" | "network"
            | "net" | "entrypoint" | "cmd" | "gpu" => continue,
            "dev" => {
                for (key, _) in dev
                    .entries()
                    .iter()
                    .filter(|(key, _)| !["volumes", "ports", "env"].contains(&key.as_str()))
                {
                    block.lose(&format!("`dev.{}`", crate::text::one_line(key)), unsaid(key));
                }
                continue;
            }
            _ if value.is_nothing() => continue,
            key => unsaid(key),
        };
        block.lose(&named(key), why);
    }
}

fn unsaid(key: &str) -> &'static str {
    match key {
        "init" => "what the machine needs is in what it boots from: no command is run when it starts",
        "workdir" | "user" => "it is the image's, or an argument of the program that `up` runs",
        "artifact" | "pack" => "a stage packs no machine: `artifact` names one that is packed",
        "health" | "restart" | "service" => "it is about a server, which the agent's machine is none of",
        "auth" => "no agent of the host's is forwarded: `git` has a key on the host instead",
        "branch" | "fork" => "a bottle starts from what it boots from, and not as a copy of another machine",
        "docker_socket" => {
            "who reaches the socket of a container engine commands its host, the machine's as well"
        }
        "gpu_vram" => "`gpu` is there, with what memory the engine gives it",
        "cuda" | "auto_graph" | "rosetta" => "a bottle has no such device of the host",
        _ => "a spec has no word for it",
    }
}
