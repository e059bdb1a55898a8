//! pipelock's configuration, and specs that make one.
#![allow(clippy::format_collect, reason = "specs are put together from few parts")]

use std::fmt::Write as _;

use bottlec::lower::Stage;
use bottlec::lower::pipelock::PATH;
use proptest::prelude::*;
use serde_json::Value;

pub(crate) fn yaml(stage: &Stage) -> &str {
    std::str::from_utf8(&stage.files[PATH].bytes).expect("text")
}

/// What libyaml reads.
pub(crate) fn read(text: &str) -> Value {
    yaml_serde::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A KDL string with every character that needs it escaped.
pub(crate) fn kdl(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_ascii_graphic() || c == ' ' => quoted.push(c),
            c => {
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    quoted + "\""
}

/// Texts that YAML's readers take for something else than text, or that would break out of it.
pub(crate) const NASTY: &[&str] = &[
    "no",
    "on",
    "y",
    "true",
    "null",
    "~",
    "1e3",
    "0x1f",
    "0o17",
    "010",
    "1_000",
    ".inf",
    "2026-01-01",
    "12:30:45",
    "*.example.com",
    "*x",
    "&a",
    "!!bool",
    "- a",
    "a: b",
    "a #b",
    "{",
    "[",
    "%",
    "@x",
    "`x",
    "'",
    "''",
    "\"",
    "\\",
    "\\n",
    "a\nmode: audit",
    "a\\nmode: audit",
    "\n---\n",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\t",
    " a",
    "a ",
    "é",
    "x'\nenforce: false\n#",
    "<<",
    "=",
    "|",
    ">",
    "?",
    ",",
    "]",
    "}",
    "..",
    "--",
    "api.example.com",
    "::1",
    "10.0.0.1",
    "10.0.0.0/8",
    "fd00::/8",
    "(x)",
    "[a-z]{3}",
    "x{2,5}y",
    "(?i)no",
    "\\d+",
    "\\x{41}b",
    "~/ca.pem",
    "./ca.pem",
];

pub(crate) fn nasty() -> BoxedStrategy<String> {
    prop_oneof![
        4 => prop::sample::select(NASTY).prop_map(str::to_owned),
        1 => any::<String>(),
        2 => "[ -~]{1,12}",
    ]
    .boxed()
}

pub(crate) fn mostly(right: &'static str) -> BoxedStrategy<String> {
    prop_oneof![12 => right.prop_map(|text| text), 1 => nasty()].boxed()
}

pub(crate) fn egress() -> impl Strategy<Value = String> {
    let host = || {
        mostly(
            "(\\*\\.)?[a-z0-9]{1,6}(-[a-z]{1,3})?\\.example\\.(com|org)|no\\.example\\.com|1e3\\.example\\.net",
        )
    };
    let hosts = |node: &'static str| {
        prop::collection::vec(host(), 0..3).prop_map(move |hosts| {
            hosts.iter().map(|host| format!("{node} {}\n", kdl(host))).collect::<String>()
        })
    };
    let private = prop::option::of(mostly("10\\.[1-9]\\.0\\.0/16|192\\.168\\.3\\.4")).prop_map(|upstream| {
        upstream
            .map(|it| {
                format!(
                    "private {0}\nallow \"db.example.com\" \"192.168.3.4\"\nprivate \"192.168.3.4\"\n",
                    kdl(&it)
                )
            })
            .unwrap_or_default()
    });
    let pattern = (
        mostly("[a-z]{1,5}|no|1e3|on|null"),
        prop_oneof![nasty(), "[a-z]{1,4}(\\\\d|[+]|[{]2[}]|: | #|'|%)?".prop_map(|text| text)],
        mostly("critical|high|medium|low"),
    )
        .prop_map(|(name, regex, severity)| {
            format!("pattern {} regex={} severity={}\n", kdl(&name), kdl(&regex), kdl(&severity))
        });
    let scans = (mostly("block|warn"), mostly("block|strip|warn"), 1..2_000_000u32, mostly("all|blocked"));
    let tls =
        prop::option::of((mostly("\\./[a-z]{1,4}\\.pem"), mostly("/[a-z]{1,4}\\.pem"), hosts("passthrough")))
            .prop_map(|tls| {
                tls.map(|(cert, key, hosts)| {
                    format!("tls {{\nca-cert {}\nca-key {}\n{hosts}}}\n", kdl(&cert), kdl(&key))
                })
                .unwrap_or_default()
            });
    let numbers = (prop::option::of(1..1_000_000u32), prop::option::of(1..u32::MAX), 1..86_400u32);
    (hosts("allow"), hosts("deny"), private, prop::option::of(pattern), scans, tls, numbers).prop_map(
        |(allow, deny, private, pattern, (bodies, responses, bytes, log), tls, (rate, budget, life))| {
            let pattern = pattern.unwrap_or_default();
            let rate = rate.map(|n| format!("rate-limit {n}\n")).unwrap_or_default();
            let budget = budget.map(|n| format!("data-budget {n}\n")).unwrap_or_default();
            format!(
                "{allow}{deny}{private}dlp {{\n{pattern}}}\n{rate}{budget}scan-bodies {} max-bytes={}\nscan-responses \
                 {}\nlog {}\ntunnel max-seconds={life}\n{tls}",
                kdl(&bodies),
                1024 + bytes,
                kdl(&responses),
                kdl(&log)
            )
        },
    )
}

pub(crate) fn spec() -> impl Strategy<Value = String> {
    egress().prop_map(|egress| format!("bottle \"no\" {{\negress {{\n{egress}}}\n}}\n"))
}
