//! Verification of a stage by itself, without its spec.

use std::net::Ipv4Addr;
use std::path::Path;

use serde::Deserialize;

use super::dir::Dir;
use super::error::{Difference, StageError};
use super::lock::Lock;
use super::snapshot::Kept;
use super::write::{Found, State, check_slug, find, judge};
use crate::backend::{self, Confinement, Facts};
use crate::lower::{broker, plan_json};
use crate::world::broker::ApiUrl;

/// What a plan says that the rest of its stage must agree with.
#[derive(Deserialize)]
struct Plan {
    slug: String,
    backend: String,
    bundle_ip: Ipv4Addr,
    #[serde(default)]
    credentials: Vec<Credential>,
}

#[derive(Deserialize)]
struct Credential {
    upstream: ApiUrl,
}

/// What a file says that no compile writes.
type Judge<'a> = &'a dyn Fn(&[u8]) -> Vec<String>;

/// Judges the stage in the directory `stage`: by its digests and modes, as [`inspect`](super::inspect) does, and by what a stage must say whatever its digests are: the plan is of the bottle that the directory is named
/// after, the file that keeps the agent to its bundle has its own keys only and allows the bundle's address only, and the one
/// that keeps the broker to its upstreams sends to them only. Writes nothing.
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
        other @ (State::Absent | State::Foreign | State::OtherFormat(_)) => return Ok(other),
    };
    if let Some(Found::Directory(_, Kept { plan: Some(json), confinement, .. })) = &found {
        // That it cannot be read, its digest says.
        let Ok(plan) = serde_json::from_slice::<Plan>(json) else { return Ok(State::Edited(differences)) };
        if plan.slug != slug {
            differences.push(Difference::OtherBottle { slug: plan.slug });
        }
        // A backend that no compile names keeps nobody to anything.
        let Some(backend::Target { confinement: files, .. }) = backend::find(&plan.backend) else {
            differences.push(Difference::Changed(plan_json::PATH.into()));
            return Ok(State::Edited(differences));
        };
        let upstreams: Vec<ApiUrl> = plan.credentials.into_iter().map(|it| it.upstream).collect();
        let ask_broker = |text: &[u8]| broker::judge(text, &upstreams);
        let asks = files.iter().map(|Confinement { path, judge }| {
            (*path, |text: &[u8]| judge(text, &Facts { bundle: plan.bundle_ip, plan: json }))
        });
        let asks: Vec<_> = asks.collect();
        let mut asked: Vec<(&'static str, Judge<'_>)> =
            asks.iter().map(|(path, ask)| (*path, ask as Judge<'_>)).collect();
        if !upstreams.is_empty() {
            asked.push((broker::PATH, &ask_broker));
        }
        for (path, judge) in asked {
            match confinement.get(path).and_then(Option::as_ref) {
                Some(text) => {
                    let what = judge(text).into_iter();
                    differences.extend(what.map(|what| Difference::Confinement { path, what }));
                }
                // Digests that were made anew may not even name it.
                None if differences.is_empty() => differences.push(Difference::Missing(path.into())),
                None => {}
            }
        }
    }
    Ok(if differences.is_empty() { State::Intact } else { State::Edited(differences) })
}
