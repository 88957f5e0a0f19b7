//! What is looked at: the snapshot, read and derived, and what is pretended about it.

use crate::graph::{Attack, EdgeId, Fact, Graph, NodeId};
use crate::query::Query;
use crate::query::filter::{Filter, Gone as FactGone};
use crate::report::{Lines, Snapshot};
use crate::world::ObjectId;
use crate::world::coverage::Topic;
use crate::world::network::Gone;
use std::cell::OnceCell;

/// A snapshot, ready to be asked.
pub struct Loaded {
    /// The attack graph.
    pub graph: Graph,
    /// What was read.
    pub snapshot: Snapshot,
    /// What it shows and what it does not.
    pub coverage: Vec<Topic>,
    /// The questions that are asked of it.
    pub queries: Vec<Query>,
    /// How a field's line is found.
    pub lines: Box<dyn Lines + Send + Sync>,
}

/// For each object its first node, made when one is asked for: every frame asks.
#[derive(Debug, Default)]
pub struct Places {
    nodes: OnceCell<Vec<Option<NodeId>>>,
}

impl Places {
    /// The node that stands for an object, if one does.
    #[must_use]
    pub fn node_of(&self, graph: &Graph, object: ObjectId) -> Option<NodeId> {
        let nodes = self.nodes.get_or_init(|| {
            let mut nodes = vec![None; graph.world().objects.len()];
            for node in graph.nodes() {
                let place = graph.object(node).and_then(|of| nodes.get_mut(of.index()));
                if let Some(place @ None) = place {
                    *place = Some(node);
                }
            }
            nodes
        });
        nodes.get(object.index()).copied().flatten()
    }
}

/// What is pretended: facts that are gone; attacks, edges and nodes that nobody uses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Facts of the cluster that are gone, in the order in which they were marked.
    pub facts: Vec<Fact>,
    /// Attacks that are left out.
    pub attacks: Vec<&'static Attack>,
    /// Single edges that are left out.
    pub edges: Vec<EdgeId>,
    /// Nodes that are left out, as answers fold them: each with all that folds into it.
    pub nodes: Vec<NodeId>,
    /// Network policies that are gone, or rules of them. Paths know nothing of these: they say
    /// what opens, and a filter only closes.
    pub policies: Vec<Gone>,
}

impl Changes {
    /// Whether nothing is pretended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Whether paths are what they are without it.
    #[must_use]
    pub fn spares_paths(&self) -> bool {
        self.count() == self.policies.len()
    }

    /// How many things are pretended.
    #[must_use]
    pub fn count(&self) -> usize {
        let network = self.nodes.len() + self.policies.len();
        self.facts.len() + self.attacks.len() + self.edges.len() + network
    }

    /// What searches leave out. O(records) for each fact, O(nodes) for nodes.
    #[must_use]
    pub fn filter(&self, graph: &Graph) -> Filter {
        let mut filter = Filter::default();
        if !self.facts.is_empty() {
            let fields = graph.fields();
            for fact in &self.facts {
                filter.remove_fact(FactGone::new(&fields, *fact));
            }
        }
        self.attacks.iter().for_each(|attack| filter.avoid_attack(graph, attack));
        self.edges.iter().for_each(|edge| filter.avoid_edge(*edge));
        if !self.nodes.is_empty() {
            let out = graph.nodes().filter(|node| self.has_node(graph, *node));
            out.for_each(|node| filter.remove_node(node));
        }
        filter
    }

    /// Whether a node is left out, by itself or with what it folds into.
    #[must_use]
    pub fn has_node(&self, graph: &Graph, node: NodeId) -> bool {
        self.nodes.contains(&graph.fold(node))
    }

    /// Puts something in if it is not there, takes it out if it is.
    pub fn toggle_fact(&mut self, fact: Fact) {
        toggle(&mut self.facts, fact);
    }

    /// Puts an attack in, or takes it out.
    pub fn toggle_attack(&mut self, attack: &'static Attack) {
        toggle(&mut self.attacks, attack);
    }

    /// Puts an edge in, or takes it out.
    pub fn toggle_edge(&mut self, edge: EdgeId) {
        toggle(&mut self.edges, edge);
    }

    /// Puts a policy or a rule of one in, or takes it out.
    pub fn toggle_policy(&mut self, gone: Gone) {
        toggle(&mut self.policies, gone);
    }

    /// Puts a node in, or takes it out: that which answers fold it to.
    pub fn toggle_node(&mut self, graph: &Graph, node: NodeId) {
        toggle(&mut self.nodes, graph.fold(node));
    }
}

fn toggle<T: PartialEq>(list: &mut Vec<T>, thing: T) {
    match list.iter().position(|t| *t == thing) {
        Some(place) => {
            list.remove(place);
        }
        None => list.push(thing),
    }
}
