//! Text to artifacts in memory: as many bottles as one host holds, compiled together.

use std::fmt::Write as _;

use bottlec::backend::lower_all;
use bottlec::source::{Source, Sources};
use bottlec::{Options, compile};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

/// A spec of some 400 KB: 250 bottles of the example's kind, each with comments, secrets, hosts, a repository and a
/// database.
fn spec() -> String {
    let digest = "0123456789abcdef".repeat(4);
    let mut text = String::from(
        "profile \"team\" {\n    env { TERM \"xterm-256color\"; }\n    egress { allow \"api.anthropic.com\"; }\n}\n",
    );
    for n in (1..=251).filter(|n| *n != 17) {
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            r#"
// Bottle number {n}: what it is for, who asked for it, and until when it is needed.
bottle "agent-{n}" {{
    extends "team"
    engine "smolvm" version="1.33.0"            // what the stage is compiled for
    artifact "./agent-{n}.smolmachine"          // what the agent boots from

    env {{
        GH_HOST "github.com"                                // a literal
        ANTHROPIC_API_KEY from-env="ANTHROPIC_API_KEY"      // a reference: its value is in no file
        NPM_TOKEN from-file="/run/secrets/npm-{n}"
        GREETING "a value with \"quotes\" and a \\ in it"
    }}

    egress {{                                    // what pipelock lets through
        allow "packages.example.com" "*.github.com" "registry-{n}.example.com"
        allow "docs.example.com"
        deny "gist.github.com"
        rate-limit 600                          // requests a minute
    }}

    git {{
        user name="Ada" email="ada@example.com"
        repo "api" {{
            url "ssh://git@github.com/acme/api-{n}.git"
            identity "~/.ssh/id_ed25519"        // stays on the host
            host-key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
        }}
    }}

    supervise                                   // the agent may ask a human

    sidecar "db" image="docker.io/library/postgres:17@sha256:{digest}" {{
        port 5432 scheme="postgres"
        needs "pipelock"                        // starts after it
        env {{ POSTGRES_PASSWORD from-env="DB_PASSWORD"; }}
        expose "DATABASE_URL" path="/app"
    }}

    network octet={n}
}}
"#
        );
    }
    text
}

fn sources(text: &str) -> Sources {
    let mut sources = Sources::new();
    sources.add(Source::new("bench.kdl", text));
    sources
}

/// Everything: text, tree, spec, plan, and the bytes of every file of every stage.
#[divan::bench]
fn text_to_artifacts(bencher: Bencher<'_, '_>) {
    let text = spec();
    // What is returned is dropped after the clock has stopped.
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let compilation = compile(&sources(&text), &Options::default());
        let stages = lower_all(&compilation.plans);
        assert_eq!(stages.len(), 250);
        (compilation, stages)
    });
}

/// The same without lowering: what `bottlec check` does.
#[divan::bench]
fn text_to_plans(bencher: Bencher<'_, '_>) {
    let text = spec();
    bencher.counter(BytesCount::of_str(&text)).bench(|| compile(&sources(&text), &Options::default()));
}
