//! Conversion between byte offsets and the protocol's positions.

use lsp_types::{Position, PositionEncodingKind, Range};

use crate::source::{Source, Span};

/// The unit in which a client counts columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what holds when nothing was agreed on.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The first one of those that a client offers which costs nothing, or else what every client has.
    #[must_use]
    pub fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Self {
        let offered = offered.unwrap_or_default();
        let known = [
            (PositionEncodingKind::UTF8, Self::Utf8),
            (PositionEncodingKind::UTF32, Self::Utf32),
            (PositionEncodingKind::UTF16, Self::Utf16),
        ];
        known.into_iter().find(|(kind, _)| offered.contains(kind)).map(|(_, it)| it).unwrap_or_default()
    }

    /// Its name in the protocol.
    #[must_use]
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    /// The length of `text` in its units.
    #[must_use]
    pub fn len(self, text: &str) -> u32 {
        let units = match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
            Self::Utf32 => text.chars().count(),
        };
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    /// The position of a byte offset.
    #[must_use]
    pub fn position(self, source: &Source, offset: u32) -> Position {
        let at = source.position(offset);
        let character = match self {
            Self::Utf8 => at.byte,
            Self::Utf16 => at.utf16,
            Self::Utf32 => at.character,
        };
        Position { line: at.line, character }
    }

    /// The range of a span that lies in `source`.
    #[must_use]
    pub fn range(self, source: &Source, span: Span) -> Range {
        Range { start: self.position(source, span.start), end: self.position(source, span.end) }
    }

    /// The byte offset of a position: past the end of its line it is the line's end, past the last line the text's, and
    /// inside of a character that character's start. A client may say anything.
    #[must_use]
    pub fn offset(self, source: &Source, position: Position) -> u32 {
        let line = position.line as usize;
        let Some(start) = source.line_starts().get(line) else {
            return u32::try_from(source.text().len()).unwrap_or(u32::MAX);
        };
        let text = source.line_text(line);
        start + u32::try_from(self.bytes(text, position.character)).unwrap_or(u32::MAX)
    }

    /// How many bytes of `text` the first `units` of it are.
    fn bytes(self, text: &str, units: u32) -> usize {
        let units = units as usize;
        // Nearly every line is ASCII up to there, and then all count alike.
        if text.as_bytes().get(..units).is_some_and(<[u8]>::is_ascii) {
            return units;
        }
        let mut before = 0;
        for (at, c) in text.char_indices() {
            before += match self {
                Self::Utf8 => c.len_utf8(),
                Self::Utf16 => c.len_utf16(),
                Self::Utf32 => 1,
            };
            if before > units {
                return at;
            }
        }
        text.len()
    }
}
