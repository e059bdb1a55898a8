//! The picture as a tree, for a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use owo_colors::Style as Paint;
use textwrap::core::display_width;

use super::model::{Card, Edge, Kind, Link, Picture, Row, Zone};
use super::shorten;
use crate::report::{Promise, Style, wrapping};

/// The most columns of the tree: beyond them lines only get harder to follow.
const MAX_COLUMNS: usize = 120;

pub(super) fn render(pictures: &[Picture], style: &Style) -> String {
    pictures.iter().map(|picture| tree(picture, style)).collect::<Vec<_>>().join("\n")
}

/// What the branches are drawn with.
struct Lines {
    branch: &'static str,
    last: &'static str,
    down: &'static str,
    reaches: &'static str,
    refuses: &'static str,
    escapes: &'static str,
    says: &'static str,
    to: &'static str,
}

const UNICODE: Lines = Lines {
    branch: "├─",
    last: "└─",
    down: "│ ",
    reaches: "▶ ",
    refuses: "✗ ",
    escapes: "! ",
    says: "─ ",
    to: "─▶",
};
const ASCII: Lines = Lines {
    branch: "|-",
    last: "`-",
    down: "| ",
    reaches: "> ",
    refuses: "x ",
    escapes: "! ",
    says: "- ",
    to: "->",
};

struct Page<'a> {
    text: String,
    style: &'a Style,
    lines: &'static Lines,
}

/// A part of a line: its text, and its colour.
type Part<'a> = (&'a str, Paint);

fn tree(picture: &Picture, style: &Style) -> String {
    let lines = if style.unicode { &UNICODE } else { &ASCII };
    let mut page = Page { text: String::new(), style, lines };
    page.head(picture);
    page.reach(picture);
    page.order(picture);
    page.secrets(picture);
    page.text
}

impl Page<'_> {
    /// A line of its prefix, which is ours, and parts, the last of which is shortened to fit.
    fn line(&mut self, prefix: &str, parts: &[Part<'_>]) {
        let columns = self.style.columns().min(MAX_COLUMNS);
        let mut room = columns.saturating_sub(display_width(prefix));
        self.text.push_str(prefix);
        for (at, (part, paint)) in parts.iter().enumerate() {
            if at > 0 && !part.is_empty() {
                self.text.push_str("  ");
                room = room.saturating_sub(2);
            }
            // What is right of it should at least begin to show.
            let later: usize = parts[at + 1..].iter().map(|(part, _)| display_width(part).min(12) + 2).sum();
            let part = shorten(part, room.saturating_sub(later), self.style.ellipsis());
            room = room.saturating_sub(display_width(&part));
            // Writing to a `String` cannot fail.
            let _ = write!(self.text, "{}", self.style.paint(*paint).style(&part));
        }
        self.text.push('\n');
    }

    fn title(&mut self, title: &str) {
        self.text.push('\n');
        self.line("", &[(title, Paint::new().bold())]);
    }

    fn head(&mut self, picture: &Picture) {
        self.line("", &[(&format!("bottle {}", picture.slug), Paint::new().bold())]);
        let Promise { promise, but } = &picture.promise;
        self.line("", &[(promise, Paint::new())]);
        if let Some(but) = but {
            self.line("", &[(&format!("but {but}"), Paint::new())]);
        }
    }

    fn reach(&mut self, picture: &Picture) {
        self.text.push('\n');
        for (number, agent) in picture.within(Zone::Machine) {
            // What is said about a row makes it a line of its own: those are what the machine has of its host.
            let (own, plain): (Vec<&Row>, Vec<&Row>) = agent.rows.iter().partition(|row| row.note.is_some());
            let plain: Vec<&str> = plain.iter().map(|row| row.text.as_str()).collect();
            self.line("", &[(&agent.name, Paint::new().bold()), (&plain.join(" "), Paint::new().dimmed())]);
            for Row { text, note } in own {
                let note = note.as_deref().unwrap_or_default();
                self.line("  ", &[(text, Paint::new().yellow()), (note, Paint::new().dimmed())]);
            }
            let dials: Vec<&Edge> = picture.links(Link::Dials).filter(|edge| edge.from == number).collect();
            for (at, edge) in dials.iter().enumerate() {
                self.dial(picture, edge, at + 1 == dials.len());
            }
        }
        let dialled: BTreeSet<usize> = picture.links(Link::Dials).map(|edge| edge.to).collect();
        for (number, sidecar) in picture.within(Zone::Bundle).filter(|(number, _)| !dialled.contains(number))
        {
            let listens = sidecar.rows.first().map_or("", |row| &row.text);
            self.line("", &[(&sidecar.name, Paint::new().bold()), (listens, Paint::new().dimmed())]);
            self.beyond(picture, number, "");
        }
    }

    fn dial(&mut self, picture: &Picture, edge: &Edge, last: bool) {
        let &Lines { branch, last: end, down, reaches, .. } = self.lines;
        let sidecar = &picture.cards[edge.to];
        let url = sidecar.rows.first().map_or("", |row| &row.text);
        let variables = edge.labels.join(", ");
        self.line(
            &format!("{}{reaches}", if last { end } else { branch }),
            &[
                (&sidecar.name, Paint::new().bold()),
                (url, Paint::new().cyan()),
                (&variables, Paint::new().dimmed()),
            ],
        );
        let margin = format!("{}  ", if last { "  " } else { down });
        self.beyond(picture, edge.to, &margin);
    }

    fn beyond(&mut self, picture: &Picture, sidecar: usize, margin: &str) {
        let &Lines { branch, last: end, reaches, refuses, escapes, says, .. } = self.lines;
        // What is reached or refused, the mark for that, and what is said about it.
        let mut below: Vec<(String, &str, Paint, String)> = Vec::new();
        for (_, card) in picture.beyond_of(sidecar) {
            let (mark, paint, otherwise) = match card.kind.link() {
                Link::Refuses => (refuses, Paint::new().red(), "refused"),
                Link::Escapes => (escapes, Paint::new().yellow(), ""),
                _ => (reaches, Paint::new().green(), ""),
            };
            if matches!(card.kind, Kind::Human | Kind::Nowhere | Kind::Unlisted) {
                let note = card.lines().pop().unwrap_or_default();
                below.push((card.name.clone(), mark, paint, note));
                continue;
            }
            if card.kind == Kind::Api {
                let limit = card.limit.clone().unwrap_or_default();
                below.push((card.name.clone(), mark, paint, limit));
                let rows = card.rows.iter().map(|row| row.text.clone()).chain(card.rest());
                below.extend(rows.map(|row| (format!("  {row}"), says, Paint::new(), String::new())));
                continue;
            }
            below.extend(card.rows.iter().map(|Row { text, note }| {
                (text.clone(), mark, paint, note.clone().unwrap_or_else(|| otherwise.to_owned()))
            }));
            below.extend(card.rest().map(|rest| (rest, mark, paint, otherwise.to_owned())));
            below.extend(card.limit.clone().map(|limit| (limit, says, Paint::new(), String::new())));
        }
        for (at, (text, mark, paint, note)) in below.iter().enumerate() {
            let branch = if at + 1 == below.len() { end } else { branch };
            self.line(&format!("{margin}{branch}{mark}"), &[(text, *paint), (note, Paint::new().dimmed())]);
        }
    }

    fn order(&mut self, picture: &Picture) {
        self.title("Start order");
        let mut needs: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for edge in picture.links(Link::Needs) {
            needs.entry(edge.from).or_default().push(&picture.cards[edge.to].name);
        }
        let mut waves: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (number, Card { name, wave, .. }) in
            picture.cards.iter().enumerate().filter(|(_, card)| card.wave > 0)
        {
            let started = match needs.get(&number) {
                Some(needs) => format!("{name} (after {})", needs.join(", ")),
                None => name.clone(),
            };
            waves.entry(*wave).or_default().push(started);
        }
        for (wave, started) in waves {
            self.wrapped(&format!("{wave:>3}  "), &started.join(", "));
        }
    }

    /// A list after its head, on as many lines as it takes.
    fn wrapped(&mut self, head: &str, list: &str) {
        let columns = self.style.columns().min(MAX_COLUMNS);
        let indent = " ".repeat(head.len());
        let options = wrapping(columns).initial_indent(head).subsequent_indent(&indent);
        for line in textwrap::wrap(list, options) {
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    fn secrets(&mut self, picture: &Picture) {
        self.title("Secrets, which stay on the host until the start");
        let mut rows = Vec::new();
        for edge in picture.links(Link::Receives) {
            let receiver = &picture.cards[edge.to].name;
            rows.extend(picture.cards[edge.from].rows.iter().map(|row| (row, receiver)));
        }
        if rows.is_empty() {
            self.line("  ", &[("none", Paint::new())]);
        }
        let third = self.style.columns().min(MAX_COLUMNS) / 2;
        let width = rows.iter().map(|(row, _)| display_width(&row.text).min(third)).max().unwrap_or(0);
        for (row, receiver) in rows {
            let from = shorten(&row.text, width, self.style.ellipsis());
            let pad = " ".repeat(width.saturating_sub(display_width(&from)));
            let from = self.style.paint(Paint::new().yellow()).style(&from).to_string();
            let prefix = format!("  {from}{pad}  {}  ", self.lines.to);
            self.line(
                &prefix,
                &[
                    (receiver, Paint::new().bold()),
                    (row.note.as_deref().unwrap_or(""), Paint::new().dimmed()),
                ],
            );
        }
    }
}
