//! From the lines of a stage back to the lines of its specs.
#![allow(clippy::disallowed_methods, reason = "cases are files")]

#[path = "support/binary.rs"]
mod binary;
mod support;

use std::fmt::Write as _;

use binary::{Dir, SMALL};
use bottlec::report::trace as report;
use bottlec::source::Sources;
use bottlec::trace::{Line, Tracer};
use serde_json::Value;
use support::{compile_file, root, specs};

/// Every line of every file of every bottle of a spec.
fn traced(path: &std::path::Path, mut each: impl FnMut(&str, &str, &[Line], &Sources)) {
    let (sources, compilation) = compile_file(path);
    for plan in &compilation.plans {
        let tracer = Tracer::new(plan, &sources);
        for file in tracer.stage().files.keys() {
            each(&plan.slug, file, &tracer.lines(file).expect("it is there"), &sources);
        }
    }
}

fn buildable() -> Vec<std::path::PathBuf> {
    let mut found = specs(&root().join("examples"));
    for cases in ["tests/cases/ok", "tests/cases/build", "tests/cases/reach"] {
        found.extend(specs(&root().join(cases)));
    }
    found
}

#[test]
fn every_line_of_every_stage_has_an_origin() {
    let mut unknown = Vec::new();
    let mut lines = 0;
    for path in buildable() {
        traced(&path, |slug, file, found, sources| {
            for (line, number) in found.iter().zip(1..) {
                lines += 1;
                assert!(!line.origins.is_empty());
                if line.is_unknown {
                    unknown.push(format!("{slug}/{file}:{number}: {}", line.text));
                }
                for place in line.origins.iter().filter_map(|origin| origin.place) {
                    assert!(!sources.get(place.source).name().is_empty());
                    assert!(place.end as usize <= sources.get(place.source).text().len());
                }
            }
        });
    }
    assert!(unknown.is_empty(), "\n{}", unknown.join("\n"));
    assert!(lines > 5_000, "{lines}");
}

/// What the user wrote as a value is traced to a line that holds it.
#[test]
fn a_value_of_the_spec_is_traced_to_where_it_stands() {
    traced(&root().join("examples/api-dev.kdl"), |_, file, lines, sources| {
        for line in lines {
            for value in
                ["xterm-256color", "packages.example.com", "/run/secrets/npm", "DB_PASSWORD", "CN-[0-9]{8}"]
            {
                let is_said = file != "plan.json" && line.text.contains(value) && !line.text.starts_with('#');
                let written = line.origins.iter().filter_map(|origin| origin.place).any(|place| {
                    let source = sources.get(place.source);
                    (source.line_of(place.start)..=source.line_of(place.end))
                        .any(|at| source.line_text(at).contains(value))
                });
                // What supervise and git-gate are told is traced to them as a whole.
                let whole = file.starts_with("supervise/")
                    || file.starts_with("git-gate/")
                    || file.starts_with("agent/");
                assert!(!is_said || whole || written, "{file}: {}: {:?}", line.text, line.origins);
            }
        }
    });
}

/// Each of several volumes is traced to its own node.
#[test]
fn items_are_traced_to_their_own_nodes() {
    let mut seen = 0;
    traced(&root().join("examples/database.kdl"), |_, file, lines, sources| {
        for line in lines.iter().filter(|_| matches!(file, "compose.yaml" | "plan.json")) {
            let target =
                ["/var/lib/postgresql/data", "/docker-entrypoint-initdb.d", "/data", "/var/run/postgresql"]
                    .into_iter()
                    .find(|target| line.text.contains(&format!("{}{target}{}", quote(file), quote(file))));
            let Some(target) = target else { continue };
            let place = line.origins[0].place.expect("a place");
            let source = sources.get(place.source);
            let written = source.line_text(source.line_of(place.start));
            assert!(written.contains(&format!("\"{target}\"")), "{file}: {}: {written}", line.text);
            seen += 1;
        }
    });
    assert!(seen >= 8, "{seen}");
}

fn quote(file: &str) -> char {
    if file == "plan.json" { '"' } else { '\'' }
}

#[test]
fn the_lines_of_the_example() {
    let mut text = String::new();
    traced(&root().join("examples/api-dev.kdl"), |slug, file, lines, sources| {
        // Those are one program's as a whole, line by line the same.
        let shown = if file.contains('/') && file != "pipelock/pipelock.yaml" { &lines[..1] } else { lines };
        for (line, number) in shown.iter().zip(1..) {
            let numbered = [(number, line)];
            let traced = report::Report::new(slug, file, &numbered, sources);
            let origins: Vec<String> = traced.lines[0]
                .origins
                .iter()
                .map(|origin| match &origin.place {
                    Some(place) => format!("{}: {}", place.start.line, origin.what),
                    None => origin.what.to_owned(),
                })
                .collect();
            let _ = writeln!(text, "{file}:{number}  {}\n    {}", line.text.trim(), origins.join("; "));
        }
    });
    insta::assert_snapshot!("example", text);
}

#[test]
fn the_schema_is_the_types_and_every_report_is_valid() {
    let schema = report::schema();
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    support::assert_generated("schemas/trace.schema.json", &text);
    let validator = jsonschema::validator_for(schema.as_value()).expect("a schema");
    traced(&root().join("examples/database.kdl"), |slug, file, lines, sources| {
        let numbered: Vec<(usize, &Line)> = (1..).zip(lines).collect();
        let json = report::json(&report::Report::new(slug, file, &numbered, sources));
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert!(validator.is_valid(&json), "{json}");
    });
}

#[test]
fn a_line_of_a_stage_is_traced() {
    let dir = Dir::with(SMALL);
    dir.run(["build", "x.kdl"]).code(0);
    let run = dir.run(["trace", "stage/api/smolfile.toml:11"]).code(0);
    assert_eq!(
        run.out,
        "smolfile.toml:11  allow_cidrs = [\"192.168.42.2/32\"]\n  x.kdl:1:53  `network` of bottle `api`\n    \
         bottle \"api\" { egress { allow \"api.example.com\"; }; network octet=42; }\n"
    );
    dir.run(["trace", "stage/api/pipelock/pipelock.yaml:5"]).code(0).says("`allow` of bottle `api`");
    let all = dir.run(["trace", "stage/api/agent.env"]).code(0).out;
    assert!(all.starts_with("agent.env:1  # The agent's environment"), "{all}");
    // From within the stage the specs are not where its plan says.
    let stage = dir.at("stage/api");
    let within = binary::Call::new(&stage, ["trace", "smolfile.toml:1", "--spec", "../../x.kdl"]).run();
    assert_eq!(within.code, 1, "{}", within.err);
    binary::Call::new(&stage, ["trace", "smolfile.toml:1"])
        .run()
        .code(3)
        .complains("name the specs with `--spec`");
    let json = dir.run(["trace", "--format", "json", "stage/api/plan.json:3"]).code(0).out;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["lines"][0]["origins"][0]["place"]["file"], "x.kdl");
}

#[test]
fn what_is_no_line_of_a_stage_is_refused() {
    let dir = Dir::with(SMALL);
    dir.run(["build", "x.kdl"]).code(0);
    dir.run(["trace", "stage/api/smolfile.toml:99"]).code(2).complains("`smolfile.toml` has");
    dir.run(["trace", "x.kdl:1"]).code(3).complains("expected a file in a stage");
    dir.run(["trace", "stage/api"]).code(3).complains("expected a file in a stage");
    dir.write("stage/api/mine.txt", "mine\n");
    dir.run(["trace", "stage/api/mine.txt"]).code(3).complains("no compile of `api` writes it");
    std::fs::remove_file(dir.at("stage/api/mine.txt")).expect("it is there");
    // The specs changed since.
    dir.write("x.kdl", SMALL.replace("42", "43"));
    let run = dir.run(["trace", "stage/api/smolfile.toml:11"]).code(1);
    run.says("192.168.43.2/32").complains("is not what its specs say now");
    // A plan that somebody wrote leads nowhere.
    let plan = dir.read("stage/api/plan.json").replace("\"x.kdl\"", "\"../../../etc/passwd\"");
    dir.write("stage/api/plan.json", plan);
    dir.run(["trace", "stage/api/smolfile.toml"]).code(3).complains("is outside of this directory");
}
