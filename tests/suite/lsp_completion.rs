//! What could be written, as an editor is told.

mod quotes;

use std::fmt::Write as _;

use bottlec::diagnostic::Diagnostics;
use bottlec::schema::{Children, Node, ROOT, ValueType};
use bottlec::source::{Source, Sources};
use bottlec::syntax;
use lsp_types::request as ask;
use lsp_types::{
    CompletionItem, CompletionList, CompletionParams, CompletionResponse, CompletionTextEdit, Documentation,
    InsertTextFormat, PartialResultParams, Position, TextEdit, WorkDoneProgressParams,
};
use serde_json::json;

use crate::support::editor::Editor;
use crate::support::{assert_snapshot, compile_text, editor, specs};

fn complete(editor: &mut Editor, name: &str, position: Position) -> CompletionList {
    let params = CompletionParams {
        text_document_position: Editor::at(name, position),
        work_done_progress_params: WorkDoneProgressParams::default(),
        partial_result_params: PartialResultParams::default(),
        context: None,
    };
    match editor.ask::<ask::Completion>(params) {
        Some(CompletionResponse::List(list)) => list,
        other => panic!("a list, not {other:?}"),
    }
}

fn edit(item: &CompletionItem) -> &TextEdit {
    match &item.text_edit {
        Some(CompletionTextEdit::Edit(edit)) => edit,
        other => panic!("an edit, not {other:?}"),
    }
}

/// What is written when an item is taken, as an editor does.
fn written(item: &CompletionItem) -> String {
    let text = &edit(item).new_text;
    if item.insert_text_format == Some(InsertTextFormat::SNIPPET) {
        specs::expand(text)
    } else {
        text.clone()
    }
}

/// The items at the mark of a text, in the order that an editor shows them in.
fn at_mark(editor: &mut Editor, text: &str) -> Vec<CompletionItem> {
    let position = editor.open_at(text);
    let mut items = complete(editor, "x.kdl", position).items;
    items.sort_by(|a, b| a.sort_text.cmp(&b.sort_text));
    items
}

fn labels(text: &str) -> Vec<String> {
    at_mark(&mut Editor::new(&[]), text).into_iter().map(|item| item.label).collect()
}

/// The text after the item of that label was taken at the mark.
fn taken(editor: &mut Editor, text: &str, label: &str) -> String {
    let items = at_mark(editor, text);
    let item = items.iter().find(|item| item.label == label);
    let item = item.unwrap_or_else(|| {
        panic!("{label} at {text}: {:?}", items.iter().map(|it| &it.label).collect::<Vec<_>>())
    });
    let plain = text.replace("<|>", "");
    specs::apply(&plain, edit(item), &written(item)).0
}

/// What an editor that compares beginnings keeps of the items.
fn kept(text: &str) -> Vec<String> {
    let mut editor = Editor::new(&[]);
    let plain = text.replace("<|>", "");
    let cursor = text.find("<|>").expect("a mark");
    let items = at_mark(&mut editor, text).into_iter();
    let kept = items.filter(|item| {
        let range = specs::bytes(&plain, edit(item).range).expect("a range");
        item.filter_text.as_ref().expect("a text to compare").starts_with(&plain[range.start..cursor])
    });
    kept.map(|item| item.label).collect()
}

fn syntax_errors(text: &str) -> Diagnostics {
    let mut sources = Sources::new();
    let id = sources.add(Source::new("x.kdl", text));
    let mut diagnostics = Diagnostics::new();
    syntax::parse(id, sources.get(id), &mut diagnostics);
    diagnostics
}

#[test]
fn nodes_stand_where_they_are_legal() {
    assert_eq!(labels("<|>"), ["include", "profile", "bottle", "lint"]);
    let bottle =
        labels("bottle \"x\" {\n    env { A \"1\"; }\n    artifact \"./a.smolmachine\"\n    <|>\n}\n");
    assert!(!bottle.contains(&"env".to_owned()) && !bottle.contains(&"artifact".to_owned()), "{bottle:?}");
    assert!(bottle.contains(&"extends".to_owned()) && bottle.contains(&"network".to_owned()), "{bottle:?}");
    // There is something to boot from already.
    assert_eq!(bottle[bottle.len() - 2..], ["image", "rootfs"]);
    assert!(!labels("profile \"x\" { <|> }").contains(&"network".to_owned()));
    // What is required comes first, and goes once it is there.
    assert_eq!(
        labels("bottle \"x\" { git { repo \"a\" { <|> } } }"),
        ["url", "identity", "host-key", "path"]
    );
    assert_eq!(
        labels("bottle \"x\" { git { repo \"a\" { identity \"~/a\"; host-key \"b\"; <|> } } }"),
        ["url", "host-key", "path"]
    );
    // One of two that exclude each other, and what belongs to it.
    assert_eq!(labels("bottle \"x\" { git { repo \"a\" { path \".\"; <|> } } }"), [""; 0]);
    assert_eq!(labels("bottle \"x\" { git { repo \"a\" { url \"a\"; <|> } } }"), ["identity", "host-key"]);
    assert_eq!(labels("bottle \"x\" { nonsense { <|> } }"), [""; 0]);
    assert_eq!(labels("bottle \"x\" { engine \"smolvm\" { <|> } }"), [""; 0]);
}

/// A text, the label that is taken in it, and what comes of it.
const HALF_WRITTEN: &[(&str, &str, &str)] = &[
    ("bott<|>", "bottle", "bottle \"\" {\n    \n}"),
    ("bottle \"x\" {\n    eg<|>\n}\n", "egress", "bottle \"x\" {\n    egress {\n    \n}\n}\n"),
    ("bottle \"x\" { al<|>low \"a\" }", "accept", "bottle \"x\" { accept \"a\" }"),
    ("bottle \"x\" { \"eg<|>\" { } }", "egress", "bottle \"x\" { \"egress\" { } }"),
    ("bottle \"x\" { <|>env { } }", "egress", "bottle \"x\" { egress { } }"),
    // Another node on the line must stay one of its own.
    ("bottle \"x\" { <|> env { } }", "supervise", "bottle \"x\" { supervise;  env { } }"),
    // Values: bare, quoted, open, raw.
    (
        "bottle \"x\" { egress { allow api.anth<|> } }",
        "api.anthropic.com",
        "bottle \"x\" { egress { allow \"api.anthropic.com\" } }",
    ),
    (
        "bottle \"x\" { egress { allow \"api.anth<|>\" } }",
        "api.anthropic.com",
        "bottle \"x\" { egress { allow \"api.anthropic.com\" } }",
    ),
    (
        "bottle \"x\" { egress { allow \"api<|>.old\" } }",
        "api.anthropic.com",
        "bottle \"x\" { egress { allow \"api.anthropic.com\" } }",
    ),
    (
        "bottle \"x\" {\n egress {\n allow \"api.<|>\n }\n}\n",
        "api.anthropic.com",
        "bottle \"x\" {\n egress {\n allow \"api.anthropic.com\"\n }\n}\n",
    ),
    (
        "bottle \"x\" { egress { allow #\"api.<|>\"# } }",
        "api.anthropic.com",
        "bottle \"x\" { egress { allow #\"api.anthropic.com\"# } }",
    ),
    (
        "bottle \"x\" {\n egress {\n allow ##\"api.<|>\n }\n}\n",
        "api.anthropic.com",
        "bottle \"x\" {\n egress {\n allow ##\"api.anthropic.com\"##\n }\n}\n",
    ),
    (
        "bottle \"x\" { egress { allow \"a.example.com\" <|> } }",
        "*.github.com",
        "bottle \"x\" { egress { allow \"a.example.com\" \"*.github.com\" } }",
    ),
    // Properties: the key, the value, both.
    (
        "bottle \"x\" {\n    engine \"smolvm\" <|>\n}\n",
        "version",
        "bottle \"x\" {\n    engine \"smolvm\" version=\"1.33.0\"\n}\n",
    ),
    (
        "bottle \"x\" {\n    engine \"smolvm\" ver<|>\n}\n",
        "version",
        "bottle \"x\" {\n    engine \"smolvm\" version=\"1.33.0\"\n}\n",
    ),
    (
        "bottle \"x\" {\n    engine \"smolvm\" ver<|>=\"1.2.5\"\n}\n",
        "version",
        "bottle \"x\" {\n    engine \"smolvm\" version=\"1.2.5\"\n}\n",
    ),
    (
        "bottle \"x\" {\n    engine \"smolvm\" version=<|>\n}\n",
        "1.2.5",
        "bottle \"x\" {\n    engine \"smolvm\" version=\"1.2.5\"\n}\n",
    ),
    (
        "bottle \"x\" {\n    engine \"smolvm\" version=1.2<|>\n}\n",
        "1.2.5",
        "bottle \"x\" {\n    engine \"smolvm\" version=\"1.2.5\"\n}\n",
    ),
    (
        "bottle \"x\" {\n    engine \"smolvm\" version=\"<|>\n    env { A \"1\"; }\n}\n",
        "1.2.5",
        "bottle \"x\" {\n    engine \"smolvm\" version=\"1.2.5\"\n    env { A \"1\"; }\n}\n",
    ),
    ("bottle \"x\" {\n    network octet=<|>\n}\n", "25", "bottle \"x\" {\n    network octet=25\n}\n"),
    (
        "bottle \"x\" { env { MY_KEY from-env=<|> } }",
        "MY_KEY",
        "bottle \"x\" { env { MY_KEY from-env=\"MY_KEY\" } }",
    ),
    (
        "bottle \"x\" { env { MY_KEY fr<|> } }",
        "from-env",
        "bottle \"x\" { env { MY_KEY from-env=\"MY_KEY\" } }",
    ),
    (
        "bottle \"x\" { env { ANTH<|> } }",
        "ANTHROPIC_API_KEY",
        "bottle \"x\" { env { ANTHROPIC_API_KEY from-env=\"ANTHROPIC_API_KEY\" } }",
    ),
    ("bottle \"x\" { env { ANTH<|> \"a\" } }", "TERM", "bottle \"x\" { env { TERM \"a\" } }"),
    // A file of the workspace, and what follows a line's continuation.
    ("include te<|>", "team.kdl", "include \"team.kdl\""),
    (
        "bottle \"x\" {\n egress {\n allow \\\n <|>\n }\n}\n",
        "api.anthropic.com",
        "bottle \"x\" {\n egress {\n allow \\\n \"api.anthropic.com\"\n }\n}\n",
    ),
    // Multibyte text before it on the line.
    (
        "bottle \"x\" { /* \u{fc}\u{1f37e} */ egress { allow ap<|> } }",
        "api.x.ai",
        "bottle \"x\" { /* \u{fc}\u{1f37e} */ egress { allow \"api.x.ai\" } }",
    ),
    // Blocks that are not closed yet.
    ("bottle \"x\" { <|>", "backend", "bottle \"x\" { backend \"smolmachines\""),
    (
        "bottle \"x\" {\n    egress {\n        <|>\n",
        "log",
        "bottle \"x\" {\n    egress {\n        log \"all\"\n",
    ),
    (
        "bottle \"x\" {\n    git {\n        repo \"a\" {\n            \n    <|>\n",
        "backend",
        "bottle \"x\" {\n    git {\n        repo \"a\" {\n            \n    backend \"smolmachines\"\n",
    ),
];

#[test]
fn a_half_written_word_is_replaced() {
    let editor = &mut Editor::new(&[("team.kdl", "profile \"team\" {}\n")]);
    for (text, label, expected) in HALF_WRITTEN {
        assert_eq!(taken(editor, text, label), *expected, "{text}");
    }
}

#[test]
fn nothing_is_offered_where_nothing_belongs() {
    for text in [
        "// bo<|>",
        "bottle \"x\" { /* <|> */ }",
        "bottle \"x\" {\n    egress { } // <|>\n}\n",
        "bottle \"x\"<|>",
        "bottle \"x\" { } <|>",
        "bottle <|>",
        "bottle \"<|>\"",
        "bottle \"x\" { (<|>)egress }",
        "bottle \"x\" { egress { allow \"\"\"<|>\n\"\"\" } }",
        "bottle \"x\" { env { SECRET \"<|>\"; } }",
        "bottle \"x\" { env { A \"1\" <|> } }",
        "bottle \"x\" { network octet=\"<|>\" }",
    ] {
        assert_eq!(labels(text), [""; 0], "{text}");
    }
}

#[test]
fn what_is_typed_is_compared_with_what_is_there() {
    assert_eq!(kept("bottle \"x\" { egress { allow \"api.anth<|>\" } }"), ["api.anthropic.com"]);
    assert_eq!(kept("bottle \"x\" { egress { allow api.anth<|> } }"), ["api.anthropic.com"]);
    assert_eq!(
        kept("bottle \"x\" { egress { allow #\"*.gi<|> } }"),
        ["*.github.com", "*.githubusercontent.com"]
    );
    assert_eq!(kept("bottle \"x\" { egress { den<|> } }"), ["deny"]);
    assert_eq!(kept("bottle \"x\" { sidecar \"a\" image=\"ghcr<|>"), ["ghcr.io/"]);
}

#[test]
fn names_are_those_that_are_there() {
    let profiles = "profile \"a\" { extends \"b\"; sidecar \"cache\" image=\"i\" { port 6379; needs \"pipelock\"; } }\nprofile \"b\" {}\nprofile \"c\" { supervise; }\n";
    let with = |text: &str| labels(&format!("{profiles}{text}"));
    // Those of the spec come before the built-in ones.
    let all = with("bottle \"x\" { extends <|> }");
    assert_eq!(all[..5], ["a", "b", "c", "std/aider", "std/claude-code"]);
    let own = |all: Vec<String>| all.into_iter().filter(|name| !name.starts_with("std/")).collect::<Vec<_>>();
    assert_eq!(own(with("bottle \"x\" { extends \"b\"; extends \"c\" <|> }")), ["a"]);
    let extended = with("bottle \"x\" { extends \"std/aider\" <|> }");
    assert!(
        !extended.contains(&"std/aider".to_owned()) && extended.contains(&"a".to_owned()),
        "{extended:?}"
    );
    // A profile that lies on this one would make a circle.
    assert_eq!(own(labels(&profiles.replace("profile \"b\" {}", "profile \"b\" { extends <|> }"))), ["c"]);
    let sidecars = |text: &str| {
        with(&format!(
            "bottle \"x\" {{ extends \"a\" \"c\"; sidecar \"db\" image=\"i\" {{ needs \"cache\"; }}; {text} }}"
        ))
    };
    let own = "sidecar \"web\" image=\"i\" { needs <|> }";
    assert_eq!(sidecars(own), ["cache", "db", "pipelock", "supervise"]);
    assert_eq!(
        sidecars("git { repo \"r\" { } }; sidecar \"web\" image=\"i\" { needs \"db\" <|> }"),
        ["cache", "git-gate", "pipelock", "supervise"]
    );
    // Those that need it are no choice: `db` by way of `cache`.
    assert_eq!(sidecars("pipelock { needs <|> }"), ["supervise"]);
    // A profile that cannot be found does not hide the others.
    assert_eq!(
        labels("bottle \"x\" { extends \"gone\"; sidecar \"a\" image=\"i\" { needs \"<|>\"; } }"),
        ["pipelock"]
    );
    // Over an include.
    let mut editor = Editor::new(&[("lib/team.kdl", "profile \"team\" { egress { allow \"a\" \"b\"; } }\n")]);
    let items = at_mark(&mut editor, "include \"lib/team.kdl\"\nbottle \"x\" { extends \"<|>\" }");
    assert_eq!(items.len(), 1 + bottlec::world::catalogue::ALL.len());
    assert_eq!(
        (items[0].label.as_str(), items[0].detail.as_deref()),
        ("team", Some("profile, lib/team.kdl:1"))
    );
    assert_eq!(items[1].detail.as_deref(), Some("built-in profile"));
    let doc = format!("{:?}", items[1].documentation);
    assert!(doc.contains("what is under it: `std/anthropic`") && doc.contains("the program `aider"), "{doc}");
}

#[test]
fn hosts_are_those_of_the_spec_and_a_few_more() {
    let spec = "profile \"p\" { egress { allow \"*.github.com\" \"10.1.1.1\" \"db.internal\"; deny \"old.example.com\"; } }\nbottle \"x\" { extends \"p\"; ";
    let first = |text: &str, number: usize| {
        labels(&format!("{spec}{text}")).into_iter().take(number).collect::<Vec<_>>()
    };
    assert_eq!(
        first("egress { allow <|> } }", 4),
        ["*.github.com", "10.1.1.1", "db.internal", "old.example.com"]
    );
    // What is meant to be private most likely is.
    assert_eq!(first("egress { private <|> } }", 2), ["10.1.1.1", "db.internal"]);
    // A hole that a wildcard leaves open.
    assert_eq!(first("egress { deny <|> } }", 1), ["gist.github.com"]);
    assert_eq!(first("expect { refuse <|> } }", 2), ["old.example.com", "10.0.0.1:22"]);
    assert_eq!(first("expect { allow <|> } }", 2), ["10.1.1.1", "db.internal"]);
    // What is there is not offered again, nor what is being written.
    let again = labels(
        "bottle \"x\" { egress { allow \"api.openai.com\"; allow \"api.anthropic.com\" \"half.exa<|>\" } }",
    );
    for host in ["api.openai.com", "api.anthropic.com", "half.exa"] {
        assert!(!again.contains(&host.to_owned()), "{host}");
    }
}

#[test]
fn paths_are_those_that_the_language_takes() {
    let files = [
        ("team.kdl", ""),
        ("notes.txt", ""),
        (".hidden.kdl", ""),
        ("agent.smolmachine", ""),
        ("specs/x.kdl", ""),
        ("specs/other.kdl", ""),
        // What reads as another name is refused, and a quote is escaped.
        ("specs/\u{202e}evil.kdl", ""),
        ("specs/\"$x}.kdl", ""),
        ("rootfs/bin/sh", ""),
        ("/home/ada/.ssh/id_ed25519", ""),
        ("/home/ada/.ssh/id_ed25519.pub", ""),
        ("/home/ada/.config/ca.pem", ""),
        ("/home/ada/.config/ca-key.pem", ""),
        ("/run/secrets/npm", ""),
    ];
    let at = |name: &str, text: &str| {
        let mut editor = Editor::new(&files);
        let offset = text.find("<|>").expect("a mark");
        let plain = text.replace("<|>", "");
        editor.open(name, &plain);
        let mut items = complete(&mut editor, name, specs::position(&plain, offset)).items;
        items.sort_by(|a, b| a.sort_text.cmp(&b.sort_text));
        items.iter().map(|item| specs::apply(&plain, edit(item), &written(item)).0).collect::<Vec<_>>()
    };
    assert_eq!(at("specs/x.kdl", "include \"<|>\""), ["include \"\\\"$x}.kdl\"", "include \"other.kdl\""]);
    assert_eq!(
        at("specs/x.kdl", "include \"../<|>\""),
        ["include \"../team.kdl\"", "include \"../rootfs/\"", "include \"../specs/\""]
    );
    assert_eq!(at("specs/x.kdl", "include \"../../<|>\""), [""; 0]);
    assert_eq!(at("specs/x.kdl", "include \"/<|>\""), [""; 0]);
    assert_eq!(at("specs/x.kdl", "include \"~/<|>\""), [""; 0]);
    assert_eq!(
        at("team.kdl", "include .h<|>"),
        ["include \".hidden.kdl\"", "include \"rootfs/\"", "include \"specs/\""]
    );
    let in_bottle = |text: &str| {
        let cut = |text: String| text["bottle \"x\" { ".len()..text.len() - 2].to_owned();
        at("specs/x.kdl", &format!("bottle \"x\" {{ {text} }}")).into_iter().map(cut).collect::<Vec<_>>()
    };
    assert_eq!(
        in_bottle("artifact \"../<|>\""),
        ["artifact \"../agent.smolmachine\"", "artifact \"../rootfs/\"", "artifact \"../specs/\""]
    );
    assert_eq!(in_bottle("rootfs \"../r<|>\""), ["rootfs \"../rootfs\"", "rootfs \"../specs\""]);
    assert_eq!(
        in_bottle("volume \"../<|>\" \"/a\""),
        ["volume \"../rootfs\" \"/a\"", "volume \"../specs\" \"/a\""]
    );
    assert_eq!(in_bottle("volume \"~/<|>\" \"/a\""), [""; 0]);
    assert_eq!(
        in_bottle("git { repo \"a\" { identity <|>; }; }"),
        [
            "git { repo \"a\" { identity \"~/.ssh/id_ed25519\"; }; }",
            "git { repo \"a\" { identity \"~/\"; }; }"
        ]
    );
    assert_eq!(
        in_bottle("egress { tls { ca-key \"~/.config/<|>\"; }; }"),
        [
            "egress { tls { ca-key \"~/.config/ca-key.pem\"; }; }",
            "egress { tls { ca-key \"~/.config/ca.pem\"; }; }"
        ]
    );
    assert_eq!(
        in_bottle("env { A from-file=\"/run/secrets/<|>\"; }"),
        ["env { A from-file=\"/run/secrets/npm\"; }"]
    );
    assert_eq!(in_bottle("env { A from-file=<|>; }"), ["env { A from-file=\"/run/secrets/\"; }"]);
}

#[test]
fn variables_of_an_image_are_those_that_it_reads() {
    let names =
        labels("bottle \"x\" { sidecar \"db\" image=\"docker.io/library/postgres:17\" { env { <|> } } }");
    assert_eq!(names, ["POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "POSTGRES_USER"]);
    let agent = labels(
        "bottle \"x\" { env { TERM \"a\"; MINE from-env=\"B\"; <|> }; sidecar \"db\" image=\"i\" { env { PGX \"1\"; } } }\nprofile \"y\" { env { HTTPS_PROXY \"x\"; OTHER \"x\"; } }",
    );
    assert!(agent.contains(&"OTHER".to_owned()) && agent.contains(&"ANTHROPIC_API_KEY".to_owned()));
    for no in ["TERM", "MINE", "HTTPS_PROXY", "PGX"] {
        assert!(!agent.contains(&no.to_owned()), "{no}");
    }
    assert_eq!(
        labels("bottle \"x\" { sidecar \"main-db\" image=\"i\" { port 5432; expose \"<|>\"; } }"),
        ["DATABASE_URL", "MAIN_DB_URL"]
    );
}

#[test]
fn no_literal_value_is_offered() {
    let spec = "profile \"p\" { env { API_TOKEN \"hunter2\"; TERM \"hunter2\"; } }\nbottle \"x\" { extends \"p\"; sidecar \"s\" image=\"i\" { env { TOKEN \"hunter2\"; }; }; env { <|> } }";
    let mut editor = Editor::new(&[]);
    for text in [
        spec.to_owned(),
        spec.replace("env { <|> }", "env { API_TOKEN <|> }"),
        spec.replace("env { <|> }", "env { A from-env=\"<|>\" }"),
    ] {
        let items = at_mark(&mut editor, &text);
        assert!(!items.is_empty(), "{text}");
        assert!(!serde_json::to_string(&items).expect("JSON").contains("hunter2"), "{text}");
    }
}

#[test]
fn plain_clients_get_plain_text() {
    let capabilities = json!({"textDocument": {"completion": {"completionItem": {}}}});
    let mut editor = Editor::with(&[], &capabilities);
    let items = at_mark(&mut editor, "bottle \"x\" { <|> }");
    for item in &items {
        assert_eq!(item.insert_text_format, Some(InsertTextFormat::PLAIN_TEXT));
        assert!(!edit(item).new_text.contains(['$', '\n']), "{}", edit(item).new_text);
        // One that names no format may know of none.
        let Some(Documentation::String(doc)) = &item.documentation else { panic!("{}", item.label) };
        assert!(!doc.contains("```"), "{doc}");
    }
    assert_eq!(
        taken(&mut editor, "bottle \"x\" { env { <|> } }", "NPM_TOKEN"),
        "bottle \"x\" { env { NPM_TOKEN from-env=\"NPM_TOKEN\" } }"
    );
}

#[test]
fn a_list_is_incomplete_only_when_something_was_left_out() {
    let mut hosts = String::new();
    for number in 0..1500 {
        let _ = write!(hosts, " \"h{number}.example.com\"");
    }
    let mut editor = Editor::new(&[]);
    let spec = |typed: &str| {
        format!(
            "profile \"p\" {{ egress {{ allow{hosts}; }} }}\nbottle \"x\" {{ egress {{ allow \"{typed}<|>\" }} }}"
        )
    };
    let position = editor.open_at(&spec("h14"));
    let list = complete(&mut editor, "x.kdl", position);
    assert!(list.is_incomplete);
    assert_eq!(list.items.len(), 111);
    let position = editor.open_at("bottle \"x\" { egress { allow \"<|>\" } }");
    assert!(!complete(&mut editor, "x.kdl", position).is_incomplete);
}

/// The words that a place of this type must offer.
fn missing(text: &str, expected: &[&str]) -> Vec<String> {
    let found = labels(text);
    let missing = expected.iter().filter(|word| !found.contains(&(**word).to_owned()));
    missing.map(|word| format!("`{word}` at {text}")).collect()
}

/// Goes through the table: every node, property and word is offered where it belongs.
fn walk(node: &'static Node, path: &mut Vec<&'static str>, problems: &mut Vec<String>) {
    let open: String = path.iter().map(|name| [name, " {\n"].concat()).collect();
    let close = "}\n".repeat(path.len());
    let here = |text: &str| format!("{open}{text}\n{close}");
    let names: Vec<&str> = node.child_nodes().iter().map(|child| child.node.name).collect();
    problems.extend(missing(&here("<|>"), &names));
    let (outer, name) = match path.split_last() {
        Some((name, outer)) => (outer, *name),
        None => (&[][..], ""),
    };
    let head = |text: &str| {
        let open: String = outer.iter().map(|name| [name, " {\n"].concat()).collect();
        format!("{open}{name} {text}\n{}", "}\n".repeat(outer.len()))
    };
    if !path.is_empty() {
        let keys: Vec<&str> = node.properties.iter().map(|property| property.name).collect();
        problems.extend(missing(&head("<|>"), &keys));
        for property in node.properties {
            problems.extend(missing(&head(&format!("{}=\"<|>\"", property.name)), &property.value.words()));
        }
        for (at, argument) in node.arguments.iter().enumerate() {
            problems
                .extend(missing(&head(&format!("{}\"<|>\"", "\"?\" ".repeat(at))), &argument.value.words()));
        }
    }
    for child in node.child_nodes() {
        path.push(child.node.name);
        walk(child.node, path, problems);
        path.pop();
    }
    if let Children::Named { name, node } = &node.children {
        assert_eq!(*name, ValueType::EnvName, "names of another type need a completion of their own");
        path.push("NAME");
        walk(node, path, problems);
        path.pop();
    }
}

#[test]
fn the_whole_table_can_be_completed() {
    let mut problems = Vec::new();
    walk(&ROOT, &mut Vec::new(), &mut problems);
    assert!(problems.is_empty(), "not offered:\n{}", problems.join("\n"));
}

/// Places of a text where a word could begin.
fn empty_places(text: &str) -> Vec<usize> {
    let before =
        |at: usize| text[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "{;".contains(c));
    let after = |at: usize| text[at..].chars().next().is_none_or(|c| c.is_whitespace() || "};".contains(c));
    (0..=text.len()).filter(|at| text.is_char_boundary(*at) && before(*at) && after(*at)).collect()
}

#[test]
fn whatever_is_taken_the_text_stays_kdl() {
    let plain = json!({});
    let mut taken = 0;
    for capabilities in [editor::all_capabilities(), plain] {
        let mut editor = Editor::with(
            &[("team.kdl", "profile \"t\" {}"), ("agent.smolmachine", ""), ("a b/c.kdl", "")],
            &capabilities,
        );
        let more = "bottle \"x\" { egress { } ; env { }; git { repo \"a\" { } }; sidecar \"a\" image=\"b\" { }; /* a */ }\n";
        for text in
            [specs::below("examples"), specs::below("tests/cases/ok"), vec![more.to_owned(), String::new()]]
                .concat()
        {
            assert!(syntax_errors(&text).is_empty());
            editor.open("x.kdl", &text);
            // A file has many lines alike: of each kind of line a few places say it all.
            for at in empty_places(&text).into_iter().step_by(3) {
                let list = complete(&mut editor, "x.kdl", specs::position(&text, at));
                for item in &list.items {
                    let (new, _) = specs::apply(&text, edit(item), &written(item));
                    let errors = syntax_errors(&new);
                    assert!(errors.is_empty(), "{} at {at}: {errors:?}\n{new}", item.label);
                    taken += 1;
                }
            }
        }
    }
    assert!(taken > 5000, "{taken} were tried");
}

#[test]
fn no_place_of_any_text_is_a_trap() {
    let mut editor = Editor::new(&[("team.kdl", "")]);
    for (number, text) in specs::whole_and_broken().iter().enumerate() {
        editor.open("x.kdl", text);
        // The places shift from text to text, so that over all of them every kind of place is asked.
        for at in (number % 101..=text.len()).step_by(101).filter(|at| text.is_char_boundary(*at)) {
            let position = specs::position(text, at);
            for item in complete(&mut editor, "x.kdl", position).items {
                let edit = edit(&item);
                assert!(specs::bytes(text, edit.range).is_some(), "{:?} at {at} of {text:?}", edit.range);
                assert_eq!(edit.range.start.line, edit.range.end.line);
                assert!(
                    edit.range.start <= position && position <= edit.range.end,
                    "{:?} at {position:?}",
                    edit.range
                );
                assert!(!item.label.contains(char::is_control));
            }
        }
    }
}

/// A place that is red before anybody has typed says that the editor is wrong.
#[test]
fn a_sidecar_is_no_error_before_its_places_are_filled_in() {
    let mut editor = Editor::with(&[], &editor::all_capabilities());
    let items = at_mark(&mut editor, "bottle \"x\" {\n    <|>\n}\n");
    let item = items.iter().find(|item| item.label == "sidecar").unwrap();
    let text = format!("bottle \"x\" {{\n    {}\n}}\n", written(item));
    let (_, compilation) = compile_text("x.kdl", &text);
    assert!(!compilation.diagnostics.has_errors(), "{text}: {:?}", compilation.diagnostics);
    let inside = text.replace("{\n    \n", "{\n    <|>\n");
    let port = taken(&mut editor, &inside, "port");
    assert!(port.contains("port 5432 scheme=\"postgres\""), "{port}");
}

/// A list as a person sees it: what is offered, what it becomes, and a few words.
#[test]
fn lists_as_they_are_seen() {
    let mut shown = String::new();
    for text in [
        "<|>",
        "bottle \"x\" {\n    <|>\n}\n",
        "bottle \"x\" { sidecar \"db\" image=\"docker.io/library/postgres:17\" { <|> } }",
        "bottle \"x\" { engine \"smolvm\" version=\"<|>\" }",
        "bottle \"x\" { accept <|> }",
        "bottle \"x\" { egress { scan-bodies <|> } }",
        "bottle \"x\" { env { <|> } }",
        "bottle \"x\" { sidecar \"a\" image=\"<|>\" }",
        "bottle \"x\" { sidecar \"a\" image=\"b\" { port 6379 <|> } }",
    ] {
        let _ = writeln!(shown, "{text}");
        for item in at_mark(&mut Editor::new(&[]), text) {
            let _ = writeln!(
                shown,
                "  {:<22} {:<60} {}",
                item.label,
                format!("{:?}", edit(&item).new_text),
                item.detail.unwrap_or_default()
            );
        }
    }
    assert_snapshot("lsp_completion__lists", &shown);
    let mut shown = String::new();
    for (text, label) in [
        ("bottle \"x\" { <|> }", "network"),
        ("bottle \"x\" { engine \"smolvm\" <|> }", "version"),
        ("bottle \"x\" { engine \"smolvm\" version=\"<|>\" }", "1.2.5"),
        ("bottle \"x\" { engine \"smolvm\" version=\"<|>\" }", "1.1.3"),
        ("bottle \"x\" { accept \"<|>\" }", "dns-open"),
        (
            "profile \"t\" { env { A \"1\" }; supervise; sidecar \"a\" image=\"b\"; }\nbottle \"x\" { extends \"<|>\" }",
            "t",
        ),
    ] {
        let items = at_mark(&mut Editor::new(&[]), text);
        let item = items.into_iter().find(|item| item.label == label).expect("an item");
        let Some(Documentation::MarkupContent(doc)) = item.documentation else {
            panic!("{label} has a documentation")
        };
        let _ = writeln!(shown, "=== {label}\n{}\n", doc.value);
    }
    assert_snapshot("lsp_completion__documentation", &shown);
}
