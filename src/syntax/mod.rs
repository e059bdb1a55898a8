//! KDL 2, read by our own front end: a lexer, a lossless tree, and a parser that goes on after a mistake.
//!
//! [`parse`] always yields a [`Tree`], takes time and memory linear in the text whatever its bytes, recurses nowhere,
//! and says one thing about one mistake. Where the text is KDL 2, the tree is what the `kdl` crate reads.

mod chars;
mod kdl_v1;
mod lexer;
mod number;
mod parser;
mod problems;
mod recovery;
mod string;
mod token;
mod tree;
mod write;

use std::borrow::Cow;
use std::sync::Arc;

pub use token::{TokenKind, TokenRef};
pub use tree::{AllNodes, Entry, Node, Nodes, Tree, Value};
pub use write::{is_bare_word, quoted_string};

use crate::diagnostic::Diagnostics;
use crate::rule::catalogue;
use crate::source::{MAX_SOURCE_BYTES, Source, SourceId, Sources};
use problems::Problems;

/// How deep blocks and block comments may nest.
pub const MAX_DEPTH: usize = 1024;

/// Reads `source` as KDL 2. The tree holds whatever could be made out; what could not is reported.
pub fn parse(id: SourceId, source: &Source, diagnostics: &mut Diagnostics) -> Tree {
    let text = source.text();
    let mut problems = Problems::new(id, diagnostics.room());
    if let Some(bytes) = source.too_large() {
        problems.report(&catalogue::SOURCE_TOO_LARGE, 0..0, |d| {
            d.message(format!(
                "the file has {bytes} bytes; at most {MAX_SOURCE_BYTES} ({} MiB) are read",
                MAX_SOURCE_BYTES >> 20
            ))
            .help("a spec is a few kilobytes: is this the right file?")
        });
    }
    let Some(invalid) = source.invalid_utf8().first() else {
        let tree = parser::parse(id, Arc::clone(text), &mut problems);
        problems.finish(diagnostics);
        return tree;
    };
    // Whatever else seems wrong in such a text may follow from it, so that this is the only word about it.
    let bytes = source.bytes();
    let utf16 = looks_like_utf16(bytes);
    let at = invalid.start;
    problems.report(&catalogue::INVALID_UTF8, invalid.clone(), |d| {
        let byte = bytes.get(at as usize).copied().unwrap_or_default();
        let d = d
            .message(format!("the file is not UTF-8: byte 0x{byte:02x} at offset {at}"))
            .label("not UTF-8 from here");
        if utf16 {
            d.help("the file looks like UTF-16: save it as UTF-8")
        } else {
            d.help("save the file as UTF-8")
        }
    });
    problems.finish(diagnostics);
    let shown = if utf16 { Arc::from("") } else { Arc::clone(text) };
    let mut tree = parser::parse(id, shown, &mut Problems::new(id, 0));
    if utf16 {
        tree.keep_text(Arc::clone(text));
    }
    tree
}

/// Sources, and the tree of each: one that is there, or else made for who asks.
pub trait Trees {
    /// The sources.
    fn sources(&self) -> &Sources;

    /// The tree of a source.
    fn tree_of(&self, id: SourceId) -> Cow<'_, Tree>;
}

/// Sources whose trees are not kept, such as those of a hundred compiles that one report is about.
impl Trees for Sources {
    fn sources(&self) -> &Sources {
        self
    }

    fn tree_of(&self, id: SourceId) -> Cow<'_, Tree> {
        // What is wrong with it was said when it was compiled.
        Cow::Owned(parse(id, self.get(id), &mut Diagnostics::new()))
    }
}

/// Whether `bytes` begin with UTF-16's byte order mark or have a NUL in about every other place.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(1024)];
    bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || memchr::memchr_iter(0, sample).count() * 3 > sample.len()
}
