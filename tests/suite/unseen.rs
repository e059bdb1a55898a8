//! Characters that show as nothing.

use bottlec::schema::ValueType as Type;
use bottlec::syntax::Value;
use bottlec::text::{is_default_ignorable, quote};

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
