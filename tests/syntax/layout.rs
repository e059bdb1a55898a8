//! The canonical layout: what it keeps, and that it is one.

#![expect(clippy::disallowed_methods, reason = "tests read their cases")]

use std::fs;
use std::path::{Path, PathBuf};

use bottlec::diagnostic::Diagnostics;
use bottlec::format::{format, same};
use bottlec::source::{Source, Sources};
use kdl::KdlDocument;
use proptest::prelude::*;

use crate::conformance::suite;
use crate::generate;
use crate::oracle::{deviates, same_nodes};
use crate::support::{for_all, parse};

/// Lays a text out; nothing when it has a syntax error.
fn laid(text: &str) -> Result<Option<String>, TestCaseError> {
    let mut sources = Sources::new();
    let id = sources.add(Source::new("test.kdl", text));
    format(id, sources.get(id), &mut Diagnostics::new())
        .map_err(|error| TestCaseError::fail(format!("{error}: {text:?}")))
}

/// What holds for the layout of every text without a syntax error; what is left to look at.
fn check(text: &str) -> Result<Option<String>, TestCaseError> {
    let Some(once) = laid(text)? else { return Ok(None) };
    let twice = laid(&once)?;
    prop_assert_eq!(twice.as_deref(), Some(once.as_str()), "laid out twice differs: {:?}", text);
    let ((before, _), (after, diagnostics)) = (parse(text), parse(&once));
    prop_assert!(diagnostics.is_empty() || !parse(text).1.is_empty(), "{:?}\n{:?}", text, once);
    prop_assert!(same(&before, &after), "{:?}\n{:?}", text, once);
    prop_assert!(!once.ends_with("\n\n") && !once.starts_with(['\n', ' ']), "{:?}\n{:?}", text, once);
    Ok(Some(once))
}

/// The reference, which knows nothing of our tokens, reads the layout as what the text was.
fn read_alike(text: &str) -> Result<(), TestCaseError> {
    let Some(laid) = check(text)? else { return Ok(()) };
    if deviates(text) || deviates(&laid) || KdlDocument::parse_v2(text).is_err() {
        return Ok(());
    }
    let theirs = KdlDocument::parse_v2(&laid);
    prop_assert!(theirs.is_ok(), "kdl refuses the layout of {:?}\n{:?}", text, laid);
    let theirs = theirs.unwrap();
    prop_assert!(same_nodes(parse(text).0.nodes(), theirs.nodes()), "{:?}\n{:?}", text, laid);
    Ok(())
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "kdl") {
            found.push(path);
        }
    }
}

#[test]
fn every_case_keeps_its_meaning() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for directory in ["examples", "tests"] {
        files(&root.join(directory), &mut found);
    }
    if suite().is_dir() {
        files(&suite(), &mut found);
    }
    let mut laid = 0;
    for path in &found {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        laid +=
            usize::from(check(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).is_some());
    }
    assert!(laid > 100, "{laid} of {}", found.len());
}

#[test]
fn documents_keep_their_meaning() {
    for_all(generate::document, |text| read_alike(&text));
}

#[test]
fn mutated_documents_keep_their_meaning() {
    for_all(generate::mutated, |text| read_alike(&text));
}

#[test]
fn small_texts_keep_their_meaning() {
    for_all(|| r##"[ab"#{}();/\-* \n\n\\0]{0,16}"##, |text| read_alike(&text));
}
