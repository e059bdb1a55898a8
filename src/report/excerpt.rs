//! The lines that one diagnostic speaks of, laid out for a terminal, as the source that `miette` draws.
//!
//! `miette` is given this text instead of the file's: a few short lines whose tabs are spaces and whose unsafe
//! characters are replaced, with labels that never overlap. It draws what it is given without clipping, without
//! sanitising, and it moves an underline aside that meets another, so all of that is settled here. The lines are found
//! through the source's index and clipped around the labels, so an excerpt costs what it shows, whatever the file's
//! size and the length of its lines.

use std::fmt;
use std::ops::Range;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use owo_colors::Style as Paint;
use textwrap::core::display_width;

use super::{Style, one_line, wrapping};
use crate::diagnostic::{Diagnostic, Label};
use crate::source::{Position, Source, SourceId, Sources};
use crate::text::is_unsafe_to_show;

/// Lines shown before and after the ones that have a label.
pub(super) const CONTEXT: usize = 1;

/// Columns from one tab stop to the next.
const TAB: usize = 4;

/// A file may begin with it; there it is nothing to look at.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Columns of a label below which it is easier to read as a note under the excerpt.
const NARROWEST_LABEL: usize = 20;

/// The excerpts of one diagnostic: its primary place's first, then the others' in the order they are cited.
#[derive(Debug)]
pub(super) struct Excerpt {
    text: String,
    blocks: Vec<Block>,
    labels: Vec<LabeledSpan>,
    /// The colour of each label, in the order in which they stand in the text.
    pub(super) colors: Vec<Paint>,
    /// The labels for which there is no room beside their place.
    pub(super) notes: Vec<String>,
}

/// Lines that follow one another in one source.
#[derive(Debug)]
struct Block {
    name: String,
    /// Where they stand in the excerpt's text.
    range: Range<usize>,
    /// The first one's zero-based number in the source.
    first_line: usize,
    lines: usize,
    /// Where each label begins, in the excerpt and in the source.
    starts: Vec<(usize, Position)>,
}

/// The part of a label's place that is shown: what lies on its first line.
struct Place<'a> {
    label: &'a Label,
    primary: bool,
    position: Position,
    line: usize,
    /// Bytes of the line.
    range: Range<usize>,
    /// The part of the line that has to be shown instead of its beginning.
    window: Option<Range<usize>>,
    /// Zero-based.
    last_line: usize,
}

/// The places that one block will show.
struct Group<'a> {
    source: SourceId,
    lines: Range<usize>,
    window: Option<Range<usize>>,
    places: Vec<Place<'a>>,
}

impl Excerpt {
    /// The excerpts of `diagnostic`.
    pub(super) fn new(diagnostic: &Diagnostic, sources: &Sources, style: &Style) -> Self {
        let mut groups: Vec<Group<'_>> = Vec::new();
        let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.related);
        for (n, label) in labels.enumerate() {
            let source = label.span.source;
            let place = Place::new(label, n == 0, sources.get(source), style);
            match groups.iter_mut().find(|group| group.takes(source, &place)) {
                Some(group) => group.add(place),
                None => groups.push(Group {
                    source,
                    lines: place.line..place.line + 1,
                    window: place.window.clone(),
                    places: vec![place],
                }),
            }
        }
        let mut excerpt = Self {
            text: String::new(),
            blocks: Vec::new(),
            labels: Vec::new(),
            colors: Vec::new(),
            notes: Vec::new(),
        };
        for group in groups {
            excerpt.write(group, sources, style, style.level(diagnostic.level));
        }
        excerpt
    }

    /// The labels, in the order in which they stand in the text.
    pub(super) fn labels(&self) -> impl Iterator<Item = LabeledSpan> + '_ {
        self.labels.iter().cloned()
    }

    fn write(&mut self, mut group: Group<'_>, sources: &Sources, style: &Style, primary: Paint) {
        let source = sources.get(group.source);
        let lines = group.with_context(source);
        let columns = columns(lines.end, style);
        let mut block = Block {
            name: one_line(source.name()).into_owned(),
            range: self.text.len()..self.text.len(),
            first_line: lines.start,
            lines: lines.len(),
            starts: Vec::new(),
        };
        group.places.sort_by_key(|place| (place.line, place.range.start));
        let mut places = group.places.into_iter().peekable();
        for number in lines {
            let line = source.line_text(number);
            let mut window = group.window.clone().unwrap_or_else(|| beginning(line, columns, style));
            if number == 0 && window.start == 0 && line.starts_with(BYTE_ORDER_MARK) {
                window.start = BYTE_ORDER_MARK.len_utf8();
            }
            let row = Row::new(line, window, style);
            let start = self.text.len();
            self.text.push_str(&row.text);
            self.text.push('\n');
            while let Some(place) = places.next_if(|place| place.line == number) {
                let shown = row.at(place.range.start)..row.at(place.range.end);
                block.starts.push((start + shown.start, place.position));
                let label = self.label(&place, &row.text, &shown, columns);
                let shown = start + shown.start..start + shown.end;
                self.labels.push(if place.primary {
                    LabeledSpan::new_primary_with_span(label, shown)
                } else {
                    LabeledSpan::new_with_span(label, shown)
                });
                self.colors.push(if place.primary { primary } else { style.related() });
            }
        }
        block.range.end = self.text.len();
        self.blocks.push(block);
    }

    /// What the label at `shown` says, in lines that fit in `columns`.
    fn label(
        &mut self,
        place: &Place<'_>,
        row: &str,
        shown: &Range<usize>,
        columns: usize,
    ) -> Option<String> {
        let mut says = one_line(&place.label.message).into_owned();
        if place.last_line > place.line {
            let to = format!("to line {}", place.last_line + 1);
            says = if says.is_empty() { to } else { format!("{says} ({to})") };
        }
        if says.is_empty() {
            return None;
        }
        // The text hangs below the middle of the underline, behind a corner and a space.
        let width = |range: Range<usize>| row.get(range).map_or(0, display_width);
        let indent = width(0..shown.start) + width(shown.clone()) / 2 + "`-- ".len();
        let room = columns.saturating_sub(indent);
        if display_width(&says) <= room {
            Some(says)
        } else if room >= NARROWEST_LABEL {
            let options = wrapping(room).break_words(true);
            Some(textwrap::wrap(&says, options).join("\n"))
        } else {
            self.notes.push(says);
            None
        }
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let at = self.blocks.partition_point(|block| block.range.end <= span.offset());
        // Two blocks are never one: they may lie in different files. The caller then shows them apart.
        let block = self
            .blocks
            .get(at)
            .filter(|block| span.offset() + span.len() <= block.range.end)
            .ok_or(MietteError::OutOfBounds)?;
        // Without context the question is where the span is, otherwise what is there.
        let position = (context_lines_before + context_lines_after == 0)
            .then(|| block.starts.iter().find(|(start, _)| *start == span.offset()))
            .flatten();
        let (line, column) = position.map_or((block.first_line, 0), |(_, position)| {
            (position.line as usize, position.character as usize)
        });
        Ok(Box::new(MietteSpanContents::new_named(
            block.name.clone(),
            &self.text.as_bytes()[block.range.clone()],
            SourceSpan::from(block.range.clone()),
            line,
            column,
            block.lines,
        )))
    }
}

impl<'a> Place<'a> {
    fn new(label: &'a Label, primary: bool, source: &Source, style: &Style) -> Self {
        let span = label.span;
        let position = source.position(span.start);
        let line = position.line as usize;
        let text = source.line_text(line);
        let start = (position.byte as usize).min(text.len());
        let end = (start + (span.end - span.start) as usize).min(text.len());
        // A span up to a line's very end still ends on that line.
        let last_line = if span.end > span.start { source.line_of(span.end - 1) } else { line };
        let window = shifted(text, &(start..end), columns(line + 1, style), style);
        Self { label, primary, position, line, range: start..end, window, last_line }
    }

    /// What the underline takes on its line: one column where the place is empty.
    fn underline(&self) -> Range<usize> {
        self.range.start..self.range.end.max(self.range.start + 1)
    }
}

impl<'a> Group<'a> {
    /// Whether `place` can be shown in the same block.
    fn takes(&self, source: SourceId, place: &Place<'_>) -> bool {
        let near = match (&self.window, &place.window) {
            (None, None) => {
                place.line <= self.lines.end + 2 * CONTEXT && self.lines.start <= place.line + 1 + 2 * CONTEXT
            }
            (Some(window), Some(_)) => {
                self.lines.contains(&place.line)
                    && window.start <= place.range.start
                    && place.range.end <= window.end
            }
            _ => false,
        };
        let underline = place.underline();
        let free = |other: &Place<'_>| {
            let taken = other.underline();
            other.line != place.line || underline.end <= taken.start || taken.end <= underline.start
        };
        self.source == source && near && self.places.iter().all(free)
    }

    fn add(&mut self, place: Place<'a>) {
        self.lines = self.lines.start.min(place.line)..self.lines.end.max(place.line + 1);
        self.places.push(place);
    }

    /// The lines to show. A long line stands alone: its window would hide what is above and below it.
    fn with_context(&self, source: &Source) -> Range<usize> {
        if self.window.is_some() {
            return self.lines.clone();
        }
        // What could be shown of the line is blank: no line is read further than that.
        let blank =
            |line: usize| source.line_text(line).bytes().take(1024).all(|byte| byte.is_ascii_whitespace());
        let mut start = self.lines.start.saturating_sub(CONTEXT);
        let mut end = (self.lines.end + CONTEXT).min(source.line_starts().len());
        while start < self.lines.start && blank(start) {
            start += 1;
        }
        while end > self.lines.end && blank(end - 1) {
            end -= 1;
        }
        start..end
    }
}

/// A part of a line as it is shown.
#[derive(Debug)]
pub(super) struct Row {
    /// The text.
    pub(super) text: String,
    /// For each character and the end: its byte in the line, and in the text.
    map: Vec<(usize, usize)>,
}

impl Row {
    /// The bytes `window` of `line`, and marks where something is left out.
    pub(super) fn new(line: &str, window: Range<usize>, style: &Style) -> Self {
        let mut text = String::new();
        let mut map = Vec::new();
        let mut column = 0;
        if window.start > 0 && line.get(..window.start) != Some(BYTE_ORDER_MARK.encode_utf8(&mut [0; 4])) {
            text.push_str(style.ellipsis());
            column = style.ellipsis().chars().count();
        }
        for (at, c) in line.get(window.clone()).unwrap_or("").char_indices() {
            map.push((window.start + at, text.len()));
            let columns = width(c, column);
            match c {
                '\t' => text.extend(std::iter::repeat_n(' ', columns)),
                c => text.push(shown(c, style)),
            }
            column += columns;
        }
        map.push((window.end, text.len()));
        if window.end < line.len() {
            text.push_str(style.ellipsis());
        }
        Self { text, map }
    }

    /// Where a byte of the line stands in the text.
    fn at(&self, byte: usize) -> usize {
        let at = self.map.partition_point(|(of_line, _)| *of_line < byte).min(self.map.len() - 1);
        self.map[at].1
    }
}

/// The columns that `c` takes at `column`. At least one, so that what fits in a terminal is bounded in bytes, too.
fn width(c: char, column: usize) -> usize {
    match c {
        '\t' => TAB - column % TAB,
        c if is_unsafe_to_show(c) => 1,
        c => display_width(c.encode_utf8(&mut [0; 4])).max(1),
    }
}

/// `c`, or what stands for it when it must not be shown: its picture, if there is one.
fn shown(c: char, style: &Style) -> char {
    match c {
        c if !is_unsafe_to_show(c) => c,
        _ if !style.unicode => '?',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '␡',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// The columns that text has beside the line numbers of a block that ends before line `end`, and before the one that
/// an underline past the last character takes.
pub(super) fn columns(end: usize, style: &Style) -> usize {
    let digits = (end + 2 * CONTEXT).to_string().len();
    style.columns() - digits - "  | ".len() - 1
}

/// The bytes at the start of `text` that fit in `columns`.
fn fitting(text: &str, columns: usize) -> usize {
    let mut column = 0;
    for (at, c) in text.char_indices() {
        column += width(c, column);
        if column > columns {
            return at;
        }
    }
    text.len()
}

/// The bytes of `line` to show when it is shown from its beginning.
pub(super) fn beginning(line: &str, columns: usize, style: &Style) -> Range<usize> {
    let all = fitting(line, columns);
    if all == line.len() { 0..all } else { 0..fitting(line, columns - style.ellipsis().chars().count()) }
}

/// The bytes of `line` to show when `place` would not be seen if the line were shown from its beginning.
pub(super) fn shifted(
    line: &str,
    place: &Range<usize>,
    columns: usize,
    style: &Style,
) -> Option<Range<usize>> {
    let visible = beginning(line, columns, style).end;
    // The end of a place that is longer than the terminal is wide is seen nowhere.
    if place.end <= visible || place.start <= fitting(line, columns / 3).min(visible) {
        return None;
    }
    let columns = columns - 2 * style.ellipsis().chars().count();
    let end = place.start + fitting(&line[place.start..], columns * 2 / 3);
    let mut left = columns;
    for c in line[place.start..end].chars() {
        // Here a tab can be as wide as tabs get.
        left = left.saturating_sub(if c == '\t' { TAB } else { width(c, 0) });
    }
    let mut start = place.start;
    for (at, c) in line[..place.start].char_indices().rev() {
        let columns = if c == '\t' { TAB } else { width(c, 0) };
        if columns > left {
            break;
        }
        left -= columns;
        start = at;
    }
    Some(start..end)
}

/// What `miette` draws of an excerpt: no message, the labels.
pub(super) struct Drawing<'a>(pub(super) &'a Excerpt);

impl fmt::Debug for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Drawing<'_> {}

impl miette::Diagnostic for Drawing<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.0)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.0.labels()))
    }
}
