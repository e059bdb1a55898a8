//! The pipeline: text → tree → spec → plan. Diagnostics accumulate beside every step; nothing here reads or writes.

use std::collections::BTreeMap;
use std::mem;

use crate::check::accept::Acceptance;
use crate::check::levels::{LevelOverride, Levels};
use crate::check::{
    boot, cascade, container, egress, egress_scan, engine, env, env_ignored, expect, expose, fleet, lint,
    loss, names, personal, port_taken, queue, repo, secret_literal, unused,
};
use crate::diagnostic::Diagnostics;
use crate::digest::sha256_hex;
use crate::model::{Bottle, BottleDecl, File, Layer, Name};
use crate::plan::{self, Plan};
use crate::resolve::include::{self, IncludeClosure};
use crate::resolve::members::{self, Resolved};
use crate::resolve::scope::Scope;
use crate::source::{SourceId, Sources, Span};
use crate::world::network::Addresses;
use crate::{diagnostic, schema, syntax};

/// How many nodes all bottles of one compile may be made of, after their profiles are laid in. Five thousand would be
/// a large bottle; the bound keeps a small file with many bottles on large profiles from taking all memory.
pub const MAX_NODES: usize = 500_000;

/// How many nodes, arguments and properties the files of one compile may hold. 16 MiB of usual spec have some 700,000;
/// a file of nothing but the shortest nodes would take a hundred times its size in memory.
pub const MAX_SIZE: usize = 1_000_000;

/// The options of a compile.
#[derive(Clone, Debug)]
pub struct Options {
    /// The way from a bottle's stage directory to the workspace that the sources' names are relative to, with `/`
    /// between its parts: `../..` for `stage/<slug>/`.
    pub stage_to_workspace: String,
    /// Whether what a target holds wider than the spec says it is an error.
    pub strict: bool,
    /// The levels that the run sets, the last of which counts.
    pub overrides: Vec<LevelOverride>,
    /// Whether the levels that specs set with `lint` count for nothing.
    pub ignore_lint: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            stage_to_workspace: String::from("../.."),
            strict: false,
            overrides: Vec::new(),
            ignore_lint: false,
        }
    }
}

/// The result of a compile.
#[derive(Debug, Default)]
pub struct Compilation {
    /// Everything that is to be said, in order.
    pub diagnostics: Diagnostics,
    /// A plan for each bottle, by name; none at all beside an error.
    pub plans: Vec<Plan>,
}

/// The result of a check, which makes no plan.
#[derive(Debug, Default)]
pub struct Checked {
    /// Everything that is to be said, in order.
    pub diagnostics: Diagnostics,
    /// How many bottles there are to be planned; none at all beside an error.
    pub bottles: usize,
}

/// Compiles all bottles of `sources` together: they are to run on one host.
#[must_use]
pub fn compile(sources: &Sources, options: &Options) -> Compilation {
    let Analysis { diagnostics, files, closures, resolved } = analyse(sources, options);
    let mut plans = Vec::new();
    let digests: BTreeMap<SourceId, String> = match resolved.as_slice() {
        [] => BTreeMap::new(),
        _ => sources.iter().map(|(id, source)| (id, sha256_hex(source.bytes()))).collect(),
    };
    for (file, addresses, resolved) in resolved {
        let used =
            closures[&file].files.iter().map(|id| (sources.get(*id).name().to_owned(), digests[id].clone()));
        let digests = used.collect();
        let lints = closures[&file].files.iter().filter_map(|id| files[id].lint.as_ref()).collect();
        let context =
            plan::Context { sources, stage_to_workspace: &options.stage_to_workspace, digests, lints };
        plans.push(plan::plan(resolved, addresses, context));
    }
    plans.sort_by(|a, b| a.slug.cmp(&b.slug));
    Compilation { diagnostics, plans }
}

/// Says of `sources` what [`compile`] says of them, and plans nothing.
#[must_use]
pub fn check(sources: &Sources, options: &Options) -> Checked {
    let Analysis { diagnostics, files: _, closures: _, resolved } = analyse(sources, options);
    Checked { diagnostics, bottles: resolved.len() }
}

/// Everything that comes before planning.
struct Analysis {
    diagnostics: Diagnostics,
    files: BTreeMap<SourceId, File>,
    closures: BTreeMap<SourceId, IncludeClosure>,
    /// The bottles; none at all beside an error.
    resolved: Vec<(SourceId, Addresses, Resolved)>,
}

fn analyse(sources: &Sources, options: &Options) -> Analysis {
    let mut syntax = Diagnostics::new();
    let mut diagnostics = Diagnostics::new();
    let mut size = 0;
    let mut files: BTreeMap<SourceId, File> = sources
        .iter()
        .map(|(id, source)| {
            let tree = syntax::parse(id, source, &mut syntax);
            size += tree.size();
            if size > MAX_SIZE {
                diagnostics.push(fleet::too_many_nodes(Span::at(id, 0), MAX_SIZE));
                return (id, File::default());
            }
            schema::check(&tree, &mut diagnostics);
            (id, File::decode(&tree))
        })
        .collect();
    let mut levels = Levels::new(
        files.values().filter_map(|file| file.lint.clone()),
        layers(&files).flat_map(|layer| layer.lints.iter().cloned()),
        &options.overrides,
        options.ignore_lint,
    );
    lint::check(levels.lints(), &mut diagnostics);
    let mut acceptance = Acceptance::default();
    for layer in layers(&files) {
        let mut found = Diagnostics::new();
        check_layer(layer, sources, options, &mut found);
        diagnostics.append(acceptance.lower(&layer.accepts, found));
    }
    for profile in files.values().flat_map(|file| &file.profiles) {
        egress::check_layer(&profile.layer.egress, None, sources, &mut diagnostics);
    }
    let closures = include::closures(&files, sources, &mut diagnostics);
    let decls: Vec<&BottleDecl> = files.values().flat_map(|file| &file.bottles).collect();
    // A file that is not even KDL may well have had a bottle, and a file of profiles is there to be included.
    let profiles = files.values().any(|file| !file.profiles.is_empty());
    if decls.is_empty() && !profiles && !diagnostics.has_errors() && !syntax.has_errors() {
        let start = sources.roots().first().map(|id| Span::at(*id, 0));
        if let Some(start) = start {
            diagnostics.push(fleet::empty(start));
        }
    }
    fleet::check(&decls, sources, &mut diagnostics);
    let unused_profiles = unused::profiles(&files, &closures, sources.roots());
    let decls: Vec<(SourceId, Vec<BottleDecl>)> =
        files.iter_mut().map(|(id, file)| (*id, mem::take(&mut file.bottles))).collect();
    let resolved =
        bottles(decls, &files, &closures, sources, (&mut acceptance, &mut levels), &mut diagnostics);
    let mut diagnostics = cascade::suppress_cascades(syntax, diagnostics, sources);
    acceptance.unused(&mut diagnostics);
    // Beside an error nothing is said of what is not needed: fixing that may show what needs it.
    let whole = !diagnostics.has_errors();
    if whole {
        diagnostics.append(unused_profiles);
        diagnostics.append(unused::sidecars(resolved.iter().map(|(.., resolved)| resolved)));
    }
    levels.apply(&mut diagnostics);
    if whole {
        let mut unused = lint::unused(&levels, sources);
        levels.apply(&mut unused);
        diagnostics.append(unused);
    }
    diagnostics.finish();
    diagnostic::keep_line_ends(&mut diagnostics, sources);
    let resolved = if diagnostics.has_errors() { Vec::new() } else { resolved };
    Analysis { diagnostics, files, closures, resolved }
}

fn layers(files: &BTreeMap<SourceId, File>) -> impl Iterator<Item = &Layer> {
    files.values().flat_map(|file| {
        let profiles = file.profiles.iter().map(|profile| &profile.layer);
        profiles.chain(file.bottles.iter().map(|bottle| &bottle.layer))
    })
}

/// What can be said of a layer by itself.
fn check_layer(layer: &Layer, sources: &Sources, options: &Options, diagnostics: &mut Diagnostics) {
    loss::check(layer, options.strict, diagnostics);
    names::check(layer, diagnostics);
    env::check(layer, diagnostics);
    boot::check(layer, diagnostics);
    container::check(layer, sources, diagnostics);
    personal::check(layer, diagnostics);
    secret_literal::check(layer, diagnostics);
    for sidecar in &layer.sidecars {
        expose::check_sidecar(sidecar, diagnostics);
    }
}

/// What can be said of a bottle by itself.
fn check_bottle(
    bottle: &Bottle<Name>,
    addresses: Addresses,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    port_taken::check(bottle, diagnostics);
    repo::check(bottle, diagnostics);
    expose::check(bottle, diagnostics);
    engine::check(bottle, diagnostics);
    env::check_bottle(bottle, diagnostics);
    env_ignored::check(bottle, addresses.bundle(), sources, diagnostics);
    egress::check(&bottle.settings.egress, sources, diagnostics);
    egress_scan::check(&bottle.settings.egress, diagnostics);
    expect::check(bottle, addresses.bundle(), diagnostics);
}

/// Lays profiles under bottles and resolves what their sidecars need.
fn bottles(
    decls: Vec<(SourceId, Vec<BottleDecl>)>,
    files: &BTreeMap<SourceId, File>,
    closures: &BTreeMap<SourceId, IncludeClosure>,
    sources: &Sources,
    (acceptance, levels): (&mut Acceptance, &mut Levels<'_>),
    diagnostics: &mut Diagnostics,
) -> Vec<(SourceId, Addresses, Resolved)> {
    let mut resolved = Vec::new();
    let mut nodes = 0;
    let mut queues = Vec::new();
    for (id, decls) in decls {
        if decls.is_empty() && files[&id].profiles.is_empty() {
            continue;
        }
        let scope = Scope::new(id, files, &closures[&id], sources, diagnostics);
        for decl in decls {
            nodes += scope.weight(&decl);
            if nodes > MAX_NODES {
                diagnostics.push(fleet::too_large(&decl, MAX_NODES));
                return resolved;
            }
            let Some(profiles) = scope.layer(&decl, sources, diagnostics) else { continue };
            let addresses = fleet::addresses(&decl);
            egress::check_layer(&decl.layer.egress, Some(&profiles.egress), sources, diagnostics);
            let bottle = Bottle::assemble(decl, profiles);
            queues.extend(queue::Claim::of(&bottle, sources));
            let mut found = Diagnostics::new();
            check_bottle(&bottle, addresses, sources, &mut found);
            found.change(|diagnostic| diagnostic.bottle = Some(bottle.settings.slug.span));
            acceptance.see(&bottle.settings.accepts);
            levels.see(&bottle.settings.lints);
            diagnostics.append(acceptance.lower(&bottle.settings.accepts, found));
            if let Some(done) = members::resolve(bottle, diagnostics) {
                resolved.push((id, addresses, done));
            }
        }
    }
    queue::check(queues, diagnostics);
    resolved
}
