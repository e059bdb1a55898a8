//! Diagnostics: one value for the command line, the editor and every report format.

mod fix;
mod line_ends;

use std::collections::BTreeMap;
use std::mem;

pub use fix::{Applicability, Edit, Fix};
pub(crate) use line_ends::keep_line_ends;

use crate::rule::{Level, Rule};
use crate::source::{SourceId, Span};

/// A place and what it has to do with the matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words, such as "first defined here"; may be empty on a primary label.
    pub message: String,
}

/// One finding about a spec.
///
/// The message stands alone in one line: lower case, names in backticks, no full stop. Labels may speak. Text that
/// comes from a spec goes through [`quote`](crate::text::quote), so that no control character reaches a terminal.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// How bad it is: the rule's level unless something set another one.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// The mistake itself, exactly; its message says what was expected there.
    pub primary: Label,
    /// The other places concerned.
    pub related: Vec<Label>,
    /// What to do: each one line.
    pub help: Vec<String>,
    /// A change that removes it.
    pub fix: Option<Fix>,
    /// The name of the bottle that it was found of, when it may stand elsewhere than in its block.
    pub bottle: Option<Span>,
}

/// Why a finding is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The place that allows it.
    pub place: Span,
    /// The reason that is given there.
    pub reason: String,
}

/// The effect of a level on a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is shown.
    Shown,
    /// It is not, because of what a spec says; none when the run does.
    Allowed(Option<Allowance>),
}

/// A finding that is not shown.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// The finding.
    pub diagnostic: Diagnostic,
    /// What in a spec allows it; none when the run does.
    pub by: Option<Allowance>,
}

impl Diagnostic {
    /// A diagnostic of `rule` at its own level.
    #[must_use]
    pub fn new(rule: &'static Rule, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            level: rule.level,
            message: message.into(),
            primary: Label { span, message: String::new() },
            related: Vec::new(),
            help: Vec::new(),
            fix: None,
            bottle: None,
        }
    }

    /// Says at the mistake what was expected.
    #[must_use]
    pub fn label(mut self, message: impl Into<String>) -> Self {
        self.primary.message = message.into();
        self
    }

    /// Cites another place.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Label { span, message: message.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, message: impl Into<String>) -> Self {
        self.help.push(message.into());
        self
    }

    /// Says what to do, when there is something to say.
    #[must_use]
    pub fn help_if(mut self, message: Option<impl Into<String>>) -> Self {
        self.help.extend(message.map(Into::into));
        self
    }

    /// Leaves the texts that nobody can edit: what is said there is said where `brought` tells that the text comes from,
    /// with the place itself beside it, and no fix changes it.
    pub fn leave(&mut self, is_fixed: impl Fn(Span) -> bool, brought: impl FnOnce(SourceId) -> Option<Span>) {
        let place = self.primary.span;
        if is_fixed(place)
            && let Some(span) = brought(place.source)
        {
            let there = std::mem::replace(
                &mut self.primary,
                Label { span, message: String::from("it comes from this profile") },
            );
            self.related.insert(0, there);
        }
        if self.fix.as_ref().is_some_and(|fix| fix.edits.iter().any(|edit| is_fixed(edit.span))) {
            self.fix = None;
        }
    }

    /// Offers a change.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, applicability: Applicability, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { title: title.into(), applicability, edits });
        self
    }

    /// Offers a change of one place.
    #[must_use]
    pub fn replace(
        self,
        title: impl Into<String>,
        applicability: Applicability,
        span: Span,
        replacement: impl Into<String>,
    ) -> Self {
        self.fix(title, applicability, vec![Edit { span, replacement: replacement.into() }])
    }
}

/// The diagnostics of one compile, bounded: a file of nothing but mistakes costs no more memory than one with
/// as many as there is room for.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    room: usize,
    items: Vec<Diagnostic>,
    allowed: Vec<Allowed>,
    dropped: usize,
    /// The rules of what was dropped and was no error.
    unseen: BTreeMap<&'static str, &'static Rule>,
    errors: usize,
}

impl Default for Diagnostics {
    fn default() -> Self {
        Self::new()
    }
}

impl Diagnostics {
    /// How many are kept for people.
    pub const LIMIT: usize = 1_000;

    /// None yet, and room for [`Diagnostics::LIMIT`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_room(Self::LIMIT)
    }

    /// None yet, and room for so many: what comes behind them is only counted.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        Self { room, items: Vec::new(), allowed: Vec::new(), dropped: 0, unseen: BTreeMap::new(), errors: 0 }
    }

    /// How many are kept.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room
    }

    /// Adds one, or counts it when there are too many.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.level == Level::Error);
        if self.items.len() < self.room {
            self.items.push(diagnostic);
        } else {
            self.dropped += 1;
            if diagnostic.level != Level::Error {
                self.unseen.insert(diagnostic.rule.id, diagnostic.rule);
            }
        }
    }

    /// Adds an error, or counts it when there are too many: it is not even put together then, since looking for what
    /// may be meant costs more than finding the mistake.
    pub fn push_error_with(&mut self, build: impl FnOnce() -> Diagnostic) {
        if self.items.len() < self.room {
            self.push(build());
        } else {
            self.errors += 1;
            self.dropped += 1;
        }
    }

    /// Adds all of `other`.
    pub fn append(&mut self, other: Self) {
        // The total counts what `other` had dropped, too.
        let kept_errors = other.items.iter().filter(|d| d.level == Level::Error).count();
        self.errors += other.errors - kept_errors;
        self.dropped += other.dropped;
        self.unseen.extend(other.unseen);
        let room = self.room.saturating_sub(self.allowed.len());
        self.allowed.extend(other.allowed.into_iter().take(room));
        for item in other.items {
            self.push(item);
        }
    }

    /// Changes those that are kept; what was dropped stays as bad as it was.
    pub fn change(&mut self, change: impl FnMut(&mut Diagnostic)) {
        let errors = |items: &[Diagnostic]| items.iter().filter(|d| d.level == Level::Error).count();
        let before = errors(&self.items);
        self.items.iter_mut().for_each(change);
        self.errors = self.errors - before + errors(&self.items);
    }

    /// Puts those aside that `judge` says are allowed; it may change the others.
    pub fn judge(&mut self, mut judge: impl FnMut(&mut Diagnostic) -> Judgement) {
        let errors = |items: &[Diagnostic]| items.iter().filter(|d| d.level == Level::Error).count();
        let before = errors(&self.items);
        let mut shown = Vec::with_capacity(self.items.len());
        for mut diagnostic in mem::take(&mut self.items) {
            match judge(&mut diagnostic) {
                Judgement::Allowed(by) => self.allowed.push(Allowed { diagnostic, by }),
                Judgement::Shown => shown.push(diagnostic),
            }
        }
        self.errors = self.errors - before + errors(&shown);
        self.items = shown;
    }

    /// Counts an error more when something was dropped that may be `denied`: what is not kept must not pass for that.
    pub fn refuse_dropped(&mut self, denied: impl Fn(&Rule) -> bool) {
        self.errors += usize::from(self.unseen.values().any(|rule| denied(rule)));
    }

    /// Changes the words of those that are kept, and of those that are allowed; how bad each is stays.
    pub fn reword(&mut self, mut change: impl FnMut(&mut Diagnostic)) {
        let allowed = self.allowed.iter_mut().map(|allowed| &mut allowed.diagnostic);
        self.items.iter_mut().chain(allowed).for_each(&mut change);
    }

    /// Drops the diagnostics that are `unwanted`.
    #[must_use]
    pub fn without(mut self, mut unwanted: impl FnMut(&Diagnostic) -> bool) -> Self {
        let errors = |items: &[Diagnostic]| items.iter().filter(|d| d.level == Level::Error).count();
        let before = errors(&self.items);
        self.items.retain(|diagnostic| !unwanted(diagnostic));
        self.errors -= before - errors(&self.items);
        self.allowed.retain(|allowed| !unwanted(&allowed.diagnostic));
        self
    }

    /// Keeps those that are shown and `wanted`, and all that is allowed.
    #[must_use]
    pub fn retain_shown(mut self, mut wanted: impl FnMut(&Diagnostic) -> bool) -> Self {
        let allowed = mem::take(&mut self.allowed);
        let mut rest = self.without(|diagnostic| !wanted(diagnostic));
        rest.allowed = allowed;
        rest
    }

    /// Renumbers source ids after the diagnostics of several compiles are joined.
    #[must_use]
    pub fn remap_sources(mut self, ids: &[SourceId]) -> Self {
        let to = |span: &mut Span| {
            if let Some(id) = ids.get(span.source.index()) {
                span.source = *id;
            }
        };
        let allowed = self.allowed.iter_mut();
        let allowed = allowed.map(|Allowed { diagnostic, by }| {
            if let Some(Allowance { place, reason: _ }) = by {
                to(place);
            }
            diagnostic
        });
        for diagnostic in self.items.iter_mut().chain(allowed.collect::<Vec<_>>()) {
            let Diagnostic { rule: _, level: _, message: _, primary, related, help: _, fix, bottle } =
                diagnostic;
            to(&mut primary.span);
            for label in related {
                to(&mut label.span);
            }
            for edit in fix.iter_mut().flat_map(|fix| &mut fix.edits) {
                to(&mut edit.span);
            }
            if let Some(bottle) = bottle {
                to(bottle);
            }
        }
        self
    }

    /// Keeps the first `most` of them, and counts the others.
    pub fn truncate(&mut self, most: usize) {
        self.dropped += self.items.len().saturating_sub(most);
        self.items.truncate(most);
    }

    /// The diagnostics that are kept.
    #[must_use]
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.items
    }

    /// The findings that are allowed, and therefore not shown.
    #[must_use]
    pub fn allowed(&self) -> &[Allowed] {
        &self.allowed
    }

    /// The number of diagnostics that were dropped at the limit.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.dropped == 0
    }

    /// Whether anything forbids a build.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Puts them in the order in which every report shows them, by source, place, rule and message, and leaves out
    /// what was said twice: a profile's mistake is found again from each bottle that extends it. What one bottle accepts
    /// and another does not stays an error, and what one allows and another does not stays.
    pub fn finish(&mut self) {
        self.items.sort_by(|a, b| (key(a), a.level).cmp(&(key(b), b.level)));
        self.items.dedup_by(|later, first| key(later) == key(first));
        let shown =
            |item: &Diagnostic| self.items.binary_search_by(|shown| key(shown).cmp(&key(item))).is_ok();
        self.allowed.retain(|allowed| !shown(&allowed.diagnostic));
        self.allowed.sort_by(|a, b| key(&a.diagnostic).cmp(&key(&b.diagnostic)));
        self.allowed.dedup_by(|later, first| key(&later.diagnostic) == key(&first.diagnostic));
    }
}

/// What makes two diagnostics one.
fn key(diagnostic: &Diagnostic) -> (Span, &'static str, &str) {
    (diagnostic.primary.span, diagnostic.rule.id, &diagnostic.message)
}
