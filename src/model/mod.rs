//! The typed model of a spec, one file a section. Every leaf knows the place that it came from.
//!
//! Decoding takes a tree that `schema::check` has spoken about: what it refused is left out here without another
//! word, so that one mistake is one diagnostic. Names are kept even when they are not valid ones, since leaving them
//! out would make every mention of them a second mistake.

mod accept;
mod agent;
mod backend;
mod boot;
mod bottle;
mod credential;
mod egress;
mod engine;
mod env;
mod expect;
mod git;
mod layer;
mod lint;
mod machine;
mod pipelock;
mod sidecar;
mod supervise;

pub use accept::Accept;
pub use agent::{Agent, McpFile};
pub use backend::Backend;
pub use boot::Boot;
pub use bottle::{Bottle, Member, MemberKind, Names, Settings};
pub use credential::{Credential, Login, Requests, Scheme};
pub use egress::{Action, Egress, Host, Logged, Overruled, Pattern, Tls};
pub use engine::Engine;
pub use env::{Reference, Variable, VariableValue};
pub use expect::Expectation;
pub use git::{Git, GitUser, Repo, RepoSource, UpstreamRepo};
pub use layer::{BuiltinNeeds, Layer, WrittenSecret};
pub use lint::{Lint, LintEntry};
pub use machine::{Machine, MachineVolume, Published};
pub use pipelock::Pipelock;
pub use sidecar::{
    Expose, Health, Limits, Port, SecretFile, ServesMcp, Service, Sidecar, Volume, VolumeSource,
};
pub use supervise::Supervise;

use crate::schema::ValueType;
use crate::source::{Source, Span};
use crate::syntax::{Entry, Node, Tree, Value};
use crate::text::did_you_mean;
use crate::world::catalogue;
use crate::world::network::Addresses;

/// The nodes by which a spec is told from other programs' KDL.
const TOP: [&str; 3] = ["bottle", "profile", "include"];

/// Whether the first line that is no comment begins with such a node: then it is not parsed only to be told a spec.
fn begins_as_one(text: &str) -> bool {
    let mut lines =
        text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let first = lines.next().unwrap_or_default();
    TOP.iter().any(|node| first.strip_prefix(node).is_some_and(|rest| rest.starts_with([' ', '\t', '{'])))
}

/// Whether a file is meant to be a spec: other programs' configurations are KDL, too. One whose every node is a slip of a
/// spec's counts, and one that is no KDL at all if it holds the words of a spec.
#[must_use]
pub fn is_spec<'t>(source: &Source, tree: impl FnOnce() -> &'t Tree) -> bool {
    if begins_as_one(source.text()) {
        return true;
    }
    let known = |name: &str| TOP.contains(&name) || did_you_mean(name, TOP).is_some();
    let mut nodes = tree().nodes().peekable();
    let empty = nodes.peek().is_none();
    nodes.any(|node| known(node.name()))
        || source.too_large().is_some()
        || (empty && TOP.iter().any(|word| source.text().contains(word)))
}

/// A value and the place that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Applies a function that may have no value.
    fn filter_map<U>(self, function: impl FnOnce(T) -> Option<U>) -> Option<Spanned<U>> {
        Some(Spanned { value: function(self.value)?, span: self.span })
    }
}

/// A name that is not resolved yet.
pub type Name = String;

/// One decoded file.
#[derive(Debug, Default)]
pub struct File {
    /// The levels that it sets; none of a file that was not decoded.
    pub lint: Option<Lint>,
    /// The paths of its `include`s, as they are written.
    pub includes: Vec<Spanned<String>>,
    /// Its profiles.
    pub profiles: Vec<Profile>,
    /// Its bottles, before any profile is laid under them.
    pub bottles: Vec<BottleDecl>,
    /// The credentials that stand in its text outside of both.
    pub written_secrets: Vec<WrittenSecret>,
}

/// A `profile` as it is written.
#[derive(Debug)]
pub struct Profile {
    /// Its name.
    pub name: Spanned<Name>,
    /// The profiles under it, left to right.
    pub extends: Vec<Spanned<Name>>,
    /// What it sets.
    pub layer: Layer,
}

/// A `bottle` as it is written.
#[derive(Debug)]
pub struct BottleDecl {
    /// Its name.
    pub slug: Spanned<Name>,
    /// The profiles under it, left to right.
    pub extends: Vec<Spanned<Name>>,
    /// What it sets.
    pub layer: Layer,
    /// The pinned octet of its subnet.
    pub octet: Option<Spanned<u8>>,
    /// Its line: the name and its argument.
    pub head: Span,
    /// Its block.
    pub block: Option<Span>,
}

impl BottleDecl {
    /// Its addresses, as far as it says by itself what runs it.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        addresses(&self.slug.value, self.octet, self.layer.backend.as_ref())
    }
}

/// The addresses of a bottle.
fn addresses(slug: &str, octet: Option<Spanned<u8>>, backend: Option<&Backend>) -> Addresses {
    let addresses = Addresses::of(slug, octet.map(|octet| octet.value));
    match backend.and_then(Backend::services) {
        Some(services) => addresses.in_cluster(services, octet.is_some()),
        None => addresses,
    }
}

/// The paths of the `include`s of a file, as they are written.
pub fn includes(tree: &Tree) -> impl Iterator<Item = Spanned<String>> {
    tree.nodes().filter(|node| node.name() == "include").filter_map(first_argument)
}

/// The built-in profiles that a file extends, by name.
pub fn extended(tree: &Tree) -> impl Iterator<Item = &str> {
    let blocks = tree.nodes().filter(|node| matches!(node.name(), "bottle" | "profile"));
    let extends = blocks.flat_map(Node::children).filter(|node| node.name() == "extends");
    extends.flat_map(Node::entries).filter_map(|entry| match entry.value() {
        Value::String(name) if name.starts_with(catalogue::PREFIX) => Some(name),
        _ => None,
    })
}

impl File {
    /// The built-in profiles that it extends, by name.
    pub fn extended(&self) -> impl Iterator<Item = &str> {
        let of_bottles = self.bottles.iter().map(|bottle| &bottle.extends);
        let names = of_bottles.chain(self.profiles.iter().map(|profile| &profile.extends)).flatten();
        names.map(|name| name.value.as_str()).filter(|name| name.starts_with(catalogue::PREFIX))
    }

    /// Decodes the text of a built-in profile. Whatever else may stand in it, it gives an agent, variables, allowed
    /// hosts and credentials: it accepts nothing, sets no level, and names nothing of a host.
    #[must_use]
    pub fn decode_built_in(tree: &Tree) -> Self {
        let Self { lint, includes: _, profiles, bottles: _, written_secrets: _ } = Self::decode(tree);
        let silent = |lint: Lint| Lint { entries: Vec::new(), ..lint };
        let profile = |Profile { name, extends, layer }| {
            let Layer { agent, env, egress, credentials, lints, .. } = layer;
            let layer = Layer {
                agent,
                env,
                credentials,
                egress: Egress { allow: egress.allow, ..Egress::default() },
                lints: lints.into_iter().map(silent).collect(),
                ..Layer::default()
            };
            Profile { name, extends, layer }
        };
        Self {
            lint: lint.map(silent),
            profiles: profiles.into_iter().map(profile).collect(),
            ..Self::default()
        }
    }

    /// Decodes a file.
    #[must_use]
    pub fn decode(tree: &Tree) -> Self {
        let mut file =
            Self { lint: Some(Lint::of_file(tree)), includes: includes(tree).collect(), ..Self::default() };
        for node in tree.nodes() {
            let name = first_argument(node);
            match (node.name(), name) {
                ("profile", Some(name)) => {
                    let (extends, layer) = (extends(node), Layer::decode(node));
                    file.profiles.push(Profile { name, extends, layer });
                }
                ("bottle", Some(slug)) => {
                    let octet = child(node, "network").and_then(|network| property(network, "octet"));
                    let octet = octet.filter(|entry| ValueType::Octet.check(entry.value()).is_ok());
                    let octet = octet.and_then(|entry| {
                        let value = u8::try_from(number(entry)?).ok()?;
                        Some(Spanned { value, span: entry.value_span() })
                    });
                    let (extends, layer) = (extends(node), Layer::decode(node));
                    let (head, block) = (node.head_span(), node.block_span());
                    file.bottles.push(BottleDecl { slug, extends, layer, octet, head, block });
                }
                _ => file.written_secrets.extend(layer::written_secrets(node)),
            }
        }
        file
    }
}

fn extends(node: Node<'_>) -> Vec<Spanned<Name>> {
    children(node, "extends").flat_map(arguments).collect()
}

/// The children of that name.
fn children<'t>(node: Node<'t>, name: &'static str) -> impl Iterator<Item = Node<'t>> {
    node.children().filter(move |child| child.name() == name)
}

/// The first child of that name: of a node that may stand once, the others are reported.
fn child<'t>(node: Node<'t>, name: &'static str) -> Option<Node<'t>> {
    children(node, name).next()
}

/// The text arguments.
fn arguments(node: Node<'_>) -> impl Iterator<Item = Spanned<String>> {
    node.entries().filter(|entry| entry.key().is_none()).filter_map(text)
}

fn first_argument(node: Node<'_>) -> Option<Spanned<String>> {
    arguments(node).next()
}

/// The property of that key.
fn property<'t>(node: Node<'t>, key: &str) -> Option<Entry<'t>> {
    node.entries().find(|entry| entry.key().is_some_and(|(name, _)| name == key))
}

fn text_property(node: Node<'_>, key: &str) -> Option<Spanned<String>> {
    property(node, key).and_then(text)
}

fn text(entry: Entry<'_>) -> Option<Spanned<String>> {
    match entry.value() {
        Value::String(text) => Some(Spanned { value: text.to_owned(), span: entry.value_span() }),
        _ => None,
    }
}

fn number(entry: Entry<'_>) -> Option<i128> {
    match entry.value() {
        Value::Integer(number) => Some(number),
        _ => None,
    }
}

/// A property as a number that fits.
fn number_property<T: TryFrom<i128>>(node: Node<'_>, key: &str) -> Option<Spanned<T>> {
    let entry = property(node, key)?;
    let value = T::try_from(number(entry)?).ok()?;
    Some(Spanned { value, span: entry.value_span() })
}

/// Whether a volume may be written to, and where that is said: without a word, at `otherwise`.
fn access(volume: Node<'_>, otherwise: Span) -> Spanned<bool> {
    let access = text_property(volume, "access");
    // What is neither was reported, and is meant to be more than what holds without it.
    let writable = access.as_ref().is_some_and(|access| access.value != "read-only");
    Spanned { value: writable, span: access.map_or(otherwise, |access| access.span) }
}

/// The first argument as a number that fits.
fn number_argument<T: TryFrom<i128>>(node: Node<'_>) -> Option<Spanned<T>> {
    let entry = node.entries().find(|entry| entry.key().is_none())?;
    let value = T::try_from(number(entry)?).ok()?;
    Some(Spanned { value, span: entry.value_span() })
}
