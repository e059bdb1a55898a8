//! What a stage holds, judged by who will read it: the engine's own parser, a shell, a JSON Schema validator.

#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "specs are put together from few parts"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use bottlec::backend::{lower, lower_all};
use bottlec::digest::sha256_hex;
use bottlec::lower::Stage;
use bottlec::lower::plan_json::PlanJson;
use bottlec::lower::sums;
use bottlec::model::{Reference, VariableValue};
use bottlec::plan::Plan;
use bottlec::report::Style;
use bottlec::world::engine::{BootKind, Capability, Ledger};
use proptest::prelude::*;

use crate::support::nasty::{kdl, mostly, nasty};
use crate::support::{assert_generated, compile_file, compile_text, root, specs};

fn text<'a>(stage: &'a Stage, path: &str) -> &'a str {
    std::str::from_utf8(&stage.files[path].bytes).expect("text")
}

/// Everything that must hold of any stage, whatever the spec says.
fn assert_sound(plan: &Plan, stage: &Stage) {
    let bundle = plan.addresses.bundle();
    let [192, 168, octet @ 1..=254, 2] = bundle.octets() else { panic!("{bundle}") };
    assert_ne!(octet, 17);
    let smolfile = text(stage, "smolfile.toml");

    // The keys, as any TOML parser sees them.
    let table: toml::Table = smolfile.parse().expect("TOML");
    let keys: BTreeSet<&str> = table.keys().map(String::as_str).collect();
    let secrets: BTreeMap<&str, &Reference> = plan
        .env
        .iter()
        .filter_map(|(name, variable)| match &variable.value.value {
            VariableValue::Secret(reference) => Some((name.as_str(), reference)),
            VariableValue::Literal(_) => None,
        })
        .collect();
    let expected: BTreeSet<&str> =
        if secrets.is_empty() { ["env", "network"].into() } else { ["env", "network", "secrets"].into() };
    assert_eq!(keys, expected);
    let network = table["network"].as_table().expect("a table");
    assert_eq!(network.keys().collect::<Vec<_>>(), ["allow_cidrs"]);
    assert_eq!(network["allow_cidrs"], toml::Value::from(vec![format!("{bundle}/32")]));

    // The same, as the engine sees it.
    let parsed = smolfile::parse(smolfile).expect("the newest engine's parser takes it");
    let read = parsed.network.expect("a policy");
    assert_eq!(read.allow_cidrs, [format!("{bundle}/32")]);
    assert!(read.allow_hosts.is_empty() && read.credentials.is_empty() && parsed.net.is_none());
    let literals: Vec<String> = plan
        .env
        .iter()
        .filter_map(|(name, variable)| match &variable.value.value {
            VariableValue::Literal(value) => Some(format!("{name}={value}")),
            VariableValue::Secret(_) => None,
        })
        .collect();
    assert_eq!(parsed.env, literals);
    assert!(literals.is_sorted_by_key(|entry| entry.split_once('=').map(|(name, _)| name)));
    // The engine trims each entry before it splits it: nothing may be lost by that.
    assert!(literals.iter().all(|entry| entry.trim() == entry));
    assert_eq!(
        parsed.secrets.keys().map(String::as_str).collect::<Vec<_>>(),
        secrets.keys().copied().collect::<Vec<_>>()
    );
    // Engine 0.8.0 has no `[secrets]`; everything else it reads alike.
    match smolfile_0_8::parse(smolfile) {
        Ok(old) => {
            assert!(secrets.is_empty());
            assert_eq!(old.env, literals);
            assert_eq!(old.network.expect("a policy").allow_cidrs, [format!("{bundle}/32")]);
        }
        Err(error) => assert!(!secrets.is_empty() && error.to_string().contains("secrets"), "{error}"),
    }

    // One line a variable, and every literal among them.
    let agent_env = text(stage, "agent.env");
    assert_eq!(agent_env.lines().count(), plan.env.len() + 1, "{agent_env}");

    // The plan says what the files say.
    let json: serde_json::Value = serde_json::from_slice(stage.plan()).expect("JSON");
    assert_eq!(json["bundle_ip"], bundle.to_string());
    let listed = json["files"].as_object().expect("an object");
    for (path, file) in &stage.files {
        assert_eq!(listed[path]["mode"], file.mode.octal(), "{path}");
    }
    assert_eq!(listed.len(), stage.files.len());
    let digests = sums::read(&stage.files[sums::PATH].bytes).expect("a list");
    for (path, file) in stage.files.iter().filter(|(path, _)| *path != sums::PATH) {
        assert_eq!(digests[path.as_str()], bottlec::digest::sha256_hex(&file.bytes), "{path}");
    }
    assert_eq!(digests.len() + 1, stage.files.len());

    // No argument can be read as another one: what follows a flag is its value, and none begins with a dash.
    for command in [&json["commands"]["create"], &json["commands"]["start"]] {
        let words: Vec<&str> =
            command.as_array().expect("a list").iter().map(|word| word.as_str().expect("text")).collect();
        assert_eq!(words[..2], ["smolvm", "machine"]);
        for pair in words[3..].chunks(2) {
            assert!(pair[0].starts_with("--") && pair.len() == 2, "{words:?}");
            assert!(!pair[1].starts_with('-'), "{words:?}");
        }
        let policy: Vec<_> =
            words.windows(2).filter(|pair| pair[0] == "--allow-cidr").map(|pair| pair[1]).collect();
        assert!(policy.is_empty() || policy == [format!("{bundle}/32")]);
        let dead = [
            "--outbound-localhost-only",
            "--net",
            "--network",
            "--allow-host",
            "--publish",
            "--port",
            "--volume",
        ];
        assert!(!words.iter().step_by(2).skip(1).any(|word| dead.contains(word)), "{words:?}");
    }

    assert_secrets_arrive(plan, &json["commands"]);
    assert_machine_is_the_plans(plan, &json["commands"]);
    assert_proxy_is_found(plan);

    // Every URL is an IP literal.
    for (name, variable) in &plan.env {
        let VariableValue::Literal(value) = &variable.value.value else { continue };
        if bottlec::world::builtin::owns_variable(name) && value.contains("://") {
            assert!(value.contains(&format!("://{bundle}:")), "{name}={value}");
        }
    }
}

/// What runs a program in the machine gives it the secrets that the machine does not keep, by reference; and the
/// machine itself is given them where it may keep them.
fn assert_secrets_arrive(plan: &Plan, commands: &serde_json::Value) {
    let flags: Vec<String> = plan
        .env
        .iter()
        .flat_map(|(name, variable)| match &variable.value.value {
            VariableValue::Secret(Reference::Env(from)) => {
                vec!["--secret-env".into(), format!("{name}={from}")]
            }
            VariableValue::Secret(Reference::File(path)) => {
                vec!["--secret-file".into(), format!("{name}={path}")]
            }
            VariableValue::Literal(_) => Vec::new(),
        })
        .collect();
    let boot = plan.boot.as_ref().map(|boot| boot.kind);
    let words = |vector: &str| -> Vec<String> {
        serde_json::from_value(commands[vector].clone()).expect("a list of words")
    };
    for (vector, terminal) in [("exec", &[][..]), ("attach", &["--interactive", "--tty"])] {
        let flags = if matches!(boot, Some(BootKind::Artifact | BootKind::Image)) { &flags[..] } else { &[] };
        // Where the agent's repositories are.
        let work = match plan.git.repos.as_slice() {
            [] => None,
            [repo] => Some(format!("/work/{}", repo.name)),
            _ => Some(String::from("/work")),
        };
        let workdir = work.filter(|_| Ledger::smolvm().has(Capability::Provisioning, *plan.engine.version));
        let workdir = workdir.into_iter().flat_map(|dir| [String::from("--workdir"), dir]);
        let head = ["smolvm", "machine", "exec"].iter().chain(terminal).map(|word| (*word).to_owned());
        let head = head.chain(workdir);
        let tail = ["--name", plan.slug.as_str(), "--"].map(str::to_owned);
        let expected: Vec<String> = head.chain(flags.iter().cloned()).chain(tail).collect();
        assert_eq!(words(vector), expected);
    }
    let create = words("create");
    let given: Vec<&String> =
        create.windows(2).filter(|pair| pair[0].starts_with("--secret-")).flatten().collect();
    // Without an image the Smolfile has them, and of a packed machine they would be lost.
    assert_eq!(given, if boot == Some(BootKind::Image) { flags.iter().collect() } else { Vec::new() });
    assert_eq!(
        create.contains(&String::from("--smolfile")),
        !matches!(boot, Some(BootKind::Artifact | BootKind::Image))
    );
}

/// What programs need to take the proxy, and to dial directly what it would not reach: the machine itself, by each
/// address that its own servers name, and the bundle. No brackets: httpx refuses every request with `[::1]` here.
/// What the machine has of its host is what the plan says: the engine takes each flag's value apart at its colons.
fn assert_machine_is_the_plans(plan: &Plan, commands: &serde_json::Value) {
    let words: Vec<&str> =
        commands["create"].as_array().expect("words").iter().filter_map(|word| word.as_str()).collect();
    let of = |flag: &str| -> Vec<Vec<&str>> {
        words.windows(2).filter(|pair| pair[0] == flag).map(|pair| pair[1].split(':').collect()).collect()
    };
    let volumes: Vec<Vec<&str>> = plan
        .machine
        .volumes
        .iter()
        .map(|volume| {
            let access = (!*volume.writable).then_some("ro");
            [volume.path.as_str(), volume.target.as_str()].into_iter().chain(access).collect()
        })
        .collect();
    assert_eq!(of("--volume"), volumes);
    assert!(volumes.iter().all(|volume| volume[0].starts_with(['.', '/']) && volume[1].starts_with('/')));
    let ports: Vec<[String; 2]> =
        plan.machine.published.iter().map(|port| [port.host.to_string(), port.guest.to_string()]).collect();
    assert_eq!(of("--port"), ports);
    assert!(ports.iter().flatten().all(|port| port != "0"));
}

fn assert_proxy_is_found(plan: &Plan) {
    let bundle = plan.addresses.bundle();
    let computed = |name: &str| match &plan.env[name].value.value {
        VariableValue::Literal(value) => value.as_str(),
        VariableValue::Secret(_) => panic!("{name} is computed"),
    };
    for name in ["NO_PROXY", "no_proxy"] {
        assert_eq!(computed(name), format!("localhost,127.0.0.1,::1,0.0.0.0,{bundle}"));
    }
    assert_eq!(computed("NODE_USE_ENV_PROXY"), "1");
    // What a computed variable names is in the machine.
    let launch = (bottlec::backend::of(plan).launch)(plan);
    let files: Vec<&str> = launch.provision.iter().map(|file| file.target.as_str()).collect();
    for (name, variable) in plan.env.iter().filter(|(_, variable)| variable.origin == "computed") {
        let VariableValue::Literal(value) = &variable.value.value else { panic!("{name} is computed") };
        assert!(!value.starts_with('/') || files.contains(&value.as_str()), "{name}={value}");
    }
}

#[test]
fn every_example_makes_a_sound_stage() {
    let mut stages = 0;
    for path in specs(&root().join("examples")) {
        for plan in compile_file(&path).1.plans {
            assert_sound(&plan, &lower(&plan));
            stages += 1;
        }
    }
    assert!(stages >= 8);
}

#[test]
fn the_plan_schema_is_the_types_and_every_plan_is_valid() {
    let schema = schemars::schema_for!(PlanJson<'_>);
    let expected = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    assert_generated("schemas/plan.schema.json", &expected);
    let validator = jsonschema::validator_for(schema.as_value()).expect("a schema");
    for path in specs(&root()) {
        for plan in compile_file(&path).1.plans {
            let json: serde_json::Value = serde_json::from_slice(lower(&plan).plan()).expect("JSON");
            let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        }
    }
    assert!(!validator.is_valid(&serde_json::json!({ "format": 1 })));
}

#[test]
fn the_reference_page_is_the_schema_table() {
    assert_generated("docs/language.md", &bottlec::schema::reference::page());
}

fn spec() -> impl Strategy<Value = String> {
    let boot = prop_oneof![
        Just(String::new()),
        mostly("\\./[a-z]{1,5}\\.smolmachine").prop_map(|text| format!("artifact {}\n", kdl(&text))),
        mostly("\\./[a-z]{1,5}").prop_map(|text| format!("rootfs {}\n", kdl(&text))),
        mostly("[a-z]{1,5}/[a-z]{1,5}@sha256:[0-9a-f]{64}")
            .prop_map(|text| format!("image {}\n", kdl(&text))),
    ];
    let machine = (
        mostly("\\./[a-z]{1,5}"),
        mostly("/(work|etc|usr/share)/[a-z]{1,5}"),
        mostly("read-(only|write)"),
        0u32..70_000,
        prop::option::of(0u32..70_000),
    )
        .prop_map(|(path, target, access, guest, host)| {
            let host = host.map(|host| format!(" host={host}")).unwrap_or_default();
            let (path, target, access) = (kdl(&path), kdl(&target), kdl(&access));
            format!("volume {path} {target} access={access}\npublish {guest}{host}\n")
        });
    let variable =
        (mostly("[A-Z][A-Z0-9_]{1,6}"), 0..3, nasty()).prop_map(|(name, kind, value)| match kind {
            0 => format!("{} {}\n", kdl(&name), kdl(&value)),
            1 => format!("{} from-env={}\n", kdl(&name), kdl(&value)),
            _ => format!("{} from-file={}\n", kdl(&name), kdl(&format!("/{value}"))),
        });
    let sidecar = (
        mostly("[a-z]{2,6}"),
        1u32..70_000,
        mostly("[a-z]{1,4}"),
        mostly("[A-Z]{2,5}_URL"),
        mostly("/[a-z]{0,4}"),
    )
        .prop_map(|(name, port, scheme, variable, path)| {
            format!(
                "sidecar {} image=\"x@sha256:{}\" {{\nport {port} scheme={}\nexpose {} path={}\n}}\n",
                kdl(&name),
                "0".repeat(64),
                kdl(&scheme),
                kdl(&variable),
                kdl(&path)
            )
        });
    (
        mostly("[a-z][a-z0-9]{0,8}"),
        boot,
        prop::collection::vec(variable, 0..4),
        prop::collection::vec(mostly("[a-z]{1,5}\\.example\\.com"), 0..3),
        prop::collection::vec(sidecar, 0..3),
        prop::collection::vec(machine, 0..2),
        prop::option::of(0..300),
    )
        .prop_map(|(slug, boot, env, hosts, sidecars, machine, octet)| {
            let allow: String = hosts.iter().map(|host| format!("allow {}\n", kdl(host))).collect();
            let network = octet.map(|octet| format!("network octet={octet}\n")).unwrap_or_default();
            format!(
                "bottle {} {{\n{boot}{}env {{\n{}}}\negress {{\n{allow}}}\n{}{network}}}\n",
                kdl(&slug),
                machine.concat(),
                env.concat(),
                sidecars.concat()
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// No spec yields a Smolfile with another key or a wider list, another argument, or a line of its own.
    #[test]
    fn no_spec_makes_an_unsound_stage(spec in spec()) {
        let (sources, compilation) = compile_text("generated.kdl", &spec);
        if compilation.diagnostics.has_errors() {
            prop_assert!(compilation.plans.is_empty());
        }
        for plan in &compilation.plans {
            let stage = lower(plan);
            assert_sound(plan, &stage);
            let shown = bottlec::report::plan::render(
                plan,
                &stage,
                "stage",
                bottlec::report::plan::Detail::Digests,
                &Style::default(),
            );
            prop_assert!(!shown.chars().any(|c| c != '\n' && bottlec::text::is_unsafe_to_show(c)));
        }
        let _ = sources;
    }
}

/// The generator must make both kinds often, or the property above says nothing.
#[test]
fn the_generator_makes_stages_and_errors() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut clean, mut wrong) = (0, 0);
    for _ in 0..500 {
        let spec = spec().new_tree(&mut runner).expect("a spec").current();
        if compile_text("generated.kdl", &spec).1.plans.is_empty() { wrong += 1 } else { clean += 1 }
    }
    assert!(clean > 50 && wrong > 50, "{clean} stages, {wrong} errors");
}

/// A shell that reads `agent.env` gets each value as it was written, and runs nothing.
#[test]
fn a_shell_reads_the_agents_environment_as_it_is_written() {
    let values = [
        "plain",
        "",
        "a b",
        "$(echo no)",
        "`echo no`",
        "${HOME}",
        "it's",
        "a'b'c",
        "\"x\"",
        "\\",
        "a\\nb",
        "; exit 1",
        "*",
        "~",
        "a=b",
        "é日本",
        "tab\there",
        "#x",
        "!x",
        "&",
        "|",
        "<>",
        "{a,b}",
        "''",
        "%s",
    ];
    let env: String =
        values.iter().enumerate().map(|(at, value)| format!("V{at} {}\n", kdl(value))).collect();
    let (_, compilation) = compile_text("shell.kdl", &format!("bottle \"shell\" {{ env {{\n{env}}}; }}"));
    let stage = lower(compilation.plans.first().expect("a plan"));
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("agent.env"), &stage.files["agent.env"].bytes).expect("written");
    for (at, value) in values.iter().enumerate() {
        let output = Command::new("sh")
            .args(["-c", &format!("set -a; . ./agent.env; printf %s \"$V{at}\"")])
            .current_dir(directory.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .output()
            .expect("a shell");
        assert!(output.status.success() && output.stderr.is_empty());
        assert_eq!(String::from_utf8_lossy(&output.stdout), *value);
    }
}

/// Many plans are lowered on several threads, which must change nothing.
#[test]
fn a_fleet_lowers_to_what_each_bottle_lowers_to() {
    let spec: String = (1..=60)
        .filter(|n| *n != 17)
        .map(|n| format!("bottle \"b{n}\" {{ network octet={n}; }}\n"))
        .collect();
    let plans = compile_text("fleet.kdl", &spec).1.plans;
    assert_eq!(plans.len(), 59);
    assert_eq!(lower_all(&plans), plans.iter().map(lower).collect::<Vec<_>>());
}

#[test]
fn a_digest_is_hex() {
    assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
