//! Rules: what a spec can get wrong, at which default level, and who may change that.
//!
//! A rule's page is what `bottlec explain` prints, and the fenced examples in it are the rule's tests: a fence marked
//! `kdl fails` must produce the rule, one marked `kdl` must compile without a word.

pub mod catalogue;
mod level;
mod setting;
mod value_error;

pub use catalogue::ALL;
pub use level::Level;
pub use setting::{InvalidLevel, LevelSource, Setting};
pub use value_error::{Meant, ValueError};

/// One thing that can be wrong with a spec.
#[derive(Debug)]
pub struct Rule {
    /// Its stable name, in kebab case.
    pub id: &'static str,
    /// How bad breaking it is, unless the spec says otherwise.
    pub level: Level,
    /// What it is about, by which the index groups it.
    pub group: Group,
    /// The version of bottlec that first had it.
    pub since: &'static str,
    /// What it wants, in one line.
    pub summary: &'static str,
    /// Its page, in Markdown: what `explain` prints.
    pub page: &'static str,
    /// Whether a spec may `accept` it: an error about what the agent is kept from, which somebody may answer for.
    pub acceptable: bool,
    /// What it says of the text that it speaks of, if that holds wherever it is broken.
    pub tag: Option<Tag>,
}

/// Groups of rules, in the order of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What the engine confines.
    Confinement,
    /// The lists of `egress`.
    Hosts,
    /// What the agent and its sidecars run in.
    Machines,
    /// Variables, credentials and what is private to somebody.
    Secrets,
    /// What git-gate mirrors.
    Repositories,
    /// Names and what they refer to.
    Names,
    /// `lint` and `accept`.
    Levels,
    /// What the schema says of nodes.
    Nodes,
    /// KDL itself.
    Text,
}

impl Group {
    /// All, in order.
    pub const ALL: [Self; 9] = [
        Self::Confinement,
        Self::Hosts,
        Self::Machines,
        Self::Secrets,
        Self::Repositories,
        Self::Names,
        Self::Levels,
        Self::Nodes,
        Self::Text,
    ];

    /// Its heading in the index.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Confinement => "What the engine confines",
            Self::Hosts => "Hosts that the agent may reach",
            Self::Machines => "What boots, and what runs beside it",
            Self::Secrets => "Environment, secrets and keys",
            Self::Repositories => "Repositories",
            Self::Names => "Names, profiles and files",
            Self::Levels => "Levels and exceptions",
            Self::Nodes => "Nodes and values",
            Self::Text => "The text",
        }
    }
}

/// The tag by which an editor greys or strikes out a rule's span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// It does nothing, and is faded.
    Unnecessary,
    /// It is no more, and is struck through.
    Deprecated,
}

impl Rule {
    const fn acceptable(self) -> Self {
        Self { acceptable: true, ..self }
    }

    const fn unnecessary(self) -> Self {
        Self { tag: Some(Tag::Unnecessary), ..self }
    }

    const fn deprecated(self) -> Self {
        Self { tag: Some(Tag::Deprecated), ..self }
    }

    /// Its page without the closing line, which says what the row says.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.page.rsplit_once("\nLevel: ").map_or(self.page, |(text, _)| text)
    }

    /// Where its page can be read: in the project's repository, as it was at this version. Nowhere as long as the
    /// package names no repository.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.url_in(env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"))
    }

    /// Where its page is in a repository that has the usual addresses, as it was at a version. Nowhere without one.
    #[must_use]
    pub fn url_in(&self, repository: &str, version: &str) -> Option<String> {
        let repository = repository.trim_end_matches('/');
        (!repository.is_empty()).then(|| format!("{repository}/blob/v{version}/docs/rules/{}.md", self.id))
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

/// The rule of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id).copied()
}

/// The ids of the rules that a spec may `accept`, in order.
pub fn acceptable() -> impl Iterator<Item = &'static str> {
    ALL.iter().filter(|rule| rule.acceptable).map(|rule| rule.id)
}
