//! The catalogue as pages: docs/agents.md, docs/apis.md.

use std::fmt::Write as _;

use crate::compile::Analysis;
use crate::lower::shell;
use crate::syntax::{Entry as Value, Node, Tree, Value as Text};
use crate::world::catalogue::cited::{Citation, Entry, entries};
use crate::world::catalogue::{BuiltIn, Subject, of_subject};

/// Every agent, with what its profile brings and where that is said.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# The agents\n\nBuilt-in profiles, one for each agent that the compiler knows. `extends \"std/claude-code\"` in a \
         bottle brings what the table of that name shows, and nothing else: a built-in profile accepts nothing and sets no \
         level. `bottlec init --agent claude-code` writes a bottle that extends it, `bottlec explain std/claude-code` prints \
         it. A bottle adds what it needs besides, and what it says itself wins. For another agent, a profile of your own says \
         the same with [`agent`](language.md#agent), `env`, `egress` and [`credential`](language.md#credential). The built-in \
         profiles of APIs have [a page of their own](apis.md).\n\nWhat each boots from is made of a file in \
         [examples/images](../examples/images/README.md).\n",
    );
    for profile in of_subject(Subject::Agent) {
        let image =
            format!("Its image: [{0}.Containerfile](../examples/images/{0}.Containerfile).", profile.word);
        section(profile, &image, &mut text);
    }
    text
}

/// Every API, with what its profile lets through and where that is said.
#[must_use]
pub fn apis() -> String {
    let mut text = String::from(
        "# The APIs\n\nBuilt-in profiles, one for each API that the compiler knows, each with one \
         [`credential`](language.md#credential): the bundle's broker holds the key, and lets through what the table of that \
         name shows. `extends \"std/github-read\"` in a bottle brings it, beside an agent's profile or without one, and \
         `bottlec explain std/github-read` prints it. A credential of the same name in the bottle adds to its lists, and says \
         the rest anew, such as another place of the key:\n\n```kdl\nbottle \"demo\" {\n    extends \"std/github-read\"\n\n    \
         credential \"github\" {\n        bearer from-file=\"~/.config/acme/github-token\"\n        allow \"GET\" \
         \"/orgs/acme/repos\"\n    }\n}\n```\n\nA list names methods and paths, and no list sees what a text says: what is let \
         through is as much as the key itself may do there. So give the broker a key that may do no more, such as a token for \
         one repository.\n",
    );
    for profile in of_subject(Subject::Api) {
        section(profile, "", &mut text);
    }
    text
}

fn section(profile: &BuiltIn, more: &str, text: &mut String) {
    let (analysis, id) = Analysis::of_built_in(profile);
    let mut about = vec![format!("{}.", profile.title())];
    about.extend(analysis.file(id).extended().map(|name| {
        let page = match profile.subject {
            Subject::Agent => "apis.md",
            Subject::Api => "",
        };
        format!("It extends [`{name}`]({page}#{}).", name.replace('/', ""))
    }));
    about.extend((!more.is_empty()).then(|| more.to_owned()));
    let notes = remarks(profile.text);
    // Writing to a `String` cannot fail.
    let _ = write!(text, "\n## `{}`\n\n{}\n\n", profile.name(), about.join(" "));
    if !notes.is_empty() {
        let _ = write!(text, "{notes}\n\n");
    }
    text.push_str("| what | | why | read |\n| --- | --- | --- | --- |\n");
    rows(analysis.tree(id), text);
}

/// What the comment of a text says behind its first sentence, which is the title.
fn remarks(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim);
    let whole = lines.collect::<Vec<_>>().join(" ");
    whole.split_once(". ").map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}

fn rows(tree: &Tree, text: &mut String) {
    for Entry { block, node, note, sources } in entries(tree) {
        let (what, value) = told(block, node);
        let sources: Vec<String> = sources.iter().map(link).collect();
        let cells = [what.to_owned(), value, note, sources.join(", ")].map(|cell| cell.replace('|', "\\|"));
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

/// What an entry is, in a few words, and its value.
fn told(block: &str, node: Node<'_>) -> (&'static str, String) {
    let texts = node.entries().filter_map(|entry: Value<'_>| match (entry.key(), entry.value()) {
        (None, Text::String(text)) => Some(text),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect();
    let each = || texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ");
    match (block, node.name()) {
        ("agent", "program") => ("program", format!("`{}`", shell::words(texts))),
        ("agent", "mcp") => ("MCP servers", each()),
        ("agent", "api-key") => ("key", each()),
        ("agent", "trust") => ("certificates", each()),
        ("agent", _) => ("its image needs", each()),
        ("env", name) => ("variable", format!("`{name}={}`", texts.join(" "))),
        ("credential", "upstream") => ("where it is", each()),
        ("credential", "header") => ("the key is sent in", format!("{}, {}", each(), key_of(node))),
        ("credential", "bearer") => ("the key is sent as", format!("a bearer token, {}", key_of(node))),
        ("credential", "allow") => ("lets through", each()),
        ("credential", "expose") => ("says where in", each()),
        ("credential", _) => ("a token in place of the key", each()),
        _ => ("may reach", each()),
    }
}

/// Where the key of a credential's login is.
fn key_of(node: Node<'_>) -> String {
    let source = node.entries().find_map(|entry: Value<'_>| match (entry.key(), entry.value()) {
        (Some(("from-env", _)), Text::String(name)) => Some(name),
        _ => None,
    });
    source.map(|name| format!("from `{name}`")).unwrap_or_default()
}

/// A link to a source, by its host.
fn link(citation: &Citation<'_>) -> String {
    let Citation { url, date } = citation;
    let host = url.trim_start_matches("https://").split('/').next().unwrap_or_default();
    format!("[{host}]({url}), {date}")
}
