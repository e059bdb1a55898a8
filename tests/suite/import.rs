//! `bottlec import`: what comes of each kind, that none lets through more than went in, and inputs that mean harm.
#![cfg(unix)]
#![allow(clippy::format_collect, reason = "texts to test with are short")]

use std::collections::BTreeSet;
use std::fs;

use bottlec::import::{ImportError, Imported, Input, import};
use bottlec::source::{Source, Sources};
use bottlec::world::broker::PathPattern;
use bottlec::{Options, compile};
use kdl::{KdlDocument, KdlNode};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::binary::Dir;
use crate::support::{assert_snapshot, root};

fn input(name: &str, text: impl Into<String>) -> Input {
    Input { name: name.to_owned(), directory: String::new(), text: text.into() }
}

fn one(name: &str, text: impl Into<String>) -> Imported {
    import(&[input(name, text)]).unwrap_or_else(|(_, error)| panic!("{name}: {error}"))
}

fn refusal(name: &str, text: impl Into<String>) -> ImportError {
    import(&[input(name, text)]).expect_err("it cannot be imported").1
}

/// What `check` says of a spec, a line each.
fn said(text: &str) -> String {
    let mut sources = Sources::new();
    sources.add(Source::new("bottle.kdl", text));
    let compilation = compile(&sources, &Options::default());
    let lines = compilation.diagnostics.as_slice().iter();
    lines.map(|it| format!("{:?}[{}]: {}\n", it.level, it.rule.id, it.message)).collect()
}

/// The output by the other reader of KDL.
fn read(text: &str) -> KdlDocument {
    KdlDocument::parse_v2(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// All nodes of that name, however deep.
fn nodes<'d>(document: &'d KdlDocument, name: &str) -> Vec<&'d KdlNode> {
    let mut found = Vec::new();
    let mut open: Vec<&KdlNode> = document.nodes().iter().collect();
    while let Some(node) = open.pop() {
        if node.name().value() == name {
            found.push(node);
        }
        open.extend(node.children().into_iter().flat_map(KdlDocument::nodes));
    }
    found
}

/// The texts of a node, and of its property.
fn texts(node: &KdlNode) -> Vec<&str> {
    node.entries().iter().filter(|it| it.name().is_none()).filter_map(|it| it.value().as_string()).collect()
}

fn property<'n>(node: &'n KdlNode, key: &str) -> Option<&'n str> {
    node.get(key).and_then(|value| value.as_string())
}

#[test]
fn every_case_is_what_its_snapshot_says() {
    let mut count = 0;
    for directory in ["examples/import", "examples/import/claude", "tests/import"] {
        let mut paths: Vec<_> =
            fs::read_dir(root().join(directory)).unwrap().map(|it| it.unwrap().path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| path.is_file()) {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            let Imported { text, counts } = one(&name, fs::read_to_string(&path).unwrap());
            let lost = text.matches("// not carried over: ").count();
            assert_eq!(lost, counts[0].lost, "{name}: what is lost is a comment, and counted");
            let snapshot = format!(
                "{text}---\n{} settings, {lost} not carried over\n{}",
                counts[0].settings,
                said(&text)
            );
            let end = name
                .trim_start_matches("examples/import/")
                .trim_start_matches("tests/import/")
                .replace('/', "-");
            assert_snapshot(&format!("import/{end}"), &snapshot);
            count += 1;
        }
    }
    assert!(count >= 12, "{count}");
}

#[test]
fn one_spec_is_made_of_several_files() {
    let base = "---\nenv:\n  LANG: C.UTF-8\negress:\n  allowlist: [api.example.com]\n---\n";
    let dev = "---\nextends: [base, absent]\nenv:\n  EDITOR: vi\n---\n";
    let agent = "---\nbottle: dev\nskills: [review]\n---\nReview.\n";
    let inputs =
        [input("bottles/base.md", base), input("bottles/dev.md", dev), input("agents/reviewer.md", agent)];
    let Imported { text, counts } = import(&inputs).unwrap();
    assert_eq!(counts.iter().map(|it| it.lost).collect::<Vec<_>>(), [0, 1, 1]);
    assert!(text.contains("profile \"base\" {"), "{text}");
    assert!(text.contains("// not carried over: what `absent` has: "), "{text}");
    assert_eq!(said(&text), "");
    // Names that two files give are told apart.
    let twice = import(&[input("a/x.md", base), input("b/x.md", base)]).unwrap().text;
    assert!(twice.contains("bottle \"x\"") && twice.contains("bottle \"x-2\""), "{twice}");
}

#[test]
fn what_is_none_of_these_is_told_what_can_be() {
    for text in [
        "",
        "hello",
        "{\"a\": 1}",
        "a = 1\n",
        "a: 1\n",
        "[]",
        "- a\n",
        "---\ntitle: x\n---\ntext\n",
        "layout {}\n",
    ] {
        let error = refusal("x", text);
        assert_eq!(error, ImportError::Unknown, "{text}");
        assert!(error.to_string().contains("a Compose file"), "{error}");
    }
    assert_eq!(refusal("x", "bottle \"x\"\n"), ImportError::Spec);
    let retired = refusal("x", "bottle \"x\" {\n    net \"unixgram\"\n    gvproxy\n}\n").to_string();
    assert!(
        retired.contains("`gvproxy`: leave it out") && retired.contains("`net`: write `network"),
        "{retired}"
    );
    for (text, what) in [
        ("{\"services\": ", "JSON"),
        ("{\"a\": 1, \"a\": 2}", "JSON"),
        ("image = \n", "TOML"),
        ("services:\n  a: [\n", "YAML"),
        ("services: {}\nservices: {}\n", "YAML"),
        ("services:\n  a: !reset null\n", "YAML"),
        ("services: {}\n---\nservices: {}\n", "YAML"),
    ] {
        let error = refusal("x", text);
        assert!(matches!(error, ImportError::Syntax(of, _) if of == what), "{text}: {error}");
    }
}

#[test]
fn the_command_says_what_is_missing_and_fails_when_it_should() {
    let dir = Dir::new();
    dir.write("ok.json", r#"{"network": {"allowedDomains": ["api.example.com"], "deniedDomains": []}}"#);
    dir.write(
        "lossy.json",
        r#"{"network": {"allowedDomains": ["api.example.com:443"], "deniedDomains": []}}"#,
    );
    let run = dir.run(["import", "ok.json"]).code(0).says("allow \"api.example.com\"");
    assert_eq!(run.err, "imported `ok.json`: 1 setting, 0 not carried over\n");
    dir.run(["import", "--strict", "ok.json"]).code(0);
    dir.run(["import", "lossy.json"]).code(0).complains("0 settings, 1 not carried over");
    dir.run(["import", "--strict", "lossy.json"]).code(1).says("// not carried over: ");
    dir.write(
        "key.md",
        "---\ngit-gate:\n  repos:\n    api: { url: 'ssh://git@code.example.com/a.git' }\n---\n",
    );
    dir.run(["import", "key.md"])
        .code(1)
        .complains("`repo` needs `host-key`")
        .complains("does not compile yet");
    dir.call(["import", "-"])
        .stdin("services: { db: { image: postgres } }\n")
        .run()
        .code(0)
        .says("sidecar \"db\"");
    dir.run(["import", "absent"]).code(3).complains("cannot read `absent`");
    dir.write("x", "hello");
    dir.run(["import", "ok.json", "x"])
        .code(3)
        .complains("cannot import `x`: it is none of what can be imported");
    dir.run(["import"]).code(2);
    dir.write("bytes", b"\xff\xfe".as_slice());
    dir.run(["import", "bytes"]).code(3).complains("no UTF-8");
}

/// Secrets of several shapes, as people have them.
const SECRETS: &[(&str, &str)] = &[
    ("GITHUB_TOKEN", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    ("ANYTHING", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    ("POSTGRES_PASSWORD", "hunter2"),
    ("DATABASE_URL", "postgres://app:hunter2@db:5432/app"),
    ("API_KEY", "Zx81kQp0Lm42Vn7sTt93"),
    ("PW", "hunter2"),
    ("AUTH", "hunter2"),
    ("SESSION_COOKIE", "hunter2"),
    ("JDBC", "jdbc:mysql://h/db?user=u&password=hunter2"),
    ("CONN", "Server=h;User Id=sa;Password=hunter2hunter2;"),
    ("DSN", "user:hunter2@tcp(h)/db"),
    ("OTHER", "lYkiYYT6owG+71oLerGzA7GXCgOT++6ovaezWAjpCjf+Sjc3ZtU+qUEi"),
    ("PEM", "-----BEGIN PRIVATE KEY-----"),
];

#[test]
fn no_secret_comes_out() {
    for (name, secret) in SECRETS {
        let compose = json!({"services": {
            "agent": {"tty": true, "environment": {*name: secret}},
            "db": {
                "image": "docker.io/library/redis:7",
                "environment": [format!("{name}={secret}")],
                "command": ["redis-server", "--requirepass", secret],
                "healthcheck": {"test": ["CMD", "redis-cli", "-a", secret, "ping"]},
                "labels": {"x": secret},
            },
        }});
        let smolfile = format!(
            "image = \"x\"\nenv = [\"{name}={secret}\"]\nentrypoint = [\"run\", \"--token={secret}\"]\n"
        );
        let claude = json!({"permissions": {"allow": [format!("Bash(curl -H 'token: {secret}' x)")]}, "env": {*name: secret}});
        let older = json!({"bottles": {"a": {
            "env": {*name: secret},
            "agent_provider": {"template": "claude", "auth_token": secret},
            "egress": {"routes": [{"host": "api.example.com", "auth": {"scheme": "Bearer", "token_ref": secret}}]},
        }}});
        for text in [compose.to_string(), smolfile, claude.to_string(), older.to_string()] {
            let out = one("x", text.clone()).text;
            // The short one is a word that stands in no output either.
            assert!(!out.contains(secret), "{name}: {text}\n{out}");
            assert!(!out.contains("hunter2"), "{name}: {text}\n{out}");
        }
    }
}

/// Hosts and ports that are asked for.
const PROBES: &[&str] = &[
    "example.com",
    "a.example.com",
    "b.example.com",
    "c.b.example.com",
    "example.org",
    "a.example.org",
    "other.net",
    "10.0.0.1",
    "127.0.0.1",
    "localhost",
];

/// Entries of lists, sound and odd.
fn entries() -> impl Strategy<Value = Vec<String>> {
    let entry = prop::sample::select(vec![
        "example.com",
        "a.example.com",
        "*.example.com",
        "*.b.example.com",
        "b.example.com",
        "EXAMPLE.org",
        "*.example.org",
        "a.example.org:443",
        "*.example.com:443",
        "example.com:22",
        "*",
        "*:22",
        "10.0.0.1",
        "127.0.0.1",
        "localhost",
        "https://example.org/x",
        "example.org/x",
        "[::1]",
        "[::1]:443",
        "*.*.com",
        "exa mple.com",
        "",
        "com",
        "*.com",
        "10.0.0.0/8",
        "a.example.com\n}\nallow \"other.net\"",
        "\" \"other.net",
    ]);
    prop::collection::vec(entry.prop_map(str::to_owned), 0..6)
}

/// Whether an entry of sandbox-runtime covers a host and a port.
fn covers(entry: &str, host: &str, port: u16) -> bool {
    let entry = entry.to_ascii_lowercase();
    let (pattern, of) = match entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address.to_owned(), port.strip_prefix(':').map(str::to_owned)),
        None => match entry.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port.to_owned())),
            None => (entry, None),
        },
    };
    let fits = match pattern.strip_prefix("*.") {
        Some(below) => host.ends_with(&format!(".{below}")),
        None => pattern == "*" || pattern == host,
    };
    fits && of.is_none_or(|of| of == port.to_string())
}

/// Whether the `egress` of an output lets a host through, on every port.
fn lets_through(document: &KdlDocument, host: &str) -> bool {
    let egress = nodes(document, "egress");
    let covers = |entry: &str| match entry.strip_prefix("*.") {
        Some(apex) => host == apex || host.ends_with(&format!(".{apex}")),
        None => entry == host,
    };
    let has = |name: &str| {
        let inner = egress.iter().filter_map(|it| it.children()).flat_map(KdlDocument::nodes);
        inner.filter(|it| it.name().value() == name).flat_map(texts).any(covers)
    };
    has("allow") && !has("deny")
}

proptest! {
    #[test]
    fn no_more_hosts_come_out_of_a_sandbox(allowed in entries(), denied in entries(), fetched in entries(), unfetched in entries()) {
        let network = json!({"allowedDomains": allowed, "deniedDomains": denied});
        let rules = |hosts: &[String]| hosts.iter().map(|it| format!("WebFetch(domain:{it})")).collect::<Vec<_>>();
        let srt = json!({"network": network}).to_string();
        let claude = json!({
            "sandbox": {"network": network},
            "permissions": {"allow": rules(&fetched), "deny": rules(&unfetched)},
        });
        for (text, fetched, unfetched) in [(srt, &[][..], &[][..]), (claude.to_string(), &fetched[..], &unfetched[..])] {
            let out = one("x.json", text).text;
            let document = read(&out);
            for host in PROBES {
                for port in [22, 443] {
                    let any = |list: &[String]| list.iter().any(|entry| covers(entry, host, port));
                    let went_in = (any(&allowed) || any(fetched)) && !any(&denied) && !any(unfetched);
                    prop_assert!(went_in || !lets_through(&document, host), "{host}:{port}\n{out}");
                }
            }
        }
    }

    #[test]
    fn no_more_requests_come_out_of_a_manifest(
        routes in prop::collection::vec(route(), 0..4),
        listed in prop::collection::vec(prop::sample::select(vec!["example.com", "a.example.com", "*.example.org"]), 0..3),
        narrowed in prop::option::of(prop::sample::select(vec!["example.com", "a.example.com/x"])),
    ) {
        let mut egress = json!({"routes": routes, "allowlist": listed});
        if let Some(narrowed) = narrowed {
            egress["path_allowlist"] = json!([narrowed]);
        }
        let text = json!({"bottles": {"a": {"egress": egress}}}).to_string();
        let out = one("x.json", text.clone()).text;
        let document = read(&out);
        for host in ["example.com", "a.example.com", "a.example.org", "example.org"] {
            for method in ["GET", "POST"] {
                for path in ["/", "/v1", "/v1/", "/v1/a", "/v1/a/b", "/v2", "/other"] {
                    let is_narrowed = narrowed.is_some_and(|it| it.split('/').next() == Some(host));
                    let is_listed = !is_narrowed && listed.iter().any(|entry| covers(entry, host, 443));
                    let is_routed = routes.iter().any(|route| covers(route["host"].as_str().unwrap(), host, 443) && passes(route, method, path));
                    let came_out = lets_through(&document, host) || brokered(&document, host, method, path);
                    prop_assert!(is_listed || is_routed || !came_out, "{method} {host}{path}\n{text}\n{out}");
                }
            }
        }
    }

    #[test]
    fn no_more_of_the_host_comes_out_of_a_compose_file(services in prop::collection::vec(service(), 1..4), agent in any::<bool>()) {
        let map: serde_json::Map<String, Value> =
            services.iter().enumerate().map(|(n, service)| {
                let mut service = service.clone();
                service["tty"] = json!(agent && n == 0);
                (format!("s_{n}"), service)
            }).collect();
        let text = json!({"services": map, "networks": {"b": {"internal": true}}}).to_string();
        let out = one("compose.json", text.clone()).text;
        let document = read(&out);
        let mounts = |writable: bool| -> BTreeSet<String> {
            services.iter().flat_map(|it| it["volumes"].as_array().unwrap()).filter_map(|it| {
                let text = it.as_str().unwrap();
                let is_writable = !text.split(':').nth(2).is_some_and(|it| it.split(',').any(|it| it == "ro"));
                (is_writable || !writable).then(|| text.split(':').next().unwrap().replace('_', "-"))
            }).collect()
        };
        for volume in nodes(&document, "volume") {
            let writable = property(volume, "access") == Some("read-write");
            prop_assert!(mounts(writable).contains(&texts(volume)[0].replace('_', "-")), "{out}");
        }
        let capabilities: BTreeSet<&str> =
            services.iter().flat_map(|it| it["cap_add"].as_array().unwrap()).filter_map(Value::as_str).collect();
        for capability in nodes(&document, "capability").into_iter().flat_map(texts) {
            prop_assert!(capabilities.contains(capability), "{out}");
        }
        let of = |service: &Value| -> BTreeSet<String> {
            let named = service["networks"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
            let named: BTreeSet<String> = named.collect();
            if named.is_empty() { BTreeSet::from([String::from("default")]) } else { named }
        };
        for sidecar in nodes(&document, "sidecar") {
            let number: usize = texts(sidecar)[0].trim_start_matches("s-").parse().unwrap();
            let service = &services[number];
            prop_assert!(service["profiles"] == json!([]) && service["scale"] != json!(0), "it did not run: {out}");
            prop_assert!(of(service).iter().any(|name| name != "b"), "it reached nothing outside: {out}");
            prop_assert!(!agent || !of(service).is_disjoint(&of(&services[0])), "the agent did not reach it: {out}");
        }
        // What hid a part of a volume hides it still.
        let machine = document.nodes()[0].children().map(|it| it.nodes().iter().filter(|node| node.name().value() == "volume").collect::<Vec<_>>());
        let shown = nodes(&document, "sidecar").into_iter().map(|sidecar| {
            let number: usize = texts(sidecar)[0].trim_start_matches("s-").parse().unwrap();
            let own = sidecar.children().map_or(&[][..], |it| it.nodes());
            (number, own.iter().filter(|node| matches!(node.name().value(), "volume" | "tmpfs")).collect::<Vec<_>>())
        });
        for (number, volumes) in shown.chain(machine.filter(|_| agent).map(|volumes| (0, volumes))) {
            let places: BTreeSet<&str> = volumes.iter().map(|node| *texts(node).last().unwrap()).collect();
            for mount in services[number]["volumes"].as_array().unwrap() {
                let text = mount.as_str().unwrap();
                let place = text.split(':').nth(1).unwrap_or(text);
                let hides = |outer: &str| place.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
                prop_assert!(places.contains(place) || !places.iter().any(|outer| hides(outer)), "{place}: {out}");
            }
        }
        let usual = services.iter().any(|it| it["ports"] == json!([])).then_some(6379);
        let ports: BTreeSet<i128> = services.iter().flat_map(|it| it["ports"].as_array().unwrap())
            .flat_map(|it| it.as_str().unwrap().split(':')).filter_map(|it| it.trim_end_matches("/tcp").parse().ok()).collect();
        for port in nodes(&document, "port") {
            for number in port.entries().iter().filter_map(|it| it.value().as_integer()) {
                prop_assert!(ports.contains(&number) || usual == Some(number), "{out}");
            }
        }
        for port in nodes(&document, "publish") {
            for number in port.entries().iter().filter_map(|it| it.value().as_integer()) {
                prop_assert!(ports.contains(&number), "{out}");
            }
        }
        // A sidecar's port is not the host's.
        prop_assert!(agent || nodes(&document, "publish").is_empty(), "{out}");
        prop_assert!(!lets_through(&document, "example.com"), "{out}");
    }

    #[test]
    fn no_more_comes_out_of_a_smolfile(
        hosts in entries(), patterns in entries(), ranges in prop::collection::vec(prop::sample::select(vec!["1.2.3.4/32", "1.2.3.0/24", "10.0.0.1"]), 0..3),
        denied in prop::collection::vec(prop::sample::select(vec!["9.9.9.9", "9.9.9.0/24"]), 0..2),
        open in any::<bool>(), volumes in prop::collection::vec(prop::sample::select(vec!["./a:/work/a", "./b:/work/b:ro", "./c:/work/c:rw", "./d:/work/d:staged", "./e:/work/e:odd"]), 0..4),
    ) {
        let file = json!({
            "image": "x", "net": open, "volumes": volumes,
            "network": {"allow_hosts": hosts, "allow_host_patterns": patterns, "allow_cidrs": ranges, "deny_cidrs": denied},
        });
        let out = one("Smolfile", file.to_string()).text;
        let document = read(&out);
        for host in PROBES.iter().copied().chain(["1.2.3.4", "1.2.3.5"]) {
            let below = |entry: &String| {
                let entry = entry.to_ascii_lowercase();
                let name = entry.trim_start_matches("*.");
                host == name || host.ends_with(&format!(".{name}"))
            };
            let in_range = ranges.iter().any(|range| *range == host || range.strip_suffix("/32") == Some(host) || *range == "1.2.3.0/24" && host.starts_with("1.2.3."));
            let went_in = open && denied.iter().all(|it| !it.contains('/'))
                && (hosts.iter().any(below) || patterns.iter().any(|it| covers(it, host, 443)) || in_range);
            prop_assert!(went_in || !lets_through(&document, host), "{host}\n{out}");
        }
        for volume in nodes(&document, "volume") {
            let source = texts(volume)[0];
            let writable = property(volume, "access") == Some("read-write");
            prop_assert!(!writable || ["./a", "./c"].contains(&source), "{out}");
        }
    }

    /// Whatever stands in a name or a value, the output is one document with the nodes that were meant.
    #[test]
    fn no_text_becomes_syntax(text in "\\PC{0,12}|[\"{}#/;\\\\=\n\r*-]{0,12}|[\u{0}\u{202e}\u{2028}\u{85}\u{feff}a]{0,6}") {
        let files = [
            json!({"services": {&text: {"image": &text, "command": [&text], "environment": {&text: &text}, &text: 1}}}),
            json!({"sandbox": {"network": {"allowedDomains": [&text]}, &text: 1}, "env": {&text: &text}, &text: 1}),
            json!({"network": {"allowedDomains": [&text], "deniedDomains": [&text]}, "filesystem": {"allowWrite": [&text]}}),
            json!({"bottles": {&text: {"extends": &text, "env": {"A": &text}, "git": [{"Name": &text, "Upstream": &text}], &text: 1}}, "agents": {&text: {}}}),
        ];
        for file in files {
            let out = one(&text, file.to_string()).text;
            let document = read(&out);
            let top: BTreeSet<&str> = document.nodes().iter().map(|it| it.name().value()).collect();
            prop_assert!(top.iter().all(|it| ["bottle", "profile"].contains(it)), "{out}");
            prop_assert!(!out.contains(['\u{0}', '\u{202e}', '\u{2028}', '\u{85}', '\u{feff}', '\r']), "{out:?}");
            let mut sources = Sources::new();
            let id = sources.add(Source::new("x", &*out));
            let tree = bottlec::syntax::parse(id, sources.get(id), &mut bottlec::diagnostic::Diagnostics::new());
            prop_assert_eq!(bottlec::format::format(&tree).unwrap(), out);
        }
    }
}

/// A route of the older manifests.
fn route() -> impl Strategy<Value = Value> {
    let path = (
        prop::sample::select(vec!["prefix", "exact", "regex", "PathPrefix", ""]),
        prop::sample::select(vec!["/", "/v1", "/v1/", "/v1/*", "/v2", "no", "/a b"]),
    );
    let path = path.prop_map(|(kind, value)| match kind {
        "" => json!(value),
        kind => json!({"type": kind, "value": value}),
    });
    let one = (
        prop::collection::vec(path, 0..3),
        prop::collection::vec(prop::sample::select(vec!["GET", "POST", "get", "CONNECT", "ODD"]), 0..3),
        prop::option::of(Just("x-only")),
    );
    let one = one.prop_map(|(paths, methods, header)| {
        let mut one = json!({"paths": paths, "methods": methods});
        if let Some(header) = header {
            one["headers"] = json!([header]);
        }
        one
    });
    let auth = prop::sample::select(vec!["Bearer", "token", ""]);
    let host = prop::sample::select(vec!["example.com", "a.example.com", "*.example.org", "example.org"]);
    (host, auth, prop::collection::vec(one, 0..3), any::<bool>()).prop_map(|(host, auth, matches, odd)| {
        let mut route = json!({"host": host, "matches": matches});
        if !auth.is_empty() {
            route["auth"] = json!({"scheme": auth, "token_ref": "A_TOKEN"});
        }
        if odd && matches.is_empty() {
            route["only_from"] = json!("10.0.0.0/8");
        }
        route
    })
}

/// Whether a route lets a request through, by a plain reading: what is not known of it lets nothing through.
fn passes(route: &Value, method: &str, path: &str) -> bool {
    if route.get("only_from").is_some() {
        return false;
    }
    let matches = route["matches"].as_array().unwrap();
    matches.is_empty()
        || matches.iter().any(|one| {
            let (paths, methods) = (one["paths"].as_array().unwrap(), one["methods"].as_array().unwrap());
            let fits = |it: &Value| {
                let value = it.get("value").unwrap_or(it).as_str().unwrap();
                match it.get("type").and_then(Value::as_str) {
                    Some("prefix" | "PathPrefix") => path.starts_with(value),
                    Some("regex") => false,
                    _ => path == value,
                }
            };
            one.get("headers").is_none()
                && (paths.is_empty() || paths.iter().any(fits))
                && (methods.is_empty()
                    || methods.iter().any(|it| it.as_str().unwrap().eq_ignore_ascii_case(method)))
        })
}

/// Whether a credential of the output lets a request through.
fn brokered(document: &KdlDocument, host: &str, method: &str, path: &str) -> bool {
    nodes(document, "credential").into_iter().any(|credential| {
        let inner: Vec<&KdlNode> = credential.children().into_iter().flat_map(KdlDocument::nodes).collect();
        let of =
            |name: &str| inner.iter().filter(|it| it.name().value() == name).copied().collect::<Vec<_>>();
        let is_upstream =
            of("upstream").into_iter().flat_map(texts).any(|it| it == format!("https://{host}"));
        let entries = of("allow");
        is_upstream
            && (entries.is_empty()
                || entries.into_iter().any(|entry| {
                    let (paths, methods): (Vec<&str>, Vec<&str>) =
                        texts(entry).into_iter().partition(|it| it.starts_with('/'));
                    (methods.is_empty() || methods.contains(&method))
                        && (paths.is_empty()
                            || paths.iter().any(|it| PathPattern::parse(it).unwrap().matches(path)))
                }))
    })
}

/// A service of a Compose file.
fn service() -> impl Strategy<Value = Value> {
    let volume = prop::sample::select(vec![
        "./a:/a",
        "./a:/a:ro",
        "./b:/b:rw",
        "data:/data",
        "data:/data:ro",
        "my_data:/x:rw,z",
        "/srv/x:/x:ro,z",
        "/anonymous",
        "./c:/c:odd",
        "/a/inner",
        "/dev/null:/b/hidden",
        "inner:/data/inner",
    ]);
    let networks =
        prop::sample::select(vec![json!([]), json!([]), json!(["a"]), json!(["b"]), json!(["a", "b"])]);
    let profiles = prop::sample::select(vec![json!([]), json!([]), json!([]), json!(["debug"])]);
    let capability = prop::sample::select(vec!["CHOWN", "SYS_ADMIN", "ALL", "SETUID", "odd"]);
    let port = prop::sample::select(vec![
        "80:8080",
        "5432",
        "127.0.0.1:81:8081",
        "1.2.3.4:82:8082",
        "3000-3005:3000-3005",
        "53:53/udp",
        "90:90/tcp",
    ]);
    (
        prop::collection::vec(volume, 0..4),
        prop::collection::vec(capability, 0..3),
        prop::collection::vec(port, 0..3),
        networks,
        profiles,
        0..4_u8,
    )
        .prop_map(|(volumes, capabilities, ports, networks, profiles, scale)| {
            json!({"image": "docker.io/library/redis:7", "volumes": volumes, "cap_add": capabilities, "ports": ports,
                   "networks": networks, "profiles": profiles, "scale": scale, "privileged": true})
        })
}
