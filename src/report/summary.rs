//! The counts of a report.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::Diagnostics;
use crate::rule::Level;
use crate::text::counted;

/// The counts of a report's diagnostics. Its text is the last line of a report: "2 errors, 1 warning in 3 files".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Errors among the diagnostics that are shown.
    pub errors: usize,
    /// Warnings among the diagnostics that are shown.
    pub warnings: usize,
    /// Pieces of advice among the diagnostics that are shown.
    pub advice: usize,
    /// Files that those diagnostics' primary places lie in.
    pub files: usize,
    /// Diagnostics of any level that are not shown, because there are too many.
    pub dropped: usize,
    /// Diagnostics that are not shown, because a spec's `lint` or the run allows them.
    pub allowed: usize,
}

impl Summary {
    /// The counts of `diagnostics`.
    #[must_use]
    pub fn of(diagnostics: &Diagnostics) -> Self {
        let shown = diagnostics.as_slice();
        let of_level = |level| shown.iter().filter(|diagnostic| diagnostic.level == level).count();
        Self {
            errors: of_level(Level::Error),
            warnings: of_level(Level::Warning),
            advice: of_level(Level::Advice),
            files: shown
                .iter()
                .map(|diagnostic| diagnostic.primary.span.source)
                .collect::<BTreeSet<_>>()
                .len(),
            dropped: diagnostics.dropped(),
            allowed: diagnostics.allowed().len(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = [
            (self.errors, "error", "errors"),
            (self.warnings, "warning", "warnings"),
            (self.advice, "piece of advice", "pieces of advice"),
        ]
        .into_iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, one, many)| counted(n, one, many))
        .collect();
        match (counts.is_empty(), self.dropped) {
            (true, 0) => f.write_str("nothing to report")?,
            (true, dropped) => {
                write!(f, "{} not shown", counted(dropped, "diagnostic is", "diagnostics are"))?;
            }
            (false, dropped) => {
                write!(f, "{} in {}", counts.join(", "), counted(self.files, "file", "files"))?;
                if dropped > 0 {
                    let are = if dropped == 1 { "is" } else { "are" };
                    write!(f, ", and {dropped} more {are} not shown")?;
                }
            }
        }
        match self.allowed {
            0 => Ok(()),
            allowed => write!(f, "; {allowed} allowed"),
        }
    }
}
