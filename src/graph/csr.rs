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

/// What an edge bears. Its attack and its odds stand in its record.
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

/// A record, and in the two highest bits which object it is about: nearly always one of the edge's
/// ends, so that few edges need four bytes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bears(u32);

/// An edge that is about neither of its ends, by what it is sorted by, and what it is about.
type Odd = (NodeId, NodeId, WhyId, ObjectId);

/// The object of the node that the edge begins at.
const SOURCE: u32 = 0;
/// That of the node that it leads to.
const TARGET: u32 = 1;
/// Another one.
const OTHER: u32 = 2;

impl Bears {
    const fn new(why: WhyId, about: u32) -> Self {
        Self(about << 30 | why.0)
    }

    const fn why(self) -> WhyId {
        WhyId(self.0 & (u32::MAX >> 2))
    }

    const fn about(self) -> u32 {
        self.0 >> 30
    }
}

/// The rows.
#[derive(Debug, Default)]
pub(super) struct Csr {
    out_start: Vec<u32>,
    /// Target and what the edge bears, sorted by source, then target.
    rows: Vec<(NodeId, Bears)>,
    /// What the edges are about that are about neither of their ends, from that edge on: those of
    /// a row are mostly about one namespace.
    others: Vec<(EdgeId, ObjectId)>,
    in_start: Vec<u32>,
    /// Source and edge, sorted by target, then source and edge.
    sources: Vec<(NodeId, EdgeId)>,
}

impl Csr {
    /// Lays out edges, dropping exact copies: a counting sort by source, then each row by itself.
    /// The lists are given up one by one while the rows are filled.
    /// `object` tells what a node stands for.
    pub(super) fn new(
        nodes: usize,
        lists: Vec<Vec<RawEdge>>,
        object: impl Fn(NodeId) -> ObjectId,
    ) -> Self {
        let mut out_start = vec![0_u32; nodes + 1];
        for edge in lists.iter().flatten() {
            out_start[edge.from.index() + 1] += 1;
        }
        sum(&mut out_start);
        let mut next = out_start.clone();
        let count = lists.iter().map(Vec::len).sum();
        let mut rows = vec![(NodeId(0), Bears(0)); count];
        // What edges are about that are about neither of their ends.
        let mut odd: Vec<Odd> = Vec::new();
        for raw in lists.into_iter().flatten() {
            let RawEdge { from, to, edge: Edge { why, via } } = raw;
            let about = match via {
                via if via == object(from) => SOURCE,
                via if via == object(to) => TARGET,
                _ => OTHER,
            };
            if about == OTHER {
                odd.push((from, to, why, via));
            }
            let slot = &mut next[from.index()];
            rows[*slot as usize] = (to, Bears::new(why, about));
            *slot += 1;
        }
        odd.sort_unstable();
        odd.dedup();
        let mut odd = odd.into_iter().peekable();
        let mut others: Vec<(EdgeId, ObjectId)> = Vec::new();
        let mut in_start = vec![0_u32; nodes + 1];
        let mut len = 0;
        for node in 0..nodes {
            let (start, end) = bounds(&out_start, NodeId::new(node));
            out_start[node] = u32::try_from(len).unwrap_or(u32::MAX);
            rows[start..end].sort_unstable_by_key(|(to, bears)| (*to, bears.why(), bears.about()));
            let mut last = None;
            for place in start..end {
                let (to, bears) = rows[place];
                if bears.about() == OTHER {
                    // As many of these are left as there are different objects.
                    let of = (NodeId::new(node), to, bears.why());
                    let Some((.., via)) = odd.next_if(|o| (o.0, o.1, o.2) == of) else { continue };
                    if others.last().is_none_or(|(_, last)| *last != via) {
                        others.push((EdgeId::new(len), via));
                    }
                } else if last == Some((to, bears)) {
                    continue;
                }
                last = Some((to, bears));
                rows[len] = (to, bears);
                len += 1;
                in_start[to.index() + 1] += 1;
            }
        }
        rows.truncate(len);
        rows.shrink_to_fit();
        out_start[nodes] = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        others.shrink_to_fit();
        sum(&mut in_start);
        next.copy_from_slice(&in_start);
        let mut sources = vec![(NodeId(0), EdgeId(0)); rows.len()];
        for node in 0..nodes {
            for i in out_start[node] as usize..out_start[node + 1] as usize {
                let slot = &mut next[rows[i].0.index()];
                sources[*slot as usize] = (NodeId::new(node), EdgeId::new(i));
                *slot += 1;
            }
        }
        Self { out_start, rows, others, in_start, sources }
    }

    /// How many edges there are.
    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// The record of an edge.
    pub(super) fn why(&self, edge: EdgeId) -> WhyId {
        self.rows[edge.index()].1.why()
    }

    /// The object that an edge's record is about, and that of the node it leads to. O(log edges).
    pub(super) fn objects(
        &self,
        edge: EdgeId,
        object: impl Fn(NodeId) -> ObjectId,
    ) -> (ObjectId, ObjectId) {
        let (to, bears) = self.rows[edge.index()];
        let target = object(to);
        let via = match bears.about() {
            SOURCE => object(self.ends(edge).0),
            TARGET => target,
            _ => self.others[self.others.partition_point(|(from, _)| *from <= edge) - 1].1,
        };
        (via, target)
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

    /// Where the edges into a node stand among all edges in the order of their targets.
    pub(super) fn incoming_places(&self, node: NodeId) -> std::ops::Range<usize> {
        let (start, end) = bounds(&self.in_start, node);
        start..end
    }

    /// Where an edge stands among those into its target, whose numbers ascend. O(log of how many).
    pub(super) fn place_among_incoming(&self, target: NodeId, edge: EdgeId) -> Option<usize> {
        self.sources[self.incoming_places(target)].binary_search_by_key(&edge, |(_, e)| *e).ok()
    }

    /// The edge at a place among those into a node, and its source.
    pub(super) fn incoming_at(&self, target: NodeId, place: usize) -> Option<(EdgeId, NodeId)> {
        let edges = &self.sources[self.incoming_places(target)];
        edges.get(place).map(|(source, edge)| (*edge, *source))
    }

    /// The edge at a place among those out of a node, and its target.
    pub(super) fn outgoing_at(&self, source: NodeId, place: usize) -> Option<(EdgeId, NodeId)> {
        let (start, end) = bounds(&self.out_start, source);
        let (to, _) = self.rows[start..end].get(place)?;
        Some((EdgeId::new(start + place), *to))
    }

    /// Where an edge stands among those out of its source.
    pub(super) fn place_among_outgoing(&self, source: NodeId, edge: EdgeId) -> Option<usize> {
        let (start, end) = bounds(&self.out_start, source);
        (start..end).contains(&edge.index()).then(|| edge.index() - start)
    }

    /// All edges, in the order of their targets.
    pub(super) fn by_target(&self) -> &[(NodeId, EdgeId)] {
        &self.sources
    }

    /// Source and target of an edge. O(log nodes).
    pub(super) fn ends(&self, edge: EdgeId) -> (NodeId, NodeId) {
        let row = self.out_start.partition_point(|start| *start <= edge.0) - 1;
        (NodeId::new(row), self.target(edge))
    }
}

/// Makes counts, each one place behind its own, into where each row begins. Returns their sum.
pub(super) fn sum(counts: &mut [u32]) -> usize {
    let mut total = 0;
    for count in counts {
        total += *count;
        *count = total;
    }
    total as usize
}

fn bounds(starts: &[u32], node: NodeId) -> (usize, usize) {
    (starts[node.index()] as usize, starts[node.index() + 1] as usize)
}
