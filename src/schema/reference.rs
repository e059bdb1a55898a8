//! The reference page of the language, printed from the table.

use std::fmt::Write as _;
use std::ptr;

use super::{Children, Node, RETIRED, ROOT, ValueType};

/// `docs/language.md`.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# The bottle spec language\n\nGenerated from the schema table in `src/schema/nodes.rs`; the tests keep it \
         true.\n\nA spec is a [KDL 2](https://kdl.dev) document, at most 16 MiB of UTF-8. Unknown nodes, properties \
         and arguments are errors, and so are type annotations: the table below fixes each type.\n\n## Nodes\n\n",
    );
    let mut sections = Sections(Vec::new());
    sections.collect(&ROOT);
    sections.index(&ROOT, 0, &mut text);
    for section in &sections.0 {
        sections.write(section, &mut text);
    }
    retired(&mut text);
    text
}

/// The section of one node.
struct Section {
    node: &'static Node,
    /// The node that it stands in, where another node of the same name came first.
    within: Option<&'static str>,
}

/// The sections, in order.
struct Sections(Vec<Section>);

impl Sections {
    fn collect(&mut self, parent: &'static Node) {
        for child in parent.child_nodes() {
            if self.0.iter().any(|section| ptr::eq(section.node, child.node)) {
                continue;
            }
            let taken = self.0.iter().any(|section| section.node.name == child.node.name);
            self.0.push(Section { node: child.node, within: taken.then_some(parent.name) });
            self.collect(child.node);
        }
    }

    /// The node's name with a link to its section, as Markdown pages make anchors of headings.
    fn link(&self, node: &'static Node) -> String {
        let section = self.0.iter().find(|section| ptr::eq(section.node, node));
        let within = section.and_then(|section| section.within);
        let within = within.map(|parent| format!("-in-{parent}")).unwrap_or_default();
        format!("[`{0}`](#{0}{within})", node.name)
    }

    /// A nested list of every node, each with a link to its section.
    fn index(&self, parent: &'static Node, depth: usize, text: &mut String) {
        for child in parent.child_nodes() {
            let often = Some(child.occurs.describe()).filter(|often| !often.is_empty());
            let often = often.map(|often| format!(", {often}")).unwrap_or_default();
            let indent = "  ".repeat(depth);
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{indent}- {}{often}: {}", self.link(child.node), summary(child.node));
            // The blocks of a profile and a bottle are one text: it stands at the bottle.
            if child.node.name != "profile" {
                self.index(child.node, depth + 1, text);
            }
        }
        if let Children::Named { node, .. } = &parent.children {
            let _ = writeln!(text, "{}- *{}*: {}", "  ".repeat(depth), node.name, summary(node));
        }
    }

    fn write(&self, section: &Section, text: &mut String) {
        let Section { node, within } = section;
        let within = within.map(|parent| format!(" in `{parent}`")).unwrap_or_default();
        let _ =
            write!(text, "\n## `{}`{within}\n\n{}\n\n```text\n{}\n```\n", node.name, node.doc, node.example);
        values(node, text);
        if let Children::Named { name, node: variable } = &node.children {
            let _ = write!(
                text,
                "\nIts block holds nodes whose names you choose, each {}. {}\n\n```text\n{}\n```\n",
                name.describe(),
                variable.doc,
                variable.example
            );
            values(variable, text);
        }
        let children = node.child_nodes();
        if !children.is_empty() {
            let names: Vec<String> = children.iter().map(|child| self.link(child.node)).collect();
            let _ = writeln!(text, "\nIts block holds {}.", names.join(", "));
        }
    }
}

fn summary(node: &Node) -> &str {
    node.doc.lines().next().unwrap_or("")
}

fn values(node: &Node, text: &mut String) {
    if node.arguments.is_empty() && node.properties.is_empty() {
        return;
    }
    let _ = write!(text, "\n| value | what it is | |\n| --- | --- | --- |\n");
    let mut row = |name: &str, value: ValueType, required: bool, more: &str, doc: &str| {
        let required = if required { "required" } else { "optional" };
        let _ =
            writeln!(text, "| {name} | {} | {required}{more}; {doc} |", value.describe().replace('|', "\\|"));
    };
    for argument in node.arguments {
        let more = if argument.repeats { ", repeatable" } else { "" };
        row(argument.name, argument.value, argument.required, more, argument.doc);
    }
    for property in node.properties {
        let more = property.default.map(|default| format!(", {default} without it")).unwrap_or_default();
        row(&format!("`{}=`", property.name), property.value, property.required, &more, property.doc);
    }
}

fn retired(text: &mut String) {
    let _ = write!(
        text,
        "\n## Nodes of the retired gvproxy design\n\nThey are errors that say what took their place.\n\n"
    );
    for retired in RETIRED {
        let _ = writeln!(text, "- `{}`: {}", retired.name, retired.instead);
    }
}
