//! The canonical layout of a spec, and of any other KDL 2: `bottlec fmt`.
//!
//! Only blanks, line ends, `;` and `\` are changed, and the margin of a multi-line string with its text: every comment,
//! the blank lines that group nodes, and the spelling of every string and number stay. What was written on one line stays
//! on one line while it fits.
//!
//! The layout goes by the tokens, since comments stand between any two of them, in one pass and without recursion.

pub mod changes;
mod flat;
mod lines;
mod same;
mod strings;

use flat::{COLUMNS, Flat, gap};
use lines::Lines;
pub use same::same;

use crate::diagnostic::Diagnostics;
use crate::source::Source;
use crate::syntax::{self, TokenKind, TokenRef, Tree};

/// The columns of a level.
const INDENT: usize = 4;

/// Levels that are indented; what is deeper stands as deep as these, or a small file could become a huge one.
const MAX_INDENTED: usize = 16;

/// Lays a text without a syntax error out anew. One in its canonical layout stays as it is.
///
/// # Errors
///
/// A text whose layout would not be the same document: a mistake of ours, for which no file must be written.
pub fn format(tree: &Tree) -> Result<String, NotTheSame> {
    laid_out(tree).map(|tree| tree.text().to_owned())
}

fn laid_out(tree: &Tree) -> Result<Tree, NotTheSame> {
    let text = Source::new("", Printer::new(tree).print());
    let again = syntax::parse(tree.source(), &text, &mut Diagnostics::new());
    if same(tree, &again) { Ok(again) } else { Err(NotTheSame) }
}

/// Returns the line end of a text's canonical layout.
#[must_use]
pub(crate) fn line_end(tree: &Tree) -> &'static str {
    // The last line end decides, since that is the one that surely stays.
    let last = tree.tokens().filter(|token| token.kind == TokenKind::Newline).last();
    let crlf = last.is_some_and(|it| &tree.text()[it.range.start as usize..it.range.end as usize] == "\r\n");
    if crlf { "\r\n" } else { "\n" }
}

/// The layout of a text would have another meaning than the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its layout would not mean the same, so that it was left alone: that is a mistake of bottlec")]
pub struct NotTheSame;

/// An open block.
#[derive(Clone, Copy)]
struct Block {
    /// Whether it stands on one line.
    flat: bool,
    /// Where the node begins whose block it is.
    node_depth: usize,
}

/// Where the printer stands, as far as it changes what the next token means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a node.
    Between,
    /// Behind a block comment that begins its line, and belongs to the node on it.
    Led,
    /// In a node.
    Node,
    /// In a node, behind `/-`, where line ends mean nothing.
    Slashdashed,
}

/// Writes the tokens of one tree.
struct Printer<'t> {
    text: &'t str,
    tokens: Vec<TokenRef>,
    flat: Flat,
    lines: Lines<'t>,
    at: usize,
    open: Vec<Block>,
    depth: usize,
    /// Whether the blocks of the current node stand on its line.
    node_flat: bool,
    place: Place,
    /// Up to here nothing but comments stands on the line, and nothing but `\` and what it goes over in the node: looked
    /// at once, however many there are.
    comments_to: usize,
    continued: (usize, Option<TokenKind>),
    /// Line ends since the last thing that was written.
    newlines: usize,
    /// The last thing that was written on this line.
    last: Option<TokenKind>,
}

impl<'t> Printer<'t> {
    fn new(tree: &'t Tree) -> Self {
        let text = tree.text();
        let tokens: Vec<TokenRef> = tree.tokens().collect();
        let line_end = line_end(tree);
        Self {
            text,
            flat: Flat::new(text, &tokens),
            tokens,
            lines: Lines::new(text.len(), line_end),
            at: 0,
            open: Vec::new(),
            depth: 0,
            node_flat: false,
            place: Place::Between,
            comments_to: 0,
            continued: (0, None),
            newlines: 0,
            last: None,
        }
    }

    fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn slice(&self, at: usize) -> &'t str {
        let text = self.text;
        self.tokens.get(at).map_or("", |token| &text[token.range.start as usize..token.range.end as usize])
    }

    /// Whether the innermost block stands on one line.
    fn is_flat(&self) -> bool {
        self.open.last().is_some_and(|block| block.flat)
    }

    fn print(mut self) -> String {
        while let Some(kind) = self.kind(self.at) {
            match kind {
                TokenKind::Bom | TokenKind::Space | TokenKind::Disallowed => {}
                TokenKind::Newline => self.newline(),
                TokenKind::LineComment => self.line_comment(),
                TokenKind::BlockComment => self.block_comment(),
                TokenKind::Backslash => self.backslash(),
                TokenKind::Semicolon => self.semicolon(),
                TokenKind::OpenBrace => self.open_brace(),
                TokenKind::CloseBrace => self.close_brace(),
                kind => self.word(kind),
            }
            self.at += 1;
        }
        self.lines.finish()
    }

    /// Begins a line, at the depth of the innermost block.
    fn start_line(&mut self) {
        self.lines.start(self.depth, self.newlines > 1);
        self.newlines = 0;
        self.last = None;
        if self.place == Place::Led {
            self.place = Place::Between;
        }
    }

    /// Writes what belongs to the line, with the blank before it that belongs there.
    fn put(&mut self, kind: TokenKind, text: &str) {
        if let Some(last) = self.last {
            self.lines.push(gap(last, kind));
        }
        self.lines.push(text);
        self.last = Some(kind);
        self.newlines = 0;
    }

    /// Goes on with a node on the next line.
    fn break_line(&mut self) {
        self.lines.break_off(self.depth + 1);
        self.last = None;
    }

    fn newline(&mut self) {
        if self.place == Place::Slashdashed {
            return;
        }
        self.place = Place::Between;
        self.newlines += 1;
    }

    fn line_comment(&mut self) {
        let comment = self.slice(self.at).trim_end();
        if self.place == Place::Slashdashed {
            self.put(TokenKind::LineComment, comment);
            self.break_line();
        } else if self.lines.is_open() && self.newlines == 0 {
            self.lines.comment(comment);
        } else {
            self.start_line();
            self.put(TokenKind::LineComment, comment);
        }
    }

    fn block_comment(&mut self) {
        let comment = self.slice(self.at);
        let on_line = self.lines.is_open() && self.newlines == 0;
        let stays = match self.place {
            Place::Node | Place::Slashdashed => true,
            _ if self.is_flat() => true,
            Place::Led => on_line,
            Place::Between => on_line && self.ends_line(),
        };
        if !stays {
            self.start_line();
            self.place = Place::Led;
        }
        self.put(TokenKind::BlockComment, comment);
    }

    /// Whether nothing but comments is left of the line.
    fn ends_line(&mut self) -> bool {
        if self.at < self.comments_to {
            return true;
        }
        let rest = self.tokens[self.at..].iter().map(|token| token.kind);
        let comments = rest.take_while(|kind| matches!(kind, TokenKind::Space | TokenKind::BlockComment));
        let end = self.at + comments.count();
        let ends = self.kind(end).is_none_or(|it| matches!(it, TokenKind::Newline | TokenKind::LineComment));
        if ends {
            self.comments_to = end;
        }
        ends
    }

    /// `\`: kept where the node goes on below it, and a blank belongs there or a comment stands there.
    fn backslash(&mut self) {
        if self.place != Place::Node {
            return;
        }
        if self.at >= self.continued.0 {
            self.continued = flat::continuation(&self.tokens, self.at);
        }
        let Some(next) = self.continued.1 else { return };
        let to = flat::end_of_line(&self.tokens, self.at);
        let comments = (self.at + 1..to).filter(|at| {
            self.kind(*at).is_some_and(|it| matches!(it, TokenKind::LineComment | TokenKind::BlockComment))
        });
        let comments: Vec<&str> = comments.map(|at| self.slice(at).trim_end()).collect();
        let blank = self.last.is_some_and(|last| !gap(last, next).is_empty());
        if blank || !comments.is_empty() {
            self.lines.push(if self.last.is_some() { " \\" } else { "\\" });
            for comment in comments {
                self.lines.push(" ");
                self.lines.push(comment);
            }
            self.break_line();
        }
        self.at = to;
    }

    fn semicolon(&mut self) {
        self.place = Place::Between;
        if self.is_flat() && flat::next(&self.tokens, self.at) != Some(TokenKind::CloseBrace) {
            self.put(TokenKind::Semicolon, ";");
        }
    }

    fn open_brace(&mut self) {
        self.place = Place::Node;
        let close = self.flat.close_of(self.at);
        if flat::next(&self.tokens, self.at) == Some(TokenKind::CloseBrace) {
            self.put(TokenKind::OpenBrace, "{}");
            self.last = Some(TokenKind::CloseBrace);
            self.at = close;
            return;
        }
        self.put(TokenKind::OpenBrace, "{");
        self.open.push(Block { flat: self.node_flat, node_depth: self.depth });
        self.place = Place::Between;
        if !self.node_flat {
            self.depth += 1;
            self.lines.open_block();
        }
    }

    fn close_brace(&mut self) {
        let Some(block) = self.open.pop() else { return };
        self.depth = block.node_depth;
        if !block.flat {
            self.newlines = 0;
            self.start_line();
        }
        self.put(TokenKind::CloseBrace, "}");
        self.node_flat = block.flat;
        self.place = Place::Node;
    }

    fn word(&mut self, kind: TokenKind) {
        if matches!(self.place, Place::Between | Place::Led) {
            if self.is_flat() {
                self.node_flat = true;
            } else {
                if !(self.place == Place::Led && self.newlines == 0) {
                    self.start_line();
                }
                let indent = INDENT * self.depth.min(MAX_INDENTED);
                self.node_flat = self.flat.fits(&self.tokens, self.at, indent, COLUMNS);
            }
        }
        self.place = if kind == TokenKind::SlashDash { Place::Slashdashed } else { Place::Node };
        match kind {
            TokenKind::MultiLine | TokenKind::RawMultiLine => {
                let margin = " ".repeat(INDENT * (self.depth + 1).min(MAX_INDENTED));
                let text = strings::with_margin(self.slice(self.at), &margin, self.lines.line_end());
                self.put(kind, &text);
            }
            TokenKind::SlashDash if flat::is_version(self.text, &self.tokens, self.at) => {
                // The mark of the language's version is written with a blank.
                self.put(kind, "/- ");
            }
            _ => self.put(kind, self.slice(self.at)),
        }
    }
}
