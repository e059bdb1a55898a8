//! `bottlec graph`: what is in the picture, how it is drawn, and that no spec can draw over it.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests touch files and run programs")]
#![allow(clippy::unwrap_used, reason = "clippy knows `#[test]` functions only, not what they share")]

#[path = "support/binary.rs"]
mod binary;
#[path = "graph/geometry.rs"]
mod geometry;
mod support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use binary::{Dir, SMALL, skip, tree, works};
use bottlec::Options;
use bottlec::plan::Plan;
use bottlec::report::Style;
use bottlec::report::graph::{Format, render};
use geometry::{assert_sound, contrast, skeleton, styles};
use proptest::prelude::*;
use support::{assert_generated, compile_file, compile_file_with, compile_text, root, specs};

const FORMATS: [Format; 4] = [Format::Text, Format::Svg, Format::Mermaid, Format::Dot];

/// A profile and nothing else.
const PROFILE: &str = "profile \"team\" { env { TERM \"xterm\"; }; }\n";

fn plans(spec: &str) -> Vec<Plan> {
    let (_, compilation) = compile_text("x.kdl", spec);
    let said: Vec<&str> =
        compilation.diagnostics.as_slice().iter().map(|said| said.message.as_str()).collect();
    assert!(!compilation.diagnostics.has_errors(), "{said:?}\n{spec}");
    assert!(!compilation.plans.is_empty(), "{spec}");
    compilation.plans
}

fn draw_with(plans: &[Plan], format: Format, style: &Style) -> String {
    render(&plans.iter().collect::<Vec<_>>(), format, style)
}

fn draw(plans: &[Plan], format: Format) -> String {
    draw_with(plans, format, &Style::default())
}

/// A KDL string.
fn kdl(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

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
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(format!("{name}_{end}"), drawn);
            });
        }
        let style = Style { unicode: true, ..Style::default() };
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(format!("{name}_unicode"), draw_with(&plans, Format::Text, &style));
        });
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

/// A bottle of the size and with the texts that a test wants.
#[derive(Clone, Debug)]
struct Shape {
    slug: String,
    text: String,
    hosts: usize,
    denied: usize,
    repos: usize,
    secrets: usize,
    supervise: bool,
    sidecars: Vec<(String, bool, bool, usize)>,
}

impl Shape {
    /// As a spec. Each sidecar: name, whether it needs the one before it, whether the agent learns of it, its secrets.
    fn spec(&self) -> String {
        let Self { slug, text, hosts, denied, repos, secrets, supervise, sidecars } = self;
        let mut spec = format!("bottle {} {{\nenv {{\n", kdl(slug));
        let file = |n: usize| kdl(&format!("/{text}{n}"));
        for n in 0..*secrets {
            let _ = writeln!(spec, "V{n} from-file={}", file(n));
        }
        let _ = writeln!(spec, "}}\negress {{ rate-limit 1000000");
        let label = "x".repeat(textwrap::core::display_width(text).clamp(1, 60));
        for (node, count) in [("allow", *hosts), ("deny", *denied)] {
            for n in 0..count {
                let _ = writeln!(spec, "{node} \"{node}{n}.{label}.{label}.{label}.example.com\"");
            }
        }
        spec.push_str("}\ngit {\n");
        for n in 0..*repos {
            let identity = kdl(&format!("~/{text}{n}"));
            let _ = writeln!(
                spec,
                "repo \"{label}{n}\" {{\nurl \"ssh://git@git.example.com/{label}/{n}.git\"\nidentity {identity}\n\
                 host-key \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"\n}}"
            );
        }
        spec.push_str(if *supervise { "}\nsupervise\n" } else { "}\n" });
        for (n, (name, needs, exposed, secrets)) in sidecars.iter().enumerate() {
            let image = format!("{label}/image:1@sha256:{}", "0".repeat(64)).to_lowercase();
            let _ = writeln!(spec, "sidecar \"{name}{n}\" image=\"{image}\" {{");
            if *exposed {
                let _ = writeln!(spec, "port {} scheme=\"s{}\"", 3000 + n, &label[..label.len().min(30)]);
                let _ = writeln!(spec, "expose \"E{n}_{}\" path=\"/'&amp;$(x)\"", label.to_uppercase());
            }
            if *needs && n > 0 {
                let _ = writeln!(spec, "needs \"{}{}\"", sidecars[n - 1].0, n - 1);
            }
            for secret in 0..*secrets {
                let _ = writeln!(spec, "secret \"s{secret}\" from-file={}", file(secret));
            }
            spec.push_str("}\n");
        }
        spec + "}\n"
    }
}

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
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

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
        for line in ["receives", "dials", "reaches", "refuses", "stop", "agent", "sidecar", "denied", "human"]
        {
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
    let description = said("desc").text().unwrap();
    assert!(description.contains("the agent may dial 192.168.42.2 and nothing else"), "{description}");
    assert!(description.contains("pipelock reaches may be reached, api.example.com"), "{description}");
    let outside = svg.replace("http://www.w3.org/2000/svg", "");
    for word in ["<script", "href", "@import", "@font-face", "url(h", "<image", "<foreignObject", "onload"] {
        assert!(!outside.contains(word), "{word}: {svg}");
    }
}

// What a spec can do to it

/// Texts that would do harm in one of the formats, each of which a path may hold.
const NASTY: &[&str] = &[
    "</text><script>alert(1)</script>",
    "\"><rect/>",
    "' onload='x",
    "&lt;&amp;&#60;",
    "<!-- --",
    "]]>",
    "<?xml ?>",
    "#quot;#35;#lt;b#gt;",
    "\"] --> x[\"",
    "`**bold** _x_ [a](b)`",
    "%%{init: {}}%%",
    "end",
    "\\\" ]; evil -> x [label=\"",
    "\\n\\N\\G\\l",
    "trailing\\",
    "<b>html</b>",
    "$(id) `id` ${HOME}",
    "1. list",
    "- list",
    "www.example.com http://a.b",
    ";|{}()<>",
    "$$x^2$$ fa:fa-car",
    "\u{fffe}\u{ffff}x",
    "日本語",
];

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

fn nasty_spec(text: &str) -> String {
    let shape = Shape {
        slug: "x".into(),
        text: text.into(),
        hosts: 2,
        denied: 1,
        repos: 2,
        secrets: 2,
        supervise: true,
        sidecars: vec![("a".into(), false, true, 2), ("b".into(), true, true, 0)],
    };
    shape.spec()
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

/// Graphviz itself reads what is written for it, and shows the texts as they are.
#[test]
fn graphviz_takes_every_picture() {
    if !works(&["dot", "-V"]) {
        skip("graphviz_takes_every_picture", "there is no dot here");
        return;
    }
    let read = |graph: &str| {
        let mut dot = Command::new("dot")
            .args(["-Tsvg"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        dot.stdin.take().unwrap().write_all(graph.as_bytes()).unwrap();
        let output = dot.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !complaint.contains("yntax"), "{complaint}\n{graph}");
        String::from_utf8(output.stdout).unwrap()
    };
    for path in specs(&root().join("examples")) {
        let plans = compile_file(&path).1.plans;
        if !plans.is_empty() {
            read(&draw(&plans, Format::Dot));
        }
    }
    let mut all = String::new();
    for (n, nasty) in NASTY.iter().enumerate() {
        let spec = nasty_spec(nasty).replacen("\"x\"", &format!("\"x{n}\""), 1);
        let end = spec.rfind('}').unwrap();
        let _ = writeln!(all, "{}network octet={}\n}}", &spec[..end], n + 20);
    }
    let plans = plans(&all);
    assert_eq!(plans.len(), NASTY.len());
    let svg = read(&draw(&plans, Format::Dot));
    let svg = &svg[svg.find("<svg").unwrap()..];
    let document = roxmltree::Document::parse(svg).unwrap();
    let classed = |class| document.descendants().filter(move |node| node.attribute("class") == Some(class));
    // The agent, five sidecars, four cards outside, secrets for three.
    assert_eq!(classed("node").count(), NASTY.len() * 13);
    let texts: Vec<String> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .map(|node| node.text().unwrap_or_default().replace('\u{a0}', " "))
        .collect();
    for nasty in NASTY {
        let shown = format!("file /{}0 as V0", nasty.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"));
        assert!(texts.contains(&shown), "{shown}: {texts:?}");
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
    dir.run(["graph"]).code(2);
    dir.run(["graph", "warned.kdl", "x.kdl"]).code(2);
}
