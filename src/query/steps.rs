//! From the edges of a proof to steps that a person reads.
//!
//! A step is one attack. What only leads to it or spreads it (membership, bindings, sets, gates,
//! containers of a pod) belongs to it, so that its edges are the whole evidence.

use super::answer::Step;
use super::search::{Link, Proof};
use crate::graph::{Attack, Graph, NodeId, NodeKind, likelihood_of};
use rustc_hash::{FxHashMap, FxHashSet};

/// Whether a step passes through a node rather than ending there.
#[must_use]
pub fn passes(kind: NodeKind) -> bool {
    matches!(
        kind,
        NodeKind::Set
            | NodeKind::Gate
            | NodeKind::Group
            | NodeKind::Role
            | NodeKind::ClusterRole
            | NodeKind::RoleBinding
            | NodeKind::ClusterRoleBinding
    )
}

/// What is known of a node on the way from the last step's end.
#[derive(Clone, Copy, Default)]
struct Since {
    attack: Option<&'static Attack>,
    gate: Option<NodeId>,
    /// A group that the attack led to.
    group: Option<NodeId>,
}

/// The steps of a proof, each after those it needs.
#[must_use]
pub fn steps(graph: &Graph, proof: &Proof) -> Vec<Step> {
    let mut into: FxHashMap<NodeId, Vec<Link>> = FxHashMap::default();
    // Every node after those it is made of.
    let mut order: Vec<NodeId> = Vec::new();
    for link in &proof.links {
        let links = into.entry(link.to).or_default();
        if links.is_empty() {
            order.push(link.to);
        }
        links.push(*link);
    }
    // The input of a gate that is held last leads through it; the others are steps of their own.
    let place: FxHashMap<NodeId, usize> = order.iter().enumerate().map(|(i, n)| (*n, i)).collect();
    for links in into.values_mut().filter(|links| links.len() > 1) {
        links.sort_by_key(|l| (place.get(&l.from).copied(), l.edge));
    }
    let ends = ends(graph, proof, &into, &order);
    let mut steps: Vec<Step> = Vec::new();
    for node in order.iter().filter(|n| ends.contains(n)) {
        let (links, gates) = chain(&into, &ends, *node);
        let mut needs = Vec::new();
        for link in gates.iter().flat_map(|gate| others(&into, *gate)) {
            let ended = ends.contains(&link.from);
            let mut other = if ended { Vec::new() } else { chain(&into, &ends, link.from).0 };
            other.push(*link);
            needs.push(steps.len());
            steps.extend(step(graph, &other, Vec::new()));
        }
        let plain = needs.is_empty() && links.iter().all(|l| graph.attack(l.edge).structure);
        let begins = links.first().map(|l| l.from);
        match (steps.last_mut(), step(graph, &links, needs)) {
            // The way ends inside what the last step gained.
            (Some(last), Some(more)) if plain && Some(last.to) == begins => {
                last.edges.extend(more.edges);
                last.likelihood *= more.likelihood;
                last.confidence = last.confidence.max(more.confidence);
                last.to = more.to;
            }
            (_, more) => steps.extend(more),
        }
    }
    // Thousands of answers are kept.
    steps.shrink_to_fit();
    steps
}

/// The inputs of a gate beside the one that the chain comes through.
fn others(into: &FxHashMap<NodeId, Vec<Link>>, gate: NodeId) -> &[Link] {
    into.get(&gate).and_then(|links| links.split_last()).map_or(&[], |(_, others)| others)
}

/// Where steps end.
fn ends(
    graph: &Graph,
    proof: &Proof,
    into: &FxHashMap<NodeId, Vec<Link>>,
    order: &[NodeId],
) -> FxHashSet<NodeId> {
    let mut ends = FxHashSet::from_iter([proof.target]);
    let mut since: FxHashMap<NodeId, Since> = FxHashMap::default();
    for node in order {
        let mut now = Since::default();
        let gate = graph.kind(*node) == NodeKind::Gate;
        for link in into.get(node).into_iter().flatten() {
            let attack = graph.attack(link.edge);
            let mut before = since.get(&link.from).copied().unwrap_or_default();
            // A second attack on the way, or a gate before a gate, ends the step before it, but
            // never at a set: to hold a set is to hold one of its members.
            let other = !attack.structure
                && before.attack.is_some_and(|a| a != attack)
                && !passes(graph.kind(link.from));
            let nested = gate && before.gate.is_some();
            // Who is not in a group has to get there first: that is an attack of its own, whatever
            // binding leads on from it.
            if let Some(group) = before.group.filter(|_| !attack.structure) {
                ends.insert(group);
                before = Since::default();
            } else if other || nested {
                ends.insert(if other { link.from } else { before.gate.unwrap_or(link.from) });
                before = Since::default();
            }
            now.attack = now.attack.or(before.attack).or((!attack.structure).then_some(attack));
            now.gate = now.gate.or(before.gate);
            now.group = now.group.or(before.group);
        }
        if gate {
            now.gate = Some(*node);
        }
        if now.attack.is_some() && graph.kind(*node) == NodeKind::Group {
            now.group = Some(*node);
        }
        if now.attack.is_some() && !passes(graph.kind(*node)) {
            ends.insert(*node);
        }
        if !ends.contains(node) {
            since.insert(*node, now);
        }
    }
    ends
}

/// The links from the last end to a node, in order, and the gates on the way.
fn chain(
    into: &FxHashMap<NodeId, Vec<Link>>,
    ends: &FxHashSet<NodeId>,
    node: NodeId,
) -> (Vec<Link>, Vec<NodeId>) {
    let (mut links, mut gates) = (Vec::new(), Vec::new());
    let mut at = node;
    // INVARIANT: a proof is a tree, so this ends.
    while let Some(inputs) = into.get(&at).filter(|_| at == node || !ends.contains(&at)) {
        let Some(main) = inputs.last() else { break };
        if inputs.len() > 1 {
            gates.push(at);
        }
        links.push(*main);
        at = main.from;
    }
    links.reverse();
    (links, gates)
}

fn step(graph: &Graph, chain: &[Link], needs: Vec<usize>) -> Option<Step> {
    let (first, last) = (chain.first()?, chain.last()?);
    let attacks = || chain.iter().map(|l| graph.attack(l.edge));
    let gate = chain.iter().rposition(|l| graph.kind(l.to) == NodeKind::Gate);
    let passed = chain.get(gate.map_or(0, |i| i + 1)..).unwrap_or_default();
    let sets = passed.iter().map(|l| l.from).filter(|n| graph.kind(*n) == NodeKind::Set);
    // The attack that gains the end: what came before it only led to its set.
    let attack = attacks().rfind(|a| !a.structure).unwrap_or(graph.attack(first.edge));
    let mut by: Vec<&'static Attack> = Vec::new();
    for before in attacks().filter(|a| !a.structure && *a != attack) {
        if !by.contains(&before) {
            by.push(before);
        }
    }
    let cost: u64 = chain.iter().map(|l| u64::from(graph.cost(l.edge))).sum();
    Some(Step {
        from: first.from,
        to: last.to,
        attack,
        by,
        edges: chain.iter().map(|l| l.edge).collect(),
        likelihood: likelihood_of(cost),
        confidence: chain.iter().map(|l| graph.confidence(l.edge)).max()?,
        set: sets.min_by_key(|set| (graph.set_size(*set), *set)),
        needs,
    })
}
