//! Fixes: changes of the source that remove a diagnostic.

use crate::source::Span;

/// Whether a fix may be applied unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// It says what the author certainly meant.
    Safe,
    /// It may change what the spec means: somebody must look.
    Unsafe,
}

/// One replacement of a fix; an empty span inserts, an empty replacement deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub replacement: String,
}

/// A change of the source that removes the diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the imperative: "write `#true`".
    pub title: String,
    /// Whether it may be applied unseen.
    pub applicability: Applicability,
    /// The replacements: ordered by place, none overlapping another.
    pub edits: Vec<Edit>,
}
