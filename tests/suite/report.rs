//! The report formats, over diagnostics made by hand.

use bottlec::diagnostic::{Applicability, Diagnostic, Diagnostics, Edit};
use bottlec::report::{Format, Style, Summary, json, render};
use bottlec::rule::{self, Group, Level, Rule};
use bottlec::source::{Source, SourceId, Sources, Span};
use bottlec::text::is_unsafe_to_show;
use proptest::prelude::*;

use crate::support::{assert_generated, assert_snapshot};

const WIDE: Style = Style { color: false, unicode: true, width: 120 };
const USUAL: Style = Style { width: 80, ..WIDE };
const NARROW: Style = Style { width: 60, ..WIDE };
const PLAIN: Style = Style { unicode: false, ..USUAL };

static WARNING: Rule = Rule {
    id: "wide-egress",
    level: Level::Warning,
    since: "0.1.0",
    summary: "an allow list is wider than it looks",
    group: Group::Hosts,
    page: "",
    acceptable: false,
    tag: None,
};

static ADVICE: Rule = Rule {
    id: "unpinned-image",
    level: Level::Advice,
    since: "0.1.0",
    summary: "an image has no digest",
    group: Group::Hosts,
    page: "",
    acceptable: false,
    tag: None,
};

fn rule(id: &str) -> &'static Rule {
    rule::find(id).expect("a rule")
}

fn offset(value: usize) -> u32 {
    u32::try_from(value).expect("a source's offsets fit in 32 bits")
}

/// The span of the `nth` (from 0) occurrence of `text` in the source.
fn nth(sources: &Sources, source: SourceId, text: &str, n: usize) -> Span {
    let all = sources.get(source).text();
    let (start, found) = all.match_indices(text).nth(n).expect("the text occurs");
    Span::new(source, offset(start)..offset(start + found.len()))
}

fn span(sources: &Sources, source: SourceId, text: &str) -> Span {
    nth(sources, source, text, 0)
}

fn collect(items: impl IntoIterator<Item = Diagnostic>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    items.into_iter().for_each(|item| diagnostics.push(item));
    diagnostics
}

fn text(format: Format, diagnostics: &Diagnostics, sources: &Sources, style: &Style) -> String {
    let mut out = Vec::new();
    render(format, diagnostics, &[], sources, style, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("a report is UTF-8")
}

/// One diagnostic, as people see it.
fn fancy(diagnostic: Diagnostic, sources: &Sources, style: &Style) -> String {
    text(Format::Fancy, &collect([diagnostic]), sources, style)
}

fn parsed(diagnostics: &Diagnostics, sources: &Sources) -> serde_json::Value {
    serde_json::from_str(&text(Format::Json, diagnostics, sources, &PLAIN)).expect("JSON")
}

const SPEC: &str = r#"profile "team" {
    egress {
        allow "api.anthropic.com" "*.github.com"
    }
}

bottle "api-dev" {
    extends "team"
    supervise "yes"
    sidecar "db" image="docker.io/library/postgres:17" {
        port 5432 scheme="postgres"
    }
    sidecar "cache" image="docker.io/library/redis:8" {
        port 5432
    }
}
"#;

fn one_spec() -> (Sources, SourceId) {
    let mut sources = Sources::new();
    let id = sources.add(Source::new("bottles/api-dev.kdl", SPEC));
    (sources, id)
}

/// A bit of everything, in two files.
fn mixed() -> (Diagnostics, Sources) {
    let (mut sources, a) = one_spec();
    let b = sources.add(Source::new("bottles/web.kdl", "bottle \"api-dev\" {\n    supervise\n}\n"));
    let yes = span(&sources, a, "\"yes\"");
    let pattern = span(&sources, a, "\"*.github.com\"");
    let image = span(&sources, a, "\"docker.io/library/postgres:17\"");
    let diagnostics = collect([
        Diagnostic::new(&WARNING, pattern, "`*.github.com` also allows `gist.github.com`")
            .label("everybody can publish there")
            .help("name the hosts that the agent needs, or add `deny \"gist.github.com\"`"),
        Diagnostic::new(rule("syntax-error"), yes, "`supervise` takes no argument")
            .label("expected a line end")
            .replace("remove `\"yes\"`", Applicability::Safe, yes, ""),
        Diagnostic::new(&ADVICE, image, "the image of `db` can change")
            .help("pin it: `docker.io/library/postgres:17@sha256:…`"),
        Diagnostic::new(
            rule("syntax-error"),
            nth(&sources, a, "5432", 1),
            "the sidecars `db` and `cache` both listen on port 5432, and share one address",
        )
        .label("taken")
        .related(nth(&sources, a, "5432", 0), "`db` listens here")
        .replace("use another port", Applicability::Unsafe, nth(&sources, a, "5432", 1), "5433"),
        Diagnostic::new(
            rule("syntax-error"),
            span(&sources, b, "\"api-dev\""),
            "two bottles are called `api-dev`",
        )
        .label("defined again here")
        .related(span(&sources, a, "\"api-dev\""), "first defined here")
        .help("give one of them another name"),
    ]);
    (diagnostics, sources)
}

#[test]
fn a_report_of_several_files() {
    let (diagnostics, sources) = mixed();
    assert_snapshot("report__mixed_wide", &text(Format::Fancy, &diagnostics, &sources, &WIDE));
    assert_snapshot("report__mixed_usual", &text(Format::Fancy, &diagnostics, &sources, &USUAL));
    assert_snapshot("report__mixed_narrow", &text(Format::Fancy, &diagnostics, &sources, &NARROW));
    assert_snapshot("report__mixed_plain", &text(Format::Fancy, &diagnostics, &sources, &PLAIN));
    assert_snapshot("report__mixed_concise", &text(Format::Concise, &diagnostics, &sources, &PLAIN));
    let json = parsed(&diagnostics, &sources);
    assert_snapshot("report__mixed_json", &serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn colours() {
    let (diagnostics, sources) = mixed();
    let colored = Style { color: true, ..USUAL };
    let visible = |format| text(format, &diagnostics, &sources, &colored).replace('\x1b', "␛");
    assert_snapshot("report__mixed_color", &visible(Format::Fancy));
    assert_snapshot("report__concise_color", &visible(Format::Concise));
}

#[test]
fn long_texts_wrap() {
    let (sources, id) = one_spec();
    let make = || {
        Diagnostic::new(
            rule("syntax-error"),
            span(&sources, id, "\"api.anthropic.com\""),
            "the host `api.anthropic.com` is allowed by the profile `team` and denied by the bottle `api-dev`, and a \
             `deny` is never lifted by a later layer",
        )
        .label("expected a host that no layer denies: a name, or a pattern that begins with `*.`")
        .related(span(&sources, id, "\"*.github.com\""), "this pattern is not what denies it, in spite of its width")
        .help("remove one of the two: whatever a later layer says, what is denied in an earlier one stays denied")
        .help("`bottlec explain syntax-error` tells more")
    };
    assert_snapshot("report__long_usual", &fancy(make(), &sources, &USUAL));
    assert_snapshot("report__long_narrow", &fancy(make(), &sources, &NARROW));
}

#[test]
fn places_without_a_character() {
    let mut sources = Sources::new();
    let empty = sources.add(Source::new("empty.kdl", ""));
    let open = sources.add(Source::new("open.kdl", "bottle \"a\" {\n    supervise"));
    let ended = sources.add(Source::new("ended.kdl", "bottle \"a\" {\n    supervise\n"));
    let big = sources.add(Source::oversized("big.kdl", 20_000_000));
    let end = |id: SourceId| Span::at(id, offset(sources.get(id).text().len()));
    let unclosed = |id| {
        Diagnostic::new(rule("unclosed-brace"), end(id), "this `{` has no `}`")
            .label("expected `}`")
            .related(Span::new(id, 11..12), "opened here")
            .fix(
                "close the block",
                Applicability::Unsafe,
                vec![Edit { span: end(id), replacement: "\n}\n".into() }],
            )
    };
    let newline = span(&sources, open, "\n");
    let diagnostics = collect([
        Diagnostic::new(rule("syntax-error"), end(empty), "the file holds no bottle")
            .label("expected `bottle`"),
        unclosed(open),
        unclosed(ended),
        Diagnostic::new(rule("source-too-large"), Span::at(big, 0), "the file has 20000000 bytes"),
        Diagnostic::new(rule("syntax-error"), newline, "a line end in the wrong place")
            .label("expected a name"),
        Diagnostic::new(rule("syntax-error"), Span::at(open, 0), "something is missing here"),
    ]);
    assert_snapshot("report__no_character", &text(Format::Fancy, &diagnostics, &sources, &USUAL));
    assert_snapshot("report__no_character_concise", &text(Format::Concise, &diagnostics, &sources, &USUAL));
}

#[test]
fn a_span_of_many_lines_is_its_first_one() {
    let (sources, id) = one_spec();
    let all = sources.get(id).text();
    let start = offset(all.find("bottle").unwrap());
    let end = offset(all.trim_end().len());
    let diagnostic =
        Diagnostic::new(rule("syntax-error"), Span::new(id, start..end), "the bottle has no artifact")
            .related(Span::new(id, 0..start), "nor has this profile");
    assert_snapshot("report__many_lines", &fancy(diagnostic, &sources, &USUAL));
}

#[test]
fn a_line_of_a_megabyte_is_clipped() {
    let mut sources = Sources::new();
    let filler = "env { A \"b\" }; ".repeat(35_000);
    let id = sources.add(Source::new("long.kdl", format!("{filler}oops \"here\"; {filler}\nshort\n")));
    let (oops, here) = (span(&sources, id, "oops"), span(&sources, id, "\"here\""));
    let length = offset(sources.get(id).text().len());
    let diagnostics = collect([
        Diagnostic::new(rule("syntax-error"), oops, "unknown node `oops`")
            .label("expected `env`, `git` or `egress`")
            .related(here, "because of this")
            .related(Span::new(id, 0..3), "the line begins here")
            .related(span(&sources, id, "short"), "and here the next one")
            .replace("write what was meant", Applicability::Safe, oops, "egress"),
        Diagnostic::new(
            rule("syntax-error"),
            Span::new(id, oops.start..length),
            "everything after it is wrong",
        ),
        Diagnostic::new(rule("syntax-error"), Span::new(id, 4..length), "nearly everything is wrong")
            .label("all this"),
        Diagnostic::new(rule("syntax-error"), Span::at(id, length - 7), "the end of the line")
            .label("it ends here"),
    ]);
    let usual = text(Format::Fancy, &diagnostics, &sources, &USUAL);
    assert_snapshot("report__megabyte_usual", &usual);
    assert_snapshot("report__megabyte_plain", &text(Format::Fancy, &diagnostics, &sources, &PLAIN));
    assert_snapshot("report__megabyte_concise", &text(Format::Concise, &diagnostics, &sources, &PLAIN));
    for line in usual.lines() {
        assert!(line.chars().count() <= USUAL.width, "{line}");
    }
}

#[test]
fn columns_are_right_behind_tabs_and_wide_characters() {
    let mut sources = Sources::new();
    let tabs = sources.add(Source::new("tabs.kdl", "bottle \"a\" {\n\tenv {\n\t\tA\t\"x\"  bad\n\t}\n}\n"));
    let wide = sources.add(Source::new("wide.kdl", "env { 名前 \"日本語🦀\" bad; é \"e\u{301}\" worse }\n"));
    let crlf = sources.add(Source::new("crlf.kdl", "bottle \"a\" {\r\n    bad 1\r\n}\r\n"));
    let old = sources.add(Source::new("cr.kdl", "bottle \"a\" {\r    bad 1\r}\r"));
    let marked = sources.add(Source::new("bom.kdl", "\u{feff}bad 1\n"));
    let bad = |id| {
        Diagnostic::new(rule("syntax-error"), span(&sources, id, "bad"), "unknown node `bad`").label("here")
    };
    let to_the_end =
        Diagnostic::new(rule("syntax-error"), span(&sources, crlf, "1\r\n"), "a value").label("none here");
    let insert =
        Edit { span: Span::at(tabs, span(&sources, tabs, "bad").start), replacement: "very ".into() };
    let diagnostics = collect([
        bad(wide).fix("change another file", Applicability::Safe, vec![insert.clone()]),
        bad(tabs).fix("make it worse", Applicability::Safe, vec![insert]),
        bad(wide).related(span(&sources, wide, "worse"), "and here"),
        bad(crlf),
        to_the_end,
        bad(old),
        bad(marked),
    ]);
    assert_snapshot("report__columns", &text(Format::Fancy, &diagnostics, &sources, &USUAL));
    assert_snapshot("report__columns_concise", &text(Format::Concise, &diagnostics, &sources, &USUAL));
    let json = parsed(&diagnostics, &sources);
    let start = &json["diagnostics"][2]["place"]["start"];
    assert_eq!((&start["line"], &start["character_column"]), (&1.into(), &17.into()));
    assert_eq!((&start["byte_column"], &start["utf16_column"]), (&30.into(), &18.into()));
}

const HOSTILE: &str = "a \"\u{1b}[31mred\u{1b}]0;title\u{7}\" \u{202e}desrever\u{202c} \u{0} \u{7f} \u{9b}2J \u{e0041} bad\u{b}\n";

fn hostile() -> (Diagnostics, Sources) {
    let mut sources = Sources::new();
    let id = sources.add(Source::new("evil\u{1b}[2J\n\u{202e}.kdl", HOSTILE));
    let bad = span(&sources, id, "bad");
    let diagnostic = Diagnostic::new(rule("disallowed-character"), bad, HOSTILE)
        .label(HOSTILE)
        .related(Span::new(id, 0..1), HOSTILE)
        .help(HOSTILE)
        .replace(HOSTILE, Applicability::Unsafe, bad, format!("{HOSTILE}more"));
    (collect([diagnostic]), sources)
}

fn assert_harmless(text: &str) {
    let bad = text.chars().find(|c| *c != '\n' && is_unsafe_to_show(*c));
    assert_eq!(bad, None, "{text:?}");
}

#[test]
fn nothing_drives_the_terminal() {
    let (diagnostics, sources) = hostile();
    for style in [USUAL, PLAIN] {
        for format in [Format::Fancy, Format::Concise, Format::Json] {
            assert_harmless(&text(format, &diagnostics, &sources, &style));
        }
    }
    assert_snapshot("report__hostile", &text(Format::Fancy, &diagnostics, &sources, &WIDE));
    assert_snapshot("report__hostile_plain", &text(Format::Fancy, &diagnostics, &sources, &PLAIN));
    assert_snapshot("report__hostile_concise", &text(Format::Concise, &diagnostics, &sources, &PLAIN));
    // Escaped, not changed: a program gets every character.
    let json = parsed(&diagnostics, &sources);
    assert_eq!(json["diagnostics"][0]["message"], HOSTILE);
    assert_eq!(json["diagnostics"][0]["place"]["file"], "evil\u{1b}[2J\n\u{202e}.kdl");
}

#[test]
fn labels_that_overlap_are_shown_apart() {
    let (sources, id) = one_spec();
    let whole = span(&sources, id, "sidecar \"db\" image=\"docker.io/library/postgres:17\"");
    let diagnostic = Diagnostic::new(rule("syntax-error"), span(&sources, id, "\"db\""), "the name is taken")
        .label("this name")
        .related(whole, "of this sidecar")
        .related(span(&sources, id, "image"), "next to this");
    assert_snapshot("report__overlap", &fancy(diagnostic, &sources, &USUAL));
}

#[test]
fn a_cycle_keeps_its_order() {
    let mut sources = Sources::new();
    let includes = |name: &str, other: &str| Source::new(name, format!("include \"{other}\"\n"));
    let a = sources.add(includes("a.kdl", "b.kdl"));
    let c = sources.add_included(includes("c.kdl", "a.kdl"));
    let b = sources.add_included(includes("b.kdl", "c.kdl"));
    let at = |id| Span::new(id, 8..15);
    let diagnostic = Diagnostic::new(rule("syntax-error"), at(a), "`a.kdl` includes itself")
        .label("includes `b.kdl`")
        .related(at(b), "which includes `c.kdl`")
        .related(at(c), "which includes `a.kdl`");
    assert_snapshot("report__cycle", &fancy(diagnostic, &sources, &USUAL));
}

#[test]
fn too_many_are_counted() {
    let mut sources = Sources::new();
    let id = sources.add(Source::new("many.kdl", "x\n".repeat(1_312)));
    let at = |n: u32| Span::new(id, 2 * n..2 * n + 1);
    let diagnostics =
        collect((0..1_312).map(|n| Diagnostic::new(rule("syntax-error"), at(n), "unknown node `x`")));
    let last = |format| text(format, &diagnostics, &sources, &USUAL).lines().last().unwrap().to_owned();
    assert_eq!(last(Format::Fancy), "1000 errors in 1 file, and 312 more are not shown");
    assert_eq!(last(Format::Concise), "1000 errors in 1 file, and 312 more are not shown");
    assert_eq!(text(Format::Concise, &diagnostics, &sources, &USUAL).lines().count(), 1_001);
    let json = parsed(&diagnostics, &sources);
    assert_eq!(json["diagnostics"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(
        json["summary"],
        serde_json::json!({ "errors": 1000, "warnings": 0, "advice": 0, "files": 1, "dropped": 312, "allowed": 0 })
    );
}

#[test]
fn the_summary_counts_in_words() {
    let none = Summary::default();
    for (summary, expected) in [
        (none, "nothing to report"),
        (Summary { errors: 1, files: 1, ..none }, "1 error in 1 file"),
        (Summary { errors: 2, warnings: 1, files: 3, ..none }, "2 errors, 1 warning in 3 files"),
        (Summary { advice: 1, files: 1, ..none }, "1 piece of advice in 1 file"),
        (
            Summary { warnings: 2, advice: 2, files: 1, dropped: 1, ..none },
            "2 warnings, 2 pieces of advice in 1 file, and 1 more is not shown",
        ),
        (Summary { allowed: 3, ..none }, "nothing to report; 3 allowed"),
        (Summary { dropped: 2, allowed: 1, ..none }, "2 diagnostics are not shown; 1 allowed"),
        (Summary { warnings: 1, files: 1, allowed: 2, ..none }, "1 warning in 1 file; 2 allowed"),
    ] {
        assert_eq!(summary.to_string(), expected);
    }
}

#[test]
fn nothing_to_say_is_nothing_said() {
    let (none, sources) = (Diagnostics::new(), Sources::new());
    assert_eq!(text(Format::Fancy, &none, &sources, &USUAL), "");
    assert_eq!(text(Format::Concise, &none, &sources, &USUAL), "");
    let counts = serde_json::json!({ "errors": 0, "warnings": 0, "advice": 0, "files": 0, "dropped": 0, "allowed": 0 });
    let report = serde_json::json!({ "version": 1, "diagnostics": [], "allowed": [], "unread": [], "summary": counts });
    assert_eq!(parsed(&none, &sources), report);
}

#[test]
fn the_schema_is_up_to_date() {
    let generated = serde_json::to_string_pretty(&json::schema()).expect("a schema is JSON") + "\n";
    assert_generated("schemas/diagnostics.schema.json", &generated);
}

#[test]
fn json_is_what_the_schema_says() {
    let schema = serde_json::to_value(json::schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    for (diagnostics, sources) in [mixed(), hostile()] {
        let json = parsed(&diagnostics, &sources);
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
    }
    let (none, sources) = (Diagnostics::new(), Sources::new());
    let mut json = parsed(&none, &sources);
    assert!(validator.is_valid(&json));
    json["version"] = 2.into();
    assert!(!validator.is_valid(&json));
}

/// Text of what is hard to show: line ends, tabs, wide, combining and unsafe characters, and long lines.
fn difficult() -> impl Strategy<Value = String> {
    difficult_and(any::<String>().boxed())
}

fn difficult_and(more: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-z {}\"=]{1,8}",
        2 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("\r".to_owned()),
        1 => Just("\t".to_owned()),
        1 => Just("日本🦀".to_owned()),
        1 => Just("e\u{301}\u{200d}".to_owned()),
        1 => Just("\u{1b}[2J\u{202e}\u{0}\u{9b}\u{e0041}\u{feff}".to_owned()),
        1 => "[a-z\t日]{60,200}",
        1 => more,
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Two texts, and the places and words of a diagnostic.
#[derive(Debug)]
struct Case {
    texts: [String; 2],
    places: Vec<(bool, proptest::sample::Index, proptest::sample::Index, String)>,
    width: usize,
    unicode: bool,
}

fn case<S: Strategy<Value = String>>(text: impl Fn() -> S) -> impl Strategy<Value = Case> {
    let place = (any::<bool>(), any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), text());
    ([text(), text()], proptest::collection::vec(place, 1..6), 0_usize..160, any::<bool>())
        .prop_map(|(texts, places, width, unicode)| Case { texts, places, width, unicode })
}

fn boundaries(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
}

impl Case {
    fn build(&self) -> (Diagnostics, Sources) {
        let mut sources = Sources::new();
        let ids = self.texts.each_ref().map(|text| sources.add(Source::new(text.as_str(), text.as_str())));
        let mut labels = self.places.iter().map(|(second, from, to, message)| {
            let n = usize::from(*second);
            let boundaries = boundaries(&self.texts[n]);
            let (from, to) = (*from.get(&boundaries), *to.get(&boundaries));
            let range = offset(from.min(to))..offset(from.max(to));
            (Span::new(ids[n], range), message.clone())
        });
        let (span, message) = labels.next().expect("at least one");
        let mut diagnostic = Diagnostic::new(rule("syntax-error"), span, message.clone())
            .label(message.clone())
            .help(message.clone())
            .replace("change it", Applicability::Unsafe, span, message);
        for (span, message) in labels {
            diagnostic = diagnostic.related(span, message);
        }
        (collect([diagnostic]), sources)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_place_can_be_shown(case in case(difficult)) {
        let (diagnostics, sources) = case.build();
        let style = Style { color: false, unicode: case.unicode, width: case.width };
        for format in [Format::Fancy, Format::Concise, Format::Json] {
            let shown = text(format, &diagnostics, &sources, &style);
            assert_harmless(&shown);
            prop_assert_eq!(&shown, &text(format, &diagnostics, &sources, &style));
        }
        let shown = text(Format::Fancy, &diagnostics, &sources, &style);
        prop_assert!(!shown.contains("Failed to read"), "{}", shown);
        text(Format::Fancy, &diagnostics, &sources, &Style { color: true, ..style });
        prop_assert_eq!(text(Format::Json, &diagnostics, &sources, &style).lines().count(), 1);
        prop_assert_eq!(text(Format::Concise, &diagnostics, &sources, &style).lines().count(), 1);
    }

    /// What is underlined is what the span covers on its first line, or as much of it as fits.
    #[test]
    fn underlines_are_in_the_right_place(
        text in proptest::collection::vec("[a-z]{1,6}|[ \t\n]|\r\n|日本|🦀|\u{1b}|[a-z\t日]{60,90}", 1..16),
        from in any::<proptest::sample::Index>(),
        to in any::<proptest::sample::Index>(),
        width in 40_usize..120,
    ) {
        let source_text = text.concat();
        let boundaries = boundaries(&source_text);
        let (from, to) = (*from.get(&boundaries), *to.get(&boundaries));
        let covered = &source_text[from.min(to)..from.max(to)];
        // As far as it is shown as it is.
        let covered = covered.split_once(['\t', '\u{1b}']).map_or(covered, |(before, _)| before);
        let first = covered.lines().next().unwrap_or("");
        if first.is_empty() {
            return Ok(());
        }

        let mut sources = Sources::new();
        let id = sources.add(Source::new("a.kdl", source_text.as_str()));
        let place = Span::new(id, offset(from.min(to))..offset(from.min(to) + covered.len()));
        let style = Style { width, ..USUAL };
        let shown = fancy(Diagnostic::new(rule("syntax-error"), place, "wrong"), &sources, &style);
        let lines: Vec<&str> = shown.lines().collect();
        let at = lines.iter().position(|line| line.trim_start().starts_with("· ")).expect("an underline");
        let blank = |c: char| matches!(c, ' ' | '·');
        let start = lines[at].chars().take_while(|c| blank(*c)).count();
        let end = lines[at].chars().count();
        let mut column = 0;
        let mut underlined = String::new();
        for c in lines[at - 1].chars() {
            if (start..end).contains(&column) {
                underlined.push(c);
            }
            column += textwrap::core::display_width(c.encode_utf8(&mut [0; 4]));
        }
        let complete = first.trim_end() == underlined.trim_end();
        let clipped = lines[at - 1].ends_with('…') && first.starts_with(&underlined);
        prop_assert!(complete || clipped, "{first:?} {underlined:?}\n{shown}");
    }

    /// A terminal that breaks a line of an excerpt puts the underlines in the wrong place. Only of characters on whose
    /// width everybody agrees can that be said.
    #[test]
    fn excerpts_fit(case in case(|| difficult_and(Just("é".to_owned()).boxed()))) {
        let (diagnostics, sources) = case.build();
        let style = Style { color: false, unicode: true, width: case.width };
        for line in text(Format::Fancy, &diagnostics, &sources, &style).lines() {
            let drawn = line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
            if drawn.starts_with(['│', '·']) {
                prop_assert!(textwrap::core::display_width(line) <= case.width.max(40), "{}", line);
            }
        }
    }

    #[test]
    fn positions_count_what_stands_before(
        text in difficult(),
        times in 1_usize..40,
        at in any::<proptest::sample::Index>(),
    ) {
        let text = text.repeat(times);
        let source = Source::new("x", text.as_str());
        let at = *at.get(&boundaries(&text));
        let position = source.position(offset(at));
        let start = source.line_starts()[position.line as usize] as usize;
        let before = &text[start..at];
        prop_assert_eq!(position.byte as usize, before.len());
        prop_assert_eq!(position.character as usize, before.chars().count());
        prop_assert_eq!(position.utf16 as usize, before.encode_utf16().count());
    }
}
