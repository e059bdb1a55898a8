//! The catalogue of agents as a page: docs/agents.md.

use std::fmt::Write as _;

use crate::compile::Analysis;
use crate::lower::shell;
use crate::syntax::{Entry as Value, Node, Value as Text};
use crate::world::catalogue::cited::{Citation, Entry, entries};
use crate::world::catalogue::{ALL, BuiltIn};

/// Every agent, with what its profile brings and where that is said.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# The agents\n\nBuilt-in profiles, one for each agent that the compiler knows. `extends \"std/claude-code\"` in a \
         bottle brings what the table of that name shows, and nothing else: a built-in profile accepts nothing and sets no \
         level. `bottlec init --agent claude-code` writes a bottle that extends it, `bottlec explain std/claude-code` prints \
         it. A bottle adds what it needs besides, and what it says itself wins. For another agent, a profile of your own says \
         the same with [`agent`](language.md#agent), `env` and `egress`.\n\nWhat each boots from is made of a file in \
         [examples/images](../examples/images/README.md).\n",
    );
    for profile in ALL {
        agent(profile, &mut text);
    }
    text
}

fn agent(profile: &BuiltIn, text: &mut String) {
    let (analysis, id) = Analysis::of_built_in(profile);
    let name = profile.name();
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "\n## `{name}`\n\n{}. Its image: [{agent}.Containerfile](../examples/images/{agent}.Containerfile).\n\n\
         | what | | why | read |\n| --- | --- | --- | --- |\n",
        profile.title(),
        agent = profile.agent
    );
    for Entry { block, node, note, sources } in entries(analysis.tree(id)) {
        let (what, value) = told(block, node);
        let sources: Vec<String> = sources.iter().map(link).collect();
        let cells = [what.to_owned(), value, note, sources.join(", ")].map(|cell| cell.replace('|', "\\|"));
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
        _ => ("may reach", each()),
    }
}

/// A link to a source, by its host.
fn link(citation: &Citation<'_>) -> String {
    let Citation { url, date } = citation;
    let host = url.trim_start_matches("https://").split('/').next().unwrap_or_default();
    format!("[{host}]({url}), {date}")
}
