//! Names in a cluster: of the namespace, and of what is in it.

use std::collections::BTreeMap;

use crate::backend::common;
use crate::digest::sha256_hex;
use crate::plan::{Origins, Plan, Traced};
use crate::world::{builtin, cluster};

/// The bottle's namespace.
pub(super) fn namespace(slug: &Traced<String>) -> Traced<String> {
    slug.with(cluster::namespace(slug))
}

/// The claim that supervise keeps its queue in.
pub(super) const QUEUE: &str = "supervise.queue";

/// The claims of a bottle's volumes, each with what asks for it.
pub(super) fn claims(plan: &Plan) -> BTreeMap<&str, Origins> {
    let mut claims = common::volumes(plan);
    if plan.supervise.is_some() {
        claims.insert(QUEUE, plan.asked(builtin::SUPERVISE));
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
