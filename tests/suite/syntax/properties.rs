//! What holds for every text.

use bottlec::syntax::Tree;
use proptest::prelude::*;

use super::generate;
use super::oracle::deviates;
use crate::support::syntax::{every_node, for_all, parse, parse_bytes, shown};

fn check(tree: &Tree) {
    let text = tree.text();
    let mut at = 0;
    for token in tree.tokens() {
        assert_eq!(token.range.start, at, "tokens must be contiguous");
        assert!(token.range.end > at, "tokens must not be empty");
        at = token.range.end;
    }
    assert_eq!(at as usize, text.len(), "tokens must cover the text");
    let within = |inner: bottlec::source::Span, outer: bottlec::source::Span| {
        assert!(outer.start <= inner.start && inner.end <= outer.end, "{inner:?} in {outer:?} of {text:?}");
        assert!(text.get(inner.range()).is_some(), "{inner:?} of {text:?}");
    };
    for node in every_node(tree) {
        let span = node.span();
        assert!(text.get(span.range()).is_some());
        within(node.name_span(), span);
        within(node.head_span(), span);
        let _ = node.name().len();
        if let Some((_, ty)) = node.type_annotation() {
            within(ty, span);
        }
        if let Some(block) = node.block_span() {
            within(block, span);
        }
        for entry in node.all_entries() {
            within(entry.span(), span);
            within(entry.value_span(), entry.span());
            if let Some((_, key)) = entry.key() {
                within(key, entry.span());
            }
            if let Some((_, ty)) = entry.type_annotation() {
                within(ty, entry.span());
            }
            let _ = entry.value();
        }
        for child in node.all_children() {
            within(child.span(), span);
        }
    }
}

fn check_diagnostics(text: &str, diagnostics: &bottlec::diagnostic::Diagnostics) {
    for diagnostic in diagnostics.as_slice() {
        let related = diagnostic.related.iter();
        let edits = diagnostic.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        for span in related.map(|label| label.span).chain(edits).chain([diagnostic.primary.span]) {
            assert!(text.get(span.range()).is_some(), "{span:?} of {text:?}: {}", diagnostic.message);
        }
        assert!(!diagnostic.message.contains(bottlec::text::is_unsafe_to_show), "{}", diagnostic.message);
        let _ = crate::support::syntax::fixed(text, diagnostic);
    }
}

fn check_text(text: &str) -> usize {
    let (tree, diagnostics) = parse(text);
    check(&tree);
    check_diagnostics(text, &diagnostics);
    diagnostics.as_slice().len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (tree, diagnostics) = parse_bytes(&bytes);
        check(&tree);
        check_diagnostics(tree.text(), &diagnostics);
    }

    #[test]
    fn any_text(text in "\\PC{0,80}") {
        check_text(&text);
    }

    #[test]
    fn texts_of_syntax(text in "([a1 \n{}()=;/*#r.,\\\\-]|\"|\"\"\"|/-|//|/\\*|\\*/|\\[|true|inf|\u{202e}|\u{feff}|\0|\u{85}|é){0,60}") {
        check_text(&text);
    }

    #[test]
    fn one_character_less_is_one_mistake(at in any::<prop::sample::Index>()) {
        let places: Vec<usize> = SPEC.match_indices(['{', '}', '"']).map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        let mut text = String::from(SPEC);
        text.remove(at);
        let (_, diagnostics) = parse(&text);
        prop_assert!(diagnostics.as_slice().len() == 1, "without byte {} ({:?}):\n{}", at, &SPEC[at..=at], shown(&diagnostics));
    }
}

#[test]
fn mutated_documents() {
    for_all(generate::mutated, |text| {
        check_text(&text);
        Ok(())
    });
}

#[test]
fn unbalanced_documents() {
    for_all(generate::unbalanced, |text| {
        check_text(&text);
        Ok(())
    });
}

#[test]
fn documents_are_clean() {
    for_all(generate::document, |text| {
        if deviates(&text) {
            return Ok(());
        }
        let (tree, diagnostics) = parse(&text);
        prop_assert!(diagnostics.is_empty(), "{:?}\n{}", text, shown(&diagnostics));
        check(&tree);
        Ok(())
    });
}

const SPEC: &str = r#"// A spec as people write them.
profile "team" {
    env { TERM "xterm-256color" }
    egress {
        allow "api.anthropic.com" "*.github.com"
        deny "gist.github.com"
    }
}

bottle "api-dev" {
    extends "team"

    engine "smolvm" version="1.33.0" // what the stage is compiled for
    artifact "./agent.smolmachine"

    env {
        GH_HOST "github.com"
        ANTHROPIC_API_KEY from-env="ANTHROPIC_API_KEY"
    }

    git {
        user name="Ada" email="ada@example.com"
        repo "api" {
            url "ssh://git@github.com/acme/api.git"
            identity "~/.ssh/id_ed25519"
        }
    }

    supervise

    sidecar "db" image="docker.io/library/postgres:17" {
        port 5432 scheme="postgres"
        needs "pipelock"
        env { POSTGRES_PASSWORD from-env="DB_PASSWORD" }
    }

    network octet=42
}
"#;
