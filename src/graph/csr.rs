//! Compressed sparse rows, forward and backward, with parallel edges.
//!
//! petgraph's own `Csr` holds neither parallel edges nor reverse rows, and its other graphs are
//! linked lists of edges, an order of magnitude slower to walk (measured on 200,000 nodes).

use super::NodeId;
use super::evidence::WhyId;
use crate::world::ObjectId;

crate::index! {
    /// An edge, numbered by source, target and attack.
    EdgeId
}

/// What an edge bears: eight bytes. Its attack and its odds stand in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) why: WhyId,
    /// The object that the record's facts are about.
    pub(super) via: ObjectId,
}

/// An edge before it is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawEdge {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) edge: Edge,
}

/// The rows.
#[derive(Debug, Default)]
pub(super) struct Csr {
    out_start: Vec<u32>,
    /// Target and what the edge bears, sorted by source, then target.
    rows: Vec<(NodeId, Edge)>,
    in_start: Vec<u32>,
    /// Source and edge, sorted by target, then source.
    sources: Vec<(NodeId, EdgeId)>,
}

impl Csr {
    /// Lays out edges, dropping exact copies: a counting sort by source, then each row by itself.
    /// The lists are given up one by one, so that they are not held beside all of the rows.
    pub(super) fn new(nodes: usize, lists: Vec<Vec<RawEdge>>) -> Self {
        let mut out_start = vec![0_u32; nodes + 1];
        for edge in lists.iter().flatten() {
            out_start[edge.from.index() + 1] += 1;
        }
        sum(&mut out_start);
        let mut next = out_start.clone();
        let count = lists.iter().map(Vec::len).sum();
        let none = Edge { why: WhyId(0), via: ObjectId(0) };
        let mut rows = vec![(NodeId(0), none); count];
        for list in lists {
            for raw in list {
                let slot = &mut next[raw.from.index()];
                rows[*slot as usize] = (raw.to, raw.edge);
                *slot += 1;
            }
        }
        drop(next);
        let mut kept = 0;
        let mut in_start = vec![0_u32; nodes + 1];
        for node in 0..nodes {
            let (start, end) = (out_start[node] as usize, out_start[node + 1] as usize);
            rows[start..end].sort_unstable();
            let first = kept;
            for i in start..end {
                if kept == first || rows[kept - 1] != rows[i] {
                    rows[kept] = rows[i];
                    kept += 1;
                    in_start[rows[i].0.index() + 1] += 1;
                }
            }
            out_start[node] = u32::try_from(first).unwrap_or(u32::MAX);
        }
        out_start[nodes] = u32::try_from(kept).unwrap_or(u32::MAX);
        rows.truncate(kept);
        rows.shrink_to_fit();
        sum(&mut in_start);
        let mut next = in_start.clone();
        let mut sources = vec![(NodeId(0), EdgeId(0)); kept];
        for node in 0..nodes {
            for i in out_start[node] as usize..out_start[node + 1] as usize {
                let slot = &mut next[rows[i].0.index()];
                sources[*slot as usize] = (NodeId::new(node), EdgeId::new(i));
                *slot += 1;
            }
        }
        Self { out_start, rows, in_start, sources }
    }

    /// How many edges there are.
    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// What an edge bears.
    pub(super) fn edge(&self, edge: EdgeId) -> Edge {
        self.rows[edge.index()].1
    }

    /// Where an edge leads to.
    pub(super) fn target(&self, edge: EdgeId) -> NodeId {
        self.rows[edge.index()].0
    }

    pub(super) fn outgoing(
        &self,
        node: NodeId,
    ) -> impl ExactSizeIterator<Item = (EdgeId, NodeId)> + '_ {
        let (start, end) = bounds(&self.out_start, node);
        (start..end).map(|i| (EdgeId::new(i), self.rows[i].0))
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
        (NodeId::new(row), self.target(edge))
    }
}

/// Makes counts, each one place behind its own, into where each row begins.
fn sum(counts: &mut [u32]) {
    let mut total = 0;
    for count in counts {
        total += *count;
        *count = total;
    }
}

fn bounds(starts: &[u32], node: NodeId) -> (usize, usize) {
    (starts[node.index()] as usize, starts[node.index() + 1] as usize)
}
