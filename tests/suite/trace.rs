//! From the lines of a stage back to the lines of its specs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bottlec::backend::lower;
use bottlec::lower::{Path, Step};
use bottlec::report::trace as report;
use bottlec::source::Sources;
use bottlec::trace::{Line, Tracer, key};
use serde_json::Value;

use crate::support::binary::{Call, Dir, SMALL};
use crate::support::{assert_generated, assert_snapshot, compile_file, compile_text, root, specs};

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

/// What `plan.json` says of where a value comes from, the map says, too.
#[test]
fn the_plan_and_the_map_name_the_same_lines() {
    let mut compared = 0;
    for path in buildable() {
        traced(&path, |slug, file, lines, sources| {
            for line in lines.iter().filter(|_| file == "plan.json") {
                let Some(origin) = line.text.trim().strip_prefix("\"origin\": ") else { continue };
                let origin: String = serde_json::from_str(origin.trim_end_matches(',')).expect("text");
                if origin != "computed" {
                    compared += 1;
                    let place = line.origins[0].place.expect("a place");
                    let source = sources.get(place.source);
                    let found = format!("{}:{}", source.name(), source.line_of(place.start) + 1);
                    assert_eq!(found, origin, "{slug}: {line:?}");
                }
            }
        });
    }
    assert!(compared > 50, "{compared}");
}

/// The value at a path, in a document that somebody else parsed.
fn find<'v>(document: &'v serde_json::Value, path: &Path) -> Option<&'v serde_json::Value> {
    path.iter().try_fold(document, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::At(n) => value.get(n),
    })
}

/// The path of every value below one.
fn paths(value: &serde_json::Value, at: &Path, found: &mut BTreeSet<String>) {
    found.insert(format!("{at:?}"));
    let mut below = |step: Step, value: &serde_json::Value| {
        let path: Path = at.iter().cloned().chain([step]).collect();
        paths(value, &path, found);
    };
    match value {
        serde_json::Value::Object(object) => {
            object.iter().for_each(|(key, value)| below(Step::Key(key.clone()), value));
        }
        serde_json::Value::Array(array) => {
            array.iter().enumerate().for_each(|(n, value)| below(Step::At(n), value));
        }
        _ => {}
    }
}

#[test]
fn the_keys_of_lines_are_those_that_parsers_find() {
    let (mut documents, mut scalars) = (0, 0);
    for path in buildable() {
        let (_, compilation) = compile_file(&path);
        for plan in &compilation.plans {
            for (file, artifact) in lower(plan).files {
                let text = std::str::from_utf8(&artifact.bytes).expect("text");
                let end = file.rsplit('.').next().expect("a name");
                let parsed: serde_json::Value = match end {
                    "json" => serde_json::from_str(text).expect("JSON"),
                    "yaml" => yaml_serde::from_str(text).expect("YAML"),
                    "toml" if file == "smolfile.toml" => toml::from_str(text).expect("TOML"),
                    _ => continue,
                };
                let lines = key::of(&file, text).expect("a document");
                documents += 1;
                let mut wanted = BTreeSet::new();
                paths(&parsed, &Vec::new(), &mut wanted);
                let mut seen: BTreeSet<String> = [String::from("[]")].into();
                for (key, line) in lines.iter().zip(text.lines()) {
                    let value = find(&parsed, key);
                    let value = value.unwrap_or_else(|| panic!("{file}: `{line}` is no {key:?}"));
                    // A line ends with the value that it is about.
                    let end = line.trim_end_matches(',').trim();
                    match value {
                        serde_json::Value::Bool(value) => {
                            assert!(end.ends_with(&value.to_string()), "{line}");
                        }
                        serde_json::Value::Number(value) => {
                            assert!(end.ends_with(&value.to_string()), "{line}");
                        }
                        serde_json::Value::String(value)
                            if !value.contains(|c: char| c.is_control() || "\\'\"".contains(c)) =>
                        {
                            scalars += 1;
                            assert!(end.contains(value.as_str()), "{file}: {line}: {value}");
                        }
                        _ => {}
                    }
                    (0..=key.len()).for_each(|n| {
                        seen.insert(format!("{:?}", &key[..n]));
                    });
                }
                assert_eq!(seen, wanted, "{file}");
            }
        }
    }
    assert!(documents > 50 && scalars > 3_000, "{documents} {scalars}");
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
                assert!(!is_said || written, "{file}: {}: {:?}", line.text, line.origins);
            }
        }
    });
}

/// The lines that a line of a file is traced to, by numbers; 0 is the compiler.
fn made_by(lines: &[Line], sources: &Sources, text: &str) -> Vec<usize> {
    let line = lines.iter().find(|line| line.text.trim() == text);
    let line = line.unwrap_or_else(|| panic!("there is no line `{text}`"));
    let number = |place: bottlec::source::Span| sources.get(place.source).line_of(place.start) + 1;
    line.origins.iter().map(|origin| origin.place.map_or(0, number)).collect()
}

/// What a line holds may be another text than the spec's: a range in its canonical form, a mount of a file that is named
/// elsewhere, a URL that is put together, a set that has an order of its own.
#[test]
fn what_is_computed_is_traced_to_what_it_is_computed_from() {
    let spec = "\
bottle \"a\" {
    engine \"smolvm\" version=\"1.33.0\"
    egress {
        allow \"10.9.9.9\" \"b.example.com\"
        private \"10.9.9.9\"
        tls {
            ca-cert \"~/ca.pem\"
            ca-key \"~/ca-key.pem\"
            trust \"~/trusted.pem\"
        }
    }
    git {
        repo \"one\" {
            url \"ssh://git@git.example.com/one.git\"
            identity \"~/.ssh/one\"
            host-key \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"
        }
        repo \"two\" {
            url \"ssh://git@git.example.com/two.git\"
            identity \"~/.ssh/two\"
            host-key \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"
        }
    }
    supervise
    sidecar \"db\" image=\"registry.example.com/db@sha256:a942b37ccfaf5a813b1432caa209a43b9d144e47ad0de1549c289c253e556cd5\" {
        port 5432 scheme=\"postgres\"
        needs \"pipelock\"
        needs \"git-gate\"
        tmpfs \"/zz\"
        tmpfs \"/aa\"
        capability \"SETUID\"
        capability \"CHOWN\"
        secret \"b\" from-file=\"/run/secrets/b\"
        secret \"a\" from-file=\"/run/secrets/a\"
        expose \"DATABASE_URL\" path=\"/app\"
    }
}
";
    let (sources, compilation) = compile_text("x.kdl", spec);
    let plan = compilation.plans.first().unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    let tracer = Tracer::new(plan, &sources);
    let address = plan.addresses.bundle();
    let port = format!("postgres://{address}:5432/app");
    for (file, text, expected) in [
        ("smolfile.toml", format!("\"DATABASE_URL={port}\","), vec![35, 26, 26, 1, 0]),
        ("smolfile.toml", format!("\"GIT_GATE_URL=git://{address}:9418\","), vec![13, 1, 0]),
        ("smolfile.toml", String::from("\"SSL_CERT_FILE=/etc/bottle/ca.pem\","), vec![6]),
        ("smolfile.toml", String::from("\"NODE_USE_ENV_PROXY=1\","), vec![0]),
        ("pipelock/pipelock.yaml", String::from("- '10.9.9.9/32'"), vec![5]),
        ("compose.yaml", String::from("source: '${HOME:?the home directory}/ca.pem'"), vec![7]),
        ("compose.yaml", String::from("source: '${HOME:?the home directory}/ca-key.pem'"), vec![8]),
        ("compose.yaml", String::from("source: '${HOME:?the home directory}/.ssh/two'"), vec![20]),
        (
            "compose.yaml",
            String::from("source: '${HOME:?the home directory}/.local/state/bottle/a'"),
            vec![0, 24, 1],
        ),
        ("compose.yaml", String::from("- '/aa:size=512m'"), vec![30]),
        ("compose.yaml", String::from("- '/zz:size=512m'"), vec![29]),
        ("compose.yaml", String::from("- 'CHOWN'"), vec![32]),
        ("compose.yaml", String::from("- source: 'db.a'"), vec![34]),
        ("compose.yaml", String::from("db.b:"), vec![33]),
        ("compose.yaml", String::from("- 'serve'"), vec![13, 0]),
        ("agent/gitconfig", String::from("insteadOf = \"ssh://git@git.example.com/two.git\""), vec![19]),
        ("git-gate/repos/two/url", String::from("ssh://git@git.example.com/two.git"), vec![19]),
        ("plan.json", String::from("\"--dns\","), vec![2]),
    ] {
        let lines = tracer.lines(file).expect("a file");
        assert_eq!(made_by(&lines, &sources, &text), expected, "{file}: {text}");
    }
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
                    .find(|target| {
                        let ends = [format!("{target}{}", quote(file)), format!("{target}:size=")];
                        ends.iter().any(|end| line.text.contains(&format!("{}{end}", quote(file))))
                    });
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
    assert_snapshot("trace__example", &text);
}

#[test]
fn the_schema_is_the_types_and_every_report_is_valid() {
    let schema = report::schema();
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    assert_generated("schemas/trace.schema.json", &text);
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
    let run = dir.run(["trace", "stage/api/smolfile.toml:13"]).code(0);
    assert_eq!(
        run.out,
        "smolfile.toml:13  allow_cidrs = [\"192.168.42.2/32\"]\n  x.kdl:1:67  `octet` of `network` of bottle `api`\n    \
         bottle \"api\" { egress { allow \"api.example.com\"; }; network octet=42; }\n"
    );
    dir.run(["trace", "stage/api/pipelock/pipelock.yaml:5"]).code(0).says("`allow` of bottle `api`");
    let all = dir.run(["trace", "stage/api/agent.env"]).code(0).out;
    assert!(all.starts_with("agent.env:1  # The agent's environment"), "{all}");
    // It does not matter where one stands.
    let stage = dir.at("stage/api");
    let within = Call::new(&stage, ["trace", "smolfile.toml:1", "--spec", "../../x.kdl"]).run();
    assert_eq!(within.code, 0, "{}", within.err);
    Call::new(&stage, ["trace", "smolfile.toml:1"]).run().code(0);
    let elsewhere = Dir::new();
    let place = dir.at("stage/api/smolfile.toml:1");
    elsewhere.run([std::path::Path::new("trace"), &place]).code(0);
    std::fs::rename(dir.at("x.kdl"), dir.at("y.kdl")).expect("it is there");
    elsewhere.run([std::path::Path::new("trace"), &place]).code(3).complains("name the specs with `--spec`");
    std::fs::rename(dir.at("y.kdl"), dir.at("x.kdl")).expect("it is there");
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
    let run = dir.run(["trace", "stage/api/smolfile.toml:13"]).code(1);
    run.says("192.168.43.2/32").complains("is not what its specs say now");
    // A plan that somebody wrote leads nowhere.
    let plan = dir.read("stage/api/plan.json").replace("\"x.kdl\"", "\"../../../etc/passwd\"");
    dir.write("stage/api/plan.json", plan);
    dir.run(["trace", "stage/api/smolfile.toml"]).code(3).complains("is in no workspace");
}

/// A list of many hosts on one line makes a line each: what is shown of that one line is bounded.
#[test]
fn a_long_line_is_shown_in_part() {
    let hosts: Vec<String> = (0..2_000).map(|n| format!("\"h{n}.example.com\"")).collect();
    let hosts = hosts.join(" ");
    let dir = Dir::with(format!("bottle \"api\" {{ egress {{ allow {hosts}; }}; network octet=42; }}\n"));
    dir.run(["build", "x.kdl"]).code(0);
    let out = dir.run(["trace", "stage/api/pipelock/pipelock.yaml"]).code(0).out;
    assert!(out.len() < 1_000_000, "{}", out.len());
    let shown = out.split("- 'h1500.example.com'\n").nth(1).expect("the entry");
    let line = shown.lines().nth(1).expect("an excerpt");
    assert!(line.starts_with("    ...") && line.ends_with("..."), "{line}");
    assert!(line.contains("\"h1500.example.com\""), "{line}");
}

/// A stage holds what the spec says, and what is printed of it does not show a credential in either form.
#[test]
fn no_format_shows_a_credential() {
    let token = format!("ghp_{}", "0a1B2c3D4e5F".repeat(3));
    let spec = format!(
        "bottle \"api\" {{\n    env {{ TOKEN \"{token}\"; }}\n    accept \"secret-literal\" reason=\"a test\"\n    network octet=42\n}}\n"
    );
    let dir = Dir::with(&spec);
    dir.run(["build", "x.kdl"]).code(0);
    for format in ["text", "json"] {
        let run = dir.run(["trace", "--format", format, "stage/api/agent.env"]).code(0);
        assert!(run.out.contains("TOKEN=") && !run.out.contains(&token[4..]), "{}", run.out);
    }
}
