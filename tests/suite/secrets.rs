//! The law of `secret-literal`: a credential that stands in a spec stands in no report, whatever else is wrong there.

use bottlec::backend::lower;
use bottlec::diagnostic::{Diagnostic, Diagnostics};
use bottlec::report::{self, Format, Style, graph, redact};
use bottlec::rule::catalogue::ENV_IGNORED;
use bottlec::source::{Sources, Span};
use bottlec::world::secret::{Body, SHAPES, looks_secret};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::support::compile_text;

const FORMATS: [Format; 9] = [
    Format::Fancy,
    Format::Concise,
    Format::Json,
    Format::Sarif,
    Format::Github,
    Format::Gitlab,
    Format::Junit,
    Format::Checkstyle,
    Format::Rdjson,
];

/// Where a credential may stand: `§` is where. Most of them are wrong, by themselves or beside it.
const PLACES: &[&str] = &[
    "bottle \"demo\" {\n    env { TOKEN \"§\"; }\n}\n",
    "bottle \"demo\" {\n    env { A \"1\"; TOKEN \"§\"; TOKEN \"§\"; HTTP_PROXY \"x\"; }\n}\n",
    "bottle \"demo\" {\n    env { TOKEN \"§\" from-env=\"X\"; }\n}\n",
    "bottle \"demo\" {\n    env { TOKEN \" § \\u{7}\"; }\n}\n",
    "bottle \"demo\" {\n    env { TOKEN \"§ }\n}\n",
    "bottle \"demo\" {\n    env { TOKEN §; }\n}\n",
    "bottle \"demo\" {\n    env { §; }\n}\n",
    "bottle \"demo\" {\n    evn { TOKEN \"§\"; }\n}\n",
    "bottle \"demo\" {\n    env { TOKEN from-env=\"§\"; }\n}\n",
    "bottle \"demo\" {\n    env { TOKEN from-evn=\"§\"; }\n}\n",
    "bottle \"demo\" {\n    env { TOKEN \"§\" \"§\"; }\n}\n",
    "bottle \"demo\" {\n    env { TOKEN #\"\"§\"\"#; }\n    egres\n}\n",
    "bottle \"demo\" {\n    env { TOKEN \"\"\"\n    §\n    \"\"\"; }\n}\n",
    "// §\nbottle \"demo\" { egres { allow \"a.example.com\"; }; }\n",
    "/* the old one: TOKEN \"§\" */ bottle \"demo\" { egres; }\n",
    "bottle \"demo\" {\n    /- env { TOKEN \"§\"; }\n    egres\n}\n",
    "bottle \"§\" { egress { allow \"*.example.com\" \"a.example.com\"; }; }\n",
    "bottle \"demo\" {\n    egress { allow \"§\" \"https://u:§@a.example.com\"; }\n}\n",
    "bottle \"demo\" {\n    egress { dlp { pattern \"x\" regex=\"(§\"; }; }\n}\n",
    "bottle \"demo\" {\n    git { user name=\"§\" email=\"a@example.com\"; repo \"api\" { url \"https://u:§@github.com/a/b.git\"; }; }\n}\n",
    "bottle \"demo\" {\n    sidecar \"db\" image=\"docker.io/library/postgres:17\" {\n        command \"serve\" \"--token=§\"\n        health \"curl\" \"-H\" \"Authorization: Bearer §\"\n        env { TOKEN \"§\"; }\n        port 5432\n        expose \"DB\" path=\"/§\"\n    }\n}\n",
    "bottle \"demo\" {\n    image \"example.com/agent:§\"\n    extends \"§\"\n    accept \"dns-open\" reason=\"§\"\n}\n",
    "include \"§.kdl\"\nprofile \"§\" { extends \"§\"; }\n",
    "bottle \"demo\" {\n    accept \"secret-literal\" reason=\"for a test\"\n    env { TOKEN \"§\"; }\n    sidecar \"db\" image=\"docker.io/library/postgres:17\" {\n        command \"serve\" \"--token=§\"\n        env { TOKEN \"§\"; }\n        port 5432\n    }\n}\n",
];

/// Whether a text tells a part of a secret that is worth having.
fn leak<'s>(text: &str, secret: &'s str) -> Option<&'s str> {
    let text = text.to_ascii_lowercase();
    let mut parts = (0..secret.len().saturating_sub(9)).map(|at| &secret[at..at + 10]);
    parts.find(|part| text.contains(&part.to_ascii_lowercase()))
}

fn shown(diagnostics: &Diagnostics, sources: &Sources) -> Vec<String> {
    let mut all = Vec::new();
    for format in FORMATS {
        for (unicode, color, width) in [(false, false, 80), (true, true, 200)] {
            let mut out = Vec::new();
            let style = Style { color, unicode, width };
            report::render(format, diagnostics, &[], sources, &style, &mut out)
                .expect("memory can be written to");
            all.push(String::from_utf8(out).expect("text"));
        }
    }
    all
}

fn check(secret: &str, hidden: &str, place: &str) -> Result<(), TestCaseError> {
    let text = place.replace('§', secret);
    let (sources, compilation) = compile_text("x.kdl", &text);
    let mut all = shown(&compilation.diagnostics, &sources);
    all.push(redact::file(&text).into_owned());
    let style = Style { width: 400, ..Style::default() };
    for plan in &compilation.plans {
        let stage = lower(plan);
        // The stage holds what the spec says.
        prop_assert!(stage.files.values().any(|file| String::from_utf8_lossy(&file.bytes).contains(hidden)));
        all.push(report::plan::render(plan, &stage, "stage", report::plan::Detail::Digests, &style));
        for format in [graph::Format::Text, graph::Format::Svg, graph::Format::Mermaid, graph::Format::Dot] {
            all.push(graph::render(&[plan], format, &style));
        }
    }
    for report in all {
        prop_assert_eq!(leak(&report, hidden), None, "{}\n{}", text, report);
    }
    Ok(())
}

/// A text of a body's characters, mixed as chance mixes them.
fn body(body: Body, numbers: &[Index], length: usize) -> String {
    let all: Vec<char> =
        (0..=127).filter(|b| body.holds(*b) && *b != b'/' && *b != b'=').map(char::from).collect();
    let mut text: String = numbers.iter().cycle().take(length).map(|number| *number.get(&all)).collect();
    // Whatever shrinking makes of it, it is no row of one character.
    let varied: String = all.iter().filter(|c| c.is_ascii_alphanumeric()).rev().take(8).collect();
    text.replace_range(4..12, &varied);
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(130) })]

    #[test]
    fn no_report_shows_a_credential_of_a_known_shape(
        shape in select(SHAPES.iter().collect::<Vec<_>>()),
        numbers in prop::collection::vec(any::<Index>(), 80),
        longer in 0_usize..20,
        place in select(PLACES),
    ) {
        let length = (shape.min.max(12) + longer).min(shape.max);
        let body = body(shape.body, &numbers, length);
        prop_assume!(!body.to_ascii_lowercase().contains("example"));
        check(&format!("{}{body}", shape.prefix), &body, place)?;
    }

    #[test]
    fn no_report_shows_what_a_name_says_is_secret(secret in "([a-z][0-9][A-Z]){6,20}[a-z0-9]{0,4}", place in select(PLACES)) {
        // It is known by its name only, so there has to be one.
        prop_assume!(place.contains("TOKEN") && !place.contains("Bearer") && looks_secret("TOKEN", &secret));
        check(&secret, &secret, place)?;
    }

    #[test]
    fn no_report_shows_the_password_of_a_url(secret in "[a-zA-Z0-9!_-]{12,40}", place in select(PLACES)) {
        prop_assume!(!place.contains("://") && !place.contains("\" § "));
        check(&format!("postgres://user:{secret}@db.example.com/app"), &secret, place)?;
    }
}

#[test]
fn every_place_is_spoken_of() {
    for place in PLACES {
        let text = place.replace('§', &format!("ghp_{}", "0a1B2c3D4e5F".repeat(3)));
        let (_, compilation) = compile_text("x.kdl", &text);
        assert!(!compilation.diagnostics.is_empty(), "{text}");
    }
}

#[test]
fn a_mask_moves_nothing() {
    // A key, and a password that begins in it and ends behind it.
    let text = "-----BEGIN PRIVATE KEY-----a\u{e9}\u{20ac}\u{1f600}\nb0123456789abcdef\r\na://u:p\u{e9}-----END1@h rest";
    let shown = redact::file(text);
    let expected = "-----BEGIN PRIVATE KEY-----*·•\u{1f784}\n*****************\r\n*******·*********@h rest";
    assert_eq!(shown, expected);
    assert_eq!(shown.len(), text.len());
    assert_eq!(shown.encode_utf16().count(), text.encode_utf16().count());
}

#[test]
fn a_part_of_a_secret_is_masked_as_well() {
    let (sources, _) = compile_text("x.kdl", "bottle \"x\" { env { TOKEN \"q7Rk2vX9mZ4tB8wL1nC6\"; }; }\n");
    let at = Span::at(sources.roots()[0], 0);
    let said = |message: &str| {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(Diagnostic::new(&ENV_IGNORED, at, message.to_owned()));
        let mut out = Vec::new();
        let style = Style::default();
        report::render(Format::Concise, &diagnostics, &[], &sources, &style, &mut out)
            .expect("memory can be written to");
        String::from_utf8(out).expect("text")
    };
    let shown = said("`Q7rk2vX9mZ…` and `q7Rk2vX9mZ4tB8wL1nC6`, é");
    assert!(shown.contains("`****…` and `****`, é"), "{shown}");
    let shown = said("`q7Rk` is short");
    assert!(shown.contains("`q7Rk` is short"), "{shown}");
}
