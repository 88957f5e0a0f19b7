//! Which pairs of ends one answer stands for.
//!
//! Replicas of a workload are one thing to who reads a report, and so are the nodes of a pool as
//! long as the way to or from them is the same: a DaemonSet that takes over its nodes is one
//! finding, not one a machine. Pods and containers are joined whatever their ways, and the best
//! way is answered; nodes only where fingerprints agree, and the answer lists them.

use super::ask::proof;
use super::fingerprint;
use super::found::{Finds, Found};
use super::risk;
use super::search::{Proof, cost_in};
use super::steps::steps;
use crate::graph::{Graph, NodeId, NodeKind, likelihood_of};
use crate::world::UNKNOWN_NODE;
use rustc_hash::{FxHashMap, FxHasher};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// Pairs that one answer stands for.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    /// The best first.
    pub(super) members: Vec<usize>,
    pub(super) score: f64,
    /// The nodes that are one of the ends, if it stands for several.
    pub(super) nodes: Vec<NodeId>,
    key: u64,
}

/// Each machine and kubelet with the first of its pool.
#[derive(Debug, Default)]
pub(super) struct Pools(FxHashMap<NodeId, NodeId>);

impl Pools {
    pub(super) fn new(graph: &Graph) -> Self {
        let world = graph.world();
        let mut first: FxHashMap<(NodeKind, &str), NodeId> = FxHashMap::default();
        let mut pools = FxHashMap::default();
        let is_node = |kind| matches!(kind, NodeKind::Node | NodeKind::NodeIdentity);
        for node in graph.nodes_of(is_node) {
            let name = graph.object_name(node);
            // The node called `unknown` stands for others, of pools that nobody knows.
            let ix = world.symbols.get(name).and_then(|sym| world.node(sym));
            if let Some(ix) = ix.filter(|_| name != UNKNOWN_NODE) {
                let pool = (graph.kind(node), world.pool(ix));
                pools.insert(node, *first.entry(pool).or_insert(node));
            }
        }
        Self(pools)
    }

    fn of(&self, node: NodeId) -> Option<NodeId> {
        self.0.get(&node).copied()
    }

    /// What a way passes, but for which replica or node of a pool it is.
    fn signature(&self, graph: &Graph, proof: &Proof) -> u64 {
        let mut hasher = FxHasher::default();
        let mut add = |node: NodeId| match graph.kind(node) {
            NodeKind::Set | NodeKind::Gate => {
                graph.set_kind(node).map(|kind| kind.id).hash(&mut hasher);
                graph.namespace(node).hash(&mut hasher);
            }
            NodeKind::Container => (graph.fold(node), graph.part(node)).hash(&mut hasher),
            _ => self.of(node).unwrap_or_else(|| graph.fold(node)).hash(&mut hasher),
        };
        let mut attacks = FxHasher::default();
        for link in &proof.links {
            add(link.from);
            add(link.to);
            graph.attack(link.edge).id.hash(&mut attacks);
        }
        hasher.finish() ^ attacks.finish().rotate_left(32)
    }
}

/// Joins pairs; the best of all first, at most `limit`. Also tells how many more there are.
/// `all` keeps pairs that fold to one thing: that a workload holds its own pods is an answer only
/// to who asks for it.
pub(super) fn fold(
    graph: &Graph,
    pools: &Pools,
    finds: &Finds,
    limit: usize,
    all: bool,
) -> (Vec<Folded>, usize) {
    // The ways of a pool's nodes are compared for what is shown only: a large cluster has a pair
    // for each node and DaemonSet.
    let mut groups = alike(pools, by_workload(graph, &finds.found, all));
    groups.sort_by(|a, b| match (a.first(), b.first()) {
        (Some(a), Some(b)) => order(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    let mut left = groups.len().saturating_sub(limit);
    groups.truncate(limit);
    let mut folded: Vec<Folded> =
        groups.into_iter().flat_map(|group| of_one_way(graph, pools, finds, group)).collect();
    folded.sort_by(order);
    left += folded.len().saturating_sub(limit);
    folded.truncate(limit);
    (folded, left)
}

fn order(a: &Folded, b: &Folded) -> std::cmp::Ordering {
    let by_place = || (a.key, a.from, a.to).cmp(&(b.key, b.from, b.to));
    b.score.total_cmp(&a.score).then_with(by_place)
}

/// Joins pairs whose ends fold to the same workloads.
fn by_workload(graph: &Graph, found: &[Found], all: bool) -> Vec<(Option<NodeId>, Folded)> {
    let mut groups: BTreeMap<(NodeId, Option<NodeId>, NodeId), Vec<usize>> = BTreeMap::new();
    for (i, pair) in found.iter().enumerate() {
        let (from, to) = (graph.fold(pair.from), graph.fold(pair.to));
        if from != to || all {
            groups.entry((from, pair.door, to)).or_default().push(i);
        }
    }
    let mut folded = Vec::with_capacity(groups.len());
    for ((from, door, to), mut members) in groups {
        members.sort_by_key(|i| (found[*i].key, found[*i].from, found[*i].to));
        let Some(best) = members.first().map(|i| &found[*i]) else { continue };
        let likelihood = likelihood_of(cost_in(best.key));
        let score = risk::score(likelihood, risk::impact(graph, best.to));
        let key = best.key;
        folded.push((door, Folded { from, to, members, score, nodes: Vec::new(), key }));
    }
    folded
}

/// Puts those beside each other that differ in one end only, as a node of the same pool, and are
/// as likely: their ways may be the same.
fn alike(pools: &Pools, folded: Vec<(Option<NodeId>, Folded)>) -> Vec<Vec<Folded>> {
    type Ends = (NodeId, Option<NodeId>, NodeId, u64, u64);
    let mut groups: Vec<Vec<Folded>> = Vec::with_capacity(folded.len());
    let mut places: FxHashMap<Ends, usize> = FxHashMap::default();
    for (door, one) in folded {
        let ends = match (pools.of(one.from), pools.of(one.to)) {
            (Some(pool), _) => (pool, door, one.to),
            (None, Some(pool)) => (one.from, door, pool),
            (None, None) => {
                groups.push(vec![one]);
                continue;
            }
        };
        let key = (ends.0, ends.1, ends.2, one.key, one.score.to_bits());
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// Joins those whose ways are the same but for the node.
fn of_one_way(graph: &Graph, pools: &Pools, finds: &Finds, group: Vec<Folded>) -> Vec<Folded> {
    if group.len() < 2 {
        return group;
    }
    let mut joined: Vec<Folded> = Vec::new();
    let mut by_signature: FxHashMap<u64, usize> = FxHashMap::default();
    let mut by_fingerprint: FxHashMap<String, usize> = FxHashMap::default();
    for one in group {
        let Some(best) = one.members.first().map(|i| &finds.found[*i]) else { continue };
        let way = proof(graph, finds, best);
        let next = joined.len();
        // A fingerprint costs more than a look at the links, and few of those differ.
        let place = *by_signature.entry(pools.signature(graph, &way)).or_insert_with(|| {
            let read = fingerprint::path(graph, "", &steps(graph, &way));
            *by_fingerprint.entry(read).or_insert(next)
        });
        let own = if pools.of(one.from).is_some() { one.from } else { one.to };
        match joined.get_mut(place) {
            Some(first) => {
                if first.nodes.is_empty() {
                    let shown = if pools.of(first.from).is_some() { first.from } else { first.to };
                    first.nodes.push(shown);
                }
                first.nodes.push(own);
                first.members.extend(one.members);
            }
            None => joined.push(one),
        }
    }
    joined
}
