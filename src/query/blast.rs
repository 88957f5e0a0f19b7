//! What can be reached from somewhere, and how likely: one search, sorted by kind.

use super::filter::Filter;
use super::risk;
use super::search::{Direction, Next, Search, cost_in};
use crate::graph::{Graph, NodeId, NodeKind, likelihood_of};
use rustc_hash::FxHashMap;

/// One thing that can be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reached {
    /// It, folded to its workload.
    pub node: NodeId,
    /// The likelihood of the best way.
    pub likelihood: f64,
    /// How many nodes fold into it.
    pub folded: usize,
}

/// Everything of one kind that can be reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// The kind; pods and containers count as their workload's, if they have one.
    pub kind: NodeKind,
    /// The most likely first.
    pub reached: Vec<Reached>,
    /// How many there are of this kind in the cluster, folded alike.
    pub of: usize,
}

/// What can be reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Blast {
    /// By kind, the most valuable first.
    pub classes: Vec<Class>,
    /// The sum of what is reached, each by its worth and likelihood, over that of the cluster.
    pub share: f64,
}

/// What answers count as things: not what only leads to others.
fn counts(kind: NodeKind) -> bool {
    !matches!(
        kind,
        NodeKind::Set
            | NodeKind::Gate
            | NodeKind::Internet
            | NodeKind::Entry
            | NodeKind::Role
            | NodeKind::ClusterRole
            | NodeKind::RoleBinding
            | NodeKind::ClusterRoleBinding
    )
}

/// What can be reached from `sources`, together. Full power over the cluster is its own kind; it
/// is not counted out into everything that it amounts to.
#[must_use]
pub fn blast<'g>(
    graph: &'g Graph,
    search: &mut Search<'g>,
    sources: &[NodeId],
    filter: &Filter,
) -> Blast {
    search.run(Direction::Forward, sources, filter, None, usize::MAX, |_, _| Next::Expand);
    let own: Vec<NodeId> = sources.iter().map(|s| graph.fold(*s)).collect();
    let tree = search.tree();
    let mut best: FxHashMap<NodeId, (u64, usize)> = FxHashMap::default();
    for node in tree.nodes().filter(|n| counts(graph.kind(*n))) {
        let folded = graph.fold(node);
        if own.contains(&folded) || sources.binary_search(&node).is_ok() {
            continue;
        }
        let (key, count) = best.entry(folded).or_insert((u64::MAX, 0));
        *key = tree.key(node).min(*key);
        // A workload counts its pods.
        *count += usize::from(folded == node || graph.kind(node) == NodeKind::Pod);
    }
    let mut all: Vec<(NodeId, (u64, usize))> = best.into_iter().collect();
    all.sort_unstable_by_key(|(node, (key, _))| (*key, *node));
    let mut classes: Vec<Class> = Vec::new();
    let mut gained = 0.0;
    for (node, (key, folded)) in all {
        let likelihood = likelihood_of(cost_in(key));
        gained += likelihood * risk::impact(graph, node);
        let reached = Reached { node, likelihood, folded: folded.max(1) };
        let kind = graph.kind(node);
        match classes.iter_mut().find(|c| c.kind == kind) {
            Some(class) => class.reached.push(reached),
            None => classes.push(Class { kind, reached: vec![reached], of: 0 }),
        }
    }
    let mut worth = 0.0;
    for node in graph.nodes().filter(|n| counts(graph.kind(*n)) && graph.fold(*n) == *n) {
        worth += risk::impact(graph, node);
        if let Some(class) = classes.iter_mut().find(|c| c.kind == graph.kind(node)) {
            class.of += 1;
        }
    }
    let value = |class: &Class| {
        class.reached.iter().map(|r| risk::impact(graph, r.node)).fold(0.0, f64::max)
    };
    classes.sort_by(|a, b| value(b).total_cmp(&value(a)).then(a.kind.cmp(&b.kind)));
    Blast { classes, share: if worth > 0.0 { gained / worth } else { 0.0 } }
}
