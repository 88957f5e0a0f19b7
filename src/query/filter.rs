//! What a search leaves out: attacks, nodes, edges, and edges whose facts are gone.

use crate::graph::{Attack, EdgeId, Fact, Fields, Graph, NodeId, NodeKind};
use fixedbitset::FixedBitSet;
use std::collections::BTreeSet;
use std::rc::Rc;

/// What a search leaves out. The default leaves out nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// By their places among those of the graph.
    attacks: FixedBitSet,
    nodes: FixedBitSet,
    apart: FixedBitSet,
    edges: BTreeSet<EdgeId>,
    gone: Vec<Gone>,
    door: Option<NodeId>,
    gates: bool,
    any: bool,
}

impl Filter {
    /// Leaves out the edges of an attack of the graph.
    pub fn avoid_attack(&mut self, graph: &Graph, attack: &Attack) {
        if let Ok(place) = graph.attacks().binary_search_by_key(&attack.id, |known| known.id) {
            self.attacks.grow_and_insert(place);
            self.any = true;
        }
    }

    /// Leaves out whatever leads into a node.
    pub fn avoid_node(&mut self, node: NodeId) {
        self.nodes.grow_and_insert(node.index());
        self.any = true;
    }

    /// Leaves out whatever leads into a node or away from it, so that no path begins there either.
    pub fn remove_node(&mut self, node: NodeId) {
        self.apart.grow_and_insert(node.index());
        self.avoid_node(node);
    }

    /// Leaves out one edge.
    pub fn avoid_edge(&mut self, edge: EdgeId) {
        self.edges.insert(edge);
        self.any = true;
    }

    /// Leaves out the edges that need a fact.
    pub fn remove_fact(&mut self, gone: Gone) {
        self.gone.push(gone);
        self.any = true;
    }

    /// Of the internet's edges, leaves only those to one node.
    pub(super) fn only_door(&mut self, door: NodeId) {
        self.door = Some(door);
        self.any = true;
    }

    /// Leaves out every gate.
    pub(super) fn avoid_gates(&mut self) {
        self.gates = true;
        self.any = true;
    }

    /// Whether it leaves out every gate.
    pub(super) fn avoids_gates(&self) -> bool {
        self.gates
    }

    /// Whether an edge may be used.
    #[must_use]
    #[inline]
    pub fn allows(&self, graph: &Graph, edge: EdgeId, from: NodeId, to: NodeId) -> bool {
        // Most filters leave out little, and a search asks for each edge.
        !(self.any && self.leaves_out(graph, edge, from, to))
    }

    fn leaves_out(&self, graph: &Graph, edge: EdgeId, from: NodeId, to: NodeId) -> bool {
        self.nodes.contains(to.index())
            || self.apart.contains(from.index())
            || (!self.attacks.is_empty() && self.attacks.contains(graph.attack_place(edge)))
            || (!self.edges.is_empty() && self.edges.contains(&edge))
            || (self.gates && graph.kind(to) == NodeKind::Gate)
            || self.door.is_some_and(|d| d != to && graph.kind(from) == NodeKind::Internet)
            || self.gone.iter().any(|gone| gone.is_needed(graph, edge))
    }
}

/// A fact that is taken away, and with it the same fact of the other pods of its workload: one
/// change takes away all.
#[derive(Debug, Clone)]
pub struct Gone {
    fact: Fact,
    /// The records that name its field: most edges bear none of them.
    records: Rc<FixedBitSet>,
}

impl Gone {
    /// `fields` are those of the graph that the fact is of.
    #[must_use]
    pub fn new(fields: &Fields, fact: Fact) -> Self {
        Self { fact, records: Rc::new(fields.naming(fact.field)) }
    }

    /// Whether an edge needs it.
    #[must_use]
    pub fn is_needed(&self, graph: &Graph, edge: EdgeId) -> bool {
        let fact = self.fact;
        graph.bears(edge, &self.records)
            && graph.facts(edge).any(|of| {
                of.is_of_field(fact)
                    || (of.field == fact.field
                        && of.value == fact.value
                        && replicas(graph, of, fact))
            })
    }
}

/// Whether two facts are of pods of one workload.
fn replicas(graph: &Graph, a: Fact, b: Fact) -> bool {
    let world = graph.world();
    let workload = |fact: Fact| {
        let object = world.objects.get(fact.object.index())?;
        let pod = world.pod(object.ns, object.name)?;
        let pod = &world.pods[pod.index()];
        if pod.object == fact.object { pod.workload } else { None }
    };
    workload(a).is_some_and(|of| workload(b) == Some(of))
}
