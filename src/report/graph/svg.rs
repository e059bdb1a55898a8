//! The picture as an SVG: readable by itself, on light and on dark pages, without fonts or scripts from elsewhere.

mod layout;

use super::model::{Kind, Link, Picture};
use crate::report::xml::Document;
use layout::{Heading, Layout, Line, MARGIN, Placed, Wave, Wire};

/// The colours, for light and dark pages. Plain classes: not every viewer knows custom properties.
const STYLE: &str = include_str!("svg/style.css");

/// The height of the legend below all bottles.
const LEGEND: usize = 30;

/// The radius of corners of lines.
const BEND: usize = 7;

pub(super) fn render(pictures: &[Picture]) -> String {
    let layouts = layout::layout(pictures, MARGIN);
    let top = MARGIN + layouts.iter().map(|layout| layout.height).sum::<usize>();
    let columns = layouts.iter().map(|layout| layout.width).max().unwrap_or(0);
    let (legend, legend_end) = legend(pictures);
    let width = pictures.iter().map(least_width).max().unwrap_or(0).max(columns).max(legend_end);
    let height = top + LEGEND;
    let mut xml = Document::new();
    xml.open(
        "svg",
        &[
            ("xmlns", &"http://www.w3.org/2000/svg"),
            ("width", &width),
            ("height", &height),
            ("viewBox", &format!("0 0 {width} {height}")),
            ("role", &"img"),
            ("aria-labelledby", &"bl-title bl-desc"),
        ],
    );
    let slugs: Vec<&str> = pictures.iter().map(|picture| picture.slug.as_str()).collect();
    let title = format!("{} {}", if slugs.len() == 1 { "bottle" } else { "bottles" }, slugs.join(", "));
    xml.text("title", &[("id", &"bl-title")], &title);
    let description: Vec<String> = pictures.iter().map(description).collect();
    xml.text("desc", &[("id", &"bl-desc")], &description.join("\n"));
    xml.text("style", &[], STYLE);
    xml.open("defs", &[]);
    for link in ["receives", "dials", "reaches", "escapes"] {
        head(&mut xml, link);
    }
    xml.close();
    xml.empty("rect", &[("class", &"bl-page"), ("width", &width), ("height", &height), ("rx", &12)]);
    for (picture, layout) in pictures.iter().zip(&layouts) {
        bottle(&mut xml, picture, layout);
    }
    draw_legend(&mut xml, &legend, top);
    xml.end()
}

/// A text of our own, in columns of the widest sort.
fn least_width(picture: &Picture) -> usize {
    let promise = picture.promise.to_string();
    2 * MARGIN + layout::text_width(promise.len(), 14).max(layout::text_width(picture.slug.len(), 24))
}

/// The head of a line's arrow.
fn head(xml: &mut Document, link: &str) {
    xml.open(
        "marker",
        &[
            ("id", &format!("bl-{link}")),
            ("viewBox", &"0 0 10 10"),
            ("refX", &"9"),
            ("refY", &"5"),
            ("markerWidth", &"9"),
            ("markerHeight", &"9"),
            ("markerUnits", &"userSpaceOnUse"),
            ("orient", &"auto"),
        ],
    );
    xml.empty("path", &[("class", &format!("bl-head-{link}")), ("d", &"M0 0.5 L10 5 L0 9.5 z")]);
    xml.close();
}

/// What the picture says, for who cannot see it.
fn description(picture: &Picture) -> String {
    let mut text = format!("Bottle {}: {}.", picture.slug, picture.promise);
    for edge in &picture.edges {
        text.push(' ');
        text.push_str(&super::one_line(&picture.sentence(edge)));
    }
    text
}

fn bottle(xml: &mut Document, picture: &Picture, layout: &Layout) {
    xml.open("g", &[("class", &"bl-bottle")]);
    let top = layout.machine.y - 36;
    xml.text("text", &[("class", &"bl-sans bl-title"), ("x", &MARGIN), ("y", &(top - 10))], &picture.slug);
    xml.text(
        "text",
        &[("class", &"bl-sans bl-promise"), ("x", &MARGIN), ("y", &(top + 14))],
        &picture.promise.to_string(),
    );
    for (class, area) in [("bl-frame bl-machine", layout.machine), ("bl-frame bl-bundle", layout.bundle)] {
        rect(xml, class, area, 12);
    }
    for Heading { text, x, y } in &layout.headings {
        xml.text("text", &[("class", &"bl-sans bl-heading"), ("x", x), ("y", y)], text);
    }
    for Wave { number, text, x, y } in &layout.waves {
        xml.empty("circle", &[("class", &"bl-wave"), ("cx", &(x + 9)), ("cy", y), ("r", &9)]);
        xml.text(
            "text",
            &[("class", &"bl-sans bl-number"), ("x", &(x + 9)), ("y", &(y + 4))],
            &number.to_string(),
        );
        xml.text("text", &[("class", &"bl-sans bl-note"), ("x", &(x + 25)), ("y", &(y + 4))], text);
    }
    for wire in &layout.wires {
        draw(xml, wire, layout.tracks);
    }
    for placed in &layout.cards {
        card(xml, picture, placed);
    }
    xml.close();
}

fn rect(xml: &mut Document, class: &str, area: layout::Area, radius: usize) {
    xml.empty(
        "rect",
        &[
            ("class", &class),
            ("x", &area.x),
            ("y", &area.y),
            ("width", &area.width),
            ("height", &area.height),
            ("rx", &radius),
        ],
    );
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Secrets => "secrets",
        Kind::Agent => "agent",
        Kind::Sidecar => "sidecar",
        Kind::Allowed | Kind::Api => "allowed",
        Kind::Denied => "denied",
        Kind::Nowhere => "nowhere",
        Kind::Repositories => "repositories",
        Kind::Human => "human",
        Kind::Unlisted => "unlisted",
    }
}

fn card(xml: &mut Document, picture: &Picture, placed: &Placed) {
    let Some(card) = picture.cards.get(placed.card) else { return };
    xml.open("g", &[]);
    rect(xml, &format!("bl-card bl-{}", class(card.kind)), placed.area, 8);
    let layout::Area { x, y, width, .. } = placed.area;
    for line in &placed.lines {
        if card.kind == Kind::Agent {
            text(xml, line, "bl-middle", x + width / 2, y + line.y);
        } else {
            text(xml, line, "bl-start", x + layout::PAD, y + line.y);
        }
    }
    if let (Kind::Agent, Some(first)) = (card.kind, placed.lines.first())
        && first.y > SCREEN + 2 * layout::PAD
    {
        screen(xml, x + width / 2, y + first.y - SCREEN - 4);
    }
    xml.close();
}

/// The height of the agent's sign, with some space around it.
const SCREEN: usize = 46;

/// The agent's sign: a screen with a prompt, below `y` and around `x`.
fn screen(xml: &mut Document, x: usize, y: usize) {
    let frame = layout::Area { x: x - 17, y, width: 34, height: 26 };
    rect(xml, "bl-sign", frame, 5);
    let d = format!("M{} {} l5 4.5 l-5 4.5 M{} {} h8", x - 9, y + 7, x + 1, y + 17);
    xml.empty("path", &[("class", &"bl-sign"), ("d", &d)]);
}

/// A text of the spec's, with the whole of it for who asks, where it is shortened.
fn text(xml: &mut Document, line: &Line, anchor: &str, x: usize, y: usize) {
    let class = format!("bl-mono {anchor} bl-{}", line.class);
    match &line.whole {
        None => xml.text("text", &[("class", &class), ("x", &x), ("y", &y)], &line.shown),
        Some(whole) => {
            xml.open("g", &[]);
            xml.text("title", &[], whole);
            xml.text("text", &[("class", &class), ("x", &x), ("y", &y)], &line.shown);
            xml.close();
        }
    }
}

/// The class of a line, where one is drawn.
fn class_of(link: Link) -> Option<&'static str> {
    match link {
        Link::Receives => Some("receives"),
        Link::Dials => Some("dials"),
        Link::Needs => None,
        Link::Reaches => Some("reaches"),
        Link::Refuses => Some("refuses"),
        Link::Escapes => Some("escapes"),
    }
}

fn draw(xml: &mut Document, wire: &Wire, tracks: (usize, usize)) {
    let Some(link) = class_of(wire.link) else { return };
    let path = path(&wire.points);
    if wire.link == Link::Dials {
        // A gap where other lines pass below this one.
        let y = wire.points.last().map_or(0, |(_, y)| *y);
        xml.empty("path", &[("class", &"bl-gap"), ("d", &self::path(&[(tracks.0, y), (tracks.1, y)]))]);
    }
    let class = format!("bl-wire bl-{link}");
    if wire.link == Link::Refuses {
        xml.empty("path", &[("class", &class), ("d", &path)]);
        if let Some((x, y)) = wire.points.last() {
            stop(xml, x - 14, *y);
        }
    } else {
        let marker = format!("url(#bl-{link})");
        xml.empty("path", &[("class", &class), ("d", &path), ("marker-end", &marker)]);
    }
    for (label, x, y) in &wire.labels {
        text(xml, label, "bl-middle", *x, *y);
    }
}

/// A cross: no way through.
fn stop(xml: &mut Document, x: usize, y: usize) {
    let d = format!("M{} {} l10 10 m0 -10 l-10 10", x - 5, y - 5);
    xml.empty("path", &[("class", &"bl-stop"), ("d", &d)]);
}

/// Straight lines with rounded corners.
fn path(points: &[(usize, usize)]) -> String {
    use std::fmt::Write as _;
    let mut d = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).and_then(|at| points.get(at)), points.get(at + 1));
        // Writing to a `String` cannot fail.
        let _ = match (before, after) {
            (None, _) => write!(d, "M{x} {y}"),
            (Some(_), None) => write!(d, " L{x} {y}"),
            (Some(before), Some(after)) => {
                let (from, to) = (toward((*x, *y), *before), toward((*x, *y), *after));
                write!(d, " L{} {} Q{x} {y} {} {}", from.0, from.1, to.0, to.1)
            }
        };
    }
    d
}

/// The point a bend's length, or half the way if that is less, from `from` on the way to `to`.
fn toward(from: (usize, usize), to: (usize, usize)) -> (usize, usize) {
    let step = |from: usize, to: usize| {
        let length = from.abs_diff(to).div_ceil(2).min(BEND);
        if to > from { from + length } else { from - length }
    };
    (step(from.0, to.0), step(from.1, to.1))
}

/// What the lines mean; only of those that are there. Each with where it begins; and where the last one ends.
fn legend(pictures: &[Picture]) -> (Vec<(&'static str, &'static str, usize)>, usize) {
    let mut x = MARGIN;
    let all = [
        (Link::Receives, "a secret, by reference only"),
        (Link::Dials, "the agent dials"),
        (Link::Reaches, "a sidecar reaches, for the agent"),
        (Link::Escapes, "a sidecar can reach, on no list"),
        (Link::Refuses, "refused"),
    ];
    let there = all
        .into_iter()
        .filter(|(link, _)| pictures.iter().any(|picture| picture.links(*link).next().is_some()));
    let placed = there.filter_map(|(link, means)| {
        let begins = x;
        // Words in a proportional font: narrower than monospaced ones.
        x += 34 + means.len() * 6 + 24;
        Some((class_of(link)?, means, begins))
    });
    (placed.collect(), x)
}

fn draw_legend(xml: &mut Document, legend: &[(&str, &str, usize)], top: usize) {
    let y = top - 4;
    for (class, means, x) in legend {
        let d = path(&[(*x, y), (x + 26, y)]);
        xml.empty("path", &[("class", &format!("bl-wire bl-{class}")), ("d", &d)]);
        xml.text("text", &[("class", &"bl-sans bl-note"), ("x", &(x + 34)), ("y", &(y + 4))], means);
    }
}
