//! `pipelock/pipelock.yaml`, judged by two readers of YAML, its schema, and pipelock's own checks.

#![allow(clippy::format_push_string, reason = "a page is put together from rows")]
#![allow(clippy::format_collect, reason = "specs are put together from few parts")]

use std::collections::BTreeMap;

use bottlec::backend::lower;
use bottlec::lower::pipelock::{CA_CERT, CA_KEY, Config, PATTERN_PREFIX};
use bottlec::plan::{Plan, PlannedHost, Traced};
use bottlec::reach::proxy::{Lists, Proxy};
use bottlec::world::host::{HostPattern, Target, Verdict};
use bottlec::world::pipelock::{FACTS, NEWEST, OLDEST, RECORDED};
use ipnet::IpNet;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::{Value, json};

use crate::support::pipelock::{read, spec, yaml};
use crate::support::{assert_generated, compile_file, compile_text, root, specs};

/// The plan of the only bottle of a spec that compiles.
fn plan_of(spec: &str) -> Plan {
    let (_, mut compilation) = compile_text("spec.kdl", spec);
    assert!(!compilation.diagnostics.has_errors(), "{:#?}", compilation.diagnostics.as_slice());
    compilation.plans.remove(0)
}

/// What a bottle with this egress compiles to.
fn of(egress: &str) -> Value {
    read(yaml(&lower(&plan_of(&format!("bottle \"demo\" {{ egress {{\n{egress}\n}}; }}")))))
}

fn schema() -> jsonschema::Validator {
    jsonschema::validator_for(schemars::schema_for!(Config<'_>).as_value()).expect("a schema")
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map(|list| list.iter().map(|text| text.as_str().expect("text")).collect())
        .unwrap_or_default()
}

fn values(list: &[Traced<PlannedHost>]) -> Vec<&str> {
    list.iter().map(|entry| entry.host.as_str()).collect()
}

/// pipelock's own checks of the keys that are written, in its order (`internal/config/validate.go`, as it was on both
/// sides of 2.3.0).
fn pipelock_takes(config: &Value) -> Result<(), String> {
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    let positive = |value: &Value| value.as_i64().is_some_and(|n| n > 0);
    let word = |value: &Value, words: &[&str]| value.as_str().is_some_and(|text| words.contains(&text));
    ensure(word(&config["mode"], &["strict", "balanced", "audit"]), "mode")?;
    ensure(
        config["mode"] != "strict" || !texts(&config["api_allowlist"]).is_empty(),
        "strict mode requires at least one domain",
    )?;
    ensure(word(&config["logging"]["format"], &["json", "text"]), "logging.format")?;
    ensure(word(&config["logging"]["output"], &["stdout", "file", "both"]), "logging.output")?;
    ensure(config["dlp"].get("action").is_none(), "dlp.action")?;
    for pattern in config["dlp"]["patterns"].as_array().into_iter().flatten() {
        let text = |key: &str| pattern[key].as_str().unwrap_or("").to_owned();
        ensure(!text("name").is_empty() && !text("regex").is_empty(), "pattern without name or regex")?;
    }
    let monitoring = &config["fetch_proxy"]["monitoring"];
    ensure(texts(&monitoring["blocklist"]).iter().all(|entry| !entry.is_empty()), "empty blocklist entry")?;
    for key in ["max_requests_per_minute", "max_data_per_minute"] {
        ensure(monitoring[key].is_null() || positive(&monitoring[key]), key)?;
    }
    ensure(
        word(&config["response_scanning"]["action"], &["strip", "warn", "block", "ask"]),
        "response_scanning.action",
    )?;
    for key in ["max_tunnel_seconds", "idle_timeout_seconds"] {
        ensure(positive(&config["forward_proxy"][key]), key)?;
    }
    ensure(
        word(&config["request_body_scanning"]["action"], &["warn", "block"]),
        "request_body_scanning.action",
    )?;
    ensure(positive(&config["request_body_scanning"]["max_body_bytes"]), "max_body_bytes")?;
    let port = |listen: &Value| {
        let text = listen.as_str()?;
        text.parse::<std::net::SocketAddr>().ok().map(|address| address.port())
    };
    let (main, metrics) = (port(&config["fetch_proxy"]["listen"]), port(&config["metrics_listen"]));
    ensure(main.is_some() && metrics.is_some() && main != metrics, "listen addresses")?;
    for range in texts(&config["ssrf"]["ip_allowlist"]) {
        let network: ipnet::IpNet = range.parse().map_err(|_| format!("{range} is no CIDR"))?;
        ensure(network.prefix_len() > 0, "a catch-all")?;
        ensure(network.trunc() == network, "host bits set")?;
    }
    for network in texts(&config["internal"]) {
        ensure(network.parse::<ipnet::IpNet>().is_ok_and(|it| it.trunc() == it), "an internal network")?;
    }
    for host in texts(&monitoring["subdomain_entropy_exclusions"]) {
        ensure(!host.is_empty() && !host.contains("://") && !host.contains(['/', ':']), "a URL")?;
        let rest = host.strip_prefix("*.").unwrap_or(host);
        ensure(!rest.contains(['*', '?', '[', ']']), "a pattern of another kind")?;
        ensure(rest == host || rest.contains('.'), "a wildcard without a concrete domain")?;
    }
    ensure(
        word(&config["request_body_scanning"]["header_mode"], &["sensitive", "all"]),
        "request_body_scanning.header_mode",
    )?;
    ensure(positive(&config["fetch_proxy"]["max_response_mb"]), "max_response_mb")?;
    Ok(())
}

/// The entry of the list of a bottle that reaches nothing.
const NOWHERE: &str = "0.0.0.0";

/// What the guard of 2.3.0 refuses by itself.
const INTERNAL: [&str; 12] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "224.0.0.0/4",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
];

/// The lists of hosts and addresses in a configuration, as it is written.
struct Written {
    allow: Vec<HostPattern>,
    block: Vec<HostPattern>,
    open: Vec<IpNet>,
    excluded: Vec<HostPattern>,
    internal: Vec<IpNet>,
    trusted: Vec<HostPattern>,
}

impl Written {
    fn read(config: &Value) -> Self {
        let hosts =
            |list: &Value| texts(list).iter().map(|host| HostPattern::new((*host).to_owned())).collect();
        let networks = |list: &[&str]| list.iter().map(|it| it.parse().expect("a network")).collect();
        let monitoring = &config["fetch_proxy"]["monitoring"];
        let internal = texts(&config["internal"]);
        Self {
            allow: hosts(&config["api_allowlist"]),
            block: hosts(&monitoring["blocklist"]),
            open: networks(&texts(&config["ssrf"]["ip_allowlist"])),
            excluded: hosts(&monitoring["subdomain_entropy_exclusions"]),
            internal: networks(if internal.is_empty() { &INTERNAL } else { &internal }),
            trusted: hosts(&config["trusted_domains"]),
        }
    }

    fn lists(&self) -> Lists<'_, ()> {
        fn all(list: &[HostPattern]) -> Vec<(&HostPattern, ())> {
            list.iter().map(|host| (host, ())).collect()
        }
        fn some(list: &[HostPattern]) -> Vec<(&HostPattern, Option<()>)> {
            list.iter().map(|host| (host, Some(()))).collect()
        }
        Lists {
            allow: some(&self.allow),
            block: some(&self.block),
            open: self.open.iter().map(|range| (*range, ())).collect(),
            excluded: all(&self.excluded),
            internal: &self.internal,
            trusted: all(&self.trusted),
        }
    }
}

/// Hosts that are worth asking a plan's proxy for.
fn allowed_hosts(plan: &Plan) -> Vec<String> {
    let entries = plan.egress.allow.iter().chain(&plan.egress.deny);
    let domains =
        entries.flat_map(|entry| [entry.host.domain().to_owned(), format!("x.{}", entry.host.domain())]);
    domains.chain(["10.1.2.3", "metadata.google.internal", NOWHERE].map(str::to_owned)).collect()
}

/// Rows of a table that are told otherwise than they were recorded, and how many it has.
fn told_otherwise(table: &str) -> (Vec<String>, usize) {
    let folder = root().join("tests/pipelock/recorded");
    let table = std::fs::read_to_string(folder.join(table)).expect("the table");
    let mut configurations: BTreeMap<String, Written> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in table.lines().skip(1) {
        let [spec, target, at, _, verdict, ..] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a row of five columns: {row}")
        };
        let written = configurations.entry(spec.to_owned()).or_insert_with(|| {
            let path = folder.join(format!("{spec}.yaml"));
            Written::read(&read(&std::fs::read_to_string(path).expect("a configuration")))
        });
        let proxy = Proxy::new(RECORDED, written.lists());
        let target: Target = target.parse().expect(target);
        // `-` is a public address.
        let at = if at == "-" { "93.184.216.34" } else { at };
        let told = proxy.judge(&target.spelling, Some(at.parse().expect("an address"))).verdict();
        if told.as_str() != verdict {
            wrong.push(format!("{row}\n    told: {}", told.as_str()));
        }
    }
    (wrong, table.lines().count() - 1)
}

/// The verdicts of a real pipelock 2.3.0 that was asked over loopback, by CONNECT or by an absolute URI, with what was
/// emitted for each of these specs at the time: the function that answers `reach` gives each of them.
#[test]
fn every_recorded_verdict_is_the_one_that_is_told() {
    let (wrong, rows) = told_otherwise("verdicts.tsv");
    assert_eq!(rows, 165);
    assert!(wrong.is_empty(), "{} of {rows} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The verdicts of pipelock 2.3.0's own scanner, built from its source, on what is emitted since its lists are written
/// out: random names, spellings of addresses, each kind of credential with its dots and lengths, and what names resolve to
/// on both sides of every border.
#[test]
fn every_verdict_of_its_scanner_is_the_one_that_is_told() {
    let (wrong, rows) = told_otherwise("emitted.tsv");
    assert!(rows > 1000, "{rows}");
    assert!(wrong.is_empty(), "{} of {rows} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The ledger, as a page.
#[test]
fn the_page_of_versions_is_the_ledger() {
    let mut page = format!(
        "# What each pipelock does\n\n\
         The compiler's ledger, from {OLDEST} to {NEWEST}: made from `src/world/pipelock/ledger.rs`, which rules, lowering and\n\
         `reach` ask. A spec is compiled for the version that its `pipelock version=` names, and without that for\n\
         {RECORDED}, whose verdicts are recorded in [tests/pipelock/recorded](../tests/pipelock/recorded). The configuration\n\
         of a newer one, and what is said of it, follows what was read, and `bottlec plan` says so.\n"
    );
    for fact in FACTS {
        page.push_str(&format!(
            "\n## pipelock {}\n\n{}.\n\nEvidence: {}: {} ({}).\n",
            fact.versions(),
            fact.summary,
            fact.how.as_str(),
            fact.evidence,
            fact.date
        ));
    }
    assert_generated("docs/pipelock.md", &page);
}

/// What the user of `examples/api-dev.kdl` does: for what, to which host, at which private address, with what in it, and
/// whether it goes through.
const REQUESTS: &[(&str, &str, Option<&str>, &str, bool)] = &[
    ("the agent asks its model beside the broker", "api.anthropic.com", None, "x-api-key sk-ant", false),
    ("npm looks for a package", "registry.example.com", Some("10.20.0.5"), "bearer npm_", true),
    ("npm fetches a package", "registry.example.com", Some("10.20.0.5"), "an answer above 5 MiB", true),
    ("pip looks for a package", "packages.example.com", None, "an index of packages", true),
    ("pip fetches a package", "packages.example.com", None, "an answer above 5 MiB", true),
    ("curl reads an issue", "api.github.com", None, "nothing", true),
    ("curl sends a customer's number", "api.github.com", None, "a pattern of the spec's own", false),
    ("curl sends a forge's token that it found", "api.github.com", None, "bearer ghp_", false),
    ("curl leaves a paste", "gist.github.com", None, "nothing", false),
    ("curl asks another index", "index.example.org", None, "nothing", false),
];

/// The example as it is shipped: each request that its user makes is let through by what a real pipelock did with such
/// requests, at hosts that were opened and at those that stay closed.
#[test]
fn the_example_with_opened_https_works() {
    let table =
        std::fs::read_to_string(root().join("tests/pipelock/recorded/opened.tsv")).expect("the table");
    let recorded = |way: &str, what: &str| {
        let begins = format!("{way}\t{what}\t");
        let row = table.lines().find_map(|row| row.strip_prefix(&begins));
        row.unwrap_or_else(|| panic!("no such row: {begins}")).starts_with("allowed\t")
    };
    let plan = compile_file(&root().join("examples/api-dev.kdl")).1.plans.remove(0);
    let config = read(yaml(&lower(&plan)));
    let closed = texts(&config["tls_interception"]["passthrough_domains"]);
    // In this list a wildcard does not stand for its own domain.
    let is_closed = |host: &str| {
        closed.iter().any(|it| match it.strip_prefix('*') {
            Some(below) => host.ends_with(below),
            None => *it == host,
        })
    };
    let policy = bottlec::report::reach::policy(&plan);
    for (who, host, at, what, goes) in REQUESTS {
        let target = format!("{host}:443").parse().expect("a target");
        let at = at.map(|at| at.parse().expect("an address"));
        let reached = policy.judge(&target, at).verdict() == Verdict::Allowed;
        let way = if is_closed(host) { "closed" } else { "opened" };
        assert_eq!(reached && recorded(way, what), *goes, "{who}: {way}, reached: {reached}");
    }
}

/// What the recorded configurations let through and the emitted ones do not.
#[test]
fn what_was_let_through_by_another_spelling_is_closed() {
    let plan = plan_of(
        "bottle \"demo\" { egress { allow \"api.example.com\"; allow \"db.corp.example\" \"10.64.0.0\"; \
         private \"db.corp.example\" \"100.64.0.0/10\" \"10.64.0.0\" \"fd00::/8\"; }; }",
    );
    let proxy = Proxy::new(RECORDED, plan.egress.lists());
    for at in [
        "64:ff9b::a01:203",
        "2002:a01:203::1",
        "fec0::1",
        "::",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    ] {
        let verdict = proxy.judge("db.corp.example", Some(at.parse().expect("an address"))).verdict();
        assert_eq!(verdict, Verdict::Refused, "{at}");
    }
    for at in ["100.100.100.201", "fd00::1", "10.64.0.0", "64:ff9b::808:808"] {
        let verdict = proxy.judge("db.corp.example", Some(at.parse().expect("an address"))).verdict();
        assert_eq!(verdict, Verdict::Allowed, "{at}");
    }
    for host in ["169.254.169.254", "metadata.google.internal", "instance-data", NOWHERE, "0"] {
        assert_eq!(proxy.judge(host, None).verdict(), Verdict::Refused, "{host}");
    }
}

/// Versions differ in what they see; what is emitted holds for each.
#[test]
fn each_version_is_asked_for_what_it_does() {
    let spec = |version: &str| {
        plan_of(&format!(
            "bottle \"demo\" {{ pipelock version=\"{version}\"; egress {{ allow \"0123456789abcdef.example.com\" \
             \"*.example.org\"; }}; }}"
        ))
    };
    let (old, new) = (spec("2.3.0"), spec("3.8.0"));
    assert_eq!(old.pipelock_image.as_str(), "ghcr.io/luckypipewrench/pipelock:2.3.0");
    assert_eq!(new.pipelock_image.as_str(), "ghcr.io/pipelab-org/pipelock:3.8.0");
    let excluded = |plan: &Plan| {
        read(yaml(&lower(plan)))["fetch_proxy"]["monitoring"]["subdomain_entropy_exclusions"].clone()
    };
    assert_eq!(excluded(&old), Value::Null);
    assert_eq!(excluded(&new), json!(["0123456789abcdef.example.com"]));
    let verdict = |plan: &Plan, host: &str| {
        Proxy::new(*plan.egress.pipelock_version, plan.egress.lists()).judge(host, None).verdict()
    };
    for host in ["0123456789abcdef.example.com", "api.example.org"] {
        assert_eq!(
            (verdict(&old, host), verdict(&new, host)),
            (Verdict::Allowed, Verdict::Allowed),
            "{host}"
        );
    }
    let host = "0123456789abcdef.example.org";
    assert_eq!((verdict(&old, host), verdict(&new, host)), (Verdict::Allowed, Verdict::Depends));
}

/// Everything that must hold of any configuration, whatever the spec says.
fn assert_sound(plan: &Plan, validator: &jsonschema::Validator) {
    let stage = lower(plan);
    let text = yaml(&stage);
    let config = read(text);
    assert!(!text.contains("\n---") && text.ends_with('\n'), "one document\n{text}");
    let errors: Vec<String> = validator.iter_errors(&config).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    assert_eq!(pipelock_takes(&config), Ok(()), "{text}");
    assert_eq!((&config["mode"], &config["enforce"]), (&json!("strict"), &json!(true)));
    // The guard's list is never empty, which would turn it off, and holds pipelock's own.
    let internal = texts(&config["internal"]);
    assert!(INTERNAL.iter().all(|network| internal.contains(network)), "{internal:?}");
    assert!(config.get("trusted_domains").is_none(), "no name is trusted");
    // The list is the spec's, to the letter: nothing wider, nothing lost.
    let allowed = values(&plan.egress.allow);
    let expected = if allowed.is_empty() { vec![NOWHERE] } else { allowed };
    assert_eq!(texts(&config["api_allowlist"]), expected);
    let denied = values(&plan.egress.deny);
    let blocked = texts(&config["fetch_proxy"]["monitoring"]["blocklist"]);
    assert_eq!(blocked[..denied.len()], denied);
    for never in [NOWHERE, "169.254.169.254", "metadata.google.internal"] {
        assert!(blocked.contains(&never), "{never} is not blocked");
    }
    let opened = texts(&config["ssrf"]["ip_allowlist"]);
    assert!(opened.len() >= plan.egress.private.len());
    // What is judged is what is written.
    let (theirs, ours) = (Written::read(&config), plan.egress.lists());
    let version = *plan.egress.pipelock_version;
    let (theirs, ours) = (Proxy::new(version, theirs.lists()), Proxy::new(version, ours));
    for host in allowed_hosts(plan) {
        for at in [None, Some("10.1.2.3"), Some("169.254.169.254"), Some("8.8.8.8")] {
            let at = at.map(|at| at.parse().expect("an address"));
            assert_eq!(
                theirs.judge(&host, at).verdict(),
                ours.judge(&host, at).verdict(),
                "{host} at {at:?}"
            );
        }
    }
    let patterns = config["dlp"]["patterns"].as_array().cloned().unwrap_or_default();
    let written: Vec<(&str, &str)> = patterns
        .iter()
        .map(|pattern| (pattern["name"].as_str().expect("text"), pattern["regex"].as_str().expect("text")))
        .collect();
    let names: Vec<String> =
        plan.egress.patterns.iter().map(|pattern| format!("{PATTERN_PREFIX}{}", pattern.name)).collect();
    let planned: Vec<(&str, &str)> = names
        .iter()
        .zip(&plan.egress.patterns)
        .map(|(name, pattern)| (name.as_str(), pattern.regex.as_str()))
        .collect();
    assert_eq!(written, planned);
}

#[test]
fn the_schema_is_the_types_and_refuses_what_pipelock_would_not_enforce() {
    let schema = schemars::schema_for!(Config<'_>);
    let expected = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    assert_generated("schemas/pipelock.schema.json", &expected);
    let validator = self::schema();
    let good = of("allow \"api.example.com\"");
    assert!(validator.is_valid(&good));
    let broken = [
        ("/mode", json!("balanced")),
        ("/enforce", json!(false)),
        ("/api_allowlist", json!([])),
        ("/forward_proxy/enabled", json!(false)),
        ("/fetch_proxy/monitoring/max_requests_per_minute", json!("600")),
        ("/sentry/enabled", json!(true)),
        ("/dlp/include_defaults", json!(false)),
        ("/response_scanning/action", json!("ask")),
    ];
    for (path, value) in broken {
        let mut bad = good.clone();
        *bad.pointer_mut(path).expect("a key that is there") = value;
        assert!(!validator.is_valid(&bad), "{path}");
    }
    for path in
        ["", "/dlp", "/fetch_proxy", "/fetch_proxy/monitoring", "/logging", "/forward_proxy", "/sentry"]
    {
        let mut bad = good.clone();
        let object = bad.pointer_mut(path).and_then(Value::as_object_mut).expect("an object");
        object.insert("unknown".into(), json!(1));
        assert!(!validator.is_valid(&bad), "an unknown key in `{path}`");
    }
}

#[test]
fn every_spec_of_the_project_makes_a_sound_configuration() {
    let validator = schema();
    let mut seen = 0;
    for path in specs(&root()) {
        for plan in compile_file(&path).1.plans {
            assert_sound(&plan, &validator);
            seen += 1;
        }
    }
    assert!(seen > 20);
}

#[test]
fn a_bottle_without_an_allow_reaches_nothing() {
    for spec in ["bottle \"demo\" { supervise; }", "bottle \"demo\" { egress { deny \"x.example.com\"; }; }"]
    {
        let config = read(yaml(&lower(&plan_of(spec))));
        assert_eq!(config["api_allowlist"], json!([NOWHERE]));
        // Which is refused twice: as a blocked host, and as an address inside.
        let proxy = Written::read(&config);
        let proxy = Proxy::new(RECORDED, proxy.lists());
        for host in [NOWHERE, "0", "0x0", "0.0.0.0.", "nothing-is-allowed.invalid"] {
            assert_eq!(proxy.judge(host, Some([8, 8, 8, 8].into())).verdict(), Verdict::Refused, "{host}");
        }
        assert_eq!(config["mode"], "strict");
    }
}

#[test]
fn what_the_spec_does_not_say_is_written_out() {
    let config = of("allow \"api.example.com\"");
    assert_eq!(config["fetch_proxy"]["monitoring"]["max_requests_per_minute"], 600);
    assert_eq!(config["fetch_proxy"]["max_response_mb"], 512);
    assert_eq!(config["request_body_scanning"]["header_mode"], "all");
    assert_eq!(config["explain_blocks"], true);
    assert_eq!(config["fetch_proxy"]["listen"], "0.0.0.0:8888");
    assert_eq!(config["metrics_listen"], "127.0.0.1:9090");
    assert_eq!(
        config["forward_proxy"],
        json!({
            "enabled": true,
            "max_tunnel_seconds": 3600,
            "idle_timeout_seconds": 3600,
            "sni_verification": true,
        })
    );
    assert_eq!(config["dlp"], json!({ "include_defaults": true, "scan_env": true }));
    assert_eq!(config["request_body_scanning"]["action"], "block");
    assert_eq!(config["response_scanning"]["action"], "block");
    assert_eq!(config["sentry"], json!({ "enabled": false }));
    assert_eq!(config["default_agent_identity"], "demo");
    for absent in ["tls_interception", "trusted_domains", "ssrf"] {
        assert!(config.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn everything_that_a_spec_can_say_arrives() {
    let config = of(r##"
        allow "API.example.com" "db.corp.internal" "10.1.2.3" "*.example.org"
        deny "gist.example.org"
        private "db.corp.internal" "10.1.2.3" "172.16.4.0/22" "fd00:1::/64"
        rate-limit 1200
        data-budget 104857600
        dlp {
            pattern "b" regex=#"b\d{3}: "x" #y"# severity="low"
            pattern "a" regex="a+"
        }
        scan-bodies "warn" max-bytes=2048
        scan-responses "strip"
        tunnel max-seconds=60
        log "blocked"
        tls {
            ca-cert "./ca.pem"
            ca-key "/etc/ca-key.pem"
            passthrough "pinned.example.com" "pinned.example.com"
        }
    "##);
    assert_eq!(
        config["api_allowlist"],
        json!(["*.example.org", "10.1.2.3", "api.example.com", "db.corp.internal"])
    );
    assert_eq!(config["ssrf"]["ip_allowlist"], json!(["10.1.2.3/32", "172.16.4.0/22", "fd00:1::/64"]));
    let monitoring = &config["fetch_proxy"]["monitoring"];
    assert_eq!(monitoring["max_requests_per_minute"], 1200);
    assert_eq!(monitoring["max_data_per_minute"], 104_857_600);
    assert_eq!(monitoring["blocklist"][0], "gist.example.org");
    assert_eq!(
        config["dlp"]["patterns"],
        json!([
            { "name": "bottle: a", "regex": "a+", "severity": "high" },
            { "name": "bottle: b", "regex": "b\\d{3}: \"x\" #y", "severity": "low" },
        ])
    );
    assert_eq!(config["request_body_scanning"]["action"], "warn");
    assert_eq!(config["request_body_scanning"]["max_body_bytes"], 2048);
    assert_eq!(config["response_scanning"]["action"], "strip");
    assert_eq!(config["forward_proxy"]["max_tunnel_seconds"], 60);
    // A tunnel is not silent for longer than it lives.
    assert_eq!(config["forward_proxy"]["idle_timeout_seconds"], 60);
    assert_eq!(config["logging"]["include_allowed"], false);
    assert_eq!(config["logging"]["include_blocked"], true);
    assert_eq!(
        config["tls_interception"],
        json!({
            "enabled": true,
            "ca_cert": CA_CERT,
            "ca_key": CA_KEY,
            "passthrough_domains": ["pinned.example.com"],
        })
    );
}

/// Where the authority is on the host is in the plan, as the launcher sees it from the stage's directory.
#[test]
fn the_paths_of_the_authority_are_seen_from_the_stage() {
    let text = "bottle \"demo\" { egress { tls { ca-cert \"./ca.pem\"; ca-key \"~/ca-key.pem\"; }; }; }";
    let (_, compilation) = compile_text("specs/demo.kdl", text);
    let tls = compilation.plans[0].egress.tls.as_ref().expect("opened");
    assert_eq!(
        (tls.ca_cert.value.as_str(), tls.ca_key.value.as_str()),
        ("../../specs/ca.pem", "~/ca-key.pem")
    );
}

/// No layer loosens what one under it demands; numbers are the last layer's.
#[test]
fn profiles_tighten() {
    let plan = plan_of(
        "profile \"team\" { egress { scan-bodies \"block\"; scan-responses \"strip\"; log \"all\"; rate-limit 100; \
         deny \"x.example.com\"; tls { ca-cert \"./ca.pem\"; ca-key \"./key.pem\"; passthrough \"a.example.com\"; }; }; }\n\
         bottle \"demo\" { extends \"team\"; egress { scan-bodies \"warn\"; scan-responses \"block\"; log \"blocked\"; \
         rate-limit 900; allow \"b.example.com\"; tls { passthrough \"b.example.com\"; }; }; }",
    );
    let config = read(yaml(&lower(&plan)));
    assert_eq!(config["request_body_scanning"]["action"], "block");
    assert_eq!(config["response_scanning"]["action"], "block");
    assert_eq!(config["logging"]["include_allowed"], true);
    assert_eq!(config["fetch_proxy"]["monitoring"]["max_requests_per_minute"], 900);
    assert_eq!(config["fetch_proxy"]["monitoring"]["blocklist"][0], "x.example.com");
    assert_eq!(config["tls_interception"]["passthrough_domains"], json!(["a.example.com", "b.example.com"]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// No spec makes a configuration that pipelock would refuse, or that allows anything that the spec does not.
    #[test]
    fn no_spec_makes_an_unsound_configuration(spec in spec()) {
        thread_local! { static VALIDATOR: jsonschema::Validator = schema(); }
        let (_, compilation) = compile_text("generated.kdl", &spec);
        for plan in &compilation.plans {
            VALIDATOR.with(|validator| assert_sound(plan, validator));
        }
    }
}

/// The generator must make both kinds often, or the property above says nothing.
#[test]
fn the_generator_makes_configurations_and_errors() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut clean, mut wrong) = (0, 0);
    for _ in 0..400 {
        let spec = spec().new_tree(&mut runner).expect("a spec").current();
        if compile_text("generated.kdl", &spec).1.plans.is_empty() { wrong += 1 } else { clean += 1 }
    }
    assert!(clean > 50 && wrong > 50, "{clean} configurations, {wrong} errors");
}
