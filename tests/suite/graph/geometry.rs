//! Reads a picture back from its SVG and measures it as a viewer would, with figures of its own.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

/// A rectangle: left, top, right, bottom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Area {
    fn holds(self, other: Self) -> bool {
        self.left <= other.left
            && self.top <= other.top
            && self.right >= other.right
            && self.bottom >= other.bottom
    }

    /// Whether the two have any inside in common.
    fn meets(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn shrunk(self, by: f64) -> Self {
        Self { left: self.left + by, top: self.top + by, right: self.right - by, bottom: self.bottom - by }
    }
}

/// Declarations of the first part of a style sheet, or of its dark part, by class.
pub(crate) fn styles(css: &str, dark: bool) -> BTreeMap<String, BTreeMap<String, String>> {
    let (light, night) = css.split_once("@media (prefers-color-scheme:dark){").expect("a dark part");
    let mut styles: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for part in if dark { vec![light, night] } else { vec![light] } {
        for rule in part.split('}').filter(|rule| !rule.trim().is_empty()) {
            let (selectors, body) = rule.split_once('{').expect("a rule");
            for selector in selectors.split(',') {
                let class = selector.trim().strip_prefix('.').expect("a class").to_owned();
                let declarations = styles.entry(class).or_default();
                for declaration in body.split(';').filter(|declaration| !declaration.is_empty()) {
                    let (key, value) = declaration.split_once(':').expect("a declaration");
                    declarations.insert(key.trim().to_owned(), value.trim().to_owned());
                }
            }
        }
    }
    styles
}

pub(crate) fn css<'a>(document: &'a Document<'_>) -> &'a str {
    document
        .descendants()
        .find(|node| node.has_tag_name("style"))
        .and_then(|node| node.text())
        .expect("a style")
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    let value = node.attribute(name).unwrap_or_else(|| panic!("no {name} at {node:?}"));
    value.parse().unwrap_or_else(|_| panic!("{name}={value}"))
}

fn has_class(node: Node<'_, '_>, class: &str) -> bool {
    node.attribute("class").is_some_and(|classes| classes.split(' ').any(|own| own == class))
}

fn rect(node: Node<'_, '_>) -> Area {
    let (left, top) = (number(node, "x"), number(node, "y"));
    Area { left, top, right: left + number(node, "width"), bottom: top + number(node, "height") }
}

/// The room that a text takes in the widest usual fonts: `DejaVu Sans Mono` has 0.602 em a column; of words in other
/// fonts, capitals with letters spaced and bold type are widest.
fn text(node: Node<'_, '_>, styles: &BTreeMap<String, BTreeMap<String, String>>) -> Area {
    let classes: Vec<&str> = node.attribute("class").expect("a class").split(' ').collect();
    let look = |key: &str| classes.iter().filter_map(|class| styles.get(*class)?.get(key)).next_back();
    let size: f64 =
        look("font-size").and_then(|size| size.strip_suffix("px")).expect("a size").parse().expect("pixels");
    let shown = node.text().expect("text");
    let columns = textwrap::core::display_width(shown);
    let em = if classes.contains(&"bl-mono") {
        0.602
    } else if classes.contains(&"bl-heading") {
        0.8
    } else {
        0.6
    };
    let columns = f64::from(u32::try_from(columns).expect("a short text"));
    let (width, x, y) = (columns * size * em, number(node, "x"), number(node, "y"));
    let left = if look("text-anchor").is_some_and(|anchor| anchor == "middle") { x - width / 2.0 } else { x };
    Area { left, top: y - size * 0.8, right: left + width, bottom: y + size * 0.25 }
}

/// The straight parts of a path: its corners are where its curves have their control points.
fn segments(d: &str) -> Vec<Area> {
    let spaced = d.replace(['M', 'L', 'H'], " ").replace('Q', " Q ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut corners: Vec<(f64, f64)> = Vec::new();
    let mut at = 0;
    let point =
        |at: usize| -> (f64, f64) { (words[at].parse().expect("x"), words[at + 1].parse().expect("y")) };
    while at < words.len() {
        if words[at] == "Q" {
            // What led to the corner, and what leads on from it, lies on the straight lines beside it.
            corners.pop();
            corners.push(point(at + 1));
            at += 5;
        } else {
            corners.push(point(at));
            at += 2;
        }
    }
    let segment = |pair: &[(f64, f64)]| {
        let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
        assert!((ax - bx).abs().min((ay - by).abs()) < 0.01, "neither level nor upright: {d}");
        Area { left: ax.min(bx), top: ay.min(by), right: ax.max(bx), bottom: ay.max(by) }
    };
    corners.windows(2).map(segment).collect()
}

/// Whether a line runs through the inside of an area.
fn crosses(line: Area, area: Area) -> bool {
    line.left < area.right && line.right > area.left && line.top < area.bottom && line.bottom > area.top
}

/// Whether two lines have a point in common.
fn meet(one: Area, other: Area) -> bool {
    one.left <= other.right && other.left <= one.right && one.top <= other.bottom && other.top <= one.bottom
}

/// Everything that must hold of any picture: nothing is outside its frame, nothing lies on anything else, no line runs
/// over a text or through a card, and no two lines of secrets can be taken for each other.
pub(crate) fn assert_sound(svg: &str) {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    let styles = styles(css(&document), false);
    let root = document.root_element();
    let page = Area { left: 0.0, top: 0.0, right: number(root, "width"), bottom: number(root, "height") };
    let mut cards: Vec<Area> = Vec::new();
    let mut frames = Vec::new();
    let mut texts: Vec<(Area, String)> = Vec::new();
    let mut wires = Vec::new();
    let mut secrets: Vec<Vec<Area>> = Vec::new();
    for node in document.descendants() {
        if has_class(node, "bl-frame") {
            frames.push((has_class(node, "bl-machine"), rect(node)));
        } else if has_class(node, "bl-card") {
            let card = rect(node);
            assert!(page.holds(card), "a card is outside the picture: {card:?}");
            for node in node.parent().expect("a group").descendants().filter(|node| node.has_tag_name("text"))
            {
                let area = text(node, &styles);
                assert!(
                    card.shrunk(8.0).holds(area),
                    "{:?} is outside its card: {area:?}, {card:?}",
                    node.text()
                );
            }
            let inside =
                |machine| frames.iter().filter(|frame| frame.0 == machine).any(|frame| frame.1.holds(card));
            if has_class(node, "bl-agent") {
                assert!(inside(true), "the agent is outside its machine");
            } else if has_class(node, "bl-sidecar") {
                assert!(inside(false), "a sidecar is outside the bundle");
            } else {
                assert!(!frames.iter().any(|frame| frame.1.meets(card)), "a card of outside lies in a frame");
            }
            cards.push(card);
        } else if node.has_tag_name("text") {
            let area = text(node, &styles);
            assert!(page.holds(area), "{:?} is outside the picture: {area:?}", node.text());
            texts.push((area, node.text().expect("text").to_owned()));
        } else if has_class(node, "bl-wire") {
            let parts = segments(node.attribute("d").expect("a path"));
            if has_class(node, "bl-receives") {
                for other in secrets.iter().flatten() {
                    let crossed = parts.iter().find(|part| meet(**part, *other));
                    assert!(crossed.is_none(), "two lines of secrets meet: {crossed:?}, {other:?}");
                }
                secrets.push(parts.clone());
            }
            wires.extend(parts);
        }
    }
    assert!(cards.len() >= 3 && wires.len() >= 2, "{svg}");
    for (at, card) in cards.iter().enumerate() {
        for other in &cards[at + 1..] {
            assert!(!card.meets(*other), "two cards lie on each other: {card:?}, {other:?}");
        }
        for wire in &wires {
            assert!(!crosses(*wire, card.shrunk(1.0)), "a line runs through a card: {wire:?}, {card:?}");
        }
    }
    for (at, (area, shown)) in texts.iter().enumerate() {
        for (other, said) in &texts[at + 1..] {
            assert!(!area.meets(*other), "{shown:?} lies on {said:?}: {area:?}, {other:?}");
        }
        for wire in &wires {
            assert!(!crosses(*wire, *area), "a line runs over {shown:?}: {wire:?}, {area:?}");
        }
    }
    for (at, (_, frame)) in frames.iter().enumerate() {
        assert!(page.holds(*frame));
        assert!(!frames[at + 1..].iter().any(|other| frame.meets(other.1)), "two frames lie on each other");
    }
}

/// A text's or a line's contrast with what it is drawn on, as the WCAG 2 computes it.
pub(crate) fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |color: &str| {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).expect("a colour")) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The document without its texts and values: the names of all elements and attributes, in order.
pub(crate) fn skeleton(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    let elements = document.descendants().filter(Node::is_element);
    elements
        .map(|node| {
            let attributes: Vec<&str> = node.attributes().map(|attribute| attribute.name()).collect();
            format!("{} {}", node.tag_name().name(), attributes.join(" "))
        })
        .collect()
}
