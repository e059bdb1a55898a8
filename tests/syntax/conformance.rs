//! The conformance cases of the KDL specification, where they are at hand.

use std::fs;
use std::path::{Path, PathBuf};

use crate::canonical;
use crate::support::{parse_bytes, shown};

/// Refused cases with more than one mistake in them.
const MANY: [&str; 2] = ["floating_point_keyword_identifier_strings_fail", "just_space_in_arg_type_fail"];

#[expect(clippy::disallowed_methods, reason = "where the cases lie is the tester's choice")]
pub(crate) fn suite() -> PathBuf {
    std::env::var_os("BOTTLEC_KDL_SUITE")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/kdl-suite"), PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "tests read their cases")]
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_case_of_the_suite() {
    let suite = suite();
    let Ok(inputs) = fs::read_dir(suite.join("input")) else {
        println!("skipped: no KDL conformance cases at {}", suite.display());
        return;
    };
    let mut inputs: Vec<PathBuf> = inputs.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} has no cases", suite.display());
    let mut failed = Vec::new();
    for input in &inputs {
        let name = input.file_stem().unwrap().to_string_lossy().into_owned();
        let (tree, diagnostics) = parse_bytes(&read(input));
        if name.ends_with("_fail") {
            match diagnostics.as_slice().len() {
                0 => failed.push(format!("{name}: accepted\n")),
                1 => {}
                _ if MANY.contains(&name.as_str()) => {}
                _ => failed.push(format!("{name}: more than one diagnostic\n{}", shown(&diagnostics))),
            }
            continue;
        }
        if !diagnostics.is_empty() {
            failed.push(format!("{name}: refused\n{}", shown(&diagnostics)));
            continue;
        }
        let expected =
            String::from_utf8(read(&suite.join("expected_kdl").join(format!("{name}.kdl")))).unwrap();
        let printed = canonical::print(&tree);
        if printed.trim_end() != expected.trim_end() {
            failed.push(format!("{name}: printed\n{printed}\nexpected\n{expected}\n"));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases failed:\n{}", failed.len(), inputs.len(), failed.join("\n"));
}
