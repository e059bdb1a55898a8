//! Character classes of KDL 2.

/// The class of a byte that begins a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Part of an identifier string.
    Word,
    /// `0` to `9`.
    Digit,
    /// `+` or `-`.
    Sign,
    Dot,
    Space,
    Newline,
    Quote,
    Hash,
    Slash,
    Backslash,
    OpenBrace,
    CloseBrace,
    OpenParen,
    CloseParen,
    Equals,
    Semicolon,
    Bracket,
    /// A control character that must not stand in a document.
    Control,
    /// The first byte of a longer code point.
    Long,
}

/// The class of each byte.
pub(super) static CLASS: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Word; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let class = match byte as u8 {
            b'0'..=b'9' => Class::Digit,
            b'+' | b'-' => Class::Sign,
            b'.' => Class::Dot,
            b' ' | b'\t' => Class::Space,
            b'\n' | b'\r' | 0x0b | 0x0c => Class::Newline,
            b'"' => Class::Quote,
            b'#' => Class::Hash,
            b'/' => Class::Slash,
            b'\\' => Class::Backslash,
            b'{' => Class::OpenBrace,
            b'}' => Class::CloseBrace,
            b'(' => Class::OpenParen,
            b')' => Class::CloseParen,
            b'=' => Class::Equals,
            b';' => Class::Semicolon,
            b'[' | b']' => Class::Bracket,
            0..=0x1f | 0x7f => Class::Control,
            0x80.. => Class::Long,
            _ => Class::Word,
        };
        table[byte] = class;
        byte += 1;
    }
    table
}

/// Bytes that are an identifier character by themselves.
pub(super) static IS_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(CLASS[byte], Class::Word | Class::Digit | Class::Sign | Class::Dot);
        byte += 1;
    }
    table
};

/// Bytes at which the scan of a string or comment must stop and look: quotes, backslashes, comment marks, line ends,
/// control characters, and the first bytes of every longer code point that is a line end or disallowed.
const fn stops(extra: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(CLASS[byte], Class::Newline | Class::Control)
            || byte == 0xc2
            || byte == 0xe2
            || byte == 0xef;
        byte += 1;
    }
    let mut n = 0;
    while n < extra.len() {
        table[extra[n] as usize] = true;
        n += 1;
    }
    table
}

/// Where the scan of a quoted string stops.
pub(super) static STOPS_STRING: [bool; 256] = stops(b"\"\\");
/// Where the scan of a raw string stops.
pub(super) static STOPS_RAW: [bool; 256] = stops(b"\"");
/// Where the scan of a line comment stops.
pub(super) static STOPS_LINE: [bool; 256] = stops(b"");
/// Where the scan of a block comment stops.
pub(super) static STOPS_BLOCK: [bool; 256] = stops(b"*/");

/// The class of a code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Space,
    Newline,
    Disallowed,
    /// Punctuation of KDL.
    Other,
}

/// The kind of `c`.
pub(super) fn kind(c: char) -> Kind {
    match c {
        '\0'..='\u{7f}' => match CLASS[c as usize] {
            Class::Word | Class::Digit | Class::Sign | Class::Dot => Kind::Word,
            Class::Space => Kind::Space,
            Class::Newline => Kind::Newline,
            Class::Control => Kind::Disallowed,
            _ => Kind::Other,
        },
        '\u{85}' | '\u{2028}' | '\u{2029}' => Kind::Newline,
        c if is_long_space(c) => Kind::Space,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            Kind::Disallowed
        }
        _ => Kind::Word,
    }
}

fn is_long_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Whether `c` is white space within a line.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t') || is_long_space(c)
}

/// Whether `c` ends a line.
pub(super) fn is_newline(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The length in bytes of the line end that `text` begins with; CR LF is one.
pub(super) fn newline_len(text: &str) -> Option<usize> {
    if text.starts_with("\r\n") {
        return Some(2);
    }
    text.chars().next().filter(|c| is_newline(*c)).map(char::len_utf8)
}

/// Whether `text` is one of the words that KDL keeps from being bare strings.
pub(super) fn is_reserved(text: &[u8]) -> bool {
    matches!(text, b"true" | b"false" | b"null" | b"inf" | b"-inf" | b"nan")
}

/// A code point as a message shows it: its number, and its name where it has one that helps.
pub(super) fn describe(c: char) -> String {
    let number = u32::from(c);
    let name = match c {
        '\0'..='\u{1f}' => CONTROLS[c as usize],
        '\u{7f}' => "DELETE",
        '\u{200e}' => "LEFT-TO-RIGHT MARK",
        '\u{200f}' => "RIGHT-TO-LEFT MARK",
        '\u{202a}' => "LEFT-TO-RIGHT EMBEDDING",
        '\u{202b}' => "RIGHT-TO-LEFT EMBEDDING",
        '\u{202c}' => "POP DIRECTIONAL FORMATTING",
        '\u{202d}' => "LEFT-TO-RIGHT OVERRIDE",
        '\u{202e}' => "RIGHT-TO-LEFT OVERRIDE",
        '\u{2066}' => "LEFT-TO-RIGHT ISOLATE",
        '\u{2067}' => "RIGHT-TO-LEFT ISOLATE",
        '\u{2068}' => "FIRST STRONG ISOLATE",
        '\u{2069}' => "POP DIRECTIONAL ISOLATE",
        '\u{feff}' => "BYTE ORDER MARK",
        _ => return format!("U+{number:04X}"),
    };
    format!("U+{number:04X} {name}")
}

static CONTROLS: [&str; 32] = [
    "NUL",
    "START OF HEADING",
    "START OF TEXT",
    "END OF TEXT",
    "END OF TRANSMISSION",
    "ENQUIRY",
    "ACKNOWLEDGE",
    "BELL",
    "BACKSPACE",
    "TAB",
    "LINE FEED",
    "VERTICAL TAB",
    "FORM FEED",
    "CARRIAGE RETURN",
    "SHIFT OUT",
    "SHIFT IN",
    "DATA LINK ESCAPE",
    "DEVICE CONTROL ONE",
    "DEVICE CONTROL TWO",
    "DEVICE CONTROL THREE",
    "DEVICE CONTROL FOUR",
    "NEGATIVE ACKNOWLEDGE",
    "SYNCHRONOUS IDLE",
    "END OF TRANSMISSION BLOCK",
    "CANCEL",
    "END OF MEDIUM",
    "SUBSTITUTE",
    "ESCAPE",
    "FILE SEPARATOR",
    "GROUP SEPARATOR",
    "RECORD SEPARATOR",
    "UNIT SEPARATOR",
];
