//! Where everything of a picture goes, in whole pixels.
//!
//! Four columns, left to right: secrets on the host, the agent in its machine, the bundle, and what lies beyond it. The
//! agent is as tall as its bundle, so that each sidecar is a row with a straight line from the agent and a straight
//! line out. Secrets of sidecars pass below the agent and come up beside the bundle: it is there to be seen that the
//! agent never gets them. Those lines are nested, so that none of them crosses another.

use textwrap::core::display_width;

use crate::report::graph::model::{Card, Kind, Link, Picture};
use crate::report::graph::shorten;

/// The space around everything.
pub(super) const MARGIN: usize = 28;
/// The space between a frame, or a card, and what is in it.
pub(super) const PAD: usize = 14;
/// The space between two rows.
const ROW_GAP: usize = 18;
/// The space between two cards in one row.
const CARD_GAP: usize = 12;
/// How far below a card's top its line to the agent is.
pub(super) const PORT: usize = 24;
/// The space between two lines that run beside each other.
const TRACK: usize = 12;
/// The height of a frame's, a column's or a wave's heading.
const HEADING: usize = 30;
/// The height of the title above all columns.
const TITLE: usize = 62;

/// Sizes of type: names, rows, notes.
const NAME: usize = 14;
const ROW: usize = 12;
const NOTE: usize = 11;

/// The most columns of text in a card of each column of the picture, and on a line.
const SECRET_COLUMNS: usize = 28;
const AGENT_COLUMNS: usize = 20;
const LABEL_COLUMNS: usize = 22;
const SIDECAR_COLUMNS: usize = 32;
const BEYOND_COLUMNS: usize = 34;

/// How wide a monospaced text of so many columns may become, at the most: the widest usual font, DejaVu Sans Mono, has
/// 0.602 em a column, and some room is left for others.
pub(super) fn text_width(columns: usize, size: usize) -> usize {
    (columns * size * 62).div_ceil(100)
}

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Area {
    pub(super) fn right(self) -> usize {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> usize {
        self.y + self.height
    }
}

/// A line of text in a card.
#[derive(Debug)]
pub(super) struct Line {
    /// What is shown.
    pub(super) shown: String,
    /// The whole text, where it is longer.
    pub(super) whole: Option<String>,
    /// `name`, `row` or `note`.
    pub(super) class: &'static str,
    /// Its baseline below the card's top.
    pub(super) y: usize,
    width: usize,
}

/// A card in its place.
#[derive(Debug)]
pub(super) struct Placed {
    /// Which card it is.
    pub(super) card: usize,
    pub(super) area: Area,
    pub(super) lines: Vec<Line>,
}

/// A heading.
#[derive(Debug)]
pub(super) struct Heading {
    pub(super) text: String,
    pub(super) x: usize,
    pub(super) y: usize,
}

/// A line between cards: its corners, and where its texts go.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) link: Link,
    pub(super) points: Vec<(usize, usize)>,
    /// Texts, each with the middle of its baseline.
    pub(super) labels: Vec<(Line, usize, usize)>,
}

/// A wave of the start order.
#[derive(Debug)]
pub(super) struct Wave {
    pub(super) number: usize,
    pub(super) text: &'static str,
    pub(super) x: usize,
    pub(super) y: usize,
}

/// A picture whose parts have places.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) machine: Area,
    pub(super) bundle: Area,
    pub(super) cards: Vec<Placed>,
    pub(super) headings: Vec<Heading>,
    pub(super) waves: Vec<Wave>,
    pub(super) wires: Vec<Wire>,
}

fn line(text: &str, columns: usize, class: &'static str, size: usize, y: usize) -> Line {
    let shown = shorten(text, columns, "…");
    let width = text_width(display_width(&shown), size);
    let whole = (shown != text).then(|| crate::report::one_line(text).into_owned());
    Line { shown: shown.into_owned(), whole, class, y, width }
}

/// The lines of a card and its height.
fn lines(card: &Card, columns: usize) -> (Vec<Line>, usize) {
    let mut lines = vec![line(&card.name, columns * ROW / NAME, "name", NAME, PORT + 5)];
    let mut y = PORT + 5;
    for row in &card.rows {
        y += 20;
        lines.push(line(&row.text, columns, "row", ROW, y));
        if let Some(note) = &row.note {
            y += 16;
            lines.push(line(note, columns, "note", NOTE, y));
        }
    }
    if let Some(rest) = card.rest() {
        y += 20;
        lines.push(line(&rest, columns, "note", NOTE, y));
    }
    (lines, y + PAD)
}

/// The cards of one column, not yet in their places, and how wide they all are.
fn column(picture: &Picture, kinds: &[Kind], columns: usize, least: usize) -> (Vec<Placed>, usize) {
    let cards = picture.cards.iter().enumerate().filter(|(_, card)| kinds.contains(&card.kind));
    let mut placed: Vec<Placed> = cards
        .map(|(number, card)| {
            let (lines, height) = lines(card, columns);
            Placed { card: number, area: Area { height, ..Area::default() }, lines }
        })
        .collect();
    let widest = placed.iter().flat_map(|placed| &placed.lines).map(|line| line.width).max().unwrap_or(0);
    let width = if placed.is_empty() { 0 } else { (widest + 2 * PAD).max(least) };
    for placed in &mut placed {
        placed.area.width = width;
    }
    (placed, width)
}

const BEYOND: &[Kind] = &[Kind::Allowed, Kind::Denied, Kind::Nowhere, Kind::Repositories, Kind::Human];

/// Gives everything its place, from `top` on.
#[allow(clippy::too_many_lines, reason = "one column after the other, each from where the last one ended")]
pub(super) fn layout(picture: &Picture, top: usize) -> Layout {
    let (mut secrets, secrets_width) = column(picture, &[Kind::Secrets], SECRET_COLUMNS, 0);
    let (mut agents, agent_width) = column(picture, &[Kind::Agent], AGENT_COLUMNS, 130);
    let (mut sidecars, sidecar_width) = column(picture, &[Kind::Sidecar], SIDECAR_COLUMNS, 210);
    let (mut beyond, beyond_width) = column(picture, BEYOND, BEYOND_COLUMNS, 150);
    let mut layout = Layout::default();

    // Secrets that go past the agent, in the order of their receivers.
    let agent = agents.first().map(|agent| agent.card);
    let past: Vec<(usize, usize)> = picture
        .links(Link::Receives)
        .filter(|edge| Some(edge.to) != agent)
        .map(|edge| (edge.from, edge.to))
        .collect();
    let tracks = past.len() * TRACK;

    // Columns.
    let secrets_x = MARGIN;
    let machine_x = if secrets.is_empty() { MARGIN } else { secrets_x + secrets_width + 36 + tracks };
    layout.machine = Area { x: machine_x, y: top + TITLE, width: agent_width + 2 * PAD, height: 0 };
    let dials: Vec<_> = picture.links(Link::Dials).collect();
    let labels: Vec<Vec<Line>> = dials.iter().map(|edge| label_lines(&edge.labels)).collect();
    let labels_width = labels.iter().flatten().map(|line| line.width).max().unwrap_or(0);
    let labels_x = layout.machine.right() + PAD;
    let tracks_x = labels_x + labels_width.max(40) + PAD;
    let bundle_x = tracks_x + tracks + if past.is_empty() { 10 } else { 0 };
    layout.bundle = Area { x: bundle_x, y: top + TITLE, width: sidecar_width + 2 * PAD, height: 0 };
    let beyond_x = layout.bundle.right() + 64;
    layout.width = if beyond.is_empty() { layout.bundle.right() } else { beyond_x + beyond_width } + MARGIN;

    // Rows.
    let inner = top + TITLE + HEADING;
    let mut y = inner;
    let mut wave = 0;
    let last_wave = picture.of_kind(Kind::Agent).map(|(_, agent)| agent.wave).max().unwrap_or(0);
    for sidecar in &mut sidecars {
        let number = picture.cards[sidecar.card].wave;
        if number != wave {
            wave = number;
            let text = if number == 1 { "starts first" } else { "starts next" };
            layout.waves.push(Wave { number, text, x: bundle_x + PAD, y: y + 10 });
            y += HEADING;
        }
        sidecar.area.x = bundle_x + PAD;
        sidecar.area.y = y;
        let mut below = y;
        for edge in picture.beyond_of(sidecar.card) {
            if let Some(target) = beyond.iter_mut().find(|target| target.card == edge.to) {
                target.area.x = beyond_x;
                target.area.y = below;
                below = target.area.bottom() + CARD_GAP;
            }
        }
        y = sidecar.area.bottom().max(below.saturating_sub(CARD_GAP)) + ROW_GAP;
    }
    let mut bottom = y - ROW_GAP + PAD;

    // The host's column, which needs as much height as its cards.
    let mut y = inner + HEADING;
    for secret in &mut secrets {
        secret.area.x = secrets_x;
        secret.area.y = y;
        y = secret.area.bottom() + CARD_GAP;
    }
    if !secrets.is_empty() {
        bottom = bottom.max(y - CARD_GAP);
    }
    for agent in &agents {
        bottom = bottom.max(inner + HEADING + agent.area.height + PAD);
    }
    layout.machine.height = bottom - layout.machine.y;
    layout.bundle.height = bottom - layout.bundle.y;
    for agent in &mut agents {
        agent.area.x = machine_x + PAD;
        agent.area.y = inner + HEADING;
        agent.area.height = bottom - PAD - agent.area.y;
        layout.waves.push(Wave { number: last_wave, text: "starts last", x: machine_x + PAD, y: inner + 10 });
    }

    layout.headings.push(Heading { text: String::from("MICROVM"), x: machine_x + PAD, y: top + TITLE + 20 });
    layout.headings.push(Heading {
        text: format!("BUNDLE {}", picture.bundle),
        x: bundle_x + PAD,
        y: top + TITLE + 20,
    });
    if !secrets.is_empty() {
        layout.headings.push(Heading {
            text: String::from("SECRETS ON THE HOST"),
            x: secrets_x,
            y: top + TITLE + 20,
        });
    }
    if !beyond.is_empty() {
        layout.headings.push(Heading { text: String::from("BEYOND"), x: beyond_x, y: top + TITLE + 20 });
    }

    // Lines.
    let area = |placed: &[Placed], card: usize| {
        placed.iter().find(|placed| placed.card == card).map(|placed| placed.area).unwrap_or_default()
    };
    for edge in picture.links(Link::Receives).filter(|edge| Some(edge.to) == agent) {
        let (from, to) = (area(&secrets, edge.from), area(&agents, edge.to));
        let y = to.y.max(from.y) + PORT;
        layout.wires.push(Wire {
            link: edge.link,
            points: vec![(from.right(), y), (to.x, y)],
            labels: Vec::new(),
        });
    }
    for (nth, (from, to)) in past.iter().enumerate() {
        let (from, to) = (area(&secrets, *from), area(&sidecars, *to));
        let out = machine_x - 18 - nth * TRACK;
        let under = bottom + 16 + nth * TRACK;
        let up = tracks_x + nth * TRACK;
        let (start, end) = (from.y + PORT, to.bottom() - PAD);
        layout.wires.push(Wire {
            link: Link::Receives,
            points: vec![
                (from.right(), start),
                (out, start),
                (out, under),
                (up, under),
                (up, end),
                (to.x, end),
            ],
            labels: Vec::new(),
        });
    }
    if !past.is_empty() {
        bottom += 16 + tracks - TRACK;
    }
    for (edge, labels) in dials.iter().zip(labels) {
        let (from, to) = (area(&agents, edge.from), area(&sidecars, edge.to));
        let y = to.y + PORT;
        let middle = labels_x + labels_width.max(40) / 2;
        let labels = labels.into_iter().zip([y - 7, y + 15]).map(|(line, y)| (line, middle, y)).collect();
        layout.wires.push(Wire { link: edge.link, points: vec![(from.right(), y), (to.x, y)], labels });
    }
    for sidecar in &sidecars {
        for edge in picture.beyond_of(sidecar.card) {
            let to = area(&beyond, edge.to);
            let (start, end) = (sidecar.area.y + PORT, to.y + PORT);
            let fork = beyond_x - 34;
            let points = if start == end {
                vec![(sidecar.area.right(), start), (to.x, end)]
            } else {
                vec![(sidecar.area.right(), start), (fork, start), (fork, end), (to.x, end)]
            };
            layout.wires.push(Wire { link: edge.link, points, labels: Vec::new() });
        }
    }
    layout.cards = secrets.into_iter().chain(agents).chain(sidecars).chain(beyond).collect();
    layout.height = bottom + MARGIN - top;
    layout
}

/// What is written above and below a line.
fn label_lines(labels: &[String]) -> Vec<Line> {
    let label = |text: &str| line(text, LABEL_COLUMNS, "label", NOTE, 0);
    match labels {
        [] => Vec::new(),
        [one] => vec![label(one)],
        [one, two] => vec![label(one), label(two)],
        [one, rest @ ..] => {
            let mut more = label(&format!("and {} more", rest.len()));
            more.whole = Some(labels.join(", "));
            vec![label(one), more]
        }
    }
}
