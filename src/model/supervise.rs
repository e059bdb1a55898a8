//! `supervise`: how the agent asks a human.

use super::{Spanned, child, first_argument, text_property};
use crate::schema::ValueType;
use crate::source::Span;
use crate::syntax::{Node, Value};

/// The `supervise` node of a layer, or of a whole bottle.
#[derive(Clone, Debug)]
pub struct Supervise {
    /// The first place that asks for it.
    pub place: Span,
    /// The queue's directory on the host.
    pub queue: Option<Spanned<String>>,
    /// The image that it runs in.
    pub image: Option<Spanned<String>>,
}

impl Supervise {
    pub(super) fn decode(node: Node<'_>) -> Self {
        Self {
            place: node.name_span(),
            queue: child(node, "queue")
                .and_then(first_argument)
                .filter(|queue| ValueType::OwnDirectory.check(Value::String(&queue.value)).is_ok()),
            image: text_property(node, "image"),
        }
    }

    /// The queue of a bottle that names none, by the bottle's name: where a user's programs keep what they must not lose.
    #[must_use]
    pub fn default_queue(slug: &str) -> String {
        format!("~/.local/state/bottle/{slug}")
    }

    /// Lays `over` on top: of each setting the last one wins, and asking for it is never taken back.
    pub(super) fn merge(self, over: Self) -> Self {
        let Self { place: _, queue, image } = over;
        Self { place: self.place, queue: queue.or(self.queue), image: image.or(self.image) }
    }
}
