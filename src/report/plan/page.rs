//! A page of titles, paragraphs, tables and commands, wrapped between words.

use std::borrow::Cow;

use textwrap::core::{Word, display_width};
use textwrap::wrap_algorithms::wrap_first_fit;

use crate::report::{Style, one_line, wrapping};

/// The least columns of a page.
const COLUMNS: usize = 80;
/// What stands before everything but a title.
const INDENT: &str = "  ";
/// What stands before the later lines of a paragraph or a command.
const HANGING: &str = "      ";
/// The space between two cells.
const GAP: usize = 2;

/// The page, as far as it is written. Whatever comes from a spec is made harmless for a terminal, but for commands.
pub(super) struct Page {
    text: String,
    pub(super) style: Style,
}

impl Page {
    pub(super) fn new(style: &Style) -> Self {
        Self { text: String::new(), style: Style { width: style.width.max(COLUMNS), ..*style } }
    }

    pub(super) fn text(self) -> String {
        self.text
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn wrapped(&mut self, text: &str, first: &str, later: &str) {
        let options = wrapping(self.style.columns()).initial_indent(first).subsequent_indent(later);
        for line in textwrap::wrap(&one_line(text), options) {
            self.push(&line);
        }
    }

    /// The first line of all.
    pub(super) fn heading(&mut self, name: &str, rest: &str) {
        let name = one_line(name);
        let shown = self.style.strong().style(&name).to_string();
        if display_width(&name) + GAP + display_width(rest) > self.style.columns() {
            self.push(&shown);
            self.line(rest);
        } else {
            self.push(&format!("{shown}  {rest}"));
        }
    }

    pub(super) fn title(&mut self, title: &str) {
        self.text.push('\n');
        for line in textwrap::wrap(&one_line(title), wrapping(self.style.columns())) {
            let line = self.style.strong().style(line).to_string();
            self.push(&line);
        }
    }

    /// A paragraph.
    pub(super) fn line(&mut self, text: &str) {
        self.wrapped(text, INDENT, HANGING);
    }

    /// A paragraph that is a comment to a shell.
    pub(super) fn remark(&mut self, text: &str) {
        self.wrapped(text, "  # ", "  # ");
    }

    /// A command, from words that are quoted already. Each line but the last one ends as a shell wants it of a command that
    /// goes on.
    pub(super) fn command(&mut self, words: impl IntoIterator<Item = String>) {
        const GOES_ON: &str = " \\";
        let columns = self.style.columns() - GOES_ON.len();
        let mut parts: Vec<String> = Vec::new();
        for word in words {
            // A flag stands with its value, if one line has room for both.
            let flag = parts.last_mut().filter(|part| {
                let is_flag = part.starts_with("--") && part.len() > 2 && !part.contains(' ');
                let width = HANGING.len() + display_width(part) + 1 + display_width(&word);
                is_flag && !word.starts_with('-') && width <= columns
            });
            match flag {
                Some(flag) => *flag = format!("{flag} {word}"),
                None => parts.push(word),
            }
        }
        let parts: Vec<String> = parts.into_iter().map(|part| part + " ").collect();
        let parts: Vec<Word<'_>> = parts.iter().map(|part| Word::from(part.as_str())).collect();
        let room = [INDENT, HANGING]
            .map(|indent| f64::from(u16::try_from(columns - indent.len()).unwrap_or(u16::MAX)));
        let lines = wrap_first_fit(&parts, &room);
        for (at, line) in lines.iter().enumerate() {
            let line = line.iter().map(|part| part.word).collect::<Vec<_>>().join(" ");
            let indent = if at == 0 { INDENT } else { HANGING };
            let end = if at + 1 == lines.len() { "" } else { GOES_ON };
            self.push(&format!("{indent}{line}{end}"));
        }
    }

    /// Rows of cells, each wrapped below its own beginning. A word that has no room there stands on a line of its own.
    pub(super) fn table(&mut self, rows: &[Vec<String>]) {
        let rows: Vec<Vec<Cow<'_, str>>> =
            rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
        let columns = self.style.columns();
        let starts = starts(&rows, columns);
        for row in rows {
            let mut line = String::new();
            for (cell, start) in row.iter().zip(&starts).filter(|(cell, _)| !cell.is_empty()) {
                let too_long = cell.split(' ').any(|word| start + display_width(word) > columns);
                let start = if too_long { HANGING.len().min(*start) } else { *start };
                if !line.is_empty() && (too_long || display_width(&line) + GAP > start) {
                    self.push(&line);
                    line.clear();
                }
                let pad = start.saturating_sub(display_width(&line));
                line.extend(std::iter::repeat_n(' ', pad));
                let later = " ".repeat(start);
                let options = wrapping(columns).initial_indent(&line).subsequent_indent(&later);
                let mut lines: Vec<String> =
                    textwrap::wrap(cell, options).into_iter().map(Cow::into_owned).collect();
                line = lines.pop().unwrap_or_default();
                for line in lines {
                    self.push(&line);
                }
            }
            self.push(&line);
        }
    }
}

/// Where the cells of each column begin: right of the widest one of the column before. When those on the right then have too
/// little room, they stand below each other.
fn starts(rows: &[Vec<Cow<'_, str>>], columns: usize) -> Vec<usize> {
    let side_by_side = |widest: usize| {
        let mut starts = vec![INDENT.len()];
        for column in 1..rows.iter().map(Vec::len).max().unwrap_or(0) {
            let before = rows.iter().filter(|row| row.len() > column).map(|row| &row[column - 1]);
            let widths = before.map(|cell| display_width(cell)).filter(|width| *width <= widest);
            starts.push(starts[column - 1] + widths.max().unwrap_or(0) + GAP);
        }
        starts
    };
    // Whether all cells fit, where those that begin left of `room` are wrapped.
    let fit = |starts: &[usize], room: usize| {
        rows.iter().all(|row| {
            let mut cells = row.iter().zip(starts);
            cells.all(|(cell, start)| *start <= room || start + display_width(cell) <= columns)
        })
    };
    let whole = side_by_side(columns);
    if fit(&whole, 0) {
        return whole;
    }
    // What is wider than half of the page has nothing beside it.
    let middle = columns / 2;
    let starts = side_by_side(middle);
    let up_to = |last: usize| starts.iter().map(|start| last.min(*start)).collect::<Vec<_>>();
    let mut narrower = starts.iter().rev().map(|last| up_to(*last));
    narrower.find(|starts| fit(starts, middle)).unwrap_or_else(|| up_to(INDENT.len()))
}
