//! Reports, read by what others publish about them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bottlec::diagnostic::Diagnostics;
use bottlec::report::Format;
use serde_json::Value;

use super::{Outcome, needs};
use crate::support::formats::{everything, hostile, json};
use crate::support::root;

/// What `cargo fetch` brings the package for that has the schema, which is not compiled.
const NO_SYSTEM: &str = "x86_64-unknown-none";

/// The published schema, from the package that brings it.
fn published_schema() -> Option<Value> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", NO_SYSTEM])
        .current_dir(root())
        .output()
        .expect("cargo runs the tests");
    let metadata: Value = serde_json::from_slice(&cargo.stdout).ok()?;
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").expect("a dependency");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    let schema = manifest.parent().expect("a directory").join("src/schema.json");
    let mut schema: Value =
        serde_json::from_str(&fs::read_to_string(schema).expect("the schema")).expect("JSON");
    // One expression in it has a bracket too many, which a strict reader does not take. It is about languages.
    for place in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{place}/properties/language"));
        let language = language.and_then(Value::as_object_mut);
        assert!(language.is_some_and(|language| language.remove("pattern").is_some()));
    }
    Some(schema)
}

pub(crate) fn sarif_is_what_the_published_schema_says() -> Outcome {
    let schema = published_schema();
    needs(
        schema.is_some(),
        &format!("its schema is not here: `cargo fetch --target {NO_SYSTEM}` brings it"),
    )?;
    let validator = jsonschema::validator_for(&schema.unwrap_or_default()).expect("a schema");
    let (sources, compilation) = everything();
    let (strange, harmful) = hostile();
    let none = Diagnostics::new();
    for (sources, diagnostics) in
        [(&sources, &compilation.diagnostics), (&strange, &harmful), (&sources, &none)]
    {
        let log = json(Format::Sarif, diagnostics, sources);
        let wrong: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0]);
    }
    // The control: the schema can say no.
    let mut log = json(Format::Sarif, &none, &sources);
    log["runs"][0]["results"] = serde_json::json!([{ "level": "fatal" }]);
    assert!(!validator.is_valid(&log));
    Ok(())
}
