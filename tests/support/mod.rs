//! What the tests share: compiling a text, and files that are checked and rewritten.

#[cfg(unix)]
pub(crate) mod binary;
pub(crate) mod canonical;
pub(crate) mod editor;
pub(crate) mod formats;
pub(crate) mod nasty;
pub(crate) mod pictures;
pub(crate) mod pipelock;
#[cfg(unix)]
pub(crate) mod running;
pub(crate) mod specs;
#[cfg(unix)]
pub(crate) mod stage;
pub(crate) mod syntax;

use std::fs;
use std::path::{Path, PathBuf};

use bottlec::source::{Source, Sources};
use bottlec::{Compilation, Options, compile};
use similar::TextDiff;

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compiles one text.
pub(crate) fn compile_text(name: &str, text: &str) -> (Sources, Compilation) {
    let mut sources = Sources::new();
    sources.add(Source::new(name, text));
    let compilation = compile(&sources, &Options::default());
    (compilation.sources.clone(), compilation)
}

/// Compiles a file of the project together with what it includes from its own directory, under the name that it has
/// from the root.
pub(crate) fn compile_file(path: &Path) -> (Sources, Compilation) {
    compile_file_with(path, &Options::default())
}

/// The same, told something else.
pub(crate) fn compile_file_with(path: &Path, options: &Options) -> (Sources, Compilation) {
    let mut sources = Sources::new();
    let add = |path: &Path, sources: &mut Sources| {
        let name = path.strip_prefix(root()).expect("a file of the project").to_string_lossy().into_owned();
        let source = Source::from_bytes(name, fs::read(path).expect("readable"));
        let text = source.text().clone();
        if sources.roots().is_empty() {
            sources.add(source)
        } else {
            sources.add_included(source)
        };
        text
    };
    let mut open = vec![path.to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        if seen.contains(&path) || !path.is_file() {
            continue;
        }
        let text = add(&path, &mut sources);
        for line in text.lines() {
            if let Some(rest) = line.trim_start().strip_prefix("include \"") {
                let target = rest.split('"').next().unwrap_or("");
                open.push(path.parent().expect("a directory").join(target));
            }
        }
        seen.push(path);
    }
    let compilation = compile(&sources, options);
    (compilation.sources.clone(), compilation)
}

/// Every `.kdl` file below a directory, in order.
pub(crate) fn specs(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "kdl") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Holds a file of the project against what it should be; `BOTTLEC_UPDATE=1` writes that.
#[track_caller]
pub(crate) fn assert_generated(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("BOTTLEC_UPDATE").is_some_and(|value| value == "1") {
        fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
        fs::write(&file, expected).expect("writable");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    if found != expected {
        let diff = TextDiff::from_lines(found.as_str(), expected);
        let diff = diff.unified_diff().header(path, "what it should be").to_string();
        panic!("{path} is out of date: run `BOTTLEC_UPDATE=1 cargo test` and read the change\n{diff}");
    }
}

/// The same of a text that a test is about: `tests/snapshots/NAME.snap` holds it.
#[track_caller]
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    assert_generated(&format!("tests/snapshots/{name}.snap"), text);
}
