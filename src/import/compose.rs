//! Compose files: a bottle with sidecars.
//!
//! The keys are those of the Compose Specification (github.com/compose-spec/compose-spec, `05-services.md`, read on
//! 2026-11-29). The service that a person sits at, with a terminal, is the agent's machine; without one it is the only
//! service that is built. Every other service with an image is a sidecar.

mod limits;
mod mounts;
mod network;
mod ports;
mod text;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::document::{Block, Node, fits, named};
use super::value::Value;
use super::variables::{self, Setting};
use super::{Slugs, common, text_of};
use crate::check::names::is_reserved;
use crate::schema::{ValueType, suggest_name};
use crate::world::builtin;
use crate::world::ports::other_than_http;
use limits::{capabilities, health, limits, limits_node};
use network::{Networks, idle};
use ports::{long_port, ports_of, usual_port};
use text::{Interpolated, interpolated, plain, words};

/// What a Compose file says, as a bottle's block.
pub(super) fn bottle(map: &Value) -> Block {
    let mut block = Block::default();
    let services = map.get("services").map_or(&[][..], Value::entries);
    let (agent, of_agent) = agent(services).unzip();
    let networks = Networks(map.get("networks"));
    let mut lost = Vec::new();
    let sidecars = sidecars(services, agent, networks, &mut lost);
    let hosts: BTreeSet<&str> = services.iter().map(|(name, _)| name.as_str()).collect();
    let context = Context { map, sidecars: &sidecars, hosts: &hosts };
    match (agent, of_agent) {
        (Some(name), Some(service)) => context.machine(name, service, &mut block),
        _ => block.note("No one service has a terminal: write what the agent's machine boots from."),
    }
    let mut egress = Block::default();
    if of_agent.is_some_and(|agent| !networks.reaches_outside(agent)) {
        egress.note("The agent reached nothing outside.");
    } else {
        egress.lose(
            "what the services reach",
            "it was every host: name those that the agent needs, each by an `allow`",
        );
    }
    block.push_block(Node::new("egress"), egress);
    // What the agent's own variables are called already.
    let own = of_agent.map(variables_of).unwrap_or_default().into_iter();
    let stays = |(name, value): &(Cow<'_, str>, Option<Cow<'_, str>>)| {
        value.as_ref().is_none_or(|value| context.host_in(name, value).is_none())
    };
    let mut exposed: BTreeSet<String> = own.filter(stays).map(|(name, _)| name.into_owned()).collect();
    for sidecar in &sidecars {
        context.sidecar(sidecar, &mut exposed, &mut block);
    }
    for (name, why) in lost {
        block.lose(&format!("the service {}", named(name)), &why);
    }
    let mut pairs = sidecars
        .iter()
        .enumerate()
        .flat_map(|(at, one)| sidecars[..at].iter().map(move |other| (one, other)));
    if let Some((one, other)) = pairs.find(|(one, other)| !network::meet(one.service, other.service)) {
        block.lose(
            &format!("that {} and {} do not reach each other", named(other.name), named(one.name)),
            "the sidecars of a bottle share one address",
        );
    }
    for (key, value) in map.entries() {
        let why = match key.as_str() {
            "services" | "version" | "name" => continue,
            "volumes" if value.entries().iter().all(|(_, volume)| mounts::is_plain(volume)) => continue,
            "secrets" if value.entries().iter().all(|(_, secret)| is_file(secret)) => continue,
            "volumes" => "a volume of the bundle is the container engine's own, with nothing to set",
            "secrets" => "a secret of the bundle is a file of the host",
            "networks" => "a bottle has one network of its own, which no other container is on",
            "include" => "what another file says is not read: import that as well",
            _ if key.starts_with("x-") => continue,
            _ => "a spec has no word for it",
        };
        if !value.is_nothing() {
            block.lose(&named(key), why);
        }
    }
    block
}

fn is_file(secret: &Value) -> bool {
    secret.is_nothing() || secret.get("file").is_some() && secret.entries().len() == 1
}

/// The service that the agent works in.
fn agent(services: &[(String, Value)]) -> Option<(&str, &Value)> {
    let has = |service: &Value, key| {
        service.get(key).is_some_and(|value| value.is_true() || value.text().as_deref() == Some("true"))
    };
    let only = |is: &dyn Fn(&Value) -> bool| {
        let mut found = services.iter().filter(|(_, service)| is(service));
        let (name, service) = found.next().filter(|_| found.next().is_none())?;
        Some((name.as_str(), service))
    };
    only(&|service| has(service, "tty") || has(service, "stdin_open"))
        .or_else(|| only(&|service| service.get("build").is_some()))
}

/// A service that becomes a sidecar.
struct Sidecar<'v> {
    /// As the file calls it.
    name: &'v str,
    slug: String,
    image: String,
    /// The image is that of the file's defaults.
    by_default: bool,
    service: &'v Value,
}

/// Of an image that is named by variables.
const BY_DEFAULT: &str =
    "The image by the defaults of Compose's variables: a value from elsewhere is not taken.";

/// The services that become sidecars, and the others, each with the reason.
fn sidecars<'v>(
    services: &'v [(String, Value)],
    agent: Option<&str>,
    networks: Networks<'_>,
    lost: &mut Vec<(&'v str, String)>,
) -> Vec<Sidecar<'v>> {
    let of_agent = services.iter().find(|(name, _)| Some(name.as_str()) == agent).map(|(_, service)| service);
    let mut found: Vec<Sidecar<'v>> = Vec::new();
    let mut slugs = Slugs::default();
    let mut ports: BTreeMap<u16, String> =
        builtin::BUILTINS.iter().map(|it| (it.port, it.name.to_owned())).collect();
    ports.insert(builtin::PIPELOCK_METRICS, builtin::PIPELOCK.to_owned());
    for (name, service) in services.iter().filter(|(name, _)| Some(name.as_str()) != agent) {
        let mut read = || {
            if let Some(why) = idle(service).or_else(|| networks.apart(service, of_agent)) {
                return Err(why.to_owned());
            }
            let Some(image) = service.get("image") else {
                return Err(String::from(
                    "a sidecar runs an image: build it, push it, and name it with its digest",
                ));
            };
            let (image, by_default) = text::image(image).map_err(|why| format!("its `image`: {why}"))?;
            let Some(slug) = suggest_name(name) else {
                return Err(String::from("its name makes none of a sidecar"));
            };
            let mut scratch = Block::default();
            let port = ports_of(service, &mut scratch).or_else(|| usual_port(&image, service, &mut scratch));
            if let Some(taken) = port.and_then(|port| ports.get(&port)) {
                return Err(format!(
                    "it listens where {} does, and sidecars share one address",
                    named(taken)
                ));
            }
            let slug = slugs.take(&if is_reserved(&slug) { format!("{slug}-service") } else { slug });
            ports.extend(port.map(|port| (port, name.clone())));
            Ok(Sidecar { name, slug, image, by_default, service })
        };
        match read() {
            Ok(sidecar) => found.push(sidecar),
            Err(why) => lost.push((name, why)),
        }
    }
    found
}

/// The variables of a service, with their values; those of the host's have none.
fn variables_of(service: &Value) -> Vec<(Cow<'_, str>, Option<Cow<'_, str>>)> {
    match service.get("environment") {
        Some(Value::Map(map)) => {
            map.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), value.text())).collect()
        }
        Some(list) => {
            let pair = |text: Cow<'_, str>| match text.split_once('=') {
                Some((name, value)) => (Cow::Owned(name.to_owned()), Some(Cow::Owned(value.to_owned()))),
                None => (Cow::Owned(text.into_owned()), None),
            };
            list.members().iter().map(|text| pair(text_of(text))).collect()
        }
        None => Vec::new(),
    }
}

struct Context<'a> {
    map: &'a Value,
    sidecars: &'a [Sidecar<'a>],
    /// The names that services reach each other by.
    hosts: &'a BTreeSet<&'a str>,
}

impl Context<'_> {
    /// The agent's machine.
    fn machine(&self, name: &str, service: &Value, block: &mut Block) {
        block.note(&format!("The agent's machine is the service {}.", named(name)));
        if let Some(image) = service.get("image") {
            match text::image(image) {
                Ok((image, by_default)) => {
                    if by_default {
                        block.note(BY_DEFAULT);
                    }
                    block.push(Node::new("image").text(&image));
                }
                Err(why) => block.lose("`image`", &why),
            }
        }
        if service.get("build").is_some() {
            block.lose(
                "`build`",
                "nothing is built at a launch: unpack the image into a directory and name it by `rootfs`",
            );
        }
        let limits = limits(service, block);
        let mut node = Node::new("resources");
        if let Some(cpus) = limits.cpus {
            node = node.number_property("cpus", cpus);
        }
        if let Some(memory) = limits.memory {
            node = node.property("memory", &format!("{memory}MiB"));
        }
        if node.has_values() {
            block.push(node);
        }
        if limits.processes.is_some() {
            block.lose(
                "`pids_limit`",
                "the machine has a kernel of its own, and as many processes as its memory holds",
            );
        }
        mounts::of_machine(service, block);
        for port in service.get("ports").map_or(&[][..], Value::members) {
            match long_port(port) {
                Ok(port) if network::is_published(service) => common::publish(&port, block),
                Ok(port) => {
                    block.lose(&format!("the port {}", named(&port)), "it is on no network that has ports");
                }
                Err(why) => block.lose("a port", &why),
            }
        }
        program(service, block);
        block.push_block(Node::new("env"), self.environment(service, true));
        let known = [
            "image",
            "build",
            "volumes",
            "tmpfs",
            "networks",
            "network_mode",
            "profiles",
            "ports",
            "entrypoint",
            "command",
            "environment",
            "env_file",
            "cpus",
            "mem_limit",
            "pids_limit",
            "deploy",
            "depends_on",
            "tty",
            "stdin_open",
        ];
        rest(service, &known, block);
    }

    fn sidecar(&self, sidecar: &Sidecar<'_>, exposed: &mut BTreeSet<String>, bottle: &mut Block) {
        let Sidecar { name, slug, image, by_default, service } = sidecar;
        let mut block = Block::default();
        if *by_default {
            block.note(BY_DEFAULT);
        }
        if slug != name {
            block.note(&format!("The service {}.", named(name)));
        }
        command(service, &mut block);
        if let Some(user) = service.get("user") {
            match plain(user).and_then(|user| fits(ValueType::ContainerUser, &user).map(|()| user)) {
                Ok(user) => block.push(Node::new("run-as").text(&user)),
                Err(why) => block.lose("`user`", &why),
            }
        }
        let port = ports_of(service, &mut block).or_else(|| usual_port(image, service, &mut block));
        health(service, &mut block);
        self.needs(service, &mut block);
        block.push_block(Node::new("env"), self.environment(service, false));
        self.secrets(service, &mut block);
        let top = self.map.get("volumes").map_or(&[][..], Value::entries);
        mounts::of_sidecar(service, top, &mut block);
        limits_node(service, &mut block);
        capabilities(service, &mut block);
        if let Some(port) = port {
            let usual = other_than_http(port).and_then(|it| it.variable);
            let own = format!("{}_URL", slug.replace('-', "_").to_ascii_uppercase());
            // Of two that are alike the first one has the usual name.
            let mut free = |name: &&str| exposed.insert((*name).to_owned());
            match usual.filter(&mut free).or_else(|| Some(own.as_str()).filter(&mut free)) {
                Some(variable) => {
                    block.note("The agent finds it by this variable, not by its name.");
                    block.push(Node::new("expose").text(variable));
                }
                None => block.lose(
                    "how the agent finds it",
                    "the agent has variables of the usual names: `expose` with another one tells it",
                ),
            }
        }
        let known = [
            "image",
            "command",
            "networks",
            "user",
            "ports",
            "expose",
            "healthcheck",
            "depends_on",
            "environment",
            "env_file",
            "secrets",
            "volumes",
            "tmpfs",
            "cpus",
            "mem_limit",
            "pids_limit",
            "deploy",
            "cap_add",
            "cap_drop",
        ];
        rest(service, &known, &mut block);
        bottle.push(Node::new("sidecar").text(slug).property("image", image).holding(block));
    }

    fn needs(&self, service: &Value, block: &mut Block) {
        let Some(needs) = service.get("depends_on") else { return };
        let named_ones: Vec<Cow<'_, str>> = match needs {
            Value::Map(map) => map.iter().map(|(name, _)| Cow::Borrowed(name.as_str())).collect(),
            list => list.members().iter().map(text_of).collect(),
        };
        for name in named_ones {
            match self.sidecars.iter().find(|it| it.name == name) {
                Some(Sidecar { slug, .. }) => block.push(Node::new("needs").text(slug)),
                None => block.lose(&format!("`depends_on` of {}", named(&name)), "it is no sidecar here"),
            }
        }
    }

    fn secrets(&self, service: &Value, block: &mut Block) {
        for secret in service.get("secrets").map_or(&[][..], Value::members) {
            let source =
                secret.get("source").and_then(Value::text).or_else(|| secret.text()).unwrap_or_default();
            let what = format!("the secret {}", named(&source));
            let file = self.map.get("secrets").and_then(|it| it.get(&source)).and_then(|it| it.get("file"));
            let Some(file) = file else {
                block.lose(&what, "it is no file of the host");
                continue;
            };
            let target = secret.get("target").and_then(Value::text);
            let name = suggest_name(&target.unwrap_or_else(|| Cow::Borrowed(&source)));
            match (name, plain(file).and_then(|file| fits(ValueType::HostPath, &file).map(|()| file))) {
                (Some(name), Ok(file)) => {
                    if name != *source {
                        block.note(&format!("It is at `/run/secrets/{name}` here."));
                    }
                    block.push(Node::new("secret").text(&name).property("from-file", &file));
                }
                (None, _) => block.lose(&what, "it makes no name of a file"),
                (_, Err(why)) => block.lose(&what, &why),
            }
        }
    }

    /// The variables of a service; the agent has some of the compiler's.
    fn environment(&self, service: &Value, of_agent: bool) -> Block {
        let mut env = Block::default();
        let set = if of_agent { variables::add } else { variables::add_to_sidecar };
        let mut add = |name: &str, value: Option<Cow<'_, str>>| {
            if of_agent && builtin::owns_variable(name) {
                return env
                    .lose(&named(name), "the compiler sets it, so that programs are led to the bundle");
            }
            let Some(value) = value else {
                return set(&mut env, name, Setting::FromEnv(name.to_owned()));
            };
            if let Some(host) = self.host_in(name, &value) {
                let way = if of_agent {
                    "the agent finds a sidecar by the variable of its `expose`"
                } else {
                    "sidecars find each other at 127.0.0.1"
                };
                return env.lose(
                    &format!("the value of {}", named(name)),
                    &format!("it names the service {}, and nothing has a name here: {way}", named(host)),
                );
            }
            match interpolated(&value) {
                Interpolated::Plain(text) => set(&mut env, name, Setting::Literal(text)),
                Interpolated::Reference(variable, has_default) => {
                    if has_default {
                        env.lose(&format!("the default of {}", named(name)), "the host's variable is set, or the launch fails");
                    }
                    set(&mut env, name, Setting::FromEnv(variable));
                }
                Interpolated::Mixed => env.lose(
                    &named(name),
                    "it is put together of variables of the host: set one that holds the whole, and write `from-env`",
                ),
            }
        };
        for (name, value) in variables_of(service) {
            add(&name, value);
        }
        if service.get("env_file").is_some_and(|it| !it.is_nothing()) {
            env.lose(
                "`env_file`",
                "it is read by nobody here: write its variables, secrets as `from-env` or `from-file`",
            );
        }
        env
    }

    /// The service whose name a value has for a host: in a URL, before a port, or alone where the variable asks for one.
    fn host_in(&self, variable: &str, value: &str) -> Option<&str> {
        let asks = ["HOST", "SERVER", "ADDR", "ENDPOINT", "URL", "URI"]
            .iter()
            .any(|word| variable.to_ascii_uppercase().contains(word));
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_host = |host: &str| {
            value.match_indices(host).any(|(at, _)| {
                let (before, after) = (&value[..at], &value[at + host.len()..]);
                if before.ends_with(is_part) || after.starts_with(is_part) {
                    return false;
                }
                let mut rest = after.chars();
                let has_port = rest.next() == Some(':') && rest.next().is_some_and(|c| c.is_ascii_digit());
                before.ends_with("//") || before.ends_with('@') || has_port || asks && host == value
            })
        };
        self.hosts.iter().copied().find(|host| is_host(host))
    }
}

/// What `up` runs in the machine.
fn program(service: &Value, block: &mut Block) {
    let of = |key| service.get(key).filter(|value| !value.is_nothing());
    let Some(entrypoint) = of("entrypoint") else {
        if of("command").is_some() {
            block
                .lose("`command`", "which program gets it only the image says: write `agent { program …; }`");
        }
        return;
    };
    let mut arguments = match words(entrypoint) {
        Ok(words) => words,
        Err(why) => return block.lose("`entrypoint`", &why),
    };
    if let Some(command) = of("command") {
        match words(command) {
            Ok(words) => arguments.extend(words),
            Err(why) => return block.lose("`entrypoint` and `command`", &why),
        }
    }
    if arguments.first().is_none_or(|program| fits(ValueType::Text, program).is_err()) {
        return block.lose("`entrypoint`", "it names no program");
    }
    let mut agent = Block::default();
    agent.push(Node::new("program").texts(arguments.iter().map(String::as_str)));
    block.push(Node::new("agent").holding(agent));
}

fn command(service: &Value, block: &mut Block) {
    if let Some(command) = service.get("command").filter(|it| !it.is_nothing()) {
        if service.get("entrypoint").is_some_and(|it| !it.is_nothing()) {
            return block
                .lose("`command`", "it is what its `entrypoint` is given, and an image keeps its own");
        }
        match words(command) {
            Ok(words) => block.push(Node::new("command").texts(words.iter().map(String::as_str))),
            Err(why) => block.lose("`command`", &why),
        }
    }
}

/// Every other key of a service.
fn rest(service: &Value, known: &[&str], block: &mut Block) {
    for (key, value) in service.entries() {
        if known.contains(&key.as_str()) || key.starts_with("x-") || value.is_nothing() {
            continue;
        }
        let why = match key.as_str() {
            "networks" | "network_mode" | "links" | "extra_hosts" | "dns" | "hostname" | "domainname" => {
                "a bottle has one network of its own, on which nothing has a name"
            }
            "privileged"
            | "devices"
            | "pid"
            | "ipc"
            | "sysctls"
            | "cgroup"
            | "userns_mode"
            | "device_cgroup_rules"
            | "group_add" => "it would open the host to a container",
            "restart" | "init" | "read_only" | "logging" | "ulimits" | "shm_size" | "security_opt" => {
                "it is set for every container of a bundle alike"
            }
            "extends" => "what another service says is not read: write it here",
            "entrypoint" => "an image keeps its own; `command` are its arguments",
            "build" => "nothing is built at a launch",
            "labels" | "container_name" | "platform" | "pull_policy" => {
                "it is for Compose, and changes nothing of what runs"
            }
            "working_dir" => "it is the image's",
            "secrets" | "user" | "tmpfs" | "expose" | "healthcheck" | "cap_add" | "cap_drop" => {
                "the agent's machine has no such thing"
            }
            _ => "a spec has no word for it",
        };
        block.lose(&named(key), why);
    }
}
