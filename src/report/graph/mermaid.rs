//! The picture as a Mermaid flowchart.

use std::fmt::Write as _;

use super::model::{Card, Kind, Link, Picture};
use super::{MAX_COLUMNS, shorten};

/// Strokes only: fills and text come from the page's own theme, light or dark.
const CLASSES: &str = "  classDef secrets stroke:#bf8700,stroke-width:2px,stroke-dasharray:5 3
  classDef agent stroke:#8250df,stroke-width:2px
  classDef sidecar stroke:#2f81f7,stroke-width:2px
  classDef reached stroke:#2da44e,stroke-width:2px
  classDef refused stroke:#e5534b,stroke-width:2px,stroke-dasharray:5 3
  classDef human stroke:#848d97,stroke-width:2px
";

pub(super) fn render(pictures: &[Picture]) -> String {
    let mut text = String::from("flowchart LR\n");
    for (number, picture) in pictures.iter().enumerate() {
        bottle(&mut text, number, picture);
    }
    text.push_str(CLASSES);
    text
}

/// Writing to a `String` cannot fail.
fn bottle(text: &mut String, number: usize, picture: &Picture) {
    let promise =
        picture.but.map_or_else(|| picture.promise.clone(), |but| format!("{}, but {but}", picture.promise));
    let title = quoted([format!("bottle {}: {promise}", picture.slug).as_str()], usize::MAX);
    let _ = writeln!(text, "  subgraph b{number}[{title}]");
    for (at, card) in picture.cards.iter().enumerate() {
        if !matches!(card.kind, Kind::Agent | Kind::Sidecar) {
            node(text, 4, number, at, card);
        }
    }
    let groups = [
        ("vm", Kind::Agent, format!("microVM, {}", picture.engine)),
        ("bundle", Kind::Sidecar, format!("bundle {}", picture.bundle)),
    ];
    for (name, kind, title) in groups {
        let _ = writeln!(text, "    subgraph b{number}{name}[{}]", quoted([title.as_str()], MAX_COLUMNS));
        for (at, card) in picture.of_kind(kind) {
            node(text, 6, number, at, card);
        }
        text.push_str("    end\n");
    }
    for edge in &picture.edges {
        let arrow = match edge.link {
            Link::Receives | Link::Needs => "-.->",
            Link::Dials | Link::Reaches => "-->",
            Link::Refuses => "-.-x",
        };
        let labels: Vec<&str> = match edge.link {
            Link::Needs => vec!["then"],
            _ => edge.labels.iter().map(String::as_str).collect(),
        };
        let label =
            if labels.is_empty() { String::new() } else { format!("|{}|", quoted(labels, MAX_COLUMNS)) };
        // What is needed comes first: drawn from it, the arrow points the way that time goes.
        let (from, to) = if edge.link == Link::Needs { (edge.to, edge.from) } else { (edge.from, edge.to) };
        let _ = writeln!(text, "    b{number}n{from} {arrow}{label} b{number}n{to}");
    }
    text.push_str("  end\n");
}

fn node(text: &mut String, indent: usize, number: usize, at: usize, card: &Card) {
    let class = match card.kind {
        Kind::Secrets => "secrets",
        Kind::Agent => "agent",
        Kind::Sidecar => "sidecar",
        Kind::Allowed | Kind::Repositories => "reached",
        Kind::Denied | Kind::Nowhere => "refused",
        Kind::Human => "human",
    };
    let lines = card.lines();
    let label = quoted(lines.iter().map(String::as_str), MAX_COLUMNS);
    let _ = writeln!(text, "{:indent$}b{number}n{at}[{label}]:::{class}", "");
}

/// Lines as one quoted label. Everything that Mermaid, the Markdown in it or HTML could take for syntax is written as a
/// character code.
fn quoted<'a>(lines: impl IntoIterator<Item = &'a str>, columns: usize) -> String {
    let mut quoted = String::from("\"");
    for (at, line) in lines.into_iter().enumerate() {
        if at > 0 {
            quoted.push_str("<br>");
        }
        for c in shorten(line, columns, "…").chars() {
            if c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | '-' | '/' | '…') {
                quoted.push(c);
            } else {
                let _ = write!(quoted, "#{};", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}
