//! The schema: every node, argument and property of the language, once.
//!
//! The table in [`nodes`](self::ROOT) says what a node may hold, of which type, and what it means. `check` holds
//! trees against it; the reference page and `schemas/spec.json` are printed from it; an editor completes from it.
//! A decoder in `model/` may therefore take for granted what the table says, and never repeats a message.

mod check;
mod message;
mod nodes;
mod path;
mod peers;
pub mod reference;
mod regex;
mod text;
mod url;
mod value;
mod value_check;

pub use check::check;
pub use message::is_export;
pub use nodes::{BOTTLE, CAPABILITIES, PROFILE, RETIRED, ROOT, Retired};
pub use path::is_host_path;
pub use text::suggest_name;
pub use value::ValueType;

/// The number of times that a child may occur in its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurs {
    /// At most once.
    Once,
    /// Exactly once.
    Required,
    /// Any number of times.
    Many,
    /// Exactly once, unless that other child is there.
    RequiredUnless(&'static str),
    /// Exactly once, beside that other child.
    RequiredWith(&'static str),
    /// Once or more often, beside that other child.
    SeveralWith(&'static str),
}

impl Occurs {
    /// Whether the parent needs it, in some place at least.
    #[must_use]
    pub fn is_required(self) -> bool {
        !matches!(self, Self::Once | Self::Many)
    }

    /// Whether a parent needs it that has the children that `has` says.
    #[must_use]
    pub fn is_required_in(self, has: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Once | Self::Many => false,
            Self::Required => true,
            Self::RequiredUnless(other) => !has(other),
            Self::RequiredWith(other) | Self::SeveralWith(other) => has(other),
        }
    }

    /// Whether it may occur more than once.
    #[must_use]
    pub fn repeats(self) -> bool {
        matches!(self, Self::Many | Self::SeveralWith(_))
    }

    /// Describes it in a few words, such as "required, repeatable"; nothing when it may be there once.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Once => String::new(),
            Self::Required => String::from("required"),
            Self::Many => String::from("repeatable"),
            Self::RequiredUnless(other) => format!("required without `{other}`"),
            Self::RequiredWith(other) => format!("required with `{other}`"),
            Self::SeveralWith(other) => format!("required with `{other}`, repeatable"),
        }
    }
}

/// A positional argument.
#[derive(Debug)]
pub struct Argument {
    /// What it is called in the reference.
    pub name: &'static str,
    /// What it may hold.
    pub value: ValueType,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it may be repeated; only the last argument of a node does.
    pub repeats: bool,
    /// What it means.
    pub doc: &'static str,
}

/// A `key=value` property.
#[derive(Debug)]
pub struct Property {
    /// Its key.
    pub name: &'static str,
    /// What it may hold.
    pub value: ValueType,
    /// Whether it must be there.
    pub required: bool,
    /// What holds when it is not there, in words.
    pub default: Option<&'static str>,
    /// What it means.
    pub doc: &'static str,
}

/// What a node may hold in its block.
#[derive(Debug)]
pub enum Children {
    /// No block at all.
    None,
    /// These nodes.
    Nodes(&'static [Child]),
    /// Nodes whose names the author chooses, such as environment variables.
    Named {
        /// What a name may be.
        name: ValueType,
        /// What each such node may hold.
        node: &'static Node,
    },
}

/// A node in its parent.
#[derive(Debug)]
pub struct Child {
    /// How often.
    pub occurs: Occurs,
    /// The node.
    pub node: &'static Node,
}

/// A node of the language.
#[derive(Debug)]
pub struct Node {
    /// Its name; of a node whose name the author chooses, what the name stands for.
    pub name: &'static str,
    /// What it means, in Markdown: the first line stands alone.
    pub doc: &'static str,
    /// Its arguments in order.
    pub arguments: &'static [Argument],
    /// Its properties.
    pub properties: &'static [Property],
    /// Its block.
    pub children: Children,
    /// How it is written, for the reference and for completion.
    pub example: &'static str,
}

impl Node {
    /// The nodes that may stand in its block by name.
    #[must_use]
    pub fn child_nodes(&self) -> &'static [Child] {
        match self.children {
            Children::Nodes(nodes) => nodes,
            Children::None | Children::Named { .. } => &[],
        }
    }
}
