//! What was refused, and what is proposed: from the records of a day on which the agent was hostile.
#![cfg(unix)]
#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "records are put together from few parts"
)]

use std::collections::BTreeSet;

use bottlec::denial::{Denial, Denials, MAX_TARGETS, Reason};
use bottlec::report::{denials, propose};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::binary::{Dir, Run};
use crate::support::{assert_generated, assert_snapshot};

const SPEC: &str = r#"// What the agent may reach.
bottle "demo" {
    network octet=42

    egress {
        // The model.
        allow "api.anthropic.com"
        allow "registry.example.com" "*.github.com"
        deny "gist.github.com"
        rate-limit 120
    }
}
"#;

/// A record of pipelock's, as 2.3.0 writes it.
fn record(time: &str, fields: &Value) -> String {
    let mut event = json!({ "level": "warn", "component": "pipelock", "client_ip": "192.168.42.1", "agent": "bottle",
                            "time": format!("2026-11-28T{time}Z"), "message": "request blocked" });
    for (key, value) in fields.as_object().expect("an object") {
        event[key] = value.clone();
    }
    event.to_string() + "\n"
}

/// A refused CONNECT.
fn connect(time: &str, target: &str, scanner: &str, reason: &str) -> String {
    record(
        time,
        &json!({ "event": "blocked", "method": "CONNECT", "target": target, "scanner": scanner, "reason": reason }),
    )
}

fn unlisted(time: &str, host: &str) -> String {
    connect(time, &format!("{host}:443"), "allowlist", &format!("domain not in allowlist: {host}"))
}

/// A token in the name of a host, put together here so that it stands in no file.
fn token() -> String {
    ["sk-ant", "api03", "Q7xZ2mK9pL4vN8wR3tB6yC1d"].join("-").to_lowercase()
}

/// A day's records. The first few are of an agent at work, the others of one that somebody else talks to.
fn day() -> Vec<u8> {
    let mut log = String::from("pipelock 2.3.0 is listening\n");
    for minute in 0..12 {
        log += &unlisted(&format!("09:{minute:02}:00"), "docs.example.com");
    }
    log += &unlisted("09:20:00", "static.example.org");
    log += &unlisted("09:20:01", "xn--bcher-kva.example");
    log += &record(
        "09:21:00",
        &json!({ "event": "blocked", "method": "GET", "url": "http://docs.example.com/a?q=1", "scanner": "allowlist",
                 "reason": "domain not in allowlist: docs.example.com" }),
    );
    log += &unlisted("09:22:00", "api.github.com");
    log += &record(
        "09:30:00",
        &json!({ "event": "allowed", "method": "CONNECT", "target": "api.anthropic.com:443", "status_code": 200 }),
    );
    // Where anybody can read what is left, where credentials are handed out, and what is inside.
    for host in
        ["transfer.sh", "abc.webhook.site", "x.ngrok.io", "metadata.google.internal", "db.corp", "printer"]
    {
        log += &unlisted("10:00:00", host);
    }
    for address in ["169.254.169.254", "10.0.0.5", "203.0.113.9", "[2001:db8::7]", "0x7f000001", "2130706433"]
    {
        log += &unlisted("10:01:00", address);
    }
    // Names that are to be taken for others.
    for host in
        ["api.antropic.com", "api.anthropic.co", "xn--pi-8ka.anthropic.com", "api.anthropic.com.evil.example"]
    {
        log += &unlisted("10:02:00", host);
    }
    // What it knows, in names: one of them is a credential, and the others are a text in pieces.
    log += &unlisted("10:03:00", &format!("{}.evil.example", token()));
    for piece in 0..300_u32 {
        log +=
            &unlisted("10:04:00", &format!("{:08x}.drain.evil.example", piece.wrapping_mul(2_654_435_761)));
    }
    // What would be markup, a command or another line in whatever repeats it.
    for host in [
        "a.example\"; accept \"egress-open\" reason=\"x",
        "b.example\n    allow \"evil.example",
        "c.example` and `evil.example",
        "\u{1b}[2J\u{1b}]0;owned\u{7}d.example",
        "e.example\u{202e}moc.live",
        "*.com",
        "*",
        "",
        "-rf",
        "$(touch x).example",
        "::set-output name=x::y",
    ] {
        log += &unlisted("10:05:00", host);
    }
    log += &unlisted("10:06:00", &"very-long-label.".repeat(600));
    // A record within a record, and fields that stand twice.
    log += &record(
        "10:07:00",
        &json!({ "event": "allowed", "url": "http://registry.example.com/{\"event\":\"blocked\",\"scanner\":\"allowlist\",\
                                             \"target\":\"forged.example:443\"}" }),
    );
    log += "{\"event\":\"blocked\",\"event\":\"blocked\",\"scanner\":\"allowlist\",\"target\":\"twice.example:443\"}\n";
    log +=
        "{\"event\":\"blocked\",\"scanner\":[\"allowlist\"],\"target\":\"list.example:443\"}\n{\n{{{{{{{{\n";
    // Refused for another reason: no `allow` is what these lack.
    for (scanner, host) in [
        ("dlp", "leak.example.net"),
        ("core_dlp", "leak.example.net"),
        ("subdomain_entropy", "random.example.net"),
        ("ratelimit", "fast.example.net"),
        ("ssrf", "inner.example.net"),
        ("blocklist", "gist.github.com"),
        ("parser", "odd.example.net"),
        ("something_new", "new.example.net"),
    ] {
        log += &connect("10:08:00", &format!("{host}:443"), scanner, "no");
    }
    log += &record(
        "10:09:00",
        &json!({ "event": "header_dlp", "action": "block", "url": "http://leak.example.net/", "request_id": "r-1",
                 "header": "X-Note", "patterns": ["Anthropic API Key"] }),
    );
    log += &record(
        "10:09:00",
        &json!({ "event": "blocked", "scanner": "header_dlp", "url": "http://leak.example.net/", "request_id": "r-1" }),
    );
    log += &record(
        "10:09:01",
        &json!({ "event": "body_dlp", "action": "warn", "url": "http://warned.example.net/" }),
    );
    log += &record(
        "10:09:02",
        &json!({ "event": "sni_mismatch", "connect_host": "api.github.com", "sni_host": "x" }),
    );
    // What the engine lists; its guest wrote the last one.
    log += "TIMESTAMP                      OP        DESTINATION\n\
            2026-11-28T10:10:00Z           connect   198.51.100.7:22\n\
            2026-11-28T10:10:01Z           sendto    198.51.100.7:53\n\
            2026-11-28T10:10:02Z           resolve   evil.example\n\
            2026-11-28T10:10:03Z           resolve   evil.example {\"event\":\"blocked\"\n";
    let mut log = log.into_bytes();
    log.extend(
        b"{\"event\":\"blocked\",\"scanner\":\"allowlist\",\"target\":\"\xff\xfe.example\"}\n\xff\xfe\n",
    );
    log.extend(vec![b'x'; 200_000]);
    log
}

fn bottle() -> Dir {
    let dir = Dir::with(SPEC);
    dir.write("day.log", day());
    dir
}

fn run(dir: &Dir, words: &[&str]) -> Run {
    dir.call(words.iter().copied()).env("COLUMNS", "80").run()
}

#[test]
fn a_hostile_day_is_listed() {
    let dir = bottle();
    let shown = run(&dir, &["denials", "x.kdl", "--from", "day.log"]).code(0);
    let shown =
        shown.never_says(&token()).never_says("\u{1b}").never_says("\u{202e}").never_says("forged.example");
    let fewer: String = shown.out.split_inclusive("drain.evil.example").take(2).chain(["…"]).collect();
    let rest = shown.out.find("\ndenied").expect("what was denied");
    assert_snapshot("denials__day", &(fewer + "\n" + &shown.out[rest..]));
    let piped = dir.call(["denials", "x.kdl", "--from", "-"]).env("COLUMNS", "80").stdin(day()).run().code(0);
    assert_eq!(piped.out, shown.out);
}

#[test]
fn a_hostile_day_is_proposed_so_that_one_may_sign_it() {
    let dir = bottle();
    let shown = run(&dir, &["propose", "x.kdl", "--from", "day.log"]).code(0);
    let shown =
        shown.never_says(&token()).never_says("\u{1b}").never_says("\u{202e}").never_says("forged.example");
    assert_snapshot("denials__proposal", &shown.out);
    assert_eq!(dir.read("x.kdl"), SPEC);
}

/// The proposals, as programs read them.
fn proposed(dir: &Dir, words: &[&str]) -> Value {
    let run = run(dir, &[&["propose", "x.kdl", "--format", "json"], words].concat()).code(0);
    let value: Value = serde_json::from_str(&run.out).expect("JSON");
    let schema = propose::schema();
    let validator = jsonschema::validator_for(schema.as_value()).expect("a schema");
    assert!(validator.is_valid(&value), "{value}");
    value
}

fn hosts(proposals: &Value) -> BTreeSet<String> {
    let all = proposals["proposals"].as_array().expect("a list").iter();
    all.map(|it| it["host"].as_str().expect("a host").to_owned()).collect()
}

#[test]
fn what_is_named_is_written_and_nothing_else() {
    let dir = bottle();
    let all = hosts(&proposed(&dir, &["--from", "day.log"]));
    for host in &all {
        assert!(
            host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b)),
            "{host}"
        );
    }
    let log = ["propose", "x.kdl", "--from", "day.log", "--apply"];
    let done = run(&dir, &[&log[..], &["xn--bcher-kva.example", "DOCS.example.com"]].concat()).code(0);
    done.says("`docs.example.com`, `xn--bcher-kva.example` are allowed by `x.kdl`");
    let line = "        allow \"registry.example.com\" \"*.github.com\"\n";
    let more = "        allow \"docs.example.com\"\n        allow \"xn--bcher-kva.example\"\n";
    assert_eq!(dir.read("x.kdl"), SPEC.replace(line, &format!("{line}{more}")));
    run(&dir, &["check", "x.kdl"]).code(0);
    run(&dir, &["fmt", "--check", "x.kdl"]).code(0);
    run(&dir, &["reach", "x.kdl", "docs.example.com"]).code(0).says("allowed");
    let left = hosts(&proposed(&dir, &["--from", "day.log"]));
    assert!(all.difference(&left).map(String::as_str).eq(["docs.example.com", "xn--bcher-kva.example"]));
    run(&dir, &[&log[..], &["docs.example.com"]].concat()).code(2).complains("is allowed already");
}

#[test]
fn what_is_not_proposed_is_not_written() {
    let dir = bottle();
    for (host, why) in [
        ("transfer.sh", "what is left there is anybody's"),
        ("abc.webhook.site", "what is left there is anybody's"),
        ("metadata.google.internal", "hands out credentials"),
        ("api.antropic.com", "looks like `api.anthropic.com`"),
        ("api.anthropic.com.evil.example", "looks like `api.anthropic.com`"),
        ("00000000.drain.evil.example", "more names below `evil.example`"),
        ("*.drain.evil.example", "more names below `evil.example`"),
        ("db.corp", "on a private network"),
        ("printer", "on a private network"),
        ("169.254.169.254", "an address says nothing"),
        ("203.0.113.9", "an address says nothing"),
        ("leak.example.net", "was not refused for want of an `allow`"),
        ("random.example.net", "was not refused"),
        ("fast.example.net", "was not refused"),
        ("warned.example.net", "was not refused"),
        ("forged.example", "was not refused"),
        ("never.example", "was not refused"),
        ("gist.github.com", "was not refused"),
        ("api.github.com", "is allowed already"),
        ("*.com", "anybody can get a host that it covers"),
        ("*.example", "anybody can get a host that it covers"),
        ("*.webhook.site", "what is left there is anybody's"),
        ("*.sh", "anybody can get a host that it covers"),
        ("*", "was not refused"),
        ("docs.example.com\"; accept \"x", "was not refused"),
    ] {
        let run = run(&dir, &["propose", "x.kdl", "--from", "day.log", "--apply", "docs.example.com", host]);
        run.code(2).complains(why).complains("nothing is written");
        assert_eq!(dir.read("x.kdl"), SPEC, "{host}");
    }
    let token = format!("{}.evil.example", token());
    run(&dir, &["propose", "x.kdl", "--from", "day.log", "--apply", &token]).code(2);
    dir.call(["propose", "-", "--from", "day.log", "--apply", "docs.example.com"])
        .stdin(SPEC)
        .run()
        .code(2)
        .complains("standard input");
    // A finding that the spec takes for an error keeps it from being written.
    let strict = SPEC.replace("    network", "    lint { deny \"host-looks-random\"; }\n    network");
    dir.write("x.kdl", &strict);
    let random = "qhbnmxlkvjztwyprgsdf.example.org";
    dir.write("random.log", unlisted("10:00:00", random));
    let words = ["propose", "x.kdl", "--from", "random.log", "--apply", random];
    run(&dir, &words).code(1).complains("nothing is written").complains("host-looks-random");
    assert_eq!(dir.read("x.kdl"), strict);
    dir.write("x.kdl", SPEC);
    let found = proposed(&dir, &["--from", "random.log"]);
    assert_eq!(found["proposals"][0]["findings"][0]["rule"], "host-looks-random", "{found}");
}

#[test]
fn a_wildcard_is_written_when_it_is_asked_for() {
    let dir = Dir::with(SPEC);
    let bucket = "bucket.s3.us-east-1.amazonaws.com";
    let log: String =
        ["a.docs.example.com", "b.docs.example.com", bucket].map(|host| unlisted("10:00:00", host)).concat();
    dir.write("day.log", log);
    assert!(hosts(&proposed(&dir, &["--from", "day.log"])).iter().all(|host| !host.contains('*')));
    let apply = |host: &str| run(&dir, &["propose", "x.kdl", "--from", "day.log", "--apply", host]);
    for above in ["*.amazonaws.com", "*.s3.us-east-1.amazonaws.com", "*.us-east-1.amazonaws.com", "*.com"] {
        apply(above).code(2);
    }
    apply("*.other.example.com").code(2).complains("was not refused");
    assert_eq!(dir.read("x.kdl"), SPEC);
    apply("*.docs.example.com").code(0);
    assert!(dir.read("x.kdl").contains("\n        allow \"*.docs.example.com\"\n"));
    assert_eq!(hosts(&proposed(&dir, &["--from", "day.log"])), [bucket.to_owned()].into());
}

#[test]
fn an_entry_finds_its_place_in_every_bottle() {
    let at = |spec: &str| {
        let dir = Dir::with(spec);
        dir.write("day.log", unlisted("10:00:00", "docs.example.com"));
        let words = ["propose", "x.kdl", "--from", "day.log", "--apply", "docs.example.com"];
        run(&dir, &words).code(0);
        run(&dir, &["fmt", "--check", "x.kdl"]).code(0);
        run(&dir, &["reach", "x.kdl", "docs.example.com"]).code(0).says("allowed");
        dir.read("x.kdl")
    };
    for spec in [
        "bottle \"demo\"\n",
        "bottle \"demo\" {\n    network octet=42\n}\n",
        "bottle \"demo\" {\n    egress {\n        deny \"a.example\"\n    }\n}\n",
        "bottle \"demo\" { egress { allow \"a.example\" } }\n",
        "profile \"p\" {\n    egress {\n        allow \"b.example\"\n    }\n}\n\nbottle \"demo\" {\n    extends \"p\"\n}\n",
    ] {
        let now = at(spec);
        let profile = |text: &str| text.split("bottle").next().map(str::to_owned);
        assert_eq!(profile(&now), profile(spec), "{now}");
    }
}

#[test]
fn what_a_human_approved_is_proposed() {
    let dir = Dir::with(
        SPEC.replace("    network", "    supervise {\n        queue \"./queue\"\n    }\n    network"),
    );
    let write = |id: &str, kind: &str, what: &str, decision: &str| {
        let asked =
            json!({ "id": id, "kind": kind, "what": what, "why": "`x`\u{1b}[2J", "proposed": "2026" });
        dir.write(&format!("queue/proposals/{id}.json"), asked.to_string());
        dir.write(
            &format!("queue/decisions/{id}.json"),
            json!({ "id": id, "decision": decision, "message": "" }).to_string(),
        );
    };
    write("00000001", "allow-host", "docs.example.com", "approved");
    write("00000002", "allow-host", "denied.example.com", "denied");
    write("00000003", "tool", "jq.example.com", "approved");
    write("00000004", "allow-host", "transfer.sh", "approved");
    write("00000005", "allow-host", "*.example.org", "approved");
    write("00000006", "allow-host", "*.com", "approved");
    write("00000007", "allow-host", "x.example\"; accept \"y", "approved");
    // Another file of that name, a link, a name that is none, and a decision about nothing.
    dir.write(
        "queue/decisions/0000000a.json",
        json!({ "id": "00000002", "decision": "approved" }).to_string(),
    );
    dir.write(
        "secret.json",
        json!({ "id": "0000000b", "kind": "allow-host", "what": "linked.example.com" }).to_string(),
    );
    std::os::unix::fs::symlink(dir.at("secret.json"), dir.at("queue/proposals/0000000b.json")).unwrap();
    dir.write(
        "queue/decisions/0000000b.json",
        json!({ "id": "0000000b", "decision": "approved" }).to_string(),
    );
    dir.write("queue/decisions/..json", "{}");
    dir.write("queue/decisions/0000000c.json", "[".repeat(100_000));
    let found = proposed(&dir, &["--queue"]);
    assert_eq!(hosts(&found), ["*.example.org", "docs.example.com"].map(str::to_owned).into());
    assert_eq!(found["proposals"][1]["asked"]["approved"], json!(["00000001"]));
    assert_eq!(found, proposed(&dir, &["--queue=queue"]));
    run(&dir, &["propose", "x.kdl", "--queue", "--apply", "*.example.org"]).code(0);
    assert!(dir.read("x.kdl").contains("allow \"*.example.org\"\n"));
    run(&dir, &["propose", "x.kdl"]).code(3).complains("`--from`");
    run(&dir, &["propose", "x.kdl", "--queue=nowhere"]).code(3).complains("nowhere/decisions");
}

#[test]
fn the_schemas_are_the_types() {
    for (path, schema) in [
        ("schemas/denials.schema.json", denials::schema()),
        ("schemas/propose.schema.json", propose::schema()),
    ] {
        assert_generated(path, &(serde_json::to_string_pretty(&schema).expect("JSON") + "\n"));
    }
    let dir = bottle();
    let run = run(&dir, &["denials", "x.kdl", "--from", "day.log", "--format", "json"]).code(0);
    let value: Value = serde_json::from_str(&run.out).expect("JSON");
    let validator = jsonschema::validator_for(denials::schema().as_value()).expect("a schema");
    assert!(validator.is_valid(&value), "{value}");
}

#[test]
fn records_are_bounded() {
    let mut denials = Denials::default();
    for n in 0..MAX_TARGETS + 500 {
        denials.read(unlisted("10:00:00", &format!("n{n}.evil.example")).as_bytes());
    }
    denials.read(unlisted("10:00:01", "n1.evil.example").as_bytes());
    assert_eq!(denials.of(Reason::NotListed).count(), MAX_TARGETS);
    assert_eq!(denials.uncounted, 500);
    let ports: String =
        (1..2_000).map(|port| connect("10:00:00", &format!("a.example:{port}"), "dlp", "")).collect();
    denials.read(ports.as_bytes());
    assert!(denials.of(Reason::Secret).all(|denial| denial.ports.len() <= 16 && denial.count == 1_999));
}

/// The one refusal that a record tells of.
fn told(record: &str) -> Denial {
    let mut denials = Denials::default();
    denials.read(record.as_bytes());
    let told: Vec<Denial> = denials.of(Reason::NotListed).cloned().collect();
    <[Denial; 1]>::try_from(told).unwrap_or_else(|told| panic!("{record}: {told:?}"))[0].clone()
}

#[test]
fn a_time_is_nothing_else() {
    let of = |time: &str| {
        let event =
            json!({ "event": "blocked", "scanner": "allowlist", "target": "a.example:1", "time": time });
        let Denial { first, last, .. } = told(&event.to_string());
        assert_eq!(first, last, "{time}");
        first
    };
    for text in ["2026-11-28T10:00:00Z", "2026-11-28T10:00:00.123456789Z", "2026-11-28T10:00:00.5+01:00"] {
        assert_eq!(of(text).as_deref(), Some(text));
    }
    for text in [
        "",
        "2026-11-28",
        "2026-11-28T10:00:00",
        "2026-11-28T10:00:00.Z",
        "now; rm -rf /",
        "2026-11-28T10:00:00Z\u{1b}[2J",
        "2026-11-28T10:00:0äZ",
    ] {
        assert_eq!(of(text), None, "{text}");
    }
}

#[test]
fn of_a_url_the_host_is_kept_alone() {
    let shown = |target: &str| {
        let Denial { target, ports, .. } = told(&connect("10:00:00", target, "allowlist", ""));
        (target, Vec::from_iter(ports))
    };
    assert_eq!(shown("docs.example.com:443"), ("docs.example.com".to_owned(), vec![443]));
    assert_eq!(shown("http://u:p@Docs.example.com/x?key=v#f"), ("docs.example.com".to_owned(), vec![80]));
    assert_eq!(shown("[2001:db8::1]:22"), ("2001:db8::1".to_owned(), vec![22]));
    assert_eq!(shown("http://a.example\\@b.example/").0, "a.example");
    let words = told(&connect("10:00:00", "two words\u{1b}[2J", "allowlist", ""));
    assert_eq!(words.host, None);
    assert!(!words.target.contains('\u{1b}'));
    assert_eq!(shown("sk-ant-api03-aaaaaaaa.evil.example:443").0, "****.evil.example");
    assert_eq!(shown("sk-ant-api03-aaaaaaaa.example:443").0, "****.****");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_records_break_the_list(lines in proptest::collection::vec("\\PC{0,60}|[a-z0-9.:*/@\\[\\]-]{0,60}", 0..8)) {
        let mut denials = Denials::default();
        for line in &lines {
            denials.read(line.as_bytes());
            denials.read(connect("10:00:00", line, "allowlist", line).as_bytes());
            let url = json!({ "event": "blocked", "scanner": "allowlist", "url": line });
            denials.read(record("10:00:00", &url).as_bytes());
        }
        for (_, all) in denials.by_reason() {
            for denial in all {
                prop_assert!(denial.count > 0 && denial.target.len() <= 400, "{denial:?}");
                prop_assert!(!denial.target.contains(['\n', '\r', '\u{1b}']), "{denial:?}");
            }
        }
    }
}

const BROKERED: &str = r#"bottle "demo" {
    network octet=42
    credential "model" {
        upstream "https://api.example.com"
        bearer from-env="MODEL_KEY"
        allow "POST" "/v1/messages"
        allow "GET" "/v1/models/*"
    }
}
"#;

/// A line of the broker's, as Caddy 2.11 writes it by our configuration.
fn brokered(time: &str, method: &str, path: &str, refused: &str) -> String {
    let mut event = json!({ "level": "info", "ts": format!("2026-11-29T{time}Z"), "logger": "http.log.access",
                            "msg": "handled request", "credential": "model", "status": 403,
                            "request": { "remote_ip": "192.168.42.1", "method": method, "uri": path } });
    if !refused.is_empty() {
        event["refused"] = Value::from(refused);
    }
    event.to_string() + "\n"
}

/// What the broker refused is told by credential and line, and nothing of what the agent wrote drives a terminal or is shown
/// whole.
#[test]
fn the_brokers_refusals_are_told_by_credential_and_line() {
    let dir = Dir::with(BROKERED);
    let mut log = String::new();
    for minute in 0..3 {
        log += &brokered(&format!("09:0{minute}:00"), "DELETE", "/model/v1/files/a", "allow");
    }
    log += &brokered("09:10:00", "POST", "/model/v1/messages", "");
    log += &brokered("09:11:00", "POST", "/model/v1/messages", "allow");
    log += &brokered("09:12:00", "GET", "/other/v1", "prefix");
    log += &brokered("09:13:00", "GET", "/model/v1/../admin", "path");
    log += &brokered("09:14:00", "GET", "/model/v1/models/a?key=k", "query");
    log += &brokered("09:15:00", "POST", "/model/v1/messages", "token");
    log += &brokered("09:16:00", "POST", "/model/v1/messages", "secret");
    log += &brokered(
        "09:17:00",
        "TRACE\u{1b}[2J",
        &format!("/model/\u{1b}]0;x\u{7}\u{202e}/{}", "y".repeat(300)),
        "allow",
    );
    log += &brokered("09:18:00", "GET", &format!("/model/{}", token()), "allow");
    // The same in a record of pipelock's is the agent's own text.
    log += &record(
        "09:19:00",
        &json!({ "event": "allowed", "url": "http://x.example.com/\"logger\":\"http.log.access\",\"refused\":\"allow\"" }),
    );
    dir.write("broker.log", log);
    let shown = run(&dir, &["denials", "x.kdl", "--from", "broker.log"]).code(0);
    let shown = shown.never_says(&token()).never_says("\u{1b}").never_says("\u{202e}").never_says("key=k");
    assert_snapshot("denials__broker", &shown.out);
    let json = run(&dir, &["denials", "x.kdl", "--from", "broker.log", "--format", "json"]).code(0);
    let report: Value = serde_json::from_str(&json.out).expect("JSON");
    let schema = denials::schema();
    assert!(jsonschema::validator_for(schema.as_value()).expect("a schema").is_valid(&report), "{report}");
    let by: BTreeSet<&str> =
        report["denials"].as_array().expect("a list").iter().filter_map(|it| it["by"].as_str()).collect();
    assert_eq!(by, BTreeSet::from(["broker"]));
    // No `allow` of hosts is proposed for them.
    run(&dir, &["propose", "x.kdl", "--from", "broker.log"]).code(0).never_says("api.example.com");
}
