//! Lint levels: a rule's default, the spec's `lint` block, `--allow`/`--warn`/`--deny`, and which wins.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use crate::diagnostic::{Allowance, Diagnostic, Diagnostics, Judgement, Label};
use crate::model::{BottleDecl, Lint, LintEntry, Profile, Spanned};
use crate::rule::{self, Level, Rule, Setting};
use crate::source::{SourceId, Span};
use crate::text::quote;

/// A rule, group or tag whose level a run sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LintSelector {
    /// One rule.
    Rule(&'static Rule),
    /// Whatever is a warning, and is not accepted.
    Warnings,
    /// Everything; of errors, what the spec accepts.
    All,
}

/// One level that a run sets. Of several that name one rule, the last counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelOverride {
    /// What becomes of it.
    pub setting: Setting,
    /// Of what.
    pub selector: LintSelector,
}

impl fmt::Display for LintSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rule(rule) => rule.id,
            Self::Warnings => "warnings",
            Self::All => "all",
        })
    }
}

/// Whether a finding is an error that the spec answers for: nothing else makes a warning of one that may be accepted.
fn is_accepted(rule: &Rule, level: Level) -> bool {
    rule.acceptable && rule.level == Level::Error && level != Level::Error
}

/// The blocks of a compile that may hold a `lint`: what each sets, and what of it was needed.
#[derive(Debug, Default)]
pub struct Levels<'o> {
    overrides: &'o [LevelOverride],
    /// Whether a run judges for itself. What was needed is found out all the same.
    ignored: bool,
    lints: Vec<Lint>,
    /// Of each, the entry by rule.
    entries: Vec<BTreeMap<String, usize>>,
    /// The `lint` at the top of each file.
    files: BTreeMap<SourceId, usize>,
    /// Each profile and bottle, by the text that it is.
    blocks: BTreeMap<Span, usize>,
    /// The blocks that some bottle is made of.
    seen: BTreeSet<Span>,
    /// The entries without which something would be otherwise, by the place of their rule.
    needed: BTreeSet<Span>,
    /// The entries that decided something, and the outer ones that say the same of it.
    agreed: BTreeMap<Span, Span>,
    /// The rules that were broken anywhere.
    broken: BTreeSet<&'static str>,
    /// Of each block, what the profiles under it deny.
    bound: BTreeMap<Span, Rc<Denials>>,
}

/// The rules that are denied, each with the place that says so first.
type Denials = BTreeMap<&'static str, Span>;

/// An entry that is not needed.
#[derive(Clone, Copy, Debug)]
pub struct Unneeded<'a> {
    /// What it stands in.
    pub lint: &'a Lint,
    /// The entry.
    pub entry: &'a LintEntry,
    /// The outer entry that says the same already, or the `deny` of a profile that binds it.
    pub outer: Option<Span>,
    /// Whether that `deny` is against what it says.
    pub overruled: bool,
    /// Whether the rule was broken somewhere else.
    pub elsewhere: bool,
}

impl<'o> Levels<'o> {
    /// What these blocks set, under the overrides of a run; with `ignored` those only.
    pub fn new(
        files: impl IntoIterator<Item = Lint>,
        blocks: impl IntoIterator<Item = Lint>,
        overrides: &'o [LevelOverride],
        ignored: bool,
    ) -> Self {
        let mut levels = Self { overrides, ignored, ..Self::default() };
        for lint in files {
            levels.files.insert(lint.place.source, levels.lints.len());
            levels.add(lint);
        }
        for lint in blocks {
            levels.blocks.insert(lint.place, levels.lints.len());
            levels.add(lint);
        }
        levels
    }

    fn add(&mut self, lint: Lint) {
        let mut entries = BTreeMap::new();
        for (at, entry) in lint.entries.iter().enumerate() {
            entries.entry(entry.rule.value.clone()).or_insert(at);
        }
        self.entries.push(entries);
        self.lints.push(lint);
    }

    /// Every block, with what it sets.
    #[must_use]
    pub fn lints(&self) -> &[Lint] {
        &self.lints
    }

    /// Remembers the blocks that a bottle is made of, its own the last. What it warns of or denies is needed where a
    /// profile of it says otherwise, whether anything breaks the rule by now or not.
    pub fn see(&mut self, blocks: &[Lint]) {
        self.seen.extend(blocks.iter().map(|lint| lint.place));
        let Some((own, profiles)) = blocks.split_last() else { return };
        let mut below: BTreeMap<&str, BTreeSet<Setting>> = BTreeMap::new();
        for LintEntry { setting, rule, reason: _, node: _ } in profiles.iter().flat_map(|lint| &lint.entries)
        {
            below.entry(&rule.value).or_default().insert(*setting);
        }
        for LintEntry { setting, rule, reason: _, node: _ } in &own.entries {
            let otherwise =
                below.get(rule.value.as_str()).is_some_and(|set| set.iter().any(|it| it != setting));
            if otherwise && *setting != Setting::Allow {
                self.needed.insert(rule.span);
            }
        }
    }

    /// Remembers what the profiles deny to who extends them. Of the profiles each stands behind those that it extends.
    pub fn bind(&mut self, profiles: &[&Profile], bottles: &[BottleDecl]) {
        let mut denied: BTreeMap<&str, Rc<Denials>> = BTreeMap::new();
        for Profile { name, extends, layer } in profiles {
            let under = self.bind_block(extends, &layer.lints, &denied);
            let own = layer.lints.iter().flat_map(|lint| &lint.entries);
            let own = own.filter(|entry| entry.setting == Setting::Deny);
            let mut all = under;
            for LintEntry { setting: _, rule: Spanned { value, span }, reason: _, node: _ } in own {
                if let Some(rule) = rule::find(value) {
                    Rc::make_mut(&mut all).entry(rule.id).or_insert(*span);
                }
            }
            denied.insert(&name.value, all);
        }
        for BottleDecl { extends, layer, .. } in bottles {
            self.bind_block(extends, &layer.lints, &denied);
        }
    }

    /// The same of one block: what is denied to it.
    fn bind_block(
        &mut self,
        extends: &[Spanned<String>],
        lints: &[Lint],
        denied: &BTreeMap<&str, Rc<Denials>>,
    ) -> Rc<Denials> {
        let mut parents = extends.iter().filter_map(|name| denied.get(name.value.as_str()));
        let mut under = parents.next().cloned().unwrap_or_default();
        for parent in parents.filter(|parent| !parent.is_empty()) {
            for (rule, place) in parent.iter() {
                Rc::make_mut(&mut under).entry(rule).or_insert(*place);
            }
        }
        for Lint { place, .. } in lints.iter().filter(|_| !under.is_empty()) {
            // What the deny's own file says of the rule does not count in another one.
            self.needed.extend(under.values().filter(|deny| deny.source != place.source));
            self.bound.insert(*place, Rc::clone(&under));
        }
        under
    }

    /// The `deny` of a profile that binds a place's profile or bottle.
    fn binding(&self, place: Span, rule: &str) -> Option<&LintEntry> {
        let deny = *self.bound.get(&self.block(place)?.0)?.get(rule)?;
        self.in_block(deny, rule)
    }

    fn entry(&self, lint: usize, rule: &str) -> Option<&LintEntry> {
        self.entries[lint].get(rule).map(|at| &self.lints[lint].entries[*at])
    }

    /// A place's profile or bottle, and its `lint`.
    fn block(&self, place: Span) -> Option<(Span, usize)> {
        let last = Span { source: place.source, start: place.start, end: u32::MAX };
        let (block, lint) = self.blocks.range(..=last).next_back()?;
        (block.source == place.source && place.end <= block.end).then_some((*block, *lint))
    }

    /// What a place's profile or bottle says of a rule.
    fn in_block(&self, place: Span, rule: &str) -> Option<&LintEntry> {
        self.entry(self.block(place)?.1, rule)
    }

    fn in_file(&self, source: SourceId, rule: &str) -> Option<&LintEntry> {
        self.files.get(&source).and_then(|lint| self.entry(*lint, rule))
    }

    /// What is said of a finding in specs, the innermost first: of its bottle, of the block that it stands in, of the
    /// file.
    fn said_of(&self, diagnostic: &Diagnostic) -> impl Iterator<Item = &LintEntry> {
        let (place, rule) = (diagnostic.primary.span, diagnostic.rule.id);
        let bottle = diagnostic.bottle.and_then(|bottle| self.in_block(bottle, rule));
        let block = self.in_block(place, rule);
        let block = block.filter(|block| bottle.is_none_or(|bottle| bottle.rule.span != block.rule.span));
        [bottle, block, self.in_file(place.source, rule)].into_iter().flatten()
    }

    /// The override that names a rule, `warning` being whether it is a warning without one.
    fn overriding(&self, rule: &Rule, mut warning: bool, accepted: bool) -> Option<&'o LevelOverride> {
        let mut last = None;
        for given in self.overrides {
            let named = match given.selector {
                LintSelector::Rule(named) => named == rule,
                LintSelector::Warnings => warning && !accepted,
                LintSelector::All => given.setting == Setting::Deny || rule.level != Level::Error,
            };
            if named {
                warning |= given.setting == Setting::Warn;
                last = Some(given);
            }
        }
        last
    }

    /// Gives each finding its level, and puts aside what is allowed. Ask once for each.
    pub fn apply(&mut self, diagnostics: &mut Diagnostics) {
        diagnostics.judge(|diagnostic| self.judge(diagnostic));
        diagnostics.refuse_dropped(|rule| self.may_deny(rule));
    }

    /// Sets the level.
    fn judge(&mut self, diagnostic: &mut Diagnostic) -> Judgement {
        let (rule, level) = (diagnostic.rule, diagnostic.level);
        self.broken.insert(rule.id);
        let mut places = [diagnostic.bottle, Some(diagnostic.primary.span)].into_iter().flatten();
        let bound = places.find_map(|place| self.binding(place, rule.id)).cloned();
        let said: Vec<LintEntry> = match bound {
            // Whatever who extends that profile says.
            Some(bound) => vec![bound],
            None => self.said_of(diagnostic).cloned().collect(),
        };
        let under = |setting: Option<Setting>| setting.map_or(Some(level), |setting| setting.of(rule, level));
        // The outermost of those that agree is the one that is needed: without the others all would be the same.
        for (at, entry) in said.iter().enumerate() {
            let outer = said.get(at + 1);
            if under(Some(entry.setting)) != under(outer.map(|outer| outer.setting)) {
                self.needed.insert(entry.rule.span);
                break;
            }
            self.agreed.extend(outer.map(|outer| (entry.rule.span, outer.rule.span)));
        }
        let said = said.into_iter().next().filter(|_| !self.ignored);
        let set = said.as_ref().map(|entry| entry.setting);
        let warning = rule.level == Level::Warning || under(set) == Some(Level::Warning);
        let given = self.overriding(rule, warning, is_accepted(rule, level));
        // What a run denies is denied, whatever a spec says: the spec may be a stranger's.
        let denied = given.filter(|given| given.setting == Setting::Deny);
        let Some(now) = under(denied.map(|given| given.setting).or(set).or(given.map(|given| given.setting)))
        else {
            let by = said.map(|entry| Allowance {
                place: entry.rule.span,
                reason: entry.reason.map(|it| it.value).unwrap_or_default(),
            });
            return Judgement::Allowed(by);
        };
        if now != level {
            diagnostic.level = now;
            explain(diagnostic, denied, said.as_ref());
        }
        Judgement::Shown
    }

    /// Whether a finding of this rule may be one that is denied, wherever it is.
    fn may_deny(&self, rule: &Rule) -> bool {
        let given = self.overriding(rule, rule.level != Level::Advice, false);
        let deny = |entry: &LintEntry| entry.setting == Setting::Deny;
        given.is_some_and(|given| given.setting == Setting::Deny)
            || !self.ignored && (0..self.lints.len()).any(|lint| self.entry(lint, rule.id).is_some_and(deny))
    }

    /// The entries that change nothing: an `allow` of what is not found where it counts, and what says again what holds.
    /// Of a profile that no bottle extends nothing is known, and so of what its file says.
    pub fn unneeded(&self) -> impl Iterator<Item = Unneeded<'_>> {
        let unseen: BTreeSet<SourceId> =
            self.blocks.keys().filter(|block| !self.seen.contains(block)).map(|block| block.source).collect();
        let files: BTreeSet<usize> = self.files.values().copied().collect();
        let known = move |(at, lint): &(usize, &Lint)| {
            if files.contains(at) {
                !unseen.contains(&lint.place.source)
            } else {
                self.seen.contains(&lint.place)
            }
        };
        let known = self.lints.iter().enumerate().filter(known);
        known.flat_map(|(_, lint)| lint.entries.iter().map(move |entry| (lint, entry))).filter_map(
            |(lint, entry)| {
                let rule = rule::find(&entry.rule.value)?;
                let LintEntry { setting, rule: Spanned { value: _, span }, reason: _, node: _ } = entry;
                let bound = self.bound.get(&lint.place).and_then(|denied| denied.get(rule.id)).copied();
                if bound.is_some() {
                    let overruled = *setting != Setting::Deny;
                    return Some(Unneeded { lint, entry, outer: bound, overruled, elsewhere: false });
                }
                if self.needed.contains(span) {
                    return None;
                }
                let outer = self.in_file(span.source, rule.id).filter(|outer| outer.rule.span != *span);
                let held = outer.map_or_else(|| Setting::own(rule), |outer| Some(outer.setting));
                let same = held == Some(*setting);
                let agreed = self.agreed.get(span).copied();
                let outer = agreed.or(outer.filter(|_| same).map(|outer| outer.rule.span));
                let elsewhere = outer.is_none() && self.broken.contains(rule.id);
                (*setting == Setting::Allow || same).then_some(Unneeded {
                    lint,
                    entry,
                    outer,
                    overruled: false,
                    elsewhere,
                })
            },
        )
    }
}

/// Says why a finding has a level that is not its rule's.
fn explain(diagnostic: &mut Diagnostic, denied: Option<&LevelOverride>, said: Option<&LintEntry>) {
    if let Some(LevelOverride { setting: _, selector }) = denied {
        diagnostic.help.push(format!("an error because this run denies `{selector}`"));
    }
    let Some(LintEntry { setting, rule, reason, node: _ }) = said else { return };
    let because =
        reason.as_ref().map(|reason| format!(", because: {}", quote(&reason.value))).unwrap_or_default();
    let done = match (setting, denied) {
        (Setting::Allow, _) => "allowed here",
        (Setting::Deny, _) => "denied here",
        (Setting::Warn, None) => "made a warning here",
        // It says nothing against what the run says.
        (Setting::Warn, Some(_)) => return,
    };
    let message = format!("{done}{because}");
    diagnostic.related.push(Label { span: rule.span, message });
}
