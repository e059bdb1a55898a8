//! The pipeline: text → tree → spec → plan. Diagnostics accumulate beside every step; nothing here reads or writes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::backend;
use crate::check::accept::Acceptance;
use crate::check::levels::{LevelOverride, Levels};
use crate::check::{self, BottleContext, LayerContext, cascade, fleet, lint, machine, queue, unused};
use crate::diagnostic::Diagnostics;
use crate::digest::sha256_hex;
use crate::model::{self, Bottle, BottleDecl, File, Layer, Profile, Settings};
use crate::plan::{self, Plan};
use crate::resolve::include::{self, IncludeClosure};
use crate::resolve::members::{self, Needs};
use crate::resolve::scope::Scope;
use crate::source::{Source, SourceId, Sources, Span};
use crate::syntax::{Tree, Trees};
use crate::world::catalogue::{self, BuiltIn};
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
    /// How many diagnostics are kept.
    pub room: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            stage_to_workspace: String::from("../.."),
            strict: false,
            overrides: Vec::new(),
            ignore_lint: false,
            room: Diagnostics::LIMIT,
        }
    }
}

/// The result of a compile.
#[derive(Debug, Default)]
pub struct Compilation {
    /// The sources: those that were given, and the built-in profiles that these extend.
    pub sources: Sources,
    /// Everything that is to be said of them, in order.
    pub diagnostics: Diagnostics,
    /// A plan for each bottle, by name; none at all beside an error.
    pub plans: Vec<Plan>,
}

/// Compiles all bottles of `sources` together: they are to run on one host.
#[must_use]
pub fn compile(sources: &Sources, options: &Options) -> Compilation {
    let analysis = Analysis::new(sources.clone(), options.clone());
    let (diagnostics, plans) = (analysis.diagnostics().clone(), analysis.plans());
    Compilation { sources: analysis.into_parts().0, diagnostics, plans }
}

/// What is known of the sources of one compile. Each part is made once, when it is first asked for: an editor wants the
/// tree at once, and the diagnostics a moment later.
#[derive(Debug)]
pub struct Analysis {
    sources: Sources,
    options: Options,
    /// By source.
    parsed: Vec<OnceLock<Parsed>>,
    files: OnceLock<BTreeMap<SourceId, File>>,
    closures: OnceLock<(BTreeMap<SourceId, IncludeClosure>, Diagnostics)>,
    checked: OnceLock<Checked>,
}

#[derive(Debug)]
struct Parsed {
    tree: Tree,
    problems: Diagnostics,
}

#[derive(Debug)]
struct Checked {
    diagnostics: Diagnostics,
    bottles: Vec<Bottle<Needs>>,
}

impl Parsed {
    fn new(id: SourceId, sources: &Sources, room: usize) -> Self {
        let mut problems = Diagnostics::with_room(room);
        Self { tree: syntax::parse(id, sources.get(id), &mut problems), problems }
    }
}

impl Trees for Analysis {
    fn sources(&self) -> &Sources {
        &self.sources
    }

    fn tree_of(&self, id: SourceId) -> Cow<'_, Tree> {
        Cow::Borrowed(self.tree(id))
    }
}

impl Analysis {
    /// Analyses `sources`, whose bottles are to run on one host.
    #[must_use]
    pub fn new(sources: Sources, options: Options) -> Self {
        let parsed = sources.iter().map(|_| OnceLock::new()).collect();
        let (files, closures, checked) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let mut analysis = Self { sources, options, parsed, files, closures, checked };
        analysis.add_built_ins();
        analysis
    }

    /// Analyses a built-in profile alone, for whoever shows it.
    #[must_use]
    pub fn of_built_in(profile: &BuiltIn) -> (Self, SourceId) {
        let mut sources = Sources::new();
        let id = sources.add_built_in(profile.source());
        (Self::new(sources, Options::default()), id)
    }

    /// Adds the built-in profiles that the sources extend, and those that lie under these.
    fn add_built_ins(&mut self) {
        let Self { sources, options: Options { room, .. }, parsed, .. } = self;
        let (mut at, mut size) = (0, 0);
        while let Some(id) = sources.id(at).filter(|_| size <= MAX_SIZE) {
            at += 1;
            parsed.resize_with(sources.len(), OnceLock::new);
            let source = sources.get(id);
            // Few files extend any, and the others are not needed yet. A name may be written with escapes.
            if !source.text().contains(catalogue::PREFIX) && !source.text().contains('\\') {
                continue;
            }
            let tree = &parsed[id.index()].get_or_init(|| Parsed::new(id, sources, *room)).tree;
            size += tree.size();
            let found: Vec<&BuiltIn> = model::extended(tree).filter_map(catalogue::find).collect();
            for profile in found {
                sources.add_built_in(profile.source());
            }
        }
        parsed.resize_with(sources.len(), OnceLock::new);
    }

    /// Adds what the sources include, and what those include: `read` gives a file by its place, or says why it
    /// cannot be read. At most 256 files are read.
    pub fn follow(&mut self, read: impl FnMut(&str) -> Result<Source, String>) {
        let Self { sources, options: Options { room, .. }, parsed, files, closures, checked } = self;
        let includes = |sources: &Sources, id: SourceId| {
            parsed.resize_with(sources.len(), OnceLock::new);
            // Few files include any, and the others are not needed yet. What is built in includes none.
            if sources.get(id).is_built_in() || !sources.get(id).text().contains("include") {
                return Vec::new();
            }
            model::includes(&parsed[id.index()].get_or_init(|| Parsed::new(id, sources, *room)).tree)
                .collect()
        };
        include::follow(sources, includes, read);
        // What was known of fewer files.
        (*files, *closures, *checked) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        self.add_built_ins();
    }

    /// The texts.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Whether the first of them is meant to be a spec: other programs' configurations are KDL, too.
    #[must_use]
    pub fn is_spec(&self) -> bool {
        let root = self.sources.roots().first();
        root.is_some_and(|root| model::is_spec(self.sources.get(*root), || self.tree(*root)))
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The tree of a source.
    #[must_use]
    pub fn tree(&self, id: SourceId) -> &Tree {
        &self.parsed(id).tree
    }

    /// The syntax errors of a source.
    #[must_use]
    pub fn syntax(&self, id: SourceId) -> &Diagnostics {
        &self.parsed(id).problems
    }

    fn parsed(&self, id: SourceId) -> &Parsed {
        self.parsed[id.index()].get_or_init(|| Parsed::new(id, &self.sources, self.options.room))
    }

    /// Every decoded file, as far as it could be read.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<SourceId, File> {
        self.files.get_or_init(|| {
            let mut size = 0;
            let file = |(id, _)| {
                // What comes behind the bound takes no memory, either.
                if size <= MAX_SIZE {
                    size += self.tree(id).size();
                }
                let decode =
                    if self.sources.get(id).is_built_in() { File::decode_built_in } else { File::decode };
                (id, if size <= MAX_SIZE { decode(self.tree(id)) } else { File::default() })
            };
            self.sources.iter().map(file).collect()
        })
    }

    /// One of them.
    #[must_use]
    pub fn file(&self, id: SourceId) -> &File {
        &self.files()[&id]
    }

    /// The include closure of each file.
    #[must_use]
    pub fn closures(&self) -> &BTreeMap<SourceId, IncludeClosure> {
        &self.included().0
    }

    fn included(&self) -> &(BTreeMap<SourceId, IncludeClosure>, Diagnostics) {
        self.closures.get_or_init(|| {
            let mut diagnostics = Diagnostics::with_room(self.options.room);
            (include::closures(self.files(), &self.sources, &mut diagnostics), diagnostics)
        })
    }

    /// The bottles of all files as far as they can be made out beside errors, with their profiles laid under them: in
    /// the order of their places. One that extends what is not there is left out.
    #[must_use]
    pub fn bottles(&self) -> &[Bottle<Needs>] {
        &self.checked().bottles
    }

    /// The bottle whose name stands there.
    #[must_use]
    pub fn bottle(&self, name: Span) -> Option<&Bottle<Needs>> {
        self.bottles().iter().find(|bottle| bottle.settings.slug.span == name)
    }

    /// Everything that is to be said, in order.
    #[must_use]
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.checked().diagnostics
    }

    fn checked(&self) -> &Checked {
        self.checked.get_or_init(|| checked(self))
    }

    /// The sources, and everything that is to be said of them.
    #[must_use]
    pub fn into_parts(self) -> (Sources, Diagnostics) {
        self.checked();
        let Self { sources, checked, .. } = self;
        (sources, checked.into_inner().map(|checked| checked.diagnostics).unwrap_or_default())
    }

    /// A plan for each bottle, by name; none at all beside an error.
    #[must_use]
    pub fn plans(&self) -> Vec<Plan> {
        self.plans_seen_from(&self.options.stage_to_workspace, &|_| None)
    }

    /// The same, with another way to the workspace than the options', and where each bottle may get another name, as
    /// `bottlec up --name` gives it: one that can be a slug.
    #[must_use]
    pub fn plans_seen_from(
        &self,
        stage_to_workspace: &str,
        name: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<Plan> {
        if self.diagnostics().has_errors() {
            return Vec::new();
        }
        let mut digests: BTreeMap<SourceId, String> = BTreeMap::new();
        let mut plan = |bottle: &Bottle<Needs>| {
            let settings = &bottle.settings;
            let files = &self.closures()[&settings.slug.span.source].files;
            let digest = |id: &SourceId| {
                let source = self.sources.get(*id);
                let digest = digests.entry(*id).or_insert_with(|| sha256_hex(source.bytes()));
                (source.place().to_string(), digest.clone())
            };
            let context = plan::Context {
                sources: &self.sources,
                stage_to_workspace,
                digests: files.iter().map(digest).collect(),
                lints: files.iter().filter_map(|id| self.file(*id).lint.as_ref()).collect(),
            };
            let mut bottle = bottle.clone();
            if let Some(name) = name(&bottle.settings.slug.value) {
                bottle.settings.slug.value = name;
            }
            let addresses = bottle.settings.addresses();
            plan::plan(bottle, addresses, context)
        };
        let mut plans: Vec<Plan> = self.bottles().iter().map(&mut plan).collect();
        plans.sort_by(|a, b| a.slug.cmp(&b.slug));
        plans
    }
}

/// Asks every rule.
fn checked(analysis: &Analysis) -> Checked {
    let Analysis { sources, options, .. } = analysis;
    let files = analysis.files();
    let room = options.room;
    let mut syntax = Diagnostics::with_room(room);
    let mut diagnostics = Diagnostics::with_room(room);
    // Of what is built in, whose text nobody can edit, a test says that nothing is to be said.
    let written = || files.iter().filter(|(id, _)| !sources.get(**id).is_built_in());
    for (id, file) in written() {
        // What comes behind the bound was not even parsed.
        if let Some(Parsed { tree: _, problems }) = analysis.parsed[id.index()].get() {
            syntax.append(problems.clone());
        }
        if file.lint.is_some() {
            schema::check(analysis.tree(*id), &mut diagnostics);
        } else {
            diagnostics.push(fleet::too_many_nodes(Span::at(*id, 0), MAX_SIZE));
        }
    }
    let mut levels = Levels::new(
        files.values().filter_map(|file| file.lint.clone()),
        layers(files).flat_map(|layer| layer.lints.iter().cloned()),
        &options.overrides,
        options.ignore_lint,
    );
    lint::check(levels.lints(), &mut diagnostics);
    let mut acceptance = Acceptance::default();
    let (nothing, strict) = (Layer::default(), options.strict);
    for file in files.values() {
        check::secret_literal::check_file(file, &mut diagnostics);
    }
    for Profile { layer, .. } in written().flat_map(|(_, file)| &file.profiles) {
        let context = LayerContext { layer, under: Some(&nothing), sources, strict };
        diagnostics.append(acceptance.lower(&layer.accepts, check::layer(&context, room)));
    }
    check::names::check_profiles(written().flat_map(|(_, file)| &file.profiles), &mut diagnostics);
    let (closures, unreadable) = analysis.included();
    diagnostics.append(unreadable.clone());
    let decls: Vec<&BottleDecl> = files.values().flat_map(|file| &file.bottles).collect();
    // A file that is not even KDL may well have had a bottle, and a file of profiles is there to be included.
    let profiles = files.values().any(|file| !file.profiles.is_empty());
    if decls.is_empty() && !profiles && !diagnostics.has_errors() && !syntax.has_errors() {
        let start = sources.roots().first().map(|id| Span::at(*id, 0));
        if let Some(start) = start {
            diagnostics.push(fleet::empty(start));
        }
    }
    let unused_profiles = unused::profiles(files, closures, sources.roots());
    let (bottles, addresses) = bottles(analysis, (&mut acceptance, &mut levels), &mut diagnostics);
    // One whose profiles are not known is what it says by itself.
    let addresses =
        |decl: &BottleDecl| addresses.get(&decl.slug.span).copied().unwrap_or_else(|| decl.addresses());
    fleet::check(&decls, addresses, sources, &mut diagnostics);
    let mut diagnostics = cascade::suppress_cascades(syntax, diagnostics, sources);
    acceptance.unused(&mut diagnostics);
    // Beside an error nothing is said of what is not needed: fixing that may show what needs it.
    let whole = !diagnostics.has_errors();
    if whole {
        diagnostics.append(unused_profiles);
        diagnostics.append(unused::sidecars(&bottles));
        diagnostics.append(too_large(analysis, &bottles));
    }
    levels.apply(&mut diagnostics);
    if whole {
        let mut unused = lint::unused(&levels, sources, room);
        levels.apply(&mut unused);
        diagnostics.append(unused);
    }
    diagnostics.finish();
    diagnostic::keep_line_ends(&mut diagnostics, sources);
    Checked { diagnostics, bottles }
}

/// From how many bytes of specs on a bottle's configuration may be more than a ConfigMap holds: what is made of an entry is less
/// than this many times its text, and the rest of a configuration is the same for all.
const SMALL_SPECS: usize = 16 * 1024;

/// The configurations that are more than a cluster takes.
fn too_large(analysis: &Analysis, bottles: &[Bottle<Needs>]) -> Diagnostics {
    let mut found = Diagnostics::new();
    let size: usize = analysis.sources.iter().map(|(_, source)| source.text().len()).sum();
    if size < SMALL_SPECS {
        return found;
    }
    for bottle in bottles.iter().filter(|bottle| bottle.settings.cluster().is_some()) {
        let slug = &bottle.settings.slug;
        let context = plan::Context {
            sources: &analysis.sources,
            stage_to_workspace: &analysis.options.stage_to_workspace,
            digests: BTreeMap::new(),
            lints: Vec::new(),
        };
        let plan = plan::plan(bottle.clone(), bottle.settings.addresses(), context);
        for (name, size) in backend::kubernetes::too_large(&plan) {
            found.push(check::cluster::too_large(slug.span, name, size));
        }
    }
    found
}

fn layers(files: &BTreeMap<SourceId, File>) -> impl Iterator<Item = &Layer> {
    files.values().flat_map(|file| {
        let profiles = file.profiles.iter().map(|profile| &profile.layer);
        profiles.chain(file.bottles.iter().map(|bottle| &bottle.layer))
    })
}

/// Lays profiles under bottles, asks what can be said of each, and resolves what their sidecars need.
fn bottles(
    analysis: &Analysis,
    (acceptance, levels): (&mut Acceptance, &mut Levels<'_>),
    diagnostics: &mut Diagnostics,
) -> (Vec<Bottle<Needs>>, BTreeMap<Span, Addresses>) {
    let Analysis { sources, options, .. } = analysis;
    let files = analysis.files();
    let mut bottles = Vec::new();
    let mut nodes = 0;
    let is_built_in = |span: Span| sources.is_built_in(span);
    let (mut queues, mut published) = (Vec::new(), Vec::new());
    let mut addresses = BTreeMap::new();
    for (id, file) in files.iter().filter(|(_, file)| !file.bottles.is_empty() || !file.profiles.is_empty()) {
        let scope = Scope::new(*id, files, &analysis.closures()[id], sources, diagnostics);
        levels.bind(&scope.all(), &file.bottles);
        for decl in &file.bottles {
            nodes += scope.weight(decl);
            if nodes > MAX_NODES {
                diagnostics.push(fleet::too_large(decl, MAX_NODES));
                return (bottles, addresses);
            }
            let profiles = scope.layer(decl, sources, diagnostics);
            let (layer, under) = (&decl.layer, profiles.as_ref());
            let context = LayerContext { layer, under, sources, strict: options.strict };
            let brought = |source: SourceId| scope.brought(decl, sources.get(source).place());
            let mut found = check::layer(&context, options.room);
            found.change(|diagnostic| diagnostic.leave(is_built_in, brought));
            diagnostics.append(acceptance.lower(&layer.accepts, found));
            let Some(profiles) = profiles else { continue };
            let bottle = Bottle::assemble(decl, profiles);
            addresses.insert(bottle.settings.slug.span, bottle.settings.addresses());
            // Only a host has either.
            if bottle.settings.cluster().is_none() {
                queues.extend(queue::Claim::of(&bottle, sources));
            }
            published.extend(machine::Claim::of(&bottle));
            let mut found = check::bottle(&BottleContext { bottle: &bottle, sources }, options.room);
            let Settings { slug, accepts, lints, .. } = &bottle.settings;
            found.change(|diagnostic| {
                diagnostic.bottle = Some(slug.span);
                diagnostic.leave(is_built_in, brought);
            });
            acceptance.see(accepts);
            levels.see(lints);
            diagnostics.append(acceptance.lower(accepts, found));
            bottles.extend(members::resolve(bottle, diagnostics));
        }
    }
    queue::check(queues, diagnostics);
    machine::taken(&published, diagnostics);
    (bottles, addresses)
}
