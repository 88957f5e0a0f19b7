//! The cheapest way from one set of nodes to the others, through gates.
//!
//! Forward it is Knuth's generalisation of Dijkstra over the AND/OR graph: a gate opens when each
//! node with an edge into it is held, at the sum of their costs; every other node takes its
//! cheapest way in. Nodes settle in the order of their keys and a key is greater than those it is
//! made of, so no proof uses a node to derive itself. Backward a gate counts as any of its inputs:
//! that is never more than the truth, which makes it the guide of exact searches, and it is the
//! truth for every way that passes no gate.
//!
//! A key is a cost and, below it, the number of edges; ties go to the way whose last node comes
//! first, so that the result depends neither on the queue nor on the names of replicas.

use super::filter::Filter;
use super::radix::RadixHeap;
pub use super::tree::Tree;
use crate::graph::{EdgeId, Graph, NodeId, NodeKind};
use fixedbitset::FixedBitSet;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The key of what is not reached.
pub const NEVER: u64 = u64::MAX;

/// The low bits of a key count edges.
pub(super) const EDGES: u32 = 24;

pub(super) const NO_EDGE: EdgeId = EdgeId(u32::MAX);

/// The cost in a key, see [`crate::graph::likelihood_of`].
#[must_use]
pub const fn cost_in(key: u64) -> u64 {
    key >> EDGES
}

fn add(key: u64, cost: u16) -> u64 {
    key.saturating_add((u64::from(cost) << EDGES) + 1).min(NEVER - 1)
}

/// The key of a whole way, of which a part is estimated.
fn estimate(key: u64, bound: u64) -> u64 {
    key.saturating_add(bound).min(NEVER - 1)
}

/// Which way a search runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From what is held to what is gained.
    Forward,
    /// From what is wanted to who can get it; gates count as any of their inputs.
    Backward,
}

/// What to do with a node that has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Go on from it.
    Expand,
    /// Go on elsewhere.
    Skip,
    /// End the search.
    Stop,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing is left to settle.
    Finished,
    /// It was told to stop at this node.
    Stopped(NodeId),
    /// It has looked at as many edges as it may.
    Exhausted,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) key: u64,
    /// The edge by which it was reached, and that edge's other end.
    pub(super) link: EdgeId,
    pub(super) near: NodeId,
}

pub(super) const UNREACHED: Row = Row { key: NEVER, link: NO_EDGE, near: NodeId(u32::MAX) };

/// The buffers of searches over one graph, used again and again.
#[derive(Debug)]
pub struct Search<'g> {
    graph: &'g Graph,
    gates: FixedBitSet,
    rows: Vec<Row>,
    done: FixedBitSet,
    /// The nodes of the rows that are not [`UNREACHED`], while they are few.
    touched: Vec<NodeId>,
    /// Of each gate that is not open yet: how many inputs are missing, and the sum of the others.
    waiting: FxHashMap<NodeId, (usize, u64)>,
    heap: RadixHeap,
    direction: Direction,
    work: usize,
}

impl<'g> Search<'g> {
    /// Buffers for a graph. O(nodes).
    #[must_use]
    pub fn new(graph: &'g Graph) -> Self {
        let mut gates = FixedBitSet::with_capacity(graph.node_count());
        for node in graph.nodes_of(|kind| kind == NodeKind::Gate) {
            gates.insert(node.index());
        }
        Self {
            graph,
            gates,
            rows: vec![UNREACHED; graph.node_count()],
            done: FixedBitSet::with_capacity(graph.node_count()),
            touched: Vec::new(),
            waiting: FxHashMap::default(),
            heap: RadixHeap::default(),
            direction: Direction::Forward,
            work: 0,
        }
    }

    /// How many edges the last search looked at.
    #[must_use]
    pub fn work(&self) -> usize {
        self.work
    }

    /// Searches from `roots` until nothing is left, `visit` says stop, or `limit` edges were
    /// looked at. A `guide` is the backward tree of what is wanted: the search heads there, and
    /// leaves out what cannot lead there.
    pub fn run(
        &mut self,
        direction: Direction,
        roots: &[NodeId],
        filter: &Filter,
        guide: Option<&Tree>,
        limit: usize,
        visit: impl FnMut(NodeId, u64) -> Next,
    ) -> End {
        self.reset(direction);
        let end = self.settle(roots, filter, guide, limit, visit);
        // What follows a search needs the room more than the next search does.
        self.heap.clear();
        end
    }

    fn settle(
        &mut self,
        roots: &[NodeId],
        filter: &Filter,
        guide: Option<&Tree>,
        limit: usize,
        mut visit: impl FnMut(NodeId, u64) -> Next,
    ) -> End {
        let bound = |node: NodeId| guide.map_or(0, |tree| tree.key(node));
        for root in roots {
            let bound = bound(*root);
            if bound != NEVER && self.rows[root.index()].key == NEVER {
                self.rows[root.index()].key = 0;
                self.touch(*root);
                if guide.is_some() {
                    self.heap.push(bound, *root);
                }
            }
        }
        // Without a guide all roots are as near as can be, and may be more than fit a heap well.
        let mut first = if guide.is_none() { roots } else { &[] }.iter().rev().copied();
        while let Some(node) = first.next().or_else(|| self.nearest(&bound)) {
            if self.done.put(node.index()) {
                continue;
            }
            let key = self.rows[node.index()].key;
            match visit(node, key) {
                Next::Expand => {}
                Next::Skip => continue,
                Next::Stop => return End::Stopped(node),
            }
            if self.work >= limit {
                return End::Exhausted;
            }
            match self.direction {
                Direction::Forward => self.expand(node, key, filter, &bound),
                Direction::Backward => {
                    let graph = self.graph;
                    for (edge, from, cost) in graph.incoming_costs(node) {
                        self.work += 1;
                        if !self.done.contains(from.index())
                            && filter.allows(graph, edge, from, node)
                        {
                            self.relax(from, add(key, cost), edge, node, bound(from));
                        }
                    }
                }
            }
        }
        End::Finished
    }

    /// The next to settle of those in the heap.
    fn nearest(&mut self, bound: &impl Fn(NodeId) -> u64) -> Option<NodeId> {
        let (rows, done) = (&self.rows, &self.done);
        let key = |node: NodeId| estimate(rows[node.index()].key, bound(node));
        self.heap.pop(|node| (!done.contains(node.index())).then(|| key(node)))
    }

    fn expand(&mut self, node: NodeId, key: u64, filter: &Filter, bound: &impl Fn(NodeId) -> u64) {
        let graph = self.graph;
        // The cheapest of the parallel edges into the gate at hand; edges are sorted by target.
        let mut gate: Option<(NodeId, EdgeId, u16)> = None;
        for (edge, target) in graph.outgoing(node) {
            self.work += 1;
            if gate.is_some_and(|(of, ..)| of != target) {
                self.hold(key, gate.take(), bound);
            }
            if self.done.contains(target.index()) || !filter.allows(graph, edge, node, target) {
                continue;
            }
            let cost = graph.cost(edge);
            if self.gates.contains(target.index()) {
                if gate.is_none_or(|(_, _, least)| cost < least) {
                    gate = Some((target, edge, cost));
                }
                continue;
            }
            self.relax(target, add(key, cost), edge, node, bound(target));
        }
        self.hold(key, gate, bound);
    }

    /// Notes that one input of a gate is held; opens the gate with the last.
    fn hold(
        &mut self,
        key: u64,
        input: Option<(NodeId, EdgeId, u16)>,
        bound: &impl Fn(NodeId) -> u64,
    ) {
        let Some((gate, edge, cost)) = input else { return };
        let graph = self.graph;
        let (left, sum) = self.waiting.entry(gate).or_insert_with(|| (inputs(graph, gate), 0));
        *left = left.saturating_sub(1);
        *sum = sum.saturating_add(add(key, cost)).min(NEVER - 1);
        let (left, sum) = (*left, *sum);
        if left == 0 {
            self.relax(gate, sum, edge, gate, bound(gate));
        }
    }

    fn relax(&mut self, node: NodeId, key: u64, link: EdgeId, near: NodeId, bound: u64) {
        if bound == NEVER {
            return;
        }
        let row = self.rows[node.index()];
        let better = key < row.key;
        if better || (key == row.key && row.link != NO_EDGE && self.prefers(link, near, &row)) {
            self.rows[node.index()] = Row { key, link, near };
        }
        if better {
            if row.key == NEVER {
                self.touch(node);
            }
            self.heap.push(estimate(key, bound), node);
        }
    }

    /// Of two ways with one key: the one over the node that folds to the earlier one, so that the
    /// names of a workload's pods do not decide; then by the attack and the edge.
    fn prefers(&self, link: EdgeId, near: NodeId, row: &Row) -> bool {
        let graph = self.graph;
        let attacks = || graph.attack_place(link).cmp(&graph.attack_place(row.link));
        let folded = graph.fold(near).cmp(&graph.fold(row.near));
        folded.then_with(attacks).then(link.cmp(&row.link)).is_lt()
    }

    /// How many nodes count as few. Where more were reached, one sweep over all of them is quicker
    /// than a visit to each.
    fn few(&self) -> usize {
        self.rows.len() / 8
    }

    fn touch(&mut self, node: NodeId) {
        // One more says that there are others.
        if self.touched.len() <= self.few() {
            self.touched.push(node);
        }
    }

    fn reset(&mut self, direction: Direction) {
        if self.touched.len() > self.few() {
            self.rows.fill(UNREACHED);
            self.done.clear();
            self.touched.clear();
        }
        for node in self.touched.drain(..) {
            self.rows[node.index()] = UNREACHED;
            self.done.set(node.index(), false);
        }
        self.waiting.clear();
        self.direction = direction;
        self.work = 0;
    }

    /// The result of the last search, to keep.
    #[must_use]
    pub fn tree(&self) -> Tree {
        let (graph, direction, work) = (self.graph, self.direction, self.work);
        let row = |node: NodeId| {
            let row = self.rows[node.index()];
            let settled = row.key != NEVER && self.done.contains(node.index());
            (node, if settled { row } else { UNREACHED })
        };
        // A small tree of a big graph is a list; a big one is a table.
        if self.touched.len() <= self.rows.len() / 16 {
            let mut nodes = self.touched.clone();
            nodes.sort_unstable();
            let rows = nodes.iter().copied().map(row);
            return Tree::new(graph, direction, work, rows).of(nodes);
        }
        let nodes = (0..self.rows.len()).map(NodeId::new);
        Tree::new(graph, direction, work, nodes.map(row))
    }

    /// The key of a node that the last search settled.
    #[must_use]
    pub fn key(&self, node: NodeId) -> u64 {
        if self.done.contains(node.index()) { self.rows[node.index()].key } else { NEVER }
    }

    /// How the last forward search reached a node it settled.
    #[must_use]
    pub fn proof(&self, filter: &Filter, target: NodeId) -> Option<Proof> {
        let row = |node: NodeId| {
            let settled = self.done.contains(node.index());
            settled.then(|| self.rows[node.index()])
        };
        proof(self.graph, filter, target, row)
    }
}

/// How many different nodes have an edge into a gate.
fn inputs(graph: &Graph, gate: NodeId) -> usize {
    let mut last = None;
    graph.incoming(gate).filter(|(_, from)| last.replace(*from) != Some(*from)).count()
}

/// An edge with its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// The edge.
    pub edge: EdgeId,
    /// Where it begins.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
}

/// How a node is held: edges, each after those that lead to its beginning, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What it proves.
    pub target: NodeId,
    /// The edges.
    pub links: Vec<Link>,
}

impl Proof {
    /// The cost of its edges, shared parts counted once.
    #[must_use]
    pub fn cost(&self, graph: &Graph) -> u64 {
        self.links.iter().map(|link| u64::from(graph.cost(link.edge))).sum()
    }
}

pub(super) fn proof(
    graph: &Graph,
    filter: &Filter,
    target: NodeId,
    row: impl Fn(NodeId) -> Option<Row>,
) -> Option<Proof> {
    row(target)?;
    let mut links: Vec<(u64, Link)> = Vec::new();
    let mut seen = BTreeSet::from([target]);
    let mut stack = vec![target];
    while let Some(to) = stack.pop() {
        let at = row(to)?;
        if at.link == NO_EDGE {
            continue;
        }
        let first = links.len();
        if graph.kind(to) == NodeKind::Gate {
            for (edge, from) in graph.incoming(to) {
                if !filter.allows(graph, edge, from, to) {
                    continue;
                }
                let cost = |link: &Link| graph.cost(link.edge);
                let link = Link { edge, from, to };
                match links[first..].last_mut() {
                    Some((_, last)) if last.from == from => {
                        if cost(&link) < cost(last) {
                            *last = link;
                        }
                    }
                    _ => links.push((at.key, link)),
                }
            }
        } else {
            links.push((at.key, Link { edge: at.link, from: at.near, to }));
        }
        for (_, link) in &links[first..] {
            if seen.insert(link.from) {
                stack.push(link.from);
            }
        }
    }
    // A key is greater than those it is made of.
    links.sort_unstable_by_key(|(key, link)| (*key, link.to, link.edge));
    Some(Proof { target, links: links.into_iter().map(|(_, link)| link).collect() })
}
