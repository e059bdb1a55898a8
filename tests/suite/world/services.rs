//! What listens at which port, well-known images, and the variables that programs read.

use std::collections::BTreeSet;

use bottlec::rule::catalogue::ENV_IGNORED;
use bottlec::world::images::{IMAGES, Image, find, lies_in};
use bottlec::world::ports::{SERVICES, of_scheme};
use bottlec::world::variables::{AGENT, LOOKUPS, MISTAKEN, PROXIES, Read};

use crate::support::compile_text;

#[test]
fn a_port_is_one_service() {
    assert!(SERVICES.is_sorted_by(|a, b| a.scheme < b.scheme));
    let ports: Vec<u16> = SERVICES.iter().flat_map(|service| service.ports).copied().collect();
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
}

#[test]
fn each_speaks_a_known_protocol_at_a_known_port() {
    for image @ Image { scheme, .. } in IMAGES {
        let name = image.short();
        assert!(of_scheme(scheme).is_some_and(|service| !service.ports.is_empty()), "{name}: {scheme}");
    }
}

#[test]
fn a_mirror_has_the_same_image() {
    for reference in [
        "postgres",
        "postgres:17",
        "docker.io/library/postgres:17@sha256:00",
        "registry.example.com:5000/library/postgres:17",
        "public.ecr.aws/docker/library/postgres",
    ] {
        assert_eq!(find(reference).map(Image::short), Some("postgres"), "{reference}");
    }
    for reference in ["docker.io/bitnami/postgres", "ghcr.io/acme/postgres:17", "library/postgresql"] {
        assert!(find(reference).is_none(), "{reference}");
    }
    assert!(lies_in("/var/run/postgresql", "/run"));
    assert!(!lies_in("/var/running", "/var/run"));
}

#[test]
fn every_fact_has_a_source() {
    assert!(PROXIES.iter().all(|(_, _, source)| source.len() > 6));
    assert!(AGENT.iter().all(|read| read.source.len() > 6));
    assert!(LOOKUPS.iter().all(|(_, source)| source.ends_with(')')));
    assert!(PROXIES.is_sorted() && LOOKUPS.is_sorted() && MISTAKEN.is_sorted());
    let sorted = |a: &Read, b: &Read| a.variable.name.replace('_', "") < b.variable.name.replace('_', "");
    assert!(AGENT.is_sorted_by(sorted));
    let known = |meant: &str| AGENT.iter().any(|read| read.variable.name == meant);
    assert!(MISTAKEN.iter().all(|(_, meant)| known(meant)));
}

/// What is said of an agent's variable.
fn said_of(variable: &str) -> Vec<String> {
    let text = format!("bottle \"x\" {{\n    env {{ {variable} \"1\"; }}\n}}\n");
    let (_, compilation) = compile_text("x.kdl", &text);
    let all = compilation.diagnostics.as_slice().iter();
    all.filter(|it| it.rule == &ENV_IGNORED).map(|it| it.primary.message.clone()).collect()
}

#[test]
fn near_misses_are_told_from_other_names() {
    for (given, known) in [
        ("ANTHROPIC_APIKEY", "ANTHROPIC_API_KEY"),
        ("anthropic_api_key", "ANTHROPIC_API_KEY"),
        ("ANTROPIC_API_KEY", "ANTHROPIC_API_KEY"),
        ("OPEN_AI_API_KEY", "OPENAI_API_KEY"),
        ("OPENAI_KEY", "OPENAI_API_KEY"),
    ] {
        assert_eq!(said_of(given), [format!("did you mean `{known}`?")], "{given}");
    }
    for other in ["OPENAI_API_KEY", "OPENAI_API_KEY2", "GROK_API_KEY", "GH_TOKEN", "API_KEY", "TERM"] {
        assert_eq!(said_of(other), [""; 0], "{other}");
    }
}
