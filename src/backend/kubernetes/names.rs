//! Names in a cluster: of the namespace, and of what is in it.

use std::collections::BTreeMap;

use crate::digest::sha256_hex;
use crate::model::VolumeSource;
use crate::plan::{Origins, Plan, Traced};
use crate::world::{builtin, cluster};

/// A word of a command that nothing in the spec decides.
pub(super) fn ours(word: &str) -> Traced<String> {
    Traced::fixed(word.to_owned())
}

/// The bottle's namespace.
pub(super) fn namespace(slug: &Traced<String>) -> Traced<String> {
    slug.with(cluster::namespace(slug))
}

/// The claim that git-gate keeps its mirrors in. Names of the spec's hold no dot.
pub(super) const MIRRORS: &str = "git-gate.mirrors";

/// The claim that supervise keeps its queue in.
pub(super) const QUEUE: &str = "supervise.queue";

/// The claims of a bottle's volumes, each with what asks for it.
pub(super) fn claims(plan: &Plan) -> BTreeMap<String, Origins> {
    let mut claims: BTreeMap<String, Origins> = BTreeMap::new();
    let mut ask = |name: &str, origins: &Origins| {
        let all = claims.remove(name).map_or_else(|| origins.clone(), |before| before.and(origins));
        claims.insert(name.to_owned(), all);
    };
    let containers = plan.sidecars.iter().filter_map(|sidecar| sidecar.container.as_ref());
    for volume in containers.flat_map(|container| &container.volumes) {
        if let VolumeSource::Named(name) = &volume.source {
            ask(name, &volume.origins);
        }
    }
    if !plan.git.repos.is_empty() {
        ask(MIRRORS, &plan.asked(builtin::GIT_GATE));
    }
    if plan.supervise.is_some() {
        ask(QUEUE, &plan.asked(builtin::SUPERVISE));
    }
    claims
}

/// What a Pod calls one of its volumes: a label, which holds no dot. No name of the spec's holds two dashes.
pub(super) fn volume(of: &str, what: &str) -> String {
    format!("{}--{what}", of.replace('.', "--"))
}

/// The longest label.
const MAX_LABEL: usize = 63;
/// How many characters of a digest tell two names apart.
const DIGEST: usize = 10;

/// The name of a Secret or ConfigMap that who launches makes: whose it is and what, as far as a label holds that, and a digest of
/// all of it. A name of the spec's may hold what a label may not, and no two of them make one label.
pub(super) fn input(receiver: &str, what: &str, name: &str) -> String {
    let whole = format!("{receiver}/{what}/{name}");
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let shown: String = name.to_ascii_lowercase().chars().map(plain).collect();
    let mut label = format!("{receiver}-{what}-{}", shown.trim_matches('-'));
    label.truncate(MAX_LABEL - DIGEST - 1);
    let digest = sha256_hex(whole.as_bytes());
    format!("{}-{}", label.trim_end_matches('-'), &digest[..DIGEST])
}
