//! The ledger, read from `ledger.kdl`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Version;
use crate::diagnostic::Diagnostics;
use crate::source::{Source, Sources};
use crate::syntax::{self, Node, Value};

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)*) => {
        /// A question about an engine version, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Capability {
            $($(#[$doc])* $name,)*
        }

        impl Capability {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the ledger.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
        }
    };
}

capabilities! {
    /// A Smolfile's `[network] allow_cidrs` is known.
    CidrPolicy = "cidr-policy",
    /// That policy is enforced.
    EnforcesCidrPolicy = "enforces-cidr-policy",
    /// `machine create --from` keeps a policy.
    FromKeepsPolicy = "from-keeps-policy",
    /// `--image` takes a directory.
    LocalImage = "local-image",
    /// `machine create` takes `--dns`.
    DnsRedirect = "dns-redirect",
    /// A Smolfile's `[secrets]` is known.
    SecretsSection = "secrets-section",
    /// `machine create` takes `--secret-env` and `--secret-file`.
    SecretFlags = "secret-flags",
}

/// One row of the ledger.
#[derive(Debug)]
pub struct Row {
    /// The first version that has it.
    pub since: Version,
    /// What it is.
    pub summary: String,
    /// How it is known.
    pub evidence: String,
}

/// What is known of an engine's versions.
#[derive(Debug)]
pub struct Ledger {
    /// The oldest version that was looked at.
    pub oldest: Version,
    /// The newest version that was looked at.
    pub newest: Version,
    rows: BTreeMap<Capability, Row>,
}

static SMOLVM_LEDGER: LazyLock<Ledger> = LazyLock::new(|| Ledger::read(include_str!("ledger.kdl")));

impl Ledger {
    /// The ledger of smolvm.
    #[must_use]
    pub fn smolvm() -> &'static Self {
        &SMOLVM_LEDGER
    }

    /// The row of a capability.
    ///
    /// # Panics
    /// When the ledger lacks it, which the tests rule out.
    #[must_use]
    pub fn row(&self, capability: Capability) -> &Row {
        &self.rows[&capability]
    }

    /// Whether `version` has it. A version newer than the ledger is taken for the newest known one.
    #[must_use]
    pub fn has(&self, capability: Capability, version: Version) -> bool {
        version >= self.row(capability).since
    }

    /// Reads the table. It is part of the program, so a mistake in it is a mistake of ours and stops every test.
    fn read(text: &str) -> Self {
        let mut sources = Sources::new();
        let id = sources.add(Source::new("ledger.kdl", text));
        let mut diagnostics = Diagnostics::new();
        let tree = syntax::parse(id, sources.get(id), &mut diagnostics);
        assert!(diagnostics.is_empty(), "the ledger is KDL: {diagnostics:?}");
        let engine = tree.nodes().find(|node| node.name() == "engine").expect("the ledger names its engine");
        let rows = tree.nodes().filter(|node| node.name() == "capability").map(|node| {
            let id = argument(node);
            let capability = Capability::ALL.iter().find(|capability| capability.id() == id);
            let text =
                |name| node.children().find(|child| child.name() == name).map_or("", argument).to_owned();
            let row =
                Row { since: version(node, "since"), summary: text("summary"), evidence: text("evidence") };
            (*capability.expect("a capability that something asks for"), row)
        });
        Self { oldest: version(engine, "oldest"), newest: version(engine, "newest"), rows: rows.collect() }
    }
}

fn argument(node: Node<'_>) -> &str {
    match node.entries().find(|entry| entry.key().is_none()).map(syntax::Entry::value) {
        Some(Value::String(text)) => text,
        _ => "",
    }
}

fn version(node: Node<'_>, key: &str) -> Version {
    let entry = node.entries().find(|entry| entry.key().is_some_and(|(name, _)| name == key));
    match entry.map(syntax::Entry::value) {
        Some(Value::String(text)) => text.parse().expect("a version in the ledger"),
        _ => panic!("a version in the ledger"),
    }
}
