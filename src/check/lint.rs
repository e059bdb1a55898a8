//! `lint` blocks: levels that contradict each other or change nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::levels::{Levels, Unneeded};
use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Lint, LintEntry};
use crate::rule::catalogue::{LINT_CONFLICT, LINT_UNUSED};
use crate::rule::{LevelSource, Setting};
use crate::source::{Source, SourceId, Sources, Span};
use crate::text::quote;

/// Reports what one `lint` sets twice.
pub fn check(lints: &[Lint], diagnostics: &mut Diagnostics) {
    for lint in lints {
        let mut first: BTreeMap<&str, &LintEntry> = BTreeMap::new();
        // What may not be set so was spoken of as that.
        let valid = |entry: &&LintEntry| entry.setting.rule(&entry.rule.value, LevelSource::Spec).is_ok();
        for entry in lint.entries.iter().filter(valid) {
            let rule = entry.rule.value.as_str();
            let Some(first) = first.get(rule) else {
                first.insert(rule, entry);
                continue;
            };
            let (once, again) = (first.setting.as_str(), entry.setting.as_str());
            let message = if once == again {
                format!("{} is set to `{again}` twice", quote(rule))
            } else {
                format!("{} is set to `{once}` and to `{again}`", quote(rule))
            };
            diagnostics.push_error_with(|| {
                Diagnostic::new(&LINT_CONFLICT, entry.rule.span, message)
                    .label("set again here")
                    .related(first.rule.span, "first set here")
                    .help("keep one of them")
            });
        }
    }
}

/// Reports `lint` entries that change nothing: as many as there is `room` for.
#[must_use]
pub fn unused(levels: &Levels<'_>, sources: &Sources, room: usize) -> Diagnostics {
    // Of this rule itself it is not said: that would be found only after it was needed.
    let found: Vec<Unneeded<'_>> =
        levels.unneeded().filter(|it| it.entry.rule.value != LINT_UNUSED.id).collect();
    let mut unneeded: BTreeMap<Span, usize> = BTreeMap::new();
    for node in found.iter().filter_map(|it| it.lint.node) {
        *unneeded.entry(node).or_default() += 1;
    }
    let roots: BTreeSet<SourceId> = sources.roots().iter().copied().collect();
    let mut diagnostics = Diagnostics::with_room(room);
    for it in &found {
        let diagnostic = describe(it);
        let source = it.entry.node.source;
        let whole = it.lint.node.filter(|node| {
            !it.lint.holds_more && unneeded.get(node).is_some_and(|n| *n == it.lint.entries.len())
        });
        let Some(place) = removal(sources.get(source), whole.unwrap_or(it.entry.node)) else {
            diagnostics.push(diagnostic);
            continue;
        };
        let title = match diagnostic.help.first().filter(|_| whole.is_none()) {
            Some(help) => help.clone(),
            None => String::from("take out the `lint`, which changes nothing"),
        };
        diagnostics.push(if roots.contains(&source) {
            diagnostic.replace(title, Applicability::Safe, place, "")
        } else {
            diagnostic.help("another spec that includes this file may need it").replace(
                title,
                Applicability::Unsafe,
                place,
                "",
            )
        });
    }
    diagnostics
}

fn describe(unneeded: &Unneeded<'_>) -> Diagnostic {
    let Unneeded { lint: _, entry, outer, overruled, elsewhere } = *unneeded;
    let LintEntry { setting, rule, reason: _, node: _ } = entry;
    let name = quote(&rule.value);
    let new = |message: String| Diagnostic::new(&LINT_UNUSED, rule.span, message);
    let diagnostic = match (setting, outer) {
        (Setting::Allow, None) => {
            let diagnostic = new(format!("{name} is allowed, and nothing here breaks that rule"))
                .label("silences nothing")
                .help("take it out: it would silence the next one");
            let help =
                "what is found elsewhere is set where it is found: in that block, or at the top of that file";
            return diagnostic.help_if(elsewhere.then_some(help));
        }
        (Setting::Allow | Setting::Warn, Some(outer)) if overruled => {
            return new(format!("{name} is denied by a profile that is extended here"))
                .label("changes nothing")
                .related(outer, "denied here, which binds who extends the profile")
                .help("take it out, and fix what breaks the rule");
        }
        (Setting::Allow, Some(_)) => new(format!("{name} is allowed already")),
        (Setting::Warn, _) => new(format!("{name} is a warning already")),
        (Setting::Deny, None) => new(format!("{name} is an error already")),
        (Setting::Deny, Some(_)) => new(format!("{name} is denied already")),
    };
    let diagnostic = diagnostic.label("changes nothing").help("take it out");
    match outer {
        Some(outer) => diagnostic.related(outer, "set here already"),
        None => diagnostic,
    }
}

/// What is to be removed of the text so that a node is gone: with its line when it is alone there. None when something
/// follows it that would mean something else then.
fn removal(source: &Source, node: Span) -> Option<Span> {
    let text = source.text();
    let lines = source.line_starts();
    let line_start = |line: usize| lines.get(line).map_or(text.len(), |start| *start as usize);
    let past_blanks = |at: usize| text.len() - text[at..].trim_start_matches([' ', '\t']).len();
    let std::ops::Range { mut start, end } = node.range();
    let mut after = past_blanks(end);
    let ends = text[after..].starts_with(';');
    if ends {
        after = past_blanks(after + 1);
    }
    let rest = &text[after..];
    let commented = rest.starts_with("//");
    let ends_line = commented || rest.is_empty() || rest.starts_with(['\n', '\r']);
    if !ends && !ends_line && !rest.starts_with('}') {
        return None;
    }
    let line = source.line_of(node.start);
    let before = &text[line_start(line)..start];
    if ends_line && before.trim_matches([' ', '\t']).is_empty() {
        start = line_start(line);
        let next = source.line_of(node.end) + 1;
        after = line_start(next);
        // The blank line that set it apart goes, too, where another one stays or nothing is left to set apart.
        let is_blank = |line: usize| source.line_text(line).trim().is_empty();
        let apart = line == 0 || is_blank(line - 1) || source.line_text(line - 1).trim_end().ends_with('{');
        if apart && next + 1 < lines.len() && is_blank(next) {
            after = line_start(next + 1);
        }
    } else if ends_line && !commented {
        start = line_start(line) + before.trim_end_matches([' ', '\t']).len();
    }
    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Some(Span::new(node.source, at(start)..at(after)))
}
