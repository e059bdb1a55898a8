//! Symbol index: the occurrences of every name, and which of them are one symbol.
//!
//! Names are read off the trees, so that they are there while a text is broken. Two places of one name are one thing
//! when some spec lays them on each other: a renaming must change both or none.

mod collect;
mod unite;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use super::analysis::Asked;
use crate::compile::Analysis;
use crate::resolve::include;
use crate::source::{SourceId, Span};
use unite::Below;

/// The kind of thing that a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A bottle.
    Bottle,
    /// A profile.
    Profile,
    /// A sidecar of the user's.
    Sidecar,
    /// A built-in sidecar.
    Builtin,
    /// A repository.
    Repository,
    /// A credential of the broker's.
    Credential,
    /// An environment variable of the agent.
    Variable,
    /// A pattern of the user's own.
    Pattern,
    /// A rule of ours that a spec may accept.
    Rule,
}

/// What holds the places of a name that are one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// A file and what it includes.
    File,
    /// A bottle or a profile and what it extends.
    Layer,
    /// Nothing: the name is the same everywhere.
    Everywhere,
}

impl Kind {
    /// The word for such a thing.
    #[must_use]
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Bottle => "bottle",
            Self::Profile => "profile",
            Self::Sidecar => "sidecar",
            Self::Builtin => "built-in sidecar",
            Self::Repository => "repository",
            Self::Credential => "credential",
            Self::Variable => "variable",
            Self::Pattern => "pattern",
            Self::Rule => "rule",
        }
    }

    fn sight(self) -> Sight {
        match self {
            Self::Bottle | Self::Profile => Sight::File,
            Self::Sidecar
            | Self::Builtin
            | Self::Repository
            | Self::Credential
            | Self::Variable
            | Self::Pattern => Sight::Layer,
            Self::Rule => Sight::Everywhere,
        }
    }
}

/// The role of an occurrence: definition or reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It gives the name to something: to the node of that span.
    Definition(Span),
    /// It speaks of what has the name.
    Reference,
}

/// A place where a name stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence<'a> {
    /// What it is the name of.
    pub(super) kind: Kind,
    /// What the place does with it.
    pub(super) role: Role,
    /// The name.
    pub(super) text: &'a str,
    /// The place, with the quotes if there are any.
    pub(super) span: Span,
    /// The bottle or profile that it stands in, or that it names.
    pub(super) layer: usize,
}

impl Occurrence<'_> {
    /// Whether it gives the name to something.
    #[must_use]
    pub(super) fn is_definition(&self) -> bool {
        matches!(self.role, Role::Definition(_))
    }
}

/// Every place of a name in the files of an analysis.
#[derive(Debug)]
pub(super) struct Names<'a> {
    analysis: &'a Analysis,
    /// In the order of their files and places.
    occurrences: Vec<Occurrence<'a>>,
    /// Which of them each file has, in the order of the files.
    of_file: Vec<Range<usize>>,
    /// Bottles and profiles in the order of their files and places, each by the number of its name. One without a name is
    /// being written.
    layers: Vec<Option<usize>>,
    files: OnceCell<Below>,
    layered: OnceCell<Below>,
}

impl<'a> Names<'a> {
    /// Collects the names of `analysis`.
    #[must_use]
    pub(super) fn new(analysis: &'a Analysis) -> Self {
        let (mut occurrences, mut layers, mut of_file) = (Vec::new(), Vec::new(), Vec::new());
        for id in analysis.files().keys() {
            let start = occurrences.len();
            collect::collect(analysis.tree(*id), &mut occurrences, &mut layers);
            of_file.push(start..occurrences.len());
        }
        let (files, layered) = (OnceCell::new(), OnceCell::new());
        Self { analysis, occurrences, of_file, layers, files, layered }
    }

    /// An occurrence by its number.
    #[must_use]
    pub(super) fn get(&self, at: usize) -> &Occurrence<'a> {
        &self.occurrences[at]
    }

    /// All of a file, in order.
    #[must_use]
    pub(super) fn of_file(&self, id: SourceId) -> &[Occurrence<'a>] {
        self.of_file.get(id.index()).map_or(&[], |range| &self.occurrences[range.clone()])
    }

    /// The name of a bottle or profile.
    #[must_use]
    pub(super) fn of_layer(&self, layer: usize) -> Option<&Occurrence<'a>> {
        self.layers[layer].map(|at| self.get(at))
    }

    /// The number of the first definition of that kind in a bottle or profile.
    #[must_use]
    pub(super) fn first(&self, layer: usize, kind: Kind) -> Option<usize> {
        let start = self.occurrences.partition_point(|it| it.layer < layer);
        let own = self.occurrences[start..].iter().take_while(|it| it.layer == layer);
        own.enumerate().find(|(_, it)| it.kind == kind && it.is_definition()).map(|(at, _)| start + at)
    }

    /// The number of the occurrence that holds a place, or that ends right before it.
    #[must_use]
    pub(super) fn at(&self, id: SourceId, offset: u32) -> Option<usize> {
        let range = self.of_file.get(id.index())?;
        let next = self.of_file(id).partition_point(|it| it.span.start <= offset);
        let at = range.start + next.checked_sub(1)?;
        (offset <= self.occurrences[at].span.end).then_some(at)
    }

    /// The numbers of all occurrences that are one thing with that one, in order.
    #[must_use]
    pub(super) fn same(&self, at: usize) -> Vec<usize> {
        let Occurrence { kind, text, .. } = self.occurrences[at];
        let alike: Vec<usize> =
            self.numbers().filter(|it| self.get(*it).kind == kind && self.get(*it).text == text).collect();
        match kind.sight() {
            Sight::Everywhere => alike,
            sight => {
                let classes = self.classes(sight, &alike);
                let own = alike.iter().zip(&classes).find(|(it, _)| **it == at).map(|(_, class)| *class);
                alike
                    .into_iter()
                    .zip(classes)
                    .filter(|(_, class)| Some(*class) == own)
                    .map(|it| it.0)
                    .collect()
            }
        }
    }

    /// The first definition by another name that would be in the way of those occurrences: of the same kind, in sight of
    /// something that also sees one of them, and by a name of which `taken` holds.
    #[must_use]
    pub(super) fn collision(&self, same: &[usize], taken: impl Fn(&str) -> bool) -> Option<&Occurrence<'a>> {
        let kind = self.get(*same.first()?).kind;
        let sight = kind.sight();
        let others = self.numbers().filter(|at| {
            let it = self.get(*at);
            it.kind == kind && it.is_definition() && taken(it.text) && same.binary_search(at).is_err()
        });
        let others: Vec<usize> = others.collect();
        let node = |at: &usize| self.node(sight, *at);
        let own: Vec<usize> = same.iter().map(node).collect();
        let theirs: Vec<usize> = others.iter().map(node).collect();
        self.below(sight).meeting(&own, &theirs).map(|first| self.get(others[first]))
    }

    fn numbers(&self) -> Range<usize> {
        0..self.occurrences.len()
    }

    /// What an occurrence counts for among what sees it.
    fn node(&self, sight: Sight, at: usize) -> usize {
        match sight {
            Sight::File => self.get(at).span.source.index(),
            Sight::Layer => self.get(at).layer,
            Sight::Everywhere => 0,
        }
    }

    /// Equal numbers for those of `alike`, places of one name, that are one thing.
    fn classes(&self, sight: Sight, alike: &[usize]) -> Vec<usize> {
        // Nearly every name is at home in one file or in one layer.
        let nodes: Vec<usize> = alike.iter().map(|at| self.node(sight, *at)).collect();
        if nodes.windows(2).all(|pair| pair[0] == pair[1]) {
            return vec![0; alike.len()];
        }
        self.below(sight).classes(&nodes)
    }

    fn below(&self, sight: Sight) -> &Below {
        match sight {
            Sight::File | Sight::Everywhere => self.files.get_or_init(|| self.includes()),
            Sight::Layer => self.layered.get_or_init(|| self.extends()),
        }
    }

    /// Which files lie below which: what includes leads to.
    fn includes(&self) -> Below {
        let files = self.analysis.files();
        let edges = files.iter().flat_map(|(from, file)| {
            let targets = file.includes.iter();
            targets.filter_map(|path| {
                let to = include::find(*from, &path.value, self.analysis.sources())?;
                Some((from.index(), to.index()))
            })
        });
        Below::new(files.len(), edges)
    }

    /// Which layers lie below which. Of several profiles that a name may mean, which is a mistake, all do.
    fn extends(&self) -> Below {
        let mut profiles: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for at in self.numbers().filter(|at| self.get(*at).kind == Kind::Profile) {
            profiles.entry(self.get(at).text).or_default().push(at);
        }
        // Between those that extend a name and those that have it stands one node, lest each be linked with each.
        let mut nodes = self.layers.len();
        let mut edges = Vec::new();
        for alike in profiles.into_values() {
            let mut hubs: BTreeMap<usize, usize> = BTreeMap::new();
            for (at, class) in alike.iter().zip(self.classes(Sight::File, &alike)) {
                let hub = *hubs.entry(class).or_insert_with(|| {
                    nodes += 1;
                    nodes - 1
                });
                let Occurrence { layer, role, .. } = self.get(*at);
                edges.push(match role {
                    Role::Definition(_) => (hub, *layer),
                    Role::Reference => (*layer, hub),
                });
            }
        }
        Below::new(nodes, edges)
    }
}

/// Where a string's text stands in the way it is written: behind its quotes, or all of it. `None` where it is written
/// otherwise than it reads.
#[must_use]
pub(super) fn within(written: &str, text: &str) -> Option<Range<usize>> {
    let around = written.len().checked_sub(text.len())? / 2;
    let (before, rest) = written.split_at_checked(around)?;
    let after = rest.strip_prefix(text)?;
    let hashes = before.strip_suffix('"').unwrap_or(before);
    let quoted = hashes.bytes().all(|byte| byte == b'#') && after.bytes().rev().eq(before.bytes());
    quoted.then_some(around..around + text.len())
}

/// The place of a name without its quotes, where it has some around itself and nothing else.
#[must_use]
pub(super) fn unquoted(asked: Asked<'_>, text: &str, span: Span) -> Span {
    let written = asked.analysis.sources().text(span);
    let offset = |at: usize| span.start + u32::try_from(at).unwrap_or(u32::MAX);
    within(written, text).map_or(span, |range| Span::new(span.source, offset(range.start)..offset(range.end)))
}
