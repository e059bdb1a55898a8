//! Numbers.

/// A number that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Integer(i128),
    /// One that no type holds for certain: with a fraction or an exponent, or of more than 128 bits. Its text is it.
    Written,
}

/// Why something that begins like a number is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberError {
    /// `.5`
    NoIntegerDigit,
    /// `1.`
    NoFractionDigit,
    /// `1e`
    NoExponentDigit,
    /// `0x`
    NoDigit(Base),
    /// `0xg`
    NotADigit(char, Base),
    /// `0X1`
    UpperCasePrefix,
    /// `1._0`, `0x_1`
    LeadingUnderscore,
    /// `1,`
    Comma,
    /// Anything else, such as `10m` or `1.2.3`.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Hexadecimal,
    Octal,
    Binary,
}

impl Base {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hexadecimal => "hexadecimal",
            Self::Octal => "octal",
            Self::Binary => "binary",
        }
    }

    pub(super) fn digits(self) -> &'static str {
        match self {
            Self::Hexadecimal => "0 to 9 and a to f",
            Self::Octal => "0 to 7",
            Self::Binary => "0 and 1",
        }
    }

    fn radix(self) -> u32 {
        match self {
            Self::Hexadecimal => 16,
            Self::Octal => 8,
            Self::Binary => 2,
        }
    }
}

/// The number that all of `text` spells; `text` begins with a digit behind an optional sign and `.`.
pub(super) fn parse(text: &str) -> Result<Number, NumberError> {
    let bytes = text.as_bytes();
    // Most numbers are a few plain digits.
    if bytes.len() <= 18 && bytes.iter().all(u8::is_ascii_digit) {
        let value = bytes.iter().fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
        return Ok(Number::Integer(value.into()));
    }
    let (negative, unsigned) = match bytes.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    match unsigned.as_bytes() {
        [b'0', b'x', ..] => based(&unsigned[2..], Base::Hexadecimal, negative),
        [b'0', b'o', ..] => based(&unsigned[2..], Base::Octal, negative),
        [b'0', b'b', ..] => based(&unsigned[2..], Base::Binary, negative),
        [b'0', b'X' | b'O' | b'B', ..] => Err(upper_case(unsigned, negative)),
        [b'.', ..] => Err(trailing(&unsigned[1..]).unwrap_or(NumberError::NoIntegerDigit)),
        _ => decimal(unsigned, negative),
    }
}

fn upper_case(unsigned: &str, negative: bool) -> NumberError {
    let base = match unsigned.as_bytes()[1] {
        b'X' => Base::Hexadecimal,
        b'O' => Base::Octal,
        _ => Base::Binary,
    };
    match based(&unsigned[2..], base, negative) {
        Ok(_) => NumberError::UpperCasePrefix,
        Err(_) => NumberError::Text,
    }
}

fn based(digits: &str, base: Base, negative: bool) -> Result<Number, NumberError> {
    if digits.is_empty() {
        return Err(NumberError::NoDigit(base));
    }
    if let Some(bad) = digits.chars().find(|c| !c.is_digit(base.radix()) && *c != '_') {
        return Err(if digits.ends_with(',') {
            NumberError::Comma
        } else {
            NumberError::NotADigit(bad, base)
        });
    }
    if digits.starts_with('_') {
        return Err(NumberError::LeadingUnderscore);
    }
    Ok(integer(digits, base.radix(), negative))
}

fn integer(digits: &str, radix: u32, negative: bool) -> Number {
    let mut digits = digits.chars().filter_map(|c| c.to_digit(radix));
    let value = digits.try_fold(0_i128, |value, digit| {
        let value = value.checked_mul(radix.into())?;
        if negative { value.checked_sub(digit.into()) } else { value.checked_add(digit.into()) }
    });
    value.map_or(Number::Written, Number::Integer)
}

/// `digit (digit | '_')*`: how many bytes of `bytes` that is.
fn digits(bytes: &[u8]) -> usize {
    if !bytes.first().is_some_and(u8::is_ascii_digit) {
        return 0;
    }
    bytes.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count()
}

fn decimal(unsigned: &str, negative: bool) -> Result<Number, NumberError> {
    let bytes = unsigned.as_bytes();
    let mut at = digits(bytes);
    let whole = at;
    let mut missing = None;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(&bytes[at + 1..]);
        if fraction == 0 {
            missing = Some(NumberError::NoFractionDigit);
        }
        at += 1 + fraction;
    }
    if missing.is_none() && matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        let exponent = digits(&bytes[at..]);
        if exponent == 0 {
            missing = Some(NumberError::NoExponentDigit);
        }
        at += exponent;
    }
    let rest = &unsigned[at..];
    if missing.is_some() || !rest.is_empty() {
        return Err(match (trailing(rest), missing) {
            (Some(NumberError::LeadingUnderscore), None) => NumberError::Text,
            (Some(error), _) => error,
            (None, missing) => missing.unwrap_or(NumberError::Text),
        });
    }
    Ok(if at == whole { integer(unsigned, 10, negative) } else { Number::Written })
}

/// What is wrong with what a number leaves over; `None` when nothing is.
fn trailing(rest: &str) -> Option<NumberError> {
    match rest {
        "," => Some(NumberError::Comma),
        rest if rest.starts_with('_') && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') => {
            Some(NumberError::LeadingUnderscore)
        }
        rest if rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') => None,
        _ => Some(NumberError::Text),
    }
}
