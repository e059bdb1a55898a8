//! The hosts of an `egress`: never more than the input lets through.

use std::collections::BTreeSet;

use super::document::{Block, Node, fits, named};
use crate::schema::ValueType;
use crate::text::quote;
use crate::world::host::HostPattern;
use crate::world::pipelock::guard::Guarded;

/// What `*.example.com` stands for in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wildcard {
    /// The names below `example.com`.
    Below,
    /// Those, and `example.com` itself: as in a spec.
    AndApex,
}

/// One line to come.
enum Line {
    /// With what it was called in the input.
    Allow(String, String),
    Deny(String),
    Note(String),
    Lost(String, String),
}

/// What is let through and what is refused, in the order of the input.
#[derive(Default)]
pub(super) struct Egress {
    lines: Vec<Line>,
    /// Names of which the input allows the ones below, and not themselves.
    apexes: BTreeSet<String>,
    /// Those of which it allows both.
    whole: BTreeSet<String>,
    /// Why nothing may be allowed: what is refused beside it cannot be said here.
    closed: Option<String>,
}

/// An entry of a list, taken apart.
struct Entry<'t> {
    host: &'t str,
    has_port: bool,
}

fn entry(text: &str) -> Result<Entry<'_>, &'static str> {
    if text.contains("://") || text.contains('/') {
        return Err(
            "a path or a scheme is not held by pipelock, so that it would let the whole host through",
        );
    }
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, port)) = rest.split_once(']') else { return Err("it is no host") };
        return Ok(Entry { host, has_port: !port.is_empty() });
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Ok(Entry { host: text, has_port: false }),
        Some((host, _)) => Ok(Entry { host, has_port: true }),
        None => Ok(Entry { host: text, has_port: false }),
    }
}

impl Egress {
    /// Adds a host that is let through.
    pub(super) fn allow(&mut self, text: &str, wildcard: Wildcard) {
        let what = named(text);
        match allowed(text) {
            Err(why) => self.lose(&what, &why),
            Ok(host) => {
                if let Some(apex) = host.strip_prefix("*.") {
                    match wildcard {
                        Wildcard::Below => self.apexes.insert(apex.to_owned()),
                        Wildcard::AndApex => self.whole.insert(apex.to_owned()),
                    };
                }
                self.lines.push(Line::Allow(host, what));
            }
        }
    }

    /// Adds a host that is refused. What cannot be refused here closes everything.
    pub(super) fn deny(&mut self, text: &str) {
        let what = named(text);
        let close = |egress: &mut Self, why: &str| {
            egress.lose(&what, why);
            egress.closed = Some(format!("{what} was refused beside it, which cannot be said here"));
        };
        let Ok(Entry { host, has_port }) = entry(text) else {
            return close(self, "no host is refused in part");
        };
        let host = host.to_ascii_lowercase();
        if host == "*" {
            return close(
                self,
                "ports are not held by pipelock, and where every host is refused none is allowed",
            );
        }
        if fits(ValueType::HostPattern, &host).is_err() {
            return close(self, "it is no host that pipelock could refuse");
        }
        if has_port {
            self.lines.push(Line::Note(format!(
                "{what}: ports are not held by pipelock, so that the host is refused on each"
            )));
        }
        self.lines.push(Line::Deny(host));
    }

    /// Refuses everything, since the input refuses something that cannot be said here.
    pub(super) fn close(&mut self, why: &str) {
        self.closed = Some(why.to_owned());
    }

    /// Says that something is not carried over.
    pub(super) fn lose(&mut self, what: &str, why: &str) {
        self.lines.push(Line::Lost(what.to_owned(), why.to_owned()));
    }

    /// Writes the block.
    pub(super) fn block(self) -> Block {
        let Self { lines, apexes, whole, closed } = self;
        let mut block = Block::default();
        let mut allows: BTreeSet<&str> = BTreeSet::new();
        let mut written: BTreeSet<(&str, &str)> = BTreeSet::new();
        for line in &lines {
            let (node, host) = match line {
                Line::Lost(what, why) => {
                    block.lose(what, why);
                    continue;
                }
                Line::Note(text) => {
                    block.note(text);
                    continue;
                }
                Line::Allow(host, what) => {
                    if let Some(why) = &closed {
                        block.lose(what, why);
                        continue;
                    }
                    allows.insert(host);
                    ("allow", host.as_str())
                }
                Line::Deny(host) => ("deny", host.as_str()),
            };
            if written.insert((node, host)) {
                block.push(Node::new(node).text(host));
            }
        }
        for apex in apexes.difference(&whole).filter(|_| closed.is_none()) {
            // What the input lets through by another entry, or refuses anyway.
            let is_allowed = allows.contains(apex.as_str())
                || apex.match_indices('.').any(|(at, _)| allows.contains(&*format!("*{}", &apex[at..])));
            if !is_allowed && !written.contains(&("deny", apex.as_str())) {
                block.note(&format!(
                    "{} stood for the names below it; here it stands for {} as well, which is refused again",
                    quote(&format!("*.{apex}")),
                    quote(apex)
                ));
                block.push(Node::new("deny").text(apex));
            }
        }
        block
    }
}

/// The host of an entry that may be allowed as a whole.
fn allowed(text: &str) -> Result<String, String> {
    let Entry { host, has_port } = entry(text)?;
    if host == "*" {
        return Err(String::from("it stands for every host: name those that are needed"));
    }
    if has_port {
        return Err(String::from(
            "a port is not held by pipelock, so that it would let the host through on each",
        ));
    }
    let host = host.to_ascii_lowercase();
    fits(ValueType::HostPattern, &host)?;
    match HostPattern::new(host.clone()).guarded() {
        Guarded::No => Ok(host),
        Guarded::Closed => Err(String::from("it is the machine itself, or no host: nothing opens it")),
        Guarded::Private | Guarded::Likely => {
            Err(String::from("it is on a private network: `allow` and `private` with its address open it"))
        }
    }
}
