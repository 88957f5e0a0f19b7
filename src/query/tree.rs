//! What a search settled, to keep. A query may keep a dozen, each with a row for most nodes of the
//! graph, so a row is as small as may be: eight bytes backward, twelve forward.

use super::filter::Filter;
use super::search::{Direction, EDGES, Link, NEVER, NO_EDGE, Proof, Row, cost_in, proof};
use crate::graph::{EdgeId, Graph, NodeId, NodeKind};

/// For each node that a search settled its key and the edge by which it was reached.
#[derive(Debug)]
pub struct Tree {
    direction: Direction,
    /// The nodes of the rows, sorted; none if there is a row for every node.
    nodes: Option<Vec<NodeId>>,
    keys: Keys,
    links: Vec<EdgeId>,
    /// Of a forward tree, where each link begins. Where one of a backward tree leads, the graph
    /// tells at once.
    near: Vec<NodeId>,
    count: usize,
    work: usize,
}

impl Tree {
    /// The tree of some rows: of the `nodes`, or of every node.
    pub(super) fn new(
        direction: Direction,
        rows: impl ExactSizeIterator<Item = Row> + Clone,
        count: usize,
        work: usize,
        nodes: Option<Vec<NodeId>>,
    ) -> Self {
        let near = match direction {
            Direction::Forward => rows.clone().map(|row| row.near).collect(),
            Direction::Backward => Vec::new(),
        };
        let keys = Keys::new(rows.clone().map(|row| row.key));
        let links = rows.map(|row| row.link).collect();
        Self { direction, nodes, keys, links, near, count, work }
    }

    fn place(&self, node: NodeId) -> Option<usize> {
        match &self.nodes {
            Some(nodes) => nodes.binary_search(&node).ok(),
            None => Some(node.index()),
        }
    }

    /// Which way it was searched.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The settled nodes, sorted.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        let node = |place: usize| match &self.nodes {
            Some(nodes) => nodes[place],
            None => NodeId::new(place),
        };
        (0..self.links.len()).filter(|place| self.keys.get(*place) != NEVER).map(node)
    }

    /// How many nodes it settled.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it settled none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The key of a node; [`NEVER`] for what was not reached.
    #[must_use]
    pub fn key(&self, node: NodeId) -> u64 {
        self.place(node).map_or(NEVER, |place| self.keys.get(place))
    }

    /// How many edges the search looked at.
    #[must_use]
    pub fn work(&self) -> usize {
        self.work
    }

    /// The edge by which a node was reached and its other end, nearer to the root. A gate of a
    /// forward tree has several, and none of them here.
    #[must_use]
    pub fn link(&self, graph: &Graph, node: NodeId) -> Option<(EdgeId, NodeId)> {
        let place = self.place(node)?;
        let link = self.links.get(place).copied().filter(|link| *link != NO_EDGE)?;
        let near = match self.direction {
            Direction::Forward => *self.near.get(place)?,
            Direction::Backward => graph.target(link),
        };
        (near != node).then_some((link, near))
    }

    /// The root that a node's way leads to, and whether the way passes a gate.
    #[must_use]
    pub fn root(&self, graph: &Graph, mut node: NodeId) -> (NodeId, bool) {
        let mut gated = graph.kind(node) == NodeKind::Gate;
        while let Some((_, near)) = self.link(graph, node) {
            gated |= graph.kind(near) == NodeKind::Gate;
            node = near;
        }
        (node, gated)
    }

    /// The way of a node: to it from a root, or from it to a root. A backward way that passes a
    /// gate is no proof.
    #[must_use]
    pub fn proof(&self, graph: &Graph, filter: &Filter, node: NodeId) -> Option<Proof> {
        if self.key(node) == NEVER {
            return None;
        }
        if self.direction == Direction::Forward {
            return proof(graph, filter, node, |node| self.forward_row(node));
        }
        let mut links = Vec::new();
        let mut at = node;
        while let Some((edge, near)) = self.link(graph, at) {
            links.push(Link { edge, from: at, to: near });
            at = near;
        }
        Some(Proof { target: at, links })
    }

    fn forward_row(&self, node: NodeId) -> Option<Row> {
        let place = self.place(node)?;
        let near = *self.near.get(place)?;
        let row = Row { key: self.keys.get(place), link: *self.links.get(place)?, near };
        Some(row).filter(|row| row.key != NEVER)
    }
}

/// Keys, in four bytes each unless one is too large for that.
#[derive(Debug)]
enum Keys {
    /// The cost above [`FEW`] bits that count edges; all bits for [`NEVER`].
    Short(Vec<u32>),
    Long(Vec<u64>),
}

/// The low bits of a short key.
const FEW: u32 = 8;

impl Keys {
    fn new(keys: impl ExactSizeIterator<Item = u64> + Clone) -> Self {
        let mut short = Vec::with_capacity(keys.len());
        short.extend(keys.clone().map_while(shorten));
        if short.len() == keys.len() {
            return Self::Short(short);
        }
        drop(short);
        Self::Long(keys.collect())
    }

    fn get(&self, place: usize) -> u64 {
        match self {
            Self::Short(keys) => keys.get(place).map_or(NEVER, |key| lengthen(*key)),
            Self::Long(keys) => keys.get(place).copied().unwrap_or(NEVER),
        }
    }
}

/// A key in four bytes, if it fits.
fn shorten(key: u64) -> Option<u32> {
    if key == NEVER {
        return Some(u32::MAX);
    }
    let (cost, edges) = (cost_in(key), key & ((1 << EDGES) - 1));
    let fits = cost < 1 << (u32::BITS - FEW) && edges < 1 << FEW;
    let key = u32::try_from(cost << FEW | edges).ok().filter(|_| fits)?;
    Some(key).filter(|key| *key != u32::MAX)
}

fn lengthen(key: u32) -> u64 {
    if key == u32::MAX {
        return NEVER;
    }
    let key = u64::from(key);
    key >> FEW << EDGES | key & ((1 << FEW) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_what_they_are() {
        let small = [0, 1, 255, 7 << EDGES | 3, ((1 << 24) - 1) << EDGES | 254, NEVER];
        let keys = Keys::new(small.into_iter());
        assert!(matches!(keys, Keys::Short(_)));
        for (place, key) in small.into_iter().enumerate() {
            assert_eq!(keys.get(place), key);
        }
        // Too many edges, too high a cost, and the one that would read as never.
        for large in [256, 1 << 24 << EDGES, ((1 << 24) - 1) << EDGES | 255, NEVER - 1] {
            let keys = Keys::new([5, large].into_iter());
            assert!(matches!(keys, Keys::Long(_)), "{large:x}");
            assert_eq!((keys.get(0), keys.get(1)), (5, large));
        }
        assert_eq!(keys.get(99), NEVER);
    }
}
