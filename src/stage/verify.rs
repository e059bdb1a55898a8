//! Judging a stage by itself, without the spec that it was made from.

use std::net::Ipv4Addr;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::dir::Dir;
use super::error::{Difference, StageError};
use super::lock::Lock;
use super::snapshot::Kept;
use super::write::{Found, State, check_slug, find, judge};
use crate::diagnostic::quote;

/// What a plan says that the rest of its stage must agree with.
#[derive(Deserialize)]
struct Plan {
    slug: String,
    bundle_ip: Ipv4Addr,
}

/// Judges the stage in the directory `stage`: by the digests and modes of its plan, as [`inspect`](super::inspect)
/// does, and by what a stage must say whatever its digests are: the plan is of the bottle that the directory is named
/// after, and the Smolfile has its own keys only and allows the bundle's address only. Writes nothing.
///
/// The digests are no signature: who can write a stage can write another whole one. Whether it is the stage of a
/// certain spec, [`compare`](super::compare) tells.
///
/// # Errors
/// When it cannot be read, is reached through a link, or is larger than any stage.
pub fn verify(stage: &Path) -> Result<State, StageError> {
    // `.` and `..` have no name of their own.
    let whole;
    let stage = if stage.file_name().is_some() {
        stage
    } else {
        whole = stage.canonicalize().map_err(|reason| StageError::io("open", stage, reason))?;
        &whole
    };
    let slug = stage.file_name().and_then(|name| name.to_str()).filter(|name| check_slug(name).is_ok());
    let Some(slug) = slug else {
        return Ok(if stage.exists() { State::Foreign } else { State::Absent });
    };
    let out = stage.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(out) = Dir::open(out)? else { return Ok(State::Absent) };
    let _lock = Lock::shared(&out)?;
    let found = find(&out, slug)?;
    let mut differences = match judge(found.as_ref()) {
        State::Intact => Vec::new(),
        State::Edited(differences) => differences,
        other @ (State::Absent | State::Foreign) => return Ok(other),
    };
    if let Some(Found::Directory(_, Kept { plan: Some(plan), smolfile })) = &found {
        let Ok(plan) = serde_json::from_slice::<Plan>(plan) else { return Ok(State::Foreign) };
        if plan.slug != slug {
            differences.push(Difference::OtherBottle { slug: plan.slug });
        }
        if let Some(smolfile) = smolfile {
            differences
                .extend(judge_smolfile(smolfile, plan.bundle_ip).into_iter().map(Difference::Smolfile));
        }
    }
    Ok(if differences.is_empty() { State::Intact } else { State::Edited(differences) })
}

/// How many keys that do not belong into a Smolfile are named: somebody else wrote it, and may have written many.
const MAX_KEYS: usize = 10;

/// What a Smolfile says too much, or not.
fn judge_smolfile(smolfile: &[u8], bundle: Ipv4Addr) -> Vec<String> {
    let table = std::str::from_utf8(smolfile).ok().and_then(|text| text.parse::<Table>().ok());
    let Some(table) = table else { return vec![String::from("is no TOML")] };
    let mut problems = Vec::new();
    let mut extra = |prefix: &str, table: &Table, known: &[&str]| {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())).take(MAX_KEYS) {
            problems
                .push(format!("has the key {}, which is never written", quote(&format!("{prefix}{key}"))));
        }
    };
    extra("", &table, &["env", "network", "secrets"]);
    let network = table.get("network").and_then(Value::as_table);
    if let Some(network) = network {
        extra("network.", network, &["allow_cidrs"]);
    }
    let only = format!("{bundle}/32");
    let allowed = network.and_then(|network| network.get("allow_cidrs")).and_then(Value::as_array);
    if !matches!(allowed.map(Vec::as_slice), Some([Value::String(cidr)]) if *cidr == only) {
        problems.push(format!("does not confine the agent: `network.allow_cidrs` is not `{only}` alone"));
    }
    let is_variable = |value: &Value| value.as_str().is_some_and(|text| text.contains('='));
    if !table.get("env").and_then(Value::as_array).is_some_and(|env| env.iter().all(is_variable)) {
        problems.push(String::from("has no `env` of the form `NAME=value`"));
    }
    problems
}
