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

/// One upstream repository.
#[derive(Clone, Debug)]
pub struct Repo {
    /// What the agent calls it.
    pub name: Spanned<String>,
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
        Some(Self {
            url: part("url"),
            identity: part("identity"),
            host_keys: children(node, "host-key").filter_map(first_argument).collect(),
            name: name.clone(),
        })
    }
}
