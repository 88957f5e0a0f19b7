//! petgraph's visit traits over the rows, so that its algorithms and filters run on them.
//!
//! They serve as the oracle of our own algorithms in tests, and for what-if views that leave edges
//! out (`EdgeFiltered`). petgraph 0.9 may change these traits: nothing else here depends on them.

use super::{EdgeId, Graph, NodeId};
use fixedbitset::FixedBitSet;
use petgraph::visit::{
    Data, EdgeRef, GraphBase, GraphProp, IntoEdgeReferences, IntoEdges, IntoEdgesDirected,
    IntoNeighbors, IntoNeighborsDirected, IntoNodeIdentifiers, NodeCount, NodeIndexable, VisitMap,
    Visitable,
};
use petgraph::{Directed, Direction};

/// An edge of the graph as petgraph sees it; its weight is its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    id: EdgeId,
    source: NodeId,
    target: NodeId,
    cost: u16,
}

impl EdgeRef for Reference {
    type NodeId = NodeId;
    type EdgeId = EdgeId;
    type Weight = u16;
    fn source(&self) -> NodeId {
        self.source
    }
    fn target(&self) -> NodeId {
        self.target
    }
    fn weight(&self) -> &u16 {
        &self.cost
    }
    fn id(&self) -> EdgeId {
        self.id
    }
}

impl GraphBase for Graph {
    type NodeId = NodeId;
    type EdgeId = EdgeId;
}

impl Data for Graph {
    type NodeWeight = ();
    type EdgeWeight = u16;
}

impl GraphProp for Graph {
    type EdgeType = Directed;
}

impl NodeCount for Graph {
    fn node_count(&self) -> usize {
        self.nodes.len()
    }
}

impl NodeIndexable for Graph {
    fn node_bound(&self) -> usize {
        self.nodes.len()
    }
    fn to_index(&self, node: NodeId) -> usize {
        node.index()
    }
    fn from_index(&self, index: usize) -> NodeId {
        NodeId::new(index)
    }
}

/// Which nodes an algorithm has visited.
#[derive(Debug, Clone, Default)]
pub struct Visited(FixedBitSet);

impl VisitMap<NodeId> for Visited {
    fn visit(&mut self, node: NodeId) -> bool {
        !self.0.put(node.index())
    }
    fn is_visited(&self, node: &NodeId) -> bool {
        self.0.contains(node.index())
    }
    fn unvisit(&mut self, node: NodeId) -> bool {
        let was = self.0.contains(node.index());
        self.0.set(node.index(), false);
        was
    }
}

impl Visitable for Graph {
    type Map = Visited;
    fn visit_map(&self) -> Visited {
        Visited(FixedBitSet::with_capacity(self.nodes.len()))
    }
    fn reset_map(&self, map: &mut Visited) {
        map.0.clear();
    }
}

impl<'g> IntoNodeIdentifiers for &'g Graph {
    type NodeIdentifiers = Box<dyn Iterator<Item = NodeId> + 'g>;
    fn node_identifiers(self) -> Self::NodeIdentifiers {
        Box::new(self.nodes())
    }
}

impl<'g> IntoNeighbors for &'g Graph {
    type Neighbors = Box<dyn Iterator<Item = NodeId> + 'g>;
    fn neighbors(self, node: NodeId) -> Self::Neighbors {
        Box::new(self.outgoing(node).map(|(_, target)| target))
    }
}

impl<'g> IntoNeighborsDirected for &'g Graph {
    type NeighborsDirected = Box<dyn Iterator<Item = NodeId> + 'g>;
    fn neighbors_directed(self, node: NodeId, direction: Direction) -> Self::NeighborsDirected {
        match direction {
            Direction::Outgoing => Box::new(self.outgoing(node).map(|(_, n)| n)),
            Direction::Incoming => Box::new(self.incoming(node).map(|(_, n)| n)),
        }
    }
}

impl<'g> IntoEdgeReferences for &'g Graph {
    type EdgeRef = Reference;
    type EdgeReferences = Box<dyn Iterator<Item = Reference> + 'g>;
    fn edge_references(self) -> Self::EdgeReferences {
        Box::new(self.nodes().flat_map(move |node| self.edges(node)))
    }
}

impl<'g> IntoEdges for &'g Graph {
    type Edges = Box<dyn Iterator<Item = Reference> + 'g>;
    fn edges(self, source: NodeId) -> Self::Edges {
        Box::new(self.outgoing(source).map(move |(id, target)| Reference {
            id,
            source,
            target,
            cost: self.cost(id),
        }))
    }
}

impl<'g> IntoEdgesDirected for &'g Graph {
    type EdgesDirected = Box<dyn Iterator<Item = Reference> + 'g>;
    fn edges_directed(self, node: NodeId, direction: Direction) -> Self::EdgesDirected {
        match direction {
            Direction::Outgoing => Box::new(self.edges(node)),
            Direction::Incoming => Box::new(self.incoming(node).map(move |(id, source)| {
                Reference { id, source, target: node, cost: self.cost(id) }
            })),
        }
    }
}
