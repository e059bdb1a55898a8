//! Output lines, with the comments at their ends aligned.

use super::{INDENT, MAX_INDENTED};

/// The longest line whose comment its neighbours' comments are moved to.
const ALIGNED: usize = 64;

/// A line that may get a comment, and is written once the column of that is known.
struct Pending<'t> {
    depth: usize,
    text: String,
    comment: Option<&'t str>,
}

/// Writes lines.
pub(super) struct Lines<'t> {
    out: String,
    line_end: &'static str,
    /// Lines with a comment that follow one another at one depth, and the one that is being written.
    run: Vec<Pending<'t>>,
    /// Nothing was written in this block so far.
    fresh: bool,
    is_open: bool,
}

impl<'t> Lines<'t> {
    /// A text of some `bytes` whose lines end with `line_end`.
    pub(super) fn new(bytes: usize, line_end: &'static str) -> Self {
        let out = String::with_capacity(bytes + bytes / 8);
        Self { out, line_end, run: Vec::new(), fresh: true, is_open: false }
    }

    pub(super) fn line_end(&self) -> &'static str {
        self.line_end
    }

    /// Whether there is a line that something can be added to.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Begins a line at `depth`, behind a blank one if `blank`, which no block begins with.
    pub(super) fn start(&mut self, depth: usize, blank: bool) {
        let blank = blank && !self.fresh;
        let goes_on =
            !blank && self.run.last().is_none_or(|last| last.comment.is_some() && last.depth == depth);
        if !goes_on {
            self.write_run();
        }
        if blank {
            self.out.push_str(self.line_end);
        }
        self.run.push(Pending { depth, text: String::new(), comment: None });
        self.fresh = false;
        self.is_open = true;
    }

    /// Begins a block: what follows is not parted from its head by a blank line.
    pub(super) fn open_block(&mut self) {
        self.fresh = true;
    }

    /// Adds to the line.
    pub(super) fn push(&mut self, text: &str) {
        if let Some(line) = self.run.last_mut() {
            line.text.push_str(text);
        }
    }

    /// Goes on below, at `depth`, with what is still the same line of the document.
    pub(super) fn break_off(&mut self, depth: usize) {
        if let Some(line) = self.run.last_mut() {
            line.text.push_str(self.line_end);
            push_indent(&mut line.text, depth);
        }
    }

    /// Ends the line with a comment.
    pub(super) fn comment(&mut self, comment: &'t str) {
        if let Some(line) = self.run.last_mut() {
            line.comment = Some(comment);
        }
    }

    fn write_run(&mut self) {
        let width = |line: &Pending<'_>| {
            let short = line.comment.is_some() && !line.text.contains('\n');
            Some(textwrap::core::display_width(&line.text)).filter(|width| short && *width <= ALIGNED)
        };
        let widest = self.run.iter().filter_map(width).max().unwrap_or(0);
        for line in self.run.drain(..) {
            push_indent(&mut self.out, line.depth);
            self.out.push_str(&line.text);
            if let Some(comment) = line.comment {
                let blanks = width(&line).map_or(0, |width| widest - width) + 1;
                self.out.extend(std::iter::repeat_n(' ', blanks));
                self.out.push_str(comment);
            }
            self.out.push_str(self.line_end);
        }
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.write_run();
        self.out
    }
}

fn push_indent(text: &mut String, depth: usize) {
    text.extend(std::iter::repeat_n(' ', INDENT * depth.min(MAX_INDENTED)));
}
