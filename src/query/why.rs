//! Why one thing leads to another in one step, or why it does not lead there at all.

use super::filter::Filter;
use super::search::{Direction, NEVER, Next, Search, Tree};
use super::steps::passes;
use crate::graph::{Attack, EdgeId, Graph, NodeId, NodeKind};
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};

/// One way of getting from one thing to another in one step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// The edges, in order, through sets, gates, groups and bindings.
    pub edges: Vec<EdgeId>,
    /// What a gate on the way needs besides.
    pub also: Vec<NodeId>,
}

/// How many chains are listed: two sets of many bindings have many more.
const CHAINS: usize = 200;

/// Every way from one node to another that passes sets, gates, groups, bindings and roles at most,
/// and the parts of the pod that one of them stands for.
#[must_use]
pub fn why(graph: &Graph, from: NodeId, to: NodeId) -> Vec<Chain> {
    // Which nodes between lead to the end.
    let mut leads = FxHashSet::from_iter([to]);
    let mut stack = vec![to];
    while let Some(node) = stack.pop() {
        for (_, near) in graph.incoming(node) {
            if near != from && inner(graph, from, near) && leads.insert(near) {
                stack.push(near);
            }
        }
    }
    let mut chains = Vec::new();
    let mut stack: Vec<(NodeId, Vec<EdgeId>, Vec<NodeId>)> = vec![(from, Vec::new(), vec![from])];
    while let Some((node, edges, passed)) = stack.pop() {
        let next: Vec<(EdgeId, NodeId)> = graph
            .outgoing(node)
            .filter(|(_, n)| leads.contains(n) && !passed.contains(n))
            .collect();
        for (edge, target) in next.into_iter().rev() {
            let mut edges = edges.clone();
            edges.push(edge);
            let mut passed = passed.clone();
            passed.push(target);
            if target == to {
                chains.push(Chain { also: also(graph, &passed), edges });
            } else {
                stack.push((target, edges, passed));
            }
        }
        if chains.len() >= CHAINS || stack.len() > CHAINS * 50 {
            break;
        }
    }
    chains.sort_unstable_by(|a, b| (a.edges.len(), a).cmp(&(b.edges.len(), b)));
    chains
}

/// Whether one step passes through a node on its way from another.
fn inner(graph: &Graph, from: NodeId, node: NodeId) -> bool {
    let contained = matches!(graph.kind(from), NodeKind::Workload | NodeKind::Pod)
        && matches!(graph.kind(node), NodeKind::Pod | NodeKind::Container)
        && graph.fold(node) == graph.fold(from);
    passes(graph.kind(node)) || contained
}

/// The inputs of the gates passed that the chain does not come through.
fn also(graph: &Graph, passed: &[NodeId]) -> Vec<NodeId> {
    let gates = passed.iter().filter(|n| graph.kind(**n) == NodeKind::Gate);
    let inputs = gates.flat_map(|gate| graph.incoming(*gate)).map(|(_, input)| input);
    let mut also: Vec<NodeId> = inputs.filter(|n| !passed.contains(n)).collect();
    also.sort_unstable();
    also.dedup();
    also
}

/// A gate on the way of which some inputs are held and others are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HalfOpen {
    /// The gate.
    pub gate: NodeId,
    /// What is held.
    pub held: Vec<NodeId>,
    /// What is missing.
    pub missing: Vec<NodeId>,
}

/// A last step before the end, and who can take it.
#[derive(Debug, Clone, PartialEq)]
pub struct LastStep {
    /// The attack.
    pub attack: &'static Attack,
    /// Whether it needs something else at once: to hold what is listed is a part of it.
    pub part: bool,
    /// Who can take it, folded, in the graph's order.
    pub by: Vec<NodeId>,
}

/// What stops a way: what lies within reach on the one side, what would do on the other.
///
/// It tells what the snapshot shows. Whoever prints it adds what the snapshot leaves unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyNot {
    /// There is a way after all.
    pub reachable: bool,
    /// What the sources reach, folded, the nearest first.
    pub reach: Vec<NodeId>,
    /// What would lead to the targets, folded, the nearest first. None of it is within reach,
    /// unless a gate stands between.
    pub ancestry: Vec<NodeId>,
    /// Gates that lead to the targets and are half open.
    pub half_open: Vec<HalfOpen>,
    /// The steps that gain a target: to be stopped means to be none of those who can take one.
    pub last: Vec<LastStep>,
}

/// Looks from both sides.
#[must_use]
pub fn why_not<'g>(
    graph: &'g Graph,
    search: &mut Search<'g>,
    from: &[NodeId],
    to: &[NodeId],
    filter: &Filter,
) -> WhyNot {
    let mut grow = |direction, roots: &[NodeId]| {
        search.run(direction, roots, filter, None, usize::MAX, |_, _| Next::Expand);
        search.tree()
    };
    let forward = grow(Direction::Forward, from);
    let backward = grow(Direction::Backward, to);
    let half_open = graph
        .nodes()
        .filter(|n| graph.kind(*n) == NodeKind::Gate)
        .filter(|n| backward.key(*n) != NEVER && forward.key(*n) == NEVER)
        .filter_map(|gate| {
            let mut inputs: Vec<NodeId> = graph.incoming(gate).map(|(_, n)| n).collect();
            inputs.dedup();
            let (held, missing): (Vec<NodeId>, Vec<NodeId>) =
                inputs.into_iter().partition(|n| forward.key(*n) != NEVER);
            (!held.is_empty()).then_some(HalfOpen { gate, held, missing })
        })
        .collect();
    WhyNot {
        reachable: to.iter().any(|n| forward.key(*n) != NEVER),
        reach: things(graph, &forward, from),
        ancestry: things(graph, &backward, to),
        half_open,
        last: last_steps(graph, to),
    }
}

/// The steps that end at a target, through sets, gates and bindings, by attack.
fn last_steps(graph: &Graph, to: &[NodeId]) -> Vec<LastStep> {
    type Known = Option<(&'static str, bool)>;
    let mut by: BTreeMap<(&'static str, bool), (&'static Attack, BTreeSet<NodeId>)> =
        BTreeMap::new();
    let mut seen: FxHashSet<(NodeId, Known)> = FxHashSet::default();
    let mut stack: Vec<(NodeId, Option<(&'static Attack, bool)>)> =
        to.iter().map(|n| (*n, None)).collect();
    while let Some((node, known)) = stack.pop() {
        for (edge, from) in graph.incoming(node) {
            let attack = graph.attack(edge);
            let kind = graph.kind(from);
            let step = known.or((!attack.structure).then_some((attack, false)));
            let step = step.map(|(a, part)| (a, part || kind == NodeKind::Gate));
            match step {
                Some((attack, part)) if !passes(kind) || kind == NodeKind::Group => {
                    let (_, holders) =
                        by.entry((attack.id, part)).or_insert_with(|| (attack, BTreeSet::new()));
                    holders.insert(graph.fold(from));
                }
                _ => {
                    if seen.insert((from, step.map(|(a, part)| (a.id, part)))) {
                        stack.push((from, step));
                    }
                }
            }
        }
    }
    let listed = |((_, part), (attack, by)): (_, (_, BTreeSet<NodeId>))| LastStep {
        attack,
        part,
        by: by.into_iter().collect(),
    };
    by.into_iter().map(listed).collect()
}

/// The settled things of a tree, but for what only leads to others, folded, without its roots, the nearest first.
fn things(graph: &Graph, tree: &Tree, roots: &[NodeId]) -> Vec<NodeId> {
    let mut keyed: Vec<(u64, NodeId)> = tree
        .nodes()
        .filter(|n| !passes(graph.kind(*n)) || graph.kind(*n) == NodeKind::Group)
        .map(|n| (tree.key(n), graph.fold(n)))
        .collect();
    keyed.sort_unstable();
    let mut seen: FxHashSet<NodeId> = roots.iter().map(|n| graph.fold(*n)).collect();
    keyed.into_iter().map(|(_, n)| n).filter(|n| seen.insert(*n)).collect()
}
