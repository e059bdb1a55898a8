//! Which places of a name are one thing, where each stands, and which name is found first.

use std::fmt::Write as _;

use lsp_types::request as ask;
use lsp_types::{Position, Range, WorkspaceSymbolResponse};
use proptest::prelude::*;
use serde_json::json;

use super::{behind, edits_of, references, rename};
use crate::support::editor::Editor;

/// What each node sees, itself among it, the slow way.
fn sight(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<bool>> {
    (0..nodes)
        .map(|start| {
            let mut seen = vec![false; nodes];
            let mut open = vec![start];
            while let Some(node) = open.pop() {
                if !std::mem::replace(&mut seen[node], true) {
                    open.extend(edges.iter().filter(|(above, _)| *above == node).map(|edge| edge.1));
                }
            }
            seen
        })
        .collect()
}

/// Profiles that extend each other, with a sidecar `mine` at each of `places` and one `other` at each of `others`; and the
/// lines that those stand on.
fn profiles(
    nodes: usize,
    edges: &[(usize, usize)],
    places: &[usize],
    others: &[usize],
) -> (String, Vec<u32>, Vec<u32>) {
    let mut text = String::new();
    let (mut own, mut theirs) = (vec![0; places.len()], vec![0; others.len()]);
    for node in 0..nodes {
        let _ = writeln!(text, "profile \"p{node}\" {{");
        for (_, below) in edges.iter().filter(|(above, _)| *above == node) {
            let _ = writeln!(text, "    extends \"p{below}\"");
        }
        for (name, at, lines) in [("mine", places, &mut own), ("other", others, &mut theirs)] {
            for (place, _) in at.iter().enumerate().filter(|(_, at)| **at == node) {
                lines[place] = u32::try_from(text.matches('\n').count()).expect("short");
                let _ = writeln!(text, "    sidecar \"{name}\" image=\"x\"");
            }
        }
        text.push_str("}\n");
    }
    (text, own, theirs)
}

proptest! {
    #[test]
    fn places_are_one_when_they_are_seen_together(
        (nodes, edges, places, others) in (1..8_usize).prop_flat_map(|nodes| (
            Just(nodes),
            prop::collection::vec((0..nodes, 0..nodes), 0..12),
            prop::collection::vec(0..nodes, 1..8),
            prop::collection::vec(0..nodes, 0..4),
        ))
    ) {
        let sight = sight(nodes, &edges);
        let together = |a: usize, b: usize| sight.iter().any(|seen| seen[a] && seen[b]);
        let mut slow: Vec<usize> = (0..places.len()).collect();
        for _ in 0..places.len() {
            for a in 0..places.len() {
                for b in 0..places.len() {
                    if together(places[a], places[b]) {
                        slow[b] = slow[b].min(slow[a]);
                    }
                }
            }
        }
        let (text, own, theirs) = profiles(nodes, &edges, &places, &others);
        let mut editor = Editor::new(&[]);
        editor.open("x.kdl", &text);
        for a in 0..places.len() {
            let at = Position::new(own[a], 14);
            let class: Vec<usize> = (0..places.len()).filter(|b| slow[a] == slow[*b]).collect();
            let mut expected: Vec<u32> = class.iter().map(|b| own[*b]).collect();
            expected.sort_unstable();
            let found = references(&mut editor, "x.kdl", at, true);
            let found: Vec<u32> = found.iter().map(|it| it.range.start.line).collect();
            prop_assert_eq!(&found, &expected, "{}", text);
            // The first, in the order of the text, that some profile sees together with any of them.
            let met = others.iter().zip(&theirs).filter(|(other, _)| class.iter().any(|b| together(places[*b], **other)));
            let first = met.map(|(_, line)| line + 1).min();
            match (rename(&mut editor, "x.kdl", at, "other"), first) {
                (Ok(edit), None) => prop_assert_eq!(edits_of(&edit)["x.kdl"].len(), class.len(), "{}", text),
                (Err(message), Some(line)) => {
                    prop_assert_eq!(message, format!("there is a sidecar `other` already, in `x.kdl` on line {line}"));
                }
                (result, first) => prop_assert!(false, "{result:?}, not {first:?}: {text}"),
            }
        }
    }
}

#[test]
fn the_text_of_a_string_is_found_in_it() {
    for (written, range) in [
        ("db", Some(0..2)),
        ("\"db\"", Some(1..3)),
        ("#\"db\"#", Some(2..4)),
        ("##\"d\"b\"##", Some(3..6)),
        ("\"\"", Some(1..1)),
        ("\"d\\u{62}\"", None),
        ("\"\"\"\n    db\n    \"\"\"", None),
        ("\"db", None),
        ("é", Some(0..1)),
    ] {
        let text = format!("profile {written}");
        let mut editor = Editor::new(&[]);
        editor.open("x.kdl", &text);
        let start = behind(&text, "profile ", 0);
        let found = references(&mut editor, "x.kdl", start, true);
        let expected = match range {
            Some(range) => Range::new(
                Position::new(0, start.character + range.start),
                Position::new(0, start.character + range.end),
            ),
            // Written otherwise than it reads: all of it.
            None => Range::new(start, behind(&text, written, 0)),
        };
        assert_eq!(found.iter().map(|it| it.range).collect::<Vec<_>>(), [expected], "{written}");
    }
}

#[test]
fn the_best_match_comes_first() {
    let text: String = ["dad-bob", "adb", "x-db", "dbx", "DB", "d-b", "bd", ""]
        .iter()
        .fold(String::new(), |text, name| text + &format!("profile \"{name}\" {{}}\n"));
    let mut editor = Editor::new(&[("x.kdl", &text)]);
    let mut found = |query: &str| -> Vec<String> {
        let params = serde_json::from_value(json!({"query": query})).expect("parameters");
        let found = editor.ask::<ask::WorkspaceSymbolRequest>(params).expect("symbols");
        let WorkspaceSymbolResponse::Flat(found) = found else { panic!("{found:?}") };
        found.into_iter().map(|it| it.name).collect()
    };
    assert_eq!(found("db"), ["DB", "dbx", "x-db", "adb", "d-b", "dad-bob"]);
    // One without a name is shown as `?`.
    assert_eq!(found("")[0], "?");
}
