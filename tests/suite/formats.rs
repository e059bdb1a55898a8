//! The formats that other programs read: every diagnostic of every case, in each of them, read by somebody else's reader.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use bottlec::diagnostic::{Diagnostic, Diagnostics};
use bottlec::report::{Format, Style, render};
use bottlec::rule::{self, Level};
use bottlec::source::{Source, Sources, Span};
use bottlec::{Compilation, Options, compile};
use serde_json::Value;

use crate::support::{assert_snapshot, root, specs};

/// All cases that get diagnostics, and some that get none, as the files of one run.
fn everything() -> (Sources, Compilation) {
    let mut sources = Sources::new();
    for path in specs(&root().join("tests/cases/err")).into_iter().chain(specs(&root().join("examples"))) {
        let name = path.strip_prefix(root()).expect("a file of the project").to_string_lossy().into_owned();
        sources.add(Source::from_bytes(name, std::fs::read(&path).expect("readable")));
    }
    let compilation = compile(&sources, &Options::default());
    assert!(compilation.diagnostics.as_slice().len() > 250);
    (compilation.sources.clone(), compilation)
}

fn text(format: Format, diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut out = Vec::new();
    render(format, diagnostics, &[], sources, &Style::default(), &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("text")
}

fn json(format: Format, diagnostics: &Diagnostics, sources: &Sources) -> Value {
    serde_json::from_str(&text(format, diagnostics, sources)).expect("JSON")
}

/// A file whose name and text would do harm to a careless writer.
fn hostile() -> (Sources, Diagnostics) {
    let mut sources = Sources::new();
    let name = "a b,c:d%/::error::<x y=\"&'\">\u{202e}\u{1b}[2J]]>.kdl";
    let id = sources.add(Source::new(name, "one é\u{1f980} two\nthree\n"));
    let mut diagnostics = Diagnostics::new();
    let message = "`x`\n::error::injected %0A <b>&amp;</b> ]]> \u{1b}[2J \u{202e} \u{0} \u{ffff}";
    for (span, rule) in [(Span::new(id, 4..10), "syntax-error"), (Span::new(id, 11..20), "invalid-name")] {
        let rule = rule::find(rule).expect("a rule");
        diagnostics
            .push(Diagnostic::new(rule, span, message).label(message).help(message).related(span, message));
    }
    (sources, diagnostics)
}

/// The published schema, from the package that brings it.
fn published_schema() -> Value {
    // Only what this host needs was fetched.
    let version = Command::new("rustc").arg("-vV").output().expect("the compiler is there");
    let version = String::from_utf8(version.stdout).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", host])
        .current_dir(root())
        .output()
        .expect("cargo runs the tests");
    let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").expect("a dependency");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    let schema = manifest.parent().expect("a directory").join("src/schema.json");
    let mut schema: Value =
        serde_json::from_str(&std::fs::read_to_string(schema).expect("the schema")).expect("JSON");
    // One expression in it has a bracket too many, which a strict reader does not take. It is about languages.
    for place in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{place}/properties/language"));
        let language = language.and_then(Value::as_object_mut);
        assert!(language.is_some_and(|language| language.remove("pattern").is_some()));
    }
    schema
}

#[test]
fn sarif_is_what_the_published_schema_says() {
    let schema = published_schema();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let (sources, compilation) = everything();
    let (strange, harmful) = hostile();
    let none = Diagnostics::new();
    for (sources, diagnostics) in
        [(&sources, &compilation.diagnostics), (&strange, &harmful), (&sources, &none)]
    {
        let log = json(Format::Sarif, diagnostics, sources);
        let wrong: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0]);
        serde_json::from_value::<serde_sarif::sarif::Sarif>(log.clone()).expect("the types read it");
        let run = &log["runs"][0];
        let results = run["results"].as_array().expect("results");
        assert_eq!(results.len(), diagnostics.as_slice().len());
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let mut fingerprints = BTreeSet::new();
        for (result, diagnostic) in results.iter().zip(diagnostics.as_slice()) {
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
            assert_eq!(rules[index]["id"], diagnostic.rule.id);
            assert_eq!(rules[index]["help"]["markdown"], diagnostic.rule.text());
            assert!(fingerprints.insert(result["partialFingerprints"].to_string()), "{result}");
            let region = &result["locations"][0]["physicalLocation"]["region"];
            let start = sources.get(diagnostic.primary.span.source).position(diagnostic.primary.span.start);
            assert_eq!(region["startLine"], start.line + 1);
            assert_eq!(region["startColumn"], start.utf16 + 1);
        }
    }
    // The control: the schema can say no.
    let mut log = json(Format::Sarif, &none, &sources);
    log["runs"][0]["results"] = serde_json::json!([{ "level": "fatal" }]);
    assert!(!validator.is_valid(&log));
}

#[test]
fn a_fingerprint_stays_when_lines_move() {
    let prints = |text: &str| -> Vec<Value> {
        let mut sources = Sources::new();
        sources.add(Source::new("x.kdl", text));
        let compilation = compile(&sources, &Options::default());
        let log = json(Format::Sarif, &compilation.diagnostics, &sources);
        let results = log["runs"][0]["results"].as_array().expect("results").clone();
        results.into_iter().map(|result| result["partialFingerprints"].clone()).collect()
    };
    let before = prints("bottle \"a\" { egres; }\n");
    assert_eq!(before.len(), 1);
    assert_eq!(before, prints("// a line more\n\nprofile \"p\" {}\nbottle \"a\" { egres; }\n"));
    assert_ne!(before, prints("bottle \"b\" { egres; }\n"));
    // Two alike are two.
    let twice = prints("bottle \"a\" {\n    egres\n    egres\n}\n");
    assert_eq!(twice.len(), 2);
    assert_ne!(twice[0], twice[1]);
}

#[test]
fn github_gets_one_command_a_diagnostic_and_nothing_else() {
    let (sources, compilation) = everything();
    let (strange, harmful) = hostile();
    for (sources, diagnostics) in [(&sources, &compilation.diagnostics), (&strange, &harmful)] {
        let commands = text(Format::Github, diagnostics, sources);
        let dropped = usize::from(diagnostics.dropped() > 0);
        assert_eq!(commands.lines().count(), diagnostics.as_slice().len() + dropped);
        for (line, diagnostic) in commands.lines().zip(diagnostics.as_slice()) {
            let command = match diagnostic.level {
                Level::Error => "::error file=",
                Level::Warning => "::warning file=",
                Level::Advice => "::notice file=",
            };
            assert!(line.starts_with(command), "{line}");
            let (properties, _) = line[2..].split_once("::").expect("a message");
            // Every property is read as one: nothing of a name ends it early.
            assert!(properties.split(',').all(|property| property.matches('=').count() >= 1), "{line}");
            assert!(!line.contains(['\u{1b}', '\r', '\u{202e}']), "{line:?}");
        }
    }
}

#[test]
fn gitlab_reviewdog_and_the_rest_are_what_their_readers_want() {
    let (sources, compilation) = everything();
    let (strange, harmful) = hostile();
    for (sources, diagnostics) in [(&sources, &compilation.diagnostics), (&strange, &harmful)] {
        let count = diagnostics.as_slice().len();
        let quality = json(Format::Gitlab, diagnostics, sources);
        let mut prints = BTreeSet::new();
        for issue in quality.as_array().expect("a list") {
            assert!(
                ["info", "minor", "major", "critical", "blocker"]
                    .contains(&issue["severity"].as_str().expect("text"))
            );
            assert!(prints.insert(issue["fingerprint"].as_str().expect("text").to_owned()));
            assert!(issue["location"]["lines"]["begin"].as_u64() >= Some(1));
            assert!(!issue["description"].as_str().expect("text").is_empty());
        }
        assert_eq!(prints.len(), count);
        let review = json(Format::Rdjson, diagnostics, sources);
        assert_eq!(review["diagnostics"].as_array().map(Vec::len), Some(count));
        for (found, diagnostic) in
            review["diagnostics"].as_array().expect("a list").iter().zip(diagnostics.as_slice())
        {
            let start = sources.get(diagnostic.primary.span.source).position(diagnostic.primary.span.start);
            assert_eq!(found["location"]["range"]["start"]["column"], start.byte + 1);
        }
        let checkstyle = text(Format::Checkstyle, diagnostics, sources);
        let document = roxmltree::Document::parse(&checkstyle).expect("XML");
        let errors = document.descendants().filter(|node| node.has_tag_name("error"));
        assert_eq!(errors.count(), count);
        let junit = text(Format::Junit, diagnostics, sources);
        let document = roxmltree::Document::parse(&junit).expect("XML");
        let suites = document.root_element();
        let tests: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        assert_eq!(suites.attribute("tests"), Some(tests.len().to_string().as_str()));
        let failures = document.descendants().filter(|node| node.has_tag_name("failure")).count();
        assert_eq!(suites.attribute("failures"), Some(failures.to_string().as_str()));
        let files = document.descendants().filter(|node| node.has_tag_name("testsuite")).count();
        assert_eq!(files, sources.files().count());
        for output in [&checkstyle, &junit] {
            assert!(!output.contains(['\u{1b}', '\u{202e}', '\0']), "{output}");
        }
    }
}

#[test]
fn each_format_of_one_small_run() {
    let mut sources = Sources::new();
    sources.add(Source::new(
        "bottles/one two.kdl",
        "bottle \"a\" {\n    egres { allow \"x\"; }\n    image \"debian\"\n}\n",
    ));
    sources.add(Source::new("bottles/fine.kdl", "bottle \"b\" { network octet=9; }\n"));
    let compilation = compile(&sources, &Options::default());
    let mut shown = String::new();
    for format in
        [Format::Sarif, Format::Github, Format::Gitlab, Format::Junit, Format::Checkstyle, Format::Rdjson]
    {
        let written = match format {
            Format::Sarif | Format::Gitlab | Format::Rdjson => {
                let mut json = json(format, &compilation.diagnostics, &sources);
                // The pages stand elsewhere.
                if let Some(rules) =
                    json.pointer_mut("/runs/0/tool/driver/rules").and_then(Value::as_array_mut)
                {
                    for rule in rules {
                        rule["help"] = Value::from("…");
                    }
                }
                serde_json::to_string_pretty(&json).expect("JSON")
            }
            _ => text(format, &compilation.diagnostics, &sources),
        };
        shown.extend([&format!("──── {format:?}\n"), written.as_str(), "\n"]);
    }
    assert_snapshot("formats__small", &shown);
}
