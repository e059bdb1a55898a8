//! Renderers of diagnostics, and of plans: one output format a file, each a translation of the same values and nothing
//! more.
//!
//! All of them are pure. Whether there is a terminal, how wide it is and whether it wants colours is the caller's to
//! find out and to say in a [`Style`]. Whatever a spec, a file name or a message holds, no control, bidirectional or
//! invisible character of it reaches the output.

use std::io::{self, Write};

use crate::diagnostic::Diagnostics;
use crate::syntax::Trees;
use crate::text::one_line;

pub mod agents;
mod checkstyle;
pub mod cluster;
mod concise;
pub mod denials;
pub mod diff;
mod excerpt;
mod fancy;
mod github;
mod gitlab;
pub mod graph;
pub mod json;
mod junit;
mod past_gate;
mod place;
pub mod plan;
mod promise;
pub mod propose;
mod rdjson;
pub mod reach;
pub mod redact;
pub mod rules;
mod sarif;
pub mod script;
mod style;
mod summary;
pub mod trace;
mod unread;
mod vault;
mod xml;

pub use promise::Promise;
pub use style::Style;
use style::wrapping;
pub use summary::Summary;
pub use unread::Unread;

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people: each with the excerpts that it speaks of, then a [`Summary`].
    #[default]
    Fancy,
    /// One line each, as editors and `grep` read it: `path:line:column: error[rule-id]: message`.
    Concise,
    /// One object for programs: [`json::Report`].
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitHub's workflow commands, which annotate a pull request.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML.
    Junit,
    /// Checkstyle's XML.
    Checkstyle,
    /// Reviewdog's diagnostic format.
    Rdjson,
}

/// Writes `diagnostics` to `out` in the order they are in, without any credential that they or the sources hold, and what
/// could not be read. The output ends with a line end, unless it is empty. No line of it is a command to the runner of a CI
/// service, but for those of [`Format::Github`].
///
/// # Errors
/// Those of `out`.
pub fn render(
    format: Format,
    diagnostics: &Diagnostics,
    unread: &[Unread],
    trees: &dyn Trees,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let redact::Redacted { diagnostics, sources } = redact::Redacted::new(diagnostics, trees);
    let (diagnostics, sources) = (&*diagnostics, &*sources);
    match format {
        Format::Fancy => fancy::render(diagnostics, unread, sources, style, out),
        Format::Concise => concise::render(diagnostics, unread, sources, style, out),
        Format::Json => json::render(diagnostics, unread, sources, out),
        Format::Sarif => sarif::render(diagnostics, unread, sources, out),
        Format::Github => github::render(diagnostics, unread, sources, out),
        Format::Gitlab => gitlab::render(diagnostics, unread, sources, out),
        Format::Junit => junit::render(diagnostics, unread, sources, out),
        Format::Checkstyle => checkstyle::render(diagnostics, unread, sources, out),
        Format::Rdjson => rdjson::render(diagnostics, unread, sources, out),
    }
}
