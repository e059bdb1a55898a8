//! The part of a stage by which the agent asks a human. What the server does is judged by `tests/supervise/judge.py`.

use bottlec::backend::lower;
use bottlec::lower::supervise::Config;
use bottlec::lower::{Mode, Stage};
use bottlec::plan::Plan;
use bottlec::world::builtin;
use bottlec::{Compilation, diagnostic::Diagnostics};
use serde_json::{Value, json};

use crate::support::{assert_generated, compile_file, compile_text, root, specs};

fn compiled(spec: &str) -> Vec<(Plan, Stage)> {
    let Compilation { sources: _, diagnostics, plans } = compile_text("specs/x.kdl", spec).1;
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let stages: Vec<Stage> = plans.iter().map(lower).collect();
    plans.into_iter().zip(stages).collect()
}

fn one(body: &str) -> (Plan, Stage) {
    compiled(&format!("bottle \"ops\" {{\n{body}\n}}\n")).remove(0)
}

fn read(stage: &Stage, path: &str) -> Value {
    serde_json::from_slice(&stage.files.get(path).unwrap_or_else(|| panic!("{path}")).bytes).unwrap()
}

#[test]
fn a_bottle_that_asks_nobody_has_nothing_of_it() {
    let (plan, stage) = one("egress { allow \"api.example.com\"; }");
    assert!(plan.supervise.is_none());
    assert!(!stage.files.keys().any(|path| path.contains("supervise") || path.contains("mcp")));
    assert_eq!(read(&stage, "plan.json")["supervise"], Value::Null);
}

#[test]
fn supervise_alone_is_all_that_is_needed() {
    let (plan, stage) = one("supervise; network octet=42");
    let planned = plan.supervise.as_ref().unwrap();
    assert_eq!(*planned.queue, "~/.local/state/bottle/ops");
    assert_eq!(*planned.image, builtin::SUPERVISE_IMAGE);
    let (tag, digest) = planned.image.split_once("@sha256:").unwrap();
    assert!(tag.starts_with("docker.io/library/python:3.") && digest.len() == 64);

    let url = "http://192.168.42.2:9100/";
    assert_eq!(
        read(&stage, "agent/mcp.json"),
        json!({ "mcpServers": { "supervise": { "type": "http", "url": url } } })
    );
    let config = read(&stage, "supervise/supervise.json");
    assert_eq!(config["version"], 1);
    assert_eq!(config["bottle"], "ops");
    assert_eq!(config["url"], url);
    assert_eq!(config["listen"], json!({ "address": "0.0.0.0", "port": 9100 }));
    assert_eq!(config["queue"], "/queue");
    assert_eq!(config["queue_on_host"], "~/.local/state/bottle/ops");
    assert_eq!(config["audit_log"], "/queue/audit.jsonl");
    assert_eq!(config["in_force"], "/supervise/in-force");

    let manifest = read(&stage, "plan.json");
    assert_eq!(
        manifest["supervise"],
        json!({
            "image": planned.image,
            "queue": "~/.local/state/bottle/ops",
            "config_path": "supervise/supervise.json",
            "mcp_config_path": "agent/mcp.json",
            // The URL that the agent's environment has, too.
            "mcp_add": ["claude", "mcp", "add", "--transport", "http", "--scope", "user", "supervise",
                        manifest["agent_env"]["MCP_SUPERVISE_URL"]["value"]],
        })
    );
    for path in ["config_path", "mcp_config_path"] {
        assert!(stage.files.contains_key(manifest["supervise"][path].as_str().unwrap()));
    }
}

#[test]
fn the_server_is_the_same_in_every_stage() {
    let source = include_str!("../../src/lower/supervise/server.py");
    for (_, stage) in compiled(
        "bottle \"a\" { supervise; }\nbottle \"b\" { supervise; egress { allow \"x.example.com\"; }; }",
    ) {
        let server = &stage.files["supervise/server.py"];
        assert_eq!(*server.bytes, *source.as_bytes());
        assert_eq!(server.mode, Mode::Executable);
        assert!(server.bytes.starts_with(b"#!/usr/bin/env python3\n"));
    }
}

#[test]
fn the_queue_and_the_image_are_what_the_last_layer_says() {
    let spec = "profile \"base\" { supervise image=\"python:3.13@sha256:AA\" { queue \"~/base\"; }; }\n\
                profile \"over\" { supervise image=\"python:3.14@sha256:BB\"; }\n\
                bottle \"both\" { extends \"base\" \"over\"; }\n\
                bottle \"own\" { extends \"base\"; supervise { queue \"./own\"; }; }\n\
                bottle \"root\" { extends \"base\"; supervise { queue \"/srv/queue\"; }; }\n"
        .replace("AA", &"a".repeat(64))
        .replace("BB", &"b".repeat(64));
    let planned: Vec<(String, char)> = compiled(&spec)
        .into_iter()
        .map(|(plan, _)| plan.supervise.value.unwrap())
        .map(|supervise| (supervise.queue.value, supervise.image.chars().last().unwrap()))
        .collect();
    // A relative one is relative to the spec, `specs/x.kdl`, and is seen from the stage's directory.
    let expected = [("~/base".into(), 'b'), ("../../specs/own".into(), 'a'), ("/srv/queue".into(), 'a')];
    assert_eq!(planned, expected);
}

#[test]
fn the_agent_sees_what_is_in_force_and_nothing_of_the_host() {
    let spec = "bottle \"ops\" {
        env { TOKEN from-env=\"HOST_TOKEN\"; FILE from-file=\"/run/secrets/x\"; }
        egress { allow \"b.example.com\" \"A.example.com\"; deny \"x.example.com\"; rate-limit 300; }
        git { repo \"api\" {
            url \"ssh://git@github.com/acme/api.git\"
            identity \"~/.ssh/id_ed25519\"
            host-key \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"
        }; }
        supervise { queue \"~/queue-of-ops\"; }
        sidecar \"db\" image=\"docker.io/library/postgres@sha256:0000000000000000000000000000000000000000000000000000000000000000\" {
            port 5432 scheme=\"postgres\"
            run-as \"999:999\"
            tmpfs \"/var/run/postgresql\"
            env { PASSWORD from-env=\"DB_PASSWORD\"; }
        }
        network octet=42
    }";
    let (_, stage) = compiled(spec).remove(0);
    assert_eq!(
        read(&stage, "supervise/in-force/egress.json"),
        json!({ "allow": ["a.example.com", "b.example.com"], "deny": ["x.example.com"], "rate_limit": 300 })
    );
    assert_eq!(
        read(&stage, "supervise/in-force/repos.json"),
        json!({ "repos": [{ "name": "api", "url": "ssh://git@github.com/acme/api.git" }] })
    );
    let sidecars = read(&stage, "supervise/in-force/sidecars.json");
    let names: Vec<&str> =
        sidecars["sidecars"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["db", "git-gate", "pipelock", "supervise"]);
    assert!(sidecars.to_string().contains("postgres://192.168.42.2:5432"));
    for (path, file) in &stage.files {
        if !path.starts_with("supervise/in-force/") && !path.starts_with("agent/") {
            continue;
        }
        let text = std::str::from_utf8(&file.bytes).unwrap();
        for secret in
            [".ssh", "AAAAC3", "HOST_TOKEN", "/run/secrets", "DB_PASSWORD", "queue-of-ops", ".kdl", "sha256"]
        {
            assert!(!text.contains(secret), "{path} tells of {secret}");
        }
        assert_eq!(file.mode, Mode::Shared, "{path}");
    }
}

#[test]
fn no_text_of_a_spec_becomes_json_of_its_own() {
    let queue = "~/a\\\"b',{}[]: é 日本 $(id) `id` \\\\n";
    let (plan, stage) = one(&format!("supervise {{ queue \"{queue}\"; }}"));
    let written = "~/a\"b',{}[]: é 日本 $(id) `id` \\n";
    assert_eq!(*plan.supervise.value.unwrap().queue, written);
    assert_eq!(read(&stage, "supervise/supervise.json")["queue_on_host"], written);
    assert_eq!(read(&stage, "plan.json")["supervise"]["queue"], written);
}

#[test]
fn the_configurations_schema_is_the_types_and_every_stage_is_valid() {
    let schema = schemars::schema_for!(Config<'_>);
    let expected = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    assert_generated("schemas/supervise.schema.json", &expected);
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let mut valid = 0;
    for path in specs(&root()) {
        for plan in compile_file(&path).1.plans {
            let stage = lower(&plan);
            if plan.supervise.is_some() {
                let config = read(&stage, "supervise/supervise.json");
                assert!(validator.is_valid(&config), "{}: {config}", path.display());
                valid += 1;
            }
        }
    }
    assert!(valid >= 2, "{valid}");
    assert!(!validator.is_valid(&json!({ "version": 1 })));
}

#[test]
fn the_same_spec_gives_the_same_bytes() {
    let spec = "bottle \"b\" { supervise; }\nbottle \"a\" { supervise; }\n";
    assert_eq!(compiled(spec), compiled(spec));
}

fn rules(diagnostics: &Diagnostics) -> Vec<(&str, &str)> {
    diagnostics.as_slice().iter().map(|found| (found.rule.id, found.message.as_str())).collect()
}

#[test]
fn a_queue_is_one_bottles_own() {
    let spec = |one: &str, two: &str| {
        let queue = |queue: &str| match queue {
            "" => String::new(),
            queue => format!(" {{ queue \"{queue}\"; }}"),
        };
        format!(
            "bottle \"one\" {{ supervise{}; }}\nbottle \"two\" {{ supervise{}; }}\n",
            queue(one),
            queue(two)
        )
    };
    for (one, two) in [
        ("~/q", "~/q"),
        ("~/q", "~/./q/"),
        ("~/q", "~/x/../q"),
        ("/q", "//q"),
        ("q", "./q"),
        ("q", "../specs/q"),
        ("~/q", "~/q/below"),
        ("~/q/a/b", "~/q"),
        ("", "~/.local/state/bottle/one"),
        ("~/.local/state/bottle", ""),
    ] {
        let (_, compilation) = compile_text("specs/x.kdl", &spec(one, two));
        let found = rules(&compilation.diagnostics);
        assert!(matches!(found[..], [("queue-taken", _)]), "{one} {two}: {found:?}");
    }
    for (one, two) in [
        ("", ""),
        ("~/q", "~/q2"),
        ("~/q", "/q"),
        ("q", "/q"),
        ("q", "~/q"),
        ("~/q/a", "~/q/b"),
        ("q", "../q"),
    ] {
        let (_, compilation) = compile_text("specs/x.kdl", &spec(one, two));
        assert!(compilation.diagnostics.is_empty(), "{one} {two}: {:?}", rules(&compilation.diagnostics));
    }
}
