//! Tokens: the text cut into pieces that cover every byte.

use std::ops::Range;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A byte order mark at the very start.
    Bom,
    /// A run of white space within a line.
    Space,
    /// One line end.
    Newline,
    /// `// …` without its line end.
    LineComment,
    /// `/* … */`.
    BlockComment,
    /// `\`: the next line continues this one.
    Backslash,
    /// A bare string.
    Word,
    /// One of the bare words that KDL keeps from being strings.
    Reserved,
    /// Something that begins like a number.
    Number,
    /// `"…"`.
    Quoted,
    /// `"""…"""`.
    MultiLine,
    /// `#"…"#`.
    Raw,
    /// `#"""…"""#`.
    RawMultiLine,
    /// `r"…"` or `r#"…"#`, KDL 1's raw string.
    RawV1,
    /// `'…'` and the like: quotes of other languages.
    ForeignQuoted,
    /// `#true` and the like.
    Keyword,
    /// `#` with anything else behind it.
    UnknownKeyword,
    /// `/-`.
    SlashDash,
    /// `{`.
    OpenBrace,
    /// `}`.
    CloseBrace,
    /// `(`.
    OpenParen,
    /// `)`.
    CloseParen,
    /// `=`.
    Equals,
    /// `;`.
    Semicolon,
    /// `[`, `]` or a lone `/`: nothing that KDL has.
    Stray,
    /// Disallowed characters that stand alone.
    Disallowed,
    /// The end of the text; never part of [`Tree::tokens`](super::Tree::tokens).
    Eof,
}

impl TokenKind {
    /// Whether it may be a node's name, a key, a type or a string value.
    pub(super) fn is_string(self) -> bool {
        matches!(
            self,
            Self::Word
                | Self::Reserved
                | Self::Quoted
                | Self::MultiLine
                | Self::Raw
                | Self::RawMultiLine
                | Self::RawV1
                | Self::ForeignQuoted
        )
    }

    /// Whether it carries no meaning: blanks, line ends and comments.
    #[must_use]
    pub fn is_trivia(self) -> bool {
        matches!(
            self,
            Self::Bom
                | Self::Space
                | Self::Newline
                | Self::LineComment
                | Self::BlockComment
                | Self::Disallowed
        )
    }
}

/// A piece of the text as a caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRef {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub range: Range<u32>,
}

/// A token as it is kept: it ends where the next one starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) start: u32,
    pub(super) kind: TokenKind,
    pub(super) flags: u8,
}

/// The text is not the value: escapes, or disallowed characters to leave out.
pub(super) const DIRTY: u8 = 1;
/// A string without its closing quotes.
pub(super) const UNCLOSED: u8 = 2;
/// A `"…"` string that runs over lines, as only KDL 1 has them.
pub(super) const RUNS_OVER: u8 = 4;
/// A `"""` string whose text begins or ends on a line of its quotes.
pub(super) const BAD_LAYOUT: u8 = 8;
/// A raw string that ends with fewer `#` than it began with.
pub(super) const SHORT_HASHES: u8 = 16;
/// A bare string that goes on behind a mark that would begin a comment, such as `http://example.com`.
pub(super) const RUNS_ON: u8 = 32;
