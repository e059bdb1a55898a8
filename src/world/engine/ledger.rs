//! The ledger of engine versions, read from `ledger.kdl`.

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
    /// The policy gains a public resolver.
    AddsPublicResolver = "adds-public-resolver",
    /// The policy gains the host's resolver.
    AddsHostResolver = "adds-host-resolver",
    /// A private address may be refused although it is allowed.
    PrivateFloor = "private-floor",
    /// `SMOLVM_PUBLISH_ADDR` refuses the bundle.
    PublishFloor = "publish-floor",
    /// `SMOLVM_EGRESS_FLOOR` refuses the bundle.
    StrictFloor = "strict-floor",
    /// `SMOLVM_EXTRA_DISK` attaches disks of the host.
    ExtraDisk = "extra-disk",
    /// `SMOLVM_GUEST_HOST_SERVICE` opens a port of the host's loopback.
    GuestHostService = "guest-host-service",
    /// `SMOLVM_LANDLOCK` and `SMOLVM_SECCOMP` confine the engine's own process.
    ConfinesItself = "confines-itself",
    /// `machine create --from` is known.
    FromFlag = "from-flag",
    /// `machine create --from` keeps a policy.
    FromKeepsPolicy = "from-keeps-policy",
    /// `--image` takes a directory.
    LocalImage = "local-image",
    /// `--image` takes a packed machine, and ignores the Smolfile.
    PackByImage = "pack-by-image",
    /// The host fetches an image, not the confined guest.
    HostPullsImage = "host-pulls-image",
    /// `machine create` takes `--dns`.
    DnsRedirect = "dns-redirect",
    /// `machine create` and `machine delete` take a machine's name by `--name`, as all other commands do.
    NameFlag = "name-flag",
    /// A Smolfile's `[secrets]` is known.
    SecretsSection = "secrets-section",
    /// `machine exec` takes `--secret-env` and `--secret-file`.
    ExecSecretFlags = "exec-secret-flags",
    /// A packed machine keeps no reference to a secret that it is made with.
    PackDropsSecrets = "pack-drops-secrets",
    /// `machine egress-events` is known.
    EgressEvents = "egress-events",
    /// `machine cp`, `machine ls --json` and `machine exec --workdir` are known.
    Provisioning = "provisioning",
    /// `machine exec` takes `--user`.
    ExecUser = "exec-user",
    /// A published port is bound on the host's loopback alone.
    PublishLoopback = "publish-loopback",
    /// `machine create` takes `--gpu`.
    GpuFlag = "gpu-flag",
    /// `machine create --from` takes the engine's own defaults, when they are asked for.
    FromTakesUsual = "from-takes-usual",
}

/// The effect of a capability on the guarantee that the agent may dial its bundle only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It keeps the agent to the bundle.
    Confines,
    /// It opens a way past the bundle.
    Opens,
    /// It closes the way to the bundle.
    Closes,
    /// Nothing.
    None,
}

impl Effect {
    const ALL: [Self; 4] = [Self::Confines, Self::Opens, Self::Closes, Self::None];

    /// The word for it in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confines => "confines",
            Self::Opens => "opens",
            Self::Closes => "closes",
            Self::None => "none",
        }
    }
}

/// A variable of the host that the plan's commands are run without.
#[derive(Debug)]
pub struct Unset {
    /// Its name.
    pub name: String,
    /// What it would do.
    pub because: String,
}

/// One row of the ledger.
#[derive(Debug)]
pub struct Row {
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it; none when the newest known one does, too.
    pub until: Option<Version>,
    /// The last version that is known not to have it yet, where that is not the one before `since`.
    pub after: Option<Version>,
    /// What it means for the promise.
    pub effect: Effect,
    /// What it is.
    pub summary: String,
    /// The variable that it hangs on, which would do harm.
    pub unset: Option<Unset>,
    /// The variables that it hangs on, and the value of each that does good.
    pub set: Vec<(String, String)>,
    /// How it is known.
    pub evidence: String,
    /// The day of the newest evidence, as year, month and day.
    pub on: String,
}

impl Row {
    fn holds(&self, version: Version) -> bool {
        version >= self.since && self.until.is_none_or(|until| version <= until)
    }

    /// The versions that have it: "since 1.8.0", "0.2.0 to 0.8.0".
    #[must_use]
    pub fn versions(&self) -> String {
        match self.until {
            None => format!("since {}", self.since),
            Some(until) => format!("{} to {until}", self.since),
        }
    }
}

/// The versions of an engine, and their capabilities.
#[derive(Debug)]
pub struct Ledger {
    /// The oldest version that was looked at.
    pub oldest: Version,
    /// The newest version that was looked at.
    pub newest: Version,
    rows: BTreeMap<Capability, Row>,
    /// What no stage does, and what undoes one that is confined, by name.
    pub around: Vec<(String, Row)>,
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
        self.row(capability).holds(version.min(self.newest))
    }

    /// The rows that `version` has.
    pub fn rows(&self, version: Version) -> impl Iterator<Item = &Row> {
        self.rows.values().filter(move |row| row.holds(version.min(self.newest)))
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
            (*capability.expect("a capability that something asks for"), row(node))
        });
        let around = tree.nodes().filter(|node| node.name() == "around");
        Self {
            oldest: version(engine, "oldest").expect("an oldest version"),
            newest: version(engine, "newest").expect("a newest version"),
            rows: rows.collect(),
            around: around.map(|node| (argument(node).to_owned(), row(node))).collect(),
        }
    }
}

fn row(node: Node<'_>) -> Row {
    let children = |name: &'static str| node.children().filter(move |child| child.name() == name);
    let child = |name| children(name).next().expect("a row has an effect, a summary and evidence");
    let effect = argument(child("effect"));
    let unset = children("unset").next();
    Row {
        since: version(node, "since").expect("a row has its first version"),
        until: version(node, "until"),
        after: version(node, "after"),
        effect: Effect::ALL.into_iter().find(|known| known.as_str() == effect).expect("a known effect"),
        summary: argument(child("summary")).to_owned(),
        unset: unset.map(|node| Unset {
            name: argument(node).to_owned(),
            because: property(node, "because").expect("a reason").to_owned(),
        }),
        set: children("set")
            .map(|node| {
                let mut words = arguments(node).map(str::to_owned);
                (words.next().expect("a variable"), words.next().expect("its value"))
            })
            .collect(),
        evidence: argument(child("evidence")).to_owned(),
        on: property(child("evidence"), "on").expect("the day of the evidence").to_owned(),
    }
}

fn arguments(node: Node<'_>) -> impl Iterator<Item = &str> {
    node.entries().filter(|entry| entry.key().is_none()).filter_map(|entry| text(entry.value()))
}

fn argument(node: Node<'_>) -> &str {
    arguments(node).next().expect("an argument")
}

fn property<'a>(node: Node<'a>, key: &str) -> Option<&'a str> {
    let entry = node.entries().find(|entry| entry.key().is_some_and(|(name, _)| name == key))?;
    text(entry.value())
}

fn text(value: Value<'_>) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn version(node: Node<'_>, key: &str) -> Option<Version> {
    property(node, key).map(|text| text.parse().expect("a version in the ledger"))
}
