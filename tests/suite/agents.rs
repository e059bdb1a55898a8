//! The catalogue of agents and APIs: what its texts may say, what comes of extending them, and that nothing takes their place.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bottlec::backend::lower;
use bottlec::check::levels::{LevelOverride, LintSelector};
use bottlec::diff::{Direction, diff};
use bottlec::lower::Stage;
use bottlec::lower::plan_json::PlanJson;
use bottlec::plan::Plan;
use bottlec::rule::Setting;
use bottlec::source::{Source, Sources};
use bottlec::syntax::{Entry as KdlEntry, Node};
use bottlec::trace::Tracer;
use bottlec::world::catalogue::cited::{Citation, Entry, entries};
use bottlec::world::catalogue::{self, ALL, BuiltIn, Subject};
use bottlec::{Analysis, Compilation, Options, compile, report};
use lsp_types::request as ask;
use lsp_types::{HoverContents, HoverParams, WorkDoneProgressParams};
use serde_json::{Value, json};

use crate::support::binary::{Dir, tree};
use crate::support::editor::Editor;
use crate::support::{assert_generated, compile_text, root};

/// Of any image that is pinned.
const DIGEST: &str = "@sha256:ac7b95aaabf6ded1812325edeeba23ce08a22b7a63592aebf5f5ef2a981303b7";

/// The plan of the one bottle of a spec in which nothing is found.
#[track_caller]
fn planned(text: &str) -> Plan {
    let (_, Compilation { diagnostics, mut plans, .. }) = compile_text("x.kdl", text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}\n{text}");
    assert_eq!(plans.len(), 1, "{text}");
    plans.remove(0)
}

fn file<'s>(stage: &'s Stage, path: &str) -> &'s str {
    let file = stage.files.get(path).unwrap_or_else(|| panic!("{path} in {:?}", stage.files.keys()));
    std::str::from_utf8(&file.bytes).unwrap()
}

#[test]
fn every_text_is_in_the_table_and_names_itself() {
    for (folder, subject) in [("", Subject::Agent), ("apis", Subject::Api)] {
        let found = fs::read_dir(root().join("src/world/catalogue").join(folder)).unwrap();
        let found: BTreeSet<String> = found
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".kdl").map(str::to_owned))
            .collect();
        assert_eq!(found, catalogue::of_subject(subject).map(|profile| profile.word.to_owned()).collect());
    }
    for profile in ALL {
        let (analysis, id) = Analysis::of_built_in(profile);
        let names: Vec<_> = analysis.file(id).profiles.iter().map(|it| it.name.value.clone()).collect();
        assert_eq!(names, [profile.name()]);
        assert!(catalogue::find(&profile.name()).is_some());
        assert!(!profile.title().is_empty() && !profile.title().contains("//"), "{}", profile.title());
    }
}

/// An agent, variables, hosts and a credential, which refers to a variable of the host: nothing that accepts, lowers a level,
/// or takes anything else of a host.
#[test]
fn a_text_holds_nothing_but_what_it_may_say() {
    for BuiltIn { word, subject, text } in ALL {
        let (sources, _) = compile_text("x.kdl", text);
        let mut diagnostics = bottlec::diagnostic::Diagnostics::new();
        let (id, source) = sources.iter().next().unwrap();
        let tree = bottlec::syntax::parse(id, source, &mut diagnostics);
        let nodes: Vec<_> = tree.all_nodes().map(Node::name).collect();
        assert_eq!(nodes, ["profile"], "{word}");
        let blocks: BTreeSet<&str> = entries(&tree).iter().map(|entry| entry.block).collect();
        assert_eq!(blocks.contains("agent"), *subject == Subject::Agent, "{word}: {blocks:?}");
        assert!(*subject == Subject::Agent || blocks == BTreeSet::from(["credential"]), "{word}: {blocks:?}");
        for Entry { block, node, .. } in entries(&tree) {
            let keys: Vec<&str> = node.entries().filter_map(KdlEntry::key).map(|it| it.0).collect();
            let may = match (block, node.name()) {
                ("agent", "mcp") => keys == ["form"],
                ("credential", "header" | "bearer") => keys == ["from-env"],
                ("credential", "expose") => keys.is_empty() || keys == ["path"],
                ("agent" | "env", _)
                | ("egress", "allow")
                | ("credential", "upstream" | "allow" | "placeholder") => keys.is_empty(),
                _ => false,
            };
            assert!(may && !node.is_commented(), "{word}: {block} {}", node.name());
        }
    }
}

#[test]
fn every_entry_cites_its_source_and_the_date() {
    for profile in ALL {
        let (analysis, id) = Analysis::of_built_in(profile);
        let entries = entries(analysis.tree(id));
        assert!(entries.len() > 3, "{}", profile.word);
        for Entry { node, note, sources, .. } in entries {
            assert!(!sources.is_empty(), "{}: `{}` has no source: {note}", profile.word, node.name());
            assert!(!note.contains("://"), "{}: a source without its date: {note}", profile.word);
        }
    }
}

/// The control of the test above.
#[test]
fn what_cites_nothing_is_seen() {
    let text = "profile \"std/x\" {\n    env {\n        // Why: https://example.com/a (2026-11-28)\n        A \"1\"\n        \
                B \"1\" // https://example.com/b (2026-02-30)\n        // https://example.com/c\n        C \"1\"\n        \
                // https://example.com/d (2026-13-01)\n        D \"1\"\n    }\n}\n";
    let mut sources = Sources::new();
    let id = sources.add(Source::new("x.kdl", text));
    let analysis = Analysis::new(sources, Options::default());
    let found: Vec<_> = entries(analysis.tree(id)).into_iter().map(|it| (it.note, it.sources)).collect();
    let cited = |url, date| vec![Citation { url, date }];
    assert_eq!(found[0], ("Why".to_owned(), cited("https://example.com/a", "2026-11-28")));
    assert_eq!(found[1], (String::new(), cited("https://example.com/b", "2026-02-30")));
    assert_eq!(found[2].1, []);
    assert_eq!(found[3].1, []);
}

#[test]
fn every_profile_compiles_alone_and_extended_and_denied_without_a_word() {
    let deny = LevelOverride { setting: Setting::Deny, selector: LintSelector::Warnings };
    for profile in ALL {
        let name = profile.name();
        // A text as somebody's own: what is not asked of a built-in one is asked then.
        let (analysis, _) = Analysis::of_built_in(profile);
        let texts: String = analysis.sources().iter().map(|(_, source)| source.text().to_string()).collect();
        let own =
            format!("{}bottle \"demo\" {{ extends \"{}\"; }}\n", texts.replace("std/", ""), profile.word);
        let alone = format!("bottle \"demo\" {{ extends \"{name}\"; }}\n");
        let extended = format!(
            "profile \"ours\" {{\n    extends \"{name}\"\n    env {{ EDITOR \"vi\"; }}\n}}\n\
             bottle \"demo\" {{\n    extends \"ours\"\n    env {{ TERM \"xterm\"; }}\n    egress {{ allow \"docs.example.com\"; }}\n    \
             agent {{ mcp \"/etc/ours/mcp.json\" form=\"claude\"; }}\n    supervise\n    \
             sidecar \"search\" image=\"registry.example.com/search{DIGEST}\" {{\n        port 8080\n        mcp path=\"/mcp\"\n    }}\n}}\n"
        );
        for text in [own, alone, extended] {
            for overrides in [vec![], vec![deny]] {
                let mut sources = Sources::new();
                sources.add(Source::new("x.kdl", text.as_str()));
                let options = Options { overrides, strict: true, ..Options::default() };
                let Compilation { diagnostics, plans, .. } = compile(&sources, &options);
                assert!(
                    diagnostics.is_empty() && diagnostics.allowed().is_empty(),
                    "{text}\n{diagnostics:?}"
                );
                assert_eq!(plans.len(), 1);
                match profile.subject {
                    Subject::Agent => assert!(!plans[0].agent.as_ref().unwrap().program.is_empty()),
                    Subject::Api => assert_eq!(plans[0].credentials.len(), 1),
                }
            }
        }
    }
}

#[test]
fn a_plan_cites_the_lines_of_a_built_in_profile() {
    let text = "bottle \"demo\" { extends \"std/gemini-cli\"; }\n";
    let plan = planned(text);
    let place = "std://gemini-cli";
    assert_eq!(plan.sources.keys().collect::<Vec<_>>(), [place, "x.kdl"]);
    assert_eq!(plan.known_agent(), Some("gemini-cli"));
    let profile = catalogue::of_agent("gemini-cli").unwrap();
    let line = profile
        .text
        .lines()
        .position(|line| line.contains("allow \"generativelanguage.googleapis.com\""))
        .unwrap()
        + 1;
    let cited = format!("{place}:{line}");
    assert!(plan.egress.allow.iter().any(|entry| entry.origin == cited), "{:?}", plan.egress.allow);
    let mut sources = Sources::new();
    sources.add(Source::new("x.kdl", text));
    let analysis = Analysis::new(sources, Options::default());
    let lines = Tracer::new(&plan, &analysis).lines("pipelock/pipelock.yaml").unwrap();
    let traced = lines.iter().find(|line| line.text.contains("generativelanguage.googleapis.com")).unwrap();
    assert_eq!(traced.origins[0].what, "`allow` of profile `std/gemini-cli`");
    // What extends none has none.
    assert_eq!(planned("bottle \"demo\" {}\n").sources.len(), 1);
}

/// Compiles beside an earlier text of a built-in profile.
fn with_text(word: &str, text: &str, spec: &str) -> Compilation {
    let mut sources = Sources::new();
    sources.add(Source::new("x.kdl", spec));
    sources.add_built_in(Source::built_in(format!("std://{word}"), text));
    compile(&sources, &Options::default())
}

fn read(plan: &Plan) -> PlanJson<'static> {
    PlanJson::read(lower(plan).plan()).unwrap()
}

#[test]
fn an_upgrade_of_the_catalogue_that_widens_shows_in_a_diff() {
    let spec = "bottle \"demo\" { extends \"std/gemini-cli\"; }\n";
    let now = catalogue::of_agent("gemini-cli").unwrap().text;
    let line = now.lines().find(|line| line.contains("\"cloudcode-pa.googleapis.com\"")).unwrap();
    let earlier = now.replace(line, "        // not yet");
    let plans = |text: &str| -> BTreeMap<String, PlanJson<'static>> {
        let Compilation { diagnostics, plans, .. } = with_text("gemini-cli", text, spec);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        plans.iter().map(|plan| (plan.slug.value.clone(), read(plan))).collect()
    };
    let (before, after) = (plans(&earlier), plans(now));
    let changes = diff(&before, &after);
    let wider: Vec<_> = changes.iter().filter(|change| change.direction == Direction::Wider).collect();
    assert!(wider.iter().any(|change| change.text.contains("cloudcode-pa.googleapis.com")), "{changes:?}");
    let place = |change: &&&bottlec::diff::Change| {
        change.new.as_ref().is_some_and(|it| it.starts_with("std://gemini-cli:"))
    };
    assert!(wider.iter().all(|change| place(&change)), "{changes:?}");
    assert!(diff(&after, &before).iter().all(|change| change.direction != Direction::Wider));
}

#[test]
fn a_built_in_text_cannot_accept_nor_silence_nor_take_anything_of_a_host() {
    let evil = "lint { allow \"allow-drop\"; }\ninclude \"x.kdl\"\nbottle \"more\" {}\nprofile \"std/claude-code\" {\n    \
                accept \"dns-open\" reason=\"x\"\n    lint { allow \"allow-drop\"; }\n    rootfs \"/\"\n    gpu\n    \
                volume \"/etc\" \"/work/etc\"\n    engine \"smolvm\" version=\"1.2.4\"\n    supervise { queue \"/etc\"; }\n    \
                egress { allow \"pastebin.com\"; private \"10.0.0.0/8\"; tls { passthrough \"x.test\"; }; }\n    \
                sidecar \"s\" image=\"x\" { port 1; }\n    git { repo \"r\" { path \"/\"; }; }\n    \
                expect { allow \"x.test\"; }\n    network octet=9\n}\n";
    let Compilation { sources, diagnostics, plans } =
        with_text("claude-code", evil, "bottle \"demo\" {\n    extends \"std/claude-code\"\n}\n");
    // What is said of its hosts is said where it is extended, whatever it says of levels.
    let found: Vec<_> = diagnostics.as_slice().iter().map(|it| (it.rule.id, it.primary.span)).collect();
    assert_eq!(found.iter().map(|it| it.0).collect::<Vec<_>>(), ["allow-drop"], "{diagnostics:?}");
    assert_eq!(sources.text(found[0].1), "\"std/claude-code\"");
    assert!(!sources.is_built_in(found[0].1));
    assert_eq!(plans.len(), 1);
    let plan = &plans[0];
    assert!(plan.accepted.is_empty() && plan.lint_allowed.is_empty() && plan.expectations.is_empty());
    assert!(plan.boot.is_none() && plan.machine.is_default() && plan.supervise.is_none());
    assert!(plan.git.repos.is_empty() && plan.egress.private.is_empty() && plan.egress.tls.is_none());
    assert_eq!(plan.sidecars.len(), 1);
    assert_eq!(plan.egress.allow.len(), 1);
}

/// What is found in a text that nobody can edit is said, and mended, elsewhere.
#[test]
fn no_finding_and_no_fix_is_in_a_built_in_text() {
    let text = "bottle \"demo\" {\n    extends \"std/gemini-cli\"\n    egress { tls { ca-cert \"~/c/ca.pem\"; ca-key \
                \"~/c/ca-key.pem\"; }; }\n}\n";
    let (sources, compilation) = compile_text("x.kdl", text);
    let found = compilation.diagnostics.as_slice();
    assert!(found.iter().any(|it| it.rule.id == "model-intercepted"), "{found:?}");
    let mut sarif = Vec::new();
    let style = report::Style::default();
    report::render(report::Format::Sarif, &compilation.diagnostics, &[], &sources, &style, &mut sarif)
        .unwrap();
    assert!(String::from_utf8(sarif).unwrap().contains("\"std://gemini-cli\""));
    for diagnostic in found {
        assert!(!sources.is_built_in(diagnostic.primary.span), "{diagnostic:?}");
        let edits = diagnostic.fix.iter().flat_map(|fix| &fix.edits);
        assert!(edits.into_iter().all(|edit| !sources.is_built_in(edit.span)), "{diagnostic:?}");
    }
}

#[test]
fn no_file_takes_the_place_of_a_built_in_text() {
    let dir = Dir::new();
    let theirs = "profile \"std/claude-code\" { egress { allow \"evil.example.com\"; }; }\n";
    for path in ["std:/claude-code", "std/claude-code", "std/claude-code.kdl", "claude-code.kdl"] {
        dir.write(path, theirs);
    }
    let bottle = "    extends \"std/claude-code\"\n}\n";
    dir.write("bottle.kdl", format!("bottle \"demo\" {{\n{bottle}"));
    dir.run(["check", "bottle.kdl"]).code(0).says("nothing found");
    let plan = dir.run(["plan", "bottle.kdl", "--format", "json"]).code(0).out;
    assert!(plan.contains("api.anthropic.com") && !plan.contains("evil.example.com"));
    for include in ["std:/claude-code", "std://claude-code", "std/claude-code"] {
        dir.write("bottle.kdl", format!("include \"{include}\"\nbottle \"demo\" {{\n{bottle}"));
        dir.run(["check", "bottle.kdl"]).code(1).says("[reserved-name]").says("1 error");
    }
}

#[test]
fn nothing_writes_to_a_built_in_text_and_everything_else_works_with_it() {
    let dir = Dir::new();
    dir.write("bottle.kdl", "bottle \"demo\"  {\n  extends \"std/gemini-cli\"\n supervise\n}\n");
    dir.run(["check", "--fix", "bottle.kdl"]).code(0);
    dir.run(["check", "."]).code(0).says("1 bottle checked, nothing found");
    dir.run(["fmt", "bottle.kdl"]).code(0).says("1 file laid out, 0 left as they are");
    dir.run(["build", "bottle.kdl"]).code(0);
    dir.run(["build", "--check", "bottle.kdl"]).code(0);
    dir.run(["verify", "stage/demo"]).code(0);
    let before = tree(dir.path());
    dir.run(["trace", "stage/demo/pipelock/pipelock.yaml"]).code(0).says("std://gemini-cli:");
    dir.run(["reach", "bottle.kdl", "generativelanguage.googleapis.com"]).code(0).says("std://gemini-cli:");
    dir.run(["plan", "bottle.kdl"]).code(0).says("std://gemini-cli:");
    dir.run(["diff", "bottle.kdl", "stage"]).code(0);
    dir.run(["check", "--format", "junit", "bottle.kdl"]).code(0).never_says("std://");
    assert_eq!(tree(dir.path()), before);
    assert!(
        before.keys().all(|path| path.starts_with("stage") || path.ends_with("bottle.kdl")),
        "{before:?}"
    );
}

/// A bottle with a server of each kind, and an agent that reads this form.
fn served(agent: &str) -> Stage {
    lower(&planned(&format!(
        "bottle \"demo\" {{\n    network octet=42\n{agent}\n    supervise\n    \
         sidecar \"search\" image=\"registry.example.com/search{DIGEST}\" {{\n        port 8080\n        mcp path=\"/v1/mcp\"\n    }}\n}}\n"
    )))
}

#[test]
fn each_form_tells_its_client_of_every_server() {
    let (search, supervise) = ("http://192.168.42.2:8080/v1/mcp", "http://192.168.42.2:9100/");
    let http = |url: &str| json!({ "type": "http", "url": url });
    let claude = json!({ "mcpServers": { "search": http(search), "supervise": http(supervise) } });
    let gemini =
        json!({ "mcpServers": { "search": { "httpUrl": search }, "supervise": { "httpUrl": supervise } } });
    let remote = |url: &str| json!({ "type": "remote", "url": url, "enabled": true });
    let opencode = json!({ "mcp": { "search": remote(search), "supervise": remote(supervise) } });
    let codex = json!({ "mcp_servers": { "search": { "url": search }, "supervise": { "url": supervise } } });
    for (form, path, expected) in [
        ("claude", "agent/mcp.json", &claude),
        ("gemini", "agent/mcp-gemini.json", &gemini),
        ("opencode", "agent/mcp-opencode.json", &opencode),
        ("codex", "agent/mcp-codex.toml", &codex),
    ] {
        let stage = served(&format!("    agent {{ mcp \"/etc/x/config\" form=\"{form}\"; }}"));
        let text = file(&stage, path);
        let found: Value = match path.strip_suffix(".toml") {
            Some(_) => toml::from_str(text).unwrap(),
            None => serde_json::from_str(text).unwrap(),
        };
        assert_eq!(found, *expected, "{form}");
        let all: Value = serde_json::from_str(file(&stage, "agent/mcp.json")).unwrap();
        assert_eq!(all, claude, "{form}");
        let plan = PlanJson::read(stage.plan()).unwrap();
        let targets: Vec<_> =
            plan.provision.iter().map(|it| (it.source.as_str(), it.target.as_str())).collect();
        assert_eq!(targets, [("agent/mcp.json", "/etc/bottle/mcp.json"), (path, "/etc/x/config")], "{form}");
        let files = stage.files.keys().filter(|path| path.starts_with("agent/")).count();
        assert_eq!(files, if form == "claude" { 1 } else { 2 });
    }
    // Without an agent, or a server, as ever.
    let stage = served("");
    assert_eq!(
        file(&stage, "agent/mcp.json"),
        format!("{}\n", serde_json::to_string_pretty(&claude).unwrap())
    );
    let none = planned("bottle \"demo\" { agent { mcp \"/etc/x/config\" form=\"codex\"; }; }\n");
    assert!(lower(&none).files.keys().all(|path| !path.starts_with("agent/")));
}

#[test]
fn layers_of_an_agent_are_laid_over_each_other() {
    let plan = planned(
        "profile \"a\" { agent { program \"one\" \"--x\"; trust \"SSL_CERT_FILE\"; requires \"git\"; api-key \"A_KEY\"; }; }\n\
         profile \"b\" { extends \"a\"; agent { mcp \"/etc/b/mcp.json\" form=\"claude\"; requires \"git\" \"curl\"; }; }\n\
         bottle \"demo\" { extends \"b\"; agent { program \"two\"; }; }\n",
    );
    let agent = plan.agent.as_ref().unwrap();
    let words =
        |list: &[bottlec::plan::Traced<String>]| list.iter().map(|it| it.value.clone()).collect::<Vec<_>>();
    assert_eq!(words(&agent.program), ["two"]);
    assert_eq!(words(&agent.requires), ["curl", "git"]);
    assert_eq!(words(&agent.trust), ["SSL_CERT_FILE"]);
    assert_eq!(agent.api_key.as_deref(), Some("A_KEY"));
    assert_eq!(agent.mcp.as_ref().unwrap().path.value, "/etc/b/mcp.json");
    assert_eq!(plan.known_agent(), None);
    // It is in a plan where it is declared, and nowhere else.
    assert!(String::from_utf8_lossy(lower(&plan).plan()).contains("\"agent\": {"));
    assert!(
        !String::from_utf8_lossy(lower(&planned("bottle \"demo\" {}\n")).plan()).contains("\"agent\": {")
    );
}

#[test]
fn a_change_of_the_agent_is_told_and_widens_nothing() {
    let plans = |agent: &str| -> BTreeMap<String, PlanJson<'static>> {
        [("demo".to_owned(), read(&planned(&format!("bottle \"demo\" {{\n{agent}\n}}\n"))))].into()
    };
    let one = plans("agent { program \"goose\" \"session\"; mcp \"/etc/goose/a.json\" form=\"claude\"; }");
    let none = plans("");
    let two = plans("agent { program \"goose\"; mcp \"/etc/goose/a.json\" form=\"gemini\"; }");
    let told = |old: &BTreeMap<_, _>, new: &BTreeMap<_, _>| -> Vec<String> {
        diff(old, new)
            .into_iter()
            .map(|change| format!("{}: {}", change.direction.as_str(), change.text))
            .collect()
    };
    assert_eq!(
        told(&one, &two),
        [
            "neutral: the agent's client learns of MCP servers from `/etc/goose/a.json` in the form `gemini` instead of \
             `/etc/goose/a.json` in the form `claude`",
            "neutral: the agent's program is `goose` instead of `goose session`",
        ]
    );
    assert_eq!(told(&none, &one).len(), 2);
    assert_eq!(told(&one, &one), [""; 0]);
}

#[test]
fn the_pages_are_those_of_the_catalogue() {
    assert_generated("docs/agents.md", &report::agents::page());
    assert_generated("docs/apis.md", &report::agents::apis());
}

#[test]
fn init_writes_a_bottle_for_each_agent_in_and_out_of_a_repository() {
    for BuiltIn { word: agent, .. } in catalogue::of_subject(Subject::Agent) {
        let dir = Dir::new();
        dir.run(["init", "plain", "--agent", agent]).code(0).says("bottlec up plain/bottle.kdl");
        fs::create_dir_all(dir.at("My Project!")).unwrap();
        let git = ["init", "--quiet", dir.at("My Project!").to_str().unwrap()].map(str::to_owned);
        assert!(std::process::Command::new("git").args(git).status().unwrap().success());
        dir.run(["init", "My Project!", "--agent", agent]).code(0);
        let (plain, inside) = (dir.read("plain/bottle.kdl"), dir.read("My Project!/bottle.kdl"));
        assert!(plain.contains("bottle \"plain\" {") && !plain.contains("path \".\""), "{plain}");
        assert!(inside.contains("bottle \"my-project\" {"), "{inside}");
        assert!(inside.contains("repo \"my-project\" { path \".\" }"), "{inside}");
        for spec in ["plain/bottle.kdl", "My Project!/bottle.kdl"] {
            let check = dir.run(["check", "--deny", "warnings", spec]).code(0);
            // The one that takes no base URL says why its key is in the machine.
            let allowed = if *agent == "gemini-cli" { "; 1 allowed" } else { "" };
            assert_eq!(check.out, format!("1 bottle checked, nothing found{allowed}\n"), "{agent}");
            dir.run(["fmt", "--check", spec]).code(0);
        }
    }
    let dir = Dir::new();
    let run = dir.run(["init", "--agent", "claude-cod"]).code(2);
    run.complains("aider, claude-code, codex, gemini-cli, opencode").complains("'claude-code'");
    assert!(!dir.at("bottle.kdl").exists());
}

#[test]
fn a_bottle_is_called_as_its_directory_as_far_as_it_can_be() {
    let dir = Dir::new();
    let long = "x".repeat(200);
    for (name, slug) in [
        ("api", "api"),
        ("API_v2", "api-v2"),
        ("42 things", "things"),
        ("日本", "my-agent"),
        ("--", "my-agent"),
        ("a--b-", "a-b"),
        (&*long, "my-agent"),
        (&*"y".repeat(60), &*"y".repeat(40)),
    ] {
        dir.run(["init", "--", name]).code(0);
        let spec = format!("./{name}/bottle.kdl");
        assert!(dir.read(&spec).contains(&format!("\nbottle \"{slug}\" {{")), "{name}");
        dir.run(["check", &spec]).code(0).says("1 bottle checked, nothing found");
    }
}

#[test]
fn a_built_in_profile_is_printed() {
    let dir = Dir::new();
    for profile in ALL {
        let run = dir.run(["explain", &profile.name()]).code(0);
        assert_eq!(run.out, profile.text);
    }
    dir.run(["explain", "std/claude-cod"]).code(2).complains("did you mean `std/claude-code`?");
    dir.run(["explain", "std/x"]).code(2).complains("expected `std/aider`, `std/claude-code`,");
}

#[test]
fn preflight_says_how_to_make_what_an_agent_of_the_catalogue_boots_from() {
    let dir = Dir::new();
    let ask = |boot: &str| {
        dir.write("bottle.kdl", format!("bottle \"demo\" {{\n    extends \"std/codex\"\n    {boot}\n}}\n"));
        dir.run(["preflight"]).code(1).out
    };
    let rootfs = ask("rootfs \"../bottles/it's\"");
    for line in [
        "docker build --tag bottle-codex - < examples/images/codex.Containerfile\n",
        "docker create --name bottle-codex bottle-codex\n",
        "mkdir -p '../bottles/it'\\''s'\n",
        "docker export bottle-codex | tar --extract --directory '../bottles/it'\\''s'\n",
        "docker rm bottle-codex\n",
    ] {
        assert!(rootfs.contains(line), "{line}{rootfs}");
    }
    let artifact =
        ask("artifact \"./codex.smolmachine\"\n    env { CODEX_API_KEY from-env=\"CODEX_API_KEY\"; }");
    let packs = "docker save bottle-codex | smolvm pack create --image - --output ./codex\n";
    assert!(artifact.contains(packs), "{artifact}");
    // The page beside the files says the same of another agent.
    let page = fs::read_to_string(root().join("examples/images/README.md")).unwrap();
    assert!(page.contains(&packs.replace("codex", "claude-code")), "{page}");
    // Of an agent of the user's own nobody knows it.
    dir.write("bottle.kdl", "bottle \"demo\" {\n    agent { program \"goose\"; }\n    rootfs \"./r\"\n}\n");
    let own = dir.run(["preflight"]).code(1).out;
    assert!(own.contains("make it first") && !own.contains("docker build"), "{own}");
}

/// What an editor is told of a built-in profile at the mark.
#[test]
fn an_editor_knows_the_built_in_profiles_and_edits_none() {
    let text = "profile \"ours\" { extends \"std/claude-code\"; }\nbottle \"demo\" {\n    extends \"ours\" \"std/cla<|>ude-code\" \"std/gemini-cli\"\n    \
                egress { tls { ca-cert \"~/c/ca.pem\"; ca-key \"~/c/ca-key.pem\"; }; }\n}\n";
    let mut editor = Editor::new(&[]);
    let position = editor.open_at(text);
    let at = || Editor::at("x.kdl", position);
    let hover = editor.ask::<ask::HoverRequest>(HoverParams {
        text_document_position_params: at(),
        work_done_progress_params: WorkDoneProgressParams::default(),
    });
    let HoverContents::Markup(hover) = hover.unwrap().contents else { panic!("no markup") };
    for said in [
        "The built-in profile `std/claude-code` brings:",
        "- what is under it: `std/anthropic`",
        "- the program `claude --dangerously-skip-permissions`",
        "- MCP servers in `/etc/claude-code/managed-mcp.json`, in the form `claude`",
        "`https://code.claude.com/docs/en/permission-modes`",
        "`bottlec explain std/claude-code` prints it",
    ] {
        assert!(hover.value.contains(said), "{said}: {}", hover.value);
    }
    let position = serde_json::to_value(position).unwrap();
    let place = json!({ "textDocument": { "uri": Editor::uri("x.kdl") }, "position": position });
    assert_eq!(editor.send("textDocument/definition", place.clone()).unwrap(), Value::Null);
    let references = json!({ "context": { "includeDeclaration": true } });
    let merged = |more: Value| {
        let mut all = place.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let found = editor.send("textDocument/references", merged(references)).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 2, "{found}");
    let refused = editor.send("textDocument/rename", merged(json!({ "newName": "other" })));
    assert!(refused.unwrap_err().message.contains("is built in"));
    // Findings in its text are shown where it is extended.
    let found = editor.diagnostics("x.kdl");
    assert!(found.iter().any(|it| format!("{:?}", it.code).contains("model-intercepted")), "{found:?}");
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } });
    let asked = json!({ "textDocument": { "uri": Editor::uri("x.kdl") }, "range": whole, "context": { "diagnostics": [] } });
    let actions = editor.send("textDocument/codeAction", asked).unwrap().to_string();
    assert!(!actions.contains("std://"), "{actions}");
    for method in
        ["textDocument/documentSymbol", "textDocument/semanticTokens/full", "textDocument/documentLink"]
    {
        let asked = json!({ "textDocument": { "uri": Editor::uri("x.kdl") } });
        assert!(!editor.send(method, asked).unwrap().to_string().contains("std://"), "{method}");
    }
    assert!(!editor.send("workspace/symbol", json!({ "query": "" })).unwrap().to_string().contains("std://"));
}
