//! `git`: repositories behind git-gate.

use super::{Spanned, child, children, first_argument, text_property};
use crate::syntax::Node;

/// The author of commits.
#[derive(Clone, Debug)]
pub struct GitUser {
    /// The author's name.
    pub name: Spanned<String>,
    /// The author's mail address.
    pub email: Spanned<String>,
}

/// One repository.
#[derive(Clone, Debug)]
pub struct Repo {
    /// What the agent calls it.
    pub name: Spanned<String>,
    /// Whether the agent may push to it.
    pub writable: Option<Spanned<bool>>,
    /// Where it is.
    pub source: RepoSource,
}

/// Where a repository is.
#[derive(Clone, Debug)]
pub enum RepoSource {
    /// At an upstream.
    Upstream(UpstreamRepo),
    /// On this host.
    Local {
        /// Its path.
        path: Spanned<String>,
        /// The nodes beside it that belong to an upstream, by name: none in a spec without an error.
        beside: Vec<Spanned<&'static str>>,
    },
}

/// A repository at an upstream.
#[derive(Clone, Debug)]
pub struct UpstreamRepo {
    /// Where it is.
    pub url: Spanned<String>,
    /// The private key on the host.
    pub identity: Spanned<String>,
    /// The upstream's host keys, one or more.
    pub host_keys: Vec<Spanned<String>>,
}

/// The git section of a layer, or of a whole bottle, and what `git-gate` says of the program behind it.
#[derive(Clone, Debug, Default)]
pub struct Git {
    /// Who commits are by.
    pub user: Option<GitUser>,
    /// The repositories.
    pub repos: Vec<Repo>,
    /// What looks for secrets.
    pub scanner: Option<Spanned<String>>,
    /// The image of git-gate.
    pub image: Option<Spanned<String>>,
}

impl Git {
    pub(super) fn decode_into(&mut self, node: Node<'_>) {
        for node in node.children() {
            match node.name() {
                "user" => self.user = self.user.take().or_else(|| GitUser::decode(node)),
                "repo" => self.repos.extend(Repo::decode(node)),
                _ => {}
            }
        }
    }

    /// Reads the properties of `git-gate`.
    pub(super) fn decode_gate(&mut self, node: Node<'_>) {
        self.scanner = text_property(node, "scanner");
        self.image = text_property(node, "image");
    }

    /// Lays `over` on top: repositories are added, of everything else the last one wins.
    pub(super) fn merge(&mut self, over: Self) {
        let Self { user, repos, scanner, image } = over;
        self.user = user.or(self.user.take());
        self.scanner = scanner.or(self.scanner.take());
        self.image = image.or(self.image.take());
        self.repos.extend(repos);
    }
}

impl GitUser {
    fn decode(node: Node<'_>) -> Option<Self> {
        Some(Self { name: text_property(node, "name")?, email: text_property(node, "email")? })
    }
}

impl Repo {
    fn decode(node: Node<'_>) -> Option<Self> {
        let name = first_argument(node)?;
        // A part that is missing is reported; a repository without it still is one that the bottle has.
        let nothing = || Spanned { value: String::new(), span: name.span };
        let part = |part| child(node, part).and_then(first_argument).unwrap_or_else(nothing);
        let source = if child(node, "path").is_some() {
            let found = |name| child(node, name).map(|it| Spanned { value: name, span: it.name_span() });
            let beside = ["url", "identity", "host-key"].into_iter().filter_map(found).collect();
            RepoSource::Local { path: part("path"), beside }
        } else {
            RepoSource::Upstream(UpstreamRepo {
                url: part("url"),
                identity: part("identity"),
                host_keys: children(node, "host-key").filter_map(first_argument).collect(),
            })
        };
        // What is neither was reported.
        let access = text_property(node, "access");
        let writable = access.map(|access| Spanned { value: access.value != "read-only", span: access.span });
        Some(Self { name: name.clone(), writable, source })
    }

    /// Returns the upstream, when it is at one.
    #[must_use]
    pub fn upstream(&self) -> Option<&UpstreamRepo> {
        match &self.source {
            RepoSource::Upstream(upstream) => Some(upstream),
            RepoSource::Local { .. } => None,
        }
    }
}
