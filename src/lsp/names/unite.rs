//! Union of the occurrences that some spec sees together, in time linear in the files or layers.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::unionfind::UnionFind;

/// Nothing.
const NONE: usize = usize::MAX;

/// Files, or layers, and what lies below each: what it sees.
#[derive(Debug)]
pub(super) struct Below {
    /// The group of each node. Nodes that lie below each other are one group.
    group_of: Vec<usize>,
    /// The groups right below each group, which all have a smaller number.
    below: Vec<Vec<usize>>,
}

impl Below {
    /// Builds the order of `nodes` nodes, where `(a, b)` says that `b` lies below `a`.
    pub(super) fn new(nodes: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(nodes, nodes);
        for _ in 0..nodes {
            graph.add_node(());
        }
        for (above, below) in edges {
            graph.add_edge(NodeIndex::new(above), NodeIndex::new(below), ());
        }
        // Not Tarjan's, which recurses. What lies below comes first.
        let groups = kosaraju_scc(&graph);
        let mut group_of = vec![0; nodes];
        for (group, members) in groups.iter().enumerate() {
            for node in members {
                group_of[node.index()] = group;
            }
        }
        let below = groups.iter().enumerate().map(|(group, members)| {
            let neighbours = members.iter().flat_map(|node| graph.neighbors(*node));
            let mut below: Vec<usize> =
                neighbours.map(|node| group_of[node.index()]).filter(|it| *it != group).collect();
            below.sort_unstable();
            below.dedup();
            below
        });
        let below = below.collect();
        Self { group_of, below }
    }

    /// Equal numbers for places that some node sees together, by the node that each place is at. Being seen together goes
    /// on from place to place.
    #[must_use]
    pub(super) fn classes(&self, places: &[usize]) -> Vec<usize> {
        let mut classes = UnionFind::new(places.len());
        // All that a group sees is one class: any place of it stands for it.
        let mut seen = vec![NONE; self.below.len()];
        for (place, node) in places.iter().enumerate() {
            see(&mut seen[self.group_of[*node]], place, &mut classes);
        }
        for (group, below) in self.below.iter().enumerate() {
            for lower in below {
                let place = seen[*lower];
                if place != NONE {
                    see(&mut seen[group], place, &mut classes);
                }
            }
        }
        classes.into_labeling()
    }

    /// The first of `theirs` that some node sees together with any of `own`.
    #[must_use]
    pub(super) fn meeting(&self, own: &[usize], theirs: &[usize]) -> Option<usize> {
        let mut sees_own = vec![false; self.below.len()];
        let mut sees_their = vec![NONE; self.below.len()];
        for node in own {
            sees_own[self.group_of[*node]] = true;
        }
        for (place, node) in theirs.iter().enumerate() {
            let first = &mut sees_their[self.group_of[*node]];
            *first = place.min(*first);
        }
        let mut met = NONE;
        for (group, below) in self.below.iter().enumerate() {
            for lower in below {
                sees_own[group] |= sees_own[*lower];
                sees_their[group] = sees_their[group].min(sees_their[*lower]);
            }
            if sees_own[group] {
                met = met.min(sees_their[group]);
            }
        }
        (met != NONE).then_some(met)
    }
}

fn see(seen: &mut usize, place: usize, classes: &mut UnionFind<usize>) {
    if *seen == NONE {
        *seen = place;
    } else {
        classes.union(*seen, place);
    }
}
