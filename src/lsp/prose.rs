//! Text that an editor shows in a hover or beside a completion: Markdown, or plain where a client has nothing else.
//!
//! What is ours is Markdown. What comes from a spec is put between backticks by [`quote`](crate::text::quote),
//! which leaves no backtick and no line end in it, so that it ends no code span and makes no markup.

use std::fmt::Write as _;

use lsp_types::{Documentation, MarkupContent, MarkupKind};

use crate::schema;

/// A text in paragraphs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prose(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// One or several paragraphs of Markdown.
    Text(String),
    /// KDL that is shown as it is.
    Code(String),
    /// A list.
    List(Vec<String>),
}

impl Prose {
    /// An empty text.
    #[must_use]
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds paragraphs.
    #[must_use]
    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Text(text.into()));
        self
    }

    /// Adds KDL of ours: it must hold no fence.
    #[must_use]
    pub(super) fn code(mut self, code: &str) -> Self {
        self.0.push(Part::Code(code.to_owned()));
        self
    }

    /// Adds a list, if there is anything in it.
    #[must_use]
    pub(super) fn list(mut self, items: Vec<String>) -> Self {
        if !items.is_empty() {
            self.0.push(Part::List(items));
        }
        self
    }

    /// Adds all of another text.
    #[must_use]
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The reference's text about a node, with its example.
    #[must_use]
    pub(super) fn of_node(node: &schema::Node) -> Self {
        let doc = Self::new().text(unlinked(node.doc));
        if node.example.is_empty() { doc } else { doc.code(node.example) }
    }

    /// The reference's text about a property.
    #[must_use]
    pub(super) fn of_property(property: &schema::Property) -> Self {
        let schema::Property { name: _, value, required, default, doc } = property;
        let mut more = format!("Takes {}.", value.describe());
        if *required {
            more.push_str(" Required.");
        }
        if let Some(default) = default {
            // A default is a phrase that may end with the comma that a sentence needs behind it.
            let _ = write!(more, " Without it: {}.", default.trim_end_matches(','));
        }
        Self::new().text(sentence(doc)).text(more)
    }

    /// The reference's text about an argument.
    #[must_use]
    pub(super) fn of_argument(argument: &schema::Argument) -> Self {
        Self::new().text(sentence(argument.doc)).text(format!("Takes {}.", argument.value.describe()))
    }

    /// The text as a client shows it.
    #[must_use]
    pub(super) fn markup(&self, markdown: bool) -> MarkupContent {
        let kind = if markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
        MarkupContent { kind, value: self.render(markdown) }
    }

    /// The same beside a completion; nothing when there is nothing to say.
    #[must_use]
    pub(super) fn documentation(&self, markdown: bool) -> Option<Documentation> {
        // A client that names no format may know of none.
        let said = || {
            if markdown {
                Documentation::MarkupContent(self.markup(markdown))
            } else {
                Documentation::String(self.render(markdown))
            }
        };
        (!self.is_empty()).then(said)
    }

    fn render(&self, markdown: bool) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Code(code) if markdown => format!("```kdl\n{code}\n```"),
            Part::Code(code) => code.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n"),
            Part::List(items) => items.iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n"),
        });
        parts.collect::<Vec<_>>().join("\n\n")
    }
}

/// A phrase of the reference as a sentence.
#[must_use]
pub(super) fn sentence(phrase: &str) -> String {
    let mut chars = phrase.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    let end = if phrase.ends_with(['.', '…']) { "" } else { "." };
    first.into_iter().chain(chars).collect::<String>() + end
}

/// Markdown without its links to other places of one page, which lead nowhere from here.
fn unlinked(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](#") {
        let Some((_, after)) = after.split_once(')') else { break };
        let (outside, label) = before.rsplit_once('[').unwrap_or((before, ""));
        plain.push_str(outside);
        plain.push_str(label);
        rest = after;
    }
    plain.push_str(rest);
    plain
}
