//! Output styles: colour, Unicode and width.

use owo_colors::Style as Paint;

use crate::rule::Level;

/// Colour, characters and width of the output. The default is what every place can show: no colour, ASCII, 80 columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colours and bold type, as ANSI escape sequences.
    pub color: bool,
    /// Lines drawn with Unicode's box drawing characters instead of ASCII. A spec's own text is shown as it is.
    pub unicode: bool,
    /// Columns to fit in. Less than 40 counts as 40, and more than 400 as 400.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, unicode: false, width: 80 }
    }
}

impl Style {
    /// The columns to fit in.
    pub(super) fn columns(&self) -> usize {
        self.width.clamp(40, 400)
    }

    /// The mark of text that is left out.
    pub(super) fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// `paint`, when colours are wanted.
    pub(super) fn paint(&self, paint: Paint) -> Paint {
        if self.color { paint } else { Paint::new() }
    }

    /// The colour of a level.
    pub(super) fn level(&self, level: Level) -> Paint {
        self.paint(match level {
            Level::Error => Paint::new().red().bold(),
            Level::Warning => Paint::new().yellow().bold(),
            Level::Advice => Paint::new().cyan().bold(),
        })
    }

    /// The colour of places that explain the primary one.
    pub(super) fn related(&self) -> Paint {
        self.paint(Paint::new().blue().bold())
    }

    /// The colour of advice below an excerpt.
    pub(super) fn help(&self) -> Paint {
        self.paint(Paint::new().cyan())
    }

    /// The colour of a file's name.
    pub(super) fn place(&self) -> Paint {
        self.paint(Paint::new().cyan())
    }

    /// The colour of what a fix writes.
    pub(super) fn added(&self) -> Paint {
        self.paint(Paint::new().green())
    }

    /// Text that stands out.
    pub(super) fn strong(&self) -> Paint {
        self.paint(Paint::new().bold())
    }
}

/// Wraps at so many columns, between words. No word is broken: an address, a path or a digest can still be copied, and a
/// terminal breaks what is too long.
pub(super) fn wrapping<'a>(columns: usize) -> textwrap::Options<'a> {
    textwrap::Options::new(columns)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit)
}
