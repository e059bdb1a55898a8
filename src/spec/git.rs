//! `git`: repositories behind git-gate.

use super::{Spanned, child, first_argument, text_property};
use crate::syntax::Node;

/// Who commits are by.
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
    /// The upstream's host key.
    pub host_key: Spanned<String>,
}

/// The git section of a layer, or of a whole bottle.
#[derive(Clone, Debug, Default)]
pub struct Git {
    /// Who commits are by.
    pub user: Option<GitUser>,
    /// The repositories.
    pub repos: Vec<Repo>,
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

    /// Lays `over` on top: repositories are added, the last user wins.
    pub(super) fn merge(&mut self, over: Self) {
        let Self { user, repos } = over;
        self.user = user.or(self.user.take());
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
            host_key: part("host-key"),
            name: name.clone(),
        })
    }
}
