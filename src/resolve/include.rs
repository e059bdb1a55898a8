//! `include`: paths to sources, the files that each file reaches, and circles.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{File, Spanned};
use crate::path::join;
use crate::resolve::message::circle;
use crate::rule::catalogue;
use crate::schema::ValueType;
use crate::source::{MAX_SOURCE_BYTES, Source, SourceId, Sources, Span};
use crate::syntax::Value;
use crate::text::quote;
use crate::world::catalogue::place_of;

/// How many files the specs of one run may include in all, and how many bytes those may have: a small file must not
/// make the compiler read a whole disk.
const MAX_INCLUDES: usize = 256;
const MAX_INCLUDED_BYTES: usize = 4 * MAX_SOURCE_BYTES;

/// What a workspace is, for somebody whose `include` leads out of it.
const WORKSPACE: &str = "the workspace is the nearest directory above the spec with a `.git` or a `.bottlec` in it, else the \
     spec's own: put an empty `.bottlec` into the directory above both, or move the file";

/// The place of the source that `path`, written in the source at `from`, stands for: both are paths in the workspace
/// with `/` between their parts. `None` when it leaves the workspace.
#[must_use]
pub fn target(from: &str, path: &str) -> Option<String> {
    let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
    let joined = join(directory, path);
    (joined != ".." && !joined.starts_with("../")).then_some(joined)
}

/// Adds what the sources include, and what those include: `includes` gives the paths that a source names, and `read` a
/// file by its place, or why it cannot be read. At most 256 files are read.
pub fn follow(
    sources: &mut Sources,
    mut includes: impl FnMut(&Sources, SourceId) -> Vec<Spanned<String>>,
    mut read: impl FnMut(&str) -> Result<Source, String>,
) {
    let mut open: Vec<SourceId> = sources.iter().map(|(id, _)| id).collect();
    let (mut files, mut bytes) = (0, 0);
    while let Some(id) = open.pop() {
        for path in includes(sources, id) {
            let Some(target) = target(sources.get(id).place(), &path.value) else { continue };
            if sources.at(&target).is_some() || sources.why_absent(&target).is_some() {
                continue;
            }
            if files == MAX_INCLUDES || bytes > MAX_INCLUDED_BYTES {
                sources.add_absent(
                    target,
                    format!("the specs include more than {MAX_INCLUDES} files or 64 MiB"),
                );
                continue;
            }
            match read(&target) {
                Ok(source) => {
                    files += 1;
                    bytes += source.bytes().len();
                    open.extend(sources.add_target(target, source));
                }
                Err(why) => sources.add_absent(target, why),
            }
        }
    }
}

/// The files that one file reaches over its includes.
#[derive(Debug)]
pub struct IncludeClosure {
    /// The files, itself among them.
    pub files: BTreeSet<SourceId>,
    /// Whether some include in them could not be followed, so that there may be more.
    pub partial: bool,
}

/// The sources that each file reaches over its includes. Reports what cannot be included.
pub fn closures(
    files: &BTreeMap<SourceId, File>,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<SourceId, IncludeClosure> {
    let mut edges: BTreeMap<SourceId, Vec<(SourceId, Span)>> = BTreeMap::new();
    let mut partial = BTreeSet::new();
    for (id, file) in files {
        let found = file.includes.iter().filter_map(|include| {
            let to = resolve(*id, include, sources, diagnostics);
            if to.is_none() {
                partial.insert(*id);
            }
            Some((to?, include.span))
        });
        let found: Vec<_> = found.collect();
        // What is built in is there without an include, and includes nothing: it is in no circle.
        let built_in = file.extended().filter_map(|name| sources.at(&place_of(name)?));
        let built_in = built_in.map(|to| (to, Span::at(*id, 0)));
        edges.insert(*id, found.into_iter().chain(built_in).collect());
    }
    report_cycles(&edges, sources, diagnostics);
    let closure_of = |start: SourceId| {
        let mut reached = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(id) = open.pop() {
            for (to, _) in edges.get(&id).into_iter().flatten() {
                if reached.insert(*to) {
                    open.push(*to);
                }
            }
        }
        let partial = reached.iter().any(|id| partial.contains(id));
        IncludeClosure { files: reached, partial }
    };
    files.keys().map(|id| (*id, closure_of(*id))).collect()
}

/// The source that `path`, written in `from`, stands for; nothing when it is not among them.
#[must_use]
pub(crate) fn find(from: SourceId, path: &str, sources: &Sources) -> Option<SourceId> {
    ValueType::RelativePath.check(Value::String(path)).ok()?;
    sources.at(&target(sources.get(from).place(), path)?)
}

fn resolve(
    from: SourceId,
    include: &Spanned<String>,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<SourceId> {
    // A path that is none is reported by the schema.
    if ValueType::RelativePath.check(Value::String(&include.value)).is_err() {
        return None;
    }
    let Some(target) = target(sources.get(from).place(), &include.value) else {
        diagnostics.push(
            Diagnostic::new(
                &catalogue::INCLUDE_ESCAPE,
                include.span,
                format!("{} leaves the workspace", quote(&include.value)),
            )
            .label("expected a file of the workspace")
            .help(WORKSPACE),
        );
        return None;
    };
    let found = sources.at(&target);
    if found.is_none() {
        let why = sources.why_absent(&target).unwrap_or("it is not there");
        diagnostics.push(
            Diagnostic::new(
                &catalogue::INCLUDE_UNREADABLE,
                include.span,
                format!("{} cannot be included: {why}", quote(&target)),
            )
            .label("expected a file that can be read")
            .help(format!("the path is relative to the directory of {}", quote(sources.get(from).name()))),
        );
    }
    found
}

/// One diagnostic for each circle, at its smallest place.
fn report_cycles(
    edges: &BTreeMap<SourceId, Vec<(SourceId, Span)>>,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    let ids: Vec<SourceId> = edges.keys().copied().collect();
    let number = |id: &SourceId| ids.binary_search(id).ok();
    let needs = edges.iter().flat_map(|(from, to)| {
        to.iter().filter_map(move |(to, span)| {
            Some(crate::resolve::graph::Need { from: number(from)?, to: number(to)?, span: *span })
        })
    });
    let Err(cycles) = crate::resolve::graph::Graph::new(ids.len(), needs).waves() else { return };
    for cycle in cycles {
        let name = |at: usize| sources.get(ids[at]).name();
        let diagnostic =
            circle(&catalogue::INCLUDE_CYCLE, &cycle, "files include each other", "includes", name);
        diagnostics.push(diagnostic.help(if cycle.len() == 1 {
            "take it out"
        } else {
            "take one of these out"
        }));
    }
}
