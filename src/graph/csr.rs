//! Compressed sparse rows, forward and backward, with parallel edges.
//!
//! petgraph's own `Csr` holds neither parallel edges nor reverse rows, and its other graphs are
//! linked lists of edges, an order of magnitude slower to walk (measured on 200,000 nodes).

use super::NodeId;
use super::evidence::WhyId;

crate::index! {
    /// An edge, numbered by source, target and attack.
    EdgeId
}

/// What an edge bears: eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The attack's place in the graph's table.
    pub(super) attack: u16,
    /// `-ln(likelihood)`, scaled; see [`super::likelihood_of`].
    pub cost: u16,
    pub(super) why: WhyId,
}

/// An edge before it is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RawEdge {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) edge: Edge,
}

/// The rows.
#[derive(Debug, Default)]
pub(super) struct Csr {
    out_start: Vec<u32>,
    targets: Vec<NodeId>,
    pub(super) edges: Vec<Edge>,
    in_start: Vec<u32>,
    /// Source and edge, sorted by target, then source.
    sources: Vec<(NodeId, EdgeId)>,
}

impl Csr {
    /// Lays out edges, dropping exact copies. O(n log n).
    pub(super) fn new(nodes: usize, mut raw: Vec<RawEdge>) -> Self {
        raw.sort_unstable();
        raw.dedup();
        let mut out_start = vec![0_u32; nodes + 1];
        let mut in_start = vec![0_u32; nodes + 1];
        for edge in &raw {
            out_start[edge.from.index() + 1] += 1;
            in_start[edge.to.index() + 1] += 1;
        }
        for i in 0..nodes {
            out_start[i + 1] += out_start[i];
            in_start[i + 1] += in_start[i];
        }
        let mut next = in_start.clone();
        let mut sources = vec![(NodeId(0), EdgeId(0)); raw.len()];
        for (i, edge) in raw.iter().enumerate() {
            let slot = &mut next[edge.to.index()];
            sources[*slot as usize] = (edge.from, EdgeId::new(i));
            *slot += 1;
        }
        let targets = raw.iter().map(|e| e.to).collect();
        let edges = raw.iter().map(|e| e.edge).collect();
        Self { out_start, targets, edges, in_start, sources }
    }

    pub(super) fn outgoing(
        &self,
        node: NodeId,
    ) -> impl ExactSizeIterator<Item = (EdgeId, NodeId)> + '_ {
        let (start, end) = bounds(&self.out_start, node);
        (start..end).map(|i| (EdgeId::new(i), self.targets[i]))
    }

    pub(super) fn incoming(
        &self,
        node: NodeId,
    ) -> impl ExactSizeIterator<Item = (EdgeId, NodeId)> + '_ {
        let (start, end) = bounds(&self.in_start, node);
        self.sources[start..end].iter().map(|(source, edge)| (*edge, *source))
    }

    /// Source and target of an edge. O(log nodes).
    pub(super) fn ends(&self, edge: EdgeId) -> (NodeId, NodeId) {
        let row = self.out_start.partition_point(|start| *start <= edge.0) - 1;
        (NodeId::new(row), self.targets[edge.index()])
    }
}

fn bounds(starts: &[u32], node: NodeId) -> (usize, usize) {
    (starts[node.index()] as usize, starts[node.index() + 1] as usize)
}
