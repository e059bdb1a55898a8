//! Blocks, and the diagnostics about their braces.

use super::{Frame, Parser, Stage};
use crate::diagnostic::Applicability;
use crate::rule::catalogue;
use crate::syntax::MAX_DEPTH;
use crate::syntax::problems::DiagnosticExt as _;
use crate::syntax::token::TokenKind;
use crate::syntax::tree::{BROKEN, NONE, Text, TextKind};

impl Parser<'_> {
    /// Ends the blocks that the plan ends here.
    pub(super) fn close_planned(&mut self) {
        while let Some(&(before, count)) = self.plan.closes.get(self.next_close) {
            if before > self.at || before == self.tokens.len() - 1 {
                return;
            }
            self.next_close += 1;
            for _ in 0..count {
                self.end_block();
            }
        }
    }

    /// Ends the innermost block, which has no `}`, and its node with it.
    pub(super) fn end_block(&mut self) {
        if let Some(frame) = self.open.pop() {
            self.end_of_block(&frame);
            self.finish_node(frame.node);
        }
    }

    /// `{` where a node should begin.
    pub(super) fn block_without_node(&mut self) {
        let brace = self.range(self.at);
        let previous = self.open.last().map_or(self.last_top, |frame| frame.last_child);
        let before =
            self.nodes.get(previous as usize).filter(|node| node.block_start == NONE && node.name.end > 0);
        if let Some(head_end) = before.map(|node| node.end) {
            // A brace on a line of its own below its node.
            let between = self.slice(head_end..brace.start);
            let blank = between.trim().is_empty();
            self.report_once(&catalogue::SYNTAX_ERROR, brace.clone(), |d| {
                let d = d
                    .message("a block must begin on the line of its node")
                    .label("the node ended with its line, so that this `{` has none")
                    .also(head_end..head_end, "expected the `{` here")
                    .help("write the `{` behind the node, or end the node's line with ` \\`");
                if blank {
                    d.swap("move the `{` up", Applicability::Safe, head_end..brace.start, " ")
                } else {
                    d
                }
            });
            let last_entry = NONE;
            self.open_block(previous, last_entry, Stage::Entries, false);
            return;
        }
        let nested = self.nodes.last().is_some_and(|node| {
            node.name.start == node.name.end && node.block_start.checked_add(1) == Some(brace.start)
        });
        if nested {
            self.quiet = true;
        }
        self.report_once(&catalogue::SYNTAX_ERROR, brace.clone(), |d| {
            d.message("a block must follow a node")
                .label("expected the name of a node before this `{`")
                .help("name the node that the block belongs to, or remove the braces")
        });
        let place = Text { start: brace.start, end: brace.start, kind: TextKind::Bare };
        let node = self.push_node(place, NONE, brace.start, false);
        self.nodes[node as usize].flags |= BROKEN;
        self.open_block(node, NONE, Stage::Entries, false);
    }

    /// Takes the `{` at the cursor as the beginning of a block of `node`.
    pub(super) fn open_block(&mut self, node: u32, last_entry: u32, stage: Stage, commented: bool) {
        let start = self.start(self.at);
        self.at += 1;
        self.last_end = start + 1;
        self.quiet = false;
        if !commented {
            let data = &mut self.nodes[node as usize];
            if data.block_start == NONE {
                data.block_start = start;
                data.block_end = start + 1;
            }
        }
        let stage = stage.max(if commented { Stage::CommentedBlock } else { Stage::Block });
        let frame = Frame { node, last_entry, stage, commented, last_child: NONE };
        if self.open.len() < MAX_DEPTH {
            self.open.push(frame);
            return;
        }
        if !self.too_deep {
            self.too_deep = true;
            self.problems.report(&catalogue::NESTING_TOO_DEEP, start..start + 1, |d| {
                d.message(format!("blocks are nested more than {MAX_DEPTH} deep"))
                    .label("this block is too deep")
                    .help("what stands in it was not read")
            });
        }
        self.skip_block();
        self.closed(&frame);
    }

    /// Skips the rest of a block that is too deep, by its braces.
    pub(super) fn skip_block(&mut self) {
        let mut depth = 1_u32;
        while depth > 0 && self.kind(self.at) != TokenKind::Eof {
            while let Some(&(before, count)) = self.plan.closes.get(self.next_close) {
                if before > self.at || depth == 0 {
                    break;
                }
                let taken = count.min(depth);
                depth -= taken;
                if taken == count {
                    self.next_close += 1;
                } else {
                    self.plan.closes[self.next_close].1 -= taken;
                }
            }
            if depth == 0 {
                return;
            }
            match self.kind(self.at) {
                TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseBrace if self.plan.strays.get(self.next_stray) == Some(&self.at) => {
                    self.next_stray += 1;
                }
                TokenKind::CloseBrace => depth -= 1,
                _ => {}
            }
            self.at += 1;
            self.last_end = self.start(self.at);
        }
    }

    /// Ends the innermost block and goes on with its node.
    pub(super) fn close(&mut self) {
        if let Some(frame) = self.open.pop() {
            self.closed(&frame);
        }
    }

    pub(super) fn closed(&mut self, frame: &Frame) {
        self.end_of_block(frame);
        self.rest_of_node(frame.node, frame.last_entry, frame.stage);
    }

    pub(super) fn end_of_block(&mut self, frame: &Frame) {
        let end = self.last_end;
        let data = &mut self.nodes[frame.node as usize];
        data.end = end;
        if !frame.commented {
            data.block_end = end;
        }
        self.quiet = false;
    }

    pub(super) fn second_block(&mut self, node: u32) {
        let range = self.range(self.at);
        let data = &self.nodes[node as usize];
        let first = data.block_start..data.block_start + 1;
        self.report_once(&catalogue::SYNTAX_ERROR, range, |d| {
            d.message("a node has a second block")
                .label("expected a line end before another node")
                .also(first, "its block")
                .help("put all children into one block, or begin a new node on a new line")
        });
    }
}
