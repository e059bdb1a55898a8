//! Unified diffs of two texts of a file, in time that grows with their lengths.
//!
//! A shortest difference takes quadratic time where little is the same. So a long text is cut at the lines that both
//! texts have once, and what lies between those into blocks: there the patch may be longer than need be, and is as good.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use bottlec::report::redact;
use bottlec::text::harmless;
use similar::{Algorithm, DiffOp, capture_diff, group_diff_ops};

/// How many lines, of both texts together, are compared as a whole.
const TOGETHER: usize = 2048;
/// How many are compared at a time where there are more.
const BLOCK: usize = 256;

/// The lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// The unified diff of two texts of a file, without the credentials in them.
pub(super) fn unified(name: &str, old: &str, new: &str) -> String {
    let (old, new) = (redact::file(old), redact::file(new));
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let mut text = format!("--- {name}\n+++ {name}\n");
    for hunk in group_diff_ops(differences(&old, &new), CONTEXT) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let of_old = first.old_range().start..last.old_range().end;
        let of_new = first.new_range().start..last.new_range().end;
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "@@ -{} +{} @@", place(&of_old), place(&of_new));
        for op in &hunk {
            if let DiffOp::Equal { .. } = op {
                write(&mut text, ' ', &old[op.old_range()]);
            } else {
                write(&mut text, '-', &old[op.old_range()]);
                write(&mut text, '+', &new[op.new_range()]);
            }
        }
    }
    harmless(&text).into_owned()
}

/// The lines of a hunk: the first, from 1, and how many, unless it is one.
fn place(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        many => format!("{},{many}", lines.start + 1),
    }
}

fn write(text: &mut String, mark: char, lines: &[&str]) {
    for line in lines {
        text.push(mark);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// What becomes of the old lines, in order.
fn differences(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut found = Differences { old, new, ops: Vec::new() };
    if old.len() + new.len() <= TOGETHER {
        found.compare(0..old.len(), 0..new.len());
        return found.ops;
    }
    let (mut old_at, mut new_at) = (0, 0);
    for (of_old, of_new) in anchors(old, new).into_iter().chain([(old.len(), new.len())]) {
        found.cut(old_at..of_old, new_at..of_new);
        if of_old < old.len() {
            found.push(DiffOp::Equal { old_index: of_old, new_index: of_new, len: 1 });
        }
        (old_at, new_at) = (of_old + 1, of_new + 1);
    }
    found.ops
}

struct Differences<'a> {
    old: &'a [&'a str],
    new: &'a [&'a str],
    ops: Vec<DiffOp>,
}

impl Differences<'_> {
    /// Compares so many lines at a time: the blocks of both texts have the same part of the whole.
    fn cut(&mut self, old: Range<usize>, new: Range<usize>) {
        let blocks = (old.len() + new.len()).div_ceil(BLOCK);
        let part = |of: &Range<usize>, n: usize| of.start + of.len() * n / blocks;
        for n in 0..blocks {
            self.compare(part(&old, n)..part(&old, n + 1), part(&new, n)..part(&new, n + 1));
        }
    }

    fn compare(&mut self, old: Range<usize>, new: Range<usize>) {
        for op in capture_diff(Algorithm::Myers, self.old, old, self.new, new) {
            self.push(op);
        }
    }

    /// Adds what follows; lines that stay are one piece, wherever the texts were cut.
    fn push(&mut self, op: DiffOp) {
        if let (Some(DiffOp::Equal { len: before, .. }), DiffOp::Equal { len, .. }) =
            (self.ops.last_mut(), op)
        {
            *before += len;
        } else {
            self.ops.push(op);
        }
    }
}

/// The lines that each text has once, as many of them as are in the same order in both.
fn anchors(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    fn once<'a>(lines: &[&'a str]) -> HashMap<&'a str, Option<usize>> {
        let mut found = HashMap::new();
        for (at, line) in lines.iter().enumerate() {
            found.entry(*line).and_modify(|place| *place = None).or_insert(Some(at));
        }
        found
    }
    let (of_old, of_new) = (once(old), once(new));
    let common = old.iter().filter_map(|line| Some(((*of_old.get(line)?)?, (*of_new.get(line)?)?)));
    let common: Vec<(usize, usize)> = common.collect();
    // The longest increasing sequence: of each length the one whose last line comes first, and what was before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::new();
    for (n, (_, at)) in common.iter().enumerate() {
        let length = ends.partition_point(|end| common[*end].1 < *at);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        ends.truncate(ends.len().max(length));
        if length == ends.len() { ends.push(n) } else { ends[length] = n }
    }
    let mut chain: Vec<(usize, usize)> = Vec::new();
    let mut next = ends.last().copied();
    while let Some(n) = next {
        chain.push(common[n]);
        next = before[n];
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `patch` would make of the old text.
    fn applied(old: &str, patch: &str) -> String {
        let old: Vec<&str> = old.split_inclusive('\n').collect();
        let (mut new, mut at) = (String::new(), 0);
        let mut lines = patch.split_inclusive('\n').skip(2).peekable();
        while let Some(line) = lines.next() {
            if let Some(head) = line.strip_prefix("@@ -") {
                let (start, count) = head
                    .split(' ')
                    .next()
                    .and_then(|old| old.split_once(','))
                    .unwrap_or((head.split(' ').next().unwrap(), "1"));
                let start = start.parse::<usize>().unwrap() - usize::from(count != "0");
                new.extend(old[at..start].iter().copied());
                at = start;
                continue;
            }
            let ends = lines.next_if(|next| next.starts_with('\\')).is_some();
            let content = if ends { line[1..].trim_end_matches('\n') } else { &line[1..] };
            if !line.starts_with('+') {
                assert_eq!(old[at], content);
                at += 1;
            }
            if !line.starts_with('-') {
                new.push_str(content);
            }
        }
        new.extend(old[at..].iter().copied());
        new
    }

    fn numbered(lines: impl IntoIterator<Item = usize>, each: impl Fn(usize) -> String) -> String {
        lines.into_iter().map(each).collect()
    }

    #[test]
    fn a_patch_makes_the_new_text_of_the_old_one() {
        let plain = |n: usize| format!("line {n}\n");
        let texts = [
            String::new(),
            "a\nb\nc\n".to_owned(),
            "a\nb\nc".to_owned(),
            numbered(0..1_200, plain),
            numbered((0..1_200).rev(), plain),
            numbered((0..500).chain(9_000..9_100).chain(500..1_200), plain),
            numbered(0..1_200, |n| format!("line {}\n", if n % 7 == 0 { n + 100_000 } else { n })),
            numbered(0..1_200, |n| if n % 3 == 0 { "}\n".to_owned() } else { format!("  line {n}\n") }),
            numbered(0..1_200, |_| "}\n".to_owned()),
            numbered(0..1_100, |_| "}\n".to_owned()) + "last",
        ];
        for old in &texts {
            for new in &texts {
                assert_eq!(applied(old, &unified("x", old, new)), *new);
            }
        }
    }

    #[test]
    fn a_small_change_of_a_long_text_is_a_small_patch() {
        let old = numbered(0..20_000, |n| format!("line {n}\n"));
        let new = old.replace("line 100\n", "one\n").replace("line 19000\n", "two\nthree\n");
        let patch = unified("x", &old, &new);
        assert_eq!(patch.lines().count(), 2 + 2 * 7 + 2 + 3, "{patch}");
    }
}
