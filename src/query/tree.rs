//! What a search settled, to keep. A query may keep several, each with a row for most nodes of the
//! graph, so a row is as small as may be: six bytes for nearly all graphs.

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
    steps: Steps,
    count: usize,
    work: usize,
}

impl Tree {
    /// The tree of some nodes with their rows: all of the graph's, or those [`of`](Self::of) which
    /// it is.
    pub(super) fn new(
        graph: &Graph,
        direction: Direction,
        work: usize,
        rows: impl ExactSizeIterator<Item = (NodeId, Row)>,
    ) -> Self {
        let mut keys = Keys::Short(Vec::with_capacity(rows.len()));
        let mut steps = Steps::Short(Vec::with_capacity(rows.len()));
        let mut count = 0;
        for (node, row) in rows {
            count += usize::from(row.key != NEVER);
            keys.push(row.key);
            steps.push(match direction {
                _ if row.link == NO_EDGE => None,
                Direction::Forward => graph.place_among_incoming(node, row.link),
                Direction::Backward => graph.place_among_outgoing(node, row.link),
            });
        }
        Self { direction, nodes: None, keys, steps, count, work }
    }

    /// Has the rows stand for these nodes, which are sorted.
    pub(super) fn of(self, nodes: Vec<NodeId>) -> Self {
        Self { nodes: Some(nodes), ..self }
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
        (0..self.steps.len()).filter(|place| self.keys.get(*place) != NEVER).map(node)
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
        let step = self.steps.get(self.place(node)?)?;
        match self.direction {
            Direction::Forward if graph.kind(node) == NodeKind::Gate => None,
            Direction::Forward => graph.incoming_at(node, step),
            Direction::Backward => graph.outgoing_at(node, step),
        }
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
            return proof(graph, filter, node, |node| self.forward_row(graph, node));
        }
        let mut links = Vec::new();
        let mut at = node;
        while let Some((edge, near)) = self.link(graph, at) {
            links.push(Link { edge, from: at, to: near });
            at = near;
        }
        Some(Proof { target: at, links })
    }

    fn forward_row(&self, graph: &Graph, node: NodeId) -> Option<Row> {
        let place = self.place(node)?;
        let key = Some(self.keys.get(place)).filter(|key| *key != NEVER)?;
        let link = self.steps.get(place).and_then(|step| graph.incoming_at(node, step));
        let (link, near) = link.unwrap_or((NO_EDGE, node));
        Some(Row { key, link, near })
    }
}

/// The place of each node's link among the edges into it or out of it, in two bytes each unless one
/// is too large for that.
#[derive(Debug)]
enum Steps {
    /// All bits for none.
    Short(Vec<u16>),
    Long(Vec<u32>),
}

impl Steps {
    fn push(&mut self, step: Option<usize>) {
        match self {
            Self::Short(steps) => match step.map_or(Ok(u16::MAX), u16::try_from) {
                Ok(short) if step.is_none() || short != u16::MAX => steps.push(short),
                _ => {
                    let long =
                        |step: &u16| if *step == u16::MAX { u32::MAX } else { (*step).into() };
                    *self = Self::Long(steps.iter().map(long).collect());
                    self.push(step);
                }
            },
            Self::Long(steps) => {
                steps.push(step.map_or(u32::MAX, |step| u32::try_from(step).unwrap_or(u32::MAX)));
            }
        }
    }

    const fn len(&self) -> usize {
        match self {
            Self::Short(steps) => steps.len(),
            Self::Long(steps) => steps.len(),
        }
    }

    fn get(&self, place: usize) -> Option<usize> {
        match self {
            Self::Short(steps) => {
                steps.get(place).filter(|step| **step != u16::MAX).map(|step| usize::from(*step))
            }
            Self::Long(steps) => {
                steps.get(place).filter(|step| **step != u32::MAX).map(|step| *step as usize)
            }
        }
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
    fn push(&mut self, key: u64) {
        match self {
            Self::Short(keys) => match shorten(key) {
                Some(short) => keys.push(short),
                None => {
                    *self = Self::Long(keys.iter().map(|key| lengthen(*key)).collect());
                    self.push(key);
                }
            },
            Self::Long(keys) => keys.push(key),
        }
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
    fn steps_stay_what_they_are() {
        let few = [None, Some(0), Some(65_534)];
        for (all, short) in [(few.to_vec(), true), ([&few[..], &[Some(65_535)]].concat(), false)] {
            let mut steps = Steps::Short(Vec::new());
            all.iter().for_each(|step| steps.push(*step));
            assert_eq!(matches!(steps, Steps::Short(_)), short, "{all:?}");
            for (place, step) in all.iter().enumerate() {
                assert_eq!(steps.get(place), *step, "{all:?}");
            }
            assert_eq!((steps.len(), steps.get(all.len())), (all.len(), None));
        }
    }

    #[test]
    fn keys_stay_what_they_are() {
        let keys_of = |all: &[u64]| {
            let mut keys = Keys::Short(Vec::new());
            all.iter().for_each(|key| keys.push(*key));
            keys
        };
        let small = [0, 1, 255, 7 << EDGES | 3, ((1 << 24) - 1) << EDGES | 254, NEVER];
        let keys = keys_of(&small);
        assert!(matches!(keys, Keys::Short(_)));
        for (place, key) in small.into_iter().enumerate() {
            assert_eq!(keys.get(place), key);
        }
        // Too many edges, too high a cost, and the one that would read as never.
        for large in [256, 1 << 24 << EDGES, ((1 << 24) - 1) << EDGES | 255, NEVER - 1] {
            let keys = keys_of(&[5, NEVER, large]);
            assert!(matches!(keys, Keys::Long(_)), "{large:x}");
            assert_eq!((keys.get(0), keys.get(1), keys.get(2)), (5, NEVER, large));
        }
        assert_eq!(keys.get(99), NEVER);
    }
}
