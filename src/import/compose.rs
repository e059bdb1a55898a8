//! Compose files: a bottle with sidecars.
//!
//! The keys are those of the Compose Specification (github.com/compose-spec/compose-spec, `05-services.md`, read on
//! 2026-11-29). The service that a person sits at, with a terminal, is the agent's machine; without one it is the only
//! service that is built. Every other service with an image is a sidecar.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::common;
use super::document::{Block, Node, fits, named};
use super::text_of;
use super::value::Value;
use super::variables::{self, Setting, has_secret};
use crate::schema::{CAPABILITIES, ValueType, is_host_path, suggest_name};
use crate::world::container::MAX_MEMORY;
use crate::world::ports::other_than_http;

/// What a text with the references of Compose in it stands for.
enum Interpolated {
    Plain(String),
    /// One reference and nothing else; with whether it has a default.
    Reference(String, bool),
    Mixed,
}

fn interpolated(text: &str) -> Interpolated {
    if !text.contains('$') {
        return Interpolated::Plain(text.to_owned());
    }
    if !text.replace("$$", "").contains('$') {
        return Interpolated::Plain(text.replace("$$", "$"));
    }
    let is_name = |name: &str| fits(ValueType::EnvName, name).is_ok();
    if let Some(inner) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        if is_name(name) && !rest.contains(['$', '}']) {
            // `:?` and `?` are messages, not values.
            let has_default = !rest.is_empty() && !rest.trim_start_matches(':').starts_with('?');
            return Interpolated::Reference(name.to_owned(), has_default);
        }
    } else if let Some(name) = text.strip_prefix('$').filter(|name| is_name(name)) {
        return Interpolated::Reference(name.to_owned(), false);
    }
    Interpolated::Mixed
}

/// A text without references; with them, the reason.
fn plain(value: &Value) -> Result<String, String> {
    let Some(text) = value.text() else { return Err(String::from("it is no text")) };
    match interpolated(&text) {
        Interpolated::Plain(text) => Ok(text),
        _ => Err(String::from("it has a variable of the host in it, which a spec takes for secrets alone")),
    }
}

/// What a Compose file says, as a bottle's block.
pub(super) fn bottle(map: &Value) -> Block {
    let mut block = Block::default();
    let services = map.get("services").map_or(&[][..], Value::entries);
    let agent = agent(services);
    let names: BTreeMap<&str, String> = services
        .iter()
        .filter(|(name, service)| Some(name.as_str()) != agent && service.get("image").is_some())
        .filter_map(|(name, _)| Some((name.as_str(), suggest_name(name)?)))
        .collect();
    match agent {
        None => block.note("No service has a terminal: write what the agent's machine boots from."),
        Some(name) => {
            if let Some((_, service)) = services.iter().find(|(it, _)| it == name) {
                machine(name, service, &mut block);
            }
        }
    }
    let mut egress = Block::default();
    egress.lose(
        "what the services reach",
        "it was every host: name those that the agent needs, each by an `allow`",
    );
    block.push_block(Node::new("egress"), egress);
    let context = Context { map, names: &names };
    let mut exposed = BTreeSet::new();
    for (name, service) in services {
        if Some(name.as_str()) == agent {
            continue;
        }
        match (names.get(name.as_str()), service.get("image")) {
            (Some(slug), Some(image)) => {
                context.sidecar(name, slug, image, service, &mut exposed, &mut block);
            }
            _ => block.lose(
                &format!("the service {}", named(name)),
                "a sidecar runs an image: build it, push it, and name it with its digest",
            ),
        }
    }
    for (key, value) in map.entries() {
        let why = match key.as_str() {
            "services" | "version" | "name" => continue,
            "volumes" | "secrets" if value.entries().iter().all(|(_, it)| is_plain_volume(key, it)) => {
                continue;
            }
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

fn is_plain_volume(key: &str, value: &Value) -> bool {
    value.is_nothing() || key == "secrets" && value.get("file").is_some() && value.entries().len() == 1
}

/// The service that the agent works in.
fn agent(services: &[(String, Value)]) -> Option<&str> {
    let has = |service: &Value, key| service.get(key).is_some_and(Value::is_true);
    let only = |is: &dyn Fn(&Value) -> bool| {
        let mut found = services.iter().filter(|(_, service)| is(service)).map(|(name, _)| name.as_str());
        found.next().filter(|_| found.next().is_none())
    };
    only(&|service| has(service, "tty") || has(service, "stdin_open"))
        .or_else(|| only(&|service| service.get("build").is_some()))
}

/// The agent's machine.
fn machine(name: &str, service: &Value, block: &mut Block) {
    block.note(&format!("The agent's machine is the service {}.", named(name)));
    if let Some(image) = service.get("image") {
        match plain(image).and_then(|image| fits(ValueType::Image, &image).map(|()| image)) {
            Ok(image) => block.push(Node::new("image").text(&image)),
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
    for volume in service.get("volumes").map_or(&[][..], Value::members) {
        match mount(volume) {
            Err(why) => block.lose("a volume", &why),
            Ok(Mount { source, target, writable }) => match source.filter(|it| is_host_path(it)) {
                Some(source) => common::volume(&source, &target, writable, block),
                None => block.lose(
                    &format!("the volume at {}", named(&target)),
                    "the machine keeps its own disk; a directory of the host is named by its path",
                ),
            },
        }
    }
    for port in service.get("ports").map_or(&[][..], Value::members) {
        match long_port(port) {
            Ok(port) => common::publish(&port, block),
            Err(why) => block.lose("a port", &why),
        }
    }
    let mut arguments = Vec::new();
    for key in ["entrypoint", "command"] {
        if let Some(value) = service.get(key).filter(|value| !value.is_nothing()) {
            match words(value) {
                Ok(words)
                    if !(arguments.is_empty() && key == "command" && service.get("entrypoint").is_some()) =>
                {
                    arguments.extend(words);
                }
                Ok(_) => {}
                Err(why) => block.lose(&named(key), &why),
            }
        }
    }
    if !arguments.is_empty() && fits(ValueType::Text, &arguments[0]).is_ok() {
        let mut agent = Block::default();
        agent.push(Node::new("program").texts(arguments.iter().map(String::as_str)));
        block.push(Node::new("agent").holding(agent));
    }
    block.push_block(Node::new("env"), environment(service));
    let known = [
        "image",
        "build",
        "volumes",
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

struct Context<'a> {
    map: &'a Value,
    names: &'a BTreeMap<&'a str, String>,
}

impl Context<'_> {
    fn sidecar(
        &self,
        name: &str,
        slug: &str,
        image: &Value,
        service: &Value,
        exposed: &mut BTreeSet<&'static str>,
        bottle: &mut Block,
    ) {
        let image = match plain(image).and_then(|image| fits(ValueType::Image, &image).map(|()| image)) {
            Ok(image) => image,
            Err(why) => return bottle.lose(&format!("the service {}", named(name)), &why),
        };
        let mut block = Block::default();
        command(service, &mut block);
        if let Some(user) = service.get("user") {
            match plain(user).and_then(|user| fits(ValueType::ContainerUser, &user).map(|()| user)) {
                Ok(user) => block.push(Node::new("run-as").text(&user)),
                Err(why) => block.lose("`user`", &why),
            }
        }
        let port = ports(service, &mut block);
        health(service, &mut block);
        self.needs(service, &mut block);
        block.push_block(Node::new("env"), environment(service));
        self.secrets(service, &mut block);
        self.volumes(service, &mut block);
        limits_node(service, &mut block);
        capabilities(service, &mut block);
        if let Some(port) = port {
            let usual = other_than_http(port).and_then(|it| it.variable);
            let own = format!("{}_URL", slug.replace('-', "_").to_ascii_uppercase());
            // Of two that are alike the first one has the usual name.
            let variable = usual.filter(|usual| exposed.insert(usual)).unwrap_or(&own);
            block.note("The agent finds it by this variable, not by its name.");
            block.push(Node::new("expose").text(variable));
        }
        let known = [
            "image",
            "command",
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
        bottle.push(Node::new("sidecar").text(slug).property("image", &image).holding(block));
    }

    fn needs(&self, service: &Value, block: &mut Block) {
        let Some(needs) = service.get("depends_on") else { return };
        let named_ones: Vec<Cow<'_, str>> = match needs {
            Value::Map(map) => map.iter().map(|(name, _)| Cow::Borrowed(name.as_str())).collect(),
            list => list.members().iter().map(text_of).collect(),
        };
        for name in named_ones {
            match self.names.get(&*name) {
                Some(slug) => block.push(Node::new("needs").text(slug)),
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

    fn volumes(&self, service: &Value, block: &mut Block) {
        for value in service.get("volumes").map_or(&[][..], Value::members) {
            if value.get("type").and_then(Value::text).as_deref() == Some("tmpfs") {
                tmpfs(value.get("target").unwrap_or(&Value::Null), block);
                continue;
            }
            let Mount { source, target, writable } = match mount(value) {
                Ok(mount) => mount,
                Err(why) => {
                    block.lose("a volume", &why);
                    continue;
                }
            };
            let source = match source {
                Some(source) if is_host_path(&source) => Some(source),
                Some(name) => suggest_name(&name).filter(|slug| self.is_only(slug)),
                None => None,
            };
            let what = format!("the volume at {}", named(&target));
            let Some(source) = source else {
                block.lose(&what, "it has no name that a volume could have: name one");
                continue;
            };
            let bad =
                fits(ValueType::VolumeSource, &source).and_then(|()| fits(ValueType::ContainerPath, &target));
            if let Err(why) = bad {
                block.lose(&what, &why);
                continue;
            }
            let node = Node::new("volume").text(&source).text(&target);
            block.push(if writable { node.property("access", "read-write") } else { node });
        }
        for value in service.get("tmpfs").map_or(&[][..], Value::members) {
            tmpfs(value, block);
        }
    }

    /// Whether no two volumes of the file have that name here: they would be one.
    fn is_only(&self, slug: &str) -> bool {
        let names = self.map.get("volumes").map_or(&[][..], Value::entries).iter();
        names.filter(|(name, _)| suggest_name(name).as_deref() == Some(slug)).count() <= 1
    }
}

/// The words of a command: those of a list, and those of a line that needs no shell to be taken apart.
fn words(value: &Value) -> Result<Vec<String>, String> {
    let words: Vec<String> = match value {
        Value::List(list) => list.iter().map(plain).collect::<Result<_, _>>()?,
        value => {
            let line = plain(value)?;
            if line.contains(['"', '\'', '\\', '\n']) {
                return Err(String::from(
                    "a line with quotes in it is read as a shell reads it: write its words",
                ));
            }
            line.split_whitespace().map(str::to_owned).collect()
        }
    };
    if has_secret(words.iter().map(String::as_str)) {
        return Err(String::from("it holds what looks like a secret"));
    }
    words.iter().try_for_each(|word| fits(ValueType::Argument, word))?;
    Ok(words)
}

fn command(service: &Value, block: &mut Block) {
    if let Some(command) = service.get("command").filter(|it| !it.is_nothing()) {
        match words(command) {
            Ok(words) => block.push(Node::new("command").texts(words.iter().map(String::as_str))),
            Err(why) => block.lose("`command`", &why),
        }
    }
}

/// The port that the agent finds the sidecar at: the first that is named.
fn ports(service: &Value, block: &mut Block) -> Option<u16> {
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
fn long_port(value: &Value) -> Result<String, String> {
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

/// Seconds of a duration such as `1m30s`.
fn seconds(text: &str) -> Option<u32> {
    let (mut total, mut rest) = (0_u32, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u32 = rest[..end].parse().ok()?;
        let unit_end = rest[end..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| end + at);
        let unit = match &rest[end..unit_end] {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[unit_end..];
    }
    (1..=3600).contains(&total).then_some(total)
}

fn health(service: &Value, block: &mut Block) {
    let Some(check) = service.get("healthcheck").filter(|it| !it.get("disable").is_some_and(Value::is_true))
    else {
        return;
    };
    let program = match check.get("test") {
        Some(Value::List(list)) => match list.first().and_then(Value::text).as_deref() {
            Some("CMD") => words(&Value::List(list[1..].to_vec())),
            Some("CMD-SHELL") => shell(list.get(1).unwrap_or(&Value::Null)),
            Some("NONE") => return,
            _ => Err(String::from("it begins neither with `CMD` nor with `CMD-SHELL`")),
        },
        Some(text) => shell(text),
        None => Err(String::from("it changes the image's own, which no spec does")),
    };
    let program = match program {
        Ok(program) if !program.is_empty() => program,
        Ok(_) => return block.lose("`healthcheck`", "it names no program"),
        Err(why) => return block.lose("`healthcheck`", &why),
    };
    let mut node = Node::new("health").texts(program.iter().map(String::as_str));
    for (key, ours) in [("interval", "interval"), ("timeout", "timeout"), ("start_period", "start")] {
        if let Some(value) = check.get(key).and_then(Value::text) {
            match seconds(&value) {
                Some(seconds) => node = node.number_property(ours, seconds),
                None => block
                    .lose(&format!("`healthcheck.{key}`"), "it is no number of seconds between 1 and 3600"),
            }
        }
    }
    if let Some(value) = check.get("retries").and_then(Value::text) {
        match value.parse::<u32>().ok().filter(|it| (1..=100).contains(it)) {
            Some(retries) => node = node.number_property("retries", retries),
            None => block.lose("`healthcheck.retries`", "it is no number between 1 and 100"),
        }
    }
    block.push(node);
}

/// A line that a shell of the image reads.
fn shell(value: &Value) -> Result<Vec<String>, String> {
    let Some(text) = value.text() else { return Err(String::from("it is no text")) };
    // `$$` is how Compose hands a shell its own.
    let Interpolated::Plain(line) = interpolated(&text) else {
        return Err(String::from("it has a variable of the host in it"));
    };
    if has_secret([line.as_str()]) {
        return Err(String::from("it holds what looks like a secret"));
    }
    fits(ValueType::Argument, &line)?;
    Ok(vec![String::from("sh"), String::from("-c"), line])
}

fn environment(service: &Value) -> Block {
    let mut env = Block::default();
    let mut add = |name: &str, value: Option<Cow<'_, str>>| {
        let Some(value) = value else {
            return variables::add(&mut env, name, Setting::FromEnv(name.to_owned()));
        };
        match interpolated(&value) {
            Interpolated::Plain(text) => variables::add(&mut env, name, Setting::Literal(text)),
            Interpolated::Reference(variable, has_default) => {
                if has_default {
                    env.lose(&format!("the default of {}", named(name)), "the host's variable is set, or the launch fails");
                }
                variables::add(&mut env, name, Setting::FromEnv(variable));
            }
            Interpolated::Mixed => env.lose(
                &named(name),
                "it is put together of variables of the host: set one that holds the whole, and write `from-env`",
            ),
        }
    };
    match service.get("environment") {
        Some(Value::Map(map)) => {
            for (name, value) in map {
                add(name, value.text());
            }
        }
        Some(list) => {
            for text in list.members().iter().map(text_of) {
                match text.split_once('=') {
                    Some((name, value)) => add(name, Some(Cow::Borrowed(value))),
                    None => add(&text, None),
                }
            }
        }
        None => {}
    }
    if service.get("env_file").is_some_and(|it| !it.is_nothing()) {
        env.lose(
            "`env_file`",
            "it is read by nobody here: write its variables, secrets as `from-env` or `from-file`",
        );
    }
    env
}

struct Mount {
    source: Option<String>,
    target: String,
    writable: bool,
}

fn mount(value: &Value) -> Result<Mount, String> {
    if let Value::Map(_) = value {
        let text = |key| value.get(key).map(plain).transpose();
        let kind = text("type")?.unwrap_or_default();
        if kind != "bind" && kind != "volume" {
            return Err(format!("it is of the type {}", named(&kind)));
        }
        let writable = match value.get("read_only") {
            None | Some(Value::Bool(false)) => true,
            Some(_) => false,
        };
        let target = text("target")?.ok_or("it has no target")?;
        return Ok(Mount { source: text("source")?, target, writable });
    }
    let text = plain(value)?;
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let Some(target) = parts.next() else {
        return Ok(Mount { source: None, target: first.to_owned(), writable: true });
    };
    let writable = match parts.next() {
        None => true,
        Some(options) => {
            if !options
                .split(',')
                .all(|it| matches!(it, "ro" | "rw" | "z" | "Z" | "cached" | "delegated" | "consistent"))
            {
                return Err(format!("its options {} are not known", named(options)));
            }
            !options.split(',').any(|it| it == "ro")
        }
    };
    Ok(Mount { source: Some(first.to_owned()), target: target.to_owned(), writable })
}

fn tmpfs(value: &Value, block: &mut Block) {
    let text = text_of(value);
    let path = text.split(':').next().unwrap_or_default();
    if path.trim_end_matches('/') == "/tmp" {
        return;
    }
    match fits(ValueType::ContainerPath, path) {
        Ok(()) => block.push(Node::new("tmpfs").text(path)),
        Err(why) => block.lose("a `tmpfs`", &why),
    }
}

#[derive(Default)]
struct Limits {
    cpus: Option<u32>,
    /// In MiB.
    memory: Option<u32>,
    processes: Option<u32>,
}

fn limits(service: &Value, block: &mut Block) -> Limits {
    let mut limits = Limits::default();
    let deployed = service.get("deploy").and_then(|it| it.get("resources")).and_then(|it| it.get("limits"));
    let get = |short, long| {
        let value = service.get(short).or_else(|| deployed.and_then(|it| it.get(long)));
        value.and_then(Value::text)
    };
    if let Some(text) = get("cpus", "cpus") {
        match text.parse::<f64>() {
            Ok(number) if number.fract() == 0.0 && (1.0..=255.0).contains(&number) => {
                limits.cpus = text.split('.').next().and_then(|it| it.parse().ok());
            }
            _ => block.lose("`cpus`", "it is no whole number of processors; without one there is one"),
        }
    }
    if let Some(text) = get("mem_limit", "memory") {
        limits.memory = mebibytes(&text);
        if limits.memory.is_none() {
            block.lose("`mem_limit`", "it is no whole number of MiB between 16 MiB and 1 TiB");
        }
    }
    if let Some(text) = get("pids_limit", "pids") {
        limits.processes = text.parse().ok().filter(|it| (16..=65_536).contains(it));
        if limits.processes.is_none() {
            block.lose("`pids_limit`", "it is no number between 16 and 65536");
        }
    }
    let parts = service.get("deploy").map_or(&[][..], Value::entries);
    for (key, value) in parts.iter().filter(|(key, _)| key != "resources" || deployed.is_none()) {
        if !value.is_nothing() {
            block.lose(
                &format!("`deploy.{}`", crate::text::one_line(key)),
                "one host runs one of each container",
            );
        }
    }
    limits
}

fn mebibytes(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let bytes = match text[end..].to_ascii_lowercase().as_str() {
        "" | "b" => number,
        "k" | "kb" => number.checked_mul(1 << 10)?,
        "m" | "mb" => number.checked_mul(1 << 20)?,
        "g" | "gb" => number.checked_mul(1 << 30)?,
        _ => return None,
    };
    let whole = bytes.is_multiple_of(1 << 20);
    u32::try_from(bytes >> 20).ok().filter(|it| whole && (16..=MAX_MEMORY).contains(it))
}

fn limits_node(service: &Value, block: &mut Block) {
    let Limits { cpus, memory, processes } = limits(service, block);
    let mut node = Node::new("limits");
    if let Some(memory) = memory {
        node = node.property("memory", &format!("{memory}MiB"));
    }
    if let Some(cpus) = cpus {
        node = node.number_property("cpus", cpus);
    }
    if let Some(processes) = processes {
        node = node.number_property("processes", processes);
    }
    if node.has_values() {
        block.push(node);
    }
}

fn capabilities(service: &Value, block: &mut Block) {
    let list = |key| -> Vec<String> {
        let of = |value: &Value| {
            let text = text_of(value).to_ascii_uppercase();
            text.strip_prefix("CAP_").map_or(text.clone(), str::to_owned)
        };
        service.get(key).map_or(&[][..], Value::members).iter().map(of).collect()
    };
    let dropped = list("cap_drop");
    for name in list("cap_add") {
        if dropped.contains(&name) {
            block.lose(&format!("the capability {}", named(&name)), "it is dropped as well");
        } else if CAPABILITIES.contains(&name.as_str()) {
            block.push(Node::new("capability").text(&name));
        } else {
            block.lose(
                &format!("the capability {}", named(&name)),
                "it reaches beyond the container, and is not given",
            );
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
            | "security_opt"
            | "sysctls"
            | "cgroup"
            | "userns_mode"
            | "device_cgroup_rules"
            | "group_add" => "it would open the host to a container",
            "restart" | "init" | "read_only" | "logging" | "ulimits" | "shm_size" => {
                "it is set for every container of a bundle alike"
            }
            "extends" => "what another service says is not read: write it here",
            "entrypoint" => "an image keeps its own; `command` are its arguments",
            "build" => "nothing is built at a launch",
            "labels" | "container_name" | "profiles" | "platform" | "pull_policy" => {
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
