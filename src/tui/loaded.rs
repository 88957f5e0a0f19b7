//! What is looked at: the snapshot, read and derived, and what is pretended about it.

use crate::graph::{Attack, EdgeId, Fact, Graph};
use crate::query::Query;
use crate::query::filter::{Filter, Gone};
use crate::report::{Lines, Snapshot};
use crate::world::coverage::Topic;

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

/// What is pretended: facts that are gone, attacks and edges that nobody uses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Facts of the cluster that are gone, in the order in which they were marked.
    pub facts: Vec<Fact>,
    /// Attacks that are left out.
    pub attacks: Vec<&'static Attack>,
    /// Single edges that are left out.
    pub edges: Vec<EdgeId>,
}

impl Changes {
    /// Whether nothing is pretended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many things are pretended.
    #[must_use]
    pub fn count(&self) -> usize {
        self.facts.len() + self.attacks.len() + self.edges.len()
    }

    /// What searches leave out. O(records) for each fact.
    #[must_use]
    pub fn filter(&self, graph: &Graph) -> Filter {
        let mut filter = Filter::default();
        if !self.facts.is_empty() {
            let fields = graph.fields();
            for fact in &self.facts {
                filter.remove_fact(Gone::new(&fields, *fact));
            }
        }
        self.attacks.iter().for_each(|attack| filter.avoid_attack(attack));
        self.edges.iter().for_each(|edge| filter.avoid_edge(*edge));
        filter
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
}

fn toggle<T: PartialEq>(list: &mut Vec<T>, thing: T) {
    match list.iter().position(|t| *t == thing) {
        Some(place) => {
            list.remove(place);
        }
        None => list.push(thing),
    }
}
