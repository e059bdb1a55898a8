//! Application of fixes to sources, which leaves the rest of each text as it is.

pub mod insert;

use std::collections::BTreeMap;

use crate::compile::{Analysis, Options};
use crate::diagnostic::{Applicability, Diagnostics, Edit, Fix};
use crate::source::{Source, SourceId, Sources};

/// A source after fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The source.
    pub source: SourceId,
    /// Its text now.
    pub text: String,
}

/// The result of one round of fixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// The sources that changed, in order.
    pub fixed: Vec<Fixed>,
    /// How many fixes were applied.
    pub applied: usize,
}

/// How often fixes are looked for again: each round removes what the one before laid open.
const MAX_ROUNDS: usize = 40;

/// For how many diagnostics there is room in all rounds but the first, which has those that people see: the text is read
/// anew in each, so that many rounds of few would take the square of the time. More nodes than all rounds mend are not
/// compiled ([`crate::compile::MAX_SIZE`]).
const ROOM: usize = 32_768;

/// Applies fixes until none is left, each round to what the one before it made. `reload` is given that, to read what it
/// includes now. Returns what is there then, or nothing if there was nothing to fix, and how many fixes were applied.
///
/// # Errors
///
/// What `reload` fails with.
pub fn all<E>(
    analysis: &Analysis,
    unchecked: bool,
    reload: impl Fn(&mut Analysis) -> Result<(), E>,
) -> Result<(Option<Analysis>, usize), E> {
    let mut fixed = None;
    let mut applied = 0;
    for _ in 0..MAX_ROUNDS {
        let now = fixed.as_ref().unwrap_or(analysis);
        let round = round(now.sources(), now.diagnostics(), unchecked);
        if round.applied == 0 {
            break;
        }
        applied += round.applied;
        let texts = round.fixed.into_iter().map(|fixed| (fixed.source, fixed.text)).collect();
        let options = Options { room: ROOM, ..now.options().clone() };
        let mut next = Analysis::new(now.sources().clone().with(&texts), options);
        reload(&mut next)?;
        fixed = Some(next);
    }
    // Who asked sees as many of those that are left as before, and of those that are allowed.
    let most = analysis.options().room;
    let too_many = |now: &Diagnostics| now.as_slice().len().max(now.allowed().len()) > most;
    if let Some(many) = fixed.take_if(|fixed| too_many(fixed.diagnostics())) {
        let mut few = Analysis::new(many.sources().clone(), analysis.options().clone());
        reload(&mut few)?;
        fixed = Some(few);
    }
    Ok((fixed, applied))
}

/// Applies the fixes of `diagnostics` that may be applied unseen, and with `unchecked` the others, too. Of two that touch
/// one place the first is applied: the other may not be needed any more, or is found again in the next round. What is not
/// UTF-8 is left alone.
#[must_use]
pub fn round(sources: &Sources, diagnostics: &Diagnostics, unchecked: bool) -> Round {
    let mut taken: BTreeMap<SourceId, BTreeMap<u32, &Edit>> = BTreeMap::new();
    let mut applied = 0;
    for Fix { title: _, applicability, edits } in
        diagnostics.as_slice().iter().filter_map(|it| it.fix.as_ref())
    {
        let wanted = unchecked || *applicability == Applicability::Safe;
        let free = |edit: &Edit| {
            let source = sources.get(edit.span.source);
            let whole = source.invalid_utf8().is_empty() && source.too_large().is_none();
            let before =
                taken.get(&edit.span.source).and_then(|taken| taken.range(..=edit.span.end).next_back());
            // Two that only touch may still mean the same blank.
            whole && before.is_none_or(|(_, before)| before.span.end < edit.span.start)
        };
        if !wanted || edits.is_empty() || !edits.iter().all(free) {
            continue;
        }
        applied += 1;
        for edit in edits {
            taken.entry(edit.span.source).or_default().insert(edit.span.start, edit);
        }
    }
    let fixed =
        taken.into_iter().map(|(source, edits)| Fixed { source, text: text(sources.get(source), &edits) });
    Round { fixed: fixed.collect(), applied }
}

/// The text of a source with one edit in it.
#[must_use]
pub fn applied(source: &Source, edit: &Edit) -> String {
    text(source, &[(edit.span.start, edit)].into())
}

fn text(source: &Source, edits: &BTreeMap<u32, &Edit>) -> String {
    let old = source.text();
    let mut text = String::with_capacity(old.len());
    let mut at = 0;
    for Edit { span, replacement } in edits.values() {
        let range = span.range();
        text.push_str(&old[at..range.start]);
        text.push_str(replacement);
        at = range.end;
    }
    text.push_str(&old[at..]);
    text
}
