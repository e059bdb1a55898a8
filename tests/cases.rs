//! What is tried case by case, each by its path, and what is not tried everywhere: the harness of `#[test]` knows neither.
//!
//! `cargo test tests/cases/err/kdl-v1/booleans.kdl` runs one case, `cargo test err/kdl-v1` those of a rule. A case is a
//! file; a test of what may not be here is a function in `needs/`. No `#[test]` runs here, which a test of the other
//! binary sees to.
#![allow(clippy::disallowed_methods, reason = "tests touch files and run programs")]
#![allow(clippy::unwrap_used, reason = "clippy knows `#[test]` functions only")]

#[cfg(unix)]
mod needs;
#[allow(dead_code, reason = "the other test binary uses the rest")]
mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bottlec::backend::lower_all;
use bottlec::diagnostic::{Diagnostic, Diagnostics};
use bottlec::lower::{Bytes, Stage};
use bottlec::report::{self, Format, Style};
use bottlec::source::Sources;
use libtest_mimic::{Arguments, Completion, Trial};
use support::syntax::{check_layout, laid, parse_bytes, shown};
use support::{assert_snapshot, canonical, compile_file, root, specs};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = cases();
    trials.extend(kdl_suite());
    #[cfg(unix)]
    trials.extend(needs::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// One test for each case of the project.
fn cases() -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut snapshots = BTreeSet::new();
    for (directory, test) in [
        ("examples", example as fn(&Path)),
        ("tests/cases/ok", correct),
        ("tests/cases/err", wrong),
        ("tests/cases/build", stage),
        ("tests/layout", layout),
    ] {
        let mut found = specs(&root().join(directory));
        found.retain(|path| !is_included(path));
        assert!(!found.is_empty(), "there is no case in {directory}");
        for path in found {
            if directory != "tests/cases/ok" {
                snapshots.insert(snapshot(&path));
            }
            trials.push(Trial::test(name_of(&path), move || {
                test(&path);
                Ok(())
            }));
        }
    }
    trials.push(Trial::test("tests/snapshots", move || {
        nothing_is_left_over(&snapshots);
        Ok(())
    }));
    trials
}

/// Whether a file is no case, but a part of others.
fn is_included(path: &Path) -> bool {
    let name = path.file_name().expect("a file").to_string_lossy();
    let builds = path.starts_with(root().join("tests/cases/build"));
    name.starts_with('_') || path.ends_with("fleet/team.kdl") || (builds && name != "main.kdl")
}

/// A case's path from the root, its name.
fn name_of(path: &Path) -> String {
    path.strip_prefix(root()).expect("a file of the project").to_string_lossy().into_owned()
}

/// The snapshot of a case.
fn snapshot(path: &Path) -> String {
    let name = name_of(&path.with_extension("")).replace('/', "-");
    for (prefix, directory) in
        [("tests-cases-err-", "err"), ("tests-cases-build-", "build"), ("tests-layout-", "layout")]
    {
        if let Some(name) = name.strip_prefix(prefix) {
            return format!("{directory}/{name}");
        }
    }
    format!("build/{name}")
}

/// A snapshot outlives no case.
fn nothing_is_left_over(snapshots: &BTreeSet<String>) {
    for directory in ["build", "err", "layout"] {
        for entry in fs::read_dir(root().join("tests/snapshots").join(directory)).expect("a directory") {
            let path = entry.expect("an entry").path();
            let name = format!("{directory}/{}", path.file_stem().expect("a name").to_string_lossy());
            assert!(snapshots.contains(&name), "{} is the snapshot of no case", path.display());
        }
    }
}

fn render(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut out = Vec::new();
    let style = Style { width: 100, unicode: true, ..Style::default() };
    report::render(Format::Fancy, diagnostics, &[], sources, &style, &mut out)
        .expect("memory can be written to");
    String::from_utf8(out).expect("text")
}

/// A spec that gets no diagnostic at all.
fn correct(path: &Path) {
    let (sources, compilation) = compile_file(path);
    assert!(compilation.diagnostics.is_empty(), "{}", render(&compilation.diagnostics, &sources));
    assert!(!compilation.plans.is_empty(), "no bottle");
}

fn example(path: &Path) {
    correct(path);
    stage(path);
}

/// `level: [rule]` on a line, as a diagnostic gives it or as the case says it.
type Finding = (String, u32, String);

/// What a case says of itself: `// error: [rule]` at the end of the line that it speaks of, or, where the line cannot
/// hold a comment, `// error@7: [rule]` anywhere.
fn annotations(text: &str, file: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for part in line.split("// ").skip(1) {
            let Some((level, rest)) = part.split_once(": [") else { continue };
            let Some((rule, _)) = rest.split_once(']') else { continue };
            let (level, line) = match level.split_once('@') {
                Some((level, line)) => (level, line.parse().expect("a line")),
                None => (level, u32::try_from(at + 1).expect("a short file")),
            };
            if matches!(level, "error" | "warning" | "advice") {
                found.push((file.to_owned(), line, format!("{level}: [{rule}]")));
            }
        }
    }
    found.sort();
    found
}

fn finding(diagnostic: &Diagnostic, sources: &Sources) -> Finding {
    let source = sources.get(diagnostic.primary.span.source);
    let line = source.position(diagnostic.primary.span.start).line + 1;
    (source.name().to_owned(), line, format!("{}: [{}]", diagnostic.level.as_str(), diagnostic.rule.id))
}

/// A spec that gets exactly the diagnostics that it announces, that of its folder among them.
fn wrong(path: &Path) {
    let (sources, compilation) = compile_file(path);
    let mut expected: Vec<Finding> =
        sources.iter().flat_map(|(_, source)| annotations(source.text(), source.name())).collect();
    expected.sort();
    let mut found: Vec<Finding> =
        compilation.diagnostics.as_slice().iter().map(|d| finding(d, &sources)).collect();
    found.sort();
    let shown = render(&compilation.diagnostics, &sources);
    assert!(expected == found, "expected: {expected:?}\nfound: {found:?}\n{shown}");
    let folder = path.parent().and_then(Path::file_name).expect("a folder").to_string_lossy();
    assert!(
        found.iter().any(|(_, _, says)| says.ends_with(&format!("[{folder}]"))),
        "no `{folder}`\n{shown}"
    );
    assert_snapshot(&snapshot(path), &shown);
}

/// The whole stage as one text: each file with its mode.
fn show(stage: &Stage) -> String {
    let mut text = String::new();
    for (path, file) in &stage.files {
        let content = match &file.bytes {
            // The same in every stage.
            Bytes::Constant(_) => "…\n".into(),
            Bytes::Made(bytes) => String::from_utf8_lossy(bytes),
        };
        let _ = write!(text, "──── {}/{path} ({:04o})\n{content}", stage.slug, file.mode.bits());
    }
    text
}

/// A spec whose stage is what it was, and the same twice.
fn stage(path: &Path) {
    let build = || {
        let (_, compilation) = compile_file(path);
        lower_all(&compilation.plans).iter().map(show).collect::<String>()
    };
    let first = build();
    assert_eq!(first, build());
    assert_snapshot(&snapshot(path), &first);
}

/// A text that is laid out as it was.
fn layout(path: &Path) {
    let text = laid(&fs::read_to_string(path).unwrap()).unwrap();
    assert_snapshot(&snapshot(path), &text.expect("no syntax error"));
}

/// Refused cases of the KDL specification with more than one mistake in them.
const MANY: [&str; 2] = ["floating_point_keyword_identifier_strings_fail", "just_space_in_arg_type_fail"];

/// One test for each conformance case of the KDL specification, where they are at hand.
fn kdl_suite() -> Vec<Trial> {
    let suite = std::env::var_os("BOTTLEC_KDL_SUITE")
        .map_or_else(|| root().join("../shared/kdl-suite"), PathBuf::from);
    let inputs = specs(&suite.join("input"));
    if inputs.is_empty() {
        let why = format!("the cases of the specification are not at {}", suite.display());
        return vec![Trial::ignorable_test("kdl-suite", || Ok(Completion::ignored_with(why)))];
    }
    let trial = |input: PathBuf| {
        let name = input.file_stem().unwrap().to_string_lossy().into_owned();
        let expected = suite.join("expected_kdl").join(format!("{name}.kdl"));
        Trial::test(format!("kdl-suite/{name}"), move || {
            conforms(&name, &input, &expected);
            Ok(())
        })
    };
    inputs.into_iter().map(trial).collect()
}

/// A document that is read as the specification says, and keeps its meaning when it is laid out.
fn conforms(name: &str, input: &Path, expected: &Path) {
    let bytes = fs::read(input).unwrap();
    let (tree, diagnostics) = parse_bytes(&bytes);
    if name.ends_with("_fail") {
        match diagnostics.as_slice().len() {
            0 => panic!("accepted"),
            1 => {}
            _ => assert!(MANY.contains(&name), "more than one diagnostic\n{}", shown(&diagnostics)),
        }
    } else {
        assert!(diagnostics.is_empty(), "refused\n{}", shown(&diagnostics));
        let expected = fs::read_to_string(expected).unwrap();
        assert_eq!(canonical::print(&tree).trim_end(), expected.trim_end());
    }
    check_layout(&String::from_utf8_lossy(&bytes)).unwrap();
}
