//! XML, written: elements with attributes and text, everything escaped.

use std::fmt::Display;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::text::{break_lines, break_marks, harmless};

/// A document being written. What may not stand in XML 1.0 is shown as something harmless of the same length.
pub(super) struct Document {
    writer: Writer<Vec<u8>>,
    open: Vec<&'static str>,
}

/// An attribute.
pub(super) type Attribute<'a> = (&'static str, &'a dyn Display);

impl Document {
    /// A document with nothing in it.
    pub(super) fn new() -> Self {
        Self { writer: Writer::new_with_indent(Vec::new(), b' ', 2), open: Vec::new() }
    }

    /// One that begins with the declaration that it is XML.
    pub(super) fn declared() -> Self {
        let mut document = Self::new();
        document.write(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        document
    }

    /// Begins an element.
    pub(super) fn open(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.write(Event::Start(element(name, attributes)));
        self.open.push(name);
    }

    /// Ends the element that was begun last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.write(Event::End(BytesEnd::new(name)));
        }
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.write(Event::Empty(element(name, attributes)));
    }

    /// An element with text.
    pub(super) fn text(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.open(name, attributes);
        self.write(Event::Text(BytesText::new(&allowed(text))));
        self.close();
    }

    /// Ends every element and the document, with a line end.
    pub(super) fn end(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        let mut text = self.writer.into_inner();
        text.push(b'\n');
        // Only in text and attributes there is what a log could take for a command.
        let text = String::from_utf8_lossy(&text);
        break_lines(&break_marks(&text, "&#35;"), "&#58;").into_owned()
    }

    fn write(&mut self, event: Event<'_>) {
        // Writing to a `Vec` cannot fail.
        let _ = self.writer.write_event(event);
    }
}

/// Text without what may not stand in XML 1.0, nor drive a terminal.
fn allowed(text: &str) -> String {
    harmless(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn element(name: &'static str, attributes: &[Attribute<'_>]) -> BytesStart<'static> {
    let mut element = BytesStart::new(name);
    for (key, value) in attributes {
        // A line end in an attribute would be read as a blank.
        let value = allowed(&value.to_string()).replace(['\n', '\r', '\t'], " ");
        element.push_attribute((*key, value.as_str()));
    }
    element
}
