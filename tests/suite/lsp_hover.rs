//! What is to be known of a place, as an editor is told.

use std::fmt::Write as _;

use bottlec::schema::{Node, ROOT};
use lsp_types::request as ask;
use lsp_types::{Hover, HoverContents, HoverParams, MarkupKind, Position, WorkDoneProgressParams};
use serde_json::json;

use crate::support::editor::Editor;
use crate::support::{assert_snapshot, specs};

fn hover(editor: &mut Editor, position: Position) -> Option<Hover> {
    editor.ask::<ask::HoverRequest>(HoverParams {
        text_document_position_params: Editor::at("x.kdl", position),
        work_done_progress_params: WorkDoneProgressParams::default(),
    })
}

fn value(hover: &Hover) -> &str {
    match &hover.contents {
        HoverContents::Markup(markup) => &markup.value,
        other => panic!("markup, not {other:?}"),
    }
}

/// What is said at the mark; nothing is an empty text.
fn at_mark(editor: &mut Editor, text: &str) -> String {
    let position = editor.open_at(text);
    hover(editor, position).map(|hover| value(&hover).to_owned()).unwrap_or_default()
}

fn said(text: &str) -> String {
    at_mark(&mut Editor::new(&[]), text)
}

/// The same of a text in which one word is looked for.
fn said_of(spec: &str, word: &str) -> String {
    let at = spec.find(word).unwrap_or_else(|| panic!("{word} in {spec}")) + 1;
    said(&format!("{}<|>{}", &spec[..at], &spec[at..]))
}

const SPEC: &str = r#"profile "team" {
    env { TERM "hunter2"; }
    egress {
        allow "api.anthropic.com" "*.github.com" "db.internal" "10.1.1.1" "x.example.com:443"
        deny "gist.github.com"
        private "10.1.0.0/16"
        rate-limit 900
    }
}
bottle "api-dev" {
    extends "team"
    artifact "./agent.smolmachine"
    env { ANTHROPIC_API_KEY from-env="HOST_KEY"; NPM_TOKEN from-file="/run/secrets/npm"; }
    sidecar "db" image="docker.io/library/postgres:17" {
        port 5432 scheme="postgres"
        needs "pipelock"
        env { POSTGRES_PASSWORD from-env="DB_PASSWORD"; POSTGRES_USER "hunter2"; }
        expose "DATABASE_URL" path="/app"
    }
    sidecar "web" image="w" { port 8080; needs "db"; }
    network octet=42
    expect { allow "api.github.com:443"; refuse "gist.github.com" "nowhere.example.com"; }
}
bottle "old" {
    extends "team"
    engine "smolvm" version="1.1.3"
    accept "dns-open" reason="why not"
}
"#;

#[test]
fn the_reference_is_there_for_nodes_properties_and_arguments() {
    let node = said("bottle \"x\" { ne<|>twork octet=42 }");
    assert!(
        node.contains("Pins the bottle's subnet.") && node.contains("```kdl\nnetwork octet=42\n```"),
        "{node}"
    );
    let key = said("bottle \"x\" { engine \"smolvm\" ver<|>sion=\"1.33.0\" }");
    assert!(key.contains("Without it: the newest known version."), "{key}");
    let argument = said("bottle \"x\" { egress { rate-limit 6<|>00 } }");
    assert!(
        argument.contains("Requests a minute.") && argument.contains("between 1 and 1000000"),
        "{argument}"
    );
    for nothing in [
        "bottle \"x\" { // com<|>ment\n}",
        "bottle \"x\" { nonsense<|> 1 }",
        "bottle \"x\"  <|>  { }",
        "bottle \"x\" { <|> }",
        "bottle \"x\" { network octet=<|> }",
        "",
    ] {
        let text = if nothing.is_empty() { "<|>" } else { nothing };
        assert_eq!(said(text), "", "{text}");
    }
    // What is commented out is what it was, and nothing comes of it.
    let out = said("bottle \"x\" { /-sup<|>ervise }");
    assert!(out.starts_with("Lets the agent ask a human"), "{out}");
}

#[test]
fn a_bottle_has_its_addresses() {
    let pinned = said_of(SPEC, "api-dev");
    assert!(pinned.contains("subnet `192.168.42.0/24`: pinned in line 21"), "{pinned}");
    assert!(pinned.contains("Starts `pipelock`, then `db`, then `web`, then the agent."), "{pinned}");
    let derived = said_of(SPEC, "\"old\"");
    assert!(
        derived.contains("derived from the name") && derived.contains("bundle `192.168.165.2`"),
        "{derived}"
    );
    // Also while the rest does not hold.
    let broken = said("bottle \"o<|>ld\" { extends \"gone\"; egress {");
    assert!(broken.contains("192.168.165.2"), "{broken}");
}

#[test]
fn an_entry_says_what_it_matches_and_what_decides() {
    let wide = said_of(SPEC, "*.github.com");
    assert!(
        wide.contains("`*.github.com` stands for `github.com` and every name below it, at every depth."),
        "{wide}"
    );
    assert!(wide.contains("`api-dev`: can be reached: on every port, by this entry"), "{wide}");
    assert!(said_of(SPEC, "x.example.com:443").contains(
        "pipelock cannot hold port 443: the entry counts as `x.example.com`, which is wider than written"
    ));
    let denied = said_of(SPEC, "gist.github.com\"\n");
    assert!(
        denied.contains(
            "cannot be reached: denied by this entry, which beats `allow` `*.github.com` at `x.kdl:4`"
        ),
        "{denied}"
    );
    let private = said_of(SPEC, "10.1.1.1");
    assert!(
        private.contains("by this entry, and `private` `10.1.0.0/16` at `x.kdl:6` opens its address"),
        "{private}"
    );
    assert!(
        said_of(SPEC, "api.github.com:443")
            .contains("`api-dev`: can be reached: on every port, by `allow` `*.github.com`")
    );
    assert!(
        said_of(SPEC, "nowhere.example.com").contains("`api-dev`: cannot be reached: no `allow` covers it")
    );
    // Rules have their say: a domain where anybody gets a host.
    let shared = said("bottle \"x\" { egress { allow \"*.githu<|>b.io\"; } }");
    assert!(shared.contains("(`allow-shared`)"), "{shared}");
    // Ones that pass by what is looked for.
    let passed = said("bottle \"x\" { egress { tls { passthrough \"*.exam<|>ple.com\"; } } }");
    assert!(passed.contains("not for `example.com` itself"), "{passed}");
    // No list holds on an engine that enforces none.
    let open =
        said("bottle \"x\" { engine \"smolvm\" version=\"1.0.4\"; egress { deny \"a.exam<|>ple.com\"; } }");
    assert!(
        open.contains("can be reached: nothing is refused") && open.contains("`policy-not-enforced`"),
        "{open}"
    );
    assert!(!open.contains("cannot be reached"), "{open}");
}

#[test]
fn names_say_what_they_stand_for() {
    let sidecar = said_of(SPEC, "\"db\" image");
    assert!(sidecar.contains("in `api-dev`: `postgres://192.168.42.2:5432`, starts in wave 2 of 3, needed by `web` and the agent; the agent has its URL as `DATABASE_URL`"), "{sidecar}");
    assert!(
        said_of(SPEC, "\"pipelock\"")
            .contains("`http://192.168.42.2:8888`, starts in wave 1 of 3, needed by `db` and the agent")
    );
    assert!(said_of(SPEC, "DATABASE_URL").contains("`DATABASE_URL` is `postgres://192.168.42.2:5432/app`"));
    let profile = said(
        "profile \"team\" { env { TERM \"hunter2\"; }; egress { allow \"a.example.com\"; }; }\nbottle \"x\" { extends \"te<|>am\" }",
    );
    assert!(
        profile.contains("Profile `team`, `x.kdl:1`, gives:\n\n- allows `a.example.com`\n- variables `TERM`"),
        "{profile}"
    );
    assert!(said("bottle \"x\" { extends \"te<|>am\" }").contains("There is no profile `team`"));
    let mut editor = Editor::new(&[("lib/team.kdl", "profile \"team\" {}\nbottle \"b\" {}\n")]);
    let included = at_mark(&mut editor, "include \"./lib/te<|>am.kdl\"");
    assert!(included.contains("Reads `lib/team.kdl`.\n\n- profiles `team`\n- bottles `b`"), "{included}");
    assert!(at_mark(&mut editor, "include \"../te<|>am.kdl\"").contains("leaves the workspace"));
    assert!(
        at_mark(&mut editor, "include \"te<|>am.kdl\"")
            .contains("`team.kdl` cannot be read: `there is no such file`")
    );
}

#[test]
fn variables_say_where_they_go_and_not_what_they_hold() {
    let secret = said_of(SPEC, "ANTHROPIC_API_KEY");
    assert!(
        secret.contains("reads the host's variable `HOST_KEY`, and the agent has it as `ANTHROPIC_API_KEY`"),
        "{secret}"
    );
    assert!(
        secret.contains("`--secret-env`") && secret.contains("in no file that `bottlec` writes"),
        "{secret}"
    );
    assert!(said_of(SPEC, "/run/secrets/npm").contains("`--secret-file`"));
    assert!(said_of(SPEC, "DB_PASSWORD").contains("`compose.yaml` carries the name alone"));
    for (word, place) in [
        ("TERM", "`agent.env`"),
        ("hunter2\"; }\n    egress", "`agent.env`"),
        ("POSTGRES_USER", "`compose.yaml`"),
    ] {
        let literal = said_of(SPEC, word);
        assert!(literal.contains(place) && literal.contains("For a secret write `from-env`"), "{literal}");
    }
}

#[test]
fn versions_and_rules_are_known() {
    let version = said_of(SPEC, "1.1.3");
    assert!(
        version.contains("smolvm 1.1.3 does not keep the agent to its bundle")
            && version.contains("`dns-open`"),
        "{version}"
    );
    assert!(
        said("bottle \"x\" { engine \"smolvm\" version=\"1.3<|>3.0\" }")
            .contains("smolvm 1.33.0 keeps the agent to its bundle")
    );
    assert!(said("bottle \"x\" { engine \"smolvm\" version=\"9.<|>0.0\" }").contains("newer than"));
    assert!(said("bottle \"x\" { engine \"smolvm\" version=\"0.<|>1.0\" }").contains("knows no allow list"));
    // What boots decides, too.
    let dropped =
        said("bottle \"x\" { artifact \"./a.smolmachine\"; engine \"smolvm\" version=\"1.7<|>.7\" }");
    assert!(dropped.contains("booted by `artifact`") && dropped.contains("`policy-dropped`"), "{dropped}");
    let rule = said_of(SPEC, "dns-open");
    assert!(rule.starts_with("# dns-open\n") && rule.contains("## Why"), "{rule}");
}

#[test]
fn plain_clients_get_plain_text() {
    let mut editor = Editor::with(&[], &json!({"textDocument": {"hover": {}}}));
    let position = editor.open_at("bottle \"x\" { ne<|>twork octet=42 }");
    let Some(Hover { contents: HoverContents::Markup(markup), .. }) = hover(&mut editor, position) else {
        panic!("a hover")
    };
    assert_eq!(markup.kind, MarkupKind::PlainText);
    assert!(
        markup.value.contains("\n    network octet=42") && !markup.value.contains("```"),
        "{}",
        markup.value
    );
}

#[test]
fn a_text_is_shown_as_the_client_can() {
    let both = |text: &str| {
        let plain = at_mark(&mut Editor::with(&[], &json!({"textDocument": {"hover": {}}})), text);
        (said(text), plain)
    };
    // Paragraphs and an example of several lines.
    let (markdown, plain) = both("profile \"x\" { ex<|>pect { allow \"a.example.com\" } }");
    let child = |node: &Node, name: &str| {
        let found = node.child_nodes().iter().find(|child| child.node.name == name);
        found.expect("a node").node
    };
    let example = child(child(&ROOT, "profile"), "expect").example;
    assert!(example.lines().count() > 2, "{example}");
    let (paragraphs, _) = markdown.split_once("\n\n```kdl\n").expect("an example");
    assert_eq!(markdown, format!("{paragraphs}\n\n```kdl\n{example}\n```"));
    assert_eq!(plain, format!("{paragraphs}\n\n    {}", example.replace('\n', "\n    ")));
    // A list.
    let (markdown, plain) = both(
        "profile \"team\" { env { TERM \"x\"; }; egress { allow \"a.example.com\"; }; }\nbottle \"x\" { extends \"te<|>am\"; }",
    );
    let list = "gives:\n\n- allows `a.example.com`\n- variables `TERM`";
    assert!(markdown.contains(list) && plain.contains(list), "{markdown}\n{plain}");
}

#[test]
fn links_within_the_page_are_taken_out() {
    let link = regex::Regex::new(r"\[([^\]]*)\]\(#[^)]*\)").expect("an expression");
    let linked = |node: &'static Node, path: &str| {
        let plain = link.replace_all(node.doc, "$1").into_owned();
        (plain != node.doc).then(|| (path.to_owned(), plain))
    };
    let mut seen = 0;
    let mut open: Vec<(&'static Node, String)> = vec![(&ROOT, String::new())];
    while let Some((node, outer)) = open.pop() {
        for child in node.child_nodes() {
            let name = child.node.name;
            let path = format!("{outer}{name} {{ ");
            if let Some((_, plain)) = linked(child.node, &path) {
                let shown = said(&format!("{outer}{}<|>{}", &name[..1], &name[1..]));
                assert!(shown.contains(&plain), "{path}: {shown}");
                seen += 1;
            }
            open.push((child.node, path));
        }
    }
    assert!(seen > 0, "no text has a link");
}

/// Whether a text is in code wherever it stands in some Markdown: in a span, between backticks of one line.
fn is_fenced(markdown: &str, text: &str) -> bool {
    markdown.match_indices(text).all(|(at, _)| {
        let line = markdown[..at].rfind('\n').map_or(0, |at| at + 1);
        let end = markdown[at..].find('\n').map_or(markdown.len(), |end| at + end);
        markdown[line..at].matches('`').count() % 2 == 1 && markdown[at..end].contains('`')
    })
}

#[test]
fn no_text_of_a_spec_makes_markup() {
    let evil = "e`**evil**<img>[x](http://evil)\\n\\n# evil\\u{202e}";
    let name = evil;
    let spec = format!(
        "include \"{evil}\"\nprofile \"{name}\" {{ env {{ \"{name}\" from-env=\"{evil}\"; B from-file=\"{evil}\"; }}; egress {{ allow \"{evil}\" \"*.{evil}\"; }}; \
         sidecar \"{name}\" image=\"{evil}\" {{ port 1 scheme=\"{evil}\"; expose \"{name}\" path=\"{evil}\"; needs \"pipelock\"; }}; image \"{evil}\"; git {{ repo \"{evil}\" {{ }}; }}; }}\n\
         bottle \"{name}\" {{ extends \"{name}\"; engine \"smolvm\" version=\"{evil}\"; accept \"{evil}\" reason=\"{evil}\"; pipelock {{ needs \"x{evil}\"; }}; expect {{ allow \"{evil}\"; }}; }}\n\
         bottle \"ok\" {{ extends \"{name}\"; pipelock; }}\n"
    );
    let mut editor = Editor::new(&[]);
    editor.open("x.kdl", &spec);
    let mut asked = 0;
    for at in (0..spec.len()).filter(|at| spec.is_char_boundary(*at)) {
        let Some(hover) = hover(&mut editor, specs::position(&spec, at)) else { continue };
        let value = value(&hover);
        asked += usize::from(value.contains("evil"));
        assert!(is_fenced(value, "evil") && !value.contains('\u{202e}'), "at {at}: {value}");
    }
    assert!(asked > 100, "{asked} hovers repeat something of the spec");
}

#[test]
fn no_place_of_any_text_is_a_trap() {
    let mut editor = Editor::new(&[("team.kdl", "")]);
    let mut literal = 0;
    for (number, text) in specs::whole_and_broken().iter().chain([&SPEC.to_owned()]).enumerate() {
        editor.open("x.kdl", text);
        let step = if text == SPEC { 1 } else { 61 };
        for at in (number % step..=text.len()).step_by(step).filter(|at| text.is_char_boundary(*at)) {
            let position = specs::position(text, at);
            let Some(hover) = hover(&mut editor, position) else { continue };
            let range = hover.range.expect("a range");
            assert!(specs::bytes(text, range).is_some(), "{range:?} at {at} of {text:?}");
            assert!(
                range.start <= position && position <= range.end,
                "{range:?} at {position:?} of {text:?}"
            );
            literal += usize::from(value(&hover).contains("hunter2"));
        }
    }
    assert_eq!(literal, 0, "a literal value is never repeated");
}

#[test]
fn hovers_as_they_are_seen() {
    let mut shown = String::new();
    for word in [
        "api-dev",
        "*.github.com",
        "gist.github.com\"\n",
        "ANTHROPIC_API_KEY",
        "POSTGRES_PASSWORD",
        "TERM",
        "\"db\" image",
        "5432",
        "1.1.3",
        "\"team\"\n    art",
        "octet",
    ] {
        let _ = writeln!(shown, "=== {}\n{}\n", word.trim(), said_of(SPEC, word));
    }
    assert_snapshot("lsp_hover__hovers", &shown);
}
