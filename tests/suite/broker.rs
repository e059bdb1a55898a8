//! The configuration of the broker. What Caddy does with it is judged by `tests/broker/judge.py`.

use bottlec::backend::lower;
use bottlec::lower::broker::PATH;
use bottlec::world::broker::PathPattern;
use proptest::strategy::{Strategy as _, ValueTree as _};
use regex::Regex;
use serde_json::Value;

use crate::support::compile_text;

fn emitted(name: &str, body: &str) -> String {
    let (_, compilation) = compile_text(name, &format!("bottle \"ops\" {{\n{body}\n}}\n"));
    let [plan] = &compilation.plans[..] else { panic!("{:?}", compilation.diagnostics) };
    String::from_utf8(lower(plan).files[PATH].bytes.to_vec()).unwrap()
}

fn credential(rest: &str) -> String {
    format!("credential \"c\" {{\nupstream \"https://api.example.com\"\n{rest}\n}}")
}

/// Every object of the configuration that has a key.
fn with<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(object) => {
            found.extend(object.contains_key(key).then_some(value));
            object.values().for_each(|value| with(value, key, found));
        }
        Value::Array(values) => values.iter().for_each(|value| with(value, key, found)),
        _ => {}
    }
}

fn all<'a>(config: &'a Value, key: &str) -> Vec<&'a Value> {
    let mut found = vec![];
    with(config, key, &mut found);
    found
}

/// What the configuration holds a request's target against: the path's spelling, segments that lead elsewhere, and a list.
struct Lists {
    canonical: Regex,
    elsewhere: Regex,
    list: Vec<Regex>,
}

impl Lists {
    /// Of a configuration with one credential, whose entries have a path each.
    fn of(config: &str) -> Self {
        let config: Value = serde_json::from_str(config).unwrap();
        let patterns = |value: &Value| {
            let pattern = value["vars_regexp"]["{http.request.orig_uri}"]["pattern"].as_str();
            pattern.map(|pattern| Regex::new(pattern).unwrap())
        };
        let routes = config["apps"]["http"]["servers"]["broker"]["routes"].as_array().unwrap();
        let path = routes.iter().find(|route| route["handle"][0]["value"] == "path").unwrap();
        let passage = routes.iter().find(|route| route["handle"][2]["handler"] == "reverse_proxy").unwrap();
        Self {
            canonical: patterns(&path["match"][0]["not"][0]).unwrap(),
            elsewhere: patterns(&path["match"][1]).unwrap(),
            list: passage["match"].as_array().unwrap().iter().map(|it| patterns(it).unwrap()).collect(),
        }
    }

    fn lets_through(&self, at: usize, path: &str) -> bool {
        let target = format!("/c{path}");
        self.canonical.is_match(&target)
            && !self.elsewhere.is_match(&target)
            && self.list[at].is_match(&target)
    }
}

const PATTERNS: &[&str] = &[
    "/",
    "/a",
    "/a/",
    "/a/*",
    "/*/b",
    "/a/*/b/*",
    "/**",
    "/a/**",
    "/*/**",
    "/a/*:b",
    "/a*b*c",
    "/*0",
    "/a%2Fb",
    "/a%2Fb/**",
    "/a%20b",
    "/%C3%A4/*",
    "/a.b/a+b/(a)/$a",
    "/a;b/*",
    "/..a/**",
    "/a%3Bb",
];

/// What the paths of the tries are put together from.
const PARTS: &[&str] = &[
    "/",
    "/",
    "a",
    "b",
    "c",
    "a",
    "b",
    ":",
    ";",
    ".",
    "..",
    "0",
    "%2F",
    "%2f",
    "%20",
    "%2E",
    "%25",
    "%3B",
    "%3b",
    "%3F",
    "%23",
    "%5C",
    "%00",
    "%7F",
    "%41",
    "%C3%A4",
    "%c3%a4",
    "%C3",
    "%A4",
    "%C0%AE",
    "%E0%80%AF",
    "%ED%A0%80",
    "%F0%9F%98%80",
    "%F4%90%80%80",
    "%",
    "%2",
    "%zz",
    "ä",
    " ",
    "\\",
    "#",
    "*",
    "**",
    "+",
    "(",
    "$",
    "{",
    "A",
    "/..a/",
    "/a.b/a+b/(a)/$a",
    "/a/",
    "%80",
];

#[test]
fn a_list_says_the_same_to_caddy_as_to_us() {
    let allow: Vec<_> = PATTERNS.iter().map(|path| format!("allow \"GET\" \"{path}\"")).collect();
    let config = emitted("x.kdl", &credential(&format!("bearer from-env=\"KEY\"\n{}", allow.join("\n"))));
    let lists = Lists::of(&config);
    let patterns: Vec<_> = PATTERNS.iter().map(|path| PathPattern::parse(path).unwrap()).collect();
    let path = proptest::collection::vec(proptest::sample::select(PARTS), 0..9)
        .prop_map(|parts| format!("/{}", parts.concat()));
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut through = 0_u32;
    for _ in 0..20_000 {
        let path = path.new_tree(&mut runner).unwrap().current();
        for (at, pattern) in patterns.iter().enumerate() {
            let ours = pattern.matches(&path);
            assert_eq!(lists.lets_through(at, &path), ours, "{pattern} {path}");
            through += u32::from(ours);
        }
    }
    assert!(through > 2_000, "{through}");
}

#[test]
fn without_a_list_every_path_with_one_reading_passes() {
    let lists = Lists::of(&emitted("x.kdl", &credential("bearer from-env=\"KEY\"")));
    for (path, expected) in [
        ("/", true),
        ("/a", true),
        ("/a/b/", true),
        ("/a%2Fb", true),
        ("", false),
        ("//", false),
        ("/..", false),
        ("/a%2F..", false),
        ("/%2e%2e/a", false),
    ] {
        assert_eq!(lists.lets_through(0, path), expected, "{path}");
    }
}

#[test]
fn a_query_with_a_credential_is_told_from_one_without() {
    let config = emitted("x.kdl", &credential("header \"x-acme-key\" from-env=\"KEY\""));
    let config: Value = serde_json::from_str(&config).unwrap();
    let routes = config["apps"]["http"]["servers"]["broker"]["routes"].as_array().unwrap();
    let query = routes.iter().find(|route| route["handle"][0]["value"] == "query").unwrap();
    let refused: Vec<_> = all(query, "pattern")
        .into_iter()
        .map(|it| Regex::new(it["pattern"].as_str().unwrap()).unwrap())
        .collect();
    for (query, expected) in [
        ("key=1", true),
        ("KEY=1", true),
        ("a=1&k%65y=1", true),
        ("x-acme-key=1", true),
        ("x_acme_key=1", true),
        ("user[private_token]=1", true),
        ("a;access_token=1", true),
        ("$httpMethod=DELETE", true),
        ("_method=PUT", true),
        ("keys=1", false),
        ("a=key", false),
        ("page_token=1", false),
        ("q=author:x+token", false),
    ] {
        let target = format!("/c/a?{query}");
        assert_eq!(refused.iter().any(|it| it.is_match(&target)), expected, "{query}");
    }
}

#[test]
fn what_a_file_is_called_is_no_placeholder() {
    let config = emitted("{file./run/broker/c}.kdl", &credential("bearer from-env=\"KEY\""));
    let config: Value = serde_json::from_str(&config).unwrap();
    let said: Vec<_> = all(&config, "broker.credential")
        .into_iter()
        .map(|it| it["broker.credential"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["credential c (\\{file./run/broker/c\\}.kdl:2)"]);
}

#[test]
fn nothing_of_the_spec_is_a_group_of_a_replacement() {
    let body = "credential \"c\" {\nupstream \"https://api.example.com/$1/a.b\"\nbearer from-env=\"KEY\"\n}";
    let config: Value = serde_json::from_str(&emitted("x.kdl", body)).unwrap();
    let [rewrite] = all(&config, "path_regexp")[..] else { panic!("{config}") };
    assert_eq!(rewrite["path_regexp"][0]["replace"], "/$$1/a.b");
    let locations = &all(&config, "Location")[0]["Location"];
    assert_eq!(locations[1]["search_regexp"], r"^/\$1/a\.b(/|\?|#|$)");
}

#[test]
fn an_address_is_dialled_as_one() {
    for (upstream, dial, host, name) in [
        ("https://api.example.com", "api.example.com:443", "api.example.com", "api.example.com"),
        ("https://api.example.com:8443", "api.example.com:8443", "api.example.com:8443", "api.example.com"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]:8443", "[2001:db8::1]:8443", "2001:db8::1"),
    ] {
        let body = format!("credential \"c\" {{\nupstream \"{upstream}\"\nbearer from-env=\"KEY\"\n}}");
        let config: Value = serde_json::from_str(&emitted("x.kdl", &body)).unwrap();
        let [proxy] = all(&config, "upstreams")[..] else { panic!("{config}") };
        assert_eq!(proxy["upstreams"][0]["dial"], dial);
        assert_eq!(proxy["headers"]["request"]["set"]["host"][0], host);
        assert_eq!(proxy["transport"]["tls"]["server_name"], name);
    }
}
