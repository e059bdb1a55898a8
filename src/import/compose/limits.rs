//! What holds a container: its bounds, its capabilities, and the check of its health.

use super::text::{shell, words};
use crate::import::document::{Block, Node, named};
use crate::import::text_of;
use crate::import::value::Value;
use crate::schema::CAPABILITIES;
use crate::world::container::MAX_MEMORY;

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

pub(super) fn health(service: &Value, block: &mut Block) {
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
                _ if value.contains('$') => {
                    block.lose(&format!("`healthcheck.{key}`"), "it has a variable of the host in it");
                }
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

#[derive(Default)]
pub(super) struct Limits {
    pub(super) cpus: Option<u32>,
    /// In MiB.
    pub(super) memory: Option<u32>,
    pub(super) processes: Option<u32>,
}

pub(super) fn limits(service: &Value, block: &mut Block) -> Limits {
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

pub(super) fn limits_node(service: &Value, block: &mut Block) {
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

pub(super) fn capabilities(service: &Value, block: &mut Block) {
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
