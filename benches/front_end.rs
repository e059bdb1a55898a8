//! How fast specs are read. `cargo bench --bench front_end`

use bottlec::diagnostic::Diagnostics;
use bottlec::source::{Source, Sources};
use bottlec::syntax;
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

/// A spec of about `bytes` bytes, the same each time.
fn spec(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 2_048);
    let mut number = 0;
    while text.len() < bytes {
        number += 1;
        text.push_str(&BOTTLE.replace("NUMBER", &number.to_string()));
    }
    text
}

const BOTTLE: &str = r#"// What the team allows itself; see the handbook before you change it.
profile "team-NUMBER" {
    env { TERM "xterm-256color" }
    egress {
        allow "api.anthropic.com" "*.github.com"
        deny "gist.github.com"
    }
}

bottle "api-dev-NUMBER" {
    extends "team-NUMBER"

    engine "smolvm" version="1.33.0"           // what the stage is compiled for
    artifact "./agent.smolmachine"              // at most one

    env {
        GH_HOST "github.com"                    // a literal
        ANTHROPIC_API_KEY from-env="ANTHROPIC_API_KEY"   // a reference: its value is in no file
        NPM_TOKEN from-file="/run/secrets/npm"
    }

    egress {                                    // -> pipelock
        allow "packages.example.com"
        rate-limit 600                          // requests a minute
    }

    git {
        user name="Ada" email="ada@example.com"
        repo "api" {
            url "ssh://git@github.com/acme/api.git"
            identity "~/.ssh/id_ed25519"        // stays on the host
            host-key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
        }
    }

    supervise

    sidecar "db" image="docker.io/library/postgres:17" {
        port 5432 scheme="postgres"
        needs "pipelock"                        // starts after it
        env { POSTGRES_PASSWORD from-env="DB_PASSWORD" }
        expose "DATABASE_URL" path="/app"
    }

    /* pins 192.168.42.0/24 */
    network octet=42
}

"#;

#[divan::bench(args = [400 << 10, 1 << 20, 10 << 20])]
fn bottlec(bencher: Bencher<'_, '_>, bytes: usize) {
    let mut sources = Sources::new();
    let id = sources.add(Source::new("bench.kdl", spec(bytes)));
    let source = sources.get(id);
    bencher.counter(BytesCount::new(source.text().len())).bench(|| {
        let mut diagnostics = Diagnostics::new();
        let tree = syntax::parse(id, source, &mut diagnostics);
        assert!(diagnostics.is_empty());
        tree
    });
}

/// The reference implementation, for comparison.
#[divan::bench(args = [400 << 10], sample_count = 5, sample_size = 1)]
fn kdl_crate(bencher: Bencher<'_, '_>, bytes: usize) {
    let text = spec(bytes);
    bencher.counter(BytesCount::new(text.len())).bench(|| kdl::KdlDocument::parse_v2(&text).is_ok());
}

// Benches of the later stages (decode, resolve, plan, lower) go into files of their own beside this one.
