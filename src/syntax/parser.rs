//! The parser: one loop and a stack of open blocks; no token is looked at more than a few times.

mod block;
mod entry;
mod words;

use std::ops::Range;
use std::sync::Arc;

use super::kdl_v1::V1;
use super::lexer::{self, at32};
use super::problems::{Builder, DiagnosticExt as _, Problems};
use super::recovery::{self, Plan};
use super::string::Strings;
use super::token::{Token, TokenKind};
use super::tree::{BROKEN, COMMENTED, NONE, NodeData, Text, TextKind, Tree};
use crate::diagnostic::{Applicability, Diagnostic};
use crate::rule::{Rule, catalogue};
use crate::source::SourceId;

pub(super) fn parse(source: SourceId, text: Arc<str>, problems: &mut Problems) -> Tree {
    let lexed = lexer::lex(&text, problems);
    let plan = if lexed.balanced { Plan::default() } else { recovery::plan(&text, &lexed.tokens, problems) };
    let mut parser = Parser {
        text: &text,
        tokens: &lexed.tokens,
        quiet_lines: &lexed.quiet,
        at: 0,
        plan,
        next_close: 0,
        next_stray: 0,
        next_quiet: 0,
        quiet: false,
        last_end: 0,
        open: Vec::new(),
        last_top: NONE,
        too_deep: false,
        strings: Strings { text: &text, decoded: String::new(), v1: V1::default() },
        problems,
        nodes: Vec::with_capacity(lexed.tokens.len() / 8),
        entries: Vec::with_capacity(lexed.tokens.len() / 6),
        texts: Vec::with_capacity(lexed.tokens.len() / 32),
        stored: Vec::new(),
    };
    parser.version();
    parser.document();
    let Parser { strings, nodes, entries, texts, stored, problems, .. } = parser;
    let Strings { decoded, v1, .. } = strings;
    v1.report(&lexed.runs_over, &text, problems);
    let tokens = lexed.tokens;
    Tree { source, tokens, nodes, entries, texts, strings: stored, decoded, text }
}

impl Tree {
    /// Makes it the tree of a text of which nothing could be read.
    pub(super) fn keep_text(&mut self, text: Arc<str>) {
        let end = Token { start: at32(text.len()), kind: TokenKind::Eof, flags: 0 };
        let all = Token { start: 0, kind: TokenKind::Disallowed, flags: 0 };
        self.tokens = if text.is_empty() { vec![end] } else { vec![all, end] };
        self.text = text;
    }
}

/// How far a node has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Entries,
    /// Behind a block that is commented out.
    CommentedBlock,
    /// Behind its block.
    Block,
}

/// An open block.
struct Frame {
    /// The node that it belongs to.
    node: u32,
    last_entry: u32,
    /// How far the node has come when the block ends.
    stage: Stage,
    /// `/-` comments the block out.
    commented: bool,
    /// The last node in it so far.
    last_child: u32,
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    quiet_lines: &'a [Range<u32>],
    at: usize,
    plan: Plan,
    next_close: usize,
    next_stray: usize,
    next_quiet: usize,
    /// Something was said about this line: what else seems wrong in it follows from that.
    quiet: bool,
    /// Where the last token ends that belongs to a node.
    last_end: u32,
    open: Vec<Frame>,
    last_top: u32,
    too_deep: bool,
    strings: Strings<'a>,
    problems: &'a mut Problems,
    nodes: Vec<NodeData>,
    entries: Vec<super::tree::EntryData>,
    texts: Vec<Text>,
    stored: Vec<super::tree::StringRef>,
}

impl Parser<'_> {
    fn kind(&self, at: usize) -> TokenKind {
        self.tokens.get(at).map_or(TokenKind::Eof, |token| token.kind)
    }

    fn start(&self, at: usize) -> u32 {
        self.tokens.get(at).map_or_else(|| at32(self.text.len()), |token| token.start)
    }

    fn range(&self, at: usize) -> Range<u32> {
        self.start(at)..self.start(at + 1)
    }

    fn slice(&self, range: Range<u32>) -> &str {
        &self.text[range.start as usize..range.end as usize]
    }

    /// Reports `rule` unless something was said about this line already, and says so about the rest of it.
    fn report_once(
        &mut self,
        rule: &'static Rule,
        range: Range<u32>,
        build: impl FnOnce(Builder) -> Diagnostic,
    ) {
        self.break_node();
        if !self.is_quiet(range.start) {
            self.problems.report(rule, range, build);
        }
        self.quiet = true;
    }

    /// Reports `rule`, which does not make the rest of the line doubtful, unless the line is.
    fn report(&mut self, rule: &'static Rule, range: Range<u32>, build: impl FnOnce(Builder) -> Diagnostic) {
        if !self.is_quiet(range.start) {
            self.problems.report(rule, range, build);
        }
    }

    fn is_quiet(&mut self, place: u32) -> bool {
        // Places come in order, but for a few steps back on one line.
        while self.quiet_lines.get(self.next_quiet).is_some_and(|line| line.end < place) {
            self.next_quiet += 1;
        }
        self.quiet || self.quiet_lines.get(self.next_quiet).is_some_and(|line| line.contains(&place))
    }

    /// Marks the node that is being read as one with something missing.
    fn break_node(&mut self) {
        if let Some(node) = self.nodes.last_mut() {
            node.flags |= BROKEN;
        }
    }

    /// `/- kdl-version 1` at the start.
    fn version(&mut self) {
        let mut words = self
            .tokens
            .iter()
            .enumerate()
            .take(8)
            .filter(|(_, token)| !matches!(token.kind, TokenKind::Space | TokenKind::Bom));
        let mut next = || words.next().map_or((0, TokenKind::Eof), |(at, token)| (at, token.kind));
        let (_, slashdash) = next();
        let (name, name_kind) = next();
        let (number, number_kind) = next();
        let (_, end) = next();
        if (slashdash, name_kind, number_kind) == (TokenKind::SlashDash, TokenKind::Word, TokenKind::Number)
            && matches!(end, TokenKind::Newline | TokenKind::Eof)
            && self.slice(self.range(name)) == "kdl-version"
            && self.slice(self.range(number)) == "1"
        {
            self.strings.v1.version(self.range(number));
        }
    }

    /// Everything outside of a node's head.
    fn document(&mut self) {
        loop {
            self.close_planned();
            match self.kind(self.at) {
                TokenKind::Newline => {
                    self.quiet = false;
                    self.at += 1;
                }
                TokenKind::Eof => break,
                TokenKind::Backslash => {
                    let end = self.skip_node_space(self.at);
                    if end == self.at {
                        self.node(false);
                    } else {
                        self.at = end;
                    }
                }
                kind if kind.is_trivia() => self.at += 1,
                TokenKind::CloseBrace => {
                    if self.plan.strays.get(self.next_stray) == Some(&self.at) {
                        self.next_stray += 1;
                        self.at += 1;
                    } else {
                        self.at += 1;
                        self.last_end = self.start(self.at);
                        self.close();
                    }
                }
                TokenKind::Semicolon => {
                    let range = self.range(self.at);
                    if !self.quiet {
                        self.report(&catalogue::SYNTAX_ERROR, range.clone(), |d| {
                            d.message("a `;` ends no node")
                                .label("expected a node before it")
                                .help("remove it")
                                .swap("remove it", Applicability::Safe, range, "")
                        });
                        self.quiet = true;
                    }
                    self.at += 1;
                }
                TokenKind::OpenBrace => self.block_without_node(),
                TokenKind::SlashDash => {
                    let slashdash = self.at;
                    self.at = self.skip_line_space(self.at + 1);
                    match self.kind(self.at) {
                        TokenKind::Eof
                        | TokenKind::CloseBrace
                        | TokenKind::Semicolon
                        | TokenKind::SlashDash => {
                            self.nothing_commented(slashdash);
                        }
                        _ => self.node(true),
                    }
                }
                _ => self.node(false),
            }
        }
        while !self.open.is_empty() {
            self.end_block();
        }
    }

    fn nothing_commented(&mut self, slashdash: usize) {
        let range = self.range(slashdash);
        self.report_once(&catalogue::SYNTAX_ERROR, range.clone(), |d| {
            d.message("`/-` comments nothing out")
                .label("expected a node, an entry or a block behind it")
                .help("`/-` comments out what follows it; for a comment in words write `//`")
                .swap("remove it", Applicability::Unsafe, range, "")
        });
    }

    fn push_node(&mut self, name: Text, ty: u32, start: u32, commented: bool) -> u32 {
        let index = at32(self.nodes.len());
        let in_commented = if let Some(frame) = self.open.last_mut() {
            frame.last_child = index;
            frame.commented
        } else {
            self.last_top = index;
            false
        };
        self.nodes.push(NodeData {
            name,
            ty,
            start,
            head_end: name.end,
            end: name.end,
            block_start: NONE,
            block_end: NONE,
            first_entry: NONE,
            next: index + 1,
            flags: if commented || in_commented { COMMENTED } else { 0 },
        });
        index
    }

    /// Where the blanks, comments and continued lines from `at` on end. A `\` that continues nothing is none of them.
    fn skip_node_space(&self, mut at: usize) -> usize {
        loop {
            match self.kind(at) {
                TokenKind::Space | TokenKind::BlockComment | TokenKind::Disallowed => at += 1,
                TokenKind::Backslash => match self.continued_line(at) {
                    Some(next) => at = next,
                    None => return at,
                },
                _ => return at,
            }
        }
    }

    /// Where the line begins that the `\` at `at` continues; `None` when something else follows it.
    fn continued_line(&self, at: usize) -> Option<usize> {
        let mut next = at + 1;
        while matches!(self.kind(next), TokenKind::Space | TokenKind::BlockComment | TokenKind::Disallowed) {
            next += 1;
        }
        if self.kind(next) == TokenKind::LineComment {
            next += 1;
        }
        match self.kind(next) {
            TokenKind::Newline => Some(next + 1),
            TokenKind::Eof => Some(next),
            _ => None,
        }
    }

    /// Where blanks, comments and line ends from `at` on end.
    fn skip_line_space(&self, mut at: usize) -> usize {
        loop {
            match self.kind(at) {
                TokenKind::Newline | TokenKind::LineComment => at += 1,
                _ => match self.skip_node_space(at) {
                    end if end == at => return at,
                    end => at = end,
                },
            }
        }
    }

    /// A node, from its type or name on.
    fn node(&mut self, commented: bool) {
        let start = self.start(self.at);
        self.quiet = false;
        let mut ty = NONE;
        if self.kind(self.at) == TokenKind::OpenParen {
            ty = self.type_annotation();
            self.at = self.skip_node_space(self.at);
        }
        let name = self.node_name(start);
        let node = self.push_node(name, ty, start, commented);
        if self.quiet {
            self.nodes[node as usize].flags |= BROKEN;
        }
        self.last_end = self.last_end.max(name.end);
        self.rest_of_node(node, NONE, Stage::Entries);
    }

    fn node_name(&mut self, start: u32) -> Text {
        if let Some(name) = self.word(Role::Name) {
            return name;
        }
        let kind = self.kind(self.at);
        let range = self.range(self.at);
        let empty = Text { start: range.start, end: range.start, kind: TextKind::Bare };
        match kind {
            TokenKind::Number | TokenKind::Keyword | TokenKind::UnknownKeyword => {
                let text = self.slice(range.clone()).to_owned();
                self.must_be_string(range.clone(), &text, "the name of a node");
                self.at += 1;
                Text { start: range.start, end: range.end, kind: TextKind::Bare }
            }
            TokenKind::Newline
            | TokenKind::LineComment
            | TokenKind::Eof
            | TokenKind::Semicolon
            | TokenKind::CloseBrace
            | TokenKind::OpenBrace => {
                let range = start..self.last_significant_end(start);
                self.report_once(&catalogue::SYNTAX_ERROR, range, |d| {
                    d.message("a type must be followed by the name of a node")
                        .label("expected a node's name behind this type")
                });
                empty
            }
            _ => {
                self.unexpected("the name of a node");
                self.at += 1;
                empty
            }
        }
    }

    /// The end of what stands before the cursor without blanks, at least one byte behind `start`.
    fn last_significant_end(&self, start: u32) -> u32 {
        let mut at = self.at;
        while at > 0 && self.kind(at - 1).is_trivia() {
            at -= 1;
        }
        self.start(at).max(start + 1).min(at32(self.text.len()))
    }

    /// Entries and blocks up to the node's end.
    fn rest_of_node(&mut self, node: u32, mut last_entry: u32, mut stage: Stage) {
        let mut spaced = false;
        // The end of a block is the end of a blank.
        let mut after_block = stage != Stage::Entries;
        loop {
            match self.kind(self.at) {
                TokenKind::Space | TokenKind::BlockComment | TokenKind::Disallowed => {
                    spaced = true;
                    self.at += 1;
                }
                TokenKind::Newline | TokenKind::LineComment | TokenKind::Eof | TokenKind::CloseBrace => break,
                TokenKind::Semicolon => {
                    self.at += 1;
                    break;
                }
                TokenKind::OpenBrace => {
                    if stage == Stage::Block {
                        self.second_block(node);
                    }
                    self.open_block(node, last_entry, stage, false);
                    return;
                }
                TokenKind::SlashDash => {
                    let slashdash = self.at;
                    self.at = self.skip_line_space(self.at + 1);
                    match self.kind(self.at) {
                        TokenKind::OpenBrace => {
                            self.open_block(node, last_entry, stage, true);
                            return;
                        }
                        TokenKind::Eof
                        | TokenKind::CloseBrace
                        | TokenKind::Semicolon
                        | TokenKind::SlashDash => {
                            self.nothing_commented(slashdash);
                        }
                        _ => {
                            if stage != Stage::Entries {
                                self.late_entry(slashdash, stage);
                            }
                            last_entry = self.entry(node, last_entry, true);
                            after_block = false;
                        }
                    }
                    spaced = false;
                }
                TokenKind::Backslash if self.continued_line(self.at).is_some() => {
                    spaced = true;
                    self.at = self.skip_node_space(self.at);
                }
                TokenKind::Equals if last_entry == NONE && self.is_assignment() => {
                    self.assignment(node);
                    spaced = true;
                }
                _ => {
                    if stage != Stage::Entries {
                        if stage == Stage::Block && self.begins_node() {
                            self.missing_line_end();
                            self.finish_node(node);
                            return;
                        }
                        self.late_entry(self.at, stage);
                        stage = Stage::Entries;
                    } else if !spaced && !after_block {
                        self.missing_blank();
                    }
                    last_entry = self.entry(node, last_entry, false);
                    spaced = false;
                    after_block = false;
                }
            }
        }
        self.finish_node(node);
    }

    fn finish_node(&mut self, node: u32) {
        self.nodes[node as usize].next = at32(self.nodes.len());
    }
}

/// What a string is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Name,
    Type,
    /// A key or an argument.
    Entry,
    /// A property's value.
    Value,
}
