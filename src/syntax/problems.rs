//! A collector of syntax diagnostics, which come in any order and leave in the order of the text.

use std::ops::Range;

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics, Edit};
use crate::rule::Rule;
use crate::source::{SourceId, Span};

/// The diagnostics of one text. Beyond what there is room for they are only counted, so that a text of nothing but
/// mistakes costs no more than another.
pub(super) struct Problems {
    pub(super) source: SourceId,
    room: usize,
    kept: Vec<Diagnostic>,
    dropped: Option<(&'static Rule, Span, usize)>,
}

impl Problems {
    pub(super) fn new(source: SourceId, room: usize) -> Self {
        Self { source, room, kept: Vec::new(), dropped: None }
    }

    /// Reports `rule` at `range`; `build` is only called when the diagnostic is kept.
    pub(super) fn report(
        &mut self,
        rule: &'static Rule,
        range: Range<u32>,
        build: impl FnOnce(Builder) -> Diagnostic,
    ) {
        let span = Span::new(self.source, range);
        if self.kept.len() < self.room {
            self.kept.push(build(Builder { rule, span }));
        } else {
            let count = self.dropped.map_or(0, |(_, _, count)| count);
            self.dropped = Some((rule, span, count + 1));
        }
    }

    /// Hands everything over, ordered by place.
    pub(super) fn finish(mut self, diagnostics: &mut Diagnostics) {
        self.kept.sort_by_key(|diagnostic| diagnostic.primary.span);
        for diagnostic in self.kept {
            diagnostics.push(diagnostic);
        }
        if let Some((rule, span, count)) = self.dropped {
            // They are above the limit already: only their number counts.
            for _ in 0..count {
                diagnostics.push(Diagnostic::new(rule, span, String::new()));
            }
        }
    }
}

/// A diagnostic that still lacks its words.
pub(super) struct Builder {
    rule: &'static Rule,
    pub(super) span: Span,
}

impl Builder {
    pub(super) fn message(self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.rule, self.span, message)
    }
}

/// Shorthands for the front end's fixes.
pub(super) trait DiagnosticExt {
    /// A fix that replaces `range` by `replacement`.
    fn swap(
        self,
        title: impl Into<String>,
        how: Applicability,
        range: Range<u32>,
        replacement: impl Into<String>,
    ) -> Self;
    /// Cites `range` of the same source.
    fn also(self, range: Range<u32>, message: impl Into<String>) -> Self;
}

impl DiagnosticExt for Diagnostic {
    fn swap(
        self,
        title: impl Into<String>,
        how: Applicability,
        range: Range<u32>,
        replacement: impl Into<String>,
    ) -> Self {
        let span = Span::new(self.primary.span.source, range);
        self.fix(title, how, vec![Edit { span, replacement: replacement.into() }])
    }

    fn also(self, range: Range<u32>, message: impl Into<String>) -> Self {
        let span = Span::new(self.primary.span.source, range);
        self.related(span, message)
    }
}
