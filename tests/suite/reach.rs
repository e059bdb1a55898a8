//! What the agent can reach: the answers as they are shown, and against a second, plain reading of the rules.
#![cfg(unix)]
#![allow(clippy::format_push_string, reason = "specs are put together from few parts")]

use std::net::IpAddr;

use bottlec::plan::Plan;
use bottlec::report::{Style, reach};
use bottlec::world::host::{Target, TargetHost, Verdict};
use ipnet::IpNet;
use proptest::prelude::*;

use crate::support::binary::{Dir, SMALL};
use crate::support::{assert_generated, assert_snapshot, compile_file, compile_text, root};

fn plans(path: &str) -> Vec<Plan> {
    let (_, compilation) = compile_file(&root().join(path));
    assert!(!compilation.plans.is_empty(), "{path}: {:?}", compilation.diagnostics);
    compilation.plans
}

fn shown(plans: &[Plan], target: Option<&str>, at: Option<&str>, style: &Style) -> String {
    let target = target.map(|target| target.parse::<Target>().expect("a target"));
    let at = at.map(|at| at.parse::<IpAddr>().expect("an address"));
    reach::render(&reach::report(plans, target.as_slice(), at), style)
}

#[test]
fn everything_that_can_be_reached_is_shown() {
    let style = Style { unicode: true, ..Style::default() };
    assert_snapshot("reach__example", &shown(&plans("examples/api-dev.kdl"), None, None, &style));
    let wide = Style { width: 120, ..style };
    assert_snapshot("reach__corners", &shown(&plans("tests/cases/reach/corners.kdl"), None, None, &wide));
}

/// By both ways, each with its line.
#[test]
fn requests_are_answered_by_pipelock_and_by_the_broker() {
    let style = Style { unicode: true, width: 80, ..Style::default() };
    let plans = plans("tests/cases/reach/brokered.kdl");
    let mut text = shown(&plans, None, None, &style);
    text.truncate(text.find("\nHow that is known").expect("a title"));
    for target in [
        "POST https://api.anthropic.com/v1/messages",
        "https://api.anthropic.com/v1/messages",
        "DELETE https://api.anthropic.com/v1/messages",
        "GET https://api.anthropic.com/v1/organizations",
        "api.anthropic.com",
        "api.anthropic.com:80",
        "https://api.github.com/repos/acme/api/issues",
        "GET https://api.github.com/repos/acme/api/../other",
        "GET https://git.corp.internal:8443/api/v4/projects/acme%2Fapi/issues",
        "GET https://git.corp.internal:8443/projects/acme%2Fapi/issues",
        "PATCH https://search.example.com/v2/x",
        "PATCH https://search.example.com/x",
        "GET https://docs.example.com/x",
        "GET https://other.example.com/x",
    ] {
        text.push_str(&format!("\n{}", shown(&plans, Some(target), None, &style)));
    }
    assert_snapshot("reach__brokered", &text);
}

/// One that is brokered and allowed is reached both ways.
#[test]
fn what_is_brokered_and_allowed_is_reached_past_the_broker() {
    let spec = "bottle \"demo\" {\n    extends \"std/claude-code\"\n    egress { allow \"api.anthropic.com\"; }\n    network octet=42\n}\n";
    let (_, compilation) = compile_text("spec.kdl", spec);
    let answer = |target: &str| {
        let report = reach::report(&compilation.plans, &[target.parse().expect("a target")], None);
        let mut answers = report.answers;
        answers.remove(0)
    };
    let origins = |answer: &reach::Answer| -> Vec<String> {
        answer.because.iter().filter_map(|cause| cause.origin.clone()).collect()
    };
    let through = answer("POST https://api.anthropic.com/v1/messages");
    assert_eq!(through.verdict, reach::Outcome::Allowed);
    assert_eq!(through.because.iter().map(|it| it.kind).collect::<Vec<_>>(), ["credential", "allow"]);
    assert!(origins(&through).contains(&String::from("spec.kdl:3")), "{through:?}");
    assert!(through.path[1].ends_with("(broker)"), "{through:?}");
    let past = answer("DELETE https://api.anthropic.com/v1/files/x");
    assert_eq!(past.verdict, reach::Outcome::Allowed);
    assert_eq!(origins(&past), ["spec.kdl:3"]);
    assert!(past.path[1].ends_with("(pipelock)"), "{past:?}");
    assert!(past.notes.iter().any(|note| note.contains("through the broker it is not reached")), "{past:?}");
}

/// A sidecar is on no list: what it dials for the agent is refused to nobody, unless the spec says that it dials nothing.
#[test]
fn a_sidecar_that_may_dial_is_a_way_out() {
    let image = format!("ghcr.io/acme/x:1@sha256:{}", "0".repeat(64));
    let bottle = |db: &str, job: &str| {
        let sidecars = format!(
            "sidecar \"db\" image=\"{image}\" {{ port 5432; {db} }}; sidecar \"job\" image=\"{image}\" {{ {job} }}"
        );
        let spec = format!(
            "bottle \"demo\" {{ egress {{ allow \"api.example.com\"; }}; network octet=42; {sidecars}; }}\n"
        );
        let (_, compilation) = compile_text("spec.kdl", &spec);
        assert!(!compilation.diagnostics.has_errors(), "{:?}", compilation.diagnostics);
        compilation.plans
    };
    let said = "no-relay reason=\"it has no such command\";";
    let style = Style { unicode: true, ..Style::default() };
    let mut text = String::new();
    for (db, job) in [("", ""), ("", said), (said, ""), (said, said)] {
        let plans = bottle(db, job);
        for target in ["10.0.0.1:22", "api.exmaple.com", "169.254.169.254", "127.0.0.1", "api.example.com"] {
            let report = reach::report(&plans, &[target.parse().expect("a target")], None);
            let expected = match target {
                "api.example.com" => reach::Outcome::Allowed,
                "127.0.0.1" => reach::Outcome::Refused,
                _ if (db, job) == (said, said) => reach::Outcome::Refused,
                _ => reach::Outcome::Depends,
            };
            assert_eq!(report.answers[0].verdict, expected, "{target}: {db:?}, {job:?}");
        }
        text.push_str(&shown(&plans, Some("10.0.0.1:22"), None, &style));
        text.push('\n');
    }
    text.push_str(&shown(&bottle("", said), None, None, &style));
    assert_snapshot("reach__sidecars", &text);
}

#[test]
fn each_answer_shows_what_decides() {
    let plans = plans("tests/cases/reach/corners.kdl");
    let style = Style { unicode: true, ..Style::default() };
    let mut text = String::new();
    for (target, at) in [
        ("api.github.com:443", None),
        ("github.com:22", None),
        ("GIST.github.com", None),
        ("a.raw.github.com", None),
        ("api.example.com:22", None),
        ("api.exmaple.com", None),
        ("example.com", None),
        ("api.github.com", Some("10.1.2.3")),
        ("api.github.com", Some("10.2.2.3")),
        ("api.github.com", Some("169.254.169.254")),
        ("db.internal.example.com:5432", Some("172.16.0.1")),
        ("10.1.2.3:5432", None),
        ("10.1.2.4", None),
        ("[2001:db8::1]:443", None),
        ("169.254.169.254:80", None),
        ("192.168.42.1", None),
        ("192.168.42.2:53", None),
        ("192.168.42.2:9090", None),
        ("192.168.42.2", None),
        ("127.0.0.1:5432", None),
        ("localhost", None),
        ("8.8.8.8:53", None),
        ("8.8.8.8:443", None),
        // Other spellings, and what no list opens.
        ("api.github.com.:443", None),
        ("0x0a010203", None),
        ("[::ffff:10.1.2.3]:443", None),
        ("10.1.9.9:22", None),
        ("api.github.com", Some("64:ff9b::a01:203")),
        ("metadata.google.internal", None),
        ("metadata.google.internal.", None),
        ("0xa9fea9fe:80", None),
        ("github.com:80", None),
        ("a7f9c2e1b8d4a6f3e0q5z.github.com", None),
        ("sk-ant-api03-abcdefgh.github.com", None),
    ] {
        text.push_str(&shown(&plans, Some(target), at, &style));
        text.push('\n');
    }
    assert_snapshot("reach__answers", &text);
}

/// git-gate scans what is pushed, and whoever reads a plan or asks for a host is told where that is not so.
#[test]
fn what_goes_past_git_gate_is_said() {
    let spec = "bottle \"api\" {\n    network octet=42\n    env { GH_TOKEN from-env=\"GH_TOKEN\"; }\n    egress { allow \
                \"*.github.com\"; }\n    git {\n        repo \"api\" {\n            url \"ssh://git@github.com/acme/api.git\"\n            \
                identity \"~/.ssh/id\"\n            host-key \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"\n        \
                }\n    }\n}\n";
    let dir = Dir::with(spec);
    let ways = "by allow *.github.com (x.kdl:4), with GH_TOKEN (x.kdl:3)";
    let plan = dir.call(["plan", "x.kdl"]).env("COLUMNS", "200").run().code(0);
    plan.says(&format!(
        "  but github.com is reached past git-gate, where nothing is scanned before it leaves: {ways}\n"
    ));
    let all = dir.run(["reach", "x.kdl", "--format", "json"]).code(0);
    all.says(&format!("scanned by gitleaks before it leaves; past it, unscanned: {ways}"));
    let note = "this is past git-gate, which scans what is pushed to the repository `api` there";
    for host in ["api.github.com", "github.com:443"] {
        dir.run(["reach", "x.kdl", host, "--format", "json"]).code(0).says(note);
    }
    for host in ["gist.github.com", "raw.githubusercontent.com"] {
        let run = dir.run(["reach", "x.kdl", host]).code(0);
        assert!(!run.out.contains("past git-gate"), "{}", run.out);
    }
    dir.write("x.kdl", spec.replace("*.github.com", "api.example.com").replace("GH_TOKEN", "TOKEN"));
    for command in ["plan", "reach", "check"] {
        dir.run([command, "x.kdl"]).code(0).never_says("past git-gate").never_says("past it");
    }
}

#[test]
fn the_schema_is_the_types_and_every_report_is_valid() {
    let schema = reach::schema();
    assert_generated(
        "schemas/reach.schema.json",
        &(serde_json::to_string_pretty(&schema).expect("JSON") + "\n"),
    );
    let validator = jsonschema::validator_for(schema.as_value()).expect("a schema");
    let plans = plans("tests/cases/reach/corners.kdl");
    for target in [None, Some("api.github.com:443"), Some("10.1.2.4")] {
        let target = target.map(|target| target.parse::<Target>().expect("a target"));
        let json = reach::json(&reach::report(&plans, target.as_slice(), None));
        assert_eq!(json.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        if let Some(error) = validator.iter_errors(&value).next() {
            panic!("{error}: {json}");
        }
        assert_eq!(value["answers"].as_array().map(Vec::len), Some(if target.is_some() { 3 } else { 0 }));
    }
}

#[test]
fn the_command_answers_and_says_what_it_does_not_understand() {
    let dir = Dir::with(SMALL);
    let yes = dir.run(["reach", "x.kdl", "api.example.com:443"]).code(0);
    assert!(yes.out.starts_with("api.example.com:443 from api: allowed\n"), "{}", yes.out);
    assert_eq!(yes.err, "");
    // A request stands alone as a target, too.
    dir.write("bottle.kdl", SMALL);
    let request = dir.run(["reach", "GET https://api.example.com/v1.kdl"]).code(0);
    assert!(
        request.out.starts_with("GET https://api.example.com/v1.kdl from api: allowed\n"),
        "{}",
        request.out
    );
    // Whatever comes out, the question was answered.
    let no = dir.run(["reach", "x.kdl", "example.com", "--format", "json"]).code(0);
    assert!(no.out.contains("\"verdict\":\"refused\""), "{}", no.out);
    assert!(dir.run(["reach", "x.kdl"]).code(0).out.contains("any other address"));
    // Several at once: one answer after the other, in the order of the question.
    let targets = ["b.example.com", "10.0.0.1", "a.example.com"];
    let many = dir.run(["reach", "x.kdl"].into_iter().chain(targets).chain(["--format", "json"])).code(0);
    let answers: serde_json::Value = serde_json::from_str(&many.out).expect("JSON");
    let asked = answers["answers"].as_array().expect("answers").iter().map(|it| it["target"].as_str());
    assert!(asked.eq(targets.map(Some)), "{answers}");
    let alone = targets.map(|target| dir.run(["reach", "x.kdl", target]).code(0).out);
    assert_eq!(dir.run(["reach", "x.kdl"].into_iter().chain(targets)).code(0).out, alone.join("\n"));
    dir.run(["reach", "x.kdl", "a.example.com", "a b"]).code(2);
    for (target, words) in [
        ("*.example.com", "stands for many hosts"),
        ("http://api.example.com/v1", "did you mean `api.example.com:80`?"),
        ("post https://api.example.com/v1", "did you mean `POST https://api.example.com/v1`?"),
        ("POST api.example.com/v1", "did you mean `POST https://api.example.com/v1`?"),
        ("GET https://api.example.com/v1?a=1", "did you mean `GET https://api.example.com/v1`?"),
        ("a b", "is no host name"),
        ("a:70000", "has a port that is none"),
        ("", "is no host name"),
    ] {
        let run = dir.run(["reach", "x.kdl", target]).code(2);
        assert!(run.err.contains(words), "{target}: {}", run.err);
        assert_eq!(run.out, "");
    }
    assert!(dir.run(["reach", "x.kdl", "10.0.0.1", "--at", "10.0.0.2"]).code(2).err.contains("`--at`"));
    dir.run(["reach", "x.kdl", "--at", "10.0.0.2"]).code(2);
    dir.run(["reach", "x.kdl", "a.example.com", "--at", "nowhere"]).code(2);
    dir.run(["reach", "x.kdl", "--bottle", "other"]).code(2);
    dir.run(["reach", "none.kdl"]).code(3);
    dir.write("wrong.kdl", "bottle \"a\" { egres; }\n");
    assert!(dir.run(["reach", "wrong.kdl", "a.example.com"]).code(1).err.contains("unknown-node"));
}

/// The parts that random specs and targets are made of.
const PATTERNS: &[&str] = &[
    "a.test",
    "*.a.test",
    "b.a.test",
    "*.b.a.test",
    "c.b.a.test",
    "x.test",
    "*.x.test",
    "10.1.2.3",
    "10.1.2.4",
    "192.0.2.7",
    "fd00::1",
    "y.a.test",
];
const NAMES: &[&str] = &[
    "a.test",
    "b.a.test",
    "c.b.a.test",
    "d.c.b.a.test",
    "x.test",
    "z.x.test",
    "y.a.test",
    "q.test",
    "xa.test",
    "localhost",
];
const PRIVATE: &[&str] = &[
    "10.1.0.0/16",
    "10.1.2.3",
    "10.0.0.0/8",
    "fd00::/8",
    "a.test",
    "*.b.a.test",
    "x.test",
    "192.168.0.0/16",
];
const ADDRESSES: &[&str] = &[
    "10.1.2.3",
    "10.1.2.4",
    "10.2.0.1",
    "192.0.2.7",
    "192.0.2.8",
    "fd00::1",
    "fd00::2",
    "169.254.169.254",
    "127.0.0.1",
    "192.168.42.2",
    "192.168.42.1",
    "8.8.8.8",
    "::1",
    "0.0.0.0",
];

fn list(name: &str, entries: &[&str]) -> String {
    entries.iter().fold(String::new(), |list, entry| list + &format!("        {name} \"{entry}\"\n"))
}

/// A name of `private` stands beside its addresses.
fn one_node(name: &str, entries: &[&str]) -> String {
    let entries = entries.iter().fold(String::new(), |all, entry| all + &format!(" \"{entry}\""));
    if entries.is_empty() { entries } else { format!("        {name}{entries}\n") }
}

/// What pipelock 2.3.0 does with an entry, as its documentation says it: the host itself, or everything at and below the
/// domain.
fn covers(entry: &str, host: &str) -> bool {
    match entry.strip_prefix("*.") {
        Some(domain) => host == domain || host.ends_with(&format!(".{domain}")),
        None => host == entry,
    }
}

/// The rules once more, one after the other over the whole lists.
fn plainly(allow: &[&str], deny: &[&str], private: &[&str], target: &Target, at: Option<IpAddr>) -> Verdict {
    let host = match &target.host {
        TargetHost::Name(name) => name.clone(),
        TargetHost::Address(address) => address.to_string(),
    };
    let address = match &target.host {
        TargetHost::Name(_) => at,
        TargetHost::Address(address) => Some(*address),
    };
    let loopback = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    if host == "192.168.42.2" {
        return Verdict::Allowed;
    }
    if host == "localhost" || matches!(target.host, TargetHost::Address(address) if loopback(address)) {
        return Verdict::Refused;
    }
    let listed =
        !deny.iter().any(|entry| covers(entry, &host)) && allow.iter().any(|entry| covers(entry, &host));
    let Some(address) = address else { return if listed { Verdict::Allowed } else { Verdict::Refused } };
    let within = |ranges: &[&str]| {
        ranges.iter().any(|range| {
            let range = range.parse::<IpNet>().or_else(|_| range.parse::<IpAddr>().map(IpNet::from));
            range.is_ok_and(|range| range.contains(&address))
        })
    };
    let closed = [
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "::/128",
        "::1/128",
        "fe80::/10",
        "ff00::/8",
    ];
    let guarded = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
    let inside = within(&guarded) && !within(&closed);
    if listed && !within(&closed) && (!inside || within(private)) {
        return Verdict::Allowed;
    }
    // Asked for as an address it is refused; a name that may still be asked for may have it.
    let whole = |deny: &str, allow: &str| {
        covers(deny, allow.trim_start_matches("*.")) && (deny.starts_with("*.") || deny == allow)
    };
    let name =
        |allow: &&&str| allow.parse::<IpAddr>().is_err() && !deny.iter().any(|deny| whole(deny, allow));
    let by_name = matches!(target.host, TargetHost::Address(_)) && inside && within(private);
    if by_name && allow.iter().any(|allow| name(&allow)) { Verdict::Depends } else { Verdict::Refused }
}

fn some(from: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(from), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_what_a_plain_reading_gives(
        allow in some(PATTERNS), deny in some(PATTERNS), private in some(PRIVATE),
    ) {
        let text = format!(
            "bottle \"a\" {{\n    network octet=42\n    egress {{\n{}{}{}    }}\n}}\n",
            list("allow", &allow), list("deny", &deny), one_node("private", &private)
        );
        let (_, compilation) = compile_text("x.kdl", &text);
        // Some lists are refused, for what is private and not allowed, and the other way round.
        prop_assume!(!compilation.plans.is_empty());
        let plan = &compilation.plans[0];
        let policy = reach::policy(plan);
        for host in NAMES.iter().chain(ADDRESSES) {
            for port in ["", ":443"] {
                let text = if host.contains("::") && !port.is_empty() { format!("[{host}]{port}") } else { format!("{host}{port}") };
                let target: Target = text.parse().expect("a target");
                let ats = ADDRESSES.iter().map(|at| Some(at.parse::<IpAddr>().expect("an address")));
                for at in [None].into_iter().chain(ats) {
                    let plain = plainly(&allow, &deny, &private, &target, at);
                    prop_assert_eq!(policy.judge(&target, at).verdict(), plain, "{} at {:?}\n{}", text, at, compilation.diagnostics.as_slice().len());
                }
            }
        }
    }
}
