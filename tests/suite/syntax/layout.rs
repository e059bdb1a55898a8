//! The canonical layout: what it keeps, and that it is one.

#![expect(clippy::disallowed_methods, reason = "tests read their cases")]

use std::fs;
use std::path::{Path, PathBuf};

use kdl::KdlDocument;
use proptest::prelude::*;

use super::generate;
use super::oracle::{deviates, same_nodes};
use crate::support::syntax::{check_layout, for_all, parse};

/// The reference, which knows nothing of our tokens, reads the layout as what the text was.
fn read_alike(text: &str) -> Result<(), TestCaseError> {
    let Some(laid) = check_layout(text)? else { return Ok(()) };
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
    let mut laid = 0;
    for path in &found {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        laid += usize::from(
            check_layout(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).is_some(),
        );
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
