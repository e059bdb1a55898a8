//! `bottlec graph`: what is in the picture, how it is drawn, and that no spec can draw over it.
#![cfg(unix)]

mod geometry;

use bottlec::Options;
use bottlec::report::Style;
use bottlec::report::graph::{Format, shorten};
use geometry::{assert_sound, contrast, skeleton, styles};
use proptest::prelude::*;
use textwrap::core::display_width;

use crate::support::binary::{Dir, SMALL, tree};
use crate::support::pictures::{NASTY, Shape, draw, draw_with, nasty_spec, plans};
use crate::support::{assert_generated, assert_snapshot, compile_file, compile_file_with, root, specs};

const FORMATS: [Format; 4] = [Format::Text, Format::Svg, Format::Mermaid, Format::Dot];

/// A profile and nothing else.
const PROFILE: &str = "profile \"team\" { env { TERM \"xterm\"; }; }\n";

// What is drawn

#[test]
fn examples_are_drawn_as_they_were() {
    for name in ["api-dev", "egress-only", "fleet/fleet"] {
        // As the command does, which shows paths as seen from where it runs.
        let options = Options { stage_to_workspace: String::from("."), ..Options::default() };
        let plans = compile_file_with(&root().join(format!("examples/{name}.kdl")), &options).1.plans;
        let name = name.rsplit('/').next().unwrap();
        for (format, end) in
            [(Format::Text, "txt"), (Format::Svg, "svg"), (Format::Mermaid, "mmd"), (Format::Dot, "dot")]
        {
            let drawn = draw(&plans, format);
            assert_eq!(drawn, draw(&plans, format), "the same twice");
            assert!(drawn.ends_with('\n') && !drawn.contains(" \n"), "{drawn}");
            if (name, format) == ("api-dev", Format::Svg) {
                // For people to look at; the README shows it.
                assert_generated("docs/api-dev.svg", &drawn);
                continue;
            }
            assert_snapshot(&format!("graph__{name}_{end}"), &drawn);
        }
        let style = Style { unicode: true, ..Style::default() };
        assert_snapshot(&format!("graph__{name}_unicode"), &draw_with(&plans, Format::Text, &style));
    }
}

#[test]
fn every_example_is_a_sound_picture() {
    let mut pictures = 0;
    for path in specs(&root().join("examples")).into_iter().chain(specs(&root().join("tests/cases/ok"))) {
        let plans = compile_file(&path).1.plans;
        if plans.is_empty() {
            continue;
        }
        assert_sound(&draw(&plans, Format::Svg));
        pictures += 1;
    }
    assert!(pictures >= 8);
}

#[test]
fn a_picture_says_who_reaches_what_and_never_a_value() {
    let spec = r#"bottle "api" {
        env { PLAIN "in-the-clear"; KEY from-env="HOST_KEY"; TOKEN from-file="/run/secrets/token"; }
        egress { allow "api.example.com"; deny "bad.example.com"; rate-limit 60; }
        git { repo "app" {
            url "ssh://git@git.example.com/acme/app.git"
            identity "~/.ssh/id_app"
            host-key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
        } }
        supervise
        sidecar "db" image="db:1@sha256:a942b37ccfaf5a813b1432caa209a43b9d144e47ad0de1549c289c253e556cd5" {
            port 5432 scheme="postgres"; needs "pipelock"
            env { PASSWORD from-env="DB_PASSWORD"; MODE "also-in-the-clear"; }
            expose "DATABASE_URL" path="/app"
        }
        network octet=42
    }"#;
    let plans = plans(spec);
    for format in FORMATS {
        let drawn = draw(&plans, format);
        // Mermaid has character codes for what it could take for syntax.
        let drawn =
            drawn.replace("#58;", ":").replace("#64;", "@").replace("#95;", "_").replace("#126;", "~");
        for said in [
            "the agent may dial 192.168.42.2 and nothing else",
            "http://192.168.42.2:8888",
            "HTTPS_PROXY",
            "api.example.com",
            "bad.example.com",
            "at most 60 a minute to one domain",
            "git://192.168.42.2:9418",
            "ssh://git@git.example.com/acme/app.git",
            "http://192.168.42.2:9100/",
            "a human",
            "postgres://192.168.42.2:5432",
            "DATABASE_URL",
            "after pipelock",
            "env HOST_KEY",
            "file /run/secrets/token",
            "~/.ssh/id_app",
            "key of app",
            "env DB_PASSWORD",
            "as PASSWORD",
            "what the host can reach",
            "and the agent through it",
        ] {
            assert!(drawn.contains(said), "{format:?} does not say {said:?}:\n{drawn}");
        }
        for kept in ["in-the-clear", "AAAAC3", "a942b37"] {
            assert!(!drawn.contains(kept), "{format:?} says {kept:?}:\n{drawn}");
        }
    }
}

#[test]
fn a_long_list_is_summarised_and_an_empty_one_is_said() {
    let hosts =
        |count: usize| (0..count).fold(String::new(), |list, n| list + &format!(" \"h{n}.example.com\""));
    let plans_of = |allow, deny| {
        let list =
            |node: &str, count| if count == 0 { String::new() } else { format!("{node}{}\n", hosts(count)) };
        plans(&format!("bottle \"x\" {{ egress {{\n{}{}}}; }}", list("allow", allow), list("deny", deny)))
    };
    for format in FORMATS {
        // Nine take no more room than eight and a count.
        assert!(!draw(&plans_of(9, 0), format).contains("more"));
        let drawn = draw(&plans_of(45, 10), format);
        assert!(drawn.contains("and 37 more") && drawn.contains("and 2 more"), "{drawn}");
        let drawn = draw(&plans_of(0, 1), format);
        assert!(drawn.contains("no host") && drawn.contains("h0.example.com"), "{drawn}");
        assert!(draw(&plans_of(0, 0), format).contains("no host"));
    }
}

#[test]
fn a_short_text_stays_and_a_long_one_keeps_its_ends() {
    assert_eq!(shorten("short", 5, "…"), "short");
    assert_eq!(shorten("api.example.com", 10, "…"), "api…le.com");
    assert_eq!(shorten("api.example.com", 10, "..."), "ap...e.com");
    assert_eq!(shorten("a\nb\u{1b}", 10, "…"), "a b?");
    assert_eq!(shorten("日本日本日本", 7, "…"), "日…日本");
    for columns in 0..20 {
        let short = shorten("é日本x日本yy.example.com", columns, "…");
        assert!(display_width(&short) <= columns.max(1), "{columns}: {short}");
    }
}

/// What the promise does not cover is said with it.
#[test]
fn an_engine_that_looks_up_names_is_named() {
    let old =
        plans("bottle \"x\" { engine \"smolvm\" version=\"1.1.6\"; accept \"dns-open\" reason=\"a test\"; }");
    for format in FORMATS {
        assert!(draw(&old, format).contains("but this engine looks up any name for it"), "{format:?}");
        assert!(!draw(&plans(SMALL), format).contains("looks up"), "{format:?}");
    }
}

/// A variable leads to a sidecar by its whole address, not by the beginning of a port.
#[test]
fn each_variable_stands_at_its_own_sidecar() {
    let image = format!("image=\"x:1@sha256:{}\"", "0".repeat(64));
    let drawn = draw(
        &plans(&format!(
            "bottle \"x\" {{ network octet=42; env {{ MINE \"http://192.168.42.2:80801/\"; }}
             sidecar \"a\" {image} {{ port 8080; expose \"A_URL\"; }}
             sidecar \"b\" {image} {{ port 18080; expose \"B_URL\" path=\"/x\"; }} }}"
        )),
        Format::Text,
    );
    assert!(drawn.contains("a  http://192.168.42.2:8080  A_URL\n"), "{drawn}");
    assert!(drawn.contains("b  http://192.168.42.2:18080  B_URL\n"), "{drawn}");
    assert!(!drawn.contains("MINE"), "{drawn}");
}

// How it is drawn

fn shape() -> impl Strategy<Value = Shape> {
    let sidecar = ("[a-z]{1,30}", any::<bool>(), any::<bool>(), 0..4_usize);
    let text = prop_oneof!["[ -~]{0,80}", "[a-z/]{0,8}", "[日本é鍵ー😀]{0,50}", Just("x".repeat(300))];
    let counts = (0..14_usize, 0..14_usize, 0..12_usize, 0..10_usize, any::<bool>());
    ("[a-z]{1,40}", text, counts, prop::collection::vec(sidecar, 0..12)).prop_map(
        |(slug, text, (hosts, denied, repos, secrets, supervise), sidecars)| {
            // A blank at the end of a path is refused, and every path here ends with a digit.
            Shape { slug, text, hosts, denied, repos, secrets, supervise, sidecars }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the size and whatever the texts: nothing overlaps, nothing is cut off, no line runs over a text.
    #[test]
    fn every_picture_is_sound(shape in shape(), other in shape()) {
        let spec = shape.spec();
        let mut plans = plans(&spec);
        assert_sound(&draw(&plans, Format::Svg));
        for columns in [40, 80] {
            let style = Style { width: columns, ..Style::default() };
            for line in draw_with(&plans, Format::Text, &style).lines() {
                let width = textwrap::core::display_width(line);
                prop_assert!(width <= columns, "{width} columns: {line}");
            }
        }
        plans.extend(self::plans(&other.spec()));
        assert_sound(&draw(&plans, Format::Svg));
    }
}

#[test]
fn a_very_large_bottle_is_a_sound_picture() {
    let sidecars = (0..30).map(|n| ("n".repeat(38), n % 6 == 5, true, 3)).collect();
    let shape = Shape {
        slug: "b".repeat(40),
        text: "d".repeat(200),
        hosts: 300,
        denied: 40,
        repos: 30,
        secrets: 30,
        supervise: true,
        sidecars,
    };
    let plans = plans(&shape.spec());
    let svg = draw(&plans, Format::Svg);
    assert_sound(&svg);
    assert!(svg.contains("and 292 more"), "{svg}");
}

#[test]
fn text_and_lines_stand_out_on_light_and_on_dark() {
    let svg = draw(&plans(SMALL), Format::Svg);
    let document = roxmltree::Document::parse(&svg).unwrap();
    for dark in [false, true] {
        let styles = styles(geometry::css(&document), dark);
        let color = |class: &str, key: &str| styles[class][key].as_str();
        let texts = [
            ("page", &["title", "promise", "heading", "note", "label"][..]),
            ("card", &["name", "row", "note"]),
            ("secrets", &["name", "row", "note"]),
            ("machine", &["heading", "note"]),
            ("bundle", &["heading", "note"]),
            ("wave", &["number"]),
        ];
        for (ground, texts) in texts {
            for text in texts {
                let ratio =
                    contrast(color(&format!("bl-{text}"), "fill"), color(&format!("bl-{ground}"), "fill"));
                assert!(ratio >= 4.5, "{text} on {ground}, dark {dark}: {ratio:.2}");
            }
        }
        for line in [
            "receives", "dials", "reaches", "refuses", "escapes", "stop", "agent", "sidecar", "denied",
            "human", "unlisted",
        ] {
            let ratio = contrast(color(&format!("bl-{line}"), "stroke"), color("bl-page", "fill"));
            assert!(ratio >= 3.0, "{line}, dark {dark}: {ratio:.2}");
        }
    }
}

#[test]
fn a_picture_stands_by_itself_and_speaks_to_who_cannot_see_it() {
    let svg = draw(&plans(SMALL), Format::Svg);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let said = |name: &str| document.root_element().children().find(|node| node.has_tag_name(name)).unwrap();
    assert_eq!(said("title").text(), Some("bottle api"));
    let outside = svg.replace("http://www.w3.org/2000/svg", "");
    for word in ["<script", "href", "@import", "@font-face", "url(h", "<image", "<foreignObject", "onload"] {
        assert!(!outside.contains(word), "{word}: {svg}");
    }
}

/// Who hears a picture is told each line of it as a sentence.
#[test]
fn a_description_is_read_as_sentences() {
    let image = format!("image=\"x:1@sha256:{}\"", "0".repeat(64));
    let hosts = (0..11).map(|n| format!("\"h{n}.example.com\"")).collect::<Vec<_>>().join(" ");
    let spec = format!(
        r#"bottle "api" {{
        env {{ KEY from-env="HOST_KEY"; TOKEN from-file="/run/secrets/token"; }}
        egress {{ allow {hosts}; deny "bad.example.com" "worse.example.com"; rate-limit 60; }}
        git {{
            repo "app" {{
                url "ssh://git@git.example.com/acme/app.git"
                identity "~/.ssh/id_app"
                host-key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
            }}
            repo "here" {{ path "."; }}
        }}
        supervise
        sidecar "db" {image} {{ port 5432 scheme="postgres"; needs "pipelock"; expose "DB_URL"
            no-relay reason="no superuser"; }}
        sidecar "job" {image} {{ secret "key" from-file="/run/secrets/job"; }}
        network octet=42
    }}"#
    );
    let described = |spec: &str| {
        let svg = draw(&plans(spec), Format::Svg);
        let document = roxmltree::Document::parse(&svg).unwrap();
        let desc = document.descendants().find(|node| node.has_tag_name("desc")).unwrap();
        desc.text().unwrap().replace(". ", ".\n") + "\n"
    };
    let nowhere = described("bottle \"x\" { network octet=43; }");
    assert_snapshot("graph__described", &(described(&spec) + "\n" + &nowhere));
}

// What a spec can do to it

/// What is not within quotes.
fn without_strings(text: &str) -> String {
    let mut rest = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        rest.push(c);
        if c != '"' {
            continue;
        }
        while let Some(c) = chars.next() {
            match c {
                '\\' => {
                    chars.next();
                }
                '"' => break,
                _ => {}
            }
        }
    }
    rest
}

/// The texts of a spec change texts, and nothing else, of what is drawn.
#[test]
fn no_text_becomes_syntax() {
    for nasty in NASTY {
        let harmless = "x".repeat(textwrap::core::display_width(nasty));
        let (nasty_plans, plain) = (plans(&nasty_spec(nasty)), plans(&nasty_spec(&harmless)));
        let svg = draw(&nasty_plans, Format::Svg);
        assert_eq!(skeleton(&svg), skeleton(&draw(&plain, Format::Svg)), "{nasty}");
        assert_sound(&svg);
        // All of it is still there for the reader.
        let shown: String = nasty.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts = document.descendants().filter_map(|node| node.text());
        assert!(texts.filter(|text| text.contains(&shown)).count() >= 2, "{nasty}: {svg}");
        for format in [Format::Mermaid, Format::Dot] {
            let (drawn, plain) = (draw(&nasty_plans, format), draw(&plain, format));
            assert_eq!(without_strings(&drawn), without_strings(&plain), "{nasty}\n{drawn}");
            assert_eq!(drawn.lines().count(), plain.lines().count(), "{drawn}");
        }
    }
}

/// A label of Mermaid holds character codes for everything but letters, digits and what has no meaning there.
#[test]
fn a_mermaid_label_holds_nothing_but_words_and_codes() {
    for nasty in NASTY {
        let drawn = draw(&plans(&nasty_spec(nasty)), Format::Mermaid);
        // The first line is the setting that we make, and its quotes are those of JSON.
        for label in drawn.lines().skip(1).flat_map(|line| line.split('"').skip(1).step_by(2)) {
            let mut rest = label.replace("<br>", " ");
            while let Some(at) = rest.find('#') {
                let end = rest[at..].find(';').unwrap_or_else(|| panic!("{label}"));
                let code = &rest[at + 1..at + end];
                assert!(code.parse::<u32>().is_ok(), "{label}");
                rest.replace_range(at..=at + end, "");
            }
            // These have a meaning to Mermaid even as codes: none may stand unbroken.
            for word in ["#36;#36;", "#58;fa-", "#92;n"] {
                assert!(!label.contains(word), "{label}");
            }
            assert!(rest.chars().all(|c| c.is_alphanumeric() || " .,-/…".contains(c)), "{label}");
        }
    }
}

// The command

#[test]
fn the_command_draws_every_format_and_writes_no_file() {
    let dir = Dir::with(SMALL);
    dir.run(["graph", "x.kdl"]).code(0).says("bottle api\n").says("`-> pipelock");
    dir.run(["graph", "x.kdl", "--format", "svg"]).code(0).says("<svg xmlns=\"http://www.w3.org/2000/svg\"");
    dir.run(["graph", "--format", "mermaid", "x.kdl"]).code(0).says("flowchart LR\n");
    dir.run(["graph", "--format=dot", "x.kdl"]).code(0).says("digraph bottles {\n");
    let piped = dir.call(["graph", "-"]).stdin(SMALL).run().code(0);
    assert_eq!(piped.out, dir.run(["graph", "x.kdl"]).out);
    assert_eq!(tree(dir.path()).len(), 1, "the spec and nothing else");
}

#[test]
fn the_environment_shapes_the_tree_and_nothing_else() {
    let dir = Dir::with(SMALL);
    let run = |format: &str, env: &[(&str, &str)]| {
        let call = dir.call(["graph", "x.kdl", "--format", format]);
        env.iter().fold(call, |call, (name, value)| call.env(name, value)).run().code(0).out
    };
    for format in ["svg", "mermaid", "dot"] {
        assert_eq!(run(format, &[]), run(format, &[("FORCE_COLOR", "1"), ("COLUMNS", "40")]));
    }
    let (plain, colored) = (run("text", &[]), run("text", &[("FORCE_COLOR", "1")]));
    assert!(colored.contains("\u{1b}[") && !plain.contains('\u{1b}'));
    let mut stripped = String::new();
    for (at, part) in colored.split('\u{1b}').enumerate() {
        stripped.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, plain, "colours add nothing but colours");
}

#[test]
fn one_bottle_of_several_is_drawn_by_its_name() {
    let dir = Dir::with(format!("{SMALL}bottle \"other\" {{ network octet=43; }}\n"));
    for (format, both) in [
        ("text", "bottle other"),
        ("svg", "<title id=\"bl-title\">bottles api, other</title>"),
        ("mermaid", "bottle other"),
        ("dot", "bottle other"),
    ] {
        dir.run(["graph", "x.kdl", "--format", format]).code(0).says(both).says("192.168.42.2");
        let one = dir.run(["graph", "x.kdl", "--format", format, "--bottle", "other"]).code(0);
        one.says("192.168.43.2").never_says("192.168.42.2");
    }
    let wrong = dir.run(["graph", "x.kdl", "--bottle", "othr"]).code(2);
    assert_eq!(wrong.err, "error: there is no bottle `othr` in the spec: did you mean `other`?\n");
    assert_eq!(wrong.out, "");
}

#[test]
fn the_command_fails_as_the_plan_does() {
    let dir = Dir::with("bottle \"api\" { egres { allow \"api.example.com\"; }; }\n");
    dir.write("profile.kdl", PROFILE);
    dir.write("warned.kdl", "bottle \"api\" { image \"docker.io/library/debian:12\"; }\n");
    for spec in ["x.kdl", "profile.kdl", "missing.kdl"] {
        for format in ["text", "svg", "mermaid", "dot"] {
            let run = dir.run(["graph", spec, "--format", format]);
            let plan = dir.run(["plan", spec]);
            assert_eq!((run.code, run.out.as_str(), &run.err), (plan.code, "", &plan.err), "{spec} {format}");
            assert_ne!(run.code, 0, "{spec}");
        }
    }
    dir.run(["graph", "warned.kdl"]).code(0).complains("warning[image-not-pinned]").says("bottle api\n");
    dir.run(["graph", "x.kdl", "--format", "png"]).code(2);
    // Without a spec it is the usual one.
    dir.run(["graph"]).code(3).complains("bottle.kdl");
    dir.run(["graph", "warned.kdl", "x.kdl"]).code(2);
}
