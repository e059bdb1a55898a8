//! The `concise` format: one line per diagnostic, for `grep` and editors' quickfix lists.

use std::io::{self, Write};

use owo_colors::OwoColorize as _;

use super::{Style, Summary, Unread, one_line};
use crate::diagnostic::Diagnostics;
use crate::rule::Level;
use crate::source::Sources;
use crate::text::without_commands;

/// Writes `path:line:column: error[rule-id]: message` for each: line and column count from 1, columns are characters.
/// One more line tells how many are not shown, when there are such.
pub(super) fn render(
    diagnostics: &Diagnostics,
    unread: &[Unread],
    sources: &Sources,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for diagnostic in diagnostics.as_slice() {
        let span = diagnostic.primary.span;
        let source = sources.get(span.source);
        let position = source.position(span.start);
        let rule = format!("{}[{}]", diagnostic.level.as_str(), diagnostic.rule.id);
        let line = format!(
            "{}:{}:{}: {}: {}",
            one_line(source.name()),
            position.line + 1,
            position.character + 1,
            rule.style(style.level(diagnostic.level)),
            one_line(&diagnostic.message),
        );
        writeln!(out, "{}", without_commands(&line))?;
    }
    for unread in unread {
        let line =
            format!("{}: {}: {unread}", one_line(&unread.path), "error".style(style.level(Level::Error)));
        writeln!(out, "{}", without_commands(&line))?;
    }
    if diagnostics.dropped() > 0 {
        writeln!(out, "{}", Summary::of(diagnostics))?;
    }
    Ok(())
}
