//! `credential`: keys that the broker holds in the agent's place.

use super::{Expose, Name, Spanned, arguments, child, children, first_argument, property, text_property};
use crate::model::Reference;
use crate::source::Span;
use crate::syntax::{Entry, Node, Value};
use crate::world::broker::{ApiUrl, METHODS, PathPattern};

/// How an API is given a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In a field of the header, as it is.
    Header(Spanned<String>),
    /// As a bearer token.
    Bearer,
    /// As the password of a user.
    Basic(Spanned<String>),
}

/// How an API is given a secret, and where that is. A valid credential has one, with one source.
#[derive(Clone, Debug)]
pub struct Login {
    /// The node's name.
    pub node: Span,
    /// How.
    pub scheme: Option<Scheme>,
    /// Each of the sources given for it, in the order `from-env`, `from-file`; a valid one has one.
    pub sources: Vec<Spanned<Reference>>,
}

/// Requests that are let through.
#[derive(Clone, Debug)]
pub struct Requests {
    /// The node's name.
    pub node: Span,
    /// The methods.
    pub methods: Vec<Spanned<String>>,
    /// The paths.
    pub paths: Vec<Spanned<PathPattern>>,
    /// Where it says that they may become WebSockets.
    pub websocket: Option<Span>,
    /// Whether one of its arguments is neither, and was spoken of.
    pub is_broken: bool,
}

/// A `credential` as it is written, or that of several layers.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its name.
    pub name: Spanned<Name>,
    /// Where it is sent to; one that is not valid was spoken of.
    pub upstream: Option<Spanned<ApiUrl>>,
    /// Whether it has the node, whatever that holds.
    pub has_upstream: bool,
    /// Where it says that the upstream is private.
    pub private: Option<Span>,
    /// The authorities of the upstream.
    pub ca: Option<Spanned<String>>,
    /// How the API is given the secret.
    pub logins: Vec<Login>,
    /// What is let through; with none, everything.
    pub allow: Vec<Requests>,
    /// What the agent learns of its place.
    pub exposes: Vec<Expose>,
    /// Where the agent gets the launch's token.
    pub placeholders: Vec<Spanned<String>>,
}

impl Credential {
    pub(super) fn decode(node: Node<'_>) -> Option<Self> {
        let expose =
            |expose| Some(Expose { variable: first_argument(expose)?, path: text_property(expose, "path") });
        let logins = ["header", "bearer", "basic"].into_iter().filter_map(|name| child(node, name));
        Some(Self {
            name: first_argument(node)?,
            upstream: child(node, "upstream")
                .and_then(first_argument)
                .and_then(|url| url.filter_map(|url| url.parse().ok())),
            has_upstream: child(node, "upstream").is_some(),
            private: child(node, "private").map(Node::name_span),
            ca: child(node, "ca").and_then(first_argument),
            logins: logins.map(Login::decode).collect(),
            allow: children(node, "allow").map(Requests::decode).collect(),
            exposes: children(node, "expose").filter_map(expose).collect(),
            placeholders: children(node, "placeholder").filter_map(first_argument).collect(),
        })
    }

    /// Lays `over` on top: lists grow, of everything else the last one wins. A place and how it is trusted belong together.
    pub(super) fn merge(&mut self, over: Self) {
        let Self { name, upstream, has_upstream, private, ca, logins, allow, exposes, placeholders } = over;
        self.name = name;
        self.has_upstream |= has_upstream;
        if upstream.is_some() {
            (self.upstream, self.private, self.ca) = (upstream, private, ca);
        } else {
            self.private = private.or(self.private);
            self.ca = ca.or(self.ca.take());
        }
        if !logins.is_empty() {
            self.logins = logins;
        }
        self.allow.extend(allow);
        self.exposes.extend(exposes);
        self.placeholders.extend(placeholders);
    }

    /// Returns how the API is given the secret, and the secret: of one that is valid.
    #[must_use]
    pub fn login(&self) -> Option<(&Scheme, &Spanned<Reference>)> {
        let login = self.logins.first()?;
        Some((login.scheme.as_ref()?, login.sources.first()?))
    }

    /// How many nodes it is made of, more or less.
    #[must_use]
    pub fn weight(&self) -> usize {
        let lists = self.allow.iter().map(|allow| allow.methods.len() + allow.paths.len() + 1).sum::<usize>();
        lists + self.exposes.len() + self.placeholders.len() + self.logins.len() + 1
    }
}

impl Login {
    fn decode(node: Node<'_>) -> Self {
        let scheme = match node.name() {
            "header" => first_argument(node).map(Scheme::Header),
            "bearer" => Some(Scheme::Bearer),
            _ => text_property(node, "user").map(Scheme::Basic),
        };
        // A source of the wrong type is one all the same, and is reported: it must not count as a missing one.
        let given = |entry: Entry<'_>| match entry.value() {
            Value::String(text) => text.to_owned(),
            _ => String::new(),
        };
        let source = |key, reference: fn(String) -> Reference| {
            let entry = property(node, key)?;
            Some(Spanned { value: reference(given(entry)), span: entry.value_span() })
        };
        let sources = [source("from-env", Reference::Env), source("from-file", Reference::File)];
        Self { node: node.name_span(), scheme, sources: sources.into_iter().flatten().collect() }
    }
}

impl Requests {
    fn decode(node: Node<'_>) -> Self {
        let (mut methods, mut paths, mut is_broken) = (Vec::new(), Vec::new(), false);
        let mut given = 0;
        for argument in arguments(node) {
            given += 1;
            if !argument.value.starts_with('/') {
                is_broken |= !METHODS.contains(&argument.value.as_str());
                methods.push(argument);
            } else if let Ok(path) = PathPattern::parse(&argument.value) {
                paths.push(Spanned { value: path, span: argument.span });
            } else {
                is_broken = true;
            }
        }
        let positional = node.entries().filter(|entry| entry.key().is_none()).count();
        Self {
            node: node.name_span(),
            methods,
            paths,
            websocket: text_property(node, "upgrade").map(|upgrade| upgrade.span),
            is_broken: is_broken || given != positional || given == 0,
        }
    }
}
