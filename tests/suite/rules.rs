//! The rules and their pages: every page has the same shape, and every spec in it is compiled.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bottlec::diagnostic::Diagnostics;
use bottlec::report::{self, Format, Style};
use bottlec::rule::{self, Level, Rule};
use bottlec::source::{Source, Sources};
use bottlec::{Compilation, Options, compile};

use crate::support::{assert_generated, root, specs};

/// Rules that no fence can break, and why.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("expansion-too-large", "takes half a million nodes"),
    ("invalid-utf8", "a page is UTF-8"),
    ("nesting-too-deep", "takes a thousand braces"),
    ("source-too-large", "takes 16 MiB"),
];

fn not_shown(rule: &Rule) -> bool {
    NOT_SHOWN.iter().any(|(id, _)| *id == rule.id)
}

/// Of a fence that breaks its rule, the other rules that it breaks: ` ```kdl fails with another-rule`.
fn breaks(info: &str) -> Option<Vec<&str>> {
    let rest = info.strip_prefix("kdl fails")?;
    Some(rest.strip_prefix(" with ").unwrap_or(rest).split_whitespace().collect())
}

/// A fenced block of a page.
struct Fence<'a> {
    info: &'a str,
    text: String,
    /// Where it begins, from 1 on.
    line: usize,
}

fn fences(page: &str) -> Vec<Fence<'_>> {
    let mut fences = Vec::new();
    let mut lines = page.lines().zip(1..);
    while let Some((line, at)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: Vec<&str> =
            lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```").collect();
        fences.push(Fence { info, text: body.join("\n") + "\n", line: at });
    }
    fences
}

/// Compiles a fence as the only file of a workspace.
fn compiled(rule: &Rule, fence: &Fence<'_>) -> (Sources, Compilation) {
    let mut sources = Sources::new();
    sources.add(Source::new(format!("{}.kdl", rule.id), fence.text.as_str()));
    let compilation = compile(&sources, &Options::default());
    (compilation.sources.clone(), compilation)
}

fn rendered(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut out = Vec::new();
    report::render(Format::Fancy, diagnostics, &[], sources, &Style::default(), &mut out)
        .expect("memory can be written to");
    String::from_utf8(out).expect("text")
}

/// Collects what is wrong with all pages, so that one run shows everything.
fn every_rule(check: impl Fn(&Rule, &mut Vec<String>)) {
    let mut wrong = Vec::new();
    for rule in rule::ALL {
        check(rule, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn ids_are_kebab_case_sorted_and_unique() {
    let kebab = |id: &str| {
        id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !id.contains("--")
            && !id.ends_with('-')
    };
    every_rule(|rule, wrong| {
        if !kebab(rule.id) {
            wrong.push(format!("{} is not in kebab case", rule.id));
        }
        if !rule::find(rule.id).is_some_and(|found| std::ptr::eq(found, rule)) {
            wrong.push(format!("{} is not found by its id", rule.id));
        }
    });
    assert!(rule::ALL.is_sorted_by(|a, b| a.id < b.id), "`rule::ALL` is sorted by id, without duplicates");
}

#[test]
fn summaries_are_one_lower_case_line_without_full_stop() {
    every_rule(|rule, wrong| {
        let Rule { id, summary, since, .. } = rule;
        let lower = !summary.starts_with(char::is_uppercase);
        if !lower
            || summary.ends_with('.')
            || summary.contains('\n')
            || summary.trim() != *summary
            || summary.len() < 12
        {
            wrong.push(format!("{id}: the summary is `{summary}`"));
        }
        if since.split('.').filter(|part| part.parse::<u32>().is_ok()).count() != 3 {
            wrong.push(format!("{id}: since `{since}`"));
        }
    });
}

#[test]
fn pages_have_their_heading_and_their_sections() {
    every_rule(|rule, wrong| {
        let Rule { id, page, .. } = rule;
        let mut problem = |what: String| wrong.push(format!("docs/rules/{id}.md: {what}"));
        let mut lines = page.lines();
        if lines.next() != Some(&format!("# {id}")) || lines.next() != Some("") {
            problem(format!("does not begin with `# {id}` and a blank line"));
        }
        if lines.next().is_none_or(|line| line.is_empty() || line.starts_with(['#', '`'])) {
            problem("does not say first what the rule means".into());
        }
        if !page.ends_with('\n') || page.ends_with("\n\n") {
            problem("does not end with one line end".into());
        }
        let mut fenced = false;
        let mut sections = Vec::new();
        for (line, at) in page.lines().zip(1..) {
            if line.starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                sections.extend(line.strip_prefix("## "));
                if line.chars().count() > 80 {
                    problem(format!("line {at} is longer than 80 characters"));
                }
            }
            if line.trim_end() != line {
                problem(format!("line {at} ends with a blank"));
            }
        }
        if fenced {
            problem("has a fence that does not end".into());
        }
        if sections != ["Why", "Example", "Instead"] {
            problem(format!("has the sections {sections:?}"));
        }
    });
}

#[test]
fn pages_refer_to_rules_that_there_are() {
    let known: BTreeSet<&str> = rule::ALL.iter().map(|rule| rule.id).collect();
    every_rule(|rule, wrong| {
        // The words in backticks behind each "see also", up to the end of its sentence.
        let prose = rule.page.replace('\n', " ");
        for (at, _) in prose.match_indices("See also ").chain(prose.match_indices("see also ")) {
            let rest = prose[at..].split(". ").next().unwrap_or("");
            for id in rest.split('`').skip(1).step_by(2).filter(|id| !known.contains(id) || *id == rule.id) {
                wrong.push(format!("docs/rules/{}.md: sends the reader to `{id}`", rule.id));
            }
        }
    });
}

#[test]
fn every_rule_is_broken_by_its_page() {
    every_rule(|rule, wrong| {
        let failing = fences(rule.page).iter().filter(|fence| breaks(fence.info).is_some()).count();
        match (failing, not_shown(rule)) {
            (0, false) => wrong.push(format!("docs/rules/{}.md: has no fence marked `kdl fails`", rule.id)),
            (1.., true) => wrong.push(format!("{} is shown: take it out of the list", rule.id)),
            _ => {}
        }
    });
    for (id, why) in NOT_SHOWN {
        assert!(rule::find(id).is_some(), "there is no rule {id}, of which it is said that it {why}");
    }
}

#[test]
fn examples_break_their_rule_and_no_other() {
    every_rule(|rule, wrong| {
        for fence in &fences(rule.page) {
            let accepted = fence.info == "kdl accepted";
            let Some(others) = breaks(fence.info).or_else(|| accepted.then(Vec::new)) else { continue };
            let (sources, compilation) = compiled(rule, fence);
            let found = compilation.diagnostics.as_slice();
            let ids: BTreeSet<&str> = found.iter().map(|diagnostic| diagnostic.rule.id).collect();
            let levels = found.iter().all(|diagnostic| {
                let level = if accepted { Level::Warning } else { diagnostic.rule.level };
                diagnostic.level == level
            });
            if ids != others.into_iter().chain([rule.id]).collect() || !levels {
                wrong.push(format!(
                    "docs/rules/{}.md:{}: gives {ids:?}\n{}",
                    rule.id,
                    fence.line,
                    rendered(&compilation.diagnostics, &sources)
                ));
            }
            let built = !compilation.plans.is_empty();
            if built == compilation.diagnostics.has_errors() {
                wrong.push(format!(
                    "docs/rules/{}.md:{}: plans and errors are one or the other",
                    rule.id, fence.line
                ));
            }
        }
    });
}

#[test]
fn examples_of_what_to_write_instead_compile_without_a_word() {
    every_rule(|rule, wrong| {
        let fences = fences(rule.page);
        if !fences.iter().any(|fence| fence.info == "kdl") && !not_shown(rule) {
            wrong.push(format!("docs/rules/{}.md: does not show what to write instead", rule.id));
        }
        for fence in &fences {
            match fence.info {
                "kdl" => {
                    let (sources, compilation) = compiled(rule, fence);
                    if !compilation.diagnostics.is_empty() || compilation.plans.is_empty() {
                        wrong.push(format!(
                            "docs/rules/{}.md:{}: does not compile without a word\n{}",
                            rule.id,
                            fence.line,
                            rendered(&compilation.diagnostics, &sources)
                        ));
                    }
                }
                "text" | "console" | "kdl accepted" => {}
                info if breaks(info).is_some() => {}
                other => {
                    wrong.push(format!("docs/rules/{}.md:{}: a fence marked `{other}`", rule.id, fence.line));
                }
            }
        }
    });
}

#[test]
fn the_bound_on_expansion_is_where_its_page_says() {
    let spec = |bottles: usize| {
        let variables: Vec<String> = (1..=5_000).map(|n| format!("V{n} x;")).collect();
        let mut text = format!("profile \"huge\" {{ env {{ {} }}; }}\n", variables.join(" "));
        for n in 1..=bottles {
            // Pinned, and above 17, so that no two bottles share a subnet.
            let octet = n + 17;
            let _ = writeln!(text, "bottle \"b{n}\" {{ extends \"huge\"; network octet={octet}; }}");
        }
        text
    };
    let ids = |bottles: usize| -> Vec<&'static str> {
        let mut sources = Sources::new();
        sources.add(Source::new("expansion-too-large.kdl", spec(bottles)));
        let compilation = compile(&sources, &Options::default());
        compilation.diagnostics.as_slice().iter().map(|diagnostic| diagnostic.rule.id).collect()
    };
    assert_eq!(ids(90), Vec::<&str>::new());
    assert_eq!(ids(101), ["expansion-too-large"]);
}

#[test]
fn the_index_and_the_list_for_programs_are_those_of_all_rules() {
    let index = report::rules::index();
    for rule in rule::ALL {
        assert_eq!(index.matches(&format!("(rules/{}.md)", rule.id)).count(), 1, "{}", rule.id);
    }
    assert_generated("docs/rules.md", &index);
    let schema = report::rules::schema();
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    assert_generated("schemas/rules.schema.json", &text);
    let json: serde_json::Value = serde_json::from_str(&report::rules::json()).expect("JSON");
    let validator = jsonschema::validator_for(schema.as_value()).expect("a schema");
    assert!(validator.is_valid(&json));
    assert_eq!(json["rules"].as_array().map(Vec::len), Some(rule::ALL.len()));
}

#[test]
fn every_page_ends_with_what_its_row_says_and_is_that_of_a_rule() {
    for rule in rule::ALL {
        let accepted = if rule.acceptable { ", unless the spec accepts it" } else { "" };
        let closing = format!("Level: {}{accepted}. Since bottlec {}.", rule.level.as_str(), rule.since);
        assert_generated(&format!("docs/rules/{}.md", rule.id), &format!("{}\n{closing}\n", rule.text()));
    }
    for entry in std::fs::read_dir(root().join("docs/rules")).expect("the pages") {
        let path = entry.expect("an entry").path();
        let id = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(rule::find(&id).is_some(), "{} is the page of no rule", path.display());
    }
}

#[test]
fn every_rule_has_a_case_that_fails() {
    // Bytes that no case on disk should have, or that cannot be written as one: `bad_input.rs` has them.
    let elsewhere = ["expansion-too-large", "invalid-utf8", "source-too-large"];
    for rule in rule::ALL.iter().filter(|rule| !elsewhere.contains(&rule.id)) {
        let cases = specs(&root().join("tests/cases/err").join(rule.id));
        assert!(!cases.is_empty(), "rule `{}` has no failing case in tests/cases/err", rule.id);
    }
}

#[test]
fn a_page_is_where_the_repository_is_and_nowhere_without_one() {
    let rule = rule::find("dns-open").expect("a rule");
    assert_eq!(rule.url_in("", "1.2.3"), None);
    let url = rule.url_in("https://git.example.com/acme/bottlec/", "1.2.3");
    let expected = "https://git.example.com/acme/bottlec/blob/v1.2.3/docs/rules/dns-open.md";
    assert_eq!(url.as_deref(), Some(expected));
}
