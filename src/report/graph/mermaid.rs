//! The picture as a Mermaid flowchart.

use std::fmt::Write as _;

use super::model::{Card, Kind, Link, Picture, Zone};
use super::{MAX_COLUMNS, shorten};

/// Strokes only: the fill of cards and all text come from the page's own theme, light or dark.
const CLASSES: &str = "  classDef secrets stroke:#bf8700,stroke-width:2px,stroke-dasharray:5 3
  classDef agent stroke:#8250df,stroke-width:2px
  classDef sidecar stroke:#2f81f7,stroke-width:2px
  classDef reached stroke:#2da44e,stroke-width:2px
  classDef refused stroke:#e5534b,stroke-width:2px,stroke-dasharray:5 3
  classDef human stroke:#848d97,stroke-width:2px
  classDef unlisted stroke:#e16f24,stroke-width:2px
  classDef frame fill:none,stroke:#848d97
";

/// The pixels that a line of a label may take before it is broken, which would part `env` from its variable.
const WRAPPING_WIDTH: usize = 480;

pub(super) fn render(pictures: &[Picture]) -> String {
    let mut text =
        format!("%%{{init: {{\"flowchart\": {{\"wrappingWidth\": {WRAPPING_WIDTH}}}}}}}%%\nflowchart LR\n");
    for (number, picture) in pictures.iter().enumerate() {
        bottle(&mut text, number, picture);
    }
    text.push_str(CLASSES);
    text
}

/// Writing to a `String` cannot fail.
fn bottle(text: &mut String, number: usize, picture: &Picture) {
    let title = quoted([format!("bottle {}: {}", picture.slug, picture.promise).as_str()], usize::MAX);
    let _ = writeln!(text, "  subgraph b{number}[{title}]\n    direction LR");
    let mut frames = vec![format!("b{number}")];
    for (name, zone, title) in [
        ("host", Zone::Host, String::from("on the host")),
        ("vm", Zone::Machine, String::from("microVM")),
        ("bundle", Zone::Bundle, format!("bundle {}", picture.bundle)),
        ("outside", Zone::Outside, String::from("outside")),
    ] {
        if picture.within(zone).next().is_none() {
            continue;
        }
        let _ = writeln!(text, "    subgraph b{number}{name}[{}]", quoted([title.as_str()], MAX_COLUMNS));
        for (at, card) in picture.within(zone) {
            node(text, 6, number, at, card);
        }
        text.push_str("    end\n");
        frames.push(format!("b{number}{name}"));
    }
    let last_wave = picture.last_wave();
    for edge in &picture.edges {
        // A line out spans the later waves, so that what is outside stands right of all of the bundle.
        let later = last_wave.saturating_sub(picture.cards[edge.from].wave);
        let arrow = match edge.link {
            Link::Receives | Link::Needs => String::from("-.->"),
            Link::Dials => String::from("-->"),
            Link::Reaches => format!("--{}>", "-".repeat(later)),
            Link::Refuses => format!("-.{}-x", ".".repeat(later)),
            Link::Escapes => format!("-.{}->", ".".repeat(later)),
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
    let _ = writeln!(text, "  class {} frame", frames.join(","));
}

fn node(text: &mut String, indent: usize, number: usize, at: usize, card: &Card) {
    let class = match card.kind {
        Kind::Secrets => "secrets",
        Kind::Agent => "agent",
        Kind::Sidecar => "sidecar",
        Kind::Allowed | Kind::Api | Kind::Repositories => "reached",
        Kind::Denied | Kind::Nowhere => "refused",
        Kind::Human => "human",
        Kind::Unlisted => "unlisted",
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
        let line = shorten(line, columns, "…");
        for (at, c) in line.char_indices() {
            if c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | '-' | '/' | '…') {
                quoted.push(c);
            } else {
                let _ = write!(quoted, "#{};", u32::from(c));
            }
            // What Mermaid 11.17 looks for after it has read the codes: a line end, a formula, an icon. A hair's
            // breadth keeps the text what it is.
            let rest = &line[at + c.len_utf8()..];
            if c == '\\' || (c == '$' && rest.starts_with('$')) || (c == ':' && rest.starts_with("fa-")) {
                quoted.push_str("#8202;");
            }
        }
    }
    quoted.push('"');
    quoted
}
