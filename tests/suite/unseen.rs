//! Characters that show as nothing.

use bottlec::schema::ValueType as Type;
use bottlec::syntax::Value;
use bottlec::text::{is_default_ignorable, quote};

use crate::support::root;

/// The characters that show as nothing, as `regex-syntax` has them of Unicode: tests are built with its tables.
fn unseen() -> Vec<char> {
    let hir = regex_syntax::parse(r"\p{Default_Ignorable_Code_Point}").unwrap();
    let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) = hir.kind() else {
        panic!("a class of characters");
    };
    class.iter().flat_map(|range| range.start()..=range.end()).collect()
}

#[test]
fn the_table_is_unicodes() {
    let ours: Vec<char> = ('\0'..=char::MAX).filter(|c| is_default_ignorable(*c)).collect();
    assert_eq!(ours, unseen());
}

#[test]
fn no_text_of_a_spec_holds_what_nobody_sees() {
    let kinds = [
        Type::Text,
        Type::Argument,
        Type::EnvValue,
        Type::EnvName,
        Type::Name,
        Type::RepoName,
        Type::HostPath,
        Type::OwnDirectory,
        Type::AbsolutePath,
        Type::RelativePath,
        Type::ContainerPath,
        Type::VolumeSource,
        Type::Directory,
        Type::Email,
        Type::Image,
        Type::HostEntry,
        Type::Upstream,
        Type::GitUrl,
        Type::UrlPath,
        Type::PatternName,
    ];
    for c in unseen().into_iter().chain(['\u{2800}']) {
        for kind in kinds {
            for text in [format!("{c}"), format!("/a{c}b"), format!("./a{c}")] {
                assert!(kind.check(Value::String(&text)).is_err(), "{kind:?}: U+{:04X}", u32::from(c));
            }
            let shown = quote(&format!("{c}"));
            assert!(shown.is_ascii(), "{shown}");
        }
    }
}

/// supervise has a table of its own, in another language, of the same characters.
#[test]
fn the_server_that_the_agent_asks_has_the_same_table() {
    let server = std::fs::read_to_string(root().join("src/lower/supervise/server.py")).expect("the server");
    let table = server.split_once("UNSEEN = re.compile(\n").expect("the table").1;
    let table = table.split_once("]\"\n").expect("the end of the table").0;
    let table: String = table.chars().filter(|c| !matches!(c, '"' | '[' | ' ' | '\n')).collect();
    let mut seen: Vec<char> = Vec::new();
    let mut rest = table.as_str();
    let next = |rest: &mut &str| {
        let (digits, width) = if rest.starts_with("\\U") { (8, 10) } else { (4, 6) };
        let number = u32::from_str_radix(&rest[2..2 + digits], 16).expect("an escape");
        *rest = &rest[width..];
        char::from_u32(number).expect("a character")
    };
    while !rest.is_empty() {
        let first = next(&mut rest);
        let last = match rest.strip_prefix('-') {
            Some(behind) => {
                rest = behind;
                next(&mut rest)
            }
            None => first,
        };
        seen.extend(first..=last);
    }
    let mut expected = unseen();
    expected.push('\u{2800}');
    expected.sort_unstable();
    assert_eq!(seen, expected);
}
