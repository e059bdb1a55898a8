//! The picture of a bottle: who reaches what through whom, in which order things start, and whose secrets go where.
//!
//! A [`Picture`] is made once from a [`Plan`], and each format is a thin translation of it. It is for looking at: long
//! lists are summarised and long names shortened. The whole truth is the plan.

use std::borrow::Cow;

use textwrap::core::display_width;

use super::{Style, one_line};
use crate::plan::Plan;

mod dot;
mod mermaid;
mod model;
mod svg;
mod text;

pub use model::{Card, Edge, Kind, Link, Picture, Row, Zone};

/// How a picture is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// A tree, for a terminal.
    #[default]
    Text,
    /// An image by itself, for light and dark backgrounds.
    Svg,
    /// A flowchart as Mermaid 11 draws it, which is what hosts of Markdown do.
    Mermaid,
    /// A graph for Graphviz.
    Dot,
}

/// Draws bottles: a tree each below the other, and in all other formats one picture with a part for each. `style` is
/// for text only; everything else is the same for every reader.
#[must_use]
pub fn render(plans: &[&Plan], format: Format, style: &Style) -> String {
    let pictures: Vec<Picture> = plans.iter().map(|plan| Picture::of(plan)).collect();
    match format {
        Format::Text => text::render(&pictures, style),
        Format::Svg => svg::render(&pictures),
        Format::Mermaid => mermaid::render(&pictures),
        Format::Dot => dot::render(&pictures),
    }
}

/// The most columns of one text in the formats that somebody else lays out: what a reader takes in at a glance.
const MAX_COLUMNS: usize = 60;

/// `text` in one harmless line of at most so many columns. Of a long one the end is kept rather than the beginning: a
/// host's domain and a file's name stand there.
#[must_use]
pub fn shorten<'a>(text: &'a str, columns: usize, ellipsis: &str) -> Cow<'a, str> {
    shorten_after(text, columns, 1, ellipsis)
}

/// The same, but so many thirds of what is kept are kept of the beginning.
fn shorten_after<'a>(text: &'a str, columns: usize, thirds: usize, ellipsis: &str) -> Cow<'a, str> {
    let text = one_line(text);
    if display_width(&text) <= columns {
        return text;
    }
    let room = columns.saturating_sub(display_width(ellipsis));
    let head = room * thirds / 3;
    let mut buffer = [0; 4];
    let mut width = |c: char| display_width(c.encode_utf8(&mut buffer));
    let mut short = String::new();
    let mut taken = 0;
    for c in text.chars() {
        taken += width(c);
        if taken > head {
            break;
        }
        short.push(c);
    }
    let mut taken = head;
    let start = text.char_indices().rev().take_while(|(_, c)| {
        taken += width(*c);
        taken <= room
    });
    let start = start.last().map_or(text.len(), |(at, _)| at);
    Cow::Owned(short + ellipsis + &text[start..])
}
