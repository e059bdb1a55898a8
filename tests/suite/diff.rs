//! What a change means: exact about reach, and nothing forgotten of the rest.
#![cfg(unix)]
#![allow(clippy::format_push_string, reason = "specs are put together from few parts")]

use std::net::IpAddr;

use bottlec::backend::lower;
use bottlec::diff::{Change, Direction, Plans, Topic, diff};
use bottlec::lower::plan_json::PlanJson;
use bottlec::plan::Plan;
use bottlec::report;
use bottlec::world::host::Target;
use proptest::prelude::*;

use crate::support::binary::{Dir, SMALL};
use crate::support::{assert_generated, assert_snapshot, compile_text};

fn read(plan: &Plan) -> PlanJson<'static> {
    PlanJson::read(lower(plan).plan()).expect("a plan is read as it was written")
}

fn plans(text: &str) -> Plans {
    let (_, compilation) = compile_text("x.kdl", text);
    assert!(!compilation.diagnostics.has_errors(), "{:?}\n{text}", compilation.diagnostics);
    compilation.plans.iter().map(|plan| (plan.slug.to_string(), read(plan))).collect()
}

/// The changes between two bottles with these blocks.
fn between(old: &str, new: &str) -> Vec<Change> {
    let bottle = |block: &str| plans(&format!("bottle \"a\" {{\n    network octet=42\n{block}\n}}\n"));
    diff(&bottle(old), &bottle(new))
}

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
];
const NAMES: &[&str] = &[
    "a.test",
    "b.a.test",
    "c.b.a.test",
    "d.c.b.a.test",
    "x.test",
    "z.x.test",
    "x.x.test",
    "q.test",
    "localhost",
];
const PRIVATE: &[&str] = &[
    "10.1.0.0/16",
    "10.1.2.3",
    "10.1.2.0/24",
    "10.0.0.0/8",
    "10.0.0.0/15",
    "a.test",
    "*.b.a.test",
    "x.test",
];
const ADDRESSES: &[&str] = &[
    "10.1.2.3",
    "10.1.2.4",
    "10.1.3.0",
    "10.2.0.1",
    "192.0.2.7",
    "192.0.2.8",
    "169.254.169.254",
    "127.0.0.1",
    "8.8.8.8",
    "fd00::1",
];
const ENGINES: &[&str] = &[
    "",
    "",
    "engine \"smolvm\" version=\"1.2.4\"\n    accept \"dns-open\" reason=\"a test\"",
    "engine \"smolvm\" version=\"1.7.7\"\n    artifact \"./a.smolmachine\"\n    accept \"policy-dropped\" reason=\"a test\"",
];

/// A plan of a bottle with some lists. Lists that the rules refuse are left out.
fn some_plan() -> impl Strategy<Value = Plan> {
    let some = |from: &'static [&'static str]| prop::collection::vec(prop::sample::select(from), 0..4);
    (some(PATTERNS), some(PATTERNS), some(PRIVATE), prop::sample::select(ENGINES), 40_u8..42).prop_filter_map(
        "compiles",
        |(allow, deny, private, engine, octet)| {
            let list = |name: &str, entries: &[&str]| {
                entries
                    .iter()
                    .fold(String::new(), |list, entry| list + &format!("        {name} \"{entry}\"\n"))
            };
            // A name of `private` stands beside its addresses.
            let private = private.iter().fold(String::new(), |all, entry| all + &format!(" \"{entry}\""));
            let private = if private.is_empty() { private } else { format!("        private{private}\n") };
            let text = format!(
                "bottle \"a\" {{\n    network octet={octet}\n    {engine}\n    egress {{\n{}{}{}    }}\n}}\n",
                list("allow", &allow),
                list("deny", &deny),
                private
            );
            compile_text("x.kdl", &text).1.plans.into_iter().next()
        },
    )
}

/// Everything that is asked of both sides.
fn targets() -> Vec<(Target, Option<IpAddr>)> {
    let mut targets = Vec::new();
    for host in NAMES.iter().chain(ADDRESSES) {
        for port in ["", ":53", ":443"] {
            let text = if host.contains(':') && !port.is_empty() {
                format!("[{host}]{port}")
            } else {
                format!("{host}{port}")
            };
            let target: Target = text.parse().unwrap();
            targets.push((target.clone(), None));
            if host.parse::<IpAddr>().is_err() {
                targets.extend(ADDRESSES.iter().map(|at| (target.clone(), Some(at.parse().unwrap()))));
            }
        }
    }
    targets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// The law that ties `diff` to `reach`: reach is said to be wider exactly where the verdict on some target turns from
    /// refused to allowed, or towards it, and narrower where one turns back.
    #[test]
    fn reach_is_wider_exactly_where_a_verdict_turns(old in some_plan(), new in some_plan()) {
        let one = |plan: &Plan| Plans::from([(plan.slug.to_string(), read(plan))]);
        let changes = diff(&one(&old), &one(&new));
        let (before, after) = (report::reach::policy(&old), report::reach::policy(&new));
        for (direction, less, more) in [(Direction::Wider, &before, &after), (Direction::Narrower, &after, &before)] {
            let turns = |target: &Target, at: Option<IpAddr>| {
                less.judge(target, at).verdict() < more.judge(target, at).verdict()
            };
            let said: Vec<&Change> =
                changes.iter().filter(|change| change.topic == Topic::Reach && change.direction == direction).collect();
            for change in &said {
                let witness = change.witness.as_ref().expect("a change of reach names a target");
                prop_assert!(turns(&witness.target, witness.at), "{:?}", change);
            }
            for (target, at) in targets() {
                prop_assert!(!turns(&target, at) || !said.is_empty(), "{} at {:?} turns, and nobody says so", target, at);
            }
        }
        // Backwards, everything goes the other way.
        let back = diff(&one(&new), &one(&old));
        let count = |changes: &[Change], direction| changes.iter().filter(|change| change.direction == direction).count();
        prop_assert_eq!(count(&changes, Direction::Wider), count(&back, Direction::Narrower));
        prop_assert_eq!(count(&changes, Direction::Narrower), count(&back, Direction::Wider));
        prop_assert!(diff(&one(&old), &one(&old)).is_empty());
    }
}

const IMAGE: &str =
    "docker.io/library/x:1@sha256:0000000000000000000000000000000000000000000000000000000000000000";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const OTHER_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const API: &str = "ssh://git@github.com/acme/api.git";

fn sidecar(inner: &str) -> String {
    format!("sidecar \"db\" image=\"{IMAGE}\" {{ {inner} }}")
}

fn local(path: &str) -> String {
    format!("git {{ repo \"r\" {{ path \"{path}\"; }}; }}")
}

fn repo(url: &str, identity: &str, key: &str) -> String {
    format!("git {{ repo \"r\" {{ url \"{url}\"; identity \"{identity}\"; host-key \"{key}\"; }} }}")
}

fn tls(inner: &str) -> String {
    format!("egress {{ tls {{ ca-cert \"./c\"; ca-key \"./k\"; trust \"./t\"; {inner} }} }}")
}

fn expect(inner: &str) -> String {
    format!("expect {{ {inner}; }}")
}

fn allowed(more: &str) -> String {
    format!("egress {{ allow \"a.test\"; }}; {more}")
}

/// What changes, the block before and after, and what that means.
type Case = (&'static str, String, String, Direction, Topic);

/// Each change is said, and backwards the other way round.
fn assert_both_ways(cases: Vec<Case>) {
    for (what, old, new, direction, topic) in cases {
        let found = between(&old, &new);
        assert!(
            found.iter().any(|change| change.direction == direction && change.topic == topic),
            "{what}: {found:#?}"
        );
        let back = between(&new, &old);
        assert!(
            back.iter().any(|change| change.direction == direction.reversed() && change.topic == topic),
            "{what}, backwards: {back:#?}"
        );
        assert!(between(&new, &new).is_empty(), "{what}");
    }
}

#[test]
fn a_guard_that_goes_is_said_in_both_directions() {
    use Direction::{Narrower, Neutral, Wider};
    assert_both_ways(vec![
        ("an expectation", expect("refuse \"a.test\""), String::new(), Wider, Topic::Expectation),
        (
            "one of several",
            expect("refuse \"a.test\" \"b.test\""),
            expect("refuse \"b.test\""),
            Wider,
            Topic::Expectation,
        ),
        (
            "one made weaker",
            expect("refuse \"a.test\""),
            expect("refuse \"a.test:22\""),
            Wider,
            Topic::Expectation,
        ),
        (
            "one that keeps nothing out",
            allowed("expect { allow \"a.test\"; }"),
            allowed(""),
            Neutral,
            Topic::Expectation,
        ),
        ("a denied level", "lint { deny \"personal-path\"; }".into(), String::new(), Wider, Topic::Lint),
        (
            "one made a warning",
            "lint { deny \"personal-path\"; }".into(),
            "lint { warn \"personal-path\"; }".into(),
            Wider,
            Topic::Lint,
        ),
        (
            "an accepted gap",
            "engine \"smolvm\" version=\"1.2.4\"; accept \"dns-open\" reason=\"a test\"".into(),
            String::new(),
            Narrower,
            Topic::Accepted,
        ),
    ]);
}

#[test]
fn every_change_that_matters_is_said_in_both_directions() {
    use Direction::{Neutral, Unclear, Wider};
    let cases: Vec<Case> = vec![
        ("a sidecar", String::new(), sidecar(""), Wider, Topic::Sidecar),
        ("its image", sidecar(""), sidecar("").replace("@sha256:0", "@sha256:1"), Unclear, Topic::Sidecar),
        (
            "the end of its digest",
            sidecar(""),
            sidecar("").replace("0\" {", "1\" {"),
            Unclear,
            Topic::Sidecar,
        ),
        ("its arguments", sidecar(""), sidecar("command \"serve\""), Unclear, Topic::Sidecar),
        ("its user", sidecar(""), sidecar("run-as \"9:9\""), Unclear, Topic::Sidecar),
        ("its port", sidecar("port 1"), sidecar("port 2"), Neutral, Topic::Sidecar),
        ("its capabilities", sidecar(""), sidecar("capability \"CHOWN\""), Wider, Topic::Sidecar),
        ("its literals", sidecar("env { A \"1\"; }"), sidecar("env { A \"2\"; }"), Unclear, Topic::Sidecar),
        ("its secret variable", sidecar(""), sidecar("env { A from-env=\"A\"; }"), Wider, Topic::Secret),
        (
            "its secret file",
            sidecar(""),
            sidecar("secret \"a\" from-file=\"/run/secrets/a\""),
            Wider,
            Topic::Secret,
        ),
        (
            "what it dials",
            sidecar("no-relay reason=\"a role without rights\""),
            sidecar(""),
            Wider,
            Topic::Sidecar,
        ),
        (
            "why it dials nothing",
            sidecar("no-relay reason=\"a role without rights\""),
            sidecar("no-relay reason=\"another\""),
            Unclear,
            Topic::Sidecar,
        ),
        ("a host's path", sidecar(""), sidecar("volume \"/srv/a\" \"/a\""), Wider, Topic::Host),
        (
            "writing to it",
            sidecar("volume \"/srv/a\" \"/a\" access=\"read-only\""),
            sidecar("volume \"/srv/a\" \"/a\" access=\"read-write\""),
            Wider,
            Topic::Host,
        ),
        ("a secret", String::new(), "env { T from-env=\"T\"; }".into(), Wider, Topic::Secret),
        (
            "a literal made one",
            "env { T \"x\"; }".into(),
            "env { T from-env=\"T\"; }".into(),
            Wider,
            Topic::Secret,
        ),
        ("a literal", "env { T \"x\"; }".into(), "env { T \"y\"; }".into(), Neutral, Topic::Agent),
        ("a repository", String::new(), repo(API, "~/.k", KEY), Wider, Topic::Repository),
        ("a boot", String::new(), "rootfs \"./r\"".into(), Unclear, Topic::Agent),
        ("what a boot is", "rootfs \"./r\"".into(), "rootfs \"./s\"".into(), Unclear, Topic::Agent),
        (
            "the kind of it",
            "rootfs \"./r\"".into(),
            "artifact \"./a.smolmachine\"".into(),
            Unclear,
            Topic::Agent,
        ),
        (
            "the digest of it",
            format!("image \"{IMAGE}\""),
            format!("image \"{}\"", IMAGE.replace("256:0", "256:1")),
            Unclear,
            Topic::Agent,
        ),
        ("the engine", String::new(), "engine \"smolvm\" version=\"1.32.2\"".into(), Neutral, Topic::Engine),
        ("the containers", String::new(), "container-engine \"podman\"".into(), Neutral, Topic::Engine),
        ("a limit", "egress { rate-limit 100; }".into(), String::new(), Wider, Topic::Limit),
        ("a budget", "egress { data-budget 100; }".into(), String::new(), Wider, Topic::Limit),
        ("a tunnel", "egress { tunnel max-seconds=60; }".into(), String::new(), Wider, Topic::Limit),
        ("the log", String::new(), "egress { log \"blocked\"; }".into(), Unclear, Topic::Scan),
        ("HTTPS", tls(""), String::new(), Wider, Topic::Scan),
        ("what stays closed", tls(""), tls("passthrough \"a.test\""), Wider, Topic::Scan),
        ("a key to open it with", String::new(), tls(""), Wider, Topic::Secret),
        ("what tells that it is ready", sidecar(""), sidecar("health \"sh\""), Unclear, Topic::Sidecar),
        ("supervise", String::new(), "supervise".into(), Wider, Topic::Sidecar),
        (
            "where questions wait",
            "supervise".into(),
            "supervise { queue \"./q\"; }".into(),
            Unclear,
            Topic::Host,
        ),
        ("pipelock's image", String::new(), format!("pipelock image=\"{IMAGE}\""), Unclear, Topic::Sidecar),
    ];
    assert_both_ways(cases);
}

#[test]
fn a_repository_of_this_host_and_a_push_to_it_are_wider() {
    let read_only = local(".").replace("{ path", "access=\"read-only\" { path");
    let cases = vec![
        ("a repository of this host", String::new(), local("."), Direction::Wider, Topic::Repository),
        ("a push to it", read_only, local("."), Direction::Wider, Topic::Repository),
    ];
    assert_both_ways(cases);
}

#[test]
fn what_nobody_can_weigh_is_wider_or_unclear_both_ways() {
    use Direction::{Narrower, Unclear, Wider};
    // These are wider whichever way they go: nobody can say which of two is less.
    for (what, old, new) in [
        (
            "where a repository is",
            repo(API, "~/.k", KEY),
            repo("ssh://git@github.com/acme/other.git", "~/.k", KEY),
        ),
        ("its key", repo(API, "~/.k", KEY), repo(API, "~/.j", KEY)),
        ("where one of this host is", local("."), local("../other")),
        ("whether it is on this host", repo(API, "~/.k", KEY), local(".")),
        ("a secret's source", "env { T from-env=\"T\"; }".into(), "env { T from-env=\"U\"; }".into()),
    ] {
        for (old, new) in [(&old, &new), (&new, &old)] {
            assert!(between(old, new).iter().any(|change| change.direction == Wider), "{what}");
        }
    }
    let host_key = between(&repo(API, "~/.k", KEY), &repo(API, "~/.k", OTHER_KEY));
    assert!(host_key.iter().any(|change| change.direction == Unclear), "{host_key:?}");
    let stricter = between(&tls("").replace("egress {", "egress { scan-bodies \"warn\";"), &tls(""));
    assert!(
        stricter.iter().any(|change| change.direction == Narrower && change.topic == Topic::Scan),
        "{stricter:?}"
    );
    let pattern = |regex: &str| {
        tls("").replace("egress {", &format!("egress {{ dlp {{ pattern \"p\" regex=\"{regex}\"; }};"))
    };
    assert!(between(&pattern("a+"), &tls("")).iter().any(|change| change.direction == Wider));
    assert!(between(&tls(""), &pattern("a+")).iter().any(|change| change.direction == Narrower));
    assert!(between(&pattern("a+"), &pattern("b+")).iter().any(|change| change.direction == Unclear));
}

/// A credential with a list.
fn credential(lines: &str) -> String {
    format!("credential \"api\" {{ upstream \"https://api.test/v1\"; bearer from-env=\"T\"; {lines}; }}")
}

#[test]
fn what_a_credential_may_be_spent_on_is_compared() {
    use Direction::{Neutral, Unclear, Wider};
    let get = || credential("allow \"GET\" \"/a/*\"");
    let private = |ca: &str, more: &str| {
        credential(&format!("allow \"GET\" \"/a\"; ca \"{ca}\"; {more}")).replace("; ;", ";")
    };
    assert_both_ways(vec![
        ("a credential", String::new(), get(), Wider, Topic::Secret),
        ("a method", get(), credential("allow \"GET\" \"PUT\" \"/a/*\""), Wider, Topic::Secret),
        ("a path", get(), credential("allow \"GET\" \"/a/*\" \"/b\""), Wider, Topic::Secret),
        ("a wider path", get(), credential("allow \"GET\" \"/a/**\""), Wider, Topic::Secret),
        (
            "a WebSocket",
            get(),
            credential("allow \"GET\" \"/a/*\" upgrade=\"websocket\""),
            Wider,
            Topic::Secret,
        ),
        ("no list", get(), credential("expose \"A_URL\""), Wider, Topic::Secret),
        ("another upstream", get(), get().replace("api.test", "b.test"), Unclear, Topic::Secret),
        ("another base path", get(), get().replace("/v1", "/v2"), Unclear, Topic::Secret),
        ("another scheme", get(), get().replace("bearer", "header \"x-key\""), Unclear, Topic::Secret),
        (
            "another header",
            get().replace("bearer", "header \"x-key\""),
            get().replace("bearer", "header \"y-key\""),
            Unclear,
            Topic::Secret,
        ),
        (
            "another user",
            get().replace("bearer", "basic user=\"a\""),
            get().replace("bearer", "basic user=\"b\""),
            Unclear,
            Topic::Secret,
        ),
        ("another secret", get(), get().replace("\"T\"", "\"U\""), Unclear, Topic::Secret),
        ("from a file", get(), get().replace("from-env=\"T\"", "from-file=\"~/.t\""), Unclear, Topic::Secret),
        ("other authorities", private("./a.pem", ""), private("./b.pem", ""), Unclear, Topic::Secret),
        ("a private network", private("./a.pem", ""), private("./a.pem", "private"), Wider, Topic::Secret),
        (
            "a variable with its place",
            get(),
            credential("allow \"GET\" \"/a/*\"; expose \"A_URL\""),
            Neutral,
            Topic::Agent,
        ),
        (
            "a variable with the token",
            get(),
            credential("allow \"GET\" \"/a/*\"; placeholder \"A_KEY\""),
            Neutral,
            Topic::Agent,
        ),
    ]);
}

/// What is told of a credential, word by word, with its lines.
#[test]
fn a_change_of_a_credential_is_told_with_its_lines() {
    let told = |old: &str, new: &str| -> Vec<String> {
        let line = |line: &Option<String>| line.clone().unwrap_or_default();
        let changes = between(old, new);
        let of_secrets = changes.iter().filter(|change| change.topic == Topic::Secret);
        of_secrets
            .map(|it| format!("{}: {} [{}|{}]", it.direction.as_str(), it.text, line(&it.old), line(&it.new)))
            .collect()
    };
    let list = |lines: &str| {
        format!("credential \"api\" {{\nupstream \"https://api.test/v1\"\nbearer from-env=\"T\"\n{lines}\n}}")
    };
    let few = list("allow \"GET\" \"/a/*\"");
    assert_eq!(
        told("", &few),
        ["wider: the agent can spend the credential `api`: `GET /a/*` to `https://api.test/v1` [|x.kdl:3]"]
    );
    assert_eq!(
        told(&few, &list("allow \"GET\" \"POST\" \"/a/**\"")),
        ["wider: the credential `api` can be spent on `GET /a/**`, `POST /a/**` [|x.kdl:6]"]
    );
    assert_eq!(
        told(&few, &list("allow \"GET\" \"/a/x\" \"/b\"")),
        [
            "wider: the credential `api` can be spent on `GET /b` [|x.kdl:6]",
            "narrower: the credential `api` can no longer be spent on `GET /a/*` [x.kdl:6|]",
        ]
    );
    assert_eq!(
        told(&few, &list("").replace("api.test", "b.test")),
        [
            "wider: the credential `api` can be spent on every request: it has no list any more [x.kdl:3|x.kdl:3]",
            "unclear: the credential `api` is sent to `https://b.test/v1` instead of `https://api.test/v1` [x.kdl:3|x.kdl:3]",
        ]
    );
}

/// Patterns over few words, so that many of them meet.
fn some_list() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let segment = prop::sample::select(vec!["a", "b", "ab", "*", "a*", "*b", "a%2Fb"]);
    let segments = prop::collection::vec(segment, 1..3);
    let path = (segments, prop::sample::select(vec!["", "", "/**", "/"]))
        .prop_map(|(segments, end)| format!("/{}{end}", segments.join("/")));
    let method = prop::sample::select(vec!["GET", "POST"]);
    prop::collection::vec((method, path), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    /// What only the new list lets through is said to be wider.
    #[test]
    fn no_request_is_gained_in_silence(old in some_list(), new in some_list()) {
        use bottlec::world::broker::PathPattern;
        let lines = |list: &[(&str, String)]| -> String {
            let lines = list.iter().map(|(method, path)| format!("allow \"{method}\" \"{path}\""));
            lines.collect::<Vec<_>>().join("; ")
        };
        let lets = |list: &[(&str, String)], method: &str, path: &str| {
            let mut of_method = list.iter().filter(|it| it.0 == method);
            of_method.any(|it| PathPattern::parse(&it.1).expect("a pattern").matches(path))
        };
        let changes = between(&credential(&lines(&old)), &credential(&lines(&new)));
        let is_wider = changes.iter().any(|it| it.direction == Direction::Wider && it.topic == Topic::Secret);
        let words = ["a", "b", "ab", "axb", "x", "a%2Fb"];
        let ends = ["", "/", "/x", "/x/y"];
        for method in ["GET", "POST"] {
            for first in words {
                for second in words.iter().map(|word| format!("/{word}")).chain([String::new()]) {
                    for end in ends {
                        let path = format!("/{first}{second}{end}");
                        if lets(&new, method, &path) && !lets(&old, method, &path) {
                            prop_assert!(is_wider, "{method} {path}: {changes:#?}");
                        }
                    }
                }
            }
        }
    }
}

/// What keeps a spec as strict as it is: the bottle's own, its profiles', and that of the files.
#[test]
fn a_guard_that_goes_is_wider_wherever_it_stood() {
    let spec = |file: &str, profile: &str, bottle: &str| {
        plans(&format!(
            "lint {{\n{file}\n}}\nprofile \"team\" {{\n{profile}\n}}\nbottle \"a\" {{\n    extends \"team\"\n    \
             network octet=42\n    {bottle}\n}}\n"
        ))
    };
    let deny = "deny \"allow-shared\"";
    let denied = format!("lint {{ {deny}; }}");
    let said = |old: &Plans, new: &Plans| {
        diff(old, new).iter().map(|it| format!("{} {}", it.direction.as_str(), it.text)).collect::<Vec<_>>()
    };
    let gone = ["wider `allow-shared` is no longer denied"];
    let none = spec("", "", "");
    for guarded in [spec(deny, "", ""), spec("", &denied, ""), spec("", "", &denied)] {
        assert_eq!(said(&guarded, &none), gone);
        assert_eq!(said(&none, &guarded), ["narrower `allow-shared` is denied"]);
        assert_eq!(said(&guarded, &guarded), [""; 0]);
    }
    // A bottle that says otherwise takes the file's away, and a profile's holds.
    let allow = "lint { allow \"allow-shared\" reason=\"r\"; }";
    let overruled = said(&spec(deny, "", ""), &spec(deny, "", allow));
    assert!(overruled.contains(&gone[0].to_owned()), "{overruled:?}");
    let in_profile = said(&spec(deny, "", ""), &spec(deny, allow, ""));
    assert!(in_profile.contains(&gone[0].to_owned()), "{in_profile:?}");
    let bound = said(&spec("", &denied, ""), &spec("", &denied, allow));
    assert_eq!(bound, ["neutral `allow-shared` is not shown any more, because: `r`"]);
    // Said twice, it is there as long as it is said once.
    assert_eq!(said(&spec("", &denied, &denied), &spec("", &denied, "")), [""; 0]);
    assert_eq!(said(&spec(deny, &denied, ""), &spec("", &denied, "")), [""; 0]);
    let reason = denied.replace("shared\"", "shared\" reason=\"pages\"");
    let other = "neutral `allow-shared` is denied for another reason, because: `pages`";
    assert_eq!(said(&spec("", "", &denied), &spec("", "", &reason)), [other]);
    let expected = "expect { refuse \"a.test\"; }";
    assert_eq!(said(&spec("", expected, ""), &none), ["wider `a.test` is no longer expected to be refused"]);
    assert_eq!(said(&spec("", expected, expected), &spec("", "", expected)), [""; 0]);
    // One that another one holds is missed by nobody.
    let both = "expect { refuse \"a.test\" \"a.test:22\"; }";
    assert_eq!(
        said(&spec("", "", both), &spec("", "", expected)),
        ["neutral `a.test:22` is no longer expected to be refused"]
    );
    // The same gap, accepted by two.
    let engine = "engine \"smolvm\" version=\"1.2.4\"";
    let accept = "accept \"dns-open\" reason=\"old\"";
    let accepts = |profile: &str, bottle: &str| spec("", profile, &format!("{engine}; {bottle}"));
    assert_eq!(said(&accepts(accept, ""), &accepts(accept, accept)), [""; 0]);
    assert_eq!(said(&accepts(accept, accept), &accepts("", accept)), [""; 0]);
}

#[test]
fn a_range_that_grows_at_its_end_is_wider() {
    let lists = |range: &str| format!("egress {{ allow \"a.test\"; private \"{range}\"; }}");
    let changes = between(&lists("10.0.0.0/15"), &lists("10.0.0.0/8"));
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].direction, Direction::Wider);
    assert_eq!(changes[0].witness.as_ref().and_then(|witness| witness.at), Some("10.2.0.0".parse().unwrap()));
    assert_eq!(between(&lists("10.0.0.0/8"), &lists("10.0.0.0/15"))[0].direction, Direction::Narrower);
    // Two halves are the whole, and that is said.
    let halves = "egress { allow \"a.test\"; private \"10.0.0.0/9\" \"10.128.0.0/9\"; }";
    let same = between(halves, &lists("10.0.0.0/8"));
    assert_eq!(same.len(), 1, "{same:?}");
    assert_eq!(same[0].direction, Direction::Neutral);
}

#[test]
fn what_only_moved_is_nothing_else() {
    let spec = |octet: u8| {
        plans(&format!(
            "bottle \"a\" {{\n    network octet={octet}\n    egress {{ allow \"a.test\"; }}\n    supervise\n    \
             sidecar \"db\" image=\"{IMAGE}\" {{ port 5432; expose \"DB\"; }}\n}}\n"
        ))
    };
    let moved = diff(&spec(42), &spec(43));
    let texts: Vec<&str> = moved.iter().map(|change| change.text.as_str()).collect();
    assert_eq!(texts, ["the bundle is at 192.168.43.2 instead of 192.168.42.2"]);
    assert_eq!(moved[0].direction, Direction::Neutral);
}

#[test]
fn a_bottle_that_came_is_wider_and_one_that_went_is_not() {
    let (one, two) = (plans(SMALL), plans(&format!("{SMALL}bottle \"b\" {{ network octet=43; }}\n")));
    let come = diff(&one, &two);
    assert_eq!(come.len(), 1);
    assert_eq!((come[0].bottle.as_str(), come[0].direction), ("b", Direction::Wider));
    assert_eq!(diff(&two, &one)[0].direction, Direction::Narrower);
    assert!(diff(&Plans::new(), &Plans::new()).is_empty());
}

#[test]
fn many_entries_are_compared_in_little_time_and_few_words() {
    let list = |count: usize| (0..count).fold(String::new(), |list, n| list + &format!(" \"h{n}.a.test\""));
    let spec =
        |count: usize| plans(&format!("bottle \"a\" {{\n    egress {{ allow{}; }}\n}}\n", list(count)));
    let changes = diff(&spec(10), &spec(20_000));
    // An entry each: what lets a host in is what is told.
    assert_eq!(changes.len(), 19_990);
}

const OLD: &str = "bottle \"api\" {\n    network octet=42\n    egress { allow \"*.github.com\" \"registry.example.com\"; deny \"gist.github.com\"; }\n    env { TOKEN from-env=\"TOKEN\"; }\n}\n";
const NEW: &str = "bottle \"api\" {\n    network octet=42\n    engine \"smolvm\" version=\"1.2.4\"\n    accept \"dns-open\" reason=\"old | host <b>@ada</b> [x](y)\"\n    egress { allow \"*.github.com\" \"*.packages.example.com\" \"db.example.com\"; private \"10.1.0.0/16\"; }\n    env { TOKEN from-env=\"OTHER\"; }\n}\nbottle \"new\" { network octet=43; }\n";

#[test]
fn a_person_a_comment_and_a_program_are_told_the_same() {
    let dir = Dir::new();
    dir.write("old.kdl", OLD);
    dir.write("new.kdl", NEW);
    let text = dir.run(["diff", "old.kdl", "new.kdl"]).code(0);
    assert_eq!(text.err, "");
    let markdown = dir.run(["diff", "old.kdl", "new.kdl", "--format", "markdown"]).code(0).out;
    assert_snapshot("diff__changes", &format!("{}\n────\n{markdown}", text.out));
    // Nothing of a spec is markup: outside of code spans there is no character that could be.
    for line in markdown.lines() {
        for (n, part) in line.split('`').enumerate() {
            assert!(n % 2 == 1 || !part.contains(['<', '@', '[', '|', '!']), "{line}");
        }
    }
    let schema = report::diff::schema();
    assert_generated("schemas/diff.schema.json", &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&dir.run(["diff", "old.kdl", "new.kdl", "--format", "json"]).code(0).out)
            .unwrap();
    assert_eq!(validator.iter_errors(&json).map(|error| error.to_string()).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(json["summary"]["wider"], markdown.matches("**wider**").count());
    assert_eq!(
        json["changes"].as_array().map(Vec::len),
        Some(text.out.lines().filter(|line| line.starts_with("  ") && !line.starts_with("     ")).count())
    );
}

#[test]
fn widening_is_denied_when_it_is_asked_for() {
    let dir = Dir::new();
    dir.write("old.kdl", OLD);
    dir.write("new.kdl", NEW);
    dir.write("less.kdl", OLD.replace("\"registry.example.com\"", ""));
    dir.write("other.kdl", OLD.replace("network", &format!("pipelock image=\"{IMAGE}\"\n    network")));
    dir.write("broken.kdl", "bottle \"api\" { egres; }\n");
    dir.write("none.kdl", "profile \"p\" {}\n");
    dir.run(["diff", "old.kdl", "new.kdl"]).code(0);
    dir.run(["diff", "--deny-widening", "old.kdl", "new.kdl"]).code(1);
    dir.run(["diff", "--deny-widening", "old.kdl", "less.kdl"]).code(0).says("1 narrower");
    dir.run(["diff", "--deny-widening", "old.kdl", "old.kdl"]).code(0).says("nothing changed");
    // What nobody can tell is for a person to look at.
    dir.run(["diff", "--deny-widening", "old.kdl", "other.kdl"]).code(1).says("1 unclear");
    dir.run(["diff", "--deny-widening", "--bottle", "api", "old.kdl", "less.kdl"]).code(0);
    // Nor can anybody see in a plan what another boot source holds, or what a guard would have found.
    dir.write("booted.kdl", OLD.replace("network", "rootfs \"./r\"\n    network"));
    dir.write(
        "host.kdl",
        OLD.replace("network", "accept \"host-path-exposed\" reason=\"r\"; rootfs \"/\"\n    network"),
    );
    dir.run(["diff", "--deny-widening", "booted.kdl", "host.kdl"])
        .code(1)
        .says("the agent boots: `rootfs /`");
    dir.write("guarded.kdl", OLD.replace("network", "expect { refuse \"a.test\"; }\n    network"));
    let gone = dir.run(["diff", "--deny-widening", "guarded.kdl", "old.kdl"]).code(1);
    gone.says("wider     `a.test` is no longer expected to be refused, before in guarded.kdl:2");
    dir.run(["diff", "--bottle", "nobody", "old.kdl", "new.kdl"]).code(2);
    dir.run(["diff", "--deny-widening", "none.kdl", "old.kdl"]).code(1).says("a new bottle");
    dir.run(["diff", "old.kdl", "broken.kdl"]).code(1).complains("unknown-node");
    dir.run(["diff", "old.kdl", "nowhere.kdl"]).code(3).complains("there is no such file");
    dir.write("empty/.keep", "");
    dir.run(["diff", "old.kdl", "empty"]).code(3).complains("it is no stage, and there is none in it");
}

#[test]
fn a_stage_is_what_its_spec_says_until_somebody_edits_it() {
    let repo = format!(
        "git {{ repo \"r\" {{ url \"ssh://git@github.com/acme/api.git\"; identity \"./id\"; host-key \"{KEY}\"; }} }}"
    );
    let spec = OLD.replace("network", &format!("{repo}\n    rootfs \"./rootfs\"\n    network"));
    let dir = Dir::new();
    dir.write("specs/x.kdl", spec);
    for out in ["stage", "build/deep/stages"] {
        dir.run(["build", "specs/x.kdl", "--out", out]).code(0);
        let stage = format!("{out}/api");
        // Paths are seen from the stage, wherever that is.
        dir.run(["diff", &stage, "specs/x.kdl"]).code(0).says("nothing changed");
        dir.run(["diff", "specs/x.kdl", out]).code(0).says("nothing changed");
    }
    dir.run(["diff", "stage", "stage/api"]).code(0).says("nothing changed");
    dir.write("two.kdl", format!("{OLD}bottle \"b\" {{ network octet=43; }}\n"));
    // One stage is compared with its own bottle, a directory of them with all.
    assert!(!dir.run(["diff", "stage/api", "two.kdl"]).code(0).out.contains("bottle b"));
    assert!(dir.run(["diff", "stage", "two.kdl"]).code(0).out.contains("bottle b"));
    let plan = dir.read("stage/api/plan.json").replace("registry.example.com", "registry.example.net");
    dir.write("stage/api/plan.json", plan);
    dir.run(["diff", "stage/api", "specs/x.kdl"]).code(3).complains("it is not as it was built");
    dir.write("mine/plan.json", "{}");
    dir.run(["diff", "mine", "specs/x.kdl"]).code(3).complains("it is no stage that bottlec wrote");
}
