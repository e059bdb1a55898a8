//! Semantic tokens.

mod encode;
mod words;

use lsp_types::{Range, SemanticTokenModifier, SemanticTokenType, SemanticTokens};

use super::analysis::Asked;

/// Declares the kinds of words, each with the name that every theme knows.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $standard:ident,)*) => {
        /// What a word is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Kind {
            $($(#[$doc])* $name,)*
        }

        /// The kinds that there are, in the order of their numbers.
        pub(super) const TYPES: &[SemanticTokenType] = &[$(SemanticTokenType::$standard,)*];
    };
}

kinds! {
    /// A bottle's name.
    Bottle = NAMESPACE,
    /// A profile's name, and the type before a value.
    Class = CLASS,
    /// A sidecar's name.
    Sidecar = FUNCTION,
    /// A known node with a block of settings.
    Section = TYPE,
    /// Any other known node.
    Setting = KEYWORD,
    /// The key of a property.
    Key = PROPERTY,
    /// A variable's name, here or on the host.
    Variable = VARIABLE,
    /// A word out of a closed list.
    Choice = ENUM_MEMBER,
    /// Any other text.
    Text = STRING,
    /// A regular expression.
    Regex = REGEXP,
    /// A number.
    Number = NUMBER,
    /// `=` and `\`.
    Operator = OPERATOR,
    /// A comment, or what `/-` comments out.
    Comment = COMMENT,
}

/// What can be said of a word besides, in the order of their bits.
pub(super) const MODIFIERS: &[SemanticTokenModifier] = &[
    SemanticTokenModifier::DECLARATION,
    SemanticTokenModifier::DEPRECATED,
    SemanticTokenModifier::DEFAULT_LIBRARY,
];
/// It is here that a name gets its meaning.
const DECLARATION: u32 = 1;
/// There is no such node any more.
const DEPRECATED: u32 = 1 << 1;
/// It comes with every bundle.
const DEFAULT_LIBRARY: u32 = 1 << 2;

/// A word: its bytes, and what it is.
#[derive(Clone, Copy, Debug)]
struct Word {
    start: u32,
    end: u32,
    kind: Kind,
    modifiers: u32,
}

/// What each word of a document, or of a range of it, is. What the language does not know has no word: a grammar's
/// colours show through.
#[must_use]
pub(super) fn tokens(asked: Asked<'_>, range: Option<Range>) -> SemanticTokens {
    let words = words::words(asked.tree());
    let within = range.map(|range| asked.span(range));
    let data = encode::encode(asked, &words, within);
    SemanticTokens { result_id: None, data }
}
