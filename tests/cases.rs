//! Cases on disk: specs that must compile without a word, specs that must not, and whole stages.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bottlec::diagnostic::Diagnostic;
use bottlec::lower::git_gate;
use bottlec::lower::supervise::SERVER_PATH;
use bottlec::lower::{Stage, lower_all};
use bottlec::report::{self, Format, Style};
use bottlec::rule;
use bottlec::source::Sources;
use support::{compile_file, root, specs};

fn render(diagnostics: &bottlec::diagnostic::Diagnostics, sources: &Sources) -> String {
    let mut out = Vec::new();
    let style = Style { width: 100, unicode: true, ..Style::default() };
    report::render(Format::Fancy, diagnostics, sources, &style, &mut out).expect("memory can be written to");
    String::from_utf8(out).expect("text")
}

fn name_of(path: &Path) -> String {
    path.strip_prefix(root())
        .expect("a file of the project")
        .with_extension("")
        .to_string_lossy()
        .replace('/', "-")
}

#[test]
fn correct_specs_get_no_diagnostic_at_all() {
    let mut found = specs(&root().join("tests/cases/ok"));
    found
        .extend(specs(&root().join("examples")).into_iter().filter(|path| !path.ends_with("fleet/team.kdl")));
    assert!(found.len() >= 9, "{found:?}");
    for path in found {
        let (sources, compilation) = compile_file(&path);
        assert!(compilation.diagnostics.is_empty(), "{}", render(&compilation.diagnostics, &sources));
        assert!(!compilation.plans.is_empty(), "{}", path.display());
    }
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

#[test]
fn wrong_specs_get_exactly_the_diagnostics_that_they_announce() {
    let mut ids = BTreeMap::new();
    let mut wrong = String::new();
    for path in specs(&root().join("tests/cases/err")) {
        // A file that another case includes is no case.
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('_')) {
            continue;
        }
        let (sources, compilation) = compile_file(&path);
        let mut expected: Vec<Finding> =
            sources.iter().flat_map(|(_, source)| annotations(source.text(), source.name())).collect();
        expected.sort();
        let mut found: Vec<Finding> =
            compilation.diagnostics.as_slice().iter().map(|d| finding(d, &sources)).collect();
        found.sort();
        let shown = render(&compilation.diagnostics, &sources);
        if expected != found {
            let _ = writeln!(wrong, "{}\nexpected: {expected:?}\nfound: {found:?}\n{shown}", path.display());
            continue;
        }
        let folder =
            path.parent().and_then(Path::file_name).expect("a folder").to_string_lossy().into_owned();
        assert!(
            found.iter().any(|(_, _, says)| says.ends_with(&format!("[{folder}]"))),
            "{}",
            path.display()
        );
        ids.entry(folder).or_insert(0_usize);
        insta::with_settings!({ snapshot_path => "snapshots/err", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name_of(&path).trim_start_matches("tests-cases-err-"), shown);
        });
    }
    assert!(wrong.is_empty(), "{wrong}");
    // Bytes that no case on disk should have, or that cannot be written as one: `bad_input.rs` has them.
    let elsewhere = ["expansion-too-large", "invalid-utf8", "source-too-large"];
    for rule in rule::ALL.iter().filter(|rule| !elsewhere.contains(&rule.id)) {
        assert!(ids.contains_key(rule.id), "rule `{}` has no failing case in tests/cases/err", rule.id);
    }
}

/// The whole stage as one text: each file with its mode.
fn show(stage: &Stage) -> String {
    let mut text = String::new();
    for (path, file) in &stage.files {
        let content = match path.as_str() {
            // A program of ours, the same in every stage.
            SERVER_PATH => "…\n".into(),
            path if git_gate::is_constant(path) => "…\n".into(),
            _ => String::from_utf8_lossy(&file.bytes),
        };
        let _ = write!(text, "──── {}/{path} ({:04o})\n{content}", stage.slug, file.mode.bits());
    }
    text
}

#[test]
fn stages_are_what_they_were_and_the_same_twice() {
    let examples =
        specs(&root().join("examples")).into_iter().filter(|path| !path.ends_with("fleet/team.kdl"));
    let cases = specs(&root().join("tests/cases/build"));
    for path in examples.chain(cases.into_iter().filter(|path| path.ends_with("main.kdl"))) {
        let build = || {
            let (_, compilation) = compile_file(&path);
            lower_all(&compilation.plans).iter().map(show).collect::<String>()
        };
        let first = build();
        assert_eq!(first, build(), "{}", path.display());
        insta::with_settings!({ snapshot_path => "snapshots/build", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name_of(&path).trim_start_matches("tests-cases-build-"), first);
        });
    }
}

#[test]
fn the_cases_are_where_this_test_looks() {
    assert!(fs::read_dir(root().join("tests/cases/err")).expect("cases").count() > 10);
}
