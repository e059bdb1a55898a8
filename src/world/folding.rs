//! What pipelock makes of a text before it looks for secrets in it: invisible characters go, look-alikes become Latin
//! letters, accents are taken off. What a pattern asks for beyond that is never found.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};
use unicode_normalization::UnicodeNormalization as _;

/// Letters that it takes for Latin ones: those of alphabets that people write. Its own function of 2.3.0, asked of every
/// character, says the same of all others but letters in boxes, small capitals, and what Unicode gained since 15.0.
pub static LOOK_ALIKES: &[(&str, &str)] = &[
    ("АВЕЅІЈКМНОРСТХавеѕіјкмнорстух", "ABESIJKMHOPCTXavesijkmhopctyx"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνο", "ABEZHIKMNOPTYXaeikvo"),
    ("ՌՍՕահոռսօ", "LSOahnnso"),
    ("ØøĐđŁłĦħŦŧ", "OoDdLlHhTt"),
];

/// What becomes of a character: itself, others, or nothing.
#[must_use]
pub fn folded(c: char) -> String {
    if c.is_control() || is_blank(c) || is_invisible(c) {
        return String::new();
    }
    let latin = |c: char| {
        let at = |(theirs, latin): &(&str, &str)| latin.chars().nth(theirs.chars().position(|it| it == c)?);
        LOOK_ALIKES.iter().find_map(at).unwrap_or(c)
    };
    std::iter::once(c).nfkc().map(latin).nfd().filter(|c| !is_mark(*c)).collect()
}

/// Whether it comes out as it is.
#[must_use]
pub fn is_kept(c: char) -> bool {
    (c.is_ascii() && !c.is_ascii_control()) || folded(c).chars().eq([c])
}

/// A blank, other than that of ASCII.
fn is_blank(c: char) -> bool {
    !c.is_ascii() && (c.is_whitespace() || c == '\u{180e}')
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Whether a character is a mark that takes no room: accents, and the like.
fn is_mark(c: char) -> bool {
    static MARKS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
        let marks = regex_syntax::parse(r"\p{Mn}").map(regex_syntax::hir::Hir::into_kind);
        let Ok(HirKind::Class(Class::Unicode(marks))) = marks else { return Vec::new() };
        marks.ranges().iter().map(|range| (range.start(), range.end())).collect()
    });
    let after = MARKS.partition_point(|(start, _)| *start <= c);
    after > 0 && c <= MARKS[after - 1].1
}
