//! The layout of an SVG picture, in whole pixels.
//!
//! Four columns, left to right: secrets on the host, the agent in its machine, the bundle, and what lies beyond it. The
//! agent is as tall as its bundle, so that each sidecar is a row with a straight line from the agent and a straight
//! line out. Secrets of sidecars pass below the agent and come up beside the bundle: it is there to be seen that the
//! agent never gets them. Those lines are nested, so that none of them crosses another.

use std::ops::RangeInclusive;

use textwrap::core::display_width;

use crate::report::graph::model::{Card, Edge, Kind, Link, Picture, Zone};
use crate::report::graph::shorten_after;

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
/// The space between two lines that run beside each other: less when there are many.
const TRACK: RangeInclusive<usize> = 6..=12;
/// The space that all of them together take before there is less for each.
const TRACKS: usize = 120;
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
const AGENT_COLUMNS: usize = 26;
const LABEL_COLUMNS: usize = 22;
const SIDECAR_COLUMNS: usize = 32;
const BEYOND_COLUMNS: usize = 38;

/// How wide a monospaced text of so many columns may become, at the most: the widest usual font has
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

impl Wire {
    fn new(link: Link, points: Vec<(usize, usize)>) -> Self {
        Self { link, points, labels: Vec::new() }
    }
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
    /// From where to where other lines may pass below those of the agent.
    pub(super) tracks: (usize, usize),
}

fn line(text: &str, columns: usize, class: &'static str, size: usize, y: usize) -> Line {
    // Of a name the beginning tells more than the end.
    let shown = shorten_after(text, columns, if class == "name" { 2 } else { 1 }, "…");
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
            lines.push(line(note, columns * ROW / NOTE, "note", NOTE, y));
        }
    }
    for note in card.rest().iter().chain(&card.limit) {
        y += 20;
        lines.push(line(note, columns * ROW / NOTE, "note", NOTE, y));
    }
    (lines, y + PAD)
}

/// The cards of one column, not yet in their places.
fn cards(picture: &Picture, zone: Zone, columns: usize) -> Vec<Placed> {
    let placed = picture.within(zone).map(|(number, card)| {
        let (lines, height) = lines(card, columns);
        Placed { card: number, area: Area { height, ..Area::default() }, lines }
    });
    placed.collect()
}

/// The cards and texts of one picture, not yet in their places.
struct Parts<'a> {
    picture: &'a Picture,
    secrets: Vec<Placed>,
    agents: Vec<Placed>,
    sidecars: Vec<Placed>,
    beyond: Vec<Placed>,
    /// The lines from the agent to its sidecars, and what is written on each.
    dials: Vec<(&'a Edge, Vec<Line>)>,
    /// Secrets that go past the agent, in the order of their receivers: from which card, to which.
    past: Vec<(usize, usize)>,
}

impl<'a> Parts<'a> {
    fn of(picture: &'a Picture) -> Self {
        let is_agent = |card: usize| picture.cards[card].kind == Kind::Agent;
        let past = picture.links(Link::Receives).filter(|edge| !is_agent(edge.to));
        Self {
            picture,
            secrets: cards(picture, Zone::Host, SECRET_COLUMNS),
            agents: cards(picture, Zone::Machine, AGENT_COLUMNS),
            sidecars: cards(picture, Zone::Bundle, SIDECAR_COLUMNS),
            beyond: cards(picture, Zone::Outside, BEYOND_COLUMNS),
            dials: picture.links(Link::Dials).map(|edge| (edge, label_lines(&edge.labels))).collect(),
            past: past.map(|edge| (edge.from, edge.to)).collect(),
        }
    }
}

/// Where the columns of all pictures are.
#[derive(Debug, Default)]
struct Columns {
    secrets: Area,
    /// Where the lines of secrets that go past the agent turn down; the first one is the rightmost.
    down: usize,
    machine: Area,
    labels: Area,
    /// How far apart those lines are.
    track: usize,
    /// Where they go up; the first one is the leftmost.
    up: usize,
    bundle: Area,
    beyond: Area,
}

/// How wide cards are that all are as wide as the widest one; nothing when there are none.
fn widest<'p>(cards: impl Iterator<Item = &'p Placed>, least: usize) -> usize {
    let lines = cards.flat_map(|placed| &placed.lines);
    lines.map(|line| line.width + 2 * PAD).max().map_or(0, |width| width.max(least))
}

impl Columns {
    fn of(all: &[Parts<'_>]) -> Self {
        let past = all.iter().map(|parts| parts.past.len()).max().unwrap_or(0);
        let track = (TRACKS / past.max(1)).clamp(*TRACK.start(), *TRACK.end());
        let tracks = past * track;
        let labels = all.iter().flat_map(|parts| &parts.dials).flat_map(|(_, labels)| labels);
        let column = |x, width| Area { x, width, ..Area::default() };
        let secrets = column(MARGIN, widest(all.iter().flat_map(|parts| &parts.secrets), 0));
        let machine_x = if secrets.width == 0 { MARGIN } else { secrets.right() + 36 + tracks };
        let machine = column(machine_x, widest(all.iter().flat_map(|parts| &parts.agents), 130) + 2 * PAD);
        let labels =
            column(machine.right() + PAD, labels.map(|label| label.width).max().unwrap_or(0).max(40));
        let up = labels.right() + PAD;
        let bundle =
            column(up + tracks.max(8), widest(all.iter().flat_map(|parts| &parts.sidecars), 210) + 2 * PAD);
        let beyond = column(bundle.right() + 64, widest(all.iter().flat_map(|parts| &parts.beyond), 150));
        Self { secrets, down: machine.x.saturating_sub(18), track, machine, labels, up, bundle, beyond }
    }
}

/// Gives everything its place: one picture below the other, their columns aligned, from `top` on.
pub(super) fn layout(pictures: &[Picture], mut top: usize) -> Vec<Layout> {
    let parts: Vec<Parts<'_>> = pictures.iter().map(Parts::of).collect();
    let columns = Columns::of(&parts);
    let layouts = parts.into_iter().map(|parts| {
        let layout = place(parts, &columns, top);
        top += layout.height;
        layout
    });
    layouts.collect()
}

fn place(parts: Parts<'_>, columns: &Columns, top: usize) -> Layout {
    let Parts { picture, mut secrets, mut agents, mut sidecars, mut beyond, dials, past } = parts;
    let mut layout = Layout { width: columns.beyond.right() + MARGIN, ..Layout::default() };
    let inner = top + TITLE + HEADING;

    let mut bottom = rows(picture, columns, inner, &mut sidecars, &mut beyond, &mut layout.waves);
    let mut y = inner + HEADING;
    for secret in &mut secrets {
        secret.area = Area { x: columns.secrets.x, y, width: columns.secrets.width, ..secret.area };
        y = secret.area.bottom() + CARD_GAP;
        bottom = bottom.max(secret.area.bottom());
    }
    for agent in &mut agents {
        let (x, y) = (columns.machine.x + PAD, inner + HEADING);
        bottom = bottom.max(y + agent.area.height + PAD);
        let free = bottom - PAD - y - agent.area.height;
        agent.area = Area { x, y, width: columns.machine.width - 2 * PAD, height: bottom - PAD - y };
        for line in &mut agent.lines {
            line.y += free / 2;
        }
        let number = picture.cards[agent.card].wave;
        layout.waves.push(Wave { number, text: "starts last", x, y: inner + 10 });
    }
    layout.machine = Area { y: top + TITLE, height: bottom - top - TITLE, ..columns.machine };
    layout.bundle = Area { y: top + TITLE, height: bottom - top - TITLE, ..columns.bundle };
    for (text, x, there) in [
        ("ON THE HOST", columns.secrets.x, !secrets.is_empty()),
        ("MICROVM", columns.machine.x + PAD, true),
        (&format!("BUNDLE {}", picture.bundle), columns.bundle.x + PAD, true),
        ("OUTSIDE", columns.beyond.x, !beyond.is_empty()),
    ] {
        if there {
            layout.headings.push(Heading { text: text.to_owned(), x, y: top + TITLE + 20 });
        }
    }

    let mut areas = vec![Area::default(); picture.cards.len()];
    for placed in secrets.iter().chain(&agents).chain(&sidecars).chain(&beyond) {
        areas[placed.card] = placed.area;
    }
    let is_agent = |card: usize| picture.cards[card].kind == Kind::Agent;
    for edge in picture.links(Link::Receives).filter(|edge| is_agent(edge.to)) {
        let (from, to) = (areas[edge.from], areas[edge.to]);
        let y = from.y + PORT;
        layout.wires.push(Wire::new(edge.link, vec![(from.right(), y), (to.x, y)]));
    }
    for (nth, (from, to)) in past.iter().enumerate() {
        let (from, to) = (areas[*from], areas[*to]);
        let (down, under, up) = (
            columns.down - nth * columns.track,
            bottom + 16 + nth * columns.track,
            columns.up + nth * columns.track,
        );
        let (start, end) = (from.y + PORT, to.bottom() - PAD);
        let points =
            vec![(from.right(), start), (down, start), (down, under), (up, under), (up, end), (to.x, end)];
        layout.wires.push(Wire::new(Link::Receives, points));
    }
    layout.height = bottom + 16 + past.len() * columns.track + MARGIN - top;
    layout.tracks = (columns.up - PAD / 2, columns.bundle.x - 2);
    for (edge, labels) in dials {
        let (from, to) = (areas[edge.from], areas[edge.to]);
        let y = to.y + PORT;
        let middle = columns.labels.x + columns.labels.width / 2;
        let labels = labels.into_iter().zip([y - 7, y + 15]).map(|(line, y)| (line, middle, y)).collect();
        layout.wires.push(Wire { labels, ..Wire::new(edge.link, vec![(from.right(), y), (to.x, y)]) });
    }
    for sidecar in &sidecars {
        for (number, card) in picture.beyond_of(sidecar.card) {
            let to = areas[number];
            let (start, end) = (sidecar.area.y + PORT, to.y + PORT);
            let fork = columns.beyond.x - 34;
            // The second one leaves the first one's line on its way.
            let points = if start == end {
                vec![(sidecar.area.right(), start), (to.x, end)]
            } else {
                vec![(fork, start), (fork, end), (to.x, end)]
            };
            layout.wires.push(Wire::new(card.kind.link(), points));
        }
    }
    layout.cards = secrets.into_iter().chain(agents).chain(sidecars).chain(beyond).collect();
    layout
}

/// Places the sidecars below each other, by wave, each with what it reaches beside it. Returns where they end.
fn rows(
    picture: &Picture,
    columns: &Columns,
    top: usize,
    sidecars: &mut [Placed],
    beyond: &mut [Placed],
    waves: &mut Vec<Wave>,
) -> usize {
    let x = columns.bundle.x + PAD;
    // Where the next sidecar and the next card beyond may begin.
    let (mut next, mut next_beyond) = (top, top);
    let mut wave = 0;
    for sidecar in sidecars {
        let reached: Vec<usize> = picture.beyond_of(sidecar.card).map(|(number, _)| number).collect();
        let number = picture.cards[sidecar.card].wave;
        let heading = if number == wave { 0 } else { HEADING };
        if !reached.is_empty() {
            next = next.max(next_beyond.saturating_sub(heading));
        }
        if number != wave {
            wave = number;
            let text = if number == 1 { "starts first" } else { "starts next" };
            waves.push(Wave { number, text, x, y: next + 10 });
        }
        let y = next + heading;
        sidecar.area = Area { x, y, width: columns.bundle.width - 2 * PAD, ..sidecar.area };
        next = sidecar.area.bottom() + ROW_GAP;
        let mut below = y;
        for card in beyond.iter_mut().filter(|placed| reached.contains(&placed.card)) {
            card.area = Area { x: columns.beyond.x, y: below, width: columns.beyond.width, ..card.area };
            below = card.area.bottom() + CARD_GAP;
            next_beyond = card.area.bottom() + ROW_GAP;
        }
    }
    next.max(next_beyond) - ROW_GAP + PAD
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
