//! The formats that other programs read: every diagnostic of every case, in each of them, read by somebody else's reader.

use std::collections::BTreeSet;

use bottlec::report::Format;
use bottlec::rule::Level;
use bottlec::source::{Source, Sources};
use bottlec::{Options, compile};
use serde_json::Value;

use crate::support::assert_snapshot;
use crate::support::formats::{everything, hostile, json, text};

#[test]
fn sarif_points_at_rules_and_places() {
    let (sources, compilation) = everything();
    let (strange, harmful) = hostile();
    for (sources, diagnostics) in [(&sources, &compilation.diagnostics), (&strange, &harmful)] {
        let log = json(Format::Sarif, diagnostics, sources);
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
