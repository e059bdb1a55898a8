//! Regular expressions that pipelock compiles, which are those of Go: RE2's.
//!
//! They are read with the parser of Rust's, which is its close relative. What Go does not take, or takes for something
//! else, is refused; so is the little that only Go takes, with a spelling that both do. What compiles and never matches,
//! since pipelock folds a text before it looks at it, is refused as well.

use std::borrow::Cow;

use regex_syntax::ast::{
    AssertionKind, Ast, ClassBracketed, ClassPerlKind, ClassSet, ClassSetItem, ClassUnicodeKind, Flag,
    FlagsItemKind, HexLiteralKind, Literal, LiteralKind, RepetitionKind, RepetitionRange,
    parse::ParserBuilder,
};

use super::ValueType;
use crate::rule::ValueError;
use crate::rule::catalogue::{INVALID_REGEX, PATTERN_NEVER_MATCHES};
use crate::text::quote;
use crate::world::folding::{folded, is_kept};

/// The most bytes of an expression: it is matched against every request.
const MAX_REGEX: usize = 1000;
/// How often a part may be repeated at most, counted over nested repetitions (Go's `regexp/syntax`).
const MAX_REPEAT: u32 = 1000;
/// Of a longer range of characters some are taken to be left, other than of Hangul's syllables, which are split.
const LONG_RANGE: u32 = 256;
/// How deep parts may be nested. Go takes 1000; nobody reads fifty.
const MAX_DEPTH: u32 = 50;

pub(super) fn check(text: &str) -> Result<(), ValueError> {
    let expected = || format!("expected {}", ValueType::Regex.describe());
    let invalid = |why: String| ValueError::new(&INVALID_REGEX, why, expected());
    if text.len() > MAX_REGEX {
        return Err(invalid(format!(
            "this expression is {} bytes long, {MAX_REGEX} are allowed",
            text.len()
        )));
    }
    let ast = match ParserBuilder::new().nest_limit(MAX_DEPTH).build().parse(&unquoted(text)) {
        Ok(ast) => ast,
        Err(error) => {
            return Err(invalid(format!("this is no expression that pipelock compiles: {}", error.kind()))
                .help("RE2 has no look-around and no back-references; a literal `{` is written `\\{`"));
        }
    };
    if let Err(why) = takes(&ast, MAX_REPEAT) {
        return Err(invalid(format!("this is no expression that pipelock compiles: {why}")));
    }
    if may_be_empty(&ast) {
        return Err(invalid("this expression matches an empty text: every request would match it".into())
            .help("leave out the part that may be missing, or demand it with `+`"));
    }
    match lost(&ast) {
        Some(lost) => Err(never_matches(text, lost)),
        None => Ok(()),
    }
}

/// The expression without `\Q…\E`, which Go has and Rust has not: what stands in it is taken as it is.
fn unquoted(text: &str) -> Cow<'_, str> {
    if !text.contains(r"\Q") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\\' if !in_class && rest.starts_with(r"\Q") => {
                let quoted = &rest[2..];
                let end = quoted.find(r"\E");
                out.push_str(&regex_syntax::escape(&quoted[..end.unwrap_or(quoted.len())]));
                rest = end.map_or("", |end| &quoted[end + 2..]);
                continue;
            }
            '\\' => c.len_utf8() + rest[1..].chars().next().map_or(0, char::len_utf8),
            '[' if !in_class => {
                in_class = true;
                // A `]` that comes first is a plain character.
                let opening = rest[1..].strip_prefix('^').map_or(1, |_| 2);
                opening + usize::from(rest[opening..].starts_with(']'))
            }
            '[' if rest.starts_with("[:") => rest.find(":]").map_or(1, |end| end + 2),
            ']' => {
                in_class = false;
                1
            }
            c => c.len_utf8(),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Cow::Owned(out)
}

/// What an expression demands, and no text has that pipelock looks at.
#[derive(Clone, Copy, Debug)]
enum Lost {
    /// A character.
    Character(char),
    /// A class of characters, none of which is left.
    Class,
}

fn never_matches(text: &str, lost: Lost) -> ValueError {
    let what = match lost {
        Lost::Character(c) => {
            let becomes = folded(c);
            if becomes.is_empty() {
                format!("pipelock takes {} out of what it looks at", quote(&c.to_string()))
            } else {
                format!("pipelock looks at {} as {}", quote(&c.to_string()), quote(&becomes))
            }
        }
        Lost::Class => String::from("pipelock folds each character of a class that it demands"),
    };
    let error = ValueError::new(
        &PATTERN_NEVER_MATCHES,
        format!("this expression never matches: {what}"),
        "expected what is left without accents, look-alikes and line ends",
    );
    let as_seen: String = text.chars().map(|c| if is_kept(c) { c.to_string() } else { folded(c) }).collect();
    let mends = as_seen != text
        && ParserBuilder::new()
            .build()
            .parse(&unquoted(&as_seen))
            .is_ok_and(|ast| self::lost(&ast).is_none() && !may_be_empty(&ast));
    if mends {
        error.meant(as_seen)
    } else {
        error.help(match lost {
            Lost::Character(c) if folded(c).is_empty() => {
                "leave it out: whatever it separates stands together there"
            }
            Lost::Character(_) | Lost::Class => "write what is left of it",
        })
    }
}

/// What an expression cannot do without, and never finds. Of a class, and of what is not written by its character, that
/// is said when it is certain; case is not regarded.
fn lost(ast: &Ast) -> Option<Lost> {
    match ast {
        Ast::Literal(literal) if !is_seen(literal.c) => Some(Lost::Character(literal.c)),
        Ast::ClassBracketed(class) if is_lost(class) => Some(Lost::Class),
        Ast::Repetition(repetition) if !may_be_empty(ast) => lost(&repetition.ast),
        Ast::Group(group) => lost(&group.ast),
        Ast::Alternation(parts) => {
            let lost: Option<Vec<Lost>> = parts.asts.iter().map(lost).collect();
            lost?.first().copied()
        }
        Ast::Concat(parts) => parts.asts.iter().find_map(lost),
        _ => None,
    }
}

/// Whether a character, or the same in the other case, is left of a text.
fn is_seen(c: char) -> bool {
    let (mut lower, mut upper) = (c.to_lowercase(), c.to_uppercase());
    is_kept(c) || lower.len() == 1 && lower.all(is_kept) || upper.len() == 1 && upper.all(is_kept)
}

/// Whether nothing of a class is left.
fn is_lost(class: &ClassBracketed) -> bool {
    let item_is_lost = |item: &ClassSetItem| match item {
        ClassSetItem::Literal(literal) => !is_seen(literal.c),
        ClassSetItem::Range(range) => {
            let (start, end) = (range.start.c, range.end.c);
            let syllables = '가'..='힣';
            let long = u32::from(end) - u32::from(start) > LONG_RANGE;
            if long {
                syllables.contains(&start) && syllables.contains(&end)
            } else {
                !(start..=end).any(is_seen)
            }
        }
        _ => false,
    };
    !class.negated
        && match &class.kind {
            ClassSet::Item(ClassSetItem::Union(union)) => union.items.iter().all(item_is_lost),
            ClassSet::Item(item) => item_is_lost(item),
            ClassSet::BinaryOp(_) => false,
        }
}

type Taken = Result<(), &'static str>;

/// Whether Go takes it and takes it alike; `repeats` is how often its parts may still be repeated.
fn takes(ast: &Ast, repeats: u32) -> Taken {
    match ast {
        Ast::Empty(_) | Ast::Dot(_) | Ast::ClassPerl(_) => Ok(()),
        Ast::Flags(flags) => flags_taken(&flags.flags.items),
        Ast::Literal(it) => literal(it),
        Ast::Assertion(it) => match it.kind {
            AssertionKind::StartLine
            | AssertionKind::EndLine
            | AssertionKind::StartText
            | AssertionKind::EndText
            | AssertionKind::WordBoundary
            | AssertionKind::NotWordBoundary => Ok(()),
            _ => Err("of word boundaries it has `\\b` and `\\B` only"),
        },
        Ast::ClassUnicode(class) => unicode(&class.kind),
        Ast::ClassBracketed(class) => match &class.kind {
            ClassSet::Item(item) => item_taken(item, 0),
            ClassSet::BinaryOp(_) => {
                Err("`&&`, `--` and `~~` in a class are plain characters there: write each once")
            }
        },
        Ast::Repetition(repetition) => {
            if matches!(*repetition.ast, Ast::Repetition(_)) {
                return Err("a repetition is repeated: put the inner one into `(?:…)`");
            }
            let most = match &repetition.op.kind {
                RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 1,
                RepetitionKind::Range(
                    RepetitionRange::Exactly(n)
                    | RepetitionRange::AtLeast(n)
                    | RepetitionRange::Bounded(_, n),
                ) => *n,
            };
            if most > repeats {
                return Err("a part is repeated more than 1000 times");
            }
            takes(&repetition.ast, repeats / most.max(1))
        }
        Ast::Group(group) => {
            if let Some(flags) = group.flags() {
                flags_taken(&flags.items)?;
            }
            takes(&group.ast, repeats)
        }
        Ast::Alternation(parts) => parts.asts.iter().try_for_each(|part| takes(part, repeats)),
        Ast::Concat(parts) => parts.asts.iter().try_for_each(|part| takes(part, repeats)),
    }
}

fn flags_taken(items: &[regex_syntax::ast::FlagsItem]) -> Taken {
    let taken = items.iter().all(|item| match item.kind {
        FlagsItemKind::Negation => true,
        FlagsItemKind::Flag(flag) => matches!(
            flag,
            Flag::CaseInsensitive | Flag::MultiLine | Flag::DotMatchesNewLine | Flag::SwapGreed
        ),
    });
    if taken { Ok(()) } else { Err("of flags it has `i`, `m`, `s` and `U` only") }
}

fn literal(literal: &Literal) -> Taken {
    match &literal.kind {
        LiteralKind::HexFixed(kind) | LiteralKind::HexBrace(kind) if *kind != HexLiteralKind::X => {
            Err("a character by number is written `\\x{…}`")
        }
        _ => Ok(()),
    }
}

const UNICODE: &str = "of Unicode's classes it has the categories, such as `\\pL` and `\\p{Lu}`, and the scripts whose name is one \
                       word, such as `\\p{Greek}`";

/// Categories that each Go takes by these names.
const CATEGORIES: &[&str] = &[
    "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
    "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// Scripts that people write. Of those with a `_` in their name Go 1.25 compiles none (run).
const SCRIPTS: &[&str] = &[
    "Adlam",
    "Arabic",
    "Armenian",
    "Bengali",
    "Bopomofo",
    "Braille",
    "Cherokee",
    "Common",
    "Coptic",
    "Cyrillic",
    "Devanagari",
    "Ethiopic",
    "Georgian",
    "Gothic",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hebrew",
    "Hiragana",
    "Inherited",
    "Javanese",
    "Kannada",
    "Katakana",
    "Khmer",
    "Lao",
    "Latin",
    "Malayalam",
    "Mongolian",
    "Myanmar",
    "Nko",
    "Oriya",
    "Runic",
    "Sinhala",
    "Sundanese",
    "Syriac",
    "Tagalog",
    "Tamil",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Vai",
    "Yi",
];

fn unicode(kind: &ClassUnicodeKind) -> Taken {
    match kind {
        ClassUnicodeKind::OneLetter(c) if "LMNPSZC".contains(*c) => Ok(()),
        ClassUnicodeKind::Named(name) => {
            let name = name.strip_prefix('^').unwrap_or(name);
            let known = name == "Any" || CATEGORIES.contains(&name) || SCRIPTS.contains(&name);
            if known { Ok(()) } else { Err(UNICODE) }
        }
        _ => Err(UNICODE),
    }
}

fn item_taken(item: &ClassSetItem, depth: usize) -> Taken {
    match item {
        ClassSetItem::Bracketed(_) => Err("a `[` in a class is a plain character there: write `\\[`"),
        ClassSetItem::Literal(it) => literal(it),
        ClassSetItem::Range(range) => literal(&range.start).and_then(|()| literal(&range.end)),
        ClassSetItem::Unicode(class) => unicode(&class.kind),
        ClassSetItem::Union(union) if depth == 0 => {
            union.items.iter().try_for_each(|item| item_taken(item, depth + 1))
        }
        ClassSetItem::Union(_) => Err("a class holds a class"),
        ClassSetItem::Perl(class) => match class.kind {
            ClassPerlKind::Digit | ClassPerlKind::Space | ClassPerlKind::Word => Ok(()),
        },
        ClassSetItem::Empty(_) | ClassSetItem::Ascii(_) => Ok(()),
    }
}

/// Whether it matches a text of no characters.
fn may_be_empty(ast: &Ast) -> bool {
    match ast {
        Ast::Empty(_) | Ast::Flags(_) | Ast::Assertion(_) => true,
        Ast::Dot(_) | Ast::Literal(_) | Ast::ClassPerl(_) | Ast::ClassUnicode(_) | Ast::ClassBracketed(_) => {
            false
        }
        Ast::Repetition(repetition) => match &repetition.op.kind {
            RepetitionKind::ZeroOrOne
            | RepetitionKind::ZeroOrMore
            | RepetitionKind::Range(
                RepetitionRange::Exactly(0) | RepetitionRange::AtLeast(0) | RepetitionRange::Bounded(0, _),
            ) => true,
            RepetitionKind::OneOrMore | RepetitionKind::Range(_) => may_be_empty(&repetition.ast),
        },
        Ast::Group(group) => may_be_empty(&group.ast),
        Ast::Alternation(parts) => parts.asts.iter().any(may_be_empty),
        Ast::Concat(parts) => parts.asts.iter().all(may_be_empty),
    }
}
