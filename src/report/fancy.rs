//! For people: each diagnostic with the excerpts that it speaks of, drawn by `miette`.
//!
//! The message, the help and the notes are laid out here, because `miette` puts the rule on a line of its own, tells
//! the levels apart by a symbol only, and has one help for all.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};
use owo_colors::{OwoColorize as _, Style as Paint};
use textwrap::core::display_width;

use super::excerpt::{CONTEXT, Drawing, Excerpt, Row, beginning, columns, shifted};
use super::{Style, Summary, one_line};
use crate::diagnostic::{Applicability, Diagnostic, Diagnostics, Fix};
use crate::source::Sources;

/// The most bytes of text that the preview of a fix may replace and write.
const MAX_PREVIEW_BYTES: usize = 4096;

/// The most lines of a fix's preview.
const MAX_PREVIEW_LINES: usize = 6;

/// Writes each diagnostic and an empty line, then the summary.
pub(super) fn render(
    diagnostics: &Diagnostics,
    sources: &Sources,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for diagnostic in diagnostics.as_slice() {
        let text = one(diagnostic, sources, style)?;
        // Nothing that `miette` pads is worth the trailing spaces.
        for line in text.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    if !diagnostics.is_empty() {
        writeln!(out, "{}", Summary::of(diagnostics).style(style.strong()))?;
    }
    Ok(())
}

fn one(diagnostic: &Diagnostic, sources: &Sources, style: &Style) -> io::Result<String> {
    // Taken apart whole, so that a new field cannot be forgotten here.
    let Diagnostic { rule, level, message, primary: _, related: _, help, fix } = diagnostic;
    let excerpt = Excerpt::new(diagnostic, sources, style);

    let head = format!("{}[{}]", level.as_str(), rule.id);
    let linked = format!("{}[{}]", level.as_str(), link(rule.id, style));
    let mut text =
        paragraph(&head, &linked.style(style.level(*level)).to_string(), message, style.strong(), style);
    text.push_str(&draw(&excerpt, style)?);
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
        text.push_str(&footer("help", &title, style));
        text.push_str(&preview(fix, sources, style));
    }
    Ok(text)
}

/// `id` as a link to its page, where links are wanted.
fn link(id: &str, style: &Style) -> String {
    if !style.links {
        return id.to_owned();
    }
    let (repository, version) = (env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"));
    format!("\x1b]8;;{repository}/blob/v{version}/src/rules/{id}.md\x1b\\{id}\x1b]8;;\x1b\\")
}

fn footer(head: &str, body: &str, style: &Style) -> String {
    let head = format!("  {head}");
    paragraph(&head, &head.style(style.help()).to_string(), body, Paint::new(), style)
}

/// `head: body`, wrapped; `shown_head` is the same head with its escape sequences. Words are never broken: an address
/// or a digest can still be copied, and a terminal breaks what is too long.
fn paragraph(head: &str, shown_head: &str, body: &str, paint: Paint, style: &Style) -> String {
    let body = one_line(body);
    let first = " ".repeat(display_width(head) + ": ".len());
    let indent = " ".repeat(first.len().min("  help: ".len()));
    let options = textwrap::Options::new(style.columns())
        .initial_indent(&first)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
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
            link: style.paint(Paint::new().cyan()),
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

/// The lines that a fix writes, unless its title already says what that is.
fn preview(fix: &Fix, sources: &Sources, style: &Style) -> String {
    let said = |replacement: &str| fix.title.contains(replacement.trim());
    if fix.edits.iter().all(|edit| said(&edit.replacement)) {
        return String::new();
    }
    let Some((first_line, text, change)) = rewritten(fix, sources) else { return String::new() };
    let lines: Vec<&str> = text.split('\n').collect();
    let shown = lines.len().min(MAX_PREVIEW_LINES);
    let columns = columns(first_line + shown, style) - "      ".len();
    let digits = (first_line + shown).to_string().len();
    let mut preview = String::new();
    for (n, line) in lines[..shown].iter().enumerate() {
        let line = line.trim_end_matches('\r');
        let window = (n == 0)
            .then(|| {
                shifted(line, &(change.start.min(line.len())..change.end.min(line.len())), columns, style)
            })
            .flatten()
            .unwrap_or_else(|| beginning(line, columns, style));
        let row = Row::new(line, window, style);
        let added = format!("{:>digits$} + {}", first_line + n + 1, row.text);
        let _ = writeln!(preview, "        {}", added.trim_end().style(style.added()));
    }
    if lines.len() > shown {
        let _ = writeln!(preview, "        {:>digits$}   {}", "", style.ellipsis());
    }
    preview
}

/// The lines of a fix that changes one place of one file, as it would leave them: the zero-based number of the first,
/// the text, and where in it the first change is. `None` when that is too much to look at.
fn rewritten(fix: &Fix, sources: &Sources) -> Option<(usize, String, Range<usize>)> {
    let (first, last) = (fix.edits.first()?.span, fix.edits.last()?.span);
    let source = sources.get(first.source);
    let written: usize = fix.edits.iter().map(|edit| edit.replacement.len()).sum();
    if fix.edits.iter().any(|edit| edit.span.source != first.source)
        || (last.end.checked_sub(first.start)? as usize).saturating_add(written) > MAX_PREVIEW_BYTES
    {
        return None;
    }
    let all = source.text();
    let line = source.line_of(first.start);
    let last_line = source.line_of(last.end);
    // Of a line of megabytes, the part around the change.
    let line_start = *source.line_starts().get(line)? as usize;
    let near = all.floor_char_boundary((first.start as usize).saturating_sub(MAX_PREVIEW_BYTES));
    let mut at = line_start.max(near);
    let line_end =
        source.line_starts().get(last_line)? + u32::try_from(source.line_text(last_line).len()).ok()?;
    let end =
        all.floor_char_boundary((last.end as usize).saturating_add(MAX_PREVIEW_BYTES)).min(line_end as usize);

    let start = first.start as usize - at;
    let change = start..start + fix.edits.first()?.replacement.len();
    let mut text = String::new();
    for edit in &fix.edits {
        text.push_str(all.get(at..edit.span.start as usize)?);
        text.push_str(&edit.replacement);
        at = edit.span.end as usize;
    }
    text.push_str(all.get(at..end.max(at))?);
    Some((line, text, change))
}
