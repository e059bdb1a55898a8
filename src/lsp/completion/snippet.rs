//! Snippets with tab stops, and their plain text for clients without them.

use std::fmt::Write as _;

use crate::diagnostic::Diagnostics;
use crate::schema::{Child, Node, Property, ValueType};
use crate::source::{Source, SourceId, Sources};
use crate::syntax::{self, Tree, quoted_string};
use crate::world::engine::Ledger;

/// A text in the making.
#[derive(Debug)]
pub(super) struct Snippet {
    text: String,
    /// The number of the next place.
    next: usize,
    /// Whether places may be written.
    places: bool,
}

impl Snippet {
    /// An empty snippet.
    #[must_use]
    pub(super) fn new(places: bool) -> Self {
        Self { text: String::new(), next: 1, places }
    }

    /// Adds text as it is.
    pub(super) fn push(&mut self, text: &str) {
        if self.places {
            self.text.push_str(&escaped(text, &['$', '\\']));
        } else {
            self.text.push_str(text);
        }
    }

    /// Adds a place with a suggestion in it.
    pub(super) fn place(&mut self, suggestion: &str) {
        if !self.places {
            self.text.push_str(suggestion);
            return;
        }
        let at = self.next;
        self.next += 1;
        // Writing to a `String` cannot fail.
        if suggestion.is_empty() {
            let _ = write!(self.text, "${at}");
        } else {
            let _ = write!(self.text, "${{{at}:{}}}", escaped(suggestion, &['$', '}', '\\']));
        }
    }

    /// Adds a place for one of a few words.
    fn choice(&mut self, words: &[&str]) {
        if !self.places {
            return;
        }
        let at = self.next;
        self.next += 1;
        // The words are the language's own: none holds a comma or a bar.
        let _ = write!(self.text, "${{{at}|{}|}}", words.join(","));
    }

    /// Adds where the cursor is at the end.
    pub(super) fn end(&mut self) {
        if self.places {
            self.text.push_str("$0");
        }
    }

    /// The text.
    #[must_use]
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Adds a place for a value of that type, of which there may be an example.
    fn value(&mut self, value: ValueType, example: Option<&str>) {
        let words = value.words();
        if value.is_number() {
            let example = example.map_or_else(|| smallest(value), str::to_owned);
            return self.place(&example);
        }
        self.push("\"");
        match words.as_slice() {
            [] => self.place(example.unwrap_or_default()),
            [word] => self.push(word),
            words => self.choice(words),
        }
        self.push("\"");
    }

    /// Adds a property with a place for its value.
    pub(super) fn property(&mut self, property: &Property, example: Option<&str>) {
        self.push(property.name);
        self.push("=");
        self.value(property.value, example);
    }

    /// Adds a node of the language with places for all that it needs.
    pub(super) fn node(&mut self, node: &'static Node) {
        let example = Example::of(node);
        self.push(node.name);
        if !self.places {
            if needs_more(node) {
                self.push(" ");
            }
            return;
        }
        self.head(node, &example);
        let children = example.children_of(node);
        let opens = !children.is_empty()
            || (has_block(node) && (node.properties.is_empty() || !node.arguments.is_empty()));
        if !opens {
            return;
        }
        self.push(" {\n");
        for child in &children {
            self.push("    ");
            self.push(child.name);
            self.head(child, &Example::of(child));
            self.push("\n");
        }
        if children.is_empty() {
            self.push("    ");
            self.end();
            self.push("\n");
        }
        self.push("}");
    }

    /// Adds what stands on a node's line behind its name.
    fn head(&mut self, node: &'static Node, shown: &Example) {
        let before = self.next;
        // What a path or a host in an example is called is nobody's: a place with nothing in it is completed. A service and
        // its public image are somebody's, and without them the node would be an error before anybody types.
        let is_service = node.properties.iter().any(|it| it.required && it.value == ValueType::Image);
        let is_shown = |value: ValueType| {
            value.is_number() || is_service && matches!(value, ValueType::Name | ValueType::Image)
        };
        for argument in node.arguments.iter().filter(|argument| argument.required) {
            self.push(" ");
            let example = is_shown(argument.value).then(|| shown.argument()).flatten();
            self.value(argument.value, example.as_deref());
            // A number of an example says little without what stands beside it there: a port, its scheme.
            for property in node.properties.iter().filter(|it| example.is_some() && !it.required) {
                if let Some(beside) = shown.property(property.name).filter(|_| argument.value.is_number()) {
                    self.push(" ");
                    self.property(property, Some(&beside));
                }
            }
        }
        for property in node.properties.iter().filter(|property| property.required) {
            self.push(" ");
            let example = is_shown(property.value).then(|| shown.property(property.name)).flatten();
            self.property(property, example.as_deref());
        }
        if self.next > before || has_block(node) {
            return;
        }
        // Nothing is left to fill in, so what the example adds is what the node is for.
        for property in node.properties {
            if let Some(example) = shown.property(property.name) {
                self.push(" ");
                let newest = Ledger::smolvm().newest.to_string();
                let example = if property.value == ValueType::Version { newest } else { example };
                self.property(property, Some(&example));
            }
        }
    }
}

/// Whether a node says something by itself.
fn needs_more(node: &Node) -> bool {
    node.arguments.iter().any(|argument| argument.required)
        || node.properties.iter().any(|property| property.required)
        || has_block(node)
}

fn has_block(node: &Node) -> bool {
    !matches!(node.children, crate::schema::Children::None)
}

/// The example of a node, parsed.
pub(super) struct Example {
    tree: Tree,
}

impl Example {
    /// The example of a node.
    #[must_use]
    pub(super) fn of(node: &Node) -> Self {
        let mut sources = Sources::new();
        let id: SourceId = sources.add(Source::new("", node.example));
        Self { tree: syntax::parse(id, sources.get(id), &mut Diagnostics::new()) }
    }

    fn node(&self) -> Option<syntax::Node<'_>> {
        self.tree.nodes().next()
    }

    /// Its first argument, without quotes; nothing when it is cut short.
    #[must_use]
    pub(super) fn argument(&self) -> Option<String> {
        value(self.node()?.entries().find(|entry| entry.key().is_none())?)
    }

    /// A property of it, without quotes; nothing when it is cut short.
    #[must_use]
    pub(super) fn property(&self, name: &str) -> Option<String> {
        value(self.node()?.entries().find(|entry| entry.key().is_some_and(|(key, _)| key == name))?)
    }

    /// The nodes that a block begins with: those that it needs, or else those of the example when they are a few lines
    /// that stand there once.
    fn children_of(&self, node: &'static Node) -> Vec<&'static Node> {
        let known = node.child_nodes();
        let required: Vec<&'static Node> =
            known.iter().filter(|child| child.occurs.is_required()).map(|child| child.node).collect();
        if !required.is_empty() {
            return required;
        }
        let find = |name: &str| known.iter().find(|child| child.node.name == name);
        let shown: Vec<&'static Child> = self
            .node()
            .into_iter()
            .flat_map(syntax::Node::children)
            .filter_map(|it| find(it.name()))
            .collect();
        if shown.iter().any(|child| has_block(child.node))
            || (node.arguments.is_empty() && !node.properties.is_empty())
        {
            return Vec::new();
        }
        let once = shown.iter().filter(|child| child.occurs == crate::schema::Occurs::Once);
        once.map(|child| child.node).collect()
    }
}

fn value(entry: syntax::Entry<'_>) -> Option<String> {
    let text = match entry.value() {
        syntax::Value::String(text) => text.to_owned(),
        syntax::Value::Integer(number) => number.to_string(),
        _ => return None,
    };
    // A digest is cut short in an example, and what stands before it is whole.
    let text = text.strip_suffix("@sha256:…").map(str::to_owned).unwrap_or(text);
    (!text.contains('…')).then_some(text)
}

/// The smallest number of a type.
fn smallest(value: ValueType) -> String {
    match value {
        ValueType::Integer { min, .. } => min.to_string(),
        _ => String::from("1"),
    }
}

/// Text with a backslash before each of those characters.
fn escaped(text: &str, special: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(&c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A variable of an environment with what it holds.
pub(super) fn variable(name: &str, from_env: bool, value: Option<&str>, places: bool) -> String {
    let mut snippet = Snippet::new(places);
    snippet.push(name);
    snippet.push(" ");
    if from_env {
        snippet.push("from-env=\"");
        snippet.place(name);
        snippet.push("\"");
    } else if places || value.is_some() {
        let quoted = quoted_string(value.unwrap_or_default());
        snippet.push("\"");
        snippet.place(&quoted[1..quoted.len() - 1]);
        snippet.push("\"");
    }
    snippet.finish()
}
