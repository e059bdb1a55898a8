//! Whether a broker's configuration sends what it holds to whom the plan says, whoever wrote it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::text::quote;
use crate::world::broker::ApiUrl;

/// How many places that do not belong into it are named: somebody else wrote it, and may have written many.
const MAX_PLACES: usize = 10;

/// What a configuration says that no compile writes for these upstreams, and what it does not say that every compile writes:
/// phrases that go on after the file's name. Empty when it sends to them, by their names, and to nobody else.
#[must_use]
pub fn judge(caddy: &[u8], upstreams: &[ApiUrl]) -> Vec<String> {
    let Ok(config) = serde_json::from_slice::<Value>(caddy) else { return vec![String::from("is no JSON")] };
    let mut problems = Vec::new();
    if config.pointer("/admin/disabled") != Some(&Value::Bool(true)) {
        problems
            .push(String::from("lets whoever reaches the broker change it: `admin.disabled` is not `true`"));
    }
    let mut found = Found::default();
    found.look(&config);
    if found.unchecked {
        problems.push(String::from("does not check whom it sends to: it has `insecure_skip_verify`"));
    }
    let host = |url: &ApiUrl| url.host.to_string();
    let dialled = |url: &ApiUrl| {
        let host = url.host.as_str();
        if host.contains(':') { format!("[{host}]:{}", url.port) } else { format!("{host}:{}", url.port) }
    };
    let expected: BTreeSet<String> = upstreams.iter().map(dialled).collect();
    let names: BTreeSet<String> = upstreams.iter().map(host).collect();
    for other in found.dialled.difference(&expected).take(MAX_PLACES) {
        problems.push(format!("sends to {}, which no credential of the plan names", quote(other)));
    }
    for missing in expected.difference(&found.dialled).take(MAX_PLACES) {
        problems.push(format!("does not send to {}", quote(missing)));
    }
    for other in found.names.difference(&names).take(MAX_PLACES) {
        problems.push(format!("takes the certificate of {}", quote(other)));
    }
    problems
}

/// What stands anywhere in a configuration.
#[derive(Default)]
struct Found {
    dialled: BTreeSet<String>,
    names: BTreeSet<String>,
    unchecked: bool,
}

impl Found {
    /// A document is as deep as its reader lets it be.
    fn look(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match (key.as_str(), value) {
                        ("dial", Value::String(place)) => drop(self.dialled.insert(place.clone())),
                        ("server_name", Value::String(name)) => drop(self.names.insert(name.clone())),
                        ("insecure_skip_verify", _) => self.unchecked = true,
                        _ => self.look(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.look(value)),
            _ => {}
        }
    }
}
