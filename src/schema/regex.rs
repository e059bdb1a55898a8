//! Regular expressions that pipelock compiles, which are those of Go: RE2's.
//!
//! They are read with the parser of Rust's, which is its close relative. What Go does not take, or takes for something
//! else, is refused; so is the little that only Go takes, with a spelling that both do.

use regex_syntax::ast::{
    AssertionKind, Ast, ClassPerlKind, ClassSet, ClassSetItem, ClassUnicodeKind, Flag, FlagsItemKind,
    HexLiteralKind, Literal, LiteralKind, RepetitionKind, RepetitionRange, parse::ParserBuilder,
};

use super::ValueType;
use crate::rule::ValueError;
use crate::rule::catalogue::INVALID_REGEX;

/// The most bytes of an expression: it is matched against every request.
const MAX_REGEX: usize = 1000;
/// How often a part may be repeated at most, counted over nested repetitions (Go's `regexp/syntax`).
const MAX_REPEAT: u32 = 1000;
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
    let ast = match ParserBuilder::new().nest_limit(MAX_DEPTH).build().parse(text) {
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
    Ok(())
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

fn unicode(kind: &ClassUnicodeKind) -> Taken {
    match kind {
        ClassUnicodeKind::OneLetter(c) if "LMNPSZC".contains(*c) => Ok(()),
        _ => Err("of Unicode's classes those of one letter are taken, such as `\\pL`"),
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
