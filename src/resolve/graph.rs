//! The dependency graph of a bundle: waves in which it starts, and cycles that keep it from starting.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;

use crate::source::Span;

/// "`from` needs `to`", said at `span`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Who needs.
    pub from: usize,
    /// Who is needed.
    pub to: usize,
    /// Where that is said.
    pub span: Span,
}

/// The dependencies in one bundle; members are numbered in the order of their names.
#[derive(Debug)]
pub struct Graph {
    graph: DiGraph<(), Span>,
}

impl Graph {
    /// The graph of `members` members.
    #[must_use]
    pub fn new(members: usize, needs: impl IntoIterator<Item = Need>) -> Self {
        let mut graph = DiGraph::with_capacity(members, members);
        for _ in 0..members {
            graph.add_node(());
        }
        // The graph would look through all needs of a member for each.
        let mut named = BTreeSet::new();
        for Need { from, to, span } in needs {
            // Naming the same need twice adds nothing; the first place stays.
            if named.insert((from, to)) {
                graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), span);
            }
        }
        Self { graph }
    }

    /// The wave that each member starts in, from 0 on: after everything that it needs, and no later than that.
    ///
    /// # Errors
    /// One cycle of each group of members that need each other.
    pub fn waves(&self) -> Result<Vec<usize>, Vec<Vec<Need>>> {
        // Not Tarjan's: petgraph's recurses, and the depth of a chain is the author's to choose.
        let components = kosaraju_scc(&self.graph);
        let cyclic = |component: &&Vec<NodeIndex>| {
            component.len() > 1 || self.graph.find_edge(component[0], component[0]).is_some()
        };
        let mut cycles: Vec<Vec<Need>> =
            components.iter().filter(cyclic).filter_map(|component| self.cycle(component)).collect();
        if !cycles.is_empty() {
            cycles.sort_by_key(|cycle| cycle.first().map(|need| need.span));
            return Err(cycles);
        }
        let mut waves = vec![0; self.graph.node_count()];
        // Components come in reverse topological order: what is needed comes before who needs it.
        for node in components.into_iter().flatten() {
            waves[node.index()] =
                self.graph.neighbors(node).map(|needed| waves[needed.index()] + 1).max().unwrap_or(0);
        }
        Ok(waves)
    }

    /// A shortest cycle through the need that stands first in the source, beginning with it.
    fn cycle(&self, component: &[NodeIndex]) -> Option<Vec<Need>> {
        let members: BTreeSet<NodeIndex> = component.iter().copied().collect();
        let edges = component.iter().flat_map(|node| self.graph.edges(*node));
        let first =
            edges.filter(|edge| members.contains(&edge.target())).min_by_key(|edge| *edge.weight())?;
        let (start, goal) = (first.target(), first.source());
        // Breadth first from the needed one back to who needs it.
        let mut reached_by: BTreeMap<NodeIndex, Need> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            if node == goal {
                break;
            }
            let mut edges: Vec<_> = self.graph.edges(node).collect();
            edges.sort_by_key(|edge| *edge.weight());
            for edge in edges {
                let to = edge.target();
                if to != start && !reached_by.contains_key(&to) {
                    reached_by.insert(to, need(edge));
                    queue.push_back(to);
                }
            }
        }
        let mut path = Vec::new();
        let mut node = goal;
        while node != start {
            let step = *reached_by.get(&node)?;
            path.push(step);
            node = NodeIndex::new(step.from);
        }
        path.push(need(first));
        path.reverse();
        Some(path)
    }
}

fn need(edge: petgraph::graph::EdgeReference<'_, Span>) -> Need {
    Need { from: edge.source().index(), to: edge.target().index(), span: *edge.weight() }
}
