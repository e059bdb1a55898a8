//! The `fancy` format, for people: each diagnostic with its excerpts, drawn by `miette`.
//!
//! The message, the help and the notes are laid out here, because `miette` puts the rule on a line of its own, tells
//! the levels apart by a symbol only, and has one help for all.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};
use owo_colors::{OwoColorize as _, Style as Paint};
use textwrap::core::display_width;

use super::excerpt::{CONTEXT, Drawing, Excerpt, Row, beginning, columns, shifted};
use super::{Style, Summary, Unread, one_line, wrapping};
use crate::diagnostic::{Applicability, Diagnostic, Diagnostics, Fix};
use crate::rule::Level;
use crate::source::{SourceId, Sources};
use crate::text::{quote_path, without_commands};

/// The most bytes of text that the preview of a fix may replace and write.
const MAX_PREVIEW_BYTES: usize = 4096;

/// What stands before each line of a fix's preview, and before the second and later lines of a text.
const INDENT: &str = "        ";

/// The most lines of a fix's preview.
const MAX_PREVIEW_LINES: usize = 6;

/// Writes each diagnostic and an empty line, then the summary.
pub(super) fn render(
    diagnostics: &Diagnostics,
    unread: &[Unread],
    sources: &Sources,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for diagnostic in diagnostics.as_slice() {
        let text = one(diagnostic, sources, style)?;
        let text = without_commands(&text);
        // Nothing that `miette` pads is worth the trailing spaces.
        for line in text.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    for unread in unread {
        let head = "error".style(style.level(Level::Error)).to_string();
        let body = format!("{}: {unread}", quote_path(Path::new(&unread.path)));
        writeln!(out, "{}", without_commands(&paragraph("error", &head, &body, style.strong(), style)))?;
    }
    if !diagnostics.is_empty() {
        writeln!(out, "{}", Summary::of(diagnostics).style(style.strong()))?;
    }
    Ok(())
}

fn one(diagnostic: &Diagnostic, sources: &Sources, style: &Style) -> io::Result<String> {
    // Taken apart whole, so that a new field cannot be forgotten here.
    let Diagnostic { rule, level, message, primary, related, help, fix, bottle: _ } = diagnostic;
    let excerpt = Excerpt::new(diagnostic, sources, style);

    let head = format!("{}[{}]", level.as_str(), rule.id);
    let shown = head.style(style.level(*level)).to_string();
    let mut text = paragraph(&head, &shown, message, style.strong(), style);
    let source = sources.get(primary.span.source);
    if source.too_large().is_some() && related.is_empty() {
        // Its text was not kept: an excerpt would show an empty line that the file does not have.
        text.push_str(&footer("file", source.name(), style));
    } else {
        text.push_str(&draw(&excerpt, style)?);
    }
    for note in &excerpt.notes {
        text.push_str(&footer("note", note, style));
    }
    for help in help {
        text.push_str(&footer("help", help, style));
    }
    if let Some(fix) = fix {
        let title = match fix.applicability {
            Applicability::Safe => fix.title.clone(),
            Applicability::Unsafe => format!("{} (may change what the spec means)", fix.title),
        };
        if !help.contains(&title) {
            text.push_str(&footer("help", &title, style));
        }
        text.push_str(&preview(fix, primary.span.source, sources, style));
    }
    Ok(text)
}

fn footer(head: &str, body: &str, style: &Style) -> String {
    let head = format!("  {head}");
    paragraph(&head, &head.style(style.help()).to_string(), body, Paint::new(), style)
}

/// `head: body`, wrapped; `shown_head` is the same head with its escape sequences.
fn paragraph(head: &str, shown_head: &str, body: &str, paint: Paint, style: &Style) -> String {
    let body = one_line(body);
    let first = " ".repeat(display_width(head) + ": ".len());
    let indent = " ".repeat(first.len().min(INDENT.len()));
    let options = wrapping(style.columns()).initial_indent(&first).subsequent_indent(&indent);
    let mut text = format!("{shown_head}: ");
    for (n, line) in textwrap::wrap(&body, options).iter().enumerate() {
        if n > 0 {
            text.push('\n');
            text.push_str(&indent);
        }
        let line = line.get(if n == 0 { first.len() } else { indent.len() }..).unwrap_or("");
        text.push_str(&line.style(paint).to_string());
    }
    text.push('\n');
    text
}

fn draw(excerpt: &Excerpt, style: &Style) -> io::Result<String> {
    let theme = GraphicalTheme {
        characters: if style.unicode {
            ThemeCharacters::unicode()
        } else {
            ThemeCharacters { ltop: '-', lbot: '`', underbar: '^', ..ThemeCharacters::ascii() }
        },
        styles: ThemeStyles {
            linum: style.paint(Paint::new().dimmed()),
            link: style.place(),
            highlights: excerpt.colors.clone(),
            ..ThemeStyles::none()
        },
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.columns())
        .with_context_lines(CONTEXT)
        .with_links(false)
        .without_cause_chain()
        .without_syntax_highlighting();
    let mut text = String::new();
    handler.render_report(&mut text, &Drawing(excerpt)).map_err(io::Error::other)?;
    // The first line is the symbol before a message, and the message is above.
    Ok(text.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned()))
}

/// The lines that a fix writes, unless its title already quotes what it writes.
fn preview(fix: &Fix, primary: SourceId, sources: &Sources, style: &Style) -> String {
    let said = |text: &str| text.is_empty() || fix.title.contains(&format!("`{text}`"));
    if fix.edits.iter().all(|edit| said(edit.replacement.trim())) {
        return String::new();
    }
    let Some(Rewritten { source, first_line, text, change }) = Rewritten::new(fix, sources) else {
        return String::new();
    };
    let mut lines: Vec<&str> = text.lines().collect();
    let before = sources.get(source).line_text(first_line);
    // What is inserted below a line leaves that line as it is.
    let unchanged = usize::from(lines.len() > 1 && lines[0] == before);
    lines.drain(..unchanged);

    let shown = lines.len().min(MAX_PREVIEW_LINES);
    let numbers = first_line + unchanged + 1..first_line + unchanged + 1 + shown;
    let columns = columns(numbers.end, style) - INDENT.len();
    let digits = (numbers.end - 1).to_string().len();
    let mut preview = String::new();
    if source != primary {
        let name = one_line(sources.get(source).name());
        let _ = writeln!(preview, "{INDENT}in {}:", name.style(style.place()));
    }
    for (n, (line, number)) in lines.iter().zip(numbers).enumerate() {
        let change = change.start.min(line.len())..change.end.min(line.len());
        let window = (n + unchanged == 0)
            .then(|| shifted(line, &change, columns, style))
            .flatten()
            .unwrap_or_else(|| beginning(line, columns, style));
        let added = format!("{number:>digits$} + {}", Row::new(line, window, style).text);
        let _ = writeln!(preview, "{INDENT}{}", added.trim_end().style(style.added()));
    }
    if lines.len() > shown {
        let _ = writeln!(preview, "{INDENT}{:>digits$}   {}", "", style.ellipsis());
    }
    preview
}

/// The lines of a fix that changes one place of one file, as it would leave them.
struct Rewritten {
    source: SourceId,
    /// The zero-based number of the first line.
    first_line: usize,
    text: String,
    /// Where in the text the first replacement is.
    change: Range<usize>,
}

impl Rewritten {
    /// `None` when that is too much to look at.
    fn new(fix: &Fix, sources: &Sources) -> Option<Self> {
        let (first, last) = (fix.edits.first()?, fix.edits.last()?.span);
        let source = sources.get(first.span.source);
        let replaced = last.end.checked_sub(first.span.start)? as usize;
        let written: usize = fix.edits.iter().map(|edit| edit.replacement.len()).sum();
        if fix.edits.iter().any(|edit| edit.span.source != first.span.source)
            || replaced.saturating_add(written) > MAX_PREVIEW_BYTES
        {
            return None;
        }
        let all = source.text();
        let (first_line, last_line) = (source.line_of(first.span.start), source.line_of(last.end));
        // Of a line of megabytes, the part around the change.
        let start = (*source.line_starts().get(first_line)? as usize)
            .max(all.floor_char_boundary((first.span.start as usize).saturating_sub(MAX_PREVIEW_BYTES)));
        let end = (*source.line_starts().get(last_line)? as usize + source.line_text(last_line).len())
            .min(all.floor_char_boundary((last.end as usize).saturating_add(MAX_PREVIEW_BYTES)))
            .max(last.end as usize);

        let change = (first.span.start as usize).checked_sub(start)?;
        let mut text = String::new();
        let mut at = start;
        for edit in &fix.edits {
            text.push_str(all.get(at..edit.span.start as usize)?);
            text.push_str(&edit.replacement);
            at = edit.span.end as usize;
        }
        text.push_str(all.get(at..end)?);
        let change = change..change + first.replacement.len();
        Some(Self { source: first.span.source, first_line, text, change })
    }
}
