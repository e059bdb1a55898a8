//! The picture for Graphviz.

use std::fmt::Write as _;

use super::model::{Card, Kind, Link, Picture, Zone};
use super::{MAX_COLUMNS, shorten};

pub(super) fn render(pictures: &[Picture]) -> String {
    let mut text = String::from(
        "digraph bottles {\n  graph [rankdir=LR, fontname=\"Helvetica\", nodesep=0.25, ranksep=0.9];\n  \
         node [shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\", fontname=\"Helvetica\", fontsize=11];\n  \
         edge [fontname=\"Helvetica\", fontsize=9];\n",
    );
    for (number, picture) in pictures.iter().enumerate() {
        bottle(&mut text, number, picture);
    }
    text.push_str("}\n");
    text
}

/// Writing to a `String` cannot fail.
fn bottle(text: &mut String, number: usize, picture: &Picture) {
    let _ = writeln!(
        text,
        "  subgraph cluster_b{number} {{\n    label={};\n    style=\"rounded\";\n    color=\"#d0d7de\";",
        quoted([format!("bottle {}", picture.slug).as_str(), &picture.promise.to_string()])
    );
    for (at, card) in picture.within(Zone::Host).chain(picture.within(Zone::Outside)) {
        node(text, 4, number, at, card);
    }
    let groups = [
        ("vm", Zone::Machine, String::from("microVM"), "#8250df"),
        ("bundle", Zone::Bundle, format!("bundle {}", picture.bundle), "#0969da"),
    ];
    for (name, zone, label, color) in groups {
        let _ = writeln!(
            text,
            "    subgraph cluster_b{number}_{name} {{\n      label={};\n      color=\"{color}\";",
            quoted([label.as_str()])
        );
        for (at, card) in picture.within(zone) {
            node(text, 6, number, at, card);
        }
        text.push_str("    }\n");
    }
    let last_wave = picture.last_wave();
    for edge in &picture.edges {
        let look = match edge.link {
            Link::Receives => "color=\"#9a6700\", style=dashed",
            Link::Dials => "color=\"#8250df\"",
            Link::Needs => "color=\"#6e7781\", style=dotted",
            Link::Reaches => "color=\"#1a7f37\"",
            Link::Refuses => "color=\"#cf222e\", style=dashed, arrowhead=tee",
            Link::Escapes => "color=\"#bc4c00\", style=dashed",
        };
        let label = match edge.link {
            Link::Needs => quoted(["then"]),
            _ => quoted(edge.labels.iter().map(String::as_str)),
        };
        // A line out spans the later waves, so that what is outside stands right of all of the bundle.
        let length = match edge.link {
            Link::Reaches | Link::Refuses | Link::Escapes => {
                1 + last_wave.saturating_sub(picture.cards[edge.from].wave)
            }
            _ => 1,
        };
        // What is needed comes first: drawn from it, the arrow points the way that time goes.
        let (from, to) = if edge.link == Link::Needs { (edge.to, edge.from) } else { (edge.from, edge.to) };
        let _ = writeln!(
            text,
            "    b{number}_{from} -> b{number}_{to} [{look}, minlen={length}, label={label}];"
        );
    }
    text.push_str("  }\n");
}

fn node(text: &mut String, indent: usize, number: usize, at: usize, card: &Card) {
    let color = match card.kind {
        Kind::Secrets => "#9a6700",
        Kind::Agent => "#8250df",
        Kind::Sidecar => "#0969da",
        Kind::Allowed | Kind::Api | Kind::Repositories => "#1a7f37",
        Kind::Denied | Kind::Nowhere => "#cf222e",
        Kind::Human => "#57606a",
        Kind::Unlisted => "#bc4c00",
    };
    let lines = card.lines();
    let label = quoted(lines.iter().map(String::as_str));
    let _ = writeln!(text, "{:indent$}b{number}_{at} [color=\"{color}\", label={label}];", "");
}

/// Lines as one string of the language. In a label a backslash begins an escape sequence and `&` a character entity.
fn quoted<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut quoted = String::from("\"");
    for (at, line) in lines.into_iter().enumerate() {
        if at > 0 {
            quoted.push_str("\\n");
        }
        for c in shorten(line, MAX_COLUMNS, "…").chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '&' => quoted.push_str("&amp;"),
                // What Graphviz makes of it may be XML, which cannot hold these two.
                '\u{fffe}' | '\u{ffff}' => quoted.push('\u{fffd}'),
                c => quoted.push(c),
            }
        }
    }
    quoted.push('"');
    quoted
}
