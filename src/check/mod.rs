//! The checks, one topic a file, and the two tables that they are called from.

use crate::diagnostic::Diagnostics;
use crate::model::{Bottle, Layer, Names};
use crate::source::Sources;

pub mod accept;
pub mod boot;
pub(crate) mod cascade;
pub mod cluster;
pub mod container;
pub mod credential;
mod edit;
pub mod egress;
pub mod egress_scan;
pub mod engine;
pub mod env;
pub mod env_ignored;
pub mod expect;
pub mod expose;
pub mod fleet;
pub mod gate;
pub mod host_path;
pub mod intercepted;
pub mod levels;
pub mod lint;
pub mod loss;
pub mod machine;
pub mod mcp;
pub mod names;
pub mod port_taken;
pub mod queue;
pub mod repo;
pub mod secret_literal;
pub mod sidecar;
pub mod unused;

/// The context of a layer's checks.
#[derive(Debug)]
pub struct LayerContext<'a> {
    /// The layer: a profile's or a bottle's own block.
    pub layer: &'a Layer,
    /// What lies under it, which is nothing under a profile; `None` where a profile of the bottle is not known.
    pub under: Option<&'a Layer>,
    /// The sources of the compile.
    pub sources: &'a Sources,
    /// Whether what a target holds wider than the spec says it is an error.
    pub strict: bool,
}

/// The context of a bottle's checks.
#[derive(Debug)]
pub struct BottleContext<'a> {
    /// The bottle, with its profiles laid under it.
    pub bottle: &'a Bottle<Names>,
    /// The sources of the compile.
    pub sources: &'a Sources,
}

/// The checks that need one layer only.
static LAYER: &[fn(&LayerContext<'_>, &mut Diagnostics)] = &[
    |it, found| loss::check(it.layer, it.strict, found),
    |it, found| names::check(it.layer, found),
    |it, found| env::check(it.layer, found),
    |it, found| boot::check(it.layer, found),
    |it, found| repo::check_layer(it.layer, found),
    |it, found| container::check(it.layer, found),
    |it, found| machine::check(it.layer, found),
    |it, found| host_path::check(it.layer, it.sources, found),
    |it, found| secret_literal::check(it.layer, found),
    |it, found| credential::check_layer(it.layer, found),
    |it, found| it.layer.sidecars.iter().for_each(|sidecar| sidecar::check(sidecar, it.sources, found)),
    |it, found| it.layer.sidecars.iter().for_each(|sidecar| expose::check_sidecar(sidecar, found)),
    |it, found| it.layer.sidecars.iter().for_each(|sidecar| mcp::check_sidecar(sidecar, found)),
    |it, found| egress::check_layer(&it.layer.egress, it.under.map(|under| &under.egress), it.sources, found),
];

/// The checks that need a whole bottle.
static BOTTLE: &[fn(&BottleContext<'_>, &mut Diagnostics)] = &[
    |it, found| port_taken::check(it.bottle, found),
    |it, found| repo::check(it.bottle, found),
    |it, found| gate::check(it.bottle, found),
    |it, found| queue::shown(it.bottle, it.sources, found),
    |it, found| expose::check(it.bottle, found),
    |it, found| sidecar::check_bottle(it.bottle, found),
    |it, found| engine::check(it.bottle, found),
    |it, found| cluster::check(it.bottle, found),
    |it, found| machine::check_bottle(it.bottle, it.sources, found),
    |it, found| mcp::check_bottle(it.bottle, found),
    |it, found| env::check_bottle(it.bottle, found),
    |it, found| env_ignored::check(it.bottle, it.sources, found),
    |it, found| {
        let settings = &it.bottle.settings;
        egress::check(&settings.egress, settings.pipelock.version(), &settings.lints, it.sources, found);
    },
    |it, found| egress_scan::check(&it.bottle.settings.egress, found),
    |it, found| credential::check(it.bottle, found),
    |it, found| intercepted::check(it.bottle, found),
    |it, found| expect::check(it.bottle, found),
];

/// Runs the checks of a layer, and keeps as many findings as there is `room` for.
#[must_use]
pub fn layer(context: &LayerContext<'_>, room: usize) -> Diagnostics {
    let mut found = Diagnostics::with_room(room);
    for check in LAYER {
        check(context, &mut found);
    }
    found
}

/// Runs the checks of a bottle, and keeps as many findings as there is `room` for.
#[must_use]
pub fn bottle(context: &BottleContext<'_>, room: usize) -> Diagnostics {
    let mut found = Diagnostics::with_room(room);
    for check in BOTTLE {
        check(context, &mut found);
    }
    found
}
